"""How reports come about: put together again, voices and values give the very statements of the model."""

from __future__ import annotations

import math

import numpy as np
import pytest

from forecast.inference.predictive.design import GONE, Designer, in_turn, members, statement_of
from forecast.model.cells import Statement
from forecast.model.problem import build_problem
from tests.cases import CASES, small


@pytest.mark.parametrize("name", CASES)
def test_voices_and_values_give_the_statements_of_the_model(name):
    """On every trend date of every small case; so do silence, hold and held."""
    case = small(name, False)
    problem = build_problem(case.question, case.evidence, case.as_of)
    designer, seen = Designer(problem), 0
    for step in problem.steps:
        found = list(designer.places(step.course, step.date))
        assert len(found) == step.course.start[-1, -1]
        for place, kind in zip(found, step.course.kind, strict=False):
            c = step.course.cell[kind]
            record = problem.cells.cell[c]
            rows = [c, *range(record["child"], record["child"] + record["children"])]
            for row, blank, said in zip(rows, members(place.blank), place.said, strict=True):
                one, seen = problem.cells.cell[row], seen + len(said)
                written = [Statement(*r.item()) for r in problem.cells.report[one["first"] : one["end"]]]
                assert written == [
                    statement_of(voice, said, own, problem.layout, blank.indicator)
                    for voice, own in zip(blank.voices, said, strict=True)
                ]
                watch = blank.watch or (0.0, 0.0)
                assert (1 - watch[1], 1 - watch[0]) == pytest.approx((one["quiet"], one["active"]))
                assert (blank.hold, blank.held) == (one["hold"], one["held"])
                q = case.question.indicators[blank.indicator].persistence
                gap = place.period - blank.before
                assert blank.hold == pytest.approx(0.0 if q is None or blank.before < 0 else q**gap)
    assert seen > 0 or name == "nothing_heard"


def test_who_passes_on_whom():
    """The repeats of a case made for them, as known at its end: by id, or that the original is gone."""
    case = small("repeat_of_withdrawn", True)
    problem = build_problem(case.question, case.evidence, case.as_of)
    designer, step = Designer(problem), problem.steps[-1]
    found = {}
    for place in designer.places(step.course, step.date):
        live = designer.live(place.unit, place.period, place.blank, step.date)
        for report, voice in zip(live, place.blank.voices, strict=True):
            names = [live[o].id if o != GONE else "gone" for o in voice.originals]
            found[report.id] = voice.own, names
    assert found == {
        "r2": (0.3, ["gone"]),
        "r3": (0.0, ["gone"]),
        "k4": (1.0, []),
        "r5": (0.3, ["gone"]),
        "k6": (1.0, []),
        "r7": (0.6, ["k6"]),
        "r9": (0.0, ["gone"]),
        "k8": (1.0, []),
        "k11": (1.0, []),
        "r11": (0.3, ["k11"]),
    }


def test_a_report_comes_after_what_it_passes_on():
    case = small("repeat_before_original", True)
    problem = build_problem(case.question, case.evidence, case.as_of)
    step = problem.steps[-1]
    orders = [in_turn(p.blank.voices) for p in Designer(problem).places(step.course, step.date)]
    assert orders == [[1, 0], [0, 2, 1]]


def test_a_circle_is_cut():
    case = small("repeat_before_original", True)
    problem = build_problem(case.question, case.evidence, case.as_of)
    (place, _) = Designer(problem).places(problem.steps[-1].course, problem.steps[-1].date)
    one, two = place.blank.voices
    assert in_turn((one._replace(originals=(1,)), two._replace(originals=(0,)))) == [0, 1]
    assert math.isfinite(np.sum(in_turn(())))
