"""The engine against brute force, closed forms and numbers printed in the literature.

With exactly known judgements engine and enumeration agree to 1e-10. With uncertain ones they agree within 4
Monte Carlo standard errors, the engine's and the oracle's combined; were both errors normal, one comparison
in 16,000 would fail by chance. The seeds are fixed, so that what passes once passes always.
"""

from __future__ import annotations

import math
import random
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import xarray as xr

from forecast.case.evidence import Evidence
from forecast.case.judgement import Proportions
from forecast.case.question import Indicator, Question, Scenario, Transition
from forecast.inference.engine import infer
from tests.cases import (
    CASES,
    EVENT_CASES,
    FILED_CASES,
    OPENED,
    Small,
    binary,
    category,
    day,
    question,
    report,
    small,
    withdraw,
)
from tests.inference.answers import answers, array, assert_close, dates
from tests.inference.generated import NAMES, SURE, a_log, a_question, log_of, static_question
from tests.oracles import (
    enumerate_posterior,
    importance_sampling,
    mean_theta,
    posterior_theta,
    regime_closed_form,
    static_closed_form,
    trend_dates,
)
from tests.oracles.paths import Array
from tests.oracles.sampling import Sampled
from tests.oracles.theta import has_uncertain

INF = math.inf
SEED = 20141123
#: Draws of the oracle where more than the usual are needed for an error like the engine's.
DRAWS = {"residual": 300_000, "learns_in_part": 1_200_000}


@cache
def uncertain(name: str) -> tuple[Small, xr.DataTree, Sampled]:
    """The engine's and the oracle's answers to a case, at its as-of date."""
    case = small(name, False)
    tree = infer(case.question, case.evidence, as_of=case.as_of, draws=2_000, chains=4, seed=SEED)
    return case, tree, sampled(name, case)


def sampled(
    name: str, case: Small, names: tuple[str, ...] = ("now", "horizon", "ever", "smoothed")
) -> Sampled:
    """The oracle's answers."""
    n = DRAWS.get(name, 40_000)
    return importance_sampling(case.question, case.evidence, case.as_of, n, SEED, names=names)


# --- exactly known judgements ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_exact_judgements(name):
    case = small(name, True)
    question, evidence = case.question, case.evidence
    assert not has_uncertain(question, evidence)
    theta = mean_theta(question, evidence)
    found = answers(infer(question, evidence, as_of=case.as_of, draws=20, chains=2, seed=SEED))
    expected = enumerate_posterior(question, evidence, case.as_of, theta, filtered=True)
    for answer in ("now", "horizon", "outlook", "ever", "smoothed", "filtered"):
        assert_close(answer, found[answer], expected[answer], 1e-10)


@pytest.mark.parametrize("name", CASES)
def test_exact_trend(name):
    case = small(name, True)
    question, evidence = case.question, case.evidence
    tree = infer(question, evidence, as_of=case.as_of, draws=20, chains=2, seed=SEED)
    assert dates(tree) == trend_dates(question, case.as_of)
    theta = mean_theta(question, evidence)
    expected = [enumerate_posterior(question, evidence, d, theta)["now"] for d in dates(tree)]
    assert_close("trend", answers(tree)["trend"], np.stack(expected), 1e-10)
    for bound in ("low", "high"):
        assert_close(bound, array(tree, "trend", bound), array(tree, "trend", "probability"), 1e-10)
    assert array(tree, "trend", "mcse").max() < 1e-10


@pytest.mark.parametrize("name", [name for name in EVENT_CASES if name != "filed_event"])
def test_exact_event_questions(name):
    case = small(name, True)
    question, evidence = case.question, case.evidence
    assert not has_uncertain(question, evidence)
    theta = mean_theta(question, evidence)
    tree = infer(question, evidence, as_of=case.as_of, draws=20, chains=2, seed=SEED)
    found = answers(tree)
    expected = enumerate_posterior(question, evidence, case.as_of, theta, filtered=True)
    for answer in ("now", "horizon", "outlook", "smoothed", "filtered"):
        assert_close(answer, found[answer], expected[answer], 1e-10)
    trend = [enumerate_posterior(question, evidence, d, theta)["now"] for d in dates(tree)]
    assert_close("trend", found["trend"], np.stack(trend), 1e-10)


# --- uncertain judgements ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES + FILED_CASES)
def test_uncertain_judgements(name):
    _, tree, oracle = uncertain(name)
    found = answers(tree)
    now, horizon = array(tree, "trend", "mcse")[-1], array(tree, "outlook", "mcse")[-1]
    # The engine states no error of these two: that of the worst probability stands for it.
    worst = max(now.max(), horizon.max())
    own = {"now": now, "horizon": horizon, "ever": worst, "smoothed": worst}
    for answer, mcse in own.items():
        error = np.sqrt(mcse**2 + oracle.mcse[answer] ** 2)
        assert np.max(error) < 0.01, f"{answer}: a test that could not fail"
        assert_close(answer, found[answer], oracle.mean[answer], 4 * error + 1e-12)


@pytest.mark.parametrize("name", EVENT_CASES)
def test_uncertain_event_questions(name):
    case = small(name, False)
    tree = infer(case.question, case.evidence, as_of=case.as_of, draws=2_000, chains=4, seed=SEED)
    found = answers(tree)
    now, horizon = array(tree, "trend", "mcse")[-1], array(tree, "outlook", "mcse")[-1]
    own = {"now": now, "horizon": horizon, "smoothed": max(now.max(), horizon.max())}
    oracle = importance_sampling(
        case.question, case.evidence, case.as_of, 40_000, SEED, names=("now", "horizon", "smoothed")
    )
    for answer, mcse in own.items():
        error = np.sqrt(mcse**2 + oracle.mcse[answer] ** 2)
        assert np.max(error) < 0.01, f"{answer}: a test that could not fail"
        assert_close(answer, found[answer], oracle.mean[answer], 4 * error + 1e-12)


@pytest.mark.parametrize("name", CASES + FILED_CASES)
def test_uncertain_trend(name):
    case, tree, _ = uncertain(name)
    found, own = answers(tree)["trend"], array(tree, "trend", "mcse")
    for k, as_of in enumerate(dates(tree)[:-1]):
        earlier = Small(case.question, case.evidence, as_of)
        oracle = sampled(name, earlier, names=("now",))
        error = np.sqrt(own[k] ** 2 + oracle.mcse["now"] ** 2)
        assert_close(f"trend at {as_of}", found[k], oracle.mean["now"], 4 * error + 1e-12)


@pytest.mark.parametrize("name", CASES + FILED_CASES)
def test_bounds_are_quantiles_of_the_draws(name):
    _, tree, oracle = uncertain(name)
    for bound, q in (("low", 0.05), ("high", 0.95)):
        found = array(tree, "trend", bound)[-1]
        assert_close(bound, found, oracle.quantile("now", q), 0.03)


@pytest.mark.parametrize("name", CASES + FILED_CASES)
def test_judgements_learn_what_they_should(name):
    """Posterior means within a tenth of a standard deviation, and 4 of the oracle's errors."""
    case, tree, oracle = uncertain(name)
    learned, ids = (
        posterior_theta(case.question, case.evidence, oracle),
        [s.id for s in case.question.scenarios],
    )
    blocks = {f"likelihood_{i.id}": learned["likelihood"][i.id] for i in case.question.indicators}
    blocks |= {"reliability": list(learned["reliability"].values()), "prior": learned["prior"]}
    blocks |= {
        "testimony_reliability": list(learned["testimony"].values()),
        "lasts": learned.get("leave", []),
    }
    blocks |= {n: [x for row in learned[n] for x in row] for n in ("then", "transition") if n in learned}
    filing = {i: d for i, d in learned["filed"].items() if i}
    if learned["filed"]:
        question_wide = {"noise": learned["noise"], **learned["filed"][""]}
        blocks["reporting"] = list(question_wide.values())
        blocks |= {f"filed_{c}": [d[c] for d in filing.values()] for c in ("event", "quiet", "again")}
    moves = [f"{one} to {other}" for one in ids for other in ids]
    labels = {
        "reliability": list(learned["reliability"]),
        "testimony_reliability": list(learned["testimony"]),
    }
    labels |= {"lasts": ids, "then": moves, "transition": moves}
    if learned["filed"]:
        labels |= {"reporting": list(question_wide)}
        labels |= {f"filed_{c}": list(filing) for c in ("event", "quiet", "again")}
    compared = set()
    for group in ("posterior", "exact"):
        data = tree[group].to_dataset()
        for block in blocks.keys() & set(data.data_vars):
            values = 1 / data[block] if block == "lasts" else data[block]
            pairs = np.array(blocks[block])
            if block in labels:
                pairs = pairs[[labels[block].index(label) for label in values[values.dims[-1]].values]]
            sample = [dim for dim in ("chain", "draw") if dim in values.dims]
            found, sd = values.mean(sample).values, values.std(sample).values
            assert_close(block, found, pairs[..., 0], 4 * pairs[..., 1] + 0.1 * sd + 1e-12)
            compared.add(block)
    expected = {block for block, pairs in blocks.items() if pairs}
    if not any(i.persistence and i.reporting and i.quiet for i in case.question.indicators):
        expected -= {"filed_again"}
    assert compared == expected


# --- closed forms: judgements learn much, and importance sampling would be blind -------------------------


def compare_static(q: Question, evidence: Evidence, weeks: int, *, most: float = 0.01) -> None:
    """Compare the whole trend with the Beta-binomial closed form."""
    tree = infer(q, evidence, as_of=day(7 * weeks - 1), tolerance=0.002, seed=5)
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
    tree = infer(q, evidence, as_of=day(69), tolerance=0.005, seed=6)
    found, truth = answers(tree), regime_closed_form(q, evidence, day(69))
    own, ahead = array(tree, "trend", "mcse"), array(tree, "outlook", "mcse")
    assert max(own.max(), ahead.max()) < 0.01
    assert_close("outlook", found["outlook"], truth["outlook"], 4 * ahead + 1e-6)
    worst = max(own[-1].max(), ahead.max())
    for answer in ("ever", "smoothed"):
        assert_close(answer, found[answer], truth[answer], 4 * worst)
    trend = [regime_closed_form(q, evidence, d, ahead=0)["now"] for d in dates(tree)]
    assert_close("trend", found["trend"], np.stack(trend), 4 * own + 1e-6)


# --- generated questions ---------------------------------------------------------------------------------


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


# --- the literature --------------------------------------------------------------------------------------


def exact(q: Question, log: list[tuple[int, str, str]], as_of: int) -> dict[str, Array]:
    """The engine's answers from fully reliable reports (day, indicator, value)."""
    evidence = Evidence(tuple(report(f"r{k}", *row) for k, row in enumerate(log)))
    return answers(infer(q, evidence, as_of=day(as_of), draws=20, chains=2))


def test_schweitzer_1976():
    """One report of an indicator, .99 and .80 likely, moves .10 to .120879."""
    q = question((0.10, 0.90), (binary("activity", (0.99, 0.80), INF),), SURE, INF)
    now = exact(q, [(1, "activity", "yes")], 6)["now"]
    assert now[0] == pytest.approx(0.120879, abs=5e-7)


def test_umbrella_world():
    """Russell and Norvig: filtered .818 and .883 on days 1 and 2; smoothed .883 on day 1."""
    rows = (Proportions((0.7, 0.3), INF), Proportions((0.3, 0.7), INF))
    q = question((0.5, 0.5), (binary("umbrella", (0.9, 0.2), INF),), SURE, INF)
    q = replace(q, dynamics=Transition(rows), period_days=1, horizon=day(2))
    found = exact(q, [(1, "umbrella", "yes"), (2, "umbrella", "yes")], 2)
    assert found["trend"][:, 0].round(3) == pytest.approx([0.5, 0.818, 0.883])
    assert found["smoothed"][1, 0].round(3) == pytest.approx(0.883)


def test_monty_hall():
    """You chose the first door; the host, who never shows the prize, opens the third."""
    opens = category("host", ("opens_2", "opens_3"), ((0.5, 0.5), (0.0, 1.0), (1.0, 0.0)), INF)
    q = question((1 / 3, 1 / 3, 1 / 3), (opens,), SURE, INF)
    now = exact(q, [(1, "host", "opens_3")], 6)["now"]
    assert now == pytest.approx([1 / 3, 2 / 3, 0.0])


def test_think_bayes_dice():
    """Downey: which die, of 4, 6, 8, 12 and 20 sides, rolled 6, and then 6, 8, 7, 7, 5, 4?"""
    sides, faces = (4, 6, 8, 12, 20), tuple(str(k) for k in range(1, 21))
    judged = tuple(Proportions(tuple(1 / n * (k < n) for k in range(20)), INF) for n in sides)
    roll = Indicator("roll", "Roll", "category", faces, judged)
    dice = tuple(Scenario(f"d{n}", f"{n} sides") for n in sides)
    q = Question(
        "Which die?", OPENED, day(6), dice, Proportions((0.2,) * 5, INF), (roll,), SURE, period_days=1
    )
    log = [(k, "roll", str(v)) for k, v in enumerate((6, 6, 8, 7, 7, 5, 4))]
    trend = exact(q, log, 6)["trend"]
    assert trend[0] == pytest.approx([0.0, 0.392157, 0.294118, 0.196078, 0.117647], abs=5e-7)
    assert trend[-1] == pytest.approx([0.0, 0.0, 0.943248, 0.055206, 0.001545], abs=5e-7)
    assert np.all(trend[-1, :2] == 0)
