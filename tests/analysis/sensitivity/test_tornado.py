"""Swings: the ends by the sum over all paths, those with learning by importance sampling from the prior."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.stats import kstest

from forecast.analysis.plug_in import plug_in_model
from forecast.analysis.sensitivity.stated_values import stated_values
from forecast.analysis.sensitivity.tornado import ENDS, PosteriorDraws, _beta, swings, theta_of, transported
from forecast.case.judgement import Judgement, MeasureMean, Positive, Proportions
from forecast.inference.engine import infer
from tests.cases import CASES, Small, small
from tests.oracles import enumerate_posterior, importance_sampling, mean_theta

CHEAP = [name for name in CASES if name not in ("everything", "moving", "stepping", "late_and_corrected")]


@pytest.mark.parametrize("name", CHEAP)
def test_both_ends_are_the_enumerated_answers(name: str):
    """Exponents, noise and held values follow the judgement, as in a question that was written so."""
    case = small(name, False)
    numbers = stated_values(case.question)
    found = swings(plug_in_model(case.question, case.evidence, case.as_of), numbers)
    for j, one in enumerate(numbers):
        for end, p in enumerate(ENDS):
            assert found.value[j, end] == one.quantile(p)
            other = one.with_value(case.question, one.quantile(p))
            theta = mean_theta(other, case.evidence)
            expected = enumerate_posterior(other, case.evidence, case.as_of, theta, ahead=name != "daily")
            np.testing.assert_allclose(found.now[j, end], np.atleast_2d(expected["now"]), atol=1e-10)
            if "horizon" in expected:
                ahead = np.atleast_2d(expected["horizon"])
                np.testing.assert_allclose(found.horizon[j, end], ahead, atol=1e-10)
    assert np.ptp(found.horizon, axis=1).max() > 1e-3


@pytest.mark.parametrize("name", ["moving", "stepping", "everything"])
def test_moves_and_steps_now(name: str):
    """What takes long to enumerate: two numbers of each kind, without looking ahead."""
    case = small(name, False)
    every = stated_values(case.question)
    kinds = {one.kind: [o for o in every if o.kind == one.kind] for one in every}
    numbers = [one for some in kinds.values() for one in some[:2]]
    found = swings(plug_in_model(case.question, case.evidence, case.as_of), numbers)
    for j, one in enumerate(numbers):
        other = one.with_value(case.question, one.quantile(ENDS[1]))
        theta = mean_theta(other, case.evidence)
        expected = enumerate_posterior(other, case.evidence, case.as_of, theta, ahead=False)
        np.testing.assert_allclose(found.now[j, 1], np.atleast_2d(expected["now"]), atol=1e-10)


@pytest.mark.parametrize("name", [name for name in CASES if name != "learns_nothing"])
def test_the_draws_of_a_forecast_are_found_again(name: str):
    """Theta from the tree gives the tree's own probabilities and likelihoods, draw by draw."""
    case = small(name, False)
    tree = infer(case.question, case.evidence, as_of=case.as_of, draws=20, chains=2, tolerance=1.0)
    model = plug_in_model(case.question, case.evidence, case.as_of)
    theta = theta_of(model.layout, tree)
    theta = theta.reshape(-1, theta.shape[-1])
    (now, ahead), log = model.probabilities_at(theta), model.log_learnt_at(theta)
    draws = tree["posterior"].to_dataset()
    for name_of, value in (("scenario_probability", now), ("horizon_probability", ahead)):
        np.testing.assert_allclose(value.reshape(draws[name_of].shape), draws[name_of], atol=1e-10)
    told = tree["log_likelihood"]["evidence"]
    told = told.sum([dim for dim in told.dims if dim not in ("chain", "draw")])
    np.testing.assert_allclose(log.reshape(told.shape), told, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "judged"),
    [
        ("yes_no", ("likelihood meeting beta", "reliability s", "prior beta")),
        ("grouped", ("likelihood raid alpha", "reliability s")),
        ("residual", ("likelihood raid alpha", "likelihood clashes beta", "likelihood price alpha")),
        ("one_testimony", ("reliability s",)),
        ("three_values", ("likelihood tone alpha neutral", "likelihood tone gamma friendly", "prior gamma")),
        ("moving", ("lasts beta", "then alpha gamma", "likelihood offer alpha")),
        ("stepping", ("transition beta alpha",)),
        ("agreeing_and_clashing in part", ("likelihood meeting alpha", "reliability s")),
        ("moving in part", ("lasts beta", "likelihood offer alpha")),
    ],
)
def test_with_learning_it_is_the_other_question_s_answer(name: str, judged: tuple[str, ...]):
    """Importance sampling from the prior of the altered question; 4.5 standard errors of both, seeds 0 and 1.

    Some 100 comparisons: were the errors normal, one run in 1,500 would fail. Errors are from the spread of
    four chains of 4,000 draws, or from the draws, whichever is larger.
    """
    case = small(name.removesuffix(" in part"), False)
    if name.endswith("in part"):
        case = Small(replace(case.question, learning="partial"), case.evidence, case.as_of)
    tree = infer(case.question, case.evidence, as_of=case.as_of, draws=4000, chains=4, tolerance=1.0, seed=0)
    draws = PosteriorDraws(plug_in_model(case.question, case.evidence, case.as_of), tree)
    unchanged = draws.reweighted(case.question)
    forecast = tree["posterior"]["scenario_probability"].mean(["chain", "draw"])
    np.testing.assert_allclose(unchanged.now[0], forecast, atol=1e-12)
    assert unchanged.ess == pytest.approx(16_000)
    by_name, moved = {one.name: one for one in stated_values(case.question)}, []
    for one in (by_name[key] for key in judged):
        for p in ENDS:
            other = one.with_value(case.question, one.quantile(p))
            found = draws.reweighted(other)
            n = 6_000 if name.startswith("moving") else 60_000  # its matrices take long
            sampled = importance_sampling(other, case.evidence, case.as_of, n, 1, names=("now",))
            error = np.hypot(found.now_mcse[0], sampled.mcse["now"])
            assert found.ess > 4000
            assert np.all(np.abs(found.now[0] - sampled.mean["now"]) < 4.5 * error), (one.name, p)
            moved.append(np.max(np.abs(found.now[0] - unchanged.now[0]) / error))
    assert max(moved) > 4.5  # so that to do nothing would not pass


@pytest.mark.parametrize("name", ["everything", "residual", "stepping", "three_values", "one_testimony"])
def test_draws_of_a_prior_are_carried_to_draws_of_the_other(name: str):
    """Every slot has the marginal of its new prior: 5,000 draws, Kolmogorov-Smirnov, p above 1e-6, seed 2."""
    case, rng, tried = small(name, False), np.random.default_rng(2), 0
    old = plug_in_model(case.question, case.evidence, case.as_of).layout
    theta = np.concatenate([block.draw(rng, 5000) for block in old.blocks], axis=1)
    np.testing.assert_array_equal(transported(theta, old, old), theta)
    for one in stated_values(case.question):
        new = plug_in_model(
            one.with_value(case.question, one.quantile(ENDS[0])), case.evidence, case.as_of
        ).layout
        found = transported(theta, old, new)
        for was, block in zip(old.blocks, new.blocks, strict=True):
            x = found[:, block.slots]
            if was.judgement == block.judgement:
                np.testing.assert_array_equal(x, theta[:, block.slots])
                continue
            for k, mean in enumerate(block.mean):
                if mean == 0.0:
                    assert not x[:, k].any()
                    continue
                if isinstance(block.judgement, Proportions) and mean > 0.95 and not block.beta:
                    continue  # rounds to 1 too often; its complement is looked at
                assert kstest(x[:, k], law(block.judgement, mean).cdf).pvalue > 1e-6, (one.name, block.name)
                tried += 1
            if isinstance(block.judgement, Proportions) and not block.beta:
                np.testing.assert_allclose(x.sum(axis=1), 1.0)
    assert tried >= 10


def law(judgement: Judgement, mean: float) -> Any:
    """Return the distribution of one number of a judgement."""
    if isinstance(judgement, MeasureMean):
        return stats.norm(mean, judgement.sd / judgement.weight**0.5)
    if isinstance(judgement, Positive):
        return stats.gamma(judgement.shape, scale=mean / judgement.shape)
    assert isinstance(judgement, Proportions)
    return stats.beta(mean * judgement.weight, (1 - mean) * judgement.weight)


def test_a_judgement_that_is_exact_is_carried_to_its_new_value():
    case = small("yes_no", True)
    (one,) = stated_values(case.question)
    old, new = (
        plug_in_model(q, case.evidence, case.as_of).layout
        for q in (case.question, one.with_value(case.question, 0.3))
    )
    found = transported(np.repeat(old.mean[None], 3, axis=0), old, new)
    np.testing.assert_array_equal(found, np.repeat(new.mean[None], 3, axis=0))


@pytest.mark.parametrize(
    ("old", "new"), [((2.0, 38.0), (1.0, 39.0)), ((0.3, 1.7), (0.6, 1.2)), ((19.0, 1.0), (15.0, 5.0))]
)
def test_many_draws_are_carried_as_each_alone_is(old: tuple[float, float], new: tuple[float, float]):
    x = np.random.default_rng(0).beta(1.2 * old[0], 0.9 * old[1], 8000)
    many = _beta(x, old, new)
    alone = np.concatenate([_beta(part, old, new) for part in np.split(x, 80)])
    np.testing.assert_allclose(many, alone, rtol=1e-6)
    assert (np.diff(many[np.argsort(x)]) >= 0).all()
