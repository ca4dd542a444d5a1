"""What was known when a forecast was issued: its question, and which rows its log had."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import NamedTuple

from forecast.case.evidence import Report
from forecast.case.faults import Faults, InputError
from forecast.case.folder import EVIDENCE, QUESTION, Case, digest_of
from forecast.case.in_force import form_of, forms, ids
from forecast.case.question import Question
from forecast.case.read_question import parse_question

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
    form = form_of(question, ids(like))
    return question if form is None else forms(question)[form]


def _comparable(case: Case, older: Question, known: list[Report]) -> bool:
    same = [s.id for s in older.scenarios] == [s.id for s in case.question.scenarios]
    return same and older.units == case.question.units and all(fits(older, report) for report in known)
