"""Output to the terminal, options shared by commands, and replacement of unencodable characters."""

from __future__ import annotations

import codecs
import json
import os
import shutil
import sys
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from typer import Option

_NAME = "forecast-plain"
LONGEST = 100  #: Longest line of running text

#: All of one width, so that tables stay straight.
_PLAIN = str.maketrans("▲▼−–·…▁▂▃▄▅▆▇█░", "+--" + "-*." + "12345678" + " ")


def handler() -> str:
    """Return the name of an error handler for streams; it replaces what it does not know by "?".

    >>> "▲ 0.7, ▼ 1.2, 48–75%, ü".encode("ascii", errors=handler())
    b'+ 0.7, - 1.2, 48-75%, ?'
    """
    codecs.register_error(_NAME, _plain)
    return _NAME


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_PLAIN)
    return text.encode("ascii", errors="replace").decode(), error.end


def lines(text: Iterable[str], *, file: TextIO | None = None) -> None:
    """Print lines of text."""
    for line in text:
        print(line, file=file)


def document(content: dict[str, Any]) -> None:
    """Print one JSON document, in a line."""
    print(json.dumps(content, allow_nan=False))


def remark(text: str) -> None:
    """Say something to a person who waits, outside what is piped."""
    print(text, file=sys.stderr)


def width() -> int:
    """Return the line width for text: the terminal's, at most LONGEST."""
    known = sys.stdout.isatty() or os.environ.get("COLUMNS")
    return min(shutil.get_terminal_size().columns, LONGEST) if known else LONGEST


Cases = Annotated[list[Path], typer.Argument(metavar="CASE...", help="Case folders.", show_default=False)]
AsJson = Annotated[bool, Option("--json", help="Print one JSON document per case, and nothing else.")]
Debug = Annotated[bool, Option("--debug", help="Show where an unexpected failure arose.")]


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        allowed = "a day of the calendar as YYYY-MM-DD"
        raise typer.BadParameter(f"not a day (found: {text}). Allowed: {allowed}.") from None


AsOf = Annotated[
    date | None,
    Option(
        parser=_day,
        metavar="DATE",
        help="Use the knowledge of this day.",
        show_default="the last day of the last finished period",
    ),
]
Draws = Annotated[int, Option(min=1, help="Draws per chain.")]
Chains = Annotated[int, Option(min=1, help="Independent particle systems.")]
Seed = Annotated[int, Option(min=0, help="Seed of the random numbers.")]
