"""What small questions are made of: judgements, indicators, sources and reports in one line each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from forecast.case.evidence import Evidence, Report
from forecast.case.judgement import MeasureMean, Positive, Proportions
from forecast.case.question import (
    Indicator,
    Kind,
    Learning,
    Moves,
    Question,
    Scenario,
    Source,
    Transition,
)

OPENED = date(2024, 1, 1)  # a Monday


@dataclass(frozen=True)
class Small:
    """A question, its evidence and the as-of date."""

    question: Question
    evidence: Evidence
    as_of: date


def day(number: int) -> date:
    """Return the day so many days after the question was opened."""
    return OPENED + timedelta(days=number)


def weight(exact: bool, otherwise: float = 20.0) -> float:
    """Return the weight of an exact or an uncertain judgement."""
    return math.inf if exact else otherwise


def yes(p: float, w: float, *, learn: bool = True) -> Proportions:
    """Return the judgement of a yes/no chance."""
    return Proportions((1 - p, p), w, learn)


def binary(name: str, chances: tuple[float, ...], w: float, **options: Any) -> Indicator:
    """Return a yes/no indicator."""
    return Indicator(name, name, "category", ("no", "yes"), tuple(yes(p, w) for p in chances), **options)


def category(
    name: str, values: tuple[str, ...], rows: tuple[tuple[float, ...], ...], w: float, **options: Any
) -> Indicator:
    """Return an indicator of several categories."""
    return Indicator(name, name, "category", values, tuple(Proportions(r, w) for r in rows), **options)


def count(name: str, means: tuple[float, ...], w: float, **options: Any) -> Indicator:
    """Return a count: Gamma with shape mean * weight and rate weight."""
    kind: Kind = "count"
    return Indicator(name, name, kind, (), tuple(Positive(m, m * w) for m in means), **options)


def measure(
    name: str, means: tuple[float, ...], sds: tuple[float, ...], w: float, **options: Any
) -> Indicator:
    """Return a measure."""
    judged = tuple(MeasureMean(m, sd, w) for m, sd in zip(means, sds, strict=True))
    return Indicator(name, name, "measure", (), judged, **options)


def ratio(name: str, ratios: tuple[float, ...]) -> Indicator:
    """Return a ratio: P(yes) = ratio / largest ratio, known exactly."""
    judged = tuple(yes(r / max(ratios), math.inf) for r in ratios)
    return Indicator(name, name, "ratio", ("no", "yes"), judged)


def source(name: str, reliability: float, w: float) -> Source:
    """Return a source."""
    return Source(name, name, yes(reliability, w))


def scenarios(k: int, *, residual: bool = False) -> tuple[Scenario, ...]:
    """Return k scenarios, the last of which may be residual."""
    names = ["alpha", "beta", "gamma"][:k]
    return tuple(Scenario(n, n.title(), residual and n == names[-1]) for n in names)


def question(
    prior: tuple[float, ...],
    indicators: tuple[Indicator, ...],
    sources: tuple[Source, ...],
    w: float,
    *,
    weeks: int = 6,
    residual: bool = False,
    learning: Learning = "full",
    **options: Any,
) -> Question:
    """Return a question that runs for so many weeks; its judgements learn all that the evidence says."""
    return Question(
        "A small question",
        OPENED,
        day(7 * weeks - 1),
        scenarios(len(prior), residual=residual),
        Proportions(prior, w),
        indicators,
        sources,
        learning=learning,
        **options,
    )


def report(
    name: str, on: int, indicator: str = "", value: str | float | None = None, by: str = "s", **options: Any
) -> Report:
    """Return a report of day `on`, known on that day unless `known` says otherwise."""
    known = options.pop("known", on)
    return Report(name, day(on), day(known), indicator, value, by, **options)


def withdraw(name: str, on: int, what: str) -> Report:
    """Return the row that withdraws a report."""
    return Report(name, day(on), day(on), replaces=what)


def moves(exact: bool) -> Moves:
    """Return moves between three scenarios; the last is never left."""
    w = weight(exact)
    return Moves(
        (Positive(1 / 6, w), Positive(1 / 3, w), Positive(0.0, w)),
        (Proportions((0.0, 0.8, 0.2), w), Proportions((0.3, 0.0, 0.7), w), None),
    )


def swaps(exact: bool) -> Transition:
    """Return a transition matrix of two scenarios."""
    w = weight(exact)
    return Transition((Proportions((0.8, 0.2), w), Proportions((0.3, 0.7), w)))
