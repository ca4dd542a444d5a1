"""Judgements in their places, drawn from and measured by the distributions that they are said to be."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats

from forecast.case.evidence import Evidence
from forecast.case.judgement import Judgement, JudgementId, MeasureMean, Positive, Proportions
from forecast.model.parameters import (
    CATEGORY,
    MEASURE,
    MOVES,
    NEGATIVE_BINOMIAL,
    POISSON,
    STATIC,
    TRANSITION,
    Block,
    build_layout,
)
from tests.cases import binary, category, count, measure, moves, question, report, source, swaps

INF = math.inf
N = 200_000
Z = 5.0  # 36 comparisons below: all hold by chance but for a probability of 2e-5; seed 11
ANY = JudgementId("prior")
FAMILIES = {
    "beta": (Block(ANY, 1, Proportions((0.2, 0.8), 12.0), beta=True), [scipy.stats.beta(9.6, 2.4)]),
    "j-shaped": (Block(ANY, 1, Proportions((0.95, 0.05), 2.0), beta=True), [scipy.stats.beta(0.1, 1.9)]),
    "dirichlet": (
        Block(ANY, 1, Proportions((0.5, 0.0, 0.3, 0.2), 8.0)),
        [scipy.stats.beta(4, 4), None, scipy.stats.beta(2.4, 5.6), scipy.stats.beta(1.6, 6.4)],
    ),
    "gamma": (Block(ANY, 1, Positive(6.0, 24.0)), [scipy.stats.gamma(24.0, scale=0.25)]),
    "small gamma": (Block(ANY, 1, Positive(0.1, 0.7)), [scipy.stats.gamma(0.7, scale=0.1 / 0.7)]),
    "normal": (Block(ANY, 1, MeasureMean(1.2, 0.4, 5.0)), [scipy.stats.norm(1.2, 0.4 / math.sqrt(5))]),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_draws_have_the_moments_of_the_family(name):
    block, marginals = FAMILIES[name]
    drawn = block.draw(np.random.default_rng(11), N)
    assert drawn.shape == (N, block.size)
    for x, d in zip(drawn.T, marginals, strict=True):
        if d is None:
            assert not x.any()
            continue
        mean, variance, _, kurtosis = d.stats("mvsk")
        assert abs(x.mean() - mean) < Z * math.sqrt(variance / N)
        assert abs(x.var() - variance) < Z * variance * math.sqrt((kurtosis + 2) / N)
    assert block.mean == pytest.approx([0.0 if d is None else d.mean() for d in marginals])


@pytest.mark.parametrize("name", FAMILIES)
def test_log_density_is_scipys(name):
    block, marginals = FAMILIES[name]
    theta = np.full((3, 2, 6), np.nan)
    theta[..., block.slots] = block.draw(np.random.default_rng(12), 6).reshape(3, 2, -1)
    x = theta[..., block.slots]
    if block.size > 1:
        on = np.array([d is not None for d in marginals])
        expected = [scipy.stats.dirichlet([4, 2.4, 1.6]).logpdf(p[on]) for p in x.reshape(6, -1)]
    else:
        (d,) = marginals
        assert d is not None
        expected = d.logpdf(x).ravel()
    assert block.log_density(theta).ravel() == pytest.approx(np.asarray(expected))


def test_a_reliability_is_never_drawn_as_certain():
    """A testimony of a source of .95 has weight 2; its density would be infinite at 1 after rounding."""
    block = Block(JudgementId("testimony", source="t"), 0, Proportions((0.05, 0.95), 2.0), beta=True)
    drawn = block.draw(np.random.default_rng(1), 2_000)
    assert drawn.max() < 1.0
    assert np.isfinite(block.log_density(drawn)).all()


@pytest.mark.parametrize(
    ("judgement", "free", "learns"),
    [
        (Proportions((0.3, 0.7), 20.0), True, True),
        (Proportions((0.3, 0.7), 20.0, learn=False), True, False),
        (Proportions((0.3, 0.7), INF), False, False),
        (Proportions((0.0, 1.0), 20.0), False, False),
        (Positive(0.0, 20.0), False, False),
        (Positive(2.0, INF), False, False),
        (MeasureMean(2.0, 1.0, INF), False, False),
        (MeasureMean(2.0, 1.0, 5.0, learn=False), True, False),
    ],
)
def test_what_is_uncertain_and_what_learns(judgement: Judgement, free, learns):
    block = Block(ANY, 0, judgement)
    assert (block.free, block.learns) == (free, learns)
    if not free:
        assert np.array_equal(block.draw(np.random.default_rng(0), 3), np.tile(block.mean, (3, 1)))
        assert not block.log_density(np.tile(block.mean, (2, 1))).any()


Q = question(
    (0.6, 0.4, 0.0),
    (
        binary("meeting", (0.1, 0.6, 0.3), 20.0),
        category("tone", ("cold", "cool", "warm"), ((0.5, 0.3, 0.2),) * 3, INF, given="meeting"),
        count("raids", (6.0, 2.0, 3.0), 4.0),
        count("clashes", (6.0, 2.0, 3.0), 4.0, dispersion=2.5),
        measure("price", (1.0, 2.0, 3.0), (0.5, 0.8, 0.6), 5.0),
    ),
    (source("s", 0.8, 20.0), source("z", 0.7, INF)),
    20.0,
    dynamics=moves(False),
)
LOG = Evidence((report("t", 1, "meeting", "yes", "z", testimony="minister"),))


def test_every_slot_belongs_to_one_block():
    layout = build_layout(Q, LOG)
    slots = [n for block in layout.blocks for n in range(block.slots.start, block.slots.stop)]
    assert slots == list(range(layout.size)) == list(range(3 + 6 + 9 + 3 + 3 + 3 + 3 + 3 + 9))
    assert layout.mean[layout.starts["likelihood tone beta"] :][:3] == pytest.approx([0.5, 0.3, 0.2])
    assert layout.mean[layout.starts["reliability s"]] == 0.8
    assert layout.mean[layout.starts["leave beta"]] == pytest.approx(1 / 3)
    assert layout.mean[layout.starts["then beta"] :][:3] == pytest.approx([0.3, 0.0, 0.7])


def test_a_testimony_has_the_mean_of_its_source_and_weight_two():
    """Also where the source itself is exactly known."""
    (block,) = [b for b in build_layout(Q, LOG).blocks if b.name == "testimony minister"]
    assert block.judgement == Proportions((1 - 0.7, 0.7), 2.0)
    assert np.concatenate(block.parameters()) == pytest.approx([1.4, 0.6])


def test_what_compiled_code_reads():
    layout = build_layout(Q, LOG)
    a = layout.arrays
    assert list(a.indicator["kind"]) == [CATEGORY, CATEGORY, POISSON, NEGATIVE_BINOMIAL, MEASURE]
    assert list(a.indicator["size"]) == [2, 3, 1, 1, 1]
    assert list(a.indicator["joint"]) == [0, 0, 2, 3, 4]
    assert (a.scenarios, a.values, a.reliabilities, a.prior_learns) == (3, 3, 3, True)
    assert a.reliability == layout.starts["reliability s"]
    assert a.dynamics_offset == layout.starts["leave alpha"]
    clashes = layout.starts["likelihood clashes alpha"]
    assert (a.slot["a"][clashes], a.slot["b"][clashes]) == (24.0, 4.0)  # shape mean * weight, rate weight
    assert np.array_equal(a.slot["sd"][layout.starts["likelihood price alpha"] :][:3], [0.5, 0.8, 0.6])
    assert not a.slot["learns"][layout.starts["likelihood tone alpha"]]
    assert not a.slot["learns"][layout.starts["leave gamma"]]  # never left


def test_the_kind_of_dynamics():
    two = question((0.5, 0.5), (), (source("s", 0.8, INF),), INF)
    assert build_layout(two, Evidence()).arrays.dynamics == STATIC
    assert build_layout(replace(two, dynamics=swaps(True)), Evidence()).arrays.dynamics == TRANSITION
    assert build_layout(Q, LOG).arrays.dynamics == MOVES


def test_cut():
    meeting = Q.indicators[0]
    fixed = replace(meeting, likelihood=tuple(replace(j, learn=False) for j in meeting.likelihood))
    layout = build_layout(replace(Q, indicators=(fixed, *Q.indicators[1:])), LOG)
    assert [b.name for b in layout.cut] == [f"likelihood meeting {s}" for s in ("alpha", "beta", "gamma")]
    assert layout.learns
    exact = question((0.5, 0.5), (), (source("s", 0.8, INF),), INF)
    assert not build_layout(exact, Evidence()).learns
