"""The engine "smc": particles doubled, and moved more often, until the numbers are sure."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from forecast.inference import data_tree
from forecast.inference.data_tree import Answer, Progress, at_the_end
from forecast.inference.diagnostics import LEAST_DRAWS, MOST_PARTICLES, R_HAT, gap_warnings, run_warnings
from forecast.inference.estimates import Estimate, draws_of, estimate
from forecast.inference.particles import Chain
from forecast.inference.predictive.prequential import surprise
from forecast.inference.smc import run_chain, systems
from forecast.model.problem import Problem


def run_smc(
    problem: Problem, *, draws: int, chains: int, tolerance: float, seed: int, progress: Progress | None
) -> Answer:
    """Run particle systems, doubled until the Monte Carlo error of every probability is small enough."""
    found, run = doubled(
        problem, draws=draws, chains=chains, tolerance=tolerance, seed=seed, progress=progress
    )
    warnings = gap_warnings(run)
    if any(block.free for block in problem.layout.blocks):
        warnings += run_warnings(run, found.error, tolerance, float(found.stats["r_hat"].max()))
    return found._replace(
        past=_past(run), extra={"surprise": surprise(problem, run, seed)}, warnings=warnings
    )


def doubled(
    problem: Problem,
    *,
    draws: int,
    chains: int,
    tolerance: float,
    seed: int,
    progress: Progress | None = None,
) -> tuple[Answer, list[Chain]]:
    """Return the answer at the as-of date, and the particle systems that it is of.

    The number of particles doubles until the error of every probability is within the tolerance and the
    systems agree (an infinite tolerance takes what comes). Where they do not agree (r_hat), each turn also
    moves every particle once more: they have then not mixed, and numbers alone would not help.
    """
    free = any(block.free for block in problem.layout.blocks)
    particles, moves, turn = draws if free else 1, 1, 0
    found: Answer | None = None
    while True:
        passes = chains * len(problem.steps) * systems(problem, particles)
        run = _run(problem, chains, particles, moves, seed, _Count(progress, passes, turn))
        found = _pooled(_answer(problem, run, draws, seed), found, turn)
        mixed = float(found.stats["r_hat"].max()) <= R_HAT or tolerance == np.inf
        sure = found.error <= tolerance and mixed
        if sure or particles >= MOST_PARTICLES or not free or draws < LEAST_DRAWS:
            break
        particles, moves, turn = particles * 2, moves + (not mixed), turn + 1
    if progress is not None:
        progress(1.0)
    return found._replace(particles=particles), run


def _answer(problem: Problem, run: list[Chain], draws: int, seed: int) -> Answer:
    sample = draws_of(run, draws, problem.steps[-1].periods, seed)
    size = np.array([1.0 / (chain.weight[-1] ** 2).sum() for chain in run])
    now, ahead, horizon = at_the_end(problem, sample, size)
    return Answer(sample, [], now, ahead, horizon, data_tree.sample_stats(problem, run, sample), {}, [])


def _past(run: list[Chain]) -> list[Estimate]:
    """Return the probability now as known on each trend date before the last."""
    return [
        estimate(
            np.stack([chain.probability[k] for chain in run]), np.stack([chain.weight[k] for chain in run])
        )
        for k in range(len(run[0].weight) - 1)
    ]


def _pooled(found: Answer, last: Answer | None, turn: int) -> Answer:
    """Pool the error with those of the turns before, each of half as many particles: mean of N var / N.

    One turn's four chains alone would end the doubling when they happen to agree.
    """
    if last is None:
        return found
    now = np.sqrt((found.now.mcse**2 + turn * last.now.mcse**2 / 2) / (turn + 1))
    ahead = np.sqrt((found.ahead["mcse"] ** 2 + turn * last.ahead["mcse"] ** 2 / 2) / (turn + 1))
    return found._replace(now=found.now._replace(mcse=now), ahead=found.ahead.assign(mcse=ahead))


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


def _run(problem: Problem, chains: int, particles: int, moves: int, seed: int, done: _Count) -> list[Chain]:
    def one(chain: int) -> Chain:
        return run_chain(problem, chain=chain, particles=particles, seed=seed, progress=done, moves=moves)

    with ThreadPoolExecutor(max_workers=min(chains, os.cpu_count() or 1)) as pool:
        return list(pool.map(one, range(chains)))
