"""The ``pm.Model`` is the same model: its log density is that of our own array code, on every clause."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from scipy.linalg import expm

from forecast.case.evidence import Evidence
from forecast.case.judgement import Proportions
from forecast.inference.nuts.filter import Chain, forward, transition_matrix
from forecast.inference.nuts.model import build, data_on
from forecast.model.hmm import filter_log_likelihood
from forecast.model.parameters import build_layout
from tests.cases import CASES, FILED_CASES, binary, day, question, report, small, source, swaps
from tests.inference.nuts.base import PLAIN, Points, compiled, draw, filtered, log_density, without_compiler

PARTIAL = ["moving", "of_units", "persistent_silence", "everything", "events_filed"]


@pytest.mark.parametrize(
    ("name", "learning"), [*((n, "full") for n in (*CASES, *FILED_CASES)), *((n, "partial") for n in PARTIAL)]
)
def test_log_density(name, learning):
    case = small(name, False)
    layout = build_layout(replace(case.question, learning=learning), case.evidence)
    theta = draw(layout, 4, seed=1)
    expected = log_density(layout, case.evidence, case.as_of, theta)
    with without_compiler():
        model = build(layout, case.evidence, case.as_of)
        function, point = compiled(model), Points(model, layout)
        found = [function(point(one)) for one in theta]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize(
    "name", ["late_and_corrected", "everything", "filed_states", "filed_pair", "off_by_an_error"]
)
def test_one_model_serves_every_date(name):
    case = small(name, False)
    layout = build_layout(case.question, case.evidence)
    theta = draw(layout, 2, seed=2)
    with without_compiler():
        model = build(layout, case.evidence, case.as_of)
        function, point = compiled(model), Points(model, layout)
        for days in (40, 12, 5):
            date = case.as_of - timedelta(days=min(days, (case.as_of - case.question.opened).days))
            with model:
                pm.set_data(data_on(layout, case.evidence, date))
            found = [function(point(one)) for one in theta]
            np.testing.assert_allclose(found, log_density(layout, case.evidence, date, theta), rtol=1e-9)


@pytest.mark.parametrize("learning", ["partial", "full"])
@pytest.mark.parametrize("name", ["moving", "of_units", "one_testimony", "persistent_silence"])
def test_probability_and_terms_of_each_period(name, learning):
    """They are those of all the evidence, however much of it judgements learn."""
    case = small(name, False)
    layout = build_layout(replace(case.question, learning=learning), case.evidence)
    theta = draw(layout, 2, seed=3)
    expected = filtered(layout, case.evidence, case.as_of, theta)
    with without_compiler():
        model = build(layout, case.evidence, case.as_of)
        wanted = model.replace_rvs_by_values([model["scenario_probability"], model["log_evidence"]])
        function = pm.compile(model.value_vars, wanted, mode=PLAIN, on_unused_input="ignore")
        point = Points(model, layout)
        for n, one in enumerate(theta):
            values = point(one)
            now, terms = function(*[values[v.name] for v in model.value_vars])
            np.testing.assert_allclose(now, expected.alpha[n, :, -1].reshape(now.shape), rtol=1e-9)
            np.testing.assert_allclose(
                terms, expected.log_norm[n].reshape(terms.shape), rtol=1e-9, atol=1e-12
            )


def test_gradient_where_something_cannot_happen():
    """Exact zeros must not turn the gradient of what can vary into nan."""
    sure = binary("never", (0.0, 0.3), np.inf)
    q = question((0.5, 0.5), (sure, binary("a", (0.2, 0.6), 10.0)), (source("s", 1.0, np.inf),), 10.0)
    log = Evidence((report("r1", 1, "never", "yes"), report("r2", 8, "a", "yes")))
    for dynamics in (None, swaps(False)):
        asked = replace(q, dynamics=dynamics)
        layout = build_layout(asked, log)
        with without_compiler():
            model = build(layout, log, day(20))
            gradient = pm.compile(model.value_vars, model.dlogp(), mode=PLAIN, on_unused_input="ignore")
            values = Points(model, layout)(draw(layout, 1, seed=4)[0])
            assert np.isfinite(gradient(*[values[v.name] for v in model.value_vars])).all()


@pytest.mark.parametrize("sure", [False, True])
def test_gradient_of_numbers_that_may_be_off(sure):
    """By differences, also where a report cannot be wrong and others are without an error."""
    case = small("off_by_an_error", False)
    those = case.question.sources
    exact = replace(those[1], reliability=Proportions((0.0, 1.0), np.inf)) if sure else those[1]
    asked = replace(case.question, sources=(those[0], exact, replace(those[2], error=0.0)))
    layout = build_layout(asked, case.evidence)
    with without_compiler():
        model = build(layout, case.evidence, case.as_of)
        gradient = pm.compile(model.value_vars, model.dlogp(), mode=PLAIN, on_unused_input="ignore")
        value = pm.compile(model.value_vars, model.logp(), mode=PLAIN, on_unused_input="ignore")
        values = Points(model, layout)(draw(layout, 1, seed=4)[0])
        at = [values[v.name] for v in model.value_vars]
        slope, step = gradient(*at), 1e-5
        direction = [np.random.default_rng(5).normal(size=np.shape(x)) for x in at]
        up, down = ([x + e * d for x, d in zip(at, direction, strict=True)] for e in (step, -step))
        expected = (value(*up) - value(*down)) / (2 * step)
    along = np.concatenate([np.ravel(d) for d in direction]) @ slope
    assert along == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_nothing_overflows_in_five_thousand_periods():
    """The usual form, which carries the joint probability along, fails near ninety; and a scenario that is
    a million times less likely in each of many periods comes back."""
    rng = np.random.default_rng(5)
    prior, matrix = np.array([0.7, 0.3]), np.array([[0.9, 0.1], [0.2, 0.8]])
    log_l = rng.normal(-30.0, 20.0, (5000, 1, 2))
    log_l[:100, 0, 0] -= 1000.0
    with without_compiler():
        graph = forward(Chain(pt.as_tensor(prior), pt.as_tensor(matrix)), pt.as_tensor(log_l))
        now, norm = (part.eval(mode=PLAIN) for part in graph)
    alpha, expected = filter_log_likelihood(prior[None], matrix[None], log_l[:, 0][None])
    np.testing.assert_allclose(now[0], alpha[0, -1], rtol=1e-9)
    np.testing.assert_allclose(norm[:, 0], expected[0], rtol=1e-9)


@pytest.mark.parametrize("rate", [1e-6, 0.1, 1.0, 30.0])
def test_transition_matrix(rate):
    rng = np.random.default_rng(6)
    leave, then = rate * rng.random(4), rng.dirichlet(np.ones(3), 4)
    then = np.stack([np.insert(row, i, 0.0) for i, row in enumerate(then)])
    found = transition_matrix(pt.as_tensor(leave), pt.as_tensor(then)).eval(mode=PLAIN)
    np.testing.assert_allclose(found, expm(leave[:, None] * then - np.diag(leave)), rtol=1e-9)


def test_predictive_sampling():
    """PyMC draws from prior and posterior what the reports might have said; a repeat says the same."""
    case = small("repeated", False)
    layout = build_layout(case.question, case.evidence)
    options = {"compile_kwargs": {"mode": PLAIN}, "random_seed": 7}
    with without_compiler(), build(layout, case.evidence, case.as_of):
        prior = pm.sample_prior_predictive(400, **options)
        after = pm.sample_posterior_predictive(
            prior.prior, progressbar=False, var_names=["report"], **options
        )
    told = prior.prior_predictive["report"].values[0]
    r1, r2 = 0, 1
    assert (
        prior.observed_data["report"].values.tolist()
        == data_on(layout, case.evidence, case.as_of)["report_value"].tolist()
    )
    assert (told[:, r1] == told[:, r2]).all()
    # P(r1 says yes) = .8 m + .1, m = .6 * .15 + .4 * .6: four standard errors, fails 1 time in 16,000
    chance = 0.8 * 0.33 + 0.1
    for values in (told, after.posterior_predictive["report"].values[0]):
        assert abs(values[:, r1].mean() - chance) < 4 * np.sqrt(chance * (1 - chance) / 400)


def test_judgements_have_dims_and_coords():
    case = small("everything", False)
    layout = build_layout(case.question, case.evidence)
    model = build(layout, case.evidence, case.as_of)
    assert model.named_vars_to_dims["likelihood_raid"] == ("scenario", "raid_value")
    assert tuple(model.coords["scenario"]) == tuple(s.id for s in case.question.scenarios)
    assert {rv.name for rv in model.observed_RVs} == {"report"}
