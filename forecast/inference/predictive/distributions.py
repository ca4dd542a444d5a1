"""The values of one indicator: their chances and draws of them, for many theta at once."""

from __future__ import annotations

import math

import numpy as np

from forecast.model.parameters import CATEGORY, MEASURE, NEGATIVE_BINOMIAL, Arrays, Layout


def rates(a: Arrays, i: int, theta: np.ndarray) -> np.ndarray:
    """Return the likelihood of an indicator at theta (N, D): (V, N, K); of a number its mean, (1, N, K)."""
    start, size = a.indicator[i]["start"], a.indicator[i]["size"]
    found = theta[:, start : start + a.scenarios * size].reshape(len(theta), a.scenarios, size)
    return np.moveaxis(found, 2, 0)


def draw_number(a: Arrays, i: int, mean: np.ndarray, s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw from f(. | s) of a count or a measure with these means, in scenarios s."""
    kind, k = a.indicator[i]["kind"], float(a.indicator[i]["dispersion"])
    if kind == MEASURE:
        return rng.normal(mean, _sd(a, i)[s])
    rate = rng.gamma(k, mean / k) if kind == NEGATIVE_BINOMIAL else mean
    return rng.poisson(rate).astype(float)


def draw_noise(layout: Layout, i: int, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw noise: any value of a category alike; a number of any scenario, the judgement at its mean."""
    a = layout.arrays
    if a.indicator[i]["kind"] == CATEGORY:
        return rng.integers(a.indicator[i]["size"], size=shape)
    s = rng.integers(a.scenarios, size=shape)
    return draw_number(a, i, rates(a, i, layout.mean[None])[0, 0, s], s, rng)


def density(a: Arrays, i: int, mean: np.ndarray, s: np.ndarray, y: float) -> np.ndarray:
    """Return f(y | s) of a count or a measure with these means, in scenarios s."""
    kind, k = a.indicator[i]["kind"], float(a.indicator[i]["dispersion"])
    if kind == MEASURE:
        sd = _sd(a, i)[s]
        return np.exp(-0.5 * ((y - mean) / sd) ** 2) / (sd * math.sqrt(2 * math.pi))
    with np.errstate(divide="ignore"):
        if kind != NEGATIVE_BINOMIAL:
            return np.exp((y * np.log(mean) if y else 0.0) - mean - math.lgamma(y + 1))
        choose = math.lgamma(y + k) - math.lgamma(k) - math.lgamma(y + 1)
        return np.exp(choose + k * np.log(k / (k + mean)) + (y * np.log(mean / (k + mean)) if y else 0.0))


def _sd(a: Arrays, i: int) -> np.ndarray:
    """Return the known standard deviation of a measure in each scenario, (K,)."""
    start = a.indicator[i]["start"]
    return a.slot["sd"][start : start + a.scenarios]
