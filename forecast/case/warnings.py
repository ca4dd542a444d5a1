"""What is not wrong with a case, but worth a second look before its numbers are believed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from forecast.case.errors import listed
from forecast.case.evidence import Evidence, Report
from forecast.case.question import Indicator, Question

#: So many ids are listed in a remark, no more.
MOST_IDS = 8


def remarks(question: Question, evidence: Evidence, *, undated: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the remarks on a case, each a sentence or two.

    Parameters
    ----------
    question, evidence
        The case, free of faults.
    undated : sequence of str
        Ids of the reports that do not say when they were reported.
    """
    replaced = {report.replaces for report in evidence.reports if report.replaces}
    live = [r for r in evidence.reports if r.indicator and r.value is not None and r.id not in replaced]
    found = [
        _settled(question),
        _ungraded(live, question),
        _undated(undated, live),
        _too_late(live, question),
        _unobserved(live, question),
        _not_diagnostic(question),
        _one_source(live),
    ]
    return tuple(remark for remark in found if remark)


def _settled(question: Question) -> str:
    if question.resolved is None:
        return ""
    titles = {scenario.id: scenario.title for scenario in question.scenarios}
    name = titles.get(question.resolved.scenario, question.resolved.scenario)
    return (
        f"The question was settled on {question.resolved.on}: {name}. It is forecast as of that day at the "
        "latest, unless a later one is asked for."
    )


def _ids(ids: Iterable[str]) -> str:
    return listed(ids, most=MOST_IDS)


def _reports(n: int) -> str:
    return f"{n} report" if n == 1 else f"{n} reports"


def _ungraded(live: Sequence[Report], question: Question) -> str:
    ungraded = [report.id for report in live if not report.credibility]
    if not ungraded or len(ungraded) == len(live):
        return ""
    factor = question.credibility[""]
    return (
        f"{len(ungraded)} of {_reports(len(live))} have no credibility grade ({_ids(ungraded)}) and count "
        f"with the factor {factor:g}, while the others are graded: grade them all or none."
    )


def _undated(undated: Sequence[str], live: Sequence[Report]) -> str:
    ids = {report.id for report in live}
    shown = [id for id in undated if id in ids]
    if not shown:
        return ""
    return (
        f"{_reports(len(shown))} without `reported` ({_ids(shown)}): taken as known on the day it happened, "
        "which flatters the past."
    )


def _too_late(live: Sequence[Report], question: Question) -> str:
    late = [report.id for report in live if report.reported > question.horizon]
    if not late:
        return ""
    return f"{_reports(len(late))} after the horizon, {question.horizon} ({_ids(late)}): never used."


def _unobserved(live: Sequence[Report], question: Question) -> str:
    reported = {report.indicator for report in live}
    # What is reported of a child says that its parent happened.
    reported |= {i.given for i in question.indicators if i.given and i.id in reported}
    silent = [i.id for i in question.indicators if i.id not in reported and i.monitored is None]
    if not silent:
        return ""
    return f"No report and no monitoring of {_ids(silent)}: without weight so far."


def _not_diagnostic(question: Question) -> str:
    same = [indicator.id for indicator in question.indicators if _same(indicator, question)]
    if not same:
        return ""
    return f"The likelihood is the same under every scenario for {_ids(same)}: reports of it decide nothing."


def _same(indicator: Indicator, question: Question) -> bool:
    """Return whether all scenarios but the residual one expect the same."""
    pairs = zip(indicator.likelihood, question.scenarios, strict=True)
    return len({judgement.mean for judgement, scenario in pairs if not scenario.residual}) == 1


def _one_source(live: Sequence[Report]) -> str:
    by_indicator: dict[str, set[str]] = defaultdict(set)
    for report in live:
        by_indicator[report.indicator].add(report.source)
    sources = {report.source for report in live}
    if len(sources) == 1 and len(live) > 1:
        return f"All {_reports(len(live))} come from one source, {sources.pop()}."
    times: dict[str, int] = defaultdict(int)
    for report in live:
        times[report.indicator] += 1
    alone = [f"{id} ({next(iter(s))})" for id, s in by_indicator.items() if len(s) == 1 and times[id] > 1]
    return f"One source alone in all reports of {_ids(alone)}." if alone else ""
