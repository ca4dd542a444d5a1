"""The posterior by brute force: every path of the scenario, and every course of every hidden value.

For questions without groups and cap. A course of a state that goes on has the probability that the model
gives it, period by period; nothing is predicted or filtered.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise, product
from typing import Any

import numpy as np

from forecast.case.evidence import Evidence
from forecast.case.question import Question
from tests.oracles.cells import Cells
from tests.oracles.dynamics import course, into
from tests.oracles.theta import Theta

Path = tuple[int, ...]


def hidden_posterior(question: Question, evidence: Evidence, as_of: date, theta: Theta) -> dict[str, Any]:
    """Return "marginal", "now" [K] and "smoothed" [T][K], of one unit, by summing over everything."""
    if question.groups or question.cap is not None or question.units:
        raise ValueError("brute force is for one unit without exponents")
    cells, size = Cells(question, evidence, as_of, theta), len(question.scenarios)
    first, steps = course(question, theta, cells.periods)
    at: list[list[Any]] = [[0.0] * size for _ in range(cells.periods)]
    total: Any = 0.0
    for path in product(range(size), repeat=cells.periods):
        p = first[path[0]]
        for t, (i, j) in enumerate(pairwise(path), start=1):
            p = p * into(steps, t)[i][j]
        if np.all(np.equal(p, 0.0)):
            continue
        for indicator in question.indicators:
            if indicator.given is None:
                p = p * _given_path(cells, indicator.id, path, theta)
        total = total + p
        for t, s in enumerate(path):
            at[t][s] = at[t][s] + p
    smoothed = [[p / total for p in row] for row in at]
    return {"marginal": total, "now": smoothed[-1], "smoothed": smoothed}


def _given_path(cells: Cells, name: str, path: Path, theta: Theta) -> Any:
    """Probability of everything heard of an indicator (and of those given it) on one path."""
    indicator = cells.indicators[name]
    keys = [("", t, name) for t in range(len(path))]
    if indicator.persistence is None:
        result: Any = 1.0
        for key, s in zip(keys, path, strict=True):
            if key in cells.heads():
                result = result * cells.compound(key, s, theta)
        return result
    total: Any = 0.0
    for values in product(indicator.values, repeat=len(path)):
        p: Any = 1.0
        for t, (x, s) in enumerate(zip(values, path, strict=True)):
            f = cells.density(indicator, x, s, theta)
            if t and path[t - 1] == s:
                q = indicator.persistence
                f = q * (1.0 if values[t - 1] == x else 0.0) + (1.0 - q) * f
            p = p * f * cells.given_value(keys[t], x, s, theta)
        total = total + p
    return total
