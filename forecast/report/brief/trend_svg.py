"""The trend as shapes of a picture: lines, bands, forecasts as issued, and days with reports."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from forecast.report.brief.geometry import Box, area, number, path, thinned, ticks
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
