"""Places, paths and ticks."""

from __future__ import annotations

import math
import re
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.report.brief.geometry import Box, area, marker, path, thinned, ticks

BOX = Box(left=10, top=20, width=200, height=100, first=date(2024, 1, 1), last=date(2024, 4, 10))
places = st.floats(-1e4, 1e4)


@given(st.integers(0, 100), st.floats(0, 1))
def test_a_point_lies_in_the_box(days, probability):
    x, y = BOX.x(BOX.first + timedelta(days)), BOX.y(probability)
    assert BOX.left - 1e-9 <= x <= BOX.left + BOX.width + 1e-9
    assert BOX.top - 1e-9 <= y <= BOX.top + BOX.height + 1e-9
    assert x == pytest.approx(10 + 2 * days)
    assert y == pytest.approx(120 - 100 * probability)


@given(st.lists(st.tuples(places, st.one_of(places, st.just(math.nan))), max_size=20))
def test_a_path_goes_through_every_point_and_breaks_at_every_gap(points):
    drawn = path([x for x, _ in points], [y for _, y in points])
    numbers = [float(text) for text in re.findall(r"-?[\d.]+", drawn)]
    there = [point for point in points if math.isfinite(point[1])]
    assert numbers == pytest.approx([value for point in there for value in point], abs=0.051)
    runs = "".join("." if math.isfinite(y) else " " for _, y in points).split()
    assert drawn.count("M") == len(runs)
    assert "nan" not in drawn


def test_an_area_has_a_shape_for_each_run():
    shapes = area([0, 1, 2, 3], [1, 1, math.nan, 1], [2, 2, 2, 2])
    assert shapes == "M0 1L1 1L1 2L0 2ZM3 1L3 2Z"


@given(st.integers(0, 500), st.integers(2, 60))
def test_thinning_keeps_the_ends_and_goes_evenly(count, most):
    found = thinned(count, most)
    assert len(found) == min(count, most)
    assert found == sorted(set(found))
    if count:
        assert (found[0], found[-1]) == (0, count - 1)
        steps = {later - earlier for earlier, later in pairwise(found)}
        assert not steps or max(steps) - min(steps) <= 1


@given(st.dates(date(1950, 1, 1), date(2090, 1, 1)), st.integers(0, 15_000), st.integers(3, 9))
def test_ticks_are_few_and_inside(first, length, most):
    last = first + timedelta(length)
    found = ticks(first, last, most)
    assert 1 <= len(found) <= most
    assert all(first <= day <= last for day, _ in found)
    assert [day for day, _ in found] == sorted({day for day, _ in found})


@pytest.mark.parametrize("shape", ["o", "s", "^", "D", "v", "P", "X", "x"])
def test_a_marker_stands_around_its_place(shape):
    drawn = marker(shape, 100.0, 50.0, 4.0)
    assert drawn.startswith("M")
    assert drawn.endswith("Z")
    if shape != "o":
        numbers = [float(text) for text in re.findall(r"-?[\d.]+", drawn)]
        assert all(abs(x - 100) < 6 for x in numbers[::2])
        assert all(abs(y - 50) < 6 for y in numbers[1::2])


def test_markers_differ():
    assert len({marker(shape, 0, 0, 4) for shape in "os^DvPX"}) == 7
