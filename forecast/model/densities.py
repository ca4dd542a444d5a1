"""Densities of counts and measures in logarithms.

Poisson and negative binomial probabilities are computed by the saddle-point expansion of Loader (2000), whose
terms do not cancel: with counts of a billion a logarithm of the Gamma function is off by 1e-6, this is not.
"""

from __future__ import annotations

import math

import numpy as np

from forecast.model.jit import inlined, kernel
from forecast.model.parameters import MEASURE, POISSON, Arrays

_HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)


@kernel
def stirling_error(y: float) -> float:
    """Return log Gamma(y + 1) less Stirling's approximation of it, (y + 1/2) log y - y + log(2 pi)/2."""
    if y < 15.0:
        return math.lgamma(y + 1.0) - (y + 0.5) * math.log(y) + y - _HALF_LOG_2_PI
    z = 1.0 / (y * y)
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 * z) * z) * z) * z) / y


@kernel
def deviance(x: float, mean: float, difference: float) -> float:
    """Return x log(x / mean) + mean - x, given x - mean as well, lest digits be lost."""
    if x == 0.0:
        return mean
    if abs(difference) >= 0.1 * (x + mean):
        return x * (math.log(x) - math.log(mean)) - difference
    v = difference / (x + mean)
    total, power, before, j = difference * v, 2.0 * x * v, np.inf, 1
    while total != before:
        before, power, j = total, power * v * v, j + 2
        total += power / j
    return total


@kernel
def log_poisson(y: float, m: float) -> float:
    """Return the log probability of a Poisson count with mean m."""
    if y == 0.0 or m == 0.0:
        return -m if y == 0.0 else -np.inf
    return -stirling_error(y) - deviance(y, m, y - m) - 0.5 * math.log(y) - _HALF_LOG_2_PI


@kernel
def log_negative_binomial(y: float, m: float, k: float) -> float:
    """Return the log probability of a negative binomial count with mean m and variance m + m^2 / k."""
    if y == 0.0 or m == 0.0:
        return -k * math.log1p(m / k) if y == 0.0 else -np.inf
    n, difference = y + k, k * ((y - m) / (k + m))
    total = stirling_error(n) - stirling_error(y) - stirling_error(k) - _HALF_LOG_2_PI
    total -= deviance(y, n * (m / (k + m)), difference) + deviance(k, n * (k / (k + m)), -difference)
    return total + 0.5 * (math.log(k) - math.log(y) - math.log(n))


@inlined
def log_normal(y: float, m: float, sd: float) -> float:
    """Return the log density of a Normal."""
    z = (y - m) / sd
    return -0.5 * z * z - math.log(sd) - _HALF_LOG_2_PI


@inlined
def log_number_density(kind: int, y: float, m: float, spread: float) -> float:
    """Return log f(y) of a count or a measure with mean m; `spread`: the dispersion or the known sd."""
    if kind == MEASURE:
        return log_normal(y, m, spread)
    return log_poisson(y, m) if kind == POISSON else log_negative_binomial(y, m, spread)


@kernel  # called from Python, too
def spread(i: int, s: int, a: Arrays) -> float:
    """Return the dispersion of a count (0 if Poisson), the known sd of a measure in scenario s."""
    if a.indicator[i].kind == MEASURE:
        return a.slot[a.indicator[i].start + s * a.indicator[i].size].sd
    return a.indicator[i].dispersion


@kernel  # called from Python, too
def log_density(i: int, s: int, y: float, theta: np.ndarray, a: Arrays) -> float:
    """Return log f(y | s) of indicator i, a count or a measure."""
    slot = a.indicator[i].start + s * a.indicator[i].size
    return log_number_density(a.indicator[i].kind, y, theta[slot], spread(i, s, a))
