"""The information that outcomes hold about the scenario, from draws of the judgements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from forecast.analysis.at_means import filtered_of, standing
from forecast.analysis.channels import Channel
from forecast.analysis.swings import theta_of
from forecast.inference.summary import Draws
from forecast.model.layout import Layout
from forecast.model.likelihood import Cells, log_cells

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.folder import Case

_CHUNK = 200  # draws at a time


@dataclass(frozen=True)
class Joint:
    """Of one target, chain by chain: p(s) by unit, and p(s, y) of every outcome of every channel."""

    scenario: np.ndarray  # (C, U, K)
    outcome: list[np.ndarray]  # of each channel (C, n, K)


def draws_of(case: Case, day: date, tree: xr.DataTree, most: int) -> tuple[Layout, Draws]:
    """Return the draws of a forecast, evenly thinned, with what they say of every period."""
    model = standing(case.question, case.evidence, day)
    theta = theta_of(model.layout, tree)
    theta = theta[:, :: max(theta.shape[1] // most, 1)][:, :most]
    chains, number = theta.shape[:2]
    filtered = filtered_of(model, theta.reshape(chains * number, -1))
    matrix, alpha, log_norm = (
        part.reshape(chains, number, *part.shape[1:])
        for part in (filtered.matrix, filtered.alpha, filtered.log_norm)
    )
    return model.layout, Draws(theta, theta, matrix, alpha, log_norm)


def _targets(sample: Draws, ahead: int, steps: int) -> dict[str, np.ndarray]:
    """Return P(scenario of the period reported on, scenario asked about | theta): (C, M, U, K, K).

    `ahead` is 0 if the present period is reported on, 1 if the next; `steps` lead to the horizon.
    """
    now, matrix = sample.alpha[..., -1, :], sample.matrix[:, :, None]
    size = now.shape[-1]
    moved = now if not ahead else np.einsum("cmus,cmst->cmut", now, sample.matrix)
    there = moved[..., None] * np.eye(size)
    before = there if not ahead else np.swapaxes(now[..., None] * matrix, -1, -2)
    return {
        "now": before,
        "reported": there,
        "horizon": there @ np.linalg.matrix_power(matrix, steps - ahead),
    }


def joints(laid: Layout, sample: Draws, found: list[Channel], cells: Cells, ahead: int) -> dict[str, Joint]:
    """Return p(s, y) of every channel and target."""
    question = laid.question
    day = sample.alpha.shape[-2] - 1  # the period of the as-of date
    across = _targets(sample, ahead, question.period(question.horizon) - day)
    chains, number = sample.theta.shape[:2]
    row = [np.concatenate([[channel.base], channel.cells]) for channel in found]
    used = np.unique(np.concatenate([*row, [0]]))
    used = used[used >= 0]
    place = {int(n): k for k, n in enumerate(used)} | {-1: len(used)}
    where = [np.array([place[int(n)] for n in one]) for one in row]
    joint = {
        name: Joint(
            target.sum(axis=-2).mean(axis=1),
            [np.zeros((chains, len(channel.cells), laid.scenarios)) for channel in found],
        )
        for name, target in across.items()
    }
    for c in range(chains):
        for first in range(0, number, _CHUNK):
            part = slice(first, min(first + _CHUNK, number))
            log_m = _log_m(laid, sample.theta[c, part], used, cells)
            for k, channel in enumerate(found):
                m = log_m[:, where[k]]
                with np.errstate(invalid="ignore", over="ignore"):
                    chance = np.exp(m[:, 1:] - m[:, :1])
                chance = np.where(np.isfinite(chance), chance, 0.0)  # a scenario that is ruled out already
                for name, target in across.items():
                    weights = target[c, part, channel.unit]
                    joint[name].outcome[k][c] += np.einsum("nys,nst->yt", chance, weights) / number
    return joint


def _log_m(laid: Layout, theta: np.ndarray, ids: np.ndarray, cells: Cells) -> np.ndarray:
    """Return log m(s) of cells at theta (N, D): (N, n + 1, K), the last a cell in which nothing is said."""
    out = np.zeros((len(theta), len(ids) + 1, laid.scenarios))
    for n in range(len(theta) if len(cells.cell) else 0):
        log_cells(theta[n], ids, cells, laid.arrays, out[n, :-1])
    return out


def information(
    outcome: np.ndarray, scenario: np.ndarray, weight: np.ndarray, *, closed: bool = True
) -> float:
    """Return the mutual information of outcome and scenario in bits.

    Parameters
    ----------
    outcome : (n, K)
        p(s, y) of every outcome y (a density, of a number).
    scenario : (K,)
        p(s).
    weight : (n,)
        Of each outcome in the sum, or the integral, over them.
    closed : bool
        Whether what is left of p(s) is the probability of one outcome more.

    Examples
    --------
    >>> information(np.array([[0.5, 0.0], [0.0, 0.5]]), np.array([0.5, 0.5]), np.ones(2))
    1.0
    """
    if closed:
        rest = scenario - outcome.sum(axis=0)
        outcome, weight = np.vstack([outcome, np.where(rest > 1e-12, rest, 0.0)]), np.append(weight, 1.0)
    apart = outcome.sum(axis=1, keepdims=True) * scenario
    ratio = np.divide(outcome, apart, out=np.ones_like(outcome), where=(outcome > 0) & (apart > 0))
    return max(float(weight @ (outcome * np.log2(ratio)).sum(axis=1)), 0.0)


def gain_of(joint: Joint, k: int, channel: Channel) -> tuple[float, float]:
    """Return the gain of a channel in bits, and its standard error."""
    each, scenario = joint.outcome[k], joint.scenario[:, channel.unit]
    mean, over = each.mean(axis=0), scenario.mean(axis=0)
    found = information(mean, over, channel.weight, closed=channel.closed)
    chains = len(each)
    parts = [information(each[c], scenario[c], channel.weight, closed=channel.closed) for c in range(chains)]
    error = float(np.std(parts, ddof=1)) / chains**0.5 if chains > 1 else np.nan
    if channel.closed:
        return found, error
    coarse = np.where(np.arange(len(channel.weight)) % 2, 0.0, 2 * channel.weight)
    coarse[[0, -1]] /= 2
    return found, float(np.hypot(error, found - information(mean, over, coarse, closed=False)))


def entropy(p: np.ndarray) -> float:
    """Return the entropy of probabilities (K,) in bits.

    Examples
    --------
    >>> entropy(np.array([0.5, 0.5, 0.0]))
    1.0
    """
    return max(float(-(p[p > 0] * np.log2(p[p > 0])).sum()), 0.0)
