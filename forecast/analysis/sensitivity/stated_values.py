"""Every number that somebody judged, one by one, and the question with another in its place.

A judgement of several shares (a prior, the values of a category, where a scenario moves to) is as many
numbers: one share is moved and the others keep their proportions, as they do on average under a Dirichlet.
Where two shares make up the whole, the second stands for both.

What was derived from a judgement follows it: the reliability of a testimony that of its source, and what a
residual scenario is taken to say the judgements of the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from forecast.case.edit import residual_by_rule, with_estimate
from forecast.case.judgement import Judgement, JudgementId, JudgementKind, MeasureMean, Proportions
from forecast.case.question import Moves, Question

#: A reliability is moved up to here: short of 1, so that sure reports may clash, as in `explain`.
SUREST = 1.0 - 1e-9


@dataclass(frozen=True, slots=True)
class Stated:
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
        from scipy import stats

        j = self.judgement
        if j.exact:
            return self.value
        if isinstance(j, Proportions):
            found = float(stats.beta.ppf(p, *self._beta(j)))
        elif isinstance(j, MeasureMean):
            found = float(stats.norm.ppf(p, j.mean, j.sd / math.sqrt(j.weight)))
        elif self.kind == "lasts":
            found = 1.0 / float(stats.gamma.isf(p, j.shape, scale=j.mean / j.shape))
        else:
            found = float(stats.gamma.ppf(p, j.shape, scale=j.mean / j.shape))
        return min(found, SUREST) if self.kind == "reliability" else found

    def chance_as_far(self, value: float) -> float:
        """Return the probability, as judged, of a value as far out as this on its side; 0 where exact."""
        from scipy import stats

        j = self.judgement
        if j.exact:
            return 0.0
        if isinstance(j, Proportions):
            law = stats.beta(*self._beta(j))
        elif isinstance(j, MeasureMean):
            law = stats.norm(j.mean, j.sd / math.sqrt(j.weight))
        else:
            law = stats.gamma(j.shape, scale=j.mean / j.shape)
        at = 1.0 / value if self.kind == "lasts" else value
        return float(law.sf(at) if (value < self.value) == (self.kind == "lasts") else law.cdf(at))

    def within(self, question: Question, value: float) -> Question:
        """Return the question in which this number was judged to be `value`, with the same weight."""
        return with_estimate(question, self.id, value)

    def _beta(self, j: Proportions) -> tuple[float, float]:
        return j.mean[self.entry] * j.weight, (1.0 - j.mean[self.entry]) * j.weight


def stated(question: Question) -> tuple[Stated, ...]:
    """Return every number of a question that is uncertain, and the reliability of every source."""
    ids = question.scenario_ids
    prior = question.prior
    numbers = [Stated(JudgementId("prior", scenario=ids[e]), prior, e) for e in _shares(prior)]
    for indicator in question.indicators:
        by_rule, named = residual_by_rule(question, indicator), indicator.values not in ((), ("no", "yes"))
        for k, judgement in enumerate(indicator.likelihood):
            for e in _shares(judgement):
                id = JudgementId("likelihood", indicator.id, ids[k], indicator.values[e] if named else "")
                numbers.append(Stated(id, judgement, e, k == by_rule))
    numbers += [Stated(JudgementId("reliability", source=s.id), s.reliability, 1) for s in question.sources]
    dynamics = question.dynamics
    if isinstance(dynamics, Moves):
        for k, rate in enumerate(dynamics.leave):
            numbers += [Stated(JudgementId("lasts", scenario=ids[k]), rate) for _ in _shares(rate)]
    if dynamics is not None:
        kind: JudgementKind = "then" if isinstance(dynamics, Moves) else "transition"
        for k, row in enumerate(dynamics.then if isinstance(dynamics, Moves) else dynamics.rows):
            ends = [(JudgementId(kind, scenario=ids[k], value=ids[e]), e) for e in _shares(row)]
            numbers += [Stated(id, row, e) for id, e in ends if row]
    return tuple(numbers)


def _shares(judgement: Judgement | None) -> list[int]:
    """Return the entries of a judgement that may vary, one for a number by itself."""
    if judgement is None or judgement.exact:
        return []
    if not isinstance(judgement, Proportions):
        return [0]
    possible = [e for e, p in enumerate(judgement.mean) if 0.0 < p < 1.0]
    return possible[1:] if len(possible) == 2 else possible
