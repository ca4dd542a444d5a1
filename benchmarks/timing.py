"""Times of several functions, measured by turns."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median


def by_turns(functions: dict[str, Callable[[], object]], times: int) -> dict[str, float]:
    """Call each function once to warm it up, then all of them by turns; return the median of each."""
    for function in functions.values():
        function()
    taken: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(times):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            taken[name].append(time.perf_counter() - start)
    return {name: median(found) for name, found in taken.items()}
