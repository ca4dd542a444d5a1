"""Numbers of an event that agree are those of a chain that is a chain: enumerated step by step."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.linalg import expm

from forecast.case.event_limits import contradiction, largest_chance, share_cut_off
from forecast.case.judgement import LogitNormal, Positive, Proportions
from forecast.case.question import Event

SEED = 12


def numbers(rng: np.random.Generator) -> tuple[list[float], list[float], list[float], int]:
    """Return random chances, stays, shares and steps."""
    n = int(rng.integers(1, 4))
    chances = (rng.uniform(0.02, 0.95) * rng.dirichlet(np.ones(n))).tolist()
    lasts, shares = rng.uniform(0.6, 25, n).tolist(), rng.uniform(0.03, 1, n).tolist()
    return chances, lasts, shares, int(rng.integers(2, 60))


def test_steady_numbers_agree_where_every_rate_and_share_of_the_chain_is_one():
    rng, found = np.random.default_rng(SEED), {True: 0, False: 0}
    for _ in range(400):
        chances, lasts, shares, steps = numbers(rng)
        c, m, s, total = *map(np.array, (chances, lasts, shares)), sum(chances)
        eta = -math.log(1 - total) / steps
        pi = eta * c / total * m / s
        quiet = 1 - pi.sum()
        begin = pi * (1 / m - eta)
        valid = quiet > 0 and (begin > 0).all()
        assert valid == (not contradiction(chances, lasts, shares, steps, late=False))
        found[valid] += 1
        if valid:  # and then the chance by the horizon is the prior
            q = np.zeros((2 * len(c) + 1,) * 2)
            for j in range(len(c)):
                q[0, 1 + j] = begin[j] / quiet
                q[1 + j, 0], q[1 + j, 1 + len(c) + j] = (1 - s[j]) / m[j], s[j] / m[j]
            q -= np.diag(q.sum(axis=1))
            start = np.concatenate([[quiet], pi, np.zeros(len(c))])
            assert (start @ expm(q * steps))[1 + len(c) :] == pytest.approx(c, abs=1e-9)
    assert min(found.values()) > 50


def test_late_numbers_agree_where_every_step_is_made_of_probabilities():
    rng, found = np.random.default_rng(SEED), {True: 0, False: 0}
    for _ in range(400):
        chances, lasts, shares, steps = numbers(rng)
        c, m, s, total = *map(np.array, (chances, lasts, shares)), sum(chances)
        survival = 1 - total * (np.arange(steps + 2) / steps) ** 2
        hazard = 1 - survival[1:] / survival[:-1]
        if survival[-1] <= 0:
            hazard[-1] = hazard[-2]
        pi = hazard[:, None] * c * m / (total * s)
        quiet = 1 - pi.sum(axis=1)
        step = pi[1:] * (1 - hazard[:-1, None]) - pi[:-1] * (1 - 1 / m)
        valid = bool(
            (m >= 1).all()
            and (quiet > 0).all()
            and (step >= 0).all()
            and (step.sum(axis=1) <= quiet[:-1]).all()
        )
        assert valid == (not contradiction(chances, lasts, shares, steps, late=True))
        found[valid] += 1
    assert min(found.values()) > 50


@pytest.mark.parametrize("late", [False, True])
def test_the_largest_chance_is_allowed_and_a_tenth_more_is_not(late: bool):
    rng, tried = np.random.default_rng(SEED), 0
    for _ in range(200):
        chances, lasts, shares, steps = numbers(rng)
        if not contradiction(chances, lasts, shares, steps, late=late):
            continue
        largest = largest_chance(chances, lasts, shares, steps, late=late)
        assert largest < sum(chances)
        if not largest:
            assert late
            assert min(lasts) < 1
            continue
        for factor, allowed in ((1.0, True), (1.11, False)):
            scaled = [c / sum(chances) * largest * factor for c in chances]
            assert (not contradiction(scaled, lasts, shares, steps, late=late)) == allowed
        tried += 1
    assert tried > 30


def test_one_judgement_stands_for_every_outcome():
    one = contradiction([0.2, 0.1], [30.0], [0.1], 20, late=False)
    assert one == contradiction([0.2, 0.1], [30.0, 30.0], [0.1, 0.1], 20, late=False)
    assert one == "it would have to be in preparation 535% of the time"
    assert contradiction([0.2, 0.0], [30.0, 1e9], [1.0, 0.1], 200, late=False) == ""


def test_how_much_of_the_prior_is_cut_off():
    """A rate that is Gamma with shape 1: pi < 1 where the rate is above eta / s, 1 - exp(-eta m / s) is cut.

    Binomial with 1000 draws: a right program is more than .06 off with a probability below 1e-4.
    """
    prior = Proportions((0.6, 0.4), math.inf)
    eta = -math.log(0.6) / 20
    event = Event(0, (Positive(1 / 8, 1.0),), (LogitNormal(0.5, 0.0),))
    assert share_cut_off(event, prior, 20) == pytest.approx(1 - math.exp(-eta * 8 / 0.5), abs=0.06)
    sure = Event(0, (Positive(1 / 8, math.inf),), (LogitNormal(0.5, 0.0),))
    assert share_cut_off(sure, prior, 20) == 0.0
    assert share_cut_off(event, prior, 20) == share_cut_off(event, prior, 20)
