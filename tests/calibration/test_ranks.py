"""The instruments themselves: the test of uniformity, the scores, and the simulated world."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import chisquare, kstest

from forecast.case.evidence import Evidence
from tests.calibration.engines import lean_smc, smc
from tests.calibration.questions import JUDGED, QUESTIONS, WEEKS, as_of
from tests.calibration.ranks import DRAWS, labels, log_likelihood, uniformity
from tests.calibration.scores import bins, confidence, spiegelhalter
from tests.calibration.world import course, simulate
from tests.oracles import draw_theta
from tests.oracles.paths import step_matrix


def test_p_values_of_uniform_ranks_are_uniform():
    """500 samples of 60 ranks, seed 1; Kolmogorov and Smirnov at one in 10,000.

    The statistic is discrete, but takes so many values that this does not show.
    """
    rng = np.random.default_rng(1)
    p = [uniformity(rng.integers(10, size=60), draws=9) for _ in range(500)]
    assert kstest(p, "uniform").pvalue > 1e-4


def test_the_recursion_is_the_share_of_samples_with_a_smaller_statistic():
    """Against 1,000 simulated samples, seed 2: within 4 standard errors."""
    rng = np.random.default_rng(2)
    sample = np.sort(rng.beta(1.3, 1.0, size=50) * 10).astype(int)
    p = uniformity(sample, draws=9)
    less = np.mean([uniformity(rng.integers(10, size=50), draws=9) <= p * (1 + 1e-9) for _ in range(1_000)])
    assert less == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 1_000))


@pytest.mark.parametrize(("a", "b"), [(1.25, 1.0), (1.4, 1.4), (0.75, 0.75)])
def test_ranks_that_lean_bulge_or_pile_up_at_the_ends_are_found(a, b):
    ranks = (np.random.default_rng(3).beta(a, b, size=1_000) * (DRAWS + 1)).astype(int)
    assert uniformity(ranks) < 1e-4


def test_spiegelhalters_z_is_standard_normal_if_probabilities_are_right():
    """2,000 sets of 300 probabilities of 3 scenarios, seed 4; the test at one in 10,000."""
    rng = np.random.default_rng(4)
    given = rng.dirichlet((1.0, 0.7, 0.4), size=(2_000, 300))
    true = (rng.random((2_000, 300, 1)) > given.cumsum(axis=2)).sum(axis=2).clip(max=2)
    z = [spiegelhalter(p, s)[0] for p, s in zip(given, true, strict=True)]
    assert kstest(z, "norm").pvalue > 1e-4
    sharper = given**2 / (given**2).sum(axis=2, keepdims=True)
    assert spiegelhalter(sharper[0], true[0])[0] > 4


def test_bins_and_confidence_of_probabilities_that_are_right_and_that_are_not():
    """20,000 events, seed 5: the slope within 4 standard errors of 1, of 1/2 where log odds are doubled."""
    rng = np.random.default_rng(5)
    odds = rng.normal(0.3, 1.5, size=20_000)
    p = 1 / (1 + np.exp(-odds))
    true = rng.random(20_000) < p
    for stretch in (1.0, 2.0):
        found = confidence(1 / (1 + np.exp(-stretch * odds)), true)
        assert found.slope == pytest.approx(1 / stretch, abs=4 * found.slope_error)
        assert found.slope_error < 0.02
    found = confidence(p, true)
    assert abs(found.lean) < 4 * found.lean_error
    table = bins(np.stack([p, 1 - p], axis=1), np.where(true, 0, 1))
    assert [row.number for row in table] == [row.number for row in reversed(table)]
    assert all(row.low <= row.given <= row.high and row.least < row.observed < row.most for row in table)
    assert min(row.p_value for row in table) > 1e-5
    assert min(row.p_value for row in bins(np.stack([p**2, 1 - p**2], axis=1), np.where(true, 0, 1))) < 1e-9


@pytest.mark.parametrize("name", QUESTIONS)
def test_what_is_ranked_is_there(name):
    question = QUESTIONS[name]()
    names = labels(question, JUDGED[name])
    assert len(set(names)) == len(names)
    assert {"reliability of the talk", "log likelihood"} <= set(names)


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_world_has_the_law_that_the_oracle_computes(name):
    """Over worlds drawn at theta, the likelihood ratio of any other theta has mean 1.

    120 worlds, seed 6, each with a theta of its own and another not far from it. A mean off by 4 standard
    errors has, were it normal, a chance of one in 16,000.
    """
    asked = QUESTIONS[name]()
    day, ratio = as_of(asked), np.empty(120)
    for n in range(len(ratio)):
        rng = np.random.default_rng([6, n])
        world = simulate(asked, day, rng)
        other = _near(world.theta, draw_theta(asked, world.evidence, rng), 0.15)
        own = log_likelihood(asked, world.evidence, day, world.theta)
        ratio[n] = np.exp(log_likelihood(asked, world.evidence, day, other) - own)
    error = ratio.std() / np.sqrt(len(ratio))
    assert error < 0.1
    assert abs(ratio.mean() - 1) < 4 * error


def _near(theta, other, part):
    """Return theta moved a part of the way to another."""
    if isinstance(theta, dict):
        return {name: _near(value, other[name], part) for name, value in theta.items()}
    if isinstance(theta, list):
        return [_near(a, b, part) for a, b in zip(theta, other, strict=True)]
    return (1 - part) * theta + part * other


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_lean_engine_is_the_engine(name):
    asked = QUESTIONS[name]()
    day = as_of(asked)
    evidence = simulate(asked, day, np.random.default_rng(10)).evidence
    lean, whole = (engine(20, 2)(asked, evidence, day, 1) for engine in (lean_smc, smc))
    for group, variables in (
        ("posterior", list(lean["posterior"].data_vars)),
        ("hindsight", ["smoothed"]),
        ("log_likelihood", ["evidence"]),
    ):
        for variable in variables:
            assert np.array_equal(lean[group][variable], whole[group][variable]), variable


def test_a_world_has_every_clause():
    """Repeats named and not, in part and whole; testimony, grades, late, corrected and withdrawn reports."""
    asked = QUESTIONS["moves"]()
    rows = [
        row
        for n in range(20)
        for row in simulate(asked, as_of(asked), np.random.default_rng([7, n])).evidence.reports
    ]
    spoken = [row for row in rows if row.indicator]
    assert {row.independence for row in spoken if row.repeats} == {None, 0.3, 0.6}
    assert {row.independence for row in spoken if not row.repeats} == {None, 0.3, 0.6}
    assert {row.testimony for row in spoken} == {"", "one talk"}
    assert len({row.credibility for row in spoken}) == 4
    assert any(row.reported > row.date for row in spoken)
    assert any(row.replaces for row in spoken)
    assert any(row.replaces for row in rows if not row.indicator)
    assert all(row.value is not None for row in spoken)


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_course_of_scenarios_has_the_matrix_of_the_oracle(name):
    """3,000 courses at one theta, seed 8; each row by a chi-square test at one in 10,000."""
    asked, rng = QUESTIONS[name](), np.random.default_rng(8)
    theta = draw_theta(asked, Evidence(), rng)
    expected = np.array(step_matrix(asked, theta), float)
    steps = np.zeros_like(expected)
    for _ in range(3_000):
        for before, after in pairwise(course(asked, theta, WEEKS, rng)):
            steps[before, after] += 1
    if asked.dynamics is None:
        assert np.all(steps[expected == 0] == 0)
    else:
        assert min(chisquare(n, n.sum() * p).pvalue for n, p in zip(steps, expected, strict=True)) > 1e-4
