"""Geometry of the SVG trend chart: coordinates, paths, ticks, and each scenario's markers."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from forecast.report.number_format import percent
from forecast.report.styles import ScenarioStyle, spread_labels

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.question import Question, Scenario
    from forecast.record.ledger import Entry

type Point = tuple[float, float]
MARKERS = 8  #: Markers on a line, or a few more, so that lines differ without colour

#: Room above the plot for the as-of date, below it for dates, and at the foot for the days of reports.
TOP, BELOW, FOOT = 26.0, 22.0, 16.0


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a picture with its margins, in units of the picture; with ``names`` beside the plot."""

    width: float
    height: float
    left: float
    right: float
    font: float
    ticks: int
    names: bool


WIDE = Size(width=880, height=330, left=44, right=216, font=13, ticks=8, names=True)
NARROW = Size(width=340, height=270, left=38, right=10, font=12, ticks=4, names=False)


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
        """Return the y coordinate of a probability: 1 is the top, 0 the bottom.

        >>> Box(10, 5, 100, 50, date(2024, 1, 1), date(2024, 1, 11)).y(0.5)
        30.0
        """
        return self.top + self.height * (1 - probability)


@dataclass(frozen=True, slots=True)
class ScenarioShapes:
    """What is drawn of one scenario: paths of its trend and outlook, and the points of other marks.

    ``markers`` lie on the line, ``issued`` are earlier forecasts, ``end`` is the line's last point and
    ``percent`` its probability; ``name_y`` is the height of the first line of the ``name``.
    """

    title: str
    style: ScenarioStyle
    band: str
    line: str
    markers: tuple[Point, ...]
    issued: tuple[Point, ...]
    end: Point
    percent: str
    outlook_line: str
    name: tuple[str, ...] = ()
    name_y: float = 0.0


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that is drawn, in units of the picture; ``reports`` are days with the number of reports."""

    size: Size
    box: Box
    scenarios: tuple[ScenarioShapes, ...]
    xticks: tuple[tuple[float, str], ...]
    yticks: tuple[tuple[float, str], ...]
    today: float
    today_text: str
    reports: tuple[tuple[float, int], ...]


def lay_out(
    question: Question,
    styles: Mapping[str, ScenarioStyle],
    trend: xr.Dataset,
    outlook: xr.Dataset,
    issued: Sequence[Entry],
    reports: Sequence[date],
    size: Size,
    most: int,
) -> Chart:
    """Return the chart of one unit's trend and outlook, with forecasts as issued and the days of reports.

    Of more dates than ``most`` only so many are drawn.
    """
    today, end, regime = dates(trend["as_of"])[-1], dates(outlook["date"])[-1], question.dynamics is not None
    first, last = min(question.opened, dates(trend["as_of"])[0]), max(end, today) if regime else today
    width, height = size.width - size.left - size.right, size.height - TOP - BELOW - FOOT
    box = Box(size.left, TOP, width, height, first, last)
    scenarios = [
        _shapes(box, scenario, styles[scenario.id], trend, outlook if regime else None, issued, most)
        for scenario in question.scenarios
    ]
    counts = {day: reports.count(day) for day in reports if first <= day <= last}
    return Chart(
        size=size,
        box=box,
        scenarios=_named(box, size, scenarios),
        xticks=tuple((box.x(day), text) for day, text in ticks(first, last, size.ticks)),
        yticks=tuple((box.y(p), f"{p:.0%}") for p in (0, 0.25, 0.5, 0.75, 1)),
        today=box.x(today),
        today_text=f"{today.day} {today:%b %Y}",
        reports=tuple((box.x(day), count) for day, count in sorted(counts.items())),
    )


def _shapes(
    box: Box,
    scenario: Scenario,
    style: ScenarioStyle,
    trend: xr.Dataset,
    outlook: xr.Dataset | None,
    issued: Sequence[Entry],
    most: int,
) -> ScenarioShapes:
    """Return the shapes of one scenario, yet without its name; a static question has no outlook."""
    days, own = dates(trend["as_of"]), trend.sel(scenario=scenario.id)
    band, line, markers = _paths(box, days, own, most)
    earlier = [(row.as_of, row.probability) for row in issued if row.scenario == scenario.id]
    last_day, last = days[-1], float(own["probability"][-1])
    outlook_line = ""
    if outlook is not None:
        own, later = outlook.sel(scenario=scenario.id), dates(outlook["date"])
        # Until the first date of the outlook it is what it is today.
        from_today = own.isel(date=[0, *range(len(later))])
        outlook_band, outlook_line, _ = _paths(box, [days[-1], *later], from_today, most)
        band, last_day, last = band + outlook_band, later[-1], float(own["probability"][-1])
    return ScenarioShapes(
        title=scenario.title,
        style=style,
        band=band,
        line=line,
        markers=markers,
        issued=tuple((box.x(day), box.y(p)) for day, p in earlier),
        end=(box.x(last_day), box.y(last)),
        percent=percent(last),
        outlook_line=outlook_line,
    )


def _paths(
    box: Box, days: Sequence[date], course: xr.Dataset, most: int
) -> tuple[str, str, tuple[Point, ...]]:
    """Return band and line of probabilities over days, and the points of a few markers."""
    chosen = thinned(len(days), most)
    xs = [box.x(days[n]) for n in chosen]
    names = ("probability", "low", "high")
    ys, lows, highs = ([box.y(float(p)) for p in course[name].values[chosen]] for name in names)
    every = max(1, len(xs) // MARKERS)
    points = list(zip(xs, ys, strict=True))[len(xs) - 1 :: -every]
    return area(xs, lows, highs), path(xs, ys), tuple(point for point in points if np.isfinite(point[1]))


def _named(box: Box, size: Size, scenarios: Sequence[ScenarioShapes]) -> tuple[ScenarioShapes, ...]:
    """Return the shapes with names so placed that none lies over another."""
    names = [tuple(textwrap.wrap(one.title, 22, max_lines=2, placeholder=" …")) or ("",) for one in scenarios]
    line = 1.25 * size.font
    heights = [line * len(name) + 4 for name in names]
    low, high = 0.5 * TOP, TOP + box.height + BELOW
    middles = spread_labels([one.end[1] for one in scenarios], heights, low=low, high=high)
    return tuple(
        replace(one, name=name, name_y=middle - line * (len(name) - 1) / 2 + 0.35 * size.font)
        for one, name, middle in zip(scenarios, names, middles, strict=True)
    )


def dates(times: xr.DataArray) -> list[date]:
    """Return the days of a time coordinate."""
    days: list[date] = times.values.astype("datetime64[D]").tolist()
    return days


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
        shapes.append(_line([*bottom, *((x, high) for x, _, high in reversed(run))]) + "Z")
    return "".join(shapes)


def _runs(xs: Sequence[float], *ys: Sequence[float]) -> list[list[tuple[float, ...]]]:
    """Split points into consecutive runs without missing values."""
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


def dash_of(style: ScenarioStyle) -> str:
    """Return a line style as SVG writes it, for a line two wide; "" is a whole line."""
    return "" if style.line == "-" else " ".join(number(2 * length) for length in style.line[1])


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
    import pandas as pd

    months = [day.date() for day in pd.date_range(first, last, freq="MS")]
    if len(months) < 2:
        step = max(math.ceil(((last - first).days + 1) / most), 1)
        return [(day.date(), f"{day.day} {day:%b}") for day in pd.date_range(first, last, freq=f"{step}D")]
    for step in (1, 2, 3, 6, 12, 24, 60, 120, 240):
        chosen = [day for day in months if (12 * day.year + day.month - 1) % step == 0]
        if len(chosen) <= most:
            break
    return [(day, f"{day:%Y}" if day.month == 1 else f"{day:%b}") for day in chosen]
