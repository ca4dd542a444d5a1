"""Likelihood of the cells as a PyTensor graph: categories, counts and measures.

The formulas are those of :mod:`forecast.model.likelihood` and :mod:`~forecast.model.numbers`, written a
second time on arrays: neither writing uses the other. Everything is in logarithms.
"""

from __future__ import annotations

import math

import pytensor.tensor as pt
from pytensor.gradient import disconnected_grad
from pytensor.tensor import TensorVariable

from forecast.model.parameters import MEASURE, NEGATIVE_BINOMIAL

Symbols = dict[str, TensorVariable]


def safe_log(x: TensorVariable) -> TensorVariable:
    """Return log x, and -inf at 0 with a gradient of 0 rather than nan."""
    positive = x > 0
    return pt.switch(positive, pt.log(pt.switch(positive, x, 1.0)), -math.inf)


def finite(x: TensorVariable) -> TensorVariable:
    """Return x, and 0 where it is infinite: what may be subtracted from a logarithm."""
    return pt.switch(pt.isinf(x), 0.0, x)


def log_sum(x: TensorVariable, axis: int | tuple[int, ...]) -> TensorVariable:
    """Return log sum exp x along axes, -inf where all of it is."""
    high = disconnected_grad(finite(pt.max(x, axis=axis, keepdims=True)))  # cancels in the gradient
    return safe_log(pt.exp(x - high).sum(axis=axis)) + high.squeeze(axis)


def log_less_one(x: TensorVariable) -> TensorVariable:
    """Return log(exp x - 1) for x >= 0, and -inf at 0."""
    positive = x > 0
    x = pt.switch(positive, x, 1.0)
    return pt.switch(positive, x + pt.log(-pt.expm1(-x)), -math.inf)


def at(theta: TensorVariable, slot: TensorVariable) -> TensorVariable:
    """Return theta at an array of slots; there are a 0 and a 1 after its end."""
    return pt.concatenate([theta, pt.constant([0.0, 1.0])])[slot.ravel()].reshape(slot.shape)


# ---- categories ----------------------------------------------------------------------------------------


def log_weights(
    theta: TensorVariable, data: Symbols, *, noise: int | None, mean_reliability: float, pairs: bool
) -> TensorVariable:
    """Return log W(x) of each row of categories, (R, K, V): its reports and whether they were filed.

    W(x) = d(x) prod_j P(y_j | x), and -inf for a value that the indicator has not. `noise` is the slot of nu.
    With `pairs` a row on which others depend has a factor more: where x is quiet, their reports are noise;
    else their own likelihood.
    """
    nu = theta[noise] if noise is not None else 0.0
    u = data["category_noise"] + nu * data["category_noise_nu"]  # (R, V)
    values = pt.arange(u.shape[1])
    same = pt.eq(data["category_value"][:, :, None], values)  # (R, J, V)
    true = data["category_own"] * data["category_credibility"] * at(theta, data["category_reliability"])
    base = data["category_passed"] + (data["category_lost"] + data["category_own"] - true) * (
        (same * u[:, None, :]).sum(axis=2)
    )
    filed = _log_filed(theta, data, u, mean_reliability)
    own = filed + safe_log(base[:, :, None] + true[:, :, None] * same).sum(axis=1)
    zeros = pt.zeros((*own.shape[:1], data["category_slot"].shape[1], *own.shape[1:]))
    weight = zeros + own[:, None, :]
    if not pairs:
        return weight
    row, of = data["child_row"], data["child_of"]
    without = filed[row, 0] + safe_log(base).sum(axis=1)[row]
    given = log_fresh(theta, data, weight)[row]  # (children, K)
    at_quiet = pt.eq(values, 0)
    extra = pt.switch(at_quiet, without[:, None, None], given[:, :, None])
    return weight + pt.inc_subtensor(zeros[of], extra)


def _log_filed(theta: TensorVariable, data: Symbols, u: TensorVariable, r: float) -> TensorVariable:
    """Return log d(x) of each row, (R, V): that its reports were filed, or that none was.

    Claims: d_y of the earliest, or 1 - sum_y P(y | x) d_y of silence. Monitored: the factors in force, over
    the chance that a report of mean reliability r claims anything but quiet.
    """
    chance = at(theta, data["category_claim"])  # 0 where silence is no evidence
    silence = safe_log(1.0 - r * chance - (1.0 - r) * (u * chance).sum(axis=1, keepdims=True))
    something = r * pt.neq(pt.arange(u.shape[1]), 0) + (1.0 - r) * (1.0 - u[:, 0])[:, None]
    claimed = pt.switch(data["category_ratio"][:, None] > 0, safe_log(something), 0.0)
    monitored = safe_log(data["category_factor"]) - claimed
    return silence + safe_log(at(theta, data["category_filed"]))[:, None] + monitored


def log_fresh(theta: TensorVariable, data: Symbols, log_weight: TensorVariable) -> TensorVariable:
    """Return log m(s) of each row of categories whose value is a fresh draw, (R, K)."""
    return log_sum(safe_log(at(theta, data["category_slot"])) + log_weight, 2)


# ---- counts and measures -------------------------------------------------------------------------------


def log_numbers(theta: TensorVariable, data: Symbols) -> TensorVariable:
    """Return log m(s) of each row of counts and measures, (N, K).

    m(s) = N + sum_v f(v | s) (prod_j P(y_j | v) - N), the sum over the stated numbers v, with N the product
    of what all values share in P(y | x). A report that is certainly true shares nothing.
    """
    log_base, log_true = log_parts(theta, data, "number")
    certain = pt.isinf(log_base)
    number = data["number_stated"]  # (N, G)

    def by_number(x: TensorVariable) -> TensorVariable:
        """Sum over the reports that state the same number."""
        place = pt.arange(number.shape[0])[:, None] * number.shape[1] + data["number_which"]
        return pt.inc_subtensor(pt.zeros_like(number).ravel()[place], x).reshape(number.shape)

    none = finite(log_base).sum(axis=1, keepdims=True)
    more = by_number(pt.switch(certain, 0.0, pt.softplus(log_true - finite(log_base))))
    certain_truth = by_number(pt.switch(certain, log_true, 0.0))
    all_sure = certain.sum(axis=1, keepdims=True)
    gain = pt.switch(
        pt.eq(all_sure, 0),
        none + log_less_one(more),
        pt.switch(
            pt.eq(by_number(pt.switch(certain, 1.0, 0.0)), all_sure), none + certain_truth + more, -math.inf
        ),
    )
    gain = pt.switch(data["number_real"] > 0, gain, -math.inf)
    terms = gain[:, :, None] + _log_density(theta, data, "number")
    floor = pt.zeros_like(terms[:, :1]) + pt.switch(pt.eq(all_sure, 0), none, -math.inf)[:, :, None]
    return log_sum(pt.concatenate([floor, terms], axis=1), 1)


def log_parts(theta: TensorVariable, data: Symbols, table: str) -> tuple[TensorVariable, TensorVariable]:
    """Return the logarithms of what all values share in P(y | x) of a number, and of the chance of truth."""
    true = data[f"{table}_own"] * data[f"{table}_credibility"] * at(theta, data[f"{table}_reliability"])
    noise = safe_log(data[f"{table}_lost"] + data[f"{table}_own"] - true) + data[f"{table}_log_noise"]
    return log_sum(pt.stack([safe_log(data[f"{table}_passed"]), noise]), 0), safe_log(true)


def log_erring(theta: TensorVariable, data: Symbols) -> TensorVariable:
    """Return log m(s) of each row of numbers in which a reliable report may be off, (E, K).

    m(s) = N + sum_x w(x) f(x | s) (prod_j P(y_j | x) - N) over the points of
    :func:`forecast.inference.nuts.number_data.erring_data`, by which the true number x is integrated out.
    """
    log_base, log_true = log_parts(theta, data, "erring")
    certain, read, given = pt.isinf(log_base), data["erring_read"], data["erring_given"] > 0
    true = log_true[:, :, None] + read  # (E, J, G)
    each = pt.switch(certain[:, :, None], true, pt.softplus(true - finite(log_base)[:, :, None]))
    beside = pt.switch(given, each, 0.0).sum(axis=1)
    more = pt.switch(given, 0.0, each).sum(axis=1)
    none = finite(log_base).sum(axis=1, keepdims=True)
    one_certain = (certain[:, :, None] & pt.invert(given)).any(axis=1)
    gain = none + beside + pt.switch(one_certain, more, log_less_one(more)) + data["erring_weight"]
    terms = gain[:, :, None] + _log_density(theta, data, "erring")
    free = pt.switch(certain.any(axis=1, keepdims=True), -math.inf, none)
    floor = pt.zeros_like(terms[:, :1]) + free[:, :, None]
    return log_sum(pt.concatenate([floor, terms], axis=1), 1)


def _log_density(theta: TensorVariable, data: Symbols, table: str) -> TensorVariable:
    """Return log f(v | s) of each stated number, (N, G, K): Poisson, negative binomial or Normal.

    Of a count it is a constant of the number, and deviances x log(x/m) + m - x without cancellation.
    """
    mean = at(theta, data[f"{table}_slot"])
    kind, v = data[f"{table}_kind"][:, None, None], data[f"{table}_stated"][:, :, None]
    count, some = pt.neq(kind, MEASURE), v > 0
    m = pt.switch(count, mean[:, None, :], 1.0)
    impossible, m = pt.eq(m, 0.0), pt.switch(pt.eq(m, 0.0), 1.0, m)
    y, k = pt.switch(count & some, v, 1.0), data[f"{table}_dispersion"][:, None, None]
    constant = data[f"{table}_constant"][:, :, None]
    poisson = pt.switch(some, constant - y * _excess((m - y) / y, m / y), -m)
    first = _excess(k * ((m - y) / (k + m)) / y, (y + k) / y * (m / (k + m)))
    second = _excess((y - m) / (k + m), (y + k) / (k + m))
    negative_binomial = pt.switch(some, constant - y * first - k * second, -k * pt.log1p(m / k))
    counted = pt.switch(pt.eq(kind, NEGATIVE_BINOMIAL), negative_binomial, poisson)
    counted = pt.switch(impossible, pt.switch(some, -math.inf, 0.0), counted)
    sd = pt.switch(count, 1.0, data[f"{table}_sd"][:, None, :])
    z = pt.switch(count, 0.0, (v - mean[:, None, :]) / sd)
    return pt.switch(count, counted, -0.5 * z**2 - pt.log(sd) - 0.5 * math.log(2.0 * math.pi))


def _excess(u: TensorVariable, ratio: TensorVariable) -> TensorVariable:
    """Return u - log(1 + u), the ratio being 1 + u without rounding where u is near -1 or large."""
    near = abs(u) < 0.5
    return u - pt.switch(near, pt.log1p(pt.switch(near, u, 0.0)), pt.log(pt.switch(near, 1.0, ratio)))


# ---- all of the evidence -------------------------------------------------------------------------------


def log_likelihood(
    rows: list[TensorVariable], data: Symbols, *, scenarios: int, units: int
) -> TensorVariable:
    """Return log L_t(s) of the cells whose values are fresh, (T, U, K), from log m(s) of the rows.

    It is the sum over the cells of each period of exponent * log m(s).
    """
    of_kind = pt.concatenate(rows)[data["row"]] * data["exponent"][:, None]
    periods = data["period_number"].shape[0]
    empty = pt.zeros((units * periods, scenarios))
    filled = pt.inc_subtensor(empty[data["cell_place"]], of_kind[data["cell_kind"]])
    return filled.reshape((units, periods, scenarios)).swapaxes(0, 1)
