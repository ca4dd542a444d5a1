"""Append-only ledger of issued forecasts in ``forecasts.csv``: atomic append, and reading.

One row is one scenario of one issue. Rows are only ever added. The file is written whole or not at all: the
old content and the new rows go to a second file, which then takes the first one's place in a single step,
so that a reader, and a process killed halfway, sees either the old ledger or the new one. Numbers carry
every digit, so that what is read back equals what was forecast.
"""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from forecast.case.errors import Fault, InputError

if TYPE_CHECKING:
    import _csv


def _utc(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


_DATE = (date.fromisoformat, lambda _: True, "a date, YYYY-MM-DD")
_CHANCE = (float, lambda number: 0 <= number <= 1, "a number from 0 to 1")  # refuses nan as well
_WHOLE = (int, lambda _: True, "a whole number")
_NAME = (str, str.strip, "a name")

#: By column: how a cell is read, whether it is then right, and what it may be.
FORMS: dict[str, tuple[Callable[[str], Any], Callable[[Any], object], str]] = {
    "issued_at": (_utc, lambda _: True, "a time in UTC, YYYY-MM-DDThh:mm:ssZ"),
    "as_of": _DATE,
    "unit": (str, lambda _: True, "a unit, or nothing"),
    "scenario": _NAME,
    **dict.fromkeys(("probability", "low", "high"), _CHANCE),
    "horizon": _DATE,
    **dict.fromkeys(("horizon_probability", "horizon_low", "horizon_high"), _CHANCE),
    "engine": _NAME,
    "draws": _WHOLE,
    "chains": _WHOLE,
    "tolerance": (float, lambda number: 0 < number < math.inf, "a positive number"),
    "seed": _WHOLE,
    "digest": _NAME,
    "version": _NAME,
}


#: The ledger's name in the case folder.
LEDGER = "forecasts.csv"

_LOCK_SECONDS = 60


class Inputs(NamedTuple):
    """Everything that decides a forecast's numbers. The same inputs are issued once only."""

    as_of: date
    digest: str
    engine: str
    draws: int
    chains: int
    tolerance: float
    seed: int
    version: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the ledger: one scenario (of one unit) in one issue.

    ``low`` and ``high`` bound the central 90 %. ``probability`` is that of the scenario at the as-of date,
    ``horizon_probability`` that of the scenario on the day the question is settled. ``unit`` is "" where
    the question is asked of one unit only. ``digest`` is that of question and evidence.
    """

    issued_at: datetime
    as_of: date
    unit: str
    scenario: str
    probability: float
    low: float
    high: float
    horizon: date
    horizon_probability: float
    horizon_low: float
    horizon_high: float
    engine: str
    draws: int
    chains: int
    tolerance: float
    seed: int
    digest: str
    version: str

    @property
    def inputs(self) -> Inputs:
        """What decided the numbers of this row."""
        return Inputs(*(getattr(self, name) for name in Inputs._fields))


COLUMNS = tuple(field.name for field in fields(Entry))


def read_ledger(path: Path | str) -> tuple[Entry, ...]:
    """Return all rows of a ledger, in the order in which they were issued.

    Parameters
    ----------
    path : Path or str
        The ledger's file. One that does not exist holds no rows.

    Raises
    ------
    InputError
        If a row cannot be understood; it names every such line.

    Examples
    --------
    >>> from forecast.record.ledger import read_ledger
    >>> read_ledger("scenarios/no-such-case/forecasts.csv")
    ()
    """
    return _parse(Path(path), _content(Path(path)))


def append(path: Path | str, entries: Sequence[Entry]) -> bool:
    """Append one issue to the ledger atomically; return whether it was new.

    Raises InputError if the ledger as it stands cannot be understood. Nothing is written then.
    """
    path = Path(path).resolve()  # a link stays a link
    with _locked(path):
        old = _content(path)
        issued = {entry.inputs for entry in _parse(path, old)}
        if not entries or entries[0].inputs in issued:
            return False
        # An editor may have taken the last line's end away.
        end = b"\n" if old.strip() and not old.endswith(b"\n") else b""
        _replace(path, old + end + _text(entries, header=not old.strip()).encode())
    return True


def _content(path: Path) -> bytes:
    """Return the bytes of a ledger file, or b"" if it does not exist."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        why = f"the ledger cannot be read: {error.strerror or error}"
        raise InputError([_fault(path, 0, None, why, "a readable file")]) from error


def _text(entries: Sequence[Entry], *, header: bool) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow(COLUMNS)
    writer.writerows([_written(value) for value in astuple(entry)] for entry in entries)
    return text.getvalue()


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return repr(value) if isinstance(value, float) else str(value)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the ledger against other processes. The lock lies in ``output/``, which git ignores."""
    from filelock import FileLock

    folder = path.parent / "output"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / f".{path.name}.lock", timeout=_LOCK_SECONDS):
        yield


def _replace(path: Path, content: bytes) -> None:
    """Put new content in a file's place in one step, and see it safely on the disk."""
    # Under the lock there is one writer, so one name does: what a killed process left is overwritten.
    draft = path.with_name(f".{path.name}.new")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _parse(path: Path, content: bytes) -> tuple[Entry, ...]:
    """Read a ledger's content, gathering every fault before giving up."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError([_fault(path, line, "", "is not text in UTF-8", "UTF-8")]) from None
    reader = csv.reader(io.StringIO(text, newline=""))
    faults: list[Fault] = []
    entries: list[Entry] = []
    header: tuple[str, ...] | None = None
    for row in _rows(path, reader):
        if header is None:
            header = tuple(row)
            if header != COLUMNS:
                wrong = _fault(path, reader.line_num, ",".join(row), "has other columns", ",".join(COLUMNS))
                raise InputError([wrong])
        elif len(row) != len(COLUMNS):
            allowed = f"{len(COLUMNS)} fields"
            faults.append(_fault(path, reader.line_num, f"{len(row)} fields", "is not a whole row", allowed))
        else:
            entry = _entry(path, reader.line_num, row, faults)
            entries += [entry] if entry else []
    if faults:
        raise InputError(faults)
    return tuple(entries)


def _rows(path: Path, reader: _csv.Reader) -> Iterator[list[str]]:
    """Yield the rows that are not empty."""
    try:
        yield from (row for row in reader if row)
    except csv.Error as error:
        raise InputError([_fault(path, reader.line_num, str(error), "is not a table", "CSV")]) from None


def _entry(path: Path, line: int, row: list[str], faults: list[Fault]) -> Entry | None:
    values: list[Any] = []
    before = len(faults)
    for name, text in zip(COLUMNS, row, strict=True):
        parse, right, allowed = FORMS[name]
        try:
            values.append(parse(text))
        except ValueError:
            values.append(None)
        if values[-1] is None or not right(values[-1]):
            faults.append(_fault(path, line, text, f"{name} cannot be read", allowed))
    return None if len(faults) > before else Entry(*values)


def _fault(path: Path, line: int, value: str | None, problem: str, allowed: str) -> Fault:
    fix = "the ledger is written by the toolkit only: restore the file from git"
    return Fault(str(path), line, value, problem, allowed, fix)
