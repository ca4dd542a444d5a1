"""``python -m benchmarks.calibration_nuts``: the engine "nuts" held against simulation.

The model of a regime is compiled once and given the evidence of each simulated world. Every world is ranked,
also where the engine refuses itself. Prints p-values; 1 if a test says that the engine is not calibrated.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.calibration import ALARM, SEED, said, table
from benchmarks.table import machine
from tests.calibration.nuts import nuts
from tests.calibration.questions import JUDGED, QUESTIONS, as_of
from tests.calibration.ranks import simulate_ranks, uniformity
from tests.calibration.scores import spiegelhalter

NAME = "moves"


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate, print the tables; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration_nuts", description=__doc__)
    parser.add_argument("--number", type=int, default=200, help="simulations")
    parser.add_argument("--draws", type=int, default=1000, help="of a chain")
    parser.add_argument("--chains", type=int, default=4)
    chosen = parser.parse_args(arguments)
    question, refused = QUESTIONS[NAME](), list[str]()
    found = simulate_ranks(
        nuts(chosen.draws, chosen.chains, refused.append),
        question,
        judged=JUDGED[NAME],
        as_of=as_of(question),
        number=chosen.number,
        seed=SEED,
        progress=said(NAME, chosen.number),
    )
    rows = [[label, f"{uniformity(rank):.2g}"] for label, rank in found.rank.items()]
    for when, given in found.given.items():
        z, p = spiegelhalter(given, found.true[when])
        rows.append([f"Brier score {when} (z {z:+.2f})", f"{p:.2g}"])
    least, level = min(float(p) for _, p in rows), ALARM / len(rows)
    print(f"{machine()}\n\n{len(rows)} tests, each at {level:.1e}; least p-value {least:.2g}")
    print(f"refused by its own r_hat: {len(refused)} of {chosen.number}\n")
    print(table(("ranked", "p"), iter(rows)))
    return int(least < level)


if __name__ == "__main__":
    sys.exit(main())
