"""Several ways to one forecast: they agree where they should, and are told apart where they do not.

NUTS itself is tried in tests/inference/nuts; here another run of particles stands in for it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forecast.analysis import cross_checks as module
from forecast.analysis.cross_checks import referee
from forecast.case.folder import Case
from forecast.inference.engine import update
from tests.cases import Small, day, small
from tests.inference.test_referees import log_of, static_question


@pytest.fixture(autouse=True)
def no_compilation(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_nuts(case, *, as_of, engine, draws, chains, seed, progress):
        return update(
            case, as_of=as_of, draws=draws, chains=chains, seed=seed + (engine == "nuts"), progress=progress
        )

    monkeypatch.setattr(module, "update", without_nuts)


def case_of(one: Small) -> Case:
    return Case("case", Path("case"), one.question, one.evidence, "digest")


@pytest.mark.parametrize("name", ["moving", "of_units", "learns_nothing", "capped"])
def test_ways_agree(name):
    """Seeds are fixed; four combined errors were they normal: 1 comparison in 16,000 fails by chance."""
    one = small(name, False)
    data = referee(case_of(one), as_of=one.as_of)
    assert data["engine"].values.tolist() == ["smc", "nuts", "importance sampling", "paths"]
    assert data["agrees"].all()
    weighed = data.sel(engine="importance sampling")
    assert str(weighed["note"].values) == ""
    assert np.isfinite(weighed["horizon"]).all()
    assert ("unit" in data.dims) == (name == "of_units")


def test_paths_without_error():
    q, evidence = static_question(12), log_of((4, 5, 6, 3), 12, seed=1)
    data = referee(case_of(Small(q, evidence, day(83))), as_of=day(83))
    assert data.sel(engine="paths")["now_mcse"].max() == 0.0
    assert data["agrees"].all()


def test_a_wrong_engine_is_told(monkeypatch):
    """An engine that is three points off."""

    bias = xr.DataArray([0.03, -0.03, 0.0], dims="scenario")

    def biased(case, *, as_of, engine, draws, chains, seed, progress):
        tree = update(case, as_of=as_of, draws=draws, chains=chains, seed=seed)
        if engine == "nuts":
            trend = tree["trend"].to_dataset()
            tree["trend"] = xr.DataTree(trend.assign(probability=trend["probability"] + bias))
        return tree

    monkeypatch.setattr(module, "update", biased)
    one = small("moving", False)
    data = referee(case_of(one), as_of=one.as_of)
    assert not data.sel(engine="nuts")["agrees"]
    assert data.sel(engine="importance sampling")["agrees"]


def test_importance_sampling_says_when_it_is_blind():
    q, evidence = static_question(80, 4.0), log_of((60, 60, 10, 60), 80, seed=1)
    data = referee(case_of(Small(q, evidence, day(559))), as_of=day(559), draws=500)
    assert "effective draws" in str(data.sel(engine="importance sampling")["note"].values)
