"""The engine on event questions: by enumeration where judgements are exact, else by importance sampling.

That the question is open at the as-of date is evidence: it is in the marginal likelihood, and it teaches the
chances, how long preparing lasts and how often it ends in the event.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import numpy as np
import pytest

from forecast.case.evidence import Evidence, Report
from forecast.case.judgement import LogitNormal, Positive, Proportions
from forecast.case.question import Event, Question, Scenario
from forecast.inference.data_tree import Settings
from forecast.inference.smc_engine import doubled
from forecast.model.event import all_allowed
from forecast.model.parameters import build_layout
from forecast.model.problem import build_problem
from tests.cases import OPENED, binary, source
from tests.oracles.event import answers, chain

N, PERIODS = 7, 5
RAID, MOVE = (0.7, 0.05, 0.4), (0.3, 0.1, 0.8)  # limited, none, full: the status quo stands in between
CHANCES, RELIABILITY = (0.15, 0.65, 0.2), 0.85
LASTS: tuple[float, ...] = (3.0, 2.0)
ENDS: tuple[float, ...] = (0.5, 0.7)
SEEN = {(0, 0): "no", (1, 1): "yes", (1, 0): "yes", (3, 1): "yes", (3, 0): "no", (4, 0): "yes"}


def question(timing: Literal["steady", "late"], weight: float, *, shared: bool = False) -> Question:
    """Three scenarios, the second of them the status quo; the horizon in period 7."""
    shape, sd = (math.inf, 0.0) if math.isinf(weight) else (8.0, 1.0)
    each = slice(0, 1) if shared else slice(0, 2)
    event = Event(
        1,
        tuple(Positive(1 / m, shape) for m in LASTS[each]),
        tuple(LogitNormal(s, sd) for s in ENDS[each]),
        timing,
    )
    scenarios = tuple(Scenario(id, id) for id in ("limited", "none", "full"))
    return Question(
        "Will it?",
        OPENED,
        OPENED + timedelta(days=7 * N + 2),
        scenarios,
        Proportions(CHANCES, weight),
        (binary("raid", RAID, math.inf), binary("move", MOVE, math.inf)),
        (source("s", RELIABILITY, math.inf),),
        dynamics=event,
        learning="full",
    )


def evidence() -> Evidence:
    days = {at: OPENED + timedelta(days=7 * at[0]) for at in SEEN}
    return Evidence(
        tuple(
            Report(f"r{n}", days[t, i], days[t, i], ("raid", "move")[i], value, "s")
            for n, ((t, i), value) in enumerate(SEEN.items())
        )
    )


def likelihood() -> np.ndarray:
    """P(what was reported in each period | none, limited, full), in the order of the oracle's states."""
    found = np.ones((PERIODS, 3))
    for (t, i), value in SEEN.items():
        yes = np.array((RAID, MOVE)[i])[[1, 0, 2]]
        right = yes if value == "yes" else 1 - yes
        found[t] *= RELIABILITY * right + (1 - RELIABILITY) / 2
    return found


def run(q: Question, draws: int = 2000, tolerance: float = 0.01):
    day = q.last_day(PERIODS - 1)
    return doubled(build_problem(q, evidence(), day), Settings("smc", 11, draws, 4, tolerance))


@pytest.mark.parametrize("timing", ["steady", "late"])
def test_exact_judgements_give_the_sum_over_every_path(timing):
    result, chains = run(question(timing, math.inf))
    c = np.array(CHANCES)[[0, 2]]
    made = chain(c, np.array(LASTS), np.array(ENDS), N, late=timing == "late")
    assert made[2]
    now, end, marginal = answers(*made[:2], likelihood())
    order = [1, 0, 2]
    np.testing.assert_allclose(result.now.probability[0], now[order], atol=1e-12)
    outlook = result.outlook
    np.testing.assert_allclose(outlook["probability"].isel(date=-1), end[order], atol=1e-12)
    np.testing.assert_allclose(outlook["ever"].values[[0, 2]], end[1:], atol=1e-12)
    assert chains[0].log_evidence[-1] == pytest.approx(math.log(marginal), abs=1e-12)
    for k in (1, 2):  # if it is being prepared now
        alone = np.zeros(5)
        alone[k] = 1.0
        for matrix in made[1][PERIODS - 1 :]:
            alone = alone @ matrix
        assert float(outlook["if_prepared"][order.index(k)]) == pytest.approx(alone[2 + k], abs=1e-12)
    first, last = (outlook["without_news"].isel(date=n).values for n in (0, -1))
    assert first.tolist() == [0.0, 1.0, 0.0]
    total, gone = c.sum(), (PERIODS - 1) / N
    left = (
        (1 - gone**2) / (1 - total * gone**2) if timing == "late" else (1 - (1 - total) ** (1 - gone)) / total
    )
    np.testing.assert_allclose(last[[0, 2]], c * left, atol=1e-12)


@pytest.mark.parametrize(("timing", "shared"), [("steady", False), ("steady", True), ("late", True)])
def test_learning_agrees_with_importance_sampling(timing, shared):
    """12,000 draws from the prior (seed 5) against four systems (seed 11).

    Chances of outcomes now and at the horizon, and means of c, 1/m and s: at most 19 numbers each within 5
    combined standard errors, so that a right engine fails all three with a probability below 1e-4.
    """
    q, rng = question(timing, 20.0, shared=shared), np.random.default_rng(5)
    number, outcomes = 12_000, 1 if shared else 2
    c = rng.dirichlet(20.0 * np.array(CHANCES), number)[:, [0, 2]]
    rate = rng.gamma(8.0, 1.0, (number, outcomes)) / (8.0 * np.array(LASTS[:outcomes]))
    logit = np.log(ENDS[:outcomes]) - np.log1p(-np.array(ENDS[:outcomes]))
    share = 1 / (1 + np.exp(-rng.normal(logit, 1.0, (number, outcomes))))
    weight, values, seen = np.zeros(number), np.zeros((number, 6 + 2 * outcomes)), likelihood()
    for n in range(number):
        m, s = np.broadcast_to(1 / rate[n], 2), np.broadcast_to(share[n], 2)
        first, each, agree = _fast_chain(c[n], m, s, late=timing == "late")
        if agree:
            now, end, weight[n] = _filtered(first, each, seen)
            values[n] = [*now[1:], *end[1:], *c[n], *rate[n], *share[n]]
    w = weight / weight.sum()
    mean = w @ values
    error = np.sqrt(w**2 @ (values - mean) ** 2)
    assert 1 / (w**2).sum() > 1_000
    result, chains = run(q)
    found = [chain.weight[-1] @ _values(chain, outcomes) for chain in chains]
    size = np.array([1 / (one.weight[-1] ** 2).sum() for one in chains])
    spread = np.sqrt(w @ (values[:, 4:] - mean[4:]) ** 2 / (size.sum() / 2))
    between = np.maximum(np.std(found, axis=0, ddof=1) / 2, spread)
    z = (np.mean(found, axis=0) - mean[4:]) / np.hypot(between, error[4:])
    assert np.abs(z).max() < 5, z
    for estimate, mcse, own in (
        (result.now.probability[0], result.now.mcse[0], slice(0, 2)),
        (result.outlook["probability"].values[-1], result.outlook["mcse"].values[-1], slice(2, 4)),
    ):
        z = (estimate[[0, 2]] - mean[own]) / np.hypot(mcse[[0, 2]], error[own])
        assert np.abs(z).max() < 5, z
    log_marginal = math.log(float(weight.sum()) / max(int((weight > 0).sum()), 1))
    assert np.mean([one.log_evidence[-1] for one in chains]) == pytest.approx(log_marginal, abs=0.05)


def _values(one, outcomes):
    return one.theta[:, [0, 2, *range(-2 * outcomes, 0)]]


def _fast_chain(c, m, s, *, late):
    """Return the oracle's chain, contradictory numbers without their exponential."""
    eta = -np.log1p(-c.sum()) / N
    if not late and ((eta * m >= 1).any() or (eta * c / c.sum() * m / s).sum() >= 1):
        return None, None, False
    with np.errstate(all="ignore"):
        return chain(c, m, s, N, late=late)


def _filtered(first, each, seen):
    """Sum over paths period by period, as enumeration does (compared with it below)."""
    now = first[:3] * seen[0]
    for t in range(1, PERIODS):
        now = (now @ each[t - 1][:3, :3]) * seen[t]
    end = np.concatenate([now / now.sum(), np.zeros(2)])
    for matrix in each[PERIODS - 1 :]:
        end = end @ matrix
    return now / now.sum(), np.concatenate([[end[:3].sum()], end[3:]]), now.sum()


def test_the_sum_period_by_period_is_that_over_paths():
    made = chain(np.array([0.15, 0.2]), np.array(LASTS), np.array(ENDS), N, late=False)
    for one, other in zip(_filtered(*made[:2], likelihood()), answers(*made[:2], likelihood()), strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), atol=1e-14)


def test_a_judgement_that_must_not_learn_is_drawn_from_what_is_allowed():
    """`learn: false` on how long it lasts: its draws keep the prior, and every particle is allowed."""
    q = question("steady", 20.0, shared=True)
    event = q.event
    assert event is not None
    fixed = replace(event, leave=(replace(event.leave[0], learn=False),))
    _, chains = run(replace(q, dynamics=fixed), draws=256, tolerance=math.inf)
    layout = build_layout(q, Evidence())
    for one in chains:
        assert all_allowed(one.theta, layout.arrays.event, 3).all()
        assert len(np.unique(one.theta[:, -2])) == 2  # two systems of 128 particles
