"""Reports of a number that are off by a measurement error: the true value integrated out, and drawn.

Given the true value x a reliable report of a measure is x + Normal(0, error); of a count, the stated number
plus one is x + 1 times a log-normal factor of log-sd error, rounded (and at least one). Reports are
independent given x, so that with h(x) = prod_j (base_j + truth_j g_j(x)) the likelihood of a cell is

    m(s) = sum or integral over x of f(x | s) h(x) = N + (the same of f(x | s) (h(x) - N)).

For a measure this is a sum of Gaussian integrals over the sets of reports that may be true: done one by one
for few reports (:func:`log_sum_sets`). Else x runs over panels that are halved until the narrowest
distribution that matters in them is resolved; panels that cannot matter are left out by a bound, whence few
are left however far apart the reports are. A panel has sixteen nodes of Gauss's rule for integrals, or for
sums over integers, whose orthogonal polynomials are Gram's.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from forecast.model.densities import log_normal, log_number_density
from forecast.model.jit import inlined, kernel
from forecast.model.logarithms import log_add, log_less_one, log_one_plus
from forecast.model.parameters import MEASURE, POISSON
from forecast.model.quadrature import LOG_WEIGHT, NODE, NODES, rule_of_sum

#: Up to so many reports of a measure the sets of those that are true are run through, 2^n of them.
MOST_SETS = 6
#: A panel is at most so many standard deviations wide.
WIDTH = 5.0
#: The nodes that are kept serve reliabilities up to 1 less this; beyond, panels are found anew.
LEAST_DOUBT = 1e-6
#: What is less than exp(-NEGLIGIBLE) of the rest is left out.
NEGLIGIBLE = 28.0


class Erring(NamedTuple):
    """The reports of a cell that have a measurement error and may be true, and the densities of the value."""

    kind: int
    value: np.ndarray  # (n,)
    error: np.ndarray  # (n,)
    base: np.ndarray  # (n,) in logarithms, like truth
    truth: np.ndarray  # (n,)
    mean: np.ndarray  # (K,) of f(x | s)
    spread: np.ndarray  # (K,)
    node: np.ndarray  # (M, 4 + n) of forecast.model.error_nodes, M = 0 if there are none that serve


@kernel
def log_sum_sets(mean: float, sd: float, e: Erring, stop: float) -> tuple[float, int, float, float]:
    """Return the log of the integral for a measure, by the sets of reports that may be true.

    Where the sum reaches `stop` it ends: the set reached is that of the binary number returned (the first
    report is its highest digit), and the mean and variance are those of the true value given this set.
    """
    n = e.value.shape[0]
    m, v, w = np.empty(n + 1), np.empty(n + 1), np.empty(n + 1)
    m[0], v[0], w[0], total = mean, sd * sd, 0.0, -np.inf
    for chosen in range(1 << n):
        first = 0
        if chosen > 0:
            first = n - 1
            while chosen >> (n - 1 - first) & 1 == 0:
                first -= 1
        for d in range(first, n):
            m[d + 1], v[d + 1], w[d + 1] = m[d], v[d], w[d] + e.base[d]
            if chosen >> (n - 1 - d) & 1 == 1:
                own = e.error[d] * e.error[d]
                both = v[d] + own
                w[d + 1] = w[d] + e.truth[d] + log_normal(e.value[d], m[d], math.sqrt(both))
                m[d + 1] = m[d] * (own / both) + e.value[d] * (v[d] / both)
                v[d + 1] = v[d] * (own / both)
        total = log_add(total, float(w[n]))
        if total >= stop:
            return total, chosen, float(m[n]), float(v[n])
    return total, -1, np.nan, np.nan


@kernel
def log_upper_tail(z: float) -> float:
    """Return log P(Z > z) of a standard Normal for z > 0."""
    if z < 20.0:
        return math.log(0.5 * math.erfc(z / math.sqrt(2.0)))
    q = 1.0 / (z * z)
    series = -q * (1.0 - q * (3.0 - q * (15.0 - q * (105.0 - q * 945.0))))
    return -0.5 * z * z - math.log(z * math.sqrt(2.0 * math.pi)) + math.log1p(series)


@kernel
def log_ratio(u: float, v: float, difference: float) -> float:
    """Return log(u / v) to all its digits, from u - v where they are close."""
    return math.log1p(difference / v) if abs(difference) < 0.5 * v else math.log(u / v)


@kernel
def log_rounded(y: float, x: float, error: float) -> float:
    """Return the log probability that a count of x is stated as y.

    That is P(a < Z < a + width), y + 1/2 and y + 3/2 being the ends of what is rounded to y + 1.
    """
    if y == 0.0:
        a = log_ratio(1.5, x + 1.0, 0.5 - x) / error
        if a < 0.0:
            return log_upper_tail(-a)
        return math.log1p(-math.exp(log_upper_tail(a))) if a > 0.0 else -math.log(2.0)
    a = log_ratio(y + 0.5, x + 1.0, y - 0.5 - x) / error
    width = math.log1p(1.0 / (y + 0.5)) / error
    z = a + 0.5 * width
    if width * (1.0 + abs(z)) < 0.01:  # nearly the density, whose digits a difference would lose
        more = width * width * (z * z - 1.0) / 24.0
        return log_normal(z, 0.0, 1.0) + math.log(width) + math.log1p(more)
    near, far = (a, a + width) if z > 0.0 else (-a - width, -a)
    if near <= 0.0:  # the ends lie on both sides of 0
        outside = 0.5 * math.erfc(-near / math.sqrt(2.0)) + 0.5 * math.erfc(far / math.sqrt(2.0))
        return math.log1p(-outside)
    high = log_upper_tail(near)
    return high + math.log1p(-math.exp(log_upper_tail(far) - high))


@inlined
def log_stated(kind: int, y: float, x: float, error: float) -> float:
    """Return log g(y | x): a reliable report states y where the true value is x."""
    return log_normal(y, x, error) if kind == MEASURE else log_rounded(y, x, error)


@kernel
def log_true(x: float, e: Erring) -> float:
    """Return log(h(x) - N), or log h(x) where a base is 0: at least one report is true."""
    total, more, free = 0.0, 0.0, True
    for j in range(e.value.shape[0]):
        chance = e.truth[j] + log_stated(e.kind, e.value[j], x, e.error[j])
        if e.base[j] == -np.inf:
            free, total = False, total + chance
        else:
            total += e.base[j]
            if chance > e.base[j] - 45.0:
                more += log_one_plus(chance - e.base[j])
    return total + log_less_one(more) if free else total + more


@kernel
def log_reports(x: float, e: Erring) -> float:
    """Return log h(x)."""
    total = 0.0
    for j in range(e.value.shape[0]):
        total += log_add(e.base[j], e.truth[j] + log_stated(e.kind, e.value[j], x, e.error[j]))
    return total


@inlined
def nearest(x: float, low: float, high: float) -> float:
    """Return the place in an interval that is nearest to x."""
    return min(max(x, low), high)


@inlined
def peak(kind: int, y: float) -> float:
    """Return the x under which y is stated with the highest chance."""
    return y if kind == MEASURE else math.sqrt((y + 0.5) * (y + 1.5)) - 1.0


@inlined
def mode(s: int, e: Erring) -> float:
    """Return where f(x | s) is highest, to within 1 for a count."""
    if e.kind == MEASURE or e.kind == POISSON:
        return e.mean[s]
    return max(e.mean[s] * (1.0 - 1.0 / e.spread[s]), 0.0)


@kernel
def log_most(low: float, high: float, e: Erring) -> tuple[float, float]:
    """Return an upper bound of log(h(x) - N) in a panel, and the precision of the reports that matter there.

    The precision is that of the product of their densities, at the place where it is highest.
    """
    total, more, free, precision = 0.0, 0.0, True, 0.0
    for j in range(e.value.shape[0]):
        x = nearest(peak(e.kind, e.value[j]), low, high)
        chance = e.truth[j] + log_stated(e.kind, e.value[j], x, e.error[j])
        sd = e.error[j] * (1.0 if e.kind == MEASURE else low + 1.0)
        if e.base[j] == -np.inf:
            free, total = False, total + chance
        else:
            total += e.base[j]
            more += log_one_plus(chance - e.base[j])
        if chance > e.base[j] - NEGLIGIBLE:
            precision += 1.0 / (sd * sd)
    return total + log_less_one(more) if free else total + more, precision


@inlined
def precision_of_value(low: float, s: int, e: Erring) -> float:
    """Return the precision of f(x | s) from a place on: less the second derivative of its logarithm."""
    if e.kind == MEASURE:
        return 1.0 / (e.spread[s] * e.spread[s])
    return 1.0 / (low + 1.0) / (1.0 if e.kind == POISSON else 1.0 + (low + 1.0) / e.spread[s])


@kernel
def whole_range(e: Erring) -> tuple[float, float]:
    """Return the first panel, which holds all that matters: begin and length."""
    low, high, margin = np.inf, -np.inf, 0.0
    for s in range(e.mean.shape[0]):
        low, high = min(low, mode(s, e)), max(high, mode(s, e))
        margin = max(margin, 9.0 * e.spread[s]) if e.kind == MEASURE else margin
    for j in range(e.value.shape[0]):
        low, high = min(low, e.value[j]), max(high, e.value[j])
    if e.kind == MEASURE:
        return low - margin, high - low + 2.0 * margin
    top, length = (high + 2.0) * math.exp(min(9.0 * e.error.max(), 300.0)), float(NODES)
    while length < top:
        length *= 2.0
    return 0.0, length


@kernel
def rule(kind: int, length: float) -> int:
    """Return which of the rules is that of a panel."""
    return NODE.shape[0] - 1 if kind == MEASURE else rule_of_sum(length)


@kernel
def lower_bounds(e: Erring, out: np.ndarray) -> np.ndarray:
    """Return what the likelihood in each scenario is at least, roughly: by this panels are judged."""
    least = out.copy()
    for s in range(out.shape[0]):
        for j in range(-1, e.value.shape[0]):
            x = round(mode(s, e)) if j < 0 and e.kind != MEASURE else mode(s, e) if j < 0 else e.value[j]
            log_f = log_number_density(e.kind, x, e.mean[s], e.spread[s])
            sd = 1.0
            if e.kind == MEASURE:
                sd = 1.0 / math.sqrt(log_most(x, x, e)[1] + precision_of_value(x, s, e))
            least[s] = max(least[s], log_f + log_true(x, e) + math.log(sd))
    return least


@kernel
def add_panels(e: Erring, out: np.ndarray, stop: float) -> tuple[float, float, float]:
    """Add the sum or integral of f(x | s) (h(x) - N) to exp(out[s]).

    Where out[0] reaches `stop` it ends, and the node and its panel are returned: x, begin, length.
    """
    least, depth = lower_bounds(e, out), 0
    begin, size = np.empty(2100), np.empty(2100)
    begin[0], size[0] = whole_range(e)
    while depth >= 0:
        low, length = begin[depth], size[depth]
        depth -= 1
        wanted, narrow = panel(low, length, e, out, least)
        if not wanted:
            continue
        if narrow:
            for k in range(NODES):
                x = low + length * NODE[rule(e.kind, length), k]
                log_h = log_true(x, e) + LOG_WEIGHT[rule(e.kind, length), k] + math.log(length)
                for s in range(out.shape[0]):
                    log_f = log_number_density(e.kind, x, e.mean[s], e.spread[s])
                    out[s] = log_add(out[s], log_f + log_h)
                if out[0] >= stop:
                    return x, low, length
        else:
            begin[depth + 1], begin[depth + 2] = low + 0.5 * length, low
            size[depth + 1] = size[depth + 2] = 0.5 * length
            depth += 2
    return np.nan, np.nan, np.nan


@kernel
def panel(low: float, length: float, e: Erring, out: np.ndarray, least: np.ndarray) -> tuple[bool, bool]:
    """Tell whether a panel matters to any scenario, and whether it is narrow enough for its nodes."""
    high = low + length - (0.0 if e.kind == MEASURE else 1.0)
    most, precision = log_most(low, high, e)
    most += math.log(length) + 1.0
    steepest, wanted = 0.0, False
    for s in range(out.shape[0]):
        log_f = log_number_density(e.kind, nearest(mode(s, e), low, high), e.mean[s], e.spread[s])
        if most + log_f > max(out[s], least[s]) - NEGLIGIBLE:
            wanted, steepest = True, max(steepest, precision_of_value(low, s, e))
    return wanted, is_narrow(low, length, precision + steepest, e)


@inlined
def is_narrow(low: float, length: float, precision: float, e: Erring) -> bool:
    """Tell whether a panel is narrow enough for its nodes."""
    narrow = length * math.sqrt(precision) <= WIDTH
    if e.kind == MEASURE:
        return narrow or low + 0.5 * length == low or low + 0.5 * length == low + length
    return (narrow and low + length <= 3.0 * low) or length <= NODES


@inlined
def log_slope(s: int, e: Erring) -> float:
    """Return D(m) of :mod:`forecast.model.error_nodes` for a count."""
    m, y, k = e.mean[s], max(e.value[0], 1.0), e.spread[s]
    if e.kind == POISSON:
        return math.log(m / y)
    return math.log1p((m - y) / y * (k / (k + m)))


@kernel
def add_nodes(e: Erring, out: np.ndarray, stop: float) -> int:
    """Add to exp(out[s]) what :func:`add_panels` does, by the nodes that were prepared.

    Where out[0] reaches `stop` it ends and returns the node.
    """
    size, nothing, y = out.shape[0], e.base.sum(), max(e.value[0], 1.0)
    odds, total, log_f = np.exp(e.truth - e.base), np.zeros(size), np.empty((size, 2))
    for s in range(size):
        if e.kind != MEASURE:
            log_f[s] = log_number_density(e.kind, y, e.mean[s], e.spread[s]), log_slope(s, e)
    for m in range(e.node.shape[0]):
        x, weight, product, more = e.node[m, 0], e.node[m, 1], 1.0, 0.0
        for j in range(odds.shape[0]):
            product *= 1.0 + odds[j] * e.node[m, 4 + j]
            if product > 1e150:  # reports that agree by the dozen
                more, product = more + math.log(product), 1.0
        for s in range(size):
            if e.kind == MEASURE:
                chance = weight + log_normal(x, e.mean[s], e.spread[s])
            else:
                chance = weight + log_f[s, 0] + (x - y) * log_f[s, 1]
            if more == 0.0:
                total[s] += (product - 1.0) * math.exp(chance)
            else:
                out[s] = log_add(out[s], nothing + more + math.log(product) + chance)
        if stop < np.inf and log_add(out[0], nothing + np.log(total[0])) >= stop:
            return m
    for s in range(size):
        out[s] = log_add(out[s], nothing + np.log(total[s]))
    return -1


@kernel
def add_values(e: Erring, out: np.ndarray) -> None:
    """Fill out[s] with the log of the sum or integral of f(x | s) h(x) over all x."""
    n = e.value.shape[0]
    if e.kind == MEASURE and n <= MOST_SETS:
        for s in range(out.shape[0]):
            out[s] = log_sum_sets(e.mean[s], e.spread[s], e, np.inf)[0]
        return
    out[:] = e.base.sum()
    if e.node.shape[0] > 0:
        add_nodes(e, out, np.inf)
    elif n > 0:
        add_panels(e, out, np.inf)


@kernel
def draw_value(e: Erring, rng: np.random.Generator, true: np.ndarray) -> float:
    """Draw the true value in the only scenario of `e`, and which of the reports are true, true[j].

    Returns nan where none of them is: the value is then free.
    """
    n, out = e.value.shape[0], np.empty(1)
    true[:] = False
    add_values(e, out)
    target = out[0] + np.log(1.0 - rng.random())
    if e.kind == MEASURE and n <= MOST_SETS:
        _, chosen, mean, variance = log_sum_sets(e.mean[0], e.spread[0], e, target)
        for j in range(n):
            true[j] = chosen > 0 and chosen >> (n - 1 - j) & 1 == 1
        return mean + rng.standard_normal() * math.sqrt(variance) if chosen > 0 else np.nan
    out[0] = e.base.sum()
    if out[0] >= target:
        return np.nan
    if e.node.shape[0] > 0:
        row = e.node[add_nodes(e, out, target)]
        x, low, length = row[0], row[2], row[3]
    else:
        x, low, length = add_panels(e, out, target)
    draw_true_at(x, e, rng, true)
    if e.kind != MEASURE and length == NODES:  # every integer is a node
        return x
    return draw_given_true(low, length, e, rng, true)


@kernel
def draw_true_at(x: float, e: Erring, rng: np.random.Generator, true: np.ndarray) -> None:
    """Draw which of the reports are true at x, given that at least one is."""
    n = e.value.shape[0]
    odds, none = np.empty(n), np.zeros(n + 1)
    for j in range(n - 1, -1, -1):
        odds[j] = e.truth[j] + log_stated(e.kind, e.value[j], x, e.error[j]) - e.base[j]
        none[j] = none[j + 1] - log_one_plus(odds[j])
    some = False
    for j in range(n):
        share = -math.expm1(-log_one_plus(odds[j]))
        if not some:  # given that one of those left is true
            share /= -math.expm1(none[j])
        true[j] = rng.random() < share
        some = some or true[j]


@kernel
def draw_each_true_at(x: float, e: Erring, rng: np.random.Generator, true: np.ndarray) -> None:
    """Draw which of the reports are true at x, if any."""
    for j in range(e.value.shape[0]):
        odds = e.truth[j] + log_stated(e.kind, e.value[j], x, e.error[j]) - e.base[j]
        true[j] = rng.random() < -math.expm1(-log_one_plus(odds))


@kernel
def draw_given_true(
    low: float, length: float, e: Erring, rng: np.random.Generator, true: np.ndarray
) -> float:
    """Draw the true value given which reports are true: of a count, in a panel, which is halved."""
    if e.kind == MEASURE:
        m, v = e.mean[0], e.spread[0] ** 2
        for j in range(e.value.shape[0]):
            if true[j]:
                both = v + e.error[j] ** 2
                m, v = m * (e.error[j] ** 2 / both) + e.value[j] * (v / both), v * (e.error[j] ** 2 / both)
        return m + rng.standard_normal() * math.sqrt(v)
    weight = np.empty(NODES)
    while length > NODES:
        length *= 0.5
        lower = log_joint(low, length, e, true, weight)
        upper = log_joint(low + length, length, e, true, weight)
        if np.log(rng.random()) < upper - log_add(lower, upper):
            low += length
    target = log_joint(low, length, e, true, weight) + np.log(1.0 - rng.random())
    total = -np.inf
    for k in range(NODES):
        total = log_add(total, weight[k])
        if total >= target:
            return low + k
    return low + weight.argmax()


@kernel
def log_joint(low: float, length: float, e: Erring, true: np.ndarray, weight: np.ndarray) -> float:
    """Return the log of the mean in a panel of f(x | s) times the densities of the true reports.

    Fills `weight` with what each node adds to it.
    """
    total, row = -np.inf, rule(e.kind, length)
    for k in range(NODES):
        x = low + length * NODE[row, k]
        weight[k] = log_number_density(e.kind, x, e.mean[0], e.spread[0]) + LOG_WEIGHT[row, k]
        for j in range(e.value.shape[0]):
            if true[j]:
                weight[k] += log_stated(e.kind, e.value[j], x, e.error[j])
        total = log_add(total, float(weight[k]))
    return total
