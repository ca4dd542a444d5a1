"""The move of an event's judgements leaves their joint law with the path of open states as it is.

Draws of (theta, path) given that the question is still open are had by rejection, exactly: theta from the
prior, held to what is allowed; a path of all states; kept if nothing has happened. A move that is right
changes no mean: the paired difference of each statistic before and after, over its standard error, is a
standard normal. With 23 statistics and three layouts a |z| above 5 has probability 4e-5 in all (seed fixed).
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from forecast.case.evidence import Evidence
from forecast.case.judgement import LogitNormal, Positive, Proportions
from forecast.case.question import Event, Question, Scenario
from forecast.inference.gibbs.event import draw_event, fitted, log_path
from forecast.model.event import all_allowed, initial, step_matrix, whole_matrix
from forecast.model.parameters import build_layout

STEPS, PERIODS, OPENED = 7, 5, date(2026, 1, 5)


def event_question(late, shared):
    outcomes = 1 if shared else 2
    dynamics = Event(
        1,
        tuple(Positive(1 / m, 6.0) for m in (3.0, 2.0)[:outcomes]),
        tuple(LogitNormal(s, 0.8) for s in (0.7, 0.6)[:outcomes]),
        "late" if late else "steady",
    )
    scenarios = tuple(Scenario(id, id) for id in ("limited", "none", "full"))
    horizon = OPENED + timedelta(days=7 * STEPS)
    prior = Proportions((0.15, 0.65, 0.2), 12.0)
    return Question("will it?", OPENED, horizon, scenarios, prior, (), (), dynamics=dynamics)


def layout_of(late, shared):
    return build_layout(event_question(late, shared), Evidence())


def still_open(layout, rng, number):
    """Draw theta, and paths (N, U, T) of open states of three units."""
    a = layout.arrays
    theta = np.concatenate([b.draw(rng, number) for b in layout.blocks], axis=1)
    theta = theta[all_allowed(theta, a.event, 3)]
    share, matrix, buffer = np.empty(3), np.empty((6, 6)), np.empty((5, 6, 6))
    paths = np.empty((len(theta), 3, PERIODS), np.int64)
    u = rng.random((PERIODS, len(theta), 3))
    for n, one in enumerate(theta):
        initial(one, a.event, share)
        paths[n, :, 0] = np.minimum(np.searchsorted(share.cumsum(), u[0, n]), 2)
        for t in range(1, PERIODS):
            if t == 1 or a.event[5]:
                whole_matrix(one, a.event, t - 1, matrix, buffer)
            reached = matrix[paths[n, :, t - 1]].cumsum(axis=1)
            paths[n, :, t] = np.minimum((reached < u[t, n, :, None]).sum(axis=1), 5)
    kept = (paths[:, :, -1] < 3).all(axis=1)
    return theta[kept], paths[kept]


def statistics(theta, paths):
    """Every number of theta, its square, and its product with what the path was."""
    busy, began = (paths != 1).sum(axis=(1, 2)), (paths[:, :, 0] != 1).sum(axis=1)
    once = np.log(theta)
    return np.concatenate(
        [once, once**2, once * busy[:, None], once[:, -2:] * began[:, None], theta[:, :1] * theta[:, -1:]],
        axis=1,
    )


@pytest.mark.parametrize(("late", "shared"), [(False, True), (False, False), (True, True)])
def test_the_move_leaves_the_joint_law_invariant(late, shared):
    layout, rng = layout_of(late, shared), np.random.default_rng(20261128)
    a, accepted = layout.arrays, np.zeros((3, 2), np.int64)
    theta, paths = still_open(layout, rng, 30_000)
    assert len(theta) > 5_000
    before, fit = statistics(theta, paths), fitted(theta, a)
    fit[:3, 0] *= [0.8, 1.3, 1.6]  # not the best proposals: the ratio has to make up for them
    fit[3:] = 1.2 * fit[3:] + 0.3
    for one, path in zip(theta, paths, strict=True):
        first, moves = np.zeros(3), np.zeros((3, 3))
        np.add.at(first, path[:, 0], 1.0)
        np.add.at(moves, (path[:, :-1], path[:, 1:]), 1.0)
        for _ in range(3):
            draw_event(fit, first, moves, path, one, a, rng, accepted)
    assert all_allowed(theta, a.event, 3).all()
    change = statistics(theta, paths) - before
    z = change.mean(axis=0) / (change.std(axis=0) / np.sqrt(len(change)))
    assert np.abs(z).max() < 5.0, z
    assert accepted[2, 0] > 0.3 * accepted[2, 1]


def test_the_path_is_as_probable_as_the_chain_says():
    """pi of the first state and every step; a steady path by its counts, a late one by its steps."""
    for late in (False, True):
        layout = layout_of(late, False)
        a, theta = layout.arrays, layout.mean
        paths = np.array([[1, 0, 0, 1, 2], [2, 2, 1, 1, 1]])
        first, moves, expected = np.zeros(3), np.zeros((3, 3)), 0.0
        share, matrix = np.empty(3), np.empty((3, 3))
        initial(theta, a.event, share)
        for path in paths:
            first[path[0]] += 1
            expected += np.log(share[path[0]])
            for t in range(4):
                moves[path[t], path[t + 1]] += 1
                step_matrix(theta, a.event, t, matrix, np.empty((5, 3, 3)))
                expected += np.log(matrix[path[t], path[t + 1]])
        assert log_path(first, moves, paths, theta, a) == pytest.approx(expected, rel=1e-12)


def test_proposals_have_the_moments_of_the_particles():
    layout, rng = layout_of(False, False), np.random.default_rng(5)
    theta = np.concatenate([b.draw(rng, 40_000) for b in layout.blocks], axis=1)
    fit, slot = fitted(theta, layout.arrays), layout.arrays.slot
    np.testing.assert_allclose(fit[:, 0], slot["a"], rtol=0.05, atol=0.02)
    np.testing.assert_allclose(fit[3:, 1], slot["b"][3:], rtol=0.05)
    same = np.repeat(theta[:1], 10, axis=0)
    np.testing.assert_array_equal(fitted(same, layout.arrays), np.stack([slot["a"], slot["b"]], axis=1))
