"""The brute force that the toolkit ships, against the one that the tests keep to themselves."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from forecast.analysis.cross_checks import by_paths
from forecast.case.evidence import Evidence
from forecast.case.judgement import Proportions
from forecast.case.question import Transition
from forecast.model.problem import problem
from tests.cases import CASES, binary, day, question, report, small, source
from tests.inference.test_referees import NAMES, SURE, log_of, static_question
from tests.oracles import enumerate_posterior, mean_theta, regime_closed_form, static_closed_form


def test_static_judgements_that_learn():
    q, evidence = static_question(12), log_of((4, 5, 6, 3), 12, seed=1)
    found = by_paths(problem(q, evidence, day(83)))
    assert found.now is not None
    np.testing.assert_allclose(found.now, static_closed_form(q, evidence, day(83)), rtol=1e-10)
    assert found.horizon is not None
    np.testing.assert_allclose(found.horizon, found.now, rtol=1e-10)


def test_regime_whose_transitions_learn():
    rows = Transition((Proportions((0.8, 0.2), 10.0), Proportions((0.3, 0.7), 10.0)))
    indicators = tuple(binary(n, p, 8.0) for n, p in zip(NAMES[:2], ((0.2, 0.6), (0.5, 0.3)), strict=True))
    q = question((0.6, 0.4), indicators, SURE, 8.0, dynamics=rows, weeks=9)
    evidence = log_of((4, 5), 8, seed=2)
    found = by_paths(problem(q, evidence, day(55)))
    assert found.now is not None
    np.testing.assert_allclose(found.now, regime_closed_form(q, evidence, day(55))["now"], rtol=1e-10)
    assert found.horizon is None


@pytest.mark.parametrize("name", CASES)
def test_exact_judgements(name):
    case = small(name, True)
    found = by_paths(problem(case.question, case.evidence, case.as_of))
    if found.now is None:
        assert "units" in found.reason or "not surely known" in found.reason
        return
    expected = enumerate_posterior(
        case.question, case.evidence, case.as_of, mean_theta(case.question, case.evidence)
    )
    assert found.horizon is not None
    np.testing.assert_allclose(found.now, np.asarray(expected["now"]), atol=1e-10)
    np.testing.assert_allclose(found.horizon, np.asarray(expected["horizon"]), atol=1e-10)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("of_units", "several units"),
        ("moving", "moves are uncertain"),
        ("learns_in_part", "must not learn"),
        ("graded", "not surely known"),
    ],
)
def test_says_why_it_does_not_apply(name, reason):
    case = small(name, False)
    found = by_paths(problem(case.question, case.evidence, case.as_of))
    assert found.now is None
    assert reason in found.reason


def test_judgements_that_must_not_learn_have_no_closed_form_even_if_all_are_such():
    """Integrated out as if they learnt, five reports would have given .94 where .89 is right."""
    never = tuple(Proportions((1 - p, p), 4.0, learn=False) for p in (0.2, 0.6))
    indicator = replace(binary("x", (0.2, 0.6), 4.0), likelihood=never)
    q = question((0.5, 0.5), (indicator,), (source("s", 1.0, math.inf),), math.inf)
    log = Evidence(tuple(report(f"r{n}", 7 * n, "x", "yes") for n in range(5)))
    found = by_paths(problem(q, log, day(34)))
    assert found.now is None
    assert "must not learn" in found.reason
