"""Transfer of probability between scenarios on the day that the set of scenarios changes.

On the day of a change, first each scenario that ends passes its probability to others, in given shares
(`becomes`); then each added scenario takes a share (`takes`) of every other scenario that is alive.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

#: The share that an added scenario takes of every other; or by scenario, of those that are named.
ShareTaken = float | Mapping[str, float]
#: From scenario to share, or to its prior.
Shares = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ScenarioChange:
    """A day on which scenarios change.

    ``before`` and ``after`` are the scenarios alive, in the order of the file; ``becomes`` has the shares of
    each that ends, ``takes`` what each added one takes.
    """

    day: date
    before: tuple[str, ...]
    after: tuple[str, ...]
    becomes: Mapping[str, Mapping[str, float]]
    takes: Mapping[str, ShareTaken]

    def share_taken(self, source: str, by: str) -> float:
        """Return the share of one scenario that another takes."""
        takes = self.takes[by]
        if source in self.takes:
            return 0.0
        return takes.get(source, 0.0) if isinstance(takes, Mapping) else takes


def transfer_forward(
    row: Shares, change: ScenarioChange, *, keep: Collection[str] = (), named: Collection[str] = ()
) -> dict[str, float]:
    """Map shares over the scenarios before a change to shares after it; the sum is kept."""
    passed: dict[str, float] = defaultdict(float)
    for source, share in row.items():
        for target, part in change.becomes.get(source, {source: 1.0}).items():
            passed[target] += share * part
    after: dict[str, float] = defaultdict(float)
    for source, share in passed.items():
        takers = [] if source in keep else [by for by in change.takes if by not in named]
        parts = {by: change.share_taken(source, by) for by in takers}
        after[source] += share * (1.0 - math.fsum(parts.values()))
        for by, part in parts.items():
            if part > 0:
                after[by] += share * part
    return dict(after)


def transfer_back(row: Shares, change: ScenarioChange, prior: Shares) -> dict[str, float]:
    """Return the shares of scenarios before a change, from those after it.

    A scenario that others became gives its share back to them, in proportion to the prior mass that it had
    from each; the share of one that only took from others is dropped.
    """
    before: dict[str, float] = defaultdict(float)
    for target, share in row.items():
        parents = {target: 1.0}
        if target not in change.before:
            became = {s: shares[target] for s, shares in change.becomes.items() if target in shares}
            parents = {s: prior[s] * part for s, part in became.items()}
        total = math.fsum(parents.values())
        for source, mass in parents.items():
            part = mass / total if total > 0 else 1.0 / len(parents)
            before[source] += share * part
    return dict(before)


def transfer_matrix(change: ScenarioChange) -> tuple[tuple[float, ...], ...]:
    """Return the share of each scenario before (rows) that goes to each one after (columns)."""
    rows = [transfer_forward({source: 1.0}, change) for source in change.before]
    return tuple(tuple(row.get(target, 0.0) for target in change.after) for row in rows)


def row_in_era(
    row: Shares, own: str, era: int, changes: Sequence[ScenarioChange], priors: Sequence[Shares]
) -> dict[str, float]:
    """Return a row of moves for the scenarios of one era, from the row written over all there ever are.

    What is written for a scenario that has ended goes to what it became; for one that is not there yet, back
    to what it came from. Of what is written for a scenario an added one takes its part, unless the row names
    the added one itself, or its own scenario is younger: then it was written with that one in view. Staying,
    what a row of `transition` says of its `own` scenario, is not taken from.
    """
    alive = [changes[0].before, *(change.after for change in changes)]
    first = {id: next(n for n, now in enumerate(alive) if id in now) for id in {*row, own}}
    last = {id: max(n for n, now in enumerate(alive) if id in now) for id in row}
    birth, kept = first[own], {id: share for id, share in row.items() if share > 0}
    joins = {id: max(first[id], min(birth, last[id])) for id in kept if first[id] <= era}
    shares: dict[str, float] = {}
    for n in range(era + 1):
        if n:
            named = row if n - 1 >= birth else changes[n - 1].takes
            shares = transfer_forward(shares, changes[n - 1], keep=(own,), named=named)
        for id, at in joins.items():
            if at == n:
                shares[id] = shares.get(id, 0.0) + kept[id]
    later: dict[str, float] = {}
    for n in range(len(changes), era, -1):
        for id in (id for id in kept if first[id] == n):
            later[id] = later.get(id, 0.0) + kept[id]
        later = transfer_back(later, changes[n - 1], priors[n - 1])
    for id, share in later.items():
        shares[id] = shares.get(id, 0.0) + share
    return shares
