"""The result: its names, dimensions and coordinates; what ArviZ and a file make of it."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from functools import cache

import arviz as az
import numpy as np
import pytest
import xarray as xr

from forecast.case.evidence import Evidence
from forecast.case.judgement import Positive
from forecast.case.question import Moves
from forecast.inference.engine import infer
from tests.cases import binary, day, question, report, small, source

NOW = ["scenario_probability"]  # of what is exactly known (then[alpha, alpha]) r_hat is not defined
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
def result(name: str) -> xr.DataTree:
    case = small(name, False)
    tree: xr.DataTree = infer(
        case.question, case.evidence, as_of=case.as_of, draws=100, chains=2, tolerance=1.0
    )
    return tree


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
        assert data["chain"].values.tolist() == [0, 1]
        assert data["draw"].values.tolist() == list(range(100))
    assert result("everything")["sample_stats"].to_dataset()["chain"].values.tolist() == [0, 1]


@pytest.mark.parametrize("name", ["everything", "of_units"])
def test_arviz_takes_it_without_a_warning(name):
    tree = result(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(az.summary(tree, var_names=[*NOW, "reliability"])) >= 4
        assert float(az.ess(tree, var_names=NOW)["scenario_probability"].min()) > 20
        assert float(az.rhat(tree, var_names=NOW)["scenario_probability"].max()) < 1.3
        sense = az.psense_summary(tree, var_names=NOW)
    assert np.isfinite(sense[["prior", "likelihood"]].to_numpy(dtype=float)).all()


def test_log_priors_of_reliable_testimonies_are_finite():
    q = question((0.6, 0.4), (binary("raid", (0.6, 0.2), 20.0),), (source("s", 0.95, 10.0),), 20.0)
    log = Evidence((report("a", 1, "raid", "yes", testimony="x"),))
    tree = infer(q, log, as_of=day(6), draws=500, chains=2, tolerance=1.0)
    assert np.isfinite(tree["log_prior"]["testimony_x"]).all()


@pytest.mark.parametrize("name", ["everything", "of_units", "nothing_heard", "learns_nothing"])
def test_a_file_loses_nothing(name, tmp_path):
    result(name).to_netcdf(tmp_path / "result.nc", engine="h5netcdf")
    with xr.open_datatree(tmp_path / "result.nc", engine="h5netcdf") as back:
        assert dict(back.attrs) == dict(result(name).attrs)
        assert set(back.children) == GROUPS
        for group in GROUPS:
            xr.testing.assert_equal(back[group].to_dataset(), result(name)[group].to_dataset())
