"""Latent variables given theta: draws of the scenario path, the cell values and each report's origin.

Given theta, a path s_0..s_T is drawn by forward filtering, backward sampling. Given the path, in each cell
the value x is drawn, and whether it was fresh or held; of each report, whether it states x, or is noise.
Cells of one kind in periods of one scenario are alike, so they are drawn together, by binomials.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from forecast.model.cell_sequence import CellSequence
from forecast.model.hmm import Filtered
from forecast.model.jit import inlined, kernel
from forecast.model.likelihood import (
    Cells,
    base_chance,
    base_product,
    category,
    log_density,
    log_number,
    place,
    stated_before,
    truth_gain,
    value_weights,
)
from forecast.model.parameters import CATEGORY, NEGATIVE_BINOMIAL, STATIC, Arrays


class State(NamedTuple):
    """One particle in a sweep: its judgements, counts of its hidden values, sums to draw judgements from."""

    theta: np.ndarray  # (D,)
    proposal: np.ndarray  # (D,) theta with new likelihoods
    sequence: CellSequence
    cells: Cells
    a: Arrays
    rng: np.random.Generator
    accepted: np.ndarray  # (3, 2) accepted and tried draws, by LIKELIHOOD, RELIABILITY, DYNAMICS
    number: np.ndarray  # (Q, K) cells of each kind in each scenario of the sampled path
    fresh: np.ndarray  # (C, K, V) fresh draws of each value (of a number, by the report that states it)
    up: np.ndarray  # (J, K) reports whose source was reliable, as weighted in an acceptance ratio
    down: np.ndarray  # (J, K) reports whose source was not
    plus: np.ndarray  # (D,) weight of cases for, or sum of values
    minus: np.ndarray  # (D,) weight of cases against, or number of values
    weight: np.ndarray  # (2, largest number of values) scratch
    moves: np.ndarray  # (K, K) periods that began in one scenario and ended in another


@kernel
def new_state(
    sequence: CellSequence, cells: Cells, a: Arrays, rng: np.random.Generator, accepted: np.ndarray
) -> State:
    """Return the state of a particle yet to be filled in, its counts and sums 0."""
    longest, size, slots = a.values, a.scenarios, a.slot.shape[0]
    for c in range(cells.cell.shape[0]):
        longest = max(longest, cells.cell[c].end - cells.cell[c].first)
    return State(
        np.empty(slots),
        np.empty(slots),
        sequence,
        cells,
        a,
        rng,
        accepted,
        np.zeros((sequence.cell.shape[0], size), np.int64),
        np.zeros((cells.cell.shape[0], size, longest)),
        np.zeros((cells.report.shape[0], size)),
        np.zeros((cells.report.shape[0], size)),
        np.zeros(slots),
        np.zeros(slots),
        np.empty((2, a.values)),
        np.zeros((size, size)),
    )


@inlined
def binomial(rng: np.random.Generator, n: int, p: float) -> int:
    """Draw from Binomial(n, p)."""
    if n == 0 or p <= 0.0:
        return 0
    if p >= 1.0:
        return n
    if n < 16:
        total = 0
        for _ in range(n):
            total += rng.random() < p
        return total
    return large_binomial(rng, n, p)


@kernel
def large_binomial(rng: np.random.Generator, n: int, p: float) -> int:
    """Draw how many of many happen; not inlined, for it is long code."""
    return rng.binomial(n, p)


@inlined
def pick(weights: np.ndarray, size: int, rng: np.random.Generator) -> int:
    """Draw an index in proportion to weights[:size]."""
    total = 0.0
    for x in range(size):
        total += weights[x]
    u = rng.random() * total
    last = 0
    for x in range(size):
        if weights[x] > 0.0:
            last = x
            if u < weights[x]:
                return x
            u -= weights[x]
    return last


@kernel
def draw_path(n: int, last: int, filtered: Filtered, state: State) -> None:
    """Draw a scenario path of each unit backward from the filter; count its moves and the cells it meets.

    `last` is the scenario in which the first unit ends.
    """
    sequence, a, rng = state.sequence, state.a, state.rng
    units, periods = sequence.start.shape[0], sequence.start.shape[1] - 1
    weight = np.empty(a.scenarios)
    for u in range(units):
        for i in range(a.scenarios):
            weight[i] = filtered.alpha[n, u, periods - 1, i]
        now = last if u == 0 else pick(weight, a.scenarios, rng)
        for t in range(periods - 1, -1, -1):
            if t < periods - 1 and a.dynamics != STATIC:
                for i in range(a.scenarios):
                    weight[i] = filtered.alpha[n, u, t, i] * filtered.matrix[n, i, now]
                before = pick(weight, a.scenarios, rng)
                state.moves[before, now] += 1.0
                now = before
            for k in range(sequence.start[u, t], sequence.start[u, t + 1]):
                state.number[sequence.kind[k], now] += 1
        state.plus[now] += 1.0


@inlined
def draw_reports(c: int, s: int, x: float, n: int, stated: bool, power: float, state: State) -> None:
    """Draw the origin of each report of n like cells with value x.

    `stated`: at least one report of the (single) cell states it.
    """
    theta, cells, rng = state.theta, state.cells, state.rng
    none = 1.0
    if stated:
        none = base_product(c, theta, cells)
        none /= none + truth_gain(c, x, theta, cells)
    for j in range(cells.cell[c].first, cells.cell[c].end):
        slot, credibility, keep = cells.report[j].slot, cells.report[j].credibility, cells.report[j].keep
        r, up, down = theta[slot], 0, n
        if cells.report[j].value == x and cells.report[j].truth > 0.0:
            truth = cells.report[j].truth * r
            share = truth / (truth + base_chance(j, theta, cells))
            up = binomial(rng, n, share / (1.0 - none) if stated and none < 1.0 else share)
            stated, none = stated and up == 0, none / (1.0 - share) if share < 1.0 else 0.0
            down -= up
        if keep > 0.0:
            down -= binomial(rng, down, keep / base_chance(j, theta, cells))
        if credibility < 1.0 and down > 0:
            reliable = (1.0 - credibility) * r
            also = binomial(rng, down, reliable / (reliable + 1.0 - r))
            up, down = up + also, down - also
        state.plus[slot] += power * up
        state.minus[slot] += power * down
        if power != 1.0:
            state.up[j, s] += (1.0 - power) * up
            state.down[j, s] += (1.0 - power) * down


@inlined
def draw_category(c: int, s: int, n: int, power: float, part: int, state: State) -> int:
    """Draw the values of n like cells by f(x | s) state.weight[part, x]; return how many have value 0."""
    theta, cells, a, rng = state.theta, state.cells, state.a, state.rng
    i = cells.cell[c].indicator
    hold, held, start, left = cells.cell[c].hold, cells.cell[c].held, place(i, s, a), n
    total = category(c, s, state.weight, part, theta, cells, a)
    for x in range(a.indicator[i].size - 1, -1, -1):
        fresh = (1.0 - hold) * theta[start + x]
        share = state.weight[part, x] * (fresh + hold if x == held else fresh)
        number = left if x == 0 else binomial(rng, left, share / total)
        if number > 0:
            draw_reports(c, s, float(x), number, False, power, state)
            new = binomial(rng, number, fresh / (fresh + hold)) if hold > 0.0 and x == held else number
            state.plus[start + x] += power * new
            if power != 1.0:
                state.fresh[c, s, x] += (1.0 - power) * new
        left, total = left - (number if x > 0 else 0), total - share
    return left


@kernel
def draw_number(c: int, s: int, power: float, state: State) -> None:
    """Draw the true value of a count or measure: one of the reported numbers, or none of them."""
    theta, cells, a = state.theta, state.cells, state.a
    i, first = cells.cell[c].indicator, cells.cell[c].first
    total, chosen = log_number(c, s, theta, cells, a), -1
    left = state.rng.random() - math.exp(np.log(base_product(c, theta, cells)) - total)
    if left >= 0.0:
        for j in range(first, cells.cell[c].end):
            gain = truth_gain(c, cells.report[j].value, theta, cells)
            if left >= 0.0 and gain > 0.0 and not stated_before(c, j, cells):
                chosen = j
                left -= math.exp(np.log(gain) + log_density(i, s, cells.report[j].value, theta, a) - total)
    if chosen < 0:
        draw_reports(c, s, np.nan, 1, False, power, state)
        return
    y = cells.report[chosen].value
    state.plus[place(i, s, a)] += power * y
    state.minus[place(i, s, a)] += power
    state.fresh[c, s, chosen - first] += 1.0 if a.indicator[i].kind == NEGATIVE_BINOMIAL else 1.0 - power
    draw_reports(c, s, y, 1, True, power, state)


@inlined
def draw_cells(q: int, s: int, state: State) -> None:
    """Draw the values and reports of all cells of one kind that fall into one scenario."""
    theta, cells, a, weight = state.theta, state.cells, state.a, state.weight
    c, n, power = state.sequence.cell[q], state.number[q, s], state.sequence.exponent[q]
    i, child, children = cells.cell[c].indicator, cells.cell[c].child, cells.cell[c].children
    if a.indicator[i].kind != CATEGORY:
        for _ in range(n):
            draw_number(c, s, power, state)
        return
    value_weights(c, a.indicator[i].size, theta, cells, weight, 0)
    for one in range(child, child + children):
        value_weights(one, a.indicator[cells.cell[one].indicator].size, theta, cells, weight, 1)
        event = category(one, s, weight, 1, theta, cells, a)
        weight[0, 0] *= cells.cell[one].quiet * base_product(one, theta, cells)
        for x in range(1, a.indicator[i].size):
            weight[0, x] *= event
    quiet = draw_category(c, s, n, power, 0, state)
    for one in range(child, child + children):
        if quiet < n:
            value_weights(one, a.indicator[cells.cell[one].indicator].size, theta, cells, weight, 1)
            draw_category(one, s, n - quiet, power, 1, state)
        if quiet > 0:
            draw_reports(one, s, np.nan, quiet, False, power, state)


@inlined
def member(c: int, n: int, cells: Cells) -> int:
    """Return the index of cell c (n = 0), or of its n-th child."""
    return c if n == 0 else cells.cell[c].child + n - 1


@kernel
def draw_hidden_values(state: State) -> None:
    """Draw the value of every cell and the origin of its reports, given the path; sum them up."""
    sequence, cells = state.sequence, state.cells
    for q in range(sequence.cell.shape[0]):
        for n in range(1 + cells.cell[sequence.cell[q]].children):
            c = member(sequence.cell[q], n, cells)
            state.fresh[c] = 0.0
            state.up[cells.cell[c].first : cells.cell[c].end] = 0.0
            state.down[cells.cell[c].first : cells.cell[c].end] = 0.0
    for q in range(sequence.cell.shape[0]):
        for s in range(state.a.scenarios):
            if state.number[q, s] > 0:
                draw_cells(q, s, state)
