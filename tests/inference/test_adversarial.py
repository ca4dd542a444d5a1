"""What no small case has: generated questions, odd numbers, outliers, reports that come and go."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np
import pytest

from forecast.case.errors import Faults, InputError
from forecast.case.evidence import Evidence, Report
from forecast.case.folder import Case
from forecast.case.judgement import Positive, Proportions
from forecast.case.question import Group, Indicator, Monitored, Moves, Question, Source, Transition
from forecast.case.reader.consistency import check_reports
from forecast.case.reader.question import Outline
from forecast.inference.engine import infer, update
from forecast.inference.gibbs.sweep import sweep
from forecast.inference.particles import ImpossibleEvidence, systematic
from forecast.model.hmm import Filtered, empty_filtered, refresh
from forecast.model.problem import problem
from tests.cases import (
    OPENED,
    binary,
    category,
    count,
    day,
    measure,
    question,
    ratio,
    report,
    source,
    withdraw,
)
from tests.cases.bricks import yes
from tests.inference.answers import answers, array, assert_close, dates
from tests.oracles import enumerate_posterior, mean_theta, static_closed_form

INF = math.inf
SURE = (source("s", 1.0, INF),)
TONES = ("none", "oral", "written")


# --- generated questions -----------------------------------------------------------------------------------


def a_question(r: random.Random, w: float) -> Question:
    """Return pairs with two children, persistence, silence, groups, cap, units and dynamics as they fall."""
    k = r.choice([2, 3])

    def chances() -> tuple[float, ...]:
        return tuple(r.uniform(0.03, 0.97) for _ in range(k))

    def shares(n: int) -> tuple[float, ...]:
        raw = [r.uniform(0.05, 1) for _ in range(n)]
        return tuple(x / sum(raw) for x in raw)

    def extras() -> dict[str, object]:
        watch = Monitored(day(r.randint(0, 14)), day(r.randint(15, 60)), 0.6, lag=r.choice([0, 3, 9]))
        return {"persistence": r.choice([None, 0.7]), "monitored": r.choice([None, watch])}

    rows = tuple(shares(3) for _ in range(k)), tuple(shares(3) for _ in range(k))
    indicators = (
        category("answer", ("refused", "open", "accepted"), rows[0], w, given="offer", **extras()),
        binary("raid", chances(), w, **extras()),
        category("offer", TONES, rows[1], w, **extras()),
        binary("venue", chances(), w, given="offer", persistence=r.choice([None, 0.6])),
        count("clashes", tuple(9 * p for p in chances()), w, dispersion=r.choice([None, 2.0])),
        measure("price", chances(), tuple(r.uniform(0.2, 0.6) for _ in range(k)), w),
        ratio("view", tuple(r.uniform(0.5, 4) for _ in range(k))),
        binary("reason", chances(), w, given="view"),
    )
    few = w if math.isinf(w) else r.choice([2.0, 6.0])
    sources = tuple(source(n, r.uniform(0.3, 0.93), few) for n in "szy")
    sources += (source("t", 1.0 if math.isinf(w) else 0.8, few),)
    field = Group("field", ("raid", "clashes", "offer"), r.choice([0.3, 1.0]))
    q = question(
        shares(k), indicators, sources, w, groups=r.choice([(), (field,)]), cap=r.choice([None, 4.0])
    )
    if r.random() < 0.3:
        q = replace(q, units=("north", "south"))
    rates = tuple(Positive(0.0 if i == 2 else 1 / r.choice([0.3, 2, 30]), w) for i in range(k))
    then = tuple(Proportions(tuple(float(j != i) / (k - 1) for j in range(k)), w) for i in range(k))
    moves = Moves(rates, tuple(None if rate.mean == 0 else j for rate, j in zip(rates, then, strict=True)))
    steps = Transition(tuple(Proportions(shares(k), w) for _ in range(k)))
    return replace(q, dynamics=r.choice([None, moves, steps]))


def a_log(r: random.Random, q: Question, last: int) -> tuple[Report, ...]:
    """Return reports, late ones, repeats, corrections (also to other cells) and withdrawals."""
    log: list[Report] = []
    for k in range(40):
        kind, told = r.random(), [x for x in log if x.indicator]
        like = r.choice(told) if told else None
        about = next((i for i in q.indicators if like and i.id == like.indicator), r.choice(q.indicators))
        value = r.choice(about.values) if about.values else r.randint(0, 9)
        value = "yes" if about.kind == "ratio" else value
        on = r.randint(0, last)
        known = min(on + r.choice([0, 0, 3, 15]), last)
        unit = r.choice(q.units) if q.units else ""
        if like is None or kind < 0.6:
            about = r.choice(q.indicators)
            value = r.choice(about.values) if about.values else r.randint(0, 9)
            value = "yes" if about.kind == "ratio" else value
            more = {"by": "t", "testimony": "official"} if kind < 0.06 else {"by": r.choice("szy")}
            new = report(f"r{k}", on, about.id, value, known=known, unit=unit, **more)
            new = replace(new, credibility=r.choice(["", "1", "3"]))
        elif kind < 0.8:
            on, known = (like.date - OPENED).days, r.randint((like.reported - OPENED).days, last)
            new = report(f"r{k}", on, about.id, r.choice([value, like.value]), r.choice("szy"), known=known)
            new = replace(new, repeats=(like.id,), independence=r.choice([None, 0.3, 0.8]), unit=like.unit)
        else:
            known = r.randint((like.reported - OPENED).days, last)
            new = withdraw(f"r{k}", known, like.id)
            if kind < 0.93:
                on = r.choice([(like.date - OPENED).days, r.randint(0, known)])
                new = report(f"r{k}", on, about.id, value, like.source, known=known, unit=like.unit)
                new = replace(new, replaces=like.id)
        faults = Faults("log")
        check_reports([*log, new], Outline.of(q), faults)
        log += [] if faults.found else [new]
    return tuple(log[: r.randint(4, 20)])


@pytest.mark.parametrize("seed", range(24))
def test_generated_questions_with_exact_judgements(seed):
    """Every trend date, and everything said at the last, against enumeration."""
    r = random.Random(seed)
    q = a_question(r, INF)
    last = 34 - r.randint(0, 3)
    evidence = Evidence(a_log(r, q, last))
    theta = mean_theta(q, evidence)
    tree = infer(q, evidence, as_of=day(last), draws=2, chains=1)
    found = answers(tree)
    expected = enumerate_posterior(q, evidence, day(last), theta, filtered=True)
    for name in ("now", "outlook", "ever", "smoothed", "filtered"):
        assert_close(name, found[name], expected[name], 1e-9)
    for k, d in enumerate(dates(tree)):
        now = enumerate_posterior(q, evidence, d, theta, ahead=False)["now"]
        assert_close(str(d), found["trend"][k], now, 1e-9)


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 5, 6])
def test_a_sweep_leaves_the_posterior_as_it_is(seed):
    """Particles resampled by their likelihood, then moved: means, squares and products must not drift."""
    r = random.Random(100 + seed)
    q = a_question(r, r.choice([1.5, 3.0, 8.0]))
    evidence = Evidence(a_log(r, q, 40))
    task = problem(q, evidence, day(40))
    course, arrays = task.steps[-1].course, task.layout.arrays
    rng = np.random.default_rng(seed)

    def filtered(theta: np.ndarray) -> Filtered:
        made = empty_filtered(len(theta), task.units, task.steps[-1].periods, task.layout.scenarios)
        refresh(theta, course, task.cells, arrays, made)
        return made

    def seen(theta: np.ndarray, f: Filtered) -> np.ndarray:
        x = theta[:, [s for b in task.layout.blocks if b.free for s in range(b.start, b.start + b.size)]]
        return np.concatenate([x, x**2, x * f.alpha[:, 0, -1, :1], f.alpha.reshape(len(x), -1)], axis=1)

    theta = np.concatenate([block.draw(rng, 30_000) for block in task.layout.blocks], axis=1)
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
        count_ = np.zeros((3, 2), np.int64)
        sweep(theta, np.arange(len(theta)), last, f, course, task.cells, arrays, rng, count_)
        refresh(theta, course, task.cells, arrays, f)
    error = np.sqrt(weight @ off / len(theta) + weight**2 @ off)
    assert_close("after the sweeps", seen(theta, f).mean(axis=0), mean, 4.5 * error + 1e-7)


# --- particles ---------------------------------------------------------------------------------------------


def learning() -> tuple[Question, Evidence]:
    """Return three scenarios, two of which mirror each other, and weeks that do not tell these apart."""
    chances = ((0.2, 0.5, 0.8), (0.5, 0.2, 0.8), (0.3, 0.6, 0.9), (0.6, 0.3, 0.1))
    indicators = tuple(binary(f"i{n}", p, 4.0) for n, p in enumerate(chances))
    rng, log = np.random.default_rng(2), []
    for indicator, times in zip(indicators, (14, 14, 18, 18), strict=True):
        for t, happened in enumerate(rng.permutation(40) < times):
            log.append(report(f"{indicator.id}-{t}", 7 * t, indicator.id, "yes" if happened else "no"))
    return question((0.4, 0.35, 0.25), indicators, SURE, 4.0, weeks=40), Evidence(tuple(log))


@pytest.mark.parametrize("draws", [32, 33])
def test_an_odd_number_of_particles_is_as_good_as_an_even_one(draws):
    q, evidence = learning()
    tree = infer(q, evidence, as_of=day(279), draws=draws, chains=120, tolerance=1.0)
    expected = static_closed_form(q, evidence, day(279))
    assert_close("now", answers(tree)["now"][:2], expected[:2], 4 * array(tree, "trend", "mcse")[-1, :2])


def test_a_judgement_that_must_not_learn_and_says_nothing_changes_nothing():
    q, evidence = learning()
    q = replace(q, sources=(*q.sources, Source("idle", "Idle", yes(0.7, 10.0, learn=False))))
    tree = infer(q, evidence, as_of=day(279), draws=258, chains=60, tolerance=1.0)
    expected = static_closed_form(q, evidence, day(279))
    assert_close("now", answers(tree)["now"][:2], expected[:2], 4 * array(tree, "trend", "mcse")[-1, :2])


# --- as known ----------------------------------------------------------------------------------------------


def test_what_becomes_known_later_changes_nothing():
    """Not a digit, and not a name: the trend of a past date must not know a testimony of the future."""
    steps = Transition((Proportions((0.8, 0.2), 9.0), Proportions((0.3, 0.7), 9.0)))
    q = question(
        (0.6, 0.4), (binary("raid", (0.6, 0.2), 8.0),), (source("s", 0.8, 6.0),), 20.0, dynamics=steps
    )
    known = (report("a", 1, "raid", "yes"), report("b", 8, "raid", "no"))
    later = (report("c", 9, "raid", "yes", testimony="secret", known=20), withdraw("w", 20, "a"))
    one, two = (
        infer(q, Evidence(log), as_of=day(13), draws=100, chains=2, tolerance=1.0)
        for log in (known, known + later)
    )
    assert "testimony_reliability" not in two["posterior"].to_dataset()
    for name, values in answers(one).items():
        assert np.array_equal(values, answers(two)[name]), name


def excluding(w: float) -> Question:
    """Return two scenarios that each rule out an indicator's event, and a third that rules out both."""
    never, may = Proportions((1.0, 0.0), INF), Proportions((0.5, 0.5), w)
    a = Indicator("a", "a", "category", ("no", "yes"), (never, may, never))
    b = Indicator("b", "b", "category", ("no", "yes"), (may, never, never))
    return question((0.4, 0.3, 0.3), (a, b, binary("c", (0.2, 0.5, 0.7), w)), SURE, w, weeks=10)


@pytest.mark.parametrize("w", [8.0, INF])
def test_the_period_that_rules_out_the_last_scenario_is_named(w):
    log = (report("x", 8, "a", "yes", known=50), report("y", 36, "b", "yes"), report("z", 1, "c", "no"))
    with pytest.raises(ImpossibleEvidence) as raised:
        infer(excluding(w), Evidence(log), as_of=day(62), draws=100, chains=2, tolerance=1.0)
    assert (raised.value.period, raised.value.day) == (5, day(55))


@pytest.mark.parametrize("w", [8.0, INF])
def test_impossible_evidence_can_be_withdrawn(w):
    """The log is append-only: a mistake, once corrected, must not stop all later forecasts."""
    log = (report("x", 8, "a", "yes"), report("y", 36, "b", "yes"), withdraw("wx", 50, "x"))
    tree = infer(excluding(w), Evidence(log), as_of=day(62), draws=100, chains=2, tolerance=1.0)
    assert_close("now", answers(tree)["now"], np.array([1.0, 0.0, 0.0]), 1e-12)
    assert "gaps" in tree.attrs["warnings"]


def test_silence_that_no_scenario_allows_is_named(tmp_path):
    """There is no report to blame; the error must say something all the same."""
    watched = binary("m", (1.0, 1.0), INF, monitored=Monitored(day(0), day(60), 1.0))
    q = question((0.5, 0.5), (watched,), SURE, INF)
    with pytest.raises(InputError) as raised:
        update(Case("case", tmp_path, q, Evidence(), "digest"), as_of=day(6), draws=2, chains=1)
    assert raised.value.faults


# --- far out -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [20, 120, 1_000_000])
def test_an_absurd_number_is_noise(size):
    """Where one report in five is noise, a slip of the pen has no weight without bounds."""
    for indicator, y in (
        (measure("x", (1.2, 2.0), (0.4, 0.4), INF), float(size)),
        (count("x", (6.0, 3.0), INF), 20 * size),
    ):
        q = question((0.5, 0.5), (indicator,), (source("s", 0.8, INF),), INF)
        tree = infer(q, Evidence((report("r", 1, "x", y),)), as_of=day(6), draws=2, chains=1)
        assert answers(tree)["now"].min() > 0.05


@pytest.mark.parametrize("y", [0, 3])
def test_a_count_that_is_surely_zero(y):
    """`{mean: 0, weight: .inf}` is allowed."""
    q = question((0.5, 0.5), (count("x", (6.0, 0.0), INF),), (source("s", 0.8, INF),), INF)
    tree = infer(q, Evidence((report("r", 1, "x", y),)), as_of=day(6), draws=2, chains=1)
    f = np.array([math.exp(-6) * 6**y / math.factorial(y), float(y == 0)])
    m = 0.8 * f + 0.2 * f.mean()
    assert_close("now", answers(tree)["now"], m / m.sum(), 1e-12)


@pytest.mark.parametrize("first", ["up", "down"])
def test_a_scenario_given_up_and_taken_up_again_where_nothing_moves(first):
    """Six hundred orders of magnitude one way and more back: who it was all along is who learns."""
    pair = ratio("up", (1e-300, 1)), ratio("down", (1, 1e-300))
    still = Moves((Positive(0.0, INF),) * 2, (None, None))
    q = question((0.5, 0.5), (*pair, binary("c", (0.5, 0.5), 5.0)), SURE, INF, dynamics=still, weeks=10)
    then = "down" if first == "up" else "up"
    log = [report(f"r{t}", 7 * t, first if t < 3 else then, "yes") for t in range(7)]
    log += [report(f"c{t}", 7 * t, "c", "yes") for t in range(7)]
    tree = infer(q, Evidence(tuple(log)), as_of=day(48), draws=400, chains=2, tolerance=1.0)
    assert_close("sums", answers(tree)["smoothed"].sum(axis=-1), np.ones(7), 1e-9)
    learned = tree["posterior"].to_dataset()["likelihood_c"].values[..., 1].mean(axis=(0, 1))
    expected = [9.5 / 12, 0.5] if first == "up" else [0.5, 9.5 / 12]
    assert_close("learned", learned, np.array(expected), 0.06)
