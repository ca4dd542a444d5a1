"""From a case to its forecast: particles doubled until the numbers are sure, the result put together."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import xarray as xr

from forecast.case.as_of import checked_as_of
from forecast.case.evidence import Evidence
from forecast.case.faults import InputError
from forecast.case.folder import Case, load_case
from forecast.case.question import Question
from forecast.inference import tree
from forecast.inference.chain import Chain, ImpossibleEvidence
from forecast.inference.doubts import FEWEST, gaps, impossible, run_warnings
from forecast.inference.drift import drift, drift_warnings
from forecast.inference.smc import run_chain, systems
from forecast.inference.summary import Draws, Estimate, draws_of, estimate
from forecast.inference.weights import weights_of_evidence
from forecast.model.problem import Problem, problem

MOST_PARTICLES = 32_000  # per chain: past this the result says what it could not reach
Progress = Callable[[float], None]


def infer(
    question: Question,
    evidence: Evidence,
    *,
    as_of: date,
    draws: int = 2000,
    chains: int = 4,
    tolerance: float = 0.005,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.DataTree:
    """Infer the posterior of a question from its evidence, as known on a date, with its trend and outlook.

    Parameters
    ----------
    question, evidence : Question, Evidence
    as_of : date
        Only reports known on that day count. Held within `opened` and `horizon`.
    draws : int
        Draws of each chain in the result, and the particles that each begins with.
    chains : int
        Independent particle systems.
    tolerance : float
        Particles are doubled until the Monte Carlo standard error of every probability, now and at the
        horizon, is at most this, or there are 32,000 a chain; then the result has a warning.
    seed : int
        Same inputs, same seed, same environment: the same numbers, bit for bit.
    progress : callable, optional
        Called with the share of the work done, 0 to 1.

    Returns
    -------
    xarray.DataTree
        Groups posterior, prior, trend, outlook, hindsight, evidence, drift, log_likelihood, log_prior,
        sample_stats, observed_data, constant_data.

    Raises
    ------
    ImpossibleEvidence
        If no scenario allows what was reported.
    """
    task = problem(question, evidence, question.as_of(as_of))
    free = any(block.free for block in task.layout.blocks)
    particles, turn = draws if free else 1, 0
    found: _Found | None = None
    while True:
        passes = chains * len(task.steps) * systems(task, particles)
        run = _run(task, chains, particles, seed, _Count(progress, passes, turn))
        found = _pooled(_ahead(task, run, draws, seed), found, turn)
        if found.error <= tolerance or particles >= MOST_PARTICLES or not free or draws < FEWEST:
            break
        particles, turn = particles * 2, turn + 1
    if progress is not None:
        progress(1.0)
    result = _tree(task, run, found)
    warnings = gaps(run)
    if free:
        warnings += drift_warnings(result["drift"].to_dataset()) + run_warnings(run, found.error, tolerance)
    result.attrs = {
        "as_of": task.steps[-1].date.isoformat(),
        "horizon": question.horizon.isoformat(),
        "engine": "smc",
        "seed": seed,
        "draws": draws,
        "chains": chains,
        "tolerance": tolerance,
        "particles": particles,
        "mcse": found.error,
        "warnings": json.dumps(warnings),
    }
    return result


def update(
    case: Case | str | Path,
    *,
    as_of: date | None = None,
    engine: Literal["smc"] = "smc",
    draws: int = 2000,
    chains: int = 4,
    tolerance: float = 0.005,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.DataTree:
    """Infer this week's forecast of a case. Nothing is written: ``forecast update`` does that.

    Parameters
    ----------
    case : Case or path
        A case, or its folder.
    as_of : date, optional
        The date whose knowledge is used; default: the last day of the last finished period, held within
        `opened` and `horizon`.
    engine : {"smc"}
        Sequential Monte Carlo.
    draws, chains, tolerance, seed, progress
        As for :func:`infer`.

    Returns
    -------
    xarray.DataTree
        See :func:`infer`; its attributes name the case, the digest of the inputs and the version too.

    Raises
    ------
    InputError
        If the case is at fault, or no scenario allows its evidence.

    Examples
    --------
    >>> import forecast
    >>> tree = forecast.update("scenarios/isis-jn-2014", draws=500)  # doctest: +SKIP
    >>> tree["trend"]["probability"].isel(as_of=-1)  # doctest: +SKIP
    """
    from forecast import __version__

    if engine != "smc":
        raise ValueError(f"engine {engine!r} is not one of: 'smc'")
    if not isinstance(case, Case):
        case = load_case(Path(case))
    day = checked_as_of(case.question, as_of)
    try:
        result = infer(
            case.question,
            case.evidence,
            as_of=day,
            draws=draws,
            chains=chains,
            tolerance=tolerance,
            seed=seed,
            progress=progress,
        )
    except ImpossibleEvidence as error:
        raise InputError(impossible(case, error)) from error
    result.attrs |= {"case": case.name, "digest": case.digest, "version": __version__}
    result.attrs["warnings"] = json.dumps([*case.warnings, *json.loads(result.attrs["warnings"])])
    return result


class _Found(NamedTuple):
    """The answer of a run at the as-of date and ahead of it."""

    sample: Draws
    now: Estimate
    ahead: xr.Dataset
    horizon: np.ndarray  # (C, M, U, K) draw by draw
    error: float  # the largest Monte Carlo standard error


def _ahead(task: Problem, run: list[Chain], draws: int, seed: int) -> _Found:
    step = task.steps[-1]
    sample = draws_of(run, draws, step.periods, seed)
    size = np.array([1.0 / (chain.weight[-1] ** 2).sum() for chain in run])
    now = estimate(sample.alpha[..., -1, :], size=size)
    ahead, horizon = tree.look_ahead(task.layout.question, step.date, sample, size)
    return _Found(sample, now, ahead, horizon, max(float(now.mcse.max()), float(ahead["mcse"].max())))


def _pooled(found: _Found, last: _Found | None, turn: int) -> _Found:
    """Pool the error with those of the turns before, each of half as many particles: mean of N var / N.

    One turn's four chains alone would end the doubling when they happen to agree.
    """
    if last is None:
        return found
    now = np.sqrt((found.now.mcse**2 + turn * last.now.mcse**2 / 2) / (turn + 1))
    ahead = np.sqrt((found.ahead["mcse"] ** 2 + turn * last.ahead["mcse"] ** 2 / 2) / (turn + 1))
    return found._replace(
        now=found.now._replace(mcse=now),
        ahead=found.ahead.assign(mcse=ahead),
        error=max(float(now.max()), float(ahead.max())),
    )


def _tree(task: Problem, run: list[Chain], found: _Found) -> xr.DataTree:
    layout, question, sample = task.layout, task.layout.question, found.sample
    live, weight = weights_of_evidence(layout, task.evidence, task.steps[-1].date)
    evidence, observed, constant = tree.by_report(question, live, weight)
    groups = {
        "posterior": tree.posterior(layout, sample, found.horizon),
        "prior": tree.prior(layout, sample),
        "trend": tree.trend(task, run, found.now),
        "outlook": found.ahead,
        "hindsight": tree.hindsight(question, sample),
        "evidence": evidence,
        "drift": drift(layout, sample),
        "log_likelihood": tree.log_likelihood(question, sample),
        "log_prior": tree.log_prior(layout, sample.theta),
        "sample_stats": tree.sample_stats(task, run),
        "observed_data": observed,
        "constant_data": constant,
    }
    return xr.DataTree.from_dict({name: tree.numbered(data) for name, data in groups.items()})


class _Count:
    """Counts the dates that the chains have passed, from several threads.

    Nobody knows how often particles will double, so each turn takes half of what is left.
    """

    def __init__(self, progress: Progress | None, total: int, turn: int) -> None:
        self._progress, self._total, self._left, self._done = progress, total, 0.5**turn, 0

    def __call__(self) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(1.0 - self._left * (1.0 - 0.5 * self._done / self._total))


def _run(task: Problem, chains: int, particles: int, seed: int, done: _Count) -> list[Chain]:
    def one(chain: int) -> Chain:
        return run_chain(task, chain=chain, particles=particles, seed=seed, progress=done)

    with ThreadPoolExecutor(max_workers=min(chains, os.cpu_count() or 1)) as pool:
        return list(pool.map(one, range(chains)))
