"""What might be reported: the cells that reports not yet made would give, value by value.

A channel is one indicator in one period, asked of one source (or of nobody: the watch over a monitored
indicator, which is silent or is not). Its outcomes are the values that could be stated. The cell with the
statement added comes from :mod:`forecast.model.evidence_index`, so that repeats, persistence and
pairs are treated exactly as if the report had been made;
m(s) with it over m(s) without is P(y | s, what is known, theta).

The information that outcomes hold about the scenario, from draws of the judgements.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from forecast.analysis.plug_in import PlugInModel
from forecast.analysis.sensitivity.tornado import theta_of
from forecast.case.evidence import Evidence, Report
from forecast.case.question import Indicator, Question
from forecast.inference.estimates import Draws
from forecast.model.evidence_index import EvidenceIndex
from forecast.model.likelihood import Cells, log_cells
from forecast.model.parameters import MEASURE, NEGATIVE_BINOMIAL, Layout

if TYPE_CHECKING:
    import xarray as xr


WATCH = ""  # in place of a source: whether anybody reports anything
POINTS = 401  # of the grid over a number; counts up to as many are summed one by one
_TAIL = 12.0  # standard deviations that the grid reaches beyond the outermost mean


@dataclass(frozen=True)
class Channel:
    """One thing that could be looked for, and the cells that its outcomes would give."""

    unit: int
    indicator: int
    source: str
    repeats: bool  # the source has spoken in this cell before
    values: tuple[str | float, ...]  # what could be stated
    weight: np.ndarray  # (n,) of each value in a sum or an integral over them
    cells: np.ndarray  # (n,) the cell with each value stated
    base: int  # the cell as it stands, -1 if there is none
    closed: bool  # whether the values are all there is but for "nothing", which is then one outcome more


@dataclass(frozen=True)
class Wanted:
    """What to look for: pairs of indicator and source, in one period."""

    pairs: Sequence[tuple[int, str]]
    period: int
    as_of: date


def channels(
    laid: Layout, evidence: Evidence, wanted: Wanted, theta: np.ndarray
) -> tuple[list[Channel], Cells]:
    """Return the channels that exist, unit by unit, and the cells that they name.

    `theta` (N, D) are the draws: a grid over a count or a measure reaches as far as they do. Left out are a
    second report of a measure, and a number about which something is known that still waits.
    """
    question = replace(laid.question, groups=(), cap=None)  # a report alone has no group
    laid = replace(laid, question=question)
    evidence = Evidence(tuple(r for r in evidence.reports if r.reported <= wanted.as_of))
    asked = [
        _Asked(laid, wanted, unit, i, source, theta)
        for unit in range(_units(question))
        for i, source in wanted.pairs
    ]
    imagined = tuple(report for one in asked for report in one.reports)
    slot = _Slot(laid, Evidence(evidence.reports + imagined), frozenset(r.id for r in imagined), wanted)
    found = [channel for one in asked if (channel := slot.channel(one, evidence)) is not None]
    return found, slot.known.cells()


def _units(question: Question) -> int:
    return max(len(question.units), 1)


class _Asked:
    """One indicator asked of one source: the reports that could come of it."""

    def __init__(
        self, laid: Layout, wanted: Wanted, unit: int, i: int, source: str, theta: np.ndarray
    ) -> None:
        question, self.unit, self.i, self.source = laid.question, unit, i, source
        self.indicator = question.indicators[i]
        name = question.units[unit] if question.units else ""
        self.key = (unit, wanted.period, i)
        self.values, self.weight, self.closed = _values(laid, self.indicator, i, theta)
        self.reports = tuple(
            Report(
                id=f"imagined {unit} {i} {source} {n}",
                date=question.last_day(wanted.period),
                reported=wanted.as_of,
                indicator=self.indicator.id,
                value=value,
                source=source,
                unit=name,
            )
            for n, value in enumerate(self.values if source else ())
        )


class _Slot:
    """The cells of the period asked about, with one imagined report at a time."""

    def __init__(self, laid: Layout, evidence: Evidence, imagined: frozenset[str], wanted: Wanted) -> None:
        self.known = EvidenceIndex.known_on(laid, evidence, wanted.as_of, left_out=imagined)
        self._question = laid.question
        self._imagined, self._wanted = imagined, wanted
        self._end = laid.question.last_day(wanted.period)
        indicators = self.known.cells().cell["indicator"]
        self._base = [self._numbers(unit) for unit in range(_units(laid.question))]
        self._tops = [[int(indicators[n]) for n in numbers] for numbers in self._base]
        places = {indicator.id: i for i, indicator in enumerate(laid.question.indicators)}
        self._top = [places[one.given or one.id] for one in laid.question.indicators]

    def channel(self, asked: _Asked, evidence: Evidence) -> Channel | None:
        """Return the channel of what is asked, None if nothing can be reported."""
        question, unit, top = self._question, asked.unit, self._top[asked.i]
        name = question.units[unit] if question.units else ""
        live = [
            r
            for r in evidence.known(self._wanted.as_of)
            if r.indicator == asked.indicator.id
            and r.unit == name
            and question.period(r.date) == self._wanted.period
        ]
        number = not asked.indicator.values
        if number and live and (asked.indicator.kind == "measure" or self._end > self._wanted.as_of):
            return None
        tops = self._tops[unit]
        base = self._base[unit][tops.index(top)] if top in tops else -1
        values: tuple[str | float, ...] = asked.values
        if asked.source:
            day = self._end if number else self._wanted.as_of
            cells = [self._with(asked, top, day, {report.id}) for report in asked.reports]
        else:
            assert asked.indicator.monitored is not None
            day = self._end + timedelta(days=asked.indicator.monitored.lag)
            cells, values = [self._with(asked, top, day, set())], ("silence",)
            if cells[0] == base:  # somebody has spoken, or nobody watches in this period
                return None
        return Channel(
            unit=unit,
            indicator=asked.i,
            source=asked.source,
            repeats=any(r.source == asked.source for r in live),
            values=values,
            weight=asked.weight if asked.source else np.ones(1),
            cells=np.array(cells, np.int64),
            base=base,
            closed=asked.closed,
        )

    def _with(self, asked: _Asked, top: int, day: date, added: set[str]) -> int:
        """Return the number of the cell with some imagined reports in it, and put everything back."""
        self.known.update_cells([asked.key], day, self._imagined - added)
        numbers = self._numbers(asked.unit)
        tops = self._tops[asked.unit]
        found = numbers[bisect_left(tops, top)] if len(numbers) > len(tops) or top in tops else -1
        self.known.update_cells([asked.key], self._wanted.as_of, self._imagined)
        return found

    def _numbers(self, unit: int) -> list[int]:
        """Return the cells of a unit in the period, in the order of the indicators."""
        course = self.known.snapshot(self._end).course
        first, end = course.start[unit, self._wanted.period : self._wanted.period + 2]
        return [int(n) for n in course.cell[course.kind[first:end]]]


def _values(
    laid: Layout, indicator: Indicator, i: int, theta: np.ndarray
) -> tuple[tuple[str | float, ...], np.ndarray, bool]:
    """Return what can be stated of an indicator, with weights, and whether that is all there is."""
    if indicator.values:
        return indicator.values, np.ones(len(indicator.values)), True
    a = laid.arrays
    start = a.indicator[i]["start"]
    slots = slice(start, start + a.scenarios)
    mean = np.concatenate([theta[:, slots], laid.mean[None, slots]])
    if a.indicator[i]["kind"] == MEASURE:
        sd = a.slot["sd"][slots]
        grid = np.linspace((mean - _TAIL / 2 * sd).min(), (mean + _TAIL / 2 * sd).max(), POINTS)
        return tuple(grid.tolist()), _trapezoid(grid), False
    high = float(mean.max())
    negative = a.indicator[i]["kind"] == NEGATIVE_BINOMIAL
    variance = high + (high**2 / float(a.indicator[i]["dispersion"]) if negative else 0.0)
    last = int(high + _TAIL * variance**0.5) + 10
    if last < POINTS:
        return tuple(range(last + 1)), np.ones(last + 1), True
    grid = np.unique(np.round(np.linspace(0, last, POINTS)))
    return tuple(int(y) for y in grid), _trapezoid(grid), False


def _trapezoid(grid: np.ndarray) -> np.ndarray:
    """Return the weights of the trapezoid rule."""
    step = np.diff(grid)
    return (np.append(step, 0.0) + np.append(0.0, step)) / 2


_CHUNK = 200  # draws at a time


@dataclass(frozen=True)
class Joint:
    """Of one target, chain by chain: p(s) by unit, and p(s, y) of every outcome of every channel."""

    scenario: np.ndarray  # (C, U, K)
    outcome: list[np.ndarray]  # of each channel (C, n, K)


def draws_of(model: PlugInModel, tree: xr.DataTree, most: int) -> Draws:
    """Return the draws of a forecast, evenly thinned, with what they say of every period."""
    theta = theta_of(model.layout, tree)
    theta = theta[:, :: max(theta.shape[1] // most, 1)][:, :most]
    chains, number = theta.shape[:2]
    filtered = model.filtered_at(theta.reshape(chains * number, -1))
    matrix, alpha, log_norm = (
        part.reshape(chains, number, *part.shape[1:])
        for part in (filtered.matrix, filtered.alpha, filtered.log_norm)
    )
    return Draws(theta, theta, matrix, alpha, log_norm)


def _targets(sample: Draws, ahead: int, steps: int) -> dict[str, np.ndarray]:
    """Return P(scenario of the period reported on, scenario asked about | theta): (C, M, U, K, K).

    `ahead` is 0 if the present period is reported on, 1 if the next; `steps` lead to the horizon.
    """
    now, matrix = sample.alpha[..., -1, :], sample.matrix[:, :, None]
    size = now.shape[-1]
    moved = now if not ahead else np.einsum("cmus,cmst->cmut", now, sample.matrix)
    there = moved[..., None] * np.eye(size)
    before = there if not ahead else np.swapaxes(now[..., None] * matrix, -1, -2)
    return {
        "now": before,
        "reported": there,
        "horizon": there @ np.linalg.matrix_power(matrix, steps - ahead),
    }


def joints(laid: Layout, sample: Draws, found: list[Channel], cells: Cells, ahead: int) -> dict[str, Joint]:
    """Return p(s, y) of every channel and target."""
    question = laid.question
    day = sample.alpha.shape[-2] - 1  # the period of the as-of date
    across = _targets(sample, ahead, question.period(question.horizon) - day)
    chains, number = sample.theta.shape[:2]
    row = [np.concatenate([[channel.base], channel.cells]) for channel in found]
    used = np.unique(np.concatenate([*row, [0]]))
    used = used[used >= 0]
    place = {int(n): k for k, n in enumerate(used)} | {-1: len(used)}
    where = [np.array([place[int(n)] for n in one]) for one in row]
    joint = {
        name: Joint(
            target.sum(axis=-2).mean(axis=1),
            [np.zeros((chains, len(channel.cells), laid.scenarios)) for channel in found],
        )
        for name, target in across.items()
    }
    for c in range(chains):
        for first in range(0, number, _CHUNK):
            part = slice(first, min(first + _CHUNK, number))
            log_m = _log_m(laid, sample.theta[c, part], used, cells)
            for k, channel in enumerate(found):
                m = log_m[:, where[k]]
                with np.errstate(invalid="ignore", over="ignore"):
                    chance = np.exp(m[:, 1:] - m[:, :1])
                chance = np.where(np.isfinite(chance), chance, 0.0)  # a scenario that is ruled out already
                for name, target in across.items():
                    weights = target[c, part, channel.unit]
                    joint[name].outcome[k][c] += np.einsum("nys,nst->yt", chance, weights) / number
    return joint


def _log_m(laid: Layout, theta: np.ndarray, ids: np.ndarray, cells: Cells) -> np.ndarray:
    """Return log m(s) of cells at theta (N, D): (N, n + 1, K), the last a cell in which nothing is said."""
    out = np.zeros((len(theta), len(ids) + 1, laid.scenarios))
    for n in range(len(theta) if len(cells.cell) else 0):
        log_cells(theta[n], ids, cells, laid.arrays, out[n, :-1])
    return out


def information(
    outcome: np.ndarray, scenario: np.ndarray, weight: np.ndarray, *, closed: bool = True
) -> float:
    """Return the mutual information of outcome and scenario in bits.

    Parameters
    ----------
    outcome : (n, K)
        p(s, y) of every outcome y (a density, of a number).
    scenario : (K,)
        p(s).
    weight : (n,)
        Of each outcome in the sum, or the integral, over them.
    closed : bool
        Whether what is left of p(s) is the probability of one outcome more.

    Examples
    --------
    >>> information(np.array([[0.5, 0.0], [0.0, 0.5]]), np.array([0.5, 0.5]), np.ones(2))
    1.0
    """
    if closed:
        rest = scenario - outcome.sum(axis=0)
        outcome, weight = np.vstack([outcome, np.where(rest > 1e-12, rest, 0.0)]), np.append(weight, 1.0)
    apart = outcome.sum(axis=1, keepdims=True) * scenario
    ratio = np.divide(outcome, apart, out=np.ones_like(outcome), where=(outcome > 0) & (apart > 0))
    return max(float(weight @ (outcome * np.log2(ratio)).sum(axis=1)), 0.0)


def gain_of(joint: Joint, k: int, channel: Channel) -> tuple[float, float]:
    """Return the gain of a channel in bits, and its standard error."""
    each, scenario = joint.outcome[k], joint.scenario[:, channel.unit]
    mean, over = each.mean(axis=0), scenario.mean(axis=0)
    found = information(mean, over, channel.weight, closed=channel.closed)
    chains = len(each)
    parts = [information(each[c], scenario[c], channel.weight, closed=channel.closed) for c in range(chains)]
    error = float(np.std(parts, ddof=1)) / chains**0.5 if chains > 1 else np.nan
    if channel.closed:
        return found, error
    coarse = np.where(np.arange(len(channel.weight)) % 2, 0.0, 2 * channel.weight)
    coarse[[0, -1]] /= 2
    return found, float(np.hypot(error, found - information(mean, over, coarse, closed=False)))


def entropy(p: np.ndarray) -> float:
    """Return the entropy of probabilities (K,) in bits.

    Examples
    --------
    >>> entropy(np.array([0.5, 0.5, 0.0]))
    1.0
    """
    return max(float(-(p[p > 0] * np.log2(p[p > 0])).sum()), 0.0)
