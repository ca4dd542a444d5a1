"""What the forecast stands on: what to doubt, the new evidence, and the method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast.report import phrases
from forecast.report.page.blocks import Block, Cell, Items, Section, Table, Text, clipped, safe_link

if TYPE_CHECKING:
    from forecast.case.question import Question
    from forecast.report.findings import Findings
    from forecast.report.summary import Summary

#: Lines and rows on the screen, and on paper.
LISTED, ON_PAPER = 12, 5

#: Longest note, in characters.
NOTE = 320

#: What a check of the review says better than the warning that holds these words.
TOLD_BY = {"Drift of judgements": "has drifted", "Grades of credibility": "no credibility grade"}


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
    told = [said for name, said in TOLD_BY.items() if any(check.name == name for check in findings.doubts)]
    lines += [("", w) for w in summary.warnings if not any(said in w for said in told)]
    blocks: list[Block] = [Items(tuple(lines[:LISTED]), ON_PAPER, max(len(lines) - LISTED, 0))]
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
    for r in told[:LISTED]:
        value = "withdrawn" if r.value is None else r.value
        unit = f"{r.unit}: " if r.unit else ""
        grade = f"graded {r.credibility}" if r.credibility else "not graded"
        what = Cell(f"{unit}{titles[r.indicator]}: {value}", small=clipped(r.note, NOTE))
        cited = Cell(clipped(r.citation, NOTE), href=safe_link(r.citation))
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
    made = Text(f"Case {summary.case.name}. {phrases.provenance(summary)}", "quiet")
    return Section("method", "How it was made", (Items(tuple(("", line) for line in lines)), made))


def _together(question: Question) -> str:
    groups = len(question.groups)
    shared = (
        f"{groups} group{'s' * (groups > 1)} of indicators that move together" if groups else "No indicators"
    )
    capped = f"no cell counts for more than {question.cap:g} to 1" if question.cap else "no cell is capped"
    return f"{shared} share their weight, and {capped}."
