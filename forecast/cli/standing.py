"""Whether a forecast was issued before from the very same inputs, and what it wrote still stands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forecast.case.folder import Case
    from forecast.record.ledger import Entry, Inputs

#: Where everything goes that can be computed again, and the forecast there as a document for programs.
OUTPUT, DOCUMENT = "output", "forecast.json"

#: What else `forecast update` writes there.
WRITTEN = ("brief.html", "brief.md", "trend.png")


def standing(case: Case, ledger: Sequence[Entry], made_from: Inputs) -> tuple[tuple[Entry, ...], str]:
    """Return the ledger's rows of this very forecast and its document; nothing if it is to be made anew.

    It is to be made anew if it was never issued, if a row of it is missing, or if what lies in the output
    folder is not all of it: the document there must have the ledger's probabilities to the last digit.
    """
    rows = tuple(entry for entry in ledger if entry.inputs == made_from)
    folder = case.path / OUTPUT
    scenarios = case.on(made_from.as_of).question.scenarios
    wanted = {(unit, s.id) for unit in case.question.units or ("",) for s in scenarios}
    if {(row.unit, row.scenario) for row in rows} != wanted or len(rows) != len(wanted):
        return (), ""
    try:
        text = (folder / DOCUMENT).read_text(encoding="utf-8")
        same = all((folder / name).exists() for name in WRITTEN) and _numbers(json.loads(text)) == {
            (row.unit, row.scenario): (row.probability, row.horizon_probability) for row in rows
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # gone, or not what was written there
        return (), ""
    return (rows, text) if same else ((), "")


def write_document(folder: Path, text: str) -> None:
    """Write the document, last of all that is written: it says that the rest stands."""
    (folder / DOCUMENT).write_text(text, encoding="utf-8")


def forget(folder: Path) -> None:
    """Take the document away, before what it vouches for is written over."""
    (folder / DOCUMENT).unlink(missing_ok=True)


def _numbers(document: dict[str, Any]) -> dict[tuple[str, str], tuple[float, float]]:
    """Return the probabilities of a document, now and at the horizon, by unit and scenario."""
    return {
        (view.get("unit", ""), one["id"]): (one["probability"], one["at_horizon"]["probability"])
        for view in document.get("units", [document])
        for one in view["scenarios"]
    }
