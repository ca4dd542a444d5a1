"""Clashing cells: where reports of one indicator in one period state different values.

Whose word the cells rest on: cells with one source only, and reports that may be one story told twice.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from itertools import combinations
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


#: Reports of one value that became known within so many days of each other may be one story.
DAYS = 3


@dataclass(frozen=True, slots=True)
class Origins:
    """The number of cells that reports speak of, those that one source alone speaks of, and lookalikes.

    Both hold the reports, cell by cell, the latest period first.
    """

    cells: int
    alone: tuple[tuple[Report, ...], ...]
    lookalikes: tuple[tuple[Report, ...], ...]


def origins(case: Case, as_of: date) -> Origins:
    """Look at who stands behind each cell.

    Parameters
    ----------
    case : Case
    as_of : date
        The day whose knowledge is used.

    Returns
    -------
    Origins
        Lookalikes state the same of one cell, come from different sources within three days, and neither
        repeats the other, nor both a third, nor do they share a testimony: they count as independent.

    Examples
    --------
    >>> origins(case, date(2014, 11, 23)).cells  # doctest: +SKIP
    22
    """
    cells: defaultdict[tuple[int, str, str], list[Report]] = defaultdict(list)
    live = case.evidence.known(as_of)
    for report in live:
        cells[case.question.period(report.date), report.indicator, report.unit].append(report)
    by_id = {report.id: report for report in live}
    roots = {report.id: _roots(report, by_id) for report in live}
    latest = [cells[key] for key in sorted(cells, key=lambda key: (-key[0], *key[1:]))]
    alone = (tuple(reports) for reports in latest if len({r.source for r in reports}) == 1)
    alike = (_unlinked(reports, roots) for reports in latest)
    return Origins(len(cells), tuple(alone), tuple(reports for reports in alike if reports))


def _unlinked(reports: list[Report], roots: dict[str, set[str]]) -> tuple[Report, ...]:
    """Return the reports of a cell that look like another one to which nothing links them."""
    pairs = [
        pair
        for pair in combinations(reports, 2)
        if _alike(*pair) and not roots[pair[0].id] & roots[pair[1].id]
    ]
    found = {report.id for pair in pairs for report in pair}
    return tuple(report for report in reports if report.id in found)


def _alike(one: Report, other: Report) -> bool:
    return (
        one.source != other.source
        and one.value == other.value
        and abs((one.reported - other.reported).days) <= DAYS
        and not (one.testimony and one.testimony == other.testimony)
    )


def _roots(report: Report, by_id: dict[str, Report]) -> set[str]:
    """Return a report and all that it passes on, by id."""
    found, waiting = set(), [report.id]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += by_id[name].repeats if name in by_id else ()
    return found
