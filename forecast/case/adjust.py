"""A question with single best estimates moved, their weights kept: for sliders. No file is read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from forecast.case import elicit
from forecast.case.judgement import Judgement, Proportions
from forecast.case.question import Indicator, Moves, Question


def adjustable(question: Question) -> dict[str, float]:
    """Return every estimate that is one number, by name, in the order of the question.

    The names are those of a what-if: "prior SCENARIO", "likelihood INDICATOR SCENARIO" (of an indicator that
    is seen or is not), "reliability SOURCE", "lasts SCENARIO" (mean stay in periods).

    Examples
    --------
    >>> case = forecast.load_case("scenarios/isis-jn-2014")  # doctest: +SKIP
    >>> adjustable(case.question)["reliability sohr"]  # doctest: +SKIP
    0.85
    """
    ids = [scenario.id for scenario in question.scenarios]
    found = {f"prior {id}": p for id, p in zip(ids, question.prior.mean, strict=True)}
    for indicator in question.indicators:
        if indicator.kind == "category" and len(indicator.values) == 2:
            for id, judged in zip(ids, indicator.likelihood, strict=True):
                found[f"likelihood {indicator.id} {id}"] = _second(judged)
    found |= {f"reliability {source.id}": source.reliability.mean[1] for source in question.sources}
    if isinstance(question.dynamics, Moves):
        rates = zip(ids, question.dynamics.leave, strict=True)
        found |= {f"lasts {id}": 1.0 / rate.mean for id, rate in rates if rate.mean > 0}
    return found


def adjusted(question: Question, values: Mapping[str, float]) -> Question:
    """Return the question with some of these estimates moved; each judgement keeps its weight.

    A prior that is moved takes from those that are not, or gives to them, in proportion. What the residual
    rule made of the judgements under other scenarios, it makes anew.

    Raises
    ------
    ValueError
        If a name is none of :func:`adjustable`, a number is no probability (or no length of stay), or moved
        priors leave no room for the others.
    """
    known = adjustable(question)
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"nothing is called {name!r} that one number could move")
        long = name.startswith("lasts ")
        if not (0 < value < (float("inf") if long else 1)):
            raise ValueError(f"{name}: {value} is not {'a length above 0' if long else 'between 0 and 1'}")
    priors = {name.split()[1]: value for name, value in values.items() if name.startswith("prior ")}
    if priors:
        question = replace(question, prior=_prior(question, priors))
    for name, value in values.items():
        question = _moved(question, name.split(), value)
    return question


def _prior(question: Question, values: Mapping[str, float]) -> Proportions:
    """Return the prior with some of its estimates moved, the others in proportion."""
    mean = {s.id: p for s, p in zip(question.scenarios, question.prior.mean, strict=True)}
    rest, left = sum(p for id, p in mean.items() if id not in values), 1.0 - sum(values.values())
    others = len(mean) - len(values)
    if left < 0 or (left > 1e-9) != bool(others):
        raise ValueError(f"the priors sum to {sum(values.values()):g} and leave {left:g} for {others} others")
    share = {id: p / rest if rest > 0 else 1.0 / max(others, 1) for id, p in mean.items()}
    return replace(question.prior, mean=tuple(values.get(id, left * share[id]) for id in mean))


def _moved(question: Question, name: list[str], value: float) -> Question:
    places = {scenario.id: n for n, scenario in enumerate(question.scenarios)}
    if name[0] == "prior":
        return question
    if name[0] == "reliability":
        sources = tuple(
            replace(one, reliability=_pair(one.reliability, value)) if one.id == name[1] else one
            for one in question.sources
        )
        return replace(question, sources=sources)
    if name[0] == "lasts":
        assert isinstance(question.dynamics, Moves)
        place = places[name[1]]
        rates = tuple(
            replace(rate, mean=1.0 / value) if n == place else rate
            for n, rate in enumerate(question.dynamics.leave)
        )
        return replace(question, dynamics=replace(question.dynamics, leave=rates))
    i = next(n for n, one in enumerate(question.indicators) if one.id == name[1])
    judged = question.indicators[i].likelihood[places[name[2]]]
    assert isinstance(judged, Proportions)
    return with_likelihood(question, i, places[name[2]], _pair(judged, value))


def with_likelihood(question: Question, i: int, k: int, new: Judgement) -> Question:
    """Return the question with another judgement of indicator i under scenario k.

    What the residual rule made of the judgements under the other scenarios, it makes anew.
    """
    indicator = question.indicators[i]
    by_rule, judged = made_up(question, indicator), list(indicator.likelihood)
    judged[k] = new
    if by_rule is not None and by_rule != k:
        others = [j for other, j in enumerate(judged) if other != by_rule]
        judged[by_rule] = elicit.residual(others, learn=judged[by_rule].learn)
    indicators = list(question.indicators)
    indicators[i] = replace(indicator, likelihood=tuple(judged))
    return replace(question, indicators=tuple(indicators))


def made_up(question: Question, indicator: Indicator) -> int | None:
    """Return the scenario whose judgement of an indicator is what the residual rule makes of the others."""
    for k, scenario in enumerate(question.scenarios):
        if scenario.residual and not indicator.likelihood[k].exact:
            others = [j for other, j in enumerate(indicator.likelihood) if other != k]
            learn = indicator.likelihood[k].learn
            return k if indicator.likelihood[k] == elicit.residual(others, learn=learn) else None
    return None


def _second(judged: Judgement) -> float:
    assert isinstance(judged, Proportions)
    return judged.mean[1]


def _pair(judged: Proportions, value: float) -> Proportions:
    return replace(judged, mean=(1.0 - value, value))
