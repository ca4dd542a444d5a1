"""Draws vectorised over theta: scenario paths, from the dynamics or backward; hidden values; noise."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from forecast.case.judgement import MeasureMean
from forecast.case.question import Indicator
from forecast.model.hmm import Filtered
from forecast.model.horizon import matrices
from forecast.model.parameters import CATEGORY, MEASURE, NEGATIVE_BINOMIAL, Arrays, Layout


def prior_path(first: np.ndarray, each: np.ndarray, units: int, rng: np.random.Generator) -> np.ndarray:
    """Draw paths of scenarios (N, U, T) from the dynamics.

    `first` (N, K) are the chances in period 0, `each` (N, T - 1, K, K) the matrices of the steps, as
    :func:`forecast.model.horizon.steps` returns them.
    """
    draws, onward = np.arange(len(first))[:, None], np.moveaxis(each, 3, 0)
    path = np.empty((len(first), units, each.shape[1] + 1), np.int64)
    path[..., 0] = pick(np.repeat(first.T[:, :, None], units, axis=2), rng)
    for t in range(1, path.shape[2]):
        path[..., t] = pick(onward[:, draws, t - 1, path[..., t - 1]], rng)
    return path


class Backward(NamedTuple):
    """What paths are drawn from backward: the filter, and the matrices with which it stepped."""

    alpha: np.ndarray  # (N, U, T, K)
    log_alpha: np.ndarray  # (N, U, T, K, R)
    earlier: np.ndarray  # (N, U, T, K)
    each: np.ndarray  # (N, T - 1, K, K)

    def rows(self, row: np.ndarray) -> Backward:
        """Return the same of some draws."""
        return Backward(*(field[row] for field in self))


def backward(filtered: Filtered, theta: np.ndarray, a: Arrays) -> Backward:
    """Return what paths are drawn from, of a filter at theta (N, D)."""
    each = matrices(theta, a, filtered.matrix, filtered.alpha.shape[2])
    return Backward(filtered.alpha, filtered.log_alpha, filtered.earlier, each)


def posterior_path(filtered: Backward, rng: np.random.Generator, *, begin: int = 0) -> np.ndarray:
    """Draw paths of scenarios backward from the filter (forward filtering, backward sampling).

    P(s_t | s_(t+1), y) is in proportion to alpha_t(s_t) P(s_t, s_(t+1)) (Chib 1996). Where the filter keeps
    entry times apart, the state is (scenario, entry time): one that was not just entered was in the same
    scenario before. Paths are (N, U, T), -1 before the period `begin`.
    """
    alpha, log_alpha = filtered.alpha, filtered.log_alpha
    draw, unit, runs = np.arange(len(alpha))[:, None], np.arange(alpha.shape[1])[None], log_alpha.shape[-1]
    into, last = np.moveaxis(filtered.each, 2, 0), alpha.shape[2] - 1
    path = np.full(alpha.shape[:3], -1, np.int64)

    def entry(t: int, s: np.ndarray) -> np.ndarray:
        return pick(np.moveaxis(np.exp(log_alpha[draw, unit, t, s]), -1, 0), rng)

    s = pick(np.moveaxis(alpha[:, :, last], 2, 0), rng)
    r = entry(last, s) if runs > 1 else np.zeros_like(s)
    path[..., last] = s
    for t in range(last - 1, begin - 1, -1):
        weight = np.moveaxis(alpha[:, :, t], 2, 0) * into[:, draw, t, s]
        if runs == 1:
            s = pick(weight, rng)
        else:
            np.put_along_axis(weight, s[None], 0.0, axis=0)
            older = (r == runs - 1) & (rng.random(r.shape) < filtered.earlier[draw, unit, t + 1, s])
            moved, before = r == 0, pick(weight, rng)
            s = np.where(moved, before, s)
            r = np.where(moved, entry(t, s), np.where(older, r, r - 1))
        path[..., t] = s
    return path


def hidden_values(
    weight: np.ndarray, fresh: np.ndarray, hold: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the hidden value of a state that persists in T cells, forward filtering, backward sampling.

    Of N draws and V values: `weight` (T, V, N) is what is known of each cell, `fresh` (T, V, N) the chances
    of a fresh value, `hold` (T, N) that the value is the one of the cell before, 0 where a stay begins.
    Returns the values (T, N), and the log of the mean weight (N,).
    """
    belief, total = np.empty(weight.shape), np.zeros(weight.shape[2])
    for t in range(len(weight)):
        before = belief[t - 1] if t else fresh[t]
        predicted = hold[t] * before + (1.0 - hold[t]) * fresh[t]
        joint = predicted * weight[t]
        mean = joint.sum(axis=0)
        with np.errstate(divide="ignore"):
            total += np.log(mean)
        belief[t] = np.divide(joint, mean, out=predicted, where=mean > 0)
    value, draw = np.empty(weight.shape[::2], np.int64), np.arange(weight.shape[2])
    for t in range(len(weight) - 1, -1, -1):
        free = pick(belief[t], rng)
        if t + 1 == len(weight):
            value[t] = free
            continue
        after = value[t + 1]
        held = hold[t + 1] * belief[t][after, draw]
        new = (1.0 - hold[t + 1]) * fresh[t + 1][after, draw]
        value[t] = np.where(rng.random(len(draw)) * (held + new) < held, after, free)
    return value, total


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


def noise_chances(a: Arrays, i: int, theta: np.ndarray) -> np.ndarray:
    """Return u(y), the chance of each value of a category as noise, at theta (N, D): (V, N)."""
    size, quiet = int(a.indicator[i]["size"]), int(a.indicator[i]["quiet"])
    if quiet < 0:
        return np.full((size, len(theta)), 1.0 / size)
    nu = theta[:, a.noise]
    chance = np.tile(nu / (size - 1), (size, 1))
    chance[quiet] = 1.0 - nu
    return chance


def draw_number(a: Arrays, i: int, mean: np.ndarray, s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw from f(. | s) of a count or a measure with these means, in scenarios s."""
    kind, k, start = a.indicator[i]["kind"], float(a.indicator[i]["dispersion"]), a.indicator[i]["start"]
    if kind == MEASURE:
        return rng.normal(mean, a.slot["sd"][start : start + a.scenarios][s])
    rate = rng.gamma(k, mean / k) if kind == NEGATIVE_BINOMIAL else mean
    return rng.poisson(rate).astype(float)


def draw_reading(kind: int, x: np.ndarray, error: float, rng: np.random.Generator) -> np.ndarray:
    """Draw what a reliable report states of a true number x: off by its error.

    A measure: x plus Normal(0, error). A count: x + 1 times a log-normal factor, rounded, at least 1, less 1.
    """
    if error == 0.0:
        return x
    if kind == MEASURE:
        return rng.normal(x, error)
    return np.maximum(np.rint((x + 1.0) * np.exp(rng.normal(0.0, error, x.shape))), 1.0) - 1.0


def draw_noise(
    layout: Layout, i: int, theta: np.ndarray, shape: tuple[int, ...], rng: np.random.Generator
) -> np.ndarray:
    """Draw noise (N, G): a value of a category by u(y); a number far from what any scenario makes likely."""
    a = layout.arrays
    if a.indicator[i]["kind"] == CATEGORY:
        chance = noise_chances(a, i, theta)[:, :, None]
        return pick(np.broadcast_to(chance, (len(chance), *shape)), rng)
    indicator = layout.question.indicators[i]
    if a.indicator[i]["kind"] == MEASURE:
        return _measure_noise(indicator, shape, rng)
    return _count_noise(max(judgement.mean for judgement in indicator.likelihood), shape, rng)  # type: ignore[arg-type]


def _measure_noise(indicator: Indicator, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw Student's t with 3 degrees of freedom, three times as wide as the mixture of the scenarios."""
    judged = [one for one in indicator.likelihood if isinstance(one, MeasureMean)]
    means = np.array([one.mean for one in judged])
    variance = float(np.mean([one.sd**2 for one in judged]) + means.var())
    return means.mean() + 3.0 * math.sqrt(variance) * rng.standard_t(3, shape)


def _count_noise(largest: float, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw from min(1/(y + 1), (M + 1)/(y + 1)^2)/Z, M being 100 times the largest mean, rounded up.

    With n = y + 1: up to M + 1 in proportion to 1/n, beyond to 1/n^2, each by rejection from the integer part
    of a continuous number with nearly that density.
    """
    from scipy.special import digamma, zeta

    edge = math.ceil(100 * largest) + 1.0  # M + 1
    head = float(digamma(edge + 1.0)) + float(np.euler_gamma)
    tail = edge * float(zeta(2.0, edge + 1.0))
    n, left = np.empty(math.prod(shape)), np.arange(math.prod(shape))
    far = rng.random(len(n)) * (head + tail) >= head
    while len(left):
        u, beyond = 1.0 - rng.random(len(left)), far[left]
        drawn = np.floor(np.where(beyond, (edge + 1.0) / u, np.exp(u * math.log(edge + 1.0))))
        # beyond: P(n) of the proposal is a/(n (n + 1)), a = M + 2; before: log(1 + 1/n) over its sum
        share = np.where(
            beyond,
            (drawn + 1.0) / drawn * (edge + 1.0) / (edge + 2.0),
            math.log(2.0) / (drawn * np.log1p(1.0 / drawn)),
        )
        kept = (rng.random(len(left)) < share) & (beyond | (drawn <= edge))
        n[left[kept]] = drawn[kept]
        left = left[~kept]
    return (n - 1.0).reshape(shape)
