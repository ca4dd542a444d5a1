"""Whether probabilities mean what they say: calibration in bins, in all, and how confident they are."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import beta, binomtest, norm

Numbers = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


class Bin(NamedTuple):
    """Probabilities from `low` to `high`, and how often what they spoke of was true."""

    low: float
    high: float
    number: int
    given: float  # mean of the probabilities
    observed: float  # share that was true
    least: float  # ends of the Clopper-Pearson interval of that share
    most: float
    p_value: float  # of the hypothesis that as many are true as was said


def bins(given: Numbers, true: Whole, *, number: int = 10, level: float = 0.95) -> list[Bin]:
    """Sort all probabilities into bins of equal width.

    Parameters
    ----------
    given : (N, K)
        Probability of each scenario, simulation by simulation; -1 where there are fewer scenarios.
    true : (N,)
        The scenario that was true.
    level : float
        Of the Clopper-Pearson intervals. Like the binomial test they take events for independent; those of
        one simulation exclude one another, which makes both a little cautious.
    """
    asked = given >= 0
    happened = (np.arange(given.shape[1]) == true[:, None])[asked]
    p = given[asked]
    which = np.minimum((p * number).astype(int), number - 1)
    found = []
    for n in range(number):
        inside = which == n
        size, hits = int(inside.sum()), int(happened[inside].sum())
        if size == 0:
            found.append(Bin(n / number, (n + 1) / number, 0, math.nan, math.nan, 0.0, 1.0, 1.0))
            continue
        mean, tail = float(p[inside].mean()), (1 - level) / 2
        least = float(beta.ppf(tail, hits, size - hits + 1)) if hits else 0.0
        most = float(beta.ppf(1 - tail, hits + 1, size - hits)) if hits < size else 1.0
        p_value = float(binomtest(hits, size, mean).pvalue)
        found.append(Bin(n / number, (n + 1) / number, size, mean, hits / size, least, most, p_value))
    return found


def spiegelhalter(given: Numbers, true: Whole) -> tuple[float, float]:
    """Return Spiegelhalter's z of probabilities (N, K) and its two-sided p-value.

    z = sum (o - p)(1 - 2 p) / sd, over simulations and scenarios: the Brier score against what it should be
    if the probabilities were right (Spiegelhalter 1986), the variance that of a multinomial. z > 0: too
    confident.
    """
    weight = 1 - 2 * given
    happened = np.arange(given.shape[1]) == true[:, None]
    excess = float(((happened - given) * weight).sum())
    variance = float(((given * weight**2).sum(axis=1) - (given * weight).sum(axis=1) ** 2).sum())
    z = excess / math.sqrt(variance)
    return z, float(2 * norm.sf(abs(z)))


class Confidence(NamedTuple):
    """How far log odds have to be stretched to fit what happened."""

    slope: float  # above 1: too cautious; below 1: overconfident
    slope_error: float
    lean: float  # mean probability less the share that was true: 0 if right on the whole
    lean_error: float
    score: float  # mean logarithmic score, log p of what was true: larger is better


def confidence(given: Numbers, true: npt.NDArray[np.bool_]) -> Confidence:
    """Fit P(true) = logistic(a + slope logit(given)) (Cox 1958), by Newton's method.

    The error of the slope is from the curvature.

    Parameters
    ----------
    given : (N,)
        Probabilities of one event each.
    true : (N,)
        Whether it happened.

    Raises
    ------
    ValueError
        If a threshold parts what happened from what did not: then the steepest slope fits best.
    """
    p = np.clip(given, 1e-12, 1 - 1e-12)
    odds = np.log(p / (1 - p))
    if true.all() or not true.any() or odds[true].min() > odds[~true].max():
        raise ValueError("the steeper the slope, the better it fits: too few forecasts")
    x, fitted = np.stack([np.ones_like(odds), odds], axis=1), np.zeros(2)
    for _ in range(100):
        chance = 1 / (1 + np.exp(-x @ fitted))
        curvature = (x * (chance * (1 - chance))[:, None]).T @ x
        step = np.linalg.solve(curvature, x.T @ (true - chance))
        fitted = fitted + step / max(1.0, np.abs(step).max())  # at most 1, so that it cannot run away
        if np.abs(step).max() < 1e-10:
            break
    error = math.sqrt(float(np.linalg.inv(curvature)[1, 1]))
    lean, size = p - true, len(p)
    score = float(np.log(np.where(true, p, 1 - p)).mean())
    return Confidence(float(fitted[1]), error, float(lean.mean()), float(lean.std() / math.sqrt(size)), score)
