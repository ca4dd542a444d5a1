"""What a person or a scheduled run waits for: whole processes, from start to exit."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.table import Row, versus
from benchmarks.timing import by_turns

ROOT = Path(__file__).parents[1]
HEAVY = ("arviz", "matplotlib", "preliz", "pymc")

IMPORT = "import forecast"
COMMAND = ["forecast", *["update", "scenarios/isis-jn-2014", "--as-of", "2014-11-23", "--dry-run", "--json"]]
UPDATE = f"import sys; sys.argv = {COMMAND}; from forecast.cli import main; main()"
LIBRARIES = "import xarray, pandas"


def python(code: str) -> str:
    """Run code in a process of its own and return what it prints on standard error."""
    # Compiled modules are kept, as they are wherever nobody switched that off.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stderr


def heavy_after(code: str) -> list[str]:
    """Return the heavy libraries that a process has loaded after running code."""
    look = f"import sys; print(*(name for name in {HEAVY} if name in sys.modules), file=sys.stderr)"
    return python(f"{code}\n{look}").split()


def import_rows() -> Iterator[Row]:
    """Check what is imported."""
    for name, code in (("import forecast", IMPORT), ("update --dry-run --json", UPDATE)):
        found = heavy_after(code)
        against = ", ".join(HEAVY)
        yield Row(f"heavy libraries loaded by {name}", " ".join(found) or "none", against, "", len(found), 0)


def rows(times: int = 9) -> Iterator[Row]:
    """Measure the command on the shipped case, and the import."""
    codes = {"update": UPDATE, "import": IMPORT, "libraries": LIBRARIES}
    taken = by_turns({name: partial(python, code) for name, code in codes.items()}, times)
    against = f'python -c "{LIBRARIES}"'
    for name, limit, key in (
        ("forecast update isis-jn-2014 --dry-run --json", 5, "update"),
        ("import forecast", 1.5, "import"),
    ):
        yield versus(name, taken[key], against, taken["libraries"], limit)
    yield from import_rows()
