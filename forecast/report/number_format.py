"""How numbers are written for a reader: percentages, bands, points, decibans and a line of blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"


def percent(probability: float) -> str:
    """Write a probability; what is neither impossible nor certain never reads 0 % or 100 %.

    >>> percent(0.624), percent(0.004), percent(0.999), percent(0.0)
    ('62%', '<1%', '>99%', '0%')
    """
    if 0 < probability < 0.01:
        return "<1%"
    if 0.99 < probability < 1:
        return ">99%"
    return f"{probability:.0%}"


def band(low: float, high: float) -> str:
    """Write the central 90 % of a probability.

    >>> band(0.481, 0.752), band(0.001, 0.02), band(0.999, 1.0)
    ('48–75%', '<1–2%', '>99%')
    """
    lower, upper = percent(low), percent(high)
    if upper == "<1%" or lower == ">99%":  # "0–<1%" reads worse than it is
        return upper if upper == "<1%" else lower
    return upper if lower == upper else f"{lower.removesuffix('%')}–{upper}"


def points(change: float | None) -> str:
    """Write a change of probability in percentage points; None is a first forecast.

    >>> points(0.034), points(-0.021), points(0.001), points(None)
    ('+3', '−2', '0', '')
    """
    if change is None:
        return ""
    size = _size(100 * change, digits=0)
    return size if size == "0" else ("+" if change > 0 else "−") + size


def tenths(change: float) -> str:
    """Write a part of a change in percentage points to a tenth, so that parts can be added up.

    >>> tenths(0.0344), tenths(-0.0211), tenths(0.0004), tenths(math.nan)
    ('+3.4', '−2.1', '0', '?')
    """
    size = _size(100 * change, digits=1)
    return size if size in ("0", "?") else ("+" if change > 0 else "−") + size


def direction(decibans: float) -> str:
    """Write a weight of evidence with the direction in which it pushes.

    >>> direction(3.04), direction(-0.31), direction(0.01), direction(-math.inf)
    ('▲ 3.0', '▼ 0.3', '0', '▼ ∞')
    """
    size = _size(decibans, digits=1)
    return size if size in ("0", "?") else ("▲ " if decibans > 0 else "▼ ") + size


def _size(number: float, *, digits: int) -> str:
    """Write a number without its sign; what would be rounded to nought is 0."""
    if math.isnan(number):
        return "?"
    size = "∞" if math.isinf(number) else f"{abs(number):.{digits}f}"
    return size if size.strip("0.") else "0"


def trend_line(probabilities: Sequence[float]) -> str:
    """Draw probabilities as a line of blocks, scaled from 0 to 1; a gap where there is none.

    >>> trend_line([0.0, 0.3, float("nan"), 0.5, 1.0])
    '▁▃ ▅█'
    """
    top = len(_BLOCKS)
    return "".join(
        " " if math.isnan(p) else _BLOCKS[min(max(int(p * top), 0), top - 1)] for p in probabilities
    )
