"""The dates of a trend, and where it takes up again when evidence is taken away."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from forecast.case.evidence import Evidence, Report
from forecast.model.problem import build_problem, trend_dates
from tests.cases import binary, count, day, question, report, source, withdraw

Q = question(
    (0.6, 0.4),
    (binary("raid", (0.6, 0.2), math.inf), count("clashes", (6.0, 2.0), math.inf)),
    (source("s", 0.9, math.inf),),
    math.inf,
)


def test_a_point_at_the_end_of_every_finished_period_and_at_the_as_of_date():
    assert trend_dates(Q, day(17)) == (day(6), day(13), day(17))
    assert trend_dates(Q, day(20)) == (day(6), day(13), day(20))
    assert trend_dates(Q, day(0)) == (day(0),)
    daily = replace(Q, period_days=1)
    assert trend_dates(daily, day(2)) == (day(0), day(1), day(2))


def restarts(*reports: Report) -> list[int | None]:
    """Restarts at the ends of six weeks."""
    return list(build_problem(Q, Evidence(reports), day(41)).restart)


FIRST, SECOND = report("a", 1, "raid", "yes"), report("b", 15, "raid", "no")


def test_nothing_taken_away():
    late = report("l", 1, "raid", "no", known=36)
    assert restarts(FIRST, SECOND, late) == [None] * 6


@pytest.mark.parametrize(("on", "expected"), [(4, {}), (6, {}), (7, {1: -1}), (41, {5: -1})])
def test_restart_before_what_is_withdrawn_entered(on, expected):
    """Withdrawn within its own step it never entered."""
    assert restarts(FIRST, withdraw("w", on, "a")) == [expected.get(k) for k in range(6)]


def test_corrections_of_a_correction_and_of_several():
    correction = replace(report("c", 15, "raid", "yes", known=22), replaces="b")
    assert restarts(FIRST, SECOND, correction, withdraw("w", 36, "c")) == [None, None, None, 1, None, 1]
    assert restarts(FIRST, SECOND, correction, withdraw("w", 23, "a")) == [None, None, None, -1, None, None]


def test_context_and_what_is_not_known_yet_do_not_count():
    context = (report("x", 1), withdraw("v", 15, "x"))
    assert restarts(*context, FIRST) == [None] * 6
    log = Evidence((FIRST, withdraw("w", 30, "a")))
    assert build_problem(Q, log, day(20)).restart == (None,) * 3


def test_units():
    assert build_problem(Q, Evidence(), day(6)).units == 1
    assert build_problem(replace(Q, units=("north", "south")), Evidence(), day(6)).units == 2
