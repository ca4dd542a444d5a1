"""Filter of many variants of the evidence at once: as many units of one sequence, which share their cells.

Replicates of what is new on a date, and the evidence without one of its cells, differ in few cells. The
likelihood of a cell is worked out once for each theta, however many variants it stands in.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from forecast.model.cell_sequence import CellSequence
from forecast.model.dynamics import transition_matrices
from forecast.model.hmm import Filtered, empty_filtered, forward
from forecast.model.likelihood import Cells
from forecast.model.parameters import Arrays

AT_ONCE = 1_000_000  # numbers that the filter keeps at a time
UNLIKELY = 0.01  # times the likeliest entry time: what has been so far is not told in more detail


class Entry(NamedTuple):
    """A cell of each variant, -1 where it has none."""

    period: int
    cell: np.ndarray  # (number of variants,)
    exponent: float


def variants(entries: list[Entry], periods: int) -> CellSequence:
    """Return the sequence whose units are the variants.

    Examples
    --------
    >>> variants([Entry(0, np.array([4, 5]), 1.0), Entry(1, np.array([-1, 4]), 1.0)], 2).start.tolist()
    [[0, 1, 1], [1, 2, 3]]
    """
    entries = sorted(entries, key=lambda entry: entry.period)
    cell = np.stack([entry.cell for entry in entries], axis=1)
    there = cell >= 0
    pairs = np.stack([cell, np.broadcast_to([entry.exponent for entry in entries], cell.shape)])[:, there]
    kinds, kind = np.unique(pairs, axis=1, return_inverse=True)
    edges = np.searchsorted([entry.period for entry in entries], np.arange(periods + 1))
    count = np.zeros((len(cell), len(entries) + 1), np.int64)
    count[:, 1:] = there.cumsum(axis=1)
    before = np.concatenate([[0], count[:-1, -1].cumsum()])
    return CellSequence(
        kind=kind.reshape(-1).astype(np.int64),
        start=count[:, edges] + before[:, None],
        cell=kinds[0].astype(np.int64),
        exponent=np.ascontiguousarray(kinds[1]),
    )


def _likely_entries(log_alpha: np.ndarray) -> np.ndarray:
    """Give the probability of entry times (n, K, R) that are unlikely to the likeliest of their scenario."""
    if log_alpha.shape[-1] == 1:
        return log_alpha
    high = log_alpha.max(axis=-1, keepdims=True)
    share = np.exp(log_alpha - np.where(np.isfinite(high), high, 0.0))
    rare = share < UNLIKELY
    most = 1.0 + np.where(rare, share, 0.0).sum(axis=-1, keepdims=True)
    return np.where(rare, -np.inf, log_alpha + np.where(share == 1.0, np.log(most), 0.0))


def log_evidence(
    theta: np.ndarray,
    sequence: CellSequence,
    cells: Cells,
    a: Arrays,
    *,
    begin: int = 0,
    before: Filtered | None = None,
    unit: int = 0,
) -> np.ndarray:
    """Return log p(cells of each variant since period `begin`), (variants, n), at theta (n, D).

    `before` is the filter up to then, with its beliefs of the period before `begin`; its `unit` is the one of
    which there are variants. Entry times that are unlikely by then are not told apart.
    """
    number, periods = sequence.start.shape[0], sequence.start.shape[1] - 1
    width = max(periods * a.scenarios * a.runs, 1)
    some = max(AT_ONCE // (number * width), 1)
    filtered, log_evidence_of = empty_filtered(some, number, periods, a), np.empty((number, len(theta)))
    matrix = np.empty((len(theta), a.scenarios, a.scenarios))
    transition_matrices(theta, a, matrix)
    for n in range(0, len(theta), some):
        part = theta[n : n + some]
        work = Filtered(*(field[: len(part)] for field in filtered))
        work.matrix[:] = matrix[n : n + some]
        if before is not None and begin > 0:
            entries = _likely_entries(before.log_alpha[n : n + some, unit, begin - 1])
            work.log_alpha[:, :, begin - 1] = entries[:, None]
            work.belief[:] = before.belief[n : n + some, unit, None]
            work.period[:] = before.period[n : n + some, unit, None]
        forward(part, sequence, begin, cells, a, work)
        log_evidence_of[:, n : n + some] = work.log_norm[:, :, begin:].sum(axis=-1).T
    return log_evidence_of
