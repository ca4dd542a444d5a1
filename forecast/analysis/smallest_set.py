"""The fewest reports without which another scenario would lead.

Every set of one report is tried, then every set of two, and so on, as long as the number of sets stays within
a limit: a set that is found so is the smallest. Beyond, reports are taken away one after the other, or a
cell at a time, whatever gains most for a rival's log odds against the leader per report, until the rival
leads; then each report that is not needed is put back. Such a set is an upper limit: a smaller one may
exist. All at the judgements' means; who leads is asked of the horizon.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import batched, combinations
from math import comb

import numpy as np

from forecast.analysis.removals import Removals
from forecast.case.question import Question

#: So many sets are tried, all sizes together.
LIMIT = 150_000

_BATCH = 4096
_TINY = 1e-300
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
    return np.asarray(np.log(np.maximum(p[..., rival], _TINY)) - np.log(np.maximum(p[..., lead], _TINY)))
