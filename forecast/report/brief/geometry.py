"""From numbers to the shapes of a picture: places, paths and ticks. Pure functions, for SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Box:
    """A plot's frame in the units of the picture, and the days from its left to its right edge."""

    left: float
    top: float
    width: float
    height: float
    first: date
    last: date

    def x(self, day: date) -> float:
        """Return where a day stands; a single day stands in the middle.

        >>> Box(10, 0, 100, 50, date(2024, 1, 1), date(2024, 1, 11)).x(date(2024, 1, 6))
        60.0
        """
        days = (self.last - self.first).days
        share = (day - self.first).days / days if days else 0.5
        return self.left + self.width * share

    def y(self, probability: float) -> float:
        """Return where a probability stands: 1 at the top, 0 at the bottom.

        >>> Box(10, 5, 100, 50, date(2024, 1, 1), date(2024, 1, 11)).y(0.5)
        30.0
        """
        return self.top + self.height * (1 - probability)


def path(xs: Sequence[float], ys: Sequence[float]) -> str:
    """Return a line through points as SVG writes it; where there is no number the line is broken.

    >>> path([0, 1, 2, 3, 4], [5, 6.25, math.nan, 7, 8])
    'M0 5L1 6.2M3 7L4 8'
    """
    return "".join(_line(run) for run in _runs(xs, ys))


def area(xs: Sequence[float], lows: Sequence[float], highs: Sequence[float]) -> str:
    """Return the closed shape between two lines as SVG writes it; a gap parts it in two.

    >>> area([0, 1], [2, 3], [4, 5])
    'M0 2L1 3L1 5L0 4Z'
    """
    shapes = []
    for run in _runs(xs, [low + 0 * high for low, high in zip(lows, highs, strict=True)], highs):
        bottom = [(x, low) for x, low, _ in run]
        top = [(x, high) for x, _, high in reversed(run)]
        shapes.append(_line([*bottom, *top]) + "Z")
    return "".join(shapes)


def _runs(xs: Sequence[float], *ys: Sequence[float]) -> list[list[tuple[float, ...]]]:
    """Return the points, parted where a number is missing."""
    runs: list[list[tuple[float, ...]]] = [[]]
    for point in zip(xs, *ys, strict=True):
        if all(math.isfinite(value) for value in point):
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _line(points: Sequence[tuple[float, ...]]) -> str:
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)


def number(value: float) -> str:
    """Write a coordinate to a tenth.

    >>> number(12.34), number(7.0), number(-0.01)
    ('12.3', '7', '0')
    """
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


_ARM = 0.42
_PLUS = tuple(
    (turn[0] * a - turn[1] * b, turn[1] * a + turn[0] * b)
    for turn in ((1, 0), (0, 1), (-1, 0), (0, -1))
    for a, b in ((_ARM, -_ARM), (1.3, -_ARM), (1.3, _ARM))
)

#: Corners of each marker around its middle, as shares of its size; "o" is a circle.
_CORNERS: dict[str, tuple[tuple[float, float], ...]] = {
    "s": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "^": ((0, -1.2), (1.1, 0.9), (-1.1, 0.9)),
    "v": ((0, 1.2), (1.1, -0.9), (-1.1, -0.9)),
    "D": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    "P": _PLUS,
    "X": tuple((0.75 * (a - b), 0.75 * (a + b)) for a, b in _PLUS),
    "x": tuple((0.75 * (a - b), 0.75 * (a + b)) for a, b in _PLUS),
}


def marker(shape: str, x: float, y: float, size: float) -> str:
    """Return a marker, by matplotlib's name of it, as a path of SVG.

    >>> marker("s", 10, 10, 2)
    'M8 8L12 8L12 12L8 12Z'
    """
    if shape == "o":
        r, wide = number(size), number(2 * size)
        return f"M{number(x - size)} {number(y)}a{r} {r} 0 1 0 {wide} 0a{r} {r} 0 1 0 -{wide} 0Z"
    corners = _CORNERS.get(shape, _CORNERS["s"])
    return _line([(x + size * a, y + size * b) for a, b in corners]) + "Z"


def thinned(count: int, most: int) -> list[int]:
    """Return at most so many of `count` places, evenly spread, the first and the last among them.

    >>> thinned(3, 10), thinned(9, 3)
    ([0, 1, 2], [0, 4, 8])
    """
    if count <= most:
        return list(range(count))
    return sorted({round(n * (count - 1) / (most - 1)) for n in range(most)})


def ticks(first: date, last: date, most: int) -> list[tuple[date, str]]:
    """Return so many dates at most to mark on an axis, with their labels: days, months or years.

    >>> [text for _, text in ticks(date(2014, 8, 24), date(2015, 3, 31), 5)]
    ['Sep', 'Nov', '2015', 'Mar']
    >>> [text for _, text in ticks(date(2014, 8, 24), date(2014, 9, 3), 4)]
    ['24 Aug', '27 Aug', '30 Aug', '2 Sep']
    """
    months = [
        date(year, month, 1)
        for year in range(first.year, last.year + 1)
        for month in range(1, 13)
        if first <= date(year, month, 1) <= last
    ]
    if len(months) < 2:
        step = max(math.ceil(((last - first).days + 1) / most), 1)
        days = [date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1, step)]
        return [(day, f"{day.day} {day:%b}") for day in days]
    for step in (1, 2, 3, 6, 12, 24, 60, 120, 240):
        chosen = [day for day in months if (12 * day.year + day.month - 1) % step == 0]
        if len(chosen) <= most:
            break
    return [(day, f"{day:%Y}" if day.month == 1 else f"{day:%b}") for day in chosen]
