"""Trend and outlook plots: lines with 90 % bands and weights of reports, or stacked areas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

import numpy as np

from forecast.report.number_format import percent
from forecast.report.plots import base, plotly_figures
from forecast.report.plots.series import (
    Backend,
    NumberedReport,
    NumberLabel,
    TrendPanel,
    TrendSeries,
    day_text,
    outlook_series,
    plotted_unit,
    trend_panel,
    trend_series,
    unit_title,
    use_plotly,
)
from forecast.report.styles import FAINT, GRID, INK, SMALL, spread_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from forecast.case.folder import Case

# Heights: above the curves, the curves, between them and the bars of reports, below these, a unit's name.
_ABOVE, _TALL, _BETWEEN, _BELOW, _UNIT = 0.25, 2.7, 0.34, 0.34, 0.45

#: Widths: left of the axes for the percentages; right of them the thread to a label, and its percentage.
_LEFT, _THREAD, _NUMBER = 0.5, 0.18, 0.52

#: Names at the ends of lines are set in one line each where, in two, they would fill more of the height.
_FULL = 0.7
_MARKS = 25  #: So many period ends go into an inch; where there would be more, none is marked
LEAST_BAR = 0.1  #: A report has a bar for a scenario from this weight of evidence on, in decibans

#: The background of the outlook.
_OUTLOOK = "#F4F4F1"
_NUMBERS = SMALL - 1.5  #: Size of the numbers of reports


@overload
def plot_trend(
    case: Case,
    tree: xr.DataTree,
    *,
    unit: str | None = None,
    reports: int = 8,
    width: float | None = None,
    backend: Literal["matplotlib"] = "matplotlib",
) -> Figure: ...
@overload
def plot_trend(
    case: Case,
    tree: xr.DataTree,
    *,
    unit: str | None = None,
    reports: int = 8,
    width: float | None = None,
    backend: Literal["plotly"],
) -> go.Figure: ...
def plot_trend(
    case: Case,
    tree: xr.DataTree,
    *,
    unit: str | None = None,
    reports: int = 8,
    width: float | None = None,
    backend: Backend = "matplotlib",
) -> Figure | go.Figure:
    """Draw the trend of a forecast, the reports that moved it, and the outlook.

    Scenarios differ in colour, in line style and in marker, so that the plot can be read by the colour-blind
    and from a black-and-white print. The reports of the greatest weight of evidence for or against any
    scenario are numbered, on the line of the scenario that is the most probable now, on the day each became
    known; the list below names them, with the scenario for or against which each weighs most. Under the
    curves every report of 0.1 decibans or more is a bar.

    Parameters
    ----------
    case, tree
        As for :func:`forecast.plot_outlook`.
    unit : str, optional
        The unit to draw; default: all of them, one below another.
    reports : int
        How many reports are numbered at the most.
    width : float, optional
        Width in inches; default 8 on paper, on the screen as wide as its place.
    backend : {"matplotlib", "plotly"}
        For paper, or for the screen, where hovering shows source, note and citation.

    Returns
    -------
    matplotlib.figure.Figure or plotly.graph_objects.Figure
        Save it with ``figure.savefig(path)``, or ``figure.write_html(path)``. No window is opened.

    Raises
    ------
    InputError
        If the question does not have the unit.

    Examples
    --------
    >>> forecast.plot_trend(case, forecast.update(case), width=6).savefig("trend.png")  # doctest: +SKIP
    """
    question = case.question
    units = question.units if unit is None and question.units else (plotted_unit(question, unit),)
    panels = [trend_panel(case, tree, one, reports) for one in units]
    on_screen = use_plotly(backend)
    subtitle = "Probability of each scenario as it was known on each day, with its central 90%"
    if question.event is not None:
        subtitle = "Being prepared, as was known on each day; outlook: will have happened (dotted: no news)"
    if any(panel.reports for panel in panels):
        subtitle += f"; numbers are reports, {'point at them' if on_screen else 'listed below'}"
    draw = plotly_figures.plot_panels if on_screen else _plot_panels
    return draw(question.title, subtitle, panels, width)


def _plot_panels(title: str, subtitle: str, panels: list[TrendPanel], width: float | None) -> Figure:
    width = width or base.WIDE
    titles = [one.title for one in panels[0].trend]
    wide, tall, room = _layout(titles, width, _TALL)
    bars = (0.3 if len(titles) <= 5 else 0.24) * len(titles)
    named = _UNIT if panels[0].unit else 0.0
    fixed = named + _ABOVE + tall + _BETWEEN + bars + _BELOW
    heights = [fixed + base.LINE * len(panel.reports) for panel in panels]
    figure, top = base.titled_figure(width, sum(heights) + base.EDGE, title, subtitle)
    for panel, height in zip(panels, heights, strict=True):
        upper = top + named + _ABOVE
        probabilities = base.add_axes(figure, _LEFT, upper, wide, tall)
        lower = base.add_axes(figure, _LEFT, upper + tall + _BETWEEN, wide, bars, like=probabilities)
        _draw_probabilities(probabilities, panel, room)
        _draw_weights(lower, panel, room, width)
        _list_reports(lower, panel.reports, width)
        top += height
    return figure


def _layout(titles: Sequence[str], width: float, height: float) -> tuple[float, float, float]:
    """Return width and height of the axes, and the width that is left for the names beside them."""
    room = min(max(base.inches(title) for title in titles), 0.235 * width)
    wide = width - _LEFT - _THREAD - _NUMBER - room - base.EDGE
    return wide, max(height, 1.3 * base.LINE * len(titles)), room + 0.03


def _draw_probabilities(axes: Axes, panel: TrendPanel, room: float) -> None:
    """Draw each scenario's probability with its band up to the as-of date, and its outlook."""
    wide, tall = base.size_of(axes)
    for series in (*panel.trend, *panel.outlook):
        base.draw_band(axes, series, bands=len(panel.trend))
    for series in panel.trend:
        base.draw_line(axes, series)
    for series in panel.outlook:
        base.draw_line(axes, series, weight=1.1)
    for series in panel.without_news:
        axes.plot(series.days, series.probability, ":", color=series.style.colour, linewidth=1.2)
    base.percent_axis(axes)
    base.date_axis(axes, panel.first, panel.last, wide)
    axes.tick_params(axis="x", labelbottom=False, length=0)
    if len(panel.period_ends) <= _MARKS * wide:
        axes.vlines(panel.period_ends, 0, -0.05 / tall, color=FAINT, linewidth=0.6, clip_on=False)
    if panel.outlook:
        axes.axvspan(panel.as_of, panel.last, color=_OUTLOOK, zorder=0, linewidth=0)  # type: ignore[arg-type]
    _mark_as_of(axes, panel.as_of, panel.last)
    for series in panel.trend:
        if series.days[-1] < panel.as_of:  # its name where its line ends
            style: base.Style = {"fontsize": SMALL - 1, "color": series.style.text_colour}
            style |= {"xytext": (5, 4), "textcoords": "offset points", "parse_math": False}
            axes.annotate(series.title, (series.days[-1], series.probability[-1]), **style)
    ends = panel.outlook or panel.current
    _label_ends(axes, ends, [float(one.probability[-1]) for one in ends], room)
    _draw_numbers(axes, panel.labels, panel.leader)
    if panel.unit:
        y = 1 + (_ABOVE + 0.1) / tall
        base.text_at(axes, -0.8 * _LEFT / wide, y, panel.unit, size=SMALL + 1.5, fontweight="bold")


def _mark_as_of(axes: Axes, as_of: np.datetime64, last: np.datetime64) -> None:
    """Draw a vertical line at the as-of date and label the trend and outlook ranges."""
    axes.axvline(as_of, color=INK, linewidth=0.9, zorder=2)  # type: ignore[arg-type]
    wide, tall = base.size_of(axes)
    place = float(_inches_at(axes, as_of))
    trend, outlook = f"as of {day_text(as_of)}", f"outlook to {day_text(last)}"
    above, gap, small = 1 + 0.1 / tall, 0.05, SMALL - 0.5
    left, right = (base.inches(one, size=small) + gap for one in (trend, outlook))
    if last > as_of and left <= place + _LEFT and right <= wide - place:
        base.text_at(axes, (place - gap) / wide, above, trend, size=small, horizontalalignment="right")
        base.text_at(axes, (place + gap) / wide, above, outlook, size=small)
        return
    # There is no room on one of the sides: both in one, as near to the line as the figure allows.
    both = f"{trend}, {outlook}" if last > as_of else trend
    length = base.inches(both, size=small)
    start = min(max(place - length / 2, 0.0), max(wide - length, 0.0))
    base.text_at(axes, start / wide, above, both, size=small)


def _inches_at(axes: Axes, days: np.datetime64 | np.ndarray) -> np.ndarray:
    """Return the places of days, from the left of the axes."""
    from matplotlib.dates import date2num

    first, last = axes.get_xlim()
    return base.size_of(axes)[0] * (np.asarray(date2num(days)) - first) / (last - first)  # type: ignore[no-untyped-call]


def _label_ends(
    axes: Axes, ends: Sequence[TrendSeries], heights: Sequence[float], room: float, *, areas: bool = False
) -> None:
    """Write each scenario's percentage and name beside the end of its line, without overlap.

    Before each stands its marker or, where areas end, a patch with its hatching.
    """
    wide, tall = base.size_of(axes)
    for lines in (2, 1):
        names = [base.fit(end.title, room, lines=lines) for end in ends]
        sizes = [(0.025 + base.LINE * (name.count("\n") + 1)) / tall for name in names]
        if sum(sizes) <= _FULL:
            break
    places = spread_labels(heights, sizes)
    thread = _THREAD - 0.06 * areas
    for end, name, height, place in zip(ends, names, heights, places, strict=True):
        colour = end.style.colour
        style: base.Style = {"color": end.style.text_colour}
        arrow = {"arrowstyle": "-", "color": colour, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
        shape: base.Style = {"xycoords": "axes fraction", "arrowprops": arrow, "annotation_clip": False}
        axes.annotate("", (1.0, height), (1 + thread / wide, place), **shape)
        number, start = percent(float(end.probability[-1])), 1 + (_THREAD + _NUMBER) / wide
        right: base.Style = {"horizontalalignment": "right", "fontweight": "bold"}
        base.text_at(axes, start - 0.06 / wide, place, number, **style, **right)
        base.text_at(axes, start, place, name, **style)
        if areas:
            _draw_patch(axes, end, 1 + thread / wide, place)
        else:
            marker: base.Style = {"marker": end.style.marker, "markersize": 4.5, "color": colour}
            ends_of_thread = [1.0, 1 + _THREAD / wide], [height, place]
            axes.plot(*ends_of_thread, "", transform=axes.transAxes, clip_on=False, zorder=4, **marker)


def _draw_patch(axes: Axes, series: TrendSeries, x: float, y: float) -> None:
    """Draw a patch of a scenario's area, its left side in the middle at a place in shares of the axes."""
    from matplotlib.patches import Rectangle

    wide, tall = base.size_of(axes)
    patch = Rectangle((x, y - 0.06 / tall), 0.14 / wide, 0.12 / tall, transform=axes.transAxes, clip_on=False)
    hatch = 4 * series.style.hatch
    patch.set(facecolor=series.style.colour, alpha=0.75, edgecolor="white", hatch=hatch, linewidth=0)
    axes.add_patch(patch)


def _draw_numbers(axes: Axes, labels: list[NumberLabel], line: TrendSeries) -> None:
    """Write the numbers of reports above the line, or below it where there is no room, without overlap."""
    wide, tall = base.size_of(axes)
    at = _inches_at(axes, np.array([label.day for label in labels], dtype="datetime64[D]"))
    line_at = _inches_at(axes, line.days)
    widths = [base.inches(label.text, size=_NUMBERS) + 0.13 for label in labels]
    middles = spread_labels(at.tolist(), widths, low=0.0, high=wide)
    text: base.Style = {"xycoords": "axes fraction", "fontsize": _NUMBERS, "color": INK, "zorder": 6}
    text |= {"horizontalalignment": "center", "verticalalignment": "center"}
    text["bbox"] = {"boxstyle": "round,pad=0.18", "facecolor": "white", "edgecolor": INK, "linewidth": 0.6}
    text["arrowprops"] = {"arrowstyle": "-", "color": INK, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0}
    marker: base.Style = {"markersize": 2.6, "markerfacecolor": "white", "markeredgewidth": 0.7}
    marker |= {"color": INK, "transform": axes.transAxes, "zorder": 5}
    for label, x, width, middle in zip(labels, at, widths, middles, strict=True):
        reach = np.linspace(min(x, middle - width / 2), max(x, middle + width / 2), 9)
        heights = np.append(np.interp(reach, line_at, line.probability), label.height) * tall
        y = heights.max() + 0.2 if heights.max() + 0.3 < tall else heights.min() - 0.2
        axes.annotate(label.text, (x / wide, label.height), (middle / wide, y / tall), **text)
        axes.plot([x / wide], [label.height], "o", **marker)


def _draw_weights(axes: Axes, panel: TrendPanel, room: float, width: float) -> None:
    """Draw one row per scenario with a bar per report, at the date it became known.

    A bar goes up where the report speaks for the scenario and down where it speaks against it, as far as its
    weight of evidence. Bars of one day overlap and darken. An unlimited weight is as long as the longest.
    """
    from matplotlib.dates import date2num

    wide, tall = base.size_of(axes)
    rows, sizes, days = panel.current, np.abs(panel.weights), date2num(panel.days)  # type: ignore[no-untyped-call]
    heavy = sizes >= LEAST_BAR
    longest = float(np.max(sizes, initial=0.0, where=heavy & np.isfinite(sizes))) or 1.0
    for n, row in enumerate(rows):
        ends = 0.46 * np.clip(panel.weights[heavy[:, n], n] / longest, -1, 1) - n
        axes.axhline(-n, color=GRID, linewidth=0.6, zorder=0)
        axes.vlines(days[heavy[:, n]], -n, ends, color=row.style.colour, linewidth=1.8, alpha=0.7)
        style: base.Style = {"color": row.style.text_colour, "transform": axes.get_yaxis_transform()}
        base.text_at(axes, 1 + (_THREAD + _NUMBER) / wide, -n, base.fit(row.title, room), **style)
    axes.set_ylim(-len(rows) + 0.45, 0.55)
    axes.set_yticks([])
    key = "Each report on the day it became known: up for the scenario, down against; longest"
    key = base.fit(f"{key} {longest:.1f} dB", width - _LEFT - base.EDGE, size=SMALL - 0.5)
    base.text_at(axes, 0.0, 1 + 0.1 / tall, key, size=SMALL - 0.5)


def _list_reports(axes: Axes, reports: list[NumberedReport], width: float) -> None:
    """Write below axes the number, day and statement of each report, and the scenario it weighs most for."""
    wide, tall = base.size_of(axes)
    lengths = [base.inches(f"{one.scenario} {one.weight}", size=SMALL - 1) for one in reports]
    last = min(max(lengths, default=0.0) + 0.03, 0.3 * width - 0.6 * base.EDGE)
    columns = np.array([0.0, 0.22, 1.0, width - 2 * base.EDGE - last])
    for line, one in enumerate(reports):
        head = f"{one.report.source}: {one.indicator}"
        texts = (
            f"{one.number}",
            f"{one.report.reported:%d %b %Y}",
            base.fit(head, columns[3] - columns[2] - 0.12, tail=f"= {one.report.value}", size=SMALL - 1),
            base.fit(one.scenario, last, tail=one.weight, size=SMALL - 1),
        )
        y = -(_BELOW + base.LINE * (line + 0.5)) / tall
        for x, text in zip((columns + base.EDGE - _LEFT) / wide, texts, strict=True):
            base.text_at(axes, float(x), y, text, size=SMALL - 1)


def plot_area(case: Case, tree: xr.DataTree, *, unit: str | None = None, width: float = base.WIDE) -> Figure:
    """Draw the trend and the outlook as stacked areas, the first scenario at the bottom.

    Areas show shares and hide their uncertainty: for the bands see :func:`forecast.plot_trend`.

    Parameters, result and errors are those of :func:`forecast.plot_outlook`.

    Examples
    --------
    >>> forecast.plot_area(case, forecast.update(case)).savefig("area.png")  # doctest: +SKIP
    """
    name = plotted_unit(case.question, unit)
    trend = _on_all_days(trend_series(case, tree, name, ended=True))
    outlook = outlook_series(case, tree, name)
    wide, tall, room = _layout([one.title for one in trend], width, 2.9)
    subtitle = "Probability of each scenario as it was known on each day, one upon the other"
    title = unit_title(case.question, name)
    figure, top = base.titled_figure(width, _ABOVE + tall + 0.3, title, subtitle)
    axes = base.add_axes(figure, _LEFT, top + _ABOVE, wide, tall)
    _stack(axes, trend, alpha=0.75)
    _stack(axes, outlook, alpha=0.45)
    ends = outlook or [one for one in trend if one.probability[-1] != 0]
    as_of, last = trend[0].days[-1], ends[0].days[-1]
    base.percent_axis(axes)
    base.date_axis(axes, trend[0].days[0], last, wide)
    _mark_as_of(axes, as_of, last)
    shares = np.array([one.probability[-1] for one in ends])
    _label_ends(axes, ends, (np.cumsum(shares) - shares / 2).tolist(), room, areas=True)
    return figure


def _on_all_days(trend: list[TrendSeries]) -> list[TrendSeries]:
    """Return series on the days of all of them, 0 where a scenario was not in force."""
    days = np.unique(np.concatenate([one.days for one in trend]))
    # A lone day is drawn as three, so that it has an area.
    wider = days if len(days) > 1 else days + np.array([-3, 0], dtype="timedelta64[D]")
    series = []
    for one in trend:
        values = np.zeros((3, len(days)))
        values[:, np.searchsorted(days, one.days)] = one.probability, one.low, one.high
        values = np.broadcast_to(values, (3, len(wider)))
        series.append(TrendSeries(one.title, one.style, wider, *values))
    return series


def _stack(axes: Axes, series: list[TrendSeries], *, alpha: float) -> None:
    """Draw areas, one upon the other."""
    if series:
        heights = [one.probability for one in series]
        colours, hatches = [one.style.colour for one in series], [4 * one.style.hatch for one in series]
        style: base.Style = {"edgecolor": "white", "alpha": alpha, "linewidth": 0.8}
        axes.stackplot(series[0].days, heights, colors=colours, hatch=hatches, **style)
