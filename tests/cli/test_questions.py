"""The commands that ask about a forecast, from the outside: what they print, their JSON, their exit codes."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

import forecast
from forecast.case.folder import load_case, new_case
from forecast.cli import main
from tests.analysis.test_attribution import ADDED, NOW, OLD, THEN, forecast_of, question, write

QUICK = ["--draws", "100", "--chains", "2"]
DAY = ["--as-of", "2014-11-22"]


def test_the_terminal_shows_the_trend_and_nothing_is_written(made_up, capsys):
    assert main(["trend", str(made_up), *DAY]) == 0
    told = capsys.readouterr().out
    assert "1 Continued conflict: 70% (" in told
    assert list(made_up.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "begins"),
    [("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF"), ("a.html", b"<!doctype html>")],
)
def test_the_trend_in_a_file(name, begins, made_up, capsys):
    assert main(["trend", str(made_up), *DAY, "--to", str(made_up / name)]) == 0
    assert (made_up / name).read_bytes().startswith(begins)
    assert capsys.readouterr().out == f"The trend is in {made_up / name}.\n"


@pytest.mark.parametrize("opens", [True, False])
def test_the_trend_in_the_browser(opens, made_up, capsys, monkeypatch):
    opened: list[str] = []

    def browser(address: str) -> bool:
        opened.append(address)
        return opens

    monkeypatch.setattr("webbrowser.open", browser)
    assert main(["trend", str(made_up), *DAY, "--browser"]) == 0
    page = made_up / "output" / "trend.html"
    assert opened == [page.as_uri()]
    assert page.stat().st_size > 10_000
    assert ("no browser could be opened" in capsys.readouterr().err) is not opens


def test_the_trend_as_json_is_nothing_else(made_up, capsys):
    assert main(["trend", str(made_up), *DAY, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"case", "as_of", "horizon", "engine", "digest", "trend", "outlook"}
    assert told["trend"][-1]["conflict"] == pytest.approx(0.71, abs=0.02)


@pytest.mark.parametrize(
    ("to", "said"), [("a.gif", "no such form of picture"), ("a.png", "one file for 2 cases")]
)
def test_a_wrong_file_is_the_caller_s_fault(to, said, made_up, capsys):
    assert main(["trend", str(made_up), str(made_up), "--to", to]) == 2
    assert said in capsys.readouterr().err
    assert list(made_up.iterdir()) == []


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cases") / "war"
    case = write(folder, question(), OLD)
    forecast.issue(case, forecast_of(case, THEN))
    write(folder, question(), OLD + ADDED)
    return folder


def test_explain_says_why_and_what_moved_it(issued: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["explain", str(issued), "--as-of", str(NOW), "--changed"]) == 0
    out = capsys.readouterr().out
    assert "before any evidence" in out
    assert "What was taken away" in out
    assert "new reports: d, i." in out


def test_an_explanation_is_one_json_document_that_any_reader_takes(
    issued: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["explain", str(issued), "--as-of", str(NOW), "--changed", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    found = document["explain"]["data_vars"]
    assert found["report_date"]["data"][0] == "2024-01-09"
    assert len(found["weight"]["data"]) == document["explain"]["dims"]["cell"]
    assert document["changed"]["coords"]["step"]["data"][0] == "remainder"


def test_an_explanation_without_an_earlier_forecast(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    write(tmp_path, question(), OLD)
    assert main(["explain", str(tmp_path), "--as-of", str(THEN), "--changed"]) == 0
    assert "There is no forecast to compare with" in capsys.readouterr().out
    assert main(["explain", str(tmp_path), "--as-of", str(THEN), "--changed", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changed"] is None


@pytest.fixture
def war(tmp_path: Path) -> Path:
    write(tmp_path / "war", question(), OLD)
    return tmp_path / "war"


def test_sensitivity_says_what_the_answer_hangs_on(war: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["sensitivity", str(war), "--as-of", str(NOW)]) == 0
    out, error = capsys.readouterr()
    assert out.startswith("What the forecast of war hangs on, as of 2024-01-21\n")
    assert error == ""
    assert {path.name for path in war.iterdir()} == {"question.yaml", "evidence.csv"}  # nothing is written


def test_sensitivity_as_one_json_document(war: Path, capsys: pytest.CaptureFixture[str]):
    write(war, question(), OLD)
    assert main(["sensitivity", str(war), "--as-of", str(NOW), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    found = document["sensitivity"]
    assert document["case"] == found["attrs"]["case"] == "war"
    assert found["coords"]["judgement"]["data"] == ["reliability press", "reliability sohr"]
    assert len(found["data_vars"]["flip"]["data"]) == 2
    assert found["data_vars"]["power_horizon"]["data"][0] == [None, None]  # nothing is uncertain


@pytest.mark.parametrize("command", ["explain", "sensitivity"])
def test_a_case_at_fault(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main([command, str(tmp_path), "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "question.yaml" in captured.err


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_case(tmp_path_factory.mktemp("cases") / "mine")


@pytest.fixture(scope="module")
def day(case: Path) -> date:
    loaded = load_case(case)
    return loaded.question.as_of(max(r.reported for r in loaded.evidence.reports))


def first(case: Path) -> str:
    loaded = load_case(case)
    return next(r.id for r in loaded.evidence.reports if r.indicator)


def test_a_what_if_is_printed_side_by_side(case, day, capsys):
    changes = ["--drop", first(case), "--set", "prior=even"]
    assert main(["whatif", str(case), "--as-of", str(day), *changes, *QUICK]) == 0
    said = capsys.readouterr().out
    assert f"· without report {first(case)}" in said
    assert "· prior: even" in said
    assert "difference" in said
    assert said.count("as it is") == 3
    names = {"question.yaml", "question.schema.json", "evidence.csv", "README.md"}
    assert {path.name for path in case.iterdir()} == names


def test_a_what_if_is_one_json_document(case, day, capsys):
    assert main(["whatif", str(case), "--as-of", str(day), "--drop", first(case), "--json", *QUICK]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["case"] == "mine"
    for row in found["scenarios"]:
        assert row["difference"]["now"] == pytest.approx(row["what_if"]["now"] - row["as_it_is"]["now"])
    assert sum(row["what_if"]["horizon"] for row in found["scenarios"]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "what if: nothing is changed"),
        (["--set", "cap"], "--set: not a change (found: cap)"),
        (["--add", "2014-11-20,x"], "--add: not an imagined report (found: 2014-11-20,x)"),
        (["--drop", "nobody"], "what if: no such report (found: nobody)"),
    ],
)
def test_a_what_if_at_fault_ends_with_two(case, capsys, options, said):
    assert main(["whatif", str(case), *options]) == 2
    out, error = capsys.readouterr()
    assert (out, said in error, "Traceback" in error) == ("", True, False)


def test_what_to_collect_is_printed_best_first(case, day, capsys):
    assert main(["collect", str(case), "--as-of", str(day), "--top", "2", *QUICK]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"mine, as of {day}: ")
    assert "Uncertainty: " in said


def test_what_to_collect_is_one_json_document(case, day, capsys):
    source = load_case(case).question.sources[0].id
    options = ["--cost", f"{source}=2", "--json"]
    assert main(["collect", str(case), "--as-of", str(day), *options, *QUICK]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row for row in found["collect"] if row["source"] == source and row["cost"] == 2.0]
    assert all(row["cost"] is None for row in found["collect"] if row["source"] != source)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cost", "x"], "--cost: not a cost (found: x)"),
        (["--source", "nobody"], "collect: no such source (found: nobody)"),
    ],
)
def test_a_collection_at_fault_ends_with_two(case, day, capsys, options, said):
    assert main(["collect", str(case), "--as-of", str(day), *options]) == 2
    out, error = capsys.readouterr()
    assert (out, said in error, "Traceback" in error) == ("", True, False)
