"""ArviZ runs on the result as it is, and warns of nothing; a file of it loses nothing."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
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
from tests.cases import binary, day, question, report, small, source

ROOT = Path(__file__).parents[2]
#: A question of every kind whose judgements are uncertain, and something was heard.
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


@cache
def result(name: str, exact: bool = False) -> xr.DataTree:
    found = small(name, exact)
    case = Case(name, Path(name), found.question, found.evidence, "digest of it", ("mind the gap",))
    return forecast.update(case, as_of=found.as_of, draws=400, tolerance=1.0)


@pytest.fixture(autouse=True)
def _no_warning() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def entries(data: xr.DataTree | xr.Dataset) -> np.ndarray:
    """Return all numbers of a result of ArviZ."""
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
def test_calibration_of_what_cells_foretold(name, backend):
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
    tree = forecast.update(ROOT / "scenarios" / "isis-jn-2014", draws=500, tolerance=1.0)
    table = az.summary(tree, round_to="none")
    assert np.isfinite(table.select_dtypes("number").to_numpy(float)).all()
    assert len(az.psense_summary(tree)) == len(table)
    az.plot_prior_posterior(tree, var_names=["scenario_probability", "reliability"], backend="none")
    az.plot_trace_dist(tree, var_names=["scenario_probability", "lasts", "then"], backend="none")


# --- where there is nothing to diagnose -------------------------------------------------------------------


def test_nothing_heard():
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
@pytest.mark.parametrize("name", ["yes_no", "of_units", "one_testimony", "nothing_heard", "everything"])
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
