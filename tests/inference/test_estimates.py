"""From weighted particles to draws, means, bands and errors."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.case.evidence import Evidence
from forecast.inference.estimates import draws_of, estimate
from forecast.inference.particles import Chain
from forecast.model.hmm import empty_filtered
from forecast.model.parameters import build_layout
from tests.cases import question


def test_the_band_is_where_the_weights_reach_5_and_95_percent():
    """A level is reached by a sum of weights that equals it but for rounding."""
    value = np.random.default_rng(1).permutation(np.arange(100.0))
    for weight in (None, np.full((1, 100), 0.01)):
        found = estimate(value[None], weight)
        assert [found.low, found.high] == [4.0, 94.0]
    uneven = estimate(np.arange(4.0)[None], np.array([[0.04, 0.02, 0.88, 0.06]]))
    assert [uneven.low, uneven.high] == [1.0, 3.0]


def test_the_mean_over_chains_and_its_error_by_hand():
    value = np.array([[0.2, 0.4], [0.8, 0.9]])
    weight = np.array([[0.5, 0.5], [0.75, 0.25]])
    found = estimate(value[..., None], weight)
    assert found.probability == pytest.approx([(0.3 + 0.825) / 2])
    spread = (0.3 - 0.825) ** 2 / 2 / 2  # variance of two means, over two chains
    assert found.mcse == pytest.approx([np.sqrt(spread)])


def test_the_error_is_never_less_than_that_of_independent_draws():
    """Chains of which each is the mirror of the next agree by accident."""
    one = np.array([0.1, 0.3, 0.5, 0.7])
    value = np.stack([one, one[::-1]])[..., None]
    within = one.var() / 4 / 2
    assert estimate(value).mcse == pytest.approx([np.sqrt(within)])
    assert estimate(value, size=np.array([2.0, 2.0])).mcse == pytest.approx([np.sqrt(2 * within)])


def test_the_error_is_that_of_repeated_runs():
    """Independent draws, 300 runs of 4 chains: root mean square error over stated error, within 15 %."""
    rng = np.random.default_rng(3)
    runs = [estimate(rng.beta(2, 3, (4, 200, 1))) for _ in range(300)]
    error = np.sqrt(np.mean([(run.probability - 0.4) ** 2 for run in runs]))
    stated = np.sqrt(np.mean([run.mcse**2 for run in runs]))
    assert 0.7 < error / stated < 1.15  # the larger of two errors is on the safe side


def test_one_chain_and_one_particle():
    assert estimate(np.full((1, 1, 2), 0.3)).mcse == pytest.approx([0.0, 0.0])


ARRAYS = build_layout(question((0.5, 0.3, 0.2), (), (), 20.0), Evidence()).arrays


def chain(rng: np.random.Generator, n: int) -> Chain:
    filtered = empty_filtered(n, 1, 2, ARRAYS)
    filtered.alpha[:] = rng.dirichlet(np.ones(3), (n, 1, 2))
    filtered.matrix[:] = np.arange(n)[:, None, None]
    return Chain(
        probability=filtered.alpha[None, :, :, 1],
        weight=rng.dirichlet(np.full(n, 0.3))[None],
        theta=np.arange(n, dtype=float)[:, None],
        filtered=filtered,
        prior=rng.random((n, 1)),
        moves=np.zeros(1),
        log_evidence=np.zeros(1),
        accepted=np.zeros((3, 2)),
        theta_by_date=np.zeros((1, 1, 1)),
    )


@pytest.mark.parametrize("draws", [50, 400, 1000])
def test_draws_keep_the_weighted_mean_of_the_leading_scenario(draws):
    """To within 1 / draws, as the mean of sorted values over a systematic sample must be."""
    rng = np.random.default_rng(4)
    chains = [chain(rng, 300) for _ in range(3)]
    found = draws_of(chains, draws, 2, seed=0)
    assert found.theta.shape == found.prior.shape == (3, draws, 1)
    for one, alpha in zip(chains, found.alpha, strict=True):
        mean = one.weight[0] @ one.probability[0, :, 0]
        lead = int(np.argmax(mean))
        assert abs(alpha[:, 0, -1, lead].mean() - mean[lead]) < 1 / draws


def test_draws_are_whole_particles():
    """Theta, matrix, filter and norms of one draw are those of one particle; only known periods are kept."""
    one = chain(np.random.default_rng(5), 40)
    found = draws_of([one], 100, 1, seed=0)
    row = found.theta[0, :, 0].astype(int)
    assert np.array_equal(found.matrix[0, :, 0, 0], row)
    assert np.array_equal(found.alpha[0], one.filtered.alpha[row][:, :, :1])
    assert np.abs(np.bincount(row, minlength=40) - 100 * one.weight[0]).max() < 1 + 1e-9
