"""The block `groups`: indicators that tend to move together, which must not count as if they did not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forecast.case import fields
from forecast.case.faults import Faults, listed, meant
from forecast.case.question import Group, Indicator
from forecast.case.read_yaml import Node


def read_groups(
    node: Node | None, faults: Faults, stated: Mapping[str, object], indicators: Sequence[Indicator]
) -> tuple[Group, ...]:
    """Return the groups; an indicator belongs to one at most, and never one that depends on another."""
    if node is None:
        return ()
    example = "{battlefield: {indicators: [clashes, joint_attack], correlation: 0.4}}"
    entries = fields.mapping(node, "groups", faults, example=example) or {}
    children = {indicator.id: indicator.given for indicator in indicators if indicator.given is not None}
    taken: dict[str, str] = {}
    found = []
    for id, entry in entries.items():
        where = f"groups.{id}"
        block = fields.Block(entry, where, faults, keys=("indicators", "correlation"))
        members_node = block.need("indicators", fix="list the indicators that move together")
        if members_node is None or block.need("correlation", fix="write a number from 0 to 1") is None:
            continue
        members = fields.names(members_node, block.name("indicators"), faults)
        for member in members or ():
            _check_member(member, id, members_node, block.name("indicators"), faults, stated, children, taken)
        if members is not None and len(members) < 2:
            problem = f"{block.name('indicators')}: a group has at least two indicators"
            faults.add(members_node.line, members_node.shown, problem, fix="add one, or remove the group")
        found.append(Group(id, members or (), block.number("correlation", 0.0, fields.PROBABILITY)))
    return tuple(found)


def _check_member(
    member: str,
    group: str,
    node: Node,
    where: str,
    faults: Faults,
    stated: Mapping[str, object],
    children: Mapping[str, str],
    taken: dict[str, str],
) -> None:
    if member not in stated:
        hint = meant(member, stated)
        faults.add(node.line, member, f"{where}: no such indicator", allowed=listed(stated), fix=hint)
    elif member in children:
        problem = f"{where}: {member} depends on {children[member]} and counts with it"
        faults.add(node.line, member, problem, fix=f"put {children[member]} into the group instead")
    elif member in taken:
        problem = f"{where}: {member} is already in the group {taken[member]}"
        faults.add(node.line, member, problem, fix="keep it in one group")
    taken.setdefault(member, group)
