"""Inference problem of a case up to a date: layout of theta, cells, and evidence per trend date."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date

from forecast.case.evidence import Evidence
from forecast.case.question import Question
from forecast.model.evidence_index import EvidenceIndex, Snapshot
from forecast.model.likelihood import Cells
from forecast.model.parameters import Layout, build_layout


@dataclass(frozen=True)
class Problem:
    """What is inferred from what.

    ``steps`` has one entry per trend date. ``restart[k]`` is None, or the step whose particles are to be
    taken up again at step k because evidence that entered after it was taken away (-1: the prior).
    """

    layout: Layout
    evidence: Evidence
    cells: Cells
    steps: tuple[Snapshot, ...]
    restart: tuple[int | None, ...]

    @property
    def units(self) -> int:
        """U, at least 1."""
        return self.layout.question.unit_count


def trend_dates(question: Question, as_of: date) -> tuple[date, ...]:
    """Return the last day of every finished period, and the as-of date."""
    finished = (question.last_day(t) for t in range(question.period(as_of) + 1))
    return tuple(sorted({day for day in finished if day < as_of} | {as_of}))


def build_problem(question: Question, evidence: Evidence, as_of: date) -> Problem:
    """Set up the inference of a question from its evidence, as known at each trend date up to `as_of`."""
    layout = build_layout(question, evidence.until(as_of))
    known, dates = EvidenceIndex(layout, evidence), trend_dates(question, as_of)
    changes: list[set[tuple[int, int, int]]] = [set() for _ in dates]
    for day, key in known.changes(as_of):
        changes[bisect_left(dates, day)].add(key)
    steps = []
    for day, keys in zip(dates, changes, strict=True):
        known.update_cells(keys, day)
        steps.append(known.snapshot(day))
    return Problem(layout, evidence, known.cells(), tuple(steps), _restarts(evidence, dates))


def _restarts(evidence: Evidence, dates: tuple[date, ...]) -> tuple[int | None, ...]:
    """Return for each step the last one before all evidence that it, and the steps since then, lost."""
    entered = {r.id: bisect_left(dates, r.reported) for r in evidence.reports if r.indicator}
    gone = {r.replaces: bisect_left(dates, r.reported) for r in evidence.reports if r.replaces}
    lost = [(k, entered[id]) for id, k in gone.items() if id in entered]
    restart: list[int | None] = []
    for k in range(len(dates)):
        back = [since for left, since in lost if left == k and since < k]
        before = min(back) - 1 if back else None
        while before is not None and back:
            back = [since for left, since in lost if before < left < k and since <= before]
            before = min(back) - 1 if back else before
        restart.append(before)
    return tuple(restart)
