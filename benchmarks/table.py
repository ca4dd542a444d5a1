"""One row is one claim, or one measurement without a claim."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numba
import numpy as np

HEAD = ("what", "measured", "against, in the same run", "", "ratio", "limit", "holds")


@dataclass(frozen=True)
class Row:
    """What was measured, what it is held against, and the number that must not exceed the limit."""

    name: str
    measured: str
    against: str = ""
    reference: str = ""
    ratio: float | None = None
    limit: float | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the claim holds; None where nothing is claimed, or nothing could be measured."""
        return None if self.ratio is None or self.limit is None else self.ratio <= self.limit

    def cells(self) -> tuple[str, ...]:
        """Return the row as it is printed."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        limit = "" if self.limit is None else f"{self.limit:g}"
        holds = {True: "yes", False: "NO", None: ""}[self.holds]
        return (self.name, self.measured, self.against, self.reference, ratio, limit, holds)


def versus(
    name: str, seconds: Sequence[float], against: str, reference: Sequence[float], limit: float | None = None
) -> Row:
    """Return the row of times held against others: medians, and the median of the ratios turn by turn."""
    ratio = median(one / other for one, other in zip(seconds, reference, strict=True))
    return Row(name, duration(median(seconds)), against, duration(median(reference)), ratio, limit)


def duration(seconds: float) -> str:
    """Return a time as people write it."""
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{1000 * seconds:.1f} ms"


def table(rows: Sequence[Row]) -> str:
    """Return a table that reads well on a terminal and in Markdown."""
    return markdown([HEAD, *(row.cells() for row in rows)])


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown of its head and its rows, the columns of one width."""
    width = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = [
        "| " + " | ".join(f"{cell:{w}}" for cell, w in zip(line, width, strict=True)) + " |" for line in lines
    ]
    text.insert(1, "|" + "|".join("-" * (w + 2) for w in width) + "|")
    return "\n".join(text)


def machine() -> str:
    """Return what it was measured on."""
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, "
        f"numpy {np.__version__}, numba {numba.__version__}"
    )
