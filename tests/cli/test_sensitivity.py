"""``forecast sensitivity``: what it prints, its JSON, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forecast.cli import main
from tests.analysis.test_attribution import NOW, OLD, question, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "war", question(), OLD)
    return tmp_path / "war"


def test_it_says_what_the_answer_hangs_on(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["sensitivity", str(folder), "--as-of", str(NOW)]) == 0
    out, error = capsys.readouterr()
    assert out.startswith("What the forecast of war hangs on, as of 2024-01-21\n")
    assert error == ""
    assert {path.name for path in folder.iterdir()} == {"question.yaml", "evidence.csv"}  # nothing is written


def test_json_is_one_document_that_any_reader_takes(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["sensitivity", str(folder), "--as-of", str(NOW), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    found = document["sensitivity"]
    assert document["case"] == found["attrs"]["case"] == "war"
    assert found["coords"]["judgement"]["data"] == ["reliability press", "reliability sohr"]
    assert len(found["data_vars"]["flip"]["data"]) == 2
    assert found["data_vars"]["power_horizon"]["data"][0] == [None, None]  # nothing is uncertain


def test_a_case_at_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["sensitivity", str(tmp_path), "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "question.yaml" in captured.err
