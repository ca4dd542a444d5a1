"""Hidden Markov model: forward filter and smoother of the scenario, for many particles at once.

    alpha_t(s) = P(s_t = s | y_0..y_t),   c_t = p(y_t | y_0..y_(t-1)),
    alpha_t(s) c_t = L_t(s) sum_i alpha_(t-1)(i) P(i, s),   L_t(s) = prod over cells of m(s)^exponent

all of it in logarithms, each period scaled by its own norm c_t, so that nothing under- or overflows at any
length and a scenario that seems lost may come back.

Where an indicator persists, its hidden value is drawn anew from f(. | s) when a scenario s is entered, and
stays with probability q a period. Given s and the period e in which s was entered the hidden values of
several indicators are independent, so the state of the filter is (s, e) with a belief b about each of them,

    p(x) = q^g b(x) + (1 - q^g) f(x | s),   m(s, e) = sum_x p(x) W(x),   b'(x) = p(x) W(x) / m(s, e)

g periods after the indicator's cell before. In a static question e is 0. In a regime the last R - 1 periods
of entry are kept apart and all earlier ones are one, its belief the mean of theirs: exact for one indicator
that persists, and within .005 of exact for eight (R = 9; in the manner of Boyen and Koller 1998).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from forecast.model.cell_sequence import CellSequence
from forecast.model.dynamics import initial_chances, period_matrix, transition_matrices
from forecast.model.event import LATE
from forecast.model.jit import inlined, kernel
from forecast.model.likelihood import Cells, log_cell, log_cell_weights, log_mean, place
from forecast.model.parameters import EVENT, STATIC, Arrays

_LEAST = -690.0
#: Periods whose beliefs are kept: the filter goes on from any of them, and from the first period.
KEPT = 4


class Filtered(NamedTuple):
    """What the forward filter leaves: N particles, U units, T periods, K scenarios, R entry times."""

    matrix: np.ndarray  # (N, K, K)
    alpha: np.ndarray  # (N, U, T, K)
    log_norm: np.ndarray  # (N, U, T) log c_t
    log_alpha: np.ndarray  # (N, U, T, K, R) by how many periods ago the scenario was entered, R - 1 or more
    earlier: np.ndarray  # (N, U, T, K) of those R - 1 or more ago, the share that was so a period before
    belief: np.ndarray  # (N, U, KEPT, K, R, B) of the values of all indicators that persist
    period: np.ndarray  # (N, U, KEPT) the period of each belief, -1


def empty_filtered(particles: int, units: int, periods: int, a: Arrays) -> Filtered:
    """Return arrays for the forward filter to fill."""
    shape, size, runs = (particles, units, periods), a.scenarios, a.runs
    kept = KEPT if a.beliefs else 0
    return Filtered(
        np.empty((particles, size, size)),
        np.empty((*shape, size)),
        np.zeros(shape),
        np.empty((*shape, size, runs)),
        np.zeros((*shape, size if runs > 1 else 0)),
        np.empty((particles, units, kept, size, runs, a.beliefs)),
        np.full((particles, units, kept), -1),
    )


class LikelihoodTable(NamedTuple):
    """The likelihood of each kind of cell at one theta, filled in when first asked for."""

    sequence: CellSequence
    cells: Cells
    a: Arrays
    log_m: np.ndarray  # (Q, K) log m(s), where the value is fresh
    log_w: np.ndarray  # (Q, K, V) log W(x), where it persists
    owner: np.ndarray  # (Q,) the particle it holds for
    buffer: np.ndarray  # (2, V)
    weight: np.ndarray  # (K, V)


@kernel
def new_likelihood_table(sequence: CellSequence, cells: Cells, a: Arrays) -> LikelihoodTable:
    """Return an empty table."""
    kinds = sequence.cell.shape[0]
    return LikelihoodTable(
        sequence,
        cells,
        a,
        np.empty((kinds, a.scenarios)),
        np.empty((kinds if a.beliefs else 0, a.scenarios, a.values)),
        np.full(kinds, -1),
        np.empty((2, a.values)),
        np.empty((a.scenarios, a.values)),
    )


@inlined
def fill(q: int, n: int, theta: np.ndarray, table: LikelihoodTable) -> None:
    """Fill in the row of kind q for particle n."""
    c, a = table.sequence.cell[q], table.a
    table.owner[q] = n
    if a.indicator[table.cells.cell[c].indicator].belief >= 0:
        log_cell_weights(c, theta, table.cells, a, table.buffer, table.log_w[q])
    else:
        log_cell(c, theta, table.cells, a, table.buffer, table.weight, table.log_m[q])


class Running(NamedTuple):
    """The state of the filter of one particle and unit while it runs."""

    now: np.ndarray  # (K, R) log probability of each scenario and entry time
    before: np.ndarray  # (K, R) the same before the evidence of the period
    belief: np.ndarray  # (K, R, B)
    last: np.ndarray  # (I,) the period of each indicator's last cell, -1
    log_matrix: np.ndarray  # (K, K)
    total: np.ndarray  # (K,)
    share: np.ndarray  # (K,) of the earliest entry times, those that were so a period before
    value: np.ndarray  # (V,)


@kernel
def new_running(a: Arrays) -> Running:
    """Return the state of a filter yet to run."""
    return Running(
        np.empty((a.scenarios, a.runs)),
        np.empty((a.scenarios, a.runs)),
        np.empty((a.scenarios, a.runs, a.beliefs)),
        np.full(a.indicator.shape[0], -1),
        np.empty((a.scenarios, a.scenarios)),
        np.empty(a.scenarios),
        np.empty(a.scenarios),
        np.empty(a.values),
    )


@kernel
def forward(
    theta: np.ndarray, sequence: CellSequence, begin: int, cells: Cells, a: Arrays, filtered: Filtered
) -> None:
    """Filter from period `begin` on; what stands before `begin` in `filtered` is taken as it is.

    theta is (N, D); `filtered.matrix` must hold the transition matrices of theta.
    """
    units, periods = sequence.start.shape[0], sequence.start.shape[1] - 1
    table, state = new_likelihood_table(sequence, cells, a), new_running(a)
    matrix, buffer = np.empty((a.scenarios, a.scenarios)), np.empty(a.scenarios)
    last = last_cells(sequence, begin, cells, a)
    for n in range(theta.shape[0]):
        for u in range(units):
            first = begin
            if a.beliefs and begin > 0 and filtered.period[n, u, (begin - 1) % KEPT] != begin - 1:
                first = 0
            _set_out(first, n, u, last, filtered, state)
            state.log_matrix[:] = np.log(filtered.matrix[n])
            for t in range(first, periods):
                if t == 0:
                    initial_chances(theta[n], a, buffer)
                    _enter_first(buffer, theta[n], a, state)
                elif a.dynamics != STATIC:
                    if a.event[LATE]:
                        period_matrix(theta[n], t - 1, a, matrix)
                        state.log_matrix[:] = np.log(matrix)
                    _predict(theta[n], a, state)
                    if a.runs > 1:
                        filtered.earlier[n, u, t] = state.share
                _keep(state)
                for k in range(sequence.start[u, t], sequence.start[u, t + 1]):
                    _multiply(k, t, n, theta[n], table, state)
                norm = _normalise(state, filtered.alpha[n, u, t])
                evidence = sequence.start[u, t] < sequence.start[u, t + 1] or a.dynamics == EVENT
                filtered.log_norm[n, u, t] = norm if evidence else 0.0  # and not what rounding makes of 1
                filtered.log_alpha[n, u, t] = state.now
                if a.beliefs and t >= periods - KEPT:
                    filtered.belief[n, u, t % KEPT] = state.belief
                    filtered.period[n, u, t % KEPT] = t


@kernel
def last_cells(sequence: CellSequence, begin: int, cells: Cells, a: Arrays) -> np.ndarray:
    """Return the period of each indicator's last cell before a period, -1 where there is none, (U, I)."""
    last = np.full((sequence.start.shape[0], a.indicator.shape[0]), -1)
    if a.beliefs:
        for u in range(last.shape[0]):
            for t in range(begin):
                for k in range(sequence.start[u, t], sequence.start[u, t + 1]):
                    last[u, cells.cell[sequence.cell[sequence.kind[k]]].indicator] = t
    return last


@inlined
def _set_out(first: int, n: int, u: int, last: np.ndarray, filtered: Filtered, state: Running) -> None:
    """Take the filter up where it stood before period `first`."""
    for i in range(state.last.shape[0]):
        state.last[i] = last[u, i] if first > 0 else -1
    if first > 0:
        for s in range(state.now.shape[0]):
            for r in range(state.now.shape[1]):
                state.now[s, r] = filtered.log_alpha[n, u, first - 1, s, r]
                for b in range(state.belief.shape[2]):
                    state.belief[s, r, b] = filtered.belief[n, u, (first - 1) % KEPT, s, r, b]


@inlined
def _keep(state: Running) -> None:
    """Keep what is predicted, in case the evidence allows nothing."""
    for s in range(state.now.shape[0]):
        for r in range(state.now.shape[1]):
            state.before[s, r] = state.now[s, r]


@inlined
def _fresh(s: int, r: int, theta: np.ndarray, a: Arrays, state: Running) -> None:
    """Set the beliefs of a scenario that is entered to its likelihoods."""
    for p in range(a.persistent.shape[0]):
        i = a.persistent[p]
        for x in range(a.indicator[i].size):
            state.belief[s, r, a.indicator[i].belief + x] = theta[place(i, s, a) + x]


@inlined
def _enter_first(chance: np.ndarray, theta: np.ndarray, a: Arrays, state: Running) -> None:
    """Enter the scenarios in period 0."""
    for s in range(a.scenarios):
        for r in range(a.runs):
            state.now[s, r] = -np.inf
        state.now[s, 0] = np.log(chance[s])
        _fresh(s, 0, theta, a, state)


@inlined
def _predict(theta: np.ndarray, a: Arrays, state: Running) -> None:
    """Step to the next period."""
    now, before, size, runs = state.now, state.before, a.scenarios, a.runs
    for j in range(size):
        high, total = -np.inf, 0.0
        for r in range(runs):
            before[j, r] = now[j, r]
            high = max(high, now[j, r])
        if high > -np.inf:
            for r in range(runs):
                total += np.exp(now[j, r] - high)
            high += np.log(total)
        state.total[j] = high
    for j in range(size):
        entered = -np.inf
        for i in range(size):
            if i != j or runs == 1:
                entered = _log_add(entered, state.total[i] + state.log_matrix[i, j])
        now[j, 0] = entered
    if runs == 1:
        return
    for j in range(size):
        stay = state.log_matrix[j, j]
        last, oldest = before[j, runs - 2], before[j, runs - 1]
        merged = _log_add(last, oldest)
        state.share[j] = np.exp(oldest - merged) if oldest > -np.inf else 0.0
        share = state.share[j]
        if share > 0.0:
            for b in range(a.beliefs):
                old, new = state.belief[j, runs - 1, b], state.belief[j, runs - 2, b]
                state.belief[j, runs - 1, b] = share * old + (1.0 - share) * new
        elif last > -np.inf:
            for b in range(a.beliefs):
                state.belief[j, runs - 1, b] = state.belief[j, runs - 2, b]
        now[j, runs - 1] = stay + merged
        for r in range(runs - 2, 0, -1):
            now[j, r] = stay + before[j, r - 1]
            if now[j, r] > -np.inf:
                for b in range(a.beliefs):
                    state.belief[j, r, b] = state.belief[j, r - 1, b]
        _fresh(j, 0, theta, a, state)


@inlined
def _multiply(k: int, t: int, n: int, theta: np.ndarray, table: LikelihoodTable, state: Running) -> None:
    """Multiply by the likelihood of a cell."""
    q, a = table.sequence.kind[k], table.a
    if table.owner[q] != n:
        fill(q, n, theta, table)
    power, i = table.sequence.exponent[q], table.cells.cell[table.sequence.cell[q]].indicator
    if a.indicator[i].belief < 0:
        for s in range(a.scenarios):
            log_m = table.log_m[q, s] if power == 1.0 else power * table.log_m[q, s]
            for r in range(a.runs):
                state.now[s, r] += log_m
        return
    size, b = a.indicator[i].size, a.indicator[i].belief
    hold = a.indicator[i].persistence ** (t - state.last[i]) if state.last[i] >= 0 else 0.0
    state.last[i] = t
    for s in range(a.scenarios):
        high, start = -np.inf, place(i, s, a)
        for x in range(size):
            high = max(high, table.log_w[q, s, x])
        for x in range(size):
            state.value[x] = np.exp(table.log_w[q, s, x] - high) if high > -np.inf else 0.0
        for r in range(a.runs):
            if state.now[s, r] > -np.inf:
                belief = state.belief[s, r, b : b + size]
                log_m = revise(belief, hold, theta[start:], state.value, size)
                if log_m == -np.inf:  # too small for plain numbers, or impossible
                    log_m = revise_small(belief, table.log_w[q, s], size)
                else:
                    log_m += high
                if power > 0.0:
                    state.now[s, r] += power * log_m


@inlined
def revise(belief: np.ndarray, hold: float, fresh: np.ndarray, weight: np.ndarray, size: int) -> float:
    """Revise a belief by W(x) / exp(high), its prediction first; return log m, or -inf if it is too small."""
    total = 0.0
    for x in range(size):
        belief[x] = hold * belief[x] + (1.0 - hold) * fresh[x]
        total += belief[x] * weight[x]
    if total < 1e-280:
        return -np.inf
    for x in range(size):
        belief[x] *= weight[x] / total
    return np.log(total)


@inlined
def revise_small(belief: np.ndarray, log_w: np.ndarray, size: int) -> float:
    """Revise a belief that is predicted already in logarithms."""
    total = log_mean(belief, log_w, size)
    if total > -np.inf:
        for x in range(size):
            belief[x] = belief[x] * np.exp(log_w[x] - total) if belief[x] > 0.0 else 0.0
    return total


@inlined
def _normalise(state: Running, alpha: np.ndarray) -> float:
    """Divide by the norm and return its logarithm; where nothing is possible leave what was predicted."""
    size, runs, high, total = state.now.shape[0], state.now.shape[1], -np.inf, 0.0
    for s in range(size):
        for r in range(runs):
            high = max(high, state.now[s, r])
    possible = high > -np.inf
    if not possible:
        for s in range(size):
            for r in range(runs):
                state.now[s, r] = state.before[s, r]
                high = max(high, state.now[s, r])
    for s in range(size):
        for r in range(runs):
            total += np.exp(state.now[s, r] - high)
    norm = high + np.log(total)
    for s in range(size):
        alpha[s] = 0.0
        for r in range(runs):
            state.now[s, r] -= norm
            if state.now[s, r] > -np.inf:  # what is possible stays so for the smoother
                alpha[s] += np.exp(max(state.now[s, r], _LEAST))
    return norm if possible else -np.inf


@inlined
def _log_add(x: float, y: float) -> float:
    """Return log(exp(x) + exp(y))."""
    high, low = (x, y) if x > y else (y, x)
    return high if low == -np.inf else high + np.log1p(np.exp(low - high))


@inlined
def _log_sum(x: np.ndarray) -> float:
    """Return log sum exp x."""
    high, total = -np.inf, 0.0
    for n in range(x.shape[0]):
        high = max(high, x[n])
    if high == -np.inf:
        return high
    for n in range(x.shape[0]):
        total += np.exp(x[n] - high)
    return high + np.log(total)


def filter_log_likelihood(
    prior: np.ndarray, matrix: np.ndarray, log_likelihood: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Filter sequences whose log L_t(s), (N, T, K), are given; return alpha (N, T, K) and log c_t (N, T).

    prior is (N, K), matrix (N, K, K). No global lock is held: threads may share the sequences among them.
    """
    alpha, norm = np.empty(log_likelihood.shape), np.empty(log_likelihood.shape[:2])
    _filter_logarithms(prior, matrix, log_likelihood, alpha, norm)
    return alpha, norm


@kernel
def _filter_logarithms(
    prior: np.ndarray, matrix: np.ndarray, log_l: np.ndarray, alpha: np.ndarray, norm: np.ndarray
) -> None:
    """Filter sequences of log L_t(s) in logarithms."""
    size = prior.shape[1]
    now, predicted = np.empty(size), np.empty(size)
    for n in range(prior.shape[0]):
        log_matrix = np.log(matrix[n])
        for t in range(norm.shape[1]):
            for j in range(size):
                predicted[j] = np.log(prior[n, j]) if t == 0 else _log_sum(now + log_matrix[:, j])
            now[:] = predicted + log_l[n, t]
            norm[n, t] = _log_sum(now)
            now[:] = now - norm[n, t] if norm[n, t] > -np.inf else predicted
            alpha[n, t] = np.exp(now)


def filter_particles(theta: np.ndarray, sequence: CellSequence, cells: Cells, a: Arrays) -> Filtered:
    """Filter a sequence for particles theta (N, D)."""
    units, periods = sequence.start.shape[0], sequence.start.shape[1] - 1
    filtered = empty_filtered(len(theta), units, periods, a)
    refresh(np.ascontiguousarray(theta), sequence, cells, a, filtered)
    return filtered


def refresh(theta: np.ndarray, sequence: CellSequence, cells: Cells, a: Arrays, filtered: Filtered) -> None:
    """Recompute transition matrices and the whole filter for new particles."""
    transition_matrices(theta, a, filtered.matrix)
    forward(theta, sequence, 0, cells, a, filtered)


def smooth(filtered: Filtered) -> np.ndarray:
    """Return P(s_t | all evidence), (N, U, T, K), by the backward recursion.

    gamma_t(i) = alpha_t(i) sum_j P(i, j) gamma_(t+1)(j) / sum_k alpha_t(k) P(k, j)   (Rauch et al. form);
    with several entry times the state is (scenario, entry time), and one that was not just entered was in
    the same scenario before.
    """
    alpha, gamma = filtered.alpha, filtered.alpha.copy()
    matrix = np.broadcast_to(filtered.matrix[:, None], (*alpha.shape[:2], *filtered.matrix.shape[1:]))
    runs = filtered.log_alpha.shape[-1]
    if runs > 1:
        matrix = matrix * (1.0 - np.eye(matrix.shape[-1]))
    here = np.exp(filtered.log_alpha[:, :, -1]) if alpha.shape[2] else np.empty(0)
    for t in range(alpha.shape[2] - 2, -1, -1):
        predicted = np.einsum("nui,nuij->nuj", alpha[:, :, t], matrix)
        entered = here[..., 0] if runs > 1 else gamma[:, :, t + 1]
        ratio = np.divide(entered, predicted, out=np.zeros_like(predicted), where=predicted > 0)
        if runs == 1:
            gamma[:, :, t] = alpha[:, :, t] * np.einsum("nuij,nuj->nui", matrix, ratio)
            continue
        left = np.exp(filtered.log_alpha[:, :, t]) * np.einsum("nuij,nuj->nui", matrix, ratio)[..., None]
        share = filtered.earlier[:, :, t + 1]
        left[..., :-1] += here[..., 1:]
        left[..., -1] += share * here[..., -1]
        left[..., -2] -= share * here[..., -1]
        here, gamma[:, :, t] = left, left.sum(axis=-1)
    return gamma
