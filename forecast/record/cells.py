"""What may stand in each column of the ledger, and how it is read."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any


def _utc(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _probability(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:  # refuses nan as well
        raise ValueError(text)
    return number


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise ValueError(text)
    return number


def _word(text: str) -> str:
    if not text.strip():
        raise ValueError(text)
    return text


_DATE = (date.fromisoformat, "a date, YYYY-MM-DD")
_CHANCE = (_probability, "a number from 0 to 1")
_WHOLE = (int, "a whole number")
_NAME = (_word, "a name")

#: By column: how a cell is read, and what it may be.
FORMS: dict[str, tuple[Callable[[str], Any], str]] = {
    "issued_at": (_utc, "a time in UTC, YYYY-MM-DDThh:mm:ssZ"),
    "as_of": _DATE,
    "unit": (str, "a unit, or nothing"),
    "scenario": _NAME,
    **dict.fromkeys(("probability", "low", "high"), _CHANCE),
    "horizon": _DATE,
    **dict.fromkeys(("horizon_probability", "horizon_low", "horizon_high"), _CHANCE),
    "engine": _NAME,
    "draws": _WHOLE,
    "chains": _WHOLE,
    "tolerance": (_positive, "a positive number"),
    "seed": _WHOLE,
    "digest": _NAME,
    "version": _NAME,
}
