"""Drawn paths against the enumeration of all paths; chances and draws of one indicator against scipy."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise, product

import numpy as np
import pytest
from scipy.stats import kstest
from scipy.stats import t as student

from forecast.case.evidence import Evidence
from forecast.inference.predictive.sampling import (
    Backward,
    backward,
    draw_noise,
    draw_number,
    hidden_values,
    pick,
    posterior_path,
    prior_path,
    rates,
)
from forecast.model.hmm import filter_particles
from forecast.model.horizon import steps
from forecast.model.parameters import build_layout
from forecast.model.problem import build_problem
from tests.cases import binary, category, count, measure, question, small, source
from tests.cases.filing import filed
from tests.inference.predictive.base import dictionary
from tests.oracles.cells import at_entry, cell_likelihood
from tests.oracles.number_cells import count_noise
from tests.oracles.paths import step_matrix

N = 40_000
Q = question(
    (0.6, 0.4),
    (
        binary("raid", (0.2, 0.7), 9.0),
        count("clashes", (6.0, 2.0), 3.0),
        count("shots", (6.0, 2.0), 3.0, dispersion=2.5),
        measure("price", (1.0, 2.0), (0.4, 0.6), 3.0),
    ),
    (source("s", 0.8, 9.0),),
    9.0,
)
LAYOUT = build_layout(Q, Evidence(()))
TWICE = np.array([0, 1])


@pytest.mark.parametrize(
    "name", ["moving", "stepping", "of_units", "units_static", "graded", "persistent", "filed_states"]
)
@pytest.mark.parametrize("known", [False, True])
def test_paths_are_drawn_as_often_as_enumeration_has_them(name, known):
    """From the dynamics alone, and given the evidence; each path within 5.5 standard errors, seeds 1 and 2.

    At most 243 paths of each unit: correct draws fail with a chance below 1e-4.
    """
    case = small(name, False)
    problem = build_problem(case.question, case.evidence, case.as_of)
    rng = np.random.default_rng(1)
    theta = problem.layout.draw(rng, 1)
    step, size = problem.steps[-1], problem.layout.scenarios
    filtered = filter_particles(theta, step.sequence, problem.cells, problem.layout.arrays)
    many, rng = np.zeros(N, int), np.random.default_rng(2)
    if known:
        path = posterior_path(backward(filtered, theta, problem.layout.arrays).rows(many), rng)
    else:
        first, each = steps(theta, problem.layout.arrays, step.periods)
        path = prior_path(first[many], each[many], problem.units, rng)
    at = dictionary(problem.layout, theta[0])
    m, matrix = cell_likelihood(case.question, case.evidence, case.as_of, at), step_matrix(case.question, at)
    for u, unit in enumerate(case.question.units or ("",)):
        chance = {}
        for one in product(range(size), repeat=step.periods):
            p = at["prior"][one[0]] * math.prod(matrix[i][j] for i, j in pairwise(one))
            for t, s in enumerate(one if known else ()):
                entered = max([n for n in range(1, t + 1) if one[n] != one[n - 1]], default=0)
                p *= at_entry(m[unit, t][s], entered)
            chance[one] = p
        found, total = Counter(map(tuple, path[:, u].tolist())), sum(chance.values())
        assert found.keys() <= {one for one, p in chance.items() if p > 0}
        for one, p in chance.items():
            share = p / total
            assert abs(found[one] / N - share) < 5.5 * math.sqrt(max(share * (1 - share), 1 / N) / N)


def test_only_what_is_wanted_is_drawn():
    alpha, each = np.full((5, 2, 4, 3), 1 / 3), np.broadcast_to(np.eye(3), (5, 3, 3, 3))
    filtered = Backward(alpha, np.log(alpha)[..., None], np.zeros((5, 2, 4, 0)), each)
    path = posterior_path(filtered, np.random.default_rng(0), begin=2)
    assert (path[..., :2] == -1).all()
    assert (path[..., 2] == path[..., 3]).all()


def test_hidden_values_are_drawn_as_often_as_enumeration_has_them():
    """All courses of three cells, one of them the first of a stay; 5.5 standard errors, seed 3."""
    weight = np.array([[0.9, 0.2], [0.3, 0.5], [0.1, 0.8]])
    fresh, hold = np.array([[0.6, 0.4], [0.6, 0.4], [0.2, 0.8]]), (0.0, 0.7, 0.0)
    for stay in (hold, (0.0, 0.7, 0.4)):
        chance = {}
        for course in product(range(2), repeat=3):
            p = 1.0
            for n, x in enumerate(course):
                held = stay[n] * (n > 0 and course[n - 1] == x)
                p *= (held + (1 - stay[n]) * fresh[n, x]) * weight[n, x]
            chance[course] = p
        known, new, kept = (np.repeat(one[..., None], N, -1) for one in (weight, fresh, np.array(stay)))
        value, total = hidden_values(known, new, kept, np.random.default_rng(3))
        assert total == pytest.approx(math.log(sum(chance.values())))
        found = Counter(map(tuple, value.T.tolist()))
        for course, part in chance.items():
            p = part / sum(chance.values())
            assert abs(found[course] / N - p) < 5.5 * math.sqrt(p * (1 - p) / N)


def test_what_is_impossible_is_not_picked():
    """Also where only the first, or only the last, is possible."""
    weight = np.repeat(np.diag([1.0, 2.0, 3.0]), 1000, axis=1)
    assert (pick(weight, np.random.default_rng(0)) == np.repeat([0, 1, 2], 1000)).all()


def mean(i: int) -> np.ndarray:
    return rates(LAYOUT.arrays, i, LAYOUT.mean[None])[0, 0]


def test_rates_are_by_value_draw_and_scenario():
    assert rates(LAYOUT.arrays, 0, LAYOUT.mean[None])[:, 0] == pytest.approx(
        np.array([[0.8, 0.3], [0.2, 0.7]])
    )
    assert mean(1) == pytest.approx([6.0, 2.0])


@pytest.mark.parametrize(("i", "variance"), [(1, (6.0, 2.0)), (2, (20.4, 3.6)), (3, (0.16, 0.36))])
def test_draws_have_their_mean_and_variance(i, variance):
    """100,000 draws, seed 1: within 6 errors of the mean, 5 % of the variance."""
    rng, s = np.random.default_rng(1), np.repeat(TWICE, 100_000)
    drawn = draw_number(LAYOUT.arrays, i, mean(i)[s], s, rng)
    for k in range(2):
        one = drawn[s == k]
        assert abs(one.mean() - mean(i)[k]) < 6 * one.std() / len(one) ** 0.5
        assert one.var() == pytest.approx(variance[k], rel=0.05)


def test_noise_of_a_category_is_quiet_or_not():
    """Any value alike where filing is ignored, else 1 - nu and shares of nu. Seed 2; 6 errors of 100,000."""
    rng, n = np.random.default_rng(2), 100_000
    theta = np.broadcast_to(LAYOUT.mean, (n, LAYOUT.size))
    assert abs(draw_noise(LAYOUT, 0, theta, (n, 1), rng).mean() - 0.5) < 6 * 0.5 / n**0.5
    tone = filed(category("tone", ("none", "low", "high"), ((0.5, 0.3, 0.2), (0.2, 0.3, 0.5)), 9.0))
    layout = build_layout(question((0.6, 0.4), (tone,), (source("s", 0.8, 9.0),), 9.0), Evidence(()))
    theta = np.broadcast_to(layout.mean, (n, layout.size)).copy()
    theta[:, layout.starts["noise"]] = 0.3
    drawn = draw_noise(layout, 0, theta, (n, 1), rng)
    for value, p in enumerate((0.7, 0.15, 0.15)):
        assert abs((drawn == value).mean() - p) < 6 * (p * (1 - p) / n) ** 0.5


def test_noise_of_numbers_is_that_of_the_oracle():
    """Counts up to 20, at M and beyond, 6 errors, seed 3; a measure by Kolmogorov and Smirnov."""
    rng, n = np.random.default_rng(3), 200_000
    theta = np.broadcast_to(LAYOUT.mean, (n, LAYOUT.size))
    drawn = draw_noise(LAYOUT, 1, theta, (n, 1), rng)
    for y in (*range(21), 600, 601):
        p = float(count_noise(y, [6.0, 2.0]))
        assert abs((drawn == y).mean() - p) < 6 * (p / n) ** 0.5 + 1e-12
    within = math.fsum(float(count_noise(y, [6.0, 2.0])) for y in range(2_000))
    assert abs((drawn < 2_000).mean() - within) < 6 * (within * (1 - within) / n) ** 0.5
    scale = 3 * math.sqrt((0.4**2 + 0.6**2) / 2 + 0.5**2)
    price = draw_noise(LAYOUT, 3, theta[:20_000], (20_000, 1), rng)
    assert kstest(price[:, 0], lambda y: student.cdf(y, 3, 1.5, scale)).pvalue > 1e-4
