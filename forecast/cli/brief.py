"""``forecast brief``: write the weekly brief, for the browser or as Markdown. Nothing is issued."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from forecast.cli import errors
from forecast.cli.progress import progress_bar

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.folder import Case
    from forecast.report.brief.data import Findings
    from forecast.report.summary import Summary

PAGE = "brief.html"


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    as_of: date | None = None
    form: Literal["html", "md"] = "html"
    as_json: bool = False


def run(cases: Sequence[Path], options: Options, *, debug: bool = False) -> int:
    """Write each case's brief; return the exit code."""
    return errors.each(cases, lambda path: _brief(path, options), debug=debug)


def _brief(path: Path, options: Options) -> None:
    from forecast.cli import update
    from forecast.cli.standing import OUTPUT, forget
    from forecast.record.ledger import LEDGER, check, read_ledger
    from forecast.report.brief.data import gather
    from forecast.report.summary import summarise

    case = check(path)
    ledger = read_ledger(case.path / LEDGER)
    tree = update.infer(case, update.Options(as_of=options.as_of))
    summary = summarise(case, tree, ledger)
    findings = gather(summary, tree, ledger, change=change(case, tree))
    forget(case.path / OUTPUT)
    if options.form == "html":
        written = write_page(page(summary, findings), case.path / OUTPUT)
    else:
        written = update.write_output(summary, tree, findings) / "brief.md"
    if options.as_json:
        of = summary.inputs
        said = {"case": case.name, "as_of": of.as_of.isoformat(), "digest": of.digest, "brief": str(written)}
        print(json.dumps(said))
    else:
        print(f"The brief is in {written}.")


def change(case: Case, tree: xr.DataTree) -> xr.Dataset | None:
    """Split the move since the last issue, with a progress bar where somebody is watching."""
    from forecast.report.brief.data import change_of

    with progress_bar(f"{case.name}, what moved it") as progress:
        return change_of(case, tree, progress=progress)


def page(summary: Summary, findings: Findings) -> str:
    """Return the brief as a page."""
    from forecast.report.brief.write import brief_html

    return brief_html(summary, findings)


def write_page(text: str, folder: Path) -> Path:
    """Write a page to a case's output folder; return where it is."""
    folder.mkdir(exist_ok=True)
    path = folder / PAGE
    path.write_text(text, encoding="utf-8")
    return path
