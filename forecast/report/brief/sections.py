"""How probable each scenario is, what moved it, and how it goes on.

Where sources clash, what the forecast leans on, and what came late or was corrected.

Which report would move the forecast most, each way, and what to ask about.

The trend: a picture that answers to pointer and keyboard, what it has to say, and the same as a table.

What the forecast stands on: what to doubt, the new evidence, and the method.
"""

from __future__ import annotations

import json
import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.report import sentences
from forecast.report.brief.elements import (
    Block,
    Cell,
    Figure,
    Heading,
    Items,
    Section,
    Table,
    Text,
    clipped,
    safe_link,
    simple,
)
from forecast.report.brief.trend_svg import NARROW, WIDE, chart, read_out, share_of, thinned
from forecast.report.number_format import band, direction, percent, points, tenths
from forecast.report.text.explanation import MEANING
from forecast.report.text.sensitivity import most

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import xarray as xr

    from forecast.analysis.influence import Lead
    from forecast.analysis.late_reports import Revised
    from forecast.case.evidence import Report
    from forecast.case.question import Question
    from forecast.report.brief.data import Findings
    from forecast.report.summary import Chance, Summary, View


#: A difference of less than this (probability) is not worth a row.
SLIGHT = 0.0005


def probable(summary: Summary) -> Section:
    """Say how probable each scenario is, at the horizon and now, in words, and since the last issue."""
    blocks: list[Block] = []
    for view in summary.views:
        blocks += [*_unit(view), Text(sentences.headline(summary, view), "lead"), _chances(summary, view)]
    blocks += [Text(sentences.confidence(summary)), Text(sentences.comparison(summary), "quiet")]
    return Section("probabilities", "How probable each scenario is", tuple(blocks))


def columns(view: View) -> list[str]:
    """Return the scenarios' titles as heads of columns, short enough for them; ids if two would be alike."""
    short = [clipped(line.title, 30) for line in view.lines]
    return short if len(set(short)) == len(short) else [line.id for line in view.lines]


def _unit(view: View) -> list[Block]:
    return [Heading(view.unit)] if view.unit else []


def _chances(summary: Summary, view: View) -> Table:
    styles = summary.styles
    changed, regime = summary.previous is not None, summary.regime
    change = ("Change",) if changed else ()
    first = "At the horizon" if regime else "Now and at the horizon"
    head = ("Scenario", first, "90% band", "In words", *change, *(("Now", *change) if regime else ()))
    rows = []
    for line in view.lines:
        lead = summary.leading(line)
        row = [
            Cell(line.title, style=styles[line.id]),
            Cell(percent(lead.probability), strong=True),
            _band(lead),
        ]
        row.append(_words(lead))
        row += [Cell(points(lead.change))] if changed else []
        if regime:
            row.append(Cell(percent(line.now.probability), small=band(line.now.low, line.now.high)))
            row += [Cell(points(line.now.change))] if changed else []
        rows.append(tuple(row))
    caption = f"Probability at the horizon, {summary.horizon}, and now, {summary.inputs.as_of}"
    return Table(
        caption if regime else f"Probability as of {summary.inputs.as_of}", head, tuple(rows), frozenset({3})
    )


def _band(of: Chance) -> Cell:
    return Cell(band(of.low, of.high), band=(of.low, of.probability, of.high))


def _words(of: Chance) -> Cell:
    return Cell(of.words, small="" if of.words_of_band == of.words else of.words_of_band)


def moved(summary: Summary, findings: Findings) -> Section:
    """Say what moved the forecast since the last issue, or what it is made of if it is the first."""
    blocks: list[Block] = []
    for view in summary.views:
        blocks += _unit(view)
        blocks += _parts(summary, findings.change, view) if findings.change is not None else []
        blocks += _sum(findings.why, summary, view) if summary.previous is None else []
        blocks += _movers(summary, view)
    if findings.change is not None:
        blocks += [
            Text(f"{note[:1].upper()}{note[1:]}.", "quiet")
            for note in json.loads(findings.change.attrs["note"])
        ]
    return Section("moved", "What moved it", tuple(blocks))


def _parts(summary: Summary, change: xr.Dataset, view: View) -> list[Block]:
    own = change.sel(unit=view.unit) if view.unit else change
    tables: list[Block] = []
    whens = (("horizon", "At the horizon"), ("now", "Now"))
    for when, name in whens if summary.regime else whens[1:]:
        before, after = own[f"{when}_issued"].values, own[f"{when}_after"].isel(step=-1).values
        first = f"{'Carried over from' if summary.carried else 'Issued'} {summary.previous}"
        rows = [tuple(simple([first, *map(percent, before)]))]
        for step in own["step"].values.tolist():
            part, rows_of = own[when].sel(step=step).values, _reports_of(own, view, step)
            if rows_of or np.abs(part).max() >= SLIGHT:
                meaning = MEANING[step]
                cell = Cell(f"{meaning[:1].upper()}{meaning[1:]}", small=rows_of)
                rows.append((cell, *simple([tenths(move) for move in part])))
        rows.append(tuple(simple(["This forecast", *map(percent, after)])))
        head = ("Percentage points", *columns(view))
        caption = f"{name}: what each change brought, let in one after another"
        tables.append(Table(caption, head, tuple(rows), total=True, half=summary.regime))
    return tables


def _reports_of(change: xr.Dataset, view: View, step: str) -> str:
    mine = (change["report_step"].values == step) & (change["report_unit"].values == view.unit)
    names = change["report"].values[mine].tolist()
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(map(str, names[:4])) + more


def _sum(why: xr.Dataset, summary: Summary, view: View) -> list[Block]:
    own = why.sel(unit=view.unit) if view.unit else why
    mine = own.isel(cell=np.flatnonzero(own["cell_unit"].values == view.unit))
    reported = mine["weight"].sum("cell").values
    parts = [("Before any evidence", own["before"].values), ("What was reported, and silence", reported)]
    if summary.regime:
        parts.append(("Not shared out between cells", own["interaction"].values))
    parts += [("What learning adds", own["learning"].values), ("This forecast, now", own["engine"].values)]
    head = ("Weight of evidence", *columns(view))
    caption = "What it is made of, in decibans for each scenario against the rest (10 make the odds tenfold)"
    return [Table(caption, head, tuple(simple([n, *map(direction, w)]) for n, w in parts), total=True)]


def _movers(summary: Summary, view: View) -> list[Block]:
    listed = sentences.listed_movers(view.movers)
    if not listed:
        return [Text(sentences.without_movers(summary, view), "quiet")]
    titles = {indicator.id: indicator.title for indicator in summary.question.indicators}
    rows = tuple(
        (
            Cell(
                f"{titles[one.report.indicator]}: {one.report.value}",
                small=f"{one.report.source}, {one.report.date}",
            ),
            *simple([direction(weight) for weight in one.weights]),
        )
        for one in listed
    )
    head = ("Report", *columns(view))
    caption = (
        f"Weightiest reports that became known after {summary.since}, in decibans (▲ for the scenario,"
        " ▼ against it)"
    )
    rest = len(view.movers) - len(listed)
    return [Table(caption, head, rows, on_paper=4, rest=rest)]


def outlook(summary: Summary, findings: Findings) -> Section:
    """Say how it goes on without further evidence, and the chance that each scenario ever comes true."""
    blocks: list[Block] = []
    if not summary.regime:
        said = "The truth is taken to be one fixed scenario, so that the outlook is what is believed now."
        return Section("outlook", "Outlook", (Text(said),))
    styles = summary.styles
    for view in summary.views:
        _, ahead = findings.of_unit(view.unit)
        dates = ahead["date"].values.astype("datetime64[D]").tolist()
        chosen = thinned(len(dates), 4)
        head = ("Scenario", *(f"{dates[n].day} {dates[n]:%b %Y}" for n in chosen), "Ever until then")
        rows = []
        for line in view.lines:
            course = ahead["probability"].sel(scenario=line.id).values
            texts = [percent(float(course[n])) for n in chosen]
            rows.append(
                (
                    Cell(line.title, style=styles[line.id]),
                    *simple(texts),
                    Cell(percent(line.ever), strong=True),
                )
            )
        caption = "Probability of each scenario on days to come if nothing further is reported"
        blocks += [*_unit(view), Table(caption, head, tuple(rows))]
    return Section("outlook", f"Outlook to {summary.horizon}", tuple(blocks))


#: Rows of a table on the screen, and on paper.
LISTED, ON_PAPER = 8, 3


def leaning(summary: Summary, findings: Findings) -> Section:
    """Say where sources contradict one another, and what the forecast would be without each."""
    clashes = tuple(("", line) for line in sentences.clash_lines(summary))
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


#: A report that would move less than this (probability) is not worth waiting for.
SLIGHT_LEAD = 0.005


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
        if sign * lead.horizon[place] >= SLIGHT_LEAD and all(
            lead.indicator != one.indicator for one in found
        ):
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


#: So many reports, the weightiest, can be read at the trends of all units together, and so many dates; of
#: each unit at least the fewest.
REPORTS, DATES, FEWEST = 200, 260, 6

#: Longest note, in characters.
NOTE = 240


def trend(summary: Summary, findings: Findings) -> Section:
    """Show the trend with the outlook, the forecasts as issued, and the reports, for pointer and keyboard."""
    blocks: list[Block] = []
    for place, view in enumerate(summary.views):
        blocks += [Heading(view.unit)] if view.unit else []
        blocks.append(_figure(summary, findings, view, f"trend-{place}"))
    return Section("trend", "Trend", tuple(blocks))


def _figure(summary: Summary, findings: Findings, view: View, name: str) -> Figure:
    question = summary.question
    known, ahead = findings.of_unit(view.unit)
    issued = [entry for entry in findings.issued if entry.unit == view.unit]
    reports = _at_the_trend(summary, findings, view)
    most = most_dates(summary)
    days = [report.reported for report in reports]
    laid = partial(chart, question, summary.styles, known, ahead, issued, days)
    wide, narrow = (laid(size, most) for size in (WIDE, NARROW))
    ids = [scenario.id for scenario in question.scenarios]
    data = {
        "scenarios": [scenario.title for scenario in question.scenarios],
        "points": read_out(known, ahead, wide.box, ids, regime=summary.regime, most=most),
        "issued": [
            {
                "day": e.as_of.isoformat(),
                "x": share_of(wide.box, e.as_of),
                "s": ids.index(e.scenario),
                "p": round(e.probability, 4),
            }
            for e in issued
            if e.scenario in ids
        ],
        "reports": [_told(summary, report, share_of(wide.box, report.reported)) for report in reports],
    }
    leader = sentences.headline(summary, view)
    return Figure(
        name,
        f"Trend of the probability of each scenario. {leader}",
        wide,
        narrow,
        _as_table(summary, findings, view),
        data,
    )


def _at_the_trend(summary: Summary, findings: Findings, view: View) -> list[Report]:
    """Return the reports of a unit in the order in which they became known, the weightiest of very many."""
    live = [r for r in summary.case.evidence.known(summary.inputs.as_of) if r.unit == view.unit]
    size = findings.sizes
    chosen = sorted(live, key=lambda report: -size.get(report.id, 0.0))[
        : max(REPORTS // len(summary.views), FEWEST)
    ]
    return sorted(chosen, key=lambda report: (report.reported, report.date))


def _told(summary: Summary, report: Report, x: float) -> dict[str, Any]:
    titles = {indicator.id: indicator.title for indicator in summary.question.indicators}
    sources = {source.id: source.title for source in summary.question.sources}
    return {
        "day": report.reported.isoformat(),
        "x": x,
        "what": f"{titles[report.indicator]}: {report.value}",
        "source": sources[report.source],
        "note": clipped(report.note, NOTE),
        "citation": clipped(report.citation, NOTE),
        "href": safe_link(report.citation),
    }


def _as_table(summary: Summary, findings: Findings, view: View) -> Table:
    ids = [line.id for line in view.lines]
    rows: list[tuple[Cell, ...]] = []
    for data, dim in zip(findings.of_unit(view.unit), ("as_of", "date"), strict=True):
        if dim == "date" and not summary.regime:
            break
        days = data[dim].values.astype("datetime64[D]").astype(str)
        names = ("probability", "low", "high")
        values = np.stack([data[name].transpose(dim, "scenario").sel(scenario=ids).values for name in names])
        for n in thinned(len(days), most_dates(summary)):
            cells = [_chance(*values[:, n, s].tolist()) for s in range(len(ids))]
            rows.append((Cell(str(days[n]), small="outlook" if dim == "date" else ""), *cells))
    head = ("Date", *columns(view))
    return Table("Probability of each scenario with its 90% band, date by date", head, tuple(rows))


def _chance(probability: float, low: float, high: float) -> Cell:
    if math.isnan(probability):
        return Cell("–")
    return Cell(percent(probability), small=band(low, high))


def most_dates(summary: Summary) -> int:
    """Return how many dates of each unit are shown, so that the file of many units stays small."""
    return max(DATES // len(summary.views), FEWEST)


#: Lines and rows on the screen, and on paper.
LISTED_REPORTS, REPORTS_ON_PAPER = 12, 5

#: Longest note, in characters.
LONGEST_NOTE = 320

#: The check of the review that says more than a warning of this kind.
CHECK_OF = {
    "drift": "Drift of judgements", "ungraded": "Grades of credibility", "gaps": "Gaps in the trend",
    "r_hat": "Agreement of chains", "tolerance": "Monte Carlo error", "weights": "Effective draws",
}  # fmt: skip


def doubts(summary: Summary, findings: Findings) -> Section:
    """Say what to doubt: the review, whose word the cells rest on, and the warnings."""
    lines = [(check.name, f"{check.reason} {check.action}".strip()) for check in findings.doubts]
    who = findings.origins
    if who.alone:
        lines.append(
            ("Single sources", f"{len(who.alone)} of {who.cells} cells rest on the word of one source.")
        )
    if who.lookalikes:
        named = [", ".join(report.id for report in reports) for reports in who.lookalikes[:3]]
        more = f", and in {len(who.lookalikes) - 3} more" if len(who.lookalikes) > 3 else ""
        said = (
            f"In {len(who.lookalikes)} of {who.cells} cells reports that say the same count as independent: "
        )
        fix = ". If they pass on one story, link them by repeats or testimony."
        lines.append(("Lookalikes without a link", said + "; ".join(named) + more + fix))
    checked = {check.name for check in findings.doubts}
    lines += [("", w.text) for w in summary.warnings if CHECK_OF.get(w.kind) not in checked]
    blocks: list[Block] = [
        Items(tuple(lines[:LISTED_REPORTS]), REPORTS_ON_PAPER, max(len(lines) - LISTED_REPORTS, 0))
    ]
    return Section(
        "doubts", "What to doubt", tuple(blocks) if lines else (Text("The checks found nothing to doubt."),)
    )


def evidence(summary: Summary, findings: Findings) -> Section:
    """List the evidence that is new, with notes and citations."""
    question, until = summary.question, summary.inputs.as_of
    titles = {indicator.id: indicator.title for indicator in question.indicators}
    sources = {source.id: source.title for source in question.sources}
    new = [r for r in summary.case.evidence.reports if summary.since < r.reported <= until]
    size = findings.sizes
    told = sorted(
        (r for r in new if r.indicator), key=lambda r: (r.reported, size.get(r.id, 0.0)), reverse=True
    )
    context = len(new) - len(told)
    rows = []
    for r in told[:LISTED_REPORTS]:
        value = "withdrawn" if r.value is None else r.value
        unit = f"{r.unit}: " if r.unit else ""
        grade = f"graded {r.credibility}" if r.credibility else "not graded"
        what = Cell(f"{unit}{titles[r.indicator]}: {value}", small=clipped(r.note, LONGEST_NOTE))
        cited = Cell(clipped(r.citation, LONGEST_NOTE), href=safe_link(r.citation))
        rows.append((what, Cell(sources[r.source], small=grade), Cell(f"{r.reported}"), cited))
    blocks: list[Block] = [Text(f"No report became known after {summary.since}.")]
    if rows:
        head = ("Report", "Source", "Known", "Citation")
        caption = f"Reports that became known after {summary.since}, the latest first"
        blocks = [Table(caption, head, tuple(rows), frozenset({1, 2, 3}), 5, len(told) - len(rows))]
    if context:
        rows_of = "1 row" if context == 1 else f"{context} rows"
        blocks.append(Text(f"Besides, {rows_of} of context, which have no weight.", "quiet"))
    return Section("evidence", "Evidence", tuple(blocks))


def method(summary: Summary) -> Section:
    """Say in ten lines how the numbers came about, and what they were made from."""
    of, question = summary.inputs, summary.question
    moving = "The truth may move from scenario to scenario: it is filtered period by period, then steps on."
    fixed = "The truth is one fixed scenario: all evidence of all periods speaks about it."
    lines = (
        moving if summary.regime else fixed,
        f"{len(question.scenarios)} scenarios exclude one another and leave nothing out;"
        f" {len(question.indicators)} indicators tell them apart.",
        "Each judgement (prior, likelihood, reliability) is an estimate worth so many past cases.",
        "A report tells what happened with the chance of its source's reliability, times a factor for its"
        " credibility; else it is noise.",
        "Reports on one cell, an indicator in one period, corroborate or cancel; one that repeats another"
        " adds nothing unless it is said to.",
        "Silence about a monitored indicator is evidence too, as far as an event would have been detected.",
        _together(question),
        "Evidence revises the judgements together with the scenario: the tenth report of a kind weighs less"
        " than the first.",
        f"Probabilities are means over {of.chains} × {of.draws:,} draws; a band holds the central 90%: how"
        " far a number would move if the judgements were known.",
        f"Words are those of the scale {question.words}. Grades of reliability are conventions, not"
        " measurements.",
    )
    made = Text(f"Case {summary.case.name}. {sentences.provenance(summary)}", "quiet")
    return Section("method", "How it was made", (Items(tuple(("", line) for line in lines)), made))


def _together(question: Question) -> str:
    groups = len(question.groups)
    shared = (
        f"{groups} group{'s' * (groups > 1)} of indicators that move together" if groups else "No indicators"
    )
    capped = f"no cell counts for more than {question.cap:g} to 1" if question.cap else "no cell is capped"
    return f"{shared} share their weight, and {capped}."
