"""Transition matrices keep the digits of their smallest entries; the outlook is a sum over paths."""

from __future__ import annotations

from decimal import Decimal, localcontext
from itertools import pairwise, product

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from forecast.case.evidence import Evidence
from forecast.model.dynamics import outlook, transition_matrices
from forecast.model.expm import expm
from forecast.model.parameters import build_layout
from tests.cases import binary, moves, question, source, swaps

Numbers = NDArray[np.float64]
MANY = settings(derandomize=True, max_examples=60, deadline=None, database=None)


@st.composite
def generators(draw: st.DrawFn) -> tuple[Numbers, Numbers]:
    """Leaving rates from never to a thousand a period; destinations some of which cannot be reached."""
    k = draw(st.integers(2, 4))
    rate, then = np.zeros(k), np.zeros((k, k))
    for i in range(k):
        share = np.array([float(draw(st.integers(0, 9))) * (j != i) for j in range(k)])
        if share.sum() > 0:
            rate[i], then[i] = 10 ** draw(st.floats(-12, 3)), share / share.sum()
    return rate, then


def generator(rate: Numbers, then: Numbers) -> Numbers:
    return rate[:, None] * then - np.diag(rate)


def found(rate: Numbers, then: Numbers) -> Numbers:
    out = np.empty(then.shape)
    expm(rate, then, out, np.empty((3, *then.shape)))
    return out


def in_sixty_digits(rate: Numbers, then: Numbers) -> Numbers:
    """The plain Taylor series of Q / 2^h, squared h times, with more digits than cancellation can cost."""
    k = len(rate)
    with localcontext() as context:
        context.prec = 60
        h = max(0, int(np.ceil(np.log2(max(rate.max(), 1.0)))) + 2)
        q = [[Decimal(rate[i]) * Decimal(then[i, j]) for j in range(k)] for i in range(k)]
        for i in range(k):
            q[i][i] = -sum((q[i][j] for j in range(k) if j != i), Decimal(0))
        q = [[x / 2**h for x in row] for row in q]
        one = [[Decimal(int(i == j)) for j in range(k)] for i in range(k)]
        total = term = one
        for n in range(1, 40):
            term = [[x / n for x in row] for row in multiplied(term, q)]
            total = [[x + y for x, y in zip(a, b, strict=True)] for a, b in zip(total, term, strict=True)]
        for _ in range(h):
            total = multiplied(total, total)
        return np.array([[float(x) for x in row] for row in total])


def multiplied(x: list[list[Decimal]], y: list[list[Decimal]]) -> list[list[Decimal]]:
    columns = list(zip(*y, strict=True))
    return [[sum((a * b for a, b in zip(row, c, strict=True)), Decimal(0)) for c in columns] for row in x]


@MANY
@given(generators())
def test_expm_is_scipys_and_its_rows_sum_to_one(made):
    p = found(*made)
    lost = 1e-14 * max(1.0, made[0].max())  # squaring a matrix doubles its relative error
    assert np.all(p >= 0)
    np.testing.assert_allclose(p, scipy.linalg.expm(generator(*made)), rtol=0, atol=1e-12 + lost)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=0, atol=1e-14 + lost)


@MANY
@given(generators())
def test_tiny_entries_keep_their_digits(made):
    np.testing.assert_allclose(found(*made), in_sixty_digits(*made), rtol=2e-14 * max(4.0, made[0].max()))


def test_extreme_rates():
    then = np.array([[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_array_equal(found(np.zeros(2), np.zeros((2, 2))), np.eye(2))
    assert found(np.full(2, 1e-300), then)[0, 1] == pytest.approx(1e-300, rel=1e-14)
    np.testing.assert_allclose(found(np.array([3e5, 1e5]), then), [[0.25, 0.75]] * 2, rtol=1e-9)


def test_matrices_of_a_layout():
    """Static: nothing moves. Moves: expm of the generator at each theta. Transition: the rows themselves."""
    indicators, sources = (binary("raid", (0.6, 0.2, 0.3), 20.0),), (source("s", 0.9, 20.0),)
    for dynamics in (None, moves(False)):
        layout = build_layout(
            question((0.5, 0.3, 0.2), indicators, sources, 20.0, dynamics=dynamics), Evidence()
        )
        theta = np.stack(
            [np.concatenate([b.draw(rng, 1)[0] for b in layout.blocks]) for rng in generators_()]
        )
        out = np.empty((len(theta), 3, 3))
        transition_matrices(theta, layout.arrays, out)
        for row, p in zip(theta, out, strict=True):
            at = {b.name: row[b.slots] for b in layout.blocks}
            q = np.zeros((3, 3))
            if dynamics:
                names = [s.id for s in layout.question.scenarios]
                q = generator(
                    np.concatenate([at[f"leave {s}"] for s in names]),
                    np.stack([at[f"then {s}"] for s in names]),
                )
            np.testing.assert_allclose(p, scipy.linalg.expm(q), atol=1e-14)
    layout = build_layout(question((0.5, 0.5), (), sources, 20.0, dynamics=swaps(True)), Evidence())
    out = np.empty((1, 2, 2))
    transition_matrices(layout.mean[None].copy(), layout.arrays, out)
    np.testing.assert_array_equal(out[0], [[0.8, 0.2], [0.3, 0.7]])


def generators_() -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in range(3)]


@pytest.mark.parametrize("include_now", [True, False])
@pytest.mark.parametrize("steps", [0, 1, 4])
def test_outlook_is_a_sum_over_paths(steps, include_now):
    rng = np.random.default_rng(1)
    now, p = rng.dirichlet(np.ones(3), size=(2, 3, 2)), rng.dirichlet(np.ones(3), size=(2, 3, 1, 3))
    probability, ever = outlook(now, p, steps, include_now=include_now)
    assert probability.shape == (2, 3, 2, steps + 1, 3)
    for lead in np.ndindex(2, 3, 2):
        at, seen = np.zeros((steps + 1, 3)), np.zeros(3)
        for path in product(range(3), repeat=steps + 1):
            chance = now[(*lead, path[0])]
            for i, j in pairwise(path):
                chance *= p[(*lead[:2], 0, i, j)]
            for h, s in enumerate(path):
                at[h, s] += chance
            for s in set(path if include_now or not steps else path[1:]):
                seen[s] += chance
        np.testing.assert_allclose(probability[lead], at, atol=1e-14)
        np.testing.assert_allclose(ever[lead], seen, atol=1e-14)
