"""The exact answer by brute force: the sum over every course of scenarios, the judgements integrated out.

Given a course, what happened is known where one report is sure to tell it: the judgements then have closed
marginals (Dirichlet-multinomial), and so has every row of a transition matrix. It applies to few questions,
small ones; where it does, there is no Monte Carlo error.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from forecast.model.course import places
from forecast.model.dynamics import transition_matrices
from forecast.model.layout import CATEGORY, MOVES, STATIC, Block
from forecast.model.likelihood import log_cells
from forecast.model.problem import Problem

MOST_COURSES = 100_000


class Exact(NamedTuple):
    """The exact probabilities (K,), or why there are none."""

    now: np.ndarray | None
    horizon: np.ndarray | None  # None where the dynamics are uncertain
    reason: str = ""


def by_paths(task: Problem) -> Exact:
    """Return P(scenario | evidence) by enumeration.

    p(y) = sum over courses s of p(s) prod_(i, k) B(a_ik + n_ik(s)) / B(a_ik), with n_ik(s) how often
    indicator i took each value in scenario k along the course, and the same for rows of a transition matrix.

    Parameters
    ----------
    task : Problem

    Returns
    -------
    Exact
    """
    layout, step = task.layout, task.steps[-1]
    static = layout.arrays.dynamics == STATIC
    courses = layout.scenarios ** (1 if static else step.periods)
    if task.units > 1:
        return Exact(None, None, "the question is asked of several units")
    if courses > MOST_COURSES:
        return Exact(None, None, f"there are more than {MOST_COURSES:,} courses of scenarios")
    if layout.arrays.dynamics == MOVES and _free(task, ("leave", "then")):
        return Exact(None, None, "the moves are uncertain, and have no closed form")
    if layout.cut:
        return Exact(None, None, "some judgements must not learn")
    known, fixed, reason = _cells(task)
    if reason:
        return Exact(None, None, reason)
    log_p, last = [], []
    for course in itertools.product(range(layout.scenarios), repeat=1 if static else step.periods):
        path = np.array(course * step.periods if static else course)
        log_p.append(_log_path(task, path) + _log_marginal(task, path, known, fixed))
        last.append(path[-1])
    weight = np.exp(np.array(log_p) - max(log_p))
    now = np.bincount(last, weight, layout.scenarios) / weight.sum()
    return Exact(now, _horizon(task, now))


def _free(task: Problem, kinds: tuple[str, ...]) -> bool:
    return any(block.free for block in task.layout.blocks if block.name.startswith(kinds))


def _cells(task: Problem) -> tuple[list[tuple[int, int, int]], np.ndarray, str]:
    """Return the known cells as (period, indicator, value), log m(s) of the others by period, or why not."""
    layout, step, cells = task.layout, task.steps[-1], task.cells
    free = np.concatenate([np.full(block.size, block.free) for block in layout.blocks])
    log_m = np.empty((len(step.course.cell), layout.scenarios))
    log_cells(layout.mean, step.course.cell, cells, layout.arrays, log_m)
    known, fixed = [], np.zeros((step.periods, layout.scenarios))
    for kind, period in zip(step.course.kind, places(step.course)[1], strict=True):
        cell, power = cells.cell[step.course.cell[kind]], step.course.exponent[kind]
        indicator = layout.arrays.indicator[cell["indicator"]]
        reports = cells.report[cell["first"] : cell["end"]]
        end = indicator["start"] + indicator["size"] * layout.scenarios
        uncertain = free[indicator["start"] : end].any() or free[reports["slot"]].any()
        if not uncertain and not cell["children"]:
            fixed[period] += power * log_m[kind]
            continue
        sure = len(reports) == 1 and reports[0]["credibility"] * layout.mean[reports[0]["slot"]] == 1.0
        plain = cell["hold"] == 0.0 and not cell["children"] and power == 1.0 and reports["keep"].sum() == 0.0
        heard = (cell["quiet"], cell["active"]) == (1.0, 1.0) and not free[reports["slot"]].any()
        if not (sure and plain and heard and indicator["kind"] == CATEGORY):
            name = layout.question.indicators[cell["indicator"]].id
            return [], fixed, f"what happened to {name} in period {period} is not surely known"
        known.append((int(period), int(cell["indicator"]), int(reports[0]["value"])))
    return known, fixed, ""


def _log_path(task: Problem, path: np.ndarray) -> float:
    """Return the log probability of a course."""
    layout, size = task.layout, task.layout.scenarios
    with np.errstate(divide="ignore"):
        found = float(np.log(layout.mean[path[0]]))
        if layout.arrays.dynamics == STATIC:
            return found
        moves = np.zeros((size, size))
        np.add.at(moves, (path[:-1], path[1:]), 1.0)
        if layout.arrays.dynamics == MOVES:
            return found + float((moves[moves > 0] * np.log(_matrix(task)[moves > 0])).sum())
    rows = [block for block in layout.blocks if block.name.startswith("transition")]
    return found + sum(_log_counts(block, row) for block, row in zip(rows, moves, strict=True))


def _log_marginal(
    task: Problem, path: np.ndarray, known: list[tuple[int, int, int]], fixed: np.ndarray
) -> float:
    layout = task.layout
    counts = np.zeros((len(layout.question.indicators), layout.scenarios, layout.arrays.values))
    for period, i, value in known:
        counts[i, path[period], value] += 1.0
    found = float(fixed[np.arange(len(path)), path].sum())
    blocks = {block.name: block for block in layout.blocks}
    for i, k in zip(*np.nonzero(counts.sum(axis=2)), strict=True):
        names = layout.question.indicators[i].id, layout.question.scenarios[k].id
        block = blocks["likelihood {} {}".format(*names)]
        found += _log_counts(block, counts[i, k, : block.size])
    return found


def _log_counts(block: Block, counts: np.ndarray) -> float:
    """Return the log probability of counts in a known order under a Dirichlet, or exact proportions."""
    from scipy.special import gammaln, xlogy

    if not block.free:
        return float(xlogy(counts, block.mean).sum())
    a = block.parameters()[0]
    on = a > 0
    if counts[~on].any():
        return -np.inf
    a, counts = a[on], counts[on]
    up = gammaln(a + counts).sum() - gammaln((a + counts).sum())
    return float(up - gammaln(a).sum() + gammaln(a.sum()))


def _matrix(task: Problem) -> np.ndarray:
    found = np.empty((1, task.layout.scenarios, task.layout.scenarios))
    transition_matrices(task.layout.mean[None].copy(), task.layout.arrays, found)
    return found[0]


def _horizon(task: Problem, now: np.ndarray) -> np.ndarray | None:
    """Return the probabilities at the horizon, where the dynamics are exactly known."""
    if _free(task, ("leave", "then", "transition")):
        return None
    question = task.layout.question
    steps = question.period(question.horizon) - task.steps[-1].periods + 1
    found: np.ndarray = now @ np.linalg.matrix_power(_matrix(task), steps)
    return found
