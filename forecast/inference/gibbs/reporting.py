"""Updates of the chances that claims are filed, and of the share of noise that claims something happened.

Given the claims of all cells, filed or not, each indicator's chance is a Beta around the question's, and the
share of noise a Beta. The question's chance d has, given the indicators' own d_i, the density

    p(d | d_1..d_n) = Beta(d; a, b) prod_i Beta(d_i; w d, w (1 - d))

in one dimension, and is drawn by slice sampling of logit d (Neal 2003), which reaches every value above 0.
"""

from __future__ import annotations

import math

import numpy as np

from forecast.inference.gibbs.conjugate import REPORTING, beta, log_change, tempered_ratio
from forecast.inference.gibbs.state import State
from forecast.model.jit import inlined, kernel
from forecast.model.parameters import FILED_WEIGHT, Arrays

_WIDTH, _STEPS, _LEAST = 2.0, 20, 1e-12


@kernel
def draw_reporting_chances(exact: bool, state: State) -> None:
    """Draw the share of noise, each indicator's chances that claims are filed, and the question's."""
    a = state.a
    if not a.noise_learns:
        return
    draw_share_of_noise(exact, state)
    for i in range(a.indicator.shape[0]):
        if a.indicator[i].event >= 0:
            draw_indicator_chances(i, state)
    for kind in range(3):
        if a.filed[kind] >= 0:
            draw_question_chance(kind, state)


@kernel
def draw_share_of_noise(exact: bool, state: State) -> None:
    """Draw the share of noise; monitored cells with a report divide by a chance that hangs on it."""
    theta, a, new, slot = state.theta, state.a, state.proposal, state.a.noise
    new[:] = theta
    new[slot] = beta(slot, a.slot[slot].a, a.slot[slot].b, state)
    watched = state.monitored[0] + state.monitored[1] > 0.0
    if exact and not watched:
        theta[slot] = new[slot]
        return
    ratio = log_change(slot, new[slot], theta[slot], state)
    if watched:
        for active in range(2):
            change = log_share(new[slot], active, a) - log_share(theta[slot], active, a)
            ratio -= state.monitored[active] * change
    if not exact:
        ratio += tempered_ratio(new, theta, -1, state, np.zeros((a.indicator.shape[0], a.scenarios)))
    state.accepted[REPORTING, 1] += 1
    if np.log(state.rng.random()) < ratio:
        state.accepted[REPORTING, 0] += 1
        theta[slot] = new[slot]


@inlined
def log_share(nu: float, active: int, a: Arrays) -> float:
    """Return log P(y is not quiet | x) of a report of mean reliability, x quiet or active."""
    return np.log((1.0 - a.mean_reliability) * nu + (a.mean_reliability if active else 0.0))


@inlined
def slot_of(i: int, kind: int, a: Arrays) -> int:
    """Return the slot of an indicator's chance that a claim of a kind is filed, -1."""
    one = a.indicator[i]
    return one.event if kind == 0 else one.none if kind == 1 else one.again


@kernel
def draw_indicator_chances(i: int, state: State) -> None:
    """Draw an indicator's chances that claims are filed, all kinds at once."""
    theta, a, new, ratio = state.theta, state.a, state.proposal, 0.0
    new[:] = theta
    for kind in range(3):
        slot = slot_of(i, kind, a)
        if slot >= 0:
            mean = theta[a.filed[kind]]
            new[slot] = beta(slot, FILED_WEIGHT * mean, FILED_WEIGHT * (1.0 - mean), state)
            ratio += log_change(slot, new[slot], theta[slot], state)
    if state.tempered[i]:
        nowhere = np.zeros((a.indicator.shape[0], a.scenarios))
        ratio += tempered_ratio(new, theta, i, state, nowhere)
        state.accepted[REPORTING, 1] += 1
        if np.log(state.rng.random()) >= ratio:
            return
        state.accepted[REPORTING, 0] += 1
    theta[:] = new


@inlined
def log_target(z: float, a: float, b: float, n: float, up: float, down: float) -> float:
    """Return the log density of z = logit d, the sums of log d_i and log(1 - d_i) being `up` and `down`."""
    d = 1.0 / (1.0 + math.exp(-z))
    if d < _LEAST or d > 1.0 - _LEAST:
        return -np.inf
    more, less = FILED_WEIGHT * d, FILED_WEIGHT * (1.0 - d)
    constant = math.lgamma(FILED_WEIGHT) - math.lgamma(more) - math.lgamma(less)
    return a * math.log(d) + b * math.log1p(-d) + n * constant + more * up + less * down


@kernel
def draw_question_chance(kind: int, state: State) -> None:
    """Draw the question's chance that a claim of a kind is filed, given the indicators' own."""
    theta, a, rng, slot = state.theta, state.a, state.rng, state.a.filed[kind]
    n, up, down = 0.0, 0.0, 0.0
    for i in range(a.indicator.shape[0]):
        own = slot_of(i, kind, a)
        if own >= 0:
            n, up, down = n + 1.0, up + math.log(theta[own]), down + math.log1p(-theta[own])
    first, second = a.slot[slot].a, a.slot[slot].b
    z = math.log(theta[slot]) - math.log1p(-theta[slot])
    level = log_target(z, first, second, n, up, down) + math.log(1.0 - rng.random())
    low = z - _WIDTH * rng.random()
    high = low + _WIDTH
    for _ in range(_STEPS):
        if log_target(low, first, second, n, up, down) <= level:
            break
        low -= _WIDTH
    for _ in range(_STEPS):
        if log_target(high, first, second, n, up, down) <= level:
            break
        high += _WIDTH
    new = z
    for _ in range(200):
        new = low + rng.random() * (high - low)
        if log_target(new, first, second, n, up, down) > level:
            break
        if new < z:
            low = new
        else:
            high = new
    theta[slot] = 1.0 / (1.0 + math.exp(-new))
