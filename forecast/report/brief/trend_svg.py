"""The trend as shapes of a picture: lines, bands, forecasts as issued, and days with reports."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from forecast.report.number_format import percent
from forecast.report.styles import ScenarioStyle, spread_labels

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.question import Question, Scenario
    from forecast.record.ledger import Entry


@dataclass(frozen=True, slots=True)
class Size:
    """The picture's frame: margins as the texts beside the plot need them, in units of the picture."""

    width: float
    height: float
    left: float
    right: float
    font: float
    ticks: int
    names: bool


WIDE = Size(width=880, height=330, left=44, right=216, font=13, ticks=8, names=True)
NARROW = Size(width=340, height=270, left=38, right=10, font=12, ticks=4, names=False)
#: So many markers or a few more stand on a line, so that it can be told without its colour.
MARKS = 8

TOP, BELOW, STRIP = 26.0, 22.0, 16.0


class Shapes(NamedTuple):
    """What is drawn of one scenario: ``marks`` are its marker's places, ``issued`` those of forecasts."""

    band: str
    line: str
    ahead_band: str
    ahead_line: str
    marks: tuple[tuple[float, float], ...]
    issued: tuple[tuple[float, float], ...]
    end: tuple[float, float]
    percent: str


@dataclass(frozen=True, slots=True)
class Course:
    """One scenario's style, shapes, and the lines of its name, the first of which stands at ``name_y``."""

    title: str
    style: ScenarioStyle
    dash: str
    band: str
    line: str
    ahead_band: str
    ahead_line: str
    marks: tuple[tuple[float, float], ...]
    issued: tuple[tuple[float, float], ...]
    end: tuple[float, float]
    percent: str
    name: tuple[str, ...]
    name_y: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that is drawn, in units of the picture."""

    size: Size
    box: Box
    courses: tuple[Course, ...]
    xticks: tuple[tuple[float, str], ...]
    yticks: tuple[tuple[float, str], ...]
    today: float
    today_text: str
    reports: tuple[tuple[float, int], ...]


def dash_of(style: ScenarioStyle) -> str:
    """Return a line style as SVG writes it, for a line two wide; "" is a whole line."""
    return "" if style.line == "-" else " ".join(number(2 * length) for length in style.line[1])


def chart(
    question: Question,
    styles: Mapping[str, ScenarioStyle],
    trend: xr.Dataset,
    outlook: xr.Dataset,
    issued: Sequence[Entry],
    reports: Sequence[date],
    size: Size,
    most: int,
) -> Chart:
    """Lay a trend out.

    Parameters
    ----------
    question : Question
        The one in force on the as-of date.
    styles : mapping
        How each scenario is drawn, by id.
    trend, outlook : Dataset
        Of one unit.
    issued : sequence of Entry
        Forecasts as issued, of this unit.
    reports : sequence of date
        The day on which each report became known.
    size : Size
    most : int
        More dates than this are thinned out.

    Returns
    -------
    Chart
    """
    days, ahead = _days(trend["as_of"]), _days(outlook["date"])
    today, regime = days[-1], question.dynamics is not None
    first, last = min(question.opened, days[0]), max(ahead[-1], today) if regime else today
    wide, tall = size.width - size.left - size.right, size.height - TOP - BELOW - STRIP
    box = Box(size.left, TOP, wide, tall, first, last)
    courses = [
        _drawn(box, scenario, trend, outlook if regime else None, issued, most)
        for scenario in question.scenarios
    ]
    counts = {day: reports.count(day) for day in reports if first <= day <= last}
    return Chart(
        size=size,
        box=box,
        courses=tuple(
            Course(scenario.title, styles[scenario.id], dash_of(styles[scenario.id]), *shapes, *named)
            for scenario, shapes, named in zip(
                question.scenarios, courses, _names(box, size, question, courses), strict=True
            )
        ),
        xticks=tuple((box.x(day), text) for day, text in ticks(first, last, size.ticks)),
        yticks=tuple((box.y(p), f"{p:.0%}") for p in (0, 0.25, 0.5, 0.75, 1)),
        today=box.x(today),
        today_text=f"{today.day} {today:%b %Y}",
        reports=tuple((box.x(day), count) for day, count in sorted(counts.items())),
    )


def _drawn(
    box: Box,
    scenario: Scenario,
    trend: xr.Dataset,
    outlook: xr.Dataset | None,
    issued: Sequence[Entry],
    most: int,
) -> Shapes:
    """Return the shapes of one scenario; a static question has no outlook."""
    own, days = trend.sel(scenario=scenario.id), _days(trend["as_of"])
    band, line, marks = _course(box, days, own, most)
    told = tuple((box.x(one.as_of), box.y(one.probability)) for one in issued if one.scenario == scenario.id)
    if outlook is None:
        end = float(own["probability"][-1])
        return Shapes(band, line, "", "", marks, told, (box.x(days[-1]), box.y(end)), percent(end))
    ahead, dates = outlook.sel(scenario=scenario.id), _days(outlook["date"])
    # Until the first date of the outlook it is what it is today.
    later = _course(box, [days[-1], *dates], ahead.isel(date=[0, *range(len(dates))]), most)
    end = float(ahead["probability"][-1])
    return Shapes(band, line, *later[:2], marks, told, (box.x(dates[-1]), box.y(end)), percent(end))


def _names(
    box: Box, size: Size, question: Question, courses: Sequence[Shapes]
) -> list[tuple[tuple[str, ...], float]]:
    """Return the lines of each name, and how high the first stands, so that none lies over another."""
    names = [_wrapped(scenario.title, 22) for scenario in question.scenarios]
    line = 1.25 * size.font
    heights = [line * len(name) + 4 for name in names]
    low, high = 0.5 * TOP, TOP + box.height + BELOW
    places = spread_labels([shapes.end[1] for shapes in courses], heights, low=low, high=high)
    return [
        (name, place - line * (len(name) - 1) / 2 + 0.35 * size.font)
        for name, place in zip(names, places, strict=True)
    ]


def _course(
    box: Box, days: Sequence[date], course: xr.Dataset, most: int
) -> tuple[str, str, tuple[tuple[float, float], ...]]:
    """Return band, line and the places of a few markers."""
    chosen = thinned(len(days), most)
    xs = [box.x(days[n]) for n in chosen]
    parts = ("probability", "low", "high")
    line, low, high = ([box.y(float(p)) for p in course[name].values[chosen]] for name in parts)
    every = max(1, len(xs) // MARKS)
    marks = tuple(
        point for point in list(zip(xs, line, strict=True))[len(xs) - 1 :: -every] if np.isfinite(point[1])
    )
    return area(xs, low, high), path(xs, line), marks


def read_out(
    trend: xr.Dataset, outlook: xr.Dataset, box: Box, scenarios: Sequence[str], *, regime: bool, most: int
) -> list[dict[str, Any]]:
    """Return the dates of trend and outlook with their probabilities, for the reader's pointer.

    `x` is the share of the plot's width at which a date stands.
    """
    known = _points(trend, "as_of", box, scenarios, most)
    return known + (_points(outlook, "date", box, scenarios, most) if regime else [])


def _points(
    data: xr.Dataset, dim: str, box: Box, scenarios: Sequence[str], most: int
) -> list[dict[str, Any]]:
    days = _days(data[dim])
    table = {
        short: data[name].transpose(dim, "scenario").sel(scenario=list(scenarios)).values
        for short, name in (("p", "probability"), ("low", "low"), ("high", "high"))
    }
    return [
        {"day": days[n].isoformat(), "x": share_of(box, days[n]), "ahead": dim == "date"}
        | {short: [_share(p) for p in values[n]] for short, values in table.items()}
        for n in thinned(len(days), most)
    ]


def share_of(box: Box, day: date) -> float:
    """Return the share of the plot's width at which a day stands."""
    return round((box.x(day) - box.left) / box.width, 5)


def _share(p: float) -> float | None:
    return round(float(p), 4) if np.isfinite(p) else None


def _days(times: xr.DataArray) -> list[date]:
    days: list[date] = times.values.astype("datetime64[D]").tolist()
    return days


def _wrapped(title: str, width: int) -> tuple[str, ...]:
    return tuple(textwrap.wrap(title, width, max_lines=2, placeholder=" …")) or ("",)


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
