"""`forecast update`: prints, writes, issues; once; nothing on a dry run; on past faulty cases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forecast.cli import main
from forecast.record.ledger import LEDGER, read_ledger
from tests.cli.conftest import FAULTY
from tests.made_up import COURSES, made_up_tree


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


DAY = ["--as-of", "2014-11-22"]


def test_run_twice_issues_once_and_infers_once(made_up, capsys, monkeypatch):
    main(["update", str(made_up), *DAY])
    first, before = capsys.readouterr().out, {name: (made_up / name).read_bytes() for name in files(made_up)}
    monkeypatch.setattr("forecast.run.infer", None)
    assert main(["update", str(made_up), *DAY]) == 0
    assert {name: (made_up / name).read_bytes() for name in files(made_up)} == before
    assert "Nothing changed since the forecast as of 2014-11-22, issued 20" in capsys.readouterr().out
    assert "Nothing changed" not in first


def test_a_program_is_told_the_same_twice(made_up, capsys, monkeypatch):
    main(["update", str(made_up), *DAY, "--json"])
    first = capsys.readouterr().out
    monkeypatch.setattr("forecast.run.infer", None)
    main(["update", str(made_up), *DAY, "--json"])
    assert capsys.readouterr().out == first


@pytest.mark.parametrize(
    "other",
    [["--seed", "1"], ["--as-of", "2014-11-15"], ["--dry-run"], ["--draws", "100"], ["--tolerance", ".1"]],
)
def test_anything_else_is_inferred(other, made_up, capsys):
    main(["update", str(made_up), *DAY])
    capsys.readouterr()
    main(["update", str(made_up), *DAY, *other])
    assert "Nothing changed" not in capsys.readouterr().out


def test_what_was_written_and_is_gone_is_written_again(made_up, capsys):
    main(["update", str(made_up), *DAY])
    ledger = (made_up / LEDGER).read_bytes()
    for path in (made_up / "output").iterdir():
        path.unlink()
    capsys.readouterr()
    main(["update", str(made_up), *DAY])
    assert "holds this forecast already" in capsys.readouterr().out
    assert "output/brief.md" in files(made_up)
    assert (made_up / LEDGER).read_bytes() == ledger


def test_another_day_s_document_is_not_this_one(made_up, capsys):
    """What lies in output/ is of another day, or broken: the forecast is made anew, and issued once."""
    day, other = ["--as-of", "2014-11-22"], ["--as-of", "2014-11-15"]
    main(["update", str(made_up), *day, "--json"])
    first = json.loads(capsys.readouterr().out)
    main(["update", str(made_up), *other])
    ledger = (made_up / LEDGER).read_bytes()
    for spoil in (lambda: None, lambda: (made_up / "output/forecast.json").write_text("{bad")):
        spoil()
        capsys.readouterr()
        assert main(["update", str(made_up), *day, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == first
        assert (made_up / LEDGER).read_bytes() == ledger
    assert "2014-11-22" in (made_up / "output/brief.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("change", ["drop", "rename"])
def test_a_ledger_with_a_row_missing_or_strange_is_not_this_forecast(change, made_up, capsys):
    main(["update", str(made_up), *DAY])
    lines = (made_up / LEDGER).read_text(encoding="utf-8").splitlines(keepends=True)
    lines[1:2] = [] if change == "drop" else [lines[1].replace(",conflict,", ",peace,")]
    (made_up / LEDGER).write_text("".join(lines), encoding="utf-8")
    capsys.readouterr()
    assert main(["update", str(made_up), *DAY]) == 0
    assert "Nothing changed" not in capsys.readouterr().out


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


def test_a_brief_of_another_day_makes_the_forecast_be_written_again(made_up, capsys, monkeypatch):
    main(["update", str(made_up), *DAY])
    main(["brief", str(made_up), "--as-of", "2014-11-15"])
    capsys.readouterr()
    main(["update", str(made_up), *DAY])
    assert "holds this forecast already" in capsys.readouterr().out


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
        "  faulty   not forecast: 2 faults in the input, told above",
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


def test_the_next_week_shows_the_change(made_up, capsys):
    main(["update", str(made_up), "--as-of", "2014-11-15"])
    capsys.readouterr()
    main(["update", str(made_up), "--as-of", "2014-11-22", "--json"])
    scenario = json.loads(capsys.readouterr().out)["scenarios"][0]
    before, now = read_ledger(made_up / LEDGER)[0], read_ledger(made_up / LEDGER)[4]
    assert scenario["change"] == now.probability - before.probability


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_a_dry_run_writes_nothing_at_all(made_up, capsys, extra):
    assert main(["update", str(made_up), "--dry-run", *extra]) == 0
    assert list(made_up.iterdir()) == []
    assert capsys.readouterr().out


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
