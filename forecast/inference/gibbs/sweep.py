"""Gibbs sweep over many particles: latent variables given theta, then theta given these."""

from __future__ import annotations

import numpy as np

from forecast.inference.gibbs.conjugate import (
    accept_likelihoods,
    draw_dirichlet,
    draw_dynamics,
    draw_likelihood,
    draw_reliabilities,
)
from forecast.inference.gibbs.latent import draw_hidden_values, draw_path, new_latent
from forecast.model.cell_sequence import CellSequence
from forecast.model.hmm import Filtered
from forecast.model.jit import kernel
from forecast.model.likelihood import Cells, place
from forecast.model.parameters import NEGATIVE_BINOMIAL, STATIC, Arrays


@kernel
def sweep(
    theta: np.ndarray,
    row: np.ndarray,
    last: np.ndarray,
    filtered: Filtered,
    sequence: CellSequence,
    cells: Cells,
    a: Arrays,
    rng: np.random.Generator,
    accepted: np.ndarray,
) -> None:
    """Move particles theta (N, D) once; row (N,) is their place in `filtered`, last (N,) where paths end.

    accepted[kind] = (accepted, tried) for LIKELIHOOD, RELIABILITY, DYNAMICS where a draw can be rejected.
    """
    latent, new = new_latent(theta, sequence, cells, a), np.empty(theta.shape[1])
    no_exponents = bool(np.all(sequence.exponent == 1.0))
    conjugate = no_exponents and not np.any(a.indicator["kind"] == NEGATIVE_BINOMIAL)
    for p in range(theta.shape[0]):
        latent.number[:] = 0
        latent.moves[:] = 0.0
        latent.plus[:] = 0.0
        latent.minus[:] = 0.0
        draw_path(row[p], last[p], filtered, sequence, a, latent, rng)
        draw_hidden_values(theta[p], sequence, cells, a, latent, rng)
        new[:] = theta[p]
        for i in range(a.indicator.shape[0]):
            for s in range(a.scenarios):
                if a.slot[place(i, s, a)].learns:
                    draw_likelihood(i, s, a, latent, rng, new)
        if conjugate:
            theta[p] = new
        else:
            accept_likelihoods(theta[p], new, sequence, cells, a, latent, rng, accepted)
        draw_reliabilities(theta[p], no_exponents, sequence, cells, a, latent, rng, accepted)
        if a.prior_learns:
            draw_dirichlet(0, a.scenarios, a, latent.plus, rng, theta[p])
        if a.dynamics != STATIC:
            draw_dynamics(theta[p], filtered.matrix[row[p]], a, latent.moves, rng, accepted)
