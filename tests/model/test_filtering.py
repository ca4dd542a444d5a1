"""The filter on given log-likelihoods, against one written in logarithms throughout."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

from forecast.model.hmm import filter_log_likelihood


def in_logarithms(prior: np.ndarray, matrix: np.ndarray, log_likelihood: np.ndarray):
    """Return alpha and log c_t, period by period."""
    with np.errstate(divide="ignore"):
        ahead, log_matrix = np.log(prior), np.log(matrix)
    alpha, norm = [], []
    for t in range(log_likelihood.shape[1]):
        joint = ahead + log_likelihood[:, t]
        norm.append(logsumexp(joint, axis=1))
        now = joint - norm[-1][:, None]
        alpha.append(np.exp(now))
        ahead = logsumexp(now[:, :, None] + log_matrix, axis=1)
    return np.stack(alpha, axis=1), np.stack(norm, axis=1)


def sequences(spread: float, shift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return priors, matrices with moves that cannot happen, and log-likelihoods of 30 periods."""
    rng = np.random.default_rng(3)
    prior, matrix = rng.dirichlet([1, 1, 1], 20), rng.dirichlet([4, 1, 1], (20, 3))
    matrix[:10] = np.eye(3)
    matrix[10:15, :, 2] = 0
    matrix /= matrix.sum(axis=2, keepdims=True)
    return prior, matrix, rng.normal(shift, spread, (20, 30, 3))


@pytest.mark.parametrize(("spread", "shift"), [(1, 0), (30, 0), (2000, 0), (1, -5000), (1, 5000)], ids=str)
def test_it_agrees_with_logarithms(spread, shift):
    arrays = sequences(spread, shift)
    for found, expected in zip(filter_log_likelihood(*arrays), in_logarithms(*arrays), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_a_scenario_that_the_evidence_excludes_stays_out():
    prior, matrix, log_likelihood = sequences(1, 0)
    log_likelihood[:, 4, 0] = -np.inf
    alpha, norm = filter_log_likelihood(prior, matrix, log_likelihood)
    expected = in_logarithms(prior, matrix, log_likelihood)
    np.testing.assert_allclose(alpha, expected[0], atol=1e-12)
    np.testing.assert_allclose(norm, expected[1], rtol=1e-9)
    assert np.all(alpha[:, 4, 0] == 0)
    assert np.all(alpha[:10, 4:, 0] == 0)


def test_evidence_that_no_scenario_allows_has_no_chance():
    prior, matrix, log_likelihood = sequences(1, 0)
    log_likelihood[:, 4] = -np.inf
    _, norm = filter_log_likelihood(prior, matrix, log_likelihood)
    assert np.all(np.isneginf(norm[:, 4]))
    assert np.all(np.isfinite(norm[:, :4]))
