"""Three weeks of a question whose scenarios change: what was issued stays, and every command goes on."""

from __future__ import annotations

import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from forecast.cli import main
from forecast.record.ledger import LEDGER, read_ledger
from tests.case.base import write
from tests.case.changing import EVIDENCE, before, changed

QUICK = ("--draws", "100", "--chains", "2", "--tolerance", "1")
WEEKS = ("2024-01-21", "2024-01-28", "2024-02-11")
OLD = ["war", "truce", "other"]
SPLIT = ["war", "local", "formal", "other"]
ADDED = [*SPLIT, "collapse"]


@pytest.fixture(scope="module")
def case(tmp_path_factory) -> Path:
    """Forecast week after week: before the split, after it, and after another scenario was added."""
    folder: Path = tmp_path_factory.mktemp("cases") / "signing"
    folder.mkdir()
    for week, question in zip(WEEKS, (before(), changed(), changed(added=True)), strict=True):
        write(folder, question, EVIDENCE)
        ledger = (folder / LEDGER).read_bytes() if (folder / LEDGER).exists() else b""
        with (folder / f"{week}.json").open("w") as file, redirect_stdout(file):
            assert main(["update", str(folder), "--as-of", week, "--json", *QUICK]) == 0
        assert (folder / LEDGER).read_bytes().startswith(ledger)
    return folder


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(printed(capsys, *arguments, "--json"))


def test_the_ledger_has_each_week_as_it_was_issued(case):
    rows = read_ledger(case / LEDGER)
    for week, expected in zip(WEEKS, (OLD, SPLIT, ADDED), strict=True):
        issued = [row for row in rows if row.as_of.isoformat() == week]
        assert [row.scenario for row in issued] == expected
        assert sum(row.probability for row in issued) == pytest.approx(1.0)


def test_the_trend_of_the_document_is_the_record(case, capsys):
    found = document(capsys, "update", str(case), "--as-of", WEEKS[2], "--dry-run", *QUICK)
    assert [scenario["id"] for scenario in found["scenarios"]] == ADDED
    rows = {(row.as_of.isoformat(), row.scenario): row for row in read_ledger(case / LEDGER)}
    by_day = {entry["as_of"]: entry for entry in found["trend"]}
    assert list(by_day) == ["2024-01-07", "2024-01-14", *WEEKS[:2], "2024-02-04", WEEKS[2]]
    for day, expected in zip(by_day, (OLD, OLD, OLD, SPLIT, SPLIT, ADDED), strict=True):
        assert list(by_day[day]) == ["as_of", *expected]
    for week in (WEEKS[0], WEEKS[2]):  # the last dates of their eras: what was issued, to the last bit
        for id, probability in by_day[week].items():
            assert id == "as_of" or probability == rows[week, id].probability
    assert all(list(entry) == ["date", *ADDED] for entry in found["outlook"])


def test_the_change_is_from_what_was_issued_carried_over(case):
    rows = {(row.as_of.isoformat(), row.scenario): row for row in read_ledger(case / LEDGER)}
    found = json.loads((case / f"{WEEKS[1]}.json").read_text())
    change = {scenario["id"]: scenario["change"] for scenario in found["scenarios"]}
    parent = rows[WEEKS[0], "truce"].probability
    for child in ("local", "formal"):
        assert change[child] == pytest.approx(rows[WEEKS[1], child].probability - 0.5 * parent)
    assert change["war"] == rows[WEEKS[1], "war"].probability - rows[WEEKS[0], "war"].probability
    assert sum(change.values()) == pytest.approx(0.0)


def test_the_reader_is_told_that_the_scenarios_were_others(case, capsys):
    said = printed(capsys, "update", str(case), "--as-of", WEEKS[2], "--dry-run", *QUICK)
    assert "carried over by the shares" in " ".join(said.split())
    brief = (case / "output" / "brief.md").read_text(encoding="utf-8")
    assert "carried over by the shares" in brief
    assert (case / "output" / "trend.png").read_bytes().startswith(b"\x89PNG")


def test_a_day_before_the_change_is_forecast_as_it_was(case, capsys):
    rows = [row for row in read_ledger(case / LEDGER) if row.as_of.isoformat() == WEEKS[0]]
    found = document(capsys, "update", str(case), "--as-of", WEEKS[0], "--dry-run", *QUICK)
    assert [(s["id"], s["probability"]) for s in found["scenarios"]] == [
        (row.scenario, row.probability) for row in rows
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("week", "scenarios"), list(zip(WEEKS, (OLD, SPLIT, ADDED), strict=True)))
def test_every_command_speaks_of_the_scenarios_of_its_day(case, capsys, week: str, scenarios: list[str]):
    on = (str(case), "--as-of", week)
    why = document(capsys, "explain", *on)
    assert why["explain"]["coords"]["scenario"]["data"] == scenarios
    other = document(capsys, "whatif", *on, "--draws", "100", "--set", "likelihood meeting war=0.5")
    assert [row["id"] for row in other["scenarios"]] == scenarios
    assert document(capsys, "collect", *on, "--draws", "100")["collect"]
    checked = document(capsys, "check", *on, "--learning", "--review")
    assert {row["scenario"] for row in checked["learning"]} == set(scenarios)
    (gaps,) = [one for one in checked["review"] if one["name"] == "Gaps in the trend"]
    assert gaps["verdict"] == "PASS"


def test_what_if_names_scenarios_of_the_file(case, capsys):
    on = (str(case), "--as-of", WEEKS[2], "--draws", "100")
    for change in ("likelihood meeting local=0.9", "likelihood meeting truce=0.9", "lasts collapse=5"):
        printed(capsys, "whatif", *on, "--set", change)
    assert main(["whatif", *on, "--set", "prior local=0.2"]) == 2
    assert "Allowed: war, truce, other" in capsys.readouterr().err
    even = document(capsys, "whatif", *on, "--set", "prior=even")
    assert [row["id"] for row in even["scenarios"]] == ADDED


def test_a_second_run_before_a_change_that_is_written_down_infers_nothing(tmp_path, capsys, monkeypatch):
    folder = tmp_path / "signing"
    folder.mkdir()
    write(folder, changed(), EVIDENCE)
    run = ["update", str(folder), "--as-of", WEEKS[0], *QUICK]
    printed(capsys, *run)
    monkeypatch.setattr("forecast.run.infer", None)
    assert "Nothing changed" in printed(capsys, *run)


def test_what_nobody_issued_is_called_carried_over(tmp_path, capsys):
    folder = tmp_path / "signing"
    folder.mkdir()
    write(folder, changed(), EVIDENCE)
    printed(capsys, "update", str(folder), "--as-of", WEEKS[0], *QUICK)
    told = printed(capsys, "update", str(folder), "--as-of", WEEKS[1], "--alert", "0", *QUICK)
    alerts = told[told.index("Moved by more") :].splitlines()[1:]
    assert alerts
    assert all("from what was carried over" in line for line in alerts)
    assert f"carried over from {WEEKS[0]}" in (folder / "output" / "brief.md").read_text(encoding="utf-8")
    assert f"Carried over from {WEEKS[0]}" in (folder / "output" / "brief.html").read_text(encoding="utf-8")
