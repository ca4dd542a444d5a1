"""The evidence map: the weight of evidence of each indicator for each scenario, as a heat map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

import numpy as np

from forecast.inference.diagnostics import RULED_OUT
from forecast.inference.result import of_unit
from forecast.report.plots import base, plotly_figures
from forecast.report.plots.series import (
    Backend,
    EvidenceMap,
    plotted_unit,
    scenarios_of,
    unit_title,
    use_plotly,
)
from forecast.report.styles import contrast

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr
    from matplotlib.figure import Figure

    from forecast.case.folder import Case


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
    case, unit
        As for :func:`forecast.plot_outlook`, with the same result and errors.
    explanation : Dataset
        What :func:`forecast.explain` returned for it.
    indicators : int
        How many are drawn at the most.
    width, backend
        As for :func:`forecast.plot_trend`.

    Examples
    --------
    >>> forecast.plot_evidence_map(case, forecast.explain(case)).savefig("map.png")  # doctest: +SKIP
    """
    on_screen, name = use_plotly(backend), plotted_unit(case.question, unit)
    scenarios = scenarios_of(case, explanation)
    data = of_unit(explanation, name)["indicator_weight"].sel(scenario=[one.id for one in scenarios])
    weights = data.transpose("indicator", "scenario").values
    order = np.argsort(-np.abs(weights).max(axis=1, initial=0.0), kind="stable")[:indicators]
    titles = case.question.indicator_titles
    rows = [titles.get(one, one) for one in data["indicator"].values[order].tolist()]
    left_out, weights = len(weights) - len(order), weights[order]
    subtitle = "Weight of evidence of each indicator for each scenario against the rest, as of "
    subtitle += f"{explanation.attrs['as_of']}, in decibans"
    subtitle += f"; {left_out} of less weight are left out" if left_out else ""
    sizes = np.abs(weights)
    limit = float(np.max(sizes, initial=0.0, where=sizes < RULED_OUT)) or 1.0
    texts = [[_number(float(weight)) for weight in line] for line in weights]
    weights = np.clip(np.nan_to_num(weights), -limit, limit)
    title, columns = unit_title(case.question, name), [one.title for one in scenarios]
    shown = EvidenceMap(title, subtitle, rows, columns, weights, texts, limit)
    return plotly_figures.plot_map(shown, width) if on_screen else _plot_map(shown, width or base.WIDE)


def _number(decibans: float) -> str:
    """Write a weight with its sign, as narrow as possible.

    >>> _number(-3.14), _number(0.02), _number(float("inf")), _number(21.7)
    ('−3.1', '0', '+∞', '+22')
    """
    if abs(decibans) >= RULED_OUT:
        return "+∞" if decibans > 0 else "−∞"
    if abs(decibans) < 0.05:
        return "0"
    return f"{decibans:+.{0 if abs(decibans) >= 10 else 1}f}".replace("-", "−")


def _plot_map(shown: EvidenceMap, width: float) -> Figure:
    """Draw the weights of evidence as a heat map."""
    names, size = base.row_labels([base.RowLabel(row) for row in shown.rows], width), base.ROW_SIZE
    columns, limit = shown.columns, shown.limit
    column = base.rows_room(names, width) / len(columns) - 0.06
    # Names stand upright where one of their words does not go into a column.
    upright = any(base.inches(word, size=size) > column for name in columns for word in name.split())
    length, lines = (1.3, 2) if upright else (column, 3)
    heads = [base.fit(name, length, size=size, lines=lines) for name in columns]
    sizes = [base.inches(head, size=size) if upright else base.LINE * len(head.split("\n")) for head in heads]
    height = base.rows_height(names) + max(sizes) + 0.25
    figure, (axes,) = base.titled_grid(width, height, shown.title, shown.subtitle)
    # Red to blue, white in the middle; both ends are dark in grey, so that the numbers have signs.
    places = np.arange(len(columns)), np.arange(len(names))
    colours: base.Style = {"cmap": "RdBu", "vmin": -limit, "vmax": limit, "edgecolors": "white"}
    mesh = axes.pcolormesh(*places, shown.weights, shading="nearest", linewidth=1.2, **colours)
    backgrounds = np.asarray(mesh.to_rgba(shown.weights))[..., :3]
    for row, col in np.ndindex(shown.weights.shape):
        black, white = (contrast(backgrounds[row, col].tolist(), (part,) * 3) for part in (0.0, 1.0))
        style = {"color": "black" if black > white else "white", "transform": axes.transData}
        base.text_at(axes, col, row, shown.texts[row][col], size=size, horizontalalignment="center", **style)
    base.name_rows(axes, names)
    axes.xaxis.tick_top()
    text: base.Style = {"rotation": 90 if upright else 0, "linespacing": 1.0, "parse_math": False}
    axes.set_xticks(places[0], heads, fontsize=size, **text)
    axes.spines["bottom"].set_visible(False)
    return figure
