"""Evidence: the append-only log of reports, and the reports in force as known on a given day."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from forecast.case import html
from forecast.case.judgement import JudgementId

#: So many of the latest reports are shown in a notebook.
MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Report:
    """One source's dated statement of an indicator's value: one row of ``evidence.csv``.

    ``indicator`` is "" for context. ``value`` is a category's name, an int (count) or a float (measure),
    or None where a row with `replaces` withdraws. ``credibility`` is "" where not graded.
    ``independence`` is None where the row does not say. ``reported`` is never before ``date``.
    ``line`` is the row's line in the file, 0 if there is none.
    """

    id: str
    date: datetime.date
    reported: datetime.date
    indicator: str = ""
    value: str | float | int | None = None
    source: str = ""
    credibility: str = ""
    repeats: tuple[str, ...] = ()
    independence: float | None = None
    testimony: str = ""
    replaces: str = ""
    via: tuple[str, ...] = ()
    note: str = ""
    citation: str = ""
    unit: str = ""
    line: int = 0

    @property
    def judge(self) -> JudgementId:
        """The judgement of how reliable it is: of its testimony where it has one, else of its source."""
        if self.testimony:
            return JudgementId("testimony", source=self.testimony)
        return JudgementId("reliability", source=self.source)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All reports, in the order of the log."""

    reports: tuple[Report, ...] = ()

    def known(self, as_of: datetime.date) -> tuple[Report, ...]:
        """Return the live reports with weight that were known on a day, in the order of the log.

        Left out: what was reported later, what a known row replaces (for good: withdrawing a correction
        does not revive the original), withdrawals themselves and context.
        """
        seen = self.until(as_of).reports
        replaced = {r.replaces for r in seen if r.replaces}
        return tuple(r for r in seen if r.id not in replaced and r.indicator and r.value is not None)

    def until(self, day: datetime.date) -> Evidence:
        """Return the rows that were known on a day."""
        return Evidence(tuple(r for r in self.reports if r.reported <= day))

    def html_part(self, *, opened: bool = False) -> str:
        """Return its display in a notebook: the latest reports."""
        weighty = sum(bool(report.indicator) and report.value is not None for report in self.reports)
        context = len(self.reports) - weighty
        latest = sorted(self.reports, key=lambda report: report.reported, reverse=True)[:MOST_SHOWN]
        cut = html.dim(f"the {MOST_SHOWN} latest") if len(self.reports) > MOST_SHOWN else ""
        names = ("reported", "id", "date", "indicator", "value", "source", "grade", "note")
        title = f"Evidence ({weighty} reports, {context} rows of context and withdrawals)"
        return html.fold(title, cut + html.table(names, map(_cells, latest)), opened=opened)

    def _repr_html_(self) -> str:
        return html.page("forecast.Evidence", [self.html_part(opened=True)])


def _cells(report: Report) -> tuple[str, ...]:
    """Return a report as a row of the display."""
    value = "" if report.value is None else str(report.value)
    note = report.note if len(report.note) <= 90 else report.note[:89].rstrip() + "…"
    name = f"{report.unit} {report.indicator}".strip()
    when = report.reported.isoformat(), report.id, report.date.isoformat()
    return (*when, name, value, report.source, report.credibility, note)
