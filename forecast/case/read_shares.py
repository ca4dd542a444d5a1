"""Numbers that belong together: probabilities that sum to 1, and the two ends of an interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from forecast.case import fields
from forecast.case.faults import Faults, listed
from forecast.case.read_yaml import Node

#: How far from 1 the sum of written probabilities may be: they are then made to sum to 1.
SUM_TOLERANCE = 1e-6


def read_shares(
    node: Node, where: str, faults: Faults, values: Sequence[str], *, of: str = "value"
) -> tuple[float, ...] | None:
    """Return a list of probabilities, one for each of `values`, that sum to 1."""
    entries = fields.items(node, where, faults)
    if entries is None:
        return None
    if len(entries) != len(values):
        problem = f"{where} has {len(entries)} numbers for {len(values)} {of}s"
        allowed = f"one for each {of}, in this order: {listed(values)}"
        faults.add(node.line, node.shown, problem, allowed=allowed)
        return None
    read = [
        fields.number(entry, f"{where} ({value})", faults, fields.PROBABILITY)
        for entry, value in zip(entries, values, strict=True)
    ]
    found = tuple(x for x in read if x is not None)
    if len(found) < len(values) or not sums_to_one(found, node.line, node.shown, where, faults):
        return None
    return found


def sums_to_one(found: Sequence[float], line: int, shown: str, where: str, faults: Faults) -> bool:
    """Return whether probabilities sum to 1, and note a fault if they do not."""
    total = math.fsum(found)
    if abs(total - 1.0) <= SUM_TOLERANCE:
        return True
    problem = f"{where}: the probabilities sum to {total:.6g}, not to 1"
    faults.add(line, shown, problem, fix="change them until they do")
    return False


def read_interval(
    block: fields.Block, allowed: fields.Range, fit: Callable[[float, float], object]
) -> tuple[float, float] | None:
    """Return the ends `low` and `high` of a block, for which `fit` finds an answer."""
    fix = "an interval needs both low and high"
    low, high = block.need_number("low", allowed, fix=fix), block.need_number("high", allowed, fix=fix)
    if low is None or high is None:
        return None
    if low >= high:
        fix = "write the smaller number as low"
        block.faults.add(block.line, block.node.shown, f"{block.where}: low is not below high", fix=fix)
        return None
    try:
        fit(low, high)
    except ValueError:
        problem = f"{block.where}: the interval is too narrow or too wide to compute with"
        fix = "write a single best estimate, with a weight"
        block.faults.add(block.line, block.node.shown, problem, fix=fix)
        return None
    return low, high
