"""The trend as a picture: places, paths and ticks, and the shapes of a result made up by hand."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.record.issue import entries
from forecast.report.brief.trend_svg import (
    NARROW,
    WIDE,
    Box,
    area,
    dash_of,
    lay_out,
    marker,
    path,
    thinned,
    ticks,
)
from forecast.report.styles import scenario_styles
from tests.made_up import AS_OF, HORIZON, OPENED, made_up_case, made_up_tree

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
    chosen = thinned(count, most)
    assert len(chosen) == min(count, most)
    assert chosen == sorted(set(chosen))
    if count:
        assert (chosen[0], chosen[-1]) == (0, count - 1)
        steps = {later - earlier for earlier, later in pairwise(chosen)}
        assert not steps or max(steps) - min(steps) <= 1


@given(st.dates(date(1950, 1, 1), date(2090, 1, 1)), st.integers(0, 15_000), st.integers(3, 9))
def test_ticks_are_few_and_inside(first, length, most):
    last = first + timedelta(length)
    marked = ticks(first, last, most)
    assert 1 <= len(marked) <= most
    assert all(first <= day <= last for day, _ in marked)
    assert [day for day, _ in marked] == sorted({day for day, _ in marked})


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


def laid(regime: bool = True, size=WIDE, most: int = 100):
    case = made_up_case(regime=regime)
    tree = made_up_tree(case)
    trend, outlook = tree["trend"].to_dataset(), tree["outlook"].to_dataset()
    issued = entries(made_up_tree(case, as_of=date(2014, 10, 4)), issued_at=datetime(2014, 10, 5, tzinfo=UTC))
    days = [date(2014, 9, 4), date(2014, 11, 18), date(2014, 11, 18), date(2013, 1, 1)]
    return (
        lay_out(
            case.question, scenario_styles(case.question.scenarios), trend, outlook, issued, days, size, most
        ),
        trend,
        outlook,
    )


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_everything_lies_inside_the_picture(size):
    chart, *_ = laid(size=size)
    for one in chart.scenarios:
        for x, y in (*one.markers, *one.issued, one.end):
            assert chart.box.left - 1 <= x <= chart.box.left + chart.box.width + 1
            assert chart.box.top - 1 <= y <= chart.box.top + chart.box.height + 1
        assert 0 < one.name_y < size.height
    assert len({dash_of(one.style) for one in chart.scenarios}) == len(chart.scenarios)


def test_names_do_not_lie_over_one_another():
    chart, *_ = laid()
    places = sorted(one.name_y for one in chart.scenarios)
    assert all(later - earlier >= WIDE.font for earlier, later in pairwise(places))


def test_a_regime_goes_on_to_the_horizon_and_a_static_question_ends_today():
    chart, trend, outlook = laid()
    assert (chart.box.first, chart.box.last) == (OPENED, HORIZON)
    assert chart.scenarios[0].end[1] == pytest.approx(chart.box.y(float(outlook["probability"][-1, 0])))
    still, trend, _ = laid(regime=False)
    assert still.box.last == AS_OF
    assert still.scenarios[0].outlook_line == ""
    assert still.scenarios[0].end[1] == pytest.approx(still.box.y(float(trend["probability"][-1, 0])))


def test_forecasts_as_issued_and_days_with_reports_are_marked():
    chart, *_ = laid()
    (place,) = chart.scenarios[0].issued
    assert place[0] == pytest.approx(chart.box.x(date(2014, 10, 4)))
    assert [count for _, count in chart.reports] == [1, 2]


def test_a_gap_of_the_trend_is_a_gap():
    case = made_up_case()
    tree = made_up_tree(case)
    trend, outlook = tree["trend"].to_dataset(), tree["outlook"].to_dataset()
    trend["probability"][3] = float("nan")
    styles = scenario_styles(case.question.scenarios)
    chart = lay_out(case.question, styles, trend, outlook, (), [], WIDE, 100)
    assert chart.scenarios[0].line.count("M") == 2
