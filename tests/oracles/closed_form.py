"""Exact answers with the judgements integrated out, for fully reliable reports, one per cell.

Given the whole path of scenarios, every indicator's yes and no in each scenario are Bernoulli draws of one
Beta, and every step out of a scenario is a draw of one Dirichlet: their marginals are Beta-binomial and
Dirichlet-multinomial (without the combinatorial factor, as the order is known).
"""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln, logsumexp

from forecast.case.evidence import Evidence
from forecast.case.judgement import Proportions
from forecast.case.question import Question, Transition
from tests.oracles.paths import Array, Whole


def _observed(question: Question, evidence: Evidence, as_of: date) -> Array:
    """Return what happened: 1 yes, 0 no, nan not known; (T, indicators)."""
    reliability = {s.id: s.reliability for s in question.sources}
    names = [i.id for i in question.indicators]
    plain = all(
        i.values == ("no", "yes")
        and i.persistence is None
        and i.monitored is None
        and i.given is None
        and i.reporting is None
        for i in question.indicators
    )
    if not plain or question.groups or question.cap is not None or question.units:
        raise ValueError("the closed form is for plain yes/no indicators")
    y = np.full((question.period(as_of) + 1, len(names)), np.nan)
    for report in evidence.known(as_of):
        t, i = question.period(report.date), names.index(report.indicator)
        whole = reliability[report.source].mean[1] * question.credibility[report.credibility] == 1.0
        if not whole or report.testimony or not np.isnan(y[t, i]):
            raise ValueError("the closed form is for one fully reliable report per cell")
        y[t, i] = report.value == "yes"
    return y


def _beta_binomial(judgement: Proportions, yes: Array, no: Array) -> Array:
    """Log probability of so many yes and no in a known order, under a Beta or an exact chance."""
    p = judgement.mean[1]
    if judgement.exact:
        return np.asarray(yes * np.log(p) + no * np.log1p(-p))
    a, b = judgement.weight * p, judgement.weight * (1 - p)
    return np.asarray(betaln(a + yes, b + no) - betaln(a, b))


def static_closed_form(question: Question, evidence: Evidence, as_of: date) -> Array:
    """Return P(s | evidence) of a static question; (K,).

    p(y | s) is the product over indicators of B(a + yes, b + no) / B(a, b).
    """
    assert question.dynamics is None
    y = _observed(question, evidence, as_of)
    yes, no = np.nansum(y == 1, axis=0), np.nansum(y == 0, axis=0)
    log = np.log(np.array(question.prior.mean))
    for s in range(len(log)):
        for i, indicator in enumerate(question.indicators):
            judged = indicator.likelihood[s]
            assert isinstance(judged, Proportions)
            log[s] += _beta_binomial(judged, yes[i], no[i])
    return np.asarray(np.exp(log - logsumexp(log)))


def regime_closed_form(
    question: Question, evidence: Evidence, as_of: date, *, ahead: int | None = None
) -> dict[str, Array]:
    """Return "now", "horizon", "ever" (K,), "smoothed" (T, K), "outlook" (H + 1, K) of a regime.

    The sum over all K^T paths up to now, and over all their continuations to the horizon (or `ahead`
    steps only): a step of a continuation has the Dirichlet urn's probability given the steps taken so far,
    (alpha_ij + n_ij) / (alpha_i + n_i). Exact but for rounding; memory grows as K^(T + H).
    """
    assert isinstance(question.dynamics, Transition)
    y = _observed(question, evidence, as_of)
    size, periods = len(question.scenarios), len(y)
    if ahead is None:
        ahead = question.period(question.horizon) - periods + 1
    paths = _paths(size, periods)
    log = np.log(np.array(question.prior.mean))[paths[:, 0]]
    log = log + _emissions(question, y, paths)
    counts = np.zeros((len(paths), size, size))
    for t in range(1, periods):
        np.add.at(counts, (np.arange(len(paths)), paths[:, t - 1], paths[:, t]), 1)
    for i, row in enumerate(question.dynamics.rows):
        log = log + _dirichlet_multinomial(row, counts[:, i])
    weight = np.exp(log - logsumexp(log))
    smoothed = np.stack([np.bincount(paths[:, t], weight, size) for t in range(periods)])
    seen = np.zeros((len(paths), size), dtype=bool)
    counted = question.last_day(periods - 1) > as_of
    if counted:
        seen[np.arange(len(paths)), paths[:, -1]] = True
    outlook, here = [smoothed[-1]], paths[:, -1]
    for _ in range(ahead):
        weight, counts, seen, here = _urn_step(question.dynamics, weight, counts, seen, here)
        counted = True
        outlook.append(np.bincount(here, weight, size))
    ever = weight @ seen if counted else outlook[-1]
    answer = {"now": smoothed[-1], "smoothed": smoothed, "outlook": np.stack(outlook)}
    return {**answer, "horizon": outlook[-1], "ever": ever}


def _paths(size: int, periods: int) -> Whole:
    """All K^T paths; (K^T, T)."""
    number = np.arange(size**periods)
    return np.stack([number // size ** (periods - 1 - t) % size for t in range(periods)], axis=1)


def _emissions(question: Question, y: Array, paths: Whole) -> Array:
    """Log probability of everything seen, given each path."""
    log = np.zeros(len(paths))
    for s in range(len(question.scenarios)):
        inside = (paths == s).astype(float)
        for i, indicator in enumerate(question.indicators):
            judged = indicator.likelihood[s]
            assert isinstance(judged, Proportions)
            yes, no = inside @ (y[:, i] == 1.0), inside @ (y[:, i] == 0.0)
            log += _beta_binomial(judged, yes, no)
    return log


def _dirichlet_multinomial(row: Proportions, n: Array) -> Array:
    """Log probability of the steps n (paths, K) out of one scenario, in a known order."""
    mean = np.array(row.mean)
    possible = mean > 0
    impossible = n[:, ~possible].sum(axis=1) > 0
    n, mean = n[:, possible], mean[possible]
    if row.exact:
        log = n @ np.log(mean)
    else:
        a = row.weight * mean
        log = np.sum(gammaln(a + n) - gammaln(a), axis=1)
        log += gammaln(row.weight) - gammaln(row.weight + n.sum(axis=1))
    return np.where(impossible, -np.inf, log)


def _urn_step(
    dynamics: Transition, weight: Array, counts: Array, seen: NDArray[np.bool_], here: Whole
) -> tuple[Array, Array, NDArray[np.bool_], Whole]:
    """Continue every path by each scenario in turn."""
    size = len(dynamics.rows)
    mean = np.array([row.mean for row in dynamics.rows])
    worth = np.array([row.weight for row in dynamics.rows])[here, None]
    n = counts[np.arange(len(here)), here]
    n = np.where(np.isinf(worth), 0.0, n)  # an exact row learns nothing
    worth = np.where(np.isinf(worth), 1.0, worth)
    chance = (worth * mean[here] + n) / (worth + n.sum(axis=1, keepdims=True))
    new_weight = (weight[:, None] * chance).ravel()
    new_counts = np.repeat(counts, size, axis=0)
    new_seen = np.repeat(seen, size, axis=0)
    new_here = np.tile(np.arange(size), len(here))
    rows = np.arange(len(new_here))
    new_counts[rows, np.repeat(here, size), new_here] += 1
    new_seen[rows, new_here] = True
    return new_weight, new_counts, new_seen, new_here
