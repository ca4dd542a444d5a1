"""Numbers as they are printed in the literature."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from forecast.case.evidence import Evidence
from forecast.case.judgement import Proportions
from forecast.case.question import Indicator, Question, Scenario, Transition
from forecast.inference.engine import infer
from tests.cases import OPENED, binary, category, day, question, report, source
from tests.inference.answers import answers
from tests.oracles.paths import Array

INF = math.inf
SURE = (source("s", 1.0, INF),)


def exact(q: Question, log: list[tuple[int, str, str]], as_of: int) -> dict[str, Array]:
    """The engine's answers from fully reliable reports (day, indicator, value)."""
    evidence = Evidence(tuple(report(f"r{k}", *row) for k, row in enumerate(log)))
    return answers(infer(q, evidence, as_of=day(as_of), draws=20, chains=2))


def test_schweitzer_1976():
    """One report of an indicator, .99 and .80 likely, moves .10 to .120879."""
    q = question((0.10, 0.90), (binary("activity", (0.99, 0.80), INF),), SURE, INF)
    now = exact(q, [(1, "activity", "yes")], 6)["now"]
    assert now[0] == pytest.approx(0.120879, abs=5e-7)


def test_umbrella_world():
    """Russell and Norvig: filtered .818 and .883 on days 1 and 2; smoothed .883 on day 1."""
    rows = (Proportions((0.7, 0.3), INF), Proportions((0.3, 0.7), INF))
    q = question((0.5, 0.5), (binary("umbrella", (0.9, 0.2), INF),), SURE, INF)
    q = replace(q, dynamics=Transition(rows), period_days=1, horizon=day(2))
    found = exact(q, [(1, "umbrella", "yes"), (2, "umbrella", "yes")], 2)
    assert found["trend"][:, 0].round(3) == pytest.approx([0.5, 0.818, 0.883])
    assert found["smoothed"][1, 0].round(3) == pytest.approx(0.883)


def test_monty_hall():
    """You chose the first door; the host, who never shows the prize, opens the third."""
    opens = category("host", ("opens_2", "opens_3"), ((0.5, 0.5), (0.0, 1.0), (1.0, 0.0)), INF)
    q = question((1 / 3, 1 / 3, 1 / 3), (opens,), SURE, INF)
    now = exact(q, [(1, "host", "opens_3")], 6)["now"]
    assert now == pytest.approx([1 / 3, 2 / 3, 0.0])


def test_think_bayes_dice():
    """Downey: which die, of 4, 6, 8, 12 and 20 sides, rolled 6, and then 6, 8, 7, 7, 5, 4?"""
    sides, faces = (4, 6, 8, 12, 20), tuple(str(k) for k in range(1, 21))
    judged = tuple(Proportions(tuple(1 / n * (k < n) for k in range(20)), INF) for n in sides)
    roll = Indicator("roll", "Roll", "category", faces, judged)
    dice = tuple(Scenario(f"d{n}", f"{n} sides") for n in sides)
    q = Question(
        "Which die?", OPENED, day(6), dice, Proportions((0.2,) * 5, INF), (roll,), SURE, period_days=1
    )
    log = [(k, "roll", str(v)) for k, v in enumerate((6, 6, 8, 7, 7, 5, 4))]
    trend = exact(q, log, 6)["trend"]
    assert trend[0] == pytest.approx([0.0, 0.392157, 0.294118, 0.196078, 0.117647], abs=5e-7)
    assert trend[-1] == pytest.approx([0.0, 0.0, 0.943248, 0.055206, 0.001545], abs=5e-7)
    assert np.all(trend[-1, :2] == 0)
