"""Where to put labels so that none lies over another."""

from __future__ import annotations

from collections.abc import Sequence


def spread(
    wanted: Sequence[float], heights: Sequence[float], *, low: float = 0.0, high: float = 1.0
) -> list[float]:
    """Return places for labels: in the order wanted, apart by their heights, and as near as may be.

    Labels that would touch are merged into a block that is centred on the mean of the places its members
    wanted, until no two blocks touch (the pool-adjacent-violators idea). A block that would stick out of the
    range is pushed inside; if all of them are higher than the range, they stick out at the top.

    Parameters
    ----------
    wanted : sequence of float
        The middle that each label would like to have.
    heights : sequence of float
        The height of each label, in the same unit.
    low, high : float
        The range to stay in.

    Returns
    -------
    list of float
        The middle of each label, in the order given.

    Examples
    --------
    >>> [round(place, 3) for place in spread([0.5, 0.5, 0.9], [0.1, 0.1, 0.1])]
    [0.45, 0.55, 0.9]
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    blocks: list[list[int]] = []
    for label in order:
        blocks.append([label])
        while len(blocks) > 1 and _bottom(blocks[-1], wanted, heights, low, high) < _top(
            blocks[-2], wanted, heights, low, high
        ):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    places = [0.0] * len(wanted)
    for block in blocks:
        edge = _bottom(block, wanted, heights, low, high)
        for label in block:
            places[label] = edge + heights[label] / 2
            edge += heights[label]
    return places


def _bottom(
    block: Sequence[int], wanted: Sequence[float], heights: Sequence[float], low: float, high: float
) -> float:
    size = sum(heights[label] for label in block)
    offset, total = 0.0, 0.0
    for label in block:  # where the block's bottom would be if this label alone had its way
        total += wanted[label] - offset - heights[label] / 2
        offset += heights[label]
    return max(low, min(total / len(block), high - size))


def _top(
    block: Sequence[int], wanted: Sequence[float], heights: Sequence[float], low: float, high: float
) -> float:
    return _bottom(block, wanted, heights, low, high) + sum(heights[label] for label in block)
