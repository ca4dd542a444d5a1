"""Data of a cell (one indicator in one period) that do not depend on theta, alone and as arrays.

The chance of one report given what happened, x, is

    P(y | x) = keep + noise (1 - c r) + truth r 1[y = x]

with r the reliability in force, c the credibility factor, u(y) the chance of y as noise:

    own report           keep = 0                       noise = u,    truth = c
    repeat               keep = (1 - b) 1[y = y_0]      noise = b u,  truth = b c
    original withdrawn   keep = (1 - b) u(y)            noise = b u,  truth = b c

where b is the independence and y_0 the original's value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from forecast.case.evidence import Report
from forecast.case.judgement import MeasureMean, Positive
from forecast.case.question import Indicator
from forecast.model.likelihood import CELL, REPORT, Cells
from forecast.model.parameters import TINY, Layout
from forecast.model.report_log import WITHDRAWN


class CellContent(NamedTuple):
    """Everything the model needs of a cell, apart from theta."""

    indicator: int
    terms: tuple[ReportTerm, ...] = ()
    quiet: float = 1.0
    active: float = 1.0
    hold: float = 0.0
    held: int = 0
    children: tuple[CellContent, ...] = ()


def flatten(contents: list[CellContent]) -> Cells:
    """Pack cell contents into arrays: cell n is contents[n]; child cells are appended."""
    rows, child = list(contents), []
    for content in contents:
        child.append(len(rows))
        rows.extend(content.children)
    child += [0] * (len(rows) - len(contents))
    cell, end = np.zeros(len(rows), CELL), 0
    for n, row in enumerate(rows):
        first, end = end, end + len(row.terms)
        own = (row.indicator, row.quiet, row.active, row.hold, row.held)
        cell[n] = (*own, child[n], len(row.children), first, end)
    return Cells(cell, np.array([tuple(s) for row in rows for s in row.terms], REPORT))


class ReportTerm(NamedTuple):
    """One report's part in the likelihood of its cell."""

    keep: float
    noise: float
    truth: float
    credibility: float
    value: float  # index of a category, or the number stated
    slot: int  # of the reliability in theta


class ReportDesign(NamedTuple):
    """How a report comes about, apart from what it states."""

    slot: int  # of its reliability in theta
    credibility: float  # factor on that
    independence: float  # the chance that it is not passed on: 1 for a report of its own
    originals: tuple[int, ...] = ()  # places in the cell of what it may pass on, or WITHDRAWN
    given: float | None = None  # what it states, where that is known and not to be drawn


def report_design(report: Report, originals: tuple[int, ...], layout: Layout) -> ReportDesign:
    """Return how a report comes about, its originals being those of :meth:`ReportLog.originals`."""
    independence = (report.independence or 0.0) if originals else 1.0
    credibility = layout.question.credibility[report.credibility]
    return ReportDesign(layout.starts[str(report.judge)], credibility, independence, originals)


def report_term(
    design: ReportDesign, stated: Sequence[float], value: float, layout: Layout, i: int
) -> ReportTerm:
    """Return a report's part in a cell's likelihood: it states `value`, the reports of the cell `stated`."""
    indicator = layout.question.indicators[i]
    if indicator.values:
        chance = 1.0 / len(indicator.values)
    else:
        mixture = [density_at_mean(indicator, s, value) for s in range(layout.scenarios)]
        chance = max(sum(mixture) / layout.scenarios, TINY)
    same = any(stated[o] == value for o in design.originals if o != WITHDRAWN)
    copied = 1.0 if same else chance if WITHDRAWN in design.originals else 0.0
    return ReportTerm(
        keep=(1.0 - design.independence) * copied,
        noise=design.independence * chance,
        truth=design.independence * design.credibility,
        credibility=design.credibility,
        value=value,
        slot=design.slot,
    )


def value_code(report: Report, indicator: Indicator) -> float:
    """Return what a report states as a number: the index of a category's value, or the number itself."""
    assert report.value is not None
    return float(indicator.values.index(str(report.value))) if indicator.values else float(report.value)


def density_at_mean(indicator: Indicator, scenario: int, y: float) -> float:
    """Return f(y | s) of a count or a measure, the judgement at its mean."""
    judgement = indicator.likelihood[scenario]
    if isinstance(judgement, MeasureMean):
        z = (y - judgement.mean) / judgement.sd
        return math.exp(-0.5 * z * z) / (judgement.sd * math.sqrt(2 * math.pi))
    assert isinstance(judgement, Positive)
    m, k = judgement.mean, indicator.dispersion
    if m == 0.0:
        return float(y == 0)
    if k is None:
        return math.exp(y * math.log(m) - m - math.lgamma(y + 1))
    choose = math.lgamma(y + k) - math.lgamma(k) - math.lgamma(y + 1)
    return math.exp(choose + k * math.log(k / (k + m)) + y * math.log(m / (k + m)))


def most_likely(
    terms: tuple[ReportTerm, ...], size: int, silence: tuple[float, float], mean: np.ndarray
) -> int:
    """Return the value that a cell's reports and silence make most likely, the first on a tie.

    The largest d(x) prod_j P(y_j | x), the reliabilities at their means.
    """
    best, value = -1.0, 0
    for x in range(size):
        weight = silence[0] if x == 0 else silence[1]
        for term in terms:
            r = float(mean[term.slot])
            base = term.keep + term.noise * (1 - term.credibility * r)
            weight *= base + (term.truth * r if term.value == x else 0.0)
        if weight > best * (1 + 1e-12):
            best, value = weight, x
    return value
