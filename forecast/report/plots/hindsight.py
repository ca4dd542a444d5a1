"""Hindsight: what is now thought of each past period, against what was known at the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, overload

import numpy as np

from forecast.report.plots import base, plotly_trend
from forecast.report.plots.grid import grid_on_paper, grid_on_screen
from forecast.report.plots.series import Backend, Course, day_text, known, on_screen, scenarios_of, the_unit
from forecast.report.styles import INK, SMALL
from forecast.report.summary import of_unit

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr
    from matplotlib.figure import Figure

    from forecast.case.folder import Case

#: The two courses of hindsight: name, line style on paper and on the screen, width of the line.
STYLES = {
    "filtered": ("known now of the time up to each period", (0, (4, 1.6)), "dash", 1.1),
    "smoothed": ("known now of all periods", (0, (1, 1)), "dot", 2.2),
}
AS_KNOWN = "as it was known on each day"


@dataclass(frozen=True, slots=True)
class Hindsight:
    """One scenario: the last day of each period, and the probability in it, with what is known now."""

    days: np.ndarray
    filtered: np.ndarray
    smoothed: np.ndarray


@overload
def plot_hindsight(
    case: Case,
    tree: xr.DataTree,
    *,
    unit: str | None = None,
    width: float | None = None,
    backend: Literal["matplotlib"] = "matplotlib",
) -> Figure: ...
@overload
def plot_hindsight(
    case: Case,
    tree: xr.DataTree,
    *,
    unit: str | None = None,
    width: float | None = None,
    backend: Literal["plotly"],
) -> go.Figure: ...
def plot_hindsight(
    case: Case,
    tree: xr.DataTree,
    *,
    unit: str | None = None,
    width: float | None = None,
    backend: Backend = "matplotlib",
) -> Figure | go.Figure:
    """Draw hindsight against what was known: a panel for each scenario.

    Three lines: the trend, as it was known on each day; *filtered*, each period by the evidence up to it,
    with the reports and the judgements of now; *smoothed*, each period by all evidence. Where the first two
    part, reports came late or judgements have learnt; where the last two part, later periods tell of
    earlier ones.

    Parameters
    ----------
    case : Case
    tree : DataTree
        What :func:`forecast.update` returned for it.
    unit : str, optional
        The unit to draw, where the question is asked of several.
    width : float, optional
        Width in inches; default 8 on paper, on the screen as wide as its place.
    backend : {"matplotlib", "plotly"}

    Returns
    -------
    matplotlib.figure.Figure or plotly.graph_objects.Figure

    Raises
    ------
    InputError
        If no unit is named where there are several, or one that the question does not have.

    Examples
    --------
    >>> forecast.plot_hindsight(case, forecast.update(case)).savefig("hindsight.png")  # doctest: +SKIP
    """
    name = the_unit(case.question, unit)
    courses, data = known(case, tree, name), of_unit(tree["hindsight"].to_dataset(), name)
    today = courses[0].days[-1]
    days = np.minimum(data["period_end"].values, today)
    after = [
        Hindsight(days, *(data[one].sel(scenario=scenario.id).values for one in STYLES))
        for scenario in scenarios_of(case, tree)
    ]
    title = f"{name}: {case.question.title}" if name else case.question.title
    what = f"Probability of each scenario in hindsight of {day_text(today)}, and as it was known"
    draw = _screen if on_screen(backend) else _paper
    return draw(title, what, courses, after, width)


def _paper(
    title: str, what: str, courses: list[Course], after: list[Hindsight], width: float | None
) -> Figure:
    from matplotlib.lines import Line2D

    width = width or base.WIDE
    figure, panels = grid_on_paper(title, what, courses, [""] * len(courses), width, below=0.55)
    for axes, course, one in zip(panels, courses, after, strict=True):
        base.draw_band(axes, course, crowd=1)
        base.draw_course(
            axes, Course(course.title, course.style._replace(line="-"), *_arrays(course)), weight=1.6
        )
        for name, (_, line, _, weight) in STYLES.items():
            axes.plot(one.days, getattr(one, name), color=INK, linestyle=line, linewidth=weight, zorder=4)
        base.date_axis(axes, course.days[0], course.days[-1])
    lines = [
        Line2D([], [], color=INK, marker="o", markersize=4, linewidth=1.6, label=f"{AS_KNOWN}, with its 90%")
    ]
    lines += [
        Line2D([], [], color=INK, linestyle=line, linewidth=weight, label=f"{name}: {meaning}")
        for name, (meaning, line, _, weight) in STYLES.items()
    ]
    figure.legend(
        handles=lines,
        loc="lower left",
        bbox_to_anchor=(0.0, 0.0),
        ncols=1 if width < 9 else 3,
        fontsize=SMALL - 0.5,
        frameon=False,
        labelcolor=INK,
        handlelength=3.2,
        labelspacing=0.25,
        borderaxespad=0.2,
    )
    return figure


def _arrays(course: Course) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    return course.days, course.probability, course.low, course.high


def _screen(
    title: str, what: str, courses: list[Course], after: list[Hindsight], width: float | None
) -> go.Figure:
    figure, places = grid_on_screen(title, what, courses, [""] * len(courses), width)
    for number, (course, one, place) in enumerate(zip(courses, after, places, strict=True)):
        row, col = place["row"], place["col"]
        plotly_trend.draw_band(figure, course, crowd=1, row=row, col=col)
        plotly_trend.draw_course(figure, course, legend=False, row=row, col=col)
        for name, (meaning, _, dash, weight) in STYLES.items():
            figure.add_scatter(
                x=one.days,
                y=getattr(one, name),
                mode="lines",
                line={"color": INK, "dash": dash, "width": weight},
                name=f"{name}:<br>{plotly_trend.plain(meaning, width=26)}",
                legendgroup=name,
                showlegend=not number,
                hoverinfo="text",
                hovertext=[
                    f"{plotly_trend.plain(course.title)}<br>{str(day)[:10]}, {name}: {p:.1%}"
                    for day, p in zip(one.days, getattr(one, name), strict=True)
                ],
                row=row,
                col=col,
            )
    return figure
