"""Colours, line styles and markers of scenarios; colour contrast; labels placed without overlap.

A scenario has a colour, a line style, a marker and a hatching. Up to eight scenarios (one of them the
residual) differ in each of the four, up to 49 in at least one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from forecast.case.question import Scenario


#: Colours of texts, of axes and of grid lines; size of small text, in points.
INK, FAINT, GRID = "#333333", "#999999", "#DDDDDD"
SMALL = 8.5
_READABLE = 4.5  #: Contrast of text with its background that WCAG 2 asks for


class ScenarioStyle(NamedTuple):
    """How one scenario is drawn; the symbol is the marker as plotly names it, `dash` the line style."""

    colour: str
    line: Any
    marker: str
    symbol: str
    hatch: str

    @property
    def dash(self) -> str:
        """The line style as plotly names it, for a line two pixels wide."""
        return "solid" if self.line == "-" else ",".join(f"{2 * length:g}px" for length in self.line[1])

    @property
    def text_colour(self) -> str:
        """The colour, darkened until text in it can be read on white."""
        parts = [int(self.colour[n : n + 2], 16) for n in (1, 3, 5)]
        share = 1.0
        while contrast([share * part / 255 for part in parts], (1.0, 1.0, 1.0)) < _READABLE:
            share -= 0.02
        return "#" + "".join(f"{int(share * part):02X}" for part in parts)

    def tint(self, opacity: float) -> str:
        """Return the colour with this opacity, as plotly writes it."""
        red, green, blue = (int(self.colour[n : n + 2], 16) for n in (1, 3, 5))
        return f"rgba({red}, {green}, {blue}, {opacity:g})"


def contrast(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the contrast of two colours (red, green, blue from 0 to 1), from 1 to 21, as WCAG 2 defines it.

    >>> contrast((0, 0, 0), (1, 1, 1))
    21.0
    """
    dark, light = sorted(_luminance(colour) + 0.05 for colour in (one, other))
    return light / dark


def _luminance(colour: Sequence[float]) -> float:
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# Okabe and Ito's colours, ordered so that neighbours also differ in lightness.
_STYLES = (
    ScenarioStyle("#0072B2", "-", "o", "circle", ""),
    ScenarioStyle("#D55E00", (0, (6, 2)), "s", "square", "/"),
    ScenarioStyle("#009E73", (0, (6, 2, 1.2, 2)), "^", "triangle-up", "."),
    ScenarioStyle("#CC79A7", (0, (3, 1.2)), "D", "diamond", "\\"),
    ScenarioStyle("#000000", (0, (6, 1.5, 1, 1.5, 1, 1.5)), "v", "triangle-down", "-"),
    ScenarioStyle("#E69F00", (0, (1.2, 1.2)), "P", "cross", "x"),
    ScenarioStyle("#56B4E9", (0, (9, 2)), "X", "x", "|"),
)
_RESIDUAL = ScenarioStyle("#777777", (0, (1, 1.6)), "x", "x-thin-open", "+")


def scenario_styles(scenarios: Sequence[Scenario]) -> dict[str, ScenarioStyle]:
    """Return the style of each scenario by id: by its place in the question, grey if it is residual.

    From the eighth on colours repeat, with the line style, marker and hatching of another.
    """
    named = [scenario for scenario in scenarios if not scenario.residual]
    styles = {scenario.id: _style(place) for place, scenario in enumerate(named)}
    return {scenario.id: styles.get(scenario.id, _RESIDUAL) for scenario in scenarios}


def _style(place: int) -> ScenarioStyle:
    lap, number = divmod(place, len(_STYLES))
    other = _STYLES[(number + 3 * lap) % len(_STYLES)]
    return other._replace(colour=_STYLES[number].colour)


def spread_labels(
    wanted: Sequence[float], heights: Sequence[float], *, low: float = 0.0, high: float = 1.0
) -> list[float]:
    """Return places for labels: in the order wanted, without overlap, near in the sense of least squares.

    With h_i the height of all labels below label i and half its own, labels do not overlap if place_i - h_i
    never falls: an isotonic regression of the places wanted, each less h_i, clipped to the range (Barlow et
    al. 1972). Labels that are together higher than the range stick out at its top. A place is the middle of a
    label; places, heights and range are in one unit.

    >>> [round(place, 3) for place in spread_labels([0.5, 0.5, 0.9], [0.1, 0.1, 0.1])]
    [0.45, 0.55, 0.9]
    """
    if not wanted:
        return []
    from scipy.optimize import isotonic_regression

    order, size = np.argsort(wanted, kind="stable"), np.asarray(heights, float)
    below = np.cumsum(size[order]) - size[order] / 2
    fitted = isotonic_regression(np.asarray(wanted, float)[order] - below).x
    places = np.empty(len(order))
    places[order] = np.maximum(np.minimum(fitted, high - size.sum()), low) + below
    return places.tolist()
