"""Several ways to one forecast agree where they should, and are told apart where they do not.

NUTS itself is tried in tests/inference/nuts; here another run of particles stands in for it.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forecast.analysis import cross_checks as module
from forecast.analysis.cross_checks import enumerate_paths, learning, referee, unlearning
from forecast.case.evidence import Evidence
from forecast.case.folder import Case
from forecast.case.judgement import Proportions
from forecast.case.question import Transition
from forecast.inference.engine import update
from forecast.model.parameters import build_layout
from forecast.model.problem import build_problem
from tests.cases import CASES, Small, binary, day, question, report, small, source
from tests.inference.generated import NAMES, SURE, log_of, static_question
from tests.oracles import (
    enumerate_posterior,
    importance_sampling,
    mean_theta,
    regime_closed_form,
    static_closed_form,
)


@pytest.fixture(autouse=True)
def no_compilation(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_nuts(case, *, engine="smc", seed, **options):
        return update(case, seed=seed + (engine == "nuts"), **options)

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


def test_static_judgements_that_learn():
    q, evidence = static_question(12), log_of((4, 5, 6, 3), 12, seed=1)
    found = enumerate_paths(build_problem(q, evidence, day(83)))
    assert found.now is not None
    np.testing.assert_allclose(found.now[0], static_closed_form(q, evidence, day(83)), rtol=1e-10)
    assert found.horizon is not None
    np.testing.assert_allclose(found.horizon, found.now, rtol=1e-10)


def test_regime_whose_transitions_learn():
    rows = Transition((Proportions((0.8, 0.2), 10.0), Proportions((0.3, 0.7), 10.0)))
    indicators = tuple(binary(n, p, 8.0) for n, p in zip(NAMES[:2], ((0.2, 0.6), (0.5, 0.3)), strict=True))
    q = question((0.6, 0.4), indicators, SURE, 8.0, dynamics=rows, weeks=9)
    evidence = log_of((4, 5), 8, seed=2)
    found = enumerate_paths(build_problem(q, evidence, day(55)))
    assert found.now is not None
    np.testing.assert_allclose(found.now[0], regime_closed_form(q, evidence, day(55))["now"], rtol=1e-10)
    assert found.horizon is None


@pytest.mark.parametrize("name", CASES)
def test_exact_judgements(name):
    case = small(name, True)
    found = enumerate_paths(build_problem(case.question, case.evidence, case.as_of))
    if found.now is None:
        reasons = ("several units", "not certainly known", "goes on from period to period")
        assert any(reason in found.note for reason in reasons)
        return
    expected = enumerate_posterior(
        case.question, case.evidence, case.as_of, mean_theta(case.question, case.evidence)
    )
    assert found.horizon is not None
    np.testing.assert_allclose(found.now[0], np.asarray(expected["now"]), atol=1e-10)
    np.testing.assert_allclose(found.horizon[0], np.asarray(expected["horizon"]), atol=1e-10)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("of_units", "several units"),
        ("moving", "moves are uncertain"),
        ("learns_in_part", "must not learn"),
        ("graded", "not certainly known"),
    ],
)
def test_says_why_it_does_not_apply(name, reason):
    case = small(name, False)
    found = enumerate_paths(build_problem(case.question, case.evidence, case.as_of))
    assert found.now is None
    assert reason in found.note


def test_judgements_that_must_not_learn_have_no_closed_form_even_if_all_are_such():
    """Integrated out as if they learnt, five reports would have given .94 where .89 is right."""
    never = tuple(Proportions((1 - p, p), 4.0, learn=False) for p in (0.2, 0.6))
    indicator = replace(binary("x", (0.2, 0.6), 4.0), likelihood=never)
    q = question((0.5, 0.5), (indicator,), (source("s", 1.0, math.inf),), math.inf)
    log = Evidence(tuple(report(f"r{n}", 7 * n, "x", "yes") for n in range(5)))
    found = enumerate_paths(build_problem(q, log, day(34)))
    assert found.now is None
    assert "must not learn" in found.note


@pytest.mark.parametrize("name", CASES)
def test_nothing_learns_any_more(name):
    case = small(name, False)
    layout = build_layout(unlearning(case.question), case.evidence)
    assert not layout.learns
    assert [block.free for block in layout.blocks] == [
        block.free for block in build_layout(case.question, case.evidence).blocks
    ]


def test_both_side_by_side():
    """The second row is the mean over the prior, as the plain Monte Carlo; four errors, seed 1."""
    case = small("moving", False)
    data = learning(Case("case", Path("case"), case.question, case.evidence, "digest"), as_of=case.as_of)
    assert data["variant"].values.tolist() == ["as written", "no learning"]
    asked = unlearning(case.question)
    expected = importance_sampling(asked, case.evidence, case.as_of, 20_000, 1, names=("now", "horizon"))
    for name in ("now", "horizon"):
        row = data.sel(variant="no learning")
        error = np.hypot(row[f"{name}_mcse"], expected.mcse[name]) + 1e-9
        assert (abs(row[name] - expected.mean[name]) < 4 * error).all()
