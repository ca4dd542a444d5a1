"""Likelihood of a cell: its reports and silence in each scenario, the true value summed out.

For one cell (indicator i, period t) the value x is summed out,

    m(s) = sum_x f(x | s) d(x) prod_j P(y_j | x)
    P(y | x) = keep + noise (1 - c r) + truth r 1[y = x]

with f the indicator's likelihood (mixed with the held value where a state persists), d(x) the factor of
silence, r the reliability, c the credibility factor; keep, noise and truth are those of
:mod:`forecast.model.cells`. A count or measure has

    m(s) = N + sum_v f(v | s) (prod_j P(y_j | v) - N),     N = prod_j (keep_j + noise_j (1 - c_j r_j)),

the sum over the reported values: where no report is true, the value is free.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from forecast.model.jit import inlined, kernel
from forecast.model.parameters import CATEGORY, MEASURE, NEGATIVE_BINOMIAL, POISSON, Arrays

#: Decibans in a natural logarithm of 1: weights of evidence are 10 log10 likelihood ratios (Good 1950).
DECIBAN = 10 / np.log(10)


class Cells(NamedTuple):
    """Cells and their reports as flat records; nothing here depends on theta."""

    cell: np.ndarray  # (C,) of CELL
    report: np.ndarray  # (J,) of REPORT


CELL = np.dtype(
    [
        ("indicator", np.int64),
        ("quiet", np.float64),  # factor of silence where x is the quiet value, 1 without silence
        ("active", np.float64),  # factor of silence where it is not
        ("hold", np.float64),  # q^g: the chance that the last reported value went on
        ("held", np.int64),  # index of that value
        ("child", np.int64),  # first of the cells that exist only where x is not the quiet value
        ("children", np.int64),  # how many
        ("first", np.int64),  # first report
        ("end", np.int64),  # one past the last report
    ],
    align=True,
)

REPORT = np.dtype(
    [
        ("keep", np.float64),
        ("noise", np.float64),
        ("truth", np.float64),
        ("credibility", np.float64),
        ("value", np.float64),  # index of a category, or the number stated
        ("slot", np.int64),  # the reliability's slot in theta
    ],
    align=True,
)


@inlined
def place(i: int, s: int, a: Arrays) -> int:
    """Return the first slot of the likelihood of indicator i in scenario s."""
    return a.indicator[i].start + s * a.indicator[i].size


@inlined
def base_chance(j: int, theta: np.ndarray, cells: Cells) -> float:
    """Return the part of P(y | x) that every value x shares."""
    chance = 1.0 - cells.report[j].credibility * theta[cells.report[j].slot]
    return cells.report[j].keep + cells.report[j].noise * chance


@inlined
def base_product(c: int, theta: np.ndarray, cells: Cells) -> float:
    """Return N, the product of these parts over all reports of a cell."""
    product = 1.0
    for j in range(cells.cell[c].first, cells.cell[c].end):
        product *= base_chance(j, theta, cells)
    return product


@inlined
def value_weights(c: int, size: int, theta: np.ndarray, cells: Cells, buffer: np.ndarray, part: int) -> None:
    """Fill buffer[part, x] with d(x) prod_j P(y_j | x) for the values of a category."""
    buffer[part, 0] = cells.cell[c].quiet
    for x in range(1, size):
        buffer[part, x] = cells.cell[c].active
    for j in range(cells.cell[c].first, cells.cell[c].end):
        rest, y = base_chance(j, theta, cells), cells.report[j].value
        truth = cells.report[j].truth * theta[cells.report[j].slot]
        for x in range(size):
            buffer[part, x] *= rest + truth if x == y else rest


@inlined
def frequency(c: int, x: int, start: int, theta: np.ndarray, cells: Cells) -> float:
    """Return f(x | s) of a category whose slots begin at `start`, the held value mixed in."""
    fresh = (1.0 - cells.cell[c].hold) * theta[start + x]
    return fresh + cells.cell[c].hold if x == cells.cell[c].held else fresh


@inlined
def log_density(i: int, s: int, y: float, theta: np.ndarray, a: Arrays) -> float:
    """Return log f(y | s) of a count or a measure."""
    m = theta[place(i, s, a)]
    if a.indicator[i].kind != MEASURE and m == 0.0:
        return 0.0 if y == 0.0 else -np.inf
    if a.indicator[i].kind == POISSON:
        return y * math.log(m) - m - math.lgamma(y + 1.0)
    if a.indicator[i].kind == NEGATIVE_BINOMIAL:
        k = a.indicator[i].dispersion
        choose = math.lgamma(y + k) - math.lgamma(k) - math.lgamma(y + 1.0)
        return choose + k * math.log(k / (k + m)) + y * math.log(m / (k + m))
    z = (y - m) / a.slot[place(i, s, a)].sd
    return -0.5 * z * z - math.log(a.slot[place(i, s, a)].sd) - 0.9189385332046727


def density(a: Arrays, i: int, mean: np.ndarray, s: np.ndarray, y: float) -> np.ndarray:
    """Return f(y | s) of a count or a measure with these means, in scenarios s, for many at once."""
    kind, k = a.indicator[i]["kind"], float(a.indicator[i]["dispersion"])
    if kind == MEASURE:
        sd = known_sd(a, i)[s]
        return np.exp(-0.5 * ((y - mean) / sd) ** 2) / (sd * math.sqrt(2 * math.pi))
    with np.errstate(divide="ignore"):
        if kind != NEGATIVE_BINOMIAL:
            return np.exp((y * np.log(mean) if y else 0.0) - mean - math.lgamma(y + 1))
        choose = math.lgamma(y + k) - math.lgamma(k) - math.lgamma(y + 1)
        return np.exp(choose + k * np.log(k / (k + mean)) + (y * np.log(mean / (k + mean)) if y else 0.0))


def known_sd(a: Arrays, i: int) -> np.ndarray:
    """Return the known standard deviation of a measure in each scenario, (K,)."""
    start = a.indicator[i]["start"]
    return a.slot["sd"][start : start + a.scenarios]


@inlined
def truth_gain(c: int, v: float, theta: np.ndarray, cells: Cells) -> float:
    """Return prod_j P(y_j | v) - N, the part of a number's likelihood in which some report of v is true."""
    product = 1.0
    for j in range(cells.cell[c].first, cells.cell[c].end):
        truth = cells.report[j].truth * theta[cells.report[j].slot] if cells.report[j].value == v else 0.0
        product *= base_chance(j, theta, cells) + truth
    return product - base_product(c, theta, cells)


@inlined
def stated_before(c: int, j: int, cells: Cells) -> bool:
    """Tell whether an earlier report of the cell states the same number as report j."""
    stated = False
    for i in range(cells.cell[c].first, j):
        stated |= cells.report[i].value == cells.report[j].value
    return stated


@inlined
def log_add(x: float, y: float) -> float:
    """Return log(exp(x) + exp(y))."""
    high, low = (x, y) if x > y else (y, x)
    return high if low == -np.inf else high + math.log1p(math.exp(low - high))


@inlined
def log_number(c: int, s: int, theta: np.ndarray, cells: Cells, a: Arrays) -> float:
    """Return log m(s) of a count's or measure's cell."""
    i = cells.cell[c].indicator
    total = np.log(base_product(c, theta, cells))
    for j in range(cells.cell[c].first, cells.cell[c].end):
        if not stated_before(c, j, cells):
            gain = np.log(max(truth_gain(c, cells.report[j].value, theta, cells), 0.0))
            total = log_add(total, gain + log_density(i, s, cells.report[j].value, theta, a))
    return total


@inlined
def category(
    c: int, s: int, buffer: np.ndarray, part: int, theta: np.ndarray, cells: Cells, a: Arrays
) -> float:
    """Return m(s) of a category's cell from its value weights buffer[part]."""
    i, hold, total = cells.cell[c].indicator, cells.cell[c].hold, 0.0
    start, size = place(i, s, a), a.indicator[i].size
    for x in range(size):
        total += theta[start + x] * buffer[part, x]
    return total if hold == 0.0 else (1.0 - hold) * total + hold * buffer[part, cells.cell[c].held]


@inlined
def log_cell(
    c: int, theta: np.ndarray, cells: Cells, a: Arrays, buffer: np.ndarray, out: np.ndarray, row: int
) -> bool:
    """Fill out[row, s] with m(s), or with log m(s) for numbers; return whether it is the logarithm.

    `buffer` is scratch of shape (2, largest number of values).
    """
    i = cells.cell[c].indicator
    if a.indicator[i].kind != CATEGORY:
        for s in range(a.scenarios):
            out[row, s] = log_number(c, s, theta, cells, a)
        return True
    value_weights(c, a.indicator[i].size, theta, cells, buffer, 0)
    if cells.cell[c].children == 0:
        for s in range(a.scenarios):
            out[row, s] = category(c, s, buffer, 0, theta, cells, a)
    else:
        pair(c, theta, cells, a, buffer, out, row)
    return False


@inlined
def pair(
    c: int, theta: np.ndarray, cells: Cells, a: Arrays, buffer: np.ndarray, out: np.ndarray, row: int
) -> None:
    """Fill out[row, s] with m(s) of a cell on which others depend; buffer[0] holds its own value weights.

    m(s) = f(quiet | s) d(quiet) prod_j P(y_j | quiet) N' + sum over other x of (...) m'(s), with N' the
    product of the base chances and m' the likelihood of the cells that exist only where x is not quiet.
    """
    i, without = cells.cell[c].indicator, 1.0
    for s in range(a.scenarios):
        out[row, s] = 1.0
    for child in range(cells.cell[c].child, cells.cell[c].child + cells.cell[c].children):
        value_weights(child, a.indicator[cells.cell[child].indicator].size, theta, cells, buffer, 1)
        without *= cells.cell[child].quiet * base_product(child, theta, cells)
        for s in range(a.scenarios):
            out[row, s] *= category(child, s, buffer, 1, theta, cells, a)
    for s in range(a.scenarios):
        quiet = frequency(c, 0, place(i, s, a), theta, cells) * buffer[0, 0]
        event = max(category(c, s, buffer, 0, theta, cells, a) - quiet, 0.0)
        out[row, s] = quiet * without + event * out[row, s]


@kernel
def log_cells(theta: np.ndarray, ids: np.ndarray, cells: Cells, a: Arrays, out: np.ndarray) -> None:
    """Fill out (cell, scenario) with log m(s) of the cells `ids` at one theta (D,)."""
    buffer = np.empty((2, a.values))
    for n in range(ids.shape[0]):
        if not log_cell(ids[n], theta, cells, a, buffer, out, n):
            for s in range(out.shape[1]):
                out[n, s] = np.log(out[n, s])
