"""Tempering exponents of cells: discount for correlated groups, and cap on a cell's likelihood ratio.

With w_c the range of log m_c over scenarios, all judgements at their means, the cells of one group in one
period get the exponent 1 / (1 + rho ((sum w)^2 / sum w^2 - 1)): n equal cells count as n / (1 + rho (n - 1)),
the effective number of equally correlated observations (Kish 1965, design effect), and one strong cell beside
weak ones keeps its weight. Then no cell may favour one scenario over another by more than the cap.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np

from forecast.case.question import Question

_CERTAIN = 1e6  # stands for an infinite range when ranges are compared


def exponents(
    log_m: np.ndarray, together: Sequence[Hashable], correlation: Sequence[float], cap: float | None
) -> list[float]:
    """Return the exponent of each cell.

    `log_m` (n, K) is its log likelihood in each scenario, the judgements at their means; `together` (n,) is
    equal for the cells of one group in one period of one unit; `correlation` (n,) is the group's rho, 0 in
    no group; `cap` the largest likelihood ratio between two scenarios that a cell may have.

    Examples
    --------
    >>> exponents(np.log([[0.5, 0.1], [0.5, 0.1]]), ["a", "a"], [1.0, 1.0], None)
    [0.5, 0.5]
    """
    high, low = log_m.max(axis=1), log_m.min(axis=1)
    spread = np.subtract(high, low, out=np.zeros(len(log_m)), where=high > -np.inf)  # 0: to be refused later
    spread = np.where(np.isfinite(spread), spread, np.inf)
    finite = np.minimum(spread, _CERTAIN)
    members: dict[Hashable, list[int]] = {}
    for n, name in enumerate(together):
        members.setdefault(name, []).append(n)
    number = {name: _effective_number(finite[cells]) for name, cells in members.items()}
    powers = []
    for n, name in enumerate(together):
        power = 1.0 / (1.0 + correlation[n] * (number[name] - 1.0))
        if cap is not None and spread[n] * power > math.log(cap):
            power = math.log(cap) / float(spread[n])
        powers.append(power)
    return powers


def cell_exponents(
    question: Question, keys: Sequence[tuple[int, int, int]], log_m: np.ndarray, cap: float | None
) -> list[float]:
    """Return the exponent of each cell, given by its unit, period and indicator."""
    group = {name: g for g in question.groups for name in g.indicators}
    mine = [group.get(question.indicators[i].id) for _, _, i in keys]
    together = [(u, t, g.id if g else "", 0 if g else i) for (u, t, i), g in zip(keys, mine, strict=True)]
    return exponents(log_m, together, [g.correlation if g else 0.0 for g in mine], cap)


def _effective_number(w: np.ndarray) -> float:
    """Return (sum w)^2 / sum w^2, 1 where nothing is weighed."""
    total = float((w**2).sum())
    return float(w.sum()) ** 2 / total if total > 0 else 1.0
