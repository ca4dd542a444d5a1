"""``python -m benchmarks [commands weekly filter trend ...]``: print the table; 1 if a claim fails."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence

from benchmarks import commands, engines, filters, trend, weekly
from benchmarks.table import Row, machine, table

PARTS: dict[str, Callable[[], Iterable[Row]]] = {
    "commands": commands.rows,
    "weekly": weekly.rows,
    "filter": filters.rows,
    "trend": trend.rows,
    "scaling": trend.scaling_rows,
    "engines": engines.rows,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the parts that are named, or all; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure every claim of speed.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; default: all")
    chosen = parser.parse_args(arguments).parts or list(PARTS)
    unknown = sorted(set(chosen) - set(PARTS))
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    load = os.getloadavg()[0]
    rows: list[Row] = []
    for name in chosen:
        print(f"measuring: {name}", file=sys.stderr)
        rows += PARTS[name]()
    print(f"{machine()}; load {load:.1f} before, {os.getloadavg()[0]:.1f} after\n\n{table(rows)}")
    return int(any(row.holds is False for row in rows))


if __name__ == "__main__":
    sys.exit(main())
