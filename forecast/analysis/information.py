"""Expected information gain of an experiment about the scenario (Lindley 1956).

    I(S; Y) = sum over y, s of p(s, y) log2[p(s, y) / (p(s) p(y))],
    p(s, y) = mean over draws of theta of P(s | theta) P(y | s, what is known, theta)

An experiment is one indicator of one period asked of one source, or left to whoever monitors it; its outcomes
Y are the values that could be stated, or silence. The cell with a statement added comes from
:mod:`forecast.model.evidence_index`, so that repeats and pairs count exactly as if the report had been made.
With W(x) of the cell without it and W_y(x) with it, and p(x | s) what is known of the value,

    P(y | s, what is known, theta) = sum over x of p(x | s) W_y(x) / sum over x of p(x | s) W(x)

An answer was asked for, so that it is not by a habit of filing, or of watching, that it is there: whether
the cell is silent, or a report was to be expected in it, stays as it is. Of a state that goes on p(x | s) is
that of its hidden value (:mod:`forecast.model.hmm`), which depends on whether s was entered just now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from scipy.special import rel_entr

from forecast.case.evidence import Evidence, Report
from forecast.case.question import Indicator
from forecast.model.cell_sequence import CellSequence
from forecast.model.cells import CellContent, flatten
from forecast.model.evidence_index import EvidenceIndex
from forecast.model.hmm import KEPT, Filtered, filter_particles, last_cells
from forecast.model.horizon import matrices, to_horizon
from forecast.model.likelihood import Cells, log_cells, log_weights
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
    top: int  # the indicator of the cell: itself, or the one that it is given
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
    return [one for one in every if one is not None], period.cells()


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
        self._index = EvidenceIndex.known_on(layout, every, query.as_of, left_out=self._imagined)
        places = {indicator.id: i for i, indicator in enumerate(question.indicators)}
        self._top = [places[one.given or one.id] for one in question.indicators]
        self._numbers: dict[CellContent, int] = {}

    def cells(self) -> Cells:
        """Return the cells that experiments name, as arrays."""
        return flatten(list(self._numbers))

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
        base = self._index.content((unit, period, self._top[i]))
        if source:
            day = self._end if number else as_of
            stated = (self._with(unit, i, day, {report.id}) for report in self._reports[asked])
            contents = [_asked_for(one, base) for one in stated]
        else:
            assert indicator.monitored is not None
            day = self._end + timedelta(days=indicator.monitored.lag)
            contents, values, weight = [self._with(unit, i, day, set())], ("silence",), np.ones(1)
            if contents[0] == base:  # somebody has spoken, or nobody monitors it in this period
                return None
        repeats, cells = any(r.source == source for r in live), np.array([self._number(c) for c in contents])
        return Experiment(
            unit, i, self._top[i], source, repeats, values, weight, cells, self._number(base), complete
        )

    def _with(self, unit: int, i: int, day: date, added: set[str]) -> CellContent | None:
        """Return the cell with some imagined reports in it, and put everything back."""
        key = unit, self._query.period, i
        self._index.update_cells([key], day, self._imagined - added)
        content = self._index.content((*key[:2], self._top[i]))
        self._index.update_cells([key], self._query.as_of, self._imagined)
        return content

    def _number(self, content: CellContent | None) -> int:
        """Return the number of a cell, -1 if there is none."""
        return -1 if content is None else self._numbers.setdefault(content, len(self._numbers))


def _asked_for(content: CellContent | None, base: CellContent | None) -> CellContent | None:
    """Return a cell with the reports of one and what is known of filing and watching from the other."""
    if content is None:
        return None
    plain = CellContent(content.indicator) if base is None else base
    before = {child.indicator: child for child in plain.children}
    children = [_asked_for(child, before.get(child.indicator)) for child in content.children]
    return plain._replace(terms=content.terms, children=tuple(child for child in children if child))


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


class Forecasts(NamedTuple):
    """The forecast's draws of theta, and the filter at each of them."""

    theta: np.ndarray  # (C, M, D)
    filtered: Filtered  # of C M particles
    last: np.ndarray  # (U, I) the period of each indicator's last cell, -1
    period: int  # that of the as-of date

    @classmethod
    def at(cls, layout: Layout, theta: np.ndarray, sequence: CellSequence, cells: Cells) -> Forecasts:
        """Filter a sequence at theta (C, M, D)."""
        filtered = filter_particles(theta.reshape(-1, theta.shape[-1]), sequence, cells, layout.arrays)
        periods = sequence.start.shape[1] - 1
        return cls(theta, filtered, last_cells(sequence, periods, cells, layout.arrays), periods - 1)


class _Pairs(NamedTuple):
    """Probabilities of N draws: of the scenario now (rows), and in the period that is reported on."""

    both: np.ndarray  # (N, U, K, K)
    to_horizon: np.ndarray  # (N, K, K) from the period that is reported on

    def targets(self, unit: int, chance: np.ndarray) -> dict[str, np.ndarray]:
        """Return p(y, target), (y, K), summed over draws; chance (N, y, 1 or K, K) of y given the pair."""
        joint = chance * self.both[:, None, unit]
        there = joint.sum(axis=2)
        return {
            "now": joint.sum(axis=(0, 3)),
            "reported": there.sum(axis=0),
            "horizon": np.einsum("nyj,njt->yt", there, self.to_horizon),
        }


def joints(
    layout: Layout, forecasts: Forecasts, possible: list[Experiment], cells: Cells, step: int
) -> dict[str, Joint]:
    """Return the joint distribution of each target with the outcomes of each experiment.

    `step` is 0 if the present period is reported on, 1 if the next.
    """
    chains, number, size = *forecasts.theta.shape[:2], layout.scenarios
    units = layout.question.unit_count
    joint = {
        name: Joint(
            np.zeros((chains, units, size)), [np.zeros((chains, len(one.cells), size)) for one in possible]
        )
        for name in ("now", "reported", "horizon")
    }
    for c in range(chains):
        for first in range(0, number, _CHUNK):
            part = slice(c * number + first, c * number + min(first + _CHUNK, number))
            theta = np.ascontiguousarray(forecasts.theta[c, first : first + _CHUNK])
            pairs, tables = _pairs(layout, forecasts, part, theta, step), _Tables(layout, theta, cells)
            certain = np.ones((len(theta), 1, 1, size))
            for u in range(units):
                for name, value in pairs.targets(u, certain).items():
                    joint[name].scenario[c, u] += value[0] / number
            for k, one in enumerate(possible):
                chance = tables.chance(one, forecasts, part, step)
                for name, value in pairs.targets(one.unit, chance).items():
                    joint[name].outcome[k][c] += value / number
        for each in joint.values():  # given that it is open still, of an event question
            total = each.scenario[c].sum(axis=-1, keepdims=True)
            each.scenario[c] /= total
            for k, one in enumerate(possible):
                each.outcome[k][c] /= total[one.unit]
    return joint


def _pairs(layout: Layout, forecasts: Forecasts, part: slice, theta: np.ndarray, step: int) -> _Pairs:
    question, matrix, today = layout.question, forecasts.filtered.matrix[part], forecasts.period
    now = forecasts.filtered.alpha[part, :, -1]
    both = now[..., None] * np.eye(layout.scenarios)
    if step:
        both = now[..., None] * matrices(theta, layout.arrays, matrix, today + 2)[:, None, today]
    period = today + step
    steps = question.period(question.horizon) - period
    return _Pairs(both, to_horizon(theta, layout.arrays, matrix, period=period, steps=steps))


class _Tables:
    """The likelihoods of cells at some draws of theta, (N, D)."""

    def __init__(self, layout: Layout, theta: np.ndarray, cells: Cells) -> None:
        self._a, self._theta = layout.arrays, theta
        number, size = len(cells.cell), layout.scenarios
        lasts = np.zeros(number, bool)
        if number:
            lasts = self._a.indicator["belief"][cells.cell["indicator"]] >= 0
        ids, lasting = np.flatnonzero(~lasts), np.flatnonzero(lasts)
        self._place = np.append(np.where(lasts, np.cumsum(lasts), np.cumsum(~lasts)) - 1, -1)  # -1: no cell
        self._log_m = np.zeros((len(theta), len(ids) + 1, size))
        self._log_w = np.zeros((len(theta), len(lasting) + 1, size, layout.arrays.values))
        for n, one in enumerate(theta):
            log_cells(one, ids, cells, self._a, self._log_m[n, :-1])
            log_weights(one, lasting, cells, self._a, self._log_w[n, :-1])

    def chance(self, one: Experiment, forecasts: Forecasts, part: slice, step: int) -> np.ndarray:
        """Return P(y | scenario now, scenario reported on, what is known), (N, y, 1 or K, K)."""
        i, base, cells = one.top, self._place[[one.base]], self._place[one.cells]
        with np.errstate(invalid="ignore", over="ignore"):
            if self._a.indicator[i]["belief"] < 0:
                chance = np.exp(self._log_m[:, cells] - self._log_m[:, base])[:, :, None]
            else:
                size = int(self._a.indicator[i]["size"])
                log_w = self._log_w[..., :size]
                weight = np.exp(log_w[:, cells] - log_w[:, base])  # (N, y, K, V)
                weight = np.where(np.isfinite(weight), weight, 0.0)
                chance = self._lasting(weight, one, forecasts, part, step)
        return np.where(np.isfinite(chance), chance, 0.0)  # a scenario that is ruled out already

    def _lasting(
        self, weight: np.ndarray, one: Experiment, forecasts: Forecasts, part: slice, step: int
    ) -> np.ndarray:
        """Return the same of a state that goes on, from W_y(x) / W(x)."""
        row, size = self._a.indicator[one.top], weight.shape[-1]
        start, scenarios = int(row["start"]), weight.shape[2]
        fresh = self._theta[:, start : start + scenarios * size].reshape(-1, scenarios, size)
        last = int(forecasts.last[one.unit, one.top])
        hold = float(row["persistence"]) ** (forecasts.period + step - last) if last >= 0 else 0.0
        run, kept = np.exp(forecasts.filtered.log_alpha[part, one.unit, -1]), forecasts.period % KEPT
        values = slice(int(row["belief"]), int(row["belief"]) + size)
        belief = forecasts.filtered.belief[part, one.unit, kept, :, :, values]
        total = run.sum(axis=-1, keepdims=True)
        share = np.divide(run, total, out=np.zeros_like(run), where=total > 0)
        going_on = hold * np.einsum("nsr,nsrx->nsx", share, belief) + (1.0 - hold) * fresh
        stayed = np.einsum("nysx,nsx->nys", weight, going_on)
        if not step:
            return stayed[:, :, None]
        entered = np.einsum("nysx,nsx->nys", weight, fresh)
        same = np.eye(scenarios, dtype=bool) | (self._a.runs == 1)
        return np.where(same, stayed[:, :, None], entered[:, :, None])


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
