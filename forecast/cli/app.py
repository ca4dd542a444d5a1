"""Entry point of the command line: the command groups, global options and last-resort error handling.

Heavy modules are imported inside the commands: ``forecast --help`` is for a person who waits.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from forecast._version import __version__
from forecast.cli import errors, output, questions, weekly

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
    """Declare the global options of the command line."""


app.add_typer(weekly.commands)
app.add_typer(questions.commands)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line with what stands after ``forecast``; default: what the process was given.

    Returns 0 done; 1 the toolkit failed; 2 the input, or the way of calling, is at fault.
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
