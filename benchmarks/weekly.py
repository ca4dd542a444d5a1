"""The weekly run with its brief: the whole command, the Python function, and the parts of the brief."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from benchmarks.commands import LIBRARIES, ROOT, python
from benchmarks.table import Row, versus
from benchmarks.timing import by_turns

BEFORE, DAY = date(2014, 11, 16), date(2014, 11, 23)


def copied(folder: Path) -> tuple[Path, Callable[[], None]]:
    """Return a case with a forecast of the week before, and what takes away all that was written since."""
    from forecast.record.ledger import LEDGER
    from forecast.run import OUTPUT, weekly

    case = folder / "isis-jn-2014"
    shutil.copytree(ROOT / "scenarios" / case.name, case, ignore=shutil.ignore_patterns(OUTPUT, LEDGER))
    weekly(case, as_of=BEFORE)
    issued = (case / LEDGER).read_bytes()

    def reset() -> None:
        (case / LEDGER).write_bytes(issued)
        shutil.rmtree(case / OUTPUT, ignore_errors=True)

    return case, reset


def parts(case: Path, reset: Callable[[], None]) -> dict[str, Callable[[], object]]:
    """Return the weekly run and what it consists of, each to be called again and again."""
    import forecast
    from forecast.record.ledger import LEDGER
    from forecast.report.plots.base import save

    loaded, ledger = forecast.load_case(case), forecast.read_ledger(case / LEDGER)
    tree = forecast.update(loaded, as_of=DAY)
    summary = forecast.summarise(loaded, tree, ledger)
    change = forecast.changed_since_issue(loaded, tree, ledger=ledger)
    brief_data = forecast.gather(summary, tree, ledger, change=change)
    command = ["forecast", "update", str(case), "--as-of", DAY.isoformat()]
    code = f"import sys; sys.argv = {command}; from forecast.cli import main; main()"

    def update() -> None:
        reset()
        python(code)

    def weekly() -> None:
        reset()
        forecast.weekly(case, as_of=DAY)

    return {
        "libraries": lambda: python(LIBRARIES),
        "update": update,
        "inference": lambda: forecast.update(loaded, as_of=DAY),
        "weekly": weekly,
        "change": lambda: forecast.changed_since_issue(loaded, tree, ledger=ledger),
        "gather": lambda: forecast.gather(summary, tree, ledger, change=change),
        "html": lambda: forecast.brief_html(summary, brief_data),
        "plot": lambda: save(forecast.plot_trend(loaded, tree), case / "trend.png"),
    }


def rows(times: int = 7) -> Iterator[Row]:
    """Measure the command against its imports, the function and its parts against the inference."""
    with tempfile.TemporaryDirectory() as folder:
        seconds = by_turns(parts(*copied(Path(folder))), times)
    against = f'python -c "{LIBRARIES}"'
    yield versus(
        "forecast update isis-jn-2014, with brief", seconds["update"], against, seconds["libraries"], 16
    )
    for name, key, limit in (
        ("forecast.weekly", "weekly", 6),
        ("  what moved it since the last issue", "change", 2),
        ("  gather: all analyses of the brief", "gather", 1.2),
        ("  the page", "html", 0.3),
        ("  the trend plot", "plot", 1),
    ):
        yield versus(name, seconds[key], "forecast.update", seconds["inference"], limit)
