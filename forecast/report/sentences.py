"""The sentences that table and brief share, so that the terminal and the file say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast.inference.diagnostics import LEAST_DECIBANS
from forecast.report.number_format import band, percent

if TYPE_CHECKING:
    from forecast.analysis.source_agreement import Clash
    from forecast.case.evidence import Report
    from forecast.report.summary import Chance, Mover, Summary, View

#: So many reports and clashes are listed; the others are counted.
LISTED = 8


def chance(of: Chance) -> str:
    """Write a probability with its central 90 %."""
    return f"{percent(of.probability)} ({band(of.low, of.high)})"


def headline(summary: Summary, view: View) -> str:
    """Say first what the question asks: which scenario is the most probable, and how probable."""
    line = max(view.lines, key=lambda line: summary.leading(line).probability)
    when = f"At the horizon, {summary.horizon}" if summary.regime else f"As of {summary.inputs.as_of}"
    lead = summary.leading(line)
    words = lead.words
    if lead.words_of_band != words:
        words += f" (over the band: {lead.words_of_band})"
    return f"{when}, the most probable scenario is {line.title}: {chance(lead)}, {words}."


def confidence(summary: Summary) -> str:
    """Say how sound the foundations are: never in one sentence with a probability (ICD 203)."""
    of = summary.confidence
    weakest = [one.what for one in of.foundations if one.level == of.level]
    others = [one.what for one in of.foundations if one.level != of.level]
    because = " and ".join(weakest) + (f"; better: {', '.join(others)}" if others else "")
    return f"Confidence in this assessment is {of.level}: {because}."


def provenance(summary: Summary) -> str:
    """Say what the numbers were made from and how, so that they can be made again."""
    of = summary.inputs
    return (
        f"Knowledge of {of.as_of}; settled by {summary.horizon}. Engine {of.engine}, {of.chains} chains of"
        f" {of.draws:,} draws, seed {of.seed}; inputs {of.digest[:12]}; version {of.version}."
    )


def comparison(summary: Summary) -> str:
    """Say what the changes are changes from."""
    if summary.previous is None:
        return "No earlier forecast has been issued, so there is no change to show."
    said = f"Change: percentage points since the forecast issued as of {summary.previous}."
    if summary.carried:
        said += (
            " It had other scenarios: its probabilities are carried over by the shares of the question file."
        )
    return said


def movers_title(summary: Summary) -> str:
    """Say which reports are listed and what their numbers mean."""
    return (
        f"What moved it: reports that became known after {summary.since}, with the weight of evidence of each"
        " in decibans (▲ speaks for the scenario, ▼ against it; 10 makes the odds tenfold)"
    )


def report(summary: Summary, of: Report) -> str:
    """Name a report by what it states, who states it and when."""
    titles = {indicator.id: indicator.title for indicator in summary.case.question.indicators}
    return f"{titles[of.indicator]}: {of.value} ({of.source}, {of.date})"


def clash(summary: Summary, of: Clash) -> str:
    """Say who contradicts whom about what."""
    question = summary.case.question
    titles = {indicator.id: indicator.title for indicator in question.indicators}
    said = " against ".join(
        f"{value} ({', '.join(r.source for r in of.reports if r.value == value)})"
        for value in dict.fromkeys(r.value for r in of.reports)
    )
    where = f", {of.unit}" if of.unit else ""
    return f"{titles[of.indicator]}{where}, {_period(summary, of.period)}: {said}"


def clash_lines(summary: Summary) -> list[str]:
    """Return one line for each clashing cell, the latest first, and one for those left out."""
    lines = [clash(summary, of) for of in summary.clashes[:LISTED]]
    return lines + _left_out(len(summary.clashes) - LISTED, "earlier one", "earlier ones")


def listed_movers(movers: tuple[Mover, ...]) -> tuple[Mover, ...]:
    """Return the reports to list: the weightiest, if they weigh anything still."""
    return tuple(mover for mover in movers[:LISTED] if not mover.size < LEAST_DECIBANS)


def without_movers(summary: Summary, view: View) -> str:
    """Say why no report is listed."""
    if not view.movers:
        return f"No report became known after {summary.since}."
    became = "1 report became" if len(view.movers) == 1 else f"{len(view.movers)} reports became"
    return f"{became} known after {summary.since}, none of any weight by now."


def left_out_movers(movers: tuple[Mover, ...]) -> list[str]:
    """Count the reports that are not listed."""
    rest = len(movers) - len(listed_movers(movers))
    return _left_out(rest, "report of less weight", "reports of less weight")


def _left_out(rest: int, one: str, many: str) -> list[str]:
    return [f"and {rest} {one if rest == 1 else many}"] if rest > 0 else []


def _period(summary: Summary, period: int) -> str:
    question = summary.case.question
    last = question.last_day(period)
    return f"{last}" if question.period_days == 1 else f"week to {last}"
