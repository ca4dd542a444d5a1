"""The oracles of states that go on: by hand, and three ways of computing them against each other."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from forecast.case.evidence import Evidence, Report
from forecast.case.judgement import Proportions
from forecast.case.question import Group, Monitored, Question, Reporting, Transition
from tests.cases import binary, category, day, question, report, source, swaps
from tests.oracles import enumerate_posterior, hidden_posterior, log_joint, mean_theta, run_posterior
from tests.oracles.cells import Cells

INF = math.inf
SOURCES = (source("s", 0.9, INF), source("z", 0.6, INF), source("y", 0.4, INF))
TONES = ("none", "oral", "written")


def random_states(
    r: random.Random, indicators: int, weeks: int, *, moving: bool, size: int = 2
) -> tuple[Question, Evidence]:
    """States that go on, one of three values, reports of differing reliability on about half of the cells."""

    def shares(n: int) -> tuple[float, ...]:
        raw = [r.uniform(0.1, 1) for _ in range(n)]
        return tuple(x / sum(raw) for x in raw)

    made = [
        binary(
            f"i{k}", tuple(r.uniform(0.03, 0.97) for _ in range(size)), INF, persistence=r.uniform(0.3, 0.98)
        )
        for k in range(indicators - 1)
    ]
    rows = tuple(shares(3) for _ in range(size))
    made.append(category("tone", TONES, rows, INF, persistence=r.uniform(0.3, 0.98)))
    q = question(shares(size), tuple(made), SOURCES, INF, weeks=weeks + 2)
    if moving:
        stay = [r.uniform(0.6, 0.97) for _ in range(size)]
        rows = tuple(
            tuple(stay[i] if i == j else (1 - stay[i]) / (size - 1) for j in range(size)) for i in range(size)
        )
        q = replace(q, dynamics=Transition(tuple(Proportions(row, INF) for row in rows)))
    log: list[Report] = []
    for t, i in product(range(weeks), made):
        for by in "szy":
            if r.random() < 0.25:
                log.append(report(f"r{len(log)}", 7 * t + 1, i.id, r.choice(i.values), by))
    return q, Evidence(tuple(log))


# --- by hand -----------------------------------------------------------------------------------------------


def columns(*reliabilities: float, weeks: tuple[int, ...], q: float = 0.9) -> tuple[Question, Evidence]:
    """Is an attack prepared? Columns on the move, .05 or .68 likely; a yes by each source in its week."""
    moving = binary("columns", (0.05, 0.68), INF, persistence=q)
    sources = tuple(source(f"s{k}", r, INF) for k, r in enumerate(reliabilities))
    log = [report(f"r{k}", 7 * t + 2, "columns", "yes", f"s{k}") for k, t in enumerate(weeks)]
    return question((0.8, 0.2), (moving,), sources, INF), Evidence(tuple(log))


def test_a_weak_report_that_agrees_is_for_it():
    q, evidence = columns(0.95, weeks=(1,))
    alone = run_posterior(q, evidence, day(13), mean_theta(q, evidence))["now"][1]
    assert alone == pytest.approx(0.698, abs=5e-4)
    for r, right in ((0.65, 0.763), (0.15, 0.718)):
        q, evidence = columns(r, 0.95, weeks=(0, 1))
        now = run_posterior(q, evidence, day(13), mean_theta(q, evidence))["now"][1]
        assert now == pytest.approx(right, abs=5e-4)
        odds = 0.25
        told = {1: r + (1 - r) / 2, 0: (1 - r) / 2}
        ways = [
            sum(
                (f if a else 1 - f)
                * (0.9 * (a == b) + 0.1 * (f if b else 1 - f))
                * told[a]
                * (0.95 * b + 0.025)
                for a in (0, 1)
                for b in (0, 1)
            )
            for f in (0.05, 0.68)
        ]
        odds *= ways[1] / ways[0]
        assert now == pytest.approx(odds / (1 + odds), abs=1e-12)


def test_a_state_lapses_when_the_scenario_changes():
    # a sure no in week 0, a sure yes in week 1: without a change .1 * .9 of f, after one f
    front = binary("front", (0.001, 0.98), INF, persistence=0.9)
    q = question((0.95, 0.05), (front,), (source("s", 1.0, INF),), INF, dynamics=swaps(True))
    evidence = Evidence((report("a", 1, "front", "no"), report("b", 8, "front", "yes")))
    now = run_posterior(q, evidence, day(13), mean_theta(q, evidence))["now"]
    ways = np.array(
        [
            0.95 * 0.999 * 0.8 * 0.1 * 0.001 + 0.05 * 0.02 * 0.3 * 0.001,
            0.95 * 0.999 * 0.2 * 0.98 + 0.05 * 0.02 * 0.7 * 0.1 * 0.98,
        ]
    )
    assert now == pytest.approx((ways / ways.sum()).tolist(), abs=1e-12)


def test_one_exponent_a_cell_averaged_over_when_the_scenario_was_entered():
    """Two weeks, two scenarios, a yes in week 1: m(s) over entry in week 0 or in week 1."""
    front = binary("front", (0.2, 0.7), INF, persistence=0.5)
    q = question((0.6, 0.4), (front,), (source("s", 1.0, INF),), INF, dynamics=swaps(True), cap=1.5)
    evidence = Evidence((report("a", 1, "front", "no"), report("b", 8, "front", "yes")))
    cells = Cells(q, evidence, day(13), mean_theta(q, evidence))
    # without evidence: in the first scenario in week 1 by staying .6 * .8 of .6; in the second .28 of .4
    stayed = (0.6 * 0.8 / 0.6, 0.4 * 0.7 / 0.4)
    m = [p * 0.5 * f + (1 - p) * f for p, f in zip(stayed, (0.2, 0.7), strict=True)]
    width = math.log(m[1] / m[0])
    assert cells.widths()["", 1, "front"] == pytest.approx(width, abs=1e-12)
    assert cells.exponents()["", 1, "front"] == pytest.approx(math.log(1.5) / width)
    assert cells.exponents()["", 0, "front"] == pytest.approx(math.log(1.5) / math.log(0.8 / 0.3))


@pytest.mark.parametrize("pairs", [1, 2, 10])
def test_pairs_that_cancel_move_nothing(pairs):
    front = binary("front", (0.2, 0.6), INF, persistence=0.9)
    sources = tuple(source(f"s{k}", 0.8, INF) for k in range(21))
    q = question((0.6, 0.4), (front,), sources, INF, dynamics=swaps(True), cap=5.0)
    log: tuple[Report, ...] = (report("a", 1, "front", "yes", "s20"), report("b", 22, "front", "yes", "s20"))

    def now(reports: tuple[Report, ...]) -> list[float]:
        evidence = Evidence(reports)
        return run_posterior(q, evidence, day(27), mean_theta(q, evidence))["now"]

    before = now(log)
    for week in (1, 3):  # in a cell without, and in one with another report
        more = [
            report(f"p{k}{v}", 7 * week + 2, "front", v, f"s{2 * k + (v == 'yes')}")
            for k in range(pairs)
            for v in ("yes", "no")
        ]
        assert now((*log, *more)) == pytest.approx(before, abs=1e-12)


def test_a_watched_state_that_goes_on():
    # silence in week 0, a yes in week 1: detection .6, false alarm .1; r of the source is the average
    watch = Monitored(day(0), day(60), 0.6, lag=0, false_alarm=0.1)
    front = binary("front", (0.3, 0.8), INF, persistence=0.7, monitored=watch)
    q = question((0.5, 0.5), (front,), (source("s", 0.7, INF),), INF)
    evidence = Evidence((report("a", 8, "front", "yes"),))
    now = run_posterior(q, evidence, day(13), mean_theta(q, evidence))["now"]
    ways = [
        sum(
            (f if a else 1 - f)
            * (0.4 if a else 0.9)
            * (0.7 * (a == b) + 0.3 * (f if b else 1 - f))
            * (0.6 if b else 0.1)
            for a in (0, 1)
            for b in (0, 1)
        )
        for f in (0.3, 0.8)
    ]
    assert now == pytest.approx((np.array(ways) / sum(ways)).tolist(), abs=1e-12)


# --- three ways ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_runs_paths_and_brute_force_agree(seed):
    r = random.Random(seed)
    moving, size = bool(seed % 4), 2 + seed % 2
    q, evidence = random_states(r, 2, 4, moving=moving, size=size)
    if seed > 4:
        watch = Monitored(day(5), day(60), 0.6, lag=3)
        q = replace(q, indicators=(replace(q.indicators[0], monitored=watch), q.indicators[1]))
    if seed in (2, 3, 6):
        told = tuple(
            replace(i, quiet=i.values[0], reporting=None if i.monitored else Reporting())
            for i in q.indicators
        )
        q = replace(q, indicators=told)
    theta = mean_theta(q, evidence)
    runs, paths = (f(q, evidence, day(27), theta) for f in (run_posterior, enumerate_posterior))
    brute = hidden_posterior(q, evidence, day(27), theta)
    assert runs["log_marginal"] == pytest.approx(math.log(brute["marginal"]), abs=1e-10)
    assert float(paths["marginal"]) == pytest.approx(brute["marginal"], rel=1e-10)
    assert np.exp(log_joint(q, evidence, day(27), theta)) == pytest.approx(
        [brute["marginal"] * p for p in brute["now"]], rel=1e-10
    )
    for name in ("now", "smoothed"):
        assert np.array(runs[name], float) == pytest.approx(np.array(brute[name], float), abs=1e-12)
        assert np.array(paths[name], float) == pytest.approx(np.array(brute[name], float), abs=1e-12)
    assert np.array(runs["outlook"], float) == pytest.approx(paths["outlook"], abs=1e-12)


def test_runs_and_paths_agree_with_exponents():
    r = random.Random(11)
    q, evidence = random_states(r, 3, 5, moving=True)
    q = replace(q, cap=2.0, groups=(Group("both", ("i0", "tone"), 0.5),))
    theta = mean_theta(q, evidence)
    runs = run_posterior(q, evidence, day(34), theta)
    paths = enumerate_posterior(q, evidence, day(34), theta, filtered=True)
    for name in ("now", "smoothed", "filtered"):
        assert np.array(runs[name], float) == pytest.approx(np.array(paths[name], float), abs=1e-12)


def test_without_persistence_a_hidden_value_is_a_fresh_draw():
    r = random.Random(5)
    q, evidence = random_states(r, 3, 5, moving=True)
    plain = replace(q, indicators=tuple(replace(i, persistence=None) for i in q.indicators))
    fresh = replace(q, indicators=tuple(replace(i, persistence=0.0) for i in q.indicators))
    theta = mean_theta(q, evidence)
    a, b = (run_posterior(each, evidence, day(34), theta) for each in (plain, fresh))
    assert a["log_marginal"] == pytest.approx(b["log_marginal"], abs=1e-10)
    assert a["now"] == pytest.approx(b["now"], abs=1e-12)


def test_eight_states_over_half_a_year_against_one_at_a_time():
    """In a static question eight states are eight factors: each alone, by all its 2^12 courses."""
    q, evidence = random_states(random.Random(3), 8, 8, moving=False)
    theta = mean_theta(q, evidence)
    together = log_joint(q, evidence, day(55), theta)
    alone = np.zeros(2)
    for i in q.indicators:
        one = replace(q, indicators=(i,))
        log = Evidence(tuple(x for x in evidence.reports if x.indicator == i.id))
        brute = hidden_posterior(one, log, day(55), mean_theta(one, log))
        joint = np.log(brute["marginal"]) + np.log(np.array(brute["now"], float))
        alone += joint - np.log(q.prior.mean)
    assert np.array(together, float) == pytest.approx(alone + np.log(q.prior.mean), abs=1e-9)
