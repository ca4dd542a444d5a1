"""The trend as stacked areas: how the whole is shared out among the scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

import numpy as np

from forecast.report.plots import base, plotly_trend
from forecast.report.plots.ends import NUMBER, THREAD, End, column, draw_ends, mark_today
from forecast.report.plots.series import Backend, Course, ahead, day_text, known, on_screen, the_unit

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr
    from matplotlib.figure import Figure

    from forecast.case.folder import Case

# Heights in inches: above the areas, the areas, below them.
_ABOVE, _TALL, _BELOW = 0.25, 2.9, 0.3


@overload
def plot_area(
    case: Case,
    tree: xr.DataTree,
    *,
    unit: str | None = None,
    width: float | None = None,
    backend: Literal["matplotlib"] = "matplotlib",
) -> Figure: ...
@overload
def plot_area(
    case: Case,
    tree: xr.DataTree,
    *,
    unit: str | None = None,
    width: float | None = None,
    backend: Literal["plotly"],
) -> go.Figure: ...
def plot_area(
    case: Case,
    tree: xr.DataTree,
    *,
    unit: str | None = None,
    width: float | None = None,
    backend: Backend = "matplotlib",
) -> Figure | go.Figure:
    """Draw the trend and the outlook as stacked areas, the first scenario at the bottom.

    Areas show shares and hide how sure they are: for the bands see :func:`forecast.plot_trend`.

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
    >>> forecast.plot_area(case, forecast.update(case)).savefig("area.png")  # doctest: +SKIP
    """
    name = the_unit(case.question, unit)
    title = f"{name}: {case.question.title}" if name else case.question.title
    draw = _screen if on_screen(backend) else _paper
    return draw(title, _whole(known(case, tree, name, ended=True)), ahead(case, tree, name), width)


def _whole(courses: list[Course]) -> list[Course]:
    """Return the courses on the days of all of them, 0 where a scenario was not in force."""
    days = np.unique(np.concatenate([course.days for course in courses]))
    found = []
    for course in courses:
        values = np.zeros((3, len(days)))
        values[:, np.searchsorted(days, course.days)] = course.probability, course.low, course.high
        found.append(Course(course.title, course.style, days, *values))
    return found


_WHAT = "Probability of each scenario as it was known on each day, one upon the other"


def _paper(title: str, past: list[Course], future: list[Course], width: float | None) -> Figure:
    width = width or base.WIDE
    right = column([course.title for course in past], width)
    wide, tall = width - base.LEFT - right, max(_TALL, 1.3 * base.LINE * len(past))
    figure, top = base.titled_figure(width, _ABOVE + tall + _BELOW, title, _WHAT)
    axes = base.add_axes(figure, base.LEFT, top + _ABOVE, wide, tall)
    for courses, alpha in ((past, 0.75), (future, 0.45)):
        low = np.zeros(1)
        for course in courses:
            high = low + course.probability
            axes.fill_between(
                _wide(course.days),
                np.broadcast_to(low, high.shape)[_twice(high)],
                high[_twice(high)],
                facecolor=course.style.colour,
                edgecolor="white",
                alpha=alpha,
                hatch=4 * course.style.hatch,
                linewidth=0.8,
            )
            low = high
    today, ends = past[0].days[-1], future or [one for one in past if one.probability[-1] != 0]
    last = ends[0].days[-1]
    base.percent_axis(axes)
    base.date_axis(axes, _wide(past[0].days)[0], _wide(ends[0].days)[-1])
    mark_today(axes, today, last, ground=False)
    shares = [float(course.probability[-1]) for course in ends]
    places = [sum(shares[:n]) + share / 2 for n, share in enumerate(shares)]
    draw_ends(
        axes,
        [End(one.title, one.style, y, p) for one, y, p in zip(ends, places, shares, strict=True)],
        right - THREAD - NUMBER - base.EDGE + 0.03,
        hatched=True,
    )
    return figure


def _wide(days: np.ndarray) -> np.ndarray:
    """Return the days; a lone one as three days before and after it, so that it has an area."""
    return (
        days
        if len(days) > 1
        else np.array([days[0] - np.timedelta64(3, "D"), days[0] + np.timedelta64(3, "D")])
    )


def _twice(values: np.ndarray) -> list[int]:
    return list(range(len(values))) if len(values) > 1 else [0, 0]


def _screen(title: str, past: list[Course], future: list[Course], width: float | None) -> go.Figure:
    figure = plotly_trend.new_figure(title, _WHAT, height=5.2, width=width)
    today = past[0].days[-1]
    for courses, share, stack in ((past, 0.7, "known"), (future, 0.4, "ahead")):
        for course in courses:
            figure.add_scatter(
                x=course.days,
                y=course.probability,
                stackgroup=stack,
                mode="lines",
                line={"color": "white", "width": 1},
                fillcolor=course.style.tint(share),
                fillpattern={
                    "shape": course.style.hatch,
                    "fgcolor": "white",
                    "fillmode": "overlay",
                    "size": 6,
                },
                name=plotly_trend.plain(course.title, width=28),
                legendgroup=plotly_trend.plain(course.title),
                showlegend=stack == "known",
                hoverinfo="text",
                hovertext=[
                    f"{plotly_trend.plain(course.title)}<br>{str(day)[:10]}: {p:.1%}"
                    for day, p in zip(course.days, course.probability, strict=True)
                ],
            )
    note = f"as of {day_text(today)}" + (f", outlook to {day_text(future[0].days[-1])}" if future else "")
    plotly_trend.mark_day(figure, today, note)
    plotly_trend.percent_axis(figure)
    figure.update_xaxes(showgrid=False)
    figure.update_layout(legend={"traceorder": "reversed"})
    return figure
