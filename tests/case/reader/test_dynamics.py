"""Event questions and static ones: what is read, what is refused, and what each message says."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from scipy import stats

from forecast.case.judgement import LogitNormal, Positive
from forecast.case.question import Event, Question
from forecast.case.reader.question import read_question
from tests.case.base import HEADER, changed, write
from tests.case.reader.test_reader_malformed import Mistake, check, faults_of

EVENT = """\
title: Will it be invaded?
opened: 2024-01-01
horizon: 2024-06-30
scenarios:
  none: {prior: 0.8, status_quo: true}
  limited: {prior: 0.13}
  full: {prior: 0.07}
event:
  preparing: {lasts: {low: 3, high: 10}, ends_in_event: 0.5}
indicators:
  hospitals: {likelihood: {none: 0.02, limited: 0.2, full: 0.5}}
sources: {agency: {reliability: B}}
"""
EACH = "{limited: {lasts: 4, ends_in_event: 0.3}, full: {lasts: 8, ends_in_event: 1}}"
SHARED = "{lasts: {low: 3, high: 10}, ends_in_event: 0.5}"


def read(text: str, folder: Path) -> Question:
    """Return the question that a text says."""
    return read_question(write(folder, text, HEADER) / "question.yaml")


def event_of(text: str, folder: Path) -> Event:
    """Return the event of the question that a text says."""
    event = read(text, folder).event
    assert event is not None
    return event


def test_an_event_that_all_scenarios_share(tmp_path: Path):
    event = event_of(EVENT, tmp_path)
    assert (event.status_quo, event.timing) == (0, "steady")
    assert event.ends_in_event == (LogitNormal(0.5, 1.0),)
    (rate,) = event.leave
    law = stats.gamma(rate.shape, scale=rate.mean / rate.shape)
    assert law.ppf([0.05, 0.95]) == pytest.approx([1 / 10, 1 / 3])


def test_an_event_with_preparations_of_their_own(tmp_path: Path):
    event = event_of(EVENT.replace(SHARED, EACH), tmp_path)
    assert event.leave == (Positive(0.25, 20.0), Positive(0.125, 20.0))
    assert event.ends_in_event == (LogitNormal(0.3, 1.0), LogitNormal(1.0, 0.0))


def test_an_event_whose_status_quo_is_not_the_first_and_that_comes_late(tmp_path: Path):
    late = EVENT.replace("event:\n", "event:\n  timing: late\n")
    late = late.replace(", status_quo: true", "").replace("prior: 0.07}", "prior: 0.07, status_quo: true}")
    late = late.replace("prior: 0.8", "prior: 0.1").replace("0.07", "0.77")
    event = event_of(late, tmp_path)
    assert (event.status_quo, event.timing) == (2, "late")


@pytest.mark.parametrize(
    ("written", "shape", "sd", "learns"),
    [
        ("{lasts: 6, ends_in_event: 0.5}", 20.0, 1.0, True),
        ("{lasts: 6, ends_in_event: 0.5, weight: 9}", 9.0, 1.0, True),
        ("{lasts: 6, ends_in_event: 0.5, weight: .inf}", math.inf, 0.0, True),
        ("{lasts: 6, ends_in_event: {p: 0.5, weight: .inf}}", 20.0, 0.0, True),
        ("{lasts: 6, ends_in_event: 0.5, learn: false}", 20.0, 1.0, False),
    ],
)
def test_the_weight_of_an_event(written: str, shape: float, sd: float, learns: bool, tmp_path: Path):
    event = event_of(EVENT.replace(SHARED, written), tmp_path)
    assert event.leave == (Positive(1 / 6, shape, learns),)
    assert event.ends_in_event == (LogitNormal(0.5, sd, learns),)


def test_an_infinite_weight_at_the_top_makes_an_event_exact(tmp_path: Path):
    text = EVENT.replace("event:\n", "weight: .inf\nevent:\n").replace("{low: 3, high: 10}", "6")
    event = event_of(text, tmp_path)
    assert (event.leave[0].exact, event.ends_in_event[0].exact) == (True, True)


def test_a_static_question_may_say_so(tmp_path: Path):
    start, stop = EVENT.index("event:\n"), EVENT.index("indicators:")
    plain = EVENT.replace(", status_quo: true", "").replace(EVENT[start:stop], "")
    said = plain.replace("indicators:", "dynamics: static\nindicators:")
    assert (read(plain, tmp_path).static, read(said, tmp_path).static) == (False, True)
    assert read(said, tmp_path).dynamics is None


MISTAKES = {
    "no status quo": Mistake(", status_quo: true", "", "exactly one status quo found: none", -1),
    "two of them": Mistake("{prior: 0.13}", "{prior: 0.13, status_quo: true}", "found: none, limited", -2),
    "without an event": Mistake(
        f"event:\n  preparing: {SHARED}\n", "", "scenarios.none.status_quo goes with event only", -3
    ),
    "residual": Mistake("{prior: 0.13}", "{prior: 0.13, residual: true}", "limited.residual cannot stand"),
    "dynamics": Mistake("event:\n", "dynamics: {moves: {}}\nevent:\n", "dynamics or event, not both"),
    "static": Mistake("event:\n", "dynamics: static\nevent:\n", "not both found: static"),
    "a scenario that begins": Mistake(
        "{prior: 0.07}", "{prior: 0.07, until: 2024-03-01, becomes: {limited: 1}}", "full.until cannot change"
    ),
    "unknown timing": Mistake("event:\n", "event:\n  timing: early\n", "event.timing steady, late"),
    "no preparing": Mistake(f"  preparing: {SHARED}\n", "  timing: late\n", "preparing is missing write", -1),
    "no number": Mistake(SHARED, "often", "preparing must be a block {lasts: {low: 3, high: 10}"),
    "no share": Mistake(", ends_in_event: 0.5", "", "ends_in_event is missing share of preparations"),
    "no length": Mistake("lasts: {low: 3, high: 10}, ", "", "lasts is missing how many periods"),
    "forever": Mistake("lasts: {low: 3, high: 10}", "lasts: .inf", "lasts is out of range above 0"),
    "share of nothing": Mistake("ends_in_event: 0.5", "ends_in_event: 0", "above 0 and at most 1"),
    "weight of a share": Mistake(
        "ends_in_event: 0.5", "ends_in_event: {p: 0.5, weight: 9}", "weight cannot be chosen here .inf"
    ),
    "misspelt": Mistake("ends_in_event: 0.5", "ends_in_event: 0.5, last: 3", "unknown key last mean lasts"),
    "one scenario of two": Mistake(
        SHARED, "{full: {lasts: 4, ends_in_event: 0.3}}", "has no entry for limited every scenario"
    ),
    "moves": Mistake("event:\n", "event:\n  moves: {}\n", "unknown key moves in event preparing, timing"),
    "unknown word of dynamics": Mistake(
        f"event:\n  preparing: {SHARED}\n", "dynamics: statc\n", "static, or {moves: {...}} mean static"
    ),
    "too few periods": Mistake(
        "horizon: 2024-06-30", "horizon: 2024-01-10", "at least two periods this one has 1 shorter period"
    ),
    "in preparation all the time": Mistake(
        SHARED,
        "{lasts: 10, ends_in_event: 0.05}",
        "event: the numbers contradict each other 179% at most 0.11",
        -1,
    ),
    "longer than between two": Mistake(
        SHARED, "{lasts: 200, ends_in_event: 1}", "in preparation 179% of the time at most 0.11", -1
    ),
    "late, less than a period": Mistake(
        f"event:\n  preparing: {SHARED}\n",
        "event:\n  timing: late\n  preparing: {lasts: 0.5, ends_in_event: 0.5}\n",
        "preparing lasts less than a period",
        -1,
    ),
    "late, too often": Mistake(
        f"event:\n  preparing: {SHARED}\n",
        "event:\n  timing: late\n  preparing: {lasts: 12, ends_in_event: 0.1}\n",
        "towards the horizon at most",
        -1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_in_an_event(mistake: Mistake, tmp_path: Path):
    text, line = changed(EVENT, mistake.old, mistake.new)
    if "statc" in mistake.new:
        text = text.replace(", status_quo: true", "")
    (fault,) = faults_of(write(tmp_path, text, HEADER))
    check(fault, tmp_path / "question.yaml", line + mistake.below, mistake.words)


def test_a_scenario_that_cannot_happen_is_named(tmp_path: Path):
    each = EACH.replace("{limited", "{none: {lasts: 4, ends_in_event: 0.3}, limited")
    (fault,) = faults_of(write(tmp_path, EVENT.replace(SHARED, each), HEADER))
    assert "unknown key `none` in event.preparing" in fault.problem
