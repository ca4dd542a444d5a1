"""The outlook: how the forecast opens like a fan towards the horizon, scenario by scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

import numpy as np

from forecast.report.number_format import band, percent
from forecast.report.plots import base, plotly_trend
from forecast.report.plots.grid import grid_on_paper, grid_on_screen
from forecast.report.plots.series import (
    Backend,
    Course,
    ahead,
    day_text,
    known,
    on_screen,
    scenarios_of,
    the_unit,
)
from forecast.report.summary import of_unit

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr
    from matplotlib.figure import Figure

    from forecast.case.folder import Case


@overload
def plot_outlook(
    case: Case,
    tree: xr.DataTree,
    *,
    unit: str | None = None,
    width: float | None = None,
    backend: Literal["matplotlib"] = "matplotlib",
) -> Figure: ...
@overload
def plot_outlook(
    case: Case,
    tree: xr.DataTree,
    *,
    unit: str | None = None,
    width: float | None = None,
    backend: Literal["plotly"],
) -> go.Figure: ...
def plot_outlook(
    case: Case,
    tree: xr.DataTree,
    *,
    unit: str | None = None,
    width: float | None = None,
    backend: Backend = "matplotlib",
) -> Figure | go.Figure:
    """Draw the outlook: a panel for each scenario, with the central 90 % as a fan up to the horizon.

    Above each panel stand the probability at the horizon, its central 90 %, and the chance that the scenario
    is ever the true one until then. The outlook of a static question is what is known now.

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
    >>> forecast.plot_outlook(case, forecast.update(case)).savefig("outlook.png")  # doctest: +SKIP
    """
    name = the_unit(case.question, unit)
    courses = ahead(case, tree, name) or _flat(case, tree, name)
    data = of_unit(tree["outlook"].to_dataset(), name)
    notes = [
        f"{percent(one.probability[-1])} ({band(one.low[-1], one.high[-1])}), "
        f"ever {percent(float(data['ever'].sel(scenario=scenario.id)))}"
        for one, scenario in zip(courses, scenarios_of(case, tree), strict=True)
    ]
    what = (
        f"Outlook from {day_text(courses[0].days[0])} to {day_text(courses[0].days[-1])}: probability with"
        " its central 90%; above each panel at the horizon, and of ever being true until then"
    )
    title = f"{name}: {case.question.title}" if name else case.question.title
    draw = _screen if on_screen(backend) else _paper
    return draw(title, what, courses, notes, width)


def _flat(case: Case, tree: xr.DataTree, unit: str) -> list[Course]:
    """Return the outlook of a static question: what is known now, up to the horizon."""
    courses = known(case, tree, unit)
    days = np.array([courses[0].days[-1], tree["outlook"].to_dataset()["date"].values[-1]])
    return [
        Course(
            one.title, one.style, days, *(np.repeat(x[-1], 2) for x in (one.probability, one.low, one.high))
        )
        for one in courses
    ]


def _paper(title: str, what: str, courses: list[Course], notes: list[str], width: float | None) -> Figure:
    figure, panels = grid_on_paper(title, what, courses, notes, width or base.WIDE)
    for axes, course in zip(panels, courses, strict=True):
        base.draw_band(axes, course, crowd=1)
        for edge in (course.low, course.high):
            axes.plot(course.days, edge, color=course.style.colour, linewidth=0.6)
        base.draw_course(axes, course)
        base.date_axis(axes, course.days[0], course.days[-1])
    return figure


def _screen(title: str, what: str, courses: list[Course], notes: list[str], width: float | None) -> go.Figure:
    figure, places = grid_on_screen(title, what, courses, notes, width)
    for course, place in zip(courses, places, strict=True):
        plotly_trend.draw_band(figure, course, crowd=1, row=place["row"], col=place["col"])
        plotly_trend.draw_course(figure, course, legend=False, row=place["row"], col=place["col"])
    return figure
