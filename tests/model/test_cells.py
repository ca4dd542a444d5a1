"""Every row of the table of what a report adds, by hand; the value that goes on."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from forecast.case.evidence import Evidence, Report
from forecast.case.question import Indicator
from forecast.model.cells import (
    ReportTerm,
    density_at_mean,
    most_likely,
    report_design,
    report_term,
    value_code,
)
from forecast.model.parameters import build_layout
from forecast.model.report_log import WITHDRAWN
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
    ("original", "independence", "keep", "share"),
    [
        (None, None, 0.0, 1.0),  # its own
        (None, 0.3, 0.0, 1.0),  # independence without an original means nothing
        (1.0, None, 1.0, 0.0),  # a mere repeat
        (1.0, 0.3, 0.7, 0.3),
        (0.0, 0.3, 0.0, 0.3),  # the original says otherwise
        (NAN, 0.3, 0.7 / 3, 0.3),  # the original was withdrawn
        (NAN, None, 1 / 3, 0.0),
    ],
)
def test_each_row_of_the_table(original, independence, keep, share):
    one = report("r", 1, "tone", "warm", "z", credibility="3", independence=independence)
    found = term(one, TONE, original)
    expected = (keep, share / 3, share * 0.7, 0.7, 2.0, LAYOUT.starts["reliability z"])
    assert found == pytest.approx(expected)


def test_probabilities_of_a_report_sum_to_one_over_what_it_could_say():
    """P(y | x) over y, of a repeat whose original stands with one of the values."""
    r, x = 0.75, 1
    total = 0.0
    for y, value in enumerate(TONE.values):
        one = report("r", 1, "tone", value, independence=0.4, credibility="2")
        s = term(one, TONE, 1.0 if y == 2 else 0.0)
        total += s.keep + s.noise * (1 - s.credibility * r) + s.truth * r * (y == x)
    assert total == pytest.approx(1.0)


def test_noise_of_a_number_is_the_mixture_at_the_means():
    pmf = scipy.stats.nbinom(2.5, 2.5 / (2.5 + np.array([6.0, 2.0]))).pmf(3)
    for indicator, y, expected in (
        (RAIDS, 3, scipy.stats.poisson([6.0, 2.0]).pmf(3)),
        (CLASHES, 3, pmf),
        (PRICE, 1.7, scipy.stats.norm([1.0, 2.0], [0.5, 0.8]).pdf(1.7)),
    ):
        found = term(report("r", 1, indicator.id, y), indicator, None)
        assert (found.noise, found.value) == pytest.approx((expected.mean(), y))
        assert [density_at_mean(indicator, s, y) for s in range(2)] == pytest.approx(list(expected))


def test_a_testimony_has_a_reliability_of_its_own():
    assert term(TOLD, TONE, None).slot == LAYOUT.starts["testimony minister"]


def plain(value: int, slot: int = 0) -> ReportTerm:
    return ReportTerm(0.0, 1 / 3, 1.0, 1.0, value, slot)


def test_most_likely_value():
    mean = np.array([0.8, 0.6])
    no_silence = (1.0, 1.0)
    assert most_likely((plain(2), plain(1, 1)), 3, no_silence, mean) == 2  # the more reliable source
    assert most_likely((plain(1, 1), plain(2)), 3, no_silence, mean) == 2
    assert most_likely((plain(2, 1), plain(1, 1)), 3, no_silence, mean) == 1  # a tie: the first in order
    assert most_likely((), 3, (0.95, 0.3), mean) == 0  # silence
    assert most_likely((), 3, (0.1, 0.9), mean) == 1
    assert most_likely((plain(0, 1), plain(1, 1), plain(1, 1)), 3, (0.9, 0.5), mean) == 1
