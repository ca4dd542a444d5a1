"""What moved a forecast, in the document for programs."""

from __future__ import annotations

import json

import pytest

from forecast.report.json import document
from forecast.report.summary import summarise
from tests.made_up import COURSES, made_up_case, made_up_tree
from tests.report.base import a_change


def test_the_parts_of_the_change_with_their_reports():
    case = made_up_case()
    tree = made_up_tree(case)
    found = json.loads(json.dumps(document(summarise(case, tree), tree, a_change(case)), allow_nan=False))
    change = found["change"]
    assert list(change) == ["since", "parts", "notes"]
    assert change["since"] == "2014-11-15"
    assert [part["part"] for part in change["parts"]] == [
        "remainder", "judgements", "time", "new", "late", "corrections",
    ]  # fmt: skip
    new = change["parts"][3]
    assert new["reports"] == ["r4", "r5"]
    assert list(new["now"]) == list(new["at_horizon"]) == list(COURSES)
    assert new["now"]["conflict"] == pytest.approx(-0.03)
    assert change["notes"] == ["the question has been edited"]


def test_each_unit_has_its_own():
    case = made_up_case(units=("north", "south"))
    tree = made_up_tree(case)
    found = document(summarise(case, tree), tree, a_change(case))
    assert [unit["change"]["parts"][3]["reports"] for unit in found["units"]] == [
        ["r4north", "r5north"],
        ["r4south", "r5south"],
    ]


def test_a_first_forecast_has_none():
    case = made_up_case()
    tree = made_up_tree(case)
    assert document(summarise(case, tree), tree)["change"] is None
