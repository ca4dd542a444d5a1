"""What must hold of every question, on generated ones, and far out: outliers, much taken away."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.case.errors import InputError
from forecast.case.evidence import Evidence, Report
from forecast.case.folder import Case
from forecast.case.judgement import Positive, Proportions
from forecast.case.number_noise import log_noise
from forecast.case.question import Indicator, Monitored, Moves, Question, Source, Transition
from forecast.inference import result
from forecast.inference.engine import infer, update
from forecast.inference.particles import ImpossibleEvidence
from tests.cases import (
    Small,
    binary,
    category,
    count,
    day,
    measure,
    moves,
    question,
    ratio,
    report,
    small,
    source,
    swaps,
    withdraw,
)
from tests.cases.bricks import yes
from tests.inference.answers import answers, array, assert_close, dates
from tests.inference.generated import SURE, log_of, static_question
from tests.oracles import static_closed_form

INF = math.inf
FEW = settings(derandomize=True, max_examples=12, deadline=None, database=None)
AS_OF = day(27)
ANSWERS = ("now", "trend", "outlook", "ever", "smoothed", "filtered")


def run(q: Question, log: tuple[Report, ...]) -> xr.DataTree:
    tree: xr.DataTree = infer(q, Evidence(log), as_of=AS_OF, draws=10, chains=1)
    return tree


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Three scenarios, four kinds of indicators, static or with moves."""
    chance = st.floats(0.02, 0.98)
    three = st.tuples(chance, chance, chance)
    tones = tuple(
        (a / (a + b + c), b / (a + b + c), c / (a + b + c)) for a, b, c in (draw(three) for _ in range(3))
    )
    indicators = (
        binary("raid", draw(three), INF, persistence=draw(st.sampled_from([None, 0.8]))),
        category("tone", ("cold", "cool", "warm"), tones, INF),
        count("clashes", tuple(9 * p for p in draw(three)), INF),
        measure("price", draw(three), (0.3, 0.5, 0.4), INF),
    )
    sources = tuple(source(n, draw(chance), INF) for n in ("s", "z"))
    a, b, c = draw(three)
    prior = (a / (a + b + c), b / (a + b + c), c / (a + b + c))
    return question(prior, indicators, sources, INF, dynamics=moves(True) if draw(st.booleans()) else None)


@st.composite
def logs(draw: st.DrawFn) -> tuple[Report, ...]:
    """At most one report of each source in each cell (one of a measure), some late, some withdrawn."""
    values: dict[str, st.SearchStrategy[Any]] = {
        "raid": st.sampled_from(["no", "yes"]),
        "tone": st.sampled_from(["cold", "cool", "warm"]),
        "clashes": st.integers(0, 9),
        "price": st.floats(-1, 2, width=16),
    }
    cells = st.tuples(st.integers(0, 3), st.sampled_from(sorted(values)), st.sampled_from(["s", "z"]))
    unique = st.lists(cells, max_size=8, unique_by=lambda c: c if c[1] != "price" else c[:2])
    log = []
    for k, (t, name, by) in enumerate(draw(unique)):
        on = 7 * t + draw(st.integers(0, 6))
        known = min(on + draw(st.sampled_from([0, 0, 5, 12])), 27)
        log.append(report(f"r{k}", on, name, draw(values[name]), by, known=known))
        if draw(st.integers(0, 3)) == 0:
            log.append(withdraw(f"w{k}", min(known + draw(st.integers(0, 10)), 27), f"r{k}"))
    return tuple(log)


@FEW
@given(questions(), logs(), st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(q, log, random):
    shuffled = list(log)
    random.shuffle(shuffled)
    one, two = answers(run(q, log)), answers(run(q, tuple(shuffled)))
    for name in ANSWERS:
        assert_close(name, two[name], one[name], 1e-12)


@FEW
@given(questions(), logs(), st.sampled_from(list(permutations(range(3)))))
def test_relabelling_scenarios_permutes_the_answer(q, log, order):
    one, two = answers(run(q, log)), answers(run(relabelled(q, order), log))
    for name in ANSWERS:
        assert_close(name, two[name], one[name][..., list(order)], 1e-11)


def relabelled(q: Question, order: tuple[int, ...]) -> Question:
    """The same question with its scenarios in another order."""
    dynamics = q.dynamics
    if isinstance(dynamics, Moves):
        then = [dynamics.then[i] for i in order]
        turned = tuple(j and replace(j, mean=tuple(j.mean[i] for i in order)) for j in then)
        dynamics = Moves(tuple(dynamics.leave[i] for i in order), turned)
    return replace(
        q,
        scenarios=tuple(q.scenarios[i] for i in order),
        prior=replace(q.prior, mean=tuple(q.prior.mean[i] for i in order)),
        indicators=tuple(replace(x, likelihood=tuple(x.likelihood[i] for i in order)) for x in q.indicators),
        dynamics=dynamics,
    )


@FEW
@given(questions(), logs())
def test_probabilities_sum_to_one(q, log):
    found = answers(run(q, log))
    for name in set(ANSWERS) - {"ever"}:
        assert_close(name, found[name].sum(axis=-1), np.ones(found[name].shape[:-1]), 1e-12)
    assert np.all(found["ever"] >= found["horizon"] - 1e-12)


@FEW
@given(questions(), logs(), st.integers(1, 27))
def test_a_withdrawn_report_is_as_if_never_filed(q, log, gone):
    extra = (report("x", 0, "raid", "yes", "s"), withdraw("wx", gone, "x"))
    log = tuple(r for r in log if not (r.indicator == "raid" and r.source == "s" and q.period(r.date) == 0))
    ids = {r.id for r in log}
    log = tuple(r for r in log if not r.replaces or r.replaces in ids)
    with_it, without = run(q, extra[:1] + log + extra[1:]), run(q, log)
    after = [k for k, d in enumerate(dates(without)) if d >= day(gone)]
    one, two = answers(without), answers(with_it)
    assert_close("trend", two["trend"][after], one["trend"][after], 1e-12)
    for name in ("now", "outlook", "ever", "smoothed", "filtered"):
        assert_close(name, two[name], one[name], 1e-12)


@FEW
@given(questions(), logs(), st.data())
def test_a_pure_repeat_changes_nothing(q, log, data):
    """From the day the original is known on, and unless it is withdrawn."""
    gone = {r.replaces for r in log}
    stand = [r for r in log if r.indicator in ("raid", "tone", "clashes") and r.id not in gone]
    if not stand:
        return
    original = data.draw(st.sampled_from(stand))
    q = replace(q, sources=(*q.sources, source("relay", 0.9, INF)))
    again = replace(original, id="again", source="relay", repeats=(original.id,))
    one, two = answers(run(q, log)), answers(run(q, (*log, again)))
    for name in ANSWERS:
        assert_close(name, two[name], one[name], 1e-12)


@FEW
@given(questions(), logs())
def test_the_trend_is_what_a_fresh_run_would_say(q, log):
    tree = run(q, log)
    for k, d in enumerate(dates(tree)):
        fresh = infer(q, Evidence(log), as_of=d, draws=10, chains=1)
        assert_close(str(d), answers(tree)["trend"][k], answers(fresh)["now"], 1e-12)


@pytest.mark.parametrize("name", ["late_and_corrected", "repeat_of_withdrawn", "of_units"])
def test_the_trend_is_what_a_fresh_run_would_say_with_uncertain_judgements(name):
    """Within 4 standard errors of the difference of two independent runs."""
    case: Small = small(name, False)
    tree = infer(case.question, case.evidence, as_of=case.as_of, seed=1)
    for k, d in list(enumerate(dates(tree)))[:-1]:
        fresh = infer(case.question, case.evidence, as_of=d, seed=2)
        error = np.hypot(array(tree, "trend", "mcse")[k], array(fresh, "trend", "mcse")[-1])
        assert_close(str(d), answers(tree)["trend"][k], answers(fresh)["now"], 4 * error + 1e-12)


# --- far out -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("static", [True, False])
def test_five_thousand_periods(static):
    q = question((0.6, 0.4), (binary("raid", (0.6, 0.2), INF),), (source("s", 0.9, INF),), INF)
    q = replace(q, period_days=1, horizon=day(5_009), dynamics=None if static else swaps(True))
    happened = np.random.default_rng(7).random(5_000) < 0.4
    log = tuple(report(f"r{t}", t, "raid", "yes" if y else "no") for t, y in enumerate(happened))
    found = answers(infer(q, Evidence(log), as_of=day(4_999), draws=4, chains=1))
    assert found["trend"].shape == (5_000, 2)
    for name in ("trend", "outlook", "smoothed", "filtered"):
        assert_close(name, found[name].sum(axis=-1), np.ones(len(found[name])), 1e-9)


def test_likelihood_ratios_of_1e_300():
    """Nothing under- or overflows: what is said for one scenario and against it cancels."""
    tiny = 1e-300
    names = ("for_it", "more", "against", "less")
    pairs = tuple(ratio(n, (1, tiny) if k < 2 else (tiny, 1)) for k, n in enumerate(names))
    q = question((0.6, 0.4), pairs, (source("s", 1.0, INF),), INF)
    one_way = answers(run(q, (report("a", 1, "for_it", "yes"), report("b", 8, "for_it", "yes"))))
    assert_close("one way", one_way["trend"], np.tile([1.0, 0.0], (4, 1)), 1e-12)
    back = answers(run(q, (report("a", 1, "for_it", "yes"), report("b", 8, "against", "yes"))))
    assert_close("and back", back["now"], np.array([0.6, 0.4]), 1e-12)
    within = tuple(report(i.id, 1, i.id, "yes") for i in pairs)
    assert_close("within a period", answers(run(q, within))["now"], np.array([0.6, 0.4]), 1e-12)
    swapping = replace(q, dynamics=Transition((Proportions((0.8, 0.2), INF), Proportions((0.3, 0.7), INF))))
    moving = answers(run(swapping, (report("a", 1, "for_it", "yes"), report("b", 8, "against", "yes"))))
    for name in ("trend", "outlook", "smoothed", "filtered"):
        assert_close(name, moving[name].sum(axis=-1), np.ones(len(moving[name])), 1e-12)
    assert_close("moved", moving["trend"][:2], np.array([[1.0, 0.0], [0.0, 1.0]]), 1e-12)


@pytest.mark.parametrize("draws", [32, 33])
def test_an_odd_number_of_particles_is_as_good_as_an_even_one(draws):
    q, evidence = static_question(40, 4.0), log_of((14, 14, 18, 18), 40, seed=2)
    tree = infer(q, evidence, as_of=day(279), draws=draws, chains=120, tolerance=1.0)
    expected = static_closed_form(q, evidence, day(279))
    assert_close("now", answers(tree)["now"][:2], expected[:2], 4 * array(tree, "trend", "mcse")[-1, :2])


def test_a_judgement_that_must_not_learn_and_says_nothing_changes_nothing():
    q, evidence = static_question(40, 4.0), log_of((14, 14, 18, 18), 40, seed=2)
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
    assert [warning.kind for warning in result.warnings(tree)] == ["gaps"]


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
    m = 0.8 * f + 0.2 * math.exp(log_noise(q.indicators[0], y))
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
