"""Small multiples (Tufte 1983) of outlook and smoothed probabilities, one panel per scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.inference.result import of_unit
from forecast.report.number_format import band, percent
from forecast.report.plots import base
from forecast.report.plots.series import (
    TrendSeries,
    day_text,
    outlook_series,
    plotted_unit,
    scenarios_of,
    trend_series,
    unit_title,
)
from forecast.report.styles import INK, SMALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from forecast.case.folder import Case

#: A panel with its neighbour's distance is at least so wide; its curves and dates are so high.
_LEAST, _TALL = 1.75, 1.65

#: Widths: of the percentages on the left, of the gap between panels, of the marker before a name.
_LEFT, _APART, _MARKER = 0.5, 0.15, 0.2

#: The probabilities in hindsight: what they are, line style, width of the line.
_HINDSIGHT: dict[str, tuple[str, Any, float]] = {
    "filtered": ("known now of the time up to each period", (0, (4, 1.6)), 1.1),
    "smoothed": ("known now of all periods", (0, (1, 1)), 2.2),
}


def plot_outlook(
    case: Case, tree: xr.DataTree, *, unit: str | None = None, width: float = base.WIDE
) -> Figure:
    """Draw the outlook: a panel for each scenario, with the central 90 % as a fan up to the horizon.

    Above each panel stand the probability at the horizon, its central 90 %, and the probability that the
    scenario is ever the true one until then. The outlook of a static question is what is known now.

    Parameters
    ----------
    case : Case
        For titles and reports.
    tree : DataTree
        What :func:`forecast.update` returned for it.
    unit : str, optional
        The unit to draw, where the question is asked of several.
    width : float
        Width in inches.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        If no unit is named where there are several, or one that the question does not have.

    Examples
    --------
    >>> forecast.plot_outlook(case, forecast.update(case)).savefig("outlook.png")  # doctest: +SKIP
    """
    name = plotted_unit(case.question, unit)
    outlook = outlook_series(case, tree, name, static=True)
    ever = of_unit(tree["outlook"].to_dataset(), name)["ever"]
    notes = [
        f"{percent(one.probability[-1])} ({band(one.low[-1], one.high[-1])}), "
        f"ever {percent(float(ever.sel(scenario=scenario.id)))}"
        for one, scenario in zip(outlook, scenarios_of(case, tree), strict=True)
    ]
    first, last = outlook[0].days[[0, -1]]
    subtitle = (
        f"Outlook from {day_text(first)} to {day_text(last)}: probability with its central 90%; above each "
        "panel at the horizon, and of ever being true until then"
    )
    figure, panels = _panels(unit_title(case.question, name), subtitle, outlook, width, notes=notes)
    for axes, series in zip(panels, outlook, strict=True):
        for edge in (series.low, series.high):
            axes.plot(series.days, edge, color=series.style.colour, linewidth=0.6)
        base.draw_line(axes, series)
    return figure


def plot_hindsight(
    case: Case, tree: xr.DataTree, *, unit: str | None = None, width: float = base.WIDE
) -> Figure:
    """Draw probabilities in hindsight and as they were known: a panel for each scenario.

    Three lines: the trend, as it was known on each day; *filtered*, each period by the evidence up to it,
    with the reports and the judgements of now; *smoothed*, each period by all evidence. Where the first two
    part, reports came late or judgements have learnt; where the last two part, later periods inform
    earlier ones.

    Parameters, result and errors are those of :func:`forecast.plot_outlook`.

    Examples
    --------
    >>> forecast.plot_hindsight(case, forecast.update(case)).savefig("hindsight.png")  # doctest: +SKIP
    """
    from matplotlib.lines import Line2D

    name = plotted_unit(case.question, unit)
    trend, hindsight = trend_series(case, tree, name), of_unit(tree["hindsight"].to_dataset(), name)
    as_of = trend[0].days[-1]
    days = np.minimum(hindsight["period_end"].values, as_of)
    subtitle = f"Probability of each scenario in hindsight of {day_text(as_of)}, and as it was known"
    label = "as it was known on each day, with its 90%"
    key = [Line2D([], [], marker="o", markersize=4, linewidth=1.6, label=label)]
    key += [
        Line2D([], [], linestyle=line, linewidth=weight, label=f"{kind}: {meaning}")
        for kind, (meaning, line, weight) in _HINDSIGHT.items()
    ]
    figure, panels = _panels(unit_title(case.question, name), subtitle, trend, width, key=key)
    for axes, series, scenario in zip(panels, trend, scenarios_of(case, tree), strict=True):
        base.draw_line(axes, series, weight=1.6, line="-")
        for kind, (_, line, weight) in _HINDSIGHT.items():
            values = hindsight[kind].sel(scenario=scenario.id).values
            axes.plot(days, values, color=INK, linestyle=line, linewidth=weight, zorder=4)
    return figure


def _panels(
    title: str,
    subtitle: str,
    series: Sequence[TrendSeries],
    width: float,
    *,
    notes: Sequence[str] = (),
    key: Sequence[Any] = (),
) -> tuple[Figure, list[Axes]]:
    """Return a figure with one panel per series, with name, note, band and dates, and a common key."""
    rows, columns = base.grid_shape(len(series), int((width - _LEFT) / _LEAST))
    wide = (width - _LEFT - _APART * columns) / columns
    names = [base.fit(one.title, wide - _MARKER, lines=2, bold=True) for one in series]
    head = base.LINE * (1.7 + max(name.count("\n") for name in names) + bool(notes))
    height = rows * (head + _TALL) + (base.LINE * len(key) + 0.1 if key else 0.0)
    figure, panels = base.titled_grid(width, height, title, subtitle, len(series), columns, sharey=True)
    for number, (axes, one, name) in enumerate(zip(panels, series, names, strict=True)):
        base.percent_axis(axes, step=0.5)
        base.date_axis(axes, one.days[0], one.days[-1], wide)
        base.draw_band(axes, one)
        _name(figure, axes, one, name, base.fit(notes[number], wide, size=SMALL - 0.5) if notes else "")
    if key:
        style: base.Style = {"fontsize": SMALL - 0.5, "frameon": False, "labelcolor": INK}
        for line in key:
            line.set_color(INK)
        figure.legend(handles=key, loc="outside lower left", handlelength=3.2, labelspacing=0.25, **style)
    return figure, panels


def _name(figure: Figure, axes: Axes, series: TrendSeries, name: str, note: str) -> None:
    """Write the marker and the name of a scenario above its panel, and a note between."""
    from matplotlib.lines import Line2D
    from matplotlib.transforms import ScaledTranslation

    axes.set_title(note, loc="left", fontsize=SMALL - 0.5, color=INK, pad=4, parse_math=False)
    marker = Line2D([], [], linestyle="", markersize=4.5)
    marker.set(marker=series.style.marker, color=series.style.colour)
    above = base.LINE if note else 0.0
    place = axes.transAxes + ScaledTranslation(0, above, figure.dpi_scale_trans)
    near: base.Style = {"bbox_to_anchor": (0, 1), "bbox_transform": place, "frameon": False, "borderpad": 0}
    near |= {"borderaxespad": 0.3, "handlelength": 0.8, "handletextpad": 0.4}
    legend = axes.legend([marker], [name], loc="lower left", **near)
    style: base.Style = {"fontsize": SMALL, "fontweight": "bold", "parse_math": False}
    legend.get_texts()[0].set(color=series.style.text_colour, **style)
