"""``forecast trend``: draw the trend in the terminal, to a file, or in the browser. Nothing is issued."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from forecast.case.errors import Fault, InputError, listed
from forecast.cli import errors
from forecast.cli.update import Options as Settings
from forecast.cli.update import infer

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.folder import Case

#: What a file can be, by the end of its name; the last is a page to look at with a pointer.
PICTURES, PAGE = (".png", ".svg", ".pdf"), ".html"


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    as_of: date | None = None
    to: Path | None = None
    browser: bool = False
    as_json: bool = False


def run(cases: Sequence[Path], options: Options, *, debug: bool = False) -> int:
    """Draw each case's trend; return the exit code."""
    try:
        _check_file(options.to, len(cases))
    except InputError as error:
        return errors.report(error)
    apart = not options.as_json
    return errors.each(cases, lambda path: _draw(path, options), debug=debug, apart=apart)


def _check_file(to: Path | None, cases: int) -> None:
    """Refuse a file that cannot be written, or not for so many cases, before anything is inferred."""
    if to is None:
        return
    allowed = (*PICTURES, PAGE)
    if to.suffix.lower() not in allowed:
        fault = Fault(
            "--to", 0, str(to), "no such form of picture", listed(allowed), "end the name in one of these"
        )
        raise InputError([fault])
    if not to.absolute().parent.is_dir():
        fault = Fault(
            "--to", 0, str(to), "there is no such folder", "a folder that is there", "make it first"
        )
        raise InputError([fault])
    if cases > 1:
        fix = "give one case, or leave --to out"
        raise InputError([Fault("--to", 0, str(to), f"one file for {cases} cases", "one case", fix)])


def _draw(path: Path, options: Options) -> None:
    from forecast.record.ledger import check

    case = check(path)
    tree = infer(case, Settings(as_of=options.as_of))
    if options.as_json:
        print(json.dumps(_document(case, tree), allow_nan=False))
    to = options.to
    if options.browser and to is None:
        to = case.path / "output" / "trend.html"
        to.parent.mkdir(exist_ok=True)
    if to is not None:
        _save(case, tree, to)
        _say(f"The trend is in {to}.", options)
    if options.browser and to is not None and not _open(to):
        print(f"no browser could be opened: open {to} yourself", file=sys.stderr)
    if to is None and not options.as_json:
        _print(case, tree)


def _save(case: Case, tree: xr.DataTree, to: Path) -> None:
    from forecast.report.plots.base import save
    from forecast.report.plots.trend import plot_trend

    if to.suffix.lower() == PAGE:
        plot_trend(case, tree, backend="plotly").write_html(to, include_plotlyjs=True)
    else:
        missing = save(plot_trend(case, tree), to)
        if missing:
            print(f"{to}: the plot's font has no {missing}: boxes stand in their place.", file=sys.stderr)


def _open(to: Path) -> bool:
    import webbrowser

    return webbrowser.open(to.resolve().as_uri())


def _document(case: Case, tree: xr.DataTree) -> dict[str, object]:
    """Return the courses alone, as they stand in the document of `forecast update`."""
    from forecast.report.json import document
    from forecast.report.summary import summarise

    whole = document(summarise(case, tree), tree)
    names = ("case", "as_of", "horizon", "engine", "digest", "trend", "outlook", "units")
    return {name: whole[name] for name in names if name in whole}


def _print(case: Case, tree: xr.DataTree) -> None:
    from rich.console import Console
    from rich.text import Text

    from forecast.case.in_force import ever
    from forecast.report.styles import scenario_styles
    from forecast.report.trend_text import trend_text

    console = Console(highlight=False)
    styles = scenario_styles(ever(case.question))
    scenarios = case.on(date.fromisoformat(str(tree.attrs["as_of"]))).question.scenarios
    colours = [styles[scenario.id].colour for scenario in scenarios]
    console.print(Text(f"{case.question.title} ({case.name}, as of {tree.attrs['as_of']})", style="bold"))
    for unit in case.question.units or ("",):
        console.print(Text(unit, style="bold"))
        height = min(20, max(console.size.height - 12, 8))
        drawn = trend_text(case, tree, unit=unit, width=min(console.width, 120), height=height)
        for row, owner in zip(drawn.rows, drawn.owner, strict=True):
            line = Text(row, no_wrap=True, overflow="crop")
            for column, place in enumerate(owner[: len(row)]):
                if place >= 0:
                    line.stylize(colours[place], column, column + 1)
            console.print(line)


def _say(text: str, options: Options) -> None:
    if not options.as_json:
        print(text)
