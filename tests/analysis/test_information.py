"""Mutual information of outcomes and scenarios, against sums by hand; the table has tests of its own."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.analysis.information import information


def test_mutual_information_of_two_outcomes():
    joint = np.array([[0.3, 0.1], [0.3, 0.3]])
    product = np.outer([0.4, 0.6], [0.6, 0.4])
    expected = (joint * np.log2(joint / product)).sum()
    assert information(joint, np.array([0.6, 0.4]), np.ones(2)) == pytest.approx(expected, rel=1e-12)


def test_what_is_left_over_is_one_outcome_more():
    half = np.array([[0.5, 0.0]])
    assert information(half, np.array([0.5, 0.5]), np.ones(1)) == pytest.approx(1.0, rel=1e-12)
    assert information(half, np.array([0.5, 0.5]), np.ones(1), complete=False) == pytest.approx(
        0.5, rel=1e-12
    )
