"""``forecast whatif`` and ``forecast collect``: what they print, their JSON, and their exit codes."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from forecast.case.folder import load_case, new_case
from forecast.cli import main

QUICK = ["--draws", "100", "--chains", "2"]


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
