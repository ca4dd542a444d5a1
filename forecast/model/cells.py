"""What one cell holds apart from theta, and many cells as arrays.

What one report adds to its cell.

    P(y | x) = keep + noise (1 - c r) + told r 1[y = x]

with r the reliability in force, c the credibility factor, u(y) the chance of y as noise:

    own report           keep = 0                       noise = u,    told = c
    repeat               keep = (1 - b) 1[y = y_0]      noise = b u,  told = b c
    original withdrawn   keep = (1 - b) u(y)            noise = b u,  told = b c

where b is the independence and y_0 the original's value.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from forecast.case.evidence import Report
from forecast.case.judgement import MeasureMean, Positive
from forecast.case.question import Indicator
from forecast.model.likelihood import CELL, REPORT, Cells
from forecast.model.parameters import Layout


class Content(NamedTuple):
    """Everything the model needs of a cell, apart from theta."""

    indicator: int
    statements: tuple[Statement, ...] = ()
    quiet: float = 1.0
    active: float = 1.0
    hold: float = 0.0
    held: int = 0
    children: tuple[Content, ...] = ()


def flatten(contents: list[Content]) -> Cells:
    """Return contents as arrays: cell n is content n, and the children follow."""
    rows, child = list(contents), []
    for content in contents:
        child.append(len(rows))
        rows.extend(content.children)
    child += [0] * (len(rows) - len(contents))
    cell, end = np.zeros(len(rows), CELL), 0
    for n, row in enumerate(rows):
        first, end = end, end + len(row.statements)
        own = (row.indicator, row.quiet, row.active, row.hold, row.held)
        cell[n] = (*own, child[n], len(row.children), first, end)
    return Cells(cell, np.array([tuple(s) for row in rows for s in row.statements], REPORT))


class Statement(NamedTuple):
    """One report's part in the likelihood of its cell."""

    keep: float
    noise: float
    told: float
    credibility: float
    value: float  # index of a category, or the number stated
    slot: int  # of the reliability in theta


def statement(report: Report, layout: Layout, indicator: Indicator, original: float | None) -> Statement:
    """Return what a report adds.

    `original` is None for a report of its own; for a repeat it is 1 where the original stands with the
    same value, 0 where it stands with another, nan where it was withdrawn or corrected to another.
    """
    assert report.value is not None
    credibility = layout.question.credibility[report.credibility]
    slot = layout.starts[str(report.judge)]
    if indicator.values:
        chance, value = 1.0 / len(indicator.values), float(indicator.values.index(str(report.value)))
    else:
        value = float(report.value)
        chance = sum(density(indicator, s, value) for s in range(layout.scenarios)) / layout.scenarios
        chance = max(chance, 1e-300)
    if original is None:
        return Statement(0.0, chance, credibility, credibility, value, slot)
    own = report.independence or 0.0
    keep = (1.0 - own) * (chance if math.isnan(original) else original)
    return Statement(keep, own * chance, own * credibility, credibility, value, slot)


def density(indicator: Indicator, scenario: int, y: float) -> float:
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
    statements: tuple[Statement, ...], size: int, silence: tuple[float, float], mean: np.ndarray
) -> int:
    """Return the value that a cell's reports and silence make most likely, the first on a tie.

    The largest d(x) prod_j P(y_j | x), the reliabilities at their means.
    """
    best, found = -1.0, 0
    for x in range(size):
        weight = silence[0] if x == 0 else silence[1]
        for s in statements:
            r = float(mean[s.slot])
            weight *= s.keep + s.noise * (1 - s.credibility * r) + (s.told * r if s.value == x else 0.0)
        if weight > best * (1 + 1e-12):
            best, found = weight, x
    return found
