"""The simulated job in the library `particles` (Chopin): its IBIS, with its waste-free random-walk moves.

What the library asks of us is the likelihood. It gets the best we have: our compiled filter, and the filtered
probabilities travel with the particles, so that a new week costs one step and not a filter from the start.
"""

from __future__ import annotations

import numpy as np
import particles
from particles import collectors, distributions, smc_samplers

from benchmarks.plain import Plain, sequences
from forecast.model.hmm import filter_log_likelihood

PROCESSES = 2


class Logits(distributions.ProbDist):  # type: ignore[misc]
    """The prior of the vector of logits."""

    def __init__(self, job: Plain) -> None:
        self.job, self.dim = job, len(job.a)

    def rvs(self, size: int = 1) -> np.ndarray:
        return self.job.draw(np.random.mtrand._rand, size)  # the generator that the library draws from

    def logpdf(self, x: np.ndarray) -> np.ndarray:
        return self.job.log_prior(x)


class Model(smc_samplers.StaticModel):  # type: ignore[misc]
    """The job as a static model: the scenario integrated out."""

    def __init__(self, job: Plain) -> None:
        super().__init__(data=job.yes, prior=distributions.StructDist({"logit": Logits(job)}))
        self.job = job

    def filtered(self, theta: np.ndarray, t: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the log-likelihood of weeks 0 to t, and the probability of each scenario in week t."""
        prior, matrix, log_likelihood = sequences(self.job, theta["logit"], slice(t + 1))
        if t < 0:
            return np.zeros(len(prior)), prior
        alpha, norm = filter_log_likelihood(prior, matrix, log_likelihood)
        return norm.sum(axis=1), alpha[:, t]

    def step(self, theta: np.ndarray, t: int, before: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return log p(y_t | y_0..y_(t-1), theta) and the probabilities of week t from those before it."""
        _, matrix, log_likelihood = sequences(self.job, theta["logit"], slice(t, t + 1))
        ahead = before if t == 0 else np.einsum("ni,nij->nj", before, matrix)
        high = log_likelihood[:, 0].max(axis=1, keepdims=True)
        now = ahead * np.exp(log_likelihood[:, 0] - high)
        total = now.sum(axis=1, keepdims=True)
        return (np.log(total) + high)[:, 0], now / total


class Ibis(smc_samplers.IBIS):  # type: ignore[misc]
    """The library's IBIS; the particles carry their filtered probabilities."""

    def logG(self, t: int, xp: object, x: smc_samplers.ThetaParticles) -> np.ndarray:
        gained, x.alpha = self.model.step(x.theta, t, x.alpha)
        x.lpost += gained
        return gained

    def current_target(self, t: int) -> object:
        def target(x: smc_samplers.ThetaParticles) -> None:
            log_likelihood, x.alpha = self.model.filtered(x.theta, t)
            x.lpost = self.model.prior.logpdf(x.theta) + log_likelihood

        return target


def now(weight: np.ndarray, x: smc_samplers.ThetaParticles) -> np.ndarray:
    """Return the probability of each scenario."""
    return weight @ x.alpha


def trend_of(run: particles.SMC) -> np.ndarray:
    """Return the probability of each scenario as known in each week, (T, K)."""
    return np.array(run.summaries.moments)


def ibis(job: Plain, size: int, length: int, chains: int, seed: int) -> np.ndarray:
    """Run IBIS, `chains` times `size` particles in chains of `length`; return the mean trend, (T, K)."""
    np.random.seed(seed)  # noqa: NPY002  # the library draws from the global generator
    runs = particles.multiSMC(
        fk=Ibis(model=Model(job), len_chain=length),
        N=size // length,
        nruns=chains,
        nprocs=PROCESSES,
        out_func=trend_of,
        collect=[collectors.Moments(mom_func=now)],
    )
    return np.mean([run["output"] for run in runs], axis=0)
