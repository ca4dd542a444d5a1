"""Likelihood of a cell of numbers, a count's or a measure's, and draws of what happened in it.

The chance of one report, P(y | x), is that of :mod:`forecast.model.report_terms`. The true value x is summed
out,

    m(s) = N + sum_v f(v | s) (prod_j P(y_j | v) - N),     N = prod_j base_j,

over the stated numbers v: where no report is true, the value is free. Reports with a measurement error share
one true value, which is integrated out (:mod:`forecast.model.measurement_error`). All of it is in logarithms,
and linear in the number of reports: those that state the same number are linked to each other.
"""

from __future__ import annotations

import math

import numpy as np

from forecast.model.densities import log_density, spread
from forecast.model.jit import inlined, kernel
from forecast.model.logarithms import log_add, log_less_one, log_one_plus
from forecast.model.measurement_error import (
    LEAST_DOUBT,
    Erring,
    add_values,
    draw_each_true_at,
    draw_value,
    log_reports,
)
from forecast.model.parameters import MEASURE, Arrays
from forecast.model.report_terms import LOST, NOISE, PASSED, TRUTH, log_base, log_truth


@kernel
def has_error(first: int, end: int, report: np.ndarray) -> bool:
    """Tell whether any report of a cell has a measurement error."""
    some = False
    for j in range(first, end):
        some |= report[j].error > 0.0
    return some


@inlined
def log_bases(first: int, end: int, theta: np.ndarray, report: np.ndarray) -> tuple[float, int]:
    """Return log N without the bases that are 0, how many these are: reports that are certainly true."""
    total, certain = 0.0, 0
    for j in range(first, end):
        if not may_err(j, report):
            base = log_base(j, theta, report)
            if base == -np.inf:
                certain += 1
            else:
                total += base
    return total, certain


@inlined
def may_err(j: int, report: np.ndarray) -> bool:
    """Tell whether a report may be true, and off by a measurement error then."""
    return report[j].error > 0.0 and report[j].own * report[j].credibility > 0.0


@kernel
def erring(
    first: int,
    end: int,
    i: int,
    low: int,
    high: int,
    theta: np.ndarray,
    report: np.ndarray,
    node: np.ndarray,
    a: Arrays,
) -> Erring:
    """Return the reports that may err, and the densities of the true value in scenarios low..high - 1."""
    n, k = 0, 0
    for j in range(first, end):
        n += may_err(j, report)
    value, error, base, truth = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    nodes = report[first].nodes
    for j in range(first, end):
        if may_err(j, report):
            value[k], error[k] = report[j].value, report[j].error
            base[k], truth[k] = log_base(j, theta, report), log_truth(j, theta, report)
            if theta[report[j].slot] > 1.0 - LEAST_DOUBT or truth[k] - base[k] > 300.0:
                nodes = 0
            k += 1
    mean, scale = np.empty(high - low), np.empty(high - low)
    for s in range(low, high):
        mean[s - low], scale[s - low] = theta[a.indicator[i].start + s], spread(i, s, a)
        if a.indicator[i].kind != MEASURE and mean[s - low] == 0.0:
            nodes = 0
    begin = report[first].node
    kept = node[begin : begin + nodes * (4 + n)].reshape((nodes, 4 + n))
    return Erring(a.indicator[i].kind, value, error, base, truth, mean, scale, kept)


@inlined
def log_gain(j: int, total: float, certain: int, theta: np.ndarray, report: np.ndarray) -> float:
    """Return log(prod_k P(y_k | v) - N) for the number v that report j, the first of it, states.

    `total` and `certain` are those of :func:`log_bases`.
    """
    free, more, step = certain == 0, 0.0, 1
    while step > 0:
        base, truth = log_base(j, theta, report), log_truth(j, theta, report)
        if base == -np.inf:
            certain, total = certain - 1, total + truth
        else:
            more += log_one_plus(truth - base)
        step = report[j].alike
        j += step
    if free:
        return total + log_less_one(more)
    return total + more if certain == 0 else -np.inf


@kernel
def log_number_cell(
    first: int,
    end: int,
    i: int,
    theta: np.ndarray,
    report: np.ndarray,
    node: np.ndarray,
    a: Arrays,
    out: np.ndarray,
) -> None:
    """Fill out[s] with log m(s) of a cell of indicator i with reports first..end - 1; -inf if impossible."""
    if has_error(first, end, report):
        log_erring_cell(first, end, i, theta, report, node, a, out)
        return
    total, certain = log_bases(first, end, theta, report)
    for s in range(a.scenarios):
        out[s] = -np.inf if certain > 0 else total
    for j in range(first, end):
        if not report[j].again:
            gain = log_gain(j, total, certain, theta, report)
            if gain > -np.inf:
                for s in range(a.scenarios):
                    out[s] = log_add(out[s], gain + log_density(i, s, report[j].value, theta, a))


@kernel
def log_erring_cell(
    first: int,
    end: int,
    i: int,
    theta: np.ndarray,
    report: np.ndarray,
    node: np.ndarray,
    a: Arrays,
    out: np.ndarray,
) -> None:
    """Fill out[s] with log m(s) where some reports have a measurement error: h(x) is their product.

    m(s) = N sum_x f(x | s) h(x) + sum_v f(v | s) h(v) (prod_j P(y_j | v) - N), with N and the last product
    those of the reports without error, and v the numbers that these state.
    """
    total, certain = log_bases(first, end, theta, report)
    e = erring(first, end, i, 0, a.scenarios, theta, report, node, a)
    add_values(e, out)
    for s in range(a.scenarios):
        out[s] = -np.inf if certain > 0 else out[s] + total
    for j in range(first, end):
        if report[j].error == 0.0 and not report[j].again:
            gain = log_gain(j, total, certain, theta, report) + log_reports(report[j].value, e)
            for s in range(a.scenarios):
                out[s] = log_add(out[s], gain + log_density(i, s, report[j].value, theta, a))


@kernel
def draw_number(
    first: int,
    end: int,
    i: int,
    s: int,
    theta: np.ndarray,
    report: np.ndarray,
    node: np.ndarray,
    a: Arrays,
    rng: np.random.Generator,
    origin: np.ndarray,
) -> float:
    """Draw the true value of a cell in scenario s and the origin of each report, given theta.

    Fills origin[j - first] with TRUTH, NOISE, PASSED or LOST. Returns the value, nan where no report is true:
    it is then free, and nothing was learned of it.
    """
    for j in range(first, end):
        origin[j - first] = draw_untrue(j, theta, report, rng)
    e, out = erring(first, end, i, s, s + 1, theta, report, node, a), np.empty(1)
    add_values(e, out)
    log_n, certain = log_bases(first, end, theta, report)
    total, chosen = -np.inf if certain > 0 else log_n + out[0], -1
    for j in range(first, end):
        if report[j].error == 0.0 and not report[j].again:
            y = report[j].value
            weight = log_gain(j, log_n, certain, theta, report) + log_density(i, s, y, theta, a)
            weight += log_reports(y, e)
            if weight > -np.inf:
                total = log_add(total, weight)
                if np.log(rng.random()) < weight - total:
                    chosen = j
    true = np.zeros(e.value.shape[0], np.bool_)
    if chosen >= 0:
        x = report[chosen].value
        draw_true(chosen, first, theta, report, rng, origin)
        draw_each_true_at(x, e, rng, true)
    else:
        x = draw_value(e, rng, true)
    k = 0
    for j in range(first, end):
        if may_err(j, report):
            origin[j - first] = TRUTH if true[k] else origin[j - first]
            k += 1
    return x


@inlined
def draw_untrue(j: int, theta: np.ndarray, report: np.ndarray, rng: np.random.Generator) -> int:
    """Draw the origin of a report that does not tell what happened."""
    base = log_base(j, theta, report)
    u = rng.random() - math.exp(np.log(report[j].passed) - base)
    if u < 0.0:
        return PASSED
    u -= math.exp(np.log(report[j].lost) + report[j].log_noise - base)
    return LOST if u < 0.0 else NOISE


@inlined
def draw_true(
    j: int, first: int, theta: np.ndarray, report: np.ndarray, rng: np.random.Generator, origin: np.ndarray
) -> None:
    """Draw which of the reports of a number, j being the first of it, are true: at least one is."""
    log_none, k, step, last, some = 0.0, j, 1, j, False
    while step > 0:
        truth = log_truth(k, theta, report)
        log_none -= log_one_plus(truth - log_base(k, theta, report))
        last = k if truth > -np.inf else last
        step = report[k].alike
        k += step
    k, step = j, 1
    while step > 0:
        more = log_one_plus(log_truth(k, theta, report) - log_base(k, theta, report))
        share = -math.expm1(-more)
        if not some:  # given that one of those left is true
            share = 1.0 if k == last else share / -math.expm1(log_none)
        if rng.random() < share:
            origin[k - first], some = TRUTH, True
        log_none += more
        step = report[k].alike
        k += step
