"""The weight of evidence of a report: Bayes by hand, and two runs of the filter with and without it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from forecast.case.evidence import Evidence
from forecast.inference.report_weights import weights_of_evidence
from forecast.model.parameters import build_layout
from tests.cases import CASES, FILED_CASES, binary, day, question, report, small, source
from tests.oracles import enumerate_posterior, mean_theta


def test_one_report_is_bayes_by_hand():
    """10 log10 of the likelihood ratio of one scenario against the rest."""
    prior, chances = np.array([0.5, 0.3, 0.2]), np.array([0.6, 0.2, 0.1])
    q = question((0.5, 0.3, 0.2), (binary("raid", (0.6, 0.2, 0.1), 20.0),), (source("s", 0.8, 20.0),), 20.0)
    log = Evidence((report("a", 1, "raid", "yes"),))
    reports, weight = weights_of_evidence(build_layout(q, log), log, day(6))
    assert [r.id for r in reports] == ["a"]
    m = 0.8 * chances + 0.1
    rest = [(prior @ m - prior[s] * m[s]) / (1 - prior[s]) for s in range(3)]
    assert weight[0] == pytest.approx(10 * np.log10(m / rest))


@pytest.mark.parametrize(
    "name",
    [
        n
        for n in (*CASES, *FILED_CASES)
        if n
        not in ("of_units", "units_static", "repeated", "repeat_of_withdrawn", "nothing_heard", "filed_units")
    ],
)
def test_leaving_out_is_running_without(name):
    """The oracle's log odds with and without each report that corrects none and is not corrected.

    One that was alone in a cell whose filing is evidence leaves the cell unknown, which no log can say.
    """
    case = small(name, False)
    q, theta = case.question, mean_theta(case.question, case.evidence)
    reports, weight = weights_of_evidence(build_layout(q, case.evidence), case.evidence, case.as_of)
    chain = {r.replaces for r in case.evidence.reports} | {r.id for r in case.evidence.reports if r.replaces}

    def log_odds(log: Evidence) -> np.ndarray:
        p = enumerate_posterior(q, log, case.as_of, theta, ahead=False)["now"]
        return np.asarray(np.log(p) - np.log1p(-p))

    whole, checked = log_odds(case.evidence), 0
    for one, found in zip(reports, weight, strict=True):
        cell = [
            r
            for r in reports
            if (r.indicator, r.unit, q.period(r.date)) == (one.indicator, one.unit, q.period(one.date))
        ]
        unknown = len(cell) == 1 and name in FILED_CASES
        if one.id not in chain and not unknown:
            rest = [r for r in case.evidence.reports if r.id != one.id]
            rest = [replace(r, repeats=tuple(i for i in r.repeats if i != one.id)) for r in rest]
            expected = (whole - log_odds(Evidence(tuple(rest)))) * 10 / math.log(10)
            np.testing.assert_allclose(found, expected, atol=1e-8)
            checked += 1
    assert checked or name in FILED_CASES


def test_units_are_weighed_each_by_its_own_odds():
    case = small("units_static", False)
    q, theta = case.question, mean_theta(case.question, case.evidence)
    reports, weight = weights_of_evidence(build_layout(q, case.evidence), case.evidence, case.as_of)
    assert [r.unit for r in reports] == ["north", "north"]
    now = enumerate_posterior(q, case.evidence, case.as_of, theta, ahead=False)["now"][0]
    one = enumerate_posterior(q, Evidence(case.evidence.reports[:1]), case.as_of, theta, ahead=False)["now"][
        0
    ]
    expected = 10 * np.log10(now / (1 - now) / (one / (1 - one)))
    assert weight[1] == pytest.approx(expected)


def test_of_two_reports_of_the_same_thing_each_adds_little():
    q = question(
        (0.5, 0.5),
        (binary("raid", (0.9, 0.01), 20.0),),
        (source("s", 0.95, 20.0), source("z", 0.95, 20.0)),
        20.0,
    )
    one, two = report("a", 1, "raid", "yes"), report("b", 2, "raid", "yes", "z")
    alone, both = (
        weights_of_evidence(build_layout(q, Evidence(log)), Evidence(log), day(6))[1][:, 0]
        for log in ((one,), (one, two))
    )
    assert both[0] == pytest.approx(both[1])
    assert 0 < both[0] < alone[0] / 2


def test_nothing_heard():
    q = question((0.5, 0.5), (binary("raid", (0.9, 0.01), 20.0),), (source("s", 0.9, 20.0),), 20.0)
    reports, weight = weights_of_evidence(build_layout(q, Evidence()), Evidence(), day(6))
    assert reports == ()
    assert weight.shape == (0, 2)
