"""Chances and draws of one indicator, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import nbinom, norm, poisson

from forecast.case.evidence import Evidence
from forecast.inference.predictive.distributions import draw_noise, draw_number, rates
from forecast.model.likelihood import density
from forecast.model.parameters import build_layout
from tests.cases import binary, count, measure, question, source

Q = question(
    (0.6, 0.4),
    (
        binary("raid", (0.2, 0.7), 9.0),
        count("clashes", (6.0, 2.0), 3.0),
        count("shots", (6.0, 2.0), 3.0, dispersion=2.5),
        measure("price", (1.0, 2.0), (0.4, 0.6), 3.0),
    ),
    (source("s", 0.8, 9.0),),
    9.0,
)
LAYOUT = build_layout(Q, Evidence(()))
TWICE = np.array([0, 1])


def mean(i: int) -> np.ndarray:
    return rates(LAYOUT.arrays, i, LAYOUT.mean[None])[0, 0]


def test_rates_are_by_value_draw_and_scenario():
    assert rates(LAYOUT.arrays, 0, LAYOUT.mean[None])[:, 0] == pytest.approx(
        np.array([[0.8, 0.3], [0.2, 0.7]])
    )
    assert mean(1) == pytest.approx([6.0, 2.0])


@pytest.mark.parametrize("y", [0, 1, 7])
def test_densities(y):
    a = LAYOUT.arrays
    assert density(a, 1, mean(1), TWICE, y) == pytest.approx(poisson.pmf(y, [6.0, 2.0]))
    p = 2.5 / (2.5 + mean(2))
    assert density(a, 2, mean(2), TWICE, y) == pytest.approx(nbinom.pmf(y, 2.5, p))
    assert density(a, 3, mean(3), TWICE, y) == pytest.approx(norm.pdf(y, [1.0, 2.0], [0.4, 0.6]))
    assert density(a, 1, np.zeros(2), TWICE, y) == pytest.approx([float(y == 0)] * 2)


@pytest.mark.parametrize(("i", "variance"), [(1, (6.0, 2.0)), (2, (20.4, 3.6)), (3, (0.16, 0.36))])
def test_draws_have_their_mean_and_variance(i, variance):
    """100,000 draws, seed 1: within 6 errors of the mean, 5 % of the variance."""
    rng, s = np.random.default_rng(1), np.repeat(TWICE, 100_000)
    drawn = draw_number(LAYOUT.arrays, i, mean(i)[s], s, rng)
    for k in range(2):
        one = drawn[s == k]
        assert abs(one.mean() - mean(i)[k]) < 6 * one.std() / len(one) ** 0.5
        assert one.var() == pytest.approx(variance[k], rel=0.05)


def test_noise_is_any_value_or_a_number_of_any_scenario():
    """Seed 2; 6 errors of 100,000 draws."""
    rng = np.random.default_rng(2)
    assert abs(draw_noise(LAYOUT, 0, (100_000,), rng).mean() - 0.5) < 6 * 0.5 / 100_000**0.5
    drawn = draw_noise(LAYOUT, 1, (100_000,), rng)
    assert abs(drawn.mean() - 4.0) < 6 * drawn.std() / 100_000**0.5
