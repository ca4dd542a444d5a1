"""Cells in their order of time, and the way from one such order to another."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from forecast.model.cell_sequence import CellSequence, bridge, first_change, unit_and_period

Cells = dict[tuple[int, int], list[int]]  # unit, period: kinds

EXPONENT = np.array([1.0, 0.5, 0.8, 1.0, 0.2])


def sequence(periods: int, cells: Cells, units: int = 2) -> CellSequence:
    kinds: list[int] = []
    start = np.zeros((units, periods + 1), np.int64)
    for u in range(units):
        for t in range(periods):
            start[u, t] = len(kinds)
            kinds += cells.get((u, t), [])
        start[u, periods] = len(kinds)
    return CellSequence(np.array(kinds, np.int64), start, np.arange(5), EXPONENT)


OLD = sequence(3, {(0, 0): [0, 1], (0, 2): [2], (1, 1): [3]})
NEW = sequence(4, {(0, 0): [0, 1], (0, 2): [4, 0], (1, 1): [3], (1, 3): [1]})


def unfolded(one: CellSequence) -> Counter[tuple[int, int, int, float]]:
    """How often each cell stands where, with what exponent; those of exponent 0 left out."""
    unit, period = unit_and_period(one)
    rows = zip(unit, period, one.cell[one.kind], one.exponent[one.kind].round(12), strict=True)
    return Counter((int(u), int(t), int(c), float(e)) for u, t, c, e in rows if e > 0)


def test_places():
    unit, period = unit_and_period(OLD)
    assert list(zip(unit, period, OLD.kind, strict=True)) == [(0, 0, 0), (0, 0, 1), (0, 2, 2), (1, 1, 3)]
    assert [len(x) for x in unit_and_period(sequence(0, {}))] == [0, 0]


@pytest.mark.parametrize(
    ("periods", "cells", "first"),
    [
        (3, {(0, 0): [0, 1], (0, 2): [2], (1, 1): [3]}, 3),  # the same
        (5, {(0, 0): [0, 1], (0, 2): [2], (1, 1): [3]}, 3),  # more periods, nothing in them
        (5, {(0, 0): [0, 1], (0, 2): [2], (1, 1): [3], (0, 4): [0]}, 3),
        (4, {(0, 0): [0, 1], (0, 2): [4], (1, 1): [3]}, 2),  # another in its place
        (4, {(0, 0): [0, 1], (0, 2): [2]}, 1),  # one gone
        (4, {(0, 0): [0, 1], (0, 2): [2], (0, 1): [3]}, 1),  # moved to the other unit
        (3, {(0, 0): [1], (0, 2): [2], (1, 1): [3]}, 0),
        (4, {}, 0),
    ],
)
def test_first_change(periods, cells, first):
    assert first_change(OLD, sequence(periods, cells)) == first


@pytest.mark.parametrize("part", [0.0, 0.5, 1.0])
def test_bridge(part):
    """What stays has its exponent, what comes `part` of it, what goes the rest."""
    between = bridge(OLD, NEW, part)
    assert between.start.shape == NEW.start.shape
    assert list(between.cell) == sorted(between.cell)
    expected: Counter[tuple[int, int, int, float]] = Counter()
    for (u, t, c, e), n in (unfolded(OLD) | unfolded(NEW)).items():
        stays = (u, t, c, e) in unfolded(OLD) and (u, t, c, e) in unfolded(NEW)
        share = 1.0 if stays else part if (u, t, c, e) in unfolded(NEW) else 1 - part
        if share > 0:
            expected[u, t, c, round(e * share, 12)] += n
    assert unfolded(between) == expected


def test_bridges_end_in_the_courses():
    assert unfolded(bridge(OLD, NEW, 0.0)) == unfolded(OLD)
    assert unfolded(bridge(OLD, NEW, 1.0)) == unfolded(NEW)
    nothing = sequence(0, {})
    assert unfolded(bridge(nothing, NEW, 1.0)) == unfolded(NEW)
    assert not unfolded(bridge(nothing, NEW, 0.0))
