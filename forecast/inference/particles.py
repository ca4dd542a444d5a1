"""Particle system of SMC: its state, a chain's record, effective sample size and resampling."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from forecast.model.hmm import Filtered


class ImpossibleEvidence(ValueError):
    """No scenario allows what was reported in a period of a unit, as known on a day."""

    def __init__(self, unit: int, period: int, day: date) -> None:
        super().__init__(f"no scenario allows the evidence of period {period}, as known on {day}")
        self.unit, self.period, self.day = unit, period, day


@dataclass
class Particles:
    """The state of one particle system; the only thing in the engine that changes."""

    theta: np.ndarray  # (N, D)
    log_weight: np.ndarray  # (N,)
    log_likelihood: np.ndarray  # (N,)
    filtered: Filtered


@dataclass(frozen=True)
class Chain:
    """The record of one chain: the filtered probabilities and weights of each trend date, theta at the last.

    N particles, U units, K scenarios, S trend dates, M particles kept of each date.
    """

    probability: np.ndarray  # (S, N, U, K) P(scenario in the date's period | theta, known at the date)
    weight: np.ndarray  # (S, N) sums to 1
    theta: np.ndarray  # (N, D) at the last date
    filtered: Filtered  # at the last date
    prior: np.ndarray  # (N, D)
    moves: np.ndarray  # (S,) number of sweeps
    log_evidence: np.ndarray  # (S,) log marginal likelihood
    accepted: np.ndarray  # (4, 2) accepted and tried
    theta_by_date: np.ndarray  # (S, M, D) some particles of each date, equally weighted


def pool_systems(runs: list[Chain]) -> Chain:
    """Pool the systems of one chain, each with the same share of the weight."""

    def join(field: str, axis: int) -> np.ndarray:
        return np.concatenate([getattr(run, field) for run in runs], axis=axis)

    return Chain(
        probability=join("probability", 1),
        weight=join("weight", 1) / len(runs),
        theta=join("theta", 0),
        filtered=Filtered(
            *(np.concatenate(arrays) for arrays in zip(*(run.filtered for run in runs), strict=True))
        ),
        prior=join("prior", 0),
        moves=np.sum([run.moves for run in runs], axis=0),
        log_evidence=np.mean([run.log_evidence for run in runs], axis=0),
        accepted=np.sum([run.accepted for run in runs], axis=0),
        theta_by_date=join("theta_by_date", 1),
    )


def effective_size(log_weight: np.ndarray) -> float:
    """Return (sum w)^2 / sum w^2 (Kong 1992)."""
    high = log_weight.max()
    if high == -np.inf:
        return 0.0
    weight = np.exp(log_weight - high)
    return float(weight.sum() ** 2 / (weight**2).sum())


def largest_part(begin: np.ndarray, end: np.ndarray, size: float) -> float:
    """Return how far to go from log weights to others, 0 to 1, so that `size` remains effective."""
    possible = ~np.isneginf(end)
    if not possible.any():
        return 0.0
    start = begin[possible]
    gained, low, high = end[possible] - start, 0.0, 1.0
    for _ in range(20):
        part = 0.5 * (low + high)
        if effective_size(start + part * gained) >= size:
            low = part
        else:
            high = part
    return low


def systematic(weight: np.ndarray, number: int, u: float) -> np.ndarray:
    """Return `number` indices in proportion to weight by systematic sampling with offset u in [0, 1)."""
    edges = np.cumsum(weight)
    points = (np.arange(number) + u) * (edges[-1] / number)
    return np.minimum(np.searchsorted(edges, points, side="right"), len(weight) - 1)


def log_sum(x: np.ndarray, axis: int | None = None) -> np.ndarray:
    """Return log(sum(exp(x))) over an axis, or over all; that of scipy.special differs in the last bit."""
    high = x.max(axis=axis, keepdims=True)
    return np.asarray(high.squeeze(axis) + np.log(np.exp(x - high).sum(axis=axis)))
