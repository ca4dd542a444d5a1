"""The commands of the week, from the outside: what they print and write, their JSON, their exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forecast.cli import main
from forecast.record.ledger import LEDGER, read_ledger
from tests.conftest import FAULTY
from tests.made_up import COURSES, made_up_tree

DAY = ["--as-of", "2014-11-22"]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_prints_writes_and_issues(made_up, capsys):
    assert main(["update", str(made_up)]) == 0
    printed = capsys.readouterr()
    assert "At the horizon, 2015-03-31, the most probable scenario is Continued conflict" in printed.out
    assert "Issued to" in printed.out
    assert printed.err == ""
    assert files(made_up) == [
        LEDGER,
        "output/.forecasts.csv.lock",
        "output/brief.html",
        "output/brief.md",
        "output/forecast.json",
        "output/trend.png",
    ]
    assert len(read_ledger(made_up / LEDGER)) == 4
    assert "](trend.png)" in (made_up / "output/brief.md").read_text(encoding="utf-8")


def test_a_second_run_says_that_nothing_changed(made_up, capsys, monkeypatch):
    main(["update", str(made_up), *DAY])
    first = capsys.readouterr().out
    monkeypatch.setattr("forecast.run.infer", None)
    assert main(["update", str(made_up), *DAY]) == 0
    again = capsys.readouterr().out
    assert again.startswith("made-up: Nothing changed since the forecast as of 2014-11-22, issued 20")
    assert again.endswith(f" UTC. Its brief is in {made_up / 'output'}.\n")
    assert "Nothing changed" not in first


def test_a_program_is_told_the_same_twice(made_up, capsys, monkeypatch):
    main(["update", str(made_up), *DAY, "--json"])
    first = capsys.readouterr().out
    monkeypatch.setattr("forecast.run.infer", None)
    main(["update", str(made_up), *DAY, "--json"])
    assert capsys.readouterr().out == first


def test_what_is_written_again_is_in_the_ledger_already(made_up, capsys):
    main(["update", str(made_up), *DAY])
    main(["brief", str(made_up), "--as-of", "2014-11-15"])
    capsys.readouterr()
    main(["update", str(made_up), *DAY])
    assert capsys.readouterr().out.endswith(f"{made_up / LEDGER} holds this forecast already.\n")


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_a_dry_run_prints_and_writes_nothing_at_all(made_up, capsys, extra):
    assert main(["update", str(made_up), "--dry-run", *extra]) == 0
    assert list(made_up.iterdir()) == []
    told = capsys.readouterr().out
    assert json.loads(told) if extra else told.endswith("Dry run: nothing was written, nothing issued.\n")


def test_nothing_is_issued_where_nobody_reads_the_table(made_up, capfd, monkeypatch):
    def gone(summary):
        raise BrokenPipeError

    monkeypatch.setattr("forecast.report.text.forecast.print_table", gone)
    monkeypatch.setattr("os.dup2", lambda *_: None)
    assert main(["update", str(made_up)]) == 1
    assert list(made_up.iterdir()) == []
    assert capfd.readouterr().err == "made-up: not issued, for nobody reads the output any more.\n"


def test_a_program_is_given_no_document_of_what_could_not_be_issued(made_up, capsys, monkeypatch):
    def full(*_: object) -> bool:
        raise OSError(28, "No space left on device", "forecasts.csv")

    monkeypatch.setattr("forecast.record.issue.append", full)
    assert main(["update", str(made_up), *DAY, "--json"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "No space left" in told.err


def test_of_several_cases_the_one_at_fault_is_named(made_up, capsys):
    main(["update", str(made_up.parent / "faulty"), str(made_up), *DAY])
    assert capsys.readouterr().err.startswith("faulty:\n")


def test_several_cases_end_with_a_line_each_and_the_alerts(made_up, capsys, monkeypatch):
    cases = [str(made_up), str(made_up.parent / "faulty"), str(made_up.parent / "other")]
    Path(cases[2]).mkdir()
    with monkeypatch.context() as earlier:
        earlier.setitem(COURSES, "conflict", (0.60, 0.61, 0.55))
        earlier.setitem(COURSES, "tactical", (0.33, 0.34, 0.29))
        main(["update", cases[0], "--as-of", "2014-11-15"])
    capsys.readouterr()
    assert main(["update", *cases, *DAY, "--alert", "5"]) == 2
    told = capsys.readouterr().out
    assert told[told.index("\n3 cases:") :].splitlines()[1:] == [
        "3 cases:",
        "  made-up  Continued conflict 55% (0); issued",
        "  faulty   not forecast: 2 faults in the input, listed above",
        "  other    Continued conflict 55%; issued",
        "",
        "Moved by more than 5 points since the last issue:",
        "  made-up: Continued conflict, now: 60% to 70% (+11)",
        "  made-up: Tactical cooperation, now: 36% to 25% (−11)",
    ]
    assert main(["update", *cases, *DAY, "--alert", "5"]) == 2
    told = capsys.readouterr().out
    assert "  made-up  Continued conflict 55%; nothing changed" in told
    assert told.endswith("Moved by more than 5 points since the last issue: none\n")


def test_alerts_of_a_program_go_to_standard_error(made_up, capsys):
    assert main(["update", str(made_up), *DAY, "--json", "--alert", "5"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)
    assert told.err == "\nMoved by more than 5 points since the last issue: none\n"


def test_what_its_engine_refuses_is_not_issued(made_up, capsys, monkeypatch):
    def refused(case, inputs, **_):
        tree = made_up_tree(case)
        tree.attrs["refused"] = "the Markov chains disagree"
        return tree

    monkeypatch.setattr("forecast.run.infer", refused)
    assert main(["update", str(made_up), "--engine", "nuts"]) == 1
    assert list(made_up.iterdir()) == []
    assert "not issued, nothing was written: the Markov chains disagree" in capsys.readouterr().err


def test_json_is_one_document_a_line_and_nothing_else(made_up, capsys):
    other = made_up.parent / "other"
    other.mkdir()
    assert main(["update", str(made_up), str(other), "--json"]) == 0
    printed = capsys.readouterr()
    assert [json.loads(line)["case"] for line in printed.out.splitlines()] == ["made-up", "other"]
    assert printed.err == ""


def test_options_reach_the_inference(made_up, monkeypatch):
    seen = []

    def infer(case, inputs, **_):
        seen.append(inputs)
        raise RuntimeError("enough")

    monkeypatch.setattr("forecast.run.infer", infer)
    options = ["--as-of", "2014-11-02", "--draws", "500", "--chains", "2", "--seed", "7"]
    options += ["--tolerance", "0.01", "--dry-run", "--json"]
    main(["update", str(made_up), *options])
    assert str(seen[0].as_of) == "2014-11-02"
    assert (seen[0].draws, seen[0].chains, seen[0].seed, seen[0].tolerance) == (500, 2, 7, 0.01)


def test_a_faulty_case_does_not_stop_the_others(made_up, capsys):
    faulty = made_up.parent / FAULTY
    assert main(["update", str(faulty), str(made_up)]) == 2
    printed = capsys.readouterr()
    assert "Issued to" in printed.out
    assert printed.err.count("question.yaml:3: prior is no probability (found: 2).") == 2
    assert "Traceback" not in printed.err


def test_a_malformed_ledger_stops_before_anything_is_written(made_up, capsys):
    (made_up / LEDGER).write_text("not,a,ledger\n", encoding="utf-8")
    assert main(["update", str(made_up)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"{LEDGER}:1: has other columns" in printed.err
    assert files(made_up) == [LEDGER]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            ZeroDivisionError("float\ndivision"),
            "ZeroDivisionError: float division. This is a fault of the toolkit",
        ),
        (
            PermissionError(13, "Permission denied", "x.png"),
            "x.png: the system refused: Permission denied. To do:",
        ),
        (
            OSError(28, "No space left on device"),
            "forecast: the system refused: No space left on device. To do:",
        ),
    ],
)
def test_an_unexpected_failure_is_one_line_and_exit_1(made_up, capsys, monkeypatch, error, said):
    def infer(case, inputs, **_):
        raise error

    monkeypatch.setattr("forecast.run.infer", infer)
    monkeypatch.delenv("FORECAST_DEBUG", raising=False)
    assert main(["update", str(made_up)]) == 1
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.err.count("\n") == 1
    assert list(made_up.iterdir()) == []
    assert main(["update", str(made_up), "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err
    monkeypatch.setenv("FORECAST_DEBUG", "1")
    assert main(["update", str(made_up)]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_failure_of_the_toolkit_outranks_an_input_at_fault(made_up, monkeypatch):
    monkeypatch.setattr("forecast.run.infer", lambda case, inputs, **_: 1 / 0)
    assert main(["update", str(made_up.parent / FAULTY), str(made_up)]) == 1


@pytest.mark.parametrize(
    ("form", "files"), [([], ["brief.html"]), (["--format", "md"], ["brief.html", "brief.md", "trend.png"])]
)
def test_brief_writes_what_was_asked_for_and_issues_nothing(made_up, capsys, form, files):
    assert main(["brief", str(made_up), *form]) == 0
    assert sorted(path.name for path in (made_up / "output").iterdir()) == files
    assert not (made_up / LEDGER).exists()
    printed = capsys.readouterr()
    assert f"The brief is in {made_up / 'output'}/brief.{'md' if form else 'html'}." in printed.out
    assert printed.err == ""


def test_what_was_written_is_the_brief_of_the_day_asked_for(made_up):
    assert main(["brief", str(made_up), "--as-of", "2014-11-15", "--format", "md"]) == 0
    page = (made_up / "output/brief.html").read_text(encoding="utf-8")
    text = (made_up / "output/brief.md").read_text(encoding="utf-8")
    assert "As of <strong>2014-11-15</strong>" in page
    assert "Knowledge of 2014-11-15" in text
    for title in ("## Why", "## What to collect"):
        assert title in text


def test_brief_as_json_says_where_it_is(made_up, capsys):
    other = made_up.parent / "other"
    other.mkdir()
    assert main(["brief", str(made_up), str(other), "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["case"] for one in found] == ["made-up", "other"]
    assert list(found[0]) == ["case", "as_of", "digest", "brief"]
    assert found[0]["brief"] == str(made_up / "output" / "brief.html")


def test_a_faulty_case_does_not_stop_the_other_briefs(made_up, capsys):
    assert main(["brief", str(made_up.parent / FAULTY), str(made_up)]) == 2
    printed = capsys.readouterr()
    assert "The brief is in" in printed.out
    assert "prior is no probability" in printed.err


def test_update_pays_for_the_brief_only_where_it_is_written(made_up, monkeypatch, capsys):
    monkeypatch.setattr("forecast.run.gather", None)
    monkeypatch.setattr("forecast.report.brief.write.brief_html", None)
    assert main(["update", str(made_up), "--dry-run"]) == 0
    assert main(["update", str(made_up), "--dry-run", "--json"]) == 0
    assert main(["update", str(made_up)]) == 1
    assert list(made_up.iterdir()) == []


def compared(agrees: bool) -> xr.Dataset:
    """Two ways to compute two scenarios, the second of which does not apply."""
    p = np.array([[0.7, 0.3], [np.nan, np.nan]])
    horizon = np.array([[0.6, 0.4], [np.nan, np.nan]])
    dims = ("way", "scenario")
    return xr.Dataset(
        {
            "now": (dims, p),
            "now_mcse": (dims, p / 100),
            "horizon": (dims, horizon),
            "horizon_mcse": (dims, horizon / 100),
            "note": ("way", ["", "does not apply"]),
            "agrees": ("way", [True, agrees]),
        },
        {"way": ["smc", "paths"], "scenario": ["war", "peace"]},
    )


@pytest.mark.parametrize("agrees", [True, False])
def test_the_referee_s_comparison(agrees, made_up, capsys, monkeypatch):
    monkeypatch.setattr("forecast.analysis.cross_checks.referee", lambda case, **_: compared(agrees))
    assert main(["check", str(made_up), "--referee"]) == (0 if agrees else 1)
    told = capsys.readouterr().out
    table = told[told.index("\nreferee: now") :].splitlines()
    assert table[1:] == [
        "referee: now, per cent, with two standard errors",
        "                war         peace",
        "smc    70.00 ± 1.40  30.00 ± 0.60",
        "paths             -             -",
        "",
        "referee: horizon, per cent, with two standard errors",
        "                war         peace",
        "smc    60.00 ± 1.20  40.00 ± 0.80",
        "paths             -             -",
        "  · paths: does not apply",
        "All that apply agree within four standard errors." if agrees else "THEY DISAGREE.",
    ]
