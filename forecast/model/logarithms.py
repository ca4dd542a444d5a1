"""Sums and products in logarithms: nothing underflows, however unlikely."""

from __future__ import annotations

import math

import numpy as np

from forecast.model.jit import inlined


@inlined
def log_add(x: float, y: float) -> float:
    """Return log(exp x + exp y)."""
    high, low = (x, y) if x > y else (y, x)
    return high if low == -np.inf else high + math.log1p(math.exp(low - high))


@inlined
def log_one_plus(x: float) -> float:
    """Return log(1 + exp x)."""
    return x + math.log1p(math.exp(-x)) if x > 0.0 else math.log1p(math.exp(x))


@inlined
def log_less_one(x: float) -> float:
    """Return log(exp x - 1) for x >= 0, and -inf at 0."""
    return x + math.log1p(-math.exp(-x)) if x > 1.0 else np.log(math.expm1(x))
