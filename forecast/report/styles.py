"""How scenarios are told apart in a plot: by colour, line style, marker and hatching, each on its own.

No two scenarios of a case look the same up to 49 of them; up to eight (one of them the residual) differ in
each of the four.

Where to put labels so that none lies over another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from forecast.case.in_force import ever

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.folder import Case
    from forecast.case.question import Scenario


INK, FAINT, GRID = "#333333", "#999999", "#DDDDDD"
SMALL = 8.5
_READABLE = 4.5

_SYMBOLS = {
    "o": "circle",
    "s": "square",
    "^": "triangle-up",
    "D": "diamond",
    "v": "triangle-down",
    "P": "cross",
    "X": "x",
    "x": "x-thin-open",
}


class Look(NamedTuple):
    """How one scenario is drawn, in matplotlib's words and, as properties, in plotly's."""

    colour: str
    line: Any
    marker: str
    hatch: str

    @property
    def dash(self) -> str:
        """The line style as plotly names it, for a line two pixels wide."""
        return "solid" if self.line == "-" else ",".join(f"{2 * length:g}px" for length in self.line[1])

    @property
    def symbol(self) -> str:
        """The marker as plotly names it."""
        return _SYMBOLS[self.marker]

    @property
    def ink(self) -> str:
        """The colour for letters: darkened until they can be read on white (WCAG 2 asks for 4.5)."""
        parts = [int(self.colour[n : n + 2], 16) for n in (1, 3, 5)]
        share = 1.0
        while contrast([share * part / 255 for part in parts], (1.0, 1.0, 1.0)) < _READABLE:
            share -= 0.02
        return "#" + "".join(f"{int(share * part):02X}" for part in parts)

    def tint(self, share: float) -> str:
        """Return the colour, transparent but for a share of it, as plotly writes it."""
        red, green, blue = (int(self.colour[n : n + 2], 16) for n in (1, 3, 5))
        return f"rgba({red}, {green}, {blue}, {share:g})"


def contrast(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the contrast of two colours (red, green, blue from 0 to 1), from 1 to 21, as WCAG 2 defines it.

    >>> contrast((0, 0, 0), (1, 1, 1))
    21.0
    """
    dark, light = sorted(_luminance(colour) + 0.05 for colour in (one, other))
    return light / dark


def _luminance(colour: Sequence[float]) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# Okabe and Ito's colours, ordered so that neighbours also differ in lightness.
_LOOKS = (
    Look("#0072B2", "-", "o", ""),
    Look("#D55E00", (0, (6, 2)), "s", "/"),
    Look("#009E73", (0, (6, 2, 1.2, 2)), "^", "."),
    Look("#CC79A7", (0, (3, 1.2)), "D", "\\"),
    Look("#000000", (0, (6, 1.5, 1, 1.5, 1, 1.5)), "v", "-"),
    Look("#E69F00", (0, (1.2, 1.2)), "P", "x"),
    Look("#56B4E9", (0, (9, 2)), "X", "|"),
)
_RESIDUAL = Look("#777777", (0, (1, 1.6)), "x", "+")


def drawn(case: Case, tree: xr.DataTree) -> tuple[Scenario, ...]:
    """Return the scenarios of a forecast's trend, also those that have ended, in the order of the file."""
    seen = set(tree["trend"].to_dataset()["scenario"].values.tolist())
    return tuple(scenario for scenario in ever(case.question) if scenario.id in seen)


def look_of(scenarios: Sequence[Scenario]) -> dict[str, Look]:
    """Return how each scenario is drawn, by its place in the question; a residual one is grey.

    Past the seventh the colours come again, with the line style, marker and hatching of another.
    """
    named = [scenario for scenario in scenarios if not scenario.residual]
    looks = {scenario.id: _look(place) for place, scenario in enumerate(named)}
    return {scenario.id: looks.get(scenario.id, _RESIDUAL) for scenario in scenarios}


def _look(place: int) -> Look:
    lap, number = divmod(place, len(_LOOKS))
    other = _LOOKS[(number + 3 * lap) % len(_LOOKS)]
    return other._replace(colour=_LOOKS[number].colour)


def spread(
    wanted: Sequence[float], heights: Sequence[float], *, low: float = 0.0, high: float = 1.0
) -> list[float]:
    """Return places for labels: in the order wanted, apart by their heights, and as near as may be.

    Labels that would touch are merged into a block that is centred on the mean of the places its members
    wanted, until no two blocks touch (the pool-adjacent-violators idea). A block that would stick out of the
    range is pushed inside; if all of them are higher than the range, they stick out at the top.

    Parameters
    ----------
    wanted : sequence of float
        The middle that each label would like to have.
    heights : sequence of float
        The height of each label, in the same unit.
    low, high : float
        The range to stay in.

    Returns
    -------
    list of float
        The middle of each label, in the order given.

    Examples
    --------
    >>> [round(place, 3) for place in spread([0.5, 0.5, 0.9], [0.1, 0.1, 0.1])]
    [0.45, 0.55, 0.9]
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    blocks: list[list[int]] = []
    for label in order:
        blocks.append([label])
        while len(blocks) > 1 and _bottom(blocks[-1], wanted, heights, low, high) < _top(
            blocks[-2], wanted, heights, low, high
        ):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    places = [0.0] * len(wanted)
    for block in blocks:
        edge = _bottom(block, wanted, heights, low, high)
        for label in block:
            places[label] = edge + heights[label] / 2
            edge += heights[label]
    return places


def _bottom(
    block: Sequence[int], wanted: Sequence[float], heights: Sequence[float], low: float, high: float
) -> float:
    size = sum(heights[label] for label in block)
    offset, total = 0.0, 0.0
    for label in block:  # where the block's bottom would be if this label alone had its way
        total += wanted[label] - offset - heights[label] / 2
        offset += heights[label]
    return max(low, min(total / len(block), high - size))


def _top(
    block: Sequence[int], wanted: Sequence[float], heights: Sequence[float], low: float, high: float
) -> float:
    return _bottom(block, wanted, heights, low, high) + sum(heights[label] for label in block)
