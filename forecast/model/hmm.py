"""Hidden Markov model: forward filter and smoother of the scenario, for many particles at once.

    alpha_t(s) = P(s_t = s | y_0..y_t),   c_t = p(y_t | y_0..y_(t-1)),
    alpha_t(s) c_t = L_t(s) sum_i alpha_(t-1)(i) P(i, s),   L_t(s) = prod over cells of m(s)^exponent

Each period is scaled by its own norm c_t, so that nothing under- or overflows at any length. Where a
scenario that is not impossible falls below 1e-250 of the rest, the particle is run again in logarithms
(`deep`), for later evidence may bring that scenario back.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from forecast.model.cell_sequence import CellSequence
from forecast.model.dynamics import transition_matrices
from forecast.model.jit import inlined, kernel
from forecast.model.likelihood import Cells, log_cell
from forecast.model.parameters import STATIC, Arrays

_SMALL = 1e-250


class Filtered(NamedTuple):
    """What the forward filter leaves: N particles, U units, T periods, K scenarios."""

    matrix: np.ndarray  # (N, K, K)
    alpha: np.ndarray  # (N, U, T, K)
    log_norm: np.ndarray  # (N, U, T) log c_t
    deep: np.ndarray  # (N, U) run in logarithms


def empty_filtered(particles: int, units: int, periods: int, scenarios: int) -> Filtered:
    """Return arrays for the forward filter to fill."""
    return Filtered(
        np.empty((particles, scenarios, scenarios)),
        np.empty((particles, units, periods, scenarios)),
        np.zeros((particles, units, periods)),
        np.zeros((particles, units), np.bool_),
    )


class LikelihoodTable(NamedTuple):
    """The likelihood of each kind of cell at one theta, filled in when first asked for."""

    sequence: CellSequence
    cells: Cells
    a: Arrays
    value: np.ndarray  # (Q, K) m(s)^exponent, or its logarithm
    logarithm: np.ndarray  # (Q,) whether it is the logarithm
    owner: np.ndarray  # (Q,) the particle it holds for
    buffer: np.ndarray  # (2, largest number of values)


@kernel
def new_likelihood_table(sequence: CellSequence, cells: Cells, a: Arrays) -> LikelihoodTable:
    """Return an empty table."""
    kinds = sequence.cell.shape[0]
    value, logarithm = np.empty((kinds, a.scenarios)), np.zeros(kinds, np.bool_)
    return LikelihoodTable(sequence, cells, a, value, logarithm, np.full(kinds, -1), np.empty((2, a.values)))


@inlined
def fill(q: int, n: int, theta: np.ndarray, table: LikelihoodTable) -> None:
    """Fill in the row of kind q for particle n."""
    a, power = table.a, table.sequence.exponent[q]
    table.owner[q] = n
    table.logarithm[q] = log_cell(table.sequence.cell[q], theta, table.cells, a, table.buffer, table.value, q)
    if power != 1.0:
        for s in range(a.scenarios):
            m = table.value[q, s]
            table.value[q, s] = power * m if table.logarithm[q] else m**power


@inlined
def period_weights(
    begin: int, end: int, n: int, theta: np.ndarray, table: LikelihoodTable, out: np.ndarray
) -> float:
    """Fill out (K,) with L_t(s) / exp(scale) and return the scale."""
    size = table.a.scenarios
    plain, low = True, 1.0
    for s in range(size):
        out[s] = 1.0
    for k in range(begin, end):
        q = table.sequence.kind[k]
        if table.owner[q] != n:
            fill(q, n, theta, table)
        plain &= not table.logarithm[q]
        for s in range(size):
            out[s] *= table.value[q, s]
    for s in range(size):
        low = min(low, out[s])
    return 0.0 if plain and low > _SMALL else careful_weights(begin, end, table, out)


@kernel
def careful_weights(begin: int, end: int, table: LikelihoodTable, out: np.ndarray) -> float:
    """Do the same in logarithms, where plain products would be too small, or are not to be had."""
    out[:] = 0.0
    for k in range(begin, end):
        q = table.sequence.kind[k]
        for s in range(out.shape[0]):
            out[s] += table.value[q, s] if table.logarithm[q] else np.log(table.value[q, s])
    high = out.max()
    for s in range(out.shape[0]):
        out[s] = np.exp(out[s] - high) if high > -np.inf else 0.0
    return high


@kernel
def forward(
    theta: np.ndarray, sequence: CellSequence, begin: int, cells: Cells, a: Arrays, filtered: Filtered
) -> None:
    """Filter from period `begin` on; what stands before `begin` in `filtered` is taken as it is.

    theta is (N, D); `filtered.matrix` must hold the transition matrices of theta.
    """
    units, periods = sequence.start.shape[0], sequence.start.shape[1] - 1
    table = new_likelihood_table(sequence, cells, a)
    weight = np.empty(a.scenarios)
    for n in range(theta.shape[0]):
        one, matrix = theta[n], filtered.matrix[n]
        for u in range(units):
            alpha, norm, start = filtered.alpha[n, u], filtered.log_norm[n, u], sequence.start[u]
            deep = begin > 0 and filtered.deep[n, u]
            t = begin
            while t < periods and not deep:
                _predict(t, one, matrix, a.dynamics == STATIC, alpha)
                norm[t] = 0.0
                if start[t] < start[t + 1]:
                    scale = period_weights(start[t], start[t + 1], n, one, table, weight)
                    deep = _update(t, weight, scale, alpha, norm)
                t += 1
            filtered.deep[n, u] = deep
            if deep:
                _forward_deep(n, u, one, table, filtered)


@inlined
def _predict(t: int, prior: np.ndarray, matrix: np.ndarray, static: bool, alpha: np.ndarray) -> None:
    """Fill alpha[t] with the probability of each scenario before the evidence of period t."""
    for j in range(alpha.shape[1]):
        if t == 0:
            alpha[t, j] = prior[j]
        elif static:
            alpha[t, j] = alpha[t - 1, j]
        else:
            total = 0.0
            for i in range(alpha.shape[1]):
                total += alpha[t - 1, i] * matrix[i, j]
            alpha[t, j] = total


@inlined
def _update(t: int, weight: np.ndarray, scale: float, alpha: np.ndarray, norm: np.ndarray) -> bool:
    """Multiply by the evidence of period t; return whether a scenario fell too low for plain numbers."""
    total = 0.0
    for s in range(weight.shape[0]):
        weight[s] *= alpha[t, s]
        total += weight[s]
    if total <= 0.0:
        return True
    norm[t] = np.log(total) + scale
    deep, share = False, 1.0 / total
    for s in range(weight.shape[0]):
        deep |= alpha[t, s] > 0.0 and weight[s] * share < _SMALL
        alpha[t, s] = weight[s] * share
    return deep


@kernel
def _forward_deep(n: int, u: int, theta: np.ndarray, table: LikelihoodTable, filtered: Filtered) -> None:
    """Filter one particle and unit from period 0 on in logarithms."""
    sequence, size = table.sequence, table.a.scenarios
    log_l = np.zeros((sequence.start.shape[1] - 1, size))
    for t in range(log_l.shape[0]):
        for k in range(sequence.start[u, t], sequence.start[u, t + 1]):
            q = sequence.kind[k]
            if table.owner[q] != n:
                fill(q, n, theta, table)
            for s in range(size):
                m = table.value[q, s]
                log_l[t, s] += m if table.logarithm[q] else np.log(m)
    alpha, norm = filtered.alpha[n, u], filtered.log_norm[n, u]
    _filter_deep(theta[:size], filtered.matrix[n], log_l, alpha, norm)


@kernel
def _filter_deep(
    prior: np.ndarray, matrix: np.ndarray, log_l: np.ndarray, alpha: np.ndarray, norm: np.ndarray
) -> None:
    """Filter one sequence log L_t(s), (T, K), in logarithms."""
    periods, size = log_l.shape
    now, predicted, log_matrix = np.log(prior), np.empty(size), np.log(matrix)
    for t in range(periods):
        for j in range(size):
            predicted[j] = now[j] if t == 0 else _log_sum(now + log_matrix[:, j])
            predicted[j] += log_l[t, j]
        norm[t] = _log_sum(predicted)
        for s in range(size):
            now[s] = predicted[s] - norm[t] if norm[t] > -np.inf else now[s]
            alpha[t, s] = np.exp(max(now[s], -690.0)) if now[s] > -np.inf else 0.0


def filter_log_likelihood(
    prior: np.ndarray, matrix: np.ndarray, log_likelihood: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Filter sequences whose log L_t(s), (N, T, K), are given; return alpha (N, T, K) and log c_t (N, T).

    prior is (N, K), matrix (N, K, K). No global lock is held: threads may share the sequences among them.
    """
    with np.errstate(over="ignore"):
        alpha, norm = np.exp(log_likelihood), np.empty(log_likelihood.shape[:2])
    _filter_weights(prior, matrix, log_likelihood, alpha, norm)
    return alpha, norm


@kernel
def _filter_weights(
    prior: np.ndarray, matrix: np.ndarray, log_l: np.ndarray, alpha: np.ndarray, norm: np.ndarray
) -> None:
    """Filter; alpha holds L_t(s) at first, where it is neither too small nor too large for plain numbers."""
    weight = np.empty(prior.shape[1])
    for n in range(prior.shape[0]):
        deep = False
        for t in range(norm.shape[1]):
            plain, scale = True, 0.0
            for s in range(weight.shape[0]):
                weight[s] = alpha[n, t, s]
                plain &= _SMALL < weight[s] < 1.0 / _SMALL
            if not plain:
                scale = max(log_l[n, t].max(), -1.0 / _SMALL)  # finite, also where all are impossible
                weight[:] = np.exp(log_l[n, t] - scale)
            _predict(t, prior[n], matrix[n], False, alpha[n])
            deep |= _update(t, weight, scale, alpha[n], norm[n])
        if deep:
            _filter_deep(prior[n], matrix[n], log_l[n], alpha[n], norm[n])


@kernel
def _log_sum(x: np.ndarray) -> float:
    high = x.max()
    return high if high == -np.inf else high + np.log(np.exp(x - high).sum())


def filter_particles(theta: np.ndarray, sequence: CellSequence, cells: Cells, a: Arrays) -> Filtered:
    """Filter a sequence for particles theta (N, D)."""
    units, periods = sequence.start.shape[0], sequence.start.shape[1] - 1
    filtered = empty_filtered(len(theta), units, periods, a.scenarios)
    refresh(np.ascontiguousarray(theta), sequence, cells, a, filtered)
    return filtered


def refresh(theta: np.ndarray, sequence: CellSequence, cells: Cells, a: Arrays, filtered: Filtered) -> None:
    """Recompute transition matrices and the whole filter for new particles."""
    transition_matrices(theta, a, filtered.matrix)
    forward(theta, sequence, 0, cells, a, filtered)


def smooth(filtered: Filtered) -> np.ndarray:
    """Return P(s_t | all evidence), (N, U, T, K), by the backward recursion.

    gamma_t(i) = alpha_t(i) sum_j P(i, j) gamma_(t+1)(j) / sum_k alpha_t(k) P(k, j)   (Rauch et al. form).
    """
    alpha, gamma = filtered.alpha, filtered.alpha.copy()
    matrix = np.broadcast_to(filtered.matrix[:, None], (*alpha.shape[:2], *filtered.matrix.shape[1:]))
    for t in range(alpha.shape[2] - 2, -1, -1):
        predicted = np.einsum("nui,nuij->nuj", alpha[:, :, t], matrix)
        ratio = np.divide(gamma[:, :, t + 1], predicted, out=np.zeros_like(predicted), where=predicted > 0)
        gamma[:, :, t] = alpha[:, :, t] * np.einsum("nuij,nuj->nui", matrix, ratio)
    return gamma
