"""Single numbers of a question's judgements, and copies of the question with one number replaced.

A judgement of several shares (a prior, the values of a category, where a scenario moves to) is as many
numbers: one share is moved and the others keep their proportions, as they do on average under a Dirichlet.
Where two shares make up the whole, the second stands for both.

What was derived from a judgement follows it: the reliability of a testimony that of its source, and what a
residual scenario is assumed to have the judgements of the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from forecast.analysis.plug_in import HIGHEST_RELIABILITY
from forecast.case.edit import prepared, residual_by_rule, with_estimate
from forecast.case.event_limits import agree
from forecast.case.judgement import (
    Judgement,
    JudgementId,
    JudgementKind,
    LogitNormal,
    MeasureMean,
    Proportions,
)
from forecast.case.question import Event, Moves, Question


@dataclass(frozen=True, slots=True)
class StatedValue:
    """One number that was judged.

    ``entry`` is the share that is meant, where there are several. ``residual``: nobody wrote it; the residual
    rule made it up.
    """

    id: JudgementId
    judgement: Judgement
    entry: int = 0
    residual: bool = False

    @property
    def name(self) -> str:
        """Its name, as in a what-if."""
        return str(self.id)

    @property
    def kind(self) -> JudgementKind:
        """What is judged."""
        return self.id.kind

    @property
    def value(self) -> float:
        """The mean of what was judged: a probability, a mean, or (`lasts`) a mean stay in periods."""
        if isinstance(self.judgement, Proportions):
            return float(self.judgement.mean[self.entry])
        mean = float(self.judgement.mean)
        return 1.0 / mean if self.kind == "lasts" else mean

    def quantile(self, p: float) -> float:
        """Return the value below which it was judged to be with probability `p`; as stated where exact."""
        if self.judgement.exact:
            return self.value
        distribution, *parameters = self._distribution()
        if self.kind == "lasts":
            return 1.0 / float(distribution.isf(p, *parameters))
        value = float(distribution.ppf(p, *parameters))
        if isinstance(self.judgement, LogitNormal):
            return 1.0 / (1.0 + math.exp(-value))
        return min(value, HIGHEST_RELIABILITY) if self.kind == "reliability" else value

    def tail_probability(self, value: float) -> float:
        """Return the probability, as judged, of a value as far out as this on its side; 0 where exact."""
        if self.judgement.exact:
            return 0.0
        distribution, *parameters = self._distribution()
        at = 1.0 / value if self.kind == "lasts" else value
        at = _logit(value) if isinstance(self.judgement, LogitNormal) else at
        upper = (value < self.value) == (self.kind == "lasts")
        return float((distribution.sf if upper else distribution.cdf)(at, *parameters))

    def with_value(self, question: Question, value: float) -> Question:
        """Return the question in which this number was judged to be `value`, with the same weight.

        Where the numbers of an event question would contradict each other: as far towards it as they agree.
        """
        moved = with_estimate(question, self.id, value)
        if agree(moved):
            return moved
        near, far = self.value, value
        for _ in range(30):
            middle = 0.5 * (near + far)
            moved = with_estimate(question, self.id, middle)
            near, far = (middle, far) if agree(moved) else (near, middle)
        return with_estimate(question, self.id, near)

    def _distribution(self) -> tuple[Any, ...]:
        """Return the distribution of what was judged, and its parameters.

        Of `lasts` it is that of the leaving rate, of the share that ends in an event that of its logit.
        """
        from scipy import stats

        j = self.judgement
        if isinstance(j, Proportions):
            return stats.beta, j.mean[self.entry] * j.weight, (1.0 - j.mean[self.entry]) * j.weight
        if isinstance(j, MeasureMean):
            return stats.norm, j.mean, j.sd / math.sqrt(j.weight)
        if isinstance(j, LogitNormal):
            return stats.norm, _logit(j.median), j.sd
        return stats.gamma, j.shape, 0.0, j.mean / j.shape


def stated_values(question: Question) -> tuple[StatedValue, ...]:
    """Return every number of a question that is uncertain, and the reliability of every source."""
    ids = question.scenario_ids
    prior = question.prior
    numbers = [StatedValue(JudgementId("prior", scenario=ids[e]), prior, e) for e in _shares(prior)]
    for indicator in question.indicators:
        by_rule, named = residual_by_rule(question, indicator), indicator.values not in ((), ("no", "yes"))
        for k, judgement in enumerate(indicator.likelihood):
            for e in _shares(judgement):
                id = JudgementId("likelihood", indicator.id, ids[k], indicator.values[e] if named else "")
                numbers.append(StatedValue(id, judgement, e, k == by_rule))
    numbers += [
        StatedValue(JudgementId("reliability", source=s.id), s.reliability, 1) for s in question.sources
    ]
    dynamics = question.dynamics
    if isinstance(dynamics, Moves):
        for k, rate in enumerate(dynamics.leave):
            numbers += [StatedValue(JudgementId("lasts", scenario=ids[k]), rate) for _ in _shares(rate)]
    if isinstance(dynamics, Event):
        for name, rate in zip(prepared(question, dynamics.leave), dynamics.leave, strict=True):
            numbers += [StatedValue(JudgementId("lasts", scenario=name), rate) for _ in _shares(rate)]
        shares = dynamics.ends_in_event
        for name, one in zip(prepared(question, shares), shares, strict=True):
            numbers += [StatedValue(JudgementId("ends_in_event", scenario=name), one) for _ in _shares(one)]
    elif dynamics is not None:
        kind: JudgementKind = "then" if isinstance(dynamics, Moves) else "transition"
        for k, row in enumerate(dynamics.then if isinstance(dynamics, Moves) else dynamics.rows):
            ends = [(JudgementId(kind, scenario=ids[k], value=ids[e]), e) for e in _shares(row)]
            numbers += [StatedValue(id, row, e) for id, e in ends if row]
    return tuple(numbers)


def _logit(p: float) -> float:
    return math.log(p) - math.log1p(-p)


def _shares(judgement: Judgement | None) -> list[int]:
    """Return the indices of the entries of a judgement that can vary; one of two complementary shares."""
    if judgement is None or judgement.exact:
        return []
    if not isinstance(judgement, Proportions):
        return [0]
    possible = [e for e, p in enumerate(judgement.mean) if 0.0 < p < 1.0]
    return possible[1:] if len(possible) == 2 else possible
