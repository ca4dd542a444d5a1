"""Elicitation: the distributions have the quantiles, means and weights that were asked for."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from forecast.case import elicitation
from forecast.case.judgement import MeasureMean, Positive, Proportions


@given(st.floats(1e-4, 1 - 1e-4), st.floats(1e-4, 1 - 1e-4))
def test_a_beta_has_both_quantiles(one: float, other: float):
    low, high = sorted((one, other))
    if high - low < 1e-4:
        return
    a, b = elicitation.beta_from_interval(low, high)
    assert stats.beta(a, b).cdf(low) == pytest.approx(0.05, abs=1e-8)
    assert stats.beta(a, b).sf(high) == pytest.approx(0.05, abs=1e-8)


@pytest.mark.parametrize(("low", "high", "a", "b"), [(0.1, 0.4, 4.775, 15.556), (0.02, 0.10, 4.38, 77.02)])
def test_betas_that_are_known(low: float, high: float, a: float, b: float):
    assert elicitation.beta_from_interval(low, high) == pytest.approx((a, b), rel=1e-3)


@pytest.mark.parametrize(("low", "high", "a", "b"), [(0.05, 0.95, 1.0, 1.0), (0.0025, 0.9025, 0.5, 1.0)])
def test_betas_in_closed_form_are_found_to_twelve_digits(low: float, high: float, a: float, b: float):
    """The uniform distribution, and that of the square of a uniform number."""
    assert elicitation.beta_from_interval(low, high) == pytest.approx((a, b), rel=1e-12)


def test_the_exponential_distribution_is_found_to_twelve_digits():
    ends = -math.log(0.95), -math.log(0.05)
    assert elicitation.gamma_from_interval(*ends) == pytest.approx((1.0, 1.0), rel=1e-12)


def test_a_beta_is_matched_at_the_quantiles_unlike_by_maximum_entropy():
    """Maximum entropy with 90 % between .1 and .4 gives Beta(5.24, 15.5), whose tails are not 5 % each."""
    a, b = elicitation.beta_from_interval(0.1, 0.4)
    assert stats.beta(a, b).ppf([0.05, 0.95]) == pytest.approx([0.1, 0.4], abs=1e-9)
    assert stats.beta(5.24, 15.5).cdf(0.4) - stats.beta(5.24, 15.5).cdf(0.1) == pytest.approx(0.9, abs=5e-3)
    assert stats.beta(5.24, 15.5).cdf(0.1) == pytest.approx(0.0302, abs=5e-4)


@given(st.floats(1e-3, 1e3), st.floats(1.01, 1e4))
def test_a_gamma_has_both_quantiles(low: float, ratio: float):
    mean, shape = elicitation.gamma_from_interval(low, low * ratio)
    rate = stats.gamma(shape, scale=mean / shape)
    assert rate.cdf(low) == pytest.approx(0.05, abs=1e-8)
    assert rate.sf(low * ratio) == pytest.approx(0.05, abs=1e-8)


def test_a_stay_of_6_to_30_periods_is_about_the_mean_stay():
    leaving = elicitation.stay_interval(6, 30)
    rate = stats.gamma(leaving.shape, scale=leaving.mean / leaving.shape)
    assert 1 / rate.ppf([0.95, 0.05]) == pytest.approx([6, 30])


@pytest.mark.parametrize(
    ("low", "high"), [(0.3, 0.2), (0.2, 0.2), (0.0, 0.2), (0.2, 1.0), (0.3, 0.3 + 1e-12)]
)
def test_intervals_without_an_answer_are_refused(low: float, high: float):
    with pytest.raises(ValueError, match="interval"):
        elicitation.beta_from_interval(low, high)


def test_gammas_without_an_answer_are_refused():
    for low, high in ((2.0, 1.0), (0.0, 1.0), (1.0, math.inf), (1.0, 1.0 + 1e-14)):
        with pytest.raises(ValueError, match="interval"):
            elicitation.gamma_from_interval(low, high)


def test_plain_numbers_never_become_j_shaped_unawares():
    rare = elicitation.plain(elicitation.yes(0.02), 20, floor=True)
    assert rare == Proportions((0.98, 0.02), 50.0)
    assert min(m * rare.weight for m in rare.mean) >= 1.0
    assert elicitation.plain(elicitation.yes(0.5), 20, floor=True).weight == 20
    assert elicitation.plain(elicitation.yes(0.02), 20, floor=False).weight == 20
    assert elicitation.plain((0.0, 1.0), math.inf, floor=True).exact


def test_past_cases_by_jeffreys_prior():
    assert elicitation.hits((37, 3)) == Proportions((37.5 / 41, 3.5 / 41), 41.0)
    assert elicitation.hits((3, 4, 5)).weight == 13.5


@pytest.mark.parametrize(
    ("word", "scale", "mean", "weight"),
    [
        ("likely", "icd203", 0.675, 20.0),
        ("almost no chance", "icd203", 0.03, 20.0),
        ("likely", "ipcc", 0.83, 5.92),  # open to 1
        ("unlikely", "ipcc", 0.165, 6.14),  # open to 0
        ("remote chance", "phia", 0.025, 20.0),
    ],
)
def test_words_have_the_middle_of_their_band(word: str, scale: str, mean: float, weight: float):
    judged = elicitation.word(word, scale)
    assert judged.mean[1] == pytest.approx(mean)
    assert judged.weight == pytest.approx(weight, abs=0.01)


def test_positive_quantities():
    assert elicitation.count_mean(6, 20) == Positive(6.0, 120.0)
    assert elicitation.stay(40, 20) == Positive(0.025, 20.0)
    assert elicitation.stay(math.inf, 20).exact
    assert elicitation.stay(40, math.inf).exact


def test_a_residual_scenario_is_the_mean_of_the_others_with_a_small_weight():
    rest = elicitation.residual([Proportions((0.9, 0.1), 50), Proportions((0.5, 0.5), 20)], learn=False)
    assert isinstance(rest, Proportions)
    assert rest.mean == pytest.approx((0.7, 0.3))
    assert rest.weight == pytest.approx(1 / 0.3)
    assert not rest.learn
    rare = elicitation.residual([elicitation.plain((1 - p, p), 1e6, floor=False) for p in (1e-6, 2e-6)])
    assert isinstance(rare, Proportions)
    assert min(rare.mean) * rare.weight == pytest.approx(1.0)
    assert elicitation.residual([Positive(6.0, 120.0), Positive(2.0, 40.0)]) == Positive(4.0, 8.0)
    spread = elicitation.residual([MeasureMean(1.0, 3.0, 20), MeasureMean(3.0, 5.0, 20)])
    assert spread == MeasureMean(2.0, math.sqrt(17 + 1), 2.0)
