"""What stands in for a character that a terminal cannot show, so that nothing turns into its opposite.

The options that many commands share.
"""

from __future__ import annotations

import codecs
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

_NAME = "forecast-plain"

#: All of one width, so that tables stay straight.
_PLAIN = str.maketrans("▲▼−–·…▁▂▃▄▅▆▇█░", "+--" + "-*." + "12345678" + " ")


def handler() -> str:
    """Return the name of an error handler for streams; it replaces what it does not know by "?".

    Examples
    --------
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
