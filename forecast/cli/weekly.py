"""Commands of the weekly workflow: new, check, update and brief."""

from __future__ import annotations

import sys
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from typer import Option

from forecast.case.errors import InputError
from forecast.cli import errors, output
from forecast.cli.output import AsJson, AsOf, Cases, Debug, Draws, Seed
from forecast.cli.progress import progress_bar, progress_bars
from forecast.record.ledger import LEDGER

if TYPE_CHECKING:
    import xarray as xr

    from forecast.analysis.review import Check
    from forecast.case.folder import Case
    from forecast.run import Weekly

commands = typer.Typer()


@commands.command(epilog="Example: forecast new scenarios/my-question --kind event")
def new(
    case: Annotated[Path, typer.Argument(metavar="CASE", help="Folder to make.", show_default=False)],
    kind: Annotated[
        Literal["event", "regime", "static", "minimal"],
        Option(
            help="event: will it have happened by a day; regime: a state that moves; static: a fixed truth."
        ),
    ] = "regime",
    debug: Debug = False,
) -> None:
    """Write a commented case that passes `check` and runs."""
    from forecast.case.folder import new_case

    def write(path: Path) -> None:
        new_case(path, kind=kind)
        print(f"Wrote {path}: edit question.yaml and evidence.csv, then run: forecast update {path}")

    errors.each([case], write, debug=debug)


@commands.command(epilog="Example: forecast check scenarios/isis-jn-2014")
def check(
    cases: Cases,
    review: Annotated[
        bool, Option("--review", help="Review the forecast: what to doubt in it, why, and what to do.")
    ] = False,
    referee: Annotated[
        bool, Option("--referee", help="Compute the forecast in every way there is, side by side (minutes).")
    ] = False,
    learning: Annotated[
        bool, Option("--learning", help="Compare with the forecast in which no judgement learns.")
    ] = False,
    as_of: AsOf = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Check everything an analyst wrote: every fault with its file, line, and what to do."""
    from forecast.report import json
    from forecast.report.text.tables import check_lines
    from forecast.run import check

    def one(path: Path) -> int:
        try:
            case = check(path)
            checks = _reviewed(case, as_of) if review else None
            compared = _compared(case, as_of, learning=learning, referee=referee)
        except Exception as error:
            if as_json and isinstance(error, InputError):
                output.document(json.faults(path.resolve().name, error.faults))
            return errors.report(error, debug=debug)
        if as_json:
            output.document(json.checked(case, checks, compared))
        else:
            output.lines(check_lines(path, case, checks or (), compared, width=output.width()))
        agree = "referee" not in compared or bool(compared["referee"]["agrees"].all())
        return errors.DONE if agree else errors.TOOLKIT_FAILED

    errors.each(cases, one, debug=debug)


def _reviewed(case: Case, as_of: date | None) -> list[Check]:
    from forecast.analysis.review import review
    from forecast.inference.engine import update

    return review(update(case, as_of=as_of))


def _compared(case: Case, as_of: date | None, *, learning: bool, referee: bool) -> dict[str, xr.Dataset]:
    """Return the cross-checks that were asked for, by name."""
    compared = {}
    if learning or referee:
        from forecast.analysis import cross_checks

        if learning:
            compared["learning"] = cross_checks.learning(case, as_of=as_of)
        if referee:
            from forecast.run import COMPILING_NUTS

            output.remark(COMPILING_NUTS)
            with progress_bar(case.name) as progress:
                compared["referee"] = cross_checks.referee(case, as_of=as_of, progress=progress)
    return compared


@commands.command(epilog="Example: forecast update scenarios/isis-jn-2014 --as-of 2014-11-23")
def update(
    cases: Cases,
    as_of: AsOf = None,
    engine: Annotated[
        Literal["smc", "nuts"],
        Option(help="smc: particles, in a second; nuts: PyMC's sampler, minutes, a second opinion."),
    ] = "smc",
    draws: Draws = 2000,
    chains: Annotated[int, Option(min=1, help="Independent particle systems, or Markov chains.")] = 4,
    seed: Seed = 0,
    tolerance: Annotated[
        float, Option(min=1e-6, max=1.0, help="Largest Monte Carlo error of a probability.")
    ] = 0.01,
    alert: Annotated[
        float | None,
        Option(min=0.0, metavar="POINTS", help="List what moved by more points since the last issue."),
    ] = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Print only: write and issue nothing.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Forecast: print the table, write brief and trend plot to output/, and issue to the ledger."""
    from forecast.report.text.forecast import print_table
    from forecast.run import weekly, weekly_many

    ends, codes = [], []
    with progress_bars() as progress:
        run = partial(
            weekly, as_of=as_of, engine=engine, draws=draws, chains=chains, seed=seed, tolerance=tolerance,
            dry_run=dry_run, document=as_json, progress=progress, notify=output.remark,
            on_summary=None if as_json else print_table,
        )  # fmt: skip
        for path, end in weekly_many(cases, run):
            ends.append((path, end))
            codes.append(_print_run(path, end, as_json=as_json, debug=debug, several=len(cases) > 1))
            if not as_json and len(ends) < len(cases):
                print()
    _print_end(ends, alert, as_json=as_json)
    raise typer.Exit(errors.worst(codes))


def _print_run(path: Path, run: Weekly | Exception, *, as_json: bool, debug: bool, several: bool) -> int:
    """Print what became of one case, and return its exit code."""
    if isinstance(run, Exception):
        if isinstance(run, BrokenPipeError):
            output.remark(f"{path.name}: not issued, for nobody reads the output any more.")
        return errors.report(run, debug=debug, case=path.name if several else "")
    if run.refused:
        output.remark(f"{run.case.name}: not issued, nothing was written: {run.refused}.")
        return errors.TOOLKIT_FAILED
    if as_json:
        print(run.document, end="")
    else:
        output.lines(_closing_lines(run))
    return errors.DONE


def _closing_lines(run: Weekly) -> list[str]:
    """Return what a run wrote and issued, or why it did not."""
    match run.status:
        case "dry run":
            return ["Dry run: nothing was written, nothing issued."]
        case "nothing changed":
            first = run.rows[0]
            since = f"as of {first.as_of}, issued {first.issued_at:%Y-%m-%d %H:%M} UTC"
            done = f"Nothing changed since the forecast {since}. Its brief is in {run.output}."
            return [f"{run.case.name}: {done}"]
    ledger = run.case.path / LEDGER
    issued = f"Issued to {ledger}." if run.status == "issued" else f"{ledger} holds this forecast already."
    return [f"Brief and trend plot are in {run.output}.", issued]


def _print_end(ends: list[tuple[Path, Weekly | Exception]], alert: float | None, *, as_json: bool) -> None:
    """Print a line for each of several cases, and what moved far."""
    from forecast.report.text.forecast import alert_lines, case_lines

    if not as_json:
        output.lines(case_lines([_end(path, run) for path, run in ends]))
    if alert is not None:
        runs = (run for _, run in ends if not isinstance(run, Exception))
        summaries = [run.summary for run in runs if run.summary]
        output.lines(alert_lines(summaries, alert), file=sys.stderr if as_json else sys.stdout)


def _end(path: Path, run: Weekly | Exception) -> tuple[str, str]:
    """Return a case's name with its most probable scenario and what became of it, or why there is none."""
    from forecast.report.number_format import counted
    from forecast.report.text.forecast import issued_leaders, leaders

    match run:
        case InputError(faults=faults):
            return path.name, f"not forecast: {counted(len(faults), 'fault')} in the input, listed above"
        case Exception():
            return path.name, "not forecast: the toolkit failed, as said above"
    status = "not issued: its engine refuses it" if run.refused else run.status
    most = leaders(run.summary) if run.summary else issued_leaders(run.case.question, run.rows)
    return run.case.name, f"{most}; {status}"


@commands.command(epilog="Example: forecast brief scenarios/isis-jn-2014 --as-of 2014-11-23")
def brief(
    cases: Cases,
    form: Annotated[
        Literal["html", "md"],
        Option("--format", help="html: one page for screen, mail and paper; md: Markdown."),
    ] = "html",
    as_of: AsOf = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write the weekly brief to output/; nothing is issued."""
    from forecast.run import brief

    def one(path: Path) -> None:
        with progress_bars() as progress:
            written, summary = brief(path, format=form, as_of=as_of, progress=progress, notify=output.remark)
        if as_json:
            of = summary.inputs
            names = {"case": summary.case.name, "as_of": of.as_of.isoformat(), "digest": of.digest}
            output.document(names | {"brief": str(written)})
        else:
            print(f"The brief is in {written}.")

    errors.each(cases, one, debug=debug)
