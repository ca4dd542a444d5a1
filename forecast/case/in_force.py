"""Version of a question in force on a day, and conversion of probabilities between its versions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from forecast.case.errors import Fault, InputError
from forecast.case.question import Question


def in_force(question: Question, day: date) -> Question:
    """Return the question as it stands on a day: an ordinary one, whose scenarios do not change."""
    if question.history is None:
        return question
    for era in question.history.eras:
        if day < era.until:
            return era.question
    return replace(question, history=None)


def version_with(question: Question, scenarios: Iterable[str], *, by: int | None = None) -> int | None:
    """Return the number of the latest version, up to number `by`, that has just these scenarios, or None."""
    wanted, versions = set(scenarios), question.versions[: None if by is None else by + 1]
    numbers = [n for n, version in enumerate(versions) if set(version.scenario_ids) == wanted]
    return numbers[-1] if numbers else None


def carry_over(
    question: Question, probability: dict[str, float], scenarios: Iterable[str]
) -> dict[str, float] | None:
    """Carry probabilities of an earlier set of scenarios over to a later one, by the shares of the file.

    A scenario that was split gives its probability to its children in their shares, and so on: what a
    forecast made before a change says of the scenarios after it, had no evidence come in.
    """
    last = version_with(question, scenarios)
    first = version_with(question, probability, by=last)
    if first is None or last is None:
        return None
    if question.history is None or first == last:
        return probability
    versions = question.versions
    for n in range(first, last):
        after = dict.fromkeys(versions[n + 1].scenario_ids, 0.0)
        for id, row in zip(versions[n].scenario_ids, question.history.eras[n].becomes, strict=True):
            for target, share in zip(after, row, strict=True):
                after[target] += share * probability[id]
        probability = after
    return probability


def checked_as_of(question: Question, as_of: date | None = None, *, today: date | None = None) -> date:
    """Return the as-of date: the one asked for, or else the last day of the last finished period.

    Of a question that is settled it is the day on which it was, at the latest: there is no more to forecast.

    Raises InputError if the day asked for is before the question was opened or after its horizon.
    """
    if as_of is None:
        tomorrow = (today or date.today()) + timedelta(days=1)
        last = question.as_of(question.last_day(question.period(tomorrow) - 1))
        return last if question.resolved is None else max(min(last, question.resolved.on), question.opened)
    if not question.opened <= as_of <= question.horizon:
        problem = "the question was not open on this day"
        fix = "choose a day in between, or none for the last finished period"
        allowed = f"{question.opened} (opened) to {question.horizon} (horizon)"
        raise InputError([Fault("as-of date", 0, as_of.isoformat(), problem, allowed, fix)])
    return as_of
