"""The command that explains, and what it prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import forecast
from forecast.cli import main
from tests.analysis.test_attribution import ADDED, NOW, OLD, THEN, forecast_of, question, write


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cases") / "war"
    case = write(folder, question(), OLD)
    forecast.issue(case, forecast_of(case, THEN))
    write(folder, question(), OLD + ADDED)
    return folder


def test_it_says_why_and_what_moved_it(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["explain", str(folder), "--as-of", str(NOW), "--changed"]) == 0
    out = capsys.readouterr().out
    assert "before any evidence" in out
    assert "What was taken away" in out
    assert "new reports: d, i." in out


def test_json_is_one_document_that_any_reader_takes(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["explain", str(folder), "--as-of", str(NOW), "--changed", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    found = document["explain"]["data_vars"]
    assert found["report_date"]["data"][0] == "2024-01-09"
    assert len(found["weight"]["data"]) == document["explain"]["dims"]["cell"]
    assert document["changed"]["coords"]["step"]["data"][0] == "remainder"


def test_without_an_earlier_forecast(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    write(tmp_path, question(), OLD)
    assert main(["explain", str(tmp_path), "--as-of", str(THEN), "--changed"]) == 0
    assert "There is no forecast to compare with" in capsys.readouterr().out
    assert main(["explain", str(tmp_path), "--as-of", str(THEN), "--changed", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changed"] is None


def test_a_case_at_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["explain", str(tmp_path), "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "question.yaml" in captured.err
