"""What several plots draw, as plain values: the course of each scenario, the unit that is meant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

import numpy as np

from forecast.case.errors import Fault, InputError, listed, meant
from forecast.case.in_force import ever
from forecast.report.styles import ScenarioStyle, scenario_styles
from forecast.report.summary import of_unit

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.folder import Case
    from forecast.case.question import Question, Scenario

Backend = Literal["matplotlib", "plotly"]


@dataclass(frozen=True, slots=True)
class Course:
    """One scenario's probability over time, with its central 90 %: four arrays of one length."""

    title: str
    style: ScenarioStyle
    days: np.ndarray
    probability: np.ndarray
    low: np.ndarray
    high: np.ndarray


def on_screen(backend: str) -> bool:
    """Tell which of the two backends is meant.

    >>> on_screen("plotly")
    True
    """
    if backend not in ("matplotlib", "plotly"):
        raise ValueError(
            f"backend {backend!r} is neither 'matplotlib' (for paper) nor 'plotly' (for the screen)"
        )
    return backend == "plotly"


def the_unit(question: Question, unit: str | None) -> str:
    """Return the unit to draw, "" for a question without units.

    Raises
    ------
    InputError
        If the question has several and none is named, or it does not have the one that is named.
    """
    if unit in question.units or (unit is None and not question.units):
        return unit or ""
    if len(question.units) == 1 and unit is None:
        return question.units[0]
    if unit is None:
        problem, fix = "the question is asked of several units, and this plot shows one", "name it: unit=..."
    elif not question.units:
        problem, fix = "the question has no units", "leave `unit` out"
    else:
        problem, fix = "no such unit", meant(unit, question.units) or "name one of these"
    raise InputError([Fault("plot", 0, unit, problem, listed(question.units) if question.units else "", fix)])


def drawn(case: Case, tree: xr.DataTree) -> tuple[Scenario, ...]:
    """Return the scenarios of a forecast's trend, also those that have ended, in the order of the file."""
    seen = set(tree["trend"].to_dataset()["scenario"].values.tolist())
    return tuple(scenario for scenario in ever(case.question) if scenario.id in seen)


def scenarios_of(case: Case, result: xr.DataTree | xr.Dataset) -> tuple[Scenario, ...]:
    """Return the scenarios that are in force on the as-of date of a result."""
    return case.on(date.fromisoformat(str(result.attrs["as_of"]))).question.scenarios


def styles(case: Case) -> dict[str, ScenarioStyle]:
    """Return how each scenario is drawn, also one that has ended: the same on every date."""
    return scenario_styles(ever(case.question))


def known(case: Case, tree: xr.DataTree, unit: str, *, ended: bool = False) -> list[Course]:
    """Return the trend: each scenario's probability as it was known on each day on which it was in force.

    `ended`: also of those that are no more.
    """
    trend, style = of_unit(tree["trend"].to_dataset(), unit), styles(case)
    courses = []
    for scenario in drawn(case, tree) if ended else scenarios_of(case, tree):
        own = trend.sel(scenario=scenario.id)
        if "in_force" in own:
            own = own.isel(as_of=np.flatnonzero(own["in_force"].values))
        courses.append(_course(scenario, style, own, own["as_of"].values))
    return courses


def ahead(case: Case, tree: xr.DataTree, unit: str) -> list[Course]:
    """Return the outlook, from the as-of date on: until the first date of the outlook it is as it is then.

    A static question has none: its outlook is a straight line.
    """
    if case.question.dynamics is None:
        return []
    outlook, style = of_unit(tree["outlook"].to_dataset(), unit), styles(case)
    today = tree["trend"].to_dataset()["as_of"].values[-1]
    days = np.concatenate([[today], outlook["date"].values])
    data = outlook.isel(date=[0, *range(len(days) - 1)])
    return [_course(one, style, data.sel(scenario=one.id), days) for one in scenarios_of(case, tree)]


def _course(
    scenario: Scenario, style: dict[str, ScenarioStyle], data: xr.Dataset, days: np.ndarray
) -> Course:
    values = (data[name].values for name in ("probability", "low", "high"))
    return Course(scenario.title, style[scenario.id], days, *values)


def day_text(moment: np.datetime64) -> str:
    """Write a date.

    >>> day_text(np.datetime64("2014-11-03"))
    '3 November 2014'
    """
    day = moment.astype("datetime64[D]").item()
    return f"{day.day} {day:%B %Y}"
