"""Agreement of sources: cells with contradicting reports, a single source, or possible duplicates."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forecast.case.evidence import Report
    from forecast.case.folder import Case

#: Reports of one value that became known within so many days of each other may have one origin.
DAYS = 3


@dataclass(frozen=True, slots=True)
class Clash:
    """A cell whose live reports do not agree. ``reports`` are in the order of the log."""

    indicator: str
    period: int
    unit: str
    reports: tuple[Report, ...]


@dataclass(frozen=True, slots=True)
class Corroboration:
    """The number of cells with reports, those of a single source, and those with possible duplicates.

    Both hold the reports, cell by cell, the latest period first.
    """

    cells: int
    single_source: tuple[tuple[Report, ...], ...]
    possible_duplicates: tuple[tuple[Report, ...], ...]


def _cells(case: Case, as_of: date) -> dict[tuple[int, str, str], list[Report]]:
    """Return the live reports of each cell, by period, indicator and unit, the latest period first."""
    cells: defaultdict[tuple[int, str, str], list[Report]] = defaultdict(list)
    for report in case.evidence.known(as_of):
        cells[case.question.period(report.date), report.indicator, report.unit].append(report)
    return {key: cells[key] for key in sorted(cells, key=lambda key: (-key[0], *key[1:]))}


def clashing_cells(case: Case, as_of: date) -> tuple[Clash, ...]:
    """Return the cells about which the reports known on a day disagree, the latest period first."""
    return tuple(
        Clash(indicator, period, unit, tuple(reports))
        for (period, indicator, unit), reports in _cells(case, as_of).items()
        if len({report.value for report in reports}) > 1
    )


def corroboration(case: Case, as_of: date) -> Corroboration:
    """Return how many sources each cell rests on, and reports known on a day that may have one origin.

    Possible duplicates state the same of one cell, come from different sources within three days, and neither
    repeats the other, nor both a third, nor do they share a testimony: they count as independent.
    """
    cells = [tuple(reports) for reports in _cells(case, as_of).values()]
    by_id = {report.id: report for reports in cells for report in reports}
    roots = {id: _roots(report, by_id) for id, report in by_id.items()}
    single = tuple(reports for reports in cells if len({r.source for r in reports}) == 1)
    duplicates = (_unlinked(reports, roots) for reports in cells)
    return Corroboration(len(cells), single, tuple(reports for reports in duplicates if reports))


def _unlinked(reports: tuple[Report, ...], roots: dict[str, set[str]]) -> tuple[Report, ...]:
    """Return the reports of a cell that look like another one to which nothing links them."""

    def duplicate(one: Report, other: Report) -> bool:
        alike = one.source != other.source and one.value == other.value
        near = abs((one.reported - other.reported).days) <= DAYS
        linked = roots[one.id] & roots[other.id] or (one.testimony and one.testimony == other.testimony)
        return alike and near and not linked

    ids = {report.id for pair in combinations(reports, 2) if duplicate(*pair) for report in pair}
    return tuple(report for report in reports if report.id in ids)


def _roots(report: Report, by_id: dict[str, Report]) -> set[str]:
    """Return a report and all that it passes on, by id."""
    roots, waiting = set(), [report.id]
    while waiting:
        name = waiting.pop()
        if name not in roots:
            roots.add(name)
            waiting += by_id[name].repeats if name in by_id else ()
    return roots
