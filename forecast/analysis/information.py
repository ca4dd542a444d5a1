"""Expected information gain of an experiment about the scenario (Lindley 1956).

    I(S; Y) = sum over y, s of p(s, y) log2[p(s, y) / (p(s) p(y))],
    p(s, y) = mean over draws of theta of P(s | theta) P(y | s, what is known, theta)

An experiment is one indicator of one period asked of one source, or left to whoever monitors it; its outcomes
Y are the values that could be stated, or silence. The cell with a statement added comes from
:mod:`forecast.model.evidence_index`, so that repeats, persistence and pairs count exactly as if the report
had been made; m(s) with it over m(s) without is P(y | s, what is known, theta).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from scipy.special import rel_entr

from forecast.case.evidence import Evidence, Report
from forecast.case.question import Indicator
from forecast.inference.estimates import PosteriorDraws
from forecast.model.evidence_index import EvidenceIndex
from forecast.model.horizon import matrices, to_horizon
from forecast.model.likelihood import Cells, log_cells
from forecast.model.parameters import MEASURE, NEGATIVE_BINOMIAL, Layout

MONITORING = ""  # in place of a source: whether anybody reports anything
POINTS = 401  # of the grid over a number; counts up to as many are summed one by one
_TAIL = 12.0  # standard deviations that the grid reaches beyond the outermost mean
_CHUNK = 200  # draws at a time


Asked = tuple[int, int, str]  # of a unit, about an indicator, a source
Values = tuple[tuple[str | float, ...], np.ndarray, bool]  # as in an experiment: values, weight, complete


class Query(NamedTuple):
    """What to ask: pairs of indicator and source, about one period."""

    pairs: Sequence[tuple[int, str]]
    period: int
    as_of: date
    left_out: Sequence[str] = ()  # indicators that cannot be asked about


@dataclass(frozen=True)
class Experiment:
    """One indicator asked of one source, and the cells that its outcomes would give."""

    unit: int
    indicator: int
    source: str
    repeats: bool  # the source has spoken in this cell before
    values: tuple[str | float, ...]  # what could be stated
    weight: np.ndarray  # (n,) of each value in a sum or an integral over them
    cells: np.ndarray  # (n,) the cell with each value stated
    base: int  # the cell as it stands, -1 if there is none
    complete: bool  # whether the values are all there is but for "nothing", which is then one outcome more


def experiments(
    layout: Layout, evidence: Evidence, query: Query, theta: np.ndarray
) -> tuple[list[Experiment], Cells]:
    """Return the experiments that are possible, unit by unit, and the cells that they name.

    `theta` (N, D) are the draws: a grid over a count or a measure reaches as far as they do. Left out are a
    second report of a measure, and a number about which something is known that still waits.
    """
    question = replace(layout.question, groups=(), cap=None)  # a report alone has no group
    layout = replace(layout, question=question)
    asked = [(unit, i, source) for unit in range(question.unit_count) for i, source in query.pairs]
    values = {i: _values(layout, question.indicators[i], i, theta) for i, _ in query.pairs}
    imagined: dict[Asked, tuple[Report, ...]] = {}
    day, known = question.last_day(query.period), query.as_of
    for unit, i, source in asked:
        name, where = question.indicators[i].id, question.unit_names[unit]
        imagined[unit, i, source] = tuple(
            Report(f"imagined {unit} {i} {source} {n}", day, known, name, value, source, unit=where)
            for n, value in enumerate(values[i][0] if source else ())
        )
    period = _CellsOfPeriod(layout, evidence.until(query.as_of), imagined, query)
    every = [period.experiment(one, values[one[1]]) for one in asked]
    return [one for one in every if one is not None], period.index.cells()


class _CellsOfPeriod:
    """The cells of the period asked about, with one imagined report at a time."""

    def __init__(
        self, layout: Layout, evidence: Evidence, imagined: dict[Asked, tuple[Report, ...]], query: Query
    ) -> None:
        question = layout.question
        self._query, self._live = query, evidence.known(query.as_of)
        self._question, self._end = question, question.last_day(query.period)
        self._reports, rows = imagined, tuple(report for reports in imagined.values() for report in reports)
        self._imagined = frozenset(report.id for report in rows)
        every = Evidence(evidence.reports + rows)
        self.index = EvidenceIndex.known_on(layout, every, query.as_of, left_out=self._imagined)
        indicators = self.index.cells().cell["indicator"]
        self._base = [self._numbers(unit) for unit in range(question.unit_count)]
        self._tops = [[int(indicators[n]) for n in numbers] for numbers in self._base]
        places = {indicator.id: i for i, indicator in enumerate(question.indicators)}
        self._top = [places[one.given or one.id] for one in question.indicators]

    def experiment(self, asked: Asked, statable: Values) -> Experiment | None:
        """Return the experiment of what is asked, None if nothing can be reported."""
        (unit, i, source), (values, weight, complete) = asked, statable
        question, period, as_of = self._question, self._query.period, self._query.as_of
        indicator = question.indicators[i]
        subject = indicator.id, question.unit_names[unit], period
        live = [r for r in self._live if (r.indicator, r.unit, question.period(r.date)) == subject]
        number = not indicator.values
        if number and live and (indicator.kind == "measure" or self._end > as_of):
            return None
        top, tops = self._top[i], self._tops[unit]
        base = self._base[unit][tops.index(top)] if top in tops else -1
        if source:
            day = self._end if number else as_of
            cells = [self._with(unit, i, day, {report.id}) for report in self._reports[asked]]
        else:
            assert indicator.monitored is not None
            day = self._end + timedelta(days=indicator.monitored.lag)
            cells, values, weight = [self._with(unit, i, day, set())], ("silence",), np.ones(1)
            if cells[0] == base:  # somebody has spoken, or nobody monitors it in this period
                return None
        repeats = any(r.source == source for r in live)
        return Experiment(unit, i, source, repeats, values, weight, np.array(cells, np.int64), base, complete)

    def _with(self, unit: int, i: int, day: date, added: set[str]) -> int:
        """Return the number of the cell with some imagined reports in it, and put everything back."""
        keys, top, tops = [(unit, self._query.period, i)], self._top[i], self._tops[unit]
        self.index.update_cells(keys, day, self._imagined - added)
        numbers = self._numbers(unit)
        number = numbers[bisect_left(tops, top)] if len(numbers) > len(tops) or top in tops else -1
        self.index.update_cells(keys, self._query.as_of, self._imagined)
        return number

    def _numbers(self, unit: int) -> list[int]:
        """Return the cells of a unit in the period, in the order of the indicators."""
        sequence = self.index.snapshot(self._end).sequence
        first, end = sequence.start[unit, self._query.period : self._query.period + 2]
        return [int(n) for n in sequence.cell[sequence.kind[first:end]]]


def _values(layout: Layout, indicator: Indicator, i: int, theta: np.ndarray) -> Values:
    """Return what can be stated of an indicator, with weights, and whether that is all there is."""
    if indicator.values:
        return indicator.values, np.ones(len(indicator.values)), True
    arrays = layout.arrays
    row = arrays.indicator[i]
    slots = slice(row["start"], row["start"] + arrays.scenarios)
    mean = np.concatenate([theta[:, slots], layout.mean[None, slots]])
    if row["kind"] == MEASURE:
        sd = arrays.slot["sd"][slots]
        grid = np.linspace((mean - _TAIL / 2 * sd).min(), (mean + _TAIL / 2 * sd).max(), POINTS)
        return tuple(grid.tolist()), _trapezoid(grid), False
    high = float(mean.max())
    negative = row["kind"] == NEGATIVE_BINOMIAL
    variance = high + (high**2 / float(row["dispersion"]) if negative else 0.0)
    last = int(high + _TAIL * variance**0.5) + 10
    if last < POINTS:
        return tuple(range(last + 1)), np.ones(last + 1), True
    grid = np.unique(np.round(np.linspace(0, last, POINTS)))
    return tuple(int(y) for y in grid), _trapezoid(grid), False


def _trapezoid(grid: np.ndarray) -> np.ndarray:
    """Return the weights of the trapezoid rule."""
    step = np.diff(grid)
    return (np.append(step, 0.0) + np.append(0.0, step)) / 2


@dataclass(frozen=True)
class Joint:
    """Of one target, chain by chain: p(s) by unit, and p(s, y) of every outcome of every experiment."""

    scenario: np.ndarray  # (C, U, K)
    outcome: list[np.ndarray]  # of each experiment (C, n, K)


def _targets(layout: Layout, sample: PosteriorDraws, step: int, steps: int) -> dict[str, np.ndarray]:
    """Return P(scenario in the reported period, target scenario given theta), (C, M, U, K, K).

    `step` is 0 if the present period is reported on, 1 if the next; `steps` lead to the horizon. Of an event
    question all of it is given that nothing has happened by the reported period.
    """
    now, today = sample.alpha[..., -1, :], sample.alpha.shape[-2] - 1
    theta, size, lead = sample.theta.reshape(-1, layout.size), now.shape[-1], sample.matrix.shape[:2]
    flat = sample.matrix.reshape(-1, size, size)
    before = now[..., None] * np.eye(size)
    if step:
        each = matrices(theta, layout.arrays, flat, today + 2)[:, today].reshape(*lead, 1, size, size)
        before = np.swapaxes(now[..., None] * each, -1, -2)
        before = before / before.sum(axis=(-2, -1), keepdims=True).mean(axis=1, keepdims=True)
    there = before.sum(axis=-1, keepdims=True) * np.eye(size)
    way = to_horizon(theta, layout.arrays, flat, period=today + step, steps=steps - step)
    return {"now": before, "reported": there, "horizon": there @ way.reshape(*lead, 1, size, size)}


def joints(
    layout: Layout, sample: PosteriorDraws, possible: list[Experiment], cells: Cells, step: int
) -> dict[str, Joint]:
    """Return the joint distribution of each target with the outcomes of each experiment."""
    question = layout.question
    today = sample.alpha.shape[-2] - 1  # the period of the as-of date
    targets = _targets(layout, sample, step, question.period(question.horizon) - today)
    chains, number = sample.theta.shape[:2]
    rows = [np.concatenate([[one.base], one.cells]) for one in possible]
    used = np.unique(np.concatenate([*rows, [0]]))
    used = used[used >= 0]
    place = {int(n): k for k, n in enumerate(used)} | {-1: len(used)}
    where = [np.array([place[int(n)] for n in row]) for row in rows]
    joint = {
        name: Joint(
            target.sum(axis=-2).mean(axis=1),
            [np.zeros((chains, len(one.cells), layout.scenarios)) for one in possible],
        )
        for name, target in targets.items()
    }
    for c in range(chains):
        for first in range(0, number, _CHUNK):
            part = slice(first, min(first + _CHUNK, number))
            log_m = _log_m(layout, sample.theta[c, part], used, cells)
            for k, one in enumerate(possible):
                m = log_m[:, where[k]]
                with np.errstate(invalid="ignore", over="ignore"):
                    chance = np.exp(m[:, 1:] - m[:, :1])
                chance = np.where(np.isfinite(chance), chance, 0.0)  # a scenario that is ruled out already
                for name, target in targets.items():
                    weights = target[c, part, one.unit]
                    joint[name].outcome[k][c] += np.einsum("nys,nst->yt", chance, weights) / number
    return joint


def _log_m(layout: Layout, theta: np.ndarray, ids: np.ndarray, cells: Cells) -> np.ndarray:
    """Return log m(s) of cells at theta (N, D): (N, n + 1, K), the last of an empty cell."""
    out = np.zeros((len(theta), len(ids) + 1, layout.scenarios))
    for n in range(len(theta) if len(cells.cell) else 0):
        log_cells(theta[n], ids, cells, layout.arrays, out[n, :-1])
    return out


def information(
    outcome: np.ndarray, scenario: np.ndarray, weight: np.ndarray, *, complete: bool = True
) -> float:
    """Return the mutual information in bits of outcomes y, p(s, y) (n, K), and the scenario, p(s) (K,).

    `outcome` may be a density of a number: `weight` (n,) is of each in the sum or the integral. If
    `complete`, what is left of p(s) is the probability of one outcome more.

    >>> information(np.array([[0.5, 0.0], [0.0, 0.5]]), np.array([0.5, 0.5]), np.ones(2))
    1.0
    """
    if complete:
        rest = scenario - outcome.sum(axis=0)
        outcome, weight = np.vstack([outcome, np.where(rest > 1e-12, rest, 0.0)]), np.append(weight, 1.0)
    product = outcome.sum(axis=1, keepdims=True) * scenario
    nats = np.where(product > 0, rel_entr(outcome, product), 0.0)  # a product may underflow
    return max(float(weight @ nats.sum(axis=1) / np.log(2)), 0.0)


def gain(joint: Joint, k: int, one: Experiment) -> tuple[float, float]:
    """Return the expected gain of an experiment in bits, and its standard error."""
    outcome, scenario = joint.outcome[k], joint.scenario[:, one.unit]
    mean, over = outcome.mean(axis=0), scenario.mean(axis=0)
    bits = information(mean, over, one.weight, complete=one.complete)
    chains = len(outcome)
    parts = [information(outcome[c], scenario[c], one.weight, complete=one.complete) for c in range(chains)]
    error = float(np.std(parts, ddof=1)) / chains**0.5 if chains > 1 else np.nan
    if one.complete:
        return bits, error
    coarse = np.where(np.arange(len(one.weight)) % 2, 0.0, 2 * one.weight)
    coarse[[0, -1]] /= 2
    return bits, float(np.hypot(error, bits - information(mean, over, coarse, complete=False)))
