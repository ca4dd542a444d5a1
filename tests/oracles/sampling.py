"""Plain importance sampling from the prior: the posterior with the judgements uncertain.

Draws theta from the prior, weighs each by p(evidence | theta), with everything else enumerated. Honest only
where the judgements learn little: the effective sample size says where. Judgements that may not be revised
(``learn: false``) have the cut posterior p(theta_cut) p(rest | theta_cut, evidence): each of their draws has
an importance sample of the rest of its own, and all of them count alike. Where judgements learn in part a
draw's weight is the probability of the evidence with every cell to that power; its answers are of all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from forecast.case.evidence import Evidence
from forecast.case.question import LEARNING, Question
from tests.oracles.paths import Array, enumerate_posterior
from tests.oracles.theta import Theta, draw_theta, has_cut, has_uncertain

INNER = 400  # draws of the rest per draw of judgements that may not be revised


@dataclass(frozen=True)
class Sampled:
    """Answers of importance sampling: each has a mean, a Monte Carlo standard error and its draws."""

    mean: dict[str, Array]
    mcse: dict[str, Array]
    draws: dict[str, Array]
    weights: Array  # per draw, summing to 1
    ess: float
    marginal: float
    theta: Theta

    def quantile(self, name: str, q: float) -> Array:
        """Weighted quantile of the draw-wise answers."""
        values = self.draws[name]
        order = np.argsort(values, axis=0)
        cumulated = np.cumsum(self.weights[order], axis=0)
        place = np.argmax(cumulated >= q, axis=0)
        return np.asarray(np.take_along_axis(np.take_along_axis(values, order, 0), place[None], 0)[0])


def importance_sampling(
    question: Question,
    evidence: Evidence,
    as_of: date,
    n: int,
    seed: int,
    *,
    names: tuple[str, ...] = ("now", "horizon", "ever", "smoothed"),
) -> Sampled:
    """Return posterior answers by importance sampling from the prior.

    Parameters
    ----------
    n : int
        Draws of the judgements; one is enough, and one is taken, where all are exact.
    names : tuple of str
        Which answers of `enumerate_posterior` to give.

    Returns
    -------
    Sampled
        The error of a ratio of sums is by the delta method: sqrt(sum w^2 (f - mean)^2), w normalised.
        Of a cut posterior: the standard deviation over the outer draws by the root of their number.
    """
    rng = np.random.default_rng(seed)
    cut = has_cut(question, evidence)
    inner = INNER if has_uncertain(question, evidence, learn=True) else 1
    if not has_uncertain(question, evidence):
        n, inner = 1, 1
    elif not cut:
        inner = n
    n -= n % inner
    theta = draw_theta(question, evidence, rng, n, inner)
    ahead = bool({"horizon", "outlook", "ever"} & set(names))
    power = LEARNING[question.learning] if has_uncertain(question, evidence, learn=True) else 1.0
    answers = enumerate_posterior(question, evidence, as_of, theta, ahead=ahead, power=power)
    log = np.broadcast_to(answers["log_learnt"], (n,)).reshape(-1, inner)
    w = np.exp(log - log.max(axis=1, keepdims=True))  # (outer, inner)
    w = w / w.sum(axis=1, keepdims=True)
    outer = len(w)
    mean, mcse, draws = {}, {}, {}
    for name in names:
        raw = answers[name]
        tail = _tail(question, name)
        f = np.broadcast_to(raw, (n, *raw.shape[raw.ndim - tail :]))
        draws[name] = f
        each, error = _ratio(w, f.reshape(outer, inner, *f.shape[1:]))
        mean[name] = each.mean(axis=0)
        mcse[name] = error[0] if outer == 1 else each.std(axis=0, ddof=1) / np.sqrt(outer)
    ess = float(np.mean(1.0 / np.sum(w * w, axis=1)))
    return Sampled(mean, mcse, draws, w.ravel() / outer, ess, float(np.exp(log).mean()), theta)


def posterior_theta(question: Question, evidence: Evidence, sampled: Sampled) -> dict[str, Any]:
    """Return the posterior mean of every judgement, in the shape of `mean_theta`, and its error alongside."""
    del evidence
    found: dict[str, Any] = {}
    w = sampled.weights

    def summary(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: summary(v) for k, v in value.items()}
        if isinstance(value, list):
            return [summary(v) for v in value]
        x = np.broadcast_to(value, w.shape)
        mean = float(np.sum(w * x))
        return mean, float(np.sqrt(np.sum(w * w * (x - mean) ** 2)))

    for name, block in sampled.theta.items():
        found[name] = summary(block)
    return found


def _tail(question: Question, name: str) -> int:
    dims = 2 if name in ("smoothed", "filtered", "outlook") else 1
    return dims + bool(question.units)


def _ratio(w: Array, f: Array) -> tuple[Array, Array]:
    """Weighted mean over the inner draws, and its delta-method error."""
    shaped = w.reshape(*w.shape, *(1,) * (f.ndim - 2))
    mean = np.sum(shaped * f, axis=1)
    return mean, np.sqrt(np.sum(shaped**2 * (f - mean[:, None]) ** 2, axis=1))
