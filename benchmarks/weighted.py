"""The simulated job as far as dynamax's filter goes: draws of the prior, weighted by how well they foretold.

The filter takes judgements as given. Vmapped over draws of the prior, with importance weights, one pass still
gives a whole trend; but nothing moves the draws, and after a year hardly one of them has any weight.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from dynamax.hidden_markov_model import hmm_filter

from benchmarks.plain import Plain, sequences


@cache
def _filter() -> Callable[..., tuple[jax.Array, jax.Array]]:
    """Return the filter, vmapped and jitted: filtered probabilities, log-likelihood up to each week."""
    jax.config.update("jax_enable_x64", True)

    def one(prior: jax.Array, matrix: jax.Array, log_likelihood: jax.Array) -> tuple[jax.Array, jax.Array]:
        found = hmm_filter(prior, matrix, log_likelihood)
        gained = jax.nn.logsumexp(log_likelihood, b=found.predicted_probs, axis=1)
        return found.filtered_probs, jnp.cumsum(gained)

    return jax.jit(jax.vmap(one))


def weighted(job: Plain, size: int, seed: int) -> np.ndarray:
    """Return the probability of each scenario as known in each week, (T, K)."""
    logit = job.draw(np.random.default_rng(seed), size)
    alpha, log_weight = (np.asarray(found) for found in _filter()(*sequences(job, logit)))
    weight = np.exp(log_weight - log_weight.max(axis=0))
    return np.einsum("nt,ntk->tk", weight / weight.sum(axis=0), alpha)
