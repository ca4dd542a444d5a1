"""Scenario dynamics: the per-period transition matrix expm(Q), and the outlook without new evidence.

Moves are a continuous-time Markov chain with generator Q, Q[i, j] = rate_i then_i[j] for j != i and
Q[i, i] = -rate_i, and the per-period matrix is P = expm(Q). Of an event question the scenarios are the open
states (:mod:`forecast.model.event`), and the matrix falls short of 1 by what happens.
"""

from __future__ import annotations

import numpy as np

from forecast.model.event import LATE, initial, step_matrix
from forecast.model.expm import expm
from forecast.model.jit import kernel
from forecast.model.parameters import EVENT, MOVES, STATIC, Arrays, Layout


@kernel
def transition_matrix(theta: np.ndarray, a: Arrays, out: np.ndarray, buffer: np.ndarray) -> None:
    """Fill out (K, K) with the per-period matrix at one theta (D,)."""
    size, start = out.shape[0], a.dynamics_offset
    if a.dynamics == STATIC:
        for i in range(size):
            for j in range(size):
                out[i, j] = 1.0 if i == j else 0.0
    elif a.dynamics == MOVES:
        then = theta[start + size : start + size + size * size].reshape(size, size)
        expm(theta[start : start + size], then, out, buffer)
    elif a.dynamics == EVENT:
        step_matrix(theta, a.event, 0, out, buffer)
    else:
        out[:] = theta[start : start + size * size].reshape(size, size)


@kernel
def initial_chances(theta: np.ndarray, a: Arrays, out: np.ndarray) -> None:
    """Fill out (K,) with the probability of each scenario in period 0, before any evidence."""
    if a.dynamics == EVENT:
        initial(theta, a.event, out)
    else:
        out[:] = theta[: out.shape[0]]


@kernel
def period_matrix(theta: np.ndarray, t: int, a: Arrays, out: np.ndarray) -> None:
    """Fill out (K, K) with the matrix of the step from period t of an event question to the next."""
    step_matrix(theta, a.event, t, out, np.empty((5, *out.shape)))


@kernel
def transition_matrices(theta: np.ndarray, a: Arrays, out: np.ndarray) -> None:
    """Fill out (N, K, K) with the per-period matrices of particles theta (N, D)."""
    buffer = np.empty((5, out.shape[1], out.shape[1]))
    for n in range(theta.shape[0]):
        transition_matrix(theta[n], a, out[n], buffer)


def chances_of_entry(layout: Layout, periods: int) -> np.ndarray:
    """Return P(s entered in period e | s in period t), (t, e, s), at the judgements' means, no evidence."""
    size, a, theta = layout.scenarios, layout.arrays, layout.mean
    now, matrix = np.empty(size), np.empty((1, size, size))
    initial_chances(theta, a, now)
    transition_matrices(theta[None].copy(), a, matrix)
    step, chance = matrix[0], np.zeros((periods, periods, size))
    chance[0, 0] = now
    for t in range(1, periods):
        if a.event[LATE]:
            period_matrix(theta, t - 1, a, step)
        stay = np.diag(step)
        chance[t] = chance[t - 1] * stay
        chance[t, t] = now @ (step - np.diag(stay))
        now = now @ step
    total = chance.sum(axis=1, keepdims=True)
    return np.divide(chance, total, out=np.zeros_like(chance), where=total > 0)


def outlook(
    now: np.ndarray, matrix: np.ndarray, steps: int, *, include_now: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Step on without evidence from `now` (..., K) by `matrix` (..., K, K), to the period of the horizon.

    Returns the probability at the end of each period from the present one on, now P^h, (..., steps + 1, K);
    and (..., K) the chance that the scenario is the true one at the end of one of the periods to come,
    1 - now (I - e_j e_j') (P (I - e_j e_j'))^h 1, or now where none is to come. With `include_now` the end
    of the present period is still to come.
    """
    size = now.shape[-1]
    probability = np.empty((*now.shape[:-1], steps + 1, size))
    probability[..., 0, :] = now
    without = np.repeat(now[..., None, :], size, axis=-2)  # (..., scenario avoided, K)
    spared = 1.0 - np.eye(size)
    if include_now or not steps:
        without = without * spared
    for h in range(steps):
        probability[..., h + 1, :] = np.einsum("...i,...ij->...j", probability[..., h, :], matrix)
        without = np.einsum("...ai,...ij->...aj", without, matrix) * spared
    return probability, np.clip(1.0 - without.sum(axis=-1), 0.0, 1.0)
