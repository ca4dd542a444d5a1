"""The Gibbs sweep leaves the posterior as it is: long runs against numerical integration.

Many independent particles, from the prior, are moved many times, nothing else being done to them. Their
long-run means and mean squares must be those of p(theta) prod_t p(y_t | y_<t, theta), which is integrated
by Gauss quadrature over the two or three judgements that are uncertain; also where cells have exponents.
Errors come from the spread between particles. Each comparison allows 5 of them (about 200 comparisons:
all hold by chance but for a probability of 1e-4), and must be able to see a tenth of a standard deviation.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import scipy.special
import scipy.stats
from numpy.typing import NDArray

from forecast.case.evidence import Evidence, Report
from forecast.case.judgement import MeasureMean, Positive, Proportions
from forecast.case.question import Moves, Question, Transition
from forecast.inference.gibbs.sweep import sweep
from forecast.inference.particles import systematic
from forecast.model.cell_sequence import CellSequence, bridge
from forecast.model.evidence_index import EvidenceIndex
from forecast.model.hmm import Filtered, empty_filtered, refresh
from forecast.model.likelihood import Cells
from forecast.model.parameters import Block, Layout, build_layout
from forecast.model.problem import build_problem
from tests.cases import binary, category, count, day, measure, question, report, source, yes
from tests.inference.answers import assert_close
from tests.inference.generated import a_log, a_question, filed

Numbers = NDArray[np.float64]
INF = math.inf
PARTICLES, SWEEPS, BURN = 600, 70, 20
Made = tuple[Question, tuple[Report, ...]]
SURE = source("s", 1.0, INF)
ALSO = source("z", 0.6, 6.0)


def open_in(question: Question, indicator: int, scenario: int, weight: float) -> Question:
    """The question with one likelihood uncertain."""
    one = question.indicators[indicator]
    judged = list(one.likelihood)
    old = judged[scenario]
    if isinstance(old, Positive):
        judged[scenario] = replace(old, shape=old.mean * weight)
    else:
        assert isinstance(old, Proportions | MeasureMean)
        judged[scenario] = replace(old, weight=weight)
    changed = replace(one, likelihood=tuple(judged))
    indicators = (*question.indicators[:indicator], changed, *question.indicators[indicator + 1 :])
    return replace(question, indicators=indicators)


def yes_no() -> Made:
    """Likelihood, prior and a reliability; grades, a clash, and a report that passes another on in part."""
    q = question((0.6, 0.4), (binary("raid", (0.5, 0.2), INF),), (source("s", 0.9, INF), ALSO), 3.0)
    log = (
        report("r1", 1, "raid", "yes"),
        report("r2", 2, "raid", "yes", "z", credibility="3"),
        report("r3", 8, "raid", "no", "z"),
        report("r4", 9, "raid", "no", repeats=("r3",), independence=0.5),
        report("r5", 15, "raid", "yes", "z", credibility="2"),
        report("r6", 16, "raid", "no"),
        report("r7", 22, "raid", "yes", "z"),
    )
    return open_in(q, 0, 0, 4.0), log


def three_values() -> Made:
    rows = ((0.5, 0.0, 0.5), (0.2, 0.5, 0.3))
    tone = category("tone", ("cold", "cool", "warm"), rows, INF, persistence=0.5)
    q = open_in(question((0.6, 0.4), (tone,), (source("s", 0.8, INF), ALSO), INF), 0, 0, 5.0)
    said = ("warm", "warm", "cold", "warm")
    log = [report(f"r{t}", 7 * t, "tone", x) for t, x in enumerate(said)]
    return q, (*log, report("z", 15, "tone", "cool", "z"), report("y", 22, "tone", "warm", "z"))


def one_testimony() -> Made:
    """Two claims of one testimony beside its source's own."""
    q = question((0.6, 0.4), (binary("raid", (0.5, 0.1), INF),), (ALSO,), INF)
    log = tuple(
        report(f"r{t}", 7 * t, "raid", x, "z", testimony="minister" if t % 2 else "")
        for t, x in enumerate(("yes", "yes", "no", "yes"))
    )
    return q, log


def pairs() -> Made:
    """An answer to an offer, heard with and without it."""
    offer, answer = binary("offer", (0.4, 0.2), INF), binary("answer", (0.5, 0.2), INF, given="offer")
    q = question((0.6, 0.4), (offer, answer), (source("s", 0.8, INF), ALSO), INF)
    log = (
        report("r1", 1, "offer", "yes"),
        report("r2", 2, "answer", "yes", "z"),
        report("r3", 8, "answer", "yes"),
        report("r4", 15, "offer", "no"),
        report("r5", 16, "answer", "yes", "z"),
        report("r6", 22, "offer", "yes", "z"),
    )
    return open_in(open_in(q, 0, 0, 4.0), 1, 0, 4.0), log


def counts(dispersion: float | None) -> Made:
    """Two means and a reliability; two reports clash."""
    raids = count("raids", (5.0, 2.0), INF, dispersion=dispersion)
    q = question((0.6, 0.4), (raids,), (source("s", 0.9, INF), ALSO), INF)
    log = (
        report("r1", 1, "raids", 4),
        report("r2", 2, "raids", 7, "z"),
        report("r3", 8, "raids", 6, "z"),
        report("r4", 15, "raids", 0),
        report("r5", 22, "raids", 3),
        report("r6", 23, "raids", 3, "z"),
    )
    return open_in(open_in(q, 0, 0, 0.8), 0, 1, 1.5), log


def measured() -> Made:
    q = question((0.6, 0.4), (measure("price", (1.0, 2.0), (0.5, 0.8), INF),), (ALSO,), INF)
    values = (1.7, 0.6, 2.4, 1.1)
    log = tuple(report(f"r{t}", 7 * t, "price", y, "z") for t, y in enumerate(values))
    return open_in(open_in(q, 0, 0, 2.0), 0, 1, 2.0), log


def regime(leave: tuple[Positive, ...], then: tuple[Proportions | None, ...]) -> Made:
    """Twenty weeks in which raids come and go."""
    chances = (0.9, 0.2, 0.5)[: len(leave)]
    prior = tuple(1 / len(leave) for _ in leave)
    q = question(prior, (binary("raid", chances, INF),), (source("s", 0.9, INF),), INF, weeks=30)
    said = "yyyyynnnnnyyynnnnnyn"
    log = tuple(report(f"r{t}", 7 * t, "raid", "yes" if x == "y" else "no") for t, x in enumerate(said))
    return replace(q, dynamics=Moves(leave, then)), log


def slow() -> Made:
    other = (Proportions((0.0, 1.0), INF), Proportions((1.0, 0.0), INF))
    return regime((Positive(1 / 20, 2.0), Positive(1 / 40, 3.0)), other)


def fast() -> Made:
    """Several moves within a period: the proposal, which allows one, must be put right."""
    other = (Proportions((0.0, 1.0), INF), Proportions((1.0, 0.0), INF))
    return regime((Positive(2.0, 2.0), Positive(0.7, 3.0)), other)


def three_ways() -> Made:
    there = (Proportions((0.0, 0.6, 0.4), 4.0), Proportions((0.5, 0.0, 0.5), INF), None)
    return regime((Positive(0.5, 2.0), Positive(0.6, INF), Positive(0.0, INF)), there)


def steps() -> Made:
    q, log = slow()
    rows = (Proportions((0.8, 0.2), 5.0), Proportions((0.1, 0.9), 6.0))
    return replace(q, dynamics=Transition(rows)), log


CASES: dict[str, Callable[[], Made]] = {
    "yes or no": yes_no,
    "three values": three_values,
    "testimony": one_testimony,
    "pairs": pairs,
    "poisson": lambda: counts(None),
    "negative binomial": lambda: counts(2.5),
    "measure": measured,
    "slow moves": slow,
    "fast moves": fast,
    "three ways": three_ways,
    "transition": steps,
}


def known_of(layout: Layout, log: tuple[Report, ...], on: int) -> tuple[CellSequence, Cells]:
    known = EvidenceIndex(layout, Evidence(log))
    known.update_cells({key for _, key in known.changes(day(on))}, day(on))
    return known.snapshot(day(on)).sequence, known.cells()


def filtered_of(layout: Layout, theta: Numbers, sequence: CellSequence, cells: Cells) -> Filtered:
    found = empty_filtered(len(theta), sequence.start.shape[0], sequence.start.shape[1] - 1, layout.arrays)
    refresh(theta, sequence, cells, layout.arrays, found)
    return found


def long_run(layout: Layout, sequence: CellSequence, cells: Cells, seed: int = 1) -> tuple[Numbers, Numbers]:
    """Mean of theta, of its squares and of the scenario now, and the standard errors, by Gibbs sweeps."""
    rng = np.random.default_rng(seed)
    theta = np.concatenate([block.draw(rng, PARTICLES) for block in layout.blocks], axis=1)
    rows, accepted = np.arange(PARTICLES), np.zeros((4, 2), np.int64)
    total: Numbers = np.zeros((PARTICLES, 2 * layout.size + layout.scenarios))
    for n in range(SWEEPS):
        filtered = filtered_of(layout, theta, sequence, cells)
        now = filtered.alpha[:, 0, -1]
        if n >= BURN:
            total += np.concatenate([theta, theta**2, now], axis=1)
        last = (rng.random((PARTICLES, 1)) > now.cumsum(axis=1)[:, :-1]).sum(axis=1)
        sweep(theta, rows, last, filtered, sequence, cells, layout.arrays, rng, accepted)
    each = total / (SWEEPS - BURN)
    return each.mean(axis=0), each.std(axis=0, ddof=1) / math.sqrt(PARTICLES)


def nodes(block: Block) -> list[tuple[float, Numbers]]:
    """Gauss quadrature of a judgement's prior: weights and values in its slots."""
    if not block.free:
        return [(1.0, block.mean)]
    a, b = (x[block.mean > 0] for x in block.parameters())
    judgement = block.judgement
    if isinstance(judgement, Proportions):
        first, second = (b[0], a[0]) if block.beta else a  # of a proportion and of what it leaves
        x, w = scipy.special.roots_jacobi(24, second - 1, first - 1)
        rows = np.zeros((24, block.size))
        on = np.flatnonzero(block.mean > 0)
        if block.beta:
            rows[:, 0] = (1 - x) / 2
        else:
            rows[:, on[0]], rows[:, on[1]] = (1 + x) / 2, (1 - x) / 2
    elif isinstance(judgement, Positive):
        x, w = scipy.special.roots_genlaguerre(40, a[0] - 1)
        rows = (x / b[0])[:, None]
    else:
        x, w = scipy.special.roots_hermitenorm(40)
        rows = (a[0] + b[0] * x)[:, None]
    return list(zip(w / w.sum(), rows, strict=True))


def integrated(layout: Layout, sequence: CellSequence, cells: Cells) -> Numbers:
    """The same means by quadrature."""
    grid = list(product(*(nodes(block) for block in layout.blocks)))
    theta = np.array([np.concatenate([row for _, row in point]) for point in grid])
    log_weight = np.array([sum(math.log(w) for w, _ in point) for point in grid])
    filtered = filtered_of(layout, theta, sequence, cells)
    log_weight += filtered.log_norm.sum(axis=(1, 2))
    weight = np.exp(log_weight - log_weight.max())
    value = np.concatenate([theta, theta**2, filtered.alpha[:, 0, -1]], axis=1)
    found: Numbers = weight @ value / weight.sum()
    return found


def compare(layout: Layout, sequence: CellSequence, cells: Cells) -> None:
    expected, (found, error) = integrated(layout, sequence, cells), long_run(layout, sequence, cells)
    d = layout.size
    sd = np.sqrt(np.maximum(expected[d : 2 * d] - expected[:d] ** 2, 0.0))
    assert np.all(error[:d] <= 0.1 * sd + 1e-9), "a test that could not fail"
    off = np.abs(found - expected) / (5 * error + 1e-9)
    names = [block.name for block in layout.blocks for _ in range(block.size)]
    worst = int(np.argmax(off))
    where = (names + [f"square of {name}" for name in names] + ["now"] * layout.scenarios)[worst]
    assert off[worst] < 1, f"{where}: {found[worst]:.5g}, expected {expected[worst]:.5g} ± {error[worst]:.2g}"


@pytest.mark.parametrize("name", CASES)
def test_the_sweep_leaves_the_posterior_as_it_is(name):
    q, log = CASES[name]()
    layout = build_layout(q, Evidence(log))
    compare(layout, *known_of(layout, log, 7 * q.period(log[-1].date) + 6))


@pytest.mark.parametrize(
    "name", [name for name in CASES if name not in ("slow moves", "three ways", "transition")]
)
def test_with_exponents(name):
    """The power posterior: every cell with another exponent."""
    q, log = CASES[name]()
    layout = build_layout(q, Evidence(log))
    sequence, cells = known_of(layout, log, 7 * q.period(log[-1].date) + 6)
    compare(layout, sequence._replace(exponent=np.linspace(0.25, 0.9, len(sequence.cell))), cells)


@pytest.mark.parametrize("name", ["yes or no", "poisson", "negative binomial"])
def test_half_way_between_two_courses(name):
    """One cell may stand in two places with two exponents."""
    q, log = CASES[name]()
    layout = build_layout(q, Evidence(log))
    sequence, cells = known_of(layout, log, 7 * q.period(log[-1].date) + 6)
    turned = sequence._replace(kind=np.roll(sequence.kind, 1))
    between = bridge(sequence, turned, 0.3)
    assert len(between.cell) > len(set(between.cell))
    compare(layout, between, cells)


def test_a_negative_binomial_mean_far_from_its_prior():
    """A hundred counts of about 60 where 5 was said, with the weight of a hundred cases."""
    raids = count("raids", (5.0,) * 2, 100.0, dispersion=2.0)
    q = question(
        (0.5, 0.5), (replace(raids, likelihood=(raids.likelihood[0],) * 2),), (SURE,), INF, weeks=100
    )
    q = replace(q, prior=Proportions((1.0, 0.0), INF))
    counted = [60 + t % 7 for t in range(100)]
    log = tuple(report(f"r{t}", 7 * t, "raids", y) for t, y in enumerate(counted))
    layout = build_layout(q, Evidence(log))
    found, error = long_run(layout, *known_of(layout, log, 699))
    m = np.linspace(5, 30, 20_001)
    density = scipy.stats.gamma(500, scale=0.01).logpdf(m)
    density += sum(scipy.stats.nbinom(2, 2 / (2 + m)).logpmf(y) for y in counted)
    weight = np.exp(density - density.max())
    slot = layout.starts["likelihood raids alpha"]
    assert abs(found[slot] - weight @ m / weight.sum()) < 5 * error[slot] + 1e-3


def test_what_may_not_learn_stays():
    q, log = yes_no()
    fixed = replace(ALSO, reliability=yes(0.6, 6.0, learn=False))
    q = replace(q, prior=replace(q.prior, learn=False), sources=(q.sources[0], fixed))
    layout = build_layout(q, Evidence(log))
    sequence, cells = known_of(layout, log, 27)
    theta = np.concatenate([b.draw(np.random.default_rng(0), 50) for b in layout.blocks], axis=1)
    before, filtered = theta.copy(), filtered_of(layout, theta, sequence, cells)
    rng, last = np.random.default_rng(1), np.zeros(50, np.int64)
    sweep(
        theta, np.arange(50), last, filtered, sequence, cells, layout.arrays, rng, np.zeros((4, 2), np.int64)
    )
    moved = (theta != before).any(axis=0)
    learning = [n for b in layout.blocks if b.learns for n in range(b.slots.start, b.slots.stop)]
    assert np.flatnonzero(moved).tolist() == learning


# --- generated questions


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 5, 6])
def test_the_sweep_leaves_the_posterior_of_generated_questions_as_it_is(seed):
    """Particles resampled by their likelihood, then moved: means, squares and products must not drift."""
    r = random.Random(100 + seed)
    q = filed(r, a_question(r, r.choice([1.5, 3.0, 8.0])))
    evidence = Evidence(a_log(r, q, 40))
    problem = build_problem(q, evidence, day(40))
    sequence, arrays = problem.steps[-1].sequence, problem.layout.arrays
    rng = np.random.default_rng(seed)

    def filtered(theta: np.ndarray) -> Filtered:
        made = empty_filtered(len(theta), problem.units, problem.steps[-1].periods, arrays)
        refresh(theta, sequence, problem.cells, arrays, made)
        return made

    def seen(theta: np.ndarray, f: Filtered) -> np.ndarray:
        x = theta[:, [s for b in problem.layout.blocks if b.free for s in range(b.start, b.start + b.size)]]
        return np.concatenate([x, x**2, x * f.alpha[:, 0, -1, :1], f.alpha.reshape(len(x), -1)], axis=1)

    theta = problem.layout.draw(rng, 30_000)
    f = filtered(theta)
    log_weight = f.log_norm.sum(axis=(1, 2))
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    assert 1 / (weight**2).sum() > 300  # else there is too little to judge by
    before = seen(theta, f)
    mean = weight @ before
    off = (before - mean) ** 2
    theta = theta[rng.permutation(systematic(weight, 2_000, rng.random()))]
    f = filtered(theta)
    for _ in range(8):
        now = f.alpha[:, 0, -1].cumsum(axis=1)
        last = (rng.random(len(theta))[:, None] * now[:, -1:] > now).sum(axis=1)
        count_ = np.zeros((4, 2), np.int64)
        sweep(theta, np.arange(len(theta)), last, f, sequence, problem.cells, arrays, rng, count_)
        refresh(theta, sequence, problem.cells, arrays, f)
    error = np.sqrt(weight @ off / len(theta) + weight**2 @ off)
    assert_close("after the sweeps", seen(theta, f).mean(axis=0), mean, 4.5 * error + 1e-7)
