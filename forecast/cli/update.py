"""``forecast update``: check, infer, print, write the brief and the plot, issue.

What was issued from the very same inputs is not inferred again: a run repeated within the week says that
nothing changed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from forecast.cli import errors
from forecast.cli.brief import change, page, write_page
from forecast.cli.progress import progress_bar
from forecast.cli.standing import OUTPUT, forget, standing, write_document

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.folder import Case
    from forecast.cli.weekly import Outcome
    from forecast.record.ledger import Entry, Inputs
    from forecast.report.brief.data import Findings
    from forecast.report.summary import Summary


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    as_of: date | None = None
    engine: Literal["smc", "nuts"] = "smc"
    draws: int = 2000
    chains: int = 4
    seed: int = 0
    tolerance: float = 0.005
    alert: float | None = None
    dry_run: bool = False
    as_json: bool = False


def run(cases: Sequence[Path], options: Options, *, debug: bool = False) -> int:
    """Forecast each case, going on past those that fail; return the exit code."""
    from forecast.cli.weekly import alert_lines, case_lines, failed

    outcomes: list[Outcome] = []
    for place, path in enumerate(cases):
        if place and not options.as_json:
            print()
        try:
            outcomes.append(_forecast(path, options))
        except Exception as error:
            case = path.name if len(cases) > 1 else ""
            if isinstance(error, BrokenPipeError):
                print(f"{path.name}: not issued, for nobody reads the output any more.", file=sys.stderr)
            outcomes.append(failed(path.name, errors.report(error, debug=debug, case=case), error))
    for line in [] if options.as_json else case_lines(outcomes):
        print(line)
    for line in [] if options.alert is None else alert_lines(outcomes, options.alert):
        print(line, file=sys.stderr if options.as_json else sys.stdout)
    return errors.worst([outcome.code for outcome in outcomes])


def _forecast(path: Path, options: Options) -> Outcome:
    """Forecast one case. Nothing is written before all that can fail has been done."""
    from forecast.cli.weekly import forecasted
    from forecast.record.ledger import LEDGER, check, read_ledger
    from forecast.report.summary import summarise

    case = check(path)
    ledger = read_ledger(case.path / LEDGER)
    rows, text = standing(case, ledger, _made_from(case, options))
    if rows and not options.dry_run:
        return _unchanged(case, rows, text, options)
    tree = infer(case, options)
    summary = summarise(case, tree, ledger)
    moved, text = _print(summary, tree, options)
    if tree.attrs.get("refused"):
        print(f"{case.name}: not issued, nothing was written: {tree.attrs['refused']}.", file=sys.stderr)
        return forecasted(summary, errors.TOOLKIT_FAILED, "not issued: its engine refuses it")
    if options.dry_run:
        _print_document(text, options)
        _say("Dry run: nothing was written, nothing issued.", options)
        return forecasted(summary, errors.DONE, "dry run")
    from forecast.record.issue import issue
    from forecast.report.brief.data import gather

    forget(case.path / OUTPUT)
    folder = write_output(summary, tree, gather(summary, tree, ledger, change=moved))
    issued = issue(case, tree)
    write_document(folder, text)
    _print_document(text, options)
    where = case.path / LEDGER
    _say(f"Brief and trend plot are in {folder}.", options)
    _say(f"Issued to {where}." if issued else f"{where} holds this forecast already.", options)
    return forecasted(summary, errors.DONE, "issued" if issued else "issued before")


def _made_from(case: Case, options: Options) -> Inputs:
    """Return everything that would decide this forecast's numbers."""
    from forecast._version import __version__
    from forecast.case.in_force import checked_as_of
    from forecast.record.ledger import Inputs

    return Inputs(
        checked_as_of(case.question, options.as_of),
        case.digest,
        options.engine,
        options.draws,
        options.chains,
        options.tolerance,
        options.seed,
        __version__,
    )


def _unchanged(case: Case, rows: Sequence[Entry], text: str, options: Options) -> Outcome:
    """Say that nothing changed; a program is given the document that it was given before."""
    from forecast.cli.weekly import unchanged

    if options.as_json:
        print(text, end="")
    first = rows[0]
    said = f"Nothing changed since the forecast as of {first.as_of}, issued {first.issued_at:%Y-%m-%d %H:%M}"
    _say(f"{case.name}: {said} UTC. Its brief is in {case.path / OUTPUT}.", options)
    return unchanged(case, rows)


def infer(case: Case, options: Options) -> xr.DataTree:
    """Run the inference, with a progress bar where somebody is watching."""
    from forecast.case.in_force import checked_as_of
    from forecast.inference.engine import update
    from forecast.model.jit import cache_is_cold

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


def write_output(summary: Summary, tree: xr.DataTree, findings: Findings) -> Path:
    """Write briefs and trend plot to the case's output folder, and return that folder."""
    from forecast.report.brief.markdown import brief
    from forecast.report.plots.base import save
    from forecast.report.plots.trend import plot_trend

    text, markdown = page(summary, findings), brief(summary, findings, picture="trend.png")
    folder = write_page(text, summary.case.path / OUTPUT).parent
    missing = save(plot_trend(summary.case, tree), folder / "trend.png")
    if missing:
        print(f"trend.png: the plot's font has no {missing}: boxes stand in their place.", file=sys.stderr)
    (folder / "brief.md").write_text(markdown, encoding="utf-8")
    return folder


def _print(summary: Summary, tree: xr.DataTree, options: Options) -> tuple[xr.Dataset | None, str]:
    """Print the table; return what moved it, and the document as a line, for programs.

    Who only looks at a table is not kept waiting for either.
    """
    from forecast.report.json import document

    if not options.as_json:
        from forecast.report.table import print_table

        print_table(summary)
        if options.dry_run:
            return None, ""
    moved = change(summary.case, tree)
    text = json.dumps(document(summary, tree, moved), allow_nan=False) + "\n"
    return moved, text


def _print_document(text: str, options: Options) -> None:
    """Print the document where that was asked for: only of a forecast that was issued, or on a dry run."""
    if options.as_json:
        print(text, end="")


def _say(text: str, options: Options) -> None:
    """Print a closing remark, unless standard output belongs to a program."""
    if not options.as_json:
        print(text)
