"""Which day's knowledge a forecast uses."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from forecast.case.errors import InputError
from forecast.case.in_force import checked_as_of
from forecast.case.question import Resolved
from tests.made_up import HORIZON, OPENED, made_up_question

QUESTION = made_up_question()  # opened on a Sunday, so that its weeks end on Saturdays


@pytest.mark.parametrize(
    ("today", "as_of"),
    [
        (date(2014, 11, 21), date(2014, 11, 15)),
        (date(2014, 11, 22), date(2014, 11, 22)),
        (date(2014, 11, 23), date(2014, 11, 22)),
        (date(2014, 8, 30), date(2014, 8, 30)),
        (date(2014, 8, 29), OPENED),
        (date(2013, 1, 1), OPENED),
        (date(2015, 4, 1), date(2015, 3, 28)),
        (date(2015, 4, 4), HORIZON),
        (date(2026, 1, 1), HORIZON),
    ],
)
def test_the_last_day_of_the_last_finished_week(today, as_of):
    assert checked_as_of(QUESTION, today=today) == as_of


@pytest.mark.parametrize(
    ("today", "as_of"),
    [
        (date(2014, 11, 23), date(2014, 11, 22)),
        (date(2014, 12, 20), date(2014, 12, 3)),
        (date(2026, 1, 1), date(2014, 12, 3)),
    ],
)
def test_a_settled_question_is_forecast_up_to_the_day_on_which_it_was(today, as_of):
    settled = replace(QUESTION, resolved=Resolved("tactical", date(2014, 12, 3)))
    assert checked_as_of(settled, today=today) == as_of
    assert checked_as_of(settled, date(2015, 1, 3)) == date(2015, 1, 3)  # who asks for a day gets it


def test_a_question_by_the_day():
    assert checked_as_of(replace(QUESTION, period_days=1), today=date(2014, 11, 23)) == date(2014, 11, 23)


def test_today_is_the_system_s():
    assert checked_as_of(QUESTION) == HORIZON


@pytest.mark.parametrize("day", [OPENED, date(2014, 11, 23), HORIZON])
def test_a_day_asked_for_is_used(day):
    assert checked_as_of(QUESTION, day) == day


@pytest.mark.parametrize("day", [date(2014, 8, 23), date(2015, 4, 1)])
def test_a_day_outside_the_question_s_time_is_refused(day):
    with pytest.raises(InputError, match=r"not open on this day .*\n.*2014-08-24 .* 2015-03-31"):
        checked_as_of(QUESTION, day)
