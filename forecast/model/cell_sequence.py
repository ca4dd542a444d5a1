"""Cells in time order as arrays, the difference of two sequences, and an annealed bridge between them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class CellSequence(NamedTuple):
    """The cells in their order of time: the evidence as it was known on one date.

    Cells that are alike (same indicator, same statements, same exponent) are one kind, whatever their
    period: their likelihood is worked out once for each particle.
    """

    kind: np.ndarray  # (n,) kind of each cell, by unit and period
    start: np.ndarray  # (U, T + 1) unit u, period t has the cells start[u, t] to start[u, t + 1]
    cell: np.ndarray  # (Q,) the cell of each kind, in ascending order
    exponent: np.ndarray  # (Q,) its exponent in the power likelihood


def unit_and_period(sequence: CellSequence) -> tuple[np.ndarray, np.ndarray]:
    """Return the unit and the period of each cell of a sequence."""
    units, edges = sequence.start.shape
    where = np.repeat(np.arange(units * (edges - 1)), np.diff(sequence.start, axis=1).ravel())
    return np.divmod(where, max(edges - 1, 1))


def without_periods(sequence: CellSequence) -> CellSequence:
    """Return a sequence of no periods, with the same kinds of cells."""
    return sequence._replace(kind=sequence.kind[:0], start=np.zeros((sequence.start.shape[0], 1), np.int64))


def tempered(sequence: CellSequence, power: float) -> CellSequence:
    """Return a sequence whose exponents are multiplied by a power."""
    return sequence if power == 1.0 else sequence._replace(exponent=power * sequence.exponent)


def _changed(old: CellSequence, new: CellSequence) -> tuple[np.ndarray, np.ndarray]:
    """Tell which cells of the old sequence are not in the new, and which of the new are not in the old."""
    size = 1 + max([int(sequence.cell.max()) for sequence in (old, new) if sequence.cell.size], default=0)
    codes = []
    for sequence in (old, new):
        unit, period = unit_and_period(sequence)
        codes.append((period * old.start.shape[0] + unit) * size + sequence.cell[sequence.kind])
    return ~np.isin(codes[0], codes[1]), ~np.isin(codes[1], codes[0])


def first_change(old: CellSequence, new: CellSequence) -> int:
    """Return the first period in which two sequences differ, at most the number of periods of the old."""
    first = old.start.shape[1] - 1
    for sequence, changed in zip((old, new), _changed(old, new), strict=True):
        if changed.any():
            first = min(first, int(unit_and_period(sequence)[1][changed].min()))
    return first


def bridge(old: CellSequence, new: CellSequence, part: float) -> CellSequence:
    """Return a sequence on the way from old to new: 1 - part of what goes, part of what comes."""
    gone, come = _changed(old, new)
    units, periods = new.start.shape[0], new.start.shape[1] - 1
    (old_unit, old_period), (unit, period) = unit_and_period(old), unit_and_period(new)
    where = np.concatenate([(old_unit * periods + old_period)[gone], unit * periods + period])
    order = np.argsort(where, kind="stable")
    weight = np.concatenate([np.full(gone.sum(), 1 - part), np.where(come, part, 1.0)])
    cell = np.concatenate([old.cell[old.kind][gone], new.cell[new.kind]])
    exponent = np.concatenate([old.exponent[old.kind][gone], new.exponent[new.kind]]) * weight
    kinds, kind = np.unique(np.stack([cell, exponent]), axis=1, return_inverse=True)
    edges = np.arange(units)[:, None] * periods + np.arange(periods + 1)
    return CellSequence(
        kind=kind.reshape(-1)[order].astype(np.int64),
        start=np.searchsorted(where[order], edges).astype(np.int64),
        cell=kinds[0].astype(np.int64),
        exponent=np.ascontiguousarray(kinds[1]),
    )
