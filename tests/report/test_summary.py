"""What is picked from a result: probabilities, their change, and the reports that moved them."""

from __future__ import annotations

from datetime import date

import pytest

from forecast.report.brief.markdown import brief_markdown
from forecast.report.summary import summarise
from tests.made_up import AS_OF, TITLES, WEIGHTS, made_up_case, made_up_tree
from tests.report.base import BEFORE, issued, made_up_summary, printed


def test_now_and_horizon_come_from_the_result(summary, tree):
    (unit,) = summary.units
    assert [line.title for line in unit.scenarios] == list(TITLES.values())
    now = tree["trend"]["probability"].isel(as_of=-1).values.tolist()
    assert [line.now.probability for line in unit.scenarios] == now
    assert [line.trend[-1] for line in unit.scenarios] == now
    horizon = tree["outlook"]["high"].isel(date=-1).values.tolist()
    assert [line.horizon.high for line in unit.scenarios] == horizon
    assert [line.ever for line in unit.scenarios] == tree["outlook"]["ever"].values.tolist()


def test_the_change_is_since_the_last_issue(summary, case, tree):
    assert summary.previous == BEFORE
    for line in summary.units[0].scenarios:
        assert line.now.change == pytest.approx(0.01)
        assert line.horizon.change == pytest.approx(0.01)
    first = summarise(case, tree)
    assert {line.now.change for line in first.units[0].scenarios} == {None}
    assert "No earlier forecast" in printed(first)
    assert "No earlier forecast" in brief_markdown(first)


def test_a_scenario_that_is_new_has_no_change(case, tree):
    ledger = [entry for entry in issued(case) if entry.scenario != "other"]
    lines = {line.id: line for line in summarise(case, tree, ledger).units[0].scenarios}
    assert lines["other"].now.change is None
    assert lines["conflict"].now.change == pytest.approx(0.01)


def test_the_reports_of_the_last_period_moved_it_the_weightiest_first(summary):
    movers = summary.units[0].new_reports
    assert [one.report.id for one in movers] == ["r4", "r5"]
    assert [one.weights for one in movers] == [WEIGHTS[3], WEIGHTS[4]]


def test_all_reports_moved_a_first_forecast(case, tree):
    movers = summarise(case, tree).units[0].new_reports
    assert [one.report.id for one in movers] == ["r2", "r4", "r1", "r3", "r5"]


def test_after_a_longer_break_the_reports_reach_back_to_the_last_issue(case, tree):
    summary = summarise(case, tree, issued(case, date(2014, 10, 31)))
    assert [one.report.id for one in summary.units[0].new_reports] == ["r4", "r3", "r5"]


def test_a_second_issue_of_one_date_still_lists_a_period(case, tree):
    summary = summarise(case, made_up_tree(case, seed=1), issued(case, AS_OF))
    assert summary.previous == AS_OF
    assert summary.since == BEFORE


def test_each_unit_has_its_own():
    north, south = made_up_summary(made_up_case(units=("north", "south"))).units
    assert (north.name, south.name) == ("north", "south")
    assert [one.report.id for one in south.new_reports] == ["r4south", "r5south"]
    assert south.scenarios[0].now.change == pytest.approx(0.01)
