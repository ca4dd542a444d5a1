"""The scenario's chain at many theta: its steps given what is open, and the way to the horizon.

Whatever the dynamics are, analyses need three things: how likely each scenario was at first and each step
thereafter; the probability at the end of each period to come, if nothing more is reported; and the matrix
that leads from the present scenario to the answer at the horizon. Of an event question the present scenario
is what is being prepared, the answer what will have happened.
"""

from __future__ import annotations

import numpy as np

from forecast.model import dynamics, event
from forecast.model.dynamics import initial_chances, period_matrix
from forecast.model.event import open_shares
from forecast.model.jit import kernel
from forecast.model.parameters import EVENT, Arrays


def steps(theta: np.ndarray, a: Arrays, periods: int) -> tuple[np.ndarray, np.ndarray]:
    """Return P(s_0), (N, K), and the matrix of each step, (N, T - 1, K, K), of T periods, at theta (N, D).

    Of an event question both are given that nothing has happened by the last period, which its present
    forecasts take as known: with h_t(i) = P(open at the end | i in period t) they are pi(i) h_0(i) and
    M_t[i, j] h_(t+1)(j), normalised. So they are a chain like any other, and no probability is lost. Where
    every step is alike, they are one matrix, repeated without being copied.
    """
    theta = np.ascontiguousarray(theta)
    number, size = len(theta), a.scenarios
    first = np.empty((number, size))
    if a.dynamics != EVENT:
        matrix = np.empty((number, size, size))
        dynamics.transition_matrices(theta, a, matrix)
        _first(theta, a, first)
        return first, matrices(theta, a, matrix, periods)
    each = np.empty((number, max(periods - 1, 0), size, size))
    _steps_while_open(theta, a, first, each)
    return first, each


@kernel
def _first(theta: np.ndarray, a: Arrays, first: np.ndarray) -> None:
    for n in range(theta.shape[0]):
        initial_chances(theta[n], a, first[n])


@kernel
def _steps_while_open(theta: np.ndarray, a: Arrays, first: np.ndarray, each: np.ndarray) -> None:
    size = first.shape[1]
    after, before = np.empty(size), np.empty(size)
    for n in range(theta.shape[0]):
        after[:] = 1.0
        for t in range(each.shape[1] - 1, -1, -1):
            period_matrix(theta[n], t, a, each[n, t])
            for i in range(size):
                before[i] = 0.0
                for j in range(size):
                    each[n, t, i, j] *= after[j]
                    before[i] += each[n, t, i, j]
                each[n, t, i] /= before[i]
            after[:] = before / before.max()
        initial_chances(theta[n], a, first[n])
        first[n] *= after
        first[n] /= first[n].sum()


def matrices(theta: np.ndarray, a: Arrays, matrix: np.ndarray, periods: int) -> np.ndarray:
    """Return the matrix of each step of T periods, (N, T - 1, K, K), from that of a filter, (N, K, K).

    Of an event question they fall short of 1 by what happens, as those of the filter do.
    """
    number, size = len(theta), a.scenarios
    if a.dynamics != EVENT or not a.event[event.LATE]:
        return np.broadcast_to(matrix[:, None], (number, max(periods - 1, 0), size, size))
    each = np.empty((number, max(periods - 1, 0), size, size))
    _matrices(np.ascontiguousarray(theta), a, each)
    return each


@kernel
def _matrices(theta: np.ndarray, a: Arrays, each: np.ndarray) -> None:
    for n in range(theta.shape[0]):
        for t in range(each.shape[1]):
            period_matrix(theta[n], t, a, each[n, t])


def outlook(
    theta: np.ndarray,
    a: Arrays,
    matrix: np.ndarray,
    now: np.ndarray,
    *,
    period: int,
    steps: int,
    include_now: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Step on without evidence from `now` (..., U, K) in a period, to the end of each of `steps` more.

    theta is (..., D), matrix (..., K, K). Returns the probability at the end of each period from the present
    one on, (..., U, steps + 1, K), and the chance that the scenario is the true one at the end of one of the
    periods to come, (..., U, K); see :func:`forecast.model.dynamics.outlook`. Of an event question: that the
    outcome has happened by then; the first point is the present, before anything has.
    """
    if a.dynamics != EVENT:
        return dynamics.outlook(now, matrix[..., None, :, :], steps, include_now=include_now)
    lead = theta.shape[:-1]
    flat = event.outlook(
        theta.reshape(-1, theta.shape[-1]), a.event, now.reshape(-1, *now.shape[-2:]), period
    )
    path = flat.reshape(*lead, *flat.shape[1:])
    ever = path[..., -1, :].copy()
    quiet = a.event[event.STATUS_QUO]
    ever[..., quiet] = path[..., min(1 - include_now, steps), quiet]
    return path, ever


def before_evidence(theta: np.ndarray, a: Arrays, period: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the probability of each scenario in a period and at the horizon, (N, K), before any evidence.

    The period of an event question is one in which it is still open; the horizon is seen from period 0.
    """
    theta, first = np.ascontiguousarray(theta), np.empty((len(theta), a.scenarios))
    matrix = np.empty((*first.shape, a.scenarios))
    dynamics.transition_matrices(theta, a, matrix)
    _first(theta, a, first)
    way = to_horizon(theta, a, matrix, period=0, steps=last)
    end = np.einsum("ni,nij->nj", first, way)
    if a.dynamics == EVENT:
        _open(theta, a, period, first)
        return first, end
    return np.einsum("ni,nij->nj", first, np.linalg.matrix_power(matrix, period)), end


@kernel
def _open(theta: np.ndarray, a: Arrays, period: int, out: np.ndarray) -> None:
    for n in range(theta.shape[0]):
        open_shares(theta[n], a.event, period, out[n])


def to_horizon(theta: np.ndarray, a: Arrays, matrix: np.ndarray, *, period: int, steps: int) -> np.ndarray:
    """Return the matrices (..., K, K) from the scenario in a period to the answer `steps` periods later."""
    if a.dynamics != EVENT:
        return np.linalg.matrix_power(matrix, steps)
    each = np.broadcast_to(np.eye(a.scenarios), matrix.shape)
    path, _ = outlook(theta, a, matrix, each, period=period, steps=steps, include_now=False)
    return np.asarray(path[..., -1, :])
