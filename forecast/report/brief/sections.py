"""Sections of the HTML brief in page order; the trend's is in :mod:`forecast.report.brief.trend`."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from forecast.inference.result import of_unit
from forecast.report import sentences
from forecast.report.brief.data import LEAST_CHANGE
from forecast.report.brief.elements import (
    Block,
    Cell,
    Heading,
    Items,
    Section,
    Table,
    Text,
    clipped,
    row,
    safe_link,
)
from forecast.report.brief.trend_svg import dates, thinned
from forecast.report.number_format import band, counted, decibans, percent, points
from forecast.report.text.sensitivity import most

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from forecast.analysis.late_reports import Revision
    from forecast.case.question import Question
    from forecast.report.brief.data import BriefData
    from forecast.report.summary import Estimate, Summary, UnitForecast

#: Rows of a table on the screen and on paper, and of the longer ones: doubts and evidence.
LISTED, ON_PAPER = 8, 3
LONG_LISTED, LONG_ON_PAPER = 12, 5
LONGEST_NOTE = 320  #: Longest note or citation, in characters

#: The check of the review that says more than a warning of this kind.
CHECK_OF = {
    "drift": "Drift of judgements", "ungraded": "Grades of credibility", "gaps": "Gaps in the trend",
    "r_hat": "Agreement of chains", "tolerance": "Monte Carlo error", "few draws": "Monte Carlo error",
    "weights": "Effective draws",
}  # fmt: skip


def probabilities(summary: Summary) -> Section:
    """Show how probable each scenario is, at the horizon and now, in words, and since the last issue."""
    blocks = each_unit(
        summary,
        lambda unit: [
            Text(sentences.headline(summary, unit), "lead"),
            _estimates(summary, unit),
            *([_beside(summary, unit)] if summary.event else []),
        ],
    )
    if summary.event:
        blocks.append(Text(sentences.still_open(summary)))
    log = (Text(line) for line in sentences.log_understood(summary))
    foundation = Text(sentences.confidence(summary)), *log, Text(sentences.comparison(summary), "quiet")
    return Section("probabilities", "How probable each scenario is", (*blocks, *foundation))


def each_unit(summary: Summary, blocks: Callable[[UnitForecast], Iterable[Block]]) -> list[Block]:
    """Return the blocks of all units, with a heading per unit where there are several."""
    return [
        block
        for unit in summary.units
        for block in (*([Heading(unit.name)] if unit.name else []), *blocks(unit))
    ]


def columns(unit: UnitForecast) -> list[str]:
    """Return the scenarios' titles as heads of columns, short enough for them; ids if two would be alike."""
    short = [clipped(scenario.title, 30) for scenario in unit.scenarios]
    return short if len(set(short)) == len(short) else [scenario.id for scenario in unit.scenarios]


def _estimates(summary: Summary, unit: UnitForecast) -> Table:
    regime, change = summary.regime, ("Change",) if summary.previous else ()

    def changed(estimate: Estimate) -> list[str]:
        return [points(estimate.change)] if change else []

    rows = []
    for scenario in unit.scenarios:
        answer, now = scenario.answer, scenario.now
        cells = row(
            Cell(scenario.title, style=summary.styles[scenario.id]),
            Cell(percent(answer.probability), strong=True),
            Cell(band(answer.low, answer.high), band=(answer.low, answer.probability, answer.high)),
            Cell(answer.words, small="" if answer.words_of_band == answer.words else answer.words_of_band),
            *changed(answer),
        )
        present = row(Cell(percent(now.probability), small=band(now.low, now.high)), *changed(now))
        rows.append((*cells, *(present if regime else ())))
    now_and_then = f"Probability at the horizon, {summary.horizon}, and now, {summary.inputs.as_of}"
    caption = now_and_then if regime else f"Probability as of {summary.inputs.as_of}"
    first = "At the horizon" if regime else "Now and at the horizon"
    second = "Being prepared now" if summary.event else "Now"
    head = ("Scenario", first, "90% band", "In words", *change, *((second, *change) if regime else ()))
    return Table(caption, head, rows, left=(3,))


def _beside(summary: Summary, unit: UnitForecast) -> Table:
    """Return what stands beside the forecast of an event."""
    rows = [row(*cells) for cells in sentences.beside(summary, unit)]
    heads = [f"{head[0].upper()}{head[1:]}" for head in sentences.BESIDE]
    return Table(f"Chance by {summary.horizon}, for comparison", ("Scenario", *heads), rows)


def what_moved(summary: Summary, data: BriefData) -> Section:
    """Show what moved the forecast since the last issue, or what it is made of if it is the first."""

    def blocks(unit: UnitForecast) -> Iterable[Block]:
        yield from _changes(summary, data, unit)
        if summary.previous is None:
            yield _weights(summary, data, unit)
        yield _new_reports(summary, unit)

    notes = [Text(f"{_capital(note)}.", "quiet") for note in data.notes]
    return Section("moved", "What moved it", (*each_unit(summary, blocks), *notes))


def _changes(summary: Summary, data: BriefData, unit: UnitForecast) -> Iterable[Table]:
    for change in data.changes(unit.name):
        issued = f"{'Carried over from' if summary.carried else 'Issued'} {summary.previous}"
        parts = [
            row(Cell(_capital(part.meaning), small=sentences.listing(part.reports, 4)), *_tenths(part.values))
            for part in change.parts
            if part.reports or np.abs(part.values).max() >= LEAST_CHANGE
        ]
        first, last = (issued, *map(percent, change.before)), ("This forecast", *map(percent, change.after))
        caption = f"{_capital(change.when)}: what each change brought, let in one after another"
        head = ("Percentage points", *columns(unit))
        yield Table(caption, head, (row(*first), *parts, row(*last)), total=True, half=summary.regime)


def _weights(summary: Summary, data: BriefData, unit: UnitForecast) -> Table:
    rows = [row(_capital(part.meaning), *map(decibans, part.values)) for part in data.weights(unit.name)]
    caption = "What it is made of, in decibans for each scenario against the rest (10 make the odds tenfold)"
    return Table(caption, ("Weight of evidence", *columns(unit)), rows, total=True)


def _new_reports(summary: Summary, unit: UnitForecast) -> Block:
    listed = sentences.listed(unit.new_reports)
    if not listed:
        return Text(sentences.none_listed(summary, unit), "quiet")
    rows = []
    for report, weights in ((one.report, one.weights) for one in listed):
        what = sentences.statement(summary, report.indicator, report.value)
        rows.append(row(Cell(what, small=f"{report.source}, {report.date}"), *map(decibans, weights)))
    caption = f"Weightiest reports that became known after {summary.since}, in decibans"
    caption += " (▲ for the scenario, ▼ against it)"
    rest = len(unit.new_reports) - len(listed)
    return Table(caption, ("Report", *columns(unit)), rows, on_paper=4, rest=rest)


def outlook(summary: Summary, data: BriefData) -> Section:
    """Show how it goes on without further evidence, and the chance that each scenario ever comes true."""
    if not summary.regime:
        fixed = "The truth is assumed to be one fixed scenario, so that the outlook is what is believed now."
        return Section("outlook", "Outlook", (Text(fixed),))

    def table(unit: UnitForecast) -> list[Block]:
        later = of_unit(data.outlook, unit.name)
        days = dates(later["date"])
        chosen = thinned(len(days), 4)
        rows = []
        for scenario in unit.scenarios:
            probability = later["probability"].sel(scenario=scenario.id).values[chosen].tolist()
            title = Cell(scenario.title, style=summary.styles[scenario.id])
            last = () if summary.event else (Cell(percent(scenario.ever), strong=True),)
            rows.append(row(title, *map(percent, probability), *last))
        ever = () if summary.event else ("Ever until then",)
        head = ("Scenario", *(f"{days[n].day} {days[n]:%b %Y}" for n in chosen), *ever)
        what = "that it has happened by" if summary.event else "of each scenario on"
        caption = f"Probability {what} days to come if nothing further is reported"
        return [Table(caption, head, rows)]

    return Section("outlook", f"Outlook to {summary.horizon}", each_unit(summary, table))


def sources(summary: Summary, data: BriefData) -> Section:
    """Show where sources contradict one another, and what the forecast would be without each."""
    clashes = [("", line) for line in sentences.clash_lines(summary)]
    none = "No two reports contradict each other."
    blocks: list[Block] = [Items(clashes, on_paper=3) if clashes else Text(none)]
    rows = []
    for one, effect in sorted(data.effects(), key=lambda pair: -np.abs(pair[1]).max())[:LISTED]:
        if np.abs(effect).max() >= LEAST_CHANGE:
            reports = f"{_unit_prefix(one.unit)}{counted(one.reports, 'report')}"
            title = summary.question.source_titles[one.source]
            rows.append(row(Cell(title, small=reports), *_tenths(effect)))
    if rows:
        caption = (
            f"Without each source: points by which it would differ {summary.when} (judgements at their means)"
        )
        head = ("Source left out", *columns(summary.units[0]))
        rest = len(data.source_effects) - len(rows)
        blocks.append(Table(caption, head, rows, on_paper=ON_PAPER, rest=rest))
    return Section("sources", "Where sources clash, and what leans on them", blocks)


def late(summary: Summary, data: BriefData) -> Section:
    """Show what came late or was corrected, and how the periods it speaks of look now."""
    if not data.revisions:
        none = f"Nothing that became known after {summary.since} was late, or corrected an earlier report."
        return Section("late", "Late and corrected", (Text(none),))

    def period(one: Revision) -> tuple[date, str]:
        return one.period_end, one.report.unit

    groups = groupby(sorted(data.revisions, key=period, reverse=True), period)
    rows = [_revised_period(summary, list(reports)) for _, reports in groups]
    caption = (
        "Periods about which something became known when they were over, or was corrected: the probability as"
        " it was seen then, and with all that is known now"
    )
    head = ("Period to", "Then → now", "What came late")
    rest = max(len(rows) - LISTED, 0)
    table = Table(caption, head, rows[:LISTED], (1, 2), ON_PAPER, rest)
    return Section("late", "Late and corrected", (table,))


def _revised_period(summary: Summary, reports: list[Revision]) -> tuple[Cell, ...]:
    """Return the row of one period: the scenario whose probability is seen most differently now, and why."""
    first, seen = reports[0], Cell("not in the trend")
    if first.then:
        most = int(np.argmax(np.abs(np.subtract(first.today, first.then))))
        numbers = f"{percent(first.then[most])} → {percent(first.today[most])}"
        seen = Cell(numbers, small=summary.question.scenarios[most].title)
    what = sentences.listing([_late_report(one) for one in reports], 3)
    number = counted(len(reports), "report")
    return row(Cell(f"{first.period_end}", small=first.report.unit), seen, Cell(number, small=what))


def _late_report(one: Revision) -> str:
    if one.corrected is None:
        return f"{one.report.id} (known {one.report.reported})"
    verb = "withdraws" if one.report.value is None else "corrects"
    return f"{one.report.id} ({verb} {one.corrected.id}, known {one.report.reported})"


def collection(summary: Summary, data: BriefData) -> Section:
    """Show which single report would move the forecast most, each way, and about what to ask."""
    title = "What would move it most"
    if data.collection is None:
        ends = "The question ends in this period: no further one can be reported on."
        return Section("collect", title, (Text(ends),))

    def next_reports(unit: UnitForecast) -> list[Block]:
        rows = []
        for effect in (*data.strongest(unit, 1), *data.strongest(unit, -1)):
            what = Cell(sentences.statement(summary, effect.indicator, effect.value), small=effect.source)
            rows.append(row(what, points(effect.horizon[unit.leading_place], 1)))
        if not rows:
            return [Text("No single report would move it by half a point.")]
        title = unit.leading.title
        caption = f"Points by which one report in the next period would move {title}, {summary.when}"
        return [Table(caption, ("If it is reported", columns(unit)[unit.leading_place]), rows, half=True)]

    blocks = each_unit(summary, next_reports)
    return Section("collect", title, (*blocks, *_to_ask(summary, data), *_judgements(summary, data)))


def _to_ask(summary: Summary, data: BriefData) -> Iterable[Block]:
    rows = []
    for one in data.to_ask(6):
        indicator = summary.question.indicator_titles[one["indicator"]]
        what = Cell(f"{_unit_prefix(one.get('unit'))}{indicator}", small=one["source"] or "watching it")
        expected = f"{one['expected']} ({percent(one['chance'])})" if one["expected"] else "a number"
        rows.append(row(what, expected, f"{1000 * one['horizon']:.1f}"))
    if rows:
        caption = "What to ask about, and whom: information to expect, in thousandths of a bit"
        yield Table(caption, ("Ask about", "Most likely answer", "Information"), rows, (1,), half=True)


def _judgements(summary: Summary, data: BriefData) -> Iterable[Block]:
    """Show which judgements the leading scenario depends on most."""
    for unit in summary.units:
        swings = of_unit(data.swings, unit.name)
        if swings.sizes["judgement"]:
            means = "(Judgements at their means; the scenario and the judgements by their ids.)"
            yield Text(f"{_unit_prefix(unit.name)}{most(swings)} {means}", "screen")


def caveats(summary: Summary, data: BriefData) -> Section:
    """List what to doubt: checks that did not pass, cells that rest on one source, and the warnings."""
    lines = [(check.name, f"{check.reason} {check.action}".strip()) for check in data.failed_checks]
    cells = data.corroboration
    if cells.single_source:
        single = f"{len(cells.single_source)} of {cells.cells} cells rest on the word of one source."
        lines.append(("Single sources", single))
    if cells.possible_duplicates:
        ids = [", ".join(report.id for report in reports) for reports in cells.possible_duplicates]
        text = f"In {len(ids)} of {cells.cells} cells reports that say the same count as independent: "
        fix = ". If they pass on one claim, link them by repeats or testimony."
        lines.append(("Lookalikes without a link", text + sentences.listing(ids, 3, "; ") + fix))
    checked = {check.name for check in data.failed_checks}
    lines += [("", one.text) for one in summary.warnings if CHECK_OF.get(one.kind) not in checked]
    block: Block = Text("The checks show nothing to doubt.")
    if lines:
        block = Items(lines[:LONG_LISTED], LONG_ON_PAPER, max(len(lines) - LONG_LISTED, 0))
    return Section("doubts", "What to doubt", (block,))


def evidence(summary: Summary, data: BriefData) -> Section:
    """List the evidence that is new, with notes and citations, the latest first."""
    until, weights = summary.inputs.as_of, data.largest_weights
    new = [report for report in summary.case.evidence.reports if summary.since < report.reported <= until]
    reports = [report for report in new if report.indicator]
    reports.sort(key=lambda report: (report.reported, weights.get(report.id, 0.0)), reverse=True)
    rows = []
    for report in reports[:LONG_LISTED]:
        value = "withdrawn" if report.value is None else report.value
        what = f"{_unit_prefix(report.unit)}{sentences.statement(summary, report.indicator, value)}"
        grade = f"graded {report.credibility}" if report.credibility else "not graded"
        source = Cell(summary.question.source_titles[report.source], small=grade)
        citation = Cell(clipped(report.citation, LONGEST_NOTE), href=safe_link(report.citation))
        rows.append(
            row(Cell(what, small=clipped(report.note, LONGEST_NOTE)), source, f"{report.reported}", citation)
        )
    blocks: list[Block] = [Text(f"No report became known after {summary.since}.")]
    if rows:
        caption = f"Reports that became known after {summary.since}, the latest first"
        head, left = ("Report", "Source", "Known", "Citation"), (1, 2, 3)
        blocks = [Table(caption, head, rows, left, LONG_ON_PAPER, len(reports) - len(rows))]
    if context := len(new) - len(reports):
        blocks.append(Text(f"Besides, {counted(context, 'row')} of context, which have no weight.", "quiet"))
    return Section("evidence", "Evidence", blocks)


def method(summary: Summary) -> Section:
    """Explain in ten lines how the numbers came about, and what they were made from."""
    of, question = summary.inputs, summary.question
    lines = (
        _motion(summary),
        f"{len(question.scenarios)} scenarios exclude one another and leave nothing out;"
        f" {len(question.indicators)} indicators tell them apart.",
        "Each judgement (prior, likelihood, reliability) is an estimate worth so many past cases.",
        "A report tells what happened with the chance of its source's reliability, times a factor for its"
        " credibility; else it is noise.",
        "Reports on one cell, an indicator in one period, corroborate or cancel; one that repeats another"
        " adds nothing unless it is said to.",
        _silence(question),
        _groups_and_cap(question),
        f"Evidence revises the judgements too{_in_part(question)}: the tenth report of a kind weighs less"
        " than the first.",
        f"Probabilities are means over {of.chains} × {of.draws:,} draws; a band holds the central 90%: how"
        " far a number would move if the judgements were known.",
        f"Words are those of the scale {question.words}. Grades of reliability are conventions, not"
        " measurements.",
    )
    inputs = Text(f"Case {summary.case.name}. {sentences.provenance(summary)}", "quiet")
    return Section("method", "How it was made", (Items([("", line) for line in lines]), inputs))


def _motion(summary: Summary) -> str:
    if summary.question.event is not None:
        return (
            "What is being prepared may change from period to period; that nothing has happened so far is"
            " taken as known, and the outlook steps on from there."
        )
    if summary.regime:
        return "The truth may move from scenario to scenario: it is filtered period by period, then steps on."
    return "The truth is one fixed scenario: all evidence of all periods speaks about it."


def _silence(question: Question) -> str:
    if any(indicator.reporting for indicator in question.indicators):
        return (
            "Whether a report is filed hangs on what it claims, so a period without one is evidence too, as"
            " far as the log has shown what is filed."
        )
    if any(indicator.monitored for indicator in question.indicators):
        return "Silence about a monitored indicator is evidence too, as far as it would have been detected."
    return "A period without a report says nothing."


def _in_part(question: Question) -> str:
    return ", by half of what it says of them" if question.learning == "partial" else ""


def _groups_and_cap(question: Question) -> str:
    groups = f"{counted(len(question.groups), 'group')} of indicators that move together"
    capped = f"no cell counts for more than {question.cap:g} to 1" if question.cap else "no cell is capped"
    return f"{groups if question.groups else 'No indicators'} share their weight, and {capped}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _unit_prefix(unit: str | None) -> str:
    return f"{unit}: " if unit else ""


def _tenths(values: Iterable[float]) -> list[str]:
    """Write changes of probability in points to a tenth."""
    return [points(value, 1) for value in values]
