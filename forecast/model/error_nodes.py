"""Nodes for summing out the true value of a cell with measurement errors, prepared once a cell.

What the reports say of a value x, g_j(x), does not depend on the judgements, and of f(x | s) only two numbers
do: log f(x | m) = log f(y | m) + d(x) + (x - y) D(m) for a count, y the first number stated. So the panels of
:mod:`forecast.model.measurement_error` are found once a cell, as if every reliability were as high as it may
be, and g and d kept by node; then a likelihood takes one exponential a node and scenario.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from forecast.model.densities import log_number_density
from forecast.model.jit import kernel
from forecast.model.measurement_error import (
    LEAST_DOUBT,
    NEGLIGIBLE,
    Erring,
    is_narrow,
    log_most,
    log_stated,
    precision_of_value,
    rule,
)
from forecast.model.parameters import MEASURE, Arrays
from forecast.model.quadrature import LOG_WEIGHT, NODE, NODES
from forecast.model.report_terms import ReportTerm

#: More nodes than these are not kept: where a count is large and exact, nearly all of them have no weight.
MOST_NODES = 1600


@lru_cache(maxsize=4096)
def error_nodes(
    kind: int, spread: tuple[float, ...], terms: tuple[ReportTerm, ...], most: int = MOST_NODES
) -> np.ndarray:
    """Return the nodes of a cell of which some reports have a measurement error.

    Parameters
    ----------
    kind : int
        POISSON, NEGATIVE_BINOMIAL or MEASURE.
    spread : tuple of float
        What :func:`spreads` returns.
    terms : tuple of ReportTerm
        The cell's reports.
    most : int
        So many nodes at most.

    Returns
    -------
    numpy.ndarray
        (M, 4 + n): the value x, the logarithm of its weight (of a count with d(x)), the panel's begin and
        length, and g_j(x) of each of the n reports with an error. M is 0 if there are none, or too many.
    """
    terms = tuple(term for term in terms if may_err(term))
    e = _least_erring(kind, spread, terms)
    if not terms:
        return np.empty((0, 4))
    panels = np.empty((most // NODES + 1, 2))
    count = find_panels(e, *_window(e), panels)
    nodes = np.empty((count * NODES if count <= most // NODES else 0, 4 + len(terms)))
    fill_nodes(e, panels, nodes)
    return nodes


def spreads(i: int, a: Arrays) -> tuple[float, ...]:
    """Return the dispersion of a count (0 if Poisson), or the known sd of a measure, by scenario."""
    indicator = a.indicator[i]
    if indicator["kind"] != MEASURE:
        return (float(indicator["dispersion"]),) * a.scenarios
    start = int(indicator["start"])
    return tuple(a.slot["sd"][start : start + a.scenarios].tolist())


def may_err(term: ReportTerm) -> bool:
    """Tell whether a report may be true, and off by a measurement error then."""
    return term.error > 0.0 and term.own * term.credibility > 0.0


def _least_erring(kind: int, spread: tuple[float, ...], terms: Sequence[ReportTerm]) -> Erring:
    """Return the reports with their reliabilities as high as they may be."""
    base = [
        np.logaddexp(
            np.log(max(t.passed, 5e-324)),
            np.log(t.lost + t.own * (1.0 - t.credibility * (1.0 - LEAST_DOUBT))) + t.log_noise,
        )
        for t in terms
    ]
    return Erring(
        kind,
        np.array([t.value for t in terms]),
        np.array([t.error for t in terms]),
        np.array(base),
        np.log([t.own * t.credibility for t in terms]),
        np.zeros(len(spread)),
        np.array(spread),
        np.empty((0, 4 + len(terms))),
    )


def _window(e: Erring) -> tuple[float, float]:
    """Return begin and length of a panel beyond which no report matters."""
    peak = e.truth - e.base - (np.log(e.error) + 0.5 * math.log(2 * math.pi) if e.kind == MEASURE else 0.0)
    reach = e.error * np.sqrt(2.0 * (np.maximum(peak, 0.0) + NEGLIGIBLE))
    if e.kind == MEASURE:
        low, high = float((e.value - reach).min()), float((e.value + reach).max())
        return low, high - low
    top = float(((e.value + 2.0) * np.exp(np.minimum(reach, 300.0))).max())
    return 0.0, float(NODES * 2.0 ** max(math.ceil(math.log2(top / NODES)), 0))


@kernel
def find_panels(e: Erring, low: float, length: float, panels: np.ndarray) -> int:
    """Fill in begin and length of the panels in which a report matters; return how many there are."""
    begin, size, depth, count, nothing = np.empty(2100), np.empty(2100), 0, 0, e.base.sum()
    begin[0], size[0] = low, length
    while depth >= 0:
        low, length = begin[depth], size[depth]
        depth -= 1
        high = low + length - (0.0 if e.kind == MEASURE else 1.0)
        most, precision = log_most(low, high, e)
        if most - nothing > -NEGLIGIBLE:
            steepest = 0.0
            for s in range(e.spread.shape[0]):
                steepest = max(steepest, precision_of_value(low, s, e))
            if not is_narrow(low, length, precision + steepest, e):
                begin[depth + 1], begin[depth + 2] = low + 0.5 * length, low
                size[depth + 1] = size[depth + 2] = 0.5 * length
                depth += 2
            else:
                if count == panels.shape[0]:
                    return count + 1
                panels[count, 0], panels[count, 1] = low, length
                count += 1
    return count


@kernel
def fill_nodes(e: Erring, panels: np.ndarray, nodes: np.ndarray) -> None:
    """Fill in the rows of :func:`error_nodes`."""
    y = max(e.value[0], 1.0)
    for m in range(nodes.shape[0]):
        low, length = panels[m // NODES, 0], panels[m // NODES, 1]
        row = rule(e.kind, length)
        x = low + length * NODE[row, m % NODES]
        nodes[m, 0], nodes[m, 1] = x, LOG_WEIGHT[row, m % NODES] + math.log(length)
        if e.kind != MEASURE:
            nodes[m, 1] += log_number_density(e.kind, x, y, e.spread[0])
            nodes[m, 1] -= log_number_density(e.kind, y, y, e.spread[0])
        nodes[m, 2], nodes[m, 3] = low, length
        for j in range(e.value.shape[0]):
            nodes[m, 4 + j] = math.exp(log_stated(e.kind, e.value[j], x, e.error[j]))
