"""Every row of the table of what a report adds, by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from forecast.case.evidence import Evidence, Report
from forecast.case.number_noise import log_noise
from forecast.case.question import Indicator
from forecast.model.cells import report_design, report_term, value_code
from forecast.model.parameters import build_layout
from forecast.model.report_log import WITHDRAWN
from forecast.model.report_terms import ReportTerm
from tests.cases import category, count, measure, question, report, source

Q = question(
    (0.6, 0.4),
    (
        category("tone", ("cold", "cool", "warm"), ((0.5, 0.3, 0.2), (0.2, 0.3, 0.5)), 20.0),
        count("raids", (6.0, 2.0), 4.0),
        count("clashes", (6.0, 2.0), 4.0, dispersion=2.5),
        measure("price", (1.0, 2.0), (0.5, 0.8), 5.0),
    ),
    (source("s", 0.8, 20.0), source("z", 0.7, 20.0)),
    20.0,
)
TOLD = report("t", 1, "tone", "warm", "z", testimony="minister")
LAYOUT = build_layout(Q, Evidence((TOLD,)))
TONE, RAIDS, CLASHES, PRICE = Q.indicators
NAN = math.nan


def term(one: Report, indicator: Indicator, original: float | None) -> ReportTerm:
    """A report's term where its original says the same (1), something else (0), or was withdrawn (nan)."""
    value, i = value_code(one, indicator), Q.indicators.index(indicator)
    if original is None:
        return report_term(report_design(one, (), LAYOUT), (value,), value, LAYOUT, i)
    design = report_design(one, (WITHDRAWN if math.isnan(original) else 0,), LAYOUT)
    return report_term(design, (value if original else value + 1, value), value, LAYOUT, i)


@pytest.mark.parametrize(
    ("original", "independence", "passed", "lost", "own"),
    [
        (None, None, 0.0, 0.0, 1.0),  # its own
        (None, 0.3, 0.0, 0.0, 1.0),  # independence without an original means nothing
        (1.0, None, 1.0, 0.0, 0.0),  # a mere repeat
        (1.0, 0.3, 0.7, 0.0, 0.3),
        (0.0, 0.3, 0.0, 0.0, 0.3),  # the original says otherwise
        (NAN, 0.3, 0.0, 0.7, 0.3),  # the original was withdrawn
        (NAN, None, 0.0, 1.0, 0.0),
    ],
)
def test_each_row_of_the_table(original, independence, passed, lost, own):
    one = report("r", 1, "tone", "warm", "z", credibility="3", independence=independence)
    found = term(one, TONE, original)
    expected = (passed, lost, own, 0.7, 2.0, LAYOUT.starts["reliability z"], 0.0, 0.0)
    assert found == pytest.approx(expected)


def test_probabilities_of_a_report_sum_to_one_over_what_it_could_say():
    """P(y | x) over y, of a repeat whose original stands with one of the values."""
    r, x, total = 0.75, 1, 0.0
    for y, (value, u) in enumerate(zip(TONE.values, (0.2, 0.5, 0.3), strict=True)):
        one = report("r", 1, "tone", value, independence=0.4, credibility="2")
        s = term(one, TONE, 1.0 if y == 2 else 0.0)
        total += s.passed + (s.lost + s.own * (1 - s.credibility * r)) * u
        total += s.own * s.credibility * r * (y == x)
    assert total == pytest.approx(1.0)


def test_a_number_has_its_noise_and_its_error():
    for indicator, y in ((RAIDS, 3), (CLASHES, 3), (PRICE, 1.7)):
        found = term(report("r", 1, indicator.id, y), indicator, None)
        assert (found.log_noise, found.value, found.error) == (log_noise(indicator, y), y, 0.0)
    off = replace(Q, indicators=(replace(PRICE, error=0.2),))
    for sources, error in ((Q.sources, 0.2), (tuple(replace(s, error=0.5) for s in Q.sources), 0.5)):
        layout = build_layout(replace(off, sources=sources), Evidence())
        assert report_design(report("r", 1, "price", 1.7), (), layout).error == error


def test_a_testimony_has_a_reliability_of_its_own():
    assert term(TOLD, TONE, None).slot == LAYOUT.starts["testimony minister"]
