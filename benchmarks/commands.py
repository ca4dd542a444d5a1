"""What a person or a scheduled run waits for: whole processes, from start to exit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from itertools import count
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


def again(folder: Path) -> str:
    """Return the code of a second run in the same week, after the first has been made."""
    case = folder / "isis-jn-2014"
    shutil.copytree(
        ROOT / "scenarios" / "isis-jn-2014", case, ignore=shutil.ignore_patterns("output", "*.lock")
    )
    command = ["forecast", "update", str(case), "--as-of", "2014-11-23"]
    code = f"import sys; sys.argv = {command}; from forecast.cli import main; main()"
    python(code)
    return code


def slider() -> Callable[[], object]:
    """Return a move of a slider of the what-if panel, another each time."""
    from forecast.analysis.plug_in import quick
    from forecast.case.folder import load_case

    case, place = load_case(ROOT / "scenarios" / "isis-jn-2014"), count()
    return lambda: quick(
        case, as_of=date(2014, 11, 23), values={"reliability sohr": 0.3 + 0.01 * (next(place) % 60)}
    )


def import_rows() -> Iterator[Row]:
    """Check what is imported."""
    for name, code in (("import forecast", IMPORT), ("update --dry-run --json", UPDATE)):
        found = heavy_after(code)
        against = ", ".join(HEAVY)
        yield Row(f"heavy libraries loaded by {name}", " ".join(found) or "none", against, "", len(found), 0)


def rows(times: int = 9) -> Iterator[Row]:
    """Measure the command on the shipped case, and the import."""
    with tempfile.TemporaryDirectory() as folder:
        codes = {"update": UPDATE, "again": again(Path(folder)), "import": IMPORT, "libraries": LIBRARIES}
        runs: dict[str, Callable[[], object]] = {name: partial(python, code) for name, code in codes.items()}
        taken = by_turns(runs | {"slider": slider()}, times)
    against = f'python -c "{LIBRARIES}"'
    for name, limit, key in (
        ("forecast update isis-jn-2014 --dry-run --json", 5, "update"),
        ("forecast update isis-jn-2014, a second time", 2, "again"),
        ("import forecast", 1.5, "import"),
        ("the what-if panel, a move of a slider", 0.4, "slider"),
    ):
        yield versus(name, taken[key], against, taken["libraries"], limit)
    yield from import_rows()
