"""Consistency checks between reports: corrections, repeats, and contradictions within a cell.

A report is live from the day it was reported until the day something that replaces it was reported. Two
reports clash only if there is a day on which both are live; so a value may be corrected at any time, and
what was known on every past day stays free of contradiction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from forecast.case.errors import Faults, meant
from forecast.case.evidence import Report
from forecast.case.reader.question import Outline

Cell = tuple[str, str, int]


def check_reports(
    reports: Sequence[Report], outline: Outline, faults: Faults, *, ids: Iterable[str] = ()
) -> None:
    """Note every fault in how reports, in the order of the log, relate to one another.

    `ids` are those of further rows, which exist but could not be read: naming them is no fault of the namer.
    """
    log = _Log(reports, outline, faults, {*ids, *(report.id for report in reports)})
    log.check_replacing()
    log.check_testimonies()
    if outline.opened is not None and outline.period_days is not None:  # else the cells are not known
        log.check_repeating()
        log.check_cells()


class _Log:
    """The log with what is looked up again and again."""

    def __init__(self, reports: Sequence[Report], outline: Outline, faults: Faults, ids: set[str]) -> None:
        self.reports, self.outline, self.faults, self.ids = reports, outline, faults, ids
        self.by_id = {report.id: report for report in reports}
        self.place = {report.id: place for place, report in enumerate(reports)}
        self.astray: set[str] = set()  # reports that replace something else than they should
        self.successor: dict[str, Report] = {}
        for report in reports:
            if report.replaces:
                self.successor.setdefault(report.replaces, report)
        self.cells: dict[Cell, list[Report]] = defaultdict(list)
        for report in reports:
            if report.indicator and report.value is not None:
                self.cells[self.cell(report)].append(report)

    def cell(self, report: Report) -> Cell:
        """Return what a report speaks of: indicator, unit, period."""
        return report.indicator, report.unit, self.outline.period(report.date)

    def ends(self, report: Report) -> date:
        """Return the first day on which a report is no longer live."""
        successor = self.successor.get(report.id)
        return date.max if successor is None else successor.reported

    def meet(self, a: Report, b: Report) -> bool:
        """Return whether there is a day on which both are live, as far as one can tell."""
        if a.id in self.astray or b.id in self.astray:
            return False
        return max(a.reported, b.reported) < min(self.ends(a), self.ends(b))

    def add(self, report: Report, column: str, value: str, problem: str, fix: str) -> None:
        """Note a fault of a report."""
        if column == "replaces":
            self.astray.add(report.id)
        self.faults.add(report.line, value, f"report {report.id}, {column}: {problem}", fix=fix)

    def check_replacing(self) -> None:
        """Check that each row replaces an earlier report, which no other row replaces."""
        for report in self.reports:
            if report.replaces:
                self._check_replaced(report)
        self._check_circles({r.id: (r.replaces,) for r in self.reports if r.replaces}, "replaces")

    def _check_replaced(self, report: Report) -> None:
        target, name = self.by_id.get(report.replaces), report.replaces
        if name == report.id:
            self.add(report, "replaces", name, "it replaces itself", "name the report that it corrects")
        elif name not in self.ids:
            self.add(report, "replaces", name, "no report has this id", self._hint(name))
        elif target is not None:
            first = self.successor[name]
            if first is not report:
                problem = f"{name} is already replaced by {first.id} (line {first.line})"
                self.add(report, "replaces", name, problem, f"to correct it again, replace {first.id}")
            if target.reported > report.reported:
                problem = f"{name} was reported later ({target.reported}) than this row ({report.reported})"
                self.add(report, "replaces", name, problem, "correct `reported`: a correction comes after")

    def check_repeating(self) -> None:
        """Check that repeats name reports of their own cell, and say how far they are independent."""
        for report in self.reports:
            if not report.indicator or report.value is None:
                continue
            originals = [o for name in report.repeats if (o := self._original(report, name)) is not None]
            if report.repeats and len(originals) == len(report.repeats) and not report.independence:
                self._check_same_value(report, originals)
            if report.independence is not None and not report.repeats and not self._spoke_before(report):
                problem = "there is nothing it could depend on"
                fix = "name the report it passes on under `repeats`, or leave independence empty"
                self.add(report, "independence", f"{report.independence:g}", problem, fix)
        self._check_circles({r.id: r.repeats for r in self.reports if r.repeats}, "repeats")

    def _original(self, report: Report, name: str) -> Report | None:
        """Return the original of a repeat; note a fault and return None where it is not valid."""
        original = self.by_id.get(name)
        if name == report.id:
            self.add(report, "repeats", name, "it repeats itself", "name the report that it passes on")
        elif name not in self.ids:
            self.add(report, "repeats", name, "no report has this id", self._hint(name))
        elif original is None:
            return None
        elif original.value is None or not original.indicator:
            kind = "a withdrawal" if original.replaces else "context"
            fix = "name the report it passes on; what has no weight cannot be repeated"
            self.add(report, "repeats", name, f"{name} is {kind}, not a report", fix)
        elif self.cell(original) != self.cell(report):
            other, own = self._cell_text(original), self._cell_text(report)
            problem = f"{name} speaks of {other}, this report of {own}"
            fix = "correct the date or the indicator, or leave `repeats` empty"
            self.add(report, "repeats", name, problem, fix)
        else:
            return original
        return None

    def _check_same_value(self, report: Report, originals: Sequence[Report]) -> None:
        """Check that on every day it is live, a mere repeat says what one of its originals says.

        Excused is a repeat whose original was corrected or withdrawn, or is not known yet.
        """
        days = {report.reported, *(o.reported for o in originals), *(self.ends(o) for o in originals)}
        for day in sorted(days):
            if not report.reported <= day < self.ends(report):
                continue
            known = [o for o in originals if o.reported <= day]
            if known and all(self.ends(o) > day and o.value != report.value for o in known):
                others = ", ".join(f"{o.id} says {o.value}" for o in known)
                problem = f"{others}; a mere repeat cannot say {report.value}"
                fix = "correct the value, or write under `independence` how much of it is the source's own"
                self.add(report, "repeats", ";".join(report.repeats), problem, fix)
                return

    def _spoke_before(self, report: Report) -> bool:
        """Tell whether the same source has an earlier report in this cell."""
        mine = (report.reported, self.place[report.id])
        return any(
            other.source == report.source and (other.reported, self.place[other.id]) < mine
            for other in self.cells[self.cell(report)]
        )

    def check_cells(self) -> None:
        """Check that no source states two values in a cell, and that a measure is reported once."""
        known = self.outline.indicators or {}
        for (indicator, _, _), reports in self.cells.items():
            if len(reports) < 2:
                continue
            kind = known.get(indicator)
            if kind is not None and kind[0] == "measure":
                self._check_rivals(reports, measure=True)
                reports = [report for report in reports if self._may_be_off(report)]
            by_source: dict[str, list[Report]] = defaultdict(list)
            for report in reports:
                by_source[report.source].append(report)
            for own in by_source.values():
                if len({report.value for report in own}) > 1:
                    self._check_rivals(own, measure=False)

    def _may_be_off(self, report: Report) -> bool:
        """Return whether an `error` applies to a report's number."""
        indicators, sources = self.outline.errors
        return report.indicator in indicators or report.source in sources

    def _check_rivals(self, reports: Sequence[Report], *, measure: bool) -> None:
        """Note each report that meets an earlier one with another value, or of a measure without `error`."""
        for i, report in enumerate(reports):
            for other in reports[:i]:
                if measure:
                    rival = not (self._may_be_off(report) and self._may_be_off(other))
                else:
                    rival = other.value != report.value
                if rival and self.meet(other, report):
                    self._add_clash(report, other, measure)
                    break

    def _add_clash(self, report: Report, other: Report, measure: bool) -> None:
        row, cell = f"{other.id} (line {other.line})", self._cell_text(report)
        problem = f"{report.source} already says {other.value} of {cell}, in {row}"
        fix = f"write {other.id} under `replaces` if this corrects it; else correct source, date or value"
        if measure:
            problem = f"{row} already measures {cell}"
            fix = (
                f"write {other.id} under `replaces` if this corrects it; else keep one of the two, or say by "
                f"`error` at {report.indicator} in question.yaml how far a reliable report of it may be off"
            )
        self.add(report, "value", str(report.value), problem, fix)

    def check_testimonies(self) -> None:
        """Check that a testimony is one source's."""
        first: dict[str, Report] = {}
        for report in self.reports:
            if not report.testimony or not report.indicator or report.value is None:
                continue
            earlier = first.setdefault(report.testimony, report)
            if earlier.source != report.source:
                problem = f"{earlier.id} (line {earlier.line}) has it from another source, {earlier.source}"
                fix = "name a testimony for each source; use `repeats` for what one passes on from another"
                self.add(report, "testimony", report.testimony, problem, fix)

    def _cell_text(self, report: Report) -> str:
        unit = f" in {report.unit}" if report.unit else ""
        return f"{report.indicator}{unit} in period {self.outline.period(report.date)}"

    def _hint(self, name: str) -> str:
        return meant(name, self.ids) or "write the id of a row of this file"

    def _check_circles(self, links: Mapping[str, Iterable[str]], column: str) -> None:
        """Check that no report leads back to itself."""
        for circle in _circles(links):
            report = max((self.by_id[id] for id in circle), key=lambda r: r.line)
            problem = f"these reports form a circle of `{column}`"
            self.add(report, column, " -> ".join([*circle, circle[0]]), problem, "break it at one of them")


def _circles(links: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return the circles of a graph, each once, beginning with the entry that is first in `links`."""
    open_links = {name: [to for to in others if to != name] for name, others in links.items()}
    circles: list[list[str]] = []
    while True:
        try:
            TopologicalSorter(open_links).prepare()
            return circles
        except CycleError as error:
            circle = error.args[1][:0:-1]
            for name, to in pairwise([*circle, circle[0]]):
                open_links[name].remove(to)
            first = min(range(len(circle)), key=lambda place: list(links).index(circle[place]))
            circles.append(circle[first:] + circle[:first])
