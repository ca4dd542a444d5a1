"""Likelihood of cells of numbers over magnitudes, against 50-digit arithmetic and enumeration."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

from forecast.case.evidence import Evidence
from forecast.case.judgement import MeasureMean, Positive
from forecast.case.number_noise import log_noise
from forecast.case.question import Indicator
from forecast.model.densities import log_density, log_negative_binomial, log_poisson
from forecast.model.jit import kernel
from forecast.model.numbers import draw_number, log_number_cell
from forecast.model.parameters import Arrays, build_layout
from forecast.model.report_terms import ReportTerm, report_array
from tests.cases import count, measure, question, source
from tests.oracles import numbers as oracle

RELIABILITIES = (0.85, 0.5, 0.15, 0.999, 1.0, 1e-9)
SETTINGS = settings(max_examples=60, deadline=None)

magnitude = st.floats(-9.0, 9.0).map(lambda x: 10.0**x)
whole = st.one_of(st.integers(0, 20), st.floats(0.0, 9.0).map(lambda x: round(10.0**x))).map(float)
reliability = st.sampled_from(RELIABILITIES[:4] + RELIABILITIES[5:])


def arrays(indicator: Indicator) -> tuple[Arrays, np.ndarray]:
    """The layout of a question with one indicator, and its judgements at their means."""
    layout = build_layout(question((0.5, 0.5), (indicator,), (source("s", 0.8, 20.0),), 20.0), Evidence())
    return layout.arrays, np.concatenate([layout.mean, RELIABILITIES])


def own(y: float, r: int, indicator: Indicator, c: float = 1.0) -> ReportTerm:
    """A report of y by a source with the r-th of the reliabilities."""
    return ReportTerm(0.0, 0.0, 1.0, c, y, r - len(RELIABILITIES), log_noise(indicator, y))


def placed(terms: list[ReportTerm], theta: np.ndarray) -> list[ReportTerm]:
    """The reports with their slots counted from the front."""
    return [term._replace(slot=term.slot % len(theta)) for term in terms]


def log_m(indicator: Indicator, terms: list[ReportTerm]) -> np.ndarray:
    """log m(s) of a cell."""
    a, theta = arrays(indicator)
    out = np.empty(2)
    log_number_cell(0, len(terms), 0, theta, report_array([placed(terms, theta)]), np.empty(0), a, out)
    return out


def expected(indicator: Indicator, terms: list[ReportTerm]) -> list[float]:
    """log m(s) in 50 digits."""
    _, theta = arrays(indicator)
    f = [{t.value: density(indicator, s, t.value) for t in terms} for s in range(2)]
    return [float(x) for x in oracle.log_cell(placed(terms, theta), list(map(float, theta)), f)]


def density(indicator: Indicator, s: int, y: float) -> mpf:
    """f(y | s) in 50 digits."""
    judgement = indicator.likelihood[s]
    if isinstance(judgement, MeasureMean):
        return oracle.normal(y, judgement.mean, judgement.sd)
    assert isinstance(judgement, Positive)
    if indicator.dispersion is None:
        return oracle.poisson(y, judgement.mean)
    return oracle.negative_binomial(y, judgement.mean, indicator.dispersion)


@SETTINGS
@given(y=whole, m=magnitude)
def test_poisson_over_magnitudes(y, m):
    assert log_poisson(y, m) == pytest.approx(float(mp.log(oracle.poisson(y, m))), rel=1e-13, abs=1e-12)


@SETTINGS
@given(y=whole, m=magnitude, k=magnitude)
def test_negative_binomial_over_magnitudes_and_dispersions(y, m, k):
    exact = float(mp.log(oracle.negative_binomial(y, m, k)))
    assert log_negative_binomial(y, m, k) == pytest.approx(exact, rel=1e-13, abs=1e-12)


def test_the_negative_binomial_of_a_large_dispersion_is_the_poisson():
    for y, m in ((0.0, 3.0), (5.0, 3.0), (1e9, 1.00003e9)):
        assert log_negative_binomial(y, m, 1e25) == pytest.approx(log_poisson(y, m), rel=1e-12)


@pytest.mark.parametrize("density", [log_poisson, lambda y, m: log_negative_binomial(y, m, 2.0)])
def test_a_count_with_mean_0_is_0(density):
    assert density(0.0, 0.0) == 0.0
    assert density(1.0, 0.0) == -math.inf


@SETTINGS
@given(y=magnitude, sign=st.sampled_from((-1.0, 1.0)), means=st.tuples(magnitude, magnitude), sd=magnitude)
def test_noise_of_a_measure(y, sign, means, sd):
    indicator = measure("price", means, (sd, 2 * sd), 5.0)
    exact = oracle.measure_noise(sign * y, means, (sd, 2 * sd))
    assert log_noise(indicator, sign * y) == pytest.approx(float(mp.log(exact)), rel=1e-13, abs=1e-13)


@SETTINGS
@given(y=whole, means=st.tuples(magnitude, magnitude))
def test_noise_of_a_count(y, means):
    exact = float(mp.log(oracle.count_noise(y, means)))
    assert log_noise(count("raids", means, 5.0), y) == pytest.approx(exact, rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("means", [(0.0, 0.0), (0.001, 0.4), (2.0, 6.0)])
def test_noise_of_a_count_sums_to_1(means):
    indicator = count("raids", means, 5.0)
    edge, top = math.ceil(100 * max(means)), 20_000
    ys = np.arange(top)
    inside = math.fsum(math.exp(log_noise(indicator, float(y))) for y in ys)
    # Beyond the edge M it falls as (y + 1)^-2, whose sum from `top` on is 1/top + 1/(2 top^2) + ...
    beyond = math.exp(log_noise(indicator, float(top))) * (top + 1) ** 2 * (1 / top - 1 / (2 * top**2))
    assert top > edge
    assert inside + beyond == pytest.approx(1.0, abs=1e-9)


def test_noise_of_a_measure_integrates_to_1():
    indicator = measure("price", (1.2, 0.8), (0.4, 0.1), 5.0)
    grid = np.tan(np.linspace(-math.pi / 2, math.pi / 2, 20_001)[1:-1])
    u = np.exp([log_noise(indicator, float(y)) for y in grid])
    assert np.trapezoid(u, grid) == pytest.approx(1.0, abs=1e-3)


@st.composite
def number_cells(draw) -> tuple[Indicator, list[ReportTerm]]:
    """A count or a measure, and one to ten reports of it, some of which agree or repeat others."""
    kind = draw(st.sampled_from(("poisson", "negative binomial", "measure")))
    means = draw(st.tuples(magnitude, magnitude))
    if kind == "measure":
        indicator = measure("price", means, draw(st.tuples(magnitude, magnitude)), 5.0)
        values = magnitude
    else:
        dispersion = None if kind == "poisson" else draw(magnitude)
        indicator, values = count("raids", means, 5.0, dispersion=dispersion), whole
    stated = draw(st.lists(values, min_size=1, max_size=4))
    terms = []
    for _ in range(draw(st.integers(1, 10))):
        y, b = draw(st.sampled_from(stated)), draw(st.sampled_from((0.0, 0.3, 1.0, 1.0)))
        passed = (1.0 - b) * draw(st.booleans())
        term = own(y, draw(st.integers(0, 3)), indicator, draw(st.sampled_from((1.0, 0.4))))
        terms.append(term._replace(passed=passed, lost=1.0 - b - passed, own=b))
    return indicator, terms


@SETTINGS
@given(cell=number_cells())
def test_cells_over_magnitudes(cell):
    assert log_m(*cell) == pytest.approx(expected(*cell), rel=1e-12, abs=1e-11)


@SETTINGS
@given(cell=number_cells())
def test_cells_whose_first_report_cannot_be_wrong(cell):
    indicator, terms = cell
    sure = own(terms[0].value, 4, indicator)
    assert log_m(indicator, [sure, *terms]) == pytest.approx(
        expected(indicator, [sure, *terms]), rel=1e-12, abs=1e-11
    )


def test_sure_reports_that_clash_are_impossible_in_every_scenario():
    indicator = count("raids", (5.0, 9.0), 5.0)
    terms = [own(4.0, 4, indicator), own(5.0, 4, indicator)]
    assert log_m(indicator, terms).tolist() == [-math.inf, -math.inf]


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1.0, 1e6])
def test_symmetric_reports_of_a_measure_are_worth_nothing(scale):
    indicator = measure("price", (-scale, scale), (0.1 * scale, 0.1 * scale), 5.0)
    terms = [own(sign * x * scale, 0, indicator) for x in (0.9, 1.0, 300.0) for sign in (-1.0, 1.0)]
    both = log_m(indicator, terms)
    assert both[0] == pytest.approx(both[1], abs=1e-10)


def test_counts_that_clash_symmetrically():
    """40000 where 50000 or 60000 are expected, against 60000: what the formula gives, neither sign lost."""
    indicator = count("crowd", (50_000.0, 60_000.0), math.inf)
    low, high = own(40_000.0, 0, indicator), own(60_000.0, 0, indicator)
    for terms in ([low, high], [low, low, high, high, high]):
        assert log_m(indicator, terms) == pytest.approx(expected(indicator, terms), rel=1e-12)


@pytest.mark.parametrize(
    "indicator",
    [
        measure("price", (1.2, 0.8), (0.4, 0.4), math.inf),
        count("dead", (2.0, 6.0), math.inf, dispersion=5.0),
        count("fled", (1e6, 1.3e6), math.inf, dispersion=5.0),
    ],
    ids=lambda i: i.id,
)
def test_a_number_that_no_scenario_could_produce_moves_nothing(indicator):
    m = log_m(indicator, [own(1e3 * indicator.likelihood[1].mean, 0, indicator)])
    assert abs(m[1] - m[0]) < 0.01


def test_thousands_of_clashing_reports_in_symmetry():
    indicator = measure("price", (-1.0, 1.0), (0.5, 0.5), 5.0)
    terms = [own(x * sign, 0, indicator) for x in np.linspace(0.1, 2.0, 2000) for sign in (-1.0, 1.0)]
    both = log_m(indicator, terms)
    assert math.isfinite(both[0])
    assert both[0] == pytest.approx(both[1], rel=1e-12)


@kernel
def draw_many(n, report, theta, a, rng, value, origin):
    """Draw the value and origins of one cell in the first scenario n times."""
    for k in range(n):
        value[k] = draw_number(0, report.shape[0], 0, 0, theta, report, np.empty(0), a, rng, origin[k])


def test_draws_have_their_exact_frequencies():
    """Seed 12, 200,000 draws: each of the frequencies within 5 standard errors, error probability 1e-5."""
    indicator = count("raids", (4.0, 9.0), 5.0, dispersion=3.0)
    one = own(4.0, 0, indicator)
    terms = [
        one,
        own(6.0, 1, indicator, 0.4),
        own(4.0, 2, indicator),
        one._replace(passed=0.01, own=0.7, lost=0.29),
    ]
    (a, theta), n = arrays(indicator), 200_000
    terms = placed(terms, theta)
    value, origin = np.empty(n), np.empty((n, 4), np.int64)
    draw_many(n, report_array([terms]), theta, a, np.random.default_rng(12), value, origin)
    f = {y: density(indicator, 0, y) for y in (4.0, 6.0)}
    exact = oracle.origins(terms, list(map(float, theta)), f)
    drawn = Counter(
        (None if math.isnan(v) else float(v), tuple(o)) for v, o in zip(value, origin.tolist(), strict=True)
    )
    assert set(drawn) <= {key for key, p in exact.items() if p > 0}
    for key, p in exact.items():
        assert abs(drawn[key] - n * p) < 5 * math.sqrt(n * p * (1 - p)) + 2


def test_draws_keep_a_sure_report():
    """One source that cannot be wrong: its number is drawn always, and it is true always."""
    indicator = count("raids", (4.0, 9.0), 5.0)
    a, theta = arrays(indicator)
    terms = placed([own(6.0, 0, indicator), own(4.0, 4, indicator), own(4.0, 0, indicator)], theta)
    value, origin = np.empty(100), np.empty((100, 3), np.int64)
    draw_many(100, report_array([terms]), theta, a, np.random.default_rng(1), value, origin)
    assert set(value) == {4.0}
    assert set(origin[:, 1]) == {0}


@kernel
def density_of(y, theta, a):
    """What the kernels read: inlined code must not be called from Python by itself."""
    return log_density(0, 0, y, theta, a), log_density(0, 1, y, theta, a)


def test_the_density_of_an_indicator_is_read_from_the_layout():
    for indicator in (
        count("raids", (4.0, 9.0), 5.0),
        count("raids", (4.0, 9.0), 5.0, dispersion=2.5),
        measure("price", (4.0, 9.0), (1.0, 3.0), 5.0),
    ):
        a, theta = arrays(indicator)
        for s in range(2):
            exact = mp.log(density(indicator, s, 7.0))
            assert density_of(7.0, theta, a)[s] == pytest.approx(float(exact), rel=1e-13)
