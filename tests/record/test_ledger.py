"""The ledger: append-only, whole or not at all, exact, and clear about what is wrong with it."""

from __future__ import annotations

import math
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.case.errors import InputError
from forecast.record.ledger import COLUMNS, Entry, append, read_ledger

ROOT = Path(__file__).parents[2]
FIRST = Entry(
    issued_at=datetime(2014, 11, 23, 6, 0, 1, tzinfo=UTC),
    as_of=date(2014, 11, 22),
    unit="",
    scenario="conflict",
    probability=0.1 + 0.2,
    low=1e-300,
    high=math.nextafter(1.0, 0.0),
    horizon=date(2015, 3, 31),
    horizon_probability=1 / 3,
    horizon_low=0.0,
    horizon_high=1.0,
    engine="smc",
    draws=2000,
    chains=4,
    tolerance=0.005,
    seed=0,
    digest="ab" * 32,
    version="0.1.0",
)


def an_issue(seed: int = 0, scenarios: int = 3) -> tuple[Entry, ...]:
    return tuple(replace(FIRST, scenario=f"s{number}", seed=seed) for number in range(scenarios))


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "forecasts.csv"


def test_a_ledger_that_does_not_exist_is_empty(ledger: Path):
    assert read_ledger(ledger) == ()


def test_what_was_issued_is_read_back_to_the_last_digit(ledger: Path):
    assert append(ledger, an_issue())
    assert read_ledger(ledger) == an_issue()


@given(
    numbers=st.lists(st.floats(0, 1), min_size=6, max_size=6),
    tolerance=st.floats(min_value=0, exclude_min=True, allow_infinity=False),
    name=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip),
)
def test_any_number_and_any_name_survive(tmp_path_factory, numbers, tolerance, name):
    ledger = tmp_path_factory.mktemp("case") / "forecasts.csv"
    names = ("probability", "low", "high", "horizon_probability", "horizon_low", "horizon_high")
    chances = dict(zip(names, numbers, strict=True))
    entry = replace(FIRST, scenario=name, unit=name, tolerance=tolerance, **chances)
    assert append(ledger, [entry])
    assert read_ledger(ledger) == (entry,)


def test_a_ledger_starts_with_its_columns(ledger: Path):
    append(ledger, an_issue())
    assert ledger.read_text(encoding="utf-8").splitlines()[0] == ",".join(COLUMNS)
    assert COLUMNS[:5] == ("issued_at", "as_of", "unit", "scenario", "probability")


def test_the_same_inputs_are_issued_once(ledger: Path):
    append(ledger, an_issue())
    before = ledger.read_bytes()
    later = [replace(entry, issued_at=datetime(2020, 1, 1, tzinfo=UTC)) for entry in an_issue()]
    assert not append(ledger, later)
    assert ledger.read_bytes() == before


@pytest.mark.parametrize(
    "other",
    [
        {"as_of": date(2014, 11, 15)},
        {"digest": "cd" * 32},
        {"engine": "nuts"},
        {"draws": 500},
        {"chains": 2},
        {"tolerance": 0.01},
        {"seed": 1},
        {"version": "0.2.0"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_any_other_input_makes_another_issue(ledger: Path, other: dict):
    append(ledger, an_issue())
    assert append(ledger, [replace(entry, **other) for entry in an_issue()])
    assert len(read_ledger(ledger)) == 6


def test_the_old_rows_stay_byte_for_byte(ledger: Path):
    append(ledger, an_issue(seed=1))
    before = ledger.read_bytes()
    append(ledger, an_issue(seed=2))
    assert ledger.read_bytes().startswith(before)


def test_a_last_line_whose_end_an_editor_took_away(ledger: Path):
    append(ledger, an_issue(seed=1))
    ledger.write_bytes(ledger.read_bytes().rstrip(b"\n"))
    append(ledger, an_issue(seed=2))
    assert read_ledger(ledger) == an_issue(seed=1) + an_issue(seed=2)


def test_what_a_spreadsheet_does_to_a_file_is_understood(ledger: Path):
    append(ledger, an_issue())
    text = ledger.read_text(encoding="utf-8")
    ledger.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert read_ledger(ledger) == an_issue()


def test_a_link_stays_a_link(tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "forecasts.csv"
    link.symlink_to(tmp_path / "elsewhere" / "kept.csv")
    append(link, an_issue())
    assert link.is_symlink()
    assert read_ledger(link) == an_issue()


def spoilt(column: str, value: str) -> str:
    row = [""] * len(COLUMNS)
    good = {"issued_at": "2014-11-23T06:00:01Z", "as_of": "2014-11-22", "horizon": "2015-03-31"}
    for place, name in enumerate(COLUMNS):
        row[place] = good.get(name, "0.5")
        if name in ("draws", "chains", "seed"):
            row[place] = "1"
    row[COLUMNS.index(column)] = value
    return ",".join(row)


@pytest.mark.parametrize(
    ("column", "value", "allowed"),
    [
        ("issued_at", "2014-11-23 06:00", "a time in UTC"),
        ("as_of", "22.11.2014", "YYYY-MM-DD"),
        ("scenario", "", "a name"),
        ("probability", "0,5".replace(",", ";"), "from 0 to 1"),
        ("probability", "1.2", "from 0 to 1"),
        ("low", "nan", "from 0 to 1"),
        ("horizon_high", "-0.1", "from 0 to 1"),
        ("draws", "2e3", "a whole number"),
        ("tolerance", "inf", "a positive number"),
        ("digest", " ", "a name"),
    ],
)
def test_a_malformed_row_is_named(ledger: Path, column: str, value: str, allowed: str):
    text = ",".join(COLUMNS) + "\n" + spoilt("unit", "") + "\n" + spoilt(column, value) + "\n"
    ledger.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        append(ledger, an_issue())
    (fault,) = caught.value.faults
    assert (fault.file, fault.line, fault.value) == (str(ledger), 3, value)
    assert column in fault.problem
    assert allowed in fault.allowed
    assert "git" in fault.fix
    assert ledger.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        (b"issued_at;as_of\n", 1, "other columns"),
        (",".join(COLUMNS).encode() + b"\n1,2,3\n", 2, "not a whole row"),
        (b"a\nb\xff\n", 2, "UTF-8"),
        (",".join(COLUMNS).encode() + b"\n<<<<<<< HEAD\n", 2, "not a whole row"),
        (b'"' + b"x" * 200_000, 1, "not a table"),
    ],
)
def test_a_file_that_is_no_ledger_is_refused(ledger: Path, content: bytes, line: int, problem: str):
    ledger.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_ledger(ledger)
    assert caught.value.faults[0].line == line
    assert problem in caught.value.faults[0].problem


def test_all_faults_are_named_at_once(ledger: Path):
    rows = [",".join(COLUMNS), spoilt("seed", "x"), "1,2", spoilt("low", "2")]
    ledger.write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_ledger(ledger)
    assert [fault.line for fault in caught.value.faults] == [2, 3, 4]


def test_two_at_once_issue_once(ledger: Path):
    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(lambda _: append(ledger, an_issue()), range(16)))
    assert sum(written) == 1
    assert read_ledger(ledger) == an_issue()


# A process that adds issue after issue until it is killed.
_WRITER = """
import sys
from tests.record.test_ledger import an_issue
from forecast.record.ledger import append
for seed in range(int(sys.argv[2]), 10**9):
    append(sys.argv[1], an_issue(seed=seed, scenarios=40))
    if seed == int(sys.argv[2]):
        print("writing", flush=True)
"""


def test_a_killed_process_leaves_the_old_ledger_or_the_new_one(ledger: Path):
    moments, complete = random.Random(5), 0
    for round_ in range(8):
        before = ledger.read_bytes() if ledger.exists() else b""
        command = [sys.executable, "-c", _WRITER, str(ledger), str(1000 * round_)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "writing\n"
            time.sleep(moments.uniform(0.0, 0.12))
            writer.kill()
        entries = read_ledger(ledger)
        assert ledger.exists() or not entries
        assert not before or ledger.read_bytes().startswith(before)
        assert len(entries) % 40 == 0, "half an issue"
        assert len(entries) > complete
        complete = len(entries)
    assert append(ledger, an_issue(seed=-1)), "the lock of a killed process must not stay"


def test_a_ledger_that_cannot_be_read_is_a_fault_of_the_input(tmp_path):
    (tmp_path / "forecasts.csv").mkdir()
    for use in (read_ledger, lambda path: append(path, [FIRST])):
        with pytest.raises(InputError, match="cannot be read: Is a directory") as caught:
            use(tmp_path / "forecasts.csv")
        assert "restore the file" in str(caught.value)
