"""What to look for next, drawn: the information that each report is expected to bring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, overload

from forecast.report.plots import base, plotly_trend
from forecast.report.plots.base import Name
from forecast.report.plots.rows import HALF, bars, labels_width, mark_zero, row_height, set_up_rows
from forecast.report.plots.series import Backend, on_screen, the_unit
from forecast.report.styles import GRID, INK, SMALL

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go
    from matplotlib.figure import Figure

    from forecast.case.folder import Case

Target = Literal["now", "reported", "horizon"]

_TARGETS = {
    "now": "the scenario now",
    "reported": "the scenario in the period reported on",
    "horizon": "the scenario at the horizon",
}
_BAR = "#0072B2"


@dataclass(frozen=True, slots=True)
class Gain:
    """A row: what would be asked of whom, and the information gained in bits, with its standard error."""

    name: Name
    bits: float
    error: float


@overload
def plot_collect(
    case: Case,
    table: pd.DataFrame,
    *,
    target: Target = "horizon",
    unit: str | None = None,
    rows: int = 15,
    width: float | None = None,
    backend: Literal["matplotlib"] = "matplotlib",
) -> Figure: ...
@overload
def plot_collect(
    case: Case,
    table: pd.DataFrame,
    *,
    target: Target = "horizon",
    unit: str | None = None,
    rows: int = 15,
    width: float | None = None,
    backend: Literal["plotly"],
) -> go.Figure: ...
def plot_collect(
    case: Case,
    table: pd.DataFrame,
    *,
    target: Target = "horizon",
    unit: str | None = None,
    rows: int = 15,
    width: float | None = None,
    backend: Backend = "matplotlib",
) -> Figure | go.Figure:
    """Draw the information that a report of each indicator by each source is expected to bring.

    Parameters
    ----------
    case : Case
    table : DataFrame
        What :func:`forecast.collect` returned for it; the order of its rows is kept.
    target : {"horizon", "now", "reported"}
        What the information is about: the scenario at the horizon, at the as-of date, or in the period that
        would be reported on.
    unit : str, optional
        The unit to draw, where the question is asked of several.
    rows : int
        How many rows of the table are drawn, from its top.
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
    >>> forecast.plot_collect(case, forecast.collect(case)).savefig("collect.png")  # doctest: +SKIP
    """
    if target not in _TARGETS:
        raise ValueError(f"target {target!r} is none of {', '.join(map(repr, _TARGETS))}")
    name = the_unit(case.question, unit)
    own = table[table["unit"] == name] if "unit" in table else table
    titles = {indicator.id: indicator.title for indicator in case.question.indicators}
    columns = zip(own["indicator"], own["source"], own[target], own[f"{target}_error"], strict=True)
    gains = [
        Gain(
            Name(titles.get(indicator, indicator), f"({source or 'the watch over it'})"),
            float(bits),
            float(error),
        )
        for indicator, source, bits, error in columns
    ][:rows]
    left_out = len(own) - len(gains)
    what = (
        f"Bits that a report on the period to {table.attrs['period_end']} is expected to tell about "
        f"{_TARGETS[target]}, with two standard errors"
        + (f"; the first {len(gains)} of {len(own)}" if left_out else "")
    )
    title = f"{name}: {case.question.title}" if name else case.question.title
    draw = _screen if on_screen(backend) else _paper
    return draw(title, what, gains, width)


def _paper(title: str, what: str, gains: list[Gain], width: float | None) -> Figure:
    width, names = width or base.WIDE, [gain.name for gain in gains]
    room = labels_width(names, width)
    height = row_height(names, room) * max(len(gains), 1)
    figure, top = base.titled_figure(width, height + 0.45, title, what)
    left = base.EDGE + room + 0.08
    axes = base.add_axes(figure, left, top, width - left - 2 * base.EDGE, height)
    set_up_rows(axes, names, room)
    places = range(len(gains))
    axes.barh(places, [gain.bits for gain in gains], height=2 * HALF, color=_BAR, alpha=0.75)
    axes.errorbar(
        [gain.bits for gain in gains],
        places,
        xerr=[2 * gain.error for gain in gains],
        fmt="none",
        ecolor=INK,
        elinewidth=0.9,
        capsize=2.5,
    )
    most = max((gain.bits + 2 * gain.error for gain in gains), default=0.0) or 1.0
    share = min(0.6 / base.size_of(axes)[0], 0.5)
    axes.set_xlim(0, most / (1 - share))
    for place, gain in zip(places, gains, strict=True):
        axes.annotate(
            f"{gain.bits:.2g}",
            (gain.bits + 2 * gain.error, place),
            textcoords="offset points",
            xytext=(4, 0),
            fontsize=SMALL - 1,
            color=INK,
            verticalalignment="center",
        )
    mark_zero(axes)
    axes.locator_params(axis="x", nbins=max(3, int(base.size_of(axes)[0] / 0.7)))
    axes.set_xlabel("bits", fontsize=SMALL - 0.5, color=INK)
    return figure


def _screen(title: str, what: str, gains: list[Gain], width: float | None) -> go.Figure:
    figure = plotly_trend.new_figure(title, what, height=2.0 + 0.36 * len(gains), width=width)
    figure.add_bar(
        orientation="h",
        y=list(range(len(gains))),
        x=[gain.bits for gain in gains],
        error_x={"type": "data", "array": [2 * gain.error for gain in gains], "color": INK},
        width=2 * HALF,
        marker=bars(_BAR),
        hoverinfo="text",
        hovertext=[
            f"{plotly_trend.plain(gain.name, width=60)}<br>{gain.bits:.3g} bits, "
            f"standard error {gain.error:.1g}"
            for gain in gains
        ],
        showlegend=False,
    )
    plotly_trend.label_rows(figure, [gain.name for gain in gains])
    figure.update_xaxes(title_text="bits", gridcolor=GRID, rangemode="tozero")
    return figure
