"""The log of reports, by cell: which stand on a day, and whether what a repeat passes on still stands."""

from __future__ import annotations

import math
from collections.abc import Collection
from datetime import date

from forecast.case.edit import without_reports
from forecast.case.evidence import Evidence, Report
from forecast.case.question import Question

Key = tuple[int, int, int]  # unit, period, indicator


class ReportLog:
    """Reports with weight, looked up by cell and day."""

    def __init__(self, question: Question, evidence: Evidence) -> None:
        self._question, self._evidence = question, evidence
        self._place = {indicator.id: i for i, indicator in enumerate(question.indicators)}
        self._units = {unit: u for u, unit in enumerate(question.units)} or {"": 0}
        self._by_id = {r.id: r for r in evidence.reports}
        self._replacing = {r.replaces: r for r in evidence.reports if r.replaces}
        self._reports: dict[Key, list[Report]] = {}
        for report in evidence.reports:
            if report.indicator and report.value is not None:
                self._reports.setdefault(self.key(report), []).append(report)
        for reports in self._reports.values():
            reports.sort(key=lambda r: r.reported)  # stable: then by place in the log

    def key(self, report: Report) -> Key:
        """Return the cell that a report speaks about."""
        unit = self._units[report.unit]
        return unit, self._question.period(report.date), self._place[report.indicator]

    def report(self, id: str) -> Report:
        """Return a report by its id."""
        return self._by_id[id]

    def without(self, ids: Collection[str]) -> tuple[ReportLog, set[Key]]:
        """Return the log in which some rows were never written, and the cells that may differ for it.

        What that means for the rows that are left is said by :func:`forecast.case.edit.without_reports`.
        """
        left = without_reports(self._question, self._evidence, ids)
        rows, touched = {r.id: r for r in left.reports}, set[Key]()
        for report in self._evidence.reports:
            row: Report | None = report if rows.get(report.id) != report else None
            while row is not None:  # what a row that is gone had replaced may be known again
                if row.indicator and row.value is not None:
                    touched.add(self.key(row))
                row = self._by_id.get(row.replaces)
        return ReportLog(self._question, left), touched

    def events(self) -> list[tuple[date, Key]]:
        """Return every date on which reports change what is known of a cell, with the cell."""
        found = []
        for key, reports in self._reports.items():
            for report in reports:
                found.append((report.reported, key))
                if report.id in self._replacing:
                    found.append((self._replacing[report.id].reported, key))
            if self._question.indicators[key[2]].kind in ("count", "measure"):
                found.append((self._question.last_day(key[1]), key))
        return found

    def live(self, key: Key, day: date) -> list[Report]:
        """Return the reports of a cell that stand on a day, by `reported`, then by place in the log."""
        return [report for report in self._reports.get(key, ()) if self._stands(report, day)]

    def originals_stand(
        self, live: list[Report], key: Key, day: date, without: frozenset[str]
    ) -> list[float | None]:
        """Tell for each live report of a cell whether what it repeats stands; None for a report of its own.

        1 if an original stands with the same value, else nan if one was withdrawn or corrected, else 0.
        A report that names no original (known on that day) repeats its source's first in the cell.
        """
        first: dict[str, Report] = {}
        found: list[float | None] = []
        for report in live:
            named = (self._by_id[id] for id in report.repeats)
            current = [(one, self._current(one, day)) for one in named if one.reported <= day]
            stand = [self._stand(one, now, report, key) for one, now in current if now.id not in without]
            if not stand and report.source in first:
                stand = [float(first[report.source].value == report.value)]
            gone = any(math.isnan(s) for s in stand)
            found.append(None if not stand else 1.0 if 1.0 in stand else math.nan if gone else 0.0)
            first.setdefault(report.source, report)
        return found

    def _stands(self, report: Report, day: date) -> bool:
        replacing = self._replacing.get(report.id)
        return report.reported <= day and (replacing is None or replacing.reported > day)

    def _current(self, report: Report, day: date) -> Report:
        """Return what stands in a report's place on a day, be it a withdrawal."""
        while not self._stands(report, day):
            report = self._replacing[report.id]
        return report

    def _stand(self, original: Report, current: Report, report: Report, key: Key) -> float:
        """Return 1 if an original, or what replaced it, says the same; else 0, or nan if it was replaced."""
        if current.value is not None and current.value == report.value and self.key(current) == key:
            return 1.0
        return 0.0 if current is original else math.nan
