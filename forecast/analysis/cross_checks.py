"""Several ways to the same numbers, side by side: both engines, and exact referees where they apply.

The exact answer by brute force: the sum over every course of scenarios, the judgements integrated out.

Given a course, what happened is known where one report is sure to tell it: the judgements then have closed
marginals (Dirichlet-multinomial), and so has every row of a transition matrix. It applies to few questions,
small ones; where it does, there is no Monte Carlo error.

What learning does to a forecast: the same evidence, the judgements held to what their authors said.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np
import xarray as xr

from forecast.case.folder import Case
from forecast.case.in_force import checked_as_of
from forecast.case.judgement import Judgement, JudgementId
from forecast.case.question import Moves, Question, Transition
from forecast.inference.engine import update
from forecast.model.cell_sequence import places
from forecast.model.dynamics import transition_matrices
from forecast.model.hmm import empty_filtered, refresh
from forecast.model.likelihood import log_cells
from forecast.model.parameters import CATEGORY, MOVES, STATIC, Block
from forecast.model.problem import Problem, build_problem

PRIOR_DRAWS, CHUNK = 100_000, 5_000
ENOUGH = 400  # effective draws below which importance sampling cannot judge
ERRORS = 4.0  # combined standard errors within which two ways agree


class Way(NamedTuple):
    """One way to the numbers: probabilities and their errors, (U, K) each, or why there are none."""

    name: str
    now: np.ndarray | None
    horizon: np.ndarray | None
    now_mcse: np.ndarray | None
    horizon_mcse: np.ndarray | None
    note: str


def referee(
    case: Case,
    *,
    as_of: date | None = None,
    draws: int = 2000,
    chains: int = 4,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> xr.Dataset:
    """Compute a case's forecast in every way there is.

    Parameters
    ----------
    case : Case
    as_of : date, optional
        As for :func:`forecast.update`.
    draws, chains, seed, progress
        As for :func:`forecast.update`, of both engines.

    Returns
    -------
    xarray.Dataset
        `now`, `horizon` and their errors `now_mcse`, `horizon_mcse` by engine (smc, nuts, importance
        sampling, paths) and scenario (and unit), nan where one does not apply; `note` by engine says
        why not, or what to think of it; `agrees` whether it is within four combined standard errors of smc
        everywhere. Importance sampling weighs 100,000 draws from the prior: it is blind where judgements
        learn much, and its effective size says so.

    Examples
    --------
    >>> forecast.referee(forecast.load_case("scenarios/isis-jn-2014"))["agrees"]  # doctest: +SKIP
    """
    day = checked_as_of(case.question, as_of)
    case = case.on(day)
    task = build_problem(case.question, case.evidence, day)
    if progress is not None:
        progress(0.0)
    ways = [
        _engine(case, "smc", day, draws, chains, seed, None),
        _engine(case, "nuts", day, draws, chains, seed, progress),
        _importance(task, seed),
        _paths(task),
    ]
    return _dataset(case, ways)


def _engine(
    case: Case,
    engine: str,
    day: date,
    draws: int,
    chains: int,
    seed: int,
    progress: Callable[[float], None] | None,
) -> Way:
    tree = update(
        case,
        as_of=day,
        engine="nuts" if engine == "nuts" else "smc",
        draws=draws,
        chains=chains,
        seed=seed,
        progress=progress,
    )
    now, ahead = tree["trend"].to_dataset().isel(as_of=-1), tree["outlook"].to_dataset().isel(date=-1)
    shape = (-1, len(case.question.scenarios))
    now, ahead = (data.transpose("unit", "scenario", missing_dims="ignore") for data in (now, ahead))
    return Way(
        engine,
        now["probability"].values.reshape(shape),
        ahead["probability"].values.reshape(shape),
        now["mcse"].values.reshape(shape),
        ahead["mcse"].values.reshape(shape),
        str(tree.attrs["refused"]),
    )


def _importance(task: Problem, seed: int) -> Way:
    """Weigh draws from the prior by their likelihood."""
    layout, step = task.layout, task.steps[-1]
    if layout.cut and layout.learns:
        return _none("importance sampling", "does not apply: some judgements must not learn")
    rng = np.random.default_rng(np.random.SeedSequence([seed, 7]))
    question, free = layout.question, any(block.free for block in layout.blocks)
    total = PRIOR_DRAWS if free else 1
    ahead = question.period(question.horizon) - step.periods + 1
    log_weight, now, horizon = [], [], []
    filtered = empty_filtered(min(CHUNK, total), task.units, step.periods, layout.scenarios)
    for _ in range(max(total // CHUNK, 1)):
        theta = np.concatenate([block.draw(rng, min(CHUNK, total)) for block in layout.blocks], axis=1)
        refresh(theta, step.sequence, task.cells, layout.arrays, filtered)
        log_weight.append(filtered.log_norm.sum(axis=(1, 2)))
        now.append(filtered.alpha[:, :, -1].copy())
        horizon.append(now[-1] @ np.linalg.matrix_power(filtered.matrix, ahead))
    log_w = np.concatenate(log_weight) if layout.learns else np.zeros(total)
    weight = np.exp(log_w - log_w.max())
    weight /= weight.sum()
    size = 1.0 / (weight**2).sum()
    mean_now, error_now = _weighed(weight, np.concatenate(now))
    mean_ahead, error_ahead = _weighed(weight, np.concatenate(horizon))
    note = (
        ""
        if size >= ENOUGH or not free
        else f"only {size:.0f} effective draws of {total:,}: too few to judge"
    )
    return Way("importance sampling", mean_now, mean_ahead, error_now, error_ahead, note)


def _weighed(weight: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the weighted mean of value (N, U, K), and its standard error (weights that sum to 1)."""
    mean = np.tensordot(weight, value, 1)
    return mean, np.sqrt(np.tensordot(weight**2, (value - mean) ** 2, 1))


def _paths(task: Problem) -> Way:
    found = by_paths(task)
    if found.now is None:
        return _none("paths", f"does not apply: {found.reason}")
    horizon = None if found.horizon is None else found.horizon[None]
    zero = np.zeros((1, task.layout.scenarios))
    return Way("paths", found.now[None], horizon, zero, zero, "")


def _none(name: str, note: str) -> Way:
    return Way(name, None, None, None, None, note)


def _dataset(case: Case, ways: list[Way]) -> xr.Dataset:
    question = case.question
    shape = (question.unit_count, len(question.scenarios))
    nothing = np.full(shape, np.nan)
    columns = {
        name: np.stack([nothing if (value := getattr(way, name)) is None else value for way in ways])
        for name in ("now", "horizon", "now_mcse", "horizon_mcse")
    }
    agrees = [_agree(ways[0], way) for way in ways]
    dims = ("engine", "unit", "scenario")
    data = xr.Dataset(
        {name: (dims, value) for name, value in columns.items()}
        | {"agrees": ("engine", agrees), "note": ("engine", [way.note for way in ways])},
        {
            "engine": [way.name for way in ways],
            "unit": list(question.units) or [""],
            "scenario": list(question.scenario_ids),
        },
    )
    return data if question.units else data.isel(unit=0, drop=True)


def _agree(one: Way, other: Way) -> bool:
    """Tell whether two ways lie within four combined errors; true where there is nothing to compare."""
    if other.note:
        return True
    for name in ("now", "horizon"):
        a, b = getattr(one, name), getattr(other, name)
        errors = getattr(one, f"{name}_mcse"), getattr(other, f"{name}_mcse")
        if b is None:
            continue
        if (abs(a - b) > ERRORS * np.hypot(*errors) + 1e-9).any():
            return False
    return True


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
    return any(block.free for block in task.layout.blocks if block.id.kind in kinds)


def _cells(task: Problem) -> tuple[list[tuple[int, int, int]], np.ndarray, str]:
    """Return the known cells as (period, indicator, value), log m(s) of the others by period, or why not."""
    layout, step, cells = task.layout, task.steps[-1], task.cells
    free = np.concatenate([np.full(block.size, block.free) for block in layout.blocks])
    log_m = np.empty((len(step.sequence.cell), layout.scenarios))
    log_cells(layout.mean, step.sequence.cell, cells, layout.arrays, log_m)
    known, fixed = [], np.zeros((step.periods, layout.scenarios))
    for kind, period in zip(step.sequence.kind, places(step.sequence)[1], strict=True):
        cell, power = cells.cell[step.sequence.cell[kind]], step.sequence.exponent[kind]
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
    rows = [block for block in layout.blocks if block.id.kind == "transition"]
    return found + sum(_log_counts(block, row) for block, row in zip(rows, moves, strict=True))


def _log_marginal(
    task: Problem, path: np.ndarray, known: list[tuple[int, int, int]], fixed: np.ndarray
) -> float:
    layout = task.layout
    counts = np.zeros((len(layout.question.indicators), layout.scenarios, layout.arrays.values))
    for period, i, value in known:
        counts[i, path[period], value] += 1.0
    found = float(fixed[np.arange(len(path)), path].sum())
    blocks = {block.id: block for block in layout.blocks}
    for i, k in zip(*np.nonzero(counts.sum(axis=2)), strict=True):
        names = layout.question.indicators[i].id, layout.question.scenarios[k].id
        block = blocks[JudgementId("likelihood", *names)]
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


def learning(
    case: Case, *, as_of: date | None = None, draws: int = 2000, chains: int = 4, seed: int = 0
) -> xr.Dataset:
    """Compare a forecast with the one in which no judgement learns.

    Learning has no labels to go by: nobody says which scenario was true in past weeks. Where judgements have
    drifted far, what was learnt may be that a scenario looks like whatever happened while it led.

    Parameters
    ----------
    case : Case
    as_of, draws, chains, seed
        As for :func:`forecast.update`.

    Returns
    -------
    xarray.Dataset
        `now` and `horizon` with their errors, by variant ("as written", "no learning"), scenario (and unit).

    Examples
    --------
    >>> forecast.learning(forecast.load_case("scenarios/isis-jn-2014"))["now"]  # doctest: +SKIP
    """
    found, case = [], case.on(checked_as_of(case.question, as_of))
    for one in (case, replace(case, question=unlearning(case.question))):
        tree = update(one, as_of=as_of, draws=draws, chains=chains, seed=seed)
        now, ahead = tree["trend"].to_dataset().isel(as_of=-1), tree["outlook"].to_dataset().isel(date=-1)
        found.append(
            xr.Dataset(
                {
                    "now": now["probability"],
                    "horizon": ahead["probability"],
                    "now_mcse": now["mcse"],
                    "horizon_mcse": ahead["mcse"],
                }
            ).drop_vars(["as_of", "date"], errors="ignore")
        )
    return xr.concat(found, dim="variant").assign_coords(variant=["as written", "no learning"])


def unlearning(question: Question) -> Question:
    """Return the question with `learn: false` on every judgement."""
    dynamics = question.dynamics
    if isinstance(dynamics, Moves):
        then = tuple(row and replace(row, learn=False) for row in dynamics.then)
        dynamics = Moves(tuple(replace(rate, learn=False) for rate in dynamics.leave), then)
    elif isinstance(dynamics, Transition):
        dynamics = Transition(tuple(replace(row, learn=False) for row in dynamics.rows))
    return replace(
        question,
        prior=replace(question.prior, learn=False),
        indicators=tuple(
            replace(indicator, likelihood=tuple(_fixed(j) for j in indicator.likelihood))
            for indicator in question.indicators
        ),
        sources=tuple(
            replace(source, reliability=replace(source.reliability, learn=False))
            for source in question.sources
        ),
        dynamics=dynamics,
    )


def _fixed(judgement: Judgement) -> Judgement:
    return replace(judgement, learn=False)
