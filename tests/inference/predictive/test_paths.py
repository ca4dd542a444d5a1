"""DrawnCell paths against the enumeration of all paths."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise, product

import numpy as np
import pytest

from forecast.inference.predictive.paths import pick, posterior_path, prior_path
from forecast.model.hmm import empty_filtered, refresh
from forecast.model.problem import build_problem
from tests.cases import small
from tests.inference.predictive.base import dictionary
from tests.oracles.cells import cell_likelihood
from tests.oracles.paths import step_matrix

N = 40_000


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
    filtered = empty_filtered(1, problem.units, step.periods, size)
    refresh(theta, step.sequence, problem.cells, problem.layout.arrays, filtered)
    many, rng = np.zeros(N, int), np.random.default_rng(2)
    if known:
        path = posterior_path(filtered.alpha[many], filtered.matrix[many], rng)
    else:
        path = prior_path(theta[many, :size], filtered.matrix[many], problem.units, step.periods, rng)
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
    alpha, matrix = np.full((5, 2, 4, 3), 1 / 3), np.broadcast_to(np.eye(3), (5, 3, 3))
    path = posterior_path(alpha, matrix, np.random.default_rng(0), begin=2)
    assert (path[..., :2] == -1).all()
    assert (path[..., 2] == path[..., 3]).all()


def test_what_is_impossible_is_not_picked():
    """Also where only the first, or only the last, is possible."""
    weight = np.repeat(np.diag([1.0, 2.0, 3.0]), 1000, axis=1)
    assert (pick(weight, np.random.default_rng(0)) == np.repeat([0, 1, 2], 1000)).all()
