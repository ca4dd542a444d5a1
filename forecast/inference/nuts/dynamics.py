"""The dynamics and the scaled forward filter as PyTensor graphs."""

from __future__ import annotations

import math

import pytensor
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from forecast.inference.nuts.cells import log_sum

_HALVINGS = 8  # with thirteen terms exact to 1e-11 for up to 60 moves a period


def transition_matrix(rate: TensorVariable, then: TensorVariable) -> TensorVariable:
    """Return expm(Q), (K, K), with Q[i, j] = rate_i then_i[j] and Q[i, i] = -rate_i.

    As :func:`forecast.model.dynamics.expm`, by the series of Q + mu I, which has no negative entry, in as few
    products as can be (Paterson and Stockmeyer 1973). The number of halvings is fixed, for a graph cannot
    depend on a value.
    """
    mu, one, shrink = rate.max(), pt.eye(then.shape[0]), 0.5**_HALVINGS
    x = shrink * (rate[:, None] * then + pt.diag(mu - rate))
    x2 = x @ x
    powers = (one, x, x2, x2 @ x)
    x4 = x2 @ x2
    total = powers[0] / math.factorial(12)
    for first in (8, 4, 0):
        total = total @ x4 + sum(power / math.factorial(first + n) for n, power in enumerate(powers))
    total = total * pt.exp(-mu * shrink)
    for _ in range(_HALVINGS):
        total = total @ total
    return total


def forward(
    prior: TensorVariable, matrix: TensorVariable, log_likelihood: TensorVariable
) -> tuple[TensorVariable, TensorVariable]:
    """Filter log L_t(s), (T, U, K); return alpha at the last period (U, K) and log c_t (T, U).

    alpha_t(j) c_t = L_t(j) sum_i alpha_(t-1)(i) P(i, j), each period scaled by its own norm
    c_t = p(y_t | y_0..y_(t-1)): nothing overflows at any number of periods. A scenario that falls below
    1e-308 of the rest is taken to be impossible from then on.
    """

    def step(here: TensorVariable, ahead: TensorVariable, matrix: TensorVariable) -> list[TensorVariable]:
        high = pt.switch(ahead > 0.0, here, -math.inf).max(axis=1)
        weight = ahead * pt.exp(here - high[:, None])
        norm = weight.sum(axis=1)
        now = weight / norm[:, None]
        return [now @ matrix, now, pt.log(norm) + high]

    start = pt.zeros_like(log_likelihood[0]) + prior
    _, now, log_norm = pytensor.scan(
        step,
        sequences=[log_likelihood],
        outputs_info=[start, None, None],
        non_sequences=[matrix],
        return_updates=False,
    )
    return now[-1], log_norm


def forward_static(
    log_prior: TensorVariable, log_likelihood: TensorVariable
) -> tuple[TensorVariable, TensorVariable]:
    """Do the same where the scenario never changes: sums of logarithms, exact however small."""
    joint = log_prior + pt.cumsum(log_likelihood, axis=0)
    reached = log_sum(joint, 2)
    before = pt.concatenate([pt.zeros_like(reached[:1]), reached[:-1]])
    return pt.exp(joint[-1] - reached[-1][:, None]), reached - before
