"""Weights of particles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.inference.particles import effective_size, largest_part, log_sum, systematic

MANY = settings(derandomize=True, max_examples=100, deadline=None, database=None)


@MANY
@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=30).filter(any),
    st.integers(1, 50),
    st.floats(0, 1, exclude_max=True),
)
def test_each_is_drawn_within_one_of_its_share(weight, number, u):
    w = np.array(weight)
    drawn = systematic(w, number, u)
    assert len(drawn) == number
    assert np.all(np.diff(drawn) >= 0)
    count = np.bincount(drawn, minlength=len(w))
    assert np.all(np.abs(count - number * w / w.sum()) < 1 + 1e-9)


def test_on_average_each_is_drawn_in_proportion():
    w, offsets = np.array([0.07, 0.0, 0.61, 0.32]), (np.arange(1000) + 0.5) / 1000
    count = sum(np.bincount(systematic(w, 3, u), minlength=4) for u in offsets)
    assert count / 1000 == pytest.approx(3 * w, abs=0.002)


def test_effective_size():
    assert effective_size(np.full(7, -1e5)) == pytest.approx(7)
    assert effective_size(np.log([0.5, 0.25, 0.25])) == pytest.approx(8 / 3)
    assert effective_size(np.array([0.0, -np.inf, -800.0])) == pytest.approx(1)
    assert effective_size(np.full(3, -np.inf)) == 0.0


def test_log_sum():
    assert log_sum(np.array([-1000.0, -1000.0, -np.inf])) == pytest.approx(-1000 + np.log(2))


@MANY
@given(st.integers(0, 1000), st.floats(0.1, 0.9))
def test_so_far_that_the_size_remains_effective(seed: int, share: float):
    rng = np.random.default_rng(seed)
    begin, end = rng.normal(0, 0.1, 200), rng.normal(0, 20, 200)
    end[:10] = -np.inf
    part = largest_part(begin, end, share * 200)
    possible, step = end > -np.inf, np.where(end > -np.inf, end - begin, 0.0)
    at = [np.where(possible, begin + p * step, -np.inf) for p in (part, part + 2e-6)]
    assert effective_size(at[0]) >= share * 200 or part == 0.0
    assert effective_size(at[1]) < share * 200


def test_to_the_impossible_it_is_no_way_at_all():
    assert largest_part(np.zeros(5), np.full(5, -np.inf), 2.0) == 0.0
