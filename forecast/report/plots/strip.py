"""The strip under the trend: which reports arrived when, for which scenarios they spoke and against which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.report.plots import base
from forecast.report.plots.ends import NUMBER, THREAD
from forecast.report.plots.series import scenarios_of, styles
from forecast.report.styles import GRID, SMALL, ScenarioStyle

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

    from forecast.case.folder import Case

#: A report is drawn where it speaks for or against a scenario by as much as this (decibans).
LIGHTEST = 0.1

#: How far the longest bar reaches, as a share of the way to the next row.
_REACH = 0.46


@dataclass(frozen=True, slots=True)
class Row:
    """One scenario's row: the days on which reports became known, and what they weigh for it."""

    title: str
    style: ScenarioStyle
    days: np.ndarray
    weights: np.ndarray


def strip_rows(case: Case, tree: xr.DataTree, unit: str) -> list[Row]:
    """Return a row for each scenario, with the reports that weigh anything for it."""
    weights = tree["evidence"].to_dataset()["weight_of_evidence"]
    by_id = {report.id: report for report in case.evidence.reports}
    own = [name for name in weights["report"].values.tolist() if by_id[name].unit == unit]
    days = np.array([by_id[name].reported for name in own], dtype="datetime64[D]")
    style, rows = styles(case), []
    for scenario in scenarios_of(case, tree):
        weight = weights.sel(report=own, scenario=scenario.id).values
        heavy = np.abs(weight) >= LIGHTEST
        rows.append(Row(scenario.title, style[scenario.id], days[heavy], weight[heavy]))
    return rows


def longest(rows: list[Row]) -> float:
    """Return the greatest weight that has a limit, 1 if there is none."""
    sizes = np.abs(np.concatenate([row.weights for row in rows]))
    return float(np.max(sizes, initial=0.0, where=np.isfinite(sizes))) or 1.0


def draw_strip(axes: Axes, rows: list[Row], room: float) -> None:
    """Draw each report as a bar on the day it became known.

    A bar goes up where the report speaks for the scenario and down where it speaks against it, as far as its
    weight of evidence. Bars of one day lie over each other and darken. A weight without limit is drawn as
    long as the longest.
    """
    from matplotlib.dates import date2num

    wide, _ = base.size_of(axes)
    top = longest(rows)
    for number, row in enumerate(rows):
        ends = np.clip(row.weights / top, -1, 1) * _REACH - number
        days = date2num(row.days)  # type: ignore[no-untyped-call]
        axes.axhline(-number, color=GRID, linewidth=0.6, zorder=0)
        axes.vlines(days, -number, ends, color=row.style.colour, linewidth=1.8, alpha=0.7)
        axes.text(
            1 + (THREAD + NUMBER) / wide,
            -number,
            base.fit(row.title, room),
            transform=axes.get_yaxis_transform(),
            fontsize=SMALL,
            color=row.style.text_colour,
            verticalalignment="center",
            parse_math=False,
        )
    axes.set_ylim(-len(rows) + 0.45, 0.55)
    axes.set_yticks([])


def strip_key(rows: list[Row]) -> str:
    """Say how the strip is read."""
    top = f"{longest(rows):.1f} dB"
    return f"Each report on the day it became known: up for the scenario, down against; longest {top}"
