"""Judgements before and after the evidence: means and central intervals of the prior and the posterior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.case.judgement import JudgementId
from forecast.inference.diagnostics import DRIFT_TAIL
from forecast.report.plots import base
from forecast.report.plots.base import RowLabel
from forecast.report.styles import FAINT, GRID, INK

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from forecast.case.folder import Case
    from forecast.case.question import Question

_PROBABILITY, _POSTERIOR = "probability", "#0072B2"


@dataclass(frozen=True, slots=True)
class JudgementInterval:
    """A judgement: its row, the axis it is drawn on, and (low, mean, high) before and after the evidence."""

    label: RowLabel
    scale: str
    prior: tuple[float, float, float]
    posterior: tuple[float, float, float]


def plot_judgements(
    case: Case, tree: xr.DataTree, *, judgements: int = 20, width: float = base.WIDE
) -> Figure:
    """Draw the judgements before and after the evidence, those that moved most first.

    Above, open and thin, the author's judgement: the mean and the central 90 % of the draws from the prior.
    Below, filled and thick, the judgement now: the same of the posterior. How far a judgement moved is the
    tail of `tree["drift"]`; one that moved so far that the forecast warns of it has a star.

    Parameters
    ----------
    case, tree, width
        As for :func:`forecast.plot_outlook`, with the same result.
    judgements : int
        How many are drawn at the most.

    Examples
    --------
    >>> forecast.plot_judgements(case, forecast.update(case)).savefig("judgements.png")  # doctest: +SKIP
    """
    drift = tree["drift"].to_dataset()
    order = np.argsort(drift["tail"].values, kind="stable")[:judgements]
    intervals = [_interval(case.question, tree, drift.isel(judgement=n)) for n in order]
    left_out = drift.sizes["judgement"] - len(intervals)
    subtitle = (
        "Judgements before the evidence (open) and after it (filled): mean and central 90%; those that moved"
        " most come first, * is far" + (f"; {left_out} that moved less are left out" if left_out else "")
    )
    intervals.sort(key=lambda one: one.scale != _PROBABILITY)
    scales = dict.fromkeys([one.scale for one in intervals] or [_PROBABILITY])
    parts = {scale: [one for one in intervals if one.scale == scale] for scale in scales}
    names = base.row_labels([one.label for one in intervals], width)
    height = base.rows_height(names) + 0.5 * len(parts)
    ratios = [max(len(part), 1) for part in parts.values()]
    title = case.question.title
    figure, panels = base.titled_grid(width, height, title, subtitle, len(parts), height_ratios=ratios)
    for axes, (scale, part) in zip(panels, parts.items(), strict=True):
        base.name_rows(axes, [names.pop(0) for _ in part])
        _draw_intervals(axes, part)
        base.value_axis(axes, None, base.fit(scale, 0.5 * width))
        if scale == _PROBABILITY:
            axes.set_xlim(0, 1)
    return figure


def _interval(question: Question, tree: xr.DataTree, drift: xr.Dataset) -> JudgementInterval:
    """Return a judgement of the drift, with mean and central 90 % of its draws."""
    id, entry = JudgementId.parse(str(drift["judgement"].values)), str(drift["entry"].values)
    label, scale, variable, place = _reading(question, id, entry)
    if float(drift["tail"]) < DRIFT_TAIL:
        label = RowLabel(label.head, f"{label.tail} *".strip())
    intervals = []
    for group in ("prior", "posterior"):
        draws = tree[group].to_dataset()[variable].sel(place).values.ravel()
        low, high = np.quantile(draws, (0.05, 0.95))
        intervals.append((float(low), float(draws.mean()), float(high)))
    return JudgementInterval(label, scale, *intervals)


def _reading(question: Question, id: JudgementId, entry: str) -> tuple[RowLabel, str, str, dict[str, str]]:
    """Return a judgement's name for a reader, its axis, and the variable and coordinates of its draws."""
    titles = question.all_titles
    if id.kind == "prior":
        return RowLabel("Prior of", titles[entry]), _PROBABILITY, "prior", {"scenario": entry}
    if id.kind == "likelihood":
        indicator, value = question.indicator(id.indicator), f"= {entry} " if entry else ""
        scale = _PROBABILITY if indicator.values else indicator.title
        place = {"scenario": id.scenario} | ({f"{id.indicator}_value": entry} if entry else {})
        label = RowLabel(indicator.title, f"{value}if {id.scenario}")
        return label, scale, f"likelihood_{id.indicator}", place
    if id.kind == "reliability":
        return RowLabel("Reliability of", id.source), _PROBABILITY, "reliability", {"source": id.source}
    if id.kind == "testimony":
        label = RowLabel("Reliability of the testimony", id.source)
        return label, _PROBABILITY, "testimony_reliability", {"testimony": id.source}
    if id.kind == "leave":
        label = RowLabel(f"Stay in {titles[id.scenario]}")
        return label, "periods", "lasts", {"leaving_scenario": id.scenario}
    if id.kind in ("preparing", "ends_in_event"):
        of, outcome = titles.get(id.scenario, "the event"), id.scenario or "any"
        if id.kind == "preparing":
            return RowLabel(f"How long {of} is prepared"), "periods", "lasts", {"outcome": outcome}
        label = RowLabel(f"Preparations of {of} that end in it")
        return label, _PROBABILITY, "ends_in_event", {"ending_outcome": outcome}
    label = RowLabel(f"{titles[id.scenario]}, then", titles[entry])
    return label, _PROBABILITY, id.kind, {"move": f"{id.scenario} to {entry}"}


def _draw_intervals(axes: Axes, intervals: list[JudgementInterval]) -> None:
    """Draw prior (above) and posterior (below) intervals in each row."""
    places = np.arange(len(intervals))
    style: base.Style = {"linestyle": "", "clip_on": False, "zorder": 3}
    kinds: dict[str, tuple[float, base.Style, base.Style]] = {
        "prior": (-0.16, {"color": FAINT, "linewidth": 1.1}, {"marker": "o", "mfc": "white", "color": INK}),
        "posterior": (0.16, {"color": _POSTERIOR, "linewidth": 2.4}, {"marker": "D", "color": _POSTERIOR}),
    }
    for name, (aside, line, marker) in kinds.items():
        low, mean, high = np.array([getattr(one, name) for one in intervals], float).reshape(-1, 3).T
        axes.hlines(places + aside, low, high, zorder=2, **line)
        axes.plot(mean, places + aside, markersize=4, **marker, **style)
    axes.hlines(places[:-1] + 0.5, 0, 1, transform=axes.get_yaxis_transform(), color=GRID, linewidth=0.5)
