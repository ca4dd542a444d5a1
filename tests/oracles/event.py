"""Event questions by brute force: the chain of all states from scipy's exponential, every path summed.

Written from the description alone, eta = -ln(1 - C)/N and so on. States are quiet, preparing j, happened j,
in that order, whatever the order of the scenarios is.
"""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

Numbers = NDArray[np.float64]


def chain(c: Numbers, m: Numbers, s: Numbers, steps: int, *, late: bool) -> tuple[Numbers, Numbers, bool]:
    """Return P(first state), (1 + 2J,), the matrix of each step, and whether the numbers agree."""
    j, total = len(c), float(c.sum())
    each = np.zeros((steps, 1 + 2 * j, 1 + 2 * j))
    if total >= 1:
        return np.zeros(1 + 2 * j), each, False
    each[:, 1 + j :, 1 + j :] = np.eye(j)
    if not late:
        eta = -np.log(1 - total) / steps
        pi = eta * c / total * m / s
        first = np.concatenate([[1 - pi.sum()], pi, np.zeros(j)])
        q = np.zeros((1 + 2 * j, 1 + 2 * j))
        for k in range(j):
            q[0, 1 + k] = pi[k] * (1 / m[k] - eta) / (1 - pi.sum())
            q[1 + k, 0], q[1 + k, 1 + j + k] = (1 - s[k]) / m[k], s[k] / m[k]
        agree = bool(first[0] > 0 and (eta * m < 1).all())
        each[:] = expm(q - np.diag(q.sum(axis=1)))
        return first, each, agree

    def survival(t: int) -> float:
        return 1 - total * (t / steps) ** 2

    hazard = [1 - survival(t + 1) / survival(t) for t in range(steps)]
    hazard.append(1 - survival(steps + 1) / survival(steps) if survival(steps + 1) > 0 else hazard[-1])
    pi_t = np.array([h * c * m / (total * s) for h in hazard])
    agree = bool((m >= 1).all() and (pi_t.sum(axis=1) < 1).all())
    for t in range(steps):
        rest = 1 - pi_t[t].sum()
        begin = (pi_t[t + 1] * (1 - hazard[t]) - pi_t[t] * (1 - 1 / m)) / rest
        agree = agree and bool((begin >= 0).all() and begin.sum() <= 1)
        each[t, 0, 0] = 1 - begin.sum()
        for k in range(j):
            each[t, 0, 1 + k], each[t, 1 + k, 1 + k] = begin[k], 1 - 1 / m[k]
            each[t, 1 + k, 0], each[t, 1 + k, 1 + j + k] = (1 - s[k]) / m[k], s[k] / m[k]
    first = np.concatenate([[1 - pi_t[0].sum()], pi_t[0], np.zeros(j)])
    return first, each, agree


def answers(first: Numbers, each: Numbers, likelihood: Numbers) -> tuple[Numbers, Numbers, float]:
    """Sum over every path of the open states; likelihood is (T, 1 + J) of the evidence of T periods.

    Returns the open states in the last period, all outcomes at the horizon (nothing, then each that has
    happened), and the probability of the evidence and that nothing has happened.
    """
    periods, size = likelihood.shape
    now = np.zeros(size)
    for path in product(range(size), repeat=periods):
        chance = first[path[0]] * likelihood[0, path[0]]
        for t, (i, k) in enumerate(pairwise(path)):
            chance *= each[t, i, k] * likelihood[t + 1, k]
        now[path[-1]] += chance
    marginal = float(now.sum())
    now = now / marginal
    end = np.concatenate([now, np.zeros(size - 1)])
    for matrix in each[periods - 1 :]:
        end = end @ matrix
    return now, np.concatenate([[end[:size].sum()], end[size:]]), marginal
