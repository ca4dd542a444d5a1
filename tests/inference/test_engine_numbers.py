"""Right values for counts and measures: clashes and outliers, against integrals computed in logarithms.

Exact judgements: to 1e-9. Where judgements learn, a static question with one source is an integral over its
reliability of products over weeks, each integrated over the mean; the engine agrees within 4 of its Monte
Carlo standard errors and .003, at a fixed seed; were the error normal, one in 16,000 would fail by chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from mpmath import mp, mpf
from scipy import stats
from scipy.special import logsumexp

from forecast.case.evidence import Evidence
from forecast.case.judgement import MeasureMean, Positive
from forecast.case.number_noise import log_noise
from forecast.case.question import Indicator, Question
from forecast.inference.engine import infer
from tests.cases import count, day, measure, question, report, source
from tests.inference.answers import answers, array
from tests.oracles import numbers as oracle

EXACT = math.inf
SEED = 11

Row = tuple[int, float, str]  # week, number, source


def asked(indicator: Indicator, reliability: float, weight: float, *sources: str, **options) -> Question:
    """A static question of two even scenarios with one indicator."""
    those = tuple(source(name, reliability, weight) for name in sources)
    return question((0.5, 0.5), (indicator,), those, EXACT, **options)


def log_of(indicator: Indicator, rows: Sequence[Row]) -> Evidence:
    return Evidence(
        tuple(
            report(f"r{n}", 7 * week, indicator.id, y, by, known=7 * week + 6)
            for n, (week, y, by) in enumerate(rows)
        )
    )


def forecast(q: Question, rows: Sequence[Row], draws: int = 20) -> tuple[float, float]:
    """The engine's probability of the first scenario, and its Monte Carlo standard error."""
    evidence = log_of(q.indicators[0], rows)
    tree = infer(q, evidence, as_of=day(41), draws=draws, chains=4, seed=SEED, tolerance=0.01)
    return float(answers(tree)["now"][0]), float(array(tree, "trend", "mcse")[-1].max())


def integral(q: Question, rows: Sequence[Row], cap: float | None = None) -> float:
    """The probability of the first scenario, every judgement integrated out; one source, a report a week."""
    indicator, r = q.indicators[0], np.linspace(0.0005, 0.9995, 1000)
    judged = q.sources[0].reliability
    prior = stats.beta.logpdf(r, judged.mean[1] * judged.weight, judged.mean[0] * judged.weight)
    total = []
    for s, judgement in enumerate(indicator.likelihood):
        mean, weight = nodes(judgement)
        cells = np.zeros((len(r), len(mean)))
        for _, y, _ in rows:
            log_f = density(indicator, s, y, mean)
            u = log_noise(indicator, y)
            log_m = np.logaddexp(np.log1p(-r)[:, None] + u, np.log(r)[:, None] + log_f)
            cells += log_m * exponent(q, y, cap)
        total.append(logsumexp(prior + logsumexp(cells + weight, axis=1)))
    return float(np.exp(total[0] - logsumexp(total)))


def nodes(judgement) -> tuple[np.ndarray, np.ndarray]:
    """Means, and the logarithms of their weights under the judgement."""
    if isinstance(judgement, MeasureMean):
        law = stats.norm(judgement.mean, judgement.sd / math.sqrt(judgement.weight))
        x = np.linspace(judgement.mean - 12 * judgement.sd, judgement.mean + 12 * judgement.sd, 4001)
    else:
        assert isinstance(judgement, Positive)
        law = stats.gamma(judgement.shape, scale=judgement.mean / judgement.shape)
        x = np.linspace(law.ppf(1e-14), law.isf(1e-14), 4001)
    return x, law.logpdf(x) + np.log(np.gradient(x))


def density(indicator: Indicator, s: int, y: float, mean: np.ndarray) -> np.ndarray:
    judgement, k = indicator.likelihood[s], indicator.dispersion
    if isinstance(judgement, MeasureMean):
        return stats.norm.logpdf(y, mean, math.hypot(judgement.sd, indicator.error))
    return stats.poisson.logpmf(y, mean) if k is None else stats.nbinom.logpmf(y, k, k / (k + mean))


def exponent(q: Question, y: float, cap: float | None) -> float:
    """The exponent under which, at the means, a cell of one report favours no scenario by more than a cap."""
    if cap is None:
        return 1.0
    indicator, r = q.indicators[0], q.sources[0].reliability.mean[1]
    means = [np.array([judgement.mean]) for judgement in indicator.likelihood]
    log_f = [float(density(indicator, s, y, m)[0]) for s, m in enumerate(means)]
    log_m = [np.logaddexp(np.log1p(-r) + log_noise(indicator, y), math.log(r) + one) for one in log_f]
    width = float(max(log_m) - min(log_m))
    return min(1.0, math.log(cap) / width) if width else 1.0


# --- exact judgements --------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_a_clash_in_symmetry_is_even(scale):
    """However large and however far apart the numbers are, and whoever states more of them on either side."""
    price = measure("price", (-scale, scale), (0.01 * scale, 0.01 * scale), EXACT)
    q = asked(price, 0.8, EXACT, "a", "b", "c", "d")
    rows = [(1, -scale, "a"), (1, scale, "b"), (1, -700 * scale, "c"), (1, 700 * scale, "d")]
    assert forecast(q, rows)[0] == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize(
    "stated", [(41e3, 59e3), (30e3, 61e3), (41e3, 44e3, 59e3, 59e3, 59e3), (9e3, 9e4, 4e4)]
)
@pytest.mark.parametrize("dispersion", [None, 5.0])
def test_counts_that_clash(stated, dispersion):
    """Tens of thousands, a few per cent or tenfold apart: as multiplied out in 50 digits."""
    crowd = count("crowd", (45_000.0, 58_000.0), EXACT, dispersion=dispersion)
    names = "abcde"[: len(stated)]
    q = asked(crowd, 0.8, EXACT, *names)
    found, _ = forecast(q, [(1, y, by) for y, by in zip(stated, names, strict=True)])
    rest = [(mpf(1) - mpf(0.8)) * oracle.count_noise(y, (45_000.0, 58_000.0)) for y in stated]
    none, both = mp.fprod(rest), []
    for m in (45_000.0, 58_000.0):
        total = none
        for v in set(stated):
            f = oracle.poisson(v, m) if dispersion is None else oracle.negative_binomial(v, m, dispersion)
            parts = zip(rest, stated, strict=True)
            total += f * (mp.fprod(b + mpf(0.8) * (y == v) for b, y in parts) - none)
        both.append(total)
    assert found == pytest.approx(float(both[0] / sum(both)), abs=1e-9)


# --- judgements that learn ---------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [12.0, 17.0, 1.7e6])
def test_a_mistyped_price_moves_nothing_much(wrong):
    """The mean of a judgement does not run after a number that no scenario can produce."""
    price = measure("price", (1.2, 0.8), (0.4, 0.4), 20.0)
    q = asked(price, 0.85, 10.0, "wire")
    good = [(0, 0.8, "wire"), (1, 0.7, "wire"), (3, 0.8, "wire")]
    right, before = integral(q, [*good, (2, wrong, "wire")]), integral(q, good)
    found, error = forecast(q, [*good, (2, wrong, "wire")], 1000)
    assert abs(found - right) < 4 * error + 0.003
    assert abs(right - before) < 0.03


def test_under_a_cap_a_mistyped_price_is_worth_less_than_the_cap():
    price = measure("price", (1.2, 0.8), (0.4, 0.4), 20.0)
    q = asked(price, 0.85, 10.0, "wire", cap=5.0)
    rows = [(0, 0.8, "wire"), (1, 0.7, "wire"), (3, 0.8, "wire"), (2, 12.0, "wire")]
    found, error = forecast(q, rows, 1000)
    before = integral(q, rows[:3], 5.0)
    assert abs(found - integral(q, rows, 5.0)) < 4 * error + 0.003
    assert 1 / 5 < found / (1 - found) / (before / (1 - before)) < 5


@pytest.mark.parametrize(
    ("means", "stated"),
    [((2.0, 6.0), 300.0), ((1e6, 1.3e6), 9.6e5), ((1e6, 1.3e6), 1.2e9), ((2.0, 6.0), 14.0)],
)
def test_counts_beyond_what_a_scenario_expects(means, stated):
    """Three hundred where six were expected, and a million: the documented model, finite and not certain."""
    dead = count("dead", means, 20.0, dispersion=5.0)
    q = asked(dead, 0.85, 10.0, "wire")
    found, error = forecast(q, [(1, stated, "wire")], 1000)
    right = integral(q, [(1, stated, "wire")])
    assert abs(found - right) < 4 * error + 0.003
    assert 0.02 < right < 0.98


@pytest.mark.parametrize("scale", [1e-9, 1e9])
@pytest.mark.parametrize("error", [0.0, 0.3])
def test_measures_of_any_magnitude_learn(scale, error):
    """The unit does not matter: a billionth or a billion, stated exactly or with an error."""
    price = measure(
        "price", (1.2 * scale, 0.8 * scale), (0.4 * scale, 0.4 * scale), 20.0, error=error * scale
    )
    q = asked(price, 0.85, 10.0, "wire")
    rows = [
        (0, 1.5 * scale, "wire"),
        (1, 1.6 * scale, "wire"),
        (2, -40.0 * scale, "wire"),
        (3, scale, "wire"),
    ]
    found, mcse = forecast(q, rows, 1000)
    assert abs(found - integral(q, rows)) < 4 * mcse + 0.003
