"""The trend plot: how probable each scenario was on each day, how sure, what moved it, what lies ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

import numpy as np

from forecast.report.plots import base, plotly_trend
from forecast.report.plots.ends import NUMBER, THREAD, End, column, draw_ends, mark_today
from forecast.report.plots.moved import Moved, draw_badges, footnotes
from forecast.report.plots.series import Backend, Course, day_text, on_screen, the_unit
from forecast.report.plots.strip import draw_strip, strip_key
from forecast.report.plots.trend_panel import Panel, panel_of
from forecast.report.styles import FAINT, INK, SMALL, spread_labels

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from forecast.case.folder import Case

# Heights in inches: above the curves, the curves, between them and the strip, below it.
_ABOVE, _TALL, _BETWEEN, _BELOW = 0.25, 2.7, 0.34, 0.34

#: Height of a unit's name and of the gap above it.
_UNIT = 0.45

#: A plot on the screen is about so many pixels wide.
_USUAL = 750.0

#: So many week marks go into an inch; where there would be more, none is drawn.
_MARKS = 25


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
    case : Case
        The case, for titles and for the reports.
    tree : DataTree
        What :func:`forecast.update` returned for it.
    unit : str, optional
        The unit to draw; default: all of them, one below another.
    reports : int
        How many reports are numbered at the most.
    width : float, optional
        Width in inches; default 8 on paper, on the screen as wide as its place.
    backend : {"matplotlib", "plotly"}
        For paper, or for the screen, where hovering tells source, note and citation.

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
    units = case.question.units if unit is None and case.question.units else (the_unit(case.question, unit),)
    panels = [panel_of(case, tree, one, reports) for one in units]
    draw = _screen if on_screen(backend) else _paper
    return draw(case.question.title, panels, width)


def _what(panels: list[Panel], where: str) -> str:
    numbered = f"; numbers are reports, {where}" if any(panel.moved for panel in panels) else ""
    return f"Probability of each scenario as it was known on each day, with its central 90%{numbered}"


# --- on paper ----------------------------------------------------------------------------------------------


def _paper(title: str, panels: list[Panel], width: float | None) -> Figure:
    width = width or base.WIDE
    titles = [course.title for course in panels[0].known]
    right = column(titles, width)
    wide, tall = width - base.LEFT - right, max(_TALL, 1.3 * base.LINE * len(titles))
    strip = (0.3 if len(titles) <= 5 else 0.24) * len(titles)
    named = _UNIT if panels[0].unit else 0.0
    fixed = named + _ABOVE + tall + _BETWEEN + strip + _BELOW
    heights = [fixed + base.LINE * len(panel.moved) for panel in panels]
    figure, top = base.titled_figure(width, sum(heights) + base.EDGE, title, _what(panels, "listed below"))
    room = right - THREAD - NUMBER - base.EDGE + 0.03
    for panel, height in zip(panels, heights, strict=True):
        here = top + named + _ABOVE
        chances = base.add_axes(figure, base.LEFT, here, wide, tall)
        below = here + tall + _BETWEEN
        reports = base.add_axes(figure, base.LEFT, below, wide, strip, like=chances)
        _draw_chances(chances, panel, room)
        draw_strip(reports, panel.rows, room)
        key = base.fit(strip_key(panel.rows), width - base.LEFT - base.EDGE, size=SMALL - 0.5)
        base.text_at(reports, 0.0, 1 + 0.1 / strip, key, size=SMALL - 0.5)
        for number, line in enumerate(footnotes(panel.moved, width - 2 * base.EDGE)):
            y = -(_BELOW + base.LINE * (number + 0.5)) / strip
            for x, text in line:
                base.text_at(reports, (x + base.EDGE - base.LEFT) / wide, y, text, size=SMALL - 1)
        top += height
    return figure


def _draw_chances(axes: Axes, panel: Panel, room: float) -> None:
    """Draw each scenario's probability with its band, up to today and on to the horizon."""
    for course in (*panel.known, *panel.ahead):
        base.draw_band(axes, course, crowd=len(panel.known))
    for course in panel.known:
        base.draw_course(axes, course)
    for course in panel.ahead:
        base.draw_course(axes, course, weight=1.1)
    base.percent_axis(axes)
    base.date_axis(axes, panel.first, panel.last)
    axes.tick_params(axis="x", labelbottom=False, length=0)
    wide, tall = base.size_of(axes)
    if len(panel.periods) <= _MARKS * wide:
        axes.vlines(panel.periods, 0, -0.05 / tall, color=FAINT, linewidth=0.6, clip_on=False)
    mark_today(axes, panel.today, panel.last)
    for course in panel.known:
        if course.days[-1] < panel.today:
            _name_ended(axes, course)
    ends = panel.ahead or panel.present
    draw_ends(
        axes,
        [End(one.title, one.style, float(one.probability[-1]), float(one.probability[-1])) for one in ends],
        room,
    )
    draw_badges(axes, panel.badges, panel.leader)
    if panel.unit:
        up = 1 + (_ABOVE + 0.1) / tall
        base.text_at(axes, -base.LEFT / wide * 0.8, up, panel.unit, size=SMALL + 1.5, bold=True)


def _name_ended(axes: Axes, course: Course) -> None:
    """Write the name of a scenario that is no more where its line ends."""
    axes.annotate(
        course.title,
        (course.days[-1], course.probability[-1]),
        xytext=(5, 4),
        textcoords="offset points",
        fontsize=SMALL - 1,
        color=course.style.text_colour,
        parse_math=False,
    )


# --- on the screen -----------------------------------------------------------------------------------------


def _screen(title: str, panels: list[Panel], width: float | None) -> go.Figure:
    figure = plotly_trend.new_figure(
        title, _what(panels, "point at them"), height=1.6 + 3.9 * len(panels), width=width
    )
    names = [plotly_trend.plain(panel.unit) for panel in panels]
    figure.set_subplots(len(panels), 1, subplot_titles=names, vertical_spacing=0.3 / (1 + len(panels)))
    figure.update_annotations(x=0, xanchor="left", font={"size": 14, "color": INK})
    for row, panel in enumerate(panels, start=1):
        for course in (*panel.known, *panel.ahead):
            plotly_trend.draw_band(figure, course, crowd=len(panel.known), row=row, col=1)
        for course in panel.known:
            plotly_trend.draw_course(figure, course, legend=row == 1, row=row, col=1)
        for course in panel.ahead:
            plotly_trend.draw_course(figure, course, thin=True, legend=False, row=row, col=1)
        _number_reports(figure, panel, row)
        note = f"as of {day_text(panel.today)}"
        note += f", outlook to {day_text(panel.last)}" if panel.ahead else ""
        plotly_trend.mark_day(figure, panel.today, note, row=row, col=1)
        plotly_trend.percent_axis(figure, row=row, col=1)
        figure.update_xaxes(
            minor={"tickvals": panel.periods, "ticks": "outside", "ticklen": 4, "tickcolor": FAINT},
            showgrid=False,
            range=[panel.first, panel.last] if panel.first < panel.last else None,
            row=row,
            col=1,
        )
    return figure


def _number_reports(figure: go.Figure, panel: Panel, row: int) -> None:
    """Draw dots to point at, and numbers above them that do not touch at a usual size."""
    found = panel.badges
    days = np.array([badge.day for badge in found], dtype="datetime64[s]").astype(float)
    first, last = (float(day.astype("datetime64[s]").astype(float)) for day in (panel.first, panel.last))
    places = _USUAL * (days - first) / max(last - first, 1.0)
    apart = spread_labels(places.tolist(), [9.0 + 8.0 * len(badge.text) for badge in found], high=_USUAL)
    for badge, place, middle in zip(found, places, apart, strict=True):
        figure.add_annotation(
            x=badge.day,
            y=badge.height,
            ax=middle - place,
            ay=-32 if badge.height < 0.9 else 32,
            text=badge.text,
            font={"size": 11, "color": INK},
            bgcolor="white",
            bordercolor=INK,
            arrowcolor=INK,
            arrowwidth=0.8,
            arrowhead=0,
            row=row,
            col=1,
        )
    figure.add_scatter(
        x=[badge.day for badge in found],
        y=[badge.height for badge in found],
        mode="markers",
        marker={"color": "white", "size": 6, "line": {"color": INK, "width": 1.2}},
        hoverinfo="text",
        hovertext=["<br><br>".join(_hover(one) for one in badge.reports) for badge in found],
        name="reports, by number",
        showlegend=row == 1 and bool(found),
        row=row,
        col=1,
    )


def _hover(one: Moved) -> str:
    report = one.report
    lines = [
        f"{one.number}: {one.states}",
        f"{one.source}, {report.date}, known {report.reported}; {one.scenario} {one.weight}",
        report.note,
        report.citation,
    ]
    return "<br>".join(plotly_trend.plain(line, width=80) for line in lines if line)
