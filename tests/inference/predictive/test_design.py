"""How reports come about: put together again, designs and values give the very terms of the model."""

from __future__ import annotations

import math

import numpy as np
import pytest

from forecast.inference.predictive.design import (
    EvidenceDesign,
    cell_and_children,
    originals_first,
)
from forecast.model.cells import ReportTerm, report_term
from forecast.model.problem import build_problem
from forecast.model.report_log import WITHDRAWN
from tests.cases import CASES, small


@pytest.mark.parametrize("name", CASES)
def test_designs_and_values_give_the_terms_of_the_model(name):
    """On every trend date of every small case; so do silence, hold and held."""
    case = small(name, False)
    problem = build_problem(case.question, case.evidence, case.as_of)
    designer, seen = EvidenceDesign(problem), 0
    for step in problem.steps:
        found = list(designer.places(step.sequence, step.date))
        assert len(found) == step.sequence.start[-1, -1]
        for place, kind in zip(found, step.sequence.kind, strict=False):
            c = step.sequence.cell[kind]
            record = problem.cells.cell[c]
            rows = [c, *range(record["child"], record["child"] + record["children"])]
            for row, cell, stated in zip(rows, cell_and_children(place.design), place.stated, strict=True):
                one, seen = problem.cells.cell[row], seen + len(stated)
                written = [ReportTerm(*r.item()) for r in problem.cells.report[one["first"] : one["end"]]]
                assert written == [
                    report_term(design, stated, own, problem.layout, cell.indicator)
                    for design, own in zip(cell.reports, stated, strict=True)
                ]
                monitoring = cell.monitoring or (0.0, 0.0)
                assert (1 - monitoring[1], 1 - monitoring[0]) == pytest.approx((one["quiet"], one["active"]))
                assert (cell.hold, cell.held) == (one["hold"], one["held"])
                q = case.question.indicators[cell.indicator].persistence
                gap = place.period - cell.before
                assert cell.hold == pytest.approx(0.0 if q is None or cell.before < 0 else q**gap)
    assert seen > 0 or name == "nothing_heard"


def test_who_passes_on_whom():
    """The repeats of a case made for them, as known at its end: by id, or that the original is gone."""
    case = small("repeat_of_withdrawn", True)
    problem = build_problem(case.question, case.evidence, case.as_of)
    designer, step = EvidenceDesign(problem), problem.steps[-1]
    found = {}
    for place in designer.places(step.sequence, step.date):
        live = designer.live(place.unit, place.period, place.design, step.date)
        for report, design in zip(live, place.design.reports, strict=True):
            names = [live[o].id if o != WITHDRAWN else "gone" for o in design.originals]
            found[report.id] = design.independence, names
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
    orders = [
        originals_first(p.design.reports) for p in EvidenceDesign(problem).places(step.sequence, step.date)
    ]
    assert orders == [[1, 0], [0, 2, 1]]


def test_a_circle_is_cut():
    case = small("repeat_before_original", True)
    problem = build_problem(case.question, case.evidence, case.as_of)
    (place, _) = EvidenceDesign(problem).places(problem.steps[-1].sequence, problem.steps[-1].date)
    one, two = place.design.reports
    assert originals_first((one._replace(originals=(1,)), two._replace(originals=(0,)))) == [0, 1]
    assert math.isfinite(np.sum(originals_first(())))
