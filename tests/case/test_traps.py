"""Traps: each warned of where it is, with the number that makes it one, and not where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecast.case.folder import load_case
from forecast.case.traps import trap_warnings
from forecast.case.warnings import WarningMessage
from tests.case.base import HEADER, write
from tests.case.reader.test_dynamics import EVENT

STATIC = """\
title: Did they do it?
opened: 2024-01-01
horizon: 2024-06-30
weight: .inf
prior: even
scenarios: {a: {}, b: {}}
indicators:
  camp: {likelihood: {a: 0.2, b: 0.6}}
  letter: {likelihood: {a: 0.5, b: 0.25}}
  shots: {kind: count, likelihood: {a: {mean: 1}, b: {mean: 9}}, dispersion: .inf}
  price: {kind: measure, likelihood: {a: {mean: 1, sd: 1}, b: {mean: 3, sd: 1}}}
sources: {agency: {reliability: {p: 0.8, weight: .inf}}, paper: {reliability: {p: 0.8, weight: .inf}}}
"""


def row(
    id: str, week: int, indicator: str, value: str = "yes", *, reported: str = "", source: str = "agency"
) -> str:
    day = f"2024-{1 + (week * 7) // 28:02d}-{1 + (week * 7) % 28:02d}"
    return f"{id},{day},{reported or day},{indicator},{value},{source},,,,,,,,"


def found(folder: Path, question: str, *rows: str) -> dict[str, WarningMessage]:
    """Return the traps of a case by kind."""
    case = load_case(write(folder, question, "\n".join([HEADER, *rows])))
    return {warning.kind: warning for warning in trap_warnings(case.question, case.evidence)}


def test_a_static_question_says_that_its_truth_is_fixed_unless_it_is_meant(tmp_path: Path):
    assert "`dynamics: static`" in found(tmp_path, STATIC)["fixed truth"].text
    assert found(tmp_path, STATIC + "dynamics: static\n") == {}
    assert "fixed truth" not in found(tmp_path, EVENT)


def test_one_indicator_decides(tmp_path: Path):
    """camp says b by .58/.26, letter a by 1.6: without camp it is a."""
    rows = row("r1", 1, "camp"), row("r2", 1, "letter")
    warning = found(tmp_path, STATIC, *rows)["one decides"]
    assert warning.subject == ("camp",)
    assert "without camp, a and not b would be the most probable" in warning.text
    both = STATIC.replace(
        "letter: {likelihood: {a: 0.5, b: 0.25}}", "letter: {likelihood: {a: 0.25, b: 0.5}}"
    )
    assert "one decides" not in found(tmp_path, both, *rows)


@pytest.mark.parametrize(("indicator", "value", "expected"), [("shots", "9", "b"), ("price", "3.1", "b")])
def test_a_number_decides_too(indicator: str, value: str, expected: str, tmp_path: Path):
    rows = row("r1", 1, indicator, value), row("r2", 1, "letter")
    warning = found(tmp_path, STATIC, *rows)["one decides"]
    assert warning.subject == (indicator,)
    assert f"not {expected} would" in warning.text
    outlier = row("r1", 1, indicator, "1000000")
    assert "one decides" not in found(tmp_path, STATIC, outlier, rows[1])


def test_repeats_of_a_state_count_anew(tmp_path: Path):
    """P(yes is reported | b) = .8 * .6 + .1 = .58, of a .26: the square of 2.23 is under 8, its cube over."""
    rows = [row(f"r{week}", week, "camp") for week in (1, 2, 4, 5)]
    warning = found(tmp_path, STATIC, *rows)["repeats"]
    assert "yes was reported again in 3 periods" in warning.text
    assert f"{(0.58 / 0.26) ** 3:.0f}:1 for b against a" in warning.text
    assert "repeats" not in found(tmp_path, STATIC, *rows[:3])
    assert "repeats" not in found(tmp_path, STATIC.replace("camp: {", "camp: {persistence: 0.9, "), *rows)
    assert "repeats" not in found(tmp_path, STATIC + "cap: 1.5\n", *rows)
    said_no = [line.replace("yes", "no") for line in rows]
    assert "repeats" not in found(tmp_path, STATIC.replace("0.2, b: 0.6", "0.9, b: 0.1"), *said_no)


def test_a_second_report_of_a_source_in_a_cell_is_no_repeat_of_the_state(tmp_path: Path):
    rows = [row(f"r{n}", 1, "camp") for n in range(6)]
    assert "repeats" not in found(tmp_path, STATIC, *rows)


def test_a_log_that_was_compiled_late(tmp_path: Path):
    rows = [row(f"r{week}", week, "camp", reported="2024-05-01") for week in range(8)]
    warning = found(tmp_path, STATIC, *rows)["late log"]
    assert "8 of 8 reports became known at the end of the log" in warning.text
    assert "`reporting: {since: 2024-01-01}`" in warning.text
    kept = [row(f"r{week}", week, "camp") for week in range(8)]
    assert "late log" not in found(tmp_path, STATIC, *kept)
    assert "late log" not in found(tmp_path, STATIC + "reporting: {since: 2024-01-01}\n", *rows)
    assert "late log" not in found(tmp_path, STATIC + "reporting: ignored\n", *rows)


def test_an_event_whose_judgements_contradict_each_other_often(tmp_path: Path):
    assert "cut off" not in found(tmp_path, EVENT)
    wide = EVENT.replace("{low: 3, high: 10}, ends_in_event: 0.5", "{low: 2, high: 60}, ends_in_event: 0.3")
    assert "of the prior of this event's judgements" in found(tmp_path, wide)["cut off"].text


def test_the_weight_of_a_cell_is_lowered_to_the_cap(tmp_path: Path):
    """shots alone outweigh two letters (1.67 each, for a); at a cap of 1.5 they do not."""
    rows = row("r1", 1, "shots", "9"), row("r2", 1, "letter"), row("r3", 2, "letter")
    assert "without shots, a and not b" in found(tmp_path, STATIC, *rows)["one decides"].text
    assert "without letter, b and not a" in found(tmp_path, STATIC + "cap: 1.5\n", *rows)["one decides"].text
