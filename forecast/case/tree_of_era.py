"""A question's tree cut down to the scenarios of one era, as the analyst would have written it then.

The reader then reads it as any other file. So the question of an era is what a file without the other
scenarios says, to the last bit: what needs no translation is left as it is written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from forecast.case.faults import Faults
from forecast.case.mass import Turn, row_in_era
from forecast.case.read_lives import KEYS
from forecast.case.read_yaml import Node

_LASTS_ENDS = ("low", "high")


@dataclass(frozen=True, slots=True)
class InEra:
    """The number of the era, its scenarios, the days of change, and the prior of every era."""

    era: int
    every: tuple[str, ...]
    alive: tuple[str, ...]
    turns: Sequence[Turn]
    priors: Sequence[Mapping[str, float]]

    def row(self, written: Mapping[str, float], own: str) -> dict[str, float]:
        """Return a row of moves for the scenarios of the era."""
        return row_in_era(written, own, self.era, self.turns, self.priors)

    @property
    def when(self) -> str:
        """The days of the era, in words."""
        return f"from {self.turns[self.era - 1].day} on" if self.era else f"before {self.turns[0].day}"


def tree_of_era(tree: Node, setting: InEra, faults: Faults) -> Node:
    """Return the tree of an era.

    Parameters
    ----------
    tree : Node
        That of the file, free of faults.
    setting : InEra
    faults : Faults
        Where it is noted that a row of moves names nothing that there is in the era.
    """
    top = dict(_entries(tree))
    top.pop("resolved", None)
    if setting.era:
        top.pop("prior", None)
    top["scenarios"] = _each(_cut(top["scenarios"], setting), lambda id, one: _scenario(id, one, setting))
    top["indicators"] = _each(
        top["indicators"], lambda _, one: _within(one, "likelihood", lambda rows: _cut(rows, setting))
    )
    if "dynamics" in top:
        top["dynamics"] = _within(top["dynamics"], "moves", lambda one: _rows(one, setting, _move, faults))
        top["dynamics"] = _within(
            top["dynamics"], "transition", lambda one: _rows(one, setting, _transition, faults)
        )
    return replace(tree, value=top)


def _entries(node: Node) -> Mapping[str, Node]:
    assert isinstance(node.value, Mapping)
    return node.value


def _each(node: Node, change: Callable[[str, Node], Node]) -> Node:
    return replace(node, value={id: change(id, one) for id, one in _entries(node).items()})


def _within(node: Node, key: str, change: Callable[[Node], Node]) -> Node:
    """Return a block with one of its entries changed, if it has it."""
    entries = _entries(node)
    return replace(node, value={**entries, key: change(entries[key])}) if key in entries else node


def _cut(node: Node, setting: InEra) -> Node:
    """Return a block without the entries of scenarios that are not there."""
    return replace(node, value={id: one for id, one in _entries(node).items() if id in setting.alive})


def _value(node: Node) -> float:
    assert isinstance(node.value, int | float)
    return float(node.value)


def _number(value: float, line: int) -> Node:
    return Node(value, line, repr(value))


def _scenario(id: str, node: Node, setting: InEra) -> Node:
    kept = {key: one for key, one in _entries(node).items() if key not in KEYS}
    if setting.era:
        kept["prior"] = _number(setting.priors[setting.era][id], node.line)
    return replace(node, value=kept)


def _rows(
    node: Node, setting: InEra, change: Callable[[str, Node, InEra, Faults], Node], faults: Faults
) -> Node:
    return _each(_cut(node, setting), lambda id, row: change(id, row, setting, faults))


def _move(own: str, node: Node, setting: InEra, faults: Faults) -> Node:
    """Return a row of `moves`. A move to what has become one's own scenario is none: the stay is longer."""
    entries = dict(_entries(node))
    if "then" not in entries:
        return node
    then = entries["then"]
    written = {id: _value(share) for id, share in _entries(then).items()}
    row = setting.row(written, own)
    if row == {id: share for id, share in written.items() if share > 0}:
        entries["then"] = _cut(then, setting)
        return replace(node, value=entries)
    total, to_own = math.fsum(row.values()), row.pop(own, 0.0)
    if not total:
        _nothing_left(f"dynamics.moves.{own}.then", then, faults)
        return node
    if to_own:
        entries["lasts"] = _longer(entries["lasts"], total / (total - to_own) if row else math.inf)
        total -= to_own
    shares = {id: _number(share / total, then.line) for id, share in row.items()}
    entries["then"] = replace(then, value=shares, key_lines=dict.fromkeys(shares, then.line))
    if not row:
        del entries["then"]
    return replace(node, value=entries)


def _longer(node: Node, times: float) -> Node:
    if not isinstance(node.value, Mapping):
        return _number(_value(node) * times, node.line)
    if math.isinf(times):
        return _number(math.inf, node.line)
    ends = {key: _number(_value(node.value[key]) * times, node.line) for key in _LASTS_ENDS}
    return replace(node, value={**node.value, **ends})


def _transition(own: str, node: Node, setting: InEra, faults: Faults) -> Node:
    """Return a row of `transition`, which is a list or has one under `p`."""
    if isinstance(node.value, Mapping):
        return _within(node, "p", lambda row: _transition(own, row, setting, faults))
    assert not isinstance(node.value, str | int | float | None)
    entries = dict(zip(setting.every, node.value, strict=True))
    written = {id: share for id, one in entries.items() if (share := _value(one)) > 0}
    row = setting.row(written, own)
    if row == written:
        return replace(node, value=[entries[id] for id in setting.alive])
    total = math.fsum(row.values())
    if not total:
        _nothing_left(f"dynamics.transition.{own}", node, faults)
        return node
    return replace(node, value=[_number(row.get(id, 0.0) / total, node.line) for id in setting.alive])


def _nothing_left(where: str, node: Node, faults: Faults) -> None:
    problem = f"{where} names no scenario that there is"
    fix = "name one that was there then too, with a share"
    faults.add(node.line, node.shown, problem, fix=fix)
