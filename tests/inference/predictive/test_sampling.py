"""Drawn paths against the enumeration of all paths; chances and draws of one indicator against scipy."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise, product

import numpy as np
import pytest
from scipy.stats import nbinom, norm, poisson

from forecast.case.evidence import Evidence
from forecast.inference.predictive.sampling import (
    draw_noise,
    draw_number,
    pick,
    posterior_path,
    prior_path,
    rates,
)
from forecast.model.hmm import filter_particles
from forecast.model.horizon import matrices, steps
from forecast.model.likelihood import density
from forecast.model.parameters import build_layout
from forecast.model.problem import build_problem
from tests.cases import binary, count, measure, question, small, source
from tests.inference.predictive.base import dictionary
from tests.oracles.cells import cell_likelihood
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


@pytest.mark.parametrize("name", ["moving", "stepping", "of_units", "units_static", "graded"])
@pytest.mark.parametrize("known", [False, True])
def test_paths_are_drawn_as_often_as_enumeration_has_them(name, known):
    """From the dynamics alone, and given the evidence; each path within 5.5 standard errors, seeds 1 and 2.

    At most 243 paths of each unit: correct draws fail with a chance below 1e-4.
    """
    case = small(name, False)
    problem = build_problem(case.question, case.evidence, case.as_of)
    rng = np.random.default_rng(1)
    theta = np.concatenate([block.draw(rng, 1)[0] for block in problem.layout.blocks])[None]
    step, size = problem.steps[-1], problem.layout.scenarios
    filtered = filter_particles(theta, step.sequence, problem.cells, problem.layout.arrays)
    many, rng = np.zeros(N, int), np.random.default_rng(2)
    if known:
        each = matrices(theta, problem.layout.arrays, filtered.matrix, step.periods)
        path = posterior_path(filtered.alpha[many], each[many], rng)
    else:
        first, each = steps(theta, problem.layout.arrays, step.periods)
        path = prior_path(first[many], each[many], problem.units, rng)
    at = dictionary(problem.layout, theta[0])
    m, matrix = cell_likelihood(case.question, case.evidence, case.as_of, at), step_matrix(case.question, at)
    for u, unit in enumerate(case.question.units or ("",)):
        chance = {}
        for one in product(range(size), repeat=step.periods):
            p = at["prior"][one[0]] * math.prod(matrix[i][j] for i, j in pairwise(one))
            chance[one] = p * math.prod(m[unit, t][s] for t, s in enumerate(one)) if known else p
        found, total = Counter(map(tuple, path[:, u].tolist())), sum(chance.values())
        assert found.keys() <= {one for one, p in chance.items() if p > 0}
        for one, p in chance.items():
            share = p / total
            assert abs(found[one] / N - share) < 5.5 * math.sqrt(max(share * (1 - share), 1 / N) / N)


def test_only_what_is_wanted_is_drawn():
    alpha, matrix = np.full((5, 2, 4, 3), 1 / 3), np.broadcast_to(np.eye(3), (5, 3, 3, 3))
    path = posterior_path(alpha, matrix, np.random.default_rng(0), begin=2)
    assert (path[..., :2] == -1).all()
    assert (path[..., 2] == path[..., 3]).all()


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


@pytest.mark.parametrize("y", [0, 1, 7])
def test_densities(y):
    a = LAYOUT.arrays
    assert density(a, 1, mean(1), TWICE, y) == pytest.approx(poisson.pmf(y, [6.0, 2.0]))
    p = 2.5 / (2.5 + mean(2))
    assert density(a, 2, mean(2), TWICE, y) == pytest.approx(nbinom.pmf(y, 2.5, p))
    assert density(a, 3, mean(3), TWICE, y) == pytest.approx(norm.pdf(y, [1.0, 2.0], [0.4, 0.6]))
    assert density(a, 1, np.zeros(2), TWICE, y) == pytest.approx([float(y == 0)] * 2)


@pytest.mark.parametrize(("i", "variance"), [(1, (6.0, 2.0)), (2, (20.4, 3.6)), (3, (0.16, 0.36))])
def test_draws_have_their_mean_and_variance(i, variance):
    """100,000 draws, seed 1: within 6 errors of the mean, 5 % of the variance."""
    rng, s = np.random.default_rng(1), np.repeat(TWICE, 100_000)
    drawn = draw_number(LAYOUT.arrays, i, mean(i)[s], s, rng)
    for k in range(2):
        one = drawn[s == k]
        assert abs(one.mean() - mean(i)[k]) < 6 * one.std() / len(one) ** 0.5
        assert one.var() == pytest.approx(variance[k], rel=0.05)


def test_noise_is_any_value_or_a_number_of_any_scenario():
    """Seed 2; 6 errors of 100,000 draws."""
    rng = np.random.default_rng(2)
    assert abs(draw_noise(LAYOUT, 0, (100_000,), rng).mean() - 0.5) < 6 * 0.5 / 100_000**0.5
    drawn = draw_noise(LAYOUT, 1, (100_000,), rng)
    assert abs(drawn.mean() - 4.0) < 6 * drawn.std() / 100_000**0.5
