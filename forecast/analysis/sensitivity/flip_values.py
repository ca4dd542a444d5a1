"""Threshold analysis: the value of a judgement (flip value) at which the leading scenario changes.

The margin f(v) = p_lead(v) - max over the others of p(v), all other judgements at their means, is looked at
on a grid, since it need not be monotone: seven quantiles between those that bound the judgement's central
99 %, the bounds, and the value as stated; for a reliability twenty-one values from 0 to 1 as well. Where it
changes its sign, the place is located by Brent's method. A lead that is lost and won back between two
neighbours of the grid is missed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from forecast.analysis.plug_in import HIGHEST_RELIABILITY, PlugInModel
from forecast.analysis.sensitivity.stated_values import StatedValue

#: Bounds of the plausible range, and between them the quantiles of the grid.
PLAUSIBLE = (0.005, 0.995)
_GRID = (PLAUSIBLE[0], 0.05, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95, PLAUSIBLE[1])
_RELIABILITIES = 21

#: Relative precision of a flip value.
PRECISION = 1e-9


class Flip(NamedTuple):
    """The nearest value at which another scenario would lead: of several, the one least far out."""

    value: float  # nan: there is none in the range
    to: int  # the scenario that would lead, -1 for none
    tail_probability: float  # that the judgement is as far out as this, as judged


NO_FLIP = Flip(float("nan"), -1, float("nan"))


def plausible(one: StatedValue) -> tuple[float, float]:
    """Return the search interval for a flip value: central 99 %, or 0 to 1 for a reliability."""
    if one.kind == "reliability":
        return 0.0, HIGHEST_RELIABILITY
    return one.quantile(PLAUSIBLE[0]), one.quantile(PLAUSIBLE[1])


def flips(model: PlugInModel, one: StatedValue, lead: np.ndarray) -> list[Flip]:
    """Return the flip value of one number for each unit, in which scenario `lead` (U,) leads at the means.

    The leader is that at the horizon, which in a static question is the present.
    """

    @cache
    def horizon(value: float) -> np.ndarray:
        return model.with_question(one.with_value(model.layout.question, value)).chances.horizon

    grid = {one.value, *(one.quantile(p) for p in _GRID)}
    if one.kind == "reliability":
        grid |= {*np.linspace(0.0, HIGHEST_RELIABILITY, _RELIABILITIES).tolist()}
    return [_flip(one, sorted(grid), horizon, u, int(s)) for u, s in enumerate(lead)]


def _flip(
    one: StatedValue, grid: list[float], horizon: Callable[[float], np.ndarray], u: int, lead: int
) -> Flip:
    from scipy.optimize import brentq

    def margin(value: float) -> float:
        p = horizon(value)[u]
        return float(p[lead] - np.delete(p, lead).max())

    flips, start = [], grid.index(one.value)
    for side in (grid[start::-1], grid[start:]):
        for near, far in pairwise(side):
            if margin(far) < 0:
                low, high = min(near, far), max(near, far)
                value = brentq(margin, low, high, xtol=PRECISION * (high - low), rtol=PRECISION)
                rivals = horizon(value + 1e-6 * (far - value))[u].copy()
                rivals[lead] = -1.0
                flips.append(Flip(float(value), int(rivals.argmax()), one.tail_probability(value)))
                break
    return max(flips, key=lambda flip: (flip.tail_probability, -abs(flip.value - one.value)), default=NO_FLIP)
