"""The strip under the trend: which reports arrived when, for which scenarios they spoke and against which."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from forecast.report.looks import FAINT, INK, SMALL, drawn, look_of

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

    from forecast.case.folder import Case

#: A report is drawn where it speaks for or against a scenario by as much as this (decibans).
LIGHTEST = 0.1

#: How far the longest bar reaches, as a share of the way to the next row.
_REACH = 0.44


def draw_reports(axes: Axes, case: Case, tree: xr.DataTree, unit: str) -> None:
    """Draw a row for each scenario, and on it a bar for each report on the day it became known.

    A bar goes up where the report speaks for the scenario and down where it speaks against it, as far as its
    weight of evidence. Bars of one day lie over each other and darken. A weight without limit is drawn as
    long as the longest.
    """
    from matplotlib.dates import date2num

    weights = tree["evidence"].to_dataset()["weight_of_evidence"]
    reports = {report.id: report for report in case.evidence.reports}
    own = [name for name in weights["report"].values.tolist() if reports[name].unit == unit]
    days = np.array([date2num(reports[name].reported) for name in own])  # type: ignore[no-untyped-call]
    sizes = np.abs(weights.sel(report=own).values)
    top = float(np.max(sizes, initial=1.0, where=np.isfinite(sizes)))
    looks = look_of(drawn(case, tree))
    scenarios = [one for one in drawn(case, tree) if one.id in weights["scenario"].values]
    for row, scenario in enumerate(scenarios):
        weight = weights.sel(report=own, scenario=scenario.id).values
        heavy = np.abs(weight) >= LIGHTEST
        ends = np.clip(weight[heavy] / top, -1, 1) * _REACH - row
        axes.axhline(-row, color="#DDDDDD", linewidth=0.6, zorder=0)
        axes.vlines(days[heavy], -row, ends, color=looks[scenario.id].colour, linewidth=2.2, alpha=0.7)
        _name_row(axes, row, scenario.title, looks[scenario.id].colour)
    _set_up(axes, len(scenarios), top)


def _name_row(axes: Axes, row: int, title: str, colour: str) -> None:
    axes.annotate(
        textwrap.shorten(title, 34, placeholder=" ..."),
        (1.035, -row),
        xycoords=("axes fraction", "data"),
        fontsize=SMALL,
        color=colour,
        verticalalignment="center",
        annotation_clip=False,
        parse_math=False,
    )


def _set_up(axes: Axes, rows: int, top: float) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    axes.set_ylim(-rows + 0.45, 0.5)
    axes.set_yticks([])
    key = (
        "Reports, on the day each became known: up speaks for the scenario, down against it;"
        f" the longest bar is {top:.1f} decibans"
    )
    axes.set_title(key, loc="left", fontsize=SMALL, color=INK, pad=5)
    locator = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    form = ConciseDateFormatter(locator, show_offset=False)  # type: ignore[no-untyped-call]
    form.formats[2] = "%d %b"  # a day without its month could be of any
    axes.xaxis.set_major_formatter(form)
    axes.tick_params(axis="x", labelsize=SMALL, length=3, color=FAINT, labelcolor=INK)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
