"""Numbers as text: percentages, intervals, percentage points, decibans, counts and sparklines."""

from __future__ import annotations

import math
from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"


def percent(probability: float) -> str:
    """Format a probability as a percentage; only exact 0 or 1 gives 0% or 100%.

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


def points(change: float | None, digits: int = 0) -> str:
    """Write a change of probability in percentage points; None is a first forecast.

    Parts of a change are written to a tenth, so that they can be added up.

    >>> points(0.034), points(-0.021), points(0.001), points(None)
    ('+3', '−2', '0', '')
    >>> points(0.0344, 1), points(-0.0211, 1), points(0.0004, 1), points(math.nan, 1)
    ('+3.4', '−2.1', '0', '?')
    """
    return "" if change is None else _signed(100 * change, "+", "−", digits)


def decibans(weight: float) -> str:
    """Write a weight of evidence, in decibans, with the direction in which it pushes.

    >>> decibans(3.04), decibans(-0.31), decibans(0.01), decibans(-math.inf)
    ('▲ 3.0', '▼ 0.3', '0', '▼ ∞')
    """
    return _signed(weight, "▲ ", "▼ ", digits=1)


def signed(number: float) -> str:
    """Write a change with its sign to a tenth, in ASCII, for a table of the terminal.

    >>> signed(1.23), signed(-0.5), signed(-0.04)
    ('+1.2', '-0.5', '0.0')
    """
    return f"{number:+.1f}" if abs(number) >= 0.05 else "0.0"


def with_error(number: float, error: float, digits: int = 1, sign: str = "") -> str:
    """Write a number with two standard errors; "-" where there is none.

    >>> with_error(62.41, 0.25), with_error(1.5, 0.05, sign="+"), with_error(math.nan, 0.1)
    ('62.4 ± 0.5', '+1.5 ± 0.1', '-')
    """
    return "-" if math.isnan(number) else f"{number:{sign}.{digits}f} ± {2 * error:.{digits}f}"


def counted(number: int, noun: str, nouns: str = "") -> str:
    """Write a number of things.

    >>> counted(1, "report"), counted(2, "report"), counted(2, "earlier one")
    ('1 report', '2 reports', '2 earlier ones')
    """
    return f"{number} {noun if number == 1 else nouns or noun + 's'}"


def sparkline(probabilities: Sequence[float]) -> str:
    """Draw probabilities as a line of blocks, scaled from 0 to 1; a gap where there is none.

    >>> sparkline([0.0, 0.3, float("nan"), 0.5, 1.0])
    '▁▃ ▅█'
    """
    top = len(_BLOCKS)
    return "".join(
        " " if math.isnan(p) else _BLOCKS[min(max(int(p * top), 0), top - 1)] for p in probabilities
    )


def _signed(number: float, plus: str, minus: str, digits: int) -> str:
    """Write a number after the sign of its direction; what would be rounded to nought is 0."""
    if math.isnan(number):
        return "?"
    size = "∞" if math.isinf(number) else f"{abs(number):.{digits}f}"
    return (plus if number > 0 else minus) + size if size.strip("0.") else "0"
