"""A case and a result made up by hand, so that what records and reports can be tested without inferring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from forecast.case.evidence import Evidence, Report
from forecast.case.folder import Case
from forecast.case.judgement import Positive, Proportions
from forecast.case.question import Indicator, Moves, Question, Scenario, Source
from forecast.case.warnings import WarningMessage, to_json

Numbers = npt.NDArray[np.float64]

OPENED, AS_OF, HORIZON = date(2014, 8, 24), date(2014, 11, 22), date(2015, 3, 31)
TITLES = {
    "conflict": "Continued conflict",
    "tactical": "Tactical cooperation",
    "operational": "Operational partnership",
    "other": "None of these",
}
#: Probability of each scenario in the first and in the last week of the trend, and at the horizon.
COURSES = {
    "conflict": (0.60, 0.71, 0.55),
    "tactical": (0.33, 0.24, 0.29),
    "operational": (0.05, 0.035, 0.11),
    "other": (0.02, 0.015, 0.05),
}


def made_up_question(*, regime: bool = True, units: tuple[str, ...] = ()) -> Question:
    scenarios = tuple(Scenario(id, title, id == "other") for id, title in TITLES.items())
    chance = Proportions((0.9, 0.1), 20.0)
    stays = tuple(Positive(0.05, 20.0) for _ in scenarios)
    then = tuple(Proportions(tuple(0.0 if i == j else 1 / 3 for j in range(4)), 20.0) for i in range(4))
    return Question(
        title="Will the two groups move from conflict to partnership?",
        opened=OPENED,
        horizon=HORIZON,
        scenarios=scenarios,
        prior=Proportions(tuple(course[0] for course in COURSES.values()), 20.0),
        indicators=(
            Indicator(
                "meeting", "Senior leaders of both groups meet", "category", ("no", "yes"), (chance,) * 4
            ),
            Indicator("truce", "Answer to a truce", "category", ("refused", "accepted"), (chance,) * 4),
        ),
        sources=(Source("sohr", "Observatory", chance), Source("press", "Press", chance)),
        dynamics=Moves(stays, then) if regime else None,
        units=units,
    )


def made_up_reports(unit: str = "") -> tuple[Report, ...]:
    def report(id: str, when: date, indicator: str, value: str, source: str) -> Report:
        return Report(id + unit, when, when + timedelta(days=1), indicator, value, source, unit=unit)

    return (
        report("r1", date(2014, 9, 3), "meeting", "yes", "press"),
        report("r2", date(2014, 9, 30), "truce", "refused", "sohr"),
        report("r3", date(2014, 11, 1), "meeting", "yes", "sohr"),
        report("r4", date(2014, 11, 17), "truce", "refused", "sohr"),
        report("r5", date(2014, 11, 18), "truce", "accepted", "press"),
    )


WEIGHTS = (
    (-2.1, 1.2, 2.4, 0.1),
    (3.1, -1.9, -4.0, 0.0),
    (-1.4, 0.4, 1.6, 0.0),
    (2.6, -1.2, -2.2, 0.02),
    (-0.9, 0.8, 0.7, 0.0),
)


def made_up_case(
    path: Path | str = "scenarios/made-up", *, regime: bool = True, units: tuple[str, ...] = ()
) -> Case:
    reports: tuple[Report, ...] = ()
    for unit in units or ("",):
        reports += made_up_reports(unit)
    return Case(
        name=Path(path).name,
        path=Path(path),
        question=made_up_question(regime=regime, units=units),
        evidence=Evidence(reports),
        digest="0123456789abcdef" * 4,
        warnings=(WarningMessage("undated", "2 reports have no publication date"),),
    )


def retitled(case: Case, question: str, scenario: str) -> Case:
    """Return a case with other titles of the question and of its first scenario."""
    first, *others = case.question.scenarios
    scenarios = (replace(first, title=scenario), *others)
    return replace(case, question=replace(case.question, title=question, scenarios=scenarios))


def made_up_tree(case: Case, *, seed: int = 0, as_of: date = AS_OF) -> xr.DataTree:
    """Return a result with the groups and names that `forecast.update` returns."""
    question, units = case.question, case.question.units
    ids = [scenario.id for scenario in question.scenarios]
    weeks = question.period(as_of) + 1
    first, last, end = np.array(list(COURSES.values())).T
    share = np.linspace(0, 1, weeks)[:, None] ** 1.5
    past = _normalised(
        first + (last - first) * share + 0.02 * np.sin(np.arange(weeks))[:, None] * [1, -1, 0.5, 0]
    )
    days = [question.last_day(week) for week in range(weeks - 1)] + [as_of]
    ahead = [as_of + timedelta(days=7 * n) for n in range(19)]
    ahead[-1] = HORIZON
    step = (
        1 - np.exp(-np.linspace(0, 4, len(ahead)))[:, None]
        if question.dynamics
        else np.zeros((len(ahead), 1))
    )
    future = _normalised(past[-1] + (end - past[-1]) * step)
    draws = np.random.default_rng(seed).dirichlet(60 * past[-1], size=(4, 50))
    known = [report.id for report in case.evidence.known(as_of)]
    weights = np.array([WEIGHTS[int(id[1]) - 1] for id in known]).reshape(-1, len(ids))
    dims = ("unit", "scenario") if units else ("scenario",)
    coords: dict[str, Any] = {"scenario": ids} | ({"unit": list(units)} if units else {})
    return xr.DataTree.from_dict(
        {
            "/": xr.Dataset(attrs=_attributes(case, as_of, seed)),
            "posterior": xr.Dataset(
                {"scenario_probability": (("chain", "draw", *dims), _for_units(draws, units))}, coords=coords
            ),
            "trend": _course("as_of", days, past, dims, coords, units),
            "outlook": _course("date", ahead, future, dims, coords, units).assign(
                ever=(dims, _for_units(future.max(axis=0), units))
            ),
            "hindsight": xr.Dataset(
                {name: (("period", *dims), _for_units(past, units)) for name in ("filtered", "smoothed")},
                coords=coords | {"period": np.arange(weeks)},
            ),
            "evidence": xr.Dataset(
                {"weight_of_evidence": (("report", "scenario"), weights)}  # a report is of one unit only
                | {
                    name: ("report", np.array([getattr(r, name) for r in case.evidence.known(as_of)], str))
                    for name in ("source", "unit")
                },
                coords={"scenario": ids, "report": np.array(known, dtype=str)},
            ),
        }
    )


DRIFTED = (
    "judgement drifted far: likelihood meeting tactical (yes) was said to be 0.3, the evidence has it at "
    "0.6; see whether the judgement or the evidence is mistaken, or set `learn: false`"
)


def _attributes(case: Case, as_of: date, seed: int) -> dict[str, Any]:
    return {
        "case": case.name,
        "as_of": as_of.isoformat(),
        "horizon": case.question.horizon.isoformat(),
        "digest": case.digest,
        "engine": "smc",
        "seed": seed,
        "draws": 2000,
        "chains": 4,
        "tolerance": 0.01,
        "particles": 4000,
        "version": "0.1.0",
        "warnings": to_json([WarningMessage("drift", DRIFTED, ("likelihood meeting tactical",))]),
    }


def _course(
    time: str,
    days: Sequence[date],
    chances: Numbers,
    dims: tuple[str, ...],
    coords: dict[str, Any],
    units: tuple[str, ...],
) -> xr.Dataset:
    spread = 0.9 * chances * (1 - chances) * np.linspace(0.6, 1.2, len(days))[:, None]
    parts = {
        "probability": chances,
        "low": chances - spread * chances,
        "high": chances + spread,
        "mcse": np.full_like(chances, 0.003),
    }
    stamps = np.array(days, dtype="datetime64[ns]")
    variables = {name: ((time, *dims), _for_units(part, units)) for name, part in parts.items()}
    return xr.Dataset(variables, coords=coords | {time: stamps})


def _for_units(values: Numbers, units: tuple[str, ...]) -> Numbers:
    """Give every unit the same numbers, in a dimension before the scenarios."""
    return np.stack([values] * len(units), axis=-2) if units else values


def _normalised(chances: Numbers) -> Numbers:
    shares: Numbers = chances / chances.sum(axis=-1, keepdims=True)
    return shares
