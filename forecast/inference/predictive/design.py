"""Design of replicated evidence: which cells and reports exist, by which source, and what repeats what.

A :class:`CellDesign` is a cell whose reports are to be drawn, a :class:`forecast.model.cells.ReportDesign` a
report whose value is. Replicates of the evidence (:mod:`forecast.inference.predictive.replicates`) draw them.
What of a cell is drawn and what is taken as it was:

- Which source would report on a cell, who passes on whom, and since when an indicator is watched (that
  somebody began to look) is as it was; where nobody reported, the source is one of mean reliability.
- In a cell that is watched and complete, whether anything is filed is drawn: the earliest claim is filed or
  nothing is. So it is where an indicator is monitored: something but the quiet value is reported, or not.
- In a cell not yet complete, or in which silence says nothing, there are the reports that there were.
- Where the law of the evidence is not normalised, things are as they were: that a child was reported on (its
  parent's cell was then filed), and before it is complete everything reported on a monitored indicator.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from forecast.case.evidence import Report
from forecast.model.cell_sequence import CellSequence, unit_and_period
from forecast.model.cells import ReportDesign, report_design, value_code
from forecast.model.parameters import kinds_of_claims
from forecast.model.problem import Problem
from forecast.model.report_log import WITHDRAWN, CellKey, ReportLog

NOBODY = -1  # in place of a value last stated: none, or the quiet one


class CellDesign(NamedTuple):
    """A cell apart from what its reports state, and from whether there are any where that is drawn."""

    indicator: int
    reports: tuple[ReportDesign, ...] = ()  # by `reported`, then by place in the log
    claims: bool = False  # whether a claim is filed is drawn
    monitoring: tuple[float, float] | None = None  # detection and false alarm, where either is drawn
    factors: tuple[float, float, bool] = (1.0, 1.0, False)  # of monitoring that is as it was: quiet, active
    silent: bool = False  # it is known that no claim was filed
    filed: int = -1  # slot of the chance that the earliest claim was filed, where that is known
    again: int = NOBODY  # the value last stated, as far as it is known and not to be drawn,
    before: int = -1  # and in which period
    children: tuple[CellDesign, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether it is drawn if there are reports at all."""
        return self.claims or self.monitoring is not None


class PlacedCell(NamedTuple):
    """A cell at its place, and what its reports stated: its own, then those of each child."""

    unit: int
    period: int
    design: CellDesign
    stated: tuple[tuple[float, ...], ...]


class EvidenceDesign:
    """The designs of the cells of a problem, looked up in the log."""

    def __init__(self, problem: Problem) -> None:
        self._layout, self._question, self._cell = problem.layout, problem.layout.question, problem.cells.cell
        self._log = ReportLog(self._question, problem.evidence)
        self._stated = lru_cache(maxsize=None)(self._statements)

    def places(
        self, sequence: CellSequence, day: date, begin: int = 0, *, whether_filed: bool = True
    ) -> Iterator[PlacedCell]:
        """Yield the cells that stood in a sequence on a day, from period `begin` on, by unit and period.

        A cell that the cap has taken out altogether does not stand. Without `whether_filed` it is taken as it
        was which cells have reports.
        """
        units, periods = unit_and_period(sequence)
        for n in range(len(units)):
            if periods[n] >= begin:
                unit, period, cell = int(units[n]), int(periods[n]), int(sequence.cell[sequence.kind[n]])
                design = self.design(cell, unit, period, day, whether_filed=whether_filed)
                yield self.placed(unit, period, design, day)

    def placed(self, unit: int, period: int, design: CellDesign, day: date) -> PlacedCell:
        """Return a design at its place, with what its reports stated."""
        stated = tuple(
            tuple(
                value_code(report, self._question.indicators[one.indicator])
                for report in self.live(unit, period, one, day)
            )
            for one in cell_and_children(design)
        )
        return PlacedCell(unit, period, design, stated)

    def design(self, c: int, unit: int, period: int, day: date, *, whether_filed: bool = True) -> CellDesign:
        """Return cell c of the problem, as it stood at its place on a day, without what was stated."""
        record = self._cell[c]
        first = int(record["child"])
        children = tuple(
            self._as_it_was(one, unit, period, day)
            for one in self._cell[first : first + int(record["children"])]
        )
        cell = self._as_it_was(record, unit, period, day)
        if not whether_filed or any(child.reports for child in children):
            return cell._replace(children=children)
        monitored = self._question.indicators[cell.indicator].monitored
        if cell.factors != (1.0, 1.0, False):
            assert monitored is not None
            if self._question.last_day(period) + timedelta(days=monitored.lag) <= day:
                cell = cell._replace(
                    reports=tuple(
                        design if design.given == 0.0 else design._replace(given=None)
                        for design in cell.reports
                    ),
                    monitoring=(monitored.detection, monitored.false_alarm),
                    factors=(1.0, 1.0, False),
                )
        elif cell.silent or cell.filed >= 0:
            cell = cell._replace(claims=True, silent=False, filed=-1, again=NOBODY)
        return cell._replace(children=children)

    def _as_it_was(self, record: Any, unit: int, period: int, day: date) -> CellDesign:
        """Return a cell of which it is taken as it was what is filed, apart from its children."""
        i = int(record["indicator"])
        factors = float(record["quiet"]), float(record["active"]), bool(record["ratio"])
        return CellDesign(
            i,
            self._reports((unit, period, i), day, given=self._monitored(i, period))
            if record["end"] > record["first"]
            else (),
            factors=factors,
            silent=bool(record["silent"]),
            filed=int(record["filed"]),
            again=int(record["again"]),
        )

    def _monitored(self, i: int, period: int) -> bool:
        """Tell whether an indicator is monitored in a period."""
        one = self._question.indicators[i].monitored
        return one is not None and one.since <= self._question.last_day(period) <= one.until

    def live(self, unit: int, period: int, cell: CellDesign, day: date) -> list[Report]:
        """Return the reports of a cell that stood on a day, one for each of its `reports`."""
        return self._log.live((unit, period, cell.indicator), day) if cell.reports else []

    def statements(self, unit: int, i: int, day: date) -> tuple[tuple[int, int], ...]:
        """Return the value last stated in each cell of an indicator with reports on a day, with its period.

        NOBODY in place of the quiet value.
        """
        return self._stated(unit, i, day)

    def _statements(self, unit: int, i: int, day: date) -> tuple[tuple[int, int], ...]:
        indicator, stated_values = self._question.indicators[i], list[tuple[int, int]]()
        for period in range(self._question.period(day) + 1):
            live = self._log.live((unit, period, i), day)
            if live:
                quiet = live[-1].value == indicator.quiet
                stated_values.append((period, NOBODY if quiet else int(value_code(live[-1], indicator))))
        return tuple(stated_values)

    def remembers(self, i: int) -> bool:
        """Tell whether it matters which value of an indicator was last stated."""
        return "again" in kinds_of_claims(self._question.indicators[i])

    def _reports(self, key: CellKey, day: date, *, given: bool) -> tuple[ReportDesign, ...]:
        """Return how the live reports of a cell come about."""
        live = self._log.live(key, day)
        originals = self._log.originals(live, day)
        designs = [report_design(*one, self._layout) for one in zip(live, originals, strict=True)]
        indicator = self._question.indicators[key[2]]
        if given:
            designs = [
                design._replace(given=value_code(report, indicator))
                for design, report in zip(designs, live, strict=True)
            ]
        return tuple(designs)


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
