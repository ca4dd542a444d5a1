"""The block `dynamics`: how the truth may move from scenario to scenario over time."""

from __future__ import annotations

from collections.abc import Sequence

from forecast.case import elicit, fields
from forecast.case.faults import Faults, listed
from forecast.case.judgement import Positive, Proportions
from forecast.case.question import Moves, Transition
from forecast.case.read_judgement import Defaults
from forecast.case.read_shares import read_interval, read_shares, sums_to_one
from forecast.case.read_yaml import Node

_LASTS = fields.Range(0, low_open=True, infinite=True)


def read_dynamics(
    node: Node | None, faults: Faults, scenarios: Sequence[str], defaults: Defaults
) -> Moves | Transition | None:
    """Return how the truth moves; None if the question is static or the block at fault."""
    if node is None:
        return None
    example = "{moves: {...}}"
    keys = ("moves", "transition", "weight", "learn")
    block = fields.Block(node, "dynamics", faults, keys=keys, example=example)
    inside = defaults.within(block)
    moves, transition = block.get("moves"), block.get("transition")
    if block.ok and (moves is None) == (transition is None):
        which = "has both moves and transition" if moves else "has neither moves nor transition"
        fix = "keep one of them" if moves else "write one of them; a static question has no `dynamics`"
        faults.add(block.line, None, f"dynamics {which}", allowed="exactly one of the two", fix=fix)
        return None
    if moves is not None:
        return _read_moves(moves, faults, scenarios, inside)
    return None if transition is None else _read_transition(transition, faults, scenarios, inside)


def _rows(node: Node, where: str, faults: Faults, scenarios: Sequence[str]) -> dict[str, Node]:
    """Return the row of each scenario, noting those that are missing."""
    block = fields.Block(node, where, faults, keys=scenarios, example=f"{{{scenarios[0]}: ..., ...}}")
    missing = [id for id in scenarios if id not in block]
    if block.ok and missing:
        problem = f"{where} has no row for {listed(missing)}"
        faults.add(node.line, None, problem, fix="write a row for every scenario")
    return {id: row for id in scenarios if (row := block.get(id)) is not None}


def _read_moves(node: Node, faults: Faults, scenarios: Sequence[str], defaults: Defaults) -> Moves | None:
    leave: list[Positive] = []
    then: list[Proportions | None] = []
    for id, row in _rows(node, "dynamics.moves", faults, scenarios).items():
        where = f"dynamics.moves.{id}"
        block = fields.Block(row, where, faults, keys=("lasts", "then", "weight", "learn"))
        inside = defaults.within(block)
        lasts = block.need("lasts", fix="write the mean stay in periods; .inf if it is never left")
        rate = None if lasts is None else _read_lasts(lasts, f"{where}.lasts", faults, inside)
        if rate is None:
            continue
        where_to = _read_then(block, id, scenarios, inside, needed=rate.mean > 0)
        if rate.mean == 0 or where_to is not None:
            leave.append(rate)
            then.append(where_to if rate.mean > 0 else None)
    return Moves(tuple(leave), tuple(then)) if len(leave) == len(scenarios) else None


def _read_lasts(node: Node, where: str, faults: Faults, defaults: Defaults) -> Positive | None:
    """Return the leaving rate: from a mean stay, or a 90 % interval for the mean stay."""
    if not isinstance(node.value, dict):
        lasts = fields.number(node, where, faults, _LASTS)
        return None if lasts is None else elicit.stay(lasts, defaults.weight, learn=defaults.learn)
    block = fields.Block(node, where, faults, keys=("low", "high", "learn"))
    ends = read_interval(block, fields.POSITIVE, elicit.stay_interval)
    learn = block.flag("learn", defaults.learn)
    return None if ends is None else elicit.stay_interval(*ends, learn=learn)


def _read_then(
    block: fields.Block, own: str, scenarios: Sequence[str], defaults: Defaults, *, needed: bool
) -> Proportions | None:
    """Return where a scenario moves to; with two scenarios there is no choice, and it may be left out."""
    node, others = block.get("then"), [id for id in scenarios if id != own]
    if node is None:
        if needed and len(others) == 1:
            return Proportions(tuple(float(id != own) for id in scenarios), defaults.weight, defaults.learn)
        if needed:
            block.need("then", fix=f"write where it moves to, e.g. {{{others[0]}: 1}}")
        return None
    where, faults = block.name("then"), block.faults
    inner = fields.Block(node, where, faults, keys=others, example=f"{{{others[0]}: 1}}")
    if not inner.ok:
        return None
    if not set(inner.entries) <= set(others):
        return None
    read = [inner.optional_number(id, fields.PROBABILITY) if id in inner else 0.0 for id in scenarios]
    known = [p for p in read if p is not None]
    if len(known) < len(read) or not sums_to_one(known, node.line, node.shown, where, faults):
        return None
    return elicit.plain(known, defaults.weight, floor=False, learn=defaults.learn)


def _read_transition(
    node: Node, faults: Faults, scenarios: Sequence[str], defaults: Defaults
) -> Transition | None:
    """Return the rows of the per-period matrix, each a list in the order of the scenarios."""
    found = []
    for id, row in _rows(node, "dynamics.transition", faults, scenarios).items():
        where, inside, entries = f"dynamics.transition.{id}", defaults, row
        if isinstance(row.value, dict):
            block = fields.Block(row, where, faults, keys=("p", "weight", "learn"), example="{p: [...]}")
            inside = defaults.within(block)
            listed_row = block.need("p", fix="write the row as a list of probabilities")
            if listed_row is None:
                continue
            entries = listed_row
        shares = read_shares(entries, where, faults, scenarios, of="scenario")
        if shares is not None:
            found.append(elicit.plain(shares, inside.weight, floor=False, learn=inside.learn))
    return Transition(tuple(found)) if len(found) == len(scenarios) else None
