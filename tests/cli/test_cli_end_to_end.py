"""From an empty folder to an issued forecast, in processes of their own, with the real engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from forecast.record.ledger import LEDGER, read_ledger

ROOT = Path(__file__).parents[2]

#: As little work as the engine can do.
QUICK = ("--draws", "100", "--chains", "2", "--tolerance", "0.5")

pytestmark = pytest.mark.slow


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        "import sys; from forecast.cli import main; sys.exit(main())",
        *arguments,
    ]
    with_tracebacks = os.environ | {"FORECAST_DEBUG": "1"}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, env=with_tracebacks)


@pytest.fixture(scope="module")
def case(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cases") / "mine"
    done = run("new", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


def test_a_dry_run_prints_json_only_and_writes_nothing(case):
    before = sorted(case.rglob("*"))
    done = run("update", str(case), "--json", "--dry-run", *QUICK)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["case"] == "mine"
    assert sum(scenario["probability"] for scenario in found["scenarios"]) == pytest.approx(1.0)
    assert sum(scenario["at_horizon"]["probability"] for scenario in found["scenarios"]) == pytest.approx(1.0)
    assert found["trend"][-1]["as_of"] == found["as_of"]
    assert sorted(case.rglob("*")) == before


def test_the_same_command_twice_prints_the_same_numbers_and_issues_once(case):
    first = run("update", str(case), *QUICK)
    assert first.returncode == 0, first.stderr
    rows = read_ledger(case / LEDGER)
    assert (case / "output" / "trend.png").exists()
    assert (case / "output" / "brief.md").exists()
    shutil.rmtree(case / "output")
    second = run("update", str(case), *QUICK)
    assert second.returncode == 0, second.stderr
    assert read_ledger(case / LEDGER) == rows
    assert first.stdout.splitlines()[:-1] == second.stdout.splitlines()[:-1]
    third = run("update", str(case), *QUICK)
    assert third.returncode == 0, third.stderr
    assert "Nothing changed since the forecast as of" in third.stdout
    assert read_ledger(case / LEDGER) == rows


def test_a_day_outside_the_question_s_time_is_the_caller_s_fault(case):
    done = run("update", str(case), "--dry-run", "--as-of", "1999-12-31")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "the question was not open on this day (found: 1999-12-31)" in done.stderr
    assert "Traceback" not in done.stderr


UNITS = """\
title: Asked of two districts at once
opened: 2024-01-01
horizon: 2024-03-31
weight: .inf
units: [north, south]
reporting: ignored
scenarios: {calm: {prior: 0.7}, unrest: {prior: 0.3}}
dynamics: {transition: {calm: [0.9, 0.1], unrest: [0.2, 0.8]}}
indicators: {march: {likelihood: {calm: 0.1, unrest: 0.8}}}
sources: {press: {reliability: 0.9}}
"""


def test_a_question_of_several_units_runs_to_its_end(tmp_path):
    (tmp_path / "question.yaml").write_text(UNITS, encoding="utf-8")
    reports = "id,date,indicator,value,source,unit\nr1,2024-01-03,march,yes,press,north\n"
    (tmp_path / "evidence.csv").write_text(reports, encoding="utf-8")
    done = run("update", str(tmp_path), "--as-of", "2024-01-07", *QUICK)
    assert done.returncode == 0, done.stderr
    assert "No report became known" in done.stdout.partition("south")[2]
    rows = read_ledger(tmp_path / LEDGER)
    assert [(row.unit, row.scenario) for row in rows] == [
        (unit, scenario) for unit in ("north", "south") for scenario in ("calm", "unrest")
    ]
    yes, no = 0.9 * 0.1 + 0.05, 0.9 * 0.8 + 0.05
    assert rows[0].probability == pytest.approx(0.7 * yes / (0.7 * yes + 0.3 * no))
    assert rows[2].probability == pytest.approx(0.7)
