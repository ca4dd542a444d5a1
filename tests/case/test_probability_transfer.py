"""Mass is conserved over every change, and goes where a plain recursion over single shares sends it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.case.probability_transfer import (
    ScenarioChange,
    row_in_era,
    transfer_back,
    transfer_forward,
    transfer_matrix,
)

DAY = date(2024, 1, 10)
CLOSE = 1e-12


def shares(draw: Any, names: Sequence[str]) -> dict[str, float]:
    """Return shares of names that sum to 1."""
    parts = draw(st.lists(st.integers(1, 9), min_size=len(names), max_size=len(names)))
    return {name: part / sum(parts) for name, part in zip(names, parts, strict=True)}


@st.composite
def histories(draw: st.DrawFn) -> tuple[ScenarioChange, ...]:
    """Return up to three changes, one after another, of every kind at once."""
    alive, number, found = ["a0", "a1", "a2"], 3, []
    for n in range(draw(st.integers(1, 3))):
        ended = draw(st.lists(st.sampled_from(alive), max_size=len(alive), unique=True))
        born = [f"a{number + k}" for k in range(draw(st.integers(2, 3)))]
        number += len(born)
        takers = born[: draw(st.integers(0, 1))]
        after = [id for id in alive if id not in ended] + born
        targets = [id for id in after if id not in takers]
        becomes = {
            id: shares(draw, draw(st.lists(st.sampled_from(targets), min_size=1, unique=True)))
            for id in ended
        }
        takes = {
            by: draw(st.one_of(st.floats(0.01, 0.9), st.just({targets[0]: 0.25, targets[-1]: 0.5})))
            for by in takers
        }
        found.append(ScenarioChange(DAY + timedelta(days=n), tuple(alive), tuple(after), becomes, takes))
        alive = after
    return tuple(found)


@given(histories(), st.data())
def test_mass_is_conserved(changes: tuple[ScenarioChange, ...], data: st.DataObject):
    mass = shares(data.draw, changes[0].before)
    for change in changes:
        matrix = transfer_matrix(change)
        for row in matrix:
            assert math.fsum(row) == pytest.approx(1.0, abs=CLOSE)
            assert min(row) >= 0.0
        moved = transfer_forward(mass, change)
        assert math.fsum(moved.values()) == pytest.approx(1.0, abs=CLOSE)
        assert set(moved) <= set(change.after)
        for column, id in enumerate(change.after):
            by_matrix = sum(mass[old] * row[column] for old, row in zip(change.before, matrix, strict=True))
            assert moved.get(id, 0.0) == pytest.approx(by_matrix, abs=CLOSE)
        mass = {id: moved.get(id, 0.0) for id in change.after}


@given(histories(), st.data())
def test_what_came_from_others_goes_back_to_them(changes: tuple[ScenarioChange, ...], data: st.DataObject):
    """Back and forth over a change without takers is Bayes' theorem: the prior comes back as it was."""
    prior = shares(data.draw, changes[0].before)
    change = changes[0]
    plain = ScenarioChange(change.day, change.before, change.after, change.becomes, {})
    moved = transfer_forward(prior, plain)
    fresh = {id: p for id, p in moved.items() if id not in plain.before}
    back = transfer_back(fresh, plain, prior)
    assert math.fsum(back.values()) == pytest.approx(math.fsum(fresh.values()), abs=CLOSE)
    for parent, p in back.items():
        given_away = sum(s for id, s in plain.becomes[parent].items() if id not in plain.before)
        assert p == pytest.approx(prior[parent] * given_away, abs=CLOSE)


def test_what_only_takes_comes_from_nowhere():
    change = ScenarioChange(DAY, ("a", "b"), ("a", "b", "x"), {}, {"x": 0.05})
    assert transfer_forward({"a": 0.8, "b": 0.2}, change) == pytest.approx({"a": 0.76, "b": 0.19, "x": 0.05})
    assert transfer_back({"a": 0.5, "x": 0.5}, change, {"a": 0.8, "b": 0.2}) == {"a": 0.5}


def test_nothing_is_taken_from_who_takes():
    change = ScenarioChange(DAY, ("a", "b"), ("a", "x", "y"), {"b": {"x": 1.0}}, {"x": 0.1, "y": {"a": 0.2}})
    assert transfer_matrix(change)[0] == pytest.approx((0.7, 0.1, 0.2))
    assert transfer_matrix(change)[1] == (0.0, 1.0, 0.0)


# --- a row of moves in an era ---------------------------------------------------------------------------


@given(histories(), st.data())
def test_a_row_is_the_sum_of_the_fates_of_its_parts(changes: tuple[ScenarioChange, ...], data: st.DataObject):
    alive = [changes[0].before, *(change.after for change in changes)]
    era = data.draw(st.integers(0, len(changes)))
    own = data.draw(st.sampled_from(alive[era]))
    first = {id: next(n for n, now in enumerate(alive) if id in now) for now in alive for id in now}
    last = {id: max(n for n, now in enumerate(alive) if id in now) for id in first}
    known = [id for id in first if first[id] <= era and id != own]
    named = data.draw(st.lists(st.sampled_from(known), min_size=1, max_size=4, unique=True))
    row = shares(data.draw, named)
    spared = [set(row) if n >= first[own] else set(change.takes) for n, change in enumerate(changes)]
    expected: dict[str, float] = {}
    for id, share in row.items():
        start = max(first[id], min(first[own], last[id]))
        for end, part in fate(id, start, era, changes, spared, own).items():
            expected[end] = expected.get(end, 0.0) + share * part
    found = row_in_era(row, own, era, changes, priors_of(changes))
    assert set(found) <= set(alive[era])
    for id in alive[era]:
        assert found.get(id, 0.0) == pytest.approx(expected.get(id, 0.0), abs=CLOSE)


def fate(
    id: str, n: int, era: int, changes: Sequence[ScenarioChange], spared: Sequence[set[str]], own: str
) -> dict[str, float]:
    """Return where one share ends that is at a scenario in era n: a recursion over its single parts.

    `spared[n]` are the takers that take nothing from this row at change n; from `own` nobody takes.
    """
    if n == era:
        return {id: 1.0}
    found: dict[str, float] = {}
    change = changes[n]
    for target, share in change.becomes.get(id, {id: 1.0}).items():
        takers = [by for by in change.takes if by not in spared[n] and target not in (own, *change.takes)]
        parts = {by: change.share_taken(target, by) for by in takers}
        for end, part in [(target, 1.0 - sum(parts.values())), *parts.items()]:
            for last, p in fate(end, n + 1, era, changes, spared, own).items():
                found[last] = found.get(last, 0.0) + share * part * p
    return found


def priors_of(changes: Sequence[ScenarioChange]) -> list[Mapping[str, float]]:
    found: list[Mapping[str, float]] = [dict.fromkeys(changes[0].before, 1 / len(changes[0].before))]
    for change in changes:
        found.append(transfer_forward(found[-1], change))
    return found


def test_a_row_that_needs_no_translation_is_left_alone():
    change = ScenarioChange(DAY, ("a", "b", "c"), ("a", "b", "d", "e"), {"c": {"d": 0.3, "e": 0.7}}, {})
    row = {"b": 0.1 + 0.2, "c": 0.7}
    assert row_in_era(row, "a", 0, (change,), priors_of((change,))) == row


def test_a_grandchild_goes_back_to_its_grandparent():
    one = ScenarioChange(DAY, ("a", "b"), ("a", "c", "d"), {"b": {"c": 0.5, "d": 0.5}}, {})
    two = ScenarioChange(
        DAY + timedelta(days=1), ("a", "c", "d"), ("a", "d", "e", "f"), {"c": {"e": 0.2, "f": 0.8}}, {}
    )
    changes = (one, two)
    row = {"b": 0.2, "d": 0.3, "e": 0.1, "f": 0.4}
    priors = priors_of(changes)
    assert row_in_era(row, "a", 0, changes, priors) == pytest.approx({"b": 1.0})
    assert row_in_era(row, "a", 1, changes, priors) == pytest.approx({"c": 0.6, "d": 0.4})
    assert row_in_era(row, "a", 2, changes, priors) == pytest.approx({"d": 0.4, "e": 0.12, "f": 0.48})
