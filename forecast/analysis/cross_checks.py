"""Cross-checks: a forecast by NUTS, importance sampling and enumeration, and one without learning.

Both engines run; importance sampling weighs draws from the prior by their likelihood; and exact enumeration
sums over every path of scenarios, the judgements integrated out:

    p(y) = sum over paths s of p(s) prod_(i, k) B(a_ik + n_ik(s)) / B(a_ik),

with n_ik(s) how often indicator i took each value in scenario k along the path, and the same for rows of a
transition matrix (Dirichlet-multinomial). It needs to be certain what happened, by one report that is never
wrong, and applies to few questions, small ones; where it does, there is no Monte Carlo error.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from scipy.special import gammaln, softmax, xlogy

from forecast.analysis.plug_in import step_to_horizon
from forecast.analysis.whatif import now_and_horizon_data
from forecast.case.folder import Case
from forecast.case.in_force import checked_as_of
from forecast.case.judgement import JudgementId
from forecast.case.question import Event, Moves, Question, Transition
from forecast.inference.data_tree import Engine, Progress, unit_dataset
from forecast.inference.engine import update
from forecast.inference.result import now_and_horizon
from forecast.model.cell_sequence import tempered, unit_and_period
from forecast.model.dynamics import transition_matrices
from forecast.model.hmm import empty_filtered, refresh
from forecast.model.likelihood import log_cells
from forecast.model.parameters import CATEGORY, MOVES, STATIC, Block
from forecast.model.problem import Problem, build_problem

PRIOR_DRAWS, CHUNK = 100_000, 5_000
ENOUGH = 400  # effective draws below which importance sampling cannot judge
ERRORS = 4.0  # combined standard errors within which two methods agree
MOST_PATHS = 100_000


class Method(NamedTuple):
    """One method's probabilities and their errors, (U, K) each, or why there are none."""

    name: str
    now: np.ndarray | None = None
    horizon: np.ndarray | None = None
    now_mcse: np.ndarray | None = None
    horizon_mcse: np.ndarray | None = None
    note: str = ""


def referee(
    case: Case,
    *,
    as_of: date | None = None,
    draws: int = 2000,
    chains: int = 4,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compute the forecast of a case by every method there is.

    Parameters
    ----------
    case : Case
    as_of, draws, chains, seed, progress
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
    ids, methods = case.question.scenario_ids, []
    engines: tuple[tuple[Engine, Progress | None], ...] = (("smc", None), ("nuts", progress))
    for engine, report in engines:
        tree = update(case, as_of=day, engine=engine, draws=draws, chains=chains, seed=seed, progress=report)
        both, errors = now_and_horizon(tree, ids), now_and_horizon(tree, ids, "mcse")
        methods.append(Method(engine, both[0], both[1], errors[0], errors[1], str(tree.attrs["refused"])))
    methods += [_importance_sampling(task, seed), enumerate_paths(task)]
    return _dataset(case.question, methods)


def _importance_sampling(task: Problem, seed: int) -> Method:
    """Weigh draws from the prior by their likelihood."""
    layout, evidence, name = task.layout, task.steps[-1], "importance sampling"
    if layout.cut and layout.learns:
        return Method(name, note="does not apply: some judgements must not learn")
    rng = np.random.default_rng(np.random.SeedSequence([seed, 7]))
    free = any(block.free for block in layout.blocks)
    total = PRIOR_DRAWS if free else 1
    log_weight, now, horizon = [], [], []
    filtered = empty_filtered(min(CHUNK, total), task.units, evidence.periods, layout.arrays)
    learnt = tempered(evidence.sequence, task.layout.learning)
    for _ in range(max(total // CHUNK, 1)):
        theta = layout.draw(rng, min(CHUNK, total))
        refresh(theta, learnt, task.cells, layout.arrays, filtered)
        log_weight.append(filtered.log_norm.sum(axis=(1, 2)))
        if task.layout.learning < 1.0:
            refresh(theta, evidence.sequence, task.cells, layout.arrays, filtered)
        now.append(filtered.alpha[:, :, -1].copy())
        horizon.append(step_to_horizon(layout, evidence.date, theta, filtered.matrix, now[-1]))
    weight = softmax(np.concatenate(log_weight) if layout.learns else np.zeros(total))
    size = 1.0 / (weight**2).sum()
    few = free and size < ENOUGH
    note = f"only {size:.0f} effective draws of {total:,}: too few to judge" if few else ""
    (p_now, now_mcse), (p_horizon, horizon_mcse) = (
        _weighted(weight, np.concatenate(value)) for value in (now, horizon)
    )
    return Method(name, p_now, p_horizon, now_mcse, horizon_mcse, note)


def _weighted(weight: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the weighted mean of value (N, U, K), and its standard error (weights that sum to 1)."""
    mean = np.tensordot(weight, value, 1)
    return mean, np.sqrt(np.tensordot(weight**2, (value - mean) ** 2, 1))


def _dataset(question: Question, methods: list[Method]) -> xr.Dataset:
    missing = np.full((len(question.unit_names), len(question.scenarios)), np.nan)
    columns = {
        name: np.stack([missing if (value := getattr(one, name)) is None else value for one in methods])
        for name in ("now", "horizon", "now_mcse", "horizon_mcse")
    }
    data = unit_dataset(question, columns, ("engine",), engine=np.array([one.name for one in methods]))
    agrees = [_agree(methods[0], one) for one in methods]
    return data.assign(agrees=("engine", agrees), note=("engine", [one.note for one in methods]))


def _agree(one: Method, other: Method) -> bool:
    """Return whether two methods agree within four combined errors; true where nothing can be compared."""
    for name in () if other.note else ("now", "horizon"):
        a, b = getattr(one, name), getattr(other, name)
        errors = getattr(one, f"{name}_mcse"), getattr(other, f"{name}_mcse")
        if b is not None and (abs(a - b) > ERRORS * np.hypot(*errors) + 1e-9).any():
            return False
    return True


def enumerate_paths(task: Problem) -> Method:
    """Return P(scenario | evidence) exactly by summing over every path of scenarios.

    There is no horizon where the dynamics are uncertain.
    """
    layout, periods = task.layout, task.steps[-1].periods
    length = 1 if layout.arrays.dynamics == STATIC else periods
    if reason := _no_enumeration(task, layout.scenarios**length):
        return Method("paths", note=f"does not apply: {reason}")
    cells, fixed, reason = _cells(task)
    if reason:
        return Method("paths", note=f"does not apply: {reason}")
    log_p, last = [], []
    for scenarios in itertools.product(range(layout.scenarios), repeat=length):
        path = np.resize(scenarios, periods)
        log_p.append(_log_path(task, path) + _log_marginal(task, path, cells, fixed))
        last.append(path[-1])
    now, zero = np.bincount(last, softmax(log_p), layout.scenarios)[None], np.zeros((1, layout.scenarios))
    if _uncertain(task, ("leave", "then", "transition")):
        return Method("paths", now, None, zero, zero)
    mean, matrix = layout.mean[None], _matrix(task)[None]
    horizon = step_to_horizon(layout, task.steps[-1].date, mean, matrix, now[None])[0]
    return Method("paths", now, horizon, zero, zero)


def _no_enumeration(task: Problem, paths: int) -> str:
    """Return why paths cannot be summed, whatever was reported; "" if they can."""
    if task.units > 1:
        return "the question is asked of several units"
    if paths > MOST_PATHS:
        return f"there are more than {MOST_PATHS:,} courses of scenarios"
    if task.layout.arrays.dynamics == MOVES and _uncertain(task, ("leave", "then")):
        return "the moves are uncertain, and have no closed form"
    if task.layout.learning < 1.0:
        return "judgements learn only in part (`learning: full` would have them learn all)"
    return "some judgements must not learn" if task.layout.cut else ""


def _uncertain(task: Problem, kinds: tuple[str, ...]) -> bool:
    return any(block.free for block in task.layout.blocks if block.name.startswith(kinds))


def _cells(task: Problem) -> tuple[list[tuple[int, int, int]], np.ndarray, str]:
    """Return cells of certain value, log m(s) of the others by period, and why enumeration fails."""
    layout, evidence, cells = task.layout, task.steps[-1], task.cells
    sequence = evidence.sequence
    free = np.concatenate([np.full(block.size, block.free) for block in layout.blocks])
    log_m = np.empty((len(sequence.cell), layout.scenarios))
    log_cells(layout.mean, sequence.cell, cells, layout.arrays, log_m)
    known, fixed = [], np.zeros((evidence.periods, layout.scenarios))
    for kind, period in zip(sequence.kind, unit_and_period(sequence)[1], strict=True):
        cell, power = cells.cell[sequence.cell[kind]], sequence.exponent[kind]
        indicator = layout.arrays.indicator[cell["indicator"]]
        reports = cells.report[cell["first"] : cell["end"]]
        end = indicator["start"] + indicator["size"] * layout.scenarios
        name = layout.question.indicators[cell["indicator"]].id
        if indicator["belief"] >= 0:
            return [], fixed, f"the state of {name} goes on from period to period"
        filing = [indicator[kind] for kind in ("event", "none", "again") if indicator[kind] >= 0]
        doubt = free[reports["slot"]].any() or (len(reports) and indicator["quiet"] >= 0)  # noise learns
        unheard = cell["silent"] and free[filing].any()
        if not (free[indicator["start"] : end].any() or doubt or unheard or cell["children"]):
            fixed[period] += power * log_m[kind]
            continue
        certain = len(reports) == 1 and reports[0]["credibility"] * layout.mean[reports[0]["slot"]] == 1.0
        plain = not cell["children"] and power == 1.0 and (reports["own"] == 1.0).all()
        reported = (cell["quiet"], cell["active"]) == (1.0, 1.0) and not free[reports["slot"]].any()
        if not (certain and plain and reported and indicator["kind"] == CATEGORY):
            return [], fixed, f"what happened to {name} in period {period} is not certainly known"
        known.append((int(period), int(cell["indicator"]), int(reports[0]["value"])))
    return known, fixed, ""


def _log_path(task: Problem, path: np.ndarray) -> float:
    """Return the log probability of a path."""
    layout, size = task.layout, task.layout.scenarios
    log_first = float(np.log(layout.mean[path[0]])) if layout.mean[path[0]] > 0 else -np.inf
    if layout.arrays.dynamics == STATIC:
        return log_first
    moves = np.zeros((size, size))
    np.add.at(moves, (path[:-1], path[1:]), 1.0)
    if layout.arrays.dynamics == MOVES:
        return log_first + float(xlogy(moves, _matrix(task)).sum())
    rows = [block for block in layout.blocks if block.name.startswith("transition")]
    return log_first + sum(map(_log_counts, rows, moves))


def _log_marginal(
    task: Problem, path: np.ndarray, known: list[tuple[int, int, int]], fixed: np.ndarray
) -> float:
    layout = task.layout
    counts = np.zeros((len(layout.question.indicators), layout.scenarios, layout.arrays.values))
    for period, i, value in known:
        counts[i, path[period], value] += 1.0
    log_p = float(fixed[np.arange(len(path)), path].sum())
    blocks = {block.id: block for block in layout.blocks}
    for i, k in zip(*np.nonzero(counts.sum(axis=2)), strict=True):
        names = layout.question.indicators[i].id, layout.question.scenarios[k].id
        block = blocks[JudgementId("likelihood", *names)]
        log_p += _log_counts(block, counts[i, k, : block.size])
    return log_p


def _log_counts(block: Block, counts: np.ndarray) -> float:
    """Return the Dirichlet-multinomial log probability of ordered counts, or that at exact shares."""
    if not block.free:
        return float(xlogy(counts, block.mean).sum())
    a = block.parameters()[0]
    possible = a > 0
    if counts[~possible].any():
        return -np.inf
    a, counts = a[possible], counts[possible]
    after = gammaln(a + counts).sum() - gammaln((a + counts).sum())
    return float(after - gammaln(a).sum() + gammaln(a.sum()))


def _matrix(task: Problem) -> np.ndarray:
    matrix = np.empty((1, task.layout.scenarios, task.layout.scenarios))
    transition_matrices(task.layout.mean[None].copy(), task.layout.arrays, matrix)
    return matrix[0]


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
    case = case.on(checked_as_of(case.question, as_of))
    cases = case, replace(case, question=unlearning(case.question))
    trees = [update(one, as_of=as_of, draws=draws, chains=chains, seed=seed) for one in cases]
    variants = [now_and_horizon_data(tree, {"": "probability", "_mcse": "mcse"}) for tree in trees]
    return xr.concat(variants, dim="variant").assign_coords(variant=["as written", "no learning"])


def unlearning(question: Question) -> Question:
    """Return the question with `learn: false` on every judgement."""

    def fixed(judgements: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(judgement and replace(judgement, learn=False) for judgement in judgements)

    dynamics = question.dynamics
    if isinstance(dynamics, Moves):
        dynamics = Moves(fixed(dynamics.leave), fixed(dynamics.then))
    elif isinstance(dynamics, Transition):
        dynamics = Transition(fixed(dynamics.rows))
    elif isinstance(dynamics, Event):
        leave, ends = fixed(dynamics.leave), fixed(dynamics.ends_in_event)
        dynamics = replace(dynamics, leave=leave, ends_in_event=ends)
    return replace(
        question,
        prior=replace(question.prior, learn=False),
        indicators=tuple(replace(i, likelihood=fixed(i.likelihood)) for i in question.indicators),
        sources=tuple(replace(s, reliability=replace(s.reliability, learn=False)) for s in question.sources),
        dynamics=dynamics,
    )
