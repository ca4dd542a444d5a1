"""Log of reports by cell: reports in force on a day, and the originals of each repeat."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from forecast.case.edit import without_reports
from forecast.case.evidence import Evidence, Report
from forecast.case.question import Question

CellKey = tuple[int, int, int]  # unit, period, indicator

WITHDRAWN = -1  # in place of an original that was withdrawn, or corrected to another value or cell


class ReportLog:
    """Reports with weight, looked up by cell and day."""

    def __init__(self, question: Question, evidence: Evidence) -> None:
        self._question, self._evidence = question, evidence
        self._position = {indicator.id: i for i, indicator in enumerate(question.indicators)}
        self._units = {unit: u for u, unit in enumerate(question.units)} or {"": 0}
        self._by_id = {r.id: r for r in evidence.reports}
        self._replacing = {r.replaces: r for r in evidence.reports if r.replaces}
        self._reports: dict[CellKey, list[Report]] = {}
        for report in evidence.reports:
            if report.indicator and report.value is not None:
                self._reports.setdefault(self.key(report), []).append(report)
        self._given: dict[int, list[int]] = {}  # the indicators that are given each
        for i, indicator in enumerate(question.indicators):
            if indicator.given:
                self._given.setdefault(self._position[indicator.given], []).append(i)
        weighed = (report for reports in self._reports.values() for report in reports)
        self._in_order = sorted(weighed, key=lambda r: r.reported)
        self._periods: dict[tuple[int, int], list[int]] = {}  # of (unit, indicator), those with reports
        for unit, period, i in sorted(self._reports):
            self._periods.setdefault((unit, i), []).append(period)
        for reports in self._reports.values():
            reports.sort(key=lambda r: r.reported)  # stable: then by place in the log

    def key(self, report: Report) -> CellKey:
        """Return the cell key (unit, period, indicator) of a report."""
        unit = self._units[report.unit]
        return unit, self._question.period(report.date), self._position[report.indicator]

    def report(self, id: str) -> Report:
        """Return a report by its id."""
        return self._by_id[id]

    def without(self, ids: Collection[str]) -> tuple[ReportLog, set[CellKey]]:
        """Return the log in which some rows were never written, and the cells that may differ for it.

        What that means for the rows that are left is said by :func:`forecast.case.edit.without_reports`.
        """
        left = without_reports(self._question, self._evidence, ids)
        rows, touched = {r.id: r for r in left.reports}, set[CellKey]()
        for report in self._evidence.reports:
            row: Report | None = report if rows.get(report.id) != report else None
            while row is not None:  # what a row that is gone had replaced may be known again
                if row.indicator and row.value is not None:
                    touched.add(self.key(row))
                row = self._by_id.get(row.replaces)
        return ReportLog(self._question, left), touched

    def changes(self) -> list[tuple[date, CellKey]]:
        """Return every date on which reports change what is known of a cell, with the cell."""
        changes = []
        for key, reports in self._reports.items():
            for report in reports:
                changes.append((report.reported, key))
                if report.id in self._replacing:
                    changes.append((self._replacing[report.id].reported, key))
            if self._question.indicators[key[2]].kind in ("count", "measure"):
                changes.append((self._question.last_day(key[1]), key))
        return changes

    def live(self, key: CellKey, day: date) -> list[Report]:
        """Return the reports of a cell that stand on a day, by `reported`, then by place in the log."""
        return [report for report in self._reports.get(key, ()) if self._is_current(report, day)]

    def first_period(self, unit: int, i: int, day: date, left_out: frozenset[str]) -> int | None:
        """Return the earliest period with a report of an indicator, or of one given it, known on a day."""
        first: list[int] = []
        for one in (i, *self._given.get(i, ())):
            periods = self._periods.get((unit, one), ())
            known = (t for t in periods if any(r.id not in left_out for r in self.live((unit, t, one), day)))
            first += [t for t in [next(known, None)] if t is not None]
        return min(first, default=None)

    def first_known(self, day: date, left_out: frozenset[str]) -> date | None:
        """Return the day on which the log's first report that stands on a day became known."""
        for report in self._in_order:
            if report.reported > day:
                return None
            if report.id not in left_out and self._is_current(report, day):
                return report.reported
        return None

    def originals(
        self, live: Sequence[Report], day: date, left_out: frozenset[str] = frozenset()
    ) -> list[tuple[int, ...]]:
        """Return for each live report of a cell what it may pass on: places in `live`, or WITHDRAWN.

        None for a report of its own. An original that was withdrawn, or corrected to another value or cell,
        is WITHDRAWN; one that is not known on the day, or is left out, is none. A report that names no
        original repeats its source's first in the cell.
        """
        place, first = {report.id: j for j, report in enumerate(live)}, dict[str, int]()
        originals = []
        for j, report in enumerate(live):
            named = (self._by_id[id] for id in report.repeats)
            current = [(one, self._current(one, day)) for one in named if one.reported <= day]
            passed_on = tuple(
                WITHDRAWN
                if now.id not in place or (now is not one and now.value != report.value)
                else place[now.id]
                for one, now in current
                if now.id not in left_out
            )
            if not passed_on and report.source in first:
                passed_on = (first[report.source],)
            originals.append(passed_on)
            first.setdefault(report.source, j)
        return originals

    def _is_current(self, report: Report, day: date) -> bool:
        replacing = self._replacing.get(report.id)
        return report.reported <= day and (replacing is None or replacing.reported > day)

    def _current(self, report: Report, day: date) -> Report:
        """Return what stands in a report's place on a day, be it a withdrawal."""
        while not self._is_current(report, day):
            report = self._replacing[report.id]
        return report
