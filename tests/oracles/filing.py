"""What is filed: from which period on silence counts, and the chance that a claim gets into the log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from forecast.case.evidence import Report
from forecast.case.question import Indicator, Question
from tests.oracles.theta import Theta, files, has_own_filing, mean_of

#: What the exponents of groups and cap take for the chances of filing, and for the share of noise.
FOR_EXPONENTS = {"quiet": 0.05, "event": 0.5, "again": 0.3}


def quiet_value(question: Question, indicator: Indicator) -> str:
    """Return the value that says nothing happened, "" if there is none."""
    if indicator.quiet:
        return indicator.quiet
    parent = any(i.given == indicator.id for i in question.indicators)
    return indicator.values[0] if indicator.values and (indicator.monitored or parent) else ""


def noise_of_value(question: Question, indicator: Indicator, y: Any, theta: Theta) -> Any:
    """u(y) of a category: what a report that does not tell what happened says."""
    size, quiet = len(indicator.values), quiet_value(question, indicator)
    if not files(indicator) or not quiet:
        return 1.0 / size
    return 1.0 - theta["noise"] if y == quiet else theta["noise"] / (size - 1)


def average_reliability(question: Question) -> float:
    """Return the mean, at the means, of the sources' reliabilities."""
    r = [mean_of(s.reliability)[1] for s in question.sources]
    return float(sum(r) / len(r))


def at_the_exponents(theta: Theta) -> Theta:
    """Return the judgements' means as the exponents have them."""
    filed = {name: dict(FOR_EXPONENTS) for name in theta["filed"]}
    return {**theta, "noise": 0.5, "filed": filed}


def counts_from(
    question: Question, live: Sequence[Report], indicator: Indicator, own: Sequence[Report]
) -> int | None:
    """Return the first period in which it matters whether something is filed; None: there is none.

    `live`: all reports known; `own`: those of the indicator, and of those that are given it.
    """
    assert indicator.reporting is not None
    if indicator.reporting.since is not None:
        return question.period(indicator.reporting.since)
    if not own:
        return None
    first = min(question.period(r.date) for r in own)
    begun = min(question.period(r.reported) for r in live)
    return max(first + 1, begun)


def complete(question: Question, indicator: Indicator, period: int, as_of: date) -> bool:
    """Return whether what is filed about a period is in."""
    assert indicator.reporting is not None
    return question.last_day(period) + timedelta(days=indicator.reporting.lag) <= as_of


def last_stated(question: Question, own: Sequence[Report], period: int) -> Any:
    """Return the value last stated: that of the last live report of the latest earlier cell; None: none."""
    earlier = [r for r in own if question.period(r.date) < period]
    if not earlier:
        return None
    latest = max(question.period(r.date) for r in earlier)
    cell = [r for r in earlier if question.period(r.date) == latest]
    return sorted(cell, key=lambda r: r.reported)[-1].value  # stable: then by place in the log


def filed(question: Question, indicator: Indicator, y: Any, stated: Any, theta: Theta) -> Any:
    """d_y: the chance that a claim of `y` is filed, `stated` being the value last stated."""
    assert has_own_filing(indicator)
    d, quiet = theta["filed"][indicator.id], quiet_value(question, indicator)
    if not quiet:
        return d["event"]
    if y == quiet:
        return d["quiet"]
    return d["again"] if indicator.persistence is not None and y == stated else d["event"]
