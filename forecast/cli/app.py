"""The commands, and what their failures look like.

Heavy modules are imported inside the commands: ``forecast --help`` is for a person who waits.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from forecast import __version__
from forecast.cli import failures, plain

app = typer.Typer(
    name="forecast",
    help="Keep a question, its scenarios and its evidence; say how probable each scenario is.",
    epilog="Example: forecast update scenarios/isis-jn-2014 --as-of 2014-11-23",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Cases = Annotated[list[Path], typer.Argument(metavar="CASE...", help="Case folders.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document per case, and nothing else.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show where an unexpected failure arose.")]


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        allowed = "a day of the calendar as YYYY-MM-DD"
        raise typer.BadParameter(f"not a day (found: {text}). Allowed: {allowed}.") from None


AsOf = Annotated[
    date | None,
    typer.Option(
        parser=_day,
        metavar="DATE",
        help="Use the knowledge of this day.",
        show_default="the last day of the last finished period",
    ),
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"forecast {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@app.command(epilog="Example: forecast new scenarios/my-question")
def new(
    case: Annotated[Path, typer.Argument(metavar="CASE", help="Folder to make.", show_default=False)],
    debug: Debug = False,
) -> None:
    """Write a commented case that passes `check` and runs."""
    from forecast.cli.new import run

    raise typer.Exit(run(case, debug=debug))


@app.command(epilog="Example: forecast check scenarios/isis-jn-2014")
def check(
    cases: Cases,
    review: Annotated[
        bool, typer.Option("--review", help="Review the forecast: what to doubt in it, why, and what to do.")
    ] = False,
    referee: Annotated[
        bool,
        typer.Option("--referee", help="Compute the forecast in every way there is, side by side (minutes)."),
    ] = False,
    learning: Annotated[
        bool, typer.Option("--learning", help="Compare with the forecast in which no judgement learns.")
    ] = False,
    as_of: AsOf = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Check everything an analyst wrote: every fault with its file, line, and what to do."""
    from forecast.cli.check import Options, run

    options = Options(review=review, referee=referee, learning=learning, as_of=as_of, as_json=as_json)
    raise typer.Exit(run(cases, options, debug=debug))


@app.command(epilog="Example: forecast update scenarios/isis-jn-2014 --as-of 2014-11-23")
def update(
    cases: Cases,
    as_of: AsOf = None,
    engine: Annotated[
        Literal["smc", "nuts"],
        typer.Option(help="smc: particles, in a second; nuts: PyMC's sampler, minutes, a second opinion."),
    ] = "smc",
    draws: Annotated[int, typer.Option(min=1, help="Draws per chain.")] = 2000,
    chains: Annotated[int, typer.Option(min=1, help="Independent particle systems, or Markov chains.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random numbers.")] = 0,
    tolerance: Annotated[
        float, typer.Option(min=1e-6, max=1.0, help="Largest Monte Carlo error of a probability.")
    ] = 0.005,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print only: write and issue nothing.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Forecast: print the table, write brief and trend plot to output/, and issue to the ledger."""
    from forecast.cli.update import Options, run

    options = Options(
        as_of=as_of,
        engine=engine,
        draws=draws,
        chains=chains,
        seed=seed,
        tolerance=tolerance,
        dry_run=dry_run,
        as_json=as_json,
    )
    raise typer.Exit(run(cases, options, debug=debug))


@app.command(epilog="Example: forecast explain scenarios/isis-jn-2014 --as-of 2014-11-23")
def explain(
    cases: Cases,
    changed: Annotated[
        bool, typer.Option("--changed", help="Also say what moved it since the last issued forecast.")
    ] = False,
    question_was: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The question as it was then, if it has been edited since."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many cells and reports to name.")] = 8,
    as_of: AsOf = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say why: the weight of evidence of each cell and report, and what was taken away from it."""
    from forecast.cli.explain import Options, run

    options = Options(changed=changed, question_was=question_was, as_of=as_of, top=top, as_json=as_json)
    raise typer.Exit(run(cases, options, debug=debug))


@app.command(epilog='Example: forecast whatif scenarios/isis-jn-2014 --add "2014-11-20,fighting,no,rferl"')
def whatif(
    cases: Cases,
    add: Annotated[
        list[str] | None,
        typer.Option(metavar="REPORT", help='Imagine a report: "DATE,INDICATOR,VALUE,SOURCE[,...]".'),
    ] = None,
    drop: Annotated[list[str] | None, typer.Option(metavar="ID", help="Leave a report out.")] = None,
    drop_source: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Leave out all that a source reported.")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help='Judge otherwise: "reliability sohr=A", "prior=even".'
        ),
    ] = None,
    as_of: AsOf = None,
    draws: Annotated[int, typer.Option(min=1, help="Draws per chain.")] = 2000,
    chains: Annotated[int, typer.Option(min=1, help="Independent particle systems.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random numbers.")] = 0,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Forecast with other evidence or judgements, beside the forecast as it is. Nothing is written."""
    from forecast.cli.whatif import Options, run

    options = Options(
        add=tuple(add or ()),
        drop=tuple(drop or ()),
        drop_sources=tuple(drop_source or ()),
        set=tuple(changes or ()),
        as_of=as_of,
        draws=draws,
        chains=chains,
        seed=seed,
        as_json=as_json,
    )
    raise typer.Exit(run(cases, options, debug=debug))


@app.command(epilog="Example: forecast collect scenarios/isis-jn-2014 --as-of 2014-11-23")
def collect(
    cases: Cases,
    period: Annotated[
        Literal["present", "next"], typer.Option(help="The period that would be reported on.")
    ] = "next",
    indicator: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this indicator, with all its sources.")
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Ask this source about every indicator.")
    ] = None,
    cost: Annotated[
        list[str] | None, typer.Option(metavar="NAME=NUMBER", help='What asking costs: "sohr=2".')
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Lines to print.")] = 15,
    as_of: AsOf = None,
    draws: Annotated[int, typer.Option(min=1, help="Draws per chain.")] = 1000,
    chains: Annotated[int, typer.Option(min=1, help="Independent particle systems.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random numbers.")] = 0,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say what to look for next: the information that each report is expected to bring."""
    from forecast.cli.collect import Options, run

    options = Options(
        period=period,
        indicators=tuple(indicator or ()),
        sources=tuple(source or ()),
        costs=tuple(cost or ()),
        top=top,
        as_of=as_of,
        draws=draws,
        chains=chains,
        seed=seed,
        as_json=as_json,
    )
    raise typer.Exit(run(cases, options, debug=debug))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        What stands after ``forecast``; default: what the process was given.

    Returns
    -------
    int
        0 done; 1 the toolkit failed; 2 the input, or the way of calling, is at fault.
    """
    gc.set_threshold(100_000)  # imports alone make 700 new objects 100 times: a fifth of a short command
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=plain.handler())
    try:
        app(args=arguments, prog_name="forecast")
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 0
    except Exception as error:  # the last line of defence: the commands report their own failures
        return failures.report(error)
    return failures.DONE
