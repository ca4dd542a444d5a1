"""What one cell holds apart from theta, and many cells as arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from forecast.model.likelihood import CELL, REPORT, Cells
from forecast.model.statement import Statement


class Content(NamedTuple):
    """Everything the model needs of a cell, apart from theta."""

    indicator: int
    statements: tuple[Statement, ...] = ()
    quiet: float = 1.0
    active: float = 1.0
    hold: float = 0.0
    held: int = 0
    children: tuple[Content, ...] = ()


def flatten(contents: list[Content]) -> Cells:
    """Return contents as arrays: cell n is content n, and the children follow."""
    rows, child = list(contents), []
    for content in contents:
        child.append(len(rows))
        rows.extend(content.children)
    child += [0] * (len(rows) - len(contents))
    cell, end = np.zeros(len(rows), CELL), 0
    for n, row in enumerate(rows):
        first, end = end, end + len(row.statements)
        own = (row.indicator, row.quiet, row.active, row.hold, row.held)
        cell[n] = (*own, child[n], len(row.children), first, end)
    return Cells(cell, np.array([tuple(s) for row in rows for s in row.statements], REPORT))
