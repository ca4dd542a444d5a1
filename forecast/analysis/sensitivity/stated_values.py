"""Every number that somebody judged, one by one, and the question with another in its place.

A judgement of several shares (a prior, the values of a category, where a scenario moves to) is as many
numbers: one share is moved and the others keep their proportions, as they do on average under a Dirichlet.
Where two shares make up the whole, the second stands for both.

What was derived from a judgement follows it: the reliability of a testimony that of its source, and what a
residual scenario is taken to say the judgements of the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from forecast.case.edit import made_up, with_likelihood
from forecast.case.judgement import Judgement, MeasureMean, Positive, Proportions
from forecast.case.question import Moves, Question, Source, Transition

Kind = Literal["prior", "likelihood", "reliability", "lasts", "then", "transition"]

#: A reliability is moved up to here: short of 1, so that sure reports may clash, as in `explain`.
SUREST = 1.0 - 1e-9


@dataclass(frozen=True, slots=True)
class Stated:
    """One number that was judged.

    ``place`` is the indicator and the scenario, the source, or the scenario, by their numbers; ``entry`` the
    share that is meant, where there are several. ``residual``: nobody wrote it; the residual rule made it up.
    """

    name: str
    kind: Kind
    judgement: Judgement
    place: tuple[int, ...] = ()
    entry: int = 0
    residual: bool = False

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
        new = _moved(self.judgement, self.entry, 1.0 / value if self.kind == "lasts" else value, self.kind)
        if self.kind == "prior":
            assert isinstance(new, Proportions)
            return replace(question, prior=new)
        if self.kind == "likelihood":
            return with_likelihood(question, self.place[0], self.place[1], new)
        if self.kind == "reliability":
            assert isinstance(new, Proportions)
            sources = list(question.sources)
            sources[self.place[0]] = replace(sources[self.place[0]], reliability=new)
            return replace(question, sources=tuple(sources))
        return replace(question, dynamics=_with_move(question, self.kind, self.place[0], new))

    def _beta(self, j: Proportions) -> tuple[float, float]:
        return j.mean[self.entry] * j.weight, (1.0 - j.mean[self.entry]) * j.weight


def stated(question: Question) -> tuple[Stated, ...]:
    """Return every number of a question that is uncertain, and the reliability of every source."""
    ids = list(question.scenario_ids)
    found = [Stated(f"prior {ids[e]}", "prior", question.prior, (), e) for e in _shares(question.prior)]
    for i, indicator in enumerate(question.indicators):
        by_rule = made_up(question, indicator)
        for k, judgement in enumerate(indicator.likelihood):
            name = f"likelihood {indicator.id} {ids[k]}"
            for e in _shares(judgement):
                plain = indicator.values in ((), ("no", "yes"))
                own = name if plain else f"{name} {indicator.values[e]}"
                found.append(Stated(own, "likelihood", judgement, (i, k), e, k == by_rule))
    found += [_reliability(j, source) for j, source in enumerate(question.sources)]
    if isinstance(question.dynamics, Moves):
        for k, rate in enumerate(question.dynamics.leave):
            found += [Stated(f"lasts {ids[k]}", "lasts", rate, (k,)) for _ in _shares(rate)]
        for k, row in enumerate(question.dynamics.then):
            found += [Stated(f"then {ids[k]} {ids[e]}", "then", row, (k,), e) for e in _shares(row) if row]
    elif isinstance(question.dynamics, Transition):
        for k, row in enumerate(question.dynamics.rows):
            named = [(f"transition {ids[k]} {ids[e]}", e) for e in _shares(row)]
            found += [Stated(name, "transition", row, (k,), e) for name, e in named]
    return tuple(found)


def _reliability(number: int, source: Source) -> Stated:
    return Stated(f"reliability {source.id}", "reliability", source.reliability, (number,), 1)


def _shares(judgement: Judgement | None) -> list[int]:
    """Return the entries of a judgement that may vary, one for a number by itself."""
    if judgement is None or judgement.exact:
        return []
    if not isinstance(judgement, Proportions):
        return [0]
    possible = [e for e, p in enumerate(judgement.mean) if 0.0 < p < 1.0]
    return possible[1:] if len(possible) == 2 else possible


def _moved(judgement: Judgement, entry: int, value: float, kind: Kind) -> Judgement:
    """Return a judgement with another value; a count keeps its weight, the rate of its Gamma."""
    if isinstance(judgement, Proportions):
        rest = 1.0 - judgement.mean[entry]
        others = [p / rest if rest > 0 else 1.0 / (len(judgement.mean) - 1) for p in judgement.mean]
        mean = tuple(value if e == entry else (1.0 - value) * p for e, p in enumerate(others))
        return replace(judgement, mean=mean)
    if isinstance(judgement, Positive) and kind == "likelihood":
        return replace(judgement, mean=value, shape=judgement.shape * value / judgement.mean)
    return replace(judgement, mean=value)


def _with_move(question: Question, kind: Kind, k: int, new: Judgement) -> Moves | Transition:
    dynamics = question.dynamics
    if isinstance(dynamics, Transition):
        assert isinstance(new, Proportions)
        rows = list(dynamics.rows)
        rows[k] = new
        return Transition(tuple(rows))
    assert isinstance(dynamics, Moves)
    if kind == "lasts":
        assert isinstance(new, Positive)
        leave = list(dynamics.leave)
        leave[k] = new
        return replace(dynamics, leave=tuple(leave))
    assert isinstance(new, Proportions)
    then = list(dynamics.then)
    then[k] = new
    return replace(dynamics, then=tuple(then))
