"""The chance of a stated number as noise: a distribution far wider than any scenario's own."""

from __future__ import annotations

import math

from forecast.case.judgement import MeasureMean, Positive
from forecast.case.question import Indicator

_EULER = 0.5772156649015329


def log_noise(indicator: Indicator, y: float) -> float:
    """Return the log probability (density) of a stated number y if it is noise.

    A measure: Student's t with 3 degrees of freedom around the mean of the scenarios' means, its scale three
    times the standard deviation of their equal mixture. A count: min(1/(y + 1), (M + 1)/(y + 1)^2)/Z with M
    100 times the largest mean, rounded up. The judgements enter with their means only.

    Parameters
    ----------
    indicator : Indicator
        A count or a measure.
    y : float
        The number.

    Returns
    -------
    float
        The natural logarithm of u(y).
    """
    sds = [judgement.sd for judgement in indicator.likelihood if isinstance(judgement, MeasureMean)]
    if not sds:
        return _log_count_noise(y, max(j.mean for j in indicator.likelihood if isinstance(j, Positive)))
    means = [judgement.mean for judgement in indicator.likelihood if isinstance(judgement, MeasureMean)]
    middle = math.fsum(means) / len(means)
    scale = 3.0 * math.hypot(*sds, *(mean - middle for mean in means)) / math.sqrt(len(means))
    z = math.hypot(1.0, (y - middle) / scale / math.sqrt(3.0))
    return math.log(2.0 / (math.pi * math.sqrt(3.0))) - math.log(scale) - 4.0 * math.log(z)


def _log_count_noise(y: float, largest: float) -> float:
    """Return log u(y) of a count: the sum over all y is Z = H_n + n trigamma(n + 1) with n = M + 1."""
    edge = math.ceil(100.0 * largest) + 1.0
    norm = harmonic(edge) + edge * trigamma(edge + 1.0)
    return -math.log(norm) - math.log(y + 1.0) - max(math.log(y + 1.0) - math.log(edge), 0.0)


def harmonic(n: float) -> float:
    """Return 1 + 1/2 + ... + 1/n, by the series of the digamma function where n is large."""
    if n < 30.0:
        return math.fsum(1.0 / k for k in range(1, int(n) + 1))
    q = 1.0 / (n * n)
    return math.log(n) + _EULER + 0.5 / n - q * (1 / 12 - q * (1 / 120 - q * (1 / 252 - q / 240)))


def trigamma(x: float) -> float:
    """Return the sum of 1/(x + k)^2 over k = 0, 1, ..., by its series where x is large."""
    total = 0.0
    while x < 30.0:
        total += 1.0 / (x * x)
        x += 1.0
    q = 1.0 / (x * x)
    return total + 1.0 / x + 0.5 * q + q / x * (1 / 6 - q * (1 / 30 - q * (1 / 42 - q / 30)))
