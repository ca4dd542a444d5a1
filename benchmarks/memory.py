"""``python -m benchmarks.memory WEEKS INDICATORS PARTICLES``: peak memory of one inference, in GB."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from benchmarks.simulated import simulated
from forecast.inference.engine import infer

STATUS = Path("/proc/self/status")


def peak() -> float:
    """Return the most memory that this process has held, in GB.

    Where Linux tells it, not by `getrusage`, whose figure begins with that of the process that started this.
    """
    if STATUS.exists():
        found = [line.split()[1] for line in STATUS.read_text().splitlines() if line.startswith("VmHWM")]
        if found:
            return int(found[0]) * 1024 / 1e9
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def main(weeks: int, indicators: int, particles: int) -> None:
    """Infer without doubling the particles, and print the most memory that the process held."""
    question, evidence = simulated(weeks, indicators)
    infer(question, evidence, as_of=question.horizon, draws=particles, tolerance=1.0)
    print(peak())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
