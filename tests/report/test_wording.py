"""How numbers are written."""

from __future__ import annotations

import itertools
import math

import pytest

from forecast.report.number_format import band, direction, percent, points, trend_line
from forecast.report.styles import spread


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
    ("decibans", "text"),
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
def test_a_weight_of_evidence_shows_its_direction(decibans, text):
    assert direction(decibans) == text


def test_the_trend_line_is_scaled_from_nought_to_one():
    assert trend_line([0.0, 0.124, 0.126, 0.5, 0.999, 1.0]) == "▁▁▂▅██"
    assert trend_line([]) == ""


@pytest.mark.parametrize(
    ("wanted", "heights"),
    [
        ([0.55, 0.29, 0.11, 0.05], [0.05] * 4),
        ([0.0, 0.0, 0.01, 0.0], [0.1] * 4),
        ([1.0, 0.99, 0.98], [0.1, 0.2, 0.1]),
        ([0.5], [0.1]),
        ([0.2, 0.5, 0.21, 0.49, 0.35], [0.09] * 5),
        ([], []),
    ],
)
def test_labels_do_not_overlap_and_stay_in_order_and_inside(wanted, heights):
    places = spread(wanted, heights)
    order = sorted(range(len(wanted)), key=lambda label: places[label])
    assert [wanted[label] for label in order] == sorted(wanted)
    for below, above in itertools.pairwise(order):
        assert places[above] - places[below] >= (heights[above] + heights[below]) / 2 - 1e-12
    assert all(h / 2 - 1e-12 <= p <= 1 - h / 2 + 1e-12 for p, h in zip(places, heights, strict=True))


def test_labels_with_room_stay_where_they_want_to_be():
    assert spread([0.2, 0.8, 0.5], [0.1, 0.1, 0.1]) == pytest.approx([0.2, 0.8, 0.5])
