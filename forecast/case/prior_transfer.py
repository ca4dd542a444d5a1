"""How probability moves when scenarios change: pure functions on shares.

On the day of a change ended scenarios first become others, in their shares; then added scenarios take their
part, from every scenario alive on that day that does not itself take.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

#: A share of one scenario, or of every other.
Takes = float | Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Turn:
    """A day on which scenarios change.

    ``before`` and ``after`` are the scenarios alive, in the order of the file; ``becomes`` has the shares of
    each that ends, ``takes`` what each added one takes.
    """

    day: date
    before: tuple[str, ...]
    after: tuple[str, ...]
    becomes: Mapping[str, Mapping[str, float]]
    takes: Mapping[str, Takes]

    def taken(self, source: str, by: str) -> float:
        """Return the share of one scenario that another takes."""
        takes = self.takes[by]
        if source in self.takes:
            return 0.0
        return takes.get(source, 0.0) if isinstance(takes, Mapping) else takes


def push(
    row: Mapping[str, float], turn: Turn, *, keep: Collection[str] = (), named: Collection[str] = ()
) -> dict[str, float]:
    """Return where shares of scenarios go on a day of change; their sum stays what it was.

    Parameters
    ----------
    row : mapping
        Share of each scenario alive before.
    turn : Turn
    keep : collection of str
        Scenarios from which nothing is taken.
    named : collection of str
        Added scenarios that take nothing.

    Examples
    --------
    >>> day = date(2014, 12, 1)
    >>> push({"a": 0.8, "b": 0.2}, Turn(day, ("a", "b"), ("a", "c", "d"), {"b": {"c": 0.5, "d": 0.5}}, {}))
    {'a': 0.8, 'c': 0.1, 'd': 0.1}
    """
    moved: dict[str, float] = {}
    for source, share in row.items():
        for target, part in turn.becomes.get(source, {source: 1.0}).items():
            moved[target] = moved.get(target, 0.0) + share * part
    found: dict[str, float] = {}
    for source, share in moved.items():
        parts = {by: turn.taken(source, by) for by in turn.takes if by not in named and source not in keep}
        found[source] = found.get(source, 0.0) + share * (1.0 - math.fsum(parts.values()))
        for by, part in parts.items():
            if part > 0:
                found[by] = found.get(by, 0.0) + share * part
    return found


def pull(row: Mapping[str, float], turn: Turn, prior: Mapping[str, float]) -> dict[str, float]:
    """Return where shares of scenarios came from: back over a day of change.

    A scenario that others became gives its share back to them, in proportion to the prior mass that it had
    from each; one that only took from others came from nowhere, and its share is dropped.

    Parameters
    ----------
    row : mapping
        Share of each scenario alive after.
    turn : Turn
    prior : mapping
        Prior probability of each scenario alive before.

    Examples
    --------
    >>> turn = Turn(date(2014, 12, 1), ("a", "b"), ("a", "c", "d"), {"b": {"c": 0.5, "d": 0.5}}, {})
    >>> pull({"c": 0.3}, turn, {"a": 0.8, "b": 0.2})
    {'b': 0.3}
    """
    found: dict[str, float] = {}
    for target, share in row.items():
        parents = {target: 1.0}
        if target not in turn.before:
            parents = {s: prior[s] * shares[target] for s, shares in turn.becomes.items() if target in shares}
        total = math.fsum(parents.values())
        for source, mass in parents.items():
            part = mass / total if total > 0 else 1.0 / len(parents)
            found[source] = found.get(source, 0.0) + share * part
    return found


def mass_map(turn: Turn) -> tuple[tuple[float, ...], ...]:
    """Return the share of each scenario before (rows) that goes to each one after (columns)."""
    rows = [push({source: 1.0}, turn) for source in turn.before]
    return tuple(tuple(row.get(target, 0.0) for target in turn.after) for row in rows)


def row_in_era(
    row: Mapping[str, float],
    own: str,
    era: int,
    turns: Sequence[Turn],
    priors: Sequence[Mapping[str, float]],
) -> dict[str, float]:
    """Return a row of moves, as written over all scenarios there ever are, for the scenarios of one era.

    What is written for a scenario that has ended goes to what it became; for one that is not there yet, back
    to what it came from. Of what is written for a scenario an added one takes its part, unless the row names
    the added one itself, or its own scenario is younger: then it was written with that one in view. Staying,
    what a row of `transition` says of its `own` scenario, is not taken from.

    Parameters
    ----------
    row : mapping
        From scenario to share, as written.
    own : str
        The scenario that is left.
    era : int
        The number of the era, 0 before the first turn. `own` is alive in it.
    turns : sequence of Turn
    priors : sequence of mapping
        The prior of each era.

    Returns
    -------
    dict
        Shares of scenarios alive in the era. Their sum is less than that of `row` by what was dropped.
    """
    alive = [turns[0].before, *(turn.after for turn in turns)]
    first = {id: next(n for n, now in enumerate(alive) if id in now) for id in {*row, own}}
    last = {id: max(n for n, now in enumerate(alive) if id in now) for id in row}
    birth, kept = first[own], {id: share for id, share in row.items() if share > 0}
    joins = {id: max(first[id], min(birth, last[id])) for id in kept if first[id] <= era}
    found: dict[str, float] = {}
    for n in range(era + 1):
        if n:
            named = row if n - 1 >= birth else turns[n - 1].takes
            found = push(found, turns[n - 1], keep=(own,), named=named)
        for id, at in joins.items():
            if at == n:
                found[id] = found.get(id, 0.0) + kept[id]
    later: dict[str, float] = {}
    for n in range(len(turns), era, -1):
        for id in (id for id in kept if first[id] == n):
            later[id] = later.get(id, 0.0) + kept[id]
        later = pull(later, turns[n - 1], priors[n - 1])
    for id, share in later.items():
        found[id] = found.get(id, 0.0) + share
    return found
