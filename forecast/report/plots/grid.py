"""Small multiples: a panel for each scenario, all on one scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast.report.plots import base, plotly_trend
from forecast.report.styles import SMALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from forecast.report.plots.series import Course

# Heights in inches: a panel's title, its curves, its dates.
_HEAD, _TALL, _DATES = 0.16, 1.3, 0.3

#: On the screen, where the legend has room of its own, panels are laid out as in a figure so wide.
_SCREEN = 6.0

#: A panel is at least so wide, and so far from its neighbour, in inches.
_LEAST, _APART = 1.75, 0.25


def shape(number: int, width: float) -> tuple[int, int]:
    """Return how many rows and columns of panels there are.

    >>> shape(4, 6.0), shape(8, 6.0), shape(8, 8.0)
    ((2, 2), (3, 3), (2, 4))
    """
    most = max(1, min(number, int((width - base.LEFT) / _LEAST)))
    rows = -(-number // most)
    return rows, -(-number // rows)


def grid_on_paper(
    title: str,
    what: str,
    courses: Sequence[Course],
    notes: Sequence[str],
    width: float,
    *,
    below: float = 0.0,
) -> tuple[Figure, list[Axes]]:
    """Return a figure with an empty panel for each course, named, with a note; room `below` for a key."""
    rows, columns = shape(len(courses), width)
    wide = (width - base.LEFT - 3 * base.EDGE - _APART * (columns - 1)) / columns
    names = [base.fit(course.title, wide - 0.15, lines=2, bold=True) for course in courses]
    head = _HEAD + base.LINE * (1 + max(name.count("\n") for name in names) + any(notes))
    figure, top = base.titled_figure(width, rows * (head + _TALL + _DATES) + below, title, what)
    found = []
    for number, (course, name, note) in enumerate(zip(courses, names, notes, strict=True)):
        row, column = divmod(number, columns)
        left = base.LEFT + column * (wide + _APART)
        axes = base.add_axes(figure, left, top + row * (head + _TALL + _DATES) + head, wide, _TALL)
        base.percent_axis(axes, step=0.5)
        if column:
            axes.tick_params(axis="y", labelleft=False)
        _name(axes, course, name, note)
        found.append(axes)
    return figure, found


def _name(axes: Axes, course: Course, name: str, note: str) -> None:
    """Write the scenario's marker and name above its panel, and below these the note."""
    wide, tall = base.size_of(axes)
    lines = name.count("\n") + 1
    bottom = 1 + (0.22 if note else 0.08) / tall
    axes.plot(
        [0.05 / wide],
        [bottom + base.LINE * (lines - 0.5) / tall],
        transform=axes.transAxes,
        marker=course.style.marker,
        color=course.style.colour,
        markersize=4.5,
        clip_on=False,
    )
    for number, line in enumerate(name.split("\n")):
        y = bottom + base.LINE * (lines - number - 0.5) / tall
        base.text_at(axes, 0.15 / wide, y, line, colour=course.style.text_colour, bold=True)
    base.text_at(axes, 0.0, 1 + 0.14 / tall, base.fit(note, wide, size=SMALL - 0.5), size=SMALL - 0.5)


def grid_on_screen(
    title: str, what: str, courses: Sequence[Course], notes: Sequence[str], width: float | None
) -> tuple[go.Figure, list[dict[str, Any]]]:
    """Return the same for the screen, and the row and column of each panel."""
    rows, columns = shape(len(courses), width or _SCREEN)
    figure = plotly_trend.new_figure(title, what, height=1.7 + 2.4 * rows, width=width)
    names = [
        f"{plotly_trend.plain(course.title, width=30)}<br>{plotly_trend.plain(note)}".removesuffix("<br>")
        for course, note in zip(courses, notes, strict=True)
    ]
    figure.set_subplots(
        rows, columns, shared_yaxes=True, subplot_titles=names, vertical_spacing=0.42 / (rows + 0.5)
    )
    figure.update_annotations(font_size=12)
    figure.update_layout(margin_t=figure.layout.margin.t + 35)
    plotly_trend.percent_axis(figure)
    figure.update_xaxes(showgrid=False, nticks=4)
    return figure, [{"row": n // columns + 1, "col": n % columns + 1} for n in range(len(courses))]
