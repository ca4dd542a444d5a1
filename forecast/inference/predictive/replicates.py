"""Replicated evidence: reports drawn from the model given theta and a path of scenarios.

Given theta and the path, a cell's value x is drawn from f(x | s); of an indicator that persists it is, along
each stay in a scenario, the value of its cell before with probability q^g, g periods later, and fresh
otherwise. Every report's y is drawn from

    P(y | x) = (1 - b) P(y | passed on) + b [c r 1[y = x] + (1 - c r) u(y)]

with r the reliability, c the credibility factor, b the independence (1 for a report of its own). Passed on is
what an original says in the same replicate; noise, if it was withdrawn. In a cell that is watched and
complete the earliest claim y is filed with chance d_y, else there is no report: the law of the reports and
silences that the model has, whole, if the source that would report is of mean reliability. (The model gives
silence the mean reliability whoever it was that did not report.) Of a monitored indicator something that is
not quiet is reported with the chance of detection or false alarm, and claims y with P(y | x) among the values
that are not quiet: the same law again, at the mean reliability.

What is taken as it was is said in :mod:`forecast.inference.predictive.design`; what is known of a cell
(earlier reports, a silence) conditions what is drawn of it, and so do the known cells of its indicator
before and after it, where its value persists. All of it runs over N draws at once, and over G cells alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from forecast.inference.predictive.design import (
    NOBODY,
    CellDesign,
    PlacedCell,
    originals_first,
)
from forecast.inference.predictive.sampling import (
    draw_noise,
    draw_number,
    draw_reading,
    hidden_values,
    noise_chances,
    pick,
    rates,
)
from forecast.model.cells import ReportDesign, report_term
from forecast.model.parameters import CATEGORY, Layout
from forecast.model.report_log import WITHDRAWN

NOTHING = -1  # the value of a cell whose parent was quiet

#: What is known of the hidden values of an indicator that persists: by (unit, indicator), in the order of
#: time, the period of each cell and the likelihood of its value, (V, N).
KnownValues = Mapping[tuple[int, int], list[tuple[int, np.ndarray]]]


class DrawnCell(NamedTuple):
    """The draws of one cell, for N draws and G cells alike."""

    value: np.ndarray  # (N, G) what happened: the index of a category's value, or a number; NOTHING
    stated: tuple[np.ndarray, ...]  # (N, G) by report: index or number, whether or not they are filed
    filed: np.ndarray | None = None  # (N, G) whether there are reports at all; None: that is as it was
    claim: np.ndarray | None = None  # (N, G) what is filed where no source is known to report
    again: np.ndarray | None = None  # (N, G) the value last stated, where that matters; NOBODY
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
    known: KnownValues | None = None,
) -> Iterator[Batch]:
    """Draw the cells anew: what happened, what the reports say, and whether they are filed.

    theta is (N, D), path (N, U, T); -1 where it is not needed. `known` has what cells that are not among the
    places say of values that persist. Yields cells that are alike together; every cell once.
    """
    sampler = _CellSampler(layout, theta, path, rng, known or {})
    alike: dict[CellDesign, list[PlacedCell]] = {}
    lasting: dict[tuple[int, int], list[PlacedCell]] = {}
    for place in places:
        i = place.design.indicator
        if layout.arrays.indicator[i]["belief"] >= 0:
            lasting.setdefault((place.unit, i), []).append(place)
        else:
            alike.setdefault(place.design, []).append(place)
    for cell, placed in alike.items():
        yield sampler.draw(cell, tuple(placed))
    for _, placed in sorted(lasting.items()):
        yield from sampler.draw_along(sorted(placed, key=lambda place: place.period))


class _Weights(NamedTuple):
    """What is known of some cells: the likelihood of each value, and that reports of children exist."""

    known: np.ndarray  # (V, N, G) of what is known
    quiet: np.ndarray | None  # (N, G) of undrawn reports of children where x is quiet, None: there are none
    children: tuple[np.ndarray, ...]  # (V', N, G) of each child, its likelihood f included


class _CellSampler:
    """Draws cells, those that are alike together, and those of a value that persists in the order of time."""

    def __init__(
        self,
        layout: Layout,
        theta: np.ndarray,
        path: np.ndarray,
        rng: np.random.Generator,
        known: KnownValues,
    ) -> None:
        self._layout, self._theta, self._path, self._rng = layout, theta, path, rng
        self._arrays, self._row, self._known = layout.arrays, np.arange(len(theta))[:, None], known

    def draw(self, cell: CellDesign, places: tuple[PlacedCell, ...]) -> Batch:
        """Draw cells that are alike, with a fresh value each."""
        s = self._path[:, [place.unit for place in places], [place.period for place in places]]
        exists = np.ones(s.shape)
        if self._arrays.indicator[cell.indicator]["kind"] != CATEGORY:
            return Batch(places, self._tell(cell, self._number(cell, s)), exists)
        weights = self._weights(cell, s)
        chance = self._rates(cell.indicator, s) * weights.known
        if weights.quiet is not None:
            before = chance.sum(axis=0)
            chance[0] *= weights.quiet
            exists = chance.sum(axis=0) / before
        return Batch(places, self._tell_all(cell, weights, pick(chance, self._rng)), exists)

    def draw_along(self, places: list[PlacedCell]) -> Iterator[Batch]:
        """Draw the cells of one indicator of one unit whose value persists."""
        unit, i = places[0].unit, places[0].design.indicator
        weights = [self._weights(p.design, self._path[:, [unit], [p.period]]) for p in places]
        value, exists = self._along(unit, i, [p.period for p in places], weights)
        stated, since = np.full(len(self._theta), NOBODY), np.full(len(self._theta), -1)
        for n, place in enumerate(places):
            newer = place.design.before > since
            stated, since = (
                np.where(newer, place.design.again, stated),
                np.maximum(since, place.design.before),
            )
            drawn = self._tell_all(place.design, weights[n], value[n][:, None], stated[:, None])
            yield Batch((place,), drawn._replace(again=stated[:, None]), exists[:, None])
            exists = np.ones(len(exists))  # it is of all of them
            latest = drawn.stated[-1] if drawn.stated else drawn.claim
            if latest is not None:
                reliable = np.ones(len(stated), bool) if drawn.filed is None else drawn.filed[:, 0]
                quiet = latest[:, 0] == self._arrays.indicator[i]["quiet"]
                stated = np.where(reliable, np.where(quiet, NOBODY, latest[:, 0]), stated).astype(np.int64)
                since = np.where(reliable, place.period, since)

    def _along(
        self, unit: int, i: int, periods: list[int], weights: list[_Weights]
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """Draw the hidden value (N,) in each period, given what is known; return also the chance `exists`."""
        cells = [
            (t, w.known[..., 0], w.quiet, n) for n, (t, w) in enumerate(zip(periods, weights, strict=True))
        ]
        others = [(t, w, None, -1) for t, w in self._known.get((unit, i), ())]
        every = sorted([*cells, *others], key=lambda one: one[0])
        q, path = float(self._arrays.indicator[i]["persistence"]), self._path[:, unit]
        hold, at = np.zeros((len(every), len(self._theta))), 0
        moved = np.cumsum(np.diff(path, axis=1, prepend=path[:, :1]) != 0, axis=1)
        for n, (t, *_) in enumerate(every):
            if n:
                stays = moved[:, t] == moved[:, at]
                hold[n] = np.where(stays, q ** (t - at), 0.0)
            at = t
        s = np.stack([path[:, t] for t, *_ in every], axis=1)
        fresh = np.moveaxis(self._rates(i, s), 2, 0)
        weight = np.stack([w for _, w, _, _ in every])
        exists, quiet = np.ones(len(self._theta)), [(n, one[2]) for n, one in enumerate(every)]
        if all(one is None for _, one in quiet):
            value, _ = hidden_values(weight, fresh, hold, self._rng)
        else:
            _, before = hidden_values(weight, fresh, hold, self._rng)
            for n, one in quiet:
                weight[n, 0] *= 1.0 if one is None else one[:, 0]
            value, after = hidden_values(weight, fresh, hold, self._rng)
            exists = np.exp(after - before)
        return [value[n] for n, one in enumerate(every) if one[3] >= 0], exists

    def _rates(self, i: int, s: np.ndarray) -> np.ndarray:
        """Return f(x | s), (V, N, G)."""
        return rates(self._arrays, i, self._theta)[:, self._row, s]

    def _weights(self, cell: CellDesign, s: np.ndarray) -> _Weights:
        """Return what is known of cells that are alike, in scenarios s (N, G)."""
        known = np.repeat(self._likelihood(cell)[:, :, None], s.shape[1], axis=2)
        children, quiet = list[np.ndarray](), None
        for child in cell.children:
            own = self._likelihood(child)
            each = self._rates(child.indicator, s) * own[:, :, None]
            unreported, unless = self._unreported(child)
            known[1:] *= each.sum(axis=0)
            known[0] *= unreported[:, None]
            if any(design.given is None for design in child.reports):
                quiet = np.ones(s.shape) if quiet is None else quiet
                quiet *= unless[:, None]
            children.append(each)
        return _Weights(known, quiet, tuple(children))

    def _likelihood(self, cell: CellDesign) -> np.ndarray:
        """Return the likelihood of each value by what is known of a cell, children aside, (V, N)."""
        i, (quiet, active, ratio) = cell.indicator, cell.factors
        weight = np.full((int(self._arrays.indicator[i]["size"]), len(self._theta)), active)
        weight[0] = quiet
        if ratio:
            weight[0] /= self._claims_event(i, 0.0)
            weight[1:] /= self._claims_event(i, 1.0)
        if cell.silent:
            r, u = self._arrays.mean_reliability, noise_chances(self._arrays, i, self._theta)
            filed = np.stack(
                [self._filed(i, np.full(len(self._theta), x), cell.again) for x in range(len(u))]
            )
            weight *= 1.0 - r * filed - (1.0 - r) * (u * filed).sum(axis=0)
        for rest, truth, y in self._given(cell):
            weight *= rest + truth * (np.arange(len(weight)) == y)[:, None]
        return weight

    def _claims_event(self, i: int, active: float) -> np.ndarray:
        """Return P(y is not quiet | x) of a report of mean reliability, (N,)."""
        u, r = noise_chances(self._arrays, i, self._theta), self._arrays.mean_reliability
        return (1.0 - r) * u[1:].sum(axis=0) + r * active

    def _filed(self, i: int, y: np.ndarray, again: np.ndarray | int) -> np.ndarray:
        """Return d_y, the chance that a claim y (N, ...) is filed."""
        one, wide = self._arrays.indicator[i], (len(y), *(1,) * (y.ndim - 1))
        event, none, goes_on = (
            self._theta[:, one[name]].reshape(wide) for name in ("event", "none", "again")
        )
        if one["quiet"] < 0:
            return np.broadcast_to(event, y.shape)
        return np.where(y == one["quiet"], none, np.where((y == again) & (one["again"] >= 0), goes_on, event))

    def _given(self, cell: CellDesign) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
        """Yield for each given report the two parts of P(y given x), constant and for x = y, (N,), and y."""
        stated = tuple(np.nan if design.given is None else design.given for design in cell.reports)
        if not any(design.given is not None for design in cell.reports):
            return
        u = noise_chances(self._arrays, cell.indicator, self._theta)
        for design in cell.reports:
            if design.given is not None:
                one = report_term(design, stated, design.given, self._layout, cell.indicator)
                reliable = one.credibility * self._theta[:, design.slot]
                noise = (one.lost + one.own * (1.0 - reliable)) * u[int(one.value)]
                yield one.passed + noise, one.own * reliable, one.value

    def _unreported(self, child: CellDesign) -> tuple[np.ndarray, np.ndarray]:
        """Return the chance of what is given of a child where nothing happened, and of no more; (N,)."""
        unreported, more = np.full(len(self._theta), child.factors[0]), np.ones(len(self._theta))
        if child.factors[2]:
            unreported /= self._claims_event(child.indicator, 0.0)
        for rest, _, _ in self._given(child):
            unreported *= rest
        for design in child.reports:
            if design.given is None:
                more *= 1.0 - design.independence * design.credibility * self._theta[:, design.slot]
        return unreported, more

    def _number(self, cell: CellDesign, s: np.ndarray) -> np.ndarray:
        """Draw the true value of a count or measure."""
        return draw_number(self._arrays, cell.indicator, self._rates(cell.indicator, s)[0], s, self._rng)

    # --- what the reports say --------------------------------------------------------------------------

    def _tell_all(
        self, cell: CellDesign, weights: _Weights, value: np.ndarray, again: np.ndarray | int = NOBODY
    ) -> DrawnCell:
        """Draw what the reports of cells and of their children say."""
        children = [
            self._tell(child, np.where(value == 0, NOTHING, pick(each, self._rng)))
            for child, each in zip(cell.children, weights.children, strict=True)
        ]
        return self._tell(cell, value, again)._replace(children=tuple(children))

    def _tell(self, cell: CellDesign, value: np.ndarray, again: np.ndarray | int = NOBODY) -> DrawnCell:
        """Draw what the reports of a cell say, and whether they are filed."""
        stated: list[np.ndarray | None] = [None] * len(cell.reports)
        filed = claim = None
        if cell.monitoring is not None:
            detection, false_alarm = cell.monitoring
            filed = self._rng.random(value.shape) < np.where(value > 0, detection, false_alarm)
            first = next((j for j, design in enumerate(cell.reports) if design.given is None), None)
            y = self._event(cell, value, None if first is None else cell.reports[first])
            if first is None:
                claim = y
            else:
                stated[first] = y
        elif cell.claims and not cell.reports:
            reliable = self._rng.random(value.shape) < self._arrays.mean_reliability
            claim = np.where(reliable, value, self._noise(cell.indicator, value.shape))
        for j in originals_first(cell.reports):
            design = cell.reports[j]
            if design.given is not None:
                stated[j] = np.full(value.shape, design.given)
            elif stated[j] is None:
                stated[j] = self._report(cell.indicator, design, value, stated)
        every = tuple(one for one in stated if one is not None)
        if cell.claims:
            y = every[0] if claim is None else claim
            filed = self._rng.random(value.shape) < self._filed(cell.indicator, y, again)
        return DrawnCell(value, every, filed, claim)

    def _noise(self, i: int, shape: tuple[int, ...]) -> np.ndarray:
        return draw_noise(self._layout, i, self._theta, shape, self._rng)

    def _event(self, cell: CellDesign, value: np.ndarray, design: ReportDesign | None) -> np.ndarray:
        """Draw what a report claims that something happened, from P(y | x) among values not quiet."""
        size = int(self._arrays.indicator[cell.indicator]["size"])
        noise = noise_chances(self._arrays, cell.indicator, self._theta)[1:].sum(axis=0)[:, None]
        r: np.ndarray | float = self._arrays.mean_reliability
        if design is not None:
            r = design.credibility * self._theta[:, design.slot][:, None]
        with np.errstate(invalid="ignore"):
            reliable = self._rng.random(value.shape) < r / (r + (1.0 - r) * noise)
        return np.where(reliable & (value > 0), value, self._rng.integers(1, size, value.shape))

    def _report(
        self, i: int, design: ReportDesign, value: np.ndarray, stated: list[np.ndarray | None]
    ) -> np.ndarray:
        """Draw what one report says, given what happened and what others say."""
        kind, r = self._arrays.indicator[i]["kind"], design.credibility * self._theta[:, design.slot][:, None]
        nothing = value == NOTHING if kind == CATEGORY else np.False_
        u = self._rng.random(value.shape)
        read = value if kind == CATEGORY else draw_reading(kind, value, design.error, self._rng)
        y = np.where((u < r) & ~nothing, read, self._noise(i, value.shape))
        if design.independence < 1.0:
            chance = 1.0 - design.independence
            passed = np.where(nothing, chance / (1.0 - design.independence * r), chance)
            noise = self._noise(i, value.shape)
            originals = [stated[o] if o != WITHDRAWN else None for o in design.originals]
            copies = np.stack([noise if one is None else one for one in originals])
            which = self._rng.integers(len(copies), size=value.shape)
            copy = np.take_along_axis(copies, which[None], axis=0)[0]
            y = np.where(self._rng.random(value.shape) < passed, copy, y)
        return y


def most_likely(cell: CellDesign, stated: tuple[np.ndarray, ...], layout: Layout) -> np.ndarray:
    """Return the value that the reports of a cell make most likely, the first on a tie; (N, G).

    The largest prod_j P(y_j | x) with the judgements at their means; of a number, what the first report
    states.
    """
    size = len(layout.question.indicators[cell.indicator].values)
    if not size:
        return stated[0]
    u = noise_chances(layout.arrays, cell.indicator, layout.mean[None])[:, 0]
    weight = np.ones((size, *stated[0].shape))
    for design, y in zip(cell.reports, stated, strict=True):
        r = design.credibility * layout.mean[design.slot]
        noise, keep = u[y.astype(np.int64)], np.zeros(y.shape)
        if design.independence < 1.0:
            same = np.any([stated[o] == y for o in design.originals if o != WITHDRAWN], axis=0)
            lost = noise if WITHDRAWN in design.originals else 0.0
            keep = (1.0 - design.independence) * np.where(same, 1.0, lost)
        weight *= keep + design.independence * ((1.0 - r) * noise + r * equals_index(y, size))
    best, value = weight.max(axis=0) * (1 - 1e-12), np.full(stated[0].shape, size - 1)
    for x in range(size - 2, -1, -1):
        value[weight[x] >= best] = x
    return value


def equals_index(x: np.ndarray, size: int) -> np.ndarray:
    """Return the one-hot encoding of x along a new first axis, (size, ...)."""
    return x == np.arange(size).reshape(size, *(1,) * x.ndim)
