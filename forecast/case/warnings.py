"""Warning messages, and the checks of a case that raise them; a warning does not stop a forecast."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from forecast.case.errors import listed
from forecast.case.evidence import Evidence, Report
from forecast.case.question import Question

#: So many ids are listed in a warning, no more.
MOST_IDS = 8

CaseWarning = Literal[
    "settled", "ungraded", "undated", "after horizon", "unobserved", "not diagnostic", "single source",
    "fixed truth", "one decides", "repeats", "late log", "cut off", "outlier",
]  # fmt: skip
EngineWarning = Literal[
    "drift",
    "gaps",
    "few draws",
    "tolerance",
    "r_hat",
    "past r_hat",
    "weights",
    "divergences",
    "energy",
    "ess",
    "still open",
]


@dataclass(frozen=True, slots=True)
class WarningMessage:
    """A warning: its kind, the ids of what it is about (reports, indicators, a judgement), and its text."""

    kind: CaseWarning | EngineWarning
    text: str
    subject: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text


def to_json(warnings: Iterable[WarningMessage]) -> str:
    """Return warnings as a JSON list of objects: kind, text, subject."""
    return json.dumps([asdict(warning) for warning in warnings])


def from_json(text: str) -> list[WarningMessage]:
    """Return the warnings that :func:`to_json` wrote."""
    return [WarningMessage(one["kind"], one["text"], tuple(one["subject"])) for one in json.loads(text)]


def case_warnings(
    question: Question, evidence: Evidence, *, undated: Sequence[str] = ()
) -> tuple[WarningMessage, ...]:
    """Return the warnings about a case, each a sentence or two."""
    replaced = {report.replaces for report in evidence.reports if report.replaces}
    live = [r for r in evidence.reports if r.indicator and r.value is not None and r.id not in replaced]
    warnings = [_settled(question), _ungraded(live, question), _undated(undated, live)]
    warnings += [_after_horizon(live, question), _unobserved(live, question)]
    warnings += [_not_diagnostic(question), _single_source(live)]
    return tuple(warning for warning in warnings if warning)


def _settled(question: Question) -> WarningMessage | None:
    if question.resolved is None:
        return None
    name = question.titles.get(question.resolved.scenario, question.resolved.scenario)
    text = (
        f"The question was settled on {question.resolved.on}: {name}. It is forecast as of that day at the "
        "latest, unless a later one is asked for."
    )
    return WarningMessage("settled", text, (question.resolved.scenario,))


def _ids(ids: Iterable[str]) -> str:
    return listed(ids, most=MOST_IDS)


def _reports(n: int) -> str:
    return f"{n} report" if n == 1 else f"{n} reports"


def _ungraded(live: Sequence[Report], question: Question) -> WarningMessage | None:
    ungraded = tuple(report.id for report in live if not report.credibility)
    if not ungraded or len(ungraded) == len(live):
        return None
    text = (
        f"{len(ungraded)} of {_reports(len(live))} have no credibility grade ({_ids(ungraded)}) and count "
        f"with the factor {question.credibility['']:g}, while the others are graded: grade them all or none."
    )
    return WarningMessage("ungraded", text, ungraded)


def _undated(undated: Sequence[str], live: Sequence[Report]) -> WarningMessage | None:
    known = {report.id for report in live}
    ids = tuple(id for id in undated if id in known)
    text = (
        f"{_reports(len(ids))} without `reported` ({_ids(ids)}): taken as known on the day it happened, "
        "which flatters the past."
    )
    return WarningMessage("undated", text, ids) if ids else None


def _after_horizon(live: Sequence[Report], question: Question) -> WarningMessage | None:
    late = tuple(report.id for report in live if report.reported > question.horizon)
    text = f"{_reports(len(late))} after the horizon, {question.horizon} ({_ids(late)}): never used."
    return WarningMessage("after horizon", text, late) if late else None


def _unobserved(live: Sequence[Report], question: Question) -> WarningMessage | None:
    reported = {report.indicator for report in live}
    # What is reported of a child says that its parent happened.
    reported |= {i.given for i in question.indicators if i.given and i.id in reported}
    watched = {i.id for i in question.indicators if i.monitored or (i.reporting and i.reporting.since)}
    silent = tuple(i.id for i in question.indicators if i.id not in reported | watched)
    text = f"No report and no monitoring of {_ids(silent)}: without weight so far."
    return WarningMessage("unobserved", text, silent) if silent else None


def _not_diagnostic(question: Question) -> WarningMessage | None:
    residual = {k for k, scenario in enumerate(question.scenarios) if scenario.residual}
    means = {
        i.id: {j.mean for k, j in enumerate(i.likelihood) if k not in residual} for i in question.indicators
    }
    same = tuple(id for id, different in means.items() if len(different) == 1)
    text = f"The likelihood is the same under every scenario for {_ids(same)}: reports of it decide nothing."
    return WarningMessage("not diagnostic", text, same) if same else None


def _single_source(live: Sequence[Report]) -> WarningMessage | None:
    sources = {report.source for report in live}
    if len(sources) == 1 and len(live) > 1:
        text = f"All {_reports(len(live))} come from one source, {next(iter(sources))}."
        return WarningMessage("single source", text, tuple(sources))
    by_indicator: dict[str, list[str]] = defaultdict(list)
    for report in live:
        by_indicator[report.indicator].append(report.source)
    alone = {id: s[0] for id, s in by_indicator.items() if len(s) > 1 and len(set(s)) == 1}
    named = _ids(f"{id} ({source})" for id, source in alone.items())
    text = f"One source alone in all reports of {named}."
    return WarningMessage("single source", text, tuple(alone)) if alone else None
