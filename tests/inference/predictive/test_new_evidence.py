"""What is new on a date, and what was known before."""

from __future__ import annotations

import math

import numpy as np
import pytest

from forecast.case.evidence import Evidence
from forecast.inference.predictive.design import EvidenceDesign, cell_and_children
from forecast.inference.predictive.new_evidence import EvidenceIncrement, evidence_increment
from forecast.model.cell_sequence import unit_and_period
from forecast.model.hmm import filter_particles
from forecast.model.problem import Problem, build_problem
from tests.cases import CASES, FILED_CASES, Small, binary, day, question, ratio, report, small, source


def of(case: Small) -> tuple[Problem, list[EvidenceIncrement]]:
    problem = build_problem(case.question, case.evidence, case.as_of)
    return problem, [
        evidence_increment(problem, EvidenceDesign(problem), k) for k in range(len(problem.steps))
    ]


def given(case: Small, problem: Problem, k: int, new: EvidenceIncrement) -> dict[str, bool]:
    """Return of each report in a cell with something new whether it is given."""
    designer, on, found = EvidenceDesign(problem), problem.steps[k].date, dict[str, bool]()
    for part in new.parts:
        for cell in cell_and_children(part.place.design):
            live = designer.live(part.place.unit, part.place.period, cell, on)
            found |= {r.id: v.given is not None for r, v in zip(live, cell.reports, strict=True)}
    return found


def log_likelihood(problem: Problem, new: EvidenceIncrement) -> float:
    """Return log p(what was known before) at the judgements' means."""
    theta = problem.layout.mean[None].copy()
    filtered = filter_particles(theta, new.known, new.cells, problem.layout.arrays)
    return float(filtered.log_norm.sum())


@pytest.mark.parametrize("name", [*CASES, *FILED_CASES])
def test_what_was_known_is_the_evidence_of_the_date_before(name):
    """Unless something of it has gone: the same likelihood, whatever has been taken apart for it."""
    case, before = small(name, False), 0.0
    problem, found = of(case)
    for k, (step, new) in enumerate(zip(problem.steps, found, strict=True)):
        assert new.known.start.shape[1] - 1 == step.periods
        if k and not new.lost:
            assert log_likelihood(problem, new) == pytest.approx(before, abs=1e-9)
        whole = new._replace(known=step.sequence, cells=problem.cells)
        before = log_likelihood(problem, whole)


def test_every_report_is_new_once():
    """And none where nothing is told anew."""
    case = small("agreeing_and_clashing", False)
    _, found = of(case)
    assert sum(new.reports for new in found) == len(case.evidence.reports)
    assert [new.lost for new in found] == [False] * len(found)


def test_a_second_report_of_a_cell_finds_the_first_given():
    case = small("repeat_before_original", False)
    log = tuple(r for r in case.evidence.reports if r.id in ("r1", "r2"))
    problem, found = of(Small(case.question, Evidence(log), day(13)))
    assert given(case, problem, 0, found[0]) == {"r1": False}
    # r1 passes on r2, which became known only now: how r1 came about has changed
    assert given(case, problem, 1, found[1]) == {"r1": False, "r2": False}
    assert found[1].lost
    late = (report("a", 1, "meeting", "yes"), report("b", 2, "meeting", "no", "z", known=9))
    problem, found = of(Small(case.question, Evidence(late), day(13)))
    assert given(case, problem, 1, found[1]) == {"a": True, "b": False}
    assert not found[1].lost


def test_what_a_ratio_says_is_never_new():
    q = question(
        (0.5, 0.5), (ratio("view", (1, 4)), binary("raid", (0.2, 0.5), 20.0)), (source("s", 0.9, 9),), 9
    )
    log = (report("a", 1, "view", "yes"), report("b", 2, "raid", "yes"))
    problem, (new,) = of(Small(q, Evidence(log), day(6)))
    assert new.reports == 1
    assert new.lost  # particles of before do not know it
    unit, _ = unit_and_period(new.known)
    assert len(unit) == 2
    r = 0.9
    alone = math.log(0.5 * ((1 - r) / 2 + r * 0.25) + 0.5 * ((1 - r) / 2 + r))
    assert log_likelihood(problem, new) == pytest.approx(alone)


def test_silence_that_lasts_is_new_once():
    case = small("silence", False)
    _, found = of(case)
    assert sum(new.silences for new in found) == 2  # of the periods 1 to 3; the last was broken in time
    assert np.all([new.silences <= 1 for new in found])
