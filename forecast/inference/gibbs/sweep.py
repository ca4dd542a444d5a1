"""One Gibbs sweep over all judgements, given a sampled past.

Leaving rates are proposed as if a period saw one move at most, mixed with a tenth from the prior, and
accepted or refused by the path's probability under expm(Q); rows of a transition matrix are conjugate.
"""

from __future__ import annotations

import math

import numpy as np

from forecast.inference.gibbs.conjugate import (
    DYNAMICS,
    FROM_PRIOR,
    accept_likelihoods,
    draw_dirichlet,
    draw_likelihood,
    gamma_above_zero,
    gamma_ratio,
    update_reliabilities,
)
from forecast.inference.gibbs.latent import draw_past, draw_path, new_latent
from forecast.model.cell_sequence import Course
from forecast.model.dynamics import expm
from forecast.model.hmm import Filtered
from forecast.model.jit import kernel
from forecast.model.likelihood import Cells, log_add, place
from forecast.model.parameters import MOVES, NEGATIVE_BINOMIAL, STATIC, Arrays


@kernel
def update_dynamics(
    theta: np.ndarray,
    matrix: np.ndarray,
    a: Arrays,
    moves: np.ndarray,
    rng: np.random.Generator,
    count: np.ndarray,
) -> None:
    """Update the dynamics given how often the path moved from one scenario to another."""
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
    count[DYNAMICS, 1] += 1
    if np.log(rng.random()) < ratio:
        count[DYNAMICS, 0] += 1
        theta[:] = new


@kernel
def moves_over_prior(theta: np.ndarray, a: Arrays, plus: np.ndarray, stays: np.ndarray) -> float:
    """Return log(g / p) of the mixed proposal for the moves."""
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


@kernel
def sweep(
    theta: np.ndarray,
    row: np.ndarray,
    last: np.ndarray,
    filtered: Filtered,
    course: Course,
    cells: Cells,
    a: Arrays,
    rng: np.random.Generator,
    count: np.ndarray,
) -> None:
    """Move particles theta (N, D) once; row (N,) is their place in `filtered`, last (N,) where paths end.

    count[kind] = (accepted, tried) for LIKELIHOOD, RELIABILITY and DYNAMICS where a draw could be refused.
    """
    latent, new = new_latent(theta, course, cells, a), np.empty(theta.shape[1])
    unit = bool(np.all(course.exponent == 1.0))
    exact = unit and not np.any(a.indicator["kind"] == NEGATIVE_BINOMIAL)
    for p in range(theta.shape[0]):
        latent.number[:] = 0
        latent.moves[:] = 0.0
        latent.plus[:] = 0.0
        latent.minus[:] = 0.0
        draw_path(row[p], last[p], filtered, course, a, latent, rng)
        draw_past(theta[p], course, cells, a, latent, rng)
        new[:] = theta[p]
        for i in range(a.indicator.shape[0]):
            for s in range(a.scenarios):
                if a.slot[place(i, s, a)].learns:
                    draw_likelihood(i, s, a, latent, rng, new)
        if exact:
            theta[p] = new
        else:
            accept_likelihoods(theta[p], new, course, cells, a, latent, rng, count)
        update_reliabilities(theta[p], unit, course, cells, a, latent, rng, count)
        if a.prior_learns:
            draw_dirichlet(0, a.scenarios, a, latent.plus, rng, theta[p])
        if a.dynamics != STATIC:
            update_dynamics(theta[p], filtered.matrix[row[p]], a, latent.moves, rng, count)
