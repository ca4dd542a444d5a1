"""The scenario's chain and the forward filter as PyTensor graphs.

The formulas are those of :mod:`forecast.model.dynamics`, :mod:`~forecast.model.event` and
:mod:`~forecast.model.hmm`, written a second time: neither writing uses the other.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from forecast.inference.nuts.likelihood import finite, log_sum, safe_log

_HALVINGS = 8  # with thirteen terms exact to 1e-11 for up to 60 moves a period


class Chain(NamedTuple):
    """The scenario's chain."""

    first: TensorVariable  # (K,) probability of each scenario in period 0
    matrix: TensorVariable  # (K, K) of each step, or (S, K, K) of the steps from period 0, 1, ...
    consistent: TensorVariable | None = None  # whether the numbers of an event question allow each other


def transition_matrix(rate: TensorVariable, then: TensorVariable) -> TensorVariable:
    """Return expm(Q), (K, K), with Q[i, j] = rate_i then_i[j] and Q[i, i] = -rate_i."""
    return _exponential(rate, rate[:, None] * then)


def _exponential(rate: TensorVariable, flow: TensorVariable) -> TensorVariable:
    """Return expm(Q), (K, K), with Q[i, j] = flow[i, j] and Q[i, i] = -rate_i.

    As :func:`forecast.model.expm.expm`, by the series of Q + mu I, which has no negative entry, in as few
    products as can be (Paterson and Stockmeyer 1973). The number of halvings is fixed, for a graph cannot
    depend on a value.
    """
    mu, one, shrink = rate.max(), pt.eye(flow.shape[0]), 0.5**_HALVINGS
    x = shrink * (flow + pt.diag(mu - rate))
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


# ---- event questions -----------------------------------------------------------------------------------


def steady_event(
    prior: TensorVariable, rate: TensorVariable, ends: TensorVariable, *, among: Outcomes, steps: int
) -> Chain:
    """Return the open states of an event that is as likely in each of `steps` periods.

    prior is (K,), rate and ends (K - 1,) or (1,), of the outcomes. Where the numbers contradict each other
    `consistent` is false, and the chain one in which nothing is ever prepared.
    """
    chance = among.outcome @ prior
    total, zero = chance.sum(), pt.zeros_like(chance)
    per_chance = pt.switch(total > 0, -pt.log1p(-total) / pt.switch(total > 0, total, 1.0), 1.0) / steps
    eta = total * per_chance
    share = per_chance * chance / (rate * ends)
    quiet = 1.0 - share.sum()
    consistent = (total < 1.0) & (quiet > 0.0) & pt.all((chance <= 0.0) | (rate > eta))
    share, quiet = pt.switch(consistent, share, 0.0), pt.switch(consistent, quiet, 1.0)
    begin = share * pt.switch(consistent, rate - eta, 0.0) / quiet
    flow = among.begin(begin) + among.call_off(zero + rate * (1.0 - ends))
    leave = (zero + rate) @ among.outcome + begin.sum() * among.quiet
    return Chain(share @ among.outcome + quiet * among.quiet, _exponential(leave, flow), consistent)


def late_event(
    prior: TensorVariable, rate: TensorVariable, ends: TensorVariable, *, among: Outcomes, steps: int
) -> Chain:
    """Return the open states of an event that is ever likelier towards the horizon, `steps` periods ahead."""
    chance, t = among.outcome @ prior, np.arange(steps + 1.0)
    total, zero = chance.sum(), pt.zeros_like(chance)
    beyond = (t >= steps) & (total * ((t + 1.0) / steps) ** 2 >= 1.0)
    then = pt.switch(beyond, t - 1.0, t)
    per_chance = (2.0 * then + 1.0) / steps**2 / (1.0 - total * (then / steps) ** 2)  # (N + 1,)
    share = per_chance[:, None] * chance / (rate * ends)
    quiet = 1.0 - share.sum(axis=1)
    begin = share[1:] * (1.0 - total * per_chance[:-1, None]) - share[:-1] * (1.0 - rate)
    possible = pt.all(begin >= 0.0) & pt.all(begin.sum(axis=1) <= quiet[:-1])
    consistent = (total < 1.0) & pt.all(rate <= 1.0) & pt.all(quiet > 0.0) & possible
    share, quiet = pt.switch(consistent, share, 0.0), pt.switch(consistent, quiet, 1.0)
    begin = pt.switch(consistent, begin, 0.0) / quiet[:-1, None]
    stay = zero + pt.switch(consistent, 1.0 - rate, 0.0)
    matrix = among.begin(begin) + among.call_off(zero + rate * (1.0 - ends)) + pt.diag(stay @ among.outcome)
    matrix += (1.0 - begin.sum(axis=1))[:, None, None] * np.diag(among.quiet)
    return Chain(share[0] @ among.outcome + quiet[0] * among.quiet, matrix, consistent)


class Outcomes(NamedTuple):
    """Which of the K scenarios are outcomes, and which is the status quo."""

    outcome: np.ndarray  # (K - 1, K) one row for each, with a 1 at its place
    quiet: np.ndarray  # (K,) with a 1 at the place of the status quo

    @classmethod
    def of(cls, scenarios: int, status_quo: int) -> Outcomes:
        """Return those of an event question."""
        one = np.eye(scenarios)
        return cls(np.delete(one, status_quo, axis=0), one[status_quo])

    def begin(self, chance: TensorVariable) -> TensorVariable:
        """Return matrices (..., K, K) whose row of the status quo is chance (..., K - 1)."""
        return self.quiet[:, None] * (chance @ self.outcome)[..., None, :]

    def call_off(self, chance: TensorVariable) -> TensorVariable:
        """Return a matrix (K, K) whose column of the status quo is chance (K - 1,)."""
        return (chance @ self.outcome)[:, None] * self.quiet


# ---- filter --------------------------------------------------------------------------------------------


class Persistence(NamedTuple):
    """The indicators whose values persist: P of them, in T periods of U units."""

    fresh: TensorVariable  # (P, K, V) f(x | s), 0 for values that an indicator has not
    stays: np.ndarray  # (P,) q
    log_weight: TensorVariable  # (T, U, P, K, V) log W(x) of the cells, 0 where there is none
    exponent: TensorVariable  # (T, U, P), 0 where there is none
    shape: tuple[int, ...]  # (U, K, R, P, V), R the number of entry times that are kept apart

    def tempered(self, power: float) -> Persistence:
        """Return the same with exponents multiplied by a power."""
        return self._replace(exponent=power * self.exponent)

    def start(self) -> TensorVariable:
        """Return the beliefs on entry, (U, K, R, P, V)."""
        return self.fixed(pt.zeros(self.shape) + self.fresh.swapaxes(0, 1)[:, None])

    def fixed(self, x: TensorVariable) -> TensorVariable:
        """Return (U, K, R) or beliefs with their shape declared: what a loop carries may not change it."""
        return pt.specify_shape(x, self.shape[: x.ndim])

    def revise(
        self, belief: TensorVariable, fresh: TensorVariable, log_weight: TensorVariable, power: TensorVariable
    ) -> tuple[TensorVariable, TensorVariable]:
        """Step beliefs (U, K, R, P, V) on by a period and revise them by its cells.

        Returns them, and the log likelihood of the cells, (U, K, R). `fresh` is as in :meth:`start`.
        """
        stays = self.stays[:, None]
        predicted = stays * belief + (1.0 - stays) * fresh
        joint = safe_log(predicted) + log_weight.swapaxes(1, 2)[:, :, None]
        log_m = log_sum(joint, 4)
        belief = self.fixed(pt.exp(joint - finite(log_m)[..., None]))
        return belief, (power[:, None, None, :] * log_m).sum(axis=3)


def forward(chain: Chain, log_likelihood: TensorVariable) -> tuple[TensorVariable, TensorVariable]:
    """Filter log L_t(s), (T, U, K); return alpha at the last period (U, K) and log c_t (T, U).

    alpha_t(j) c_t = L_t(j) sum_i alpha_(t-1)(i) P(i, j), in logarithms, each period scaled by its own norm
    c_t = p(y_t | y_0..y_(t-1)): nothing over- or underflows at any number of periods.
    """

    def step(here: TensorVariable, matrix: TensorVariable, predicted: TensorVariable) -> list[TensorVariable]:
        joint = predicted + here
        norm = log_sum(joint, 1)
        now = joint - finite(norm)[:, None]
        return [log_sum(now[:, :, None] + matrix, 1), now, norm]

    start = pt.zeros_like(log_likelihood[0]) + safe_log(chain.first)
    _, now, log_norm = pytensor.scan(
        step,
        sequences=[log_likelihood, _log_matrices(chain, log_likelihood.shape[0])],
        outputs_info=[start, None, None],
        return_updates=False,
    )
    return pt.exp(now[-1]), log_norm


def _log_matrices(chain: Chain, periods: TensorVariable) -> TensorVariable:
    """Return the log matrix of the step from each period, (T, K, K); what follows the last is not used."""
    log_matrix = safe_log(chain.matrix)
    if log_matrix.ndim == 3:
        return log_matrix[pt.minimum(pt.arange(periods), log_matrix.shape[0] - 1)]
    return pt.zeros((periods, 1, 1)) + log_matrix


def forward_persistent(
    chain: Chain, log_likelihood: TensorVariable, persistence: Persistence
) -> tuple[TensorVariable, TensorVariable]:
    """Do the same where values persist: the state is scenario and entry time, with beliefs about them.

    Entered r periods ago, r = 0..R - 2, or R - 1 or more: these are merged, and so are their beliefs.
    """
    fresh, fixed = persistence.start(), persistence.fixed
    first = pt.full(persistence.shape[:3], safe_log(chain.first)[:, None])
    start = pt.switch(np.arange(persistence.shape[2]) == 0, first, -math.inf)

    def step(
        here: TensorVariable,
        log_weight: TensorVariable,
        power: TensorVariable,
        matrix: TensorVariable,
        predicted: TensorVariable,
        belief: TensorVariable,
        fresh: TensorVariable,
    ) -> list[TensorVariable]:
        belief, log_m = persistence.revise(belief, fresh, log_weight, power)
        joint = predicted + here[:, :, None] + log_m
        norm = log_sum(joint, (1, 2))
        now = joint - finite(norm)[:, None, None]
        whole = log_sum(now, 2)
        moved = pt.switch(pt.eye(matrix.shape[0]) > 0, -math.inf, matrix)
        entered = log_sum(whole[:, :, None] + moved, 1)
        oldest = log_sum(now[:, :, -2:], 2)
        older = pt.concatenate([now[:, :, :-2], oldest[:, :, None]], axis=2) + pt.diag(matrix)[:, None]
        share = pt.exp(now[:, :, -1] - finite(oldest))[:, :, None, None, None]
        merged = share * belief[:, :, -1:] + (1.0 - share) * belief[:, :, -2:-1]
        after = pt.concatenate([fresh[:, :, :1], belief[:, :, :-2], merged], axis=2)
        return [fixed(pt.concatenate([entered[:, :, None], older], axis=2)), fixed(after), whole, norm]

    _, _, now, log_norm = pytensor.scan(
        step,
        sequences=[
            log_likelihood,
            persistence.log_weight,
            persistence.exponent,
            _log_matrices(chain, log_likelihood.shape[0]),
        ],
        outputs_info=[fixed(start), fresh, None, None],
        non_sequences=[fresh],
        return_updates=False,
    )
    return pt.exp(now[-1]), log_norm


def forward_static(
    log_prior: TensorVariable, log_likelihood: TensorVariable, persistence: Persistence | None = None
) -> tuple[TensorVariable, TensorVariable]:
    """Do the same where the scenario never changes: sums of logarithms, and beliefs in each scenario."""
    if persistence is not None:
        log_likelihood = log_likelihood + _log_states(persistence)
    joint = log_prior + pt.cumsum(log_likelihood, axis=0)
    reached = log_sum(joint, 2)
    before = pt.concatenate([pt.zeros_like(reached[:1]), reached[:-1]])
    return pt.exp(joint[-1] - finite(reached[-1])[:, None]), reached - finite(before)


def _log_states(persistence: Persistence) -> TensorVariable:
    """Return the log likelihood of the cells of values that persist in each fixed scenario, (T, U, K)."""
    fresh = persistence.start()

    def step(
        log_weight: TensorVariable, power: TensorVariable, belief: TensorVariable, fresh: TensorVariable
    ) -> list[TensorVariable]:
        belief, log_m = persistence.revise(belief, fresh, log_weight, power)
        return [belief, log_m[:, :, 0]]

    _, log_m = pytensor.scan(
        step,
        sequences=[persistence.log_weight, persistence.exponent],
        outputs_info=[fresh, None],
        non_sequences=[fresh],
        return_updates=False,
    )
    return log_m
