"""Conflict measure of the evidence (Jensen et al. 1991), and scenario paths that explain a conflict.

    conf(e_1..e_n) = log [P(e_1) ... P(e_n) / P(e_1..e_n)]                       (Jensen et al. 1991)

Evidence that belongs together makes one another probable: the joint is above the product, the measure below
0. Above 0 the cells were easier to come by if they had nothing to do with one another. That may be a rare
but coherent path: a path h explains it if its own gain log P(h | e) / P(h) is at least as large, for then
conf(e_1..e_n, h) <= 0. The paths looked at have at most one move: one scenario throughout, or one and
then another.

Everything is at the judgements' means, P(e) by the filter, exponents of groups and cap included. Only ratios
between scenarios enter: what is counted of a cell is which way it points, not how rare it was. All in
decibans. A cell of an indicator that persists has another meaning beside its earlier ones than alone: alone
its value is a fresh one, beside the others it is what is left by the filter when the cell is left out. A
silence that counts is a cell like any other. Of an event question everything is given that it is open.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from forecast.case.folder import Case, as_case
from forecast.case.in_force import checked_as_of
from forecast.case.question import Question
from forecast.inference.particles import log_sum
from forecast.inference.variants import Entry, log_evidence, variants
from forecast.model.cell_sequence import unit_and_period
from forecast.model.horizon import steps
from forecast.model.likelihood import DECIBAN, log_cells, log_weights
from forecast.model.parameters import STATIC, Layout
from forecast.model.problem import Problem, build_problem

PAIRS = 10  # the worst pairs of cells that are named
FLOOR = -1e5  # stands for the logarithm of a likelihood of 0


class Unit(NamedTuple):
    """The evidence of one unit at the judgements' means: n cells, T periods, K scenarios, V values."""

    period: np.ndarray  # (n,)
    log_m: np.ndarray  # (n, K) of each cell alone
    lasting: np.ndarray  # (n,) the indicator whose value persists, -1
    log_w: np.ndarray  # (n, K, V) of its values
    exponent: np.ndarray  # (n,)
    cell: np.ndarray  # (n,)
    prior: np.ndarray  # (T, K) of each scenario in each period, before any evidence
    each: np.ndarray  # (T - 1, K, K) matrices of the steps
    log_weight: np.ndarray  # (T, K) summed over the cells of a period whose value is fresh


def conflict(case: Case | str | Path, *, as_of: date | None = None) -> xr.Dataset:
    """Measure the conflict in the evidence of a case, as known on a date (Jensen et al. 1991).

    conf(e_1..e_n) = 10 log10 [P(e_1) ... P(e_n) / P(e_1..e_n)], e_i the cells, judgements at their means:
    above 0, the cells would have been easier to come by if they had nothing to do with one another.

    Parameters
    ----------
    case : Case or path
    as_of : date, optional
        The day whose knowledge is used; default: as for :func:`forecast.update`.

    Returns
    -------
    xarray.Dataset
        In decibans: `conflict` of all cells, `cell_conflict` of each cell with all others, `pair_conflict`
        of the worst pairs (`first`, `second`); and by `path`, one scenario throughout or one and then
        another, its `prior_probability`, its `probability` given the evidence, its `gain` from the one to
        the other, and whether that `explains` the conflict. With units, all but cells and pairs by `unit`.

    Raises
    ------
    InputError
        If the folder cannot be read, or the question was not open on the day.

    Examples
    --------
    >>> conflict("scenarios/isis-jn-2014")["cell_conflict"].to_series().nlargest(3)  # doctest: +SKIP
    """
    case = as_case(case)
    day = checked_as_of(case.question, as_of)
    return evidence_conflict(build_problem(case.on(day).question, case.evidence, day))


def evidence_conflict(problem: Problem) -> xr.Dataset:
    """Measure the conflict in the evidence known at the as-of date.

    As :func:`conflict`, of which this is the computation; of several units also `cell_unit` and `pair_unit`.
    """
    question, step, layout = problem.layout.question, problem.steps[-1], problem.layout
    unit, period = unit_and_period(step.sequence)
    kind, ids = step.sequence.kind[: len(unit)], step.sequence.cell
    log_m = np.empty((len(ids), layout.scenarios))
    log_cells(layout.mean, ids, problem.cells, layout.arrays, log_m)
    log_m = np.maximum(log_m * step.sequence.exponent[:, None], FLOOR)[kind]
    indicator = problem.cells.cell["indicator"][ids[kind]]
    lasting = np.where(layout.arrays.indicator["belief"][indicator] >= 0, indicator, -1)
    log_w = np.zeros((len(ids), layout.scenarios, layout.arrays.values))
    some = np.unique(kind[lasting >= 0])
    part = np.full((len(some), *log_w.shape[1:]), FLOOR)  # also of values that an indicator does not have
    log_weights(layout.mean, ids[some], problem.cells, layout.arrays, part)
    log_w[some] = part
    first, each = steps(layout.mean[None], layout.arrays, step.periods)
    prior = [first[0]]
    for matrix in each[0]:
        prior.append(prior[-1] @ matrix)
    units = []
    for u in range(problem.units):
        mine = unit == u
        fresh, log_weight = mine & (lasting < 0), np.zeros((step.periods, layout.scenarios))
        np.add.at(log_weight, period[fresh], log_m[fresh])
        known = period[mine], log_m[mine], lasting[mine], log_w[kind[mine]]
        which = step.sequence.exponent[kind[mine]], ids[kind[mine]]
        units.append(Unit(*known, *which, np.array(prior), each[0], log_weight))
    evidence = [_Evidence(problem, one) for one in units]
    return _dataset(question, layout, evidence, unit, period, indicator)


class _Evidence:
    """The evidence of one unit, and how probable it is, cell by cell and together."""

    def __init__(self, problem: Problem, unit: Unit) -> None:
        self.unit, self._problem = unit, problem
        self.alone = log_sum(_log(unit.prior)[unit.period] + unit.log_m, -1)  # log P(e_i)
        if (unit.lasting >= 0).any():
            self.joint, self.given_others = self._by_leaving_out()
        else:
            self.joint = float(log_sum(_log_before(unit)[-1] + unit.log_weight[-1], -1))
            self.given_others = _log_given_others(unit)

    def _by_leaving_out(self) -> tuple[float, np.ndarray]:
        """Return log P(e_1..e_n), and log P(e_i | all others) of each cell, (n,), by the filter."""
        unit, layout = self.unit, self._problem.layout
        number, entries = len(unit.cell), list[Entry]()
        for n, (t, c, power) in enumerate(zip(unit.period, unit.cell, unit.exponent, strict=True)):
            cell = np.full(number + 2, c)  # all; all but one each; none
            cell[[n + 1, number + 1]] = -1
            entries.append(Entry(int(t), cell, float(power)))
        sequence = variants(entries, len(unit.prior))
        theta, cells = layout.mean[None].copy(), self._problem.cells
        log_p = np.maximum(log_evidence(theta, sequence, cells, layout.arrays)[:, 0], FLOOR)
        return float(log_p[0] - log_p[-1]), log_p[0] - log_p[1:-1]


def _log(p: np.ndarray) -> np.ndarray:
    """Return the logarithm of a probability, no less than that which stands for 0."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(p), FLOOR)


def _dataset(
    question: Question,
    layout: Layout,
    evidence: list[_Evidence],
    unit: np.ndarray,
    period: np.ndarray,
    indicator: np.ndarray,
) -> xr.Dataset:
    names = [_name(question, *where) for where in zip(unit, period, indicator, strict=True)]
    total = np.array([one.alone.sum() - one.joint for one in evidence])
    each = np.concatenate([one.alone - one.given_others for one in evidence])
    worst = _worst_pairs(layout, evidence)
    ids = question.scenario_ids
    paths = np.array([a if a == b else f"{a}, then {b}" for a in ids for b in ids], dtype=str)
    log_p = np.array([_path_probabilities(layout, one) for one in evidence])  # (U, 2, K * K)
    with np.errstate(invalid="ignore"):
        gain = log_p[:, 1] - log_p[:, 0]
    possible = (log_p[:, 0] > FLOOR / 2).any(axis=0)
    dims = ("unit", "path") if question.units else ("path",)
    values = {"prior_probability": np.exp(log_p[:, 0]), "probability": np.exp(log_p[:, 1])}
    values |= {"gain": DECIBAN * gain, "explains": gain >= total[:, None]}
    variables: dict[str, Any] = {
        "conflict": (dims[:-1], DECIBAN * (total if question.units else total[0])),
        "cell_conflict": ("cell", DECIBAN * each),
        "indicator": ("cell", np.array([question.indicators[i].id for i in indicator], dtype=str)),
        "period": ("cell", period),
        "pair_conflict": ("pair", DECIBAN * np.array([value for value, _, _ in worst])),
        "first": ("pair", np.array([names[i] for _, i, _ in worst], dtype=str)),
        "second": ("pair", np.array([names[j] for _, _, j in worst], dtype=str)),
    }
    if question.units:
        whose = np.array(question.units, dtype=str)
        variables["cell_unit"] = "cell", whose[unit]
        variables["pair_unit"] = "pair", whose[unit[[i for _, i, _ in worst]]]
    for name, value in values.items():
        kept = value[:, possible]
        variables[name] = dims, kept if question.units else kept[0]
    kept_paths = np.array(paths[possible].tolist(), dtype=str)  # as wide as the longest of them, as in a file
    coords: dict[str, Any] = {"cell": np.array(names, dtype=str), "path": kept_paths}
    return xr.Dataset(variables, coords | ({"unit": list(question.units)} if question.units else {}))


def _name(question: Question, unit: int, period: int, indicator: int) -> str:
    """Return a name for a cell: its indicator, the last day of its period, its unit if there are units."""
    name = f"{question.indicators[indicator].id} {question.last_day(int(period))}"
    return f"{name} {question.units[unit]}" if question.units else name


def _log_before(one: Unit) -> np.ndarray:
    """Return log P(s_t, evidence before t), (T, K), of cells whose value is fresh."""
    rows = [_log(one.prior[0])]
    for weight, matrix in zip(one.log_weight[:-1], one.each, strict=True):
        rows.append(log_sum((rows[-1] + weight)[:, None] + _log(matrix), 0))
    return np.array(rows)


def _log_given_others(one: Unit) -> np.ndarray:
    """Return log P(e_i | all others) of each cell, (n,), by the filter from both sides.

    P(s_t | others) is in proportion to P(s_t | before t) prod_(j of t, j != i) m_j(s_t) P(after t | s_t).
    """
    before = _log_before(one)
    after = np.zeros_like(before)
    for t in range(len(after) - 2, -1, -1):
        after[t] = log_sum(_log(one.each[t]) + one.log_weight[t + 1] + after[t + 1], -1)
    others = (before + after + one.log_weight)[one.period] - one.log_m
    return log_sum(others + one.log_m, -1) - log_sum(others, -1)


def _worst_pairs(layout: Layout, evidence: list[_Evidence]) -> list[tuple[float, int, int]]:
    """Return the pairs of cells with the most conflict: conflict, first cell, second cell."""
    worst, start = list[tuple[float, int, int]](), 0
    for whole in evidence:
        one = whole.unit
        high = one.log_m.max(axis=1, keepdims=True)
        m, log_m = np.exp(one.log_m - high), whole.alone - high[:, 0]
        now = one.prior[one.period] * m
        for i in range(len(m) - 1):
            later = np.arange(i + 1, len(m))
            onward, stays = [now[i]], [now[i]]  # (T - t, K) with any moves, and with none
            for matrix in one.each[one.period[i] :]:
                onward.append(onward[-1] @ matrix)
                stays.append(stays[-1] * np.diag(matrix))
            gap = one.period[later] - one.period[i]
            both = (np.array(onward)[gap] * m[later]).sum(axis=1)
            if one.lasting[i] >= 0:
                same = np.flatnonzero(one.lasting[later] == one.lasting[i])
                still = _predicted(layout, one, i, later[same]) - high[later[same]]
                more = np.exp(still) - m[later[same]]
                both[same] += (np.array(stays)[gap[same]] * more).sum(axis=1)
            with np.errstate(divide="ignore"):
                value = log_m[i] + log_m[later] - np.log(both)
            most = np.argsort(-value)[:PAIRS].tolist()
            worst += [(float(value[n]), start + i, start + i + 1 + n) for n in most]
        worst = sorted(worst, key=lambda pair: -pair[0])[:PAIRS]
        start += len(m)
    return [pair for pair in worst if pair[0] > 0]


def _likelihood(layout: Layout, i: int) -> np.ndarray:
    """Return f(x | s) of an indicator at the judgements' means, (K, V), 0 beyond its own values."""
    start, size = int(layout.arrays.indicator[i]["start"]), int(layout.arrays.indicator[i]["size"])
    fresh = np.zeros((layout.scenarios, layout.arrays.values))
    fresh[:, :size] = layout.mean[start : start + layout.scenarios * size].reshape(layout.scenarios, size)
    return fresh


def _predicted(layout: Layout, one: Unit, first: int, later: np.ndarray) -> np.ndarray:
    """Return log m(s) of later cells of a value that persists, after its first in the same stay, (n, K)."""
    fresh, q = _likelihood(layout, int(one.lasting[first])), layout.arrays.indicator["persistence"]
    hold = q[one.lasting[first]] ** (one.period[later] - one.period[first])
    log_w = one.log_w[first]
    belief = fresh * np.exp(log_w - log_w.max(axis=1, keepdims=True))
    total = belief.sum(axis=1, keepdims=True)
    belief = np.divide(belief, total, out=fresh.copy(), where=total > 0)
    predicted = hold[:, None, None] * belief + (1.0 - hold[:, None, None]) * fresh
    log_m = log_sum(_log(predicted) + one.log_w[later], -1)
    return np.maximum(one.exponent[later, None] * log_m, FLOOR)


def _by_entry(layout: Layout, one: Unit, i: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the periods of the cells of a value that persists, (n,), and log m(s), (n, E, K).

    By the period of entry into s: of a static question there is one, else there are T.
    """
    mine, fresh = np.flatnonzero(one.lasting == i), _likelihood(layout, i)
    entries = 1 if layout.arrays.dynamics == STATIC else len(one.prior)
    q, before = float(layout.arrays.indicator["persistence"][i]), 0
    belief, log_l = np.repeat(fresh[None], entries, axis=0), np.empty((len(mine), entries, layout.scenarios))
    for n, c in enumerate(mine.tolist()):
        t, log_w = int(one.period[c]), one.log_w[c]
        high = log_w.max(axis=1, keepdims=True)
        hold = q ** (t - before)
        joint = (hold * belief + (1.0 - hold) * fresh) * np.exp(log_w - high)
        m = joint.sum(axis=2)
        log_l[n] = np.maximum(one.exponent[c] * (_log(m) + high[:, 0]), FLOOR)
        belief = np.divide(
            joint, m[..., None], out=np.repeat(fresh[None], entries, 0), where=m[..., None] > 0
        )
        belief[t + 1 :] = fresh
        before = t
    return one.period[mine], log_l


def _path_probabilities(layout: Layout, whole: _Evidence) -> np.ndarray:
    """Return log P(path) and log P(path | e) of each pair of scenarios, (2, K * K)."""
    one = whole.unit
    periods, size = one.log_weight.shape
    since = np.repeat(one.log_weight[:, None], periods, axis=1)  # (T, E, K) by the period of entry
    for i in np.unique(one.lasting[one.lasting >= 0]).tolist():
        when, log_m = _by_entry(layout, one, i)
        np.add.at(since, when, np.broadcast_to(log_m, (len(when), periods, size)))
    at_first = np.concatenate([np.zeros((1, size)), since[:, 0].cumsum(axis=0)])  # of periods before t
    on = since[::-1].cumsum(axis=0)[::-1]  # (T, E, K) of periods from t on
    from_turn = on[np.arange(periods), np.arange(periods)]  # (T, K) of a scenario entered in t
    stay = np.concatenate([np.zeros((1, size)), _log(np.diagonal(one.each, axis1=1, axis2=2)).cumsum(axis=0)])
    log_p, first = np.empty((2, size, size)), _log(one.prior[0])
    for n in range(2):
        for i in range(size):
            for j in range(size):
                if i == j:
                    log_p[n, i, i] = first[i] + stay[-1, i] + n * at_first[-1, i]
                    continue
                turn = np.arange(1, periods)  # the first period in j
                moves = stay[turn - 1, i] + _log(one.each[:, i, j]) + stay[-1, j] - stay[turn, j]
                value = first[i] + moves + n * (at_first[turn, i] + from_turn[turn, j])
                log_p[n, i, j] = log_sum(value, -1) if periods > 1 else FLOOR
    log_p[1] -= whole.joint
    return np.maximum(log_p, FLOOR).reshape(2, -1)
