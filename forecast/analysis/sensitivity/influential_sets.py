"""The forecast at the judgements' means without some of the reports, for very many sets of reports.

Leaving reports out changes a forecast in places only. A *strand* is one indicator (with those that are given
it) in one unit: repeats, corrections, held values and silence stay inside it. What a strand's cells say is
worked out anew by the model for each of its own subsets that is asked for; groups and the cap then for each
period and each subset of what can be heard in it; the filter runs over all sets at once. Every piece is kept,
so that ten thousand sets take no longer than the few hundred pieces they are made of.

The fewest reports without which another scenario would lead.

Every set of one report is tried, then every set of two, and so on, as long as the number of sets stays within
a limit: a set that is found so is the smallest. Beyond, reports are taken away one after the other, or a
cell at a time, whatever gains most for a rival's log odds against the leader per report, until the rival
leads; then each report that is not needed is put back. Such a set is an upper limit: a smaller one may
exist. All at the judgements' means; who leads is asked of the horizon.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import batched, combinations
from math import comb

import numpy as np

from forecast.analysis.plug_in import plug_in_model, step_to_horizon
from forecast.case.evidence import Evidence, Report
from forecast.case.question import Question
from forecast.model.cell_sequence import places
from forecast.model.dynamics import transition_matrices
from forecast.model.hmm import filter_log_likelihood
from forecast.model.likelihood import log_cells
from forecast.model.parameters import TINY
from forecast.model.report_log import CellKey, ReportLog
from forecast.model.tempering import exponents

Strand = int  # the indicator on which the others are given
Dropped = frozenset[str]

_CHUNK = 4096


class Removals:
    """The answer for one unit without any set of its reports."""

    def __init__(self, question: Question, evidence: Evidence, as_of: date, unit: int) -> None:
        self._question, self._as_of, self._unit = question, as_of, unit
        self._plain = replace(question, groups=(), cap=None)
        place = {indicator.id: i for i, indicator in enumerate(question.indicators)}
        self._top = [place[i.given or i.id] for i in question.indicators]
        self._group = {place[name]: g for g in question.groups for name in g.indicators}
        told = Evidence(tuple(r for r in evidence.reports if r.reported <= as_of))
        named = question.units[unit] if question.units else ""
        self.reports = tuple(r for r in evidence.known(as_of) if r.unit == named)
        self._touched = _touched(question, told, self._top)
        self._model = plug_in_model(self._plain, told, as_of)
        self._rows = {
            strand: frozenset(r.id for r in told.reports if strand in self._touched[r.id][unit])
            for strand in set(self._top)
        }
        self._cells: dict[tuple[Strand, Dropped], dict[int, np.ndarray]] = {}
        self._periods: dict[tuple[int, Dropped], np.ndarray] = {}
        self._strands = self._where()
        self._heard = [self._hearable(t) for t in range(question.period(as_of) + 1)]
        self._base = np.stack([self._period(t, frozenset()) for t in range(len(self._heard))])
        laid = self._model.layout
        self._prior, self._matrix = laid.mean[: laid.scenarios], np.empty((1, laid.scenarios, laid.scenarios))
        transition_matrices(laid.mean[None].copy(), laid.arrays, self._matrix)

    def horizon(self, sets: Sequence[Iterable[str]]) -> np.ndarray:
        """Return the probabilities at the horizon, (N, K), without each set of reports (by id)."""
        parts = [self._answer(sets[n : n + _CHUNK]) for n in range(0, len(sets), _CHUNK)]
        return np.concatenate(parts) if parts else np.empty((0, len(self._prior)))

    def _answer(self, sets: Sequence[Iterable[str]]) -> np.ndarray:
        log_l = np.repeat(self._base[None], len(sets), axis=0)
        for n, dropped in enumerate(sets):
            gone = frozenset(dropped)
            for t, heard in enumerate(self._heard):
                if mine := heard & gone:
                    log_l[n, t] = self._period(t, mine)
        prior = np.repeat(self._prior[None], len(sets), axis=0)
        matrix = np.repeat(self._matrix, len(sets), axis=0)
        alpha, _ = filter_log_likelihood(prior, matrix, log_l)
        return step_to_horizon(self._question, self._as_of, alpha[:, None, -1], matrix)[:, 0]

    def _period(self, t: int, gone: Dropped) -> np.ndarray:
        """Return log L_t(s), (K,), groups and cap included."""
        if (t, gone) not in self._periods:
            cells = {strand: self._strand(strand, gone) for strand in sorted(self._strands[t])}
            tops = [strand for strand, cell in cells.items() if t in cell]
            total = np.zeros(len(self._question.scenarios))
            if tops:
                log_m = np.stack([cells[top][t] for top in tops])
                mine = [self._group.get(top) for top in tops]
                together = [(g.id if g else "", 0 if g else i) for i, g in zip(tops, mine, strict=True)]
                correlation = [g.correlation if g else 0.0 for g in mine]
                powers = exponents(log_m, together, correlation, self._question.cap)
                for power, m in zip(powers, log_m, strict=True):
                    total = total + power * m if power > 0 else total
            self._periods[t, gone] = total
        return self._periods[t, gone]

    def _strand(self, strand: Strand, gone: Dropped) -> dict[int, np.ndarray]:
        """Return log m(s) of the strand's cells by period, at the means, without groups and cap."""
        mine = gone & self._rows[strand]
        if (strand, mine) not in self._cells:
            model = self._model.without(mine)
            sequence, cells = model.evidence.sequence, model.cells
            log_m = np.empty((len(sequence.cell), model.layout.scenarios))
            log_cells(model.layout.mean, sequence.cell, cells, model.layout.arrays, log_m)
            units, periods = places(sequence)
            self._cells[strand, mine] = {
                int(t): log_m[kind]
                for u, t, kind in zip(units, periods, sequence.kind, strict=True)
                if u == self._unit and self._top[cells.cell["indicator"][sequence.cell[kind]]] == strand
            }
        return self._cells[strand, mine]

    def _where(self) -> list[set[Strand]]:
        """Return for each period the strands that may have a cell in it, whatever is left out."""
        found: list[set[Strand]] = [set() for _ in range(self._question.period(self._as_of) + 1)]
        for strand, rows in self._rows.items():
            spoken = {t for id in rows for t in self._touched[id][self._unit][strand]}
            for t in spoken | set(self._strand(strand, frozenset())):
                found[t].add(strand)
        return found

    def _hearable(self, t: int) -> Dropped:
        """Return the reports that may matter to what is said of a period."""
        found = set()
        for report in self.reports:
            for strand, periods in self._touched[report.id][self._unit].items():
                later = t > min(periods) and self._lasting(strand)
                if strand in self._strands[t] and (t in periods or later):
                    found.add(report.id)
        return frozenset(found)

    def _lasting(self, strand: Strand) -> bool:
        """Tell whether anything in a strand is held from one period to the next."""
        mine = [i for i, top in zip(self._question.indicators, self._top, strict=True) if top == strand]
        return any(indicator.persistence is not None for indicator in mine)


def _touched(
    question: Question, told: Evidence, top: Sequence[int]
) -> dict[str, list[dict[Strand, set[int]]]]:
    """Return for each row, by unit, the strands and periods that it, or any row of its chain, speaks about.

    A chain is a report with what it corrects and what corrects it: without one of them another may stand.
    """
    log, by_id = ReportLog(question, told), {r.id: r for r in told.reports}

    def first(report: Report) -> str:
        while report.replaces in by_id:
            report = by_id[report.replaces]
        return report.id

    keys: dict[str, set[CellKey]] = {}
    for report in told.reports:
        keys.setdefault(first(report), set()).update(_keys(log, report))
    found = {}
    for report in told.reports:
        places_of: list[dict[Strand, set[int]]] = [{} for _ in range(question.unit_count)]
        for unit, period, i in keys[first(report)]:
            places_of[unit].setdefault(top[i], set()).add(period)
        found[report.id] = places_of
    return found


def _keys(log: ReportLog, report: Report) -> list[CellKey]:
    return [log.key(report)] if report.indicator and report.value is not None else []


#: So many sets are tried, all sizes together.
LIMIT = 150_000

_BATCH = 4096
_NOTHING = 1e-9  # a gain of log odds that is rounding


@dataclass(frozen=True, slots=True)
class SmallestSet:
    """What was found.

    ``reports``: ids, none if no set was found. ``smallest``: whether no smaller set exists. ``searched``: no
    smaller set, of up to so many reports, will do. ``others``: how many other sets of the same size would do
    as well, where all were tried. ``horizon``: (K,) at the means, without the set; where none was found,
    without ``nearest``, the reports whose removal brought a rival nearest.
    """

    reports: tuple[str, ...]
    smallest: bool
    searched: int
    others: int
    nearest: tuple[str, ...]
    horizon: np.ndarray


def smallest_set(
    question: Question,
    removals: Removals,
    lead: int,
    *,
    allowed: Callable[[Sequence[str]], bool] = lambda ids: True,
    limit: int = LIMIT,
    progress: Callable[[float], None] | None = None,
) -> SmallestSet:
    """Find the smallest set of reports without which scenario `lead` would no longer lead.

    Parameters
    ----------
    question : Question
    removals : Removals
        The answers without any set of the reports of one unit.
    lead : int
        The scenario that leads with all of them.
    allowed : callable, optional
        Whether what is left of the log could be read; sets that leave an impossible log do not count.
    limit : int
        So many sets are tried at most, all sizes together, before the search becomes greedy.
    progress : callable, optional
        Called with the share done, 0 to 1.
    """
    ids = [r.id for r in removals.reports]
    sizes = _sizes(len(ids), limit)
    total, done = sum(comb(len(ids), size) for size in sizes), 0
    for size in sizes:
        found: list[tuple[float, tuple[str, ...], np.ndarray]] = []
        for some in batched(combinations(ids, size), _BATCH):
            p = removals.horizon(some)
            flipped = [int(n) for n in np.flatnonzero(_margin(p, lead) < 0) if allowed(some[n])]
            found += [(float(_margin(p[n], lead)), some[n], p[n]) for n in flipped]
            done += len(some)
            if progress:
                progress(done / total)
        if found:
            _, best, p_best = min(found, key=lambda one: one[:2])
            return SmallestSet(best, True, size - 1, len(found) - 1, (), p_best)
    rivals = [s for s in range(len(question.scenarios)) if s != lead]
    ends = [_greedy(question, removals, lead, rival) for rival in rivals]
    searched = max(sizes, default=0)
    reached = [one for one in ends if _margin(removals.horizon([one])[0], lead) < 0 and allowed(one)]
    if reached:
        best = min(reached, key=len)
        return SmallestSet(best, len(best) == searched + 1, searched, 0, (), removals.horizon([best])[0])
    nearest = min(ends, key=lambda one: (float(_margin(removals.horizon([one])[0], lead)), len(one)))
    return SmallestSet((), searched == len(ids), searched, 0, nearest, removals.horizon([nearest])[0])


def _sizes(reports: int, limit: int) -> list[int]:
    """Return the sizes of which all sets can be tried."""
    found, tried = [], 0
    for size in range(1, reports + 1):
        tried += comb(reports, size)
        if tried > limit:
            break
        found.append(size)
    return found


def _margin(p: np.ndarray, lead: int) -> np.ndarray:
    """Return by how much a scenario leads the best of the others; negative where it does not."""
    return np.asarray(p[..., lead] - np.delete(p, lead, axis=-1).max(axis=-1))


def _greedy(question: Question, removals: Removals, lead: int, rival: int) -> tuple[str, ...]:
    """Take reports away in favour of a rival until the leader no longer leads, or nothing helps any more."""
    steps = _steps(question, removals)
    gone: frozenset[str] = frozenset()
    p = removals.horizon([()])[0]
    while _margin(p, lead) >= 0:
        bigger = list(dict.fromkeys(gone | step for step in steps if not step <= gone))
        tried = removals.horizon(bigger)
        gain = (_odds(tried, rival, lead) - _odds(p, rival, lead)) / [len(b) - len(gone) for b in bigger]
        gain = np.where(np.isfinite(gain), gain, -np.inf)  # what is left may be evidence that nothing allows
        if not len(gain) or gain.max() <= _NOTHING:
            break
        best = int(gain.argmax())
        gone, p = bigger[best], tried[best]
    for one in [r.id for r in removals.reports if r.id in gone]:
        without = removals.horizon([gone - {one}])[0]
        if (
            (_margin(without, lead) < 0)
            if _margin(p, lead) < 0
            else (_margin(without, lead) <= _margin(p, lead))
        ):
            gone -= {one}
    return tuple(r.id for r in removals.reports if r.id in gone)


def _steps(question: Question, removals: Removals) -> list[frozenset[str]]:
    """Return what is taken away at a time: each report, and each cell's reports together."""
    cells: dict[tuple[str, int], set[str]] = {}
    for r in removals.reports:
        cells.setdefault((r.indicator, question.period(r.date)), set()).add(r.id)
    alone = [frozenset([r.id]) for r in removals.reports]
    return alone + [frozenset(cell) for cell in cells.values() if len(cell) > 1]


def _odds(p: np.ndarray, rival: int, lead: int) -> np.ndarray:
    return np.asarray(np.log(np.maximum(p[..., rival], TINY)) - np.log(np.maximum(p[..., lead], TINY)))
