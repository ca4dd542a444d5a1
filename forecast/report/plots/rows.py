"""Plots of rows: a name on the left, and in the row a bar, a dot or a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast.report.plots import base, plotly_trend
from forecast.report.plots.base import Name
from forecast.report.styles import FAINT, GRID, INK, SMALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go
    from matplotlib.axes import Axes

#: Names of rows are set in this size, in at most two lines.
_NAMES = SMALL - 1

#: How far a bar reaches up and down from the middle of its row, in rows.
HALF = 0.32


@dataclass(frozen=True, slots=True)
class Step:
    """A row of a waterfall: from where to where, and what is written beside it; a total has no direction."""

    name: Name
    start: float
    end: float
    text: str
    total: bool = False

    @property
    def pattern(self) -> str:
        """Plotly's hatching: what goes down is hatched."""
        return "/" if self.end < self.start and not self.total else ""


def labels_width(names: Sequence[Name], width: float) -> float:
    """Return how many inches names need on the left, in a figure so many inches wide."""
    return min(max((base.inches(str(name), size=_NAMES) for name in names), default=0.5), 0.36 * width)


def row_height(names: Sequence[Name], room: float) -> float:
    """Return the height of all rows in inches: two lines go into each if one name needs them."""
    two = any(base.inches(str(name), size=_NAMES) > room for name in names)
    return 0.3 if two else 0.21


def set_up_rows(axes: Axes, names: Sequence[Name], room: float) -> None:
    """Place rows from 0 downwards and write their names on the left."""
    wide, _ = base.size_of(axes)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks([])
    for row, name in enumerate(names):
        axes.text(
            -0.08 / wide,
            row,
            base.fit_with(name.head, name.tail, room, size=_NAMES, lines=2),
            transform=axes.get_yaxis_transform(),
            fontsize=_NAMES,
            color=INK,
            horizontalalignment="right",
            verticalalignment="center",
            linespacing=1.0,
            parse_math=False,
        )


def draw_steps(axes: Axes, steps: Sequence[Step], colour: str) -> None:
    """Draw a waterfall: up is filled, down is hatched, a total is a dark line; numbers on the right."""
    for row, step in enumerate(steps):
        low, high = sorted((step.start, step.end))
        if step.total:
            axes.plot([step.end] * 2, [row - HALF, row + HALF], color=INK, linewidth=3, zorder=4)
        else:
            down = step.end < step.start
            axes.barh(
                row,
                high - low,
                left=low,
                height=2 * HALF,
                facecolor="white" if down else colour,
                edgecolor=colour,
                hatch="/////" if down else "",
                linewidth=1.0,
                zorder=3,
            )
        if row + 1 < len(steps):
            axes.plot([step.end] * 2, [row + HALF, row + 1 - HALF], color=FAINT, linewidth=0.7, zorder=2)
        axes.annotate(
            step.text,
            (high, row),
            textcoords="offset points",
            xytext=(5, 0),
            fontsize=_NAMES,
            color=INK,
            fontweight="bold" if step.total else "normal",
            verticalalignment="center",
            annotation_clip=False,
            zorder=5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )


def around(steps: Sequence[Step], wide: float) -> tuple[float, float]:
    """Return the range of a waterfall, with room for the numbers in axes so many inches wide."""
    places = [place for step in steps for place in (step.start, step.end)]
    low, high = min(places), max(places)
    span = (high - low) or 1.0
    number = max(base.inches(step.text, size=_NAMES, bold=step.total) for step in steps) + 0.12
    share = min(number / wide, 0.6)
    return low - 0.05 * span, high + span * share / (1 - share)


def draw_steps_on_screen(
    figure: go.Figure, steps: Sequence[Step], colour: str, *, row: int | None = None, col: int | None = None
) -> None:
    """Draw the same waterfall for the screen."""
    moves = [(n, step) for n, step in enumerate(steps) if not step.total]
    figure.add_bar(
        orientation="h",
        y=[n for n, _ in moves],
        base=[step.start for _, step in moves],
        x=[step.end - step.start for _, step in moves],
        width=2 * HALF,
        marker=bars(colour, [step.pattern for _, step in moves]),
        hoverinfo="text",
        hovertext=[
            f"{plotly_trend.plain(step.name, width=60)}<br>{plotly_trend.plain(step.text)}"
            for _, step in moves
        ],
        showlegend=False,
        row=row,
        col=col,
    )
    figure.add_scatter(
        x=[max(step.start, step.end) for step in steps],
        y=list(range(len(steps))),
        text=[f"  {plotly_trend.plain(step.text)}" for step in steps],
        mode="text",
        textposition="middle right",
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
        row=row,
        col=col,
    )
    totals = [(n, step) for n, step in enumerate(steps) if step.total]
    figure.add_scatter(
        x=[step.end for _, step in totals],
        y=[n for n, _ in totals],
        mode="markers",
        marker={"symbol": "line-ns", "size": 16, "line": {"color": INK, "width": 4}},
        hoverinfo="text",
        hovertext=[
            f"{plotly_trend.plain(step.name, width=60)}<br>{plotly_trend.plain(step.text)}"
            for _, step in totals
        ],
        showlegend=False,
        row=row,
        col=col,
    )


def bars(colour: str, patterns: Sequence[str] | str = "") -> dict[str, Any]:
    """Return how plotly draws bars."""
    pattern = {"shape": patterns, "fillmode": "replace", "fgcolor": colour, "size": 6}
    return {"color": colour, "line": {"color": colour, "width": 1}, "pattern": pattern}


def mark_zero(axes: Axes, place: float = 0.0) -> None:
    """Draw the line from which bars go up and down, and thin ones at the numbers of the axis."""
    axes.axvline(place, color=FAINT, linewidth=0.8, zorder=1)
    axes.grid(axis="x", color=GRID, linewidth=0.5)
    axes.tick_params(axis="x", length=3, color=FAINT)
