"""The forward filter: ours, dynamax's, and one in plain numpy, on the same arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import numpy as np

from benchmarks.table import Row, duration, versus
from benchmarks.timing import by_turns
from forecast.model.hmm import filter_log_likelihood

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def arrays(draws: int, weeks: int, scenarios: int) -> Arrays:
    """Return prior (N, K), transition matrices (N, K, K) and log-likelihoods (N, T, K)."""
    rng = np.random.default_rng(0)
    even = np.ones(scenarios)
    return (
        rng.dirichlet(even, draws),
        rng.dirichlet(even, (draws, scenarios)),
        np.log(rng.uniform(0.01, 1.0, (draws, weeks, scenarios))),
    )


def numpy_filter(
    prior: np.ndarray, matrix: np.ndarray, log_likelihood: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Filter in plain numpy, period by period; return filtered probabilities and the log of each norm."""
    alpha, norm, now = np.empty_like(log_likelihood), np.empty(log_likelihood.shape[:2]), prior
    for t in range(log_likelihood.shape[1]):
        if t > 0:
            now = np.einsum("ni,nij->nj", now, matrix)
        high = log_likelihood[:, t].max(axis=1, keepdims=True)
        now = now * np.exp(log_likelihood[:, t] - high)
        total = now.sum(axis=1, keepdims=True)
        now = now / total
        alpha[:, t], norm[:, t] = now, (np.log(total) + high)[:, 0]
    return alpha, norm


def in_chains(given: Arrays, pool: ThreadPoolExecutor, chains: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Filter as the engine does: its chains share the draws and the threads."""
    parts = zip(*(np.array_split(array, chains) for array in given), strict=True)
    found = list(pool.map(lambda part: filter_log_likelihood(*part), parts))
    return np.concatenate([alpha for alpha, _ in found]), np.concatenate([norm for _, norm in found])


def dynamax_filters(given: Arrays) -> dict[str, Callable[[], object]]:
    """Return dynamax's filter, vmapped and jitted, on these arrays in double precision, if installed.

    Once as it is, once trimmed to what ours returns: what nobody asks for, jax leaves out.
    """
    try:
        import jax
        from dynamax.hidden_markov_model import hmm_filter
    except ImportError:
        return {}
    jax.config.update("jax_enable_x64", True)
    there = [jax.device_put(array) for array in given]

    def trimmed(*sequence: object) -> tuple[object, object]:
        found = hmm_filter(*sequence)
        return found.filtered_probs, found.marginal_loglik

    whole, part = jax.jit(jax.vmap(hmm_filter)), jax.jit(jax.vmap(trimmed))
    return {
        "dynamax": lambda: jax.block_until_ready(whole(*there)),
        "trimmed": lambda: jax.block_until_ready(part(*there)),
    }


def rows(draws: int = 4000, weeks: int = 104, scenarios: int = 4, times: int = 25) -> Iterator[Row]:
    """Measure the filters; refuse to compare what does not agree."""
    given = arrays(draws, weeks, scenarios)
    alpha, norm = numpy_filter(*given)
    others = dynamax_filters(given)
    if others:
        agree(others["trimmed"](), (alpha, norm.sum(axis=1)))
    agree(filter_log_likelihood(*given), (alpha, norm))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        agree(in_chains(given, pool), (alpha, norm))
        functions: dict[str, Callable[[], object]] = {
            "ours": lambda: in_chains(given, pool),
            "one thread": lambda: filter_log_likelihood(*given),
            "numpy": lambda: numpy_filter(*given),
        }
        taken = by_turns(functions | others, times)
    name = f"filter, {draws:,} draws x {weeks} weeks x {scenarios} scenarios, as 4 chains"
    if others:
        yield versus(name, taken["ours"], "dynamax hmm_filter, vmapped, jitted", taken["dynamax"], 1.0)
        yield versus("  in one thread", taken["one thread"], "the same", taken["dynamax"])
        yield versus("  as 4 chains", taken["ours"], "the same, no predictions asked for", taken["trimmed"])
    else:
        missing = "dynamax: not installed; add --group bench to uv run"
        yield Row(name, duration(median(taken["ours"])), missing)
    yield versus("  as 4 chains", taken["ours"], "plain numpy filter", taken["numpy"])


def agree(found: object, expected: object) -> None:
    """Raise if two filters do not find the same."""
    for one, other in zip(found, expected, strict=True):  # type: ignore[call-overload]
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-12)
