"""Draws of scenario paths, vectorised over theta: from the dynamics, or by backward sampling."""

from __future__ import annotations

import numpy as np


def prior_path(
    prior: np.ndarray, matrix: np.ndarray, units: int, periods: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw paths of scenarios (N, U, T) from the dynamics; prior is (N, K), matrix (N, K, K)."""
    draws, onward = np.arange(len(prior))[:, None], np.moveaxis(matrix, 2, 0)
    path = np.empty((len(prior), units, periods), np.int64)
    path[..., 0] = pick(np.repeat(prior.T[:, :, None], units, axis=2), rng)
    for t in range(1, periods):
        path[..., t] = pick(onward[:, draws, path[..., t - 1]], rng)
    return path


def posterior_path(
    alpha: np.ndarray, matrix: np.ndarray, rng: np.random.Generator, *, begin: int = 0
) -> np.ndarray:
    """Draw paths of scenarios backward from the filter (forward filtering, backward sampling).

    P(s_t | s_(t+1), y) is in proportion to alpha_t(s_t) P(s_t, s_(t+1)) (Chib 1996).

    Parameters
    ----------
    alpha : (N, U, T, K)
        Filtered probabilities.
    matrix : (N, K, K)
        Per-period transition matrices.
    begin : int
        The first period that is wanted.

    Returns
    -------
    (N, U, T)
        Scenario by period; -1 before `begin`.
    """
    draws, (units, periods) = np.arange(len(alpha))[:, None], alpha.shape[1:3]
    now, into = np.moveaxis(alpha, 3, 0), np.moveaxis(matrix, 1, 0)
    path = np.full((len(alpha), units, periods), -1, np.int64)
    path[..., -1] = pick(now[..., -1], rng)
    for t in range(periods - 2, begin - 1, -1):
        path[..., t] = pick(now[..., t] * into[:, draws, path[..., t + 1]], rng)
    return path


def pick(weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw an index of the first axis in proportion to weight (V, ...)."""
    point = rng.random(weight.shape[1:]) * weight.sum(axis=0)
    index, edge = np.zeros(weight.shape[1:], np.int64), np.zeros(weight.shape[1:])
    for one in weight[:-1]:
        edge += one
        index += point >= edge
    return index
