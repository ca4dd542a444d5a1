"""What the tests of replicates share: theta as the oracles have it, and what could have been said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any

import numpy as np

from forecast.case.evidence import Evidence, Report
from forecast.case.question import Moves, Question, Transition
from forecast.model.parameters import Layout
from tests.oracles.cells import Cells, Key
from tests.oracles.theta import Theta


def dictionary(layout: Layout, theta: np.ndarray) -> Theta:
    """Return one vector theta (D,) in the form in which the oracles have it."""
    question = layout.question
    at = {block.name: theta[block.slots] for block in layout.blocks}
    ids = [s.id for s in question.scenarios]

    def likelihood(name: str, values: tuple[str, ...]) -> list[Any]:
        rows = [at[f"likelihood {name} {s}"] for s in ids]
        return [list(row) if values else float(row[0]) for row in rows]

    found: Theta = {
        "prior": list(at["prior"]),
        "likelihood": {i.id: likelihood(i.id, i.values) for i in question.indicators},
        "reliability": {s.id: float(at[f"reliability {s.id}"][0]) for s in question.sources},
        "testimony": {name: float(at[f"testimony {name}"][0]) for name in layout.testimonies},
    }
    if isinstance(question.dynamics, Moves):
        found["leave"] = [float(at[f"leave {s}"][0]) for s in ids]
        found["then"] = [list(at[f"then {s}"]) for s in ids]
    if isinstance(question.dynamics, Transition):
        found["transition"] = [list(at[f"transition {s}"]) for s in ids]
    return found


class Silent(Cells):
    """Cells with other values told: silence stands where it stood, whatever the reports now say."""

    def __init__(
        self, question: Question, evidence: Evidence, as_of: date, theta: Theta, silence: set[Key]
    ) -> None:
        super().__init__(question, evidence, as_of, theta)
        self.silence = silence

    def silent(self, key: Key) -> bool:
        return key in self.silence


def silence(question: Question, evidence: Evidence, as_of: date, theta: Theta) -> set[Key]:
    """Return where there was silence."""
    cells = Cells(question, evidence, as_of, theta)
    units, periods = question.units or ("",), range(question.period(as_of) + 1)
    keys = product(units, periods, (i.id for i in question.indicators))
    return {key for key in keys if cells.silent(key)}


def restated(evidence: Evidence, told: list[Report], values: tuple[Any, ...]) -> Evidence:
    """Return the log with other values of some reports."""
    new = {r.id: replace(r, value=v) for r, v in zip(told, values, strict=True)}
    return Evidence(tuple(new.get(r.id, r) for r in evidence.reports))


def all_that_could_be_stated(question: Question, reports: list[Report]) -> Iterator[tuple[str, ...]]:
    """Yield every combination of values of reports on categories."""
    values = {i.id: i.values for i in question.indicators}
    return product(*(values[r.indicator] for r in reports))
