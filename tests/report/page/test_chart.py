"""The trend's shapes, on a result made up by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from forecast.record.issue import entries
from forecast.report.brief.trend_svg import NARROW, WIDE, chart, read_out
from forecast.report.styles import scenario_styles
from tests.made_up import AS_OF, COURSES, HORIZON, OPENED, made_up_case, made_up_tree


def laid(regime: bool = True, size=WIDE, most: int = 100):
    case = made_up_case(regime=regime)
    tree = made_up_tree(case)
    trend, outlook = tree["trend"].to_dataset(), tree["outlook"].to_dataset()
    issued = entries(made_up_tree(case, as_of=date(2014, 10, 4)), issued_at=datetime(2014, 10, 5, tzinfo=UTC))
    days = [date(2014, 9, 4), date(2014, 11, 18), date(2014, 11, 18), date(2013, 1, 1)]
    return (
        chart(
            case.question, scenario_styles(case.question.scenarios), trend, outlook, issued, days, size, most
        ),
        trend,
        outlook,
    )


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_everything_lies_inside_the_picture(size):
    found, *_ = laid(size=size)
    for one in found.courses:
        for x, y in (*one.marks, *one.issued, one.end):
            assert found.box.left - 1 <= x <= found.box.left + found.box.width + 1
            assert found.box.top - 1 <= y <= found.box.top + found.box.height + 1
        assert 0 < one.name_y < size.height
    assert len({one.dash for one in found.courses}) == len(found.courses)


def test_names_do_not_lie_over_one_another():
    found, *_ = laid()
    places = sorted(one.name_y for one in found.courses)
    assert all(later - earlier >= WIDE.font for earlier, later in pairwise(places))


def test_a_regime_goes_on_to_the_horizon_and_a_static_question_ends_today():
    found, trend, outlook = laid()
    assert (found.box.first, found.box.last) == (OPENED, HORIZON)
    assert found.courses[0].end[1] == pytest.approx(found.box.y(float(outlook["probability"][-1, 0])))
    still, trend, _ = laid(regime=False)
    assert still.box.last == AS_OF
    assert still.courses[0].ahead_line == ""
    assert still.courses[0].end[1] == pytest.approx(still.box.y(float(trend["probability"][-1, 0])))


def test_forecasts_as_issued_and_days_with_reports_are_marked():
    found, *_ = laid()
    (place,) = found.courses[0].issued
    assert place[0] == pytest.approx(found.box.x(date(2014, 10, 4)))
    assert [count for _, count in found.reports] == [1, 2]


def test_the_pointer_is_told_each_date_with_its_probabilities():
    found, trend, outlook = laid()
    told = read_out(trend, outlook, found.box, list(COURSES), regime=True, most=100)
    assert len(told) == trend.sizes["as_of"] + outlook.sizes["date"]
    assert told[0]["day"] == "2014-08-30"
    assert told[0]["p"] == pytest.approx(trend["probability"][0].values.tolist(), abs=1e-4)
    assert [one["ahead"] for one in told].index(True) == trend.sizes["as_of"]
    assert told[-1]["x"] == 1.0
    assert len(read_out(trend, outlook, found.box, list(COURSES), regime=False, most=5)) == 5


def test_a_gap_of_the_trend_is_a_gap():
    case = made_up_case()
    tree = made_up_tree(case)
    trend, outlook = tree["trend"].to_dataset(), tree["outlook"].to_dataset()
    trend["probability"][3] = float("nan")
    found = chart(case.question, scenario_styles(case.question.scenarios), trend, outlook, (), [], WIDE, 100)
    assert found.courses[0].line.count("M") == 2
    assert read_out(trend, outlook, found.box, list(COURSES), regime=True, most=100)[3]["p"] == [None] * 4
