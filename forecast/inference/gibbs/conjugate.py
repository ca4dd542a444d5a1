"""Updates of the judgements given the latent variables: conjugate, or Metropolis-Hastings.

Given the hidden values (:mod:`forecast.inference.gibbs.latent`) the judgements are independent and conjugate:
Dirichlet, Gamma and Normal with the cells' exponents as weights, Beta for reliabilities. Where that draw is
not exact it is a proposal, accepted by Metropolis and Hastings:

- a cell with exponent e is in the target as m^e, whose extension by the drawn x is m^(e-1) J with
  J = f(x | s) prod_j P(y_j | x), while the proposal took J^e: the ratio is (m'/m)^(e-1) (J'/J)^(1-e). Of an
  indicator that persists the product of its m along a stay is the probability of its reports, and J that of
  its hidden values too, drawn as if there were no exponents;
- the mean of a negative binomial count is proposed from the Gamma that a Poisson count of reduced weight
  would give, mixed with a tenth from the prior;
- leaving rates are proposed as if a period saw one move at most, mixed with a tenth from the prior, and
  compared by the path's probability under expm(Q); rows of a transition matrix are conjugate.
"""

from __future__ import annotations

import math

import numpy as np

from forecast.inference.gibbs.latent import revise_along
from forecast.inference.gibbs.state import State
from forecast.model.densities import log_density
from forecast.model.expm import expm
from forecast.model.jit import inlined, kernel
from forecast.model.likelihood import log_cell, place
from forecast.model.logarithms import log_add
from forecast.model.parameters import CATEGORY, MEASURE, MOVES, NEGATIVE_BINOMIAL, TINY, Arrays

FROM_PRIOR = 0.1
LIKELIHOOD, RELIABILITY, DYNAMICS, REPORTING = range(4)  # rows of the counts of accepted and tried draws


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
def tempered_ratio(new: np.ndarray, old: np.ndarray, i: int, state: State, by_scenario: np.ndarray) -> float:
    """Return sum of (e - 1) (log m' - log m) over the cells on the path, m' at theta `new`, m at `old`.

    Only cells of indicator i and those given it (all where i < 0) that have an exponent e. by_scenario (I, K)
    is added to, by indicator and scenario.
    """
    sequence, a = state.sequence, state.a
    total, m = 0.0, np.empty((2, a.scenarios))
    for q in range(sequence.cell.shape[0]):
        j = state.cells.cell[sequence.cell[q]].indicator
        if sequence.exponent[q] != 1.0 and a.indicator[j].belief < 0 and (i < 0 or i == j):
            total += kind_ratio(q, new, old, state, m, by_scenario)
    for c in range(state.chains.unit.shape[0]):
        if state.chains.tempered[c] and (i < 0 or i == state.chains.indicator[c]):
            total += chain_ratio(c, new, 1.0, state, by_scenario)
            total += chain_ratio(c, old, -1.0, state, by_scenario)
    return total


@kernel
def ratio_of_reliability(
    slot: int, new: np.ndarray, old: np.ndarray, state: State, by_scenario: np.ndarray
) -> float:
    """Return the same over the cells that have a report with the reliability in a slot."""
    total, m, kinds = 0.0, np.empty((2, state.a.scenarios)), state.sequence.cell.shape[0]
    for n in range(state.of_reliability.start[slot], state.of_reliability.start[slot + 1]):
        q = state.of_reliability.item[n]
        if q < kinds:
            total += kind_ratio(q, new, old, state, m, by_scenario)
        else:
            total += chain_ratio(q - kinds, new, 1.0, state, by_scenario)
            total += chain_ratio(q - kinds, old, -1.0, state, by_scenario)
    return total


@inlined
def kind_ratio(
    q: int, new: np.ndarray, old: np.ndarray, state: State, m: np.ndarray, by_scenario: np.ndarray
) -> float:
    """Return the sum of (e - 1) (log m' - log m) over the cells of a kind; m (2, K) is scratch."""
    c, a, some, total = state.sequence.cell[q], state.a, 0, 0.0
    for s in range(a.scenarios):
        some += state.number[q, s]
    if some == 0:
        return 0.0
    log_cell(c, new, state.cells, a, state.buffer, state.weight, m[0])
    log_cell(c, old, state.cells, a, state.buffer, state.weight, m[1])
    j = state.cells.cell[c].indicator
    for s in range(a.scenarios):
        if state.number[q, s] > 0:
            change = state.number[q, s] * (state.sequence.exponent[q] - 1.0) * (m[0, s] - m[1, s])
            by_scenario[j, s] += change
            total += change
    return total


@kernel
def chain_ratio(c: int, theta: np.ndarray, sign: float, state: State, by_scenario: np.ndarray) -> float:
    """Return sign times the sum of (e - 1) log m over the cells of an indicator that persists."""
    chains, total = state.chains, 0.0
    i = chains.indicator[c]
    belief = np.zeros(state.a.indicator[i].size)
    state.stamp[0] += 1
    for k in range(chains.start[c], chains.start[c + 1]):
        e = state.sequence.exponent[chains.kind[k]]
        log_m = revise_along(c, k, theta, belief, state)
        if e != 1.0:
            change = sign * (e - 1.0) * log_m
            by_scenario[i, state.path[chains.unit[c], chains.period[k]]] += change
            total += change
    return total


@inlined
def left_out(i: int, s: int, state: State) -> float:
    """Return log J'/J of the values of an indicator in a scenario, as far as exponents leave them out."""
    new, old, a, total = state.proposal, state.theta, state.a, 0.0
    start = place(i, s, a)
    n, y = state.rest[1, start], state.rest[0, start]
    if a.indicator[i].kind == CATEGORY:
        for x in range(start, start + a.indicator[i].size):
            if state.rest[0, x] > 0.0:
                total += state.rest[0, x] * (np.log(new[x]) - np.log(old[x]))
    elif a.indicator[i].kind == MEASURE:
        change = n * (new[start] ** 2 - old[start] ** 2) - 2.0 * y * (new[start] - old[start])
        total -= 0.5 * change / a.slot[start].sd ** 2
    elif a.indicator[i].kind != NEGATIVE_BINOMIAL and n > 0.0:
        total += y * (np.log(new[start]) - np.log(old[start])) if y > 0.0 else 0.0
        total -= n * (new[start] - old[start])
    return total


@kernel
def accept_likelihoods(state: State) -> None:
    """Accept or reject proposed likelihoods, one indicator (and those given it) and scenario at a time."""
    theta, new, a, accepted = state.theta, state.proposal, state.a, state.accepted
    indicators, size = a.indicator.shape[0], a.scenarios
    ratio = np.zeros((indicators, size))
    tempered_ratio(new, theta, -1, state, ratio)
    for i in range(indicators):
        for s in range(size):
            ratio[a.indicator[i].joint, s] += left_out(i, s, state)
            if a.indicator[i].kind == NEGATIVE_BINOMIAL and a.slot[place(i, s, a)].learns:
                slot = place(i, s, a)
                ratio[i, s] -= proposal_over_prior(i, slot, new[slot], state)
                ratio[i, s] += proposal_over_prior(i, slot, theta[slot], state)
                for n in range(state.counts[0]):
                    if state.happened[n, 0] == slot:
                        y = state.happened[n, 1]
                        ratio[i, s] += log_density(i, s, y, new, a) - log_density(i, s, y, theta, a)
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


@inlined
def log_change(slot: int, new: float, old: float, state: State) -> float:
    """Return log J'/J of a probability as far as exponents leave its cases out."""
    total = 0.0
    if state.rest[0, slot] > 0.0:
        total += state.rest[0, slot] * (np.log(new) - np.log(old))
    if state.rest[1, slot] > 0.0:
        total += state.rest[1, slot] * (np.log1p(-new) - np.log1p(-old))
    return total


@inlined
def beta(slot: int, up: float, down: float, state: State) -> float:
    """Draw a probability from the Beta of its prior's parameters and the sums of its cases."""
    up = gamma_above_zero(state.rng, up + state.plus[slot])
    down = gamma_above_zero(state.rng, down + state.minus[slot])
    return min(up / (up + down), 1.0 - 2.0**-53)


@kernel
def draw_reliabilities(state: State) -> None:
    """Draw each source's and testimony's reliability from its Beta, or by Metropolis-Hastings."""
    theta, a, accepted = state.theta, state.a, state.accepted
    nowhere = np.zeros((a.indicator.shape[0], a.scenarios))
    proposal = state.proposal
    for k in range(a.reliabilities):
        slot = a.reliability + k
        if not a.slot[slot].learns:
            continue
        new = beta(slot, a.slot[slot].a, a.slot[slot].b, state)
        if state.of_reliability.start[slot] == state.of_reliability.start[slot + 1]:
            theta[slot] = new
            continue
        proposal[:] = theta
        proposal[slot] = new
        ratio = log_change(slot, new, theta[slot], state)
        ratio += ratio_of_reliability(slot, proposal, theta, state, nowhere)
        accepted[RELIABILITY, 1] += 1
        if np.log(state.rng.random()) < ratio:
            accepted[RELIABILITY, 0] += 1
            theta[slot] = new


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
