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
from forecast.inference.gibbs.event import draw_event, fitted
from forecast.inference.gibbs.latent import draw_hidden_values, draw_path
from forecast.inference.gibbs.reporting import draw_reporting_chances
from forecast.inference.gibbs.state import new_state
from forecast.model.cell_sequence import CellSequence
from forecast.model.hmm import Filtered
from forecast.model.jit import kernel
from forecast.model.likelihood import Cells, place
from forecast.model.parameters import EVENT, MOVES, NEGATIVE_BINOMIAL, TRANSITION, Arrays


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

    accepted[kind] = (accepted, tried) for LIKELIHOOD, RELIABILITY, DYNAMICS, REPORTING, where a draw can be
    rejected.
    """
    fit = fitted(theta, a) if a.dynamics == EVENT else np.empty((0, 2))
    _sweep(theta, row, last, filtered, sequence, cells, a, rng, accepted, fit)


@kernel
def _sweep(
    theta: np.ndarray,
    row: np.ndarray,
    last: np.ndarray,
    filtered: Filtered,
    sequence: CellSequence,
    cells: Cells,
    a: Arrays,
    rng: np.random.Generator,
    accepted: np.ndarray,
    fit: np.ndarray,
) -> None:
    """Move the particles; `fit` has the proposals for an event question's judgements."""
    state = new_state(sequence, cells, a, rng, accepted)
    no_exponents = bool(np.all(sequence.exponent == 1.0))
    conjugate = no_exponents and not np.any(a.indicator["kind"] == NEGATIVE_BINOMIAL)
    for p in range(theta.shape[0]):
        state.theta[:] = theta[p]
        state.moves[:] = 0.0
        state.plus[:] = 0.0
        state.minus[:] = 0.0
        draw_path(row[p], last[p], filtered, state)
        draw_hidden_values(state)
        state.proposal[:] = state.theta
        for i in range(a.indicator.shape[0]):
            for s in range(a.scenarios):
                if a.slot[place(i, s, a)].learns:
                    draw_likelihood(i, s, state)
        if conjugate:
            state.theta[:] = state.proposal
        else:
            accept_likelihoods(state)
        draw_reliabilities(state)
        draw_reporting_chances(no_exponents, state)
        if a.prior_learns and a.dynamics != EVENT:
            draw_dirichlet(0, a.scenarios, a, state.plus, rng, state.theta)
        if a.dynamics == MOVES or a.dynamics == TRANSITION:
            draw_dynamics(filtered.matrix[row[p]], state)
        if a.dynamics == EVENT:
            first = state.plus[: a.scenarios]
            draw_event(fit, first, state.moves, state.path, state.theta, a, rng, accepted)
        theta[p] = state.theta
