"""The result: its names, dimensions and coordinates; what ArviZ and a file make of it."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import arviz as az
import numpy as np
import pytest
import xarray as xr

import forecast
from forecast.case.evidence import Evidence
from forecast.case.folder import Case
from forecast.case.judgement import Positive
from forecast.case.question import Moves
from forecast.case.warnings import WarningMessage
from forecast.inference.engine import infer
from tests.cases import binary, day, question, report, small, source

GROUPS = {
    "posterior",
    "prior",
    "trend",
    "outlook",
    "hindsight",
    "evidence",
    "drift",
    "log_likelihood",
    "log_prior",
    "sample_stats",
    "observed_data",
    "constant_data",
    "exact",
    "conflict",
    "prior_predictive",
    "posterior_predictive",
    "surprise",
}


@cache
def result(name: str, exact: bool = False) -> xr.DataTree:
    found = small(name, exact)
    warnings = (WarningMessage("gaps", "mind the gap"),)
    case = Case(name, Path(name), found.question, found.evidence, "digest of it", warnings)
    return forecast.update(case, as_of=found.as_of, draws=400, tolerance=1.0)


def dims(name: str, group: str) -> dict[str, tuple[str, ...]]:
    data = result(name)[group].to_dataset()
    return {str(k): tuple(str(d) for d in v.dims) for k, v in data.data_vars.items()}


def test_groups_and_attributes():
    tree = result("everything")
    assert set(tree.children) == GROUPS
    assert {
        "as_of",
        "horizon",
        "engine",
        "seed",
        "draws",
        "chains",
        "tolerance",
        "particles",
        "warnings",
    } <= set(tree.attrs)
    assert tree.attrs["as_of"] == "2024-01-26"


def test_posterior():
    sample = ("chain", "draw")
    found = dims("everything", "posterior")
    assert found == {
        "scenario_probability": (*sample, "scenario"),
        "horizon_probability": (*sample, "scenario"),
        "prior": (*sample, "scenario"),
        "likelihood_raid": (*sample, "scenario", "raid_value"),
        "likelihood_tone": (*sample, "scenario", "tone_value"),
        "likelihood_clashes": (*sample, "scenario"),
        "likelihood_price": (*sample, "scenario"),
        "likelihood_offer": (*sample, "scenario", "offer_value"),
        "likelihood_answer": (*sample, "scenario", "answer_value"),
        "reliability": (*sample, "source"),
        "lasts": (*sample, "leaving_scenario"),
        "then": (*sample, "move"),
    }
    assert dims("everything", "prior") == found
    data = result("everything")["posterior"].to_dataset()
    assert data["tone_value"].values.tolist() == ["cold", "cool", "warm"]
    assert data["leaving_scenario"].values.tolist() == ["alpha", "beta"]  # gamma is never left
    for name in ("prior", "likelihood_tone"):
        assert np.allclose(data[name].sum(str(data[name].dims[-1])), 1)
    moves = ["alpha to beta", "alpha to gamma", "beta to alpha", "beta to gamma"]  # none can be to itself
    assert data["move"].values.tolist() == moves
    assert np.allclose(data["then"].isel(move=[0, 1]).sum("move"), 1)
    assert "transition" in dims("stepping", "posterior")
    assert dims("one_testimony", "posterior")["testimony_reliability"] == (*sample, "testimony")


def test_what_is_exactly_known_is_in_a_group_of_its_own():
    assert dims("everything", "exact") == {}
    assert dims("expert_ratio", "exact") == {"likelihood_view": ("scenario", "view_value")}
    assert "likelihood_view" not in dims("expert_ratio", "posterior")
    known = result("expert_ratio")["exact"].to_dataset()
    assert known["likelihood_view"].isel(view_value=1).values.tolist() == [0.25, 0.5, 1.0]
    assert result("agreeing_and_clashing")["exact"].sizes["source"] >= 1


def test_moves_keep_their_names_where_a_stay_is_exactly_known():
    case = small("moving", False)
    moves = case.question.dynamics
    assert isinstance(moves, Moves)
    stays = (Positive(moves.leave[0].mean, math.inf), *moves.leave[1:])
    q = replace(case.question, dynamics=replace(moves, leave=stays))
    tree = infer(q, case.evidence, as_of=case.as_of, draws=100, chains=2, tolerance=1.0)
    data, known = tree["posterior"].to_dataset(), tree["exact"].to_dataset()
    assert data["leaving_scenario"].values.tolist() == ["beta"]
    assert known["leaving_scenario"].values.tolist() == ["alpha"]
    assert known["lasts"].item() == pytest.approx(6.0)
    mean = data["then"].mean(("chain", "draw"))
    assert mean["move"].values.tolist() == [
        "alpha to beta",
        "alpha to gamma",
        "beta to alpha",
        "beta to gamma",
    ]
    assert mean.values == pytest.approx([0.8, 0.2, 0.3, 0.7], abs=0.1)


def test_the_prior_has_the_forecasts_that_no_evidence_has_touched():
    tree, quiet = result("moving"), result("nothing_heard")
    start = tree["prior"]["prior"].mean(("chain", "draw"))
    assert not np.allclose(tree["prior"]["scenario_probability"].mean(("chain", "draw")), start, atol=0.01)
    for name in ("scenario_probability", "horizon_probability"):
        before, after = (quiet[group][name].mean(("chain", "draw")) for group in ("prior", "posterior"))
        assert np.allclose(before, after, atol=0.02)


def test_units_are_a_dimension_before_the_scenarios():
    assert dims("of_units", "posterior")["scenario_probability"] == ("chain", "draw", "unit", "scenario")
    assert dims("of_units", "trend")["probability"] == ("as_of", "unit", "scenario")
    assert dims("of_units", "outlook")["ever"] == ("unit", "scenario")
    assert dims("of_units", "hindsight")["smoothed"] == ("period", "unit", "scenario")
    assert dims("of_units", "log_likelihood")["evidence"] == ("chain", "draw", "unit", "period")
    assert result("of_units")["trend"].to_dataset()["unit"].values.tolist() == ["north", "south"]


def test_courses_over_time():
    four = dict.fromkeys(("probability", "low", "high", "mcse"))
    assert dims("everything", "trend") == dict.fromkeys(four, ("as_of", "scenario"))
    outlook = dict.fromkeys(four, ("date", "scenario"))
    assert dims("everything", "outlook") == {**outlook, "ever": ("scenario",)}
    tree = result("everything")
    ends = [str(d)[:10] for d in tree["hindsight"].to_dataset()["period_end"].values]
    assert ends == ["2024-01-07", "2024-01-14", "2024-01-21", "2024-01-28"]
    assert [str(d)[:10] for d in tree["trend"].to_dataset()["as_of"].values] == [*ends[:3], "2024-01-26"]
    assert [str(d)[:10] for d in tree["outlook"].to_dataset()["date"].values] == [
        ends[3],
        "2024-02-04",
        "2024-02-11",
    ]


def test_the_trend_ends_in_the_draws():
    tree = result("everything")
    mean = tree["posterior"]["scenario_probability"].mean(("chain", "draw"))
    assert np.allclose(tree["trend"]["probability"].isel(as_of=-1), mean, atol=1e-14)
    assert np.allclose(tree["outlook"]["probability"].isel(date=0), mean, atol=1e-14)
    ahead = tree["posterior"]["horizon_probability"].mean(("chain", "draw"))
    assert np.allclose(tree["outlook"]["probability"].isel(date=-1), ahead, atol=1e-14)
    assert np.allclose(tree["hindsight"]["smoothed"].isel(period=-1), mean, atol=1e-14)


def test_reports():
    case, tree = small("everything", False), result("everything")
    live = [r.id for r in case.evidence.known(case.as_of)]
    for group in ("evidence", "constant_data"):
        assert tree[group].to_dataset()["report"].values.tolist() == live
    assert dims("everything", "evidence")["weight_of_evidence"] == ("report", "scenario")
    assert tree["constant_data"]["credibility_factor"].sel(report="r4").item() == 0.7


def test_sample_stats_and_densities():
    stats = dims("everything", "sample_stats")
    assert {stats[n] for n in ("ess", "moves", "log_marginal_likelihood")} == {("chain", "as_of")}
    assert stats["acceptance"] == ("chain", "block")
    assert stats["r_hat"] == ("scenario",)
    assert dims("everything", "log_likelihood") == {"evidence": ("chain", "draw", "period")}
    prior = result("everything")["log_prior"].to_dataset()
    assert {"prior", "likelihood_raid_alpha", "reliability_s", "leave_alpha", "then_beta"} <= set(
        prior.data_vars
    )
    assert "leave_gamma" not in prior.data_vars  # exactly known
    assert all(np.isfinite(v).all() for v in prior.data_vars.values())


def test_chains_and_draws_are_numbered():
    for group in ("posterior", "prior", "log_likelihood", "log_prior"):
        data = result("everything")[group].to_dataset()
        assert data["chain"].values.tolist() == [0, 1, 2, 3]
        assert data["draw"].values.tolist() == list(range(400))
    assert result("everything")["sample_stats"].to_dataset()["chain"].values.tolist() == [0, 1, 2, 3]


def test_log_priors_of_reliable_testimonies_are_finite():
    q = question((0.6, 0.4), (binary("raid", (0.6, 0.2), 20.0),), (source("s", 0.95, 10.0),), 20.0)
    log = Evidence((report("a", 1, "raid", "yes", testimony="x"),))
    tree = infer(q, log, as_of=day(6), draws=500, chains=2, tolerance=1.0)
    assert np.isfinite(tree["log_prior"]["testimony_x"]).all()


# --- ArviZ takes it as it is -----------------------------------------------------------------------------

#: A question of every kind whose judgements are uncertain, and that has evidence.
NAMES = (
    "yes_no",  # static
    "moving",
    "stepping",
    "of_units",
    "units_static",
    "one_testimony",
    "poisson",
    "negative_binomial",
    "measured",
    "expert_ratio",
    "residual",
    "capped",
    "learns_nothing",
    "learns_in_part",
    "everything",
)
PANELS = {"plot.max_subplots": 200}  # ArviZ draws at most 40 of its own accord


def entries(data: xr.DataTree | xr.Dataset) -> np.ndarray:
    """Return all numbers that ArviZ returned."""
    data = data.to_dataset() if isinstance(data, xr.DataTree) else data
    return np.concatenate([np.ravel(v) for v in data.data_vars.values()]).astype(float)


# What is exactly known must not be among the draws of posterior and prior (there is no r_hat of a constant),
# and the prior must have the probabilities of the scenarios too.


@pytest.mark.parametrize("name", NAMES)
def test_diagnostics(name):
    tree = result(name)
    table = az.summary(tree, round_to="none")
    assert np.isfinite(table.select_dtypes("number").to_numpy(float)).all()
    assert {"scenario_probability[alpha]", "prior[alpha]"} <= set(table.index) or "units" in name
    for measure in (az.ess, az.rhat, az.mcse):
        found = entries(measure(tree))
        assert np.isfinite(found).all()
        assert len(found) == len(table)


@pytest.mark.parametrize("name", NAMES)
def test_power_scaling(name):
    tree = result(name)
    for group in ("prior", "likelihood"):
        assert np.isfinite(entries(az.psense(tree, group=group))).all()
    table = az.psense_summary(tree)
    assert list(table.columns) == ["prior", "likelihood", "diagnosis"]
    one = az.psense_summary(tree, var_names="scenario_probability", prior_var_names="prior")
    assert np.isfinite(one[["prior", "likelihood"]].to_numpy(float)).all()


@pytest.mark.parametrize("name", NAMES)
def test_plots_of_judgements(name):
    tree = result(name)
    with az.rc_context(PANELS):
        az.plot_prior_posterior(tree, backend="none")
        az.plot_trace_dist(tree, backend="none")


def test_plots_are_drawn():
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    with mpl.rc_context({"backend": "agg", "figure.max_open_warning": 0}):
        names = ["scenario_probability", "reliability"]
        for plot in (az.plot_prior_posterior, az.plot_trace_dist):
            drawn = plot(result("everything"), var_names=names, backend="matplotlib")
            drawn.viz["figure"].item().canvas.draw()
        plt.close("all")


@pytest.mark.parametrize("name", ["stepping", "of_units", "learns_nothing"])
@pytest.mark.parametrize("backend", ["none", "matplotlib"])
def test_calibration_of_the_predictions_of_cells(name, backend):
    """Of yes and no, and of at least four cells: with fewer ArviZ takes its own four curves for chains."""
    tree = result(name)
    if "posterior_predictive" not in tree.children:
        pytest.skip("the tree has no predictive groups")
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    seen = tree["observed_data"].to_dataset()
    yes_no = [
        n for n, v in seen.data_vars.items() if len(v.attrs.get("flag_values", ())) == 2 and v.size >= 4
    ]
    assert yes_no
    with mpl.rc_context({"backend": "agg"}):
        for variable in yes_no:
            az.plot_ppc_pava(tree, var_names=variable, backend=backend)
        if len(yes_no) == len(seen.data_vars):
            az.plot_ppc_pava(tree, backend=backend)
        plt.close("all")


@pytest.mark.slow
def test_the_shipped_case():
    tree = forecast.update(Path(__file__).parents[2] / "scenarios" / "isis-jn-2014", draws=500, tolerance=1.0)
    table = az.summary(tree, round_to="none")
    assert np.isfinite(table.select_dtypes("number").to_numpy(float)).all()
    assert len(az.psense_summary(tree)) == len(table)
    az.plot_prior_posterior(tree, var_names=["scenario_probability", "reliability"], backend="none")
    az.plot_trace_dist(tree, var_names=["scenario_probability", "lasts", "then"], backend="none")


# --- where there is nothing to diagnose -------------------------------------------------------------------


def test_no_evidence():
    """A likelihood of 1 cannot be scaled: ArviZ refuses, for there is no tail of weights."""
    tree = result("nothing_heard")
    assert np.isfinite(az.summary(tree, round_to="none").to_numpy(float)).all()
    assert np.isfinite(entries(az.psense(tree, group="prior"))).all()
    with (
        pytest.warns(UserWarning, match="Number of tail draws"),
        pytest.raises(ValueError, match="All tail values are the same"),
    ):
        az.psense(tree, group="likelihood")


@pytest.mark.parametrize("name", ["yes_no", "moving", "everything"])
def test_exact_questions(name):
    """Nothing varies: means are right and their errors 0; r_hat and power scaling are not defined."""
    tree = result(name, True)
    now = az.summary(tree, var_names="scenario_probability", kind="stats", round_to="none")["mean"]
    assert now.to_numpy() == pytest.approx(tree["trend"]["probability"].isel(as_of=-1).values)
    assert np.allclose(entries(az.mcse(tree)), 0.0)
    with pytest.warns(RuntimeWarning, match="invalid value encountered"):
        assert np.isnan(entries(az.rhat(tree))).all()
    with pytest.raises(ValueError, match="at least one object"):
        az.psense(tree, group="prior")


def test_a_judgement_that_is_exact_in_one_scenario_only():
    """Its constant stays beside what varies: ArviZ has no r_hat of it, and says so."""
    raid, sure = (binary("raid", (0.2, 0.6), w) for w in (20.0, np.inf))
    raid = replace(raid, likelihood=(sure.likelihood[0], raid.likelihood[1]))
    q = question((0.5, 0.5), (raid,), (source("s", 0.8, 20.0),), 20.0)
    case = Case("mixed", Path("mixed"), q, Evidence((report("r", 1, "raid", "yes"),)), "digest")
    tree = forecast.update(case, as_of=day(6), draws=400, tolerance=1.0)
    with pytest.warns(RuntimeWarning, match="invalid value encountered"):
        found = az.rhat(tree)["likelihood_raid"]
    assert np.isnan(found.sel(scenario="alpha")).all()
    assert np.isfinite(found.sel(scenario="beta")).all()


# --- a file -----------------------------------------------------------------------------------------------


def differences(one: xr.DataTree, other: xr.DataTree) -> list[str]:
    """Return all in which two trees differ: groups, variables, dimensions, types, values, attributes."""
    found = [] if list(one.groups) == list(other.groups) else [f"groups {one.groups} {other.groups}"]
    for group in [name for name in one.groups if name in other.groups]:
        a, b = (own(tree, group) for tree in (one, other))
        found += [f"{group}: attribute {name}" for name in unlike(a.attrs, b.attrs)]
        if set(a.data_vars) != set(b.data_vars) or set(a.coords) != set(b.coords) or a.sizes != b.sizes:
            found.append(f"{group}: variables, coordinates or sizes")
            continue
        for name, variable in a.variables.items():
            twin = b.variables[name]
            if (variable.dims, variable.dtype) != (twin.dims, twin.dtype):
                found.append(f"{group}/{name}: {variable.dims} {variable.dtype}, {twin.dims} {twin.dtype}")
            elif not np.array_equal(variable.values, twin.values, equal_nan=variable.dtype.kind == "f"):
                found.append(f"{group}/{name}: values")
            found += [f"{group}/{name}: attribute {key}" for key in unlike(variable.attrs, twin.attrs)]
    return found


def own(tree: xr.DataTree, group: str) -> xr.Dataset:
    found = tree[group]
    assert isinstance(found, xr.DataTree)
    return found.to_dataset(inherit=False)


def unlike(one: dict[Any, Any], other: dict[Any, Any]) -> list[str]:
    """Return the names of attributes that differ; a number may come back as numpy's number of its kind."""

    def same(x: Any, y: Any) -> bool:
        return np.asarray(x).dtype.kind == np.asarray(y).dtype.kind and np.array_equal(x, y)

    return [
        key
        for key in {**one, **other}
        if key not in one or key not in other or not same(one[key], other[key])
    ]


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(
    "name", ["yes_no", "of_units", "one_testimony", "nothing_heard", "learns_nothing", "everything"]
)
def test_a_file_loses_nothing(name, exact, tmp_path):
    tree = result(name, exact)
    tree.to_netcdf(tmp_path / "result.nc")
    back = az.from_netcdf(tmp_path / "result.nc").load()
    try:
        assert differences(tree, back) == []
        assert isinstance(back.attrs["warnings"], str)
    finally:
        back.close()
    with xr.open_datatree(tmp_path / "result.nc", engine="h5netcdf") as again:
        assert differences(tree, again) == []


def test_differences_are_found():
    tree = result("yes_no")
    changed = tree.copy(deep=True)
    changed["trend/probability"] = tree["trend/probability"] + 1e-15
    changed.attrs["seed"] = 1.0
    changed["sample_stats"] = tree["sample_stats"].assign(
        {"moves": tree["sample_stats"]["moves"].astype(float)}
    )
    del changed["drift"]
    found = "\n".join(differences(tree, changed))
    assert "groups" in found
    for what in (
        "/trend/probability: values",
        "/: attribute seed",
        "/sample_stats/moves: ('chain', 'as_of')",
    ):
        assert what in found
