"""Design of replicated evidence: which cells and reports exist, by which source, and what repeats what.

A :class:`CellDesign` is a cell whose reports are to be drawn, a :class:`forecast.model.cells.ReportDesign` a
report whose value is. Replicates of the evidence (:mod:`forecast.inference.predictive.replicates`) draw them:
which indicators were reported on, by whom, and who passes on whom is taken as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np

from forecast.case.evidence import Report
from forecast.model.cell_sequence import CellSequence, unit_and_period
from forecast.model.cells import ReportDesign, report_design, value_code
from forecast.model.problem import Problem
from forecast.model.report_log import WITHDRAWN, CellKey, ReportLog


class CellDesign(NamedTuple):
    """A cell apart from what its reports state, and from whether its silence is broken."""

    indicator: int
    reports: tuple[ReportDesign, ...] = ()  # by `reported`, then by place in the log
    monitoring: tuple[float, float] | None = None  # detection and false alarm, where silence is evidence
    silent: bool = False  # the silence is known and not to be drawn
    hold: float = 0.0  # the chance that the last reported value went on
    held: int = 0  # that value, as it was known
    before: int = -1  # the period of the cell that reported it, -1 if there is none
    children: tuple[CellDesign, ...] = ()


class PlacedCell(NamedTuple):
    """A cell at its place, and what its reports stated: its own, then those of each child."""

    unit: int
    period: int
    design: CellDesign
    stated: tuple[tuple[float, ...], ...]


class Occurrences(NamedTuple):
    """Where there are reports on an indicator, or a silence."""

    unit: np.ndarray
    period: np.ndarray
    indicator: np.ndarray


class EvidenceDesign:
    """The designs of the cells of a problem, looked up in the log."""

    def __init__(self, problem: Problem) -> None:
        self._layout, self._question, self._cell = problem.layout, problem.layout.question, problem.cells.cell
        self._log = ReportLog(self._question, problem.evidence)

    def places(self, sequence: CellSequence, day: date, begin: int = 0) -> Iterator[PlacedCell]:
        """Yield the cells that stood in a sequence on a day, from period `begin` on, by unit and period.

        A cell that the cap has taken out altogether does not stand.
        """
        earlier = self._occurrences(sequence)
        units, periods = unit_and_period(sequence)
        for n in np.flatnonzero(periods >= begin):
            unit, period = int(units[n]), int(periods[n])
            design = self.design(int(sequence.cell[sequence.kind[n]]), unit, period, day, earlier)
            stated = tuple(
                tuple(
                    value_code(report, self._question.indicators[one.indicator])
                    for report in self.live(unit, period, one, day)
                )
                for one in cell_and_children(design)
            )
            yield PlacedCell(unit, period, design, stated)

    def design(
        self, c: int, unit: int, period: int, day: date, earlier: Occurrences | None = None
    ) -> CellDesign:
        """Return cell c of the problem, as it stood at its place on a day, without what was stated.

        Without `earlier` it does not say which earlier cell its held value is from.
        """
        first, designs = int(self._cell[c]["child"]), list[CellDesign]()
        for record in (self._cell[c], *self._cell[first : first + int(self._cell[c]["children"])]):
            i, before = int(record["indicator"]), -1
            monitoring = 1.0 - float(record["active"]), 1.0 - float(record["quiet"])
            if earlier is not None and record["hold"]:
                mine = (earlier.unit == unit) & (earlier.indicator == i) & (earlier.period < period)
                before = int(earlier.period[mine].max(initial=-1))
            cell = CellDesign(
                i,
                self._reports((unit, period, i), day) if record["end"] > record["first"] else (),
                monitoring if monitoring != (0.0, 0.0) else None,
                hold=float(record["hold"]),
                held=int(record["held"]),
                before=before,
            )
            designs.append(cell)
        return designs[0]._replace(children=tuple(designs[1:]))

    def live(self, unit: int, period: int, cell: CellDesign, day: date) -> list[Report]:
        """Return the reports of a cell that stood on a day, one for each of its `reports`."""
        return self._log.live((unit, period, cell.indicator), day) if cell.reports else []

    def _reports(self, key: CellKey, day: date) -> tuple[ReportDesign, ...]:
        """Return how the live reports of a cell come about."""
        live = self._log.live(key, day)
        originals = self._log.originals(live, day)
        return tuple(report_design(*one, self._layout) for one in zip(live, originals, strict=True))

    def _occurrences(self, sequence: CellSequence) -> Occurrences:
        """Return where there is a cell that has reports or silence of its own."""
        unit, period = unit_and_period(sequence)
        heads = sequence.cell[sequence.kind]
        parts = [(unit, period, heads)]
        for n in range(int(self._cell["children"].max(initial=0))):
            more = self._cell["children"][heads] > n
            parts.append((unit[more], period[more], self._cell["child"][heads[more]] + n))
        unit, period, cells = (np.concatenate(part) for part in zip(*parts, strict=True))
        record = self._cell[cells]
        own = (record["end"] > record["first"]) | (record["quiet"] != 1.0) | (record["active"] != 1.0)
        return Occurrences(unit[own], period[own], record["indicator"][own])


def cell_and_children(cell: CellDesign) -> tuple[CellDesign, ...]:
    """Return a cell followed by its child cells."""
    return cell, *cell.children


def originals_first(designs: tuple[ReportDesign, ...]) -> list[int]:
    """Return the places of designs, each after those that it may pass on (but for a circle, cut anywhere)."""
    left, order = list(range(len(designs))), list[int]()
    while left:
        free = (j for j in left if all(o == WITHDRAWN or o in order for o in designs[j].originals))
        order.append(next(free, left[0]))
        left.remove(order[-1])
    return order
