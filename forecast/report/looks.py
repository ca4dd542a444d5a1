"""How scenarios are told apart in a plot: by colour, line style and marker, each sufficient on its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from forecast.case.in_force import ever

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.folder import Case
    from forecast.case.question import Scenario

INK, FAINT = "#333333", "#999999"
SMALL = 8.5


class Look(NamedTuple):
    """How one scenario is drawn."""

    colour: str
    line: Any
    marker: str


# Okabe and Ito's colours, ordered so that neighbours also differ in lightness.
_LOOKS = (
    Look("#0072B2", "-", "o"),
    Look("#D55E00", (0, (6, 2)), "s"),
    Look("#009E73", (0, (6, 2, 1.2, 2)), "^"),
    Look("#CC79A7", (0, (3, 1.2)), "D"),
    Look("#000000", (0, (6, 1.5, 1, 1.5, 1, 1.5)), "v"),
    Look("#E69F00", (0, (1.2, 1.2)), "P"),
    Look("#56B4E9", (0, (9, 2)), "X"),
)
_RESIDUAL = Look("#777777", (0, (1, 1.6)), "x")


def drawn(case: Case, tree: xr.DataTree) -> tuple[Scenario, ...]:
    """Return the scenarios of a forecast's trend, also those that have ended, in the order of the file."""
    seen = set(tree["trend"].to_dataset()["scenario"].values.tolist())
    return tuple(scenario for scenario in ever(case.question) if scenario.id in seen)


def look_of(scenarios: Sequence[Scenario]) -> dict[str, Look]:
    """Return how each scenario is drawn. A residual scenario stays in the background."""
    named = [scenario for scenario in scenarios if not scenario.residual]
    looks = {scenario.id: _LOOKS[place % len(_LOOKS)] for place, scenario in enumerate(named)}
    return {scenario.id: looks.get(scenario.id, _RESIDUAL) for scenario in scenarios}
