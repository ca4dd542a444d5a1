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
from dataclasses import dataclass
from itertools import accumulate, batched, combinations, product
from math import comb

import numpy as np

from forecast.analysis.plug_in import PlugInModel, step_to_horizon
from forecast.analysis.readings import one_by_one
from forecast.case.evidence import Evidence, Report
from forecast.case.question import Question
from forecast.model.cell_sequence import CellSequence
from forecast.model.cells import CellContent, flatten
from forecast.model.hmm import filter_particles
from forecast.model.parameters import TINY
from forecast.model.report_log import ReportLog

Component = int  # the indicator on which the others are given
Removed = frozenset[str]

#: So many sets are tried, all sizes together.
LIMIT = 150_000

_BATCH = 4096
_ROUNDING = 1e-9  # of log odds


class Removals:
    """The forecasts of one unit without any set of its reports."""

    def __init__(self, model: PlugInModel, evidence: Evidence, unit: int) -> None:
        question = model.layout.question
        self._question, self._model, self._unit = question, model, unit
        self.reports = tuple(r for r in evidence.known(model.as_of) if r.unit == question.unit_names[unit])
        self._known = tuple(r for r in evidence.known(model.as_of))
        place = {indicator.id: i for i, indicator in enumerate(question.indicators)}
        top = [place[i.given or i.id] for i in question.indicators]
        group = {id: one.id for one in question.groups for id in one.indicators}
        self._tops = sorted(set(top))
        self._blocks: dict[str, list[int]] = {}  # columns of the components that share a group
        for column, i in enumerate(self._tops):
            name = question.indicators[i].id
            self._blocks.setdefault(group.get(name, name), []).append(column)
        touched = _touched(question, evidence.until(model.as_of), top, unit)
        self._rows = {
            block: frozenset(id for id, tops in touched.items() if tops & {self._tops[c] for c in columns})
            for block, columns in self._blocks.items()
        }
        self._opened = self._opens(frozenset())
        self._kinds: dict[tuple[CellContent, float], int] = {}
        self._pieces: dict[tuple[str, Removed, int | None], np.ndarray] = {}
        self._base = np.empty((question.period(model.as_of) + 1, len(self._tops)), np.int64)
        for block, columns in self._blocks.items():
            self._base[:, columns] = self._piece(block, frozenset(), self._opened)

    def horizon(self, sets: Sequence[Iterable[str]]) -> np.ndarray:
        """Return the probabilities at the horizon, (N, K), without each set of reports (by id)."""
        if not len(sets):
            return np.empty((0, self._model.layout.scenarios))
        rows = np.repeat(self._base[None], len(sets), axis=0)
        for n, removed in enumerate(map(frozenset, sets)):
            opened = self._opens(removed)
            for block, columns in self._blocks.items():
                mine = self._rows[block] & removed
                if mine or opened != self._opened:
                    rows[n][:, columns] = self._piece(block, mine, opened)
        layout, periods = self._model.layout, len(self._base)
        kind, start = one_by_one(
            rows.reshape(len(sets), -1), np.repeat(np.arange(periods), len(self._tops)), periods
        )
        number, power = np.arange(len(self._kinds)), np.array([power for _, power in self._kinds], float)
        cells, theta = flatten([content for content, _ in self._kinds]), self._model.theta[None]
        filtered = filter_particles(theta, CellSequence(kind, start, number, power), cells, layout.arrays)
        now = filtered.alpha[:, :, -1]
        return step_to_horizon(layout, self._model.as_of, theta, filtered.matrix, now)[0]

    def _opens(self, removed: Removed) -> int | None:
        """Return the period in which the first report that is left became known."""
        first = min((r.reported for r in self._known if r.id not in removed), default=None)
        return None if first is None else self._question.period(max(first, self._question.opened))

    def _piece(self, block: str, removed: Removed, opened: int | None) -> np.ndarray:
        """Return the kinds of a block's cells without some reports, by period and component, -1 for none."""
        key = block, removed, opened
        if key not in self._pieces:
            tops = [self._tops[column] for column in self._blocks[block]]
            index = self._model.index.without(removed, opened=opened)
            contents, powers = index.contents(), index.exponents()
            piece = np.full((len(self._base), len(tops)), -1, np.int64)
            for t, (column, i) in product(range(len(self._base)), enumerate(tops)):
                power = powers.get((self._unit, t, i), 0.0)
                if power > 0:
                    kind = contents[self._unit, t, i], power
                    piece[t, column] = self._kinds.setdefault(kind, len(self._kinds))
            self._pieces[key] = piece
        return self._pieces[key]


def _touched(question: Question, known: Evidence, top: Sequence[int], unit: int) -> dict[str, set[Component]]:
    """Return, for each row, the components of a unit touched by its chain of corrections.

    A chain is a report with what it corrects and what corrects it: without one of them another may stand.
    """
    log, by_id = ReportLog(question, known), {r.id: r for r in known.reports}

    def first(report: Report) -> str:
        while report.replaces in by_id:
            report = by_id[report.replaces]
        return report.id

    chains: dict[str, set[Component]] = {}
    for report in known.reports:
        chain = chains.setdefault(first(report), set())
        if report.indicator and report.value is not None:
            where, _, i = log.key(report)
            if where == unit:
                chain.add(top[i])
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
