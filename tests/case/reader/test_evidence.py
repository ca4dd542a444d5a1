"""The log of reports is read whatever made the file, with the right lines and types."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from forecast.case.errors import InputError
from forecast.case.evidence import Evidence, Report
from forecast.case.folder import load_case
from forecast.case.reader.evidence import read_evidence
from tests.case.base import EVIDENCE, HEADER, QUESTION, write


def evidence(text: str | bytes, folder: Path, question: str = QUESTION) -> Evidence:
    """Return the evidence that a file says."""
    return load_case(write(folder, question, text)).evidence


def test_every_column_of_a_report(tmp_path: Path):
    row = "r1,2024-01-03,2024-01-04,tone,neutral,agency,3,,,minister,,Radio One; TV,a note,http://x"
    (report,) = evidence(f"{HEADER}\n{row}\n", tmp_path).reports
    assert report == Report(
        id="r1",
        date=date(2024, 1, 3),
        reported=date(2024, 1, 4),
        indicator="tone",
        value="neutral",
        source="agency",
        credibility="3",
        testimony="minister",
        via=("Radio One", "TV"),
        note="a note",
        citation="http://x",
        line=2,
    )


def test_types_of_values(tmp_path: Path):
    values = {r.id: r.value for r in evidence(EVIDENCE, tmp_path).reports}
    assert (values["r1"], values["r4"], values["r6"], values["c1"]) == ("yes", 4, 1.15, None)
    assert type(values["r4"]) is int


def test_reported_is_the_date_unless_given(tmp_path: Path):
    (report,) = evidence(f"{HEADER}\nr1,2024-01-03,,meeting,yes,agency,,,,,,,,\n", tmp_path).reports
    assert report.reported == report.date


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_files_made_by_spreadsheets(end: str, mark: bytes, tmp_path: Path):
    data = mark + EVIDENCE.replace("\n", end).encode()
    assert evidence(data, tmp_path) == evidence(EVIDENCE, tmp_path)


def test_quoted_notes_over_several_lines_do_not_shift_the_lines(tmp_path: Path):
    text = EVIDENCE.replace("Radio; TV,,", 'Radio; TV,"two\nlines, and ""quotes""",')
    reports = evidence(text, tmp_path).reports
    assert reports[2].note == 'two\nlines, and "quotes"'
    assert [report.line for report in reports] == [2, 3, 4, 6, 7, 8, 9, 10, 11]
    with pytest.raises(InputError, match=r"evidence\.csv:8: report r6"):
        evidence(text.replace("price,1.15", "price,x"), tmp_path)


def test_empty_rows_and_empty_columns_to_the_right_do_not_matter(tmp_path: Path):
    text = "".join(f"{line},,\n" for line in EVIDENCE.splitlines()) + ",,,,,,,,,,,,,,,\n\n"
    assert evidence(text, tmp_path) == evidence(EVIDENCE, tmp_path)
    with pytest.raises(InputError, match="under no column"):
        evidence(text.replace("context,,,", "context,,lost,"), tmp_path)


def test_columns_in_any_order_and_only_the_necessary_ones(tmp_path: Path):
    text = "Value, source ,indicator,date,id\nyes,agency,meeting,2024-01-03,r1\n"
    (report,) = evidence(text, tmp_path).reports
    assert (report.id, report.value, report.credibility, report.line) == ("r1", "yes", "", 2)


@pytest.mark.parametrize("written", ["r1;r2", "r1; r2", "r1 r2", '"r1, r2"'])
def test_several_originals(written: str, tmp_path: Path):
    text = EVIDENCE + f"r9,2024-01-05,2024-01-08,meeting,yes,paper,,{written},,,,,,\n"
    assert evidence(text, tmp_path).reports[-1].repeats == ("r1", "r2")


def test_context_is_kept_and_dated_at_will(tmp_path: Path):
    text = EVIDENCE + "c2,2030-01-01,2024-01-01,,,someone,,,,,,,The summit is planned,\n"
    (before, ahead) = [r for r in evidence(text, tmp_path).reports if not r.indicator]
    assert (before.date.year, ahead.date.year) == (2019, 2030)


def test_a_withdrawal_needs_neither_indicator_nor_source(tmp_path: Path):
    text = EVIDENCE + "w1,2024-02-01,,,,,,,,,r3,,,\n"
    log = evidence(text, tmp_path)
    assert log.reports[-1].indicator == "tone"
    assert "r3" in {r.id for r in log.known(date(2024, 1, 31))}
    assert "r3" not in {r.id for r in log.known(date(2024, 2, 1))}


def test_units(tmp_path: Path):
    question = QUESTION.replace("weight: 20\n", "units: [Syria, no]\n")
    row = "r1,2024-01-03,2024-01-04,meeting,yes,agency,,,,,,,,"
    (report,) = evidence(f"{HEADER},unit\n{row},no\n", tmp_path, question).reports
    assert report.unit == "no"
    for unit, said in (("", "needs its unit"), ("Syra", 'mean "Syria"')):
        with pytest.raises(InputError, match=said):
            evidence(f"{HEADER},unit\n{row},{unit}\n", tmp_path, question)
    with pytest.raises(InputError, match="needs its unit"):
        evidence(f"{HEADER}\n{row}\n", tmp_path, question)


def test_evidence_can_be_read_for_a_question_already_at_hand(tmp_path: Path):
    case = load_case(write(tmp_path))
    assert read_evidence(tmp_path / "evidence.csv", case.question) == case.evidence
    (tmp_path / "evidence.csv").write_text(EVIDENCE.replace("convoy,yes", "convoy,perhaps"))
    with pytest.raises(InputError, match="not a value of convoy"):
        read_evidence(tmp_path / "evidence.csv", case.question)
