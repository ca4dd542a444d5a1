"""The forecast as a document for programs."""

from __future__ import annotations

import json

import pytest

from forecast.report.json import document
from forecast.report.summary import summarise
from tests.made_up import AS_OF, COURSES, HORIZON, made_up_case, made_up_tree
from tests.report.base import a_change


def test_the_document_has_the_keys_of_the_contract(summary, tree):
    written = json.loads(json.dumps(document(summary, tree), allow_nan=False))
    assert list(written) == [
        "case", "as_of", "horizon", "engine", "digest", "scenarios", "trend", "outlook", "change",
        "confidence", "filing", "warnings",
    ]  # fmt: skip
    assert (written["case"], written["as_of"], written["horizon"]) == ("made-up", str(AS_OF), str(HORIZON))
    assert written["digest"] == summary.case.digest
    for scenario, line in zip(written["scenarios"], summary.units[0].scenarios, strict=True):
        assert list(scenario) == [
            "id", "title", "probability", "low", "high", "mcse", "words", "change", "at_horizon",
        ]  # fmt: skip
        assert list(scenario["at_horizon"]) == ["probability", "low", "high", "ever"]
        assert scenario["probability"] == line.now.probability
        assert scenario["at_horizon"]["probability"] == line.horizon.probability
    assert list(written["trend"][0]) == ["as_of", *COURSES]
    assert list(written["outlook"][0]) == ["date", *COURSES]
    assert [written["trend"][0]["as_of"], written["trend"][-1]["as_of"]] == ["2014-08-30", "2014-11-22"]
    assert written["outlook"][-1] == {
        "date": str(HORIZON),
        **{s["id"]: s["at_horizon"]["probability"] for s in written["scenarios"]},
    }
    assert written["warnings"] == [warning.text for warning in summary.warnings]


def test_what_does_not_exist_is_null(case, tree):
    tree["trend"]["mcse"][-1, 0] = float("nan")
    written = document(summarise(case, tree), tree)
    assert written["scenarios"][0]["mcse"] is None
    assert written["scenarios"][0]["change"] is None
    json.dumps(written, allow_nan=False)


def test_the_parts_of_the_change_with_their_reports(case, tree):
    written = json.loads(json.dumps(document(summarise(case, tree), tree, a_change(case)), allow_nan=False))
    change = written["change"]
    assert list(change) == ["since", "parts", "notes"]
    assert change["since"] == "2014-11-15"
    assert [part["part"] for part in change["parts"]] == [
        "remainder", "judgements", "time", "new", "late", "corrections", "silence",
    ]  # fmt: skip
    new = change["parts"][3]
    assert new["reports"] == ["r4", "r5"]
    assert list(new["now"]) == list(new["at_horizon"]) == list(COURSES)
    assert new["now"]["conflict"] == pytest.approx(-0.03)
    assert change["notes"] == ["the question has been edited"]


def test_each_unit_has_its_own():
    case = made_up_case(units=("north", "south"))
    tree = made_up_tree(case)
    written = document(summarise(case, tree), tree, a_change(case))
    assert "scenarios" not in written
    assert [unit["unit"] for unit in written["units"]] == ["north", "south"]
    assert list(written["units"][0]) == ["unit", "scenarios", "trend", "outlook", "change"]
    assert [unit["change"]["parts"][3]["reports"] for unit in written["units"]] == [
        ["r4north", "r5north"],
        ["r4south", "r5south"],
    ]


def test_a_first_forecast_has_none(case, tree):
    assert document(summarise(case, tree), tree)["change"] is None
