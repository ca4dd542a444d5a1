"""What the reader is told, in the table, in the brief and in the JSON document: the same everywhere."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from rich.console import Console

from forecast.record.issue import entries
from forecast.report.brief.markdown import brief
from forecast.report.json import document
from forecast.report.summary import Summary, summarise
from forecast.report.table import print_table
from tests.made_up import AS_OF, COURSES, HORIZON, TITLES, WEIGHTS, made_up_case, made_up_tree, retitled

WEEK = timedelta(days=7)


def table(summary: Summary, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_table(summary, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def issued(case, as_of: date):
    """Return a ledger with one issue, in which every probability was a point lower than today's."""
    tree = made_up_tree(case)
    for group in ("trend", "outlook"):
        tree[group]["probability"] -= 0.01
    tree.attrs["as_of"] = as_of.isoformat()
    return entries(tree, issued_at=datetime(2014, 11, 1, tzinfo=UTC))


@pytest.fixture
def case():
    return made_up_case()


@pytest.fixture
def tree(case):
    return made_up_tree(case)


@pytest.fixture
def summary(case, tree):
    return summarise(case, tree, issued(case, AS_OF - WEEK))


def test_now_and_horizon_come_from_the_result(summary, tree):
    (view,) = summary.views
    assert [line.title for line in view.lines] == list(TITLES.values())
    now = tree["trend"]["probability"].isel(as_of=-1).values.tolist()
    assert [line.now.probability for line in view.lines] == now
    assert [line.trend[-1] for line in view.lines] == now
    horizon = tree["outlook"]["high"].isel(date=-1).values.tolist()
    assert [line.horizon.high for line in view.lines] == horizon
    assert [line.ever for line in view.lines] == tree["outlook"]["ever"].values.tolist()


def test_the_change_is_since_the_last_issue(summary, case, tree):
    assert summary.previous == AS_OF - WEEK
    for line in summary.views[0].lines:
        assert line.now.change == pytest.approx(0.01)
        assert line.horizon.change == pytest.approx(0.01)
    first = summarise(case, tree)
    assert {line.now.change for line in first.views[0].lines} == {None}
    assert "No earlier forecast" in table(first)
    assert "No earlier forecast" in brief(first)


def test_a_scenario_that_is_new_has_no_change(case, tree):
    ledger = [entry for entry in issued(case, AS_OF - WEEK) if entry.scenario != "other"]
    lines = {line.id: line for line in summarise(case, tree, ledger).views[0].lines}
    assert lines["other"].now.change is None
    assert lines["conflict"].now.change == pytest.approx(0.01)


def test_the_reports_of_the_last_period_moved_it_the_weightiest_first(summary):
    movers = summary.views[0].movers
    assert [mover.report.id for mover in movers] == ["r4", "r5"]
    assert [mover.weights for mover in movers] == [WEIGHTS[3], WEIGHTS[4]]


def test_all_reports_moved_a_first_forecast(case, tree):
    movers = summarise(case, tree).views[0].movers
    assert [mover.report.id for mover in movers] == ["r2", "r4", "r1", "r3", "r5"]


def test_after_a_longer_break_the_reports_reach_back_to_the_last_issue(case, tree):
    summary = summarise(case, tree, issued(case, date(2014, 10, 31)))
    assert [mover.report.id for mover in summary.views[0].movers] == ["r4", "r3", "r5"]


def test_a_second_issue_of_one_date_still_lists_a_period(case, tree):
    summary = summarise(case, made_up_tree(case, seed=1), issued(case, AS_OF))
    assert summary.previous == AS_OF
    assert summary.since == AS_OF - WEEK


def test_a_regime_puts_the_horizon_first(summary):
    text = table(summary)
    assert re.search(r"scenario +at the horizon +change +in words +now +change +trend", text)
    assert re.search(r"Continued conflict +55% \(\d+–\d+%\) +\+1 +likely +70% \(\d+–\d+%\) +\+1 +▅", text)
    assert "At the horizon, 2015-03-31, the most probable scenario is Continued conflict: 55%" in text


def test_a_narrow_terminal_cuts_no_word_short(summary):
    text = table(summary, width=80)
    assert "…" not in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    assert re.search(r"scenario +at the horizon +change +in words\s", text)
    assert re.search(r"Operational partnership +11% \(\d+–\d+%\) +\+1 +very unlikely\s", text)
    assert re.search(r"scenario +now +change +trend\s", text)
    assert re.search(r"Operational partnership +\d% \(\d+–\d+%\) +\+1 +▁", text)


def test_a_pipe_is_wide_unless_the_caller_says_how_wide(summary, monkeypatch, capsys):
    monkeypatch.delenv("COLUMNS", raising=False)
    print_table(summary)
    assert re.search(r"in words +now +change +trend", capsys.readouterr().out)
    monkeypatch.setenv("COLUMNS", "80")
    print_table(summary)
    assert max(len(line.rstrip()) for line in capsys.readouterr().out.splitlines()) <= 80


def test_a_static_question_has_one_number():
    case = made_up_case(regime=False)
    text = table(summarise(case, made_up_tree(case)))
    assert re.search(r"scenario +now and at the horizon +change +in words +trend", text)
    assert "As of 2014-11-22, the most probable scenario is Continued conflict: 70%" in text


@pytest.mark.parametrize("write", [table, brief], ids=["table", "brief"])
def test_table_and_brief_say_the_same(summary, write):
    text = re.sub(r"\s+", " ", write(summary))
    assert summary.case.question.title in text
    for line in summary.views[0].lines:
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
    assert f"since the forecast issued as of {AS_OF - WEEK}" in text


def test_a_week_without_reports_says_so(case):
    tree = made_up_tree(case, as_of=date(2014, 10, 25))
    summary = summarise(case, tree, issued(case, date(2014, 10, 18)))
    assert summary.views[0].movers == ()
    for text in (table(summary), brief(summary)):
        assert "No report became known after 2014-10-18" in text
        assert "Clashing" not in text


def test_long_lists_are_cut_and_counted(case, tree, monkeypatch):
    monkeypatch.setattr("forecast.report.sentences.LISTED", 1)
    text = table(summarise(case, tree))
    assert "and 4 reports of less weight" in text
    assert "accepted (press, 2014-11-18)" not in text
    text = table(summarise(case, tree, issued(case, AS_OF - WEEK)))
    assert "and 1 report of less weight" in text


@pytest.mark.parametrize("write", [table, brief], ids=["table", "brief"])
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
    assert "[bold]Will[/bold] a|b [/] hold?" in table(summary)
    assert "[/x] Open" in table(summary)
    assert "| [/x] Open war \\| or not |" in brief(summary), "a row of the table stays one line"


def test_the_brief_shows_the_picture(summary):
    assert "](trend.png)" in brief(summary, picture="trend.png")
    assert "![" not in brief(summary)


def test_the_document_has_the_keys_of_the_contract(summary, tree):
    found = json.loads(json.dumps(document(summary, tree), allow_nan=False))
    assert list(found) == [
        "case", "as_of", "horizon", "engine", "digest", "scenarios", "trend", "outlook", "change",
        "confidence", "warnings",
    ]  # fmt: skip
    assert (found["case"], found["as_of"], found["horizon"]) == ("made-up", str(AS_OF), str(HORIZON))
    assert found["digest"] == summary.case.digest
    for scenario, line in zip(found["scenarios"], summary.views[0].lines, strict=True):
        assert list(scenario) == [
            "id", "title", "probability", "low", "high", "mcse", "words", "change", "at_horizon",
        ]  # fmt: skip
        assert list(scenario["at_horizon"]) == ["probability", "low", "high", "ever"]
        assert scenario["probability"] == line.now.probability
        assert scenario["at_horizon"]["probability"] == line.horizon.probability
    assert list(found["trend"][0]) == ["as_of", *COURSES]
    assert list(found["outlook"][0]) == ["date", *COURSES]
    assert [found["trend"][0]["as_of"], found["trend"][-1]["as_of"]] == ["2014-08-30", "2014-11-22"]
    assert found["outlook"][-1] == {
        "date": str(HORIZON),
        **{s["id"]: s["at_horizon"]["probability"] for s in found["scenarios"]},
    }
    assert found["warnings"] == list(summary.warnings)


def test_what_does_not_exist_is_null(case, tree):
    tree["trend"]["mcse"][-1, 0] = float("nan")
    found = document(summarise(case, tree), tree)
    assert found["scenarios"][0]["mcse"] is None
    assert found["scenarios"][0]["change"] is None
    json.dumps(found, allow_nan=False)


def test_units_stand_one_under_another():
    case = made_up_case(units=("north", "south"))
    tree = made_up_tree(case)
    summary = summarise(case, tree, issued(case, AS_OF - WEEK))
    assert [view.unit for view in summary.views] == ["north", "south"]
    assert [mover.report.id for mover in summary.views[1].movers] == ["r4south", "r5south"]
    assert summary.views[1].lines[0].now.change == pytest.approx(0.01)
    assert "Answer to a truce, north, week to" in table(summary)
    assert "## south" in brief(summary)
    found = document(summary, tree)
    assert "scenarios" not in found
    assert [unit["unit"] for unit in found["units"]] == ["north", "south"]
    assert list(found["units"][0]) == ["unit", "scenarios", "trend", "outlook", "change"]
