"""What moved the forecast since the last one that was issued: a waterfall for each scenario."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, overload

from forecast.report.changes import MEANING
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
from forecast.report.styles import GRID, SMALL, ScenarioStyle

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from forecast.case.folder import Case

When = Literal["now", "horizon"]

#: A panel is at least so wide, in inches, so far from its neighbour, and has so much above and below it.
_LEAST, _APART, _HEAD, _FOOT = 1.45, 0.2, 0.42, 0.3


@dataclass(frozen=True, slots=True)
class Move:
    """One scenario: the steps from the forecast that was issued to this one, in percentage points."""

    title: str
    style: ScenarioStyle
    steps: list[Step]


@overload
def plot_changed(
    case: Case,
    change: xr.Dataset,
    *,
    when: When | None = None,
    unit: str | None = None,
    width: float | None = None,
    backend: Literal["matplotlib"] = "matplotlib",
) -> Figure: ...
@overload
def plot_changed(
    case: Case,
    change: xr.Dataset,
    *,
    when: When | None = None,
    unit: str | None = None,
    width: float | None = None,
    backend: Literal["plotly"],
) -> go.Figure: ...
def plot_changed(
    case: Case,
    change: xr.Dataset,
    *,
    when: When | None = None,
    unit: str | None = None,
    width: float | None = None,
    backend: Backend = "matplotlib",
) -> Figure | go.Figure:
    """Draw what moved each scenario's probability since the last forecast that was issued.

    A panel for each scenario, from the number that was issued down to this forecast; a filled bar raises the
    probability, a hatched one lowers it. All panels show as many percentage points, so that lengths compare.

    Parameters
    ----------
    case : Case
    change : Dataset
        What :func:`forecast.changed_since_issue` returned for it.
    when : {"now", "horizon"}, optional
        Which probability: at the as-of date or at the horizon; default: the horizon in a regime, else now.
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
    >>> change = forecast.changed_since_issue(case, tree)  # doctest: +SKIP
    >>> forecast.plot_changed(case, change).savefig("changed.png")  # doctest: +SKIP
    """
    if when not in (None, "now", "horizon"):
        raise ValueError(f"when {when!r} is neither 'now' nor 'horizon'")
    name = the_unit(case.question, unit)
    data = change.sel(unit=name) if "unit" in change.dims else change
    asked = when or ("horizon" if case.question.dynamics is not None else "now")
    style = styles(case)
    moves = [
        Move(one.title, style[one.id], _steps(data.sel(scenario=one.id), asked))
        for one in scenarios_of(case, change)
    ]
    at = "at the horizon" if asked == "horizon" else "now"
    what = (
        f"Probability {at}, in percent, from the forecast issued as of {change.attrs['since']} to that as of "
        f"{change.attrs['as_of']}: filled raises it, hatched lowers it"
    )
    title = f"{name}: {case.question.title}" if name else case.question.title
    draw = _screen if on_screen(backend) else _paper
    return draw(title, what, moves, width)


def _steps(data: xr.Dataset, when: str) -> list[Step]:
    level = 100 * float(data[f"{when}_issued"])
    steps = [Step(Name("as it was issued"), level, level, f"{level:.1f}%", total=True)]
    for name in data["step"].values.tolist():
        end = 100 * float(data[f"{when}_after"].sel(step=name))
        points = 100 * float(data[when].sel(step=name))
        text = f"{points:+.1f}".replace("-", "−") if abs(points) >= 0.05 else "0"
        steps.append(Step(Name(MEANING.get(name, name)), level, end, text))
        level = end
    return [*steps, Step(Name("this forecast"), level, level, f"{level:.1f}%", total=True)]


def _ranges(moves: list[Move], wide: float) -> list[tuple[float, float]]:
    """Return the range of each panel so many inches wide: all of one length, each around its own steps."""
    own = [around(move.steps, wide) for move in moves]
    span = max(1.0, *(high - low for low, high in own))
    return [(low - 0.3 * (span - high + low), high + 0.7 * (span - high + low)) for low, high in own]


def _paper(title: str, what: str, moves: list[Move], width: float | None) -> Figure:
    width, names = width or base.WIDE, [step.name for step in moves[0].steps]
    room = min(labels_width(names, width), 0.31 * width)
    left = base.EDGE + room + 0.08
    most = max(1, min(len(moves), int((width - left) / (_LEAST + _APART))))
    lines = -(-len(moves) // most)
    columns = -(-len(moves) // lines)
    wide = (width - left - base.EDGE - _APART * (columns - 1)) / columns
    tall = row_height(names, room) * len(names)
    high = _HEAD + tall + _FOOT
    figure, top = base.titled_figure(width, lines * high + base.EDGE, title, what)
    for number, (move, (low, end)) in enumerate(zip(moves, _ranges(moves, wide), strict=True)):
        line, column = divmod(number, columns)
        place = left + column * (wide + _APART)
        axes = base.add_axes(figure, place, top + line * high + _HEAD, wide, tall)
        set_up_rows(axes, names if not column else [Name("")] * len(names), room)
        draw_steps(axes, move.steps, move.style.colour)
        axes.set_xlim(low, end)
        mark_zero(axes, move.steps[0].end)
        axes.locator_params(axis="x", nbins=4)
        _name(axes, move)
    return figure


def _name(axes: Axes, move: Move) -> None:
    wide, tall = base.size_of(axes)
    lines = base.fit(move.title, wide, lines=2, bold=True).split("\n")
    for number, line in enumerate(reversed(lines)):
        y = 1 + (0.09 + 0.15 * number) / tall
        base.text_at(axes, 0.0, y, line, size=SMALL, colour=move.style.text_colour, bold=True)


def _screen(title: str, what: str, moves: list[Move], width: float | None) -> go.Figure:
    columns = 1 if len(moves) == 1 else 2
    lines = -(-len(moves) // columns)
    figure = plotly_trend.new_figure(title, what, height=1.8 + 3.0 * lines, width=width)
    titles = [plotly_trend.plain(move.title, width=40) for move in moves]
    figure.set_subplots(
        lines, columns, subplot_titles=titles, shared_yaxes=True, vertical_spacing=0.24 / (lines + 0.5)
    )
    figure.update_annotations(font_size=13)
    for number, (move, span) in enumerate(zip(moves, _ranges(moves, 3.5), strict=True)):
        row, col = number // columns + 1, number % columns + 1
        draw_steps_on_screen(figure, move.steps, move.style.colour, row=row, col=col)
        plotly_trend.label_rows(figure, [step.name for step in move.steps], row=row, col=col)
        figure.update_xaxes(range=span, gridcolor=GRID, zeroline=False, row=row, col=col)
    return figure
