"""The evidence of a question in the time of its events, so that a filter can pass from period to period.

The trend passes through the dates on which reports became known. Here a step lets in all that is known, at
one as-of date, about one period.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from forecast.case.folder import Case
from forecast.model.course import Course, places
from forecast.model.known import Step
from forecast.model.problem import Problem, problem


class Timeline(NamedTuple):
    """The evidence of a question in the time of its events: n cells, T periods."""

    task: Problem  # its cells and theta; its own steps are in the time of the reports
    unit: np.ndarray  # (n,)
    period: np.ndarray  # (n,)
    cell: np.ndarray  # (n,)
    exponent: np.ndarray  # (n,) in the power likelihood that groups and a cap make
    periods: int

    def course(self, until: int, scored: int | None = None) -> Course:
        """Return the cells of the periods before `until`, those of the period `scored` without exponents."""
        power = np.where(self.period == scored, 1.0, self.exponent)
        kept = (self.period < until) & (power > 0)
        kinds, kind = np.unique(np.stack([self.cell[kept], power[kept]]), axis=1, return_inverse=True)
        edges = np.arange(self.task.units)[:, None] * until + np.arange(until + 1)
        where = self.unit[kept] * until + self.period[kept]
        return Course(
            kind=kind.reshape(-1).astype(np.int64),
            start=np.searchsorted(where, edges).astype(np.int64),
            cell=kinds[0].astype(np.int64),
            exponent=np.ascontiguousarray(kinds[1]),
        )

    def tempered(self, period: int) -> bool:
        """Tell whether some cell of a period has an exponent."""
        return bool((self.exponent[self.period == period] != 1.0).any())

    def steps(self, periods: int, *, score: bool) -> tuple[Problem, list[tuple[int, int]]]:
        """Return the problem step by step, and for each period the steps before and after it is scored.

        A period with exponents is let in twice if it is to be scored: first without them, to be scored;
        then the particles from before are taken up again (a restart) and it is let in with them.
        """
        steps: list[Step] = []
        restart: list[int | None] = []
        scored, learnt = [], -1
        for t in range(periods):
            twice = score and self.tempered(t)
            for plain in (True, False) if twice else (False,):
                day = self.task.layout.question.opened + timedelta(days=len(steps))  # seeds random numbers
                steps.append(Step(day, self.course(t + 1, t if plain else None), t + 1, t))
                restart.append(learnt if twice and not plain else None)
            scored.append((learnt, len(steps) - 1 - twice))
            learnt = len(steps) - 1
        return replace(self.task, steps=tuple(steps), restart=tuple(restart)), scored


def timeline(case: Case, as_of: date) -> Timeline:
    """Order the evidence known at a date by the periods it speaks about."""
    question = case.question
    plain = problem(replace(question, groups=(), cap=None), case.evidence, as_of)
    course = plain.steps[-1].course
    unit, period = places(course)
    cell = course.cell[course.kind]
    exponent = np.ones(len(cell))
    if question.groups or question.cap is not None:
        power = problem(question, case.evidence, as_of)
        found = power.steps[-1].course
        held = zip(*places(found), power.cells.cell["indicator"][found.cell[found.kind]], strict=True)
        known = dict(zip(held, found.exponent[found.kind], strict=True))
        keys = zip(unit, period, plain.cells.cell["indicator"][cell], strict=True)
        exponent = np.array([known.get(key, 0.0) for key in keys])
    return Timeline(plain, unit, period, cell, exponent, plain.steps[-1].periods)
