"""The simulated job in plain arrays, for libraries that know nothing of questions and reports.

Every judgement of `simulated` is a vector of proportions, so its prior is that of independent Betas: of each
proportion as a share of what those before it left. All of theta is one vector of the logits of these shares.
Every cell has one report, of a value of two, so that m(s) = r f(y | s) + (1 - r) / 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, expit, log_expit

from forecast.case.evidence import Evidence
from forecast.case.judgement import Proportions
from forecast.case.question import Question, Transition


@dataclass(frozen=True)
class Plain:
    """The job: what was said, and the prior of theta. T weeks, I indicators, K scenarios, S shares."""

    yes: np.ndarray  # (T, I) whether the week's report says yes
    a: np.ndarray  # (S,) of the Beta of each share
    b: np.ndarray  # (S,)
    scenarios: int

    @property
    def indicators(self) -> int:
        return self.yes.shape[1]

    def draw(self, random: np.random.Generator | np.random.RandomState, size: int) -> np.ndarray:
        """Draw theta, (size, S), from the prior: the difference of the logarithms of two Gammas."""
        first, second = (_log_gamma(random, shape, (size, len(shape))) for shape in (self.a, self.b))
        return first - second

    def log_prior(self, logit: np.ndarray) -> np.ndarray:
        """Return the log density of theta (N, S)."""
        terms = self.a * log_expit(logit) + self.b * log_expit(-logit) - betaln(self.a, self.b)
        return terms.sum(axis=1)


def _log_gamma(
    random: np.random.Generator | np.random.RandomState, shape: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """Draw logarithms of Gammas: by a shape greater by 1, as those of small shape would be 0 in doubles."""
    return np.log(random.standard_gamma(shape + 1, size)) - random.standard_exponential(size) / shape


def plain(question: Question, evidence: Evidence) -> Plain:
    """Return the simulated job in plain arrays."""
    place = {indicator.id: i for i, indicator in enumerate(question.indicators)}
    yes = np.zeros((question.period(question.horizon) + 1, len(place)), dtype=bool)
    for report in evidence.reports:
        yes[question.period(report.date), place[report.indicator]] = report.value == "yes"
    assert isinstance(question.dynamics, Transition)
    likelihood = [j for indicator in question.indicators for j in indicator.likelihood]
    reliability = [source.reliability for source in question.sources]
    # Of no and yes the share is that of no, of noise and truth that of noise.
    judgements = [question.prior, *likelihood, *reliability, *question.dynamics.rows]
    shares = [pair for judgement in judgements for pair in _shares(judgement)]
    a, b = np.array(shares).T
    return Plain(yes, a, b, len(question.scenarios))


def _shares(judgement: object) -> list[tuple[float, float]]:
    assert isinstance(judgement, Proportions)
    alpha = judgement.weight * np.array(judgement.mean)
    return [(alpha[k], alpha[k + 1 :].sum()) for k in range(len(alpha) - 1)]


def proportions(logit: np.ndarray) -> np.ndarray:
    """Return proportions (..., V) from the logits of their shares (..., V - 1)."""
    left = np.cumprod(expit(-logit), axis=-1)
    ones = np.ones((*logit.shape[:-1], 1))
    return np.concatenate([expit(logit), ones], axis=-1) * np.concatenate([ones, left], axis=-1)


def sequences(job: Plain, logit: np.ndarray, weeks: slice = slice(None)) -> tuple[np.ndarray, ...]:
    """Return prior (N, K), transition matrices (N, K, K) and log L_t(s), (N, T, K), of theta (N, S)."""
    size, cells = job.scenarios, job.indicators * job.scenarios
    begin, rows = size - 1, size - 1 + cells + 1
    no = expit(logit[:, begin : begin + cells]).reshape(-1, job.indicators, size)
    reliability = expit(-logit[:, rows - 1])[:, None, None]
    noise = (1 - reliability) / 2
    said = job.yes[weeks].astype(float)
    log_yes, log_no = np.log(reliability * (1 - no) + noise), np.log(reliability * no + noise)
    log_likelihood = said @ (log_yes - log_no) + log_no.sum(axis=1, keepdims=True)
    matrix = proportions(logit[:, rows:].reshape(-1, size, size - 1))
    return proportions(logit[:, :begin]), matrix, log_likelihood


def theta(job: Plain, logit: np.ndarray) -> np.ndarray:
    """Return theta (N, D) in the order of the engine's layout."""
    number, size, cells = len(logit), job.scenarios, job.indicators * job.scenarios
    begin, rows = size - 1, size - 1 + cells + 1
    pieces = [
        proportions(logit[:, :begin]),
        proportions(logit[:, begin : begin + cells, None]).reshape(number, -1),
        expit(-logit[:, rows - 1 : rows]),
        proportions(logit[:, rows:].reshape(-1, size, size - 1)).reshape(number, -1),
    ]
    return np.concatenate(pieces, axis=1)
