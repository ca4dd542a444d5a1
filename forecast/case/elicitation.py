"""Elicitation: distribution parameters from best estimates, intervals, past cases and words.

Pure functions: numbers in, a :class:`~forecast.case.judgement.Proportions`,
:class:`~forecast.case.judgement.Positive` or :class:`~forecast.case.judgement.MeasureMean` out. Whether the
numbers make sense is for the caller to check; what has no answer raises ValueError.

An interval is always a central 90 % interval: its ends are the 5 % and 95 % quantiles, both matched
exactly (no least squares, no mode), which two parameters can always do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from forecast.case.judgement import Judgement, MeasureMean, Positive, Proportions
from forecast.case.probability_words import band

#: Quantiles that the ends of an elicited interval stand for.
LOWER, UPPER = 0.05, 0.95
#: A word is never worth more past cases than this.
WORD_WEIGHT = 20.0
#: A word's band that is open to 0 or 1 is taken to end this far inside.
OPEN_END = 0.001
#: How exactly the quantiles must be matched, in probability.
PRECISION = 1e-9
#: How exactly the logarithms of the parameters are found.
ROOT = 1e-14


def plain(mean: Sequence[float], weight: float, *, floor: bool, learn: bool = True) -> Proportions:
    """Return the judgement that plain numbers make."""
    total = math.fsum(mean)
    shares = tuple(p / total for p in mean)
    if floor:
        weight = max(weight, 1.0 / min(p for p in shares if p > 0))
    return Proportions(shares, float(weight), learn)


def yes(p: float) -> tuple[float, float]:
    """Return (1 - p, p): the probabilities of the quiet value and of the other one."""
    return (1.0 - p, p)


def hits(counts: Sequence[float], *, learn: bool = True) -> Proportions:
    """Return what past cases teach under Jeffreys' prior: Dirichlet(counts + 1/2) (Jeffreys, 1946)."""
    weight = math.fsum(counts) + len(counts) / 2
    return Proportions(tuple((n + 0.5) / weight for n in counts), weight, learn)


def interval(low: float, high: float, *, learn: bool = True) -> Proportions:
    """Return the judgement of a yes/no probability with the central 90 % interval (low, high)."""
    a, b = beta_from_interval(low, high)
    return Proportions((b / (a + b), a / (a + b)), a + b, learn)


def word(text: str, scale: str, *, learn: bool = True) -> Proportions:
    """Return the judgement that a word of probability makes.

    The mean is the middle of the word's band; the weight that of the Beta with the band as its 90 %
    interval, at most 20.
    """
    low, high = band(text, scale)
    if low == high:
        return Proportions(yes(low), math.inf, learn)
    a, b = beta_from_interval(max(low, OPEN_END), min(high, 1 - OPEN_END))
    return Proportions(yes((low + high) / 2), min(a + b, WORD_WEIGHT), learn)


def count_mean(mean: float, weight: float, *, floor: bool = False, learn: bool = True) -> Positive:
    """Return the judgement of a count's mean: Gamma with shape mean * weight and rate weight.

    `floor`: the weight is raised to 1 / mean, so that no mean of a rare event piles up at 0.
    """
    if floor and mean > 0:
        weight = max(weight, 1.0 / mean)
    return Positive(float(mean), mean * weight if mean else math.inf, learn)


def stay(lasts: float, weight: float, *, learn: bool = True) -> Positive:
    """Return the leaving rate of a scenario that lasts so many periods: Gamma, mean 1/lasts, shape weight."""
    if math.isinf(lasts):
        return Positive(0.0, math.inf, learn)
    return Positive(1.0 / lasts, float(weight), learn)


def stay_interval(low: float, high: float, *, learn: bool = True) -> Positive:
    """Return the leaving rate whose 5 % and 95 % quantiles are 1/high and 1/low.

    (low, high) is a 90 % interval for the mean stay in periods, not for single stays.
    """
    mean, shape = gamma_from_interval(1.0 / high, 1.0 / low)
    return Positive(mean, shape, learn)


def residual(others: Sequence[Judgement], *, learn: bool = True) -> Judgement:
    """Return a residual scenario's judgement: the mean of the other scenarios' means, weight 2 (or 1/min p).

    A measure's sd also covers the spread of the others: sd^2 = mean of sd^2 + variance of means.
    The others are judgements of one kind.
    """
    n = len(others)
    if all(isinstance(other, Proportions) for other in others):
        rows = [other.mean for other in others if isinstance(other, Proportions)]
        mean = tuple(math.fsum(column) / n for column in zip(*rows, strict=True))
        return plain(mean, 2.0, floor=True, learn=learn)
    middle = math.fsum(other.mean for other in others if not isinstance(other, Proportions)) / n
    if all(isinstance(other, Positive) for other in others):
        return count_mean(middle, 2.0, floor=True, learn=learn)
    measures = [other for other in others if isinstance(other, MeasureMean)]
    variance = math.fsum(m.sd**2 + (m.mean - middle) ** 2 for m in measures) / n
    return MeasureMean(middle, math.sqrt(variance), 2.0, learn)


@lru_cache(maxsize=1024)
def beta_from_interval(low: float, high: float) -> tuple[float, float]:
    """Return the parameters (a, b) of the Beta with 5 % of its mass below `low` and 5 % above `high`.

    Solves I_low(a, b) = 0.05 and I_high(a, b) = 0.95 for log a and log b by MINPACK's hybrid method, both
    equations on the logit scale, where they are nearly linear.

    Raises ValueError if the ends are out of order, or so close or so wide that no number format can hold
    the answer.
    """
    if not 0.0 < low < high < 1.0:
        raise ValueError(f"an interval of a probability needs 0 < low < high < 1, not {low} and {high}")
    import numpy as np
    from scipy.optimize import root
    from scipy.special import betainc, betaincc, expit, logit

    def misses(x: np.ndarray) -> np.ndarray:
        a, b = np.exp(x)
        return logit([betainc(a, b, low), betaincc(a, b, high)]) - logit(LOWER)

    # A logit-normal with the same quantiles has nearly the same log-odds moments: a good place to start.
    middle, spread = (logit(low) + logit(high)) / 2, (logit(high) - logit(low)) / (2 * 1.6448536)
    p = expit(middle)
    weight = max(1.0 / (spread**2 * p * (1 - p)), 2 / spread)
    with np.errstate(all="ignore"):
        a, b = np.exp(root(misses, np.log([p * weight, (1 - p) * weight]), tol=ROOT).x).tolist()
    below, above = betainc(a, b, low), betaincc(a, b, high)
    if max(abs(below - LOWER), abs(above - LOWER)) > PRECISION:
        raise ValueError(f"no Beta could be fitted to the interval from {low} to {high}")
    return a, b


@lru_cache(maxsize=1024)
def gamma_from_interval(low: float, high: float) -> tuple[float, float]:
    """Return mean and shape of the Gamma with 5 % of its mass below `low` and 5 % above `high`.

    The ratio of the two quantiles falls steadily with the shape alone, so the shape is found by Brent's
    method on its logarithm; the scale follows.

    Raises ValueError if not 0 < low < high, or so close or so far apart that no number format can hold
    the answer.
    """
    if not 0.0 < low < high < math.inf:
        raise ValueError(f"an interval of a positive number needs 0 < low < high, not {low} and {high}")
    from scipy.optimize import brentq
    from scipy.special import gammainc, gammaincc, gammaincinv

    def miss(log_shape: float) -> float:
        ends = gammaincinv(math.exp(log_shape), (LOWER, UPPER))
        return math.log(ends[1] / high) - math.log(ends[0] / low)

    narrowest, widest = math.log(1e10), math.log(1e-2)
    if not miss(narrowest) < 0 < miss(widest):
        raise ValueError(f"no Gamma could be fitted to the interval from {low} to {high}")
    shape = math.exp(brentq(miss, widest, narrowest, xtol=ROOT))
    scale = low / float(gammaincinv(shape, LOWER))
    below, above = gammainc(shape, low / scale), gammaincc(shape, high / scale)
    if max(abs(below - LOWER), abs(above - LOWER)) > PRECISION:
        raise ValueError(f"no Gamma could be fitted to the interval from {low} to {high}")
    return shape * scale, shape
