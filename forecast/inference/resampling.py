"""Weights of particles: effective size, systematic resampling, sums of logarithms."""

from __future__ import annotations

import numpy as np


def effective_size(log_weight: np.ndarray) -> float:
    """Return (sum w)^2 / sum w^2 (Kong 1992)."""
    high = log_weight.max()
    if high == -np.inf:
        return 0.0
    weight = np.exp(log_weight - high)
    return float(weight.sum() ** 2 / (weight**2).sum())


def systematic(weight: np.ndarray, number: int, u: float) -> np.ndarray:
    """Return `number` indices in proportion to weight by systematic sampling with offset u in [0, 1)."""
    edges = np.cumsum(weight)
    points = (np.arange(number) + u) * (edges[-1] / number)
    return np.minimum(np.searchsorted(edges, points, side="right"), len(weight) - 1)


def log_sum(x: np.ndarray) -> float:
    """Return log(sum(exp(x)))."""
    high = x.max()
    return float(high + np.log(np.exp(x - high).sum()))
