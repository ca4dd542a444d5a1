"""Updates of the judgements given the latent variables: conjugate, or Metropolis-Hastings.

Given the hidden values (:mod:`forecast.inference.gibbs.latent`) the judgements are independent and conjugate:
Dirichlet, Gamma and Normal with the cells' exponents as weights, Beta for reliabilities. Where that draw is
not exact it is a proposal, accepted by Metropolis and Hastings:

- a cell with exponent e is in the target as m^e, whose extension by the drawn x is m^(e-1) J with
  J = f(x | s) prod_j P(y_j | x), while the proposal took J^e: the ratio is (m'/m)^(e-1) (J'/J)^(1-e);
- the mean of a negative binomial count is proposed from the Gamma that a Poisson count of reduced weight
  would give, mixed with a tenth from the prior;
- leaving rates are proposed as if a period saw one move at most, mixed with a tenth from the prior, and
  compared by the path's probability under expm(Q); rows of a transition matrix are conjugate.
"""

from __future__ import annotations

import math

import numpy as np

from forecast.inference.gibbs.latent import State, member
from forecast.model.expm import expm
from forecast.model.jit import inlined, kernel
from forecast.model.likelihood import Cells, log_add, log_cell, log_density, place
from forecast.model.parameters import CATEGORY, MEASURE, MOVES, NEGATIVE_BINOMIAL, TINY, Arrays

FROM_PRIOR = 0.1
LIKELIHOOD, RELIABILITY, DYNAMICS = range(3)  # rows of the counts of accepted and tried draws


@inlined
def gamma_above_zero(rng: np.random.Generator, shape: float) -> float:
    """Draw a standard Gamma; a small shape would underflow to zero."""
    return max(rng.standard_gamma(shape), TINY)


@inlined
def draw_likelihood(i: int, s: int, state: State) -> None:
    """Draw the likelihood of indicator i in scenario s given the sums: conjugate, or a proposal."""
    a, rng, out, start = state.a, state.rng, state.proposal, place(i, s, state.a)
    plus, minus = state.plus[start], state.minus[start]
    if a.indicator[i].kind == CATEGORY:
        draw_dirichlet(start, a.indicator[i].size, a, state.plus, rng, out)
    elif a.indicator[i].kind == MEASURE:
        precision = 1.0 / a.slot[start].b ** 2 + minus / a.slot[start].sd ** 2
        mean = (a.slot[start].a / a.slot[start].b ** 2 + plus / a.slot[start].sd ** 2) / precision
        out[start] = mean + rng.standard_normal() / math.sqrt(precision)
    elif a.indicator[i].kind == NEGATIVE_BINOMIAL and rng.random() < FROM_PRIOR:
        out[start] = gamma_above_zero(rng, a.slot[start].a) / a.slot[start].b
    else:
        w = reduced_weight(i, start, plus, minus, a)
        out[start] = gamma_above_zero(rng, a.slot[start].a + w * plus) / (a.slot[start].b + w * minus)


@inlined
def reduced_weight(i: int, start: int, plus: float, minus: float, a: Arrays) -> float:
    """Return the weight of a count relative to a Poisson count: k / (k + m) for a negative binomial."""
    if a.indicator[i].kind != NEGATIVE_BINOMIAL:
        return 1.0
    w = 0.0
    for _ in range(8):  # towards the mean of the posterior that this weight gives
        m = (a.slot[start].a + w * plus) / (a.slot[start].b + w * minus)
        w = a.indicator[i].dispersion / (a.indicator[i].dispersion + m)
    return w


@inlined
def draw_dirichlet(
    start: int, size: int, a: Arrays, plus: np.ndarray, rng: np.random.Generator, out: np.ndarray
) -> None:
    """Draw a Dirichlet with parameters a + plus; slots with a = 0 stay 0."""
    total = 0.0
    for x in range(start, start + size):
        out[x] = gamma_above_zero(rng, a.slot[x].a + plus[x]) if a.slot[x].a > 0.0 else 0.0
        total += out[x]
    for x in range(start, start + size):
        out[x] /= total


@kernel
def log_cell_likelihood(c: int, s: int, theta: np.ndarray, state: State) -> float:
    """Return log m(s), the likelihood of cell c in scenario s."""
    row = np.empty((1, state.a.scenarios))
    logarithm = log_cell(c, theta, state.cells, state.a, state.weight, row, 0)
    return row[0, s] if logarithm else np.log(row[0, s])


@kernel
def log_value_ratio(c: int, s: int, state: State) -> float:
    """Return the sum of log f(x | s), proposed less present, over the fresh values x of cells of a kind."""
    new, old, cells, a = state.proposal, state.theta, state.cells, state.a
    i, first, total = cells.cell[c].indicator, cells.cell[c].first, 0.0
    if a.indicator[i].kind == CATEGORY:
        start = place(i, s, a)
        for x in range(a.indicator[i].size):
            if state.fresh[c, s, x] > 0:
                total += state.fresh[c, s, x] * (np.log(new[start + x]) - np.log(old[start + x]))
        return total
    for j in range(first, cells.cell[c].end):
        number, y = state.fresh[c, s, j - first], cells.report[j].value
        if number > 0:
            total += number * (log_density(i, s, y, new, a) - log_density(i, s, y, old, a))
    return total


@kernel
def first_of_cell(q: int, s: int, state: State) -> bool:
    """Tell whether kind q is the first of its cell in a scenario; one cell may have two exponents."""
    for before in range(q - 1, -1, -1):
        if state.sequence.cell[before] != state.sequence.cell[q]:
            return True
        if state.number[before, s] > 0:
            return False
    return True


@kernel
def accept_likelihoods(state: State) -> None:
    """Accept or reject proposed likelihoods, one indicator (and those given it) and scenario at a time."""
    theta, new, sequence, cells = state.theta, state.proposal, state.sequence, state.cells
    a, accepted = state.a, state.accepted
    indicators, size = a.indicator.shape[0], a.scenarios
    ratio = np.zeros((indicators, size))
    for q in range(sequence.cell.shape[0]):
        c, e = sequence.cell[q], sequence.exponent[q]
        i = cells.cell[c].indicator
        for s in range(size):
            if state.number[q, s] == 0:
                continue
            if first_of_cell(q, s, state):
                for n in range(1 + cells.cell[c].children):
                    ratio[i, s] += log_value_ratio(member(c, n, cells), s, state)
            if e != 1.0:
                m = log_cell_likelihood(c, s, new, state) - log_cell_likelihood(c, s, theta, state)
                ratio[i, s] += state.number[q, s] * (e - 1.0) * m
    for i in range(indicators):
        for s in range(size):
            if a.indicator[i].kind == NEGATIVE_BINOMIAL and a.slot[place(i, s, a)].learns:
                slot = place(i, s, a)
                ratio[i, s] -= proposal_over_prior(i, slot, new[slot], state)
                ratio[i, s] += proposal_over_prior(i, slot, theta[slot], state)
    for i in range(indicators):
        for s in range(size):
            if a.slot[place(i, s, a)].learns and a.indicator[i].joint == i:
                accepted[LIKELIHOOD, 1] += 1
            if np.log(state.rng.random()) < ratio[i, s]:
                accepted[LIKELIHOOD, 0] += a.slot[place(i, s, a)].learns and a.indicator[i].joint == i
                for k in range(indicators):
                    if a.indicator[k].joint == i:
                        begin, end = place(k, s, a), place(k, s, a) + a.indicator[k].size
                        theta[begin:end] = new[begin:end]


@kernel
def proposal_over_prior(i: int, slot: int, m: float, state: State) -> float:
    """Return log(g(m) / p(m)) of the mixed proposal for the mean of a negative binomial."""
    shape, rate = state.a.slot[slot].a, state.a.slot[slot].b
    w = reduced_weight(i, slot, state.plus[slot], state.minus[slot], state.a)
    more, longer = w * state.plus[slot], w * state.minus[slot]
    fitted = math.log(1.0 - FROM_PRIOR) + gamma_ratio(m, shape, rate, more, longer)
    return log_add(math.log(FROM_PRIOR), fitted)


@kernel
def gamma_ratio(x: float, shape: float, rate: float, more: float, longer: float) -> float:
    """Return log of the density of Gamma(shape + more, rate + longer) over that of Gamma(shape, rate)."""
    up = (shape + more) * math.log(rate + longer) - math.lgamma(shape + more)
    return up - shape * math.log(rate) + math.lgamma(shape) + more * math.log(x) - longer * x


@kernel
def draw_reliabilities(exact: bool, state: State) -> None:
    """Draw each source's and testimony's reliability from its Beta, or by Metropolis-Hastings."""
    theta, a, rng, accepted = state.theta, state.a, state.rng, state.accepted
    for k in range(a.reliabilities):
        slot = a.reliability + k
        if not a.slot[slot].learns:
            continue
        up = gamma_above_zero(rng, a.slot[slot].a + state.plus[slot])
        down = gamma_above_zero(rng, a.slot[slot].b + state.minus[slot])
        old, new = theta[slot], min(up / (up + down), 1.0 - 2.0**-53)
        theta[slot] = new
        if not exact:
            ratio = reliability_ratio(slot, old, new, state)
            accepted[RELIABILITY, 1] += 1
            if np.log(rng.random()) < ratio:
                accepted[RELIABILITY, 0] += 1
            else:
                theta[slot] = old


@kernel
def reliability_ratio(slot: int, old: float, new: float, state: State) -> float:
    """Return the log acceptance ratio of a proposed reliability."""
    theta, sequence, cells = state.theta, state.sequence, state.cells
    ratio = 0.0
    for q in range(sequence.cell.shape[0]):
        c, e, touched = sequence.cell[q], sequence.exponent[q], False
        for n in range(1 + cells.cell[c].children):
            touched |= has_report_of(member(c, n, cells), slot, cells)
        for s in range(state.a.scenarios):
            if not touched or state.number[q, s] == 0:
                continue
            if first_of_cell(q, s, state):
                for n in range(1 + cells.cell[c].children):
                    ratio += log_report_ratio(member(c, n, cells), s, slot, old, new, state)
            if e != 1.0:
                m = log_cell_likelihood(c, s, theta, state)
                theta[slot] = old
                m -= log_cell_likelihood(c, s, theta, state)
                theta[slot] = new
                ratio += state.number[q, s] * (e - 1.0) * m
    return ratio


@kernel
def has_report_of(c: int, slot: int, cells: Cells) -> bool:
    """Tell whether a cell has a report with this reliability."""
    has = False
    for j in range(cells.cell[c].first, cells.cell[c].end):
        has |= cells.report[j].slot == slot
    return has


@kernel
def log_report_ratio(c: int, s: int, slot: int, old: float, new: float, state: State) -> float:
    """Return log J'/J of the reports of a kind of cell for one reliability."""
    cells = state.cells
    total = 0.0
    for j in range(cells.cell[c].first, cells.cell[c].end):
        if cells.report[j].slot == slot:
            if state.up[j, s] > 0:
                total += state.up[j, s] * (np.log(new) - np.log(old))
            if state.down[j, s] > 0:
                total += state.down[j, s] * (np.log(1.0 - new) - np.log(1.0 - old))
    return total


@kernel
def draw_dynamics(matrix: np.ndarray, state: State) -> None:
    """Draw the dynamics given how often the path moved from one scenario to another."""
    theta, a, moves, rng, accepted = state.theta, state.a, state.moves, state.rng, state.accepted
    size, start = moves.shape[0], a.dynamics_offset
    if a.dynamics != MOVES:
        for i in range(size):
            if a.slot[start + i * size].learns:
                plus = np.zeros(theta.shape[0])
                plus[start + i * size : start + (i + 1) * size] = moves[i]
                draw_dirichlet(start + i * size, size, a, plus, rng, theta)
        return
    to = start + size
    new, prior = theta.copy(), rng.random() < FROM_PRIOR
    plus, stays = np.zeros(theta.shape[0]), moves.sum(axis=1)
    for i in range(size):
        for j in range(size):
            if j != i and a.slot[to + i * size + j].a > 0.0:
                plus[to + i * size + j] = moves[i, j]
        plus[start + i] = stays[i] - moves[i, i]
    none = np.zeros(theta.shape[0])
    for i in range(size):
        if a.slot[start + i].learns:
            shape = a.slot[start + i].a + (0.0 if prior else plus[start + i])
            new[start + i] = gamma_above_zero(rng, shape) / (
                a.slot[start + i].b + (0.0 if prior else stays[i])
            )
        if a.slot[to + i * size].learns:
            draw_dirichlet(to + i * size, size, a, none if prior else plus, rng, new)
    proposed, buffer = np.empty((size, size)), np.empty((3, size, size))
    expm(new[start:to], new[to : to + size * size].reshape(size, size), proposed, buffer)
    ratio = moves_over_prior(theta, a, plus, stays) - moves_over_prior(new, a, plus, stays)
    for i in range(size):
        for j in range(size):
            if moves[i, j] > 0.0:
                ratio += moves[i, j] * (np.log(proposed[i, j]) - np.log(matrix[i, j]))
    accepted[DYNAMICS, 1] += 1
    if np.log(rng.random()) < ratio:
        accepted[DYNAMICS, 0] += 1
        theta[:] = new


@kernel
def moves_over_prior(theta: np.ndarray, a: Arrays, plus: np.ndarray, stays: np.ndarray) -> float:
    """Return the log ratio of proposal to prior density for the dynamics at theta."""
    size, start = stays.shape[0], a.dynamics_offset
    to, total = start + size, 0.0
    for i in range(size):
        if a.slot[start + i].learns:
            total += gamma_ratio(
                theta[start + i], a.slot[start + i].a, a.slot[start + i].b, plus[start + i], stays[i]
            )
        if a.slot[to + i * size].learns:
            before, after = 0.0, 0.0
            for x in range(to + i * size, to + (i + 1) * size):
                if a.slot[x].a > 0.0:
                    before, after = before + a.slot[x].a, after + a.slot[x].a + plus[x]
                    total += (
                        plus[x] * np.log(theta[x])
                        + math.lgamma(a.slot[x].a)
                        - math.lgamma(a.slot[x].a + plus[x])
                    )
            total += math.lgamma(after) - math.lgamma(before)
    return log_add(math.log(FROM_PRIOR), math.log(1.0 - FROM_PRIOR) + total)
