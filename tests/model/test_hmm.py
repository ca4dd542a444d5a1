"""Filter and smoother against plain sums over messages, and against a filter in logarithms throughout."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import logsumexp

from forecast.case.evidence import Evidence
from forecast.case.judgement import Proportions
from forecast.case.question import Transition
from forecast.model.cell_sequence import CellSequence
from forecast.model.cells import CellContent, flatten
from forecast.model.hmm import Filtered, empty_filtered, filter_log_likelihood, forward, refresh, smooth
from forecast.model.likelihood import Cells
from forecast.model.parameters import Layout, build_layout
from forecast.model.report_terms import ReportTerm
from tests.cases import category, question, source

Numbers = NDArray[np.float64]
VALUES = tuple("abcd")
K, T, UNITS = 3, 7, 2


def laid_out(*, static: bool) -> Layout:
    values = category("x", VALUES, ((0.25,) * 4,) * 3, 20.0)
    q = question((1 / 3,) * 3, (values,), (source("s", 1.0, math.inf),), 20.0)
    rows = Transition((Proportions((1 / 3,) * 3, 20.0),) * 3)
    return build_layout(q if static else replace(q, dynamics=rows), Evidence())


def values_of(layout: Layout) -> Cells:
    """Cell v: a certain report of value v, so that m(s) = f(v | s)."""
    slot = layout.starts["reliability s"]
    return flatten([CellContent(0, (ReportTerm(0.0, 0.0, 1.0, 1.0, v, slot),)) for v in range(4)])


def thetas(layout: Layout, n: int, rng: np.random.Generator) -> Numbers:
    return layout.draw(rng, n)


def sequences(rng: np.random.Generator) -> CellSequence:
    """Up to three cells of each unit and period, each value with two exponents."""
    number = rng.integers(0, 4, (UNITS, T))
    ends = np.cumsum(number.ravel())
    begins, ends = (ends - number.ravel()).reshape(UNITS, T), ends.reshape(UNITS, T)
    start = np.concatenate([begins, ends[:, -1:]], axis=1)
    exponent = np.array([1.0, 0.4] * 4)
    return CellSequence(rng.integers(0, 8, ends[-1, -1]), start, np.repeat(np.arange(4), 2), exponent)


def run(layout: Layout, theta: Numbers, sequence: CellSequence) -> Filtered:
    filtered = empty_filtered(len(theta), sequence.start.shape[0], sequence.start.shape[1] - 1, layout.arrays)
    refresh(theta, sequence, values_of(layout), layout.arrays, filtered)
    return filtered


@pytest.mark.parametrize("static", [True, False])
def test_filter_and_smoother_are_forward_and_backward_sums(static):
    layout, rng = laid_out(static=static), np.random.default_rng(4)
    theta, sequence = thetas(layout, 5, rng), sequences(rng)
    found = run(layout, theta, sequence)
    smoothed = smooth(found)
    for n, one in enumerate(theta):
        f = one[layout.starts["likelihood x alpha"] :][: K * 4].reshape(K, 4)
        p = np.eye(K) if static else one[layout.starts["transition alpha"] :].reshape(K, K)
        for u in range(UNITS):
            likelihood = np.ones((T, K))
            for t in range(T):
                for k in sequence.kind[sequence.start[u, t] : sequence.start[u, t + 1]]:
                    likelihood[t] *= f[:, sequence.cell[k]] ** sequence.exponent[k]
            before, after = [one[:K] * likelihood[0]], [np.ones(K)]
            for t in range(1, T):
                before.append(likelihood[t] * (before[-1] @ p))
                after.append(p @ (likelihood[T - t] * after[-1]))
            joint = np.array(before) * np.array(after[::-1])
            totals = np.array([b.sum() for b in before])
            np.testing.assert_allclose(found.alpha[n, u], np.array(before) / totals[:, None], atol=1e-13)
            np.testing.assert_allclose(np.cumsum(found.log_norm[n, u]), np.log(totals), atol=1e-11)
            np.testing.assert_allclose(smoothed[n, u], joint / totals[-1], atol=1e-13)


@pytest.mark.parametrize("static", [True, False])
@pytest.mark.parametrize("tiny", [1.0, 1e-200])
def test_going_on_is_starting_anew(static, tiny):
    """From any period, also where a scenario is all but lost."""
    layout, rng = laid_out(static=static), np.random.default_rng(5)
    theta, sequence = thetas(layout, 4, rng), sequences(rng)
    theta[:2, layout.starts["likelihood x alpha"] :][:, :2] *= tiny
    whole = run(layout, theta, sequence)
    for begin in range(1, T):
        part = run(layout, theta, sequence._replace(start=sequence.start[:, : begin + 1]))
        grown = empty_filtered(len(theta), UNITS, T, layout.arrays)
        grown.matrix[:] = part.matrix
        for name in ("alpha", "log_norm", "log_alpha"):
            getattr(grown, name)[:, :, :begin] = getattr(part, name)
        forward(theta, sequence, begin, values_of(layout), layout.arrays, grown)
        for one, other in zip(grown[:4], whole[:4], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-300)


def in_turn(values: list[int]) -> CellSequence:
    """One cell of each period."""
    return CellSequence(np.array(values), np.arange(len(values) + 1)[None], np.arange(4), np.ones(4))


def extreme(layout: Layout) -> Numbers:
    """Value a is 1e-300 as likely in beta, b in alpha; gamma allows neither."""
    theta = layout.mean[None].copy()
    theta[0, layout.starts["likelihood x alpha"] :][: 3 * 4] = [1, 1e-300, 0, 0, 1e-300, 1, 0, 0, 0, 0, 1, 0]
    theta[0, :3] = 0.6, 0.3, 0.1
    return theta


def test_evidence_of_1e_300_twice_one_way_and_back():
    layout = laid_out(static=True)
    found = run(layout, extreme(layout), in_turn([0, 0, 1, 1, 1]))
    now = found.alpha[0, 0]
    np.testing.assert_allclose(now[:3], [[1, 0, 0]] * 3, atol=1e-250)
    np.testing.assert_allclose(now[3], [2 / 3, 1 / 3, 0], rtol=1e-12)
    np.testing.assert_allclose(now[4], [0, 1, 0], atol=1e-250)
    assert found.log_norm.sum() == pytest.approx(math.log(0.3) - 600 * math.log(10), rel=1e-14)


@pytest.mark.parametrize("leaving", [1e-3, 1e-290, 0.0])
def test_smoothing_where_a_scenario_comes_back_from_the_deep(leaving):
    """Rows sum to one also where the way back leads through probabilities below the smallest number."""
    layout = laid_out(static=False)
    theta = extreme(layout)
    step = (1 - leaving) * np.eye(3) + leaving / 2 * (1 - np.eye(3))
    theta[0, layout.starts["transition alpha"] :] = step.ravel()
    smoothed = smooth(run(layout, theta, in_turn([0, 0, 1, 1])))
    np.testing.assert_allclose(smoothed.sum(axis=-1), 1.0, atol=1e-9)
    if leaving == 0:  # as if it were static
        np.testing.assert_allclose(smoothed[0, 0], [[2 / 3, 1 / 3, 0]] * 4, rtol=1e-9)


def test_impossible_evidence():
    layout = laid_out(static=True)
    found = run(layout, extreme(layout), in_turn([0, 3, 0]))
    assert np.isneginf(found.log_norm[0, 0, 1])
    assert np.isfinite(found.log_norm[0, 0, 0])


def in_logarithms(prior: np.ndarray, matrix: np.ndarray, log_likelihood: np.ndarray):
    """Return alpha and log c_t, period by period."""
    with np.errstate(divide="ignore"):
        ahead, log_matrix = np.log(prior), np.log(matrix)
    alpha, norm = [], []
    for t in range(log_likelihood.shape[1]):
        joint = ahead + log_likelihood[:, t]
        norm.append(logsumexp(joint, axis=1))
        now = joint - norm[-1][:, None]
        alpha.append(np.exp(now))
        ahead = logsumexp(now[:, :, None] + log_matrix, axis=1)
    return np.stack(alpha, axis=1), np.stack(norm, axis=1)


def likelihoods(spread: float, shift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return priors, matrices with moves that cannot happen, and log-likelihoods of 30 periods."""
    rng = np.random.default_rng(3)
    prior, matrix = rng.dirichlet([1, 1, 1], 20), rng.dirichlet([4, 1, 1], (20, 3))
    matrix[:10] = np.eye(3)
    matrix[10:15, :, 2] = 0
    matrix /= matrix.sum(axis=2, keepdims=True)
    return prior, matrix, rng.normal(shift, spread, (20, 30, 3))


@pytest.mark.parametrize(("spread", "shift"), [(1, 0), (30, 0), (2000, 0), (1, -5000), (1, 5000)], ids=str)
def test_it_agrees_with_logarithms(spread, shift):
    arrays = likelihoods(spread, shift)
    for found, expected in zip(filter_log_likelihood(*arrays), in_logarithms(*arrays), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_a_scenario_that_the_evidence_excludes_stays_out():
    prior, matrix, log_likelihood = likelihoods(1, 0)
    log_likelihood[:, 4, 0] = -np.inf
    alpha, norm = filter_log_likelihood(prior, matrix, log_likelihood)
    expected = in_logarithms(prior, matrix, log_likelihood)
    np.testing.assert_allclose(alpha, expected[0], atol=1e-12)
    np.testing.assert_allclose(norm, expected[1], rtol=1e-9)
    assert np.all(alpha[:, 4, 0] == 0)
    assert np.all(alpha[:10, 4:, 0] == 0)


def test_evidence_that_no_scenario_allows_has_no_chance():
    prior, matrix, log_likelihood = likelihoods(1, 0)
    log_likelihood[:, 4] = -np.inf
    _, norm = filter_log_likelihood(prior, matrix, log_likelihood)
    assert np.all(np.isneginf(norm[:, 4]))
    assert np.all(np.isfinite(norm[:, :4]))
