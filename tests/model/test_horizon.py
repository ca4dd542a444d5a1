"""Steps, outlook and the way to the horizon are sums over paths, for every kind of dynamics."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise, product

import numpy as np
import pytest

from forecast.case.evidence import Evidence
from forecast.case.judgement import LogitNormal, Positive, Proportions
from forecast.case.question import Event, Question, Scenario
from forecast.model.dynamics import initial_chances, transition_matrices
from forecast.model.event import whole_matrix
from forecast.model.horizon import outlook, steps, to_horizon
from forecast.model.parameters import Layout, build_layout
from tests.cases import OPENED, moves, question, source

N = 6


def event_layout(timing="steady"):
    """Three scenarios, the second the status quo; the horizon in period 6."""
    event = Event(
        1,
        (Positive(1 / 3, 20.0), Positive(1 / 2, 20.0)),
        (LogitNormal(0.6, 0.3), LogitNormal(0.8, 0.3)),
        timing,
    )
    scenarios = tuple(Scenario(id, id) for id in ("limited", "none", "full"))
    prior = Proportions((0.15, 0.65, 0.2), 40.0)
    horizon = OPENED + timedelta(days=7 * N)
    return build_layout(
        Question("?", OPENED, horizon, scenarios, prior, (), (source("s", 0.9, 20.0),), dynamics=event),
        Evidence(),
    )


def moving_layout():
    return build_layout(
        question((0.5, 0.3, 0.2), (), (source("s", 0.9, 20.0),), 20.0, dynamics=moves(False)), Evidence()
    )


LAYOUTS = {"steady": event_layout, "late": lambda: event_layout("late"), "moves": moving_layout}


def drawn(layout: Layout):
    rng = np.random.default_rng(3)
    theta = np.concatenate([block.draw(rng, 3) for block in layout.blocks], axis=1)
    matrix = np.empty((3, 3, 3))
    transition_matrices(theta, layout.arrays, matrix)
    return theta, matrix


def whole(layout: Layout, theta, t):
    """All states, of an event; else the matrix alone."""
    if layout.question.event is None:
        matrix = np.empty((1, 3, 3))
        transition_matrices(theta[None].copy(), layout.arrays, matrix)
        return matrix[0]
    out = np.empty((6, 6))
    whole_matrix(theta, layout.arrays.event, t, out, np.empty((5, 6, 6)))
    return out


@pytest.mark.parametrize("kind", LAYOUTS)
def test_steps_are_the_chain_given_that_nothing_has_happened(kind):
    layout, periods = LAYOUTS[kind](), 4
    theta, _ = drawn(layout)
    first, each = steps(theta, layout.arrays, periods)
    assert each.shape == (3, periods - 1, 3, 3)
    np.testing.assert_allclose(first.sum(axis=1), 1.0, atol=1e-14)
    np.testing.assert_allclose(each.sum(axis=3), 1.0, atol=1e-13)
    for n in range(3):
        start, expected, found = np.empty(3), {}, {}
        initial_chances(theta[n], layout.arrays, start)
        for path in product(range(3), repeat=periods):
            expected[path], found[path] = start[path[0]], first[n, path[0]]
            for t, (i, j) in enumerate(pairwise(path)):
                expected[path] *= whole(layout, theta[n], t)[i, j]
                found[path] *= each[n, t, i, j]
        total = sum(expected.values())
        assert (total < 0.999) == (layout.question.event is not None)
        for path, chance in expected.items():
            assert found[path] == pytest.approx(chance / total, rel=1e-12)


@pytest.mark.parametrize("kind", LAYOUTS)
def test_outlook_and_way_to_the_horizon_are_sums_over_paths(kind):
    layout, period, left = LAYOUTS[kind](), 2, 4
    theta, matrix = drawn(layout)
    a, event = layout.arrays, layout.question.event is not None
    now = np.random.default_rng(1).dirichlet(np.ones(3), size=(3, 2))
    arguments = {"period": period, "steps": left}
    path, ever = outlook(theta, a, matrix, now, include_now=False, **arguments)
    assert path.shape == (3, 2, left + 1, 3)
    for n, u in np.ndindex(3, 2):
        at, seen = np.zeros((left + 1, 3)), np.zeros(3)
        for states in product(range(6 if event else 3), repeat=left + 1):
            if states[0] > 2:
                continue
            chance = now[n, u, states[0]]
            for t, (i, j) in enumerate(pairwise(states)):
                chance *= whole(layout, theta[n], period + t)[i, j]
            answers = [(s - 3 if s > 2 else 1) if event else s for s in states]
            for h, answer in enumerate(answers):
                at[h, answer] += chance
            for s in set(answers[1:]):
                seen[s] += chance
        np.testing.assert_allclose(path[n, u], at, atol=1e-13)
        np.testing.assert_allclose(ever[n, u], seen, atol=1e-13)
    way = to_horizon(theta, a, matrix, **arguments)
    np.testing.assert_allclose(now @ way, path[:, :, -1], atol=1e-13)
    np.testing.assert_allclose(way.sum(axis=-1), 1.0, atol=1e-12)
    with_chains = outlook(theta[:, None], a, matrix[:, None], now[:, None], include_now=False, **arguments)
    np.testing.assert_array_equal(with_chains[0][:, 0], path)


def test_nothing_is_left_at_the_horizon():
    layout = event_layout()
    theta, matrix = drawn(layout)
    now = np.full((3, 1, 3), 1 / 3)
    path, ever = outlook(theta, layout.arrays, matrix, now, period=N, steps=0, include_now=True)
    np.testing.assert_array_equal(path[:, 0, 0], [[0.0, 1.0, 0.0]] * 3)
    np.testing.assert_array_equal(ever[:, 0], [[0.0, 1.0, 0.0]] * 3)
