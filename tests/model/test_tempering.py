"""Exponents of groups and the cap."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.model.tempering import exponents


def of_ranges(*w: float) -> np.ndarray:
    """Log likelihoods of cells in two scenarios, so many nats apart."""
    return np.array([[0.0, -x] for x in w])


def power(w: tuple[float, ...], rho: float, cap: float | None = None) -> list[float]:
    return exponents(of_ranges(*w), ["g"] * len(w), [rho] * len(w), cap)


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("rho", [0.0, 0.3, 1.0])
def test_equal_cells_count_as_their_effective_number(n, rho):
    found = power((1.3,) * n, rho)
    assert sum(found) == pytest.approx(n / (1 + rho * (n - 1)))  # Kish: 1 where rho is 1
    assert len(set(found)) == 1


def test_a_strong_cell_beside_weak_ones_keeps_its_weight():
    """(sum w)^2 / sum w^2 of 10, .1 and .1 is 1.0402."""
    assert power((10.0, 0.1, 0.1), 1.0) == pytest.approx([1 / (10.2**2 / 100.02)] * 3)
    assert min(power((10.0, 0.1, 0.1), 1.0)) > 0.95


def test_cells_of_other_groups_and_of_none_stand_alone():
    found = exponents(of_ranges(1, 1, 1, 1), ["g", "g", "h", ("", 3)], [1.0, 1.0, 1.0, 0.0], None)
    assert found == pytest.approx([0.5, 0.5, 1.0, 1.0])


def test_the_cap_holds_after_the_group():
    assert power((4.0,), 0.0, math.exp(3)) == pytest.approx([0.75])
    assert power((2.0,), 0.0, math.exp(3)) == [1.0]
    assert power((4.0, 4.0), 1.0, math.exp(3)) == pytest.approx([0.5, 0.5])  # 2 nats each: within the cap
    assert power((8.0, 8.0), 1.0, math.exp(3)) == pytest.approx([3 / 8, 3 / 8])


def test_cells_that_say_nothing():
    assert power((0.0, 0.0), 0.7) == [1.0, 1.0]


def test_infinite_ranges():
    """One impossible scenario outweighs whatever is finite; a cap leaves an infinite range nothing."""
    assert power((math.inf, 1.0), 1.0) == pytest.approx([1.0, 1.0], abs=1e-5)
    assert power((math.inf, math.inf), 1.0) == pytest.approx([0.5, 0.5])
    assert power((math.inf,), 0.0, 10.0) == [0.0]


@settings(derandomize=True, max_examples=50, deadline=None, database=None)
@given(
    st.lists(st.tuples(st.floats(0, 50), st.integers(0, 2)), min_size=1, max_size=7),
    st.floats(0, 1),
    st.none() | st.floats(1.5, 100),
    st.randoms(use_true_random=False),
)
def test_the_order_of_cells_and_scenarios_does_not_matter(cells, rho, cap, random):
    order = list(range(len(cells)))
    random.shuffle(order)

    def powers(rows: list[tuple[float, int]], *, flip: bool) -> list[float]:
        log_m = of_ranges(*(w for w, _ in rows))
        return exponents(log_m[:, ::-1] if flip else log_m, [g for _, g in rows], [rho] * len(rows), cap)

    found = powers(cells, flip=False)
    assert powers([cells[n] for n in order], flip=True) == pytest.approx([found[n] for n in order])
    assert all(0 < p <= 1 for p in found)
    if cap is not None:
        assert all(p * w <= math.log(cap) * (1 + 1e-12) for p, (w, _) in zip(found, cells, strict=True))
