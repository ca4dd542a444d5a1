"""Incremental index of the cells: the evidence by indicator and period, as known on any date.

A cell is rebuilt only when something about it becomes known: a report, a correction, a withdrawal, the end
of a period (counts and measures wait for it), silence that has lasted long enough. Whatever depends on a
cell follows it: the held value of the next cell of a persistent indicator, the cell of the indicator that
this one is given, and the exponents of its group.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable
from copy import copy
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from forecast.case.evidence import Evidence, Report
from forecast.case.question import Indicator, Question
from forecast.model.cell_sequence import CellSequence
from forecast.model.cells import CellContent, flatten, most_likely, report_design, report_term, value_code
from forecast.model.likelihood import Cells, log_cells
from forecast.model.parameters import Layout
from forecast.model.report_log import CellKey, ReportLog
from forecast.model.tempering import cell_exponents


@dataclass(frozen=True)
class Snapshot:
    """The evidence as it was known on one date: its cells in the order of time."""

    date: date
    sequence: CellSequence
    periods: int
    begin: int  # first period in which it differs from the one before it, at most that one's periods


class EvidenceIndex:
    """The cells of a question as the evidence gives them, by unit, period and indicator.

    It is built once from the log and moved from date to date (:meth:`update_cells`). :meth:`known_on` builds
    it for one date; what-ifs start from there and leave it as it is: :meth:`without` reports,
    :meth:`with_layout` for other values of the judgements, :meth:`updated` for single cells. Cells themselves
    are never changed, and equal cells are one.
    """

    def __init__(self, layout: Layout, evidence: Evidence) -> None:
        self._layout = layout
        self._question: Question = layout.question
        indicators = self._question.indicators
        self._position = {indicator.id: i for i, indicator in enumerate(indicators)}
        self._parent = {i: self._position[one.given] for i, one in enumerate(indicators) if one.given}
        self._children: dict[int, list[int]] = {}
        for child, parent in self._parent.items():
            self._children.setdefault(parent, []).append(child)
        self._units = self._question.unit_count
        self.log = ReportLog(self._question, evidence)
        self._day = self._question.opened
        self._single: dict[CellKey, CellContent] = {}  # cells by themselves, before pairs are joined
        self._periods: dict[tuple[int, int], list[int]] = {}  # of (unit, indicator), those with a cell
        self._combined: dict[CellKey, CellContent] = {}
        self._size = len(indicators)
        self._longest = self._question.period(self._question.horizon) + 1
        self._begin = self._last = 0
        self._forget_numbers()

    @classmethod
    def known_on(
        cls, layout: Layout, evidence: Evidence, day: date, *, left_out: frozenset[str] = frozenset()
    ) -> EvidenceIndex:
        """Build the index of what is known on a day, some reports left out."""
        index = cls(layout, evidence)
        index.update_cells({key for _, key in index.changes(day)}, day, left_out)
        return index

    # ---- what the outside asks -------------------------------------------------------------------

    def changes(self, until: date) -> list[tuple[date, CellKey]]:
        """Return (date, cell) pairs on which a cell may change, up to a day, in time order."""
        changes = self.log.changes()
        for i, indicator in enumerate(self._question.indicators):
            if indicator.monitored:
                for period in range(self._question.period(until) + 1):
                    day = self._question.last_day(period) + timedelta(days=indicator.monitored.lag)
                    changes += [(day, (unit, period, i)) for unit in range(self._units)]
        return sorted((day, key) for day, key in changes if day <= until)

    def update_cells(
        self, keys: Iterable[CellKey], day: date, left_out: frozenset[str] = frozenset()
    ) -> None:
        """Rebuild the cells `keys` and their dependents as known on `day`, without `left_out`.

        A report that is left out adds nothing, but what it corrects stays corrected.
        """
        self._assign_numbers(self._refresh(keys, day, left_out))

    def updated(self, keys: Iterable[CellKey], day: date, left_out: frozenset[str]) -> EvidenceIndex:
        """Return another index with :meth:`update_cells` done to it."""
        index = self._copy()
        index.update_cells(keys, day, left_out)
        return index

    def without(self, ids: Collection[str]) -> EvidenceIndex:
        """Return the index of the same day as if some reports had never been written."""
        index = self._copy()
        index.log, touched = self.log.without(ids)
        index.update_cells(touched, self._day)
        return index

    def with_layout(self, layout: Layout) -> EvidenceIndex:
        """Return the index of the same day where the judgements have other values.

        The layout must be one of :meth:`forecast.model.parameters.Layout.with_question`. Noise in numbers,
        held values and exponents follow the means of the judgements; nothing else is built anew.
        """
        index = self._copy()
        index._layout, index._question = layout, layout.question
        kinds = enumerate(self._question.indicators)
        follows = {i for i, one in kinds if not one.values or one.persistence is not None}
        tops = index._refresh([key for key in self._single if key[2] in follows], self._day, frozenset())
        if self._question.groups or self._question.cap is not None:
            index._forget_numbers()
            tops = set(index._combined)
        index._assign_numbers(tops)
        return index

    def contents(self) -> dict[CellKey, CellContent]:
        """Return every cell in the order of time, also one to which the cap leaves no weight at all."""
        return {key: self._combined[key] for key in sorted(self._combined)}

    def snapshot(self, day: date) -> Snapshot:
        """Return the cells, and since when they differ from the last snapshot."""
        periods = self._question.period(day) + 1
        edges = (np.arange(self._units)[:, None] * self._longest + np.arange(periods + 1)) * self._size
        sequence = CellSequence(
            kind=self._kinds,
            start=np.searchsorted(self._codes, edges).astype(np.int64),
            cell=np.arange(len(self._powers)),
            exponent=np.array(self._powers),
        )
        snapshot = Snapshot(day, sequence, periods, min(self._begin, self._last))
        self._begin = self._last = periods
        return snapshot

    def cells(self) -> Cells:
        """Return all cells there have been, as arrays."""
        return flatten([content for content, _ in self._numbers])

    def _copy(self) -> EvidenceIndex:
        """Return an independent copy for modification."""
        index = copy(self)
        index._single, index._combined = dict(self._single), dict(self._combined)
        index._periods = {key: list(periods) for key, periods in self._periods.items()}
        index._number_of, index._numbers = dict(self._number_of), dict(self._numbers)
        index._powers = list(self._powers)
        return index

    def _forget_numbers(self) -> None:
        """Start numbering the cells anew."""
        self._number_of: dict[CellKey, int] = {}
        self._numbers: dict[tuple[CellContent, float], int] = {}
        self._powers: list[float] = []
        self._codes, self._kinds = np.empty(0, np.int64), np.empty(0, np.int64)

    def _refresh(self, keys: Iterable[CellKey], day: date, left_out: frozenset[str]) -> set[CellKey]:
        """Rebuild cells and their dependents; return the keys of the combined cells affected."""
        self._day = day
        touched = set(keys)
        for key in sorted(touched):
            touched |= self._rebuild(key, day, left_out)
        tops = set()
        for unit, period, i in touched:
            tops.add((unit, period, self._parent.get(i, i)))
            tops |= {(unit, t, i) for t in self._periods_with_children_only(unit, period, i)}
        for key in tops:
            self._combine(key)
        return tops

    # ---- one cell --------------------------------------------------------------------------------

    def _rebuild(self, key: CellKey, day: date, left_out: frozenset[str]) -> set[CellKey]:
        """Rebuild a cell and the held value of the next one; return the cells that may have changed."""
        unit, period, i = key
        indicator = self._question.indicators[i]
        self._set(key, self._content(key, day, left_out))
        if indicator.persistence is None:
            return {key}
        periods = self._periods.get((unit, i), [])
        place = bisect_left(periods, period + 1)
        if place == len(periods):
            return {key}
        after = (unit, periods[place], i)
        self._set(after, self._content(after, day, left_out))
        return {key, after}

    def _set(self, key: CellKey, content: CellContent | None) -> None:
        periods = self._periods.setdefault((key[0], key[2]), [])
        if content is not None:
            if key not in self._single:
                insort(periods, key[1])
            self._single[key] = content
        elif self._single.pop(key, None) is not None:
            periods.remove(key[1])

    def _content(self, key: CellKey, day: date, left_out: frozenset[str]) -> CellContent | None:
        _, period, i = key
        indicator = self._question.indicators[i]
        if indicator.kind in ("count", "measure") and self._question.last_day(period) > day:
            return None
        live = [r for r in self.log.live(key, day) if r.id not in left_out]
        quiet, active = self._silence(indicator, period, day, live)
        if not live and (quiet, active) == (1.0, 1.0):
            return None
        originals, values = self.log.originals(live, day, left_out), [value_code(r, indicator) for r in live]
        terms = tuple(
            report_term(report_design(report, passed_on, self._layout), values, value, self._layout, i)
            for report, passed_on, value in zip(live, originals, values, strict=True)
        )
        hold, held = self._held(key, indicator)
        return CellContent(i, terms, quiet, active, hold, held)

    def _silence(
        self, indicator: Indicator, period: int, day: date, live: list[Report]
    ) -> tuple[float, float]:
        """Return the factors of silence for the quiet value and for any other; 1 where nobody is silent."""
        monitored = indicator.monitored
        if monitored is None or any(r.value != indicator.values[0] for r in live):
            return 1.0, 1.0
        last = self._question.last_day(period)
        if not monitored.since <= last <= monitored.until or last + timedelta(days=monitored.lag) > day:
            return 1.0, 1.0
        return 1.0 - monitored.false_alarm, 1.0 - monitored.detection

    def _held(self, key: CellKey, indicator: Indicator) -> tuple[float, int]:
        """Return the chance that the last reported value went on, and that value."""
        unit, period, i = key
        periods = self._periods.get((unit, i), [])
        place = bisect_left(periods, period)
        if indicator.persistence is None or place == 0:
            return 0.0, 0
        before = self._single[unit, periods[place - 1], i]
        factors = before.quiet, before.active
        held = most_likely(before.terms, len(indicator.values), factors, self._layout.mean)
        return indicator.persistence ** (period - periods[place - 1]), held

    # ---- cells that belong together ----------------------------------------------------------------

    def _combine(self, key: CellKey) -> None:
        """Attach the cells of child indicators to their parent's cell."""
        unit, period, i = key
        content = self._single.get(key)
        children = self._children.get(i, ())
        below = [self._single[unit, period, c] for c in children if (unit, period, c) in self._single]
        if below:
            hold, held = self._held(key, self._question.indicators[i])
            content = (content or CellContent(i, hold=hold, held=held))._replace(children=tuple(below))
        if content is None:
            self._combined.pop(key, None)
        else:
            self._combined[key] = content

    def _periods_with_children_only(self, unit: int, period: int, i: int) -> list[int]:
        """Return the periods in which only children call for this cell, up to its next own one."""
        if self._question.indicators[i].persistence is None:
            return []
        own = self._periods.get((unit, i), [])
        end = next((t for t in own if t > period), self._longest)
        called = (t for c in self._children.get(i, ()) for t in self._periods.get((unit, c), ()))
        return [t for t in called if period < t < end]

    def _assign_numbers(self, keys: set[CellKey]) -> None:
        """Give changed cells and their group-mates their exponents and numbers."""
        question = self._question
        members = {id: group.indicators for group in question.groups for id in group.indicators}
        plain = not question.groups and question.cap is None
        for unit, period, i in list(keys):
            for id in members.get(question.indicators[i].id, ()):
                keys.add((unit, period, self._position[id]))
        present = [key for key in sorted(keys) if key in self._combined]
        powers = [1.0] * len(present) if plain else self._exponents(present)
        numbers = {}
        for key, power in zip(present, powers, strict=True):
            if power > 0:
                content = self._combined[key], power
                numbers[key] = self._numbers.setdefault(content, len(self._numbers))
                if numbers[key] == len(self._powers):
                    self._powers.append(power)
        self._renumber(keys, numbers)

    def _renumber(self, keys: set[CellKey], numbers: dict[CellKey, int]) -> None:
        """Put cells, in the order of time, in the place of whatever was at `keys`."""
        before = {key: self._number_of.pop(key) for key in keys if key in self._number_of}
        self._number_of |= numbers
        changed = sorted(key for key in keys if before.get(key) != numbers.get(key))
        if not changed:
            return
        self._begin = min(self._begin, min(t for _, t, _ in changed))
        codes = np.array([(u * self._longest + t) * self._size + i for u, t, i in changed])
        keep = ~np.isin(self._codes, codes)
        codes = codes[[key in numbers for key in changed]]
        place = np.searchsorted(self._codes[keep], codes)
        kinds = np.array([numbers[key] for key in changed if key in numbers], np.int64)
        self._codes = np.insert(self._codes[keep], place, codes)
        self._kinds = np.insert(self._kinds[keep], place, kinds)

    def _exponents(self, keys: list[CellKey]) -> list[float]:
        cells = flatten([self._combined[key] for key in keys])
        log_m = np.empty((len(keys), self._layout.scenarios))
        log_cells(self._layout.mean, np.arange(len(keys)), cells, self._layout.arrays, log_m)
        return cell_exponents(self._question, keys, log_m, self._question.cap)
