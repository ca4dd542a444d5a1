"""The oracles themselves: numbers worked by hand, sums that must be 1, and agreement with closed forms."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import zeta
from scipy.stats import beta, nbinom, norm, poisson
from scipy.stats import t as student

from forecast.case.evidence import Evidence, Report
from forecast.case.judgement import Positive, Proportions
from forecast.case.question import Group, Indicator, Monitored, Moves, Question, Transition
from tests.cases import (
    CASES,
    FILED_CASES,
    binary,
    category,
    count,
    day,
    measure,
    question,
    report,
    small,
    source,
    swaps,
    withdraw,
    yes,
)
from tests.oracles import (
    enumerate_posterior,
    importance_sampling,
    mean_theta,
    posterior_theta,
    regime_closed_form,
    static_closed_form,
    trend_dates,
    weighted_cells,
)
from tests.oracles.number_cells import count_noise

INF = math.inf
PAIR = (source("s", 0.8, INF), source("z", 0.6, INF))


def ask(*indicators: Indicator, **options: object) -> Question:
    """An exact question of two scenarios."""
    return question((0.6, 0.4), indicators, PAIR, INF, **options)  # type: ignore[arg-type]


def cell(q: Question, log: tuple[Report, ...], as_of: int, period: int = 0) -> list[float]:
    """m(s) of the only cell of a period."""
    evidence = Evidence(log)
    found = weighted_cells(q, evidence, day(as_of), mean_theta(q, evidence))
    (m,) = [v for key, v in found.items() if key[1] == period]
    return [float(v) for v in m]


MEETING = binary("meeting", (0.2, 0.5), INF)


# --- by hand -----------------------------------------------------------------------------------------------


def test_one_report():
    # yes: told .8 + noise .2/2 = .9 if it happened, .1 if not
    m = cell(ask(MEETING), (report("a", 1, "meeting", "yes"),), 6)
    assert m == pytest.approx([0.2 * 0.9 + 0.8 * 0.1, 0.5 * 0.9 + 0.5 * 0.1])


def test_two_reports_that_agree_and_two_that_clash():
    # s: .9 / .1; z, r = .6: .8 / .2
    agree = (report("a", 1, "meeting", "yes"), report("b", 1, "meeting", "yes", "z"))
    assert cell(ask(MEETING), agree, 6) == pytest.approx([0.2 * 0.72 + 0.8 * 0.02, 0.5 * 0.72 + 0.5 * 0.02])
    clash = (report("a", 1, "meeting", "yes"), report("b", 1, "meeting", "no", "z"))
    assert cell(ask(MEETING), clash, 6) == pytest.approx([0.2 * 0.18 + 0.8 * 0.08, 0.5 * 0.18 + 0.5 * 0.08])


def test_credibility_lowers_the_chance_of_being_told():
    # grade 4: r = .8 * .4 = .32; yes .66, no .34
    m = cell(ask(MEETING), (report("a", 1, "meeting", "yes", credibility="4"),), 6)
    assert m == pytest.approx([0.2 * 0.66 + 0.8 * 0.34, 0.5])


def test_partial_repeat_of_a_live_and_of_a_withdrawn_report():
    log = (
        report("a", 1, "meeting", "yes"),
        report("b", 2, "meeting", "yes", "z", repeats=("a",), independence=0.3),
        withdraw("w", 4, "a"),
    )
    # live: .7 + .3 * (.8 or .2); b given what happened: .94 or .76
    assert cell(ask(MEETING), log, 3)[1] == pytest.approx(0.5 * 0.9 * 0.94 + 0.5 * 0.1 * 0.76)
    # withdrawn: .7 / 2 + .3 * (.8 or .2): .59 or .41
    assert cell(ask(MEETING), log, 4)[0] == pytest.approx(0.2 * 0.59 + 0.8 * 0.41)


def test_second_report_of_one_source_adds_nothing():
    once = (report("a", 1, "meeting", "yes"),)
    twice = (*once, report("b", 2, "meeting", "yes"))
    expected = pytest.approx(cell(ask(MEETING), once, 6))
    assert cell(ask(MEETING), twice, 6) == expected
    assert cell(ask(MEETING), (*twice, withdraw("w", 3, "a")), 6) == expected


def test_silence_after_the_lag():
    watch = Monitored(day(0), day(60), 0.6, lag=2, false_alarm=0.05)
    q = ask(binary("meeting", (0.2, 0.5), INF, monitored=watch))
    assert cell(q, (), 8) == pytest.approx([0.8 * 0.95 + 0.2 * 0.4, 0.5 * 0.95 + 0.5 * 0.4])
    evidence = Evidence()
    assert not weighted_cells(q, evidence, day(7), mean_theta(q, evidence))


def test_clashing_counts():
    q = ask(count("clashes", (2.0, 5.0), INF))
    log = (report("a", 1, "clashes", 2), report("b", 1, "clashes", 4, "z"))
    f = poisson(np.array([[2.0], [5.0]])).pmf([2, 4])  # scenario, value
    # noise: 1 / (y + 1) up to 500, then 501 / (y + 1)^2
    z = sum(1 / k for k in range(1, 502)) + 501 * (math.pi**2 / 6 - sum(1 / k**2 for k in range(1, 502)))
    a, b = 0.2 / 3 / z, 0.4 / 5 / z
    expected = f[:, 0] * (0.8 + a) * b + f[:, 1] * a * (0.6 + b) + (1 - f.sum(axis=1)) * a * b
    assert cell(q, log, 6) == pytest.approx(expected.tolist())


def test_dispersed_count():
    q = ask(count("clashes", (2.0, 5.0), INF, dispersion=2.0))
    f = nbinom(2.0, [2 / 4, 2 / 7]).pmf(3)
    m = cell(q, (report("a", 1, "clashes", 3),), 6)
    assert m == pytest.approx((0.8 * f + 0.2 * count_noise(3, (2.0, 5.0))).tolist())


def test_a_measure_far_off_is_noise():
    # the mixture at the means: mean 2, variance (.25 + 1) / 2 + 1, so that the t is 3 sqrt(1.625) wide
    q = ask(measure("price", (1.0, 3.0), (0.5, 1.0), INF))
    u = student(3, 2.0, 3 * math.sqrt(1.625)).pdf([40.0, 2.0])
    assert cell(q, (report("a", 1, "price", 40.0),), 6) == pytest.approx([0.2 * u[0]] * 2, rel=1e-12)
    f = norm([1.0, 3.0], [0.5, 1.0]).pdf(2.0)
    assert cell(q, (report("a", 1, "price", 2.0),), 6) == pytest.approx((0.8 * f + 0.2 * u[1]).tolist())


def test_a_state_that_goes_on_over_a_gap():
    # yes in week 0 (.9 or .1 of it), and in week 2: the state is the same one with chance .9^2
    q = ask(binary("front", (0.2, 0.5), INF, persistence=0.9))
    log = (report("a", 1, "front", "yes"), report("b", 15, "front", "yes"))
    f, stay = np.array([0.2, 0.5]), 0.9**2
    before = f * 0.9 / (f * 0.9 + (1 - f) * 0.1)
    p = stay * before + (1 - stay) * f
    assert cell(q, log, 20, period=2) == pytest.approx((p * 0.9 + (1 - p) * 0.1).tolist())


def test_an_answer_needs_an_offer():
    q = ask(binary("offer", (0.2, 0.5), INF), binary("answer", (0.3, 0.6), INF, given="offer"))
    log = (report("a", 1, "answer", "yes"),)
    # without an offer the report is noise: .2 / 2; with one: .9 or .1
    assert cell(q, log, 6) == pytest.approx(
        [0.8 * 0.1 + 0.2 * (0.3 * 0.9 + 0.7 * 0.1), 0.5 * 0.1 + 0.5 * (0.6 * 0.9 + 0.4 * 0.1)]
    )
    both = (*log, report("b", 1, "offer", "yes", "z"))
    assert cell(q, both, 6)[0] == pytest.approx(0.8 * 0.2 * 0.1 + 0.2 * 0.8 * 0.34)


def test_group_of_two_equal_cells_and_cap():
    one, two = binary("one", (0.2, 0.8), INF), binary("two", (0.2, 0.8), INF)
    log = (report("a", 1, "one", "yes"), report("b", 1, "two", "yes"))
    evidence = Evidence(log)
    alone = cell(ask(one, two), log[:1], 6)  # .26, .74
    assert alone == pytest.approx([0.26, 0.74])
    # equal weights: (2w)^2 / 2w^2 - 1 = 1, exponent 1 / 1.5
    q = ask(one, two, groups=(Group("g", ("one", "two"), 0.5),))
    found = weighted_cells(q, evidence, day(6), mean_theta(q, evidence))
    assert all(v == pytest.approx([0.26 ** (2 / 3), 0.74 ** (2 / 3)]) for v in found.values())
    m = cell(replace(q, cap=1.5), log[:1], 6)
    assert m[1] / m[0] == pytest.approx(1.5)


def test_umbrella_world_and_ever():
    q = ask(binary("umbrella", (0.9, 0.2), INF), dynamics=swaps(True), weeks=3)
    sure = replace(q, sources=(source("s", 1.0, INF),))
    log = (report("a", 8, "umbrella", "yes"),)
    theta = mean_theta(sure, Evidence(log))
    found = enumerate_posterior(sure, Evidence(log), day(13), theta, filtered=True)
    # .6, .4 steps to .6 * .8 + .4 * .3 = .6; then .54 : .08
    assert found["now"] == pytest.approx([0.54 / 0.62, 0.08 / 0.62])
    back = np.array([0.6 * (0.8 * 0.9 + 0.2 * 0.2), 0.4 * (0.3 * 0.9 + 0.7 * 0.2)])
    assert found["smoothed"][0] == pytest.approx(back / back.sum())
    assert found["filtered"][0] == pytest.approx([0.6, 0.4])
    # the as-of date ends its period, so that only the last period counts
    assert found["ever"] == pytest.approx(found["horizon"])
    midway = enumerate_posterior(sure, Evidence(log), day(12), theta)
    assert midway["ever"][0] == pytest.approx(0.54 / 0.62 + 0.08 / 0.62 * 0.3)


def test_moves_of_two_scenarios():
    # leaving rates a and b: after one period, in the first with b / (a + b) + a / (a + b) exp(-(a + b))
    a, b = 1 / 6, 1 / 3
    dynamics = Moves(
        (Positive(a, INF), Positive(b, INF)), (Proportions((0.0, 1.0), INF), Proportions((1.0, 0.0), INF))
    )
    q = replace(ask(MEETING, weeks=2), prior=Proportions((1.0, 0.0), INF), dynamics=dynamics)
    found = enumerate_posterior(q, Evidence(), day(6), mean_theta(q, Evidence()))
    stay = b / (a + b) + a / (a + b) * math.exp(-(a + b))
    assert found["horizon"] == pytest.approx([stay, 1 - stay])


def test_trend_dates():
    q = ask(MEETING)
    assert trend_dates(q, day(16)) == [day(6), day(13), day(16)]
    assert trend_dates(q, day(13)) == [day(6), day(13)]


# --- what is said sums to 1 --------------------------------------------------------------------------------


def test_all_that_could_be_said_of_a_pair_sums_to_one():
    # without an offer, who tells what happened has nothing to tell: so there is always one
    q = ask(
        category("offer", ("none", "oral", "written"), ((0.0, 0.8, 0.2), (0.0, 0.3, 0.7)), INF),
        binary("answer", (0.3, 0.6), INF, given="offer"),
    )
    total = np.zeros(2)
    for x, a, b, c in product(("none", "oral", "written"), ("no", "yes"), ("no", "yes"), ("no", "yes")):
        log = (
            report("x", 1, "offer", x, "z"),
            report("a", 1, "answer", a),
            report("b", 2, "answer", b, "z", repeats=("a",), independence=0.4),
            report("c", 3, "answer", c, "z", independence=0.7),
        )
        total += cell(q, log, 6)
    assert total == pytest.approx([1.0, 1.0])


def test_all_that_could_be_said_after_a_withdrawal_sums_to_one():
    q = ask(binary("front", (0.2, 0.5), INF, persistence=0.7))
    total = np.zeros(2)
    for a, b in product(("no", "yes"), repeat=2):
        log = (
            report("o", 8, "front", "yes"),
            report("p", 1, "front", "yes"),
            report("a", 9, "front", a, "z", repeats=("o",), independence=0.4),
            report("b", 9, "front", b, "s", independence=0.7),
            withdraw("w", 10, "o"),
        )
        total += cell(q, log, 13, period=1)
    assert total == pytest.approx([1.0, 1.0])


def test_all_counts_and_measures_sum_to_one():
    q = ask(count("clashes", (2.0, 5.0), INF, dispersion=3.0))
    total = np.zeros(2)
    for a in range(3_000):
        total += cell(q, (report("a", 1, "clashes", a),), 6)
    # beyond: noise alone, 501 / (y + 1)^2 of it
    beyond = 0.2 * count_noise(3_000, (5.0,)) * 3_001**2 * float(zeta(2, 3_001))
    assert total + beyond == pytest.approx([1.0, 1.0], abs=1e-9)
    q = ask(measure("price", (1.0, 2.0), (0.5, 1.0), INF))
    whole = quad(lambda v: cell(q, (report("a", 1, "price", v),), 6)[0], -500, 500, points=[1, 2], limit=200)[
        0
    ]
    assert whole == pytest.approx(1.0, abs=1e-5)


# --- importance sampling and the closed forms --------------------------------------------------------------


def static_question(w: float) -> tuple[Question, Evidence]:
    """Two indicators over five weeks, fully reliable."""
    q = question(
        (0.5, 0.3, 0.2),
        (binary("one", (0.2, 0.5, 0.6), w), binary("two", (0.6, 0.5, 0.1), w)),
        (source("s", 1.0, INF),),
        w,
    )
    said = {"one": (1, 0, 1, 1, 0), "two": (0, 1, 0, 0, 1)}
    log = [
        report(f"{name}{t}", 7 * t, name, ("no", "yes")[v])
        for name, values in said.items()
        for t, v in enumerate(values)
    ]
    return q, Evidence(tuple(log))


def test_beta_binomial_by_hand():
    # one yes and one no: E[p (1 - p)] = p (1 - p) w / (w + 1)
    q = question((0.5, 0.5), (binary("one", (0.2, 0.5), 4.0),), (source("s", 1.0, INF),), 9.0)
    evidence = Evidence((report("a", 1, "one", "yes"), report("b", 8, "one", "no")))
    expected = np.array([0.16, 0.25])
    assert static_closed_form(q, evidence, day(13)) == pytest.approx(expected / expected.sum())


def test_importance_sampling_agrees_with_the_static_closed_form():
    q, evidence = static_question(10.0)
    sampled = importance_sampling(q, evidence, day(34), 200_000, 1)
    truth = static_closed_form(q, evidence, day(34))
    assert sampled.ess > 10_000
    assert np.all(np.abs(sampled.mean["now"] - truth) < 4 * sampled.mcse["now"])
    assert np.all(sampled.mcse["now"] < 0.002)


def test_importance_sampling_learns_the_judgements():
    # one scenario, one yes: Beta(2, 8) becomes Beta(3, 8)
    q = question((1.0,), (binary("one", (0.2,), 10.0),), (source("s", 1.0, INF),), INF)
    evidence = Evidence((report("a", 1, "one", "yes"),))
    sampled = importance_sampling(q, evidence, day(6), 100_000, 2)
    mean, error = posterior_theta(q, evidence, sampled)["likelihood"]["one"][0][1]
    assert mean == pytest.approx(3 / 11, abs=4 * error)
    assert error < 0.001


def regime_question(exact_rows: bool = False) -> tuple[Question, Evidence]:
    """Five weeks of two indicators, three scenarios, two weeks to the horizon."""
    rows = ((0.8, 0.2, 0.0), (0.2, 0.6, 0.2), (0.1, 0.1, 0.8))
    q, evidence = static_question(10.0)
    judged = tuple(Proportions(r, INF if exact_rows and k else 8.0) for k, r in enumerate(rows))
    return replace(q, dynamics=Transition(judged), horizon=day(48)), evidence


@pytest.mark.parametrize("exact_rows", [False, True])
def test_importance_sampling_agrees_with_the_regime_closed_form(exact_rows):
    q, evidence = regime_question(exact_rows)
    sampled = importance_sampling(q, evidence, day(33), 40_000, 3)
    truth = regime_closed_form(q, evidence, day(33))
    for name in ("now", "horizon", "ever", "smoothed"):
        assert np.all(np.abs(sampled.mean[name] - truth[name]) < 4 * sampled.mcse[name]), name
        assert np.all(sampled.mcse[name] < 0.005)


def test_regime_closed_form_of_exact_judgements_is_enumeration():
    q, evidence = regime_question()
    assert isinstance(q.dynamics, Transition)
    rows = tuple(replace(r, weight=INF) for r in q.dynamics.rows)
    indicators = static_question(INF)[0].indicators
    q = replace(q, dynamics=Transition(rows), indicators=indicators, prior=replace(q.prior, weight=INF))
    plain = enumerate_posterior(q, evidence, day(33), mean_theta(q, evidence))
    closed = regime_closed_form(q, evidence, day(33))
    for name in ("now", "horizon", "ever", "smoothed", "outlook"):
        assert closed[name] == pytest.approx(plain[name], abs=1e-12)


def test_cut_posterior_by_quadrature():
    # raid may not be learnt from: Beta(5, 5) against a half; offer may: Beta-binomial in closed form
    raid = Indicator("raid", "raid", "category", ("no", "yes"), (yes(0.5, 10, learn=False), yes(0.2, INF)))
    q = question((0.5, 0.5), (raid, binary("offer", (0.3, 0.6), 5.0)), (source("s", 1.0, INF),), INF)
    evidence = Evidence(
        (
            report("a", 1, "raid", "no"),
            report("b", 8, "raid", "no"),
            report("c", 8, "offer", "yes"),
            report("d", 15, "offer", "yes"),
        )
    )
    offer = [p * (5 * p + 1) / 6 for p in (0.3, 0.6)]  # two yes under a Beta of weight 5

    def now(p: float) -> float:
        first, second = (1 - p) ** 2 * offer[0], 0.64 * offer[1]
        return float(beta(5, 5).pdf(p) * first / (first + second))

    truth = quad(now, 0, 1)[0]
    sampled = importance_sampling(q, evidence, day(20), 800_000, 4)
    assert sampled.mean["now"][0] == pytest.approx(truth, abs=4 * sampled.mcse["now"][0])
    assert sampled.mcse["now"][0] < 0.005


@pytest.mark.parametrize("name", CASES + FILED_CASES)
def test_every_case_has_answers_that_sum_to_one(name):
    for exact in (True, False):
        case = small(name, exact)
        for as_of in trend_dates(case.question, case.as_of):
            found = importance_sampling(case.question, case.evidence, as_of, 500, 5)
            for answer in ("now", "horizon", "smoothed"):
                assert np.all(np.abs(found.mean[answer].sum(axis=-1) - 1) < 1e-9)
            if exact and name in CASES:
                assert found.ess == 1
