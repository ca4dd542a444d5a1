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
    layout: Layout, contents: Mapping[CellKey, CellContent], keys: Sequence[CellKey]
) -> np.ndarray:
    """Return log m(s) of some cells, (n, K), from all contents: as they enter the exponents."""
    indicators = layout.question.indicators
    out, cells = np.empty((len(keys), layout.scenarios)), flatten([contents[key] for key in keys])
    fresh = np.array([n for n, key in enumerate(keys) if indicators[key[2]].persistence is None], np.int64)
    part = np.empty((len(fresh), layout.scenarios))
    log_cells(layout.tempering_mean, fresh, cells, layout.arrays, part)
    out[fresh] = part
    place = {key: n for n, key in enumerate(keys)}
    for unit, i in sorted({(u, i) for u, _, i in keys if indicators[i].persistence is not None}):
        mine = sorted(key for key in contents if (key[0], key[2]) == (unit, i))
        for key, log_m in zip(mine, _log_predictive(layout, [contents[k] for k in mine], mine), strict=True):
            if key in place:
                out[place[key]] = log_m
    return out


def _log_predictive(layout: Layout, contents: list[CellContent], keys: Sequence[CellKey]) -> np.ndarray:
    """Return log m(s) of the cells of one indicator that persists, in the order of time, (n, K)."""
    a, i, theta = layout.arrays, keys[0][2], layout.tempering_mean
    size, start = int(a.indicator[i]["size"]), int(a.indicator[i]["start"])
    q, periods = float(a.indicator[i]["persistence"]), keys[-1][1] + 1
    log_w = np.empty((len(keys), layout.scenarios, a.values))
    log_weights(theta, np.arange(len(keys)), flatten(contents), a, log_w)
    fresh = theta[start : start + layout.scenarios * size].reshape(layout.scenarios, size)
    entered = 1 if a.dynamics == STATIC else periods
    chance = np.ones((periods, 1, layout.scenarios))
    if a.dynamics != STATIC:
        chance = chances_of_entry(layout, periods)
    belief, before, out = np.repeat(fresh[None], entered, axis=0), 0, np.empty((len(keys), layout.scenarios))
    for n, (_, t, _) in enumerate(keys):
        hold, high = q ** (t - before), log_w[n, :, :size].max(axis=1, keepdims=True)
        weight = np.exp(log_w[n, :, :size] - np.where(np.isfinite(high), high, 0.0))
        belief = (hold * belief + (1.0 - hold) * fresh) * weight
        m = belief.sum(axis=2)  # (period of entry, scenario)
        with np.errstate(divide="ignore"):
            out[n] = high[:, 0] + np.log((chance[t, : t + 1] * m[: t + 1]).sum(axis=0))
        belief = np.divide(
            belief, m[..., None], out=np.repeat(fresh[None], entered, axis=0), where=m[..., None] > 0
        )
        belief[t + 1 :] = fresh
        before = t
    return out


def _effective_number(w: np.ndarray) -> float:
    """Return (sum w)^2 / sum w^2, 1 where nothing is weighed."""
    total = float((w**2).sum())
    return float(w.sum()) ** 2 / total if total > 0 else 1.0
