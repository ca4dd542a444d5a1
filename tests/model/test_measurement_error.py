"""Reports with a measurement error: the true value integrated out and drawn, against 50-digit arithmetic."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

from forecast.case.evidence import Evidence
from forecast.case.judgement import MeasureMean
from forecast.case.number_noise import log_noise
from forecast.case.question import Indicator
from forecast.model.error_nodes import error_nodes, spreads
from forecast.model.jit import kernel
from forecast.model.measurement_error import Erring, add_panels, log_rounded, log_sum_sets
from forecast.model.numbers import draw_number, log_number_cell
from forecast.model.parameters import MEASURE, NEGATIVE_BINOMIAL, POISSON, Arrays, build_layout
from forecast.model.report_terms import NOISE, TRUTH, ReportTerm, report_array
from tests.cases import count, measure, question, source
from tests.oracles import numbers as oracle

SETTINGS = settings(max_examples=40, deadline=None)
RELIABILITIES = (0.85, 0.5, 0.15, 0.999, 1.0)

magnitude = st.floats(-9.0, 9.0).map(lambda x: 10.0**x)
chance = st.integers(0, 3)


def layout(indicator: Indicator) -> tuple[Arrays, np.ndarray]:
    """The layout of a question with one indicator, and its judgements at their means."""
    built = build_layout(question((0.5, 0.5), (indicator,), (source("s", 0.8, 20.0),), 20.0), Evidence())
    return built.arrays, np.concatenate([built.mean, RELIABILITIES])


def own(y: float, r: int, indicator: Indicator, error: float) -> ReportTerm:
    """A report of y by a source with the r-th of the reliabilities."""
    slot = layout(indicator)[1].size - len(RELIABILITIES) + r
    return ReportTerm(0.0, 0.0, 1.0, 1.0, y, slot, log_noise(indicator, y), error)


def log_m(indicator: Indicator, terms: list[ReportTerm]) -> np.ndarray:
    """log m(s) of a cell, which is the same with nodes prepared and without."""
    a, theta = layout(indicator)
    out, prepared = np.empty(2), np.empty(2)
    log_number_cell(0, len(terms), 0, theta, report_array([terms]), np.empty(0), a, out)
    log_number_cell(0, len(terms), 0, theta, *with_nodes(a, terms), a, prepared)
    assert prepared == pytest.approx(out, rel=1e-10, abs=1e-9)
    return out


def with_nodes(a: Arrays, terms: list[ReportTerm]) -> tuple[np.ndarray, np.ndarray]:
    """The reports of a cell and its nodes."""
    report = report_array([terms])
    nodes = error_nodes(int(a.indicator[0]["kind"]), spreads(0, a), tuple(terms))
    report[0]["nodes"] = len(nodes)
    return report, nodes.ravel()


def theta_of(indicator: Indicator) -> list[float]:
    return [float(x) for x in layout(indicator)[1]]


@st.composite
def measured(draw, most: int) -> tuple[Indicator, list[ReportTerm]]:
    """A measure of any magnitude, with reports near and far whose errors differ, some without error."""
    scale, size = draw(magnitude), draw(st.integers(1, most))
    means = [scale * draw(st.floats(-2.0, 2.0)) for _ in range(2)]
    sds = [scale * 10.0 ** draw(st.floats(-2.0, 1.0)) for _ in range(2)]
    indicator = measure("price", tuple(means), tuple(sds), 5.0)
    far = st.sampled_from((1.0, 1.0, 30.0))
    values = [scale * draw(st.floats(-2.0, 2.0)) * draw(far) for _ in range(size)]
    errors = [scale * 10.0 ** draw(st.floats(-3.0, 1.0)) * draw(st.sampled_from((1, 1, 0))) for _ in values]
    terms = [own(y, draw(chance), indicator, e) for y, e in zip(values, errors, strict=True)]
    if draw(st.booleans()):
        terms[0] = own(values[0], 4, indicator, max(errors[0], 1e-3 * scale))
    return indicator, terms


def expected_measure(indicator: Indicator, terms: list[ReportTerm]) -> list[float]:
    judged = [(j.mean, j.sd) for j in indicator.likelihood if isinstance(j, MeasureMean)]
    return [float(oracle.log_measure_with_errors(terms, theta_of(indicator), m, sd)[0]) for m, sd in judged]


@SETTINGS
@given(cell=measured(5))
def test_few_reports_of_a_measure(cell):
    assert log_m(*cell) == pytest.approx(expected_measure(*cell), rel=1e-11, abs=1e-9)


@settings(max_examples=8, deadline=None)
@given(cell=measured(9))
def test_many_reports_of_a_measure(cell):
    indicator, terms = cell
    while len(terms) < 8:
        terms.append(terms[-1]._replace(value=terms[-1].value * 1.25))
    assert log_m(indicator, terms) == pytest.approx(expected_measure(indicator, terms), rel=1e-10, abs=1e-9)


def erring(kind: int, terms: list[ReportTerm], theta: list[float], mean, spread) -> Erring:
    """What the kernels read of reports with error."""
    columns = [
        [t.value for t in terms],
        [t.error for t in terms],
        [float(mp.log(oracle.base(t, theta))) if oracle.base(t, theta) else -math.inf for t in terms],
        [float(mp.log(oracle.truth(t, theta))) for t in terms],
        mean,
        spread,
    ]
    arrays = (np.array(column, float) for column in columns)
    return Erring._make([kind, *arrays, np.empty((0, 4 + len(terms)))])


@SETTINGS
@given(cell=measured(4))
def test_panels_give_what_sets_give(cell):
    """The two ways of integrating agree where both are possible."""
    indicator, terms = cell
    terms = [t._replace(error=t.error or 0.1 * indicator.likelihood[0].sd) for t in terms]
    m, sd = zip(*((j.mean, j.sd) for j in indicator.likelihood), strict=True)
    e = erring(MEASURE, terms, theta_of(indicator), m, sd)
    out = np.full(2, e.base.sum())
    add_panels(e, out, math.inf)
    sets = [log_sum_sets(m[s], sd[s], e, math.inf)[0] for s in range(2)]
    assert out == pytest.approx(sets, rel=1e-10, abs=1e-8)


@SETTINGS
@given(
    x=st.one_of(st.integers(0, 30), magnitude.map(round)).map(float),
    y=st.one_of(st.integers(0, 30), magnitude.map(round)).map(float),
    error=st.floats(-4.0, 0.3).map(lambda e: 10.0**e),
)
def test_the_chance_of_a_rounded_count(x, y, error):
    exact = float(mp.log(oracle.rounded(y, x, error)))
    # Where x and y are a billion, their difference in units of the error has seven digits less.
    assert log_rounded(y, x, error) == pytest.approx(exact, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("x", "error"), [(0.0, 0.5), (3.0, 0.2), (40.0, 0.02)])
def test_rounded_counts_sum_to_1(x, error):
    assert math.fsum(math.exp(log_rounded(float(y), x, error)) for y in range(2000)) == pytest.approx(1.0)


def density(indicator: Indicator, s: int, x: float) -> mpf:
    m, k = indicator.likelihood[s].mean, indicator.dispersion
    assert isinstance(m, float)
    return oracle.poisson(x, m) if k is None else oracle.negative_binomial(x, m, k)


@settings(max_examples=15, deadline=None)
@given(
    means=st.tuples(*2 * [st.floats(-9.0, 1.0).map(lambda m: 10.0**m)]),
    k=st.sampled_from((None, 0.3, 5.0, 1e6)),
    values=st.lists(st.integers(0, 60), min_size=1, max_size=3),
    errors=st.lists(st.sampled_from((0.0, 1e-4, 0.05, 0.3, 0.6)), min_size=3, max_size=3),
    r=st.lists(chance, min_size=3, max_size=3),
)
def test_counts_against_the_sum_over_all_x(means, k, values, errors, r):
    indicator = count("raids", means, 5.0, dispersion=k)
    theta = theta_of(indicator)
    terms = [own(float(y), one, indicator, e) for y, one, e in zip(values, r, errors, strict=False)]
    h = [oracle.count_reports(terms, theta, x) for x in range(900)]
    exact = [
        float(mp.log(mp.fsum(density(indicator, s, x) * chance for x, chance in enumerate(h))))
        for s in range(2)
    ]
    assert log_m(indicator, terms) == pytest.approx(exact, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("k", [None, 0.5, 5.0])
@pytest.mark.parametrize("errors", [(0.2, 0.2), (0.01, 0.4)])
def test_counts_of_tens_of_thousands_against_the_sum_over_all_x(k, errors):
    """Two clashing crowds, with the sum over 2 million x in double precision."""
    from scipy import stats
    from scipy.special import log_ndtr, logsumexp

    indicator = count("crowd", (50_000.0, 60_000.0), 5.0, dispersion=k)
    terms = [own(40_000.0, 0, indicator, errors[0]), own(61_000.0, 1, indicator, errors[1])]
    theta, x = theta_of(indicator), np.arange(2_000_000.0)
    log_h = np.zeros_like(x)
    for t in terms:
        ends = [np.log((t.value + half) / (x + 1)) / t.error for half in (0.5, 1.5)]
        low, high = (np.where(ends[0] > 0, -z, z) for z in (ends[1], ends[0]))
        low, high = np.minimum(low, high), np.maximum(low, high)
        log_g = log_ndtr(high) + np.log1p(-np.exp(log_ndtr(low) - log_ndtr(high)))
        log_h += np.logaddexp(
            float(mp.log(oracle.base(t, theta))), float(mp.log(oracle.truth(t, theta))) + log_g
        )
    for s, m in enumerate((50_000.0, 60_000.0)):
        log_f = stats.poisson.logpmf(x, m) if k is None else stats.nbinom.logpmf(x, k, k / (k + m))
        assert log_m(indicator, terms)[s] == pytest.approx(logsumexp(log_f + log_h), abs=1e-7)


@pytest.mark.parametrize(("k", "error"), [(None, 0.1), (5.0, 0.1), (5.0, 1e-6)])
def test_counts_of_a_billion_against_an_integral(k, error):
    """At this size the sum is the integral to more digits than a float has."""
    indicator = count("crowd", (1e9, 1.3e9), math.inf, dispersion=k)
    terms = [own(y, 0, indicator, error) for y in (1.01e9, 1.010001e9)]
    e = (
        [oracle.base(t, theta_of(indicator)) for t in terms],
        [oracle.truth(t, theta_of(indicator)) for t in terms],
    )
    width = min(1 / math.sqrt(1e9), 1.0) if k is None else error
    for s, m in enumerate((1e9, 1.3e9)):

        def h(x, s=s):
            chances = [
                mp.ncdf(mp.log((t.value + 1.5) / (x + 1)) / error)
                - mp.ncdf(mp.log((t.value + 0.5) / (x + 1)) / error)
                for t in terms
            ]
            return density(indicator, s, x) * (
                (e[0][0] + e[1][0] * chances[0]) * (e[0][1] + e[1][1] * chances[1]) - e[0][0] * e[0][1]
            )

        middle = m if k is None else 1.01e9
        points = [middle * (1 + width * z) for z in range(-9, 10, 2)]
        exact = mp.log(mp.quad(h, points) + e[0][0] * e[0][1])
        assert log_m(indicator, terms)[s] == pytest.approx(float(exact), abs=1e-6)


@kernel
def draw_many(n, report, node, theta, a, rng, value, origin):
    """Draw the value and origins of one cell in the first scenario n times."""
    for k in range(n):
        value[k] = draw_number(0, report.shape[0], 0, 0, theta, report, node, a, rng, origin[k])


def drawn(
    indicator: Indicator, terms: list[ReportTerm], n: int, seed: int, *, prepared: bool
) -> tuple[np.ndarray, list]:
    """Draws of the value, and of which reports are true."""
    a, theta = layout(indicator)
    value, origin = np.empty(n), np.empty((n, len(terms)), np.int64)
    report, node = with_nodes(a, terms)
    assert report[0]["nodes"] > 0
    report[0]["nodes"] *= prepared
    draw_many(n, report, node, theta, a, np.random.default_rng(seed), value, origin)
    assert set(origin.ravel().tolist()) == {TRUTH, NOISE}
    return value, [tuple(row) for row in (origin == TRUTH).tolist()]


@pytest.mark.parametrize(("size", "prepared"), [(3, False), (8, False), (8, True)])
def test_draws_of_a_measure(size, prepared):
    """Seed 5, 100,000 draws; 2^size frequencies, means and variances within 5 errors: below 1e-3 by chance.

    Three reports are drawn by sets, eight by panels; the last one has no error.
    """
    indicator = measure("price", (1.0, 2.0), (0.5, 0.8), 5.0)
    spots, n = (1.3, 0.9, 1.25, 1.4, 2.9, 1.1, 1.2, 1.0)[:size], 100_000
    terms = [own(y, j % 3, indicator, 0.1 * (1 + j)) for j, y in enumerate(spots)]
    terms[-1] = terms[-1]._replace(error=0.0)
    value, true = drawn(indicator, terms, n, 5, prepared=prepared)
    _, weights = oracle.log_measure_with_errors(terms, theta_of(indicator), 1.0, 0.5)
    total, number = mp.fsum(w for w, _, _ in weights.values()), Counter(true)
    for key, (weight, mean, variance) in weights.items():
        p = float(weight / total)
        assert abs(number[key] - n * p) < 5 * math.sqrt(n * p * (1 - p)) + 3
        x = value[[one == key for one in true]]
        if not any(key):
            assert np.isnan(x).all()
        elif len(x) > 200:
            error = math.sqrt(float(variance) / len(x))
            assert abs(x.mean() - float(mean)) <= 5 * error + 1e-12
            assert abs(x.var() - float(variance)) <= 5 * math.sqrt(2 / len(x)) * float(variance) + 1e-12


@pytest.mark.parametrize("prepared", [False, True])
def test_draws_of_a_count(prepared):
    """Seed 6, 100,000 draws: each frequency of value and true reports within 5 errors, chance below 1e-3."""
    indicator, n = count("raids", (6.0, 9.0), 5.0, dispersion=3.0), 100_000
    terms = [own(8.0, 0, indicator, 0.2), own(6.0, 1, indicator, 0.0), own(40.0, 0, indicator, 0.1)]
    value, true = drawn(indicator, terms, n, 6, prepared=prepared)
    f = [density(indicator, 0, x) for x in range(400)]
    joint = oracle.count_with_errors(terms, theta_of(indicator), f)
    total = float(mp.fsum(joint.values()))
    exact: dict = defaultdict(float)
    for (x, key), weight in joint.items():
        exact[(x if any(key) else None, key)] += float(weight) / total
    number = Counter((None if math.isnan(x) else int(x), key) for x, key in zip(value, true, strict=True))
    assert sum(number.values()) == n
    for key, p in exact.items():
        assert abs(number[key] - n * p) < 5 * math.sqrt(n * p * (1 - p)) + 3


@pytest.mark.parametrize("prepared", [False, True])
def test_draws_of_a_large_count_are_spread_within_a_panel(prepared):
    """Seed 7, 20,000 draws, Kolmogorov's distance to the exact distribution below 1.95/sqrt(n): 1e-3."""
    from scipy import stats
    from scipy.special import ndtr

    indicator, n = count("crowd", (50_000.0, 60_000.0), 5.0, dispersion=5.0), 20_000
    term = own(45_000.0, 3, indicator, 0.3)
    value, _ = drawn(indicator, [term], n, 7, prepared=prepared)
    value = value[~np.isnan(value)]
    x = np.arange(1_000_000.0)
    ends = [ndtr(np.log((45_000.0 + half) / (x + 1)) / 0.3) for half in (0.5, 1.5)]
    weight = stats.nbinom.pmf(x, 5.0, 5.0 / 50_005.0) * (ends[1] - ends[0])
    exact = np.cumsum(weight) / weight.sum()
    assert (value == np.round(value)).all()
    steps = np.searchsorted(np.sort(value), x, side="right") / len(value)
    assert np.abs(steps - exact).max() < 1.95 / math.sqrt(len(value))


def test_a_crowd_counted_twice_corroborates():
    """With an error two numbers that differ agree: both tell of the larger mean, and of each other."""
    indicator = count("crowd", (20_000.0, 60_000.0), math.inf, dispersion=5.0)
    loose = [own(y, 0, indicator, 0.2) for y in (50_000.0, 58_000.0)]
    strict = [t._replace(error=0.0) for t in loose]
    one = log_m(indicator, loose[:1])
    assert np.diff(log_m(indicator, loose)) > np.diff(one) > 0
    assert (log_m(indicator, loose) > log_m(indicator, strict)).all()


def test_kinds_are_those_of_the_layout():
    assert layout(count("a", (1.0, 2.0), 5.0))[0].indicator[0]["kind"] == POISSON
    assert layout(count("a", (1.0, 2.0), 5.0, dispersion=2.0))[0].indicator[0]["kind"] == NEGATIVE_BINOMIAL
