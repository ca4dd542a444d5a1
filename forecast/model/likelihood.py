"""Likelihood of a cell: its reports and silence in each scenario, the true value summed out, in logarithms.

For one cell (indicator i, period t) of a category the value x is summed out,

    m(s) = sum_x p(x | s) W(x),     W(x) = d(x) prod_j P(y_j | x)

with p the indicator's likelihood f, or, where it persists, the predictive probability of its hidden value
(:mod:`forecast.model.hmm`), and P(y | x) that of :mod:`forecast.model.cells`. d(x) is the chance that the
cell's reports were filed, or that none was:

    claims      d_y of the earliest claim y; without one 1 - sum_y P(y | x) d_y, the reliability at its mean
    monitored   detection or false alarm over P(y is not quiet | x); without a report 1 - these
    ignored     1

with d_y the chance that a claim is filed: by whether it is of the quiet value, of another, or of the value
last stated. As noise y has the chance u(quiet) = 1 - nu, the others share nu; any value alike where reporting
is ignored. Counts and measures are in :mod:`forecast.model.numbers`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from forecast.model.jit import inlined, kernel
from forecast.model.numbers import log_number_cell
from forecast.model.parameters import CATEGORY, Arrays

#: Decibans in a natural logarithm of 1: weights of evidence are 10 log10 likelihood ratios (Good 1950).
DECIBAN = 10 / np.log(10)

_SMALL = 1e-280


class Cells(NamedTuple):
    """Cells and their reports as flat records; nothing here depends on theta."""

    cell: np.ndarray  # (C,) of CELL
    report: np.ndarray  # (J,) of REPORT
    node: np.ndarray  # nodes of cells of numbers with measurement errors, see forecast.model.error_nodes


CELL = np.dtype(
    [
        ("indicator", np.int64),
        ("quiet", np.float64),  # monitored: factor where x is the quiet value; else 1
        ("active", np.float64),  # monitored: factor where it is not; else 1
        ("ratio", np.int64),  # whether these are over the chance that a report of anything else claims so
        ("filed", np.int64),  # slot of the chance that the earliest claim is filed, -1
        ("silent", np.int64),  # whether no claim was filed is evidence
        ("again", np.int64),  # the value last stated, -1
        ("child", np.int64),  # first of the cells that exist only where x is not the quiet value
        ("children", np.int64),  # how many
        ("first", np.int64),  # first report
        ("end", np.int64),  # one past the last report
    ],
    align=True,
)


@inlined
def place(i: int, s: int, a: Arrays) -> int:
    """Return the first slot of the likelihood of indicator i in scenario s."""
    return a.indicator[i].start + s * a.indicator[i].size


@inlined
def noise_chance(i: int, y: int, theta: np.ndarray, a: Arrays) -> float:
    """Return u(y), the chance of a value of a category as noise."""
    if a.indicator[i].quiet < 0:
        return 1.0 / a.indicator[i].size
    nu = theta[a.noise]
    return 1.0 - nu if y == a.indicator[i].quiet else nu / (a.indicator[i].size - 1)


@inlined
def base_chance(i: int, j: int, theta: np.ndarray, cells: Cells, a: Arrays) -> float:
    """Return the part of P(y | x) of a category that every value x shares."""
    report = cells.report[j]
    noise = report.lost + report.own * (1.0 - report.credibility * theta[report.slot])
    return report.passed + noise * noise_chance(i, int(report.value), theta, a)


@inlined
def log_base_product(c: int, theta: np.ndarray, cells: Cells, a: Arrays) -> float:
    """Return the sum of the logarithms of these parts over all reports of a category's cell."""
    total = 0.0
    for j in range(cells.cell[c].first, cells.cell[c].end):
        total += np.log(base_chance(cells.cell[c].indicator, j, theta, cells, a))
    return total


@inlined
def filed_chance(i: int, y: int, again: int, theta: np.ndarray, a: Arrays) -> float:
    """Return d_y, the chance that a claim of y is filed."""
    return theta[filed_slot(i, y, again, a)]


@inlined
def filed_slot(i: int, y: int, again: int, a: Arrays) -> int:
    """Return the slot of d_y."""
    if y == a.indicator[i].quiet:
        return a.indicator[i].none
    return a.indicator[i].again if y == again else a.indicator[i].event


@inlined
def log_silence(i: int, x: int, again: int, theta: np.ndarray, a: Arrays) -> float:
    """Return log(1 - sum_y P(y | x) d_y), the chance that no claim is filed, the reliability at its mean."""
    r, filed = a.mean_reliability, 0.0
    for y in range(a.indicator[i].size):
        filed += noise_chance(i, y, theta, a) * filed_chance(i, y, again, theta, a)
    return np.log1p(-r * filed_chance(i, x, again, theta, a) - (1.0 - r) * filed)


@inlined
def claims_event(i: int, active: bool, theta: np.ndarray, a: Arrays) -> float:
    """Return P(y is not quiet | x) of a report of mean reliability on a monitored indicator."""
    size, r = a.indicator[i].size, a.mean_reliability
    noise = (size - 1.0) / size if a.indicator[i].quiet < 0 else theta[a.noise]
    return (1.0 - r) * noise + (r if active else 0.0)


@inlined
def log_reporting(c: int, x: int, theta: np.ndarray, cells: Cells, a: Arrays) -> float:
    """Return log d(x): that the reports of a cell were filed, or that none was."""
    cell = cells.cell[c]
    i, total = cell.indicator, 0.0
    if cell.silent:
        total += log_silence(i, x, cell.again, theta, a)
    if cell.filed >= 0:
        total += np.log(theta[cell.filed])
    total += np.log(cell.quiet if x == 0 else cell.active)
    if cell.ratio:
        total -= np.log(claims_event(i, x > 0, theta, a))
    return total


@inlined
def log_value_weights(
    c: int, theta: np.ndarray, cells: Cells, a: Arrays, buffer: np.ndarray, part: int
) -> None:
    """Fill buffer[part, x] with log W(x) for the values of a category, children aside."""
    i = cells.cell[c].indicator
    for x in range(a.indicator[i].size):
        buffer[part, x] = log_reporting(c, x, theta, cells, a)
    for j in range(cells.cell[c].first, cells.cell[c].end):
        rest, y = base_chance(i, j, theta, cells, a), cells.report[j].value
        truth = cells.report[j].own * cells.report[j].credibility * theta[cells.report[j].slot]
        log_rest, log_same = np.log(rest), np.log(rest + truth)
        for x in range(a.indicator[i].size):
            buffer[part, x] += log_same if x == y else log_rest


@inlined
def log_mean(weight: np.ndarray, log_w: np.ndarray, size: int) -> float:
    """Return log sum_x weight[x] exp(log_w[x]), without underflow."""
    high = -np.inf
    for x in range(size):
        if weight[x] > 0.0:
            high = max(high, log_w[x])
    if high == -np.inf:
        return -np.inf
    total = 0.0
    for x in range(size):
        if weight[x] > 0.0:
            total += weight[x] * np.exp(log_w[x] - high)
    return high + np.log(total)


@inlined
def log_category(c: int, s: int, log_w: np.ndarray, theta: np.ndarray, cells: Cells, a: Arrays) -> float:
    """Return log m(s) of a category's cell from its log W(x), where each period has a fresh value."""
    i = cells.cell[c].indicator
    return log_mean(theta[place(i, s, a) :], log_w, a.indicator[i].size)


@inlined
def log_cell_weights(
    c: int, theta: np.ndarray, cells: Cells, a: Arrays, buffer: np.ndarray, out: np.ndarray
) -> None:
    """Fill out[s, x] with log W(x) of a category's cell, those included that are given it.

    Where x is quiet the reports of a child are noise; else its own likelihood m'(s) is a factor.
    """
    i, without = cells.cell[c].indicator, 0.0
    size = a.indicator[i].size
    log_value_weights(c, theta, cells, a, buffer, 0)
    for s in range(a.scenarios):
        for x in range(size):
            out[s, x] = buffer[0, x]
    for child in range(cells.cell[c].child, cells.cell[c].child + cells.cell[c].children):
        log_value_weights(child, theta, cells, a, buffer, 1)
        without += log_reporting(child, 0, theta, cells, a) + log_base_product(child, theta, cells, a)
        for s in range(a.scenarios):
            event = log_category(child, s, buffer[1], theta, cells, a)
            for x in range(1, size):
                out[s, x] += event
    for s in range(a.scenarios):
        out[s, 0] += without


@inlined
def log_cell(
    c: int,
    theta: np.ndarray,
    cells: Cells,
    a: Arrays,
    buffer: np.ndarray,
    weight: np.ndarray,
    out: np.ndarray,
) -> None:
    """Fill out (K,) with log m(s) of a cell whose value is fresh.

    `buffer` (2, V) and `weight` (K, V), which is filled with log W(x), are scratch.
    """
    i = cells.cell[c].indicator
    if a.indicator[i].kind != CATEGORY:
        log_number_cell(cells.cell[c].first, cells.cell[c].end, i, theta, cells.report, cells.node, a, out)
        return
    log_cell_weights(c, theta, cells, a, buffer, weight)
    for s in range(a.scenarios):
        out[s] = log_category(c, s, weight[s], theta, cells, a)


@kernel
def log_cells(theta: np.ndarray, ids: np.ndarray, cells: Cells, a: Arrays, out: np.ndarray) -> None:
    """Fill out (cell, scenario) with log m(s) of the cells `ids` at one theta (D,), their values fresh."""
    buffer, weight = np.empty((2, a.values)), np.empty((a.scenarios, a.values))
    for n in range(ids.shape[0]):
        log_cell(ids[n], theta, cells, a, buffer, weight, out[n])


@kernel
def log_weights(theta: np.ndarray, ids: np.ndarray, cells: Cells, a: Arrays, out: np.ndarray) -> None:
    """Fill out (cell, scenario, value) with log W(x) of the cells `ids`, all of categories, at one theta."""
    buffer = np.empty((2, a.values))
    for n in range(ids.shape[0]):
        log_cell_weights(ids[n], theta, cells, a, buffer, out[n])
