"""Likelihood and random draws of one indicator's values, vectorised over draws of theta."""

from __future__ import annotations

import numpy as np

from forecast.model.likelihood import known_sd
from forecast.model.parameters import CATEGORY, MEASURE, NEGATIVE_BINOMIAL, Arrays, Layout


def rates(a: Arrays, i: int, theta: np.ndarray) -> np.ndarray:
    """Return an indicator's probabilities (V, N, K), or means (1, N, K), at theta (N, D)."""
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
