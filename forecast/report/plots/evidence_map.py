"""A heat map of the weights of evidence: which indicator speaks for which scenario, and how loudly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

import numpy as np

from forecast.inference.diagnostics import RULED_OUT
from forecast.report.plots import base, plotly_trend
from forecast.report.plots.base import Name
from forecast.report.plots.rows import labels_width, row_height, set_up_rows
from forecast.report.plots.series import Backend, on_screen, scenarios_of, the_unit
from forecast.report.styles import INK, SMALL, contrast

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr
    from matplotlib.figure import Figure

    from forecast.case.folder import Case

#: Red to blue, white in the middle; both ends are dark in grey, so that the numbers have signs.
_SCALE = "RdBu"

#: The names of scenarios are set in this size.
_HEADS = SMALL - 1


@overload
def plot_evidence_map(
    case: Case,
    explanation: xr.Dataset,
    *,
    unit: str | None = None,
    indicators: int = 20,
    width: float | None = None,
    backend: Literal["matplotlib"] = "matplotlib",
) -> Figure: ...
@overload
def plot_evidence_map(
    case: Case,
    explanation: xr.Dataset,
    *,
    unit: str | None = None,
    indicators: int = 20,
    width: float | None = None,
    backend: Literal["plotly"],
) -> go.Figure: ...
def plot_evidence_map(
    case: Case,
    explanation: xr.Dataset,
    *,
    unit: str | None = None,
    indicators: int = 20,
    width: float | None = None,
    backend: Backend = "matplotlib",
) -> Figure | go.Figure:
    """Draw what each indicator weighs for each scenario against the rest, in decibans, as a heat map.

    Blue speaks for the scenario, red against it; the colours are symmetric about 0, and every cell has its
    number. The weightiest indicators are on top.

    Parameters
    ----------
    case : Case
    explanation : Dataset
        What :func:`forecast.explain` returned for it.
    unit : str, optional
        The unit to draw, where the question is asked of several.
    indicators : int
        How many are drawn at the most.
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
    >>> forecast.plot_evidence_map(case, forecast.explain(case)).savefig("map.png")  # doctest: +SKIP
    """
    name = the_unit(case.question, unit)
    data = explanation.sel(unit=name) if "unit" in explanation.dims else explanation
    scenarios = scenarios_of(case, explanation)
    ids = [one.id for one in scenarios]
    found = data["indicator_weight"].sel(scenario=ids).transpose("indicator", "scenario")
    order = np.argsort(-np.abs(found.values).max(axis=1, initial=0.0), kind="stable")[:indicators]
    titles = {indicator.id: indicator.title for indicator in case.question.indicators}
    rows = [Name(titles.get(one, one)) for one in found["indicator"].values[order].tolist()]
    weights = found.values[order]
    left_out = found.sizes["indicator"] - len(order)
    what = (
        f"Weight of evidence of each indicator for each scenario against the rest, as of "
        f"{explanation.attrs['as_of']}, in decibans"
        + (f"; {left_out} of less weight are left out" if left_out else "")
    )
    title = f"{name}: {case.question.title}" if name else case.question.title
    draw = _screen if on_screen(backend) else _paper
    return draw(title, what, rows, [one.title for one in scenarios], weights, width)


def _number(decibans: float) -> str:
    """Write a weight with its sign, as narrow as may be.

    >>> _number(-3.14), _number(0.02), _number(float("inf")), _number(21.7)
    ('−3.1', '0', '+∞', '+22')
    """
    if abs(decibans) >= RULED_OUT:
        return "+∞" if decibans > 0 else "−∞"
    if abs(decibans) < 0.05:
        return "0"
    return f"{decibans:+.{0 if abs(decibans) >= 10 else 1}f}".replace("-", "−")


def _top(weights: np.ndarray) -> float:
    """Return where the colours end: the largest weight that has a limit."""
    sizes = np.abs(weights)
    return float(np.max(sizes, initial=0.0, where=sizes < RULED_OUT)) or 1.0


def _paper(
    title: str, what: str, rows: list[Name], columns: list[str], weights: np.ndarray, width: float | None
) -> Figure:
    width = width or base.WIDE
    room = labels_width(rows, width)
    left = base.EDGE + room + 0.08
    wide = min(width - left - 2 * base.EDGE, 1.5 * len(columns))
    column = wide / len(columns)
    # Names stand upright where one of their words does not go into a column.
    upright = any(base.inches(word, size=_HEADS) > column - 0.06 for name in columns for word in name.split())
    length, lines = (1.3, 2) if upright else (column - 0.06, 3)
    heads = [base.fit(name, length, size=_HEADS, lines=lines) for name in columns]
    above = max(
        base.inches(head, size=_HEADS) if upright else base.LINE * (head.count("\n") + 1) for head in heads
    )
    above += 0.12
    height = row_height(rows, room) * max(len(rows), 1)
    figure, top = base.titled_figure(width, above + height + base.EDGE, title, what)
    axes = base.add_axes(figure, left, top + above, wide, height)
    limit = _top(weights)
    shown = np.clip(np.nan_to_num(weights), -limit, limit)
    mesh = axes.pcolormesh(
        np.arange(len(columns) + 1) - 0.5,
        np.arange(len(rows) + 1) - 0.5,
        shown,
        cmap=_SCALE,
        vmin=-limit,
        vmax=limit,
        edgecolors="white",
        linewidth=1.2,
    )
    grounds = np.asarray(mesh.to_rgba(shown))
    for (row, col), weight in np.ndenumerate(weights):
        ground = grounds[row, col, :3].tolist()
        black, white = (contrast(ground, (part,) * 3) for part in (0.0, 1.0))
        axes.text(
            col,
            row,
            _number(float(weight)),
            fontsize=SMALL - 1,
            color="black" if black > white else "white",
            horizontalalignment="center",
            verticalalignment="center",
        )
    set_up_rows(axes, rows, room)
    axes.set_xticks([])
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.spines["bottom"].set_visible(False)
    for col, head in enumerate(heads):
        axes.text(
            col,
            1 + 0.06 / height,
            head,
            transform=axes.get_xaxis_transform(),
            fontsize=_HEADS,
            color=INK,
            rotation=90 if upright else 0,
            horizontalalignment="center",
            verticalalignment="bottom",
            linespacing=1.0,
            parse_math=False,
        )
    return figure


def _screen(
    title: str, what: str, rows: list[Name], columns: list[str], weights: np.ndarray, width: float | None
) -> go.Figure:
    figure = plotly_trend.new_figure(title, what, height=2.2 + 0.36 * len(rows), width=width)
    limit = _top(weights)
    hover = [
        [
            f"{plotly_trend.plain(row, width=60)}<br>"
            f"{plotly_trend.plain(col, width=60)}: {_number(float(w))} decibans"
            for col, w in zip(columns, line, strict=True)
        ]
        for row, line in zip(rows, weights, strict=True)
    ]
    figure.add_heatmap(
        x=list(range(len(columns))),
        y=list(range(len(rows))),
        z=np.clip(np.nan_to_num(weights), -limit, limit),
        zmin=-limit,
        zmax=limit,
        colorscale=_SCALE,
        text=[[_number(float(weight)) for weight in line] for line in weights],
        texttemplate="%{text}",
        hoverinfo="text",
        hovertext=hover,
        xgap=2,
        ygap=2,
        colorbar={"title": {"text": "decibans"}},
    )
    plotly_trend.label_rows(figure, rows)
    figure.update_xaxes(
        tickvals=list(range(len(columns))),
        ticktext=[plotly_trend.plain(name, width=18) for name in columns],
        side="top",
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(showgrid=False)
    figure.update_layout(margin_t=figure.layout.margin.t + 60)
    return figure
