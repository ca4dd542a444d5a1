"""Every way in which scenarios that change may not fit together, and the message that it must get."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast.case.errors import Fault, Faults
from forecast.case.reader.question import parse_question
from tests.case.base import changed as edited
from tests.case.changing import REGIME, STEPS, changed

TEXT = changed(REGIME, added=True)
SPLIT_LINE = "until: 2024-01-24, becomes: {local: 0.5, formal: 0.5}}"
LOCAL, FORMAL = "{title: Local truce, since: 2024-01-24}", "{title: Formal truce, since: 2024-01-24}"
ADDED = "{title: Collapse, since: 2024-02-07, takes: {other: 0.5}}"


def faults_of(text: str) -> list[Fault]:
    faults = Faults("question.yaml")
    question, _ = parse_question(text.encode(), faults)
    assert (question is None) == bool(faults.noted)
    return faults.in_order()


class Mistake(NamedTuple):
    """`old` is written as `new`; the fault is in that line, or `below` it, and says `words`."""

    old: str
    new: str
    words: str
    value: str | None
    below: int = 0


MISTAKES = {
    "no date": Mistake("until: 2024-01-24, becomes", "until: soon, becomes", "must be a date", "soon"),
    "before opened": Mistake(
        LOCAL, "{title: Local truce, since: 2024-01-01}", "outside the question", "2024-01-01"
    ),
    "after the horizon": Mistake(
        ADDED, "{since: 2024-04-01, takes: 0.1}", "collapse.since lies outside 2024-03-31", "2024-04-01"
    ),
    "until before since": Mistake(
        ADDED,
        "{since: 2024-02-07, takes: 0.1, until: 2024-02-07, becomes: {other: 1}}",
        "collapse.until is not after since (2024-02-07)",
        "2024-02-07",
    ),
    "until without becomes": Mistake(
        SPLIT_LINE, "until: 2024-01-24}", "truce.becomes is missing shares that sum to 1", None
    ),
    "becomes without until": Mistake(
        SPLIT_LINE, "becomes: {local: 1}}", "truce.until is missing first day on which it is gone", None
    ),
    "takes without since": Mistake(ADDED, "{takes: 0.1, prior: 0.1}", "collapse.since is missing", None),
    "since and prior": Mistake(
        LOCAL, "{since: 2024-01-24, prior: 0.1}", "local.prior a scenario with `since` has none", "0.1"
    ),
    "mass from nowhere": Mistake(
        ADDED, "{since: 2024-02-07}", "collapse has no probability takes: 0.05", "2024-02-07"
    ),
    "born another day": Mistake(
        LOCAL, "{since: 2024-01-25}", "local has no probability nothing becomes it", "2024-01-25"
    ),
    "shares": Mistake(
        "{local: 0.5, formal: 0.5}", "{local: 0.5, formal: 0.4}", "sum to 0.9", "{local: 0.5, formal: 0.4}"
    ),
    "share above 1": Mistake("{local: 0.5, formal: 0.5}", "{local: 1.5}", "truce.becomes.local range", "1.5"),
    "share of 0": Mistake(
        "{local: 0.5, formal: 0.5}", "{local: 0, formal: 1}", "truce.becomes.local range", "0"
    ),
    "becomes an unknown": Mistake(
        "{local: 0.5, formal: 0.5}", "{locl: 0.5, formal: 0.5}", "unknown key `locl` mean local", "locl"
    ),
    "becomes itself": Mistake(
        "{local: 0.5, formal: 0.5}", "{truce: 0.5, formal: 0.5}", "unknown key `truce`", "truce"
    ),
    "becomes one not there": Mistake(
        "{local: 0.5, formal: 0.5}",
        "{local: 0.4, formal: 0.4, collapse: 0.2}",
        "truce.becomes: not there on 2024-01-24 war, local, formal, other",
        "collapse",
    ),
    "becomes no block": Mistake("{local: 0.5, formal: 0.5}", "local", "must be a block", "local"),
    "takes all": Mistake(ADDED, "{since: 2024-02-07, takes: 1}", "collapse.takes is out of range", "1"),
    "takes nothing": Mistake(ADDED, "{since: 2024-02-07, takes: {}}", "takes names nothing", "{}"),
    "takes of an unknown": Mistake(
        ADDED, "{since: 2024-02-07, takes: {othr: 0.5}}", "unknown key `othr` mean other", "othr"
    ),
    "takes of one that is gone": Mistake(
        ADDED,
        "{since: 2024-02-07, takes: {truce: 0.5}}",
        "collapse.takes: nothing to take on 2024-02-07 war, local, formal, other",
        "truce",
    ),
    "takes of one that takes": Mistake(
        ADDED,
        "{since: 2024-01-24, takes: 0.1, until: 2024-02-07, becomes: {other: 1}}\n"
        "  third: {since: 2024-01-24, takes: {collapse: 0.1}}",
        "third.takes: nothing to take that do not take themselves",
        "collapse",
        1,
    ),
    "all is taken": Mistake(
        ADDED,
        "{since: 2024-02-07, takes: {other: 0.5}}\n  third: {since: 2024-02-07, takes: 0.5}",
        "on 2024-02-07 all of other less than 1 in all until",
        "0.5 (collapse) + 0.5 (third)",
    ),
    "a misspelt key": Mistake(LOCAL, "{sinc: 2024-01-24}", "unknown key `sinc` mean since", "sinc"),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_its_line_and_what_to_do(mistake: Mistake):
    text, line = edited(TEXT, mistake.old, mistake.new)
    found = [fault for fault in faults_of(text) if fault.line == line + mistake.below]
    assert found, [str(fault) for fault in faults_of(text)]
    said = [fault for fault in found if all(word in str(fault) for word in mistake.words.split(" "))]
    assert said, [str(fault) for fault in found]
    assert said[0].value == mistake.value
    assert said[0].fix


def test_two_scenarios_at_all_times():
    text = """\
title: Will they sign?
opened: 2024-01-01
horizon: 2024-03-31
scenarios:
  war: {prior: 0.5, until: 2024-02-01, becomes: {truce: 1}}
  truce: {prior: 0.5}
indicators:
  meeting: {likelihood: {war: 0.1, truce: 0.3}}
"""
    (fault,) = faults_of(text)
    assert (fault.line, fault.value) == (4, "truce")
    assert fault.problem == "from 2024-02-01 on there are fewer than two scenarios"
    late = text.replace("prior: 0.5, until: 2024-02-01, becomes: {truce: 1}", "since: 2024-02-01, takes: 0.2")
    problems = [fault.problem for fault in faults_of(late)]
    assert "on 2024-01-01, when the question opens, there are fewer than two scenarios" in problems


def test_a_question_settled_before_a_change():
    (fault,) = faults_of(TEXT + "resolved: {scenario: local, on: 2024-02-01}\n")
    assert fault.problem == "the scenarios change on 2024-02-07, after the question was settled"
    assert fault.value == "2024-02-01"


def test_only_one_residual_scenario_at_a_time():
    (fault,) = faults_of(TEXT.replace("{title: Local truce, since", "{residual: true, since"))
    assert fault.value == "local, other"
    assert fault.problem.startswith("only one scenario can be residual")
    assert fault.problem.endswith("(for the scenarios there are from 2024-01-24 on)")


def test_every_scenario_there_ever_is_has_its_rows():
    problems = [fault.problem for fault in faults_of(TEXT.replace(", local: 0.2", ""))]
    assert problems == ["indicators.meeting.likelihood has no judgement for local"]
    row = "    collapse: {lasts: 12, then: {war: 1}}\n"
    assert [f.problem for f in faults_of(TEXT.replace(row, ""))] == ["dynamics.moves has no row for collapse"]
    steps = changed(STEPS)
    short = steps.replace("war: [0.9, 0.08, 0, 0, 0.02]", "war: [0.9, 0.08, 0.02]")
    assert short != steps
    (fault,) = faults_of(short)
    assert fault.allowed == "one for each scenario, in this order: war, truce, local, formal, other"


@pytest.mark.parametrize(
    ("kind", "old", "new", "where"),
    [
        (REGIME, "then: {truce: 0.7, other: 0.3}", "then: {collapse: 1}", "dynamics.moves.war.then"),
        (STEPS, "[0, 0.1, 0, 0, 0.9, 0]", "[0, 0, 0, 0, 0, 1]", "dynamics.transition.other"),
    ],
)
def test_a_row_that_names_only_what_is_not_there_yet(kind: str, old: str, new: str, where: str):
    text, line = edited(changed(kind, added=True), old, new)
    found = faults_of(text)
    assert found[0].line == line
    when = "for the scenarios there are before 2024-01-24"
    assert found[0].problem == f"{where} names no scenario that there is ({when})"


def test_ratios_of_an_era_are_not_all_naught():
    text = TEXT.replace("weight: 20", "weight: .inf").replace(
        "likelihood: {war: 1, truce: 3, local: 2, formal: 4, collapse: 1}",
        "likelihood: {war: 0, truce: 0, local: 0, formal: 0, other: 0, collapse: 1}",
    )
    (fault,) = faults_of(text)
    assert fault.problem.endswith("every ratio is 0 (for the scenarios there are before 2024-01-24)")


PIECES = (
    "", "0", "1", "0.5", "-1", ".inf", "{}", "[]", "truce", "collapse", "2024-01-24", "2024-02-07", "since",
    "until: 2024-02-07", "becomes: {war: 1}", "takes: 0.3", "takes: {war: 0.5}", "residual: true", ", ", "}",
)  # fmt: skip


@given(st.sampled_from((TEXT, changed(STEPS, added=True))), st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_whatever_is_written_there_is_a_question_or_faults(text: str, data: st.DataObject):
    words = re.split(r"([{}\[\],:\n ]+)", text)
    for _ in range(data.draw(st.integers(1, 3))):
        words[data.draw(st.integers(20, len(words) - 1))] = data.draw(st.sampled_from(PIECES))
    for fault in faults_of("".join(words)):
        assert fault.problem
