"""The options that many commands share."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

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
