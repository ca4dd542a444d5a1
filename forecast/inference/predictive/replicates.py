"""Replicates of the evidence: what the reports might have said, drawn from the model as it stands.

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

from forecast.inference.predictive.design import GONE, Blank, Place, Voice, in_turn, members, statement_of
from forecast.inference.predictive.distributions import density, draw_noise, draw_number, rates
from forecast.inference.predictive.paths import pick
from forecast.model.parameters import CATEGORY, Layout

NOTHING = -1  # the value of a cell whose parent was quiet


class Drawn(NamedTuple):
    """What was drawn of one blank, for N draws and G cells alike."""

    value: np.ndarray  # (N, G) what happened: the index of a category's value, or a number; NOTHING
    said: tuple[np.ndarray, ...]  # (N, G) by voice: index or number
    alarm: np.ndarray | None  # (N, G) the value that somebody would have reported, 0: silence; None: no watch
    children: tuple[Drawn, ...] = ()


class Batch(NamedTuple):
    """Cells that are alike, and what was drawn of them."""

    places: tuple[Place, ...]  # G
    drawn: Drawn
    exists: (
        np.ndarray
    )  # (N, G) the chance that reports of children exist, given theta, path and what is given


def replicate(
    places: Iterable[Place], layout: Layout, theta: np.ndarray, path: np.ndarray, rng: np.random.Generator
) -> Iterator[Batch]:
    """Fill in blanks: draw what happened, and what the reports say.

    Where the earlier cell of a state that persists is among the blanks, what its replicate makes most likely
    is what went on; else the value that is known.

    Parameters
    ----------
    places : iterable of Place
        The cells, in any order.
    layout : Layout
    theta : (N, D)
        Judgements.
    path : (N, U, T)
        Scenario of each unit and period.
    rng : Generator

    Yields
    ------
    Batch
        Cells that are alike; every cell once.

    Examples
    --------
    >>> for batch in replicate(cells, layout, theta, path, rng):  # doctest: +SKIP
    ...     print(batch.drawn.value.mean())
    """
    artist = _Artist(layout, theta, path, rng)
    alike: dict[tuple[int, Blank], list[Place]] = {}
    for place in places:
        indicators = [layout.question.indicators[one.indicator] for one in members(place.blank)]
        lasting = any(indicator.persistence is not None for indicator in indicators)
        alike.setdefault((place.period if lasting else -1, place.blank), []).append(place)
    for (_, blank), found in sorted(alike.items(), key=lambda one: one[0][0]):
        yield artist.fill(blank, tuple(found))


def most_likely(blank: Blank, drawn: Drawn, layout: Layout) -> np.ndarray:
    """Return the value that reports and silence make most likely, the first on a tie; (N, G).

    The largest d(x) prod_j P(y_j | x) with the reliabilities at their means; of a number, what the first
    report states. Somebody who breaks the silence by reporting v does so with the chance of detection where
    v happened, and by false alarm, of each value alike, where all was quiet.
    """
    size = len(layout.question.indicators[blank.indicator].values)
    if not size:
        return drawn.said[0]
    weight = np.ones((size, *drawn.value.shape))
    if blank.watch is not None:
        detection, false_alarm = blank.watch
        alarm = np.zeros(drawn.value.shape, np.int64) if drawn.alarm is None else drawn.alarm
        silent = np.array([1.0 - false_alarm, *[1.0 - detection] * (size - 1)])
        told = np.eye(size) * detection
        told[:, 0] = false_alarm / (size - 1)
        weight = np.stack([silent, *told[1:]], axis=1)[:, alarm]
    for voice, y in zip(blank.voices, drawn.said, strict=True):
        r = voice.credibility * layout.mean[voice.slot]
        keep: np.ndarray | float = 0.0
        if voice.own < 1.0:
            same = np.any([drawn.said[o] == y for o in voice.originals if o != GONE], axis=0)
            keep = (1.0 - voice.own) * np.where(same, 1.0, 1.0 / size if GONE in voice.originals else 0.0)
        weight *= keep + voice.own * ((1.0 - r) / size + r * one_hot(y, size))
    best, found = weight.max(axis=0) * (1 - 1e-12), np.full(drawn.value.shape, size - 1)
    for x in range(size - 2, -1, -1):
        found[weight[x] >= best] = x
    return found


def one_hot(x: np.ndarray, size: int) -> np.ndarray:
    """Return 1 where x is the index of the first axis, else 0; (size, ...)."""
    return x == np.arange(size).reshape(size, *(1,) * x.ndim)


class _Artist:
    """Fills in blanks, those that are alike together; remembers what goes on."""

    def __init__(self, layout: Layout, theta: np.ndarray, path: np.ndarray, rng: np.random.Generator) -> None:
        self._layout, self._theta, self._path, self._rng = layout, theta, path, rng
        self._arrays, self._row = layout.arrays, np.arange(len(theta))[:, None]
        self._known: dict[tuple[int, int, int], np.ndarray] = {}  # (N,) by unit, period and indicator

    def fill(self, blank: Blank, places: tuple[Place, ...]) -> Batch:
        """Draw cells that are alike."""
        unit, period = [place.unit for place in places], [place.period for place in places]
        s, exists = self._path[:, unit, period], np.ones((len(self._theta), len(places)))
        if self._arrays.indicator[blank.indicator]["kind"] != CATEGORY:
            drawn = self._say(blank, self._number(blank, s))
            return Batch(places, drawn, exists)
        weight = self._weights(blank, s, unit)
        inner = [self._weights(child, s, unit) for child in blank.children]
        for child, each in zip(blank.children, inner, strict=True):
            unheard, unless = self._nothing(child)
            exists *= unless[:, None]
            weight[1:] *= each.sum(axis=0)
            weight[0] *= unheard[:, None]
        if blank.children:
            before = weight.sum(axis=0)
            weight[0] *= exists
            exists = weight.sum(axis=0) / before
        drawn, children = self._say(blank, pick(weight, self._rng)), []
        for child, each in zip(blank.children, inner, strict=True):
            children.append(self._say(child, np.where(drawn.value == 0, NOTHING, pick(each, self._rng))))
        drawn = drawn._replace(children=tuple(children))
        for one, what in zip(members(blank), (drawn, *children), strict=True):
            self._remember(one, what, places)
        return Batch(places, drawn, exists)

    def _weights(self, blank: Blank, s: np.ndarray, unit: list[int]) -> np.ndarray:
        """Return f(x | s), the held value mixed in, times what is given of the cell; (V, N, G)."""
        rate = rates(self._arrays, blank.indicator, self._theta)[:, self._row, s]
        if blank.hold:
            held = [self._known.get((u, blank.before, blank.indicator), self._same(blank)) for u in unit]
            rate = (1.0 - blank.hold) * rate + blank.hold * one_hot(np.stack(held, axis=1), len(rate))
        if blank.silent and blank.watch is not None:
            rate[1:] *= 1.0 - blank.watch[0]
            rate[0] *= 1.0 - blank.watch[1]
        for rest, told, y in self._given(blank):
            rate *= rest[:, None] + told[:, None] * (np.arange(len(rate)) == y)[:, None, None]
        return rate

    def _same(self, blank: Blank) -> np.ndarray:
        return np.full(len(self._theta), blank.held)

    def _given(self, blank: Blank) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
        """Yield of each given report the part of P(y | x) that all x share, what x = y adds, and y."""
        said = tuple(np.nan if voice.given is None else voice.given for voice in blank.voices)
        for voice in blank.voices:
            if voice.given is not None:
                one = statement_of(voice, said, voice.given, self._layout, blank.indicator)
                r = self._theta[:, voice.slot]
                yield one.keep + one.noise * (1.0 - one.credibility * r), one.told * r, one.value

    def _nothing(self, child: Blank) -> tuple[np.ndarray, np.ndarray]:
        """Return the chance of what is given of a child with nothing to tell, and that more is said; (N,)."""
        unheard, more = np.ones(len(self._theta)), np.ones(len(self._theta))
        if child.silent and child.watch is not None:
            unheard *= 1.0 - child.watch[1]
        for rest, _, _ in self._given(child):
            unheard *= rest
        for voice in child.voices:
            if voice.given is None:
                more *= 1.0 - voice.own * voice.credibility * self._theta[:, voice.slot]
        return unheard, more

    def _number(self, blank: Blank, s: np.ndarray) -> np.ndarray:
        """Draw what happened in cells of a count or a measure: some number that was given, or any."""
        i, shape = blank.indicator, s.shape
        mean = rates(self._arrays, i, self._theta)[0, self._row, s]
        drawn = draw_number(self._arrays, i, mean, s, self._rng)
        given = list(self._given(blank))
        if given:
            free = np.prod([rest for rest, _, _ in given], axis=0)
            numbers = sorted({y for _, _, y in given})
            parts = [np.broadcast_to(free[:, None], shape)]
            for v in numbers:
                told = np.prod([rest + told * (y == v) for rest, told, y in given], axis=0)
                parts.append((told - free)[:, None] * density(self._arrays, i, mean, s, v))
            which = pick(np.stack(parts), self._rng)
            drawn = np.where(which == 0, drawn, np.array([0.0, *numbers])[which])
        return drawn

    def _say(self, blank: Blank, value: np.ndarray) -> Drawn:
        """Draw what the reports of a cell say, and whether its silence would be broken."""
        said: list[np.ndarray | None] = [None] * len(blank.voices)
        for j in in_turn(blank.voices):
            voice = blank.voices[j]
            if voice.given is not None:
                said[j] = np.full(value.shape, voice.given)
            else:
                said[j] = self._speak(blank.indicator, voice, value, said)
        alarm = None
        if blank.watch is not None and not blank.silent:
            detection, false_alarm = blank.watch
            size = self._arrays.indicator[blank.indicator]["size"]
            anything = self._rng.integers(1, size, value.shape)
            happened = value > 0
            heard = self._rng.random(value.shape) < np.where(happened, detection, false_alarm)
            alarm = np.where(heard, np.where(happened, value, anything), 0)
        return Drawn(value, tuple(one for one in said if one is not None), alarm)

    def _speak(self, i: int, voice: Voice, value: np.ndarray, said: list[np.ndarray | None]) -> np.ndarray:
        """Draw what one report says, given what happened and what others say."""
        r = voice.credibility * self._theta[:, voice.slot][:, None]
        nothing = value == NOTHING if self._arrays.indicator[i]["kind"] == CATEGORY else np.False_
        u = self._rng.random(value.shape)
        y = np.where((u < r) & ~nothing, value, draw_noise(self._layout, i, value.shape, self._rng))
        if voice.own < 1.0:
            passed = np.where(nothing, (1.0 - voice.own) / (1.0 - voice.own * r), 1.0 - voice.own)
            noise = draw_noise(self._layout, i, value.shape, self._rng)
            originals = [said[o] if o != GONE else None for o in voice.originals]
            copies = np.stack([noise if one is None else one for one in originals])
            which = self._rng.integers(len(copies), size=value.shape)
            copy = np.take_along_axis(copies, which[None], axis=0)[0]
            y = np.where(self._rng.random(value.shape) < passed, copy, y)
        return y

    def _remember(self, blank: Blank, drawn: Drawn, places: tuple[Place, ...]) -> None:
        """Keep what a persistent indicator's reports make most likely: the next cell may go on from there."""
        lasting = self._layout.question.indicators[blank.indicator].persistence is not None
        if lasting and (blank.voices or blank.watch is not None):
            value = most_likely(blank, drawn, self._layout)
            for g, place in enumerate(places):
                self._known[place.unit, place.period, blank.indicator] = value[:, g]
