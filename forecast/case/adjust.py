"""A question with single best estimates moved, their weights kept: for sliders. No file is read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from forecast.case.judgement import Judgement, Proportions
from forecast.case.question import Moves, Question


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

    A prior that is moved takes from the other scenarios, or gives to them, in proportion.

    Raises
    ------
    ValueError
        If a name is none of :func:`adjustable`, or a number is no probability (or no length of stay).
    """
    known = adjustable(question)
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"nothing is called {name!r} that one number could move")
        long = name.startswith("lasts ")
        if not (0 < value < (float("inf") if long else 1)):
            raise ValueError(f"{name}: {value} is not {'a length above 0' if long else 'between 0 and 1'}")
    for name, value in values.items():
        question = _moved(question, name.split(), value)
    return question


def _moved(question: Question, name: list[str], value: float) -> Question:
    places = {scenario.id: n for n, scenario in enumerate(question.scenarios)}
    if name[0] == "prior":
        return replace(question, prior=_one_of(question.prior, places[name[1]], value))
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
    indicators = tuple(
        replace(one, likelihood=_with(one.likelihood, places[name[2]], value)) if one.id == name[1] else one
        for one in question.indicators
    )
    return replace(question, indicators=indicators)


def _second(judged: Judgement) -> float:
    assert isinstance(judged, Proportions)
    return judged.mean[1]


def _with(judged: tuple[Judgement, ...], place: int, value: float) -> tuple[Judgement, ...]:
    found = judged[place]
    assert isinstance(found, Proportions)
    return (*judged[:place], _pair(found, value), *judged[place + 1 :])


def _pair(judged: Proportions, value: float) -> Proportions:
    return replace(judged, mean=(1.0 - value, value))


def _one_of(judged: Proportions, place: int, value: float) -> Proportions:
    rest = 1.0 - judged.mean[place]
    others = len(judged.mean) - 1
    share = tuple(p / rest if rest > 0 else 1.0 / others for p in judged.mean)
    mean = tuple(value if n == place else (1.0 - value) * p for n, p in enumerate(share))
    return replace(judged, mean=mean)
