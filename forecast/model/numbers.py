"""Likelihood of a cell of numbers, a count's or a measure's, and draws of what happened in it.

The chance of one report of a number, given the true value x, is

    P(y | x) = passed 1[y = the original's] + lost u(y) + own (1 - c r) u(y) + own c r 1[y = x]

with r the reliability, c the credibility factor, u(y) the chance of y as noise. What all values x share is
called the base, the last term the truth. The true value is summed out,

    m(s) = N + sum_v f(v | s) (prod_j P(y_j | v) - N),     N = prod_j base_j,

over the stated numbers v: where no report is true, the value is free. All of it is in logarithms, and linear
in the number of reports: those that state the same number are linked to each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from forecast.model.densities import log_density
from forecast.model.jit import inlined, kernel
from forecast.model.logarithms import log_add, log_less_one, log_one_plus
from forecast.model.parameters import Arrays

#: Where a report comes from.
TRUTH, NOISE, PASSED, LOST = range(4)

REPORT = np.dtype(
    [
        ("passed", np.float64),  # the chance that it was passed on, where it states what its original does
        ("lost", np.float64),  # the chance that it was passed on of an original that is withdrawn
        ("own", np.float64),  # the chance that it is the source's own: 1 unless it repeats another
        ("credibility", np.float64),
        ("value", np.float64),  # index of a category, or the number stated
        ("slot", np.int64),  # the reliability's slot in theta
        ("log_noise", np.float64),  # log u(y) of a number
        ("error", np.float64),  # how far a reliable report of a number may be off, 0: it states the number
        ("alike", np.int64),  # how far it is to the next report of the cell that states the same, 0: none
        ("again", np.bool_),  # whether an earlier report of the cell states the same
    ],
    align=True,
)


class ReportTerm(NamedTuple):
    """One report's part in the likelihood of its cell: the first fields of REPORT."""

    passed: float
    lost: float
    own: float
    credibility: float
    value: float
    slot: int
    log_noise: float = 0.0
    error: float = 0.0


def report_array(cells: Sequence[Sequence[ReportTerm]]) -> np.ndarray:
    """Return the reports of cells, one after the other, as an array of REPORT; equal values are linked."""
    report = np.zeros(sum(len(terms) for terms in cells), REPORT)
    j = 0
    for terms in cells:
        last: dict[float, int] = {}
        for term in terms:
            before = last.get(term.value)
            report[j] = (*term, 0, before is not None)
            if before is not None:
                report[before]["alike"] = j - before
            last[term.value] = j
            j += 1
    return report


@inlined
def log_base(j: int, theta: np.ndarray, report: np.ndarray) -> float:
    """Return the log of the part of P(y | x) of a number that every value x shares."""
    noise = report[j].lost + report[j].own * (1.0 - report[j].credibility * theta[report[j].slot])
    return log_add(np.log(report[j].passed), np.log(noise) + report[j].log_noise)


@inlined
def log_truth(j: int, theta: np.ndarray, report: np.ndarray) -> float:
    """Return the log of the chance that a report tells what happened."""
    return np.log(report[j].own * report[j].credibility * theta[report[j].slot])


@inlined
def log_bases(first: int, end: int, theta: np.ndarray, report: np.ndarray) -> tuple[float, int]:
    """Return log N without the bases that are 0, and how many these are: reports that cannot be untrue."""
    total, sure = 0.0, 0
    for j in range(first, end):
        base = log_base(j, theta, report)
        if base == -np.inf:
            sure += 1
        else:
            total += base
    return total, sure


@inlined
def log_gain(j: int, total: float, sure: int, theta: np.ndarray, report: np.ndarray) -> float:
    """Return log(prod_k P(y_k | v) - N) for the number v that report j, the first of it, states.

    `total` and `sure` are those of :func:`log_bases`.
    """
    certain, more, step = sure > 0, 0.0, 1
    while step > 0:
        base, truth = log_base(j, theta, report), log_truth(j, theta, report)
        if base == -np.inf:
            sure, total = sure - 1, total + truth
        else:
            more += log_one_plus(truth - base)
        step = report[j].alike
        j += step
    if not certain:
        return total + log_less_one(more)
    return total + more if sure == 0 else -np.inf


@kernel
def log_number_cell(
    first: int, end: int, i: int, theta: np.ndarray, report: np.ndarray, a: Arrays, out: np.ndarray
) -> None:
    """Fill out[s] with log m(s) of a cell of indicator i with reports first..end - 1; -inf if impossible."""
    total, sure = log_bases(first, end, theta, report)
    for s in range(a.scenarios):
        out[s] = -np.inf if sure > 0 else total
    for j in range(first, end):
        if not report[j].again:
            gain = log_gain(j, total, sure, theta, report)
            if gain > -np.inf:
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
    a: Arrays,
    rng: np.random.Generator,
    origin: np.ndarray,
) -> float:
    """Draw the true value of a cell in scenario s and the origin of each report, given theta.

    Fills origin[j - first] with TRUTH, NOISE, PASSED or LOST. Returns the value, nan where no report is true:
    it is then free, and nothing was learned of it.
    """
    log_n, sure = log_bases(first, end, theta, report)
    total, chosen = -np.inf if sure > 0 else log_n, -1
    for j in range(first, end):
        if not report[j].again:
            weight = log_gain(j, log_n, sure, theta, report)
            weight += log_density(i, s, report[j].value, theta, a)
            if weight > -np.inf:
                total = log_add(total, weight)
                if np.log(rng.random()) < weight - total:
                    chosen = j
    for j in range(first, end):
        origin[j - first] = draw_untrue(j, theta, report, rng)
    if chosen < 0:
        return np.nan
    draw_true(chosen, first, theta, report, rng, origin)
    return report[chosen].value


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
