"""Which reports a trend plot numbers, and where the numbers stand."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from forecast.inference.diagnostics import LEAST_DECIBANS
from forecast.report.number_format import direction
from forecast.report.plots import base
from forecast.report.plots.series import scenarios_of
from forecast.report.styles import INK, SMALL, spread_labels

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

    from forecast.case.evidence import Report
    from forecast.case.folder import Case
    from forecast.report.plots.series import Course

_BADGE = SMALL - 1.5


@dataclass(frozen=True, slots=True)
class Moved:
    """A report that moved the forecast: its number, and the scenario for or against which it weighs most."""

    number: int
    report: Report
    indicator: str
    source: str
    scenario: str
    weight: str

    @property
    def day(self) -> np.datetime64:
        """The day on which it became known."""
        return np.datetime64(self.report.reported)

    @property
    def states(self) -> str:
        """What it states."""
        return f"{self.indicator} = {self.report.value}"


@dataclass(frozen=True, slots=True)
class Badge:
    """The numbers of the reports of one day, where the line is on that day."""

    text: str
    day: np.datetime64
    height: float
    reports: tuple[Moved, ...]


def weightiest(case: Case, tree: xr.DataTree, unit: str, most: int) -> list[Moved]:
    """Return so many reports of the greatest weight for or against any scenario, numbered as they came."""
    weights = tree["evidence"].to_dataset()["weight_of_evidence"]
    place = {report.id: n for n, report in enumerate(case.evidence.reports)}
    by_id = {report.id: report for report in case.evidence.reports}
    scenarios = scenarios_of(case, tree)
    order = [scenario.id for scenario in scenarios]
    indicators = {indicator.id: indicator.title for indicator in case.question.indicators}
    sources = {source.id: source.title for source in case.question.sources}
    found = []
    for name in weights["report"].values.tolist():
        weight = np.nan_to_num(weights.sel(report=name, scenario=order).values, posinf=np.inf, neginf=-np.inf)
        if by_id[name].unit == unit and np.abs(weight).max() >= LEAST_DECIBANS:
            found.append((float(np.abs(weight).max()), by_id[name], weight))
    found.sort(key=lambda one: -one[0])
    found = sorted(found[:most], key=lambda one: (one[1].reported, one[1].date, place[one[1].id]))
    loudest = [int(np.abs(weight).argmax()) for _, _, weight in found]
    return [
        Moved(
            number,
            report,
            indicators.get(report.indicator, report.indicator),
            sources.get(report.source, report.source),
            scenarios[most].title,
            f"{direction(float(weight[most]))} dB",
        )
        for number, ((_, report, weight), most) in enumerate(zip(found, loudest, strict=True), start=1)
    ]


def badges(moved: list[Moved], line: Course) -> list[Badge]:
    """Return the numbers to write on a line: those of one day are one label."""
    found = []
    days = line.days.astype("datetime64[s]").astype(float)
    for day, group in groupby(moved, key=lambda one: one.day):
        reports = tuple(group)
        first, last = reports[0].number, reports[-1].number
        text = f"{first}" if first == last else f"{first}–{last}"
        height = float(np.interp(day.astype("datetime64[s]").astype(float), days, line.probability))
        found.append(Badge(text, day, height, reports))
    return found


def draw_badges(axes: Axes, found: list[Badge], line: Course) -> None:
    """Write the numbers above the line, or below it where there is no room, none over another."""
    from matplotlib.dates import date2num

    wide, tall = base.size_of(axes)
    first, last = axes.get_xlim()

    def place(days: np.ndarray) -> np.ndarray:
        return wide * (np.asarray(date2num(days)) - first) / (last - first)  # type: ignore[no-untyped-call]

    at = place(np.array([badge.day for badge in found], dtype="datetime64[D]"))
    widths = [base.inches(badge.text, size=_BADGE) + 0.13 for badge in found]
    middles = spread_labels(at.tolist(), widths, low=0.0, high=wide)
    course = place(line.days)
    for badge, x, width, middle in zip(found, at, widths, middles, strict=True):
        reach = np.linspace(min(x, middle - width / 2), max(x, middle + width / 2), 9)
        heights = np.append(np.interp(reach, course, line.probability), badge.height) * tall
        y = heights.max() + 0.2 if heights.max() + 0.3 < tall else heights.min() - 0.2
        axes.annotate(
            badge.text,
            xy=(x / wide, badge.height),
            xytext=(middle / wide, y / tall),
            xycoords="axes fraction",
            fontsize=_BADGE,
            color=INK,
            horizontalalignment="center",
            verticalalignment="center",
            zorder=6,
            bbox={"boxstyle": "round,pad=0.18", "facecolor": "white", "edgecolor": INK, "linewidth": 0.6},
            arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0},
        )
        axes.plot(
            [x / wide],
            [badge.height],
            transform=axes.transAxes,
            marker="o",
            markersize=2.6,
            markerfacecolor="white",
            markeredgecolor=INK,
            markeredgewidth=0.7,
            zorder=5,
        )


def footnotes(moved: list[Moved], width: float) -> list[list[tuple[float, str]]]:
    """Return the lines of the list: texts with their places in inches, set in columns up to a width.

    A line has number, day, what who stated, and for or against which scenario it speaks the loudest.
    """
    says = [base.inches(f"{one.scenario} {one.weight}", size=SMALL - 1) for one in moved]
    said = min(max(says, default=0.0) + 0.03, 0.3 * width)
    columns, lines = (0.0, 0.22, 1.0, width - said), []
    for one in moved:
        room = width - said - columns[2] - 0.12
        told = f"{one.report.source}: {one.indicator}"
        stated = base.fit_with(told, f"= {one.report.value}", room, size=SMALL - 1)
        speaks = base.fit_with(one.scenario, one.weight, said, size=SMALL - 1)
        day = f"{one.report.reported:%d %b %Y}"
        texts = (f"{one.number}", day, stated, speaks)
        lines.append(list(zip(columns, texts, strict=True)))
    return lines
