"""What came late or was corrected, on a case made up by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from forecast.analysis.late_reports import revisions
from forecast.case.evidence import Evidence, Report
from tests.made_up import OPENED, made_up_case, made_up_tree


def test_late_corrected_and_withdrawn_reports_with_their_period_then_and_now():
    case = made_up_case()
    corrects = Report("r6", date(2014, 9, 3), date(2014, 9, 5), "meeting", "no", "press", replaces="r1")
    withdraws = Report("r7", date(2014, 11, 20), date(2014, 11, 21), replaces="r2")
    case = replace(case, evidence=Evidence((*case.evidence.reports, corrects, withdraws)))
    tree = made_up_tree(made_up_case())
    found = revisions(case, tree, OPENED)
    # r3 is of a Saturday, a week's last day, and was reported on the Sunday.
    assert [one.report.id for one in found] == ["r7", "r3", "r6"]
    assert [one.corrected.id if one.corrected else None for one in found] == ["r2", None, "r1"]
    assert [one.period_end for one in found] == [date(2014, 10, 4), date(2014, 11, 1), date(2014, 9, 6)]
    trend, back = tree["trend"].to_dataset()["probability"], tree["hindsight"].to_dataset()["filtered"]
    assert found[0].then == tuple(trend.sel(as_of="2014-10-04").values.tolist())
    assert found[2].today == tuple(back.isel(period=1).values.tolist())
    assert revisions(case, tree, date(2014, 11, 21)) == ()


def test_a_gap_of_the_trend_has_no_then():
    case = made_up_case()
    tree = made_up_tree(case)
    tree["trend"]["probability"].values[9] = float("nan")  # type: ignore[index]
    (one,) = revisions(case, tree, OPENED)
    assert (one.report.id, one.then, one.today) == ("r3", (), ())


def test_units_are_looked_up_by_name():
    case = made_up_case(units=("north", "south"))
    found = revisions(case, made_up_tree(case), OPENED)
    assert {one.report.unit for one in found} == {"north", "south"}
    assert all(len(one.then) == 4 for one in found)
