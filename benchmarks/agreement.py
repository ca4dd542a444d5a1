"""``python -m benchmarks.agreement [CASE...]``: both engines on every small case of the tests, side by side.

Minutes a case, for PyMC compiles a model for each. Exit code 1 if they differ by more than four combined
standard errors anywhere, now or at the horizon, where NUTS's own r_hat is below 1.01.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import numpy as np

from forecast.inference.engine import infer
from tests.cases import CASES, small

ERRORS = 4.0


def main(names: Sequence[str] | None = None) -> int:
    """Compare the engines on the cases that are named, or all; return the exit code."""
    worst = 0.0
    print("| case | largest difference | in combined errors | r_hat below 1.01 | seconds |")
    print("|---|---|---|---|---|")
    for name in names or CASES:
        started = time.perf_counter()
        difference, errors, refused = compare(name)
        worst = max(worst, 0.0 if refused else errors)
        seconds = time.perf_counter() - started
        says = "no, refused" if refused else "yes"
        print(f"| {name} | {difference:.4f} | {errors:.1f} | {says} | {seconds:.0f} |", flush=True)
    return int(worst > ERRORS)


def compare(name: str) -> tuple[float, float, str]:
    """Return the largest difference, in probability and in combined errors, and why NUTS refuses itself."""
    case = small(name, False)
    smc, nuts = (
        infer(case.question, case.evidence, as_of=case.as_of, draws=2000, seed=1, engine=engine)
        for engine in ("smc", "nuts")
    )
    difference, errors = 0.0, 0.0
    for group, last in (("trend", "as_of"), ("outlook", "date")):
        one, other = (tree[group].to_dataset().isel({last: -1}) for tree in (smc, nuts))
        apart = abs(one["probability"] - other["probability"])
        error = np.hypot(one["mcse"], other["mcse"]) + 1e-9
        difference, errors = max(difference, float(apart.max())), max(errors, float((apart / error).max()))
    return difference, errors, str(nuts.attrs["refused"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
