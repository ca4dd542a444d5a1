"""Sentences shared by terminal and brief: headline, confidence, provenance, reports and clashes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from forecast.inference.diagnostics import LEAST_DECIBANS
from forecast.report.number_format import band, counted, percent

if TYPE_CHECKING:
    from forecast.analysis.source_agreement import Clash
    from forecast.case.evidence import Report
    from forecast.report.summary import Estimate, Summary, UnitForecast, WeighedReport

WIDE = 0.15  #: A range of chances over indicators that is wider than this is told
LISTED = 8  #: So many reports and clashes are listed; the others are counted

#: What each part of a change since the last issue is, for a reader.
CHANGE_PARTS = {
    "remainder": "remainder: Monte Carlo, version",
    "judgements": "changed judgements and grades",
    "scenarios": "changed scenarios",
    "time": "time passing",
    "new": "new reports",
    "late": "late reports on earlier days",
    "corrections": "corrections and withdrawals",
    "silence": "weeks of silence now complete",
}


def estimate(of: Estimate) -> str:
    """Return a probability with its central 90 %."""
    return f"{percent(of.probability)} ({band(of.low, of.high)})"


def headline(summary: Summary, unit: UnitForecast) -> str:
    """Return the answer to the question: which scenario is the most probable, and how probable it is.

    Of an event question first what may happen: by the horizon, whether it is being prepared now, and what the
    chance would be without any news.
    """
    if summary.event:
        return f"{_event(summary, unit)} {_most_probable(summary, unit)}"
    return _most_probable(summary, unit)


def _event(summary: Summary, unit: UnitForecast) -> str:
    """Return the chance of the most probable outcome, and what stands beside it."""
    of = summary.outcome(unit)
    assert of.if_prepared is not None
    assert of.without_news is not None
    verb = "have fallen to" if of.without_news < _stated(summary, of.id) else "be"
    return (
        f"As of {summary.inputs.as_of}: {of.title} by {summary.horizon} {estimate(of.horizon)}; being"
        f" prepared now {percent(of.now.probability)}, and if it is, the chance by then is"
        f" {percent(of.if_prepared)};"
        f" with no news the chance would {verb} {percent(of.without_news)}."
    )


def _stated(summary: Summary, id: str) -> float:
    """Return the chance of a scenario by the horizon as it was first judged."""
    return summary.question.prior.mean[summary.question.scenario_ids.index(id)]


#: What stands beside the forecast of an event: the heads of three chances at the horizon.
BESIDE = ("if being prepared now", "with no news", "as first judged")


def beside(summary: Summary, unit: UnitForecast) -> list[list[str]]:
    """Return of each scenario of an event question its title and the chances of :data:`BESIDE`."""
    return [
        [one.title, *map(percent, (one.if_prepared or 0.0, one.without_news or 0.0, prior))]
        for one, prior in zip(unit.scenarios, summary.question.prior.mean, strict=True)
    ]


def still_open(summary: Summary) -> str:
    """Return what is taken as known of an event question: that nothing has happened yet."""
    of = summary.inputs
    return (
        f"Now means that it is being prepared, at the horizon that it will have happened. That nothing has"
        f" happened by {of.as_of} is taken as known: resolve the question when something has."
    )


def _most_probable(summary: Summary, unit: UnitForecast) -> str:
    """Return which scenario is the most probable, and how probable it is."""
    when = f"At the horizon, {summary.horizon}" if summary.regime else f"As of {summary.inputs.as_of}"
    answer = unit.leading.answer
    words = answer.words
    if answer.words_of_band != words:
        words += f" (over the band: {answer.words_of_band})"
    return f"{when}, the most probable scenario is {unit.leading.title}: {estimate(answer)}, {words}."


def confidence(summary: Summary) -> str:
    """Return how sound the foundations are: never in one sentence with a probability (ICD 203)."""
    of = summary.confidence
    weakest = [one.what for one in of.foundations if one.level == of.level]
    others = [one.what for one in of.foundations if one.level != of.level]
    because = " and ".join(weakest) + (f"; better: {', '.join(others)}" if others else "")
    return f"Confidence in this assessment is {of.level}: {because}."


#: What is filed or not, by what it claims.
FILED = {"event": "what happened", "quiet": "what did not", "again": "what went on"}


def log_understood(summary: Summary) -> list[str]:
    """Return how the log was understood, and the forecast with reporting ignored; [] if silence says nothing.

    Of several indicators the range is told where it is wide.
    """
    filing = summary.filing
    if filing is None:
        return []
    shares: list[str] = []
    for claim, chance in filing.chances.items():
        wide = f" ({_share(chance.low)} to {_share(chance.high)} by indicator)"
        was = " was filed" if not shares else ""
        shares.append(
            f"{_share(chance.mean)} of {FILED[claim]}{was}{wide if chance.high - chance.low > WIDE else ''}"
        )
    first, last = min(filing.since.values()), max(filing.since.values())
    since = f"{first} on" if first == last else f"each indicator's first report on ({first} to {last})"
    lines = [f"Silence counts, from {since}: {', '.join(shares)}."]
    if filing.ignored is not None:
        place = 1 if summary.regime else 0
        for n, unit in enumerate(summary.units):
            pairs = zip(unit.scenarios, filing.ignored[place, n], strict=True)
            others = ", ".join(f"{one.title} {percent(float(p))}" for one, p in pairs)
            of = f" of {unit.name}" if unit.name else ""
            lines.append(f"With reporting ignored the answer{of} would be about: {others}.")
    return lines


def _share(value: float) -> str:
    """Return a share of 1 with two digits.

    >>> _share(0.62)
    '.62'
    """
    return f"{value:.2f}".removeprefix("0")


def provenance(summary: Summary) -> str:
    """Return what the numbers were made from and how, so that they can be made again."""
    of = summary.inputs
    return (
        f"Knowledge of {of.as_of}; settled by {summary.horizon}. Engine {of.engine}, {of.chains} chains of"
        f" {of.draws:,} draws, seed {of.seed}; inputs {of.digest[:12]}; version {of.version}."
    )


def comparison(summary: Summary) -> str:
    """Return what the changes are changes from."""
    if summary.previous is None:
        return "No earlier forecast has been issued, so there is no change to show."
    since = f"Change: percentage points since the forecast issued as of {summary.previous}."
    if summary.carried:
        other = (
            "It had other scenarios: its probabilities are carried over by the shares of the question file."
        )
        return f"{since} {other}"
    return since


def new_reports(summary: Summary) -> str:
    """Return which reports are listed and what their numbers mean."""
    return (
        f"What moved it: reports that became known after {summary.since}, with the weight of evidence of each"
        " in decibans (▲ speaks for the scenario, ▼ against it; 10 makes the odds tenfold)"
    )


def listed(reports: Sequence[WeighedReport]) -> Sequence[WeighedReport]:
    """Return the reports to list: the weightiest, if they weigh anything still."""
    return [report for report in reports[:LISTED] if not report.largest < LEAST_DECIBANS]


def unlisted(reports: Sequence[WeighedReport]) -> list[str]:
    """Return a line counting the reports not listed, or nothing."""
    return _and_more(len(reports) - len(listed(reports)), "report of less weight", "reports of less weight")


def none_listed(summary: Summary, unit: UnitForecast) -> str:
    """Return why no report is listed."""
    if not unit.new_reports:
        return f"No report became known after {summary.since}."
    number = counted(len(unit.new_reports), "report")
    return f"{number} became known after {summary.since}, none of any weight by now."


def statement(summary: Summary, indicator: str, value: object) -> str:
    """Return an indicator with a value of it."""
    return f"{summary.question.indicator_titles[indicator]}: {value}"


def report(summary: Summary, of: Report) -> str:
    """Return what a report states, who states it and when."""
    return f"{statement(summary, of.indicator, of.value)} ({of.source}, {of.date})"


def clash_lines(summary: Summary) -> list[str]:
    """Return one line for each clashing cell, the latest first, and one for those left out."""
    lines = [_clash(summary, clash) for clash in summary.clashes[:LISTED]]
    return lines + _and_more(len(summary.clashes) - LISTED, "earlier one", "earlier ones")


def _clash(summary: Summary, of: Clash) -> str:
    """Return who contradicts whom about what."""
    question, day = summary.question, summary.question.last_day(of.period)
    values = " against ".join(
        f"{value} ({', '.join(report.source for report in of.reports if report.value == value)})"
        for value in dict.fromkeys(report.value for report in of.reports)
    )
    period = f"{day}" if question.period_days == 1 else f"week to {day}"
    where = f"{question.indicator_titles[of.indicator]}{f', {of.unit}' if of.unit else ''}"
    return f"{where}, {period}: {values}"


def listing(texts: Sequence[str], most: int, separator: str = ", ") -> str:
    """Return the first of several texts, and how many more there are.

    >>> listing(["a", "b", "c", "d"], 2), listing(["a", "b"], 2)
    ('a, b, and 2 more', 'a, b')
    """
    more = [f"and {len(texts) - most} more"] if len(texts) > most else []
    return separator.join([*texts[:most], *more])


def _and_more(rest: int, one: str, many: str) -> list[str]:
    return [f"and {counted(rest, one, many)}"] if rest > 0 else []
