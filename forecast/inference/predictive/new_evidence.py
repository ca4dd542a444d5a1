"""Evidence of one trend date, split into what is new and what was known on the date before.

A report is new if it was not there on the date before, or if what it passes on was not. A silence is new when
it becomes complete, and again when the value last stated before it has changed or may change with what is
new. A cell that becomes complete with nothing known of it is new as a whole, its report included: it might
have been silent. Never new are what a ratio says (how much more likely one scenario makes it than another,
not how likely it was), what is reported on a monitored indicator in a period that is not complete, and that
a claim which was known before it could be counted was filed.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from forecast.inference.predictive.design import (
    NOBODY,
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
from forecast.model.report_terms import ReportTerm

BY_VALUE = -2  # in place of the slot of the chance that the earliest claim was filed: by what it claims


class IncrementCell(NamedTuple):
    """A cell in which something is new, or may change with what is."""

    place: PlacedCell  # what is not new of it is given
    given: int  # the cell that holds only what is given
    exponent: float  # of that


class EvidenceIncrement(NamedTuple):
    """The evidence of a date, parted into what is new and what was known before."""

    parts: tuple[IncrementCell, ...]
    known: CellSequence  # what was known before, in the periods up to this date
    cells: Cells  # its cells
    lost: bool  # it is not just what was known on the date before

    @property
    def reports(self) -> int:
        """Number of reports that are new."""
        cells = [cell for part in self.parts for cell in cell_and_children(part.place.design)]
        return sum(design.given is None for cell in cells for design in cell.reports)

    @property
    def silences(self) -> int:
        """Number of silences that are new."""
        cells = [part.place.design for part in self.parts]
        return sum(cell.whole and all(one.given is not None for one in cell.reports) for cell in cells)


def evidence_increment(problem: Problem, designer: EvidenceDesign, k: int) -> EvidenceIncrement:
    """Split the evidence of trend date k into what was known on the date before and what is new."""
    step, opened = problem.steps[k], problem.layout.question.opened
    before = problem.steps[k - 1].sequence if k else without_periods(step.sequence)
    day = problem.steps[k - 1].date if k else opened - timedelta(days=1)
    old, new = (_cell_and_exponent(problem, one, step.begin) for one in (before, step.sequence))
    stays, marked, lost = dict(old), dict[CellKey, PlacedCell](), not old.keys() <= new.keys()
    for key in old.keys() - new.keys():
        del stays[key]
    places = list(designer.places(step.sequence, step.date, step.begin)) if old != new else []
    for place in places:
        key = place.unit, place.period, place.design.indicator
        if old.get(key) != new[key]:
            now = designer.design(new[key][0], *key[:2], step.date, whether_filed=False)
            was = None if key not in old else designer.design(old[key][0], *key[:2], day, whether_filed=False)
            cell, gone = _Marking(problem.layout, designer, place, (day, step.date)).mark(now, was)
            lost |= gone
            if any(_is_drawn(one) for one in cell_and_children(cell)):
                marked[key] = place._replace(design=cell)
            elif gone or key not in old:
                stays[key], lost = new[key], True
    lost |= _add_what_depends(designer, places, marked)
    return _parted(problem, before, k, _with_last_stated(designer, marked, step.date), stays, lost)


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
    return cell.whole or any(design.given is None for design in cell.reports)


class _Marking:
    """Marks what was known of a cell as given; tells also whether something of it has gone, or was not drawn.

    `days` are the date before and this one.
    """

    def __init__(
        self, layout: Layout, designer: EvidenceDesign, place: PlacedCell, days: tuple[date, date]
    ) -> None:
        self._layout, self._designer, self._place, self._days = layout, designer, place, days

    def mark(self, now: CellDesign, was: CellDesign | None) -> tuple[CellDesign, bool]:
        """Return the cell, as it is `now` and `was` on the date before, and whether something has gone."""
        then, marked, gone = cell_and_children(was) if was else (), list[CellDesign](), False
        both = zip(cell_and_children(self._place.design), cell_and_children(now), strict=True)
        for m, (cell, as_it_is) in enumerate(both):
            nothing = CellDesign(cell.indicator)
            before = next((one for one in then if one.indicator == cell.indicator), nothing)
            reports, lost = self._reports(cell, self._place.stated[m], before)
            cell = cell._replace(reports=reports, children=())
            if not self._is_new(cell, as_it_is, before):
                cell = self._known(cell, as_it_is, self._place.stated[m])
            lost |= (before.factors, before.silent, before.filed) != (cell.factors, cell.silent, cell.filed)
            marked.append(cell)
            gone |= lost
        return marked[0]._replace(children=tuple(marked[1:])), gone

    def _is_new(self, cell: CellDesign, now: CellDesign, before: CellDesign) -> bool:
        """Tell whether it is new that something, or nothing, was filed about a cell that is drawn whole."""
        fresh = any(one.given is None for one in cell.reports)
        if cell.claims:
            if any(one.given is not None for one in cell.reports):
                return False
            return fresh or not before.silent or before.again != self._again()
        if cell.monitoring is not None:
            return not any(one.given for one in cell.reports) and before.factors != now.factors
        return False

    def _known(self, cell: CellDesign, now: CellDesign, stated: tuple[float, ...]) -> CellDesign:
        """Return a cell of which it is known whether something was filed, as it is `now`."""
        if cell.monitoring is not None:
            given = (one._replace(given=y) for one, y in zip(cell.reports, stated, strict=True))
            return cell._replace(monitoring=None, factors=now.factors, reports=tuple(given))
        first = bool(cell.reports) and cell.reports[0].given is not None
        filed = now.filed if first or not cell.claims else BY_VALUE
        return cell._replace(claims=False, silent=now.silent, filed=filed, again=now.again)

    def _again(self) -> int:
        """Return the value last stated before the cell."""
        place = self._place
        stated = self._designer.statements(place.unit, place.design.indicator, self._days[1])
        if not self._designer.remembers(place.design.indicator):
            return NOBODY
        return next((value for period, value in reversed(stated) if period < place.period), NOBODY)

    def _reports(
        self, cell: CellDesign, stated: tuple[float, ...], before: CellDesign
    ) -> tuple[tuple[ReportDesign, ...], bool]:
        """Mark reports that were known as given."""
        i, given = cell.indicator, set[int]()
        then = dict(zip(self._names(before, self._days[0]), before.reports, strict=True))
        now = self._names(cell, self._days[1])
        indicator = self._layout.question.indicators[i]
        for j in originals_first(cell.reports):
            design = cell.reports[j]
            passes = all(o == WITHDRAWN or o in given for o in design.originals)
            same = now[j] in then and _same_design(then[now[j]], design, list(then), now)
            known = passes and same and indicator.kind not in ("count", "measure")
            if indicator.kind == "ratio" or design.given is not None or known:
                given.add(j)
        kept = {now[j] for j in given}
        gone = bool(then.keys() - kept) or bool(kept - then.keys())
        designs = (v._replace(given=stated[j]) if j in given else v for j, v in enumerate(cell.reports))
        return tuple(designs), gone

    def _names(self, cell: CellDesign, day: date) -> list[str]:
        live = self._designer.live(self._place.unit, self._place.period, cell, day)
        return [report.id for report in live]


def _same_design(then: ReportDesign, now: ReportDesign, before: list[str], after: list[str]) -> bool:
    """Tell whether a report has the same independence and originals on both dates."""
    names = [
        [None if o == WITHDRAWN else ids[o] for o in design.originals]
        for design, ids in ((then, before), (now, after))
    ]
    return then.independence == now.independence and names[0] == names[1]


def _add_what_depends(
    designer: EvidenceDesign, places: list[PlacedCell], marked: dict[CellKey, PlacedCell]
) -> bool:
    """Add the cells whose claims may be that a value goes on that is new; tell whether there are any.

    A silence among them is drawn again; the next cell with a known report ends it.
    """
    added, open_ = False, dict[tuple[int, int], bool]()
    for place in places:
        where, cell = (place.unit, place.design.indicator), place.design
        if not designer.remembers(cell.indicator):
            continue
        key = place.unit, place.period, cell.indicator
        if key not in marked and open_.get(where) and cell.claims:
            given = zip(cell.reports, place.stated[0], strict=True)
            reports = tuple(one._replace(given=y) for one, y in given)
            cell = cell._replace(reports=reports, claims=not reports, filed=BY_VALUE if reports else -1)
            marked[key], added = place._replace(design=cell), True
        if key in marked:
            cell = marked[key].design
            open_[where] = cell.claims or any(one.given is None for one in cell.reports)
        elif cell.reports:
            open_[where] = False
    return added


def _with_last_stated(
    designer: EvidenceDesign, marked: dict[CellKey, PlacedCell], day: date
) -> list[PlacedCell]:
    """Return the cells with the value that was last stated in a cell that is not among them."""
    conditioned = []
    for (unit, period, i), place in marked.items():
        design = place.design
        if designer.remembers(i) and (design.claims or design.filed == BY_VALUE):
            stated = designer.statements(unit, i, day)
            earlier = [one for one in stated if one[0] < period and (unit, one[0], i) not in marked]
            before, again = earlier[-1] if earlier else (-1, NOBODY)
            design = design._replace(before=before, again=again)
        conditioned.append(place._replace(design=design))
    return conditioned


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
        contents.append(given_content(place.design, problem.layout))
        _, power = stays.pop((place.unit, place.period, place.design.indicator), (0, 1.0))
        parts.append(IncrementCell(place, size + n, power))
    cells = concatenated(problem.cells, flatten(contents, problem.layout)) if contents else problem.cells
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


def given_content(cell: CellDesign, layout: Layout) -> CellContent:
    """Return the content of a cell of which only what is given is known."""
    stated = (tuple(design.given for design in one.reports) for one in cell_and_children(cell))
    return _content_of(cell, tuple(stated), layout)


def _content_of(
    cell: CellDesign, stated: tuple[tuple[float | None, ...], ...], layout: Layout
) -> CellContent:
    """Return the content of a cell in which some of the reports state something; None: nothing."""
    rows = list[CellContent]()
    for one, values in zip(cell_and_children(cell), stated, strict=True):
        numbers = tuple(np.nan if y is None else y for y in values)
        terms = tuple(
            report_term(design, numbers, y, layout, one.indicator)
            for design, y in zip(one.reports, values, strict=True)
            if y is not None
        )
        again = one.again if one.silent else NOBODY
        rows.append(CellContent(one.indicator, terms, *one.factors, max(one.filed, -1), one.silent, again))
    return rows[0]._replace(children=tuple(rows[1:]))


class Outcome(NamedTuple):
    """What might have become of a cell."""

    stated: tuple[tuple[float, ...], ...]  # by cell (itself, its children) and by report
    filed: bool  # whether there are reports at all, where that is drawn
    claim: float  # what is filed where no source is known to report
    again: int  # the value last stated


def cell_content(cell: CellDesign, outcome: Outcome, layout: Layout) -> CellContent:
    """Return the content of a cell of which everything is known, its reports and silence included.

    The reliability of a claim of nobody in particular is in one slot more than theta has.
    """
    i, stated = cell.indicator, outcome.stated[0]
    content = _content_of(cell, outcome.stated, layout)
    if not cell.whole:
        if cell.filed == BY_VALUE:
            content = content._replace(filed=_filed_slot(layout, i, stated[0], outcome.again))
        return content
    if cell.monitoring is not None:
        detection, false_alarm = cell.monitoring
        if not outcome.filed:
            left = tuple(
                term
                for term, design in zip(content.terms, cell.reports, strict=True)
                if design.given is not None
            )
            return content._replace(terms=left, quiet=1.0 - false_alarm, active=1.0 - detection)
        content = content._replace(quiet=false_alarm, active=detection, ratio=True)
    elif not outcome.filed:
        return content._replace(terms=(), silent=True, again=outcome.again)
    if all(design.given is not None for design in cell.reports):
        claim = ReportTerm(0.0, 0.0, 1.0, 1.0, outcome.claim, layout.size)
        content = content._replace(terms=(*content.terms, claim))
    if cell.claims:
        first = content.terms[0].value
        content = content._replace(filed=_filed_slot(layout, i, first, outcome.again))
    return content


def _filed_slot(layout: Layout, i: int, y: float, again: int) -> int:
    """Return the slot of the chance that a claim of y is filed."""
    one = layout.arrays.indicator[i]
    if y == one["quiet"]:
        return int(one["none"])
    return int(one["again"] if y == again and one["again"] >= 0 else one["event"])
