"""Conflict measure of the evidence (Jensen et al. 1991), and scenario paths that explain a conflict.

    conf(e_1..e_n) = log [P(e_1) ... P(e_n) / P(e_1..e_n)]                       (Jensen et al. 1991)

Evidence that belongs together makes one another probable: the joint is above the product, the measure below
0. Above 0 the cells were easier to come by if they had nothing to do with one another. That may be a rare
but coherent path: a path h explains it if its own gain log P(h | e) / P(h) is at least as large, for then
conf(e_1..e_n, h) <= 0. The paths looked at have at most one move: one scenario throughout, or one and
then another.

Everything is at the judgements' means, P(e) by the filter, exponents of groups and cap included. Only ratios
between scenarios enter: what is counted of a cell is which way it points, not how rare it was. All in
decibans.
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
from forecast.model.cell_sequence import unit_and_period
from forecast.model.horizon import steps
from forecast.model.likelihood import DECIBAN, log_cells
from forecast.model.problem import Problem, build_problem

PAIRS = 10  # the worst pairs of cells that are named
FLOOR = -1e5  # stands for the logarithm of a likelihood of 0


class Unit(NamedTuple):
    """The evidence of one unit at the judgements' means: n cells, T periods, K scenarios."""

    period: np.ndarray  # (n,)
    log_m: np.ndarray  # (n, K) of each cell
    log_prior: np.ndarray  # (K,)
    matrix: np.ndarray  # (T - 1, K, K) of each step
    log_matrix: np.ndarray  # (T - 1, K, K)
    log_weight: np.ndarray  # (T, K) summed over the cells of a period


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
    kind = step.sequence.kind[: len(unit)]
    log_m = np.empty((len(step.sequence.cell), layout.scenarios))
    log_cells(layout.mean, step.sequence.cell, problem.cells, layout.arrays, log_m)
    log_m = np.maximum(log_m * step.sequence.exponent[:, None], FLOOR)[kind]
    first, each = steps(layout.mean[None], layout.arrays, step.periods)
    matrix = np.ascontiguousarray(each[0])
    with np.errstate(divide="ignore"):
        log_prior = np.maximum(np.log(first[0]), FLOOR)
        log_matrix = np.maximum(np.log(matrix), FLOOR)
    units = []
    for u in range(problem.units):
        mine = unit == u
        log_weight = np.zeros((step.periods, layout.scenarios))
        np.add.at(log_weight, period[mine], log_m[mine])
        units.append(Unit(period[mine], log_m[mine], log_prior, matrix, log_matrix, log_weight))
    indicator = problem.cells.cell["indicator"][step.sequence.cell[kind]]
    return _dataset(question, units, unit, period, indicator)


def _dataset(
    question: Question, units: list[Unit], unit: np.ndarray, period: np.ndarray, indicator: np.ndarray
) -> xr.Dataset:
    names = [_name(question, *where) for where in zip(unit, period, indicator, strict=True)]
    joint = [float(log_sum(_log_before(one)[-1] + one.log_weight[-1])) for one in units]  # log P(e_1..e_n)
    alone = [log_sum(_log_prior_by_period(one)[one.period] + one.log_m, -1) for one in units]  # log P(e_i)
    total = np.array([a.sum() - j for a, j in zip(alone, joint, strict=True)])
    each = np.concatenate([a - _log_given_others(one) for a, one in zip(alone, units, strict=True)])
    worst = _worst_pairs(units, alone)
    ids = question.scenario_ids
    paths = np.array([a if a == b else f"{a}, then {b}" for a in ids for b in ids], dtype=str)
    log_p = np.array([_path_probabilities(*both) for both in zip(units, joint, strict=True)])  # (U, 2, K * K)
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


def _log_prior_by_period(one: Unit) -> np.ndarray:
    """Return the log probability of each scenario in each period before any evidence, (T, K)."""
    rows = [np.exp(one.log_prior)]
    for step in one.matrix:
        rows.append(rows[-1] @ step)
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(rows), FLOOR)


def _log_before(one: Unit) -> np.ndarray:
    """Return log P(s_t, evidence before t), (T, K)."""
    rows = [one.log_prior]
    for weight, step in zip(one.log_weight[:-1], one.log_matrix, strict=True):
        rows.append(log_sum((rows[-1] + weight)[:, None] + step, 0))
    return np.array(rows)


def _log_given_others(one: Unit) -> np.ndarray:
    """Return log P(e_i | all others) of each cell, (n,), by the filter from both sides.

    P(s_t | others) is in proportion to P(s_t | before t) prod_(j of t, j != i) m_j(s_t) P(after t | s_t).
    """
    before = _log_before(one)
    after = np.zeros_like(before)
    for t in range(len(after) - 2, -1, -1):
        after[t] = log_sum(one.log_matrix[t] + one.log_weight[t + 1] + after[t + 1], -1)
    others = (before + after + one.log_weight)[one.period] - one.log_m
    return log_sum(others + one.log_m, -1) - log_sum(others, -1)


def _worst_pairs(units: list[Unit], alone: list[np.ndarray]) -> list[tuple[float, int, int]]:
    """Return the pairs of cells with the most conflict: conflict, first cell, second cell."""
    worst, start = list[tuple[float, int, int]](), 0
    for one, log_p in zip(units, alone, strict=True):
        high = one.log_m.max(axis=1, keepdims=True)
        m, log_m = np.exp(one.log_m - high), log_p - high[:, 0]
        now = np.exp(_log_prior_by_period(one))[one.period] * m
        for i in range(len(m) - 1):
            later = np.arange(i + 1, len(m))
            onward = [now[i]]  # by period from that of i on
            for step in one.matrix[one.period[i] : one.period[later].max(initial=0)]:
                onward.append(onward[-1] @ step)
            both = (np.array(onward)[one.period[later] - one.period[i]] * m[later]).sum(axis=1)
            with np.errstate(divide="ignore"):
                value = log_m[i] + log_m[later] - np.log(both)
            most = np.argsort(-value)[:PAIRS].tolist()
            worst += [(float(value[n]), start + i, start + i + 1 + n) for n in most]
        worst = sorted(worst, key=lambda pair: -pair[0])[:PAIRS]
        start += len(m)
    return [pair for pair in worst if pair[0] > 0]


def _path_probabilities(one: Unit, joint: float) -> np.ndarray:
    """Return log P(path) and log P(path | e) of each pair of scenarios, (2, K * K)."""
    periods, size = one.log_weight.shape
    evidence, stay = np.zeros((periods + 1, size)), np.zeros((periods, size))
    evidence[1:] = one.log_weight.cumsum(axis=0)
    stay[1:] = np.diagonal(one.log_matrix, axis1=1, axis2=2).cumsum(axis=0)  # from period 0 until then
    log_p = np.empty((2, size, size))
    for n, weight in enumerate((np.zeros_like(evidence), evidence)):
        for i in range(size):
            for j in range(size):
                if i == j:
                    log_p[n, i, i] = one.log_prior[i] + stay[-1, i] + weight[-1, i]
                    continue
                turn = np.arange(1, periods)  # the first period in j
                stays = stay[turn - 1, i] + one.log_matrix[:, i, j] + stay[-1, j] - stay[turn, j]
                value = one.log_prior[i] + stays + weight[turn, i] + weight[-1, j] - weight[turn, j]
                log_p[n, i, j] = log_sum(value) if periods > 1 else FLOOR
    log_p[1] -= joint
    return np.maximum(log_p, FLOOR).reshape(2, -1)
