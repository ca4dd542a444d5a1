"""The oracle of event questions: the closed form before any evidence, paths of all states, and by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest

from forecast.case.evidence import Evidence
from tests.cases import EVENT_CASES, binary, day, question, report, small, source
from tests.cases.events import prepared
from tests.oracles import (
    enumerate_posterior,
    hidden_posterior,
    importance_sampling,
    mean_theta,
    run_posterior,
)
from tests.oracles import event_course as oracle
from tests.oracles.theta import draw_theta

INF = math.inf


@pytest.mark.parametrize("late", [False, True])
def test_before_any_evidence_the_chance_is_the_prior_at_the_horizon(late):
    """And in between (c / C) times 1 - (1 - C)^(n / N), or c (n / N)^2 of a late one."""
    dynamics = prepared(True, (3.0, 2.0), (0.6, 0.8), late=late, quiet=1)
    q = question((0.12, 0.7, 0.18), (), (source("s", 0.9, INF),), INF, weeks=11, dynamics=dynamics)
    outlook = run_posterior(q, Evidence(), day(0), mean_theta(q, Evidence()))["outlook"]
    assert len(outlook) == 11
    for n, row in enumerate(outlook):
        done = (n / 10) ** 2 if late else (1 - 0.7 ** (n / 10)) / 0.3
        assert np.array(row, float) == pytest.approx([0.12 * done, 1 - 0.3 * done, 0.18 * done], abs=1e-12)


def test_open_states_keep_their_shares_without_news():
    """So that the forecast is the prior, decaying: 1 - (1 - C)^(what is left / N)."""
    case = small("one_outcome", True)
    found = run_posterior(case.question, Evidence(), day(38), mean_theta(case.question, Evidence()))
    start = oracle.first(case.question, mean_theta(case.question, Evidence()))
    assert np.array(found["now"], float) == pytest.approx(np.array(start, float), abs=1e-12)
    assert found["horizon"][1] == pytest.approx(1 - 0.7 ** (3 / 8), abs=1e-12)


def test_one_report_by_hand():
    """Two periods, a report in the second: everything from the rates by a two-state exponential."""
    q = question(
        (0.8, 0.2),
        (binary("trucks", (0.1, 0.6), INF),),
        (source("s", 1.0, INF),),
        INF,
        weeks=5,
        dynamics=prepared(True, (4.0,), (0.5,)),
    )
    evidence = Evidence((report("a", 8, "trucks", "yes"),))
    eta = -math.log(0.8) / 4
    pi = eta * 4 / 0.5
    up, ends, off = pi * (0.25 - eta) / (1 - pi), 0.125, 0.125
    # the open block [[-up, up], [off, -ends - off]] by its eigenvalues, one of which is -eta
    a, d = -up, -(ends + off)
    other = a + d + eta
    block = np.array([[a, up], [off, d]])
    step = math.exp(-eta) * (block - other * np.eye(2)) / (-eta - other) + math.exp(other) * (
        block + eta * np.eye(2)
    ) / (other + eta)
    joint = (np.array([1 - pi, pi]) @ step) * np.array([0.1, 0.6])
    now = run_posterior(q, evidence, day(13), mean_theta(q, evidence))["now"]
    assert np.array(now, float) == pytest.approx(joint / joint.sum(), abs=1e-12)


@pytest.mark.parametrize("name", EVENT_CASES)
def test_the_outlook_is_the_sum_over_all_paths_of_all_states(name):
    case = small(name, True)
    q, evidence = case.question, Evidence()
    theta = mean_theta(q, evidence)
    here, size = max(0, q.period(q.horizon) - 4), len(q.scenarios)
    now = oracle.first(q, theta)
    total = np.zeros(size)
    last = q.period(q.horizon)
    assert q.event is not None
    happened = [k for k in range(size) if k != q.event.status_quo]
    steps = [oracle.whole(q, theta, t) for t in range(here, last)]
    for path in product(range(size + len(happened)), repeat=last - here + 1):
        if path[0] >= size:
            continue
        p = float(now[path[0]])
        for step, (i, j) in zip(steps, pairwise(path), strict=True):
            p *= (1.0 if i == j else 0.0) if i >= size else float(step[i][j])
        end = path[-1]
        total[happened[end - size] if end >= size else q.event.status_quo] += p
    found = oracle.outlook(q, theta, here, now)[-1]
    assert np.array(found, float) == pytest.approx(total, abs=1e-12)


@pytest.mark.parametrize("name", EVENT_CASES)
def test_runs_and_brute_force_agree(name):
    case = small(name, False)
    q = replace(case.question, groups=(), cap=None)
    theta = mean_theta(q, case.evidence)
    as_of = min(case.as_of, day(27))
    runs, brute = (f(q, case.evidence, as_of, theta) for f in (run_posterior, hidden_posterior))
    paths = enumerate_posterior(q, case.evidence, as_of, theta)
    assert runs["log_marginal"] == pytest.approx(math.log(brute["marginal"]), abs=1e-10)
    for answer in ("now", "smoothed"):
        assert np.array(runs[answer], float) == pytest.approx(np.array(brute[answer], float), abs=1e-12)
        assert np.array(runs[answer], float) == pytest.approx(paths[answer], abs=1e-12)
    assert np.array(runs["outlook"], float) == pytest.approx(paths["outlook"], abs=1e-12)


def test_numbers_that_contradict_each_other_have_no_weight():
    case = small("one_outcome", False)
    q = case.question
    theta = draw_theta(q, case.evidence, np.random.default_rng(5), 4_000)
    ok = np.asarray(oracle.allowed(oracle.chances(q, theta)))
    assert 0.02 < np.mean(~ok) < 0.5
    # a preparation that would have to go on all the time
    c, rate, share = theta["prior"][1], theta["preparing"][0], theta["ends_in_event"][0]
    eta = -np.log1p(-c) / 8
    assert np.array_equal(ok, (eta < rate) & (eta / rate / share < 1))
    found = enumerate_posterior(q, case.evidence, case.as_of, theta)
    assert np.all(np.isneginf(found["log_marginal"][~ok]))
    assert np.all(np.isfinite(found["log_marginal"][ok]))
    sampled = importance_sampling(q, case.evidence, case.as_of, 4_000, 5, names=("now", "horizon"))
    assert sampled.mean["horizon"].sum() == pytest.approx(1.0)
