"""The weights of evidence of one scenario as a waterfall, from the prior to the forecast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

import numpy as np

from forecast.case.errors import Fault, InputError, listed, meant
from forecast.inference.diagnostics import RULED_OUT
from forecast.report.number_format import direction, percent
from forecast.report.plots import base, plotly_trend
from forecast.report.plots.base import Name
from forecast.report.plots.rows import (
    Step,
    around,
    draw_steps,
    draw_steps_on_screen,
    labels_width,
    mark_zero,
    row_height,
    set_up_rows,
)
from forecast.report.plots.series import Backend, on_screen, scenarios_of, styles, the_unit
from forecast.report.styles import GRID, INK, SMALL, ScenarioStyle

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from forecast.case.folder import Case
    from forecast.case.question import Question


#: The probabilities that are marked above the decibans where there is room, the first ones first.
_MARKED = (
    *(0.5, 0.25, 0.75, 0.1, 0.9, 0.05, 0.95, 0.01, 0.99, 0.001, 0.999),
    *(0.6, 0.7, 0.8, 0.4, 0.3, 0.2, 0.02, 0.98, 0.85, 0.15, 0.65, 0.35, 0.55, 0.45),
)

# Heights in inches: above the rows, for the probabilities; below them, for the decibans.
_ABOVE, _BELOW = 0.3, 0.5


@overload
def plot_evidence(
    case: Case,
    explanation: xr.Dataset,
    *,
    scenario: str | None = None,
    unit: str | None = None,
    cells: int = 12,
    width: float | None = None,
    backend: Literal["matplotlib"] = "matplotlib",
) -> Figure: ...
@overload
def plot_evidence(
    case: Case,
    explanation: xr.Dataset,
    *,
    scenario: str | None = None,
    unit: str | None = None,
    cells: int = 12,
    width: float | None = None,
    backend: Literal["plotly"],
) -> go.Figure: ...
def plot_evidence(
    case: Case,
    explanation: xr.Dataset,
    *,
    scenario: str | None = None,
    unit: str | None = None,
    cells: int = 12,
    width: float | None = None,
    backend: Backend = "matplotlib",
) -> Figure | go.Figure:
    """Draw what led from the prior of a scenario to its forecast: a waterfall of weights of evidence.

    Along the axis run the log odds of the scenario against the rest, in decibans; above it the probabilities
    that these are. A filled bar speaks for the scenario, a hatched one against it. The lines add up as
    :func:`forecast.explain` says; in a regime one of them is what the cells leave over.

    Parameters
    ----------
    case : Case
    explanation : Dataset
        What :func:`forecast.explain` returned for it.
    scenario : str, optional
        The id of the scenario; default: the one that leads.
    unit : str, optional
        The unit to draw, where the question is asked of several.
    cells : int
        So many cells, the weightiest, have a row each; the others share one.
    width : float, optional
        Width in inches; default 8 on paper, on the screen as wide as its place.
    backend : {"matplotlib", "plotly"}

    Returns
    -------
    matplotlib.figure.Figure or plotly.graph_objects.Figure

    Raises
    ------
    InputError
        If the question does not have the scenario or the unit, or no unit is named where there are several.

    Examples
    --------
    >>> forecast.plot_evidence(case, forecast.explain(case), scenario="tactical")  # doctest: +SKIP
    """
    name = the_unit(case.question, unit)
    data = explanation.sel(unit=name) if "unit" in explanation.dims else explanation
    data = data.isel(cell=np.flatnonzero(data["cell_unit"].values == name))
    scenarios = scenarios_of(case, explanation)
    ids = [one.id for one in scenarios]
    chosen = ids[int(data["engine"].sel(scenario=ids).values.argmax())] if scenario is None else scenario
    if chosen not in ids:
        fix = meant(chosen, ids) or "name one of these"
        raise InputError([Fault("plot_evidence", 0, chosen, "no such scenario", listed(ids), fix)])
    steps = _steps(case.question, data.sel(scenario=chosen), cells)
    title = scenarios[ids.index(chosen)].title
    title = f"{title}: from the prior to the forecast" + (f", {name}" if name else "")
    what = (
        f"Weight of evidence for it (filled) and against it (hatched), as of {explanation.attrs['as_of']}, "
        "in decibans: 10 make the odds tenfold"
    )
    draw = _screen if on_screen(backend) else _paper
    return draw(title, what, steps, styles(case)[chosen], width)


def _steps(question: Question, data: xr.Dataset, most: int) -> list[Step]:
    """Return the rows: before, the weightiest cells in the order of time, the others, and what remains."""
    weight = data["weight"].values
    titles = {indicator.id: indicator.title for indicator in question.indicators}
    order = np.argsort(-np.abs(weight), kind="stable")
    named, others = np.sort(order[:most]), order[most:]
    ends = data["cell_period_end"].values.astype("datetime64[D]")
    indicators = data["cell_indicator"].values.tolist()
    parts = [
        (Name(titles.get(indicators[n], indicators[n]), f"(to {ends[n].item():%d %b %Y})"), float(weight[n]))
        for n in named
    ]
    if len(others):
        parts.append((Name(f"{len(others)} other cells"), float(weight[others].sum())))
    if abs(float(data["shared"])) > 0:
        parts.append((Name("Not shared out among the cells"), float(data["shared"])))
    parts.append((Name("What learning adds"), float(data["learning"])))
    before, after = float(data["before"]), float(data["engine"])
    finite = [abs(one) for one in (before, after, *(w for _, w in parts)) if abs(one) < RULED_OUT]
    limit = 1.5 * sum(finite) + 10.0
    level = float(np.clip(before, -limit, limit))
    steps = [Step(Name("Before any evidence"), level, level, _total(before), total=True)]
    for name, part in parts:
        end = float(np.clip(level + part, -limit, limit))
        steps.append(Step(name, level, end, direction(part if abs(part) < RULED_OUT else part * np.inf)))
        level = end
    end = float(np.clip(after, -limit, limit))
    return [*steps, Step(Name("The forecast"), end, end, _total(after), total=True)]


def _total(decibans: float) -> str:
    number = f"{decibans:+.1f}" if abs(decibans) < RULED_OUT else ("+∞" if decibans > 0 else "−∞")
    return f"{number.replace('-', '−')} ({percent(_chance(decibans))})"


def _chance(decibans: float) -> float:
    if abs(decibans) >= RULED_OUT:
        return float(decibans > 0)
    return float(1 / (1 + 10 ** (-decibans / 10)))


def _decibans(chance: float) -> float:
    return float(10 * np.log10(chance / (1 - chance)))


def _paper(title: str, what: str, steps: list[Step], style: ScenarioStyle, width: float | None) -> Figure:
    width, names = width or base.WIDE, [step.name for step in steps]
    room = labels_width(names, width)
    height = row_height(names, room) * len(steps)
    figure, top = base.titled_figure(width, _ABOVE + height + _BELOW, title, what)
    left = base.EDGE + room + 0.08
    axes = base.add_axes(figure, left, top + _ABOVE, width - left - 2 * base.EDGE, height)
    set_up_rows(axes, names, room)
    draw_steps(axes, steps, style.colour)
    axes.set_xlim(*around(steps, base.size_of(axes)[0]))
    mark_zero(axes)
    axes.set_xlabel("log odds against the rest, decibans", fontsize=SMALL - 0.5, color=INK)
    _mark_chances(axes)
    return figure


def _mark_chances(axes: Axes) -> None:
    """Write above the axes which log odds are which probability, as many as have room."""
    wide, tall = base.size_of(axes)
    low, high = axes.get_xlim()
    taken: list[float] = []
    for chance in _MARKED:
        x = (_decibans(chance) - low) / (high - low)
        if 0 <= x <= 1 and all(abs(x - other) * wide > 0.42 for other in taken):
            taken.append(x)
            text = f"{100 * chance:g}%"
            base.text_at(axes, x, 1 + 0.12 / tall, text, size=SMALL - 1, side="center")
            axes.plot(
                [x, x], [1, 1 + 0.04 / tall], transform=axes.transAxes, color=INK, lw=0.7, clip_on=False
            )


def _screen(title: str, what: str, steps: list[Step], style: ScenarioStyle, width: float | None) -> go.Figure:
    figure = plotly_trend.new_figure(title, what, height=2.0 + 0.36 * len(steps), width=width)
    draw_steps_on_screen(figure, steps, style.colour)
    plotly_trend.label_rows(figure, [step.name for step in steps])
    figure.update_xaxes(
        title_text="log odds against the rest, decibans", gridcolor=GRID, range=around(steps, 6.0)
    )
    return figure
