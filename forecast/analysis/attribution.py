"""What changed since a forecast was issued, and what each change moved.

What was known when a forecast was issued: its question, and which rows its log had.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import xarray as xr

from forecast.case.errors import Faults, InputError
from forecast.case.evidence import Evidence, Report
from forecast.case.folder import EVIDENCE, QUESTION, Case, digest_of
from forecast.case.in_force import carry_over, version_with
from forecast.case.question import Question
from forecast.case.reader.question import parse_question
from forecast.inference.data_tree import coordinates, days, unit_dims
from forecast.inference.engine import ENGINES, infer
from forecast.inference.particles import ImpossibleEvidence

#: The parts of a move, in the order in which they are let in.
STEPS = ("remainder", "judgements", "time", "new", "late", "corrections")
#: The same where the forecast that was issued had other scenarios.
STEPS_OVER_A_CHANGE = ("remainder", "judgements", "scenarios", *STEPS[2:])

_LOST = "no scenario allows what stood at the step '{}' alone; its part is in the next"
_CARRIED = (
    "the scenarios have changed since: the probabilities of then are carried over to those of today by the "
    "shares of the question file, and the part 'scenarios' is what weighing all evidence of then under the "
    "scenarios of today moved"
)


Which = Literal["then", "before", "now"]


class Issued(NamedTuple):
    """A forecast that was issued: what the ledger says of it."""

    as_of: date
    digest: str
    now: np.ndarray  # (U, K), U at least 1
    horizon: np.ndarray  # (U, K)
    scenarios: tuple[str, ...] = ()  # K of them; none: those of the forecast that it is compared with


class _State(NamedTuple):
    """What one run of the engine is made of: which question, a day, what is still unknown.

    The question as it was "then", when the forecast was issued; that of today's file "before" the scenarios
    changed; or that of "now".
    """

    question: Which
    as_of: date
    unknown: frozenset[str]


def changed(
    case: Case,
    tree: xr.DataTree,
    issued: Issued,
    *,
    question_was: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> xr.Dataset:
    """Split the move since a forecast was issued into what moved it, by running the engine step by step.

    The engine is run with the settings and the seed of `tree` on what was known then; then one change after
    another is let in, in this order, until it is the forecast `tree`:

        remainder    from the number issued to the one that is found again from what was known then: Monte
                     Carlo (another seed, other draws), another version of the toolkit, what cannot be told
        judgements   the question as it is now: judgements, grades of sources, indicators (with the weights
                     that reports of then have in it)
        scenarios    only where the scenarios have changed: all evidence of then weighed under those of today.
                     What stands before it is carried over by the shares of the question file
        time         the new as-of date, with nothing new known: moves of a regime, silence, counts and
                     measures whose period is over
        new          reports about days after the as-of date of the issued forecast
        late         reports about earlier days, which became known, or were entered, only after it
        corrections  rows that correct or withdraw another, also one that came in the steps before

    A part is a difference of two successive probabilities, so the parts add up to the move exactly; another
    order would split what depends on several changes otherwise. What evidence teaches is in its part.

    Parameters
    ----------
    case : Case
    tree : DataTree
        What :func:`forecast.update` returned for this case.
    issued : Issued
    question_was : Path, optional
        The question's file as it was then, if it has been edited since: the attribute `note` says so.
    progress : function, optional
        Is given the share that is done.

    Returns
    -------
    Dataset
        ``now`` and ``horizon`` (step, scenario), the parts; ``now_after`` and ``horizon_after``, the
        probability when the step is done; ``now_issued``, ``horizon_issued`` (scenario). With units, all have
        a dimension ``unit``. By ``report``: ``report_step`` and where the row comes from.

    Examples
    --------
    >>> data = changed_since_issue(case, tree)  # doctest: +SKIP
    """
    if tree.attrs.get("digest") != case.digest:
        raise ValueError("the forecast is of another state of the case: make it anew")
    day = date.fromisoformat(str(tree.attrs["as_of"]))
    every, case = case, case.on(day)
    older = _with_scenarios(every, issued.scenarios, by=case.question.scenario_ids)
    steps = STEPS if older.question.scenario_ids == case.question.scenario_ids else STEPS_OVER_A_CHANGE
    then = as_it_was(older, issued.digest, issued.as_of, question_was)
    entered = _entered(case, then, issued.as_of, day)
    asked: dict[Which, Question] = {"then": then.question, "before": older.question, "now": case.question}

    def answer(state: _State) -> np.ndarray | None:
        found = _run(case, asked[state.question], state, tree)
        return found if found is None or state.question == "now" else _carried(every, found, older, case)

    states = _states(steps, entered, then.edited, issued.as_of, day)
    known: dict[_State, np.ndarray | None] = {states["corrections"]: _answer(case.question, tree)}
    first = _carried(every, np.stack([issued.now, issued.horizon]), older, case)
    course, lost = _course(first, [states[name] for name in steps], known, answer, progress)
    notes = [_CARRIED] * ("scenarios" in steps) + [then.note] * bool(then.note)
    return _dataset(case, course, steps, entered, issued, day, notes + [_LOST.format(steps[n]) for n in lost])


def _course(
    first: np.ndarray,
    states: list[_State],
    known: dict[_State, np.ndarray | None],
    answer: Callable[[_State], np.ndarray | None],
    progress: Callable[[float], None] | None,
) -> tuple[np.ndarray, list[int]]:
    """Return the probabilities after each step, (step + 1, 2, U, K), and the steps that have none."""
    course, lost = [first], []
    for n, state in enumerate(states):
        after = known[state] if state in known else answer(state)
        known[state] = after
        if after is None:
            lost.append(n)
        course.append(course[-1] if after is None else after)
        if progress:
            progress((n + 2) / (len(states) + 1))
    return np.stack(course), lost


def _with_scenarios(every: Case, scenarios: tuple[str, ...], *, by: tuple[str, ...]) -> Case:
    """Return the case with the question as it was while it had these scenarios (() for those of `by`)."""
    number = version_with(every.question, scenarios or by, by=version_with(every.question, by))
    if number is None:
        raise ValueError(f"the question never had just these scenarios: {', '.join(scenarios)}")
    return replace(every, question=every.question.versions[number])


def _carried(every: Case, answer: np.ndarray, older: Case, case: Case) -> np.ndarray:
    """Return probabilities (2, U, K) of earlier scenarios, carried over to those of today."""
    before, after = older.question.scenario_ids, case.question.scenario_ids
    if before == after:
        return answer
    shares = [
        carry_over(every.question, {id: float(id == one) for id in before}, after) or {} for one in before
    ]
    moved: np.ndarray = answer @ np.array([[row[id] for id in after] for row in shares])
    return moved


def _entered(case: Case, then: Then, before: date, day: date) -> dict[str, list[Report]]:
    """Return the rows that became known since, by the step that lets them in, in the order of the log."""
    entered: dict[str, list[Report]] = {name: [] for name in STEPS_OVER_A_CHANGE}
    for report in case.evidence.reports:
        if report.id in then.known or report.reported > day or not (report.indicator or report.replaces):
            continue
        step = "corrections" if report.replaces else "late" if report.date <= before else "new"
        entered[step].append(report)
    return entered


def _states(
    steps: tuple[str, ...], entered: dict[str, list[Report]], edited: bool, before: date, day: date
) -> dict[str, _State]:
    waiting = {report.id: report for reports in entered.values() for report in reports}
    unedited: Which = "before" if "scenarios" in steps else "now"
    states, at, which = dict[str, _State](), before, "then" if edited else unedited
    for name in steps:
        if name == "judgements":
            which = unedited
        if name == "scenarios":
            which = "now"
        if name == "time":
            at = day
        for report in entered[name]:
            waiting.pop(report.id)
        unknown = frozenset(id for id, report in waiting.items() if report.reported <= at)
        states[name] = _State(which, at, unknown)
    return states


def _run(case: Case, question: Question, state: _State, tree: xr.DataTree) -> np.ndarray | None:
    """Return the probabilities now and at the horizon, (2, U, K), None if no scenario allows the evidence."""
    # A row that is not known yet keeps its place in the log: others may refer to it.
    reports = tuple(
        replace(report, reported=date.max) if report.id in state.unknown else report
        for report in case.evidence.reports
        if state.question != "then" or fits(question, report)
    )
    said = tree.attrs
    try:
        again = infer(
            question,
            Evidence(reports),
            as_of=state.as_of,
            engine=ENGINES[ENGINES.index(said["engine"])],
            draws=int(said["draws"]),
            chains=int(said["chains"]),
            tolerance=float(said["tolerance"]),
            seed=int(said["seed"]),
        )
    except ImpossibleEvidence:
        return None
    return _answer(question, again)


def _answer(question: Question, tree: xr.DataTree) -> np.ndarray:
    """Return the probabilities now and at the horizon, (2, U, K)."""
    now = tree["trend"]["probability"].isel(as_of=-1)
    end = tree["outlook"]["probability"].isel(date=-1)
    order = list(question.scenario_ids)
    parts = [one.sel(scenario=order).transpose(..., "scenario").values for one in (now, end)]
    return np.stack([part.reshape(-1, len(order)) for part in parts])


def _dataset(
    case: Case,
    course: np.ndarray,
    steps: tuple[str, ...],
    entered: dict[str, list[Report]],
    issued: Issued,
    day: date,
    notes: list[str],
) -> xr.Dataset:
    """Return the result from the course of the probabilities, (step + 1, 2, U, K)."""
    question = case.question
    dims = (*unit_dims(question), "scenario")
    values = course if question.units else course[:, :, 0]
    variables = {}
    for n, name in enumerate(("now", "horizon")):
        variables[name] = (("step", *dims), np.diff(values[:, n], axis=0))
        variables[f"{name}_after"] = (("step", *dims), values[1:, n])
        variables[f"{name}_issued"] = (dims, values[0, n])
    rows = [(step, report) for step in steps for report in entered[step]]
    for name in ("indicator", "value", "source", "unit", "replaces", "citation", "note"):
        text = ["" if getattr(r, name) is None else str(getattr(r, name)) for _, r in rows]
        variables[f"report_{name}"] = (("report",), np.array(text, dtype=str))
    variables["report_step"] = (("report",), np.array([step for step, _ in rows], dtype=str))
    variables["report_line"] = (("report",), np.array([r.line for _, r in rows], int))
    for name in ("date", "reported"):
        variables[f"report_{name}"] = (("report",), days([getattr(r, name) for _, r in rows]))
    return xr.Dataset(
        variables,
        coordinates(question) | {"step": list(steps), "report": np.array([r.id for _, r in rows], dtype=str)},
        {
            "case": case.name,
            "since": issued.as_of.isoformat(),
            "as_of": day.isoformat(),
            "regime": int(question.dynamics is not None),
            "note": json.dumps(notes),
        },
    )


#: How many rows back the log is searched for the one that was the last when a forecast was issued.
_BACK = 2000

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


class Then(NamedTuple):
    """What a forecast was made of."""

    question: Question
    known: frozenset[str]  # ids of the rows that it knew
    edited: bool  # whether the question is another than now
    note: str  # what cannot be told


def as_it_was(case: Case, digest: str, as_of: date, question_was: Path | None) -> Then:
    """Find out what a forecast that was issued with a digest knew.

    The log is only ever appended to. So the log of that day is one of the beginnings of today's file, and
    the digest of the ledger tells which, and whether the question was the one of today.
    """
    rows, edited, note = None, False, ""
    now = _lines_then(case, digest, case.path / QUESTION)
    question = case.question
    if now is not None:
        rows = now
    elif question_was is None:
        note = _UNKNOWN
    else:
        older, rows = _read(question_was, question), _lines_then(case, digest, question_was)
        note = "" if rows is not None else _OTHER
        known = _known(case, rows, as_of)
        if _comparable(case, older, known):
            question, edited = older, True
        else:
            note = _MISFIT
    told = frozenset(report.id for report in _known(case, rows, as_of))
    return Then(question, told, edited, note)


def fits(question: Question, report: Report) -> bool:
    """Tell whether a question knows all that a report speaks of."""
    if not report.indicator:
        return True
    found = [one for one in question.indicators if one.id == report.indicator]
    if not found or report.source not in {source.id for source in question.sources}:
        return False
    values = found[0].values
    return report.value is None or not values or str(report.value) in values


def _known(case: Case, lines: int | None, as_of: date) -> list[Report]:
    """Return the rows that were known on a day, of the first `lines` lines of the log."""
    reports = [r for r in case.evidence.reports if r.reported <= as_of]
    return reports if lines is None else [r for r in reports if r.line <= lines]


def _lines_then(case: Case, digest: str, question: Path) -> int | None:
    """Return how many lines of the log, beside a question's file, have the digest; None if no number has."""
    try:
        asked, told = question.read_bytes(), (case.path / EVIDENCE).read_bytes()
    except OSError:
        return None
    told = told.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    ends = [n for n, byte in enumerate(told) if byte == 10][-_BACK:]
    for end in sorted({len(told), *ends}, reverse=True):
        # The last row may have had an end of line, or not.
        if digest in (digest_of(asked, told[: end + 1]), digest_of(asked, told[:end])):
            return told[:end].count(b"\n") + 1
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
    if faults.found or question is None:
        raise InputError(faults.in_order())
    form = version_with(question, like.scenario_ids)
    return question if form is None else question.versions[form]


def _comparable(case: Case, older: Question, known: list[Report]) -> bool:
    same = older.scenario_ids == case.question.scenario_ids
    return same and older.units == case.question.units and all(fits(older, report) for report in known)
