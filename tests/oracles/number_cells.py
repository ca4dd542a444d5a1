"""Counts and measures: noise with wide tails, readings that may be off, and the sum over what is true.

Each function takes plain floats, or arrays with one entry per draw where a judgement is meant. The functions
that end in ``_50`` do the same in 50 digits, by mpmath, with nothing left to under- or overflow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import mpmath
import numpy as np
from scipy.special import gammaln, ndtr, zeta

MOST = 200_000  # the largest count that is summed over


@dataclass(frozen=True)
class Reading:
    """One report of a number: with probability `chance` it reads what is true, give or take `error`.

    P(y | x) = base + chance P(reads y | x).
    """

    y: float
    chance: Any
    base: Any
    error: float


# --- noise -------------------------------------------------------------------------------------------------


def measure_noise(y: float, means: Sequence[float], sds: Sequence[float]) -> float:
    """Student's t with 3 degrees of freedom, three times as wide as the scenarios' equal mixture."""
    centre = sum(means) / len(means)
    variance = sum(sd * sd + (m - centre) ** 2 for m, sd in zip(means, sds, strict=True)) / len(means)
    scale = 3.0 * math.sqrt(variance)
    z = (y - centre) / scale
    return 2.0 / (math.pi * math.sqrt(3.0) * scale * (1.0 + z * z / 3.0) ** 2)


def count_noise(y: float, means: Sequence[float]) -> float:
    """1 / (y + 1) up to a hundred times the largest mean, from there on its inverse square; normalised."""
    m = math.ceil(100.0 * max(means))
    return min(1.0 / (y + 1.0), (m + 1) / (y + 1.0) ** 2) / _count_noise_total(m)


@cache
def _count_noise_total(m: int) -> float:
    """The sum of 1 / k up to m + 1, and (m + 1) times that of 1 / k^2 from m + 2 on."""
    return sum(1.0 / k for k in range(1, m + 2)) + (m + 1) * float(zeta(2.0, m + 2))


# --- f and what a reliable report reads ------------------------------------------------------------------


def count_chance(x: Any, mean: Any, dispersion: float | None) -> Any:
    """Negative binomial with variance mean + mean^2 / dispersion, or Poisson."""
    if dispersion is None:
        return np.exp(x * np.log(mean) - mean - gammaln(x + 1))
    p = dispersion / (dispersion + mean)
    log = gammaln(x + dispersion) - gammaln(dispersion) - gammaln(x + 1)
    return np.exp(log + dispersion * np.log(p) + x * np.log1p(-p))


def count_read(y: float, x: Any, error: float) -> Any:
    """Chance that y is read of x: y + 1 is x + 1 times a log-normal factor, rounded, and never below 1."""
    if error == 0:
        return np.where(np.equal(x, y), 1.0, 0.0)
    above = ndtr((np.log(y + 1.5) - np.log(x + 1.0)) / error)
    return above - ndtr((np.log(y + 0.5) - np.log(x + 1.0)) / error) if y > 0 else above


def normal(x: Any, mean: Any, variance: Any) -> Any:
    """The density of a Normal."""
    return np.exp(-0.5 * (x - mean) ** 2 / variance) / np.sqrt(2 * math.pi * variance)


# --- a cell ------------------------------------------------------------------------------------------------


def count_cell(mean: Any, dispersion: float | None, readings: Sequence[Reading]) -> Any:
    """Sum over the true count of f(x) times the product of P(y | x)."""
    if all(r.error == 0 for r in readings):
        return _exact_counts(mean, dispersion, readings)
    total: Any = 0.0
    for x in range(_far(mean, dispersion, readings)):
        term = count_chance(x, mean, dispersion)
        for r in readings:
            term = term * (r.base + r.chance * count_read(r.y, x, r.error))
        total = total + term
    return total


def _exact_counts(mean: Any, dispersion: float | None, readings: Sequence[Reading]) -> Any:
    """Sum over the counts reported, and any other with the probability that is left."""
    left: Any = 1.0
    total: Any = 0.0
    for x in sorted({r.y for r in readings}):
        term = f = count_chance(x, mean, dispersion)
        left = left - f
        for r in readings:
            term = term * (r.base + r.chance * (1.0 if x == r.y else 0.0))
        total = total + term
    for r in readings:
        left = left * r.base
    return total + left


def _far(mean: Any, dispersion: float | None, readings: Sequence[Reading]) -> int:
    """Return the count from which on nothing is left of f."""
    m = float(np.max(mean))
    spread = math.sqrt(m + (m * m / dispersion if dispersion else 0.0))
    far = int(max(m + 60 * spread + 60, max(r.y for r in readings) + 1))
    if far > MOST:
        raise ValueError("a count too large to sum over")
    return far


def measure_cell(mean: Any, sd: float, readings: Sequence[Reading]) -> Any:
    """Integral over the true value of Normal(mean, sd) times the product of P(y | x).

    Each report either reads what is true or not: a sum over all 2^n ways of products of Normals.
    """
    total: Any = 0.0
    for way in range(2 ** len(readings)):
        term: Any = 1.0
        centre, variance = mean, sd * sd
        for k, r in enumerate(readings):
            if way >> k & 1:
                spread = variance + r.error**2
                if spread == 0:
                    raise ValueError("two readings of a measure without any error")
                term = term * r.chance * normal(r.y, centre, spread)
                centre = centre + variance / spread * (r.y - centre)
                variance = variance * r.error**2 / spread
            else:
                term = term * r.base
        total = total + term
    return total


# --- the same in 50 digits ---------------------------------------------------------------------------------


def measure_noise_50(y: float, means: Sequence[float], sds: Sequence[float]) -> Any:
    """As `measure_noise`."""
    with mpmath.workdps(50):
        m, s = [mpmath.mpf(v) for v in means], [mpmath.mpf(v) for v in sds]
        centre = mpmath.fsum(m) / len(m)
        scale = 3 * mpmath.sqrt(
            mpmath.fsum(b**2 + (a - centre) ** 2 for a, b in zip(m, s, strict=True)) / len(m)
        )
        z = (mpmath.mpf(y) - centre) / scale
        return 2 / (mpmath.pi * mpmath.sqrt(3) * scale * (1 + z**2 / 3) ** 2)


def count_noise_50(y: float, means: Sequence[float]) -> Any:
    """As `count_noise`, for means of any size."""
    with mpmath.workdps(50):
        m = mpmath.ceil(100 * max(mpmath.mpf(v) for v in means))
        total = mpmath.harmonic(m + 1) + (m + 1) * mpmath.psi(1, m + 2)
        at = mpmath.mpf(y) + 1
        return min(1 / at, (m + 1) / at**2) / total


def count_cell_50(mean: float, dispersion: float | None, readings: Sequence[Reading]) -> Any:
    """As `count_cell` without errors of reading."""
    with mpmath.workdps(50):
        left, total = mpmath.mpf(1), mpmath.mpf(0)
        for x in sorted({r.y for r in readings}):
            term = f = _count_chance_50(x, mean, dispersion)
            left -= f
            for r in readings:
                term *= mpmath.mpf(r.base) + (mpmath.mpf(r.chance) if x == r.y else 0)
            total += term
        for r in readings:
            left *= mpmath.mpf(r.base)
        return total + left


def _count_chance_50(x: float, mean: float, dispersion: float | None) -> Any:
    m, at = mpmath.mpf(mean), mpmath.mpf(x)
    if dispersion is None:
        return mpmath.exp(at * mpmath.log(m) - m - mpmath.loggamma(at + 1))
    d = mpmath.mpf(dispersion)
    log = mpmath.loggamma(at + d) - mpmath.loggamma(d) - mpmath.loggamma(at + 1)
    return mpmath.exp(log + d * mpmath.log(d / (d + m)) + at * mpmath.log(m / (d + m)))


def measure_cell_50(mean: float, sd: float, readings: Sequence[Reading]) -> Any:
    """As `measure_cell`."""
    with mpmath.workdps(50):
        total = mpmath.mpf(0)
        for way in range(2 ** len(readings)):
            term, centre, variance = mpmath.mpf(1), mpmath.mpf(mean), mpmath.mpf(sd) ** 2
            for k, r in enumerate(readings):
                if way >> k & 1:
                    spread, y = variance + mpmath.mpf(r.error) ** 2, mpmath.mpf(r.y)
                    term *= mpmath.mpf(r.chance) * mpmath.exp(-((y - centre) ** 2) / (2 * spread))
                    term /= mpmath.sqrt(2 * mpmath.pi * spread)
                    centre += variance / spread * (y - centre)
                    variance *= mpmath.mpf(r.error) ** 2 / spread
                else:
                    term *= mpmath.mpf(r.base)
            total += term
        return total


def measure_cell_by_quadrature(mean: float, sd: float, readings: Sequence[Reading]) -> Any:
    """As `measure_cell_50`, by quadrature between the places where the integrand peaks; slow."""
    with mpmath.workdps(50):
        m, s = mpmath.mpf(mean), mpmath.mpf(sd)
        width = max([s, *(mpmath.mpf(r.error) for r in readings)])
        narrow = min([s, *(mpmath.mpf(r.error) for r in readings)])
        peaks = sorted({m, *(mpmath.mpf(r.y) for r in readings)})
        places = {peaks[0] - 60 * width, peaks[-1] + 60 * width}
        places |= {p + k * narrow for p in peaks for k in (-30, -8, -2, 0, 2, 8, 30)}

        def integrand(x: Any) -> Any:
            value = mpmath.npdf(x, m, s)
            for r in readings:
                value *= mpmath.mpf(r.base) + mpmath.mpf(r.chance) * mpmath.npdf(x, mpmath.mpf(r.y), r.error)
            return value

        return mpmath.quad(integrand, sorted(places))
