"""Tempering exponents of cells: discount for correlated groups, and cap on a cell's likelihood ratio.

With w_c the range of log m_c over scenarios, all judgements at their means, the cells of one group in one
period get the exponent 1 / (1 + rho ((sum w)^2 / sum w^2 - 1)): n equal cells count as n / (1 + rho (n - 1)),
the effective number of equally correlated observations (Kish 1965, design effect), and one strong cell beside
weak ones keeps its weight. Then no cell may favour one scenario over another by more than the cap.

A cell has one exponent. Of an indicator that persists m(s) is the predictive probability of the period's
reports given its earlier ones and s, the mean over the periods in which s may have been entered; how probable
each of them is follows the dynamics.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from forecast.case.question import Question
from forecast.model.cells import CellContent, flatten
from forecast.model.dynamics import chances_of_entry
from forecast.model.likelihood import log_cells, log_weights
from forecast.model.parameters import STATIC, Layout
from forecast.model.report_log import CellKey

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
    question: Question, keys: Sequence[CellKey], log_m: np.ndarray, cap: float | None
) -> list[float]:
    """Return the exponent of each cell, given by its unit, period and indicator."""
    group = {name: g for g in question.groups for name in g.indicators}
    mine = [group.get(question.indicators[i].id) for _, _, i in keys]
    together = [(u, t, g.id if g else "", 0 if g else i) for (u, t, i), g in zip(keys, mine, strict=True)]
    return exponents(log_m, together, [g.correlation if g else 0.0 for g in mine], cap)


def log_likelihoods(
    layout: Layout,
    contents: Mapping[CellKey, CellContent],
    keys: Sequence[CellKey],
    *,
    theta: np.ndarray | None = None,
    instead: Sequence[CellContent] | None = None,
) -> np.ndarray:
    """Return log m(s) of some cells, (n, K), from all contents: as they enter the exponents.

    `theta` is that at which exponents are computed unless given; `instead` what some cells, one for each of
    `keys`, would be, all that came before being as in `contents`.
    """
    indicators, theta = layout.question.indicators, layout.tempering_mean if theta is None else theta
    mine = [contents[key] for key in keys] if instead is None else list(instead)
    out, cells = np.empty((len(keys), layout.scenarios)), flatten(mine)
    fresh = np.array([n for n, key in enumerate(keys) if indicators[key[2]].persistence is None], np.int64)
    part = np.empty((len(fresh), layout.scenarios))
    log_cells(theta, fresh, cells, layout.arrays, part)
    out[fresh] = part
    place = {key: n for n, key in enumerate(keys)}
    for unit, i in sorted({(u, i) for u, _, i in keys if indicators[i].persistence is not None}):
        known = sorted(key for key in contents if (key[0], key[2]) == (unit, i))
        read = [mine[place[key]] if key in place else contents[key] for key in known]
        log_m = _log_predictive(layout, [contents[key] for key in known], known, theta, read)
        for key, one in zip(known, log_m, strict=True):
            if key in place:
                out[place[key]] = one
    return out


def _log_predictive(
    layout: Layout,
    contents: list[CellContent],
    keys: Sequence[CellKey],
    theta: np.ndarray,
    read: list[CellContent],
) -> np.ndarray:
    """Return log m(s) of the cells of one indicator that persists, in the order of time, (n, K).

    Each is what is `read` in its place, given the `contents` of those before it.
    """
    a, i = layout.arrays, keys[0][2]
    size, start = int(a.indicator[i]["size"]), int(a.indicator[i]["start"])
    q, periods = float(a.indicator[i]["persistence"]), keys[-1][1] + 1
    both = np.empty((2 * len(keys), layout.scenarios, a.values))
    log_weights(theta, np.arange(2 * len(keys)), flatten([*contents, *read]), a, both)
    log_w = both[..., :size].reshape(2, len(keys), layout.scenarios, size)
    high = log_w.max(axis=3, keepdims=True)
    weight = np.exp(log_w - np.where(np.isfinite(high), high, 0.0))
    fresh = theta[start : start + layout.scenarios * size].reshape(layout.scenarios, size)
    entered = 1 if a.dynamics == STATIC else periods
    chance = np.ones((periods, 1, layout.scenarios))
    if a.dynamics != STATIC:
        chance = chances_of_entry(layout, periods)
    belief, before, out = np.repeat(fresh[None], entered, axis=0), 0, np.empty((len(keys), layout.scenarios))
    for n, (_, t, _) in enumerate(keys):
        hold = q ** (t - before)
        predicted = hold * belief + (1.0 - hold) * fresh
        m = (predicted * weight[1, n]).sum(axis=2)  # (period of entry, scenario)
        with np.errstate(divide="ignore"):
            out[n] = high[1, n, :, 0] + np.log((chance[t, : t + 1] * m[: t + 1]).sum(axis=0))
        revised = predicted * weight[0, n]
        total = revised.sum(axis=2, keepdims=True)
        belief = np.divide(revised, total, out=np.repeat(fresh[None], entered, axis=0), where=total > 0)
        belief[t + 1 :] = fresh
        before = t
    return out


def _effective_number(w: np.ndarray) -> float:
    """Return (sum w)^2 / sum w^2, 1 where nothing is weighed."""
    total = float((w**2).sum())
    return float(w.sum()) ** 2 / total if total > 0 else 1.0
