"""From when to when each scenario is alive, and where its probability comes from and goes to.

A question whose scenarios never change has none of this. Else each scenario may say `since` (with `takes`,
unless others become it) and `until` with `becomes`.

A question's tree cut down to the scenarios of one era, as the analyst would have written it then.

The reader then reads it as any other file. So the question of an era is what a file without the other
scenarios says, to the last bit: what needs no translation is left as it is written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from forecast.case.errors import Faults, listed
from forecast.case.prior_transfer import Takes, Turn, row_in_era
from forecast.case.reader import fields
from forecast.case.reader.judgements import sums_to_one
from forecast.case.reader.yaml_source import Node

KEYS = ("since", "until", "becomes", "takes")
_SHARE = fields.Range(0, 1, low_open=True)
_PART = fields.Range(0, 1, low_open=True, high_open=True)


@dataclass(frozen=True, slots=True)
class Life:
    """When a scenario is there: from `since` (None: from the first day on) to the day before `until`."""

    id: str
    since: date | None = None
    until: date | None = None
    becomes: Mapping[str, float] = field(default_factory=dict)
    takes: Takes | None = None
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)

    @property
    def changes(self) -> bool:
        """Whether it is not there from the first day to the last."""
        return self.since is not None or self.until is not None

    def alive(self, day: date) -> bool:
        """Tell whether it is one of the scenarios on a day."""
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)


def read_life(
    block: fields.Block, id: str, names: Sequence[str], opened: date | None, horizon: date | None
) -> Life | None:
    """Return when a scenario is there, as its block says; None where that is at fault."""
    if not any(key in block for key in KEYS):
        return Life(id)
    before = len(block.faults.found)
    since, until = (_read_day(block, key, opened, horizon) for key in ("since", "until"))
    if since and until and until <= since:
        node, problem = block.entries["until"], f"{block.name('until')} is not after since ({since})"
        block.faults.add(node.line, node.shown, problem, fix="correct one of the two")
    fix = "write the first day on which it is gone"
    if "becomes" in block and block.need("until", fix=fix) is None:
        return None
    fix = "write what becomes of its probability, e.g. {other: 1}, with shares that sum to 1"
    if "until" in block and block.need("becomes", fix=fix) is None:
        return None
    fix = "write the first day on which it is there"
    if "takes" in block and block.need("since", fix=fix) is None:
        return None
    if "since" in block and "prior" in block:
        node, problem = block.entries["prior"], f"{block.name('prior')}: a scenario with `since` has none"
        fix = "remove it: its probability comes by `takes`, or by what becomes it"
        block.faults.add(node.line, node.shown, problem, fix=fix)
    becomes = _read_becomes(block, id, names) if "becomes" in block else {}
    takes = _read_takes(block, id, names) if "takes" in block else None
    if len(block.faults.found) > before:
        return None
    lines = {key: node.line for key, node in block.entries.items()}
    return Life(id, since, until, becomes, takes, lines)


def _read_day(block: fields.Block, key: str, opened: date | None, horizon: date | None) -> date | None:
    day = block.day(key)
    if day is not None and opened and horizon and not opened < day <= horizon:
        node, problem = block.entries[key], f"{block.name(key)} lies outside the question"
        allowed = f"a day after {opened} (opened), up to {horizon} (horizon)"
        fix = "correct it; one that is there from the first day to the last says neither since nor until"
        block.faults.add(node.line, node.shown, problem, allowed=allowed, fix=fix)
    return day


def _others(block: fields.Block, key: str, id: str, names: Sequence[str]) -> fields.Block:
    others = [name for name in names if name != id]
    example = f"{{{others[0] if others else 'other'}: 1}}"
    return fields.Block(block.entries[key], block.name(key), block.faults, keys=others, example=example)


def _read_becomes(block: fields.Block, id: str, names: Sequence[str]) -> dict[str, float]:
    inner = _others(block, "becomes", id, names)
    shares = {name: inner.optional_number(name, _SHARE) for name in inner.entries if name in names}
    found = {name: share for name, share in shares.items() if share is not None}
    if inner.ok and len(found) == len(inner.entries):
        sums_to_one(list(found.values()), inner.line, inner.node.shown, inner.where, block.faults)
    total = math.fsum(found.values())
    return {name: share / total for name, share in found.items()}


def _read_takes(block: fields.Block, id: str, names: Sequence[str]) -> Takes | None:
    node = block.entries["takes"]
    if not isinstance(node.value, Mapping):
        return fields.number(node, block.name("takes"), block.faults, _PART)
    inner = _others(block, "takes", id, names)
    if not inner.entries:
        block.faults.add(node.line, node.shown, f"{inner.where} names nothing", fix="write, e.g., 0.05")
    parts = {name: inner.optional_number(name, _PART) for name in inner.entries if name in names}
    return {name: part for name, part in parts.items() if part is not None}


def turns(lives: Sequence[Life], opened: date) -> tuple[Turn, ...]:
    """Return the days on which scenarios change, in order."""
    days = sorted({day for life in lives for day in (life.since, life.until) if day is not None})
    alive = [tuple(life.id for life in lives if life.alive(day)) for day in (opened, *days)]
    return tuple(
        Turn(
            day,
            alive[n],
            alive[n + 1],
            {life.id: life.becomes for life in lives if life.until == day},
            {life.id: life.takes for life in lives if life.since == day and life.takes is not None},
        )
        for n, day in enumerate(days)
    )


def check_lives(lives: Sequence[Life], opened: date, line: int, faults: Faults) -> None:
    """Note what does not fit between scenarios: mass from nowhere, to nowhere, or more than there is."""
    for turn in turns(lives, opened):
        for life in lives:
            if life.until == turn.day:
                _check_becomes(life, turn, faults)
            if life.since == turn.day:
                _check_mass(life, turn, faults)
                _check_takes(life, turn, faults)
        _check_all_taken(turn, lives, faults)
        if len(turn.after) < 2:
            problem = f"from {turn.day} on there are fewer than two scenarios"
            fix = "let fewer of them end, or add one that begins on that day"
            faults.add(line, listed(turn.after), problem, fix=fix)
    first = [life.id for life in lives if life.alive(opened)]
    if len(first) < 2:
        problem = f"on {opened}, when the question opens, there are fewer than two scenarios"
        faults.add(line, listed(first), problem, fix="let at least two be without `since`")


def _check_becomes(life: Life, turn: Turn, faults: Faults) -> None:
    gone = [name for name in life.becomes if name not in turn.after]
    if gone:
        problem = f"scenarios.{life.id}.becomes: not there on {turn.day}, the day of the change"
        allowed = f"scenarios of that day: {listed(turn.after)}"
        faults.add(life.lines["becomes"], listed(gone), problem, allowed=allowed)


def _check_mass(life: Life, turn: Turn, faults: Faults) -> None:
    if life.takes is None and not any(life.id in shares for shares in turn.becomes.values()):
        problem = f"scenarios.{life.id} has no probability: nothing becomes it on {turn.day}"
        fix = "write `takes: 0.05` (of every other), or name it in `becomes` of one with this day as `until`"
        faults.add(life.lines["since"], str(turn.day), problem, fix=fix)


def _check_takes(life: Life, turn: Turn, faults: Faults) -> None:
    givers = [name for name in turn.after if name not in turn.takes]
    if life.takes is None:
        return
    where, named = f"scenarios.{life.id}.takes", life.takes if isinstance(life.takes, Mapping) else {}
    wrong = [name for name in named if name not in givers]
    if wrong or not givers:
        problem = f"{where}: nothing to take on {turn.day}"
        allowed = f"scenarios of that day that do not take themselves: {listed(givers)}"
        faults.add(life.lines["takes"], listed(wrong) if wrong else life.id, problem, allowed=allowed)


def _check_all_taken(turn: Turn, lives: Sequence[Life], faults: Faults) -> None:
    for source in turn.after:
        by = {name: turn.taken(source, name) for name in turn.takes}
        if math.fsum(by.values()) >= 1.0:
            life = next(life for life in lives if life.id in by and by[life.id] > 0)
            shown = " + ".join(f"{part:g} ({name})" for name, part in by.items() if part > 0)
            problem = f"on {turn.day} all of {source}, or more, is taken"
            fix = "take less; a scenario that ends says `until` and `becomes`"
            faults.add(life.lines["takes"], shown, problem, allowed="less than 1 in all", fix=fix)


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
