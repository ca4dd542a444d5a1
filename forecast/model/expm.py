"""Matrix exponential of a Markov chain's generator, to full relative precision of every entry.

Q[i, j] = rate_i then_i[j] for j != i and Q[i, i] = -rate_i. With mu the largest rate, Q + mu I has no
negative entry and expm(Q) = exp(-mu) expm(Q + mu I), so that the series has no cancellation and small
probabilities keep all their digits. A row of `then` that sums to less than 1 loses the rest: the states are
then a block of a larger chain, and so is the result.
"""

from __future__ import annotations

import math

import numpy as np

from forecast.model.jit import inlined, kernel

_TERMS = 16


@kernel
def expm(rate: np.ndarray, then: np.ndarray, out: np.ndarray, buffer: np.ndarray) -> None:
    """Fill out (K, K) with expm(Q); `buffer` is scratch of shape (3, K, K)."""
    size = rate.shape[0]
    mu = rate.max()
    halvings = max(0, int(math.ceil(math.log2(mu)) + 2)) if mu > 0.25 else 0
    scale = 0.5**halvings
    step, term, product = buffer[0], buffer[1], buffer[2]
    for i in range(size):
        for j in range(size):
            step[i, j] = scale * (mu - rate[i] if i == j else rate[i] * then[i, j])
            term[i, j] = out[i, j] = 1.0 if i == j else 0.0
    for n in range(1, _TERMS):
        _multiply(term, step, product)
        for i in range(size):
            for j in range(size):
                term[i, j] = product[i, j] / n
                out[i, j] += term[i, j]
    shrink = math.exp(-mu * scale)
    for i in range(size):
        for j in range(size):
            out[i, j] *= shrink
    for _ in range(halvings):
        _multiply(out, out, product)
        out[:] = product


@inlined
def _multiply(x: np.ndarray, y: np.ndarray, out: np.ndarray) -> None:
    size = x.shape[0]
    for i in range(size):
        for j in range(size):
            total = 0.0
            for k in range(size):
                total += x[i, k] * y[k, j]
            out[i, j] = total
