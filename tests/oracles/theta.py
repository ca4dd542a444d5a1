"""Draws of all judgements from the prior, as plain dictionaries.

theta = {"prior": [K], "likelihood": {indicator: [K] of a list of V, or of one number}, "reliability":
{source: r}, "testimony": {name: r}, "leave": [K], "then": [K] of [K], "transition": [K] of [K],
"preparing": [rate, of each outcome or of all], "ends_in_event": [share, likewise], "noise": nu,
"filed": {"": d, indicator: d}}, where d = {"quiet", "event", "again"}: the chance that such a claim is filed,
the question's under "" and each indicator's own. Without an indicator whose filing is modelled "noise" is .5
and "filed" empty.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit, logit

from forecast.case.evidence import Evidence
from forecast.case.judgement import Judgement, LogitNormal, MeasureMean, Positive, Proportions
from forecast.case.question import Event, Indicator, Moves, Question, Transition

Theta = dict[str, Any]

#: The question's chances that a claim is filed, by what it claims, and the share of noise that is an event.
FILED = {
    "quiet": Proportions((2 / 3, 1 / 3), 1.5),
    "event": Proportions((0.4, 0.6), 4.0),
    "again": Proportions((0.5, 0.5), 4.0),
}
NOISE = Proportions((0.5, 0.5), 10.0)
#: The weight with which the question's chance stands for an indicator's own.
AROUND = 12.0


def files(indicator: Indicator) -> bool:
    """Return whether it is part of the model what is filed about an indicator."""
    return indicator.kind == "category" and indicator.reporting is not None


def has_own_filing(indicator: Indicator) -> bool:
    """Return whether an indicator has chances of filing of its own: a child is one cell with its parent."""
    return files(indicator) and indicator.given is None


def testimonies(question: Question, evidence: Evidence) -> dict[str, Proportions]:
    """Return each testimony's judgement of reliability: its source's mean, weight 2."""
    reliability = {s.id: s.reliability for s in question.sources}
    found = {}
    for report in evidence.reports:
        if report.testimony:
            of = reliability[report.source]
            found[report.testimony] = Proportions(of.mean, 2.0, of.learn)
    return found


def build_theta(
    question: Question,
    evidence: Evidence,
    value: Callable[[Judgement], Any],
    around: Callable[[Any], Any] = lambda d: d,
) -> Theta:
    """Return the dictionary of all judgements, each turned into a number (or list) by `value`.

    `around` makes an indicator's chance of filing of the question's.
    """
    theta: Theta = {"prior": value(question.prior)}
    theta["likelihood"] = {i.id: [value(j) for j in i.likelihood] for i in question.indicators}
    theta["reliability"] = {s.id: value(s.reliability)[1] for s in question.sources}
    theta["testimony"] = {name: value(j)[1] for name, j in testimonies(question, evidence).items()}
    if isinstance(question.dynamics, Moves):
        size = len(question.scenarios)
        theta["leave"] = [value(j) for j in question.dynamics.leave]
        theta["then"] = [[0.0] * size if j is None else value(j) for j in question.dynamics.then]
    if isinstance(question.dynamics, Transition):
        theta["transition"] = [value(j) for j in question.dynamics.rows]
    if isinstance(question.dynamics, Event):
        theta["preparing"] = [value(j) for j in question.dynamics.leave]
        theta["ends_in_event"] = [value(j) for j in question.dynamics.ends_in_event]
    modelled = any(map(files, question.indicators))
    theta["noise"] = value(NOISE)[1] if modelled else 0.5
    theta["filed"] = {}
    if modelled:
        theta["filed"][""] = {name: value(j)[1] for name, j in FILED.items()}
        for i in filter(has_own_filing, question.indicators):
            theta["filed"][i.id] = {name: around(d) for name, d in theta["filed"][""].items()}
    return theta


def mean_of(judgement: Judgement) -> Any:
    """Return a judgement's mean: a list for proportions, else a float."""
    return list(judgement.mean) if isinstance(judgement, Proportions) else judgement.mean


def mean_theta(question: Question, evidence: Evidence) -> Theta:
    """Return all judgements at their means."""
    return build_theta(question, evidence, mean_of)


def draw_theta(
    question: Question, evidence: Evidence, rng: np.random.Generator, n: int | None = None, inner: int = 1
) -> Theta:
    """Draw all judgements from the prior.

    With `n`, each number is an array of n draws (exact ones stay floats). Judgements with ``learn=False``
    are drawn n // inner times, each draw standing `inner` times in a row.
    """

    def value(judgement: Judgement) -> Any:
        if judgement.exact:
            return mean_of(judgement)
        if n is None:
            return _draw(judgement, rng, None)
        if judgement.learn:
            return _draw(judgement, rng, n)
        drawn = _draw(judgement, rng, n // inner)
        if isinstance(judgement, Proportions):
            return [p if isinstance(p, float) else np.repeat(p, inner) for p in drawn]
        return np.repeat(drawn, inner)

    def around(d: Any) -> Any:
        # The Beta of a chance next to 0 or 1 is a point there, to all the digits there are.
        safe = np.clip(d, 1e-12, 1 - 1e-12)
        return rng.beta(AROUND * safe, AROUND * (1 - safe))

    return build_theta(question, evidence, value, around)


def _draw(judgement: Judgement, rng: np.random.Generator, n: int | None) -> Any:
    if isinstance(judgement, Proportions):
        possible = [k for k, p in enumerate(judgement.mean) if p > 0]
        drawn = rng.dirichlet([judgement.weight * judgement.mean[k] for k in possible], size=n)
        vector: list[Any] = [0.0] * len(judgement.mean)
        for place, k in enumerate(possible):
            vector[k] = drawn[..., place]
        return vector
    if isinstance(judgement, Positive):
        return rng.gamma(judgement.shape, judgement.mean / judgement.shape, size=n)
    if isinstance(judgement, LogitNormal):
        return expit(logit(judgement.median) + judgement.sd * rng.normal(size=n))
    assert isinstance(judgement, MeasureMean)
    return rng.normal(judgement.mean, judgement.sd / judgement.weight**0.5, size=n)


def has_cut(question: Question, evidence: Evidence) -> bool:
    """Return whether some uncertain judgement may not be revised by the evidence."""
    found = []

    def value(judgement: Judgement) -> Any:
        found.append(not judgement.exact and not judgement.learn)
        return mean_of(judgement)

    build_theta(question, evidence, value)
    return any(found)


def has_uncertain(question: Question, evidence: Evidence, *, learn: bool = False) -> bool:
    """Return whether some judgement is uncertain (with `learn`: and may be revised)."""
    found = []

    def value(judgement: Judgement) -> Any:
        found.append(not judgement.exact and (judgement.learn or not learn))
        return mean_of(judgement)

    build_theta(question, evidence, value)
    return any(found)
