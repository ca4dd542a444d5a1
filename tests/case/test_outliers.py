"""Outliers: numbers that no scenario can have produced are named, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecast.case.folder import load_case
from forecast.case.warnings import WarningMessage
from tests.case.base import HEADER, write

QUESTION = """\
title: Where will the price settle?
opened: 2024-01-01
horizon: 2024-03-31
prior: even
scenarios: {up: {}, down: {}}
indicators:
  price: {kind: measure, likelihood: {up: {mean: 1.2, sd: 0.4}, down: {mean: 0.8, sd: 0.4}}}
  dead: {kind: count, likelihood: {up: {mean: 2}, down: {mean: 6}}}
  crowd: {kind: count, error: 0.2, likelihood: {up: {mean: 40000}, down: {mean: 60000}}, dispersion: .inf}
  index: {kind: measure, error: 0.1, likelihood: {up: {mean: 1.2, sd: 0.4}, down: {mean: 0.8, sd: 0.4}}}
sources: {wire: {reliability: B}, radio: {reliability: B}, rumour: {reliability: E}}
"""


def named(folder: Path, *rows: str) -> tuple[str, ...]:
    """The ids of the reports that are called outliers."""
    return next((w.subject for w in warnings(folder, *rows) if w.kind == "outlier"), ())


def warnings(folder: Path, *rows: str) -> tuple[WarningMessage, ...]:
    """The warnings of a case with these rows: id, indicator, value, source, all of one week."""
    lines = []
    for row in rows:
        id, indicator, value, source = row.split()
        lines.append(f"{id},2024-01-02,2024-01-02,{indicator},{value},{source},,,,,,,,")
    return load_case(write(folder, QUESTION, "\n".join([HEADER, *lines]))).warnings


@pytest.mark.parametrize(
    ("row", "outlier"),
    [
        ("price 16", True),
        ("price 2.2", False),
        ("price -9", True),
        ("dead 300", True),
        ("dead 20", False),
        ("crowd 55000", False),
        ("crowd 90000", False),  # off by two errors from the larger mean
        ("crowd 600000", True),
        ("index 12", True),
        ("index 1.9", False),
    ],
)
def test_a_number_far_from_every_scenario_is_named(tmp_path: Path, row: str, outlier: bool):
    assert named(tmp_path, f"r1 {row} wire") == (("r1",) if outlier else ())


def test_a_source_that_is_not_believed_is_not_reproached(tmp_path: Path):
    assert named(tmp_path, "r1 price 16 rumour") == ()


def test_a_number_that_two_sources_state_is_no_slip(tmp_path: Path):
    """Two that state the same rare number corroborate each other; one alone is taken for noise."""
    assert named(tmp_path, "r1 dead 40 wire") == ("r1",)
    assert named(tmp_path, "r1 dead 40 wire", "r2 dead 40 radio") == ()


def test_the_wrong_one_of_several_is_named(tmp_path: Path):
    assert named(tmp_path, "r1 crowd 52000 wire", "r2 crowd 520000 radio") == ("r2",)


def test_the_warning_says_what_was_expected(tmp_path: Path):
    text = next(w.text for w in warnings(tmp_path, "r1 price 16 wire") if w.kind == "outlier")
    assert "r1 (price = 16.0, 0.8 to 1.2 give or take 0.4 expected)" in text
    text = next(w.text for w in warnings(tmp_path, "r1 crowd 600000 wire") if w.kind == "outlier")
    assert "r1 (crowd = 600000, 40,000 to 60,000 give or take 245 expected)" in text
