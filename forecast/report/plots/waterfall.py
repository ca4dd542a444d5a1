"""Horizontal bar charts: waterfalls of change and of weight of evidence, and expected information."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from forecast.case.errors import Fault, InputError, listed, meant
from forecast.inference.diagnostics import RULED_OUT
from forecast.inference.result import of_unit
from forecast.report.number_format import decibans, percent, points
from forecast.report.plots import base
from forecast.report.plots.series import plotted_unit, scenarios_of, unit_title
from forecast.report.sentences import CHANGE_PARTS
from forecast.report.styles import FAINT, INK, SMALL, scenario_styles
from forecast.report.text.tables import UNASKED

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from forecast.case.folder import Case
    from forecast.case.question import Question, Scenario

type When = Literal["now", "horizon"]
type Target = Literal["now", "reported", "horizon"]
_HALF = 0.32  #: How far a bar reaches up and down from the middle of its row, in rows
_LEAST, _APART = 1.65, 0.1  #: A panel of `plot_changed` is at least so wide, with the gap to its neighbour

#: The probabilities that are marked above the decibans where there is room, the first ones first.
_MARKED = (
    *(0.5, 0.25, 0.75, 0.1, 0.9, 0.05, 0.95, 0.01, 0.99, 0.001, 0.999),
    *(0.6, 0.7, 0.8, 0.4, 0.3, 0.2, 0.02, 0.98, 0.85, 0.15, 0.65, 0.35, 0.55, 0.45),
)

_WHEN = {"now": "now", "horizon": "at the horizon"}
_TARGETS = {
    "now": "the scenario now",
    "reported": "the scenario in the period reported on",
    "horizon": "the scenario at the horizon",
}


@dataclass(frozen=True, slots=True)
class Step:
    """A row of a waterfall: its start and end, and the text beside it; a total has no direction."""

    label: base.RowLabel
    start: float
    end: float
    text: str
    total: bool = False


def plot_changed(
    case: Case,
    change: xr.Dataset,
    *,
    when: When | None = None,
    unit: str | None = None,
    width: float = base.WIDE,
) -> Figure:
    """Draw what moved each scenario's probability since the last forecast that was issued.

    A panel for each scenario, from the number that was issued down to this forecast; a filled bar raises the
    probability, a hatched one lowers it. All panels show as many percentage points, so that lengths compare.

    Parameters
    ----------
    case, unit, width
        As for :func:`forecast.plot_outlook`, with the same result and errors.
    change : Dataset
        What :func:`forecast.changed_since_issue` returned for it.
    when : {"now", "horizon"}, optional
        Which probability: at the as-of date or at the horizon; default: the horizon in a regime, else now.

    Examples
    --------
    >>> forecast.plot_changed(case, forecast.changed_since_issue(case, tree))  # doctest: +SKIP
    """
    if when not in (None, *_WHEN):
        raise ValueError(f"when {when!r} is neither 'now' nor 'horizon'")
    name, scenarios = plotted_unit(case.question, unit), scenarios_of(case, change)
    when, data = when or ("horizon" if case.question.dynamics is not None else "now"), of_unit(change, name)
    waterfalls = [_changes(data.sel(scenario=one.id), when) for one in scenarios]
    subtitle = (
        f"Probability {_WHEN[when]}, in percent, from the forecast issued as of {change.attrs['since']} to "
        f"that as of {change.attrs['as_of']}: filled raises it, hatched lowers it"
    )
    names = base.row_labels([step.label for step in waterfalls[0]], width)
    room = base.rows_room(names, width)
    rows, columns = base.grid_shape(len(scenarios), int(room / _LEAST))
    height, title = rows * (base.rows_height(names) + 0.8), unit_title(case.question, name)
    figure, panels = base.titled_grid(width, height, title, subtitle, len(scenarios), columns)
    wide, styles = room / columns - _APART, scenario_styles(case.question.all_scenarios)
    ranges = _equal_ranges(waterfalls, wide)
    for n, (axes, scenario, steps) in enumerate(zip(panels, scenarios, waterfalls, strict=True)):
        style = styles[scenario.id]
        _draw_waterfall(axes, names if n % columns == 0 else [""] * len(names), steps, style.colour)
        base.value_axis(axes, ranges[n], zero=steps[0].end, most=4)
        base.name_panel(axes, scenario.title, style.text_colour, wide)
    return figure


def _changes(data: xr.Dataset, when: str) -> list[Step]:
    """Return the steps of one scenario from the issued forecast to this one, in percentage points."""
    level = 100 * float(data[f"{when}_issued"])
    steps = [Step(base.RowLabel("as it was issued"), level, level, f"{level:.1f}%", total=True)]
    for name in data["step"].values.tolist():
        end = 100 * float(data[f"{when}_after"].sel(step=name))
        text = points(float(data[when].sel(step=name)), 1)
        steps.append(Step(base.RowLabel(CHANGE_PARTS.get(name, name)), level, end, text))
        level = end
    return [*steps, Step(base.RowLabel("this forecast"), level, level, f"{level:.1f}%", total=True)]


def _equal_ranges(waterfalls: list[list[Step]], wide: float) -> list[tuple[float, float]]:
    """Return the range of each waterfall in axes so wide: all of one length, each around its own steps."""
    own = [_range(steps, wide) for steps in waterfalls]
    span = max(1.0, *(high - low for low, high in own))
    return [(low - 0.3 * (span - high + low), high + 0.7 * (span - high + low)) for low, high in own]


def plot_evidence(
    case: Case,
    explanation: xr.Dataset,
    *,
    scenario: str | None = None,
    unit: str | None = None,
    cells: int = 12,
    width: float = base.WIDE,
) -> Figure:
    """Draw the steps from the prior of a scenario to its forecast: a waterfall of weights of evidence.

    Along the axis run the log odds of the scenario against the rest, in decibans; above it the probabilities
    that these are. A filled bar speaks for the scenario, a hatched one against it. The lines add up as
    :func:`forecast.explain` says; in a regime one of them is what the cells leave over.

    Parameters
    ----------
    case, unit, width
        As for :func:`forecast.plot_outlook`, with the same result and errors.
    explanation : Dataset
        What :func:`forecast.explain` returned for it.
    scenario : str, optional
        The id of the scenario; default: the one that leads. An InputError if it has no such scenario.
    cells : int
        So many cells, the weightiest, have a row each; the others share one.

    Examples
    --------
    >>> forecast.plot_evidence(case, forecast.explain(case), scenario="tactical")  # doctest: +SKIP
    """
    name = plotted_unit(case.question, unit)
    data = of_unit(explanation, name)
    data = data.isel(cell=np.flatnonzero(data["cell_unit"].values == name))
    chosen = _chosen(scenarios_of(case, explanation), data, scenario)
    title = f"{chosen.title}: from the prior to the forecast" + (f", {name}" if name else "")
    subtitle = (
        f"Weight of evidence for it (filled) and against it (hatched), as of {explanation.attrs['as_of']}, "
        "in decibans: 10 make the odds tenfold"
    )
    steps = _weights(case.question, data.sel(scenario=chosen.id), cells)
    names = base.row_labels([step.label for step in steps], width)
    room = base.rows_room(names, width)
    figure, (axes,) = base.titled_grid(width, base.rows_height(names) + 0.85, title, subtitle)
    _draw_waterfall(axes, names, steps, scenario_styles(case.question.all_scenarios)[chosen.id].colour)
    base.value_axis(axes, _range(steps, room), "log odds against the rest, decibans")
    _mark_probabilities(axes, room)
    return figure


def _chosen(scenarios: Sequence[Scenario], data: xr.Dataset, id: str | None) -> Scenario:
    """Return the scenario with an id, by default the one that leads."""
    ids = [scenario.id for scenario in scenarios]
    if id is None:
        return scenarios[int(data["engine"].sel(scenario=ids).values.argmax())]
    if id not in ids:
        fix = meant(id, ids) or "name one of these"
        raise InputError([Fault("plot_evidence", 0, id, "no such scenario", listed(ids), fix)])
    return scenarios[ids.index(id)]


def _weights(question: Question, data: xr.Dataset, most: int) -> list[Step]:
    """Return waterfall rows: prior odds, largest cells in time order, the rest, and the remainder."""
    weight = data["weight"].values
    titles = question.indicator_titles
    order = np.argsort(-np.abs(weight), kind="stable")
    named, others = np.sort(order[:most]), order[most:]
    ends = data["cell_period_end"].values.astype("datetime64[D]")
    indicators = data["cell_indicator"].values.tolist()
    parts = [
        (base.RowLabel(titles.get(name, name), f"(to {ends[n].item():%d %b %Y})"), float(weight[n]))
        for n in named
        if (name := indicators[n])
    ]
    if len(others):
        parts.append((base.RowLabel(f"{len(others)} other cells"), float(weight[others].sum())))
    if abs(float(data["interaction"])) > 0:
        parts.append((base.RowLabel("Not shared out among the cells"), float(data["interaction"])))
    parts.append((base.RowLabel("What learning adds"), float(data["learning"])))
    before, after = float(data["before"]), float(data["engine"])
    finite = [abs(one) for one in (before, after, *(w for _, w in parts)) if abs(one) < RULED_OUT]
    limit = 1.5 * sum(finite) + 10.0
    level = float(np.clip(before, -limit, limit))
    steps = [Step(base.RowLabel("Before any evidence"), level, level, _total(before), total=True)]
    for label, part in parts:
        end = float(np.clip(level + part, -limit, limit))
        steps.append(Step(label, level, end, decibans(part if abs(part) < RULED_OUT else part * np.inf)))
        level = end
    end = float(np.clip(after, -limit, limit))
    return [*steps, Step(base.RowLabel("The forecast"), end, end, _total(after), total=True)]


def _total(decibans: float) -> str:
    """Write log odds and the probability that they are."""
    if abs(decibans) >= RULED_OUT:
        return "+∞ (100%)" if decibans > 0 else "−∞ (0%)"
    probability = 1 / (1 + 10 ** (-decibans / 10))
    return f"{decibans:+.1f} ({percent(probability)})".replace("-", "−")


def _mark_probabilities(axes: Axes, room: float) -> None:
    """Write above axes so wide which log odds are which probability, as many as have room."""
    low, high = axes.get_xlim()
    marked: dict[float, str] = {}
    for probability in _MARKED:
        x = float(10 * np.log10(probability / (1 - probability)))
        if low <= x <= high and all(abs(x - other) / (high - low) * room > 0.42 for other in marked):
            marked[x] = f"{100 * probability:g}%"
    scale = axes.secondary_xaxis("top")
    scale.set_xticks(list(marked), list(marked.values()), fontsize=SMALL - 1, color=INK)
    scale.spines["top"].set_visible(False)
    scale.tick_params(length=3, color=INK)


def plot_collect(
    case: Case,
    table: pd.DataFrame,
    *,
    target: Target = "horizon",
    unit: str | None = None,
    rows: int = 15,
    width: float = base.WIDE,
) -> Figure:
    """Plot the expected information of possible reports, by indicator and source.

    Parameters
    ----------
    case, unit, width
        As for :func:`forecast.plot_outlook`, with the same result and errors.
    table : DataFrame
        What :func:`forecast.collect` returned for it; the order of its rows is kept.
    target : {"horizon", "now", "reported"}
        What the information is about: the scenario at the horizon, at the as-of date, or in the period that
        would be reported on.
    rows : int
        How many rows of the table are drawn, from its top.

    Examples
    --------
    >>> forecast.plot_collect(case, forecast.collect(case)).savefig("collect.png")  # doctest: +SKIP
    """
    if target not in _TARGETS:
        raise ValueError(f"target {target!r} is none of {', '.join(map(repr, _TARGETS))}")
    name = plotted_unit(case.question, unit)
    own = table[table["unit"] == name] if "unit" in table else table
    top, titles = own.head(rows), case.question.indicator_titles
    labels = [
        base.RowLabel(titles.get(indicator, indicator), f"({source})" if source else UNASKED)
        for indicator, source in zip(top["indicator"], top["source"], strict=True)
    ]
    subtitle = (
        f"Bits that a report on the period to {table.attrs['period_end']} is expected to give about "
        f"{_TARGETS[target]}, with two standard errors"
        + (f"; the first {len(top)} of {len(own)}" if len(top) < len(own) else "")
    )
    names, title = base.row_labels(labels, width), unit_title(case.question, name)
    figure, (axes,) = base.titled_grid(width, base.rows_height(names) + 0.5, title, subtitle)
    base.name_rows(axes, names)
    bits, errors = (top[column].to_numpy(float) for column in (target, f"{target}_error"))
    _draw_information(axes, bits, 2 * errors, base.rows_room(names, width))
    return figure


def _draw_information(axes: Axes, bits: np.ndarray, errors: np.ndarray, room: float) -> None:
    """Draw a bar in each row of axes so wide, with its error, and its number beside it."""
    rows, ends = range(len(bits)), bits + errors
    axes.barh(rows, bits, height=2 * _HALF, color="#0072B2", alpha=0.75)
    axes.errorbar(bits, rows, xerr=errors, fmt="none", ecolor=INK, elinewidth=0.9, capsize=2.5)
    for row in rows:
        _write_beside(axes, f"{bits[row]:.2g}", ends[row], row)
    most = (float(np.max(ends, initial=0.0)) or 1.0) / (1 - min(0.6 / room, 0.5))
    base.value_axis(axes, (0.0, most), "bits", most=max(3, int(room / 0.7)))


def _draw_waterfall(axes: Axes, names: Sequence[str], steps: Sequence[Step], colour: str) -> None:
    """Draw steps: up is filled, down is hatched, a total is a dark line."""
    base.name_rows(axes, names)
    for row, step in enumerate(steps):
        low, high = sorted((step.start, step.end))
        if step.total:
            axes.plot([step.end] * 2, [row - _HALF, row + _HALF], color=INK, linewidth=3, zorder=4)
        else:
            down = step.end < step.start
            bar: base.Style = {"facecolor": "white" if down else colour, "hatch": "/////" if down else ""}
            axes.barh(row, high - low, 2 * _HALF, low, edgecolor=colour, linewidth=1.0, zorder=3, **bar)
        if row + 1 < len(steps):
            axes.plot([step.end] * 2, [row + _HALF, row + 1 - _HALF], color=FAINT, linewidth=0.7, zorder=2)
        _write_beside(axes, step.text, high, row, bold=step.total)


def _write_beside(axes: Axes, text: str, x: float, row: int, *, bold: bool = False) -> None:
    """Write a text to the right of a place in a row."""
    style: base.Style = {"fontsize": base.ROW_SIZE, "color": INK, "fontweight": "bold" if bold else "normal"}
    style |= {"verticalalignment": "center", "annotation_clip": False, "zorder": 5}
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    axes.annotate(text, (x, row), textcoords="offset points", xytext=(5, 0), bbox=box, **style)


def _range(steps: Sequence[Step], wide: float) -> tuple[float, float]:
    """Return the range of a waterfall, with room for the texts in axes so wide."""
    places = [place for step in steps for place in (step.start, step.end)]
    low, high = min(places), max(places)
    span = (high - low) or 1.0
    text = max(base.inches(step.text, size=base.ROW_SIZE, bold=step.total) for step in steps) + 0.12
    share = min(text / wide, 0.6)
    return low - 0.05 * span, high + span * share / (1 - share)
