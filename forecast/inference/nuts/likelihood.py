"""Likelihood of the evidence as a PyTensor graph: cells, transition matrix and forward filter.

The formulas are those of :mod:`forecast.model.likelihood`, :mod:`~forecast.model.dynamics` and
:mod:`~forecast.model.hmm`, written a second time on arrays: neither writing uses the other.
"""

from __future__ import annotations

import math

import pytensor
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from forecast.model.parameters import MEASURE, NEGATIVE_BINOMIAL

Symbols = dict[str, TensorVariable]
_HALVINGS = 8  # with thirteen terms exact to 1e-11 for up to 60 moves a period


def safe_log(x: TensorVariable) -> TensorVariable:
    """Return log x, and -inf at 0 with a gradient of 0 rather than nan."""
    positive = x > 0
    return pt.switch(positive, pt.log(pt.switch(positive, x, 1.0)), -math.inf)


def log_sum(x: TensorVariable, axis: int) -> TensorVariable:
    """Return log sum exp x along an axis, -inf where all of it is."""
    high = pt.max(x, axis=axis, keepdims=True)
    high = pt.switch(pt.isinf(high), 0.0, high)
    return safe_log(pt.exp(x - high).sum(axis=axis)) + high.squeeze(axis)


def at(theta: TensorVariable, slot: TensorVariable) -> TensorVariable:
    """Return theta at an array of slots."""
    return theta[slot.ravel()].reshape(slot.shape)


def base_chance(theta: TensorVariable, data: Symbols, table: str) -> tuple[TensorVariable, TensorVariable]:
    """Return the part of P(y | x) that every value shares, and what is added where x is what was reported."""
    reliability = at(theta, data[f"{table}_reliability"])
    noise = data[f"{table}_noise"] * (1.0 - data[f"{table}_credibility"] * reliability)
    rest = data[f"{table}_keep"] + noise
    return rest, data[f"{table}_truth"] * reliability


def log_categories(theta: TensorVariable, data: Symbols, *, pairs: bool) -> TensorVariable:
    """Return log m(s) of each row of categories, (R, K).

    m(s) = sum_x f(x | s) d(x) prod_j P(y_j | x), with f mixed with the held value. With ``pairs`` a row on
    which others depend has m(s) = (quiet part) N' + (the rest) m'(s), N' and m' of those that depend on it.
    """
    rest, truth = base_chance(theta, data, "category")
    values = pt.arange(data["category_factor"].shape[1])
    same = pt.eq(data["category_value"][:, :, None], values)
    log_rest = safe_log(rest)
    weight = safe_log(rest[:, :, None] + truth[:, :, None] * same).sum(axis=1) + safe_log(
        data["category_factor"]
    )
    high = pt.max(weight, axis=1, keepdims=True)
    high = pt.switch(pt.isinf(high), 0.0, high)
    hold = data["category_hold"][:, None, None]
    f = (1.0 - hold) * at(theta, data["category_slot"]) + hold * data["category_held"][:, None, :]
    part = f * pt.exp(weight - high)[:, None, :]
    whole = safe_log(part.sum(axis=2)) + high
    if not pairs:
        return whole
    quiet, event = safe_log(part[:, :, 0]) + high, safe_log(part[:, :, 1:].sum(axis=2)) + high
    row, of = data["child_row"], data["child_of"]
    nothing = (log_rest.sum(axis=1) + safe_log(data["category_factor"][:, 0]))[row]
    zeros = pt.zeros_like(whole)
    without = pt.inc_subtensor(zeros[of], pt.repeat(nothing[:, None], whole.shape[1], axis=1))
    given = pt.inc_subtensor(zeros[of], whole[row])
    return log_sum(pt.stack([quiet + without, event + given]), 0)


def log_numbers(theta: TensorVariable, data: Symbols) -> TensorVariable:
    """Return log m(s) of each row of counts and measures, (N, K).

    m(s) = N + sum_v f(v | s) (prod_j P(y_j | v) - N), the sum over the reported values v.
    """
    rest, truth = base_chance(theta, data, "number")
    value = data["number_value"]
    same = pt.eq(value[:, :, None], value[:, None, :])  # (row, value reported, report)
    nothing = safe_log(rest).sum(axis=1)
    all_reports = safe_log(rest[:, None, :] + truth[:, None, :] * same).sum(axis=2)
    possible = data["number_first"] > 0
    more = pt.switch(possible, all_reports, 0.0) - pt.switch(possible, nothing[:, None], -1.0)
    gain = pt.switch(possible, all_reports + safe_log(-pt.expm1(-more)), -math.inf)
    terms = gain[:, :, None] + _log_density(at(theta, data["number_slot"]), data)
    floor = pt.repeat(nothing[:, None, None], terms.shape[2], axis=2)
    return log_sum(pt.concatenate([floor, terms], axis=1), 1)


def _log_density(mean: TensorVariable, data: Symbols) -> TensorVariable:
    """Return log f(v | s) of each reported value, (N, J, K): Poisson, negative binomial or Normal."""
    kind, y = data["number_kind"][:, None, None], data["number_value"][:, :, None]
    count = pt.neq(kind, MEASURE)
    m, n = pt.switch(count, mean[:, None, :], 1.0), pt.switch(count & (y >= 0), y, 0.0)
    none = pt.eq(m, 0.0)
    m = pt.switch(none, 1.0, m)
    poisson = n * pt.log(m) - m - pt.gammaln(n + 1.0)
    k = data["number_dispersion"][:, None, None]
    choose = pt.gammaln(n + k) - pt.gammaln(k) - pt.gammaln(n + 1.0)
    negative_binomial = choose + k * pt.log(k / (k + m)) + n * pt.log(m / (k + m))
    counted = pt.switch(pt.eq(kind, NEGATIVE_BINOMIAL), negative_binomial, poisson)
    counted = pt.switch(none, pt.switch(pt.eq(n, 0.0), 0.0, -math.inf), counted)
    sd = pt.switch(count, 1.0, data["number_sd"][:, None, :])
    z = (y - mean[:, None, :]) / sd
    measured = -0.5 * z**2 - pt.log(sd) - 0.5 * math.log(2.0 * math.pi)
    return pt.switch(count, counted, measured)


def log_likelihood(
    theta: TensorVariable,
    data: Symbols,
    *,
    scenarios: int,
    units: int,
    categories: bool,
    numbers: bool,
    pairs: bool,
) -> TensorVariable:
    """Return log L_t(s), (T, U, K): the sum over the cells of each period of exponent * log m(s)."""
    rows = []
    if categories:
        rows.append(log_categories(theta, data, pairs=pairs))
    if numbers:
        rows.append(log_numbers(theta, data))
    of_kind = pt.concatenate(rows)[data["row"]] * data["exponent"][:, None]
    periods = data["period_number"].shape[0]
    empty = pt.zeros((units * periods, scenarios))
    filled = pt.inc_subtensor(empty[data["cell_place"]], of_kind[data["cell_kind"]])
    return filled.reshape((units, periods, scenarios)).swapaxes(0, 1)


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

    def step(here: TensorVariable, predicted: TensorVariable, matrix: TensorVariable) -> list[TensorVariable]:
        high = pt.switch(predicted > 0.0, here, -math.inf).max(axis=1)
        weight = predicted * pt.exp(here - high[:, None])
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
