"""Incremental index of the cells: the evidence by indicator and period, as known on any date.

A cell is rebuilt only when something about it becomes known: a report, a correction, a withdrawal, the end
of a period (counts and measures wait for it), silence that has lasted long enough. Whatever depends on a
cell follows it: where the value last stated has its own chance of being filed again, the cells after it; the
cell of the indicator that this one is given; the exponents of its group and, of an indicator that persists,
of its later cells.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable
from copy import copy
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from forecast.case.evidence import Evidence, Report
from forecast.case.question import Question
from forecast.model.cell_sequence import CellSequence
from forecast.model.cells import CellContent, flatten, report_design, report_term, value_code
from forecast.model.likelihood import Cells
from forecast.model.parameters import Layout, kinds_of_claims
from forecast.model.report_log import CellKey, ReportLog
from forecast.model.tempering import cell_exponents, log_likelihoods


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
        self._since: dict[tuple[int, int], int | None] = {}  # of (unit, indicator), the first period watched
        self._opened: int | None = None  # the period in which the log's first report became known
        self._opens: int | None = None  # the same where it is said, and not to be read from the log
        self._left_out: frozenset[str] = frozenset()
        self._unknown = False  # whether a cell of which all is left out is unknown, rather than silent
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
            lags = {one.lag for one in (indicator.monitored, indicator.reporting) if one is not None}
            if indicator.given and indicator.monitored is None:
                lags = set()
            for period in range(self._question.period(until) + 1) if lags else ():
                last = self._question.last_day(period)
                for lag in lags:
                    changes += [(last + timedelta(days=lag), (u, period, i)) for u in range(self._units)]
        return sorted((day, key) for day, key in changes if day <= until)

    def update_cells(
        self,
        keys: Iterable[CellKey],
        day: date,
        left_out: frozenset[str] = frozenset(),
        *,
        unknown: bool = False,
    ) -> None:
        """Rebuild the cells `keys` and their dependents as known on `day`, without `left_out`.

        A report that is left out adds nothing, but what it corrects stays corrected. A cell that is left
        without any is silent; or, if `unknown`, it is not known what was said of it, nor that nothing was:
        what other cells take from the reports that are left out stays.
        """
        self._unknown = unknown
        self._assign_numbers(self._refresh(keys, day, left_out))
        self._unknown = False

    def updated(
        self, keys: Iterable[CellKey], day: date, left_out: frozenset[str], *, unknown: bool = False
    ) -> EvidenceIndex:
        """Return another index with :meth:`update_cells` done to it."""
        index = self._copy()
        index.update_cells(keys, day, left_out, unknown=unknown)
        return index

    def without(self, ids: Collection[str], *, opened: int | None = None) -> EvidenceIndex:
        """Return the index of the same day as if some reports had never been written.

        `opened` is the period in which the log's first report became known, where others are gone too.
        """
        index = self._copy()
        index._opens = opened
        index.log, touched = self.log.without(ids)
        index.update_cells(touched, self._day)
        return index

    def with_layout(self, layout: Layout) -> EvidenceIndex:
        """Return the index of the same day where the judgements have other values.

        The layout must be one of :meth:`forecast.model.parameters.Layout.with_question`. Noise in numbers
        and exponents follow the means of the judgements; nothing else is built anew.
        """
        index = self._copy()
        index._layout, index._question = layout, layout.question
        follows = {i for i, one in enumerate(self._question.indicators) if not one.values}
        tops = index._refresh([key for key in self._single if key[2] in follows], self._day, frozenset())
        if self._question.groups or self._question.cap is not None:
            index._forget_numbers()
            tops = set(index._combined)
        index._assign_numbers(tops)
        return index

    def content(self, key: CellKey) -> CellContent | None:
        """Return a cell, None where there is none."""
        return self._combined.get(key)

    def exponents(self) -> dict[CellKey, float]:
        """Return the exponent of every cell but those to which the cap leaves no weight at all."""
        return {key: self._powers[number] for key, number in self._number_of.items()}

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
        return flatten([content for content, _ in self._numbers], self._layout)

    def _copy(self) -> EvidenceIndex:
        """Return an independent copy for modification."""
        index = copy(self)
        index._single, index._combined = dict(self._single), dict(self._combined)
        index._periods = {key: list(periods) for key, periods in self._periods.items()}
        index._since = dict(self._since)
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
        self._day, self._left_out = day, left_out
        touched = set(keys)
        for key in touched:
            self._set(key, self._content(key))
        tops = {(unit, period, self._parent.get(i, i)) for unit, period, i in touched}
        if not self._unknown:
            tops |= self._watched_from(tops, day)
            tops |= {key for top in sorted(tops) for key in self._after(top)}
        for key in tops:
            self._combine(key)
        return tops

    def _watched_from(self, touched: set[CellKey], day: date) -> set[CellKey]:
        """Work out since when indicators are watched; return the cells for which that has changed."""
        question, changed = self._question, set[CellKey]()
        started = self.log.first_known(day, self._left_out)
        opened = None if started is None else question.period(max(started, question.opened))
        opened = opened if self._opens is None else self._opens
        pairs = {(unit, i) for unit, _, i in touched}
        if opened != self._opened:
            self._opened = opened
            pairs = {(unit, i) for unit in range(self._units) for i in range(self._size)}
        for unit, i in pairs:
            reporting, since = question.indicators[i].reporting, None
            if not kinds_of_claims(question.indicators[i]) or reporting is None:
                continue
            if reporting.since is not None:
                since = max(question.period(reporting.since), 0)
            elif opened is not None:
                first = self.log.first_period(unit, i, day, self._left_out)
                since = None if first is None else max(first + 1, opened)
            before = self._since.get((unit, i))
            if since != before:
                self._since[unit, i] = since
                low = min(t for t in (since, before) if t is not None)
                changed |= {(unit, t, i) for t in range(low, question.period(day) + 1)}
        return changed

    def _after(self, key: CellKey) -> list[CellKey]:
        """Return the cells whose claims may be that the value stated in a cell goes on, and to be built."""
        unit, period, i = key
        if "again" not in kinds_of_claims(self._question.indicators[i]):
            return []
        periods = self._periods.get((unit, i), [])
        later = (t for t in periods[bisect_left(periods, period + 1) :] if self._single[unit, t, i].terms)
        end = next(later, self._question.period(self._day))
        return [(unit, t, i) for t in range(period + 1, min(end, self._question.period(self._day)) + 1)]

    # ---- one cell --------------------------------------------------------------------------------

    def _set(self, key: CellKey, content: CellContent | None) -> None:
        periods = self._periods.setdefault((key[0], key[2]), [])
        if content is not None:
            if key not in self._single:
                insort(periods, key[1])
            self._single[key] = content
        elif self._single.pop(key, None) is not None:
            periods.remove(key[1])

    def _content(self, key: CellKey) -> CellContent | None:
        """Return the reports of a cell, None if there is none that counts."""
        _, period, i = key
        indicator = self._question.indicators[i]
        if indicator.kind in ("count", "measure") and self._finished(period) > self._day:
            return None
        live = self._live(key)
        originals = self.log.originals(live, self._day, self._left_out)
        values = [value_code(report, indicator) for report in live]
        terms = tuple(
            report_term(report_design(report, passed_on, self._layout), values, value, self._layout, i)
            for report, passed_on, value in zip(live, originals, values, strict=True)
        )
        return CellContent(i, terms) if terms else None

    def _live(self, key: CellKey) -> list[Report]:
        return [r for r in self.log.live(key, self._day) if r.id not in self._left_out]

    def _finished(self, period: int) -> date:
        """Return the last day of a period; of the one that the horizon cuts short, the horizon."""
        return min(self._question.last_day(period), self._question.horizon)

    # ---- cells that belong together ----------------------------------------------------------------

    def _combine(self, key: CellKey) -> None:
        """Attach the cells of child indicators to their parent's, and whether their reports were filed."""
        unit, period, i = key
        content = self._single.get(key, CellContent(i))
        below = []
        for child in self._children.get(i, ()):
            one = self._single.get((unit, period, child), CellContent(child))
            one = self._monitoring((unit, period, child), one, ())
            if one != CellContent(child):
                below.append(one)
        content = content._replace(children=tuple(below))
        content = self._claims(key, self._monitoring(key, content, self._children.get(i, ())))
        if content == CellContent(i):
            self._combined.pop(key, None)
        else:
            self._combined[key] = content

    def _monitoring(self, key: CellKey, content: CellContent, children: Collection[int]) -> CellContent:
        """Return a cell with the factors of its monitoring, if there is any in its period."""
        monitored = self._question.indicators[key[2]].monitored
        if monitored is None or not self._is_monitored(key):
            return content
        reports = [r for r in self._live(key) if r.value != self._question.indicators[key[2]].values[0]]
        below = [r for child in children for r in self._live((*key[:2], child))]
        if reports or below:  # the chance alone where the earliest of them is of a child
            first = min(reports + below, key=lambda one: (one.reported, one.line))
            alarm, detection = monitored.false_alarm, monitored.detection
            return content._replace(quiet=alarm, active=detection, ratio=first in reports)
        if self._question.last_day(key[1]) + timedelta(days=monitored.lag) > self._day:
            return content
        return content._replace(quiet=1.0 - monitored.false_alarm, active=1.0 - monitored.detection)

    def _is_monitored(self, key: CellKey) -> bool:
        """Tell whether an indicator is monitored in a period."""
        monitored, last = self._question.indicators[key[2]].monitored, self._question.last_day(key[1])
        return monitored is not None and monitored.since <= last <= monitored.until

    def _claims(self, key: CellKey, content: CellContent) -> CellContent:
        """Return a cell with whether its earliest claim was filed, or none was, where that is evidence."""
        unit, period, i = key
        indicator, since = self._question.indicators[i], self._since.get((unit, i))
        kinds, reporting = kinds_of_claims(indicator), indicator.reporting
        if not kinds or reporting is None or since is None or period < since or self._is_monitored(key):
            return content
        if self._question.last_day(period) + timedelta(days=reporting.lag) > self._day:
            return content
        again = self._stated_before(key) if "again" in kinds else -1
        members = (key, *((unit, period, child) for child in self._children.get(i, ())))
        filed = [(report, one[2]) for one in members for report in self._live(one)]
        if not filed:
            return content._replace(silent=True, again=again)
        first, of = min(filed, key=lambda one: (one[0].reported, one[0].line))
        kind = "event"
        if of == i:
            value = int(value_code(first, indicator))
            kind = "quiet" if first.value == indicator.quiet else "again" if value == again else "event"
        return content._replace(filed=self._layout.starts[f"filed {kind} {indicator.id}"])

    def _stated_before(self, key: CellKey) -> int:
        """Return the value last stated in an earlier cell, -1 if there is none or it is the quiet one."""
        unit, period, i = key
        periods = self._periods.get((unit, i), [])
        for t in reversed(periods[: bisect_left(periods, period)]):
            terms = self._single[unit, t, i].terms
            if terms:
                value = int(terms[-1].value)
                quiet = self._question.indicators[i].values[value] == self._question.indicators[i].quiet
                return -1 if quiet else value
        return -1

    def _assign_numbers(self, keys: set[CellKey]) -> None:
        """Give changed cells and their group-mates their exponents and numbers."""
        question = self._question
        members = {id: group.indicators for group in question.groups for id in group.indicators}
        plain = not question.groups and question.cap is None
        if not plain:  # what was reported before changes what is predicted
            lasting = {key for key in keys if question.indicators[key[2]].persistence is not None}
            first = {(u, i): min(t for v, t, j in lasting if (v, j) == (u, i)) for u, _, i in lasting}
            keys |= {key for key in self._combined if key[1] > first.get((key[0], key[2]), key[1])}
        for unit, period, i in list(keys):
            for id in members.get(question.indicators[i].id, ()):
                keys.add((unit, period, self._position[id]))
        present = [key for key in sorted(keys) if key in self._combined]
        powers = [1.0] * len(present) if plain else self._exponents(present)
        numbers = {}
        for key, power in zip(present, powers, strict=True):
            persists = question.indicators[key[2]].persistence is not None
            if power > 0 or persists:  # what persists is believed all the same
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
        log_m = log_likelihoods(self._layout, self._combined, keys)
        return cell_exponents(self._question, keys, log_m, self._question.cap)
