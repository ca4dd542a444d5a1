"""Event questions: the stated chances come out exactly, whatever is judged of preparations."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import scipy.linalg
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from forecast.model import event as ev

MANY = settings(derandomize=True, max_examples=150, deadline=None, database=None)


class Numbers:
    """The judgements of one event question, and the same as theta."""

    def __repr__(self):
        return f"{self.c}, {self.m}, {self.s}, {self.steps}, {self.late}"

    def __init__(self, c, m, s, steps, *, quiet=0, late=False):
        self.c, self.steps, self.quiet, self.late = np.asarray(c, float), steps, quiet, late
        self.m, self.s = np.broadcast_to(m, self.c.shape), np.broadcast_to(s, self.c.shape)
        prior = np.insert(self.c, quiet, 1.0 - self.c.sum())
        self.theta, self.event = ev.pack(
            prior, 1.0 / np.atleast_1d(m), np.atleast_1d(s), status_quo=quiet, steps=steps, late=late
        )
        self.k = len(prior)
        self.outcomes = [k for k in range(self.k) if k != quiet]

    @property
    def allowed(self):
        return bool(ev.allowed(self.theta, self.event, self.k))

    def initial(self):
        out = np.empty(self.k)
        ev.initial(self.theta, self.event, out)
        return out

    def step(self, t=0):
        out = np.empty((self.k, self.k))
        ev.step_matrix(self.theta, self.event, t, out, np.empty((5, self.k, self.k)))
        return out

    def whole(self, t=0):
        out = np.empty((2 * self.k, 2 * self.k))
        ev.whole_matrix(self.theta, self.event, t, out, np.empty((5, 2 * self.k, 2 * self.k)))
        return out

    def outlook(self, now, period):
        return ev.outlook(self.theta[None], self.event, np.asarray(now)[None, None], period)[0, 0]


@st.composite
def numbers(draw, late=False):
    """One to four outcomes, from days to years of preparation, shared or one by one; N from 2 to 200."""
    j = draw(st.integers(1, 4))
    steps = draw(st.integers(2, 200))
    weights = np.array([draw(st.floats(0.01, 1.0)) for _ in range(j)])
    c = weights / weights.sum() * draw(st.floats(1e-6, 0.99))
    each = j if draw(st.booleans()) else 1
    m = np.array([10 ** draw(st.floats(0.0 if late else -2.0, 2.0)) for _ in range(each)])
    s = np.array([draw(st.one_of(st.just(1.0), st.floats(0.02, 1.0))) for _ in range(each)])
    one = Numbers(c, m, s, steps, quiet=draw(st.integers(0, j)), late=late)
    assume(one.allowed)
    return one


@MANY
@given(numbers())
def test_before_evidence_the_chance_is_the_closed_form(one):
    """P(j by n) = (c_j/C)(1 - (1 - C)^(n/N)), c_j at the horizon, whatever m and s are."""
    found, total, n = one.outlook(one.initial(), 0), one.c.sum(), np.arange(one.steps + 1)
    assert found.shape == (one.steps + 1, one.k)
    expected = (one.c / total) * (1.0 - (1.0 - total) ** (n / one.steps))[:, None]
    np.testing.assert_allclose(found[:, one.outcomes], expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found[-1, one.outcomes], one.c, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-12)


@MANY
@given(numbers(late=True))
def test_a_late_event_grows_with_the_square_of_time(one):
    found, n = one.outlook(one.initial(), 0), np.arange(one.steps + 1)
    np.testing.assert_allclose(found[:, one.outcomes], one.c * ((n / one.steps) ** 2)[:, None], atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-12)


@MANY
@given(st.one_of(numbers(), numbers(late=True)))
def test_without_news_the_decaying_prior(one):
    """From period t on, if the question is open and no more is known: the closed form of what remains."""
    prior = one.theta[: one.k]
    for t in {0, one.steps // 2, one.steps - 1}:
        share = np.empty(one.k)
        ev.open_shares(one.theta, one.event, t, share)
        periods = np.arange(t, one.steps + 1)
        np.testing.assert_allclose(
            ev.without_news(prior, one.event, since=t, until=periods), one.outlook(share, t), atol=1e-12
        )
    steps = np.arange(3)
    many = ev.without_news(np.stack([prior, prior]), one.event, since=0, until=steps)
    np.testing.assert_array_equal(many[1], ev.without_news(prior, one.event, since=0, until=steps))


@MANY
@given(st.one_of(numbers(), numbers(late=True)))
def test_the_open_states_are_a_block_of_the_whole_chain(one):
    for t in {0, one.steps // 2, one.steps - 1}:
        whole, k = one.whole(t), one.k
        np.testing.assert_allclose(whole[:k, :k], one.step(t), atol=1e-14)
        np.testing.assert_allclose(whole.sum(axis=1), 1.0, atol=1e-12)
        np.testing.assert_array_equal(whole[k:, k:], np.eye(k))
        assert np.all(whole > -1e-15)
        assert np.all(whole[:, k + one.quiet] == np.eye(2 * k)[k + one.quiet])


@MANY
@given(st.one_of(numbers(), numbers(late=True)))
def test_what_is_open_keeps_its_shares(one):
    """The shares of the open states go on from period to period by the step, what happens being lost."""
    now, then, total = one.initial(), np.empty(one.k), one.c.sum()
    for t in range(min(one.steps, 20)):
        ev.open_shares(one.theta, one.event, t + 1, then)
        now = now @ one.step(t)
        n = np.array([t, t + 1]) / one.steps
        survival = 1 - total * n**2 if one.late else (1 - total) ** n
        np.testing.assert_allclose(now.sum(), survival[1] / survival[0], atol=1e-12)
        now /= now.sum()
        np.testing.assert_allclose(now, then, atol=1e-11)


def test_the_step_is_scipys_exponential_of_the_generator():
    c, m, s, steps = np.array([0.13, 0.07]), np.array([6.0, 2.5]), np.array([0.5, 0.8]), 13
    one = Numbers(c, m, s, steps, quiet=1)
    eta = -np.log(0.8) / steps
    pi = eta * c / 0.2 * m / s
    q = np.zeros((6, 6))  # limited, quiet, full; happened limited, (nothing), happened full
    for j, k in enumerate((0, 2)):
        q[k, 3 + k], q[k, 1] = s[j] / m[j], (1 - s[j]) / m[j]
        q[1, k] = pi[j] * (1 / m[j] - eta) / (1 - pi.sum())
    q -= np.diag(q.sum(axis=1))
    np.testing.assert_allclose(one.initial(), [pi[0], 1 - pi.sum(), pi[1]], rtol=1e-14)
    np.testing.assert_allclose(one.whole(), scipy.linalg.expm(q), atol=1e-14)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("period", [0, 2])
def test_the_outlook_is_a_sum_over_paths(late, period):
    """Every path of all states, from any distribution of the open ones; so is "if it is prepared now"."""
    one = Numbers([0.2, 0.1], [3.0, 2.0], [0.6, 0.9], 5, quiet=1, late=late)
    now = np.array([0.3, 0.5, 0.2])
    at, prepared = np.zeros((6 - period, 3)), np.zeros(3)
    for path in product(range(6), repeat=6 - period):
        if path[0] > 2:
            continue
        chance = 1.0
        for h in range(5 - period):
            chance *= one.whole(period + h)[path[h], path[h + 1]]
        for h, state in enumerate(path):
            at[h, state - 3 if state > 2 else 1] += now[path[0]] * chance
        prepared[path[0]] += chance * ((path[-1] - 3 if path[-1] > 2 else 1) == path[0])
    np.testing.assert_allclose(one.outlook(now, period), at, atol=1e-14)
    np.testing.assert_allclose(ev.if_prepared(one.theta[None], one.event, 3, period)[0], prepared, atol=1e-14)


def test_at_and_after_the_horizon_nothing_is_left():
    one = Numbers([0.2, 0.1], 3.0, 0.5, 6)
    for period in (6, 9):
        np.testing.assert_array_equal(one.outlook([0.1, 0.5, 0.4], period), [[1.0, 0.0, 0.0]])
        assert ev.without_news(one.theta[:3], one.event, since=period, until=6).tolist() == [1.0, 0.0, 0.0]


def test_contradictory_numbers_are_not_allowed():
    """Preparations that last long and seldom lead to anything cannot make an event this likely."""
    assert Numbers([0.2], 6.0, 0.5, 26).allowed
    assert not Numbers([0.9], 30.0, 0.5, 26).allowed  # eta m = 2.66
    assert not Numbers([0.2], 20.0, 0.1, 26).allowed  # eta m/s = 1.7
    assert not Numbers([1.0], 1.0, 1.0, 26).allowed
    assert not Numbers([0.2], 0.9, 0.5, 26, late=True).allowed  # preparing less than a period
    assert not Numbers([0.9], 4.0, 0.4, 10, late=True).allowed  # h_9 m/s > 1
    assert Numbers([0.2], 4.0, 0.5, 10, late=True).allowed
    both = np.stack([Numbers([p], 6.0, 0.5, 26).theta for p in (0.2, 0.95)])
    assert ev.all_allowed(both, Numbers([0.2], 6.0, 0.5, 26).event, 2).tolist() == [True, False]


@MANY
@given(st.one_of(numbers(), numbers(late=True)), st.floats(0.5, 0.999))
def test_the_largest_chance_is_the_border_of_what_is_allowed(one, below):
    largest = ev.largest_chance(one.theta, one.event, one.k)
    assert largest > one.c.sum() - 1e-12 or one.late

    def scaled(total):
        return Numbers(
            one.c / one.c.sum() * total, one.m, one.s, one.steps, quiet=one.quiet, late=one.late
        ).allowed

    assert scaled(largest * below)
    assert scaled(largest * (1 - 1e-6))
    assert not scaled(largest * (1 + 1e-6))


def test_the_largest_chance_of_a_steady_event_is_a_closed_form():
    """1 - exp(-N min(1/max m, 1/sum(share m/s)))."""
    one = Numbers([0.1, 0.3], [3.0, 8.0], [0.5, 1.0], 26)
    border = 1 - np.exp(-26 * min(1 / 8, 1 / (0.25 * 3 / 0.5 + 0.75 * 8)))
    assert ev.largest_chance(one.theta, one.event, 3) == pytest.approx(border, rel=1e-12)
    one = Numbers([0.2, 0.2], [3.0, 8.0], [1.0, 1.0], 26)
    assert ev.largest_chance(one.theta, one.event, 3) == pytest.approx(1 - np.exp(-26 / 8), rel=1e-12)
    one = Numbers([0.2], 0.9, 0.5, 26, late=True)
    assert ev.largest_chance(one.theta, one.event, 2) < 1e-9  # none is
