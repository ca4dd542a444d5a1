"""The engine against exact answers where judgements learn much, and importance sampling would be blind.

Each comparison allows 4 Monte Carlo standard errors of the engine; the seeds are fixed.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from forecast.case.evidence import Evidence
from forecast.case.judgement import Proportions
from forecast.case.question import Question, Transition
from forecast.inference.engine import infer
from tests.cases import binary, day, question, report, source, withdraw
from tests.inference.answers import answers, array, assert_close, dates
from tests.oracles import regime_closed_form, static_closed_form

NAMES = ("one", "two", "three", "four")
SURE = (source("s", 1.0, math.inf),)


def log_of(yes: tuple[int, ...], weeks: int, seed: int) -> Evidence:
    """So many yes of each indicator, scattered over the weeks."""
    rng = np.random.default_rng(seed)
    reports = []
    for name, k in zip(NAMES, yes, strict=False):
        happened = rng.permutation(weeks) < k
        reports += [report(f"{name}{t}", 7 * t, name, "yes" if y else "no") for t, y in enumerate(happened)]
    return Evidence(tuple(reports))


def static_question(weeks: int, w: float = 20.0) -> Question:
    """Four indicators; the first two scenarios mirror each other."""
    chances = ((0.2, 0.5, 0.8), (0.5, 0.2, 0.8), (0.3, 0.6, 0.9), (0.6, 0.3, 0.1))
    indicators = tuple(binary(n, p, w) for n, p in zip(NAMES, chances, strict=True))
    return question((0.4, 0.35, 0.25), indicators, SURE, w, weeks=weeks)


def compare_static(q: Question, evidence: Evidence, weeks: int, *, most: float = 0.01) -> None:
    """Compare the whole trend with the Beta-binomial closed form."""
    tree = infer(q, evidence, as_of=day(7 * weeks - 1), draws=2_000, chains=4, seed=5)
    expected = np.stack([static_closed_form(q, evidence, d) for d in dates(tree)])
    mcse = array(tree, "trend", "mcse")
    assert mcse.max() < most
    assert_close("trend", answers(tree)["trend"], expected, 4 * mcse + 1e-6)
    assert_close("horizon", answers(tree)["horizon"], expected[-1], 4 * mcse[-1] + 1e-6)


def test_forty_weeks_of_four_indicators():
    q, evidence = static_question(40), log_of((14, 14, 18, 18), 40, seed=1)
    truth = static_closed_form(q, evidence, day(279))
    assert 0.3 < truth[0] < 0.7  # ambiguous between two scenarios
    assert 0.3 < truth[1] < 0.7
    compare_static(q, evidence, 40)


def test_forty_weeks_of_weak_judgements():
    compare_static(static_question(40, 4.0), log_of((14, 14, 18, 18), 40, seed=2), 40)


def test_thirty_reports_withdrawn_at_once():
    q = static_question(20)
    q = replace(q, indicators=q.indicators[:2])
    evidence = log_of((15, 4), 20, seed=3)
    gone = [r for k, r in enumerate(evidence.reports) if k % 4][:30]
    rows = tuple(withdraw(f"w{k}", 135, r.id) for k, r in enumerate(gone))
    log = Evidence(evidence.reports + rows)
    assert len(log.known(day(139))) == 10
    before, after = static_closed_form(q, log, day(132)), static_closed_form(q, log, day(139))
    assert np.abs(before - after).max() > 0.1  # much was taken away
    compare_static(q, log, 20)


@pytest.mark.parametrize("w", [20.0, 6.0])
def test_ten_weeks_of_three_scenarios(w):
    rows = ((0.85, 0.15, 0.0), (0.1, 0.8, 0.1), (0.05, 0.15, 0.8))
    chances = ((0.2, 0.5, 0.7), (0.6, 0.4, 0.2))
    indicators = tuple(binary(n, p, w) for n, p in zip(NAMES, chances, strict=False))
    q = question((0.5, 0.3, 0.2), indicators, SURE, w, weeks=12)
    q = replace(q, dynamics=Transition(tuple(Proportions(r, w) for r in rows)))
    evidence = log_of((5, 5), 10, seed=4)
    tree = infer(q, evidence, as_of=day(69), draws=2_000, chains=4, seed=6)
    found, truth = answers(tree), regime_closed_form(q, evidence, day(69))
    own, ahead = array(tree, "trend", "mcse"), array(tree, "outlook", "mcse")
    assert max(own.max(), ahead.max()) < 0.01
    assert_close("outlook", found["outlook"], truth["outlook"], 4 * ahead + 1e-6)
    worst = max(own[-1].max(), ahead.max())
    for answer in ("ever", "smoothed"):
        assert_close(answer, found[answer], truth[answer], 4 * worst)
    trend = [regime_closed_form(q, evidence, d, ahead=0)["now"] for d in dates(tree)]
    assert_close("trend", found["trend"], np.stack(trend), 4 * own + 1e-6)
