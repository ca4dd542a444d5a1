"""Update of an event question's judgements given the path of open states: Metropolis-Hastings.

Chances, rates and shares meet in every entry of the chain, so that none has a conjugate draw. Each judgement
in turn is proposed independently of its present value, from a distribution of its prior's family with the
moments of the present particles, mixed with a tenth from the prior, and compared by

    pi(s_0) prod_t M_t[s_t, s_(t+1)],

the path's probability, in which what is lost because nothing has happened counts as well. What contradicts
the other numbers has prior density 0 and is never accepted.
"""

from __future__ import annotations

import math

import numpy as np

from forecast.inference.gibbs.conjugate import DYNAMICS, FROM_PRIOR, draw_dirichlet, gamma_above_zero
from forecast.model.event import (
    ENDS,
    ENDS_COUNT,
    LATE,
    PREPARING,
    PREPARINGS,
    allowed,
    initial,
    step_matrix,
)
from forecast.model.jit import kernel
from forecast.model.parameters import TINY, Arrays

_MOST = 1.0 - 2.0**-53


def fitted(theta: np.ndarray, a: Arrays) -> np.ndarray:
    """Return the parameters of the proposals, (D, 2), with the moments of particles theta (N, D).

    They are as those of the prior in `a.slot`: Dirichlet, Gamma shape and rate, mean and sd of the logit;
    the prior's own where the particles do not vary.
    """
    out = np.stack([a.slot["a"], a.slot["b"]], axis=1)
    chances = theta[:, : a.scenarios]
    mean, variance = chances.mean(axis=0), chances.var(axis=0)
    varies = np.ptp(theta, axis=0) > 0.0
    if a.prior_learns and varies[: a.scenarios].any():
        weight = max((mean * (1.0 - mean)).sum() / variance.sum() - 1.0, 1.0)
        out[: a.scenarios, 0] = np.where(out[: a.scenarios, 0] > 0.0, weight * mean, 0.0)
    for k in range(a.event[PREPARINGS]):
        slot = a.event[PREPARING] + k
        m, v = theta[:, slot].mean(), theta[:, slot].var()
        if a.slot[slot]["learns"] and varies[slot]:
            out[slot] = m * m / v, m / v
    for k in range(a.event[ENDS_COUNT]):
        slot = a.event[ENDS] + k
        if a.slot[slot]["learns"] and varies[slot]:
            share = np.clip(theta[:, slot], TINY, _MOST)
            logit = np.log(share) - np.log1p(-share)
            out[slot] = logit.mean(), logit.std()
    return out


@kernel
def draw_event(
    fit: np.ndarray,
    first: np.ndarray,
    moves: np.ndarray,
    paths: np.ndarray,
    theta: np.ndarray,
    a: Arrays,
    rng: np.random.Generator,
    accepted: np.ndarray,
) -> None:
    """Draw chances, rates and shares in theta (D,), one judgement after the other.

    `fit` is :func:`fitted`; first (K,) counts the paths that begin in each open state, moves (K, K) the steps
    from one to another; paths (U, T) is read in their place if the event is late, whose steps differ.
    """
    new, size = theta.copy(), a.scenarios
    old_path = log_path(first, moves, paths, theta, a)
    for block in range(1 + a.event[PREPARINGS] + a.event[ENDS_COUNT]):
        slot = 0
        if block > a.event[PREPARINGS]:
            slot = a.event[ENDS] + block - 1 - a.event[PREPARINGS]
        elif block > 0:
            slot = a.event[PREPARING] + block - 1
        if not a.slot[slot].learns:
            continue
        from_prior = rng.random() < FROM_PRIOR
        first_parameter = a.slot[slot].a if from_prior else fit[slot, 0]
        second = a.slot[slot].b if from_prior else fit[slot, 1]
        if block == 0:
            more = np.zeros(theta.shape[0])
            if not from_prior:
                for k in range(size):
                    more[k] = fit[k, 0] - a.slot[k].a
            draw_dirichlet(0, size, a, more, rng, new)
        elif block <= a.event[PREPARINGS]:
            new[slot] = max(gamma_above_zero(rng, first_parameter) / second, TINY)
        else:
            logit = first_parameter + second * rng.standard_normal()
            new[slot] = min(max(1.0 / (1.0 + math.exp(-logit)), TINY), _MOST)
        accepted[DYNAMICS, 1] += 1
        ratio = -np.inf
        if allowed(new, a.event, size):
            new_path = log_path(first, moves, paths, new, a)
            ratio = new_path - old_path
            ratio += proposal_over_prior(block, slot, fit, theta, a)
            ratio -= proposal_over_prior(block, slot, fit, new, a)
        if np.log(rng.random()) < ratio:
            accepted[DYNAMICS, 0] += 1
            theta[:] = new
            old_path = new_path
        else:
            new[:] = theta


@kernel
def proposal_over_prior(block: int, slot: int, fit: np.ndarray, theta: np.ndarray, a: Arrays) -> float:
    """Return log(g / p) of the mixed proposal for a judgement: chances, then rates, then shares."""
    shape, rate, x, ratio = fit[slot, 0], fit[slot, 1], theta[slot], 0.0
    if block == 0:
        before, after = 0.0, 0.0
        for k in range(a.scenarios):
            if a.slot[k].a > 0.0:
                before, after = before + a.slot[k].a, after + fit[k, 0]
                ratio += (fit[k, 0] - a.slot[k].a) * np.log(theta[k])
                ratio += math.lgamma(a.slot[k].a) - math.lgamma(fit[k, 0])
        ratio += math.lgamma(after) - math.lgamma(before)
    elif block <= a.event[PREPARINGS]:
        ratio = shape * math.log(rate) - math.lgamma(shape) + (shape - a.slot[slot].a) * np.log(x)
        ratio += math.lgamma(a.slot[slot].a) - a.slot[slot].a * math.log(a.slot[slot].b)
        ratio -= (rate - a.slot[slot].b) * x
    else:
        logit, sd = np.log(x) - np.log1p(-x), a.slot[slot].b
        ratio = 0.5 * ((logit - a.slot[slot].a) / sd) ** 2 - 0.5 * ((logit - shape) / rate) ** 2
        ratio += math.log(sd / rate)
    return math.log(FROM_PRIOR + (1.0 - FROM_PRIOR) * math.exp(min(ratio, 700.0)))


@kernel
def log_path(first: np.ndarray, moves: np.ndarray, paths: np.ndarray, theta: np.ndarray, a: Arrays) -> float:
    """Return the log probability of the paths at one theta (D,)."""
    size, total = a.scenarios, 0.0
    share, matrix, buffer = np.empty(size), np.empty((size, size)), np.empty((5, size, size))
    initial(theta, a.event, share)
    for k in range(size):
        if first[k] > 0.0:
            total += first[k] * np.log(share[k])
    if a.event[LATE] == 1:
        for t in range(paths.shape[1] - 1):
            step_matrix(theta, a.event, t, matrix, buffer)
            for u in range(paths.shape[0]):
                total += np.log(matrix[paths[u, t], paths[u, t + 1]])
        return total
    step_matrix(theta, a.event, 0, matrix, buffer)
    for i in range(size):
        for j in range(size):
            if moves[i, j] > 0.0:
                total += moves[i, j] * np.log(matrix[i, j])
    return total
