"""The section of the trend: what the reader's pointer is given."""

from __future__ import annotations

import pytest

from forecast.report.brief.trend import date_points
from forecast.report.brief.trend_svg import Box
from tests.made_up import COURSES, HORIZON, OPENED, made_up_case, made_up_tree

BOX = Box(0, 0, 100, 50, OPENED, HORIZON)
IDS = tuple(COURSES)


@pytest.fixture
def trend():
    return made_up_tree(made_up_case())["trend"].to_dataset()


def test_each_date_has_its_place_and_its_probabilities(trend):
    known = date_points(trend, "as_of", BOX, IDS, 100)
    assert len(known) == trend.sizes["as_of"]
    assert known[0]["day"] == "2014-08-30"
    assert known[0]["p"] == pytest.approx(trend["probability"][0].values.tolist(), abs=1e-4)
    assert not any(one["outlook"] for one in known)
    assert len(date_points(trend, "as_of", BOX, IDS, 5)) == 5


def test_the_outlook_ends_at_the_right_edge():
    outlook = made_up_tree(made_up_case())["outlook"].to_dataset()
    later = date_points(outlook, "date", BOX, IDS, 100)
    assert len(later) == outlook.sizes["date"]
    assert all(one["outlook"] for one in later)
    assert (later[-1]["day"], later[-1]["x"]) == (str(HORIZON), 1.0)


def test_a_gap_has_no_probabilities(trend):
    trend["probability"][3] = float("nan")
    assert date_points(trend, "as_of", BOX, IDS, 100)[3]["p"] == [None] * 4
