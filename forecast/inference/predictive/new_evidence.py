"""Evidence of one trend date, split into what is new and what was known on the date before.

A report is new if it was not there on the date before, or if what it passes on was not. What a ratio says
is never new: it says how much more likely one scenario makes it than another, not how likely it was.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from forecast.inference.predictive.design import (
    CellDesign,
    EvidenceDesign,
    PlacedCell,
    cell_and_children,
    originals_first,
)
from forecast.model.cell_sequence import CellSequence, unit_and_period, without_periods
from forecast.model.cells import CellContent, ReportDesign, flatten, report_term
from forecast.model.likelihood import Cells
from forecast.model.parameters import Layout
from forecast.model.problem import Problem
from forecast.model.report_log import WITHDRAWN, CellKey

Stated = tuple[tuple[float | None, ...], ...]  # by cell (itself, its children) and by report


class IncrementCell(NamedTuple):
    """A cell in which something is new."""

    place: PlacedCell  # what is not new of it is given
    given: int  # the cell that holds only what is given
    exponent: float  # of that


class EvidenceIncrement(NamedTuple):
    """The evidence of a date, parted into what is new and what was known before."""

    parts: tuple[IncrementCell, ...]
    known: CellSequence  # what was known before, in the periods up to this date
    cells: Cells  # its cells
    lost: bool  # something that was known before has gone, or a ratio has come

    @property
    def reports(self) -> int:
        """Number of reports that are new."""
        cells = [cell for part in self.parts for cell in cell_and_children(part.place.design)]
        return sum(design.given is None for cell in cells for design in cell.reports)

    @property
    def silences(self) -> int:
        """Number of silences that are new."""
        cells = [cell for part in self.parts for cell in cell_and_children(part.place.design)]
        return sum(cell.monitoring is not None and not cell.silent for cell in cells)


def evidence_increment(problem: Problem, designer: EvidenceDesign, k: int) -> EvidenceIncrement:
    """Split the evidence of trend date k into what was known on the date before and what is new."""
    step, opened = problem.steps[k], problem.layout.question.opened
    before = problem.steps[k - 1].sequence if k else without_periods(step.sequence)
    day = problem.steps[k - 1].date if k else opened - timedelta(days=1)
    old, new = (_cell_and_exponent(problem, one, step.begin) for one in (before, step.sequence))
    stays, marked, lost = dict(old), list[PlacedCell](), not old.keys() <= new.keys()
    for key in old.keys() - new.keys():
        del stays[key]
    for place in designer.places(step.sequence, step.date, step.begin) if old != new else ():
        key = place.unit, place.period, place.design.indicator
        if old.get(key) != new[key]:
            was = cell_and_children(designer.design(old[key][0], *key[:2], day)) if key in old else ()
            cell, gone = _mark(problem.layout, designer, place, was, (day, step.date))
            lost |= gone
            if any(_is_drawn(one) for one in cell_and_children(cell)):
                marked.append(place._replace(design=cell))
            elif gone or key not in old:
                stays[key] = new[key]
    return _parted(problem, before, k, marked, stays, lost)


def _cell_and_exponent(
    problem: Problem, sequence: CellSequence, begin: int
) -> dict[CellKey, tuple[int, float]]:
    """Return cell number and exponent by (unit, period, indicator), from period `begin` on."""
    unit, period = unit_and_period(sequence)
    kind = sequence.kind[: len(unit)]
    late = period >= begin
    cell = sequence.cell[kind[late]]
    keys = zip(
        unit[late].tolist(),
        period[late].tolist(),
        problem.cells.cell["indicator"][cell].tolist(),
        strict=True,
    )
    return dict(
        zip(keys, zip(cell.tolist(), sequence.exponent[kind[late]].tolist(), strict=True), strict=True)
    )


def _is_drawn(cell: CellDesign) -> bool:
    """Tell whether something about a cell is to be drawn."""
    silence = cell.monitoring is not None and not cell.silent
    return silence or any(design.given is None for design in cell.reports)


def _mark(
    layout: Layout,
    designer: EvidenceDesign,
    place: PlacedCell,
    was: tuple[CellDesign, ...],
    days: tuple[date, date],
) -> tuple[CellDesign, bool]:
    """Mark what was known of a cell as given; tell also whether something of it has gone."""
    marked, gone = [], False

    def names(place: PlacedCell, cell: CellDesign, day: date) -> list[str]:
        return [report.id for report in designer.live(place.unit, place.period, cell, day)]

    for cell, stated in zip(cell_and_children(place.design), place.stated, strict=True):
        i = cell.indicator
        before = next((one for one in was if one.indicator == i), CellDesign(i))
        then = dict(zip(names(place, before, days[0]), before.reports, strict=True))
        now = names(place, cell, days[1])
        ratio, given = layout.question.indicators[i].kind == "ratio", set[int]()
        for j in originals_first(cell.reports):
            design = cell.reports[j]
            passes = all(o == WITHDRAWN or o in given for o in design.originals)
            same = now[j] in then and _same_design(then[now[j]], design, list(then), now)
            if ratio or (passes and same):
                given.add(j)
        kept = {now[j] for j in given}
        gone |= bool(then.keys() - kept) or bool(kept - then.keys())
        silent = cell.monitoring is not None and before.monitoring is not None
        gone |= before.monitoring is not None and not silent
        designs = (v._replace(given=stated[j]) if j in given else v for j, v in enumerate(cell.reports))
        marked.append(cell._replace(reports=tuple(designs), silent=silent, children=()))
    return marked[0]._replace(children=tuple(marked[1:])), gone


def _same_design(then: ReportDesign, now: ReportDesign, before: list[str], after: list[str]) -> bool:
    """Tell whether a report has the same independence and originals on both dates."""
    names = [
        [None if o == WITHDRAWN else ids[o] for o in design.originals]
        for design, ids in ((then, before), (now, after))
    ]
    return then.independence == now.independence and names[0] == names[1]


def _parted(
    problem: Problem,
    before: CellSequence,
    k: int,
    marked: list[PlacedCell],
    stays: dict[CellKey, tuple[int, float]],
    lost: bool,
) -> EvidenceIncrement:
    """Put together what was known before: what stays, and what is given of the cells in which much is new."""
    step, parts, size = problem.steps[k], list[IncrementCell](), len(problem.cells.cell)
    contents = list[CellContent]()
    for n, place in enumerate(marked):
        cells_of = cell_and_children(place.design)
        given = tuple(tuple(design.given for design in one.reports) for one in cells_of)
        contents.append(cell_content(place.design, given, problem.layout))
        _, power = stays.pop((place.unit, place.period, place.design.indicator), (0, 1.0))
        parts.append(IncrementCell(place, size + n, power))
    cells = concatenated(problem.cells, flatten(contents)) if contents else problem.cells
    rows = [(*key, *value) for key, value in stays.items()]
    rows += [(p.place.unit, p.place.period, p.place.design.indicator, p.given, p.exponent) for p in parts]
    late = np.array(rows).reshape(-1, 5)
    unit, period = unit_and_period(before)
    early = np.flatnonzero(period < step.begin)
    units, periods = np.append(unit[early], late[:, 0]), np.append(period[early], late[:, 1])
    where = units.astype(np.int64) * step.periods + periods.astype(np.int64)
    order = np.argsort(where, kind="stable")
    edges = np.arange(problem.units)[:, None] * step.periods + np.arange(step.periods + 1)
    known = CellSequence(
        kind=np.concatenate([before.kind[early], len(before.cell) + np.arange(len(late))])[order],
        start=np.searchsorted(where[order], edges).astype(np.int64),
        cell=np.concatenate([before.cell, late[:, 3].astype(np.int64)]),
        exponent=np.concatenate([before.exponent, late[:, 4]]),
    )
    return EvidenceIncrement(tuple(parts), known, cells, lost)


def concatenated(first: Cells, then: Cells) -> Cells:
    """Return two sets of cells as one; those of `then` are numbered after those of `first`."""
    cell = then.cell.copy()
    cell["child"] += len(first.cell)
    cell["first"] += len(first.report)
    cell["end"] += len(first.report)
    report = then.report.copy()
    report["node"] += len(first.node)
    return Cells(*(np.concatenate(both) for both in zip(first, (cell, report, then.node), strict=True)))


def cell_content(
    cell: CellDesign,
    stated: Stated,
    layout: Layout,
    *,
    held: tuple[int, ...] = (),
    alarm: tuple[bool, ...] = (),
) -> CellContent:
    """Return the content of a cell in which some of the reports state something; None: nothing.

    `held` and `alarm`, by cell, say which value went on, and whether a silence that is to be drawn is
    broken.
    """
    rows = []
    for m, (one, values) in enumerate(zip(cell_and_children(cell), stated, strict=True)):
        stated_values = tuple(np.nan if y is None else y for y in values)
        terms = tuple(
            report_term(design, stated_values, y, layout, one.indicator)
            for design, y in zip(one.reports, values, strict=True)
            if y is not None
        )
        quiet, active = 1.0, 1.0
        if one.monitoring is not None and (one.silent or alarm):
            detection, false_alarm = one.monitoring
            broken = not one.silent and alarm[m]
            quiet, active = (false_alarm, detection) if broken else (1.0 - false_alarm, 1.0 - detection)
        rows.append(CellContent(one.indicator, terms, quiet, active, one.hold, held[m] if held else one.held))
    return rows[0]._replace(children=tuple(rows[1:]))
