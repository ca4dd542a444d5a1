"""Data of a cell (one indicator in one period) that do not depend on theta, alone and as arrays.

The chance of one report given what happened, x, is

    P(y | x) = passed + (lost + own (1 - c r)) u(y) + own c r 1[y = x]

with r the reliability in force, c the credibility factor, u(y) the chance of y as noise:

    own report           passed = lost = 0         own = 1
    repeat               passed = 1 - b            own = b      where the original says the same
    original withdrawn   lost = 1 - b              own = b      or was corrected to another value

where b is the independence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from forecast.case.evidence import Report
from forecast.case.number_noise import log_noise
from forecast.case.question import Indicator
from forecast.model.error_nodes import error_nodes, spreads
from forecast.model.likelihood import CELL, Cells
from forecast.model.measurement_error import MOST_SETS
from forecast.model.parameters import MEASURE, Layout
from forecast.model.report_log import WITHDRAWN
from forecast.model.report_terms import ReportTerm, report_array


class CellContent(NamedTuple):
    """Everything the model needs of a cell, apart from theta."""

    indicator: int
    terms: tuple[ReportTerm, ...] = ()
    quiet: float = 1.0  # factor of a monitored indicator's silence, or of its report, where x is quiet
    active: float = 1.0  # ... where it is not
    ratio: bool = False  # that factor is over the chance that such a report claims what it did
    filed: int = -1  # slot of the chance that the earliest claim is filed
    silent: bool = False  # no claim was filed
    again: int = -1  # the value last stated, where a claim that it goes on has its own chance
    children: tuple[CellContent, ...] = ()


def flatten(contents: list[CellContent], layout: Layout | None = None) -> Cells:
    """Pack cell contents into arrays: cell n is contents[n]; child cells are appended.

    With a layout the nodes of numbers with measurement errors are prepared; else they are found at each use.
    """
    rows, child = list(contents), []
    for content in contents:
        child.append(len(rows))
        rows.extend(content.children)
    child += [0] * (len(rows) - len(contents))
    cell, end = np.zeros(len(rows), CELL), 0
    for n, row in enumerate(rows):
        first, end = end, end + len(row.terms)
        own = (row.indicator, row.quiet, row.active, row.ratio, row.filed, row.silent, row.again)
        cell[n] = (*own, child[n], len(row.children), first, end)
    report = report_array([row.terms for row in rows])
    return Cells(cell, report, _prepared_nodes(rows, cell["first"], report, layout))


def _prepared_nodes(
    rows: list[CellContent], first: np.ndarray, report: np.ndarray, layout: Layout | None
) -> np.ndarray:
    """Return the nodes of all cells, one after the other, and note in `report` where they are."""
    parts, begin = [np.empty(0)], 0
    for row, j in zip(rows, first, strict=True):
        if layout is not None and any(term.error for term in row.terms):
            a, i = layout.arrays, row.indicator
            if a.indicator[i]["kind"] == MEASURE and len(row.terms) <= MOST_SETS:
                continue  # in closed form
            nodes = error_nodes(int(a.indicator[i]["kind"]), spreads(i, a), row.terms)
            report[j]["node"], report[j]["nodes"] = begin, len(nodes)
            parts.append(nodes.ravel())
            begin += nodes.size
    return np.concatenate(parts)


class ReportDesign(NamedTuple):
    """How a report comes about, apart from what it states."""

    slot: int  # of its reliability in theta
    credibility: float  # factor on that
    independence: float  # the chance that it is not passed on: 1 for a report of its own
    originals: tuple[int, ...] = ()  # places in the cell of what it may pass on, or WITHDRAWN
    given: float | None = None  # what it states, where that is known and not to be drawn
    error: float = 0.0  # how far it may be off although it is reliable


def report_design(report: Report, originals: tuple[int, ...], layout: Layout) -> ReportDesign:
    """Return how a report comes about, its originals being those of :meth:`ReportLog.originals`."""
    independence = (report.independence or 0.0) if originals else 1.0
    question = layout.question
    error = question.indicator(report.indicator).error
    own = next((source.error for source in question.sources if source.id == report.source), None)
    return ReportDesign(
        layout.starts[str(report.judge)],
        question.credibility[report.credibility],
        independence,
        originals,
        error=error if own is None else own,
    )


def report_term(
    design: ReportDesign, stated: Sequence[float], value: float, layout: Layout, i: int
) -> ReportTerm:
    """Return a report's part in a cell's likelihood: it states `value`, the reports of the cell `stated`."""
    indicator = layout.question.indicators[i]
    same = any(stated[o] == value for o in design.originals if o != WITHDRAWN)
    lost = not same and WITHDRAWN in design.originals
    return ReportTerm(
        passed=(1.0 - design.independence) * same,
        lost=(1.0 - design.independence) * lost,
        own=design.independence,
        credibility=design.credibility,
        value=value,
        slot=design.slot,
        log_noise=0.0 if indicator.values else log_noise(indicator, value),
        error=0.0 if indicator.values else design.error,
    )


def value_code(report: Report, indicator: Indicator) -> float:
    """Return what a report states as a number: the index of a category's value, or the number itself."""
    assert report.value is not None
    return float(indicator.values.index(str(report.value))) if indicator.values else float(report.value)
