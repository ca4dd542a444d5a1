"""Judgements that learn in part: theta by the evidence to the power of a half, answers by all of it.

The twin (`tests.oracles.importance_sampling`) weighs draws from the prior by the probability of the evidence
with every cell to that power, summed over all paths, and averages the enumerated answers.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecast.case.evidence import Evidence
from forecast.inference.engine import infer
from tests.cases import (
    CASES,
    EVENT_CASES,
    FILED_CASES,
    Small,
    binary,
    day,
    question,
    report,
    small,
    source,
)
from tests.inference.answers import answers, array, assert_close, dates
from tests.oracles import enumerate_posterior, importance_sampling
from tests.oracles.theta import draw_theta

SEED = 20141123
ALSO_ENUMERATED = ("now", "horizon", "smoothed")


def partial(name: str) -> Small:
    case = small(name, False)
    return Small(replace(case.question, learning="partial"), case.evidence, case.as_of)


@pytest.mark.parametrize(
    "name",
    [n for n in (*CASES, *EVENT_CASES, *FILED_CASES) if n not in ("learns_nothing", "learns_in_part")],
)
def test_answers(name):
    """Within four errors: of 3 answers of up to 6 numbers each, 1 in 16,000 fails by chance."""
    case = partial(name)
    tree = infer(case.question, case.evidence, as_of=case.as_of, draws=2_000, chains=4, seed=SEED)
    found = answers(tree)
    now, horizon = array(tree, "trend", "mcse")[-1], array(tree, "outlook", "mcse")[-1]
    own = {"now": now, "horizon": horizon, "smoothed": max(now.max(), horizon.max())}
    oracle = importance_sampling(
        case.question, case.evidence, case.as_of, 20_000, SEED, names=ALSO_ENUMERATED
    )
    for answer, mcse in own.items():
        error = np.sqrt(mcse**2 + oracle.mcse[answer] ** 2)
        assert np.max(error) < 0.015, f"{answer}: a test that could not fail"
        assert_close(answer, found[answer], oracle.mean[answer], 4 * error + 1e-12)


@pytest.mark.parametrize("name", ["late_and_corrected", "everything", "filed_units"])
def test_trend(name):
    """Also where evidence is taken away, and the particles of an earlier date are taken up again."""
    case = partial(name)
    tree = infer(case.question, case.evidence, as_of=case.as_of, draws=2_000, chains=4, seed=SEED)
    found, own = answers(tree)["trend"], array(tree, "trend", "mcse")
    for k, as_of in enumerate(dates(tree)[:-1]):
        oracle = importance_sampling(case.question, case.evidence, as_of, 20_000, SEED, names=("now",))
        error = np.sqrt(own[k] ** 2 + oracle.mcse["now"] ** 2)
        assert_close(f"trend at {as_of}", found[k], oracle.mean["now"], 4 * error + 1e-12)


def test_evidence_is_predicted_by_what_was_learnt_before():
    """The sum over dates of log E p(new | known, theta), theta by half of the known: seed 3, 5 errors."""
    case = partial("moving")
    q, log = case.question, case.evidence
    theta = draw_theta(q, log, np.random.default_rng(3), 40_000, 40_000)
    tree = infer(q, log, as_of=case.as_of, draws=8_000, chains=4, tolerance=np.inf, seed=SEED)
    total, before, learnt, error = 0.0, np.zeros(40_000), np.zeros(40_000), 0.0
    for as_of in dates(tree):
        found = enumerate_posterior(q, log, as_of, theta, ahead=False, power=0.5)
        weight = np.exp(learnt - learnt.max())
        weight /= weight.sum()
        ratio = np.exp(found["log_marginal"] - before)
        total += float(np.log(weight @ ratio))
        error += float(weight**2 @ (ratio / (weight @ ratio) - 1) ** 2)
        before, learnt = found["log_marginal"], found["log_learnt"]
    scores = tree["surprise"].to_dataset()["log_score"].values
    assert scores.sum() == pytest.approx(total, abs=5 * np.sqrt(error) + 0.02)


@pytest.mark.parametrize("name", ["everything", "two_outcomes"])
def test_of_exact_judgements_nothing_is_learnt(name):
    case = small(name, True)
    one, other = (
        infer(replace(case.question, learning=learning), case.evidence, as_of=case.as_of, draws=20, chains=2)
        for learning in ("partial", "full")
    )
    assert np.array_equal(answers(one)["trend"], answers(other)["trend"])


def test_it_is_less_sure_where_sources_only_repeat_each_other():
    """Three sources agree every week, on an indicator that is hardly telling."""
    names, weeks = ("a", "b", "c"), 8
    q = question(
        (0.5, 0.5),
        (binary("sign", (0.3, 0.5), 20.0),),
        tuple(source(n, 0.6, 10.0) for n in names),
        20.0,
        weeks=weeks,
    )
    log = Evidence(tuple(report(f"{n}{t}", 7 * t, "sign", "yes", n) for t in range(weeks) for n in names))
    full, part = (
        answers(infer(replace(q, learning=learning), log, as_of=day(7 * weeks - 1), seed=1))["now"]
        for learning in ("full", "partial")
    )
    assert part.max() < full.max() - 0.01
