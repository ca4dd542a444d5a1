"""Posterior draws from weighted particles; means, 90 % bands, Monte Carlo errors and r_hat of draws."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from forecast.inference.particles import Chain, systematic
from forecast.model.hmm import filter_particles, smooth
from forecast.model.problem import Problem

BAND = (0.05, 0.95)
_TIE = 1e-12  # a level that the weights reach but for rounding is reached


class Estimate(NamedTuple):
    """A probability, its central 90 % band over draws, and the Monte Carlo standard error of its mean."""

    probability: np.ndarray
    low: np.ndarray
    high: np.ndarray
    mcse: np.ndarray


class PosteriorDraws(NamedTuple):
    """Equally weighted draws from the posterior at the as-of date: C chains, M draws."""

    theta: np.ndarray  # (C, M, D)
    prior: np.ndarray  # (C, M, D) draws from the prior
    matrix: np.ndarray  # (C, M, K, K)
    alpha: np.ndarray  # (C, M, U, T, K) filtered
    log_norm: np.ndarray  # (C, M, U, T) log p(y_t | y_<t, theta)


def draws_of(chains: list[Chain], number: int, periods: int, seed: int) -> PosteriorDraws:
    """Thin or repeat each chain's weighted particles to `number` equally weighted draws.

    Systematic sampling over particles sorted by the probability of the leading scenario, so that the mean
    over draws is the weighted mean but for a fraction of a particle.
    """
    rows = []
    for c, chain in enumerate(chains):
        rng = np.random.default_rng(np.random.SeedSequence([seed, c, 0, 0, 0, 1]))
        now, weight = chain.probability[-1][:, 0], chain.weight[-1]
        order = np.argsort(now[:, np.argmax(weight @ now)], kind="stable")
        chosen = order[systematic(weight[order], number, rng.random())]
        rows.append(rng.permutation(chosen))

    def take(field: str) -> np.ndarray:
        return np.stack(
            [getattr(chain.filtered, field)[row] for chain, row in zip(chains, rows, strict=True)]
        )

    return PosteriorDraws(
        theta=np.stack([chain.theta[row] for chain, row in zip(chains, rows, strict=True)]),
        prior=np.stack([np.resize(chain.prior, (number, chain.prior.shape[1])) for chain in chains]),
        matrix=take("matrix"),
        alpha=take("alpha")[:, :, :, :periods],
        log_norm=take("log_norm")[:, :, :, :periods],
    )


def estimate(
    value: np.ndarray, weight: np.ndarray | None = None, *, size: np.ndarray | None = None
) -> Estimate:
    """Summarise draws value (C, M, ...) with weights (C, M) that sum to 1 in each chain.

    The error is that of the mean over chains, from their spread, and never less than as many independent
    draws as the effective size would have:  mcse^2 = max(var(chain means) / C, mean of var / (C ess)).
    `size` (C,) is the effective size where it is not that of the weights: that of the particles from
    which equally weighted draws were taken.
    """
    chains, number = value.shape[:2]
    if weight is None:
        weight = np.full((chains, number), 1.0 / number)
    wide = weight.reshape(chains, number, *(1,) * (value.ndim - 2))
    means = (wide * value).sum(axis=1)
    within = np.maximum((wide * (value - means[:, None]) ** 2).sum(axis=1), 0.0)
    size = 1.0 / (weight**2).sum(axis=1) if size is None else size
    share = 1.0 / size.reshape(chains, *(1,) * (value.ndim - 2))
    variance = (within * share).mean(axis=0) / chains
    if chains > 1:
        variance = np.maximum(variance, means.var(axis=0, ddof=1) / chains)
    flat, levels = value.reshape(-1, *value.shape[2:]), np.multiply(BAND, 1 - _TIE)
    low, high = np.quantile(flat, levels, axis=0, weights=weight.ravel(), method="inverted_cdf")
    return Estimate(means.mean(axis=0), low, high, np.sqrt(variance))


def r_hat(value: np.ndarray) -> np.ndarray:
    """Return the potential scale reduction of draws value (C, M, ...) (Gelman and Rubin 1992).

    sqrt(((M - 1) / M W + B / M) / W), with W the variance within chains and B / M that of their means; 1
    where nothing varies. The draws of a particle system are in no order, so that chains need not be split.
    """
    chains, number = value.shape[:2]
    if chains < 2 or number < 2:
        return np.ones(value.shape[2:])
    within, between = value.var(axis=1, ddof=1).mean(axis=0), value.mean(axis=1).var(axis=0, ddof=1)
    varies = within + between > 1e-20
    ratio = np.divide(between, within, out=np.full(within.shape, np.inf), where=within > 0)
    return np.where(varies, np.sqrt((number - 1) / number + np.where(varies, ratio, 0.0)), 1.0)


def smoothed(problem: Problem, draws: PosteriorDraws) -> np.ndarray:
    """Return the mean over draws of the smoothed probabilities, (U, T, K), chain by chain to spare memory."""
    sequence, arrays = problem.steps[-1].sequence, problem.layout.arrays
    each = (smooth(filter_particles(theta, sequence, problem.cells, arrays)) for theta in draws.theta)
    return np.mean([one.mean(axis=0) for one in each], axis=0)
