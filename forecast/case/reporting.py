"""How a log is understood, in words: whose silence counts, and from which day on."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

from forecast.case.errors import listed
from forecast.case.evidence import Evidence, Report
from forecast.case.question import Indicator, Question


def live_reports(evidence: Evidence) -> tuple[Report, ...]:
    """Return the reports with weight that nothing replaces, in the order of the log."""
    replaced = {report.replaces for report in evidence.reports if report.replaces}
    return tuple(r for r in evidence.reports if r.indicator and r.value is not None and r.id not in replaced)


def watched_from(question: Question, evidence: Evidence) -> dict[tuple[str, str], int]:
    """Return the first period of which silence is evidence of what happened, by unit and indicator.

    That is the period after the first report, not before the one in which the log's first report became
    known; or the one that `reporting: since` names. Left out is an indicator of which silence never counts.
    """
    live = live_reports(evidence)
    opened = min((max(question.period(r.reported), 0) for r in live), default=0)
    parents = {i.id: i.given for i in question.indicators if i.given}
    first: dict[tuple[str, str], int] = {}
    for report in live:
        key = report.unit, parents.get(report.indicator, report.indicator)
        first[key] = min(first.get(key, question.period(report.date)), question.period(report.date))
    periods = {}
    for indicator in question.indicators:
        if not silence_counts(indicator) or indicator.reporting is None:
            continue
        for unit in question.unit_names:
            if indicator.reporting.since is not None:
                periods[unit, indicator.id] = max(question.period(indicator.reporting.since), 0)
            elif (unit, indicator.id) in first:
                periods[unit, indicator.id] = max(first[unit, indicator.id] + 1, opened)
    return periods


def silence_counts(indicator: Indicator) -> bool:
    """Return whether silence is evidence by what the log teaches: not by what `monitored` states."""
    filed = indicator.reporting is not None and bool(indicator.quiet)
    return filed and indicator.given is None and indicator.monitored is None


def log_sentences(question: Question, evidence: Evidence) -> list[str]:
    """Return how the log is understood, a sentence for each kind of indicator.

    Examples
    --------
    >>> from forecast.case.folder import load_case
    >>> case = load_case("scenarios/isis-jn-2014")  # doctest: +SKIP
    >>> log_sentences(case.question, case.evidence)[1]  # doctest: +SKIP
    'Silence counts as stated by `monitored`: merger (2014-08-24 to 2014-11-15).'
    """
    sentences = _counted(question, evidence)
    watches = [(i.id, i.monitored) for i in question.indicators if i.monitored is not None]
    if watches:
        stated = [f"{id} ({monitored.since} to {monitored.until})" for id, monitored in watches]
        sentences.append(f"Silence counts as stated by `monitored`: {listed(stated)}.")
    silent: dict[str, list[str]] = defaultdict(list)
    for indicator in question.indicators:
        if indicator.monitored is None and (why := _why_not(indicator)):
            silent[why].append(indicator.id)
    return sentences + [f"Silence says nothing{why}: {listed(ids)}." for why, ids in silent.items()]


def _counted(question: Question, evidence: Evidence) -> list[str]:
    """Return from which days on silence counts, and of what it does not count yet."""
    watched = watched_from(question, evidence)
    name = {7: "week", 1: "day"}.get(question.period_days, "period")
    said: dict[tuple[date, int], list[str]] = defaultdict(list)
    begun: dict[int, list[str]] = defaultdict(list)
    unseen: list[str] = []
    for indicator in question.indicators:
        if not silence_counts(indicator) or indicator.reporting is None:
            continue
        periods = [start for (_, id), start in watched.items() if id == indicator.id]
        if not periods:
            unseen.append(indicator.id)
            continue
        day = question.last_day(min(periods) - 1) + timedelta(days=1)
        if indicator.reporting.since is not None:
            said[day, indicator.reporting.lag].append(indicator.id)
        else:
            begun[indicator.reporting.lag].append(f"{indicator.id} ({day})")
    sentences = [
        f"Silence counts from {day} on, as `since` says ({_lag(lag, name)}): {listed(ids)}."
        for (day, lag), ids in sorted(said.items())
    ]
    sentences += [
        f"Silence counts from the {name} after the first report on ({_lag(lag, name)}): {listed(ids)}."
        for lag, ids in sorted(begun.items())
    ]
    return sentences + (
        [f"Silence does not count yet, there being no report: {listed(unseen)}."] if unseen else []
    )


def _lag(days: int, period: str) -> str:
    """Return how many days after a period's end silence counts."""
    return f"{days} {'day' if days == 1 else 'days'} after each {period}'s end"


def _why_not(indicator: Indicator) -> str:
    """Return why silence about an indicator says nothing, "" if it may say something."""
    if indicator.kind != "category":
        return " of a ratio, a count or a measure"
    if indicator.reporting is None:
        return " where `reporting: ignored`"
    if indicator.given is not None:
        return " of what has a value only in some periods (`given`)"
    return "" if indicator.quiet else " where no value is quiet (`quiet: VALUE` would name it)"
