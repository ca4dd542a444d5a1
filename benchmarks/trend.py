"""The whole trend, as known on each date: its cost, its memory, its error, and how the cost grows."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.filters import arrays, numpy_filter
from benchmarks.simulated import simulated
from benchmarks.table import Row, duration, versus
from benchmarks.timing import by_turns
from forecast.case.evidence import Evidence
from forecast.case.question import Question
from forecast.inference.particles import Chain
from forecast.inference.smc import run_chain
from forecast.model.problem import build_problem

WEEKS, INDICATORS, CHAINS = 104, 10, 4
#: Sizes as factors of the usual, and the largest power of growth: of the whole, and of one sweep. More
#: indicators bring more sweeps too, as long as the effective size may never fall below half.
GROWTH = {
    "indicators": ((0.5, 1, 2), 2.0, 1.1),
    "particles": ((1, 2, 4), 1.1, None),
    "weeks": ((0.5, 1, 2), 2.0, None),
}


def run(question: Question, evidence: Evidence, particles: int, seed: int = 0) -> list[Chain]:
    """Run the chains of the whole trend as the engine does."""
    task = build_problem(question, evidence, question.horizon)

    def one(chain: int) -> Chain:
        return run_chain(task, chain=chain, particles=particles, seed=seed, progress=lambda: None)

    with ThreadPoolExecutor(max_workers=min(CHAINS, os.cpu_count() or 1)) as pool:
        return list(pool.map(one, range(CHAINS)))


def trend(chains: list[Chain]) -> np.ndarray:
    """Return the probability of each scenario as known at each date, (S, K)."""
    return np.mean([np.einsum("sn,snk->sk", c.weight, c.probability[:, :, 0]) for c in chains], axis=0)


def apart(question: Question, evidence: Evidence, particles: int) -> float:
    """Return by how much the trends of two seeds differ at most."""
    one, other = (trend(run(question, evidence, particles, seed)) for seed in (1, 2))
    return float(np.abs(one - other).max())


def rows(
    weeks: int = WEEKS, indicators: int = INDICATORS, particles: Sequence[int] = (1000, 4000), times: int = 5
) -> Iterator[Row]:
    """Measure the trend; the limits are those of the fewest particles."""
    case = simulated(weeks, indicators)
    given = arrays(CHAINS * particles[0], weeks, len(case[0].scenarios))
    functions: dict[str, Callable[[], object]] = {str(n): partial(run, *case, n) for n in particles}
    functions["numpy"] = lambda: numpy_filter(*given)
    taken = by_turns(functions, times)
    size = f"{weeks} weeks x {indicators} indicators x {len(case[0].scenarios)} scenarios"
    against = f"plain numpy filter, {CHAINS * particles[0]:,} x {weeks} x {len(case[0].scenarios)}"
    for number, n in enumerate(particles):
        limit = None if number else 40
        name = f"trend, {size}, {CHAINS} x {n:,} particles"
        yield versus(name, taken[str(n)], against, taken["numpy"], limit)
    for number, n in enumerate(particles):
        yield Row(f"  two seeds apart at most, {CHAINS} x {n:,} particles", f"{apart(*case, n):.4f}")
        gigabytes = peak_memory(weeks, indicators, n)
        limits = (None, None) if number else (gigabytes, 1.0)
        name = f"  peak memory with the result, {CHAINS} x {n:,} particles"
        yield Row(name, f"{gigabytes:.2f} GB", "", "", *limits)


def scaling_rows(
    weeks: int = WEEKS, indicators: int = INDICATORS, particles: int = 1000, times: int = 3
) -> Iterator[Row]:
    """Measure how the cost grows: the slope of the logarithm of processor time over that of the size."""
    usual = {"weeks": weeks, "indicators": indicators, "particles": particles}
    for name, (factors, limit, sweep_limit) in GROWTH.items():
        scaled = [max(round(usual[name] * factor), 1) for factor in factors]
        functions: dict[str, Callable[[], object]] = {}
        sweeps = []
        for size in scaled:
            wanted = usual | {name: size}
            case = simulated(wanted["weeks"], wanted["indicators"])
            functions[str(size)] = partial(run, *case, wanted["particles"])
            sweeps.append(sum(int(chain.moves.sum()) for chain in run(*case, wanted["particles"])) // CHAINS)
        seconds = [median(taken) for taken in by_turns(functions, times, time.process_time).values()]
        measured = ", ".join(duration(second) for second in seconds)
        against = f"{name} {_list(scaled)} (sweeps {_list(sweeps)})"
        title = f"processor time grows with {name}, to the power of"
        yield Row(title, measured, against, "", slope(scaled, seconds), limit)
        each = [second / CHAINS / max(number, 1) for second, number in zip(seconds, sweeps, strict=True)]
        yield Row("  per sweep", ", ".join(map(duration, each)), "", "", slope(scaled, each), sweep_limit)


def slope(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Return the power with which time grows with size."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def peak_memory(weeks: int, indicators: int, particles: int) -> float:
    """Return the peak memory in GB of a process that infers the whole result."""
    command = [sys.executable, "-m", "benchmarks.memory", *map(str, (weeks, indicators, particles))]
    root = Path(__file__).parents[1]
    return float(subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout)
