"""The folder on disk: loaded whole, written whole, never overwritten."""

from __future__ import annotations

import re
import stat
import time
from datetime import date, timedelta
from pathlib import Path
from typing import get_args

import pytest

from forecast.case.errors import InputError
from forecast.case.folder import Kind, load_case, new_case
from forecast.case.question import Reporting
from forecast.case.traps import trap_warnings
from tests.case.base import EVIDENCE, HEADER, QUESTION, write


def test_a_case(tmp_path: Path):
    case = load_case(str(write(tmp_path)))
    assert (case.name, case.path) == (tmp_path.name, tmp_path)
    assert case.question.title == "Will they sign?"
    assert len(case.digest) == 64


def test_the_name_is_that_of_the_folder_even_from_within(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(write(tmp_path))
    assert load_case(".").name == tmp_path.name


def test_the_digest_is_of_what_the_files_say(tmp_path: Path):
    digest = load_case(write(tmp_path)).digest
    foreign = QUESTION.replace("\n", "\r\n").encode(), b"\xef\xbb\xbf" + EVIDENCE.encode()
    assert load_case(write(tmp_path, *foreign)).digest == digest
    assert load_case(write(tmp_path, QUESTION + "# a remark\n")).digest != digest
    assert load_case(write(tmp_path, evidence=EVIDENCE.replace(",4,", ",3,"))).digest != digest


def test_what_is_no_case_folder_is_said(tmp_path: Path):
    write(tmp_path)
    with pytest.raises(InputError, match="not a case folder"):
        load_case(tmp_path / "question.yaml")
    (tmp_path / "lebanon").mkdir()
    with pytest.raises(InputError, match='did you mean "lebanon"'):
        load_case(tmp_path / "lebannon")
    (tmp_path / "evidence.csv").unlink()
    (tmp_path / "evidence.csv").mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        load_case(tmp_path)


def test_a_new_case_passes_every_check(tmp_path: Path):
    folder = new_case(tmp_path / "above" / "mine")
    names = {"question.yaml", "question.schema.json", "evidence.csv", "README.md"}
    assert {path.name for path in folder.iterdir()} == names
    case = load_case(folder)
    assert case.warnings == ()
    assert {i.kind for i in case.question.indicators} == {"category", "count", "measure", "ratio"}
    reported = {r.indicator for r in case.evidence.reports if r.indicator}
    assert reported == {i.id for i in case.question.indicators}
    assert stat.S_IMODE(folder.stat().st_mode) & 0o500 == 0o500


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_new_case_of_each_kind_is_sound_and_says_when_its_log_was_kept(kind: Kind, tmp_path: Path):
    folder = new_case(tmp_path / "mine", kind=kind)
    case = load_case(folder)
    assert case.warnings == trap_warnings(case.question, case.evidence) == ()
    question = case.question
    expected = "event" if kind == "minimal" else kind
    asked = (
        "event" if question.event else "static" if question.static else "regime" if question.dynamics else ""
    )
    assert asked == expected
    text = (folder / "question.yaml").read_text(encoding="utf-8")
    (since,) = re.findall(r"^# (reporting: \{since: .*?\})", text, re.MULTILINE)
    assert re.search(r"claims that .*(gains|\n#.*gains)", text)
    (folder / "question.yaml").write_text(text + since, encoding="utf-8")
    reporting = [i.reporting for i in load_case(folder).question.indicators if i.kind == "category"]
    assert reporting == [Reporting(question.opened)] * len(reporting)


def test_an_unknown_kind_is_refused_and_nothing_is_written(tmp_path: Path):
    with pytest.raises(InputError, match='did you mean "event"'):
        new_case(tmp_path / "mine", kind="evnt")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_new_case_takes_an_empty_folder_and_overwrites_nothing(tmp_path: Path):
    (tmp_path / "mine").mkdir()
    folder = new_case(tmp_path / "mine")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    for taken in (folder, folder / "README.md"):
        with pytest.raises(InputError, match="nothing is overwritten"):
            new_case(taken)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine"]


def test_a_new_case_fills_the_folder_one_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    same = (tmp_path / "mine").stat().st_ino
    new_case(".")
    assert (tmp_path / "mine").stat().st_ino == same, "not another folder in its place"
    assert load_case(".").name == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine"]


def test_a_new_case_below_a_file_is_a_fault(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        new_case(tmp_path / "file" / "mine")


def test_a_thousand_reports_are_read_in_no_time(tmp_path: Path):
    rows = [HEADER]
    for i in range(1000):
        day = date(2024, 1, 1) + timedelta(days=i % 180)
        source = ("agency", "paper")[i % 2]
        rows.append(f'r{i},{day},{day},convoy,yes,{source},2,,,,,Radio; TV,"a note, no. {i}",http://x')
    write(tmp_path, evidence="\n".join(rows))
    load_case(tmp_path)  # what is imported on first use
    start = time.perf_counter()
    assert len(load_case(tmp_path).evidence.reports) == 1000
    assert time.perf_counter() - start < 0.5  # 0.02 s where nothing else runs
