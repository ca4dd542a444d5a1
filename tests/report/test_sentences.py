"""The sentences that the table of the terminal and the brief share."""

from __future__ import annotations

import re
from datetime import date

import pytest

from forecast.report.brief.markdown import brief_markdown
from forecast.report.summary import summarise
from tests.made_up import made_up_case, made_up_tree, retitled
from tests.report.base import BEFORE, issued, made_up_summary, printed


@pytest.mark.parametrize("write", [printed, brief_markdown], ids=["table", "brief"])
def test_table_and_brief_say_the_same(summary, write):
    text = re.sub(r"\s+", " ", write(summary))
    assert summary.case.question.title in text
    for line in summary.units[0].scenarios:
        assert line.title in text
        assert line.horizon.words in text
    assert "Answer to a truce: refused (sohr, 2014-11-17)" in text
    assert "▲ 2.6" in text
    assert "▼ 2.2" in text
    assert "Senior leaders" not in text, "an older report did not move it"
    assert "Answer to a truce, week to 2014-11-22: refused (sohr) against accepted (press)" in text
    assert "2 reports have no publication date" in text
    assert "drifted far" in text
    assert "seed 0; inputs 0123456789ab; version 0.1.0" in text
    assert f"since the forecast issued as of {BEFORE}" in text


def test_a_week_without_reports_says_so(case):
    tree = made_up_tree(case, as_of=date(2014, 10, 25))
    summary = summarise(case, tree, issued(case, date(2014, 10, 18)))
    assert summary.units[0].new_reports == ()
    for text in (printed(summary), brief_markdown(summary)):
        assert "No report became known after 2014-10-18" in text
        assert "Clashing" not in text


def test_long_lists_are_cut_and_counted(case, tree, monkeypatch):
    monkeypatch.setattr("forecast.report.sentences.LISTED", 1)
    text = printed(summarise(case, tree))
    assert "and 4 reports of less weight" in text
    assert "accepted (press, 2014-11-18)" not in text
    text = printed(summarise(case, tree, issued(case)))
    assert "and 1 report of less weight" in text


@pytest.mark.parametrize("write", [printed, brief_markdown], ids=["table", "brief"])
def test_reports_without_weight_are_counted_not_listed(case, tree, write):
    weights = tree["evidence"]["weight_of_evidence"]
    weights[1:] = 0.04
    text = write(summarise(case, tree))
    assert "and 4 reports of less weight" in text
    assert "accepted (press, 2014-11-18)" not in text
    weights[:] = 0.0
    text = write(summarise(case, tree))
    assert "5 reports became known after 2014-08-23, none of any weight by now." in text


def test_brackets_in_titles_are_printed_as_they_are(case, tree):
    odd = retitled(case, "[bold]Will[/bold] a|b [/] hold?", "[/x] Open\nwar | or not")
    summary = summarise(odd, tree)
    assert "[bold]Will[/bold] a|b [/] hold?" in printed(summary)
    assert "[/x] Open" in printed(summary)
    assert "| [/x] Open war \\| or not |" in brief_markdown(summary), "a row of the table stays one line"


def test_units_stand_one_under_another():
    case = made_up_case(units=("north", "south"))
    summary = made_up_summary(case)
    assert "Answer to a truce, north, week to" in printed(summary)
    assert "## south" in brief_markdown(summary)
