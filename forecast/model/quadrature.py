"""Gauss's rules for integrals, and for sums over integers.

A sum over the integers 0..L - 1 is exact for polynomials up to degree 31 with sixteen nodes, the zeros of the
orthogonal polynomials of Gram: so a sum over a million terms costs as much as one over sixteen.
"""

from __future__ import annotations

import math

import numpy as np

from forecast.model.jit import kernel

#: Nodes of a rule.
NODES = 16
#: Panels of 16, 32, 64, ... integers; the rule for the longest is that for integrals to twelve digits.
_LENGTHS = 2.0 ** np.arange(4, 21)


def _gauss_rules() -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights in (0, 1) of the rules for sums over so many integers, and for integrals.

    By the eigenvalues of the matrix of the recurrence of the orthogonal polynomials (Golub and Welsch 1969).
    """
    nodes, weights = np.empty((len(_LENGTHS) + 1, NODES)), np.empty((len(_LENGTHS) + 1, NODES))
    n = np.arange(1, NODES)
    for row, length in enumerate([*_LENGTHS, np.inf]):
        off = 0.5 * np.sqrt((1.0 - (n / length) ** 2) / (4.0 - 1.0 / n**2))
        middle = 0.5 if np.isinf(length) else 0.5 - 0.5 / length
        value, vector = np.linalg.eigh(np.diag(off, 1) + np.diag(off, -1))
        nodes[row], weights[row] = middle + value, vector[0] ** 2
    nodes[0], weights[0] = np.arange(NODES) / NODES, 1.0 / NODES  # every integer once
    return nodes, np.log(weights)


#: Nodes in (0, 1) and the logarithms of their weights, which sum to 1; the last rule is that for integrals.
NODE, LOG_WEIGHT = _gauss_rules()


@kernel
def rule_of_sum(length: float) -> int:
    """Return which rule is that for a sum over so many integers, a power of two."""
    return min(round(math.log2(length)) - 4, NODE.shape[0] - 1)
