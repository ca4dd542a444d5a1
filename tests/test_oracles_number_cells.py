"""The oracles of counts and measures: noise that sums to 1, and sums, integrals and 50 digits that agree."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import mpmath
import pytest
from scipy.integrate import quad
from scipy.stats import lognorm, nbinom

from forecast.case.evidence import Evidence
from tests.cases import count, day, measure, question, report, source
from tests.oracles import mean_theta, weighted_cells
from tests.oracles.number_cells import (
    Reading,
    count_cell,
    count_cell_50,
    count_noise,
    count_noise_50,
    count_read,
    measure_cell,
    measure_cell_50,
    measure_cell_by_quadrature,
    measure_noise,
    measure_noise_50,
)

INF = math.inf
PAIR = (source("s", 0.8, INF), source("z", 0.6, INF))


@pytest.mark.parametrize("means", [(2.0, 5.0), (0.004, 0.03), (41.5, 3.0)])
def test_noise_of_counts_sums_to_one(means):
    m = math.ceil(100 * max(means))
    near = sum(count_noise(y, means) for y in range(20 * m))
    # the rest of c / k^2 from k on lies between c / k and c / (k - 1)
    k = 20 * m + 1
    rest = count_noise(20 * m, means) * k**2
    assert near + rest / k < 1 < near + rest / (k - 1)


def test_noise_of_measures_integrates_to_one():
    whole = quad(lambda y: measure_noise(y, (1.0, 4.0), (0.5, 2.0)), -math.inf, math.inf)[0]
    assert whole == pytest.approx(1.0)


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1.0, 1e4])
def test_noise_in_fifty_digits(scale):
    means, sds = (2.0 * scale, 5.0 * scale), (1.0 * scale, 3.0 * scale)
    for y in (0, 1, 7, 499, 501, 10**9):
        assert count_noise(y, means) == pytest.approx(float(count_noise_50(y, means)), rel=1e-10)
        assert measure_noise(y, means, sds) == pytest.approx(
            float(measure_noise_50(y, means, sds)), rel=1e-12
        )


@pytest.mark.parametrize("x", [0, 1, 12])
def test_what_is_read_of_a_count_sums_to_one(x):
    read = [float(count_read(y, x, 0.3)) for y in range(400)]
    assert sum(read) == pytest.approx(1.0, abs=1e-12)
    factor = lognorm(0.3, scale=x + 1)
    assert read[5] == pytest.approx(factor.cdf(6.5) - factor.cdf(5.5), abs=1e-12)
    assert read[0] == pytest.approx(factor.cdf(1.5), abs=1e-12)


def test_two_counts_of_one_crowd():
    """By the sum over what is true; without an error two that differ cannot both be right."""
    q = question((0.6, 0.4), (count("crowd", (20.0, 60.0), INF, dispersion=5.0, error=0.25),), PAIR, INF)
    evidence = Evidence((report("a", 1, "crowd", 50), report("b", 2, "crowd", 70, "z")))
    (m,) = weighted_cells(q, evidence, day(6), mean_theta(q, evidence)).values()
    u = [count_noise(y, (20.0, 60.0)) for y in (50, 70)]
    for s, mean in enumerate((20.0, 60.0)):
        f = nbinom(5.0, 5.0 / (5.0 + mean))
        expected = sum(
            f.pmf(x)
            * (0.8 * float(count_read(50, x, 0.25)) + 0.2 * u[0])
            * (0.6 * float(count_read(70, x, 0.25)) + 0.4 * u[1])
            for x in range(1_500)
        )
        assert float(m[s]) == pytest.approx(expected, rel=1e-9)
    exact = replace(q, indicators=(replace(q.indicators[0], error=0.0),))
    (plain,) = weighted_cells(exact, evidence, day(6), mean_theta(exact, evidence)).values()
    assert m[1] > 5 * plain[1]


def test_two_measures_with_an_error_and_one_of_its_source():
    sources = (PAIR[0], replace(PAIR[1], error=0.0))
    price = replace(measure("price", (1.0, 3.0), (0.5, 1.0), INF), error=0.4)
    q = question((0.6, 0.4), (price,), sources, INF)
    evidence = Evidence((report("a", 1, "price", 2.0), report("b", 2, "price", 2.6, "z")))
    (m,) = weighted_cells(q, evidence, day(6), mean_theta(q, evidence)).values()
    u = [measure_noise(y, (1.0, 3.0), (0.5, 1.0)) for y in (2.0, 2.6)]
    for s, (mean, sd) in enumerate(((1.0, 0.5), (3.0, 1.0))):

        def f(x: float, at: float = mean, sd: float = sd) -> float:
            return math.exp(-0.5 * ((x - at) / sd) ** 2) / sd / math.sqrt(2 * math.pi)

        def first(x: float) -> float:
            return 0.8 * f(2.0, x, 0.4) + 0.2 * u[0]

        # z, who makes no error, either read 2.6 or made noise
        expected = 0.6 * f(2.6) * first(2.6)
        expected += (
            0.4 * u[1] * quad(lambda x, f=f, first=first: f(x) * first(x), -20, 20, points=[1, 2, 3])[0]
        )
        assert float(m[s]) == pytest.approx(expected, rel=1e-8)


def readings(r: random.Random, n: int, values: list[float], error: float, means, sds=None) -> list[Reading]:
    """Reports of a cell by sources of any reliability."""
    found = []
    for _ in range(n):
        y, chance = r.choice(values), r.uniform(0.05, 0.99)
        u = count_noise(y, means) if sds is None else measure_noise(y, means, sds)
        found.append(Reading(y, chance, (1 - chance) * u, error))
    return found


@pytest.mark.parametrize("seed", range(6))
def test_a_cell_of_measures_three_ways(seed):
    r = random.Random(seed)
    scale = 10 ** r.uniform(-3, 3)
    means, sds = [r.uniform(-5, 5) * scale for _ in range(2)], [r.uniform(0.5, 2) * scale for _ in range(2)]
    values = [r.uniform(-20, 20) * scale for _ in range(3)]
    told = readings(r, r.choice([1, 3, 5]), values, r.uniform(0.2, 2) * scale, means, sds)
    digits = measure_cell_50(means[0], sds[0], told)
    assert float(measure_cell(means[0], sds[0], told)) == pytest.approx(float(digits), rel=1e-9)
    assert mpmath.almosteq(measure_cell_by_quadrature(means[0], sds[0], told), digits, 1e-15)


@pytest.mark.parametrize("seed", range(6))
def test_a_cell_of_counts_two_ways(seed):
    r = random.Random(seed)
    means, dispersion = [r.uniform(0.01, 40) for _ in range(2)], r.choice([None, 0.5, 5.0])
    told = readings(r, r.choice([1, 2, 6]), [r.randint(0, 90) for _ in range(2)], 0.0, means)
    digits = count_cell_50(means[0], dispersion, told)
    assert float(count_cell(means[0], dispersion, told)) == pytest.approx(float(digits), rel=1e-9)
    # an error so small that rounding hides it
    near = [replace(one, error=1e-4) for one in told]
    assert float(count_cell(means[0], dispersion, near)) == pytest.approx(float(digits), rel=1e-6)


def test_fifty_digits_do_not_underflow():
    told = [Reading(1e9 * k, 0.9, 1e-60, 1.0) for k in range(1, 11)]
    m = measure_cell_50(0.0, 1.0, told)
    assert m > 0
    assert mpmath.log10(m) < -590
