"""What the plots for the screen share: a plotly figure without global state, and texts that stay texts.

Plotly reads a small part of HTML in every text, formulas between dollars, and ``%{...}`` in templates. The
analyst's words go through :func:`plain`, and hovers are plain texts, not templates.
"""

from __future__ import annotations

import html
import textwrap
from typing import TYPE_CHECKING, Any

from forecast.report.styles import GRID, INK

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from forecast.report.plots.base import Name
    from forecast.report.plots.series import Course
    from forecast.report.styles import ScenarioStyle

#: Pixels of a plotly figure for an inch of a printed one.
INCH = 96

#: The name of a row is broken after so many characters.
_LABEL = 46


def plain(text: object, *, width: int = 0) -> str:
    """Return a text of the analyst as plotly shows it unchanged, broken into lines of so many characters.

    >>> plain("<b>5 $</b>")
    '&lt;b&gt;5 &#36;&lt;/b&gt;'
    """
    lines = (
        textwrap.wrap(str(text), width, break_on_hyphens=False) if width else [" ".join(str(text).split())]
    )
    return "<br>".join(html.escape(line).replace("$", "&#36;") for line in lines)


def new_figure(title: str, what: str, *, height: float, width: float | None) -> go.Figure:
    """Return an empty figure; height and width in inches, as wide as its place if no width is asked for."""
    import plotly.graph_objects as go

    head = plain(textwrap.shorten(title, 160, placeholder=" ..."), width=80)
    below = plain(what, width=115)
    lines = (head + below).count("<br>")
    layout: dict[str, Any] = {
        "template": None,
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "font": {"color": INK, "size": 13},
        "title": {
            "text": f"{head}<br><sup>{below}</sup>",
            "x": 0.01,
            "xanchor": "left",
        },
        "height": INCH * height,
        "margin": {"l": 60, "r": 30, "t": 110 + 22 * lines, "b": 50},
        "hovermode": "closest",
        "hoverlabel": {"align": "left", "bgcolor": "white"},
    }
    if width:
        layout["width"] = INCH * width
    return go.Figure(layout=layout)


def percent_axis(figure: go.Figure, *, row: int | None = None, col: int | None = None) -> None:
    """Let the vertical axis run from 0 to 100 %."""
    figure.update_yaxes(range=[0, 1], tickformat=".0%", gridcolor=GRID, zeroline=False, row=row, col=col)


def draw_band(
    figure: go.Figure, course: Course, *, crowd: int, row: int | None = None, col: int | None = None
) -> None:
    """Draw the central 90 % of a course, shown and hidden with its line, the paler the more there are."""
    days = [*course.days, *course.days[::-1]]
    figure.add_scatter(
        x=days,
        y=[*course.high, *course.low[::-1]],
        fill="toself",
        fillcolor=course.style.tint(0.13 if crowd <= 4 else 0.07),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        legendgroup=plain(course.title),
        row=row,
        col=col,
    )


def draw_course(
    figure: go.Figure,
    course: Course,
    *,
    thin: bool = False,
    legend: bool = True,
    row: int | None = None,
    col: int | None = None,
) -> None:
    """Draw a scenario's probability; hovering tells the day, the number and its band."""
    style = course.style
    hover = [
        f"{plain(course.title)}<br>{str(day)[:10]}: {p:.1%} ({low:.1%} to {high:.1%})"
        for day, p, low, high in zip(course.days, course.probability, course.low, course.high, strict=True)
    ]
    figure.add_scatter(
        x=course.days,
        y=course.probability,
        mode="lines" if thin else "lines+markers",
        line={"color": style.colour, "dash": style.dash, "width": 1.2 if thin else 2},
        marker=marker(style),
        name=plain(course.title, width=28),
        legendgroup=plain(course.title),
        showlegend=legend,
        hoverinfo="text",
        hovertext=hover,
        row=row,
        col=col,
    )


def marker(style: ScenarioStyle, size: float = 7) -> dict[str, Any]:
    """Return a scenario's marker."""
    return {
        "color": style.colour,
        "symbol": style.symbol,
        "size": size,
        "line": {"color": style.colour, "width": 1},
    }


def mark_day(
    figure: go.Figure, day: Any, text: str = "", *, row: int | None = None, col: int | None = None
) -> None:
    """Draw a line at a day, with a text above it."""
    line = {"color": INK, "width": 1}
    note: dict[str, Any] = {"annotation_text": text, "annotation_position": "top"} if text else {}
    # Plotly takes the mean of the ends to place a note, which it cannot do with dates of numpy.
    figure.add_vline(x=_milliseconds(day), line=line, row=row or "all", col=col or "all", **note)


def _milliseconds(day: Any) -> float:
    return float(day.astype("datetime64[ms]").astype(float))


def label_rows(
    figure: go.Figure, labels: Sequence[Name], *, row: int | None = None, col: int | None = None
) -> None:
    """Name the rows of a plot of bars, the first on top; rows are numbered from 0."""
    figure.update_yaxes(
        tickvals=list(range(len(labels))),
        ticktext=[_in_two_lines(label) for label in labels],
        tickfont={"size": 11},
        range=[len(labels) - 0.5, -0.5],
        zeroline=False,
        automargin=True,
        row=row,
        col=col,
    )


def _in_two_lines(name: Name) -> str:
    room = 2 * _LABEL - 6 - len(name.tail)
    head = name.head if len(name.head) <= room else name.head[:room].rstrip() + "…"
    whole = name.tail.replace(" ", "\N{NO-BREAK SPACE}")
    return plain(f"{head} {whole}", width=_LABEL)
