"""What the tests of replicates share: theta as the oracles have it, and what could have been said."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from forecast.case.evidence import Evidence, Report
from forecast.case.question import Moves, Question, Transition
from forecast.inference.predictive.design import EvidenceDesign, PlacedCell, cell_and_children
from forecast.inference.predictive.replicates import DrawnCell
from forecast.model.parameters import Layout
from forecast.model.problem import Problem
from tests.cases import source
from tests.oracles.cells import Cells, Key
from tests.oracles.theta import Theta

KINDS = ("event", "quiet", "again")
NOBODY = "nobody"


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
    found["noise"] = float(at["noise"][0]) if "noise" in at else 0.5
    own = [i.id for i in question.indicators if f"filed event {i.id}" in at]
    found["filed"] = {
        name: {kind: float(at.get(f"filed {kind} {name}".strip(), [0.0])[0]) for kind in KINDS}
        for name in (["", *own] if "noise" in at else [])
    }
    return found


class Fixed(Cells):
    """Cells with other reports: whether it matters if any is filed is as it was, whatever they now say."""

    def __init__(
        self,
        question: Question,
        evidence: Evidence,
        as_of: date,
        theta: Theta,
        counted: set[Key],
        undecided: frozenset[Key] = frozenset(),
    ) -> None:
        super().__init__(question, evidence, as_of, theta)
        self.counted, self.undecided = counted, undecided

    def filing(self, key: Key) -> bool:
        return key in self.counted and key not in self.undecided

    def silent(self, key: Key) -> bool:
        return key not in self.undecided and super().silent(key)

    def detected(self, key: Key, x: Any, theta: Theta) -> Any:
        return 1.0 if key in self.undecided else super().detected(key, x, theta)


def counted(question: Question, evidence: Evidence, as_of: date, theta: Theta) -> set[Key]:
    """Return the cells of which it matters whether anything is filed."""
    cells = Cells(question, evidence, as_of, theta)
    units, periods = question.units or ("",), range(question.period(as_of) + 1)
    return {key for key in product(units, periods, (i.id for i in question.indicators)) if cells.filing(key)}


def with_nobody(question: Question) -> Question:
    """Return a question with one source more, of mean reliability: who would report where nobody did."""
    r = float(np.mean([source.reliability.mean[1] for source in question.sources]))
    return replace(question, sources=(*question.sources, source(NOBODY, r, math.inf)))


class Option(NamedTuple):
    """What might have become of a cell."""

    stated: tuple[str, ...] | None  # by report, those of children last; None: nothing was filed
    claim: str = ""  # of nobody in particular


def options(problem: Problem, place: PlacedCell) -> list[Option]:
    """Return all that might have become of a cell of categories."""
    kinds, design = problem.layout.question.indicators, place.design
    values: list[tuple[str, ...]] = []
    for one in cell_and_children(design):
        names = kinds[one.indicator].values
        values += [names if r.given is None else (names[int(r.given)],) for r in one.reports]
    if not design.whole:
        return [Option(stated) for stated in product(*values)]
    names, loud = kinds[design.indicator].values, design.monitoring is not None
    drawn = [n for n, r in enumerate(design.reports) if r.given is None]
    if loud and drawn:
        values[drawn[0]] = names[1:]
    if drawn:
        return [Option(None), *(Option(stated) for stated in product(*values))]
    given = tuple(one for (one,) in values)
    return [Option(None), *(Option(given, name) for name in (names[1:] if loud else names))]


def found_option(problem: Problem, place: PlacedCell, drawn: DrawnCell, g: int, n: int) -> Option:
    """Return what became of a cell in one replicate."""
    kinds, design = problem.layout.question.indicators, place.design
    if drawn.filed is not None and not drawn.filed[n, g]:
        return Option(None)
    stated = tuple(
        kinds[one.indicator].values[int(y[n, g])]
        for one, what in zip(cell_and_children(design), (drawn, *drawn.children), strict=True)
        for y in what.stated
    )
    names = kinds[design.indicator].values
    return Option(stated, "" if drawn.claim is None else names[int(drawn.claim[n, g])])


def log_with(
    problem: Problem, designer: EvidenceDesign, on: date, found: dict[PlacedCell, Option]
) -> Evidence:
    """Return the log as known on a day in which cells have become what they might have."""
    question, log = problem.layout.question, list(problem.evidence.until(on).reports)
    units = question.units or ("",)
    for place, option in found.items():
        cells = cell_and_children(place.design)
        live = [r for one in cells for r in designer.live(place.unit, place.period, one, on)]
        sure = [r.given is not None for one in cells for r in one.reports]
        if option.stated is None:
            gone = {r.id for r, given in zip(live, sure, strict=True) if not given}
            log = [r for r in log if r.id not in gone]
        else:
            new = {r.id: replace(r, value=y) for r, y in zip(live, option.stated, strict=True)}
            log = [new.get(r.id, r) for r in log]
        if option.claim:
            name, last = question.indicators[place.design.indicator].id, question.last_day(place.period)
            mark = f"claim {place.unit} {place.period} {name}"
            log.append(Report(mark, last, last, name, option.claim, NOBODY, unit=units[place.unit]))
    return Evidence(tuple(log))


def key_of(problem: Problem, place: PlacedCell) -> Key:
    """Return the key of a cell as the oracles have it."""
    question = problem.layout.question
    name = question.indicators[place.design.indicator].id
    return (question.units or ("",))[place.unit], place.period, name


def replay(
    question: Question, evidence: Evidence, on: date, theta: Theta, cells: set[Key], undecided: frozenset[Key]
) -> Fixed:
    """Return the cells of a log, whether it matters what is filed being as it was."""
    asked = with_nobody(question)
    at = {**theta, "reliability": {**theta["reliability"], NOBODY: asked.sources[-1].reliability.mean[1]}}
    return Fixed(asked, evidence, on, at, cells, undecided)
