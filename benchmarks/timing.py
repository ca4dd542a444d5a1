"""Times of several functions, measured by turns, so that what else the machine does weighs on all of them."""

from __future__ import annotations

import time
from collections.abc import Callable


def by_turns(
    functions: dict[str, Callable[[], object]],
    times: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Call each function once to warm it up, then all of them by turns; return the times of each."""
    for function in functions.values():
        function()
    taken: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(times):
        for name, function in functions.items():
            start = clock()
            function()
            taken[name].append(clock() - start)
    return taken
