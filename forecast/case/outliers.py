"""Stated numbers that no scenario can have produced: taken for noise, and named.

At the judgements' best estimates, cell by cell: the probability that a report of a count or a measure is
true, given all reports of its cell, under each scenario.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from forecast.case.errors import listed
from forecast.case.evidence import Evidence, Report
from forecast.case.judgement import MeasureMean, Positive
from forecast.case.number_noise import log_noise
from forecast.case.question import Indicator, Question
from forecast.case.reporting import live_reports
from forecast.case.warnings import MOST_IDS, WarningMessage

if TYPE_CHECKING:
    import numpy as np

#: A number is an outlier where it is true with less than this probability under every scenario ...
MOST_TRUE = 0.1
#: ... though its source is believed with more than this.
LEAST_RELIABLE = 0.5


class Reading(NamedTuple):
    """What a report of a number says of its own."""

    value: float
    error: float
    base: float  # log chance of stating this, whatever is true
    truth: float  # log chance of telling what is true


def outlier_warnings(question: Question, evidence: Evidence) -> tuple[WarningMessage, ...]:
    """Return the warning that names the stated numbers that are taken for noise under every scenario."""
    numbers = {i.id: i for i in question.indicators if i.kind in ("count", "measure")}
    cells: dict[tuple[str, str, int], list[Report]] = defaultdict(list)
    for report in live_reports(evidence):
        inside = question.opened <= report.date <= question.horizon
        if report.indicator in numbers and inside and (not report.repeats or report.independence):
            cells[report.unit, report.indicator, question.period(report.date)].append(report)
    named: list[tuple[str, str]] = []
    for (_, name, _), reports in cells.items():
        named += _outliers(question, numbers[name], reports)
    if not named:
        return ()
    text = (
        "Taken for noise under every scenario, as if mistyped: "
        f"{listed((what for _, what in named), most=MOST_IDS)}. Correct the number; or, if it is right, say "
        "by the likelihoods that it can be."
    )
    return (WarningMessage("outlier", text, tuple(id for id, _ in named)),)


def _outliers(question: Question, indicator: Indicator, reports: Sequence[Report]) -> list[tuple[str, str]]:
    """Return id and description of the reports of a cell that are taken for noise."""
    reliability = [_reliability(question, report) for report in reports]
    readings = [_reading(question, indicator, *both) for both in zip(reports, reliability, strict=True)]
    true = [_probabilities(indicator, k, readings) for k in range(len(question.scenarios))]
    named = []
    for report, r, by_scenario in zip(reports, reliability, zip(*true, strict=True), strict=True):
        if r > LEAST_RELIABLE and max(by_scenario) < MOST_TRUE:
            what = f"{report.id} ({indicator.id} = {report.value}, {_expected(indicator)} expected)"
            named.append((report.id, what))
    return named


def _reliability(question: Question, report: Report) -> float:
    """Return the best estimate of the chance that a report tells what happened."""
    source = next(source for source in question.sources if source.id == report.source)
    return source.reliability.mean[1] * question.credibility[report.credibility]


def _reading(question: Question, indicator: Indicator, report: Report, r: float) -> Reading:
    own = next(source.error for source in question.sources if source.id == report.source)
    assert report.value is not None
    value = float(report.value)
    base = _log(1.0 - r) + log_noise(indicator, value)
    return Reading(value, indicator.error if own is None else own, base, _log(r))


def _expected(indicator: Indicator) -> str:
    """Return the range of what the scenarios expect: from the lowest mean to the highest, and the spread."""
    means = [j.mean for j in indicator.likelihood if isinstance(j, Positive | MeasureMean)]
    sds = [math.sqrt(_variance(indicator, k)) for k in range(len(indicator.likelihood))]
    low, high = _short(min(means)), _short(max(means))
    return f"{low if low == high else f'{low} to {high}'} give or take {_short(max(sds))}"


def _short(x: float) -> str:
    return f"{x:,.0f}" if abs(x) >= 1000.0 else f"{x:.3g}"


def _variance(indicator: Indicator, k: int) -> float:
    """Return the variance of a period's true number under scenario k."""
    judgement = indicator.likelihood[k]
    if isinstance(judgement, MeasureMean):
        return judgement.sd**2
    assert isinstance(judgement, Positive)
    m = judgement.mean
    return m + (0.0 if indicator.dispersion is None else m * m / indicator.dispersion)


def _log_density(indicator: Indicator, k: int, x: float) -> float:
    """Return the log density of a true number under scenario k."""
    judgement = indicator.likelihood[k]
    if isinstance(judgement, MeasureMean):
        z = (x - judgement.mean) / judgement.sd
        return -0.5 * z * z - math.log(judgement.sd * math.sqrt(2.0 * math.pi))
    assert isinstance(judgement, Positive)
    m, size = judgement.mean, indicator.dispersion
    if m == 0.0:
        return 0.0 if x == 0.0 else -math.inf
    if size is None:
        return x * math.log(m) - m - math.lgamma(x + 1.0)
    choose = math.lgamma(x + size) - math.lgamma(size) - math.lgamma(x + 1.0)
    return choose - size * math.log1p(m / size) + x * (math.log(m) - math.log(size + m))


def _probabilities(indicator: Indicator, k: int, readings: Sequence[Reading]) -> list[float]:
    """Return the probability that each reading is true under scenario k, given all of the cell."""
    if any(reading.error for reading in readings):
        return _with_errors(indicator, k, readings)
    alike: dict[float, float] = defaultdict(
        float
    )  # sum of log(1 + truth / base) of those that state the same
    for reading in readings:
        alike[reading.value] += _log_one_plus(reading.truth - reading.base)
    log_f = {y: _log_density(indicator, k, y) for y in alike}
    total = 0.0  # relative to the product of all bases
    for y, more in alike.items():
        total = _log_add(total, log_f[y] + more + _log(-math.expm1(-more)))
    return [
        math.exp(log_f[r.value] + r.truth - r.base + alike[r.value] - _log_one_plus(r.truth - r.base) - total)
        for r in readings
    ]


def _with_errors(indicator: Indicator, k: int, readings: Sequence[Reading]) -> list[float]:
    """Return the same where a true report may be off: the true number is integrated out on a grid.

    Roughly: a count's error is taken for log-normal without rounding, and a report without error for one with
    a twentieth of the others'.
    """
    import numpy as np

    count, least = indicator.kind == "count", min(r.error for r in readings if r.error) / 20.0
    y, base, truth = (np.array([r[n] for r in readings])[:, None] for n in (0, 2, 3))
    error = np.array([r.error or least for r in readings])[:, None]
    x = _grid(indicator, k, y, error)
    log_f = np.array([_log_density(indicator, k, one) for one in x]) + np.log(np.gradient(x))
    z = (np.log1p(y) - np.log1p(x) if count else y - x) / error
    stated = truth - 0.5 * z**2 - np.log(error * math.sqrt(2.0 * math.pi)) - (np.log1p(y) if count else 0.0)
    chance = np.logaddexp(base, stated)
    whole = log_f + chance.sum(axis=0)
    weight = np.exp(whole - whole.max())
    return [float(p) for p in (weight * np.exp(stated - chance)).sum(axis=1) / weight.sum()]


def _grid(indicator: Indicator, k: int, y: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return numbers that are dense where scenario k or a report puts them."""
    import numpy as np

    mean = indicator.likelihood[k].mean
    steps = np.linspace(-7.0, 7.0, 29)
    expected = mean + math.sqrt(_variance(indicator, k)) * np.linspace(-7.0, 7.0, 141)
    if indicator.kind == "measure":
        return np.unique(np.concatenate([expected, (y + error * steps).ravel()]))
    around = (y + 1.0) * np.exp(error * steps) - 1.0
    return np.unique(np.maximum(np.concatenate([expected, around.ravel()]), 0.0))


def _log(x: float) -> float:
    return math.log(x) if x > 0.0 else -math.inf


def _log_add(x: float, y: float) -> float:
    high, low = max(x, y), min(x, y)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))


def _log_one_plus(x: float) -> float:
    return _log_add(0.0, x)
