"""``forecast update``: check, infer, print, write the brief and the plot, issue."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from forecast.cli import failures
from forecast.cli.progress import progress_bar

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.folder import Case
    from forecast.report.summary import Summary

#: Where everything goes that can be computed again.
OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    as_of: date | None = None
    engine: Literal["smc", "nuts"] = "smc"
    draws: int = 2000
    chains: int = 4
    seed: int = 0
    tolerance: float = 0.005
    dry_run: bool = False
    as_json: bool = False


def run(cases: Sequence[Path], options: Options, *, debug: bool = False) -> int:
    """Forecast each case, going on past those that fail; return the exit code."""
    codes = []
    for place, path in enumerate(cases):
        if place and not options.as_json:
            print()
        try:
            codes.append(_forecast(path, options))
        except Exception as error:
            codes.append(failures.report(error, debug=debug))
    return failures.worst(codes)


def _forecast(path: Path, options: Options) -> int:
    """Forecast one case; return the exit code. Nothing is written before all that can fail has been done."""
    from forecast.record.check import check
    from forecast.record.ledger import LEDGER, read_ledger
    from forecast.report.summary import summarise

    case = check(path)
    tree = infer(case, options)
    summary = summarise(case, tree, read_ledger(case.path / LEDGER))
    _print(summary, tree, as_json=options.as_json)
    if tree.attrs.get("refused"):
        print(f"{case.name}: not issued, nothing was written: {tree.attrs['refused']}.", file=sys.stderr)
        return failures.TOOLKIT_FAILED
    if options.dry_run:
        _say("Dry run: nothing was written, nothing issued.", options)
        return failures.DONE
    from forecast.record.issue import issue

    folder = write_output(summary, tree)
    issued = issue(case, tree)
    where = case.path / LEDGER
    _say(f"Brief and trend plot are in {folder}.", options)
    _say(f"Issued to {where}." if issued else f"{where} holds this forecast already.", options)
    return failures.DONE


def infer(case: Case, options: Options) -> xr.DataTree:
    """Run the inference, with a progress bar where somebody is watching."""
    from forecast.case.as_of import checked_as_of
    from forecast.inference.engine import update
    from forecast.model.compiled import cache_is_cold

    as_of = checked_as_of(case.question, options.as_of)
    if options.engine == "nuts":
        print("nuts: compiling the model first; this takes a minute or more.", file=sys.stderr)
    elif cache_is_cold():
        print("First run: compiling the numerical code, once; this takes about a minute.", file=sys.stderr)
    with progress_bar(case.name) as progress:
        return update(
            case,
            as_of=as_of,
            engine=options.engine,
            draws=options.draws,
            chains=options.chains,
            tolerance=options.tolerance,
            seed=options.seed,
            progress=progress,
        )


def write_output(summary: Summary, tree: xr.DataTree) -> Path:
    """Write brief and trend plot to the case's output folder, and return that folder."""
    from forecast.report.brief import brief
    from forecast.report.trend_plot import save, trend_plot

    folder = summary.case.path / OUTPUT
    folder.mkdir(exist_ok=True)
    missing = save(trend_plot(summary.case, tree), folder / "trend.png")
    if missing:
        print(f"trend.png: the plot's font has no {missing}: boxes stand in their place.", file=sys.stderr)
    (folder / "brief.md").write_text(brief(summary, picture="trend.png"), encoding="utf-8")
    return folder


def _print(summary: Summary, tree: xr.DataTree, *, as_json: bool) -> None:
    if as_json:
        from forecast.report.document import document

        print(json.dumps(document(summary, tree), allow_nan=False))
    else:
        from forecast.report.table import print_table

        print_table(summary)


def _say(text: str, options: Options) -> None:
    """Print a closing remark, unless standard output belongs to a program."""
    if not options.as_json:
        print(text)
