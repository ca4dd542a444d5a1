"""Issued probabilities converted to today's scenarios, where scenarios have changed since the issue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from forecast.case.in_force import carry_over, version_with

if TYPE_CHECKING:
    from forecast.case.question import Question
    from forecast.record.ledger import Entry


class Issued(NamedTuple):
    """The probabilities of a scenario that were issued: now, and at the horizon."""

    probability: float
    horizon: float


def carried_over(
    every: Question, present: Question, issued: Sequence[Entry]
) -> Mapping[tuple[str, str], Issued]:
    """Return what was issued, by unit and scenario, for the scenarios of the present question.

    Where the issue had the scenarios of an earlier era, its probabilities are moved by the shares of the
    question file, as prior mass is: that of a scenario that was split goes to its children. Which era the
    issue was of follows from its scenarios, not from its date: a change may have been written down later than
    the day on which it takes effect. Scenarios that no era had are compared by name.
    """
    comparable: dict[tuple[str, str], Issued] = {}
    for unit in dict.fromkeys(entry.unit for entry in issued):
        rows = {entry.scenario: entry for entry in issued if entry.unit == unit}
        now = {id: entry.probability for id, entry in rows.items()}
        horizon = {id: entry.horizon_probability for id, entry in rows.items()}
        if set(rows) != set(present.scenario_ids):
            now = carry_over(every, now, present.scenario_ids) or now
            horizon = carry_over(every, horizon, present.scenario_ids) or horizon
        comparable |= {(unit, id): Issued(p, horizon[id]) for id, p in now.items()}
    return comparable


def were_others(every: Question, present: Question, issued: Sequence[Entry]) -> bool:
    """Tell whether an issue had the scenarios of another era than the present."""
    now = version_with(every, present.scenario_ids)
    return version_with(every, {entry.scenario for entry in issued}, by=now) not in (None, now)
