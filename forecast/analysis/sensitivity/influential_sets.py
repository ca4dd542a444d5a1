"""Influential sets: the smallest set of reports whose deletion changes the leading scenario.

Case deletion at the judgements' means, for very many sets. Leaving reports out changes a forecast in places
only. A *component* is one indicator (with those that are given it) in one unit: repeats, corrections, held
values and silence stay inside it. A component's cells are computed anew for each of its own subsets that is
asked for; groups and the cap then for each period and each subset of the reports that may matter to it; the
filter runs over all sets at once. Every piece is kept, so that ten thousand sets take no longer than the few
hundred pieces they are made of.

The search tries every set of one report, then every set of two, and so on, as long as the number of sets
stays within a limit: the set it then returns is the smallest. Beyond, it is greedy: reports are removed one
after the other, or a cell at a time, whatever gains most for a rival's log odds against the leader per
report, until the rival leads; then each report that is not needed is put back. Such a set is an upper limit:
a smaller one may exist. The leader is that at the horizon.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import accumulate, batched, combinations
from math import comb

import numpy as np

from forecast.analysis.plug_in import plug_in_model, step_to_horizon
from forecast.case.evidence import Evidence, Report
from forecast.case.question import Question
from forecast.model.cell_sequence import unit_and_period
from forecast.model.hmm import filter_log_likelihood
from forecast.model.likelihood import log_cells
from forecast.model.parameters import TINY
from forecast.model.report_log import ReportLog
from forecast.model.tempering import cell_exponents

Component = int  # the indicator on which the others are given
Removed = frozenset[str]

#: So many sets are tried, all sizes together.
LIMIT = 150_000

_BATCH = 4096
_ROUNDING = 1e-9  # of log odds


class Removals:
    """The forecasts of one unit without any set of its reports."""

    def __init__(self, question: Question, evidence: Evidence, as_of: date, unit: int) -> None:
        self._question, self._as_of, self._unit = question, as_of, unit
        place = {indicator.id: i for i, indicator in enumerate(question.indicators)}
        self._top = [place[i.given or i.id] for i in question.indicators]
        self._lasting = {place[i.given or i.id] for i in question.indicators if i.persistence is not None}
        known = evidence.until(as_of)
        self.reports = tuple(r for r in evidence.known(as_of) if r.unit == question.unit_names[unit])
        self._places = _places(question, known, self._top, unit)
        self._model = plug_in_model(replace(question, groups=(), cap=None), known, as_of)
        self._rows = {
            component: frozenset(id for id, periods in self._places.items() if component in periods)
            for component in set(self._top)
        }
        self._cells: dict[tuple[Component, Removed], dict[int, np.ndarray]] = {}
        self._periods: dict[tuple[int, Removed], np.ndarray] = {}
        self._components = self._by_period()
        self._relevant = [self._relevant_reports(t) for t in range(len(self._components))]
        self._base = np.stack([self._period(t, frozenset()) for t in range(len(self._relevant))])
        layout = self._model.layout
        self._prior, self._matrix = layout.mean[: layout.scenarios], self._model.filtered.matrix
        present = np.eye(layout.scenarios)[None]
        self._way = step_to_horizon(layout, as_of, layout.mean[None], self._matrix, present)[0]

    def horizon(self, sets: Sequence[Iterable[str]]) -> np.ndarray:
        """Return the probabilities at the horizon, (N, K), without each set of reports (by id)."""
        log_l = np.repeat(self._base[None], len(sets), axis=0)
        for n, removed in enumerate(map(frozenset, sets)):
            for t, relevant in enumerate(self._relevant):
                if mine := relevant & removed:
                    log_l[n, t] = self._period(t, mine)
        prior = np.repeat(self._prior[None], len(sets), axis=0)
        matrix = np.repeat(self._matrix, len(sets), axis=0)
        alpha, _ = filter_log_likelihood(prior, matrix, log_l)
        return np.asarray(alpha[:, -1] @ self._way)

    def _period(self, t: int, removed: Removed) -> np.ndarray:
        """Return log L_t(s), (K,), groups and cap included."""
        if (t, removed) not in self._periods:
            cells = {top: self._component(top, removed) for top in sorted(self._components[t])}
            keys = [(self._unit, t, top) for top, cell in cells.items() if t in cell]
            total = np.zeros(len(self._question.scenarios))
            if keys:
                log_m = np.stack([cells[top][t] for _, _, top in keys])
                powers = cell_exponents(self._question, keys, log_m, self._question.cap)
                for power, m in zip(powers, log_m, strict=True):
                    total = total + power * m if power > 0 else total
            self._periods[t, removed] = total
        return self._periods[t, removed]

    def _component(self, component: Component, removed: Removed) -> dict[int, np.ndarray]:
        """Return log m(s) of a component's cells by period, at the means, without groups and cap."""
        mine = removed & self._rows[component]
        if (component, mine) not in self._cells:
            model = self._model.without(mine)
            sequence, cells = model.evidence.sequence, model.cells
            log_m = np.empty((len(sequence.cell), model.layout.scenarios))
            log_cells(model.layout.mean, sequence.cell, cells, model.layout.arrays, log_m)
            units, periods = unit_and_period(sequence)
            self._cells[component, mine] = {
                int(t): log_m[kind]
                for u, t, kind in zip(units, periods, sequence.kind, strict=True)
                if u == self._unit and self._top[cells.cell["indicator"][sequence.cell[kind]]] == component
            }
        return self._cells[component, mine]

    def _by_period(self) -> list[set[Component]]:
        """Return for each period the components that may have a cell in it, whatever is left out."""
        by_period: list[set[Component]] = [set() for _ in range(self._question.period(self._as_of) + 1)]
        for component, rows in self._rows.items():
            reported = {t for id in rows for t in self._places[id][component]}
            for t in reported | set(self._component(component, frozenset())):
                by_period[t].add(component)
        return by_period

    def _relevant_reports(self, t: int) -> Removed:
        """Return the reports that may matter to the cells of a period."""
        return frozenset(
            report.id
            for report in self.reports
            for component, periods in self._places[report.id].items()
            if component in self._components[t]
            and (t in periods or (t > min(periods) and component in self._lasting))
        )


def _places(
    question: Question, known: Evidence, top: Sequence[int], unit: int
) -> dict[str, dict[Component, set[int]]]:
    """Return, for each row, the components and periods of a unit touched by its chain of corrections.

    A chain is a report with what it corrects and what corrects it: without one of them another may stand.
    """
    log, by_id = ReportLog(question, known), {r.id: r for r in known.reports}

    def first(report: Report) -> str:
        while report.replaces in by_id:
            report = by_id[report.replaces]
        return report.id

    chains: dict[str, dict[Component, set[int]]] = {}
    for report in known.reports:
        chain = chains.setdefault(first(report), {})
        if report.indicator and report.value is not None:
            where, period, i = log.key(report)
            if where == unit:
                chain.setdefault(top[i], set()).add(period)
    return {report.id: chains[first(report)] for report in known.reports}


@dataclass(frozen=True, slots=True)
class SmallestSet:
    """The smallest set of reports without which another scenario would lead, as far as it was searched."""

    reports: tuple[str, ...]  # their ids, none if there is no such set
    smallest: bool  # whether no smaller set exists
    searched: int  # no smaller set, of up to so many reports, will do
    others: int  # so many other sets of the same size would do as well, where all were tried
    nearest: tuple[str, ...]  # where there is no set, the reports whose removal brought a rival nearest
    horizon: np.ndarray  # (K,) at the means, without the one or the other


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

    Sets that are not `allowed` leave a log that could not be read, and do not count. At most `limit` sets are
    tried, all sizes together, before the search becomes greedy.
    """
    ids = [r.id for r in removals.reports]
    tried = accumulate(comb(len(ids), size) for size in range(1, len(ids) + 1))
    sizes = [size for size, sets in enumerate(tried, 1) if sets <= limit]  # of which all sets can be tried
    total, done = sum(comb(len(ids), size) for size in sizes), 0
    for size in sizes:
        changing: list[tuple[float, tuple[str, ...], np.ndarray]] = []
        for some in batched(combinations(ids, size), _BATCH):
            p = removals.horizon(some)
            margin = _margin(p, lead)
            changing += [
                (float(margin[n]), some[n], p[n]) for n in np.flatnonzero(margin < 0) if allowed(some[n])
            ]
            done += len(some)
            if progress:
                progress(done / total)
        if changing:
            _, best, p_best = min(changing, key=lambda one: one[:2])
            return SmallestSet(best, True, size - 1, len(changing) - 1, (), p_best)
    rivals = [s for s in range(len(question.scenarios)) if s != lead]
    ends = [_greedy(question, removals, lead, rival) for rival in rivals]
    p_ends = removals.horizon(ends)
    margins, searched = _margin(p_ends, lead), max(sizes, default=0)
    reached = [n for n, one in enumerate(ends) if margins[n] < 0 and allowed(one)]
    if reached:
        n = min(reached, key=lambda n: len(ends[n]))
        return SmallestSet(ends[n], len(ends[n]) == searched + 1, searched, 0, (), p_ends[n])
    n = min(range(len(ends)), key=lambda n: (float(margins[n]), len(ends[n])))
    return SmallestSet((), searched == len(ids), searched, 0, ends[n], p_ends[n])


def _margin(p: np.ndarray, lead: int) -> np.ndarray:
    """Return by how much a scenario leads the best of the others; negative where it does not."""
    return np.asarray(p[..., lead] - np.delete(p, lead, axis=-1).max(axis=-1))


def _greedy(question: Question, removals: Removals, lead: int, rival: int) -> tuple[str, ...]:
    """Delete reports greedily in favour of a rival until the leader changes or no deletion helps."""
    cells: dict[tuple[str, int], set[str]] = {}
    for r in removals.reports:
        cells.setdefault((r.indicator, question.period(r.date)), set()).add(r.id)
    steps = [frozenset([r.id]) for r in removals.reports]
    steps += [frozenset(cell) for cell in cells.values() if len(cell) > 1]  # at a time
    removed: Removed = frozenset()

    def odds(p: np.ndarray) -> np.ndarray:
        return np.asarray(np.log(np.maximum(p[..., rival], TINY)) - np.log(np.maximum(p[..., lead], TINY)))

    p = removals.horizon([()])[0]
    while _margin(p, lead) >= 0:
        bigger = list(dict.fromkeys(removed | step for step in steps if not step <= removed))
        tried = removals.horizon(bigger)
        gain = (odds(tried) - odds(p)) / [len(b) - len(removed) for b in bigger]
        gain = np.where(np.isfinite(gain), gain, -np.inf)  # what is left may be evidence that nothing allows
        if not len(gain) or gain.max() <= _ROUNDING:
            break
        best = int(gain.argmax())
        removed, p = bigger[best], tried[best]
    margin = float(_margin(p, lead))
    for one in [r.id for r in removals.reports if r.id in removed]:
        without = float(_margin(removals.horizon([removed - {one}])[0], lead))
        if without < 0 if margin < 0 else without <= margin:
            removed -= {one}
    return tuple(r.id for r in removals.reports if r.id in removed)
