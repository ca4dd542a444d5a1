"""Attribution of a forecast's change since its last issue, by letting in one input after another.

The engine is run on what was known then; then one change after another is let in, in this order:

    remainder    from the number issued to the one that is reproduced from what was known then: Monte Carlo
                 (another seed, other draws), another version of the toolkit, what is not known
    judgements   the question as it is now: judgements, grades of sources, indicators (with the weights that
                 reports of then have in it)
    scenarios    only where the scenarios have changed: all evidence of then weighed under those of today.
                 What stands before it is carried over by the shares of the question file
    time         the new as-of date, with nothing new known: moves of a regime, counts and measures whose
                 period is over
    new          reports about days after the as-of date of the issued forecast
    late         reports about earlier days, which became known, or were entered, only after it
    corrections  rows that correct or withdraw another, also one that came in the steps before
    silence      the periods that have become complete since: of what nothing was reported, and that the
                 rest was filed. It comes last, for before all reports are in it is not known who was silent

A part is a difference of two successive probabilities, so the parts add up to the change exactly; another
order would split what depends on several changes otherwise. What evidence teaches is in its part.

The log is only ever appended to: the log of the day of issue is one of the beginnings of today's file, and
the digest in the ledger identifies it, and whether the question was that of today.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import xarray as xr

from forecast.analysis.weight_of_evidence import report_columns
from forecast.case.errors import Faults, InputError
from forecast.case.evidence import Evidence, Report
from forecast.case.folder import EVIDENCE, QUESTION, Case, digest_of
from forecast.case.in_force import carry_over, version_with
from forecast.case.question import Indicator, Question
from forecast.case.reader.question import parse_question
from forecast.inference import result
from forecast.inference.data_tree import coordinates, drop_unit_axis, unit_dims
from forecast.inference.engine import infer
from forecast.inference.particles import ImpossibleEvidence

#: The parts of a change, in the order in which they are let in.
STEPS = ("remainder", "judgements", "time", "new", "late", "corrections", "silence")
#: The same where the forecast that was issued had other scenarios.
STEPS_OVER_A_CHANGE = ("remainder", "judgements", "scenarios", *STEPS[2:])

_IMPOSSIBLE = "no scenario allows what stood at the step '{}' alone; its part is in the next"
_CARRIED = (
    "the scenarios have changed since: the probabilities of then are carried over to those of today by the "
    "shares of the question file, and the part 'scenarios' is what weighing all evidence of then under the "
    "scenarios of today moved"
)
_UNKNOWN = (
    "the question, or rows of the log that were there, have been edited since; which cannot be told without "
    "the question as it was, so that what this moved is part of the remainder"
)
_OTHER = (
    "the older question that was given and the log do not give the digest of the ledger: one of them has "
    "been edited otherwise too, and what that moved is part of the remainder"
)
_MISFIT = (
    "the older question that was given cannot be put beside this one (other scenarios or units, or it lacks "
    "what the log spoke of then): it is left aside, and what it moved is part of the remainder"
)

#: How many rows back the log is searched for the one that was the last when a forecast was issued.
_MOST_ROWS = 2000

Which = Literal["then", "before", "now"]


class IssuedForecast(NamedTuple):
    """A forecast that was issued: what the ledger says of it."""

    as_of: date
    digest: str
    now: np.ndarray  # (U, K), U at least 1
    horizon: np.ndarray  # (U, K)
    scenarios: tuple[str, ...] = ()  # K of them; none: those of the forecast that it is compared with


class EarlierInputs(NamedTuple):
    """What an issued forecast was made of."""

    question: Question  # that of now, unless it is known to have been another
    known: frozenset[str]  # ids of the rows that it knew
    note: str  # what is not known of it


class _Run(NamedTuple):
    """The inputs of one run of the engine.

    The question as it was "then", when the forecast was issued; that of today's file "before" the scenarios
    changed; or that of "now".
    """

    question: Which
    as_of: date
    unknown: frozenset[str]  # the rows that are still unknown
    waits: int = 0  # so many days longer until silence counts


def changed(
    case: Case,
    tree: xr.DataTree,
    issued: IssuedForecast,
    *,
    question_was: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> xr.Dataset:
    """Split the change since a forecast was issued into its causes, as at the top of this module.

    `tree` is a forecast of this case; its settings and seed are those of every run. `question_was` is the
    question's file as it was then, if it has been edited since (the attribute `note` says so).

    The Dataset has ``now`` and ``horizon`` (step, unit if there are any, scenario), the parts; ``now_after``
    and ``horizon_after``, the probability when the step is done; ``now_issued``, ``horizon_issued`` (unit,
    scenario). By ``report``: ``report_step`` and where the row comes from.
    """
    result.require_current(case, tree)
    day = result.as_of(tree)
    every, case = case, case.on(day)
    ids = case.question.scenario_ids
    older = _with_scenarios(every, issued.scenarios or ids, by=ids)
    steps = STEPS if older.question.scenario_ids == ids else STEPS_OVER_A_CHANGE
    then = _earlier_inputs(older, issued.digest, issued.as_of, question_was)
    entered = _entered(case, then, issued.as_of, day)
    questions: dict[Which, Question] = {"then": then.question, "before": older.question, "now": case.question}
    runs = _runs(steps, entered, then.question is not older.question, issued.as_of, day)
    known: dict[_Run, np.ndarray | None] = {runs["silence"]: result.now_and_horizon(tree, ids)}
    path = [_carried(every, np.stack([issued.now, issued.horizon]), older, case)]
    notes = [_CARRIED] * ("scenarios" in steps) + [then.note] * bool(then.note)
    for n, (step, run) in enumerate(runs.items()):
        if run not in known:
            p = _probabilities(case, questions[run.question], run, tree)
            known[run] = p if p is None or run.question == "now" else _carried(every, p, older, case)
        after = known[run]
        path.append(path[-1] if after is None else after)
        notes += [_IMPOSSIBLE.format(step)] * (after is None)
        if progress:
            progress((n + 2) / (len(runs) + 1))
    data = _dataset(case.question, np.stack(path), steps, entered)
    regime = int(case.question.dynamics is not None)
    data = data.assign_attrs(case=case.name, since=issued.as_of.isoformat(), as_of=day.isoformat())
    return data.assign_attrs(regime=regime, note=json.dumps(notes))


def _with_scenarios(every: Case, scenarios: tuple[str, ...], *, by: tuple[str, ...]) -> Case:
    """Return the case with the question as it was while it had these scenarios (() for those of `by`)."""
    number = version_with(every.question, scenarios or by, by=version_with(every.question, by))
    if number is None:
        raise ValueError(f"the question never had just these scenarios: {', '.join(scenarios)}")
    return replace(every, question=every.question.versions[number])


def _carried(every: Case, p: np.ndarray, older: Case, case: Case) -> np.ndarray:
    """Return probabilities (2, U, K) of earlier scenarios, carried over to those of today."""
    before, after = older.question.scenario_ids, case.question.scenario_ids
    if before == after:
        return p
    shares = [
        carry_over(every.question, {id: float(id == one) for id in before}, after) or {} for one in before
    ]
    return np.asarray(p @ np.array([[row[id] for id in after] for row in shares]))


def _entered(case: Case, then: EarlierInputs, before: date, day: date) -> dict[str, list[Report]]:
    """Return the rows that became known since, by the step that lets them in, in the order of the log."""
    entered: dict[str, list[Report]] = {name: [] for name in STEPS_OVER_A_CHANGE}
    for report in case.evidence.reports:
        if report.id in then.known or report.reported > day or not (report.indicator or report.replaces):
            continue
        step = "corrections" if report.replaces else "late" if report.date <= before else "new"
        entered[step].append(report)
    return entered


def _runs(
    steps: tuple[str, ...], entered: dict[str, list[Report]], edited: bool, before: date, day: date
) -> dict[str, _Run]:
    """Return the run of each step."""
    waiting = {report.id: report for reports in entered.values() for report in reports}
    waits = (day - before).days
    unedited: Which = "before" if "scenarios" in steps else "now"
    question: dict[str, Which] = {"judgements": unedited, "scenarios": "now"}
    runs, at, which = dict[str, _Run](), before, "then" if edited else unedited
    for name in steps:
        which = question.get(name, which)
        at = day if name == "time" else at
        for report in entered[name]:
            waiting.pop(report.id)
        unknown = frozenset(id for id, report in waiting.items() if report.reported <= at)
        runs[name] = _Run(which, at, unknown, waits if at == day and name != "silence" else 0)
    return runs


def _probabilities(case: Case, question: Question, run: _Run, tree: xr.DataTree) -> np.ndarray | None:
    """Return the probabilities now and at the horizon, (2, U, K), None if no scenario allows the evidence."""
    # A row that is not known yet keeps its place in the log: others may refer to it.
    reports = tuple(
        replace(report, reported=date.max) if report.id in run.unknown else report
        for report in case.evidence.reports
        if run.question != "then" or _fits(question, report)
    )
    settings = {name: tree.attrs[name] for name in ("engine", "draws", "chains", "tolerance", "seed")}
    try:
        again = infer(_waiting(question, run.waits), Evidence(reports), as_of=run.as_of, **settings)
    except ImpossibleEvidence:
        return None
    return result.now_and_horizon(again, question.scenario_ids)


def _waiting(question: Question, days: int) -> Question:
    """Return the question in which silence counts so many days later: no more of it than there was then."""

    def later(one: Indicator) -> Indicator:
        monitored, log = one.monitored, one.reporting
        return replace(
            one,
            monitored=monitored and replace(monitored, lag=monitored.lag + days),
            reporting=log and replace(log, lag=log.lag + days),
        )

    return replace(question, indicators=tuple(map(later, question.indicators))) if days else question


def _dataset(
    question: Question, path: np.ndarray, steps: tuple[str, ...], entered: dict[str, list[Report]]
) -> xr.Dataset:
    """Return the attribution as a Dataset, from the path of the probabilities, (step + 1, 2, U, K)."""
    dims = (*unit_dims(question), "scenario")
    values = drop_unit_axis(question, path, 2)
    variables: dict[str, Any] = {}
    for n, name in enumerate(("now", "horizon")):
        variables[name] = (("step", *dims), np.diff(values[:, n], axis=0))
        variables[f"{name}_after"] = (("step", *dims), values[1:, n])
        variables[f"{name}_issued"] = (dims, values[0, n])
    rows = [report for step in steps for report in entered[step]]
    variables |= report_columns(rows, ("unit", "replaces", "citation", "note"))
    by_step = [step for step in steps for _ in entered[step]]
    variables["report_step"] = ("report", np.array(by_step, dtype=str))
    labels = {"step": list(steps), "report": np.array([report.id for report in rows], dtype=str)}
    return xr.Dataset(variables, coordinates(question) | labels)


def _earlier_inputs(case: Case, digest: str, as_of: date, question_was: Path | None) -> EarlierInputs:
    """Return what a forecast that was issued with a digest was made of."""
    question, note, rows = case.question, "", _lines_then(case, digest, case.path / QUESTION)
    if rows is None and question_was is None:
        note = _UNKNOWN
    elif rows is None and question_was is not None:
        older, rows = _read(question_was, question), _lines_then(case, digest, question_was)
        note = "" if rows is not None else _OTHER
        same = older.scenario_ids == question.scenario_ids and older.units == question.units
        if same and all(_fits(older, report) for report in _known(case, rows, as_of)):
            question = older
        else:
            note = _MISFIT
    return EarlierInputs(question, frozenset(r.id for r in _known(case, rows, as_of)), note)


def _fits(question: Question, report: Report) -> bool:
    """Return whether a question knows all that a report speaks of."""
    if not report.indicator:
        return True
    values = next((one.values for one in question.indicators if one.id == report.indicator), None)
    if values is None or report.source not in {source.id for source in question.sources}:
        return False
    return report.value is None or not values or str(report.value) in values


def _known(case: Case, lines: int | None, as_of: date) -> list[Report]:
    """Return the rows that were known on a day, of the first `lines` lines of the log."""
    return [r for r in case.evidence.until(as_of).reports if lines is None or r.line <= lines]


def _lines_then(case: Case, digest: str, question: Path) -> int | None:
    """Return how many lines of the log, beside a question's file, have the digest; None if no number has."""
    try:
        text, log = question.read_bytes(), (case.path / EVIDENCE).read_bytes()
    except OSError:
        return None
    log = log.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    ends = [n for n, byte in enumerate(log) if byte == 10][-_MOST_ROWS:]
    for end in sorted({len(log), *ends}, reverse=True):
        # The last row may have had an end of line, or not.
        if digest in (digest_of(text, log[: end + 1]), digest_of(text, log[:end])):
            return log[:end].count(b"\n") + 1
    return None


def _read(path: Path, like: Question) -> Question:
    """Return the question of a file; where its scenarios change, as it was while it had those of another."""
    faults = Faults(str(path))
    try:
        question, _ = parse_question(path.read_bytes(), faults)
    except OSError as error:
        problem, fix = f"the file cannot be read: {error.strerror or error}", "give the question as it was"
        faults.add(0, None, problem, fix=fix)
        question = None
    if faults.noted or question is None:
        raise InputError(faults.in_order())
    form = version_with(question, like.scenario_ids)
    return question if form is None else question.versions[form]
