"""Replicated evidence: reports drawn from the model given theta and a path of scenarios.

Given theta and the path of scenarios, every cell's value x is drawn from f(x | s) (or went on from the last
reported value), and every report's y from

    P(y | x) = (1 - b) P(y | passed on) + b [c r 1[y = x] + (1 - c r) u(y)]

with r the reliability, c the credibility factor, b the independence (1 for a report of its own). Passed on is
what an original says in the same replicate; noise, if it was withdrawn. Which cells and reports there are is
taken as it was. What is given of a cell (earlier reports of it) conditions what is drawn of it.

All of it runs over N draws at once, and over G cells that are alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from forecast.inference.predictive.design import CellDesign, PlacedCell, cell_and_children, originals_first
from forecast.inference.predictive.sampling import draw_noise, draw_number, pick, rates
from forecast.model.cells import ReportDesign, report_term
from forecast.model.likelihood import density
from forecast.model.parameters import CATEGORY, Layout
from forecast.model.report_log import WITHDRAWN

NOTHING = -1  # the value of a cell whose parent was quiet


class DrawnCell(NamedTuple):
    """The draws of one cell, for N draws and G cells alike."""

    value: np.ndarray  # (N, G) what happened: the index of a category's value, or a number; NOTHING
    stated: tuple[np.ndarray, ...]  # (N, G) by report: index or number
    alarm: np.ndarray | None  # (N, G) the value that would be reported, 0: silence; None: no monitoring
    children: tuple[DrawnCell, ...] = ()


class Batch(NamedTuple):
    """Cells that are alike, and what was drawn of them."""

    places: tuple[PlacedCell, ...]  # G
    drawn: DrawnCell
    exists: np.ndarray  # (N, G) chance that reports of children exist, given theta, path and what is given


def replicate(
    places: Iterable[PlacedCell],
    layout: Layout,
    theta: np.ndarray,
    path: np.ndarray,
    rng: np.random.Generator,
) -> Iterator[Batch]:
    """Draw the cells anew: what happened, and what the reports say.

    Where the earlier cell of a state that persists is among the cells, what its replicate makes most likely
    is what went on; else the value that is known.

    theta is (N, D), path (N, U, T). Yields cells that are alike together; every cell once.
    """
    sampler = _CellSampler(layout, theta, path, rng)
    alike: dict[tuple[int, CellDesign], list[PlacedCell]] = {}
    for place in places:
        indicators = [layout.question.indicators[one.indicator] for one in cell_and_children(place.design)]
        lasting = any(indicator.persistence is not None for indicator in indicators)
        alike.setdefault((place.period if lasting else -1, place.design), []).append(place)
    for (_, cell), placed in sorted(alike.items(), key=lambda one: one[0][0]):
        yield sampler.draw(cell, tuple(placed))


def most_likely(cell: CellDesign, drawn: DrawnCell, layout: Layout) -> np.ndarray:
    """Return the value that reports and silence make most likely, the first on a tie; (N, G).

    The largest d(x) prod_j P(y_j | x) with the reliabilities at their means; of a number, what the first
    report states. Somebody who breaks the silence by reporting v does so with the chance of detection where
    v happened, and by false alarm, of each value alike, where all was quiet.
    """
    size = len(layout.question.indicators[cell.indicator].values)
    if not size:
        return drawn.stated[0]
    weight = np.ones((size, *drawn.value.shape))
    if cell.monitoring is not None:
        detection, false_alarm = cell.monitoring
        alarm = np.zeros(drawn.value.shape, np.int64) if drawn.alarm is None else drawn.alarm
        silent = np.array([1.0 - false_alarm, *[1.0 - detection] * (size - 1)])
        reported = np.eye(size) * detection
        reported[:, 0] = false_alarm / (size - 1)
        weight = np.stack([silent, *reported[1:]], axis=1)[:, alarm]
    for design, y in zip(cell.reports, drawn.stated, strict=True):
        r = design.credibility * layout.mean[design.slot]
        keep: np.ndarray | float = 0.0
        if design.independence < 1.0:
            same = np.any([drawn.stated[o] == y for o in design.originals if o != WITHDRAWN], axis=0)
            noise = 1.0 / size if WITHDRAWN in design.originals else 0.0
            keep = (1.0 - design.independence) * np.where(same, 1.0, noise)
        weight *= keep + design.independence * ((1.0 - r) / size + r * equals_index(y, size))
    best, value = weight.max(axis=0) * (1 - 1e-12), np.full(drawn.value.shape, size - 1)
    for x in range(size - 2, -1, -1):
        value[weight[x] >= best] = x
    return value


def equals_index(x: np.ndarray, size: int) -> np.ndarray:
    """Return the one-hot encoding of x along a new first axis, (size, ...)."""
    return x == np.arange(size).reshape(size, *(1,) * x.ndim)


class _CellSampler:
    """Draws cells, those that are alike together, and keeps the values that may go on."""

    def __init__(self, layout: Layout, theta: np.ndarray, path: np.ndarray, rng: np.random.Generator) -> None:
        self._layout, self._theta, self._path, self._rng = layout, theta, path, rng
        self._arrays, self._row = layout.arrays, np.arange(len(theta))[:, None]
        self._known: dict[tuple[int, int, int], np.ndarray] = {}  # (N,) by unit, period and indicator

    def draw(self, cell: CellDesign, places: tuple[PlacedCell, ...]) -> Batch:
        """Draw cells that are alike."""
        unit, period = [place.unit for place in places], [place.period for place in places]
        s, exists = self._path[:, unit, period], np.ones((len(self._theta), len(places)))
        if self._arrays.indicator[cell.indicator]["kind"] != CATEGORY:
            return Batch(places, self._draw_reports(cell, self._number(cell, s)), exists)
        weight = self._weights(cell, s, unit)
        inner = [self._weights(child, s, unit) for child in cell.children]
        for child, each in zip(cell.children, inner, strict=True):
            unreported, unless = self._unreported(child)
            exists *= unless[:, None]
            weight[1:] *= each.sum(axis=0)
            weight[0] *= unreported[:, None]
        if cell.children:
            before = weight.sum(axis=0)
            weight[0] *= exists
            exists = weight.sum(axis=0) / before
        drawn, children = self._draw_reports(cell, pick(weight, self._rng)), []
        for child, each in zip(cell.children, inner, strict=True):
            value = np.where(drawn.value == 0, NOTHING, pick(each, self._rng))
            children.append(self._draw_reports(child, value))
        drawn = drawn._replace(children=tuple(children))
        for one, what in zip(cell_and_children(cell), (drawn, *children), strict=True):
            self._keep_value(one, what, places)
        return Batch(places, drawn, exists)

    def _weights(self, cell: CellDesign, s: np.ndarray, unit: list[int]) -> np.ndarray:
        """Return f(x | s), the held value mixed in, times what is given of the cell; (V, N, G)."""
        rate = rates(self._arrays, cell.indicator, self._theta)[:, self._row, s]
        if cell.hold:
            last = np.full(len(self._theta), cell.held)
            held = [self._known.get((u, cell.before, cell.indicator), last) for u in unit]
            rate = (1.0 - cell.hold) * rate + cell.hold * equals_index(np.stack(held, axis=1), len(rate))
        if cell.silent and cell.monitoring is not None:
            rate[1:] *= 1.0 - cell.monitoring[0]
            rate[0] *= 1.0 - cell.monitoring[1]
        for rest, truth, y in self._given(cell):
            rate *= rest[:, None] + truth[:, None] * (np.arange(len(rate)) == y)[:, None, None]
        return rate

    def _given(self, cell: CellDesign) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
        """Yield for each given report the two parts of P(y given x), constant and for x = y, and y."""
        stated = tuple(np.nan if design.given is None else design.given for design in cell.reports)
        for design in cell.reports:
            if design.given is not None:
                one = report_term(design, stated, design.given, self._layout, cell.indicator)
                r = self._theta[:, design.slot]
                yield one.keep + one.noise * (1.0 - one.credibility * r), one.truth * r, one.value

    def _unreported(self, child: CellDesign) -> tuple[np.ndarray, np.ndarray]:
        """Return the chance of what is given of a child where nothing happened, and of no more; (N,)."""
        unreported, more = np.ones(len(self._theta)), np.ones(len(self._theta))
        if child.silent and child.monitoring is not None:
            unreported *= 1.0 - child.monitoring[1]
        for rest, _, _ in self._given(child):
            unreported *= rest
        for design in child.reports:
            if design.given is None:
                more *= 1.0 - design.independence * design.credibility * self._theta[:, design.slot]
        return unreported, more

    def _number(self, cell: CellDesign, s: np.ndarray) -> np.ndarray:
        """Draw the true value of a count or measure given its known reports."""
        i, shape = cell.indicator, s.shape
        mean = rates(self._arrays, i, self._theta)[0, self._row, s]
        drawn = draw_number(self._arrays, i, mean, s, self._rng)
        given = list(self._given(cell))
        if given:
            free = np.prod([rest for rest, _, _ in given], axis=0)
            numbers = sorted({y for _, _, y in given})
            parts = [np.broadcast_to(free[:, None], shape)]
            for v in numbers:
                reported = np.prod([rest + truth * (y == v) for rest, truth, y in given], axis=0)
                parts.append((reported - free)[:, None] * density(self._arrays, i, mean, s, v))
            which = pick(np.stack(parts), self._rng)
            drawn = np.where(which == 0, drawn, np.array([0.0, *numbers])[which])
        return drawn

    def _draw_reports(self, cell: CellDesign, value: np.ndarray) -> DrawnCell:
        """Draw what the reports of a cell say, and whether its silence would be broken."""
        stated: list[np.ndarray | None] = [None] * len(cell.reports)
        for j in originals_first(cell.reports):
            design = cell.reports[j]
            if design.given is not None:
                stated[j] = np.full(value.shape, design.given)
            else:
                stated[j] = self._draw_report(cell.indicator, design, value, stated)
        alarm = None
        if cell.monitoring is not None and not cell.silent:
            detection, false_alarm = cell.monitoring
            size = self._arrays.indicator[cell.indicator]["size"]
            anything = self._rng.integers(1, size, value.shape)
            reported = self._rng.random(value.shape) < np.where(value > 0, detection, false_alarm)
            alarm = np.where(reported, np.where(value > 0, value, anything), 0)
        return DrawnCell(value, tuple(one for one in stated if one is not None), alarm)

    def _draw_report(
        self, i: int, design: ReportDesign, value: np.ndarray, stated: list[np.ndarray | None]
    ) -> np.ndarray:
        """Draw what one report says, given what happened and what others say."""
        r = design.credibility * self._theta[:, design.slot][:, None]
        nothing = value == NOTHING if self._arrays.indicator[i]["kind"] == CATEGORY else np.False_
        u = self._rng.random(value.shape)
        y = np.where((u < r) & ~nothing, value, draw_noise(self._layout, i, value.shape, self._rng))
        if design.independence < 1.0:
            chance = 1.0 - design.independence
            passed = np.where(nothing, chance / (1.0 - design.independence * r), chance)
            noise = draw_noise(self._layout, i, value.shape, self._rng)
            originals = [stated[o] if o != WITHDRAWN else None for o in design.originals]
            copies = np.stack([noise if one is None else one for one in originals])
            which = self._rng.integers(len(copies), size=value.shape)
            copy = np.take_along_axis(copies, which[None], axis=0)[0]
            y = np.where(self._rng.random(value.shape) < passed, copy, y)
        return y

    def _keep_value(self, cell: CellDesign, drawn: DrawnCell, places: tuple[PlacedCell, ...]) -> None:
        """Store the most likely value of a persistent indicator for the next cell."""
        lasting = self._layout.question.indicators[cell.indicator].persistence is not None
        if lasting and (cell.reports or cell.monitoring is not None):
            value = most_likely(cell, drawn, self._layout)
            for g, place in enumerate(places):
                self._known[place.unit, place.period, cell.indicator] = value[:, g]
