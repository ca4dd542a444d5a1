"""Whose word the cells rest on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from forecast.analysis.source_agreement import DAYS, corroboration
from forecast.case.evidence import Evidence, Report
from tests.made_up import AS_OF, made_up_case

FIRST = Report("a", date(2014, 11, 17), date(2014, 11, 18), "truce", "refused", "sohr")
OTHER = replace(FIRST, id="b", source="press")


def alike(*reports: Report) -> list[list[str]]:
    case = replace(made_up_case(), evidence=Evidence(reports))
    return [[report.id for report in cell] for cell in corroboration(case, AS_OF).possible_duplicates]


def test_cells_of_one_source_are_counted():
    found = corroboration(made_up_case(), AS_OF)
    assert found.cells == 4
    assert [[report.id for report in cell] for cell in found.single_source] == [["r3"], ["r2"], ["r1"]]


def test_two_sources_that_say_the_same_at_the_same_time_look_alike():
    assert alike(FIRST, OTHER) == [["a", "b"]]


@pytest.mark.parametrize(
    "change",
    [
        {"source": "sohr"},
        {"value": "accepted"},
        {"indicator": "meeting"},
        {"date": date(2014, 11, 10)},
        {"reported": FIRST.reported + timedelta(days=DAYS + 1)},
        {"repeats": ("a",)},
        {"unit": "north"},
    ],
    ids=str,
)
def test_what_differs_or_is_linked_does_not(change):
    assert alike(FIRST, replace(OTHER, **change)) == []


def test_one_testimony_or_one_common_original_is_a_link():
    assert alike(replace(FIRST, testimony="x"), replace(OTHER, testimony="x")) == []
    original = replace(FIRST, id="o", reported=date(2014, 11, 17))
    assert alike(original, replace(FIRST, repeats=("o",)), replace(OTHER, repeats=("o",))) == []


def test_a_chain_of_repeats_that_ends_in_a_withdrawn_report_is_a_link_still():
    assert alike(replace(FIRST, repeats=("gone",)), replace(OTHER, repeats=("gone",))) == []
