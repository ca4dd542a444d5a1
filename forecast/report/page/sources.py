"""Where sources clash, what the forecast leans on, and what came late or was corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forecast.report import phrases
from forecast.report.page.blocks import Block, Cell, Items, Section, Table, Text, simple
from forecast.report.page.probable import SLIGHT, columns
from forecast.report.wording import percent, tenths

if TYPE_CHECKING:
    from datetime import date

    from forecast.analysis.revised import Revised
    from forecast.report.findings import Findings
    from forecast.report.summary import Summary

#: Rows of a table on the screen, and on paper.
LISTED, ON_PAPER = 8, 3


def leaning(summary: Summary, findings: Findings) -> Section:
    """Say where sources contradict one another, and what the forecast would be without each."""
    clashes = tuple(("", line) for line in phrases.clash_lines(summary))
    none = "No two reports contradict each other."
    blocks: list[Block] = [Items(clashes, on_paper=3) if clashes else Text(none)]
    titles = {source.id: source.title for source in summary.question.sources}
    shown = [(one, one.horizon if summary.regime else one.now) for one in findings.without]
    worth = [(one, moved) for one, moved in shown if max(map(abs, moved)) >= SLIGHT]
    rows = []
    for one, moved in sorted(worth, key=lambda pair: -max(map(abs, pair[1])))[:LISTED]:
        number = "1 report" if one.reports == 1 else f"{one.reports} reports"
        small = f"{one.unit}: {number}" if one.unit else number
        rows.append((Cell(titles[one.source], small=small), *simple([tenths(move) for move in moved])))
    if rows:
        when = "at the horizon" if summary.regime else "now"
        caption = f"Without each source: points by which it would differ {when} (judgements at their means)"
        head = ("Source left out", *columns(summary.views[0]))
        blocks.append(Table(caption, head, tuple(rows), on_paper=3, rest=len(findings.without) - len(rows)))
    return Section("sources", "Where sources clash, and what leans on them", tuple(blocks))


def late(summary: Summary, findings: Findings) -> Section:
    """Say what came late or was corrected, and how the weeks it speaks of look now."""
    weeks: dict[tuple[date, str], list[Revised]] = {}
    for one in findings.revised:
        weeks.setdefault((one.period_end, one.report.unit), []).append(one)
    rows = [_week(summary, weeks[key]) for key in sorted(weeks, reverse=True)]
    if not rows:
        said = f"Nothing that became known after {summary.since} was late, or corrected an earlier report."
        return Section("late", "Late and corrected", (Text(said),))
    caption = (
        "Periods about which something became known when they were over, or was corrected: the probability as"
        " it was seen then, and with all that is known now"
    )
    head = ("Period to", "Then → now", "What came late")
    shown = tuple(rows[:LISTED])
    table = Table(caption, head, shown, frozenset({1, 2}), ON_PAPER, len(rows) - len(shown))
    return Section("late", "Late and corrected", (table,))


def _week(summary: Summary, found: list[Revised]) -> tuple[Cell, ...]:
    """Return the row of one period: the scenario whose probability is seen most differently now, and why."""
    titles = [scenario.title for scenario in summary.question.scenarios]
    first, seen = found[0], Cell("not in the trend")
    if first.then:
        most = int(np.argmax(np.abs(np.subtract(first.today, first.then))))
        numbers = f"{percent(first.then[most])} → {percent(first.today[most])}"
        seen = Cell(numbers, small=titles[most])
    what = [_late_report(one) for one in found[:3]] + ([f"{len(found) - 3} more"] if len(found) > 3 else [])
    number = "1 report" if len(found) == 1 else f"{len(found)} reports"
    return Cell(f"{first.period_end}", small=first.report.unit), seen, Cell(number, small=", ".join(what))


def _late_report(one: Revised) -> str:
    if one.corrected is None:
        return f"{one.report.id} (known {one.report.reported})"
    done = "withdraws" if one.report.value is None else "corrects"
    return f"{one.report.id} ({done} {one.corrected.id}, known {one.report.reported})"
