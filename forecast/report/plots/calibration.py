"""Calibration: of what was given a probability, how much was true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

import numpy as np

from forecast.report.plots import base, plotly_trend
from forecast.report.plots.series import Backend, on_screen
from forecast.report.styles import FAINT, GRID, INK, SMALL

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr
    from matplotlib.figure import Figure

_WHAT = (
    "Share that was true of what was given a probability, with its interval; on the line they are equal. The "
    "number beside a point is how many were given it"
)

# Inches: the square, and below it the axis with its name.
_SQUARE, _LEFT, _BELOW = 3.6, 0.75, 0.6

#: Around the square, so that points at 0 and at 1 are whole.
_ROOM = 0.04


@overload
def plot_calibration(
    table: xr.Dataset,
    *,
    title: str = "Calibration",
    width: float | None = None,
    backend: Literal["matplotlib"] = "matplotlib",
) -> Figure: ...
@overload
def plot_calibration(
    table: xr.Dataset,
    *,
    title: str = "Calibration",
    width: float | None = None,
    backend: Literal["plotly"],
) -> go.Figure: ...
def plot_calibration(
    table: xr.Dataset,
    *,
    title: str = "Calibration",
    width: float | None = None,
    backend: Backend = "matplotlib",
) -> Figure | go.Figure:
    """Draw how often what was given a probability came true (a reliability diagram, Murphy and Winkler 1977).

    Parameters
    ----------
    table : Dataset
        By ``bin``: ``probability``, the mean of those given; ``observed``, the share that was true, from
        ``low`` to ``high``; ``number`` of them. Bins of none are left out.
    title : str
    width : float, optional
        Width in inches; default 5 on paper, on the screen as wide as its place.
    backend : {"matplotlib", "plotly"}

    Returns
    -------
    matplotlib.figure.Figure or plotly.graph_objects.Figure

    Examples
    --------
    >>> import xarray as xr
    >>> bins = {"probability": [0.2, 0.7], "observed": [0.3, 0.6], "number": [10, 20]}
    >>> ends = {"low": [0.1, 0.4], "high": [0.6, 0.8]}
    >>> table = xr.Dataset({name: ("bin", value) for name, value in (bins | ends).items()})
    >>> plot_calibration(table, backend="plotly").data[-1].x.tolist()
    [0.2, 0.7]
    """
    some = table.isel(bin=np.flatnonzero(table["number"].values > 0))
    draw = _screen if on_screen(backend) else _paper
    return draw(title, some, width)


def _reach(table: xr.Dataset) -> np.ndarray:
    """Return how far the interval goes below and above what was observed, (2, bin)."""
    seen = table["observed"].values
    return np.maximum(np.stack([seen - table["low"].values, table["high"].values - seen]), 0.0)


def _paper(title: str, table: xr.Dataset, width: float | None) -> Figure:
    from matplotlib.ticker import MultipleLocator, PercentFormatter

    width = width or 5.0
    side = min(_SQUARE, width - _LEFT - 4 * base.EDGE)
    figure, top = base.titled_figure(width, side + _BELOW + 0.15, title, _WHAT)
    axes = base.add_axes(figure, _LEFT, top + 0.15, side, side)
    given, seen = table["probability"].values, table["observed"].values
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.9, zorder=1)
    axes.errorbar(
        given, seen, yerr=_reach(table), fmt="o", color=INK, markersize=4, capsize=2.5, linewidth=1.0
    )
    base.percent_axis(axes)
    axes.set(xlim=(-_ROOM, 1 + _ROOM), ylim=(-_ROOM, 1 + _ROOM))
    axes.xaxis.set_major_locator(MultipleLocator(0.25))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(axis="x", color=GRID, linewidth=0.6)
    for x, y, number in zip(given, seen, table["number"].values, strict=True):
        axes.annotate(
            f"{int(number):,}", (x, y), (5, 2), textcoords="offset points", fontsize=SMALL - 1.5, color=INK
        )
    axes.set_xlabel("probability given", fontsize=SMALL, color=INK)
    axes.set_ylabel("share that was true", fontsize=SMALL, color=INK)
    return figure


def _screen(title: str, table: xr.Dataset, width: float | None) -> go.Figure:
    figure = plotly_trend.new_figure(title, _WHAT, height=6.0, width=width)
    line = {"color": FAINT, "width": 1}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=line, showlegend=False, hoverinfo="skip")
    below, above = _reach(table)
    figure.add_scatter(
        x=table["probability"].values,
        y=table["observed"].values,
        error_y={"type": "data", "symmetric": False, "array": above, "arrayminus": below, "color": INK},
        mode="markers",
        marker={"color": INK, "size": 8},
        customdata=table["number"].values,
        hovertemplate="given %{x:.0%}, true %{y:.0%} of %{customdata:,}<extra></extra>",
        showlegend=False,
    )
    plotly_trend.percent_axis(figure)
    figure.update_xaxes(range=[0, 1], tickformat=".0%", gridcolor=GRID, title_text="probability given")
    figure.update_yaxes(title_text="share that was true")
    return figure
