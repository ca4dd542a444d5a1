"""Trend across changes of scenarios: each date keeps the result of the question then in force.

A set of scenarios is what the analysts reasoned with at the time. So the numbers of a date before a change
are those of the question in force then, run on its own dates, and no number of another question replaces
them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date

import numpy as np
import xarray as xr

from forecast.case.in_force import in_force
from forecast.case.question import Question
from forecast.case.warnings import WarningMessage
from forecast.inference.particles import ImpossibleEvidence
from forecast.model.problem import trend_dates

#: Questions in force before another, each with the trend dates that are its own.
Before = list[tuple[Question, list[date]]]
#: Infers the trend of the n-th of them up to a date.
Trend = Callable[[int, date], xr.Dataset]


def earlier_dates(question: Question, as_of: date) -> Before:
    """Return each earlier version of the question with the trend dates on which it was in force."""
    earlier: Before = []
    now = in_force(question, as_of)
    for day in trend_dates(now, as_of):
        then = in_force(question, day)
        if then == now:
            break
        if not earlier or earlier[-1][0] is not then:
            earlier.append((then, []))
        earlier[-1][1].append(day)
    return earlier


def with_past(question: Question, before: Before, present: xr.Dataset, trend: Trend) -> xr.Dataset:
    """Return a trend whose dates before a change are those of the questions in force then.

    `before` is what :func:`earlier_dates` returned, not empty; `present` the trend of the question in force
    at its last date; `trend` infers the n-th question of `before` up to a date. The result is by every
    scenario that was there on one of the dates, in the order of the file: nan on dates on which it was not,
    as `in_force` (as_of, scenario) says.
    """
    parts = [_own(n, *one, like=present, trend=trend) for n, one in enumerate(before)]
    parts.append(present.sel(as_of=present["as_of"] > parts[-1]["as_of"][-1]))
    seen = {str(id) for part in parts for id in part["scenario"].values}
    order = [scenario.id for scenario in question.all_scenarios if scenario.id in seen]
    whole = xr.concat([part.reindex(scenario=order) for part in parts], dim="as_of", join="exact")
    there = [np.isin(order, part["scenario"].values) for part in parts for _ in part["as_of"]]
    return whole.assign(in_force=(("as_of", "scenario"), np.array(there)))


def _own(turn: int, question: Question, dates: list[date], *, like: xr.Dataset, trend: Trend) -> xr.Dataset:
    """Return the trend of a question on its own dates; nan from where no scenario allows what was known."""
    known = like.isel(as_of=[], scenario=[]).reindex(scenario=list(question.scenario_ids))
    for day in reversed(dates):
        with suppress(ImpossibleEvidence):
            known = trend(turn, day)
            break
    return known.reindex(as_of=np.array(dates, dtype="datetime64[ns]"))


def gap_warnings(trend: xr.Dataset) -> list[WarningMessage]:
    """Return a warning if dates before a change of scenarios have no forecast (impossible evidence)."""
    if not bool((trend["probability"].isnull() & trend["in_force"]).any()):
        return []
    text = (
        "on some dates before the scenarios changed none of them allowed the evidence as then known: the "
        "trend has gaps there"
    )
    return [WarningMessage("gaps", text)]
