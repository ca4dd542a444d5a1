"""What the evidence has taught about the judgements: each before and after, those that moved most first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from forecast.case.in_force import ever
from forecast.inference.diagnostics import DRIFT_TAIL
from forecast.report.plots import base, plotly_trend
from forecast.report.plots.base import Name
from forecast.report.plots.rows import labels_width, row_height, set_up_rows
from forecast.report.plots.series import Backend, on_screen
from forecast.report.styles import FAINT, GRID, INK, SMALL

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr
    from matplotlib.figure import Figure

    from forecast.case.folder import Case

_NOW = "#0072B2"


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgement: mean and central 90 % of its draws (low, mean, high) before and after the evidence.

    `scale` names the axis it is drawn on: that of probabilities, of stays, or one of its own.
    """

    name: Name
    scale: str
    said: tuple[float, float, float]
    now: tuple[float, float, float]
    tail: float


@overload
def plot_judgements(
    case: Case,
    tree: xr.DataTree,
    *,
    judgements: int = 20,
    width: float | None = None,
    backend: Literal["matplotlib"] = "matplotlib",
) -> Figure: ...
@overload
def plot_judgements(
    case: Case,
    tree: xr.DataTree,
    *,
    judgements: int = 20,
    width: float | None = None,
    backend: Literal["plotly"],
) -> go.Figure: ...
def plot_judgements(
    case: Case,
    tree: xr.DataTree,
    *,
    judgements: int = 20,
    width: float | None = None,
    backend: Backend = "matplotlib",
) -> Figure | go.Figure:
    """Draw the judgements before and after the evidence, those that moved most first.

    Above, open and thin, what the author said: the mean and the central 90 % of the draws from the prior.
    Below, filled and thick, what it is now: the same of the posterior. How far a judgement moved is the tail
    of `tree["drift"]`; one that moved so far that the forecast warns of it has a star.

    Parameters
    ----------
    case : Case
    tree : DataTree
        What :func:`forecast.update` returned for it.
    judgements : int
        How many are drawn at the most.
    width : float, optional
        Width in inches; default 8 on paper, on the screen as wide as its place.
    backend : {"matplotlib", "plotly"}

    Returns
    -------
    matplotlib.figure.Figure or plotly.graph_objects.Figure

    Examples
    --------
    >>> forecast.plot_judgements(case, forecast.update(case)).savefig("judgements.png")  # doctest: +SKIP
    """
    drift = tree["drift"].to_dataset()
    order = np.argsort(drift["tail"].values, kind="stable")[:judgements]
    found = [_judged(case, tree, drift.isel(judgement=n)) for n in order]
    left_out = drift.sizes["judgement"] - len(found)
    what = (
        "Judgements before the evidence (open) and after it (filled): mean and central 90%; those that moved"
        " most come first, * is far" + (f"; {left_out} that moved less are left out" if left_out else "")
    )
    draw = _screen if on_screen(backend) else _paper
    return draw(case.question.title, what, found, width)


# --- reading the result ------------------------------------------------------------------------------------


def _judged(case: Case, tree: xr.DataTree, row: xr.Dataset) -> Judged:
    name, entry = str(row["judgement"].values), str(row["entry"].values)
    label, scale = _label(case, name, entry)
    said, now = (_interval(_draws(tree[group].to_dataset(), name, entry)) for group in ("prior", "posterior"))
    tail = float(row["tail"])
    if tail < DRIFT_TAIL:
        label = Name(label.head, f"{label.tail} *".strip())
    return Judged(label, scale, said, now, tail)


def _draws(data: xr.Dataset, name: str, entry: str) -> np.ndarray:
    """Return the draws of a judgement of the drift, which names it by block and entry."""
    kind, *rest = name.split(" ")
    if kind == "prior":
        found = data["prior"].sel(scenario=entry)
    elif kind == "likelihood":
        found = data[f"likelihood_{rest[0]}"].sel(scenario=rest[1])
        found = found.sel({f"{rest[0]}_value": entry}) if entry else found
    elif kind == "reliability":
        found = data["reliability"].sel(source=rest[0])
    elif kind == "testimony":
        found = data["testimony_reliability"].sel(testimony=" ".join(rest))
    elif kind == "leave":
        found = data["lasts"].sel(leaving_scenario=rest[0])
    else:
        found = data[kind].sel(move=f"{rest[0]} to {entry}")
    return found.values.ravel()


def _label(case: Case, name: str, entry: str) -> tuple[Name, str]:
    """Return what a judgement is called, and the axis on which it is drawn."""
    question, (kind, *rest) = case.question, name.split(" ")
    scenarios = {scenario.id: scenario.title for scenario in ever(question)}
    chance = "probability"
    if kind == "prior":
        return Name("Prior of", scenarios[entry]), chance
    if kind == "likelihood":
        indicator = next(one for one in question.indicators if one.id == rest[0])
        value = f"= {entry} " if entry else ""
        return Name(indicator.title, f"{value}if {rest[1]}"), chance if indicator.values else indicator.title
    if kind in ("reliability", "testimony"):
        told = "Reliability of" if kind == "reliability" else "Reliability of the testimony"
        return Name(told, " ".join(rest)), chance
    if kind == "leave":
        return Name(f"Stay in {scenarios[rest[0]]}"), "periods"
    return Name(f"{scenarios[rest[0]]}, then", scenarios[entry]), chance


def _interval(draws: np.ndarray) -> tuple[float, float, float]:
    low, high = np.quantile(draws, (0.05, 0.95))
    return float(low), float(draws.mean()), float(high)


def _by_scale(found: list[Judged]) -> dict[str, list[Judged]]:
    """Return the judgements of each axis, probabilities first."""
    scales = sorted(dict.fromkeys(one.scale for one in found), key=lambda scale: scale != "probability")
    return {scale: [one for one in found if one.scale == scale] for scale in scales}


# --- drawing -----------------------------------------------------------------------------------------------


def _paper(title: str, what: str, found: list[Judged], width: float | None) -> Figure:
    width, names = width or base.WIDE, [one.name for one in found]
    room = labels_width(names, width)
    row, parts = row_height(names, room), _by_scale(found)
    below = 0.5
    height = sum(row * len(part) + below for part in parts.values())
    figure, top = base.titled_figure(width, height, title, what)
    left = base.EDGE + room + 0.08
    for scale, part in parts.items():
        axes = base.add_axes(figure, left, top, width - left - 2.5 * base.EDGE, row * len(part))
        set_up_rows(axes, [one.name for one in part], room)
        for place, one in enumerate(part):
            axes.plot([one.said[0], one.said[2]], [place - 0.16] * 2, color=FAINT, linewidth=1.1, zorder=2)
            axes.plot([one.now[0], one.now[2]], [place + 0.16] * 2, color=_NOW, linewidth=2.4, zorder=2)
        places = np.arange(len(part))
        said, now = ([getattr(one, when)[1] for one in part] for when in ("said", "now"))
        style: dict[str, Any] = {"linestyle": "", "clip_on": False, "zorder": 3}
        axes.plot(said, places - 0.16, marker="o", ms=4, mfc="white", mec=INK, mew=0.9, **style)
        axes.plot(now, places + 0.16, marker="D", ms=4, color=_NOW, **style)
        axes.hlines(places[:-1] + 0.5, 0, 1, transform=axes.get_yaxis_transform(), color=GRID, linewidth=0.5)
        axes.grid(axis="x", color=GRID, linewidth=0.5)
        axes.tick_params(axis="x", length=3, color=FAINT)
        if scale == "probability":
            axes.set_xlim(0, 1)
        axes.set_xlabel(
            base.fit(scale, base.size_of(axes)[0]), fontsize=SMALL - 0.5, color=INK, parse_math=False
        )
        top += row * len(part) + below
    return figure


def _screen(title: str, what: str, found: list[Judged], width: float | None) -> go.Figure:
    parts = _by_scale(found)
    figure = plotly_trend.new_figure(
        title, what, height=2.2 + 0.36 * len(found) + 0.5 * len(parts), width=width
    )
    figure.set_subplots(
        max(len(parts), 1),
        1,
        row_heights=[len(part) for part in parts.values()] or None,
        vertical_spacing=0.6 / (0.36 * len(found) + 2),
    )
    for number, (scale, part) in enumerate(parts.items(), start=1):
        for when, aside, colour, symbol in (
            ("said", -0.16, INK, "circle-open"),
            ("now", 0.16, _NOW, "diamond"),
        ):
            values = np.array([getattr(one, when) for one in part])
            figure.add_scatter(
                x=values[:, 1],
                y=np.arange(len(part)) + aside,
                error_x={
                    "type": "data",
                    "array": values[:, 2] - values[:, 1],
                    "arrayminus": values[:, 1] - values[:, 0],
                    "width": 0,
                    "thickness": 1 if when == "said" else 2.5,
                },
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 8},
                name="before the evidence" if when == "said" else "after it",
                legendgroup=when,
                showlegend=number == 1,
                hoverinfo="text",
                hovertext=[
                    f"{plotly_trend.plain(one.name, width=60)}<br>{mean:.3g} ({low:.3g} to {high:.3g}); "
                    f"tail {one.tail:.2g}"
                    for one, (low, mean, high) in zip(part, values, strict=True)
                ],
                row=number,
                col=1,
            )
        plotly_trend.label_rows(figure, [one.name for one in part], row=number, col=1)
        limits = [0, 1] if scale == "probability" else None
        figure.update_xaxes(
            title_text=plotly_trend.plain(scale), range=limits, gridcolor=GRID, row=number, col=1
        )
    return figure
