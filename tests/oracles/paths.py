"""The posterior over scenarios by plain enumeration of every path."""

from __future__ import annotations

from datetime import date
from itertools import pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.case.evidence import Evidence
from forecast.case.question import Question
from tests.oracles.cells import at_entry, cell_likelihood, each, share
from tests.oracles.dynamics import course, into, step_matrix
from tests.oracles.runs import by_scenario, filtered_entries, log_of, outlook_of, smoothed_entries
from tests.oracles.theta import Theta

__all__ = ["Array", "Whole", "enumerate_posterior", "future", "path_sums", "step_matrix", "trend_dates"]

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
MOST_PATHS = 20_000


def trend_dates(question: Question, as_of: date) -> list[date]:
    """Return the last day of every finished period, and the as-of date."""
    ends = [question.last_day(t) for t in range(question.period(as_of) + 1)]
    return sorted({end for end in ends if end <= as_of} | {as_of})


def path_sums(prior: list[Any], step: Any, m: list[list[Any]]) -> tuple[Any, list[list[Any]]]:
    """Sum the probability of every path: in all, and by the scenario it is in at each period.

    ``m[t][s]`` is what the period's cells say: a number, or {entered: number} by the period in which the
    path came to s. ``step``: one matrix, or one for each step.
    """
    size, periods = len(prior), len(m)
    total: Any = 0.0
    steps = [into(step, t) for t in range(1, periods)]
    at: list[list[Any]] = [[0.0 for _ in range(size)] for _ in range(periods)]
    for path in _open_paths(size, steps):
        p, entered = prior[path[0]] * at_entry(m[0][path[0]], 0), 0
        for t in range(1, periods):
            entered = entered if path[t] == path[t - 1] else t
            p = p * steps[t - 1][path[t - 1]][path[t]] * at_entry(m[t][path[t]], entered)
        total = total + p
        for t, s in enumerate(path):
            at[t][s] = at[t][s] + p
    return total, at


def _open_paths(size: int, steps: list[list[list[Any]]]) -> list[tuple[int, ...]]:
    """Return every path but those with a step that cannot happen."""
    paths: list[tuple[int, ...]] = [(s,) for s in range(size)]
    for step in steps:
        can = [[bool(np.any(np.not_equal(p, 0.0))) for p in row] for row in step]
        paths = [(*path, j) for path in paths for j in range(size) if can[path[-1]][j]]
    return paths


def future(
    question: Question, as_of: date, now: list[Any], step: list[list[Any]]
) -> tuple[list[list[Any]], list[Any]]:
    """Return the outlook, period by period, and the chance of each scenario at some period's end."""
    size, here, last = len(now), question.period(as_of), question.period(question.horizon)
    outlook = [now]
    for _ in range(last - here):
        before = outlook[-1]
        outlook.append([sum(before[i] * step[i][j] for i in range(size)) for j in range(size)])
    counted = [t for t in range(here, last + 1) if question.last_day(t) > as_of]
    if not counted:
        return outlook, outlook[-1]
    if size ** (last - here) > MOST_PATHS:
        return outlook, _ever(now, step, counted[0] == here, last - here)
    ever: list[Any] = [0.0] * size
    for path in product(range(size), repeat=last - here + 1):
        p = now[path[0]]
        for i, j in pairwise(path):
            p = p * step[i][j]
        for j in {path[t - here] for t in counted}:
            ever[j] = ever[j] + p
    return outlook, ever


def _ever(now: list[Any], step: list[list[Any]], this_period: bool, ahead: int) -> list[Any]:
    """Return the chance of each scenario at some period's end: 1 less that of never being in it."""
    found = []
    for j in range(len(now)):
        other = [i for i in range(len(now)) if i != j]
        never = {i: now[i] for i in range(len(now)) if i != j or not this_period}
        for _ in range(ahead):
            never = {i: sum(p * step[k][i] for k, p in never.items()) for i in other}
        found.append(1.0 - sum(never.values()))
    return found


def enumerate_posterior(
    question: Question,
    evidence: Evidence,
    as_of: date,
    theta: Theta,
    *,
    ahead: bool = True,
    filtered: bool = False,
    power: float = 1.0,
) -> dict[str, Array]:
    """Return the posterior over scenarios given the judgements, by summing over all K^T paths.

    Where they are too many, by the sum over periods of entry (`runs`), which the tests hold to it.

    Parameters
    ----------
    theta : dict
        Judgements as numbers, or as arrays of n draws.
    ahead : bool
        Also look ahead, which takes K^H more paths.
    filtered : bool
        Also return P(s_t | cells up to t), all known at the as-of date.
    power : float
        Exponent of every cell in "log_learnt".

    Returns
    -------
    dict
        "marginal": p(evidence | theta); "log_marginal"; "log_learnt", the same of cells to a power;
        "now", "horizon", "ever": [..., K];
        "smoothed", "filtered": [..., T, K]; "outlook": [..., H + 1, K]; of an event
        "now" is what is being prepared, "outlook" what will have happened. The leading dimension is that of
        the draws; where the question has units, each but the marginals has one of units before the last.
    """
    cells = cell_likelihood(question, evidence, as_of, theta)
    periods = question.period(as_of) + 1
    prior, step = course(question, theta, periods)
    log_marginal: Any = 0.0
    log_learnt: Any = 0.0
    found: dict[str, list[Any]] = {}
    for unit in question.units or ("",):
        m = [cells[unit, t] for t in range(periods)]
        log_total, smoothed = _posterior_of_unit(prior, step, m)
        log_marginal = log_marginal + log_total
        if power != 1.0:
            tempered = [[each(lambda v: v**power, one) for one in row] for row in m]
            log_learnt = log_learnt + _posterior_of_unit(prior, step, tempered)[0]
        answers: dict[str, Any] = {"now": smoothed[-1], "smoothed": smoothed}
        if ahead and question.event is not None:
            outlook = outlook_of(question, theta, periods - 1, smoothed[-1])
            answers |= {"outlook": outlook, "horizon": outlook[-1]}
        elif ahead:
            outlook, ever = future(question, as_of, smoothed[-1], step_matrix(question, theta))
            answers |= {"outlook": outlook, "horizon": outlook[-1], "ever": ever}
        if filtered:
            answers["filtered"] = [_posterior_of_unit(prior, step, m[: t + 1])[1][-1] for t in range(periods)]
        for name, answer in answers.items():
            found.setdefault(name, []).append(_stack(answer))
    result = {
        name: a[0] if not question.units else np.stack(np.broadcast_arrays(*a), axis=-2)
        for name, a in found.items()
    }
    result["log_marginal"] = np.asarray(log_marginal)
    result["log_learnt"] = result["log_marginal"] if power == 1.0 else np.asarray(log_learnt)
    result["marginal"] = np.exp(result["log_marginal"])
    return result


def _posterior_of_unit(prior: list[Any], step: Any, m: list[list[Any]]) -> tuple[Any, list[list[Any]]]:
    """Return log p(evidence) and P(s_t | evidence), by paths or, where these are too many, by entries."""
    size = len(prior)
    if size ** len(m) > MOST_PATHS:
        rows, logs = filtered_entries(prior, step, m)
        return sum(logs), [by_scenario(row, size) for row in smoothed_entries(step, m, rows)]
    total, at = path_sums(prior, step, m)
    return log_of(total), [[share(p, total) for p in row] for row in at]


def _stack(answer: Any) -> Array:
    """Turn nested lists of numbers or draws into an array with the draws' dimension first."""
    if isinstance(answer, list):
        parts = [_stack(a) for a in answer]
        depth = 1 if not isinstance(answer[0], list) else 2
        lead = np.broadcast_shapes(*[p.shape[: p.ndim - depth + 1] for p in parts])
        whole = [np.broadcast_to(p, lead + p.shape[p.ndim - depth + 1 :]) for p in parts]
        return np.stack(whole, axis=-depth)
    return np.asarray(answer, dtype=float)
