"""Reader of ``evidence.csv``: returns :class:`~forecast.case.evidence.Evidence` or notes every fault.

Each row is read by itself; what rows say about one another is checked by
:mod:`forecast.case.reader.consistency`. Files of spreadsheets are read too, surprises refused.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from forecast.case.errors import Faults, listed, meant
from forecast.case.evidence import Evidence, Report
from forecast.case.question import CREDIBILITY, Kind, Question
from forecast.case.reader.consistency import check_reports
from forecast.case.reader.question import Outline
from forecast.case.reader.yaml_source import decoded, parse_date

COLUMNS = (
    "id", "date", "reported", "indicator", "value", "source", "credibility", "repeats", "independence",
    "testimony", "replaces", "via", "note", "citation", "unit",
)  # fmt: skip
REQUIRED = ("id", "date", "indicator", "value", "source")
GRADES = tuple(code for code in CREDIBILITY if code)
#: No total of anything that an analyst counts is larger.
MOST_COUNT = 1_000_000_000

Value = str | int | float | None

_NUMBER = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?\Z", re.ASCII)
_WHOLE = re.compile(r"\+?\d+(\.0+)?\Z", re.ASCII)
_BREAK = re.compile(r"[\s,;]")


def read_evidence(path: Path | str, question: Question) -> Evidence:
    """Read the log of reports on a question.

    Raises InputError with every fault in the file.
    """
    faults = Faults(str(path))
    evidence, _ = parse_evidence(Path(path).read_bytes(), Outline.of(question), faults)
    faults.raise_if_any()
    return evidence


def parse_evidence(data: bytes, outline: Outline, faults: Faults) -> tuple[Evidence, tuple[str, ...]]:
    """Return the evidence in a file's bytes, and the ids of the reports that do not say when they came."""
    return evidence_of(load_csv(data, faults) or [], outline, faults)


def evidence_of(rows: Sequence[Row], outline: Outline, faults: Faults) -> tuple[Evidence, tuple[str, ...]]:
    """Return the evidence in rows of text, and the ids of the reports that do not say when they came."""
    read = map(_RowReader(outline, faults).report, rows)
    reports = _completed([report for report in read if report is not None])
    check_reports(reports, outline, faults, ids=[row["id"] for row in rows])
    undated = tuple(row["id"] for row in rows if row["indicator"] and not row["reported"])
    return Evidence(reports), undated


def _completed(reports: list[Report]) -> tuple[Report, ...]:
    """Return the reports, withdrawals without an indicator taking that of what they withdraw."""
    by_id = {report.id: report for report in reports}
    return tuple(
        replace(r, indicator=by_id[r.replaces].indicator, unit=r.unit or by_id[r.replaces].unit)
        if r.replaces in by_id and r.value is None and not r.indicator
        else r
        for r in reports
    )


class _RowReader:
    """Reads rows one by one; a row with a fault that leaves nothing to check gives None."""

    def __init__(self, outline: Outline, faults: Faults) -> None:
        self.outline, self.faults = outline, faults
        self._lines: dict[str, int] = {}
        self._dates: dict[str, date | None] = {}

    def report(self, row: Row) -> Report | None:
        """Return the report that a row is."""
        id, indicator = self._id(row), row["indicator"]
        when = self._date(row, "date", row["date"])
        reported = self._date(row, "reported", row["reported"]) if row["reported"] else when
        value, ok = self._value(row)
        independence = self._independence(row)
        if _BREAK.search(row["replaces"]):
            self._add(row, "replaces", "only one report can be named", fix="write one row for each")
        replaces = next(iter(_split(row["replaces"], r"[;,\s]+")), "")
        if row["credibility"] and row["credibility"] not in GRADES:
            letter = any(character.isalpha() for character in row["credibility"])
            fix = "write only the digit: the letter grades the source, in question.yaml" if letter else ""
            self._add(row, "credibility", "not an Admiralty credibility", f"{listed(GRADES)}, or empty", fix)
        if indicator:
            self._check_source(row)
        if indicator or replaces:
            self._check_dates(row, when, reported)
        self._check_unit(row)
        if id is None or when is None or reported is None or not ok:
            return None
        others: dict[str, Any] = {
            key: row[key] for key in ("source", "credibility", "testimony", "note", "citation", "unit")
        }
        others |= {"repeats": _split(row["repeats"], r"[;,\s]+"), "via": _split(row["via"], r"[;,]")}
        others |= {"independence": independence, "replaces": replaces, "line": row.line}
        return Report(id, when, reported, indicator, value, **others)

    def _add(self, row: Row, column: str, problem: str, allowed: str = "", fix: str = "") -> None:
        name = f"report {row['id']}" if row["id"] else "report without id"
        shown = row[column] or None
        self.faults.add(row.line, shown, f"{name}, {column}: {problem}", allowed=allowed, fix=fix)

    def _id(self, row: Row) -> str | None:
        id = row["id"]
        if not id:
            self._add(row, "id", "every row needs an id", fix="write one that no other row has, e.g. r17")
            return None
        if _BREAK.search(id):
            self._add(row, "id", "an id is one word", fix="write it without spaces, commas and semicolons")
        if id in self._lines:
            problem = f"the id is already that of the row in line {self._lines[id]}"
            self._add(row, "id", problem, fix="give this row another id; to correct a report use `replaces`")
            return None
        self._lines[id] = row.line
        return id

    def _date(self, row: Row, column: str, text: str) -> date | None:
        if text not in self._dates:
            self._dates[text] = parse_date(text)
        day = self._dates[text]
        if day is None:
            fix = "write, e.g., 2014-11-02; in a spreadsheet format the column as text first"
            problem = "not a date" if text else "missing"
            self._add(row, column, problem, "a day of the calendar as YYYY-MM-DD", fix)
        return day

    def _check_dates(self, row: Row, when: date | None, reported: date | None) -> None:
        opened = self.outline.opened
        if when and opened and when < opened and row["value"]:
            fix = "correct the date, or leave the indicator empty: the row is then context, without weight"
            self._add(row, "date", f"before the question was opened ({opened})", fix=fix)
        if when and reported and reported < when:
            problem = f"before the day it happened ({when})"
            self._add(row, "reported", problem, fix="correct one of the two dates")

    def _check_source(self, row: Row) -> None:
        known = self.outline.sources
        if not row["source"] and not row["value"]:
            return  # a withdrawal
        if not row["source"]:
            fix = "write the id of one of the sources in question.yaml"
            self._add(row, "source", "a report needs its source", fix=fix)
        elif known is not None and row["source"] not in known:
            fix = meant(row["source"], known) or "add it, with its reliability, to `sources` in question.yaml"
            self._add(row, "source", "no such source", listed(sorted(known)), fix)

    def _check_unit(self, row: Row) -> None:
        units, unit = self.outline.units, row["unit"]
        if units is None:
            return
        if unit and not units:
            fix = "leave it empty, or add `units` to question.yaml"
            self._add(row, "unit", "the question has no units", fix=fix)
        elif unit and unit not in units:
            self._add(row, "unit", "no such unit", listed(units), meant(unit, units))
        elif units and not unit and row["indicator"] and row["value"]:
            self._add(row, "unit", "a report needs its unit", listed(units))

    def _independence(self, row: Row) -> float | None:
        share = _number(row["independence"])
        if row["independence"] and not 0 <= share <= 1:
            allowed = "a number from 0 (a mere repeat) to 1 (an observation of its own)"
            self._add(row, "independence", "not a share", allowed)
        return share if 0 <= share <= 1 else None

    def _value(self, row: Row) -> tuple[Value, bool]:
        """Return the parsed value of a row, and whether its other columns can be checked."""
        id, text = row["indicator"], row["value"]
        if not id:
            if text:
                fix = "name the indicator, or move the value to the note: the row is then context"
                self._add(row, "value", "a value without an indicator", fix=fix)
            return None, not text
        statable = self.outline.indicators
        if statable is not None and id not in statable:
            self._add(row, "indicator", "no such indicator", listed(statable), meant(id, statable))
            return None, False
        known = None if statable is None else statable[id]
        if not text:
            if not row["replaces"]:
                fix = "write the value; only a row that withdraws another (`replaces`) has none"
                self._add(row, "value", "missing", "" if known is None else _allowed(*known), fix)
            return None, bool(row["replaces"])
        if known is None:
            return text, False
        return self._typed(row, text, *known)

    def _typed(self, row: Row, text: str, kind: Kind, values: tuple[str, ...]) -> tuple[Value, bool]:
        allowed = _allowed(kind, values)
        if kind == "count":
            if _WHOLE.match(text) and float(text) <= MOST_COUNT:
                return int(float(text)), True
            self._add(row, "value", "not a count", allowed)
        elif kind == "measure":
            if math.isfinite(_number(text)):
                return _number(text), True
            fix = "write a decimal point, and no thousands separator" if "," in text else ""
            self._add(row, "value", "not a measure", allowed, fix)
        elif kind == "ratio" and text != "yes":
            self._add(row, "value", "of a ratio only yes can be reported", allowed, "remove the row")
        elif text not in values:
            self._add(row, "value", f"not a value of {row['indicator']}", allowed, meant(text, values))
        else:
            return text, True
        return None, False


def _allowed(kind: Kind, values: tuple[str, ...]) -> str:
    if kind == "count":
        return f"a whole number from 0 to {MOST_COUNT}, the total of the whole period"
    if kind == "measure":
        return "a finite number"
    return "yes" if kind == "ratio" else listed(values)


def _number(text: str) -> float:
    return float(text) if _NUMBER.match(text) else math.nan


def _split(text: str, pattern: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in re.split(pattern, text) if part.strip()) if text else ()


#: Larger files are refused: a million reports are no log kept by hand.
MOST_BYTES = 100_000_000


class Row(dict[str, str]):
    """The cells of a row by column, without surrounding spaces; "" where the file lacks the column."""

    line = 0

    def __missing__(self, column: str) -> str:
        return ""


def load_csv(data: bytes, faults: Faults) -> list[Row] | None:
    """Return the rows of a comma-separated file with a header, None where the header cannot be used."""
    text = decoded(data, faults, most_bytes=MOST_BYTES)
    if text is None:
        return None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    header: list[str] | None = None
    start = 1
    try:
        for cells in reader:
            line, start = start, reader.line_num + 1
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            if header is None:
                header = _header(cells, line, faults)
                if header is None:
                    return None
            elif _fits(cells, header, line, faults):
                rows.append(Row(zip(header, cells, strict=False)))
                rows[-1].line = line
    except csv.Error as error:
        problem, fix = _explained(str(error))
        faults.add(start, None, problem, fix=fix)
    if header is None and not faults.noted:
        faults.add(1, None, "the file is empty", fix=f"begin it with the header: {','.join(COLUMNS)}")
    return None if header is None else rows


def _header(cells: list[str], line: int, faults: Faults) -> list[str] | None:
    """Return the names of the columns, None if no row could be read by them."""
    if len(cells) == 1:
        for name, delimiter in (("semicolons", ";"), ("tabs", "\t")):
            if delimiter in cells[0]:
                fix = "save it as CSV with commas (in a spreadsheet: save as, field separator ,)"
                faults.add(line, cells[0], f"the columns are separated by {name}, not by commas", fix=fix)
                return None
    names = [cell.lower() for cell in cells]
    filled = max(i for i, name in enumerate(names) if name) + 1
    usable = True
    for i, name in enumerate(names[:filled]):  # beyond: a spreadsheet's empty columns to the right
        if name not in COLUMNS:
            faults.add(line, cells[i], "unknown column", allowed=listed(COLUMNS), fix=meant(name, COLUMNS))
        elif name in names[:i]:
            faults.add(line, name, "the column is there twice", fix="keep one of the two")
            usable = False
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        fix = "add it to the header; the first line of the file must be the header"
        faults.add(line, None, f"missing column: {listed(missing)}", allowed=listed(COLUMNS), fix=fix)
    return names if usable and not missing else None


def _fits(cells: list[str], header: list[str], line: int, faults: Faults) -> bool:
    """Return whether a row has as many cells as the header: else nobody knows which is which."""
    if len(cells) == len(header):
        beyond = next((cell for cell, name in zip(cells, header, strict=True) if cell and not name), None)
        if beyond is not None:
            faults.add(line, beyond, "a cell under no column", fix="move it, or name its column")
        return beyond is None
    if len(cells) > len(header):
        fix = "put a text that has a comma in it between double quotes, or remove the comma too many"
    else:
        fix = "add the missing commas: an empty cell needs its comma too"
    faults.add(line, ",".join(cells), f"the row has {len(cells)} cells, the header {len(header)}", fix=fix)
    return False


def _explained(error: str) -> tuple[str, str]:
    """Return what an error of the csv module means, and what to do."""
    if "unexpected end of data" in error:
        return "a quotation mark opened in this row is never closed", 'close it; inside quotes write " as ""'
    if "expected after" in error:
        return "a quotation mark in the middle of a quoted cell", 'inside quotes write " as ""'
    if "field larger" in error:
        fix = "shorten it, or look for a quotation mark that is never closed"
        return f"a cell is longer than {csv.field_size_limit()} characters", fix
    return "the row is not CSV", "open and save the file in a spreadsheet"
