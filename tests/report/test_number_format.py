"""How numbers are written."""

from __future__ import annotations

import math

import pytest

from forecast.report.number_format import band, decibans, percent, points, sparkline


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0.0, "0%"),
        (1e-9, "<1%"),
        (0.0099, "<1%"),
        (0.01, "1%"),
        (0.624, "62%"),
        (0.991, ">99%"),
        (1.0, "100%"),
    ],
)
def test_what_is_possible_never_reads_as_impossible_or_certain(probability, text):
    assert percent(probability) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.48, 0.75, "48–75%"),
        (0.001, 0.03, "<1–3%"),
        (0.001, 0.002, "<1%"),
        (0.9, 0.999, "90–>99%"),
        (1, 1, "100%"),
        (0.999, 1, ">99%"),
        (0, 0.001, "<1%"),
    ],
)
def test_a_band(low, high, text):
    assert band(low, high) == text


@pytest.mark.parametrize(
    ("change", "text"), [(None, ""), (0.0, "0"), (0.004, "0"), (-0.004, "0"), (0.034, "+3"), (-0.1, "−10")]
)
def test_a_change_in_points(change, text):
    assert points(change) == text


@pytest.mark.parametrize(
    ("weight", "text"),
    [
        (0.0, "0"),
        (-0.04, "0"),
        (12.34, "▲ 12.3"),
        (-3.0, "▼ 3.0"),
        (-math.inf, "▼ ∞"),
        (math.nan, "?"),
        (10.0, "▲ 10.0"),
    ],
)
def test_a_weight_of_evidence_shows_its_direction(weight, text):
    assert decibans(weight) == text


def test_the_trend_line_is_scaled_from_nought_to_one():
    assert sparkline([0.0, 0.124, 0.126, 0.5, 0.999, 1.0]) == "▁▁▂▅██"
    assert sparkline([]) == ""
