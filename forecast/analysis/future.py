"""Leave-future-out: how well the evidence of each period was foretold from that of the periods before it.

    elpd = sum over t of log p(y_t | y_0..y_(t-1)),
    p(y_t | y_<t) = mean over theta | y_<t of  sum_s P(s_t = s | y_<t, theta) prod over cells of m(s)

(Buerkner, Gabry and Vehtari 2020). y_t is all that is known at the as-of date about period t: time is that of
the events, so that every term is the density of one period's evidence, whatever was reported late, corrected
or withdrawn. Sequential Monte Carlo over the periods gives all terms in one pass, as ratios of marginal
likelihoods (Chopin 2002). Their sum from period 0 on is the log marginal likelihood of the evidence.

Groups and a cap make a power likelihood, whose values are no densities: a cap that bites would raise the
score. So they rule what is learnt from the periods before t, and period t itself is scored without them.
Judgements that may not learn keep their prior: the mean over theta is that of the forecaster who keeps it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from forecast.analysis.timeline import Timeline, timeline
from forecast.case.as_of import checked_as_of
from forecast.case.faults import InputError
from forecast.case.folder import Case, load_case
from forecast.inference.chain import ImpossibleEvidence
from forecast.inference.doubts import impossible
from forecast.inference.smc import run_chain, systems
from forecast.inference.summary import draws_of
from forecast.model.filtering import empty_filtered, refresh

if TYPE_CHECKING:
    import arviz as az

MOST_PARTICLES = 32_000  # per chain


def future_score(
    case: Case | str | Path,
    *,
    as_of: date | None = None,
    draws: int = 2000,
    chains: int = 4,
    tolerance: float = 0.1,
    seed: int = 0,
) -> xr.Dataset:
    """Score a question by how well each period's evidence was foretold from the periods before it.

    Parameters
    ----------
    case : Case or path
    as_of : date, optional
        The evidence known on that day is foretold; default as for :func:`forecast.update`.
    draws, chains, seed : int
        Particles of each of so many independent systems, and the seed.
    tolerance : float
        Particles are doubled until the Monte Carlo standard error of the sum is at most this (in nats), or
        there are 32,000 a chain.

    Returns
    -------
    xarray.Dataset
        `elpd` (period): log p(y_t | y_<t) in nats, 0 where a period has no evidence, minus infinity where
        the question held for impossible what was reported of a cell with a group or a cap. `by_chain` (chain,
        period): the same from each chain alone. `mcse`: the error of the sum of `elpd`. Coordinate
        `period_end`.

    Examples
    --------
    >>> score = future_score("scenarios/isis-jn-2014", as_of=date(2014, 11, 22))  # doctest: +SKIP
    >>> round(float(score["elpd"].sum()), 1)  # doctest: +SKIP
    -25.3
    """
    case = case if isinstance(case, Case) else load_case(Path(case))
    day = checked_as_of(case.question, as_of)
    case = case.on(day)
    time = timeline(case, day)
    free = any(block.free for block in time.task.layout.blocks)
    particles, chains = (draws, chains) if free else (1, 1)
    while True:
        try:
            by_system = _terms(time, chains, particles, seed)
        except ImpossibleEvidence as found:
            raise InputError(impossible(case, ImpossibleEvidence(found.unit, found.period, day))) from found
        by_chain = _log_mean(by_system)
        error = monte_carlo_error(by_chain.sum(axis=1)) if free else 0.0
        if not error > tolerance or particles >= MOST_PARTICLES:
            break
        particles *= 2
    ends = np.array([case.question.last_day(t) for t in range(time.periods)], dtype="datetime64[ns]")
    return xr.Dataset(
        {
            "elpd": ("period", _log_mean(by_system.reshape(-1, time.periods)[None])[0]),
            "by_chain": (("chain", "period"), by_chain),
            "mcse": error,
        },
        {"chain": np.arange(chains), "period": np.arange(time.periods), "period_end": ("period", ends)},
        {"case": case.name, "as_of": day.isoformat(), "particles": particles, "seed": seed},
    )


def _terms(time: Timeline, chains: int, particles: int, seed: int) -> np.ndarray:
    """Return log p(y_t | y_<t) by chain, by system that shares what may not learn, and by period."""
    if not time.task.layout.learns:
        return _unlearning(time, chains, particles, seed)
    task, scored = time.steps(time.periods, score=True)
    number = systems(task, particles)  # a chain of so few particles is one system
    runs = _parallel(
        lambda k: run_chain(task, chain=k, particles=particles // number, seed=seed, progress=_quiet),
        chains * number,
    )
    reached = np.array([[0.0, *run.log_evidence] for run in runs])
    terms = np.stack([reached[:, after + 1] - reached[:, before + 1] for before, after in scored], axis=1)
    return np.where(np.isnan(terms), -np.inf, terms).reshape(chains, number, time.periods)


def _unlearning(time: Timeline, chains: int, particles: int, seed: int) -> np.ndarray:
    """Return log p(y_t | y_<t, theta) of draws that no evidence revises: each is a system by itself."""
    task, _ = time.steps(time.periods, score=False)
    last = replace(task, steps=(replace(task.steps[-1], begin=0),), restart=(None,))

    def one(chain: int) -> np.ndarray:
        run = run_chain(last, chain=chain, particles=particles, seed=seed, progress=_quiet)
        terms = one_ahead(time, run.theta)
        for t in filter(time.tempered, range(time.periods)):
            terms[:, t] = one_ahead(time, run.theta, scored=t)[:, t]
        return terms

    return np.array(_parallel(one, chains))


def one_ahead(time: Timeline, theta: np.ndarray, *, scored: int | None = None) -> np.ndarray:
    """Return log p(y_t | y_<t, theta), (N, T), at theta (N, D), all units together."""
    task = time.task
    filtered = empty_filtered(len(theta), task.units, time.periods, task.layout.scenarios)
    course = time.course(time.periods, scored)
    refresh(np.ascontiguousarray(theta), course, task.cells, task.layout.arrays, filtered)
    return filtered.log_norm.sum(axis=1)


def monte_carlo_error(total: np.ndarray) -> float:
    """Return the standard error of the mean over chains; nan where it cannot be told."""
    if len(total) == 1 or not np.isfinite(total).all():
        return np.nan
    return float(total.std(ddof=1) / np.sqrt(len(total)))


def _log_mean(terms: np.ndarray) -> np.ndarray:
    """Return the log of the mean over the second axis of exp(terms)."""
    high = terms.max(axis=1)
    high = np.where(np.isneginf(high), 0.0, high)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(terms - high[:, None]).mean(axis=1)) + high


def _quiet() -> None:
    """Report no progress."""


def _parallel[T](one: Callable[[int], T], number: int) -> list[T]:
    with ThreadPoolExecutor(max_workers=min(number, os.cpu_count() or 1)) as pool:
        return list(pool.map(one, range(number)))


def lfo_wrapper(case: Case, tree: xr.DataTree) -> az.SamplingWrapper:
    """Return what ``az.lfo_cv`` needs to fit a question anew to the periods before a date of the past.

    Each fit is sequential Monte Carlo over those periods, with everything known about them at the tree's
    as-of date, and as many chains, particles and draws as the tree has. `idata_orig` is the tree with one
    log likelihood per period: units, if there are any, taken together.

    What is scored is the tree's own log likelihood: where groups or a cap lower exponents a power likelihood.
    :func:`future_score` scores densities, and is the one to compare questions by. Where a judgement may not
    learn, use ``method="exact"``: importance weights would let it.

    Parameters
    ----------
    case : Case
    tree : xarray.DataTree
        What ``forecast.update`` made of it.

    Raises
    ------
    ValueError
        If the tree is of another case, or of other files of it.

    Examples
    --------
    >>> wrapper = lfo_wrapper(case, tree)  # doctest: +SKIP
    >>> az.lfo_cv(wrapper.idata_orig, wrapper, 1, 1, time_dim="period")  # doctest: +SKIP
    """
    import arviz as az

    if tree.attrs["digest"] != case.digest:
        raise ValueError(f"the tree was not made from the files of {case.name} as they are")
    day = date.fromisoformat(tree.attrs["as_of"])
    time = timeline(case.on(day), day)
    chains, draws, seed = (int(tree.attrs[name]) for name in ("chains", "draws", "seed"))
    particles = int(tree.attrs["particles"]) or draws  # 0 of a tree that another engine made

    class Wrapper(az.SamplingWrapper):  # type: ignore[misc]
        """Fits to the periods before one, and the log likelihood of those after."""

        def sel_observations(self, idx: np.ndarray) -> tuple[int, np.ndarray]:
            first = int(idx[0])
            if list(idx) != list(range(first, time.periods)):
                raise ValueError("only the future can be left out: all periods from one on")
            return first, idx

        def sample(self, modified_observed_data: int) -> np.ndarray:
            task, _ = time.steps(modified_observed_data, score=False)
            runs = _parallel(
                lambda k: run_chain(task, chain=k, particles=particles, seed=seed, progress=_quiet), chains
            )
            return draws_of(runs, draws, modified_observed_data, seed).theta

        def get_inference_data(self, fitted_model: np.ndarray) -> xr.DataTree:
            theta = xr.Dataset({"theta": (("chain", "draw", "slot"), fitted_model)})
            return xr.DataTree.from_dict({"posterior": theta})

        def log_likelihood__i(self, excluded_obs: np.ndarray, idata__i: xr.DataTree) -> xr.DataArray:
            theta = idata__i["posterior"].to_dataset()["theta"].values
            terms = one_ahead(time, theta.reshape(-1, theta.shape[-1])).reshape(*theta.shape[:2], -1)
            return xr.DataArray(terms[..., excluded_obs], dims=("chain", "draw", "period"))

    terms = tree["log_likelihood"].to_dataset()
    together = terms.sum("unit") if "unit" in terms.dims else terms
    return Wrapper(None, idata_orig=tree.assign({"log_likelihood": xr.DataTree(together)}))
