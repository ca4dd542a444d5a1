"""What each report weighs when it is left out, read in the five ways in which a cell is read.

For the report r in the cell c, with all other cells as they count in the forecast, with r and without it,

    weight_k(r) = log odds(others, reading k of c) - log odds(others without r, reading k of c without r)

so that the last of the five is the report's weight of evidence, and what one reading has less than the one
before is what that reason for caution took away. Leaving r out may also change other cells: the value that a
later one holds on to, and the exponents of its group.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from forecast.analysis.cell_weights import PARTS, Readings, log_odds, readings
from forecast.case.evidence import Evidence
from forecast.case.question import Question


def report_weights(
    question: Question, evidence: Evidence, as_of: date, found: Readings, ids: Sequence[str]
) -> np.ndarray:
    """Return the weight of each report in each reading, (5, R, K), natural logarithms.

    `found` are the readings of all cells. A report that is in none of them (it waits) weighs nothing.
    """
    weight = np.zeros((len(PARTS) + 1, len(ids), len(found.prior)))
    cell = {report.id: c for c, reports in enumerate(found.reports) for report in reports}
    for n, id in enumerate(ids):
        if id in cell:
            key = found.keys[cell[id]]
            less = readings(question, evidence, as_of, without=id)
            weight[:, n] = log_odds(found, _read(found, key)) - log_odds(less, _read(less, key))
    return weight


def _read(found: Readings, key: tuple[int, int, int]) -> np.ndarray:
    """Return log L_t(s), (5, T, K), of a cell's unit: this cell in each reading, the others as they count."""
    total = np.zeros((len(found.log_m), found.periods, len(found.prior)))
    for c, other in enumerate(found.keys):
        if other[0] == key[0]:
            total[:, other[1] if found.regime else 0] += (
                found.log_m[:, c] if other == key else found.log_m[-1, c]
            )
    return total
