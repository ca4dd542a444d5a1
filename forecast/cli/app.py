"""The commands, and what their failures look like.

Heavy modules are imported inside the commands: ``forecast --help`` is for a person who waits.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from forecast._version import __version__
from forecast.cli import errors, output
from forecast.cli.output import AsJson, AsOf, Cases, Debug
from forecast.cli.questions import questions

app = typer.Typer(
    name="forecast",
    help="Keep a question, its scenarios and its evidence; say how probable each scenario is.",
    epilog="Example: forecast update scenarios/isis-jn-2014 --as-of 2014-11-23",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


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
    alert: Annotated[
        float | None,
        typer.Option(min=0.0, metavar="POINTS", help="List what moved by more points since the last issue."),
    ] = None,
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
        alert=alert,
        dry_run=dry_run,
        as_json=as_json,
    )
    raise typer.Exit(run(cases, options, debug=debug))


@app.command(epilog="Example: forecast brief scenarios/isis-jn-2014 --as-of 2014-11-23")
def brief(
    cases: Cases,
    form: Annotated[
        Literal["html", "md"],
        typer.Option("--format", help="html: one page for screen, mail and paper; md: Markdown."),
    ] = "html",
    as_of: AsOf = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write the weekly brief to output/; nothing is issued."""
    from forecast.cli.brief import Options, run

    options = Options(as_of=as_of, form=form, as_json=as_json)
    raise typer.Exit(run(cases, options, debug=debug))


@app.command(epilog="Example: forecast trend scenarios/isis-jn-2014 --as-of 2014-11-23 --to trend.png")
def trend(
    cases: Cases,
    to: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw to a .png, .svg, .pdf or .html file, not the terminal."),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser", help="Open the interactive trend in the browser.")
    ] = False,
    as_of: AsOf = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Draw the trend of the probabilities; nothing is issued."""
    from forecast.cli.trend import Options, run

    options = Options(as_of=as_of, to=to, browser=browser, as_json=as_json)
    raise typer.Exit(run(cases, options, debug=debug))


app.add_typer(questions)


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
            stream.reconfigure(errors=output.handler())
    try:
        app(args=arguments, prog_name="forecast")
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 0
    except Exception as error:  # the last line of defence: the commands report their own failures
        return errors.report(error)
    return errors.DONE
