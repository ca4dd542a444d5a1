"""State of one particle in a Gibbs sweep: its hidden values, and sums to draw its judgements from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from forecast.model.cell_sequence import CellSequence
from forecast.model.hmm import LikelihoodTable, new_likelihood_table
from forecast.model.jit import inlined, kernel
from forecast.model.likelihood import Cells
from forecast.model.parameters import NEGATIVE_BINOMIAL, Arrays


class Chains(NamedTuple):
    """The cells of each indicator that persists, in the order of time: C of each unit and indicator."""

    start: np.ndarray  # (C + 1,) chain c has the cells start[c] to start[c + 1]
    unit: np.ndarray  # (C,)
    indicator: np.ndarray  # (C,)
    tempered: np.ndarray  # (C,) whether a cell of it has an exponent
    period: np.ndarray  # (n,)
    kind: np.ndarray  # (n,) of each cell


class ByReliability(NamedTuple):
    """What hangs on a reliability: slot d has item[start[d]] to item[start[d + 1]].

    An item is a kind of cell with an exponent, q < Q, or Q + c for a chain that has such cells.
    """

    start: np.ndarray  # (D + 1,)
    item: np.ndarray  # (n,)


class State(NamedTuple):
    """One particle in a sweep: its judgements, its hidden values, and sums to draw judgements from.

    A cell with exponent e adds e times its counts to `plus` and `minus`, 1 - e times to `rest`: what a
    proposal has left out.
    """

    theta: np.ndarray  # (D,)
    proposal: np.ndarray  # (D,) theta with new likelihoods
    sequence: CellSequence
    cells: Cells
    a: Arrays
    rng: np.random.Generator
    accepted: np.ndarray  # (4, 2) accepted and tried draws, by LIKELIHOOD, RELIABILITY, DYNAMICS, REPORTING
    chains: Chains
    table: LikelihoodTable
    tempered: np.ndarray  # (I,) whether a cell of an indicator, or a child's, has an exponent
    of_reliability: ByReliability
    stamp: np.ndarray  # (1,) how often theta has changed since the table was made
    number: np.ndarray  # (Q, K) cells of each kind in each scenario of the path, where values are fresh
    counted: np.ndarray  # (Q, K, V) where they persist: cells with each value
    plus: np.ndarray  # (D,) weight of cases for, or sum of values
    minus: np.ndarray  # (D,) weight of cases against, or number of values
    rest: np.ndarray  # (2, D) the same of what exponents leave out
    monitored: np.ndarray  # (2,) monitored cells with a report, the value quiet and not
    happened: np.ndarray  # (n, 2) slot and value of negative binomial counts
    counts: np.ndarray  # (1,) how many
    moves: np.ndarray  # (K, K) periods that began in one scenario and ended in another
    path: np.ndarray  # (U, T)
    entry: np.ndarray  # (U, T) the period in which the scenario was entered
    weight: np.ndarray  # (K, V) scratch
    buffer: np.ndarray  # (2, V) scratch
    value: np.ndarray  # (n, V) scratch: hidden values along a chain
    origin: np.ndarray  # (J,) scratch


@kernel
def chains_of(sequence: CellSequence, cells: Cells, a: Arrays) -> Chains:
    """Return the cells of each unit's indicators that persist, in the order of time."""
    units, periods = sequence.start.shape[0], sequence.start.shape[1] - 1
    size, most = units * a.persistent.shape[0], sequence.kind.shape[0] if a.beliefs else 0
    start, unit, indicator = np.zeros(size + 1, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    tempered, period, kind = np.zeros(size, np.bool_), np.empty(most, np.int64), np.empty(most, np.int64)
    end = 0
    for u in range(units):
        for p in range(a.persistent.shape[0]):
            c = u * a.persistent.shape[0] + p
            unit[c], indicator[c], start[c] = u, a.persistent[p], end
            for t in range(periods):
                for k in range(sequence.start[u, t], sequence.start[u, t + 1]):
                    q = sequence.kind[k]
                    if cells.cell[sequence.cell[q]].indicator == a.persistent[p]:
                        period[end], kind[end] = t, q
                        tempered[c] |= sequence.exponent[q] != 1.0
                        end += 1
    start[size] = end
    return Chains(start, unit, indicator, tempered, period[:end], kind[:end])


@kernel
def tempered_indicators(sequence: CellSequence, cells: Cells, a: Arrays) -> np.ndarray:
    """Tell which indicators have cells with exponents."""
    tempered = np.zeros(a.indicator.shape[0], np.bool_)
    for q in range(sequence.cell.shape[0]):
        if sequence.exponent[q] != 1.0:
            tempered[cells.cell[sequence.cell[q]].indicator] = True
    return tempered


@kernel
def by_reliability(sequence: CellSequence, cells: Cells, a: Arrays, chains: Chains) -> ByReliability:
    """Return which kinds of cells with exponents, and which chains with such cells, have its reports."""
    slots, kinds, n = a.slot.shape[0], sequence.cell.shape[0], 0
    owner = np.empty(kinds + chains.kind.shape[0], np.int64)
    cell = np.empty_like(owner)
    for q in range(kinds):
        if sequence.exponent[q] != 1.0 and a.indicator[cells.cell[sequence.cell[q]].indicator].belief < 0:
            owner[n], cell[n] = q, sequence.cell[q]
            n += 1
    for c in range(chains.unit.shape[0]):
        for k in range(chains.start[c], chains.start[c + 1] if chains.tempered[c] else chains.start[c]):
            owner[n], cell[n] = kinds + c, sequence.cell[chains.kind[k]]
            n += 1
    start, item = np.zeros(slots + 1, np.int64), np.empty(0, np.int64)
    for turn in range(2):
        last, place = np.full(slots, -1), start[:-1].copy()
        for entry in range(n):
            first = cells.cell[cell[entry]]
            for one in range(-1, first.children):
                member = cells.cell[cell[entry] if one < 0 else first.child + one]
                for j in range(member.first, member.end):
                    slot = cells.report[j].slot
                    if last[slot] == owner[entry]:
                        continue
                    last[slot] = owner[entry]
                    if turn == 0:
                        start[slot + 1] += 1
                    else:
                        item[place[slot]] = owner[entry]
                        place[slot] += 1
        if turn == 0:
            start = np.cumsum(start)
            item = np.empty(start[-1], np.int64)
    return ByReliability(start, item)


@kernel
def new_state(
    sequence: CellSequence, cells: Cells, a: Arrays, rng: np.random.Generator, accepted: np.ndarray
) -> State:
    """Return the state of a particle yet to be filled in, its counts and sums 0."""
    kinds, size, slots = sequence.cell.shape[0], a.scenarios, a.slot.shape[0]
    units, periods = sequence.start.shape[0], sequence.start.shape[1] - 1
    chains, longest, counts = chains_of(sequence, cells, a), 1, 0
    for c in range(cells.cell.shape[0]):
        longest = max(longest, cells.cell[c].end - cells.cell[c].first)
    for k in range(sequence.kind.shape[0]):
        i = cells.cell[sequence.cell[sequence.kind[k]]].indicator
        counts += a.indicator[i].kind == NEGATIVE_BINOMIAL
    return State(
        np.empty(slots),
        np.empty(slots),
        sequence,
        cells,
        a,
        rng,
        accepted,
        chains,
        new_likelihood_table(sequence, cells, a),
        tempered_indicators(sequence, cells, a),
        by_reliability(sequence, cells, a, chains),
        np.zeros(1, np.int64),
        np.zeros((kinds, size), np.int64),
        np.zeros((kinds if a.beliefs else 0, size, a.values), np.int64),
        np.zeros(slots),
        np.zeros(slots),
        np.zeros((2, slots)),
        np.zeros(2),
        np.empty((counts, 2)),
        np.zeros(1, np.int64),
        np.zeros((size, size)),
        np.zeros((units, periods), np.int64),
        np.zeros((units, periods), np.int64),
        np.empty((size, a.values)),
        np.empty((2, a.values)),
        np.empty((chains.kind.shape[0], a.values)),
        np.empty(longest, np.int64),
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


@inlined
def add(slot: int, plus: float, minus: float, power: float, state: State) -> None:
    """Add counts of a cell with an exponent to the sums of a judgement."""
    state.plus[slot] += power * plus
    state.minus[slot] += power * minus
    if power != 1.0:
        state.rest[0, slot] += (1.0 - power) * plus
        state.rest[1, slot] += (1.0 - power) * minus
