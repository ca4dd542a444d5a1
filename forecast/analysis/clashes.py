"""Clashing cells: where reports of one indicator in one period state different values."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forecast.case.evidence import Report
    from forecast.case.folder import Case


@dataclass(frozen=True, slots=True)
class Clash:
    """A cell whose live reports do not agree. ``reports`` are in the order of the log."""

    indicator: str
    period: int
    unit: str
    reports: tuple[Report, ...]


def clashing_cells(case: Case, as_of: date) -> tuple[Clash, ...]:
    """Return the cells about which the reports known on a day disagree, the latest period first.

    Parameters
    ----------
    case : Case
        Question and evidence.
    as_of : date
        The day whose knowledge is used.

    Returns
    -------
    tuple of Clash

    Examples
    --------
    >>> clashing_cells(case, date(2014, 11, 23))[0].indicator  # doctest: +SKIP
    'truce_answer'
    """
    cells: defaultdict[tuple[int, str, str], list[Report]] = defaultdict(list)
    for report in case.evidence.known(as_of):
        cells[case.question.period(report.date), report.indicator, report.unit].append(report)
    clashes = [
        Clash(indicator, period, unit, tuple(reports))
        for (period, indicator, unit), reports in cells.items()
        if len({report.value for report in reports}) > 1
    ]
    return tuple(sorted(clashes, key=lambda clash: (-clash.period, clash.indicator, clash.unit)))
