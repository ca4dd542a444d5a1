"""The whole trend by our engine, and by others that can do the job, or some of it, on the same inputs.

NUTS is what the claims are held against: the same model sampled by nutpie on each week anew, compiled once.
It is measured in some weeks, our engine after each of them; the rest of the weeks are interpolated. A long
run of NUTS at the same dates tells how far each is from the truth.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.plain import plain
from benchmarks.simulated import simulated
from benchmarks.table import Row, duration
from benchmarks.trend import CHAINS, INDICATORS, WEEKS, run, trend
from forecast.case.evidence import Evidence
from forecast.case.question import Question
from forecast.model.hmm import empty_filtered, refresh
from forecast.model.problem import Problem, build_problem

if TYPE_CHECKING:
    from forecast.inference.nuts.run import Sampler

MEASURED = 7  # weeks in which a refit is measured; WEEKS: all, which takes half an hour
TUNE, DRAWS, LONG = 500, 500, 2000  # of NUTS, a chain
FASTER, APART = 100, 0.015  # what is claimed
#: What the reference must reach: a posterior with two modes takes NUTS many draws. At most so many runs.
R_HAT, MCSE, RUNS = 1.01, APART / 5, 12
#: Particles a chain and length of the chains of `particles`: the best found for as many particles.
IBIS = ((4000, 50), (16_000, 100))


@dataclass(frozen=True)
class Measured:
    """What the weeks that were measured gave: W of them, K scenarios."""

    refit: list[float]  # seconds of NUTS in each week
    short: list[np.ndarray]  # (C, M, K) draws of the probabilities, in each week
    trend: dict[int, list[float]]  # seconds of our whole trend in each turn, by particles
    ours: dict[int, np.ndarray]  # (W, W, K): turn, week, scenario


def rows(
    weeks: int = WEEKS,
    indicators: int = INDICATORS,
    particles: Sequence[int] = (1000, 4000),
    measured: int = MEASURED,
    draws: tuple[int, int, int] = (TUNE, DRAWS, LONG),
    ibis: Sequence[tuple[int, int]] = IBIS,
) -> Iterator[Row]:
    """Measure all; the accuracy that is claimed is that of the most particles."""
    case = simulated(weeks, indicators)
    task = build_problem(*case, case[0].horizon)
    week = np.linspace(0, weeks - 1, measured).round().astype(int)
    tune, number, long = draws
    sampler = compiled(task)
    found = measure(case, task, sampler, week, particles, (tune, number))
    dates = week[1:]
    reference = [long_run(sampler, task, k, tune, long) for k in dates]
    truth = np.stack([one.mean(axis=(0, 1)) for one in reference])
    yield _reference(reference)
    size = f"{weeks} weeks x {indicators} indicators x {len(case[0].scenarios)} scenarios"
    between = f", interpolated from {measured}" if measured < weeks else ""
    against = f"NUTS each week, {CHAINS} x ({tune} tune + {number} draws){between}"
    total = whole(week, found.refit, weeks)
    for n in particles:
        seconds, claimed = FASTER * median(found.trend[n]), n == particles[-1]
        name = f"{FASTER} trends, {size}, {CHAINS} x {n:,} particles"
        yield Row(name, duration(seconds), against, duration(total), seconds / total, 1.0)
        ours = found.ours[n][:, 1:]
        spread = f"worst of {measured} seeds (standard deviation {ours.std(axis=0, ddof=1).max():.4f})"
        name = f"{CHAINS} x {n:,} particles, {spread}"
        yield _difference(name, np.abs(ours - truth).max(), 1.0 if claimed else None)
    error = max(
        np.abs(one.mean(axis=(0, 1)) - t).max() for one, t in zip(found.short[1:], truth, strict=True)
    )
    mcse = max(worst("mcse", one) for one in found.short[1:])
    yield _difference(f"the refits, {CHAINS} x {number} draws (standard error {mcse:.4f})", error)
    yield from _others(case, particles[-1], median(found.trend[particles[-1]]), dates, truth, ibis)


# --- NUTS ---------------------------------------------------------------------------------------------------


def compiled(task: Problem) -> Sampler:
    """Return nutpie's sampler of the model of a case, compiled."""
    from forecast.inference.nuts.run import Sampler

    return Sampler(task.layout, task.evidence, task.steps[-1].date)


def refit(sampler: Sampler, task: Problem, k: int, tune: int, draws: int, seed: int) -> np.ndarray:
    """Sample week k anew; return draws of the probability of each scenario, (C, M, K)."""
    step, key = task.steps[k], np.random.SeedSequence(seed)
    theta = sampler(step.date, draws=draws, tune=tune, chains=CHAINS, seed=key).theta
    flat = np.ascontiguousarray(theta.reshape(-1, theta.shape[-1]))
    filtered = empty_filtered(len(flat), 1, step.periods, task.layout.arrays)
    refresh(flat, step.sequence, task.cells, task.layout.arrays, filtered)
    return filtered.alpha[:, 0, -1].reshape(*theta.shape[:2], -1)


def long_run(sampler: Sampler, task: Problem, k: int, tune: int, draws: int) -> np.ndarray:
    """Sample week k again and again, until the mean of all chains is sure enough; return (C, M, K)."""
    found = refit(sampler, task, k, tune, draws, seed=1000 + k)
    for turn in range(2, RUNS + 1):
        if worst("mcse", found) <= MCSE:
            break
        found = np.concatenate([found, refit(sampler, task, k, tune, draws, seed=1000 * turn + k)])
    return found


def worst(statistic: str, draws: np.ndarray) -> float:
    """Return ArviZ's r_hat or mcse of the probability of the worst scenario, of draws (C, M, K)."""
    import arviz as az

    return max(float(getattr(az, statistic)(draws[..., s])) for s in range(draws.shape[-1]))


def measure(
    case: tuple[Question, Evidence],
    task: Problem,
    sampler: Sampler,
    week: np.ndarray,
    particles: Sequence[int],
    draws: tuple[int, int],
) -> Measured:
    """Measure a refit in each week, and after each our whole trend with a seed of its own."""
    refit(sampler, task, 0, 10, 10, seed=0)
    run(*case, 100)
    seconds, short = [], []
    taken: dict[int, list[float]] = {n: [] for n in particles}
    ours: dict[int, list[np.ndarray]] = {n: [] for n in particles}
    for turn, k in enumerate(week):
        one, found = timed(partial(refit, sampler, task, k, *draws, seed=turn))
        seconds.append(one)
        short.append(found)
        for n in particles:
            one, chains = timed(partial(run, *case, n, turn))
            taken[n].append(one)
            ours[n].append(trend(chains)[week])
    return Measured(seconds, short, taken, {n: np.array(found) for n, found in ours.items()})


def timed[T](function: Callable[[], T]) -> tuple[float, T]:
    """Return the seconds that a function takes, and what it returns."""
    start = time.perf_counter()
    found = function()
    return time.perf_counter() - start, found


def whole(week: np.ndarray, seconds: Sequence[float], weeks: int) -> float:
    """Return the sum over all weeks, from the seconds of some."""
    return float(np.interp(np.arange(weeks), week, seconds).sum())


def _reference(draws: Sequence[np.ndarray]) -> Row:
    """Return the row that tells whether the long run of NUTS, (C, M, K) at each date, can be held against."""
    r_hat, mcse = (max(worst(statistic, one) for one in draws) for statistic in ("rhat", "mcse"))
    chains = " to ".join(str(n) for n in sorted({min(map(len, draws)), max(map(len, draws))}))
    name = f"long NUTS at {len(draws)} dates, {chains} chains of {draws[0].shape[1]:,} draws"
    return Row(name, f"r_hat {r_hat:.4f}", "its own standard error at most", f"{mcse:.4f}", r_hat, R_HAT)


def _difference(name: str, error: float, limit: float | None = None) -> Row:
    against, allowed = "largest difference to long NUTS; allowed", f"{APART:.4f}"
    return Row(f"  {name}", f"{error:.4f}", against, allowed, float(error / APART), limit)


# --- other libraries ----------------------------------------------------------------------------------------


def installed(library: str) -> bool:
    """Tell whether a library is there."""
    return find_spec(library) is not None


def _others(
    case: tuple[Question, Evidence],
    particles: int,
    seconds: float,
    dates: np.ndarray,
    truth: np.ndarray,
    sizes: Sequence[tuple[int, int]],
) -> Iterator[Row]:
    """Hold our trend against what `particles` and dynamax make of the same inputs."""
    job, name = plain(*case), f"one trend, {CHAINS} x {particles:,} particles"
    missing = "not installed; add --group bench to uv run"
    others: dict[str, Callable[[], np.ndarray]] = {}
    if installed("particles"):
        from benchmarks.ibis import ibis

        ibis(job, 200, 20, CHAINS, seed=0)  # starts its processes
        for number, length in sizes:
            title = f"particles, IBIS, {CHAINS} x {number:,} in chains of {length}"
            others[title] = partial(ibis, job, number, length, CHAINS, seed=1)
    else:
        yield Row(name, duration(seconds), f"particles: {missing}")
    if installed("dynamax"):
        from benchmarks.weighted import weighted

        title = f"dynamax, vmapped over {CHAINS} x {particles:,} draws of the prior, weighted"
        others[title] = partial(weighted, job, CHAINS * particles, seed=1)
        weighted(job, CHAINS * particles, seed=0)  # compiles
    else:
        yield Row(name, duration(seconds), f"dynamax: {missing}")
    for title, other in others.items():
        theirs, found = timed(other)
        ours, _ = timed(partial(run, *case, particles))
        yield Row(name, duration(ours), title, duration(theirs), ours / theirs)
        yield _difference(title, np.abs(found[dates] - truth).max())
