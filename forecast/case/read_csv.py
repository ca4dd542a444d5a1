"""A CSV file as rows of text that know their lines: spreadsheets' files included, surprises refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from forecast.case.faults import Faults, listed, meant
from forecast.case.read_yaml import decoded

#: Larger files are refused: a million reports are no log kept by hand.
MOST_BYTES = 100_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its first line in the file and its cells by column, without surrounding spaces."""

    line: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        """Return a cell, "" where the file lacks the column."""
        return self.cells.get(column, "")


def load_csv(
    data: bytes, faults: Faults, *, columns: Sequence[str], required: Sequence[str]
) -> list[Row] | None:
    """Return the rows of a comma-separated file with a header; None where the header cannot be used.

    Parameters
    ----------
    data : bytes
        The file: UTF-8, with or without a byte order mark, any line ends, quoted cells over several lines.
    faults : Faults
        Where faults go.
    columns, required : sequence of str
        The columns there may be, in any order, and those there must be.
    """
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
                header = _header(cells, line, faults, columns, required)
                if header is None:
                    return None
            elif _fits(cells, header, line, faults):
                rows.append(Row(line, dict(zip(header, cells, strict=False))))
    except csv.Error as error:
        problem, fix = _explained(str(error))
        faults.add(start, None, problem, fix=fix)
    if header is None and not faults.found:
        faults.add(1, None, "the file is empty", fix=f"begin it with the header: {','.join(columns)}")
    return None if header is None else rows


def _header(
    cells: list[str], line: int, faults: Faults, columns: Sequence[str], required: Sequence[str]
) -> list[str] | None:
    """Return the names of the columns, None if no row could be read by them."""
    if len(cells) == 1:
        for name, delimiter in (("semicolons", ";"), ("tabs", "\t")):
            if delimiter in cells[0]:
                fix = "save it as CSV with commas (in a spreadsheet: save as, field separator ,)"
                faults.add(line, cells[0], f"the columns are separated by {name}, not by commas", fix=fix)
                return None
    names = [cell.lower() for cell in cells]
    filled = len(names) if names[-1] else max(i for i, name in enumerate(names) if name) + 1
    usable = True
    for i, name in enumerate(names[:filled]):  # beyond: a spreadsheet's empty columns to the right
        if name not in columns:
            faults.add(line, cells[i], "unknown column", allowed=listed(columns), fix=meant(name, columns))
        elif name in names[:i]:
            faults.add(line, name, "the column is there twice", fix="keep one of the two")
            usable = False
    missing = [name for name in required if name not in names]
    if missing:
        fix = "add it to the header; the first line of the file must be the header"
        faults.add(line, None, f"missing column: {listed(missing)}", allowed=listed(columns), fix=fix)
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
    if "unexpected end of data" in error:
        return "a quotation mark opened in this row is never closed", 'close it; inside quotes write " as ""'
    if "expected after" in error:
        return "a quotation mark in the middle of a quoted cell", 'inside quotes write " as ""'
    if "field larger" in error:
        return (
            f"a cell is longer than {csv.field_size_limit()} characters",
            "shorten it, or look for a quotation mark that is never closed",
        )
    return "the row is not CSV", "open and save the file in a spreadsheet"
