"""Which report would move the forecast most, each way, and what to ask about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast.report.page.blocks import Block, Cell, Heading, Section, Table, Text
from forecast.report.page.probable import columns
from forecast.report.sensitivities import most
from forecast.report.wording import percent, tenths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast.analysis.leads import Lead
    from forecast.report.findings import Findings
    from forecast.report.summary import Summary

#: A report that would move less than this (probability) is not worth waiting for.
SLIGHT = 0.005


def to_collect(summary: Summary, findings: Findings) -> Section:
    """Say which single report would move it most, each way, and about what to ask."""
    title = "What would move it most"
    if findings.asked is None:
        return Section(
            "collect", title, (Text("The question ends in this period: no further one can be reported on."),)
        )
    blocks: list[Block] = []
    for view in summary.views:
        line = max(view.lines, key=lambda line: summary.leading(line).probability)
        place = view.lines.index(line)
        own = [lead for lead in findings.leads if lead.unit == view.unit]
        rows = [_lead(summary, lead, place) for sign in (1, -1) for lead in strongest(own, place, sign)]
        when = "at the horizon" if summary.regime else "now"
        caption = f"Points by which one report in the next period would move {line.title}, {when}"
        blocks += [Heading(view.unit)] if view.unit else []
        blocks.append(
            Table(caption, ("If it is reported", columns(view)[place]), tuple(rows), half=True)
            if rows
            else Text("No single report would move it by half a point.")
        )
    return Section("collect", title, (*blocks, *_asked(summary, findings), *_judged(summary, findings)))


def _judged(summary: Summary, findings: Findings) -> list[Block]:
    """Say which judgements the leading scenario hangs on."""
    blocks: list[Block] = []
    for view in summary.views:
        own = findings.swings.sel(unit=view.unit) if view.unit else findings.swings
        if own.sizes["judgement"]:
            said = f"{most(own)} (Judgements at their means; the scenario and the judgements by their ids.)"
            blocks.append(Text(f"{view.unit}: {said}" if view.unit else said, "screen"))
    return blocks


def strongest(leads: Sequence[Lead], place: int, sign: int) -> list[Lead]:
    """Return the three reports that would move a scenario most in one direction, an indicator once."""
    found: list[Lead] = []
    for lead in sorted(leads, key=lambda lead: -sign * lead.horizon[place]):
        if sign * lead.horizon[place] >= SLIGHT and all(lead.indicator != one.indicator for one in found):
            found.append(lead)
    return found[:3]


def _lead(summary: Summary, lead: Lead, place: int) -> tuple[Cell, ...]:
    titles = {indicator.id: indicator.title for indicator in summary.question.indicators}
    return Cell(f"{titles[lead.indicator]}: {lead.value}", small=lead.source), Cell(
        tenths(lead.horizon[place])
    )


def _asked(summary: Summary, findings: Findings) -> list[Block]:
    if findings.asked is None or not len(findings.asked):
        return []
    titles = {indicator.id: indicator.title for indicator in summary.question.indicators}
    rows: list[tuple[Cell, ...]] = []
    best = findings.asked.drop_duplicates(["unit", "indicator"] if summary.question.units else "indicator")
    for row in best.head(6).to_dict("records"):
        unit = f"{row['unit']}: " if row.get("unit") else ""
        expected = f"{row['expected']} ({percent(row['chance'])})" if row["expected"] else "a number"
        what = Cell(f"{unit}{titles[row['indicator']]}", small=row["source"] or "watching it")
        rows.append((what, Cell(expected), Cell(f"{1000 * row['horizon']:.1f}")))
    caption = "What to ask about, and whom: information to expect, in thousandths of a bit"
    return [
        Table(
            caption,
            ("Ask about", "Most likely answer", "Information"),
            tuple(rows),
            frozenset({1}),
            half=True,
        )
    ]
