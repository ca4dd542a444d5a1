"""What each report says of its cell, and the chance of it, in logarithms.

The chance of one report of a number, given the true value x, is

    P(y | x) = passed 1[y = the original's] + lost u(y) + own (1 - c r) u(y) + own c r g(y | x)

with r the reliability, c the credibility factor, u(y) the chance of y as noise, and g(y | x) = 1[y = x], or
with a measurement error its distribution around x. What all values x share is called the base, the last term
but for g the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from forecast.model.jit import inlined
from forecast.model.logarithms import log_add

#: Where a report comes from.
TRUTH, NOISE, PASSED, LOST = range(4)

REPORT = np.dtype(
    [
        ("passed", np.float64),  # the chance that it was passed on, where it states what its original does
        ("lost", np.float64),  # the chance that it was passed on of an original that is withdrawn
        ("own", np.float64),  # the chance that it is the source's own: 1 unless it repeats another
        ("credibility", np.float64),
        ("value", np.float64),  # index of a category, or the number stated
        ("slot", np.int64),  # the reliability's slot in theta
        ("log_noise", np.float64),  # log u(y) of a number
        ("error", np.float64),  # how far a reliable report of a number may be off, 0: it states the number
        ("alike", np.int64),  # how far it is to the next report of the cell that states the same, 0: none
        ("again", np.bool_),  # whether an earlier report of the cell states the same
        ("node", np.int64),  # of a cell's first report: where the nodes of the cell begin, if any are kept
        ("nodes", np.int64),  # ... how many there are
    ],
    align=True,
)


class ReportTerm(NamedTuple):
    """One report's part in the likelihood of its cell: the first fields of REPORT."""

    passed: float
    lost: float
    own: float
    credibility: float
    value: float
    slot: int
    log_noise: float = 0.0
    error: float = 0.0


def report_array(cells: Sequence[Sequence[ReportTerm]]) -> np.ndarray:
    """Return the reports of cells, one after the other, as an array of REPORT.

    Those of a cell that state the same, with the same error, are linked.
    """
    report = np.zeros(sum(len(terms) for terms in cells), REPORT)
    j = 0
    for terms in cells:
        last: dict[tuple[float, float], int] = {}
        for term in terms:
            same = (term.value, term.error)
            before = last.get(same)
            report[j] = (*term, 0, before is not None, 0, 0)
            if before is not None:
                report[before]["alike"] = j - before
            last[same] = j
            j += 1
    return report


@inlined
def log_base(j: int, theta: np.ndarray, report: np.ndarray) -> float:
    """Return the log of the part of P(y | x) of a number that every value x shares."""
    noise = report[j].lost + report[j].own * (1.0 - report[j].credibility * theta[report[j].slot])
    return log_add(np.log(report[j].passed), np.log(noise) + report[j].log_noise)


@inlined
def log_truth(j: int, theta: np.ndarray, report: np.ndarray) -> float:
    """Return the log of the chance that a report tells what happened."""
    return np.log(report[j].own * report[j].credibility * theta[report[j].slot])
