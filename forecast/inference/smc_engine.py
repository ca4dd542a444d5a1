"""Engine ``smc``: doubles particles and adds Gibbs moves until the Monte Carlo error is small enough."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from forecast.inference.data_tree import EngineResult, Progress, Settings, now_and_outlook, sample_stats
from forecast.inference.diagnostics import (
    LEAST_DRAWS,
    MOST_PARTICLES,
    MOST_WORK,
    R_HAT,
    gap_warnings,
    run_warnings,
)
from forecast.inference.estimates import Estimate, draws_of, estimate
from forecast.inference.particles import Chain
from forecast.inference.predictive.prequential import surprise
from forecast.inference.smc import run_chain, systems
from forecast.model.problem import Problem

#: A chain has at first half as many particles as draws, and not fewer than so many: where these are
#: enough, draws repeat particles.
FEW_PARTICLES = 1000
NEARBY = 2  # dates on either side over which errors of past dates are pooled


def run_smc(problem: Problem, settings: Settings, progress: Progress | None = None) -> EngineResult:
    """Run SMC chains with doubled particle numbers until every Monte Carlo error is within tolerance."""
    result, run = doubled(problem, settings, progress)
    warnings, r_hat = gap_warnings(run), float(result.sample_stats["r_hat"].max())
    if any(block.free for block in problem.layout.blocks):
        warnings += run_warnings(run, result.error, settings.tolerance, r_hat)
    extra = {"surprise": surprise(problem, run, settings.seed)}
    return replace(result, past=_past(run), extra_groups=extra, warnings=warnings)


def doubled(
    problem: Problem, settings: Settings, progress: Progress | None = None
) -> tuple[EngineResult, list[Chain]]:
    """Return the result at the as-of date, and the chains of particles that it is of.

    The number of particles doubles until the error of every probability is within the tolerance and the
    systems agree (an infinite tolerance takes what comes). Where they do not agree (r_hat), each turn also
    moves every particle once more: they have then not mixed, and numbers alone would not help. It ends
    before a turn of more than MOST_PARTICLES, or of more than MOST_WORK.
    """
    _, seed, draws, chains, tolerance = settings
    free = any(block.free for block in problem.layout.blocks)
    particles, moves, turn = max(draws // 2, min(draws, FEW_PARTICLES)) if free else 1, 1, 0
    result: EngineResult | None = None
    while True:
        passes = chains * len(problem.steps) * systems(problem, particles)
        run = _run(problem, chains, particles, moves, seed, _Count(progress, passes, turn))
        sample = draws_of(run, draws, problem.steps[-1].periods, seed)
        size = np.array([1.0 / (chain.weight[-1] ** 2).sum() for chain in run])
        stats = sample_stats(problem, run, sample)
        latest = EngineResult(sample, *now_and_outlook(problem, sample, size), stats)
        result = _pooled(latest, result, turn)
        mixed = float(result.sample_stats["r_hat"].max()) <= R_HAT or tolerance == np.inf
        enough = result.error <= tolerance and mixed
        growth = 2 * (1 + (not mixed) / moves)  # of the work
        if enough or not free or draws < LEAST_DRAWS or _too_much(problem, run, growth):
            break
        particles, moves, turn = particles * 2, moves + (not mixed), turn + 1
    if progress is not None:
        progress(1.0)
    return replace(result, particles=particles), run


def _too_much(problem: Problem, run: list[Chain], growth: float) -> bool:
    """Tell whether twice the particles, and `growth` times the work, are more than is ever tried."""
    particles, sweeps = len(run[0].theta), max(int(chain.moves.sum()) for chain in run)
    reports = problem.cells.cell["end"] - problem.cells.cell["first"]
    work = particles * sweeps * int((reports**2).sum())  # each reliability reads its cells as a whole
    return 2 * particles > MOST_PARTICLES or growth * work > MOST_WORK


def _past(run: list[Chain]) -> list[Estimate]:
    """Return the probability now as known on each trend date before the last."""
    estimates = [
        estimate(
            np.stack([c.probability[k] for c in run]),
            np.stack([c.weight[k] for c in run]),
        )
        for k in range(len(run[0].weight) - 1)
    ]
    return _with_pooled_errors(run, estimates)


def _with_pooled_errors(run: list[Chain], estimates: list[Estimate]) -> list[Estimate]:
    """Return estimates whose errors also draw on other scenarios, units, and dates nearby.

    By how much the variance of the mean exceeds that of as many independent draws, four chains alone say
    little; the ratio is taken over all scenarios and units and five dates.
    """
    if len(run) < 2 or not estimates:
        return estimates
    mean = np.stack([_means(c)[:-1] for c in run])  # (C, S, U, K)
    between = mean.var(axis=0, ddof=1) / len(run)
    within = np.mean([_within(c)[:-1] for c in run], axis=0) / len(run)
    edges = range(len(estimates))
    near = [slice(max(k - NEARBY, 0), k + NEARBY + 1) for k in edges]
    ratio = np.array([np.nansum(between[at]) / max(np.nansum(within[at]), 1e-300) for at in near])
    error = np.sqrt(within * np.maximum(ratio, 1.0)[:, None, None])
    return [one._replace(mcse=np.maximum(one.mcse, of)) for one, of in zip(estimates, error, strict=True)]


def _means(chain: Chain) -> np.ndarray:
    """Return the mean probability on each date, (S, U, K)."""
    return np.einsum("sn,snuk->suk", chain.weight, chain.probability)


def _within(chain: Chain) -> np.ndarray:
    """Return the variance of the mean of as many independent draws as are effective, (S, U, K)."""
    square = np.einsum("sn,snuk->suk", chain.weight, chain.probability**2)
    return np.maximum(square - _means(chain) ** 2, 0.0) * (chain.weight**2).sum(axis=1)[:, None, None]


def _pooled(result: EngineResult, last: EngineResult | None, turn: int) -> EngineResult:
    """Pool the error with those of the turns before, each of half as many particles: mean of N var / N.

    One turn's four chains alone would end the doubling when they happen to agree.
    """
    if last is None:
        return result
    now = np.sqrt((result.now.mcse**2 + turn * last.now.mcse**2 / 2) / (turn + 1))
    outlook = np.sqrt((result.outlook["mcse"] ** 2 + turn * last.outlook["mcse"] ** 2 / 2) / (turn + 1))
    return replace(result, now=result.now._replace(mcse=now), outlook=result.outlook.assign(mcse=outlook))


class _Count:
    """The dates that the chains have passed, counted from several threads.

    How often particles will double is unknown, so each turn takes half of what is left of the progress.
    """

    def __init__(self, progress: Progress | None, total: int, turn: int) -> None:
        self._progress, self._total, self._left, self._done = progress, total, 0.5**turn, 0

    def __call__(self) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(1.0 - self._left * (1.0 - 0.5 * self._done / self._total))


def _run(problem: Problem, chains: int, particles: int, moves: int, seed: int, passed: _Count) -> list[Chain]:
    def one(chain: int) -> Chain:
        return run_chain(problem, chain=chain, particles=particles, seed=seed, progress=passed, moves=moves)

    with ThreadPoolExecutor(max_workers=min(chains, os.cpu_count() or 1)) as pool:
        return list(pool.map(one, range(chains)))
