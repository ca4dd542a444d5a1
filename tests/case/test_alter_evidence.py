"""A log with imagined reports, and without some: checked like one from a file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forecast.case.edit import altered_evidence, without_reports
from forecast.case.errors import InputError
from forecast.case.evidence import Evidence
from tests.cases import CASES, OPENED, binary, measure, question, report, small, source, withdraw

ASKED = question(
    (0.5, 0.5),
    (binary("fuel", (0.2, 0.7), 20.0), measure("price", (1.0, 2.0), (0.4, 0.4), 20.0)),
    (source("s", 0.8, 20.0), source("t", 0.6, 20.0)),
    20.0,
)
LOG = Evidence(
    (
        report("r1", 1, "fuel", "no"),
        report("r2", 2, "fuel", "yes", replaces="r1"),
        report("r3", 3, "fuel", "yes", "t", repeats=("r2",), independence=0.3),
        withdraw("r4", 4, "r2"),
        report("r5", 9, "price", 0.1, "t"),
    )
)


@pytest.mark.parametrize(
    "name", sorted({*CASES} - {"repeated", "one_source_twice"})
)  # no file could say these
@pytest.mark.parametrize("exact", [True, False])
def test_a_log_in_which_nothing_changes_is_the_same(name, exact):
    case = small(name, exact)
    found = altered_evidence(case.question, case.evidence)
    by_id = {r.id: r for r in case.evidence.reports}
    for r in found.reports:  # a withdrawal takes the indicator of what it withdraws, as from a file
        mine = by_id[r.id]
        assert r == (replace(mine, indicator=r.indicator, unit=r.unit) if mine.value is None else mine)


def test_what_is_left_out_was_never_written():
    def left(*dropped):
        return {
            r.id: (r.replaces, r.repeats, r.independence)
            for r in without_reports(ASKED, LOG, dropped).reports
        }

    assert left("r1")["r2"] == ("", (), None)
    assert left("r2") == {  # the withdrawal is now of what the correction had replaced
        "r1": ("", (), None), "r3": ("", (), None), "r4": ("r1", (), None), "r5": ("", (), None)
    }  # fmt: skip
    assert left("r1", "r2") == {"r3": ("", (), None), "r5": ("", (), None)}  # nothing left to withdraw
    assert left("r4")["r3"] == ("", ("r2",), 0.3)


def test_a_source_is_left_out_whole_and_a_report_graded():
    found = altered_evidence(ASKED, LOG, drop_sources=["t"], credibility={"r1": "4"})
    assert [(r.id, r.credibility) for r in found.reports] == [("r1", "4"), ("r2", ""), ("r4", "")]


def test_imagined_reports_are_given_what_they_lack():
    words = {"date": OPENED, "indicator": "fuel", "value": "yes", "source": "t"}
    found = altered_evidence(ASKED, LOG, add=[words, report("", 10, "price", 0.25)], drop=["r3", "r5"])
    first, second = found.reports[-2:]
    assert (first.id, first.date, first.reported, first.line) == ("imagined-1", OPENED, OPENED, 0)
    assert (second.id, second.value, second.source) == ("imagined-2", 0.25, "s")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"drop": ["r9"]}, "no such report (found: r9)"),
        ({"drop_sources": ["u"]}, "no such source (found: u)"),
        ({"credibility": {"r1": "B"}}, "report r1, credibility: not an Admiralty credibility (found: B)"),
        ({"credibility": {"r1": "2"}, "drop": ["r1"]}, "this report is left out, and graded too"),
        ({"add": [{"colour": "red"}]}, "unknown column (found: colour)"),
        ({"add": [report("", 1, "fuel", "maybe", "t")]}, "not a value of fuel"),
        ({"add": [report("r1", 3, "fuel", "no")]}, "the id is already that of the row"),
        ({"add": [report("", -3, "fuel", "no")]}, "before the question was opened"),
        ({"add": [report("", 10, "price", 3.0)]}, "already measures price in period 1"),
    ],
)  # fmt: skip
def test_what_a_file_could_not_say_is_refused(change, said):
    with pytest.raises(InputError) as error:
        altered_evidence(ASKED, LOG, **change)
    assert said in str(error.value)
