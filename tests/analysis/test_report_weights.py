"""What is taken from a report: the readings end at its weight of evidence, and begin where hand sums do."""

from __future__ import annotations

import math

import numpy as np
import pytest

from forecast.analysis.weight_of_evidence import PARTS, readings, report_weights
from forecast.case.evidence import Evidence
from forecast.inference.leave_one_out import weights_of_evidence
from forecast.model.parameters import layout
from tests.cases import CASES, Small, binary, day, question, report, small, source

DECIBANS = 10 / math.log(10)


def weights(case: Small) -> tuple[list[str], np.ndarray]:
    """Return the reports that stand, and the weight of each in each reading, (5, R, K), in decibans."""
    found = readings(case.question, case.evidence, case.as_of)
    ids = [one.id for one in case.evidence.known(case.as_of)]
    return ids, report_weights(case.question, case.evidence, case.as_of, found, ids) * DECIBANS


@pytest.mark.parametrize("name", CASES)
def test_the_last_reading_is_the_weight_of_evidence(name):
    case = small(name, False)
    ids, found = weights(case)
    laid = layout(
        case.question, Evidence(tuple(r for r in case.evidence.reports if r.reported <= case.as_of))
    )
    reports, expected = weights_of_evidence(laid, case.evidence, case.as_of)
    assert [one.id for one in reports] == ids
    np.testing.assert_allclose(found[-1], expected, rtol=0, atol=1e-8)


def lone(*log, reliability=(0.7, 0.6)) -> Small:
    """Two scenarios under which an indicator is seen with .2 and .8, and two sources."""
    sources = tuple(source(name, r, math.inf) for name, r in zip("ab", reliability, strict=True))
    q = question((0.5, 0.5), (binary("raid", (0.2, 0.8), math.inf),), sources, math.inf)
    return Small(q, Evidence(log), day(6))


def said(p: float, r: float) -> float:
    """Return P(yes reported | yes happens with p)."""
    return r * p + (1 - r) / 2


def test_a_lone_report_loses_to_doubt_alone():
    ids, found = weights(lone(report("x", 1, "raid", "yes", by="a")))
    sure, doubted = (10 * math.log10(said(0.8, r) / said(0.2, r)) for r in (1.0, 0.7))
    assert ids == ["x"]
    assert found[:, 0, 1] == pytest.approx([sure, doubted, doubted, doubted, doubted], abs=1e-6)


def test_of_two_sure_reports_that_agree_either_is_none():
    both = [report("x", 1, "raid", "yes", by="a"), report("y", 2, "raid", "yes", by="b")]
    _, found = weights(lone(*both))
    assert found[0] == pytest.approx(np.zeros((2, 2)), abs=1e-6)
    assert found[1, :, 1].min() > 0.5  # doubted, each of them says something


def test_of_two_sure_reports_that_clash_either_is_all():
    both = [report("x", 1, "raid", "yes", by="a"), report("y", 2, "raid", "no", by="b")]
    _, found = weights(lone(*both))
    sure = 10 * math.log10(4)
    assert found[0, :, 1] == pytest.approx([sure, -sure], abs=1e-6)


def test_a_repeat_loses_all_that_it_seemed_to_say():
    log = [report("x", 1, "raid", "yes", by="a"), report("y", 2, "raid", "yes", by="b", repeats=("x",))]
    _, found = weights(lone(*log))
    repeats = PARTS.index("repeats")
    assert found[repeats, 1, 1] > 0.5
    assert found[repeats + 1, 1] == pytest.approx(np.zeros(2), abs=1e-9)


def test_a_count_that_waits_weighs_nothing():
    case = small("poisson", False)
    log = Evidence(case.evidence.reports[:1])
    waits = log.reports[0].date
    found = readings(case.question, log, waits)
    assert not report_weights(case.question, log, waits, found, [log.reports[0].id]).any()
