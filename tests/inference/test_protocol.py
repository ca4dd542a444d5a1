"""The engine against brute force, on small cases that use every clause of the model.

With exactly known judgements the two agree to 1e-10. With uncertain ones they agree within 4 Monte Carlo
standard errors, the engine's and the oracle's combined; were both errors normal, one comparison in 16,000
would fail by chance. The seeds are fixed, so that what passes once passes always.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import xarray as xr

from forecast.inference.engine import infer
from tests.cases import CASES, Small, small
from tests.inference.answers import answers, array, assert_close, dates
from tests.oracles import (
    enumerate_posterior,
    importance_sampling,
    mean_theta,
    posterior_theta,
    trend_dates,
)
from tests.oracles.sampling import Sampled
from tests.oracles.theta import has_uncertain

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


# --- uncertain judgements ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
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


@pytest.mark.parametrize("name", CASES)
def test_uncertain_trend(name):
    case, tree, _ = uncertain(name)
    found, own = answers(tree)["trend"], array(tree, "trend", "mcse")
    for k, as_of in enumerate(dates(tree)[:-1]):
        earlier = Small(case.question, case.evidence, as_of)
        oracle = sampled(name, earlier, names=("now",))
        error = np.sqrt(own[k] ** 2 + oracle.mcse["now"] ** 2)
        assert_close(f"trend at {as_of}", found[k], oracle.mean["now"], 4 * error + 1e-12)


@pytest.mark.parametrize("name", CASES)
def test_bounds_are_quantiles_of_the_draws(name):
    _, tree, oracle = uncertain(name)
    for bound, q in (("low", 0.05), ("high", 0.95)):
        found = array(tree, "trend", bound)[-1]
        assert_close(bound, found, oracle.quantile("now", q), 0.03)


@pytest.mark.parametrize("name", CASES)
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
    moves = [f"{one} to {other}" for one in ids for other in ids]
    labels = {
        "reliability": list(learned["reliability"]),
        "testimony_reliability": list(learned["testimony"]),
    }
    labels |= {"lasts": ids, "then": moves, "transition": moves}
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
    assert compared == {block for block, pairs in blocks.items() if pairs}


def test_the_same_seed_gives_the_same_numbers():
    case = small("everything", False)
    one, two = (
        infer(case.question, case.evidence, as_of=case.as_of, draws=100, chains=2, tolerance=1.0, seed=3)
        for _ in range(2)
    )
    for name, values in answers(one).items():
        assert np.array_equal(values, answers(two)[name]), name
    other = infer(case.question, case.evidence, as_of=case.as_of, draws=100, chains=2, tolerance=1.0, seed=4)
    assert not np.array_equal(answers(one)["now"], answers(other)["now"])
