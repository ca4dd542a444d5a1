"""What might be reported: the cells that reports not yet made would give, value by value.

A channel is one indicator in one period, asked of one source (or of nobody: the watch over a monitored
indicator, which is silent or is not). Its outcomes are the values that could be stated. The cell with the
statement added comes from :mod:`forecast.model.known`, so that repeats, persistence and pairs are treated
exactly as if the report had been made; m(s) with it over m(s) without is P(y | s, what is known, theta).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from forecast.case.evidence import Evidence, Report
from forecast.case.question import Indicator, Question
from forecast.model.known import Known
from forecast.model.layout import MEASURE, NEGATIVE_BINOMIAL, Layout
from forecast.model.likelihood import Cells

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
        self.known, self._question = Known(laid, evidence), laid.question
        self._imagined, self._wanted = imagined, wanted
        self._end = laid.question.last_day(wanted.period)
        self.known.put({key for _, key in self.known.events(wanted.as_of)}, wanted.as_of, imagined)
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
        self.known.put([asked.key], day, self._imagined - added)
        numbers = self._numbers(asked.unit)
        tops = self._tops[asked.unit]
        found = numbers[bisect_left(tops, top)] if len(numbers) > len(tops) or top in tops else -1
        self.known.put([asked.key], self._wanted.as_of, self._imagined)
        return found

    def _numbers(self, unit: int) -> list[int]:
        """Return the cells of a unit in the period, in the order of the indicators."""
        course = self.known.step(self._end).course
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
