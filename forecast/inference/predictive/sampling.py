"""Draws vectorised over theta: scenario paths, from the dynamics or backward; values of indicators."""

from __future__ import annotations

import numpy as np

from forecast.model.likelihood import known_sd
from forecast.model.parameters import CATEGORY, MEASURE, NEGATIVE_BINOMIAL, Arrays, Layout


def prior_path(prior: np.ndarray, matrix: np.ndarray, units: int, rng: np.random.Generator) -> np.ndarray:
    """Draw paths of scenarios (N, U, T) from the dynamics; prior is (N, K), matrix (N, T - 1, K, K)."""
    draws, onward = np.arange(len(prior))[:, None], np.moveaxis(matrix, 3, 0)
    path = np.empty((len(prior), units, matrix.shape[1] + 1), np.int64)
    path[..., 0] = pick(np.repeat(prior.T[:, :, None], units, axis=2), rng)
    for t in range(1, path.shape[2]):
        path[..., t] = pick(onward[:, draws, t - 1, path[..., t - 1]], rng)
    return path


def posterior_path(
    alpha: np.ndarray, matrix: np.ndarray, rng: np.random.Generator, *, begin: int = 0
) -> np.ndarray:
    """Draw paths of scenarios backward from the filter (forward filtering, backward sampling).

    P(s_t | s_(t+1), y) is in proportion to alpha_t(s_t) P(s_t, s_(t+1)) (Chib 1996).

    `alpha` is (N, U, T, K), `matrix` (N, T - 1, K, K) for the step after each period, or less what is lost
    from it; paths are (N, U, T), -1 before the period `begin`.
    """
    draws, (units, periods) = np.arange(len(alpha))[:, None], alpha.shape[1:3]
    now, into = np.moveaxis(alpha, 3, 0), np.moveaxis(matrix, 2, 0)
    path = np.full((len(alpha), units, periods), -1, np.int64)
    path[..., -1] = pick(now[..., -1], rng)
    for t in range(periods - 2, begin - 1, -1):
        path[..., t] = pick(now[..., t] * into[:, draws, t, path[..., t + 1]], rng)
    return path


def pick(weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw an index of the first axis in proportion to weight (V, ...)."""
    point = rng.random(weight.shape[1:]) * weight.sum(axis=0)
    index, edge = np.zeros(weight.shape[1:], np.int64), np.zeros(weight.shape[1:])
    for one in weight[:-1]:
        edge += one
        index += point >= edge
    return index


def rates(a: Arrays, i: int, theta: np.ndarray) -> np.ndarray:
    """Return the likelihood of an indicator at theta (N, D): (V, N, K); of a number its mean, (1, N, K)."""
    start, size = a.indicator[i]["start"], a.indicator[i]["size"]
    values = theta[:, start : start + a.scenarios * size].reshape(len(theta), a.scenarios, size)
    return np.moveaxis(values, 2, 0)


def draw_number(a: Arrays, i: int, mean: np.ndarray, s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw from f(. | s) of a count or a measure with these means, in scenarios s."""
    kind, k = a.indicator[i]["kind"], float(a.indicator[i]["dispersion"])
    if kind == MEASURE:
        return rng.normal(mean, known_sd(a, i)[s])
    rate = rng.gamma(k, mean / k) if kind == NEGATIVE_BINOMIAL else mean
    return rng.poisson(rate).astype(float)


def draw_noise(layout: Layout, i: int, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw noise: any value of a category alike; a number of any scenario, the judgement at its mean."""
    a = layout.arrays
    if a.indicator[i]["kind"] == CATEGORY:
        return rng.integers(a.indicator[i]["size"], size=shape)
    s = rng.integers(a.scenarios, size=shape)
    return draw_number(a, i, rates(a, i, layout.mean[None])[0, 0, s], s, rng)
