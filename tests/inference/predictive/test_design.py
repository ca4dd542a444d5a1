"""How reports come about: put together again, designs and values give the very terms of the model."""

from __future__ import annotations

import math

import numpy as np
import pytest

from forecast.inference.predictive.design import NOBODY, EvidenceDesign, originals_first
from forecast.inference.predictive.new_evidence import Outcome, cell_content
from forecast.model.cells import flatten
from forecast.model.likelihood import Cells
from forecast.model.problem import build_problem
from forecast.model.report_log import WITHDRAWN
from tests.cases import CASES, FILED_CASES, small


@pytest.mark.parametrize("name", [*CASES, *FILED_CASES])
def test_designs_and_values_give_the_contents_of_the_model(name):
    """On every trend date of every small case: what is drawn, put as it was, is the cell of the model."""
    case = small(name, False)
    problem = build_problem(case.question, case.evidence, case.as_of)
    designer, layout, seen = EvidenceDesign(problem), problem.layout, 0
    for step in problem.steps:
        found = list(designer.places(step.sequence, step.date))
        assert len(found) == step.sequence.start[-1, -1]
        cells = step.sequence.cell[step.sequence.kind[: len(found)]]
        contents = []
        for place in found:
            seen += sum(map(len, place.stated))
            earlier = designer.statements(place.unit, place.design.indicator, step.date)
            again = next((v for t, v in reversed(earlier) if t < place.period), NOBODY)
            again = again if designer.remembers(place.design.indicator) else NOBODY
            there = any(design.given is None for design in place.design.reports)
            contents.append(cell_content(place.design, Outcome(place.stated, there, 0.0, again), layout))
        assert_alike(problem.cells, cells, flatten(contents, layout))
    assert seen > 0 or name == "nothing_heard"


def assert_alike(cells: Cells, heads: np.ndarray, other: Cells) -> None:
    """Compare cells of a problem with others, their children included."""
    pairs = list(zip(heads.tolist(), range(len(heads)), strict=True))
    for one, two in pairs:
        mine, its = cells.cell[one], other.cell[two]
        for name in ("indicator", "quiet", "active", "ratio", "filed", "silent", "again", "children"):
            assert mine[name] == pytest.approx(its[name]), name
        reports = cells.report[mine["first"] : mine["end"]], other.report[its["first"] : its["end"]]
        for name in ("passed", "lost", "own", "credibility", "value", "slot", "log_noise", "error"):
            assert reports[0][name].tolist() == reports[1][name].tolist(), name
        pairs += [(mine["child"] + n, its["child"] + n) for n in range(mine["children"])]


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
