"""Calibration plot (reliability diagram): observed frequency against forecast probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forecast.report.plots import base
from forecast.report.styles import FAINT, INK, SMALL

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

_SUBTITLE = (
    "Share that was true of what was given a probability, with its interval; on the line they are equal. The "
    "number beside a point is how many were given it"
)

_ROOM = 0.04  #: Around the square, so that points at 0 and at 1 are whole


def plot_calibration(table: xr.Dataset, *, title: str = "Calibration", width: float = 5.0) -> Figure:
    """Draw how often what was given a probability came true (a reliability diagram, Murphy and Winkler 1977).

    Parameters
    ----------
    table : Dataset
        By ``bin``: ``probability``, the mean of those given; ``observed``, the share that was true, from
        ``low`` to ``high``; ``number`` of them. Bins of none are left out.
    title, width
        Title, and width in inches.

    Examples
    --------
    >>> import xarray as xr
    >>> bins = {"probability": [0.2, 0.7], "observed": [0.3, 0.6], "number": [10, 20]}
    >>> ends = {"low": [0.1, 0.4], "high": [0.6, 0.8]}
    >>> table = xr.Dataset({name: ("bin", value) for name, value in (bins | ends).items()})
    >>> [text.get_text() for text in plot_calibration(table).axes[0].texts]
    ['10', '20']
    """
    from matplotlib.ticker import MultipleLocator, PercentFormatter

    table = table.isel(bin=np.flatnonzero(table["number"].values > 0))
    given, seen = table["probability"].values, table["observed"].values
    reach = np.maximum([seen - table["low"].values, table["high"].values - seen], 0.0)
    figure, (axes,) = base.titled_grid(width, min(4.3, width), title, _SUBTITLE)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.9, zorder=1)
    axes.errorbar(given, seen, yerr=reach, fmt="o", color=INK, markersize=4, capsize=2.5, linewidth=1.0)
    base.value_axis(axes, None, "probability given")
    base.percent_axis(axes)
    axes.xaxis.set_major_locator(MultipleLocator(0.25))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set(xlim=(-_ROOM, 1 + _ROOM), ylim=(-_ROOM, 1 + _ROOM), box_aspect=1, anchor="W")
    axes.set_ylabel("share that was true", fontsize=SMALL - 0.5, color=INK)
    style: base.Style = {"fontsize": SMALL - 1.5, "color": INK, "textcoords": "offset points"}
    for x, y, number in zip(given, seen, table["number"].values, strict=True):
        axes.annotate(f"{int(number):,}", (x, y), (5, 2), **style)
    return figure
