"""JSON documents that the commands print with ``--json``, as plain values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.case.reporting import log_sentences
from forecast.case.traps import trap_warnings
from forecast.case.warnings import from_json
from forecast.inference.result import by_unit, of_unit

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from forecast.analysis.filing import Filing
    from forecast.analysis.review import Check
    from forecast.case.errors import Fault
    from forecast.case.folder import Case
    from forecast.report.summary import ScenarioForecast, Summary, UnitForecast


def document(summary: Summary, tree: xr.DataTree, change: xr.Dataset | None = None) -> dict[str, Any]:
    """Return a forecast as a document of plain values, ready for :func:`json.dumps`.

    Where the question is asked of several units, `scenarios`, `trend`, `outlook` and `change` stand inside
    the list `units`, once for each. A number that does not exist (no earlier forecast, no Monte Carlo
    error) is None. `change` is that of :func:`forecast.changed_since_issue`.
    """
    units = [_unit(unit, tree, change) for unit in summary.units]
    body = units[0] if not summary.case.question.units else {"units": units}
    return {
        "case": summary.case.name,
        "as_of": summary.inputs.as_of.isoformat(),
        "horizon": summary.horizon.isoformat(),
        "engine": summary.inputs.engine,
        "digest": summary.inputs.digest,
        **body,
        "confidence": {
            "level": summary.confidence.level,
            "because": [{"what": one.what, "level": one.level} for one in summary.confidence.foundations],
        },
        "filing": None if summary.filing is None else _filing(summary, summary.filing),
        "warnings": [str(warning) for warning in summary.warnings],
    }


def _filing(summary: Summary, filing: Filing) -> dict[str, Any]:
    """Return how the log was understood, and the forecast with reporting ignored where that is another."""
    ids, units = summary.question.scenario_ids, [unit.name for unit in summary.units]
    ignored = None
    if filing.ignored is not None:
        now, end = ([dict(zip(ids, row, strict=True)) for row in value.tolist()] for value in filing.ignored)
        ignored = [{"unit": u, "now": a, "at_horizon": b} for u, a, b in zip(units, now, end, strict=True)]
    since = [
        {"unit": unit, "indicator": id, "since": day.isoformat()} for (unit, id), day in filing.since.items()
    ]
    chances = {claim: chance._asdict() for claim, chance in filing.chances.items()}
    return {"filed": chances, "silence_counts": since, "ignored": ignored}


def _unit(unit: UnitForecast, tree: xr.DataTree, change: xr.Dataset | None) -> dict[str, Any]:
    name = {"unit": unit.name} if unit.name else {}
    return {
        **name,
        "scenarios": [_scenario(scenario) for scenario in unit.scenarios],
        "trend": _dated(of_unit(tree["trend"].to_dataset(), unit.name), "as_of"),
        "outlook": _dated(of_unit(tree["outlook"].to_dataset(), unit.name), "date"),
        "change": None if change is None else _change(of_unit(change, unit.name), unit.name),
    }


def _change(change: xr.Dataset, unit: str) -> dict[str, Any]:
    """Return the attribution of the change since the last issue: parts with their reports."""
    names = change["scenario"].values.tolist()

    def moved(when: str, step: str) -> dict[str, Any]:
        return dict(zip(names, map(_number, change[when].sel(step=step).values.tolist()), strict=True))

    mine = change["report_unit"].values == unit
    return {
        "since": change.attrs["since"],
        "parts": [
            {
                "part": step,
                "reports": change["report"].values[mine & (change["report_step"].values == step)].tolist(),
                "now": moved("now", step),
                "at_horizon": moved("horizon", step),
            }
            for step in change["step"].values.tolist()
        ],
        "notes": json.loads(change.attrs["note"]),
    }


def _scenario(scenario: ScenarioForecast) -> dict[str, Any]:
    band = ("probability", "low", "high")
    return {
        "id": scenario.id,
        "title": scenario.title,
        **{name: _plain(getattr(scenario.now, name)) for name in (*band, "mcse", "words", "change")},
        "at_horizon": {name: getattr(scenario.horizon, name) for name in band}
        | {"ever": scenario.ever}
        | {
            name: value
            for name in ("if_prepared", "without_news")
            if (value := getattr(scenario, name)) is not None
        },
    }


def _dated(course: xr.Dataset, time: str) -> list[dict[str, Any]]:
    """Return one object per date, with the probability of each scenario in force then."""
    table = course["probability"].transpose(time, "scenario")
    dates = table[time].values.astype("datetime64[D]").astype(str).tolist()
    names = table["scenario"].values.tolist()
    there = course["in_force"].values if "in_force" in course else np.ones(table.shape, bool)
    return [
        {time: day} | {name: _number(p) for name, p, now in zip(names, row, alive, strict=True) if now}
        for day, row, alive in zip(dates, table.values.tolist(), there, strict=True)
    ]


def _number(value: float | None) -> float | None:
    """Return a number that JSON can hold."""
    return value if value is not None and math.isfinite(value) else None


def trend(case: Case, tree: xr.DataTree) -> dict[str, Any]:
    """Return trend and outlook alone, as they stand in :func:`document`."""
    from forecast.report.summary import summarise

    whole = document(summarise(case, tree), tree)
    names = ("case", "as_of", "horizon", "engine", "digest", "trend", "outlook", "units")
    return {name: whole[name] for name in names if name in whole}


def faults(case: str, every: Sequence[Fault]) -> dict[str, Any]:
    """Return what is wrong with a case."""
    return {"case": case, "sound": False, "faults": [asdict(fault) for fault in every], "warnings": []}


def checked(
    case: Case, checks: Sequence[Check] | None = None, compared: Mapping[str, xr.Dataset] | None = None
) -> dict[str, Any]:
    """Return a check: warnings, how the log is understood, the review, and one object per way to compute."""
    review = {} if checks is None else {"review": [asdict(check) for check in checks]}
    tables = {name: _records(data.to_dataframe().reset_index()) for name, data in (compared or {}).items()}
    sound = {"case": case.name, "sound": True, "digest": case.digest, "faults": []}
    warnings = [*case.warnings, *trap_warnings(case.question, case.evidence)]
    log = log_sentences(case.question, case.evidence)
    return sound | {"warnings": [str(warning) for warning in warnings], "log": log} | review | tables


def whatif(data: xr.Dataset) -> dict[str, Any]:
    """Return what :func:`forecast.whatif` found: each scenario as it is, what if, and the difference."""
    rows = []
    for unit, part in by_unit(data):
        for scenario in part["scenario"].values.tolist():
            one = part.sel(scenario=scenario)
            row: dict[str, Any] = {"id": scenario} | ({"unit": unit} if unit else {})
            apart = [str(name) for name in one if "difference" in str(name)]
            levels = one.drop_vars(apart)
            for variant in one["variant"].values.tolist():
                at = levels.sel(variant=variant)
                row[variant.replace(" ", "_")] = {str(name): float(p) for name, p in at.items()}
            row["difference"] = {name.replace("_difference", ""): float(one[name]) for name in apart}
            rows.append(row)
    attrs = {name: data.attrs[name] for name in ("case", "as_of", "horizon", "digest", "seed")}
    warnings = [str(warning) for warning in from_json(data.attrs["warnings"])]
    changes = json.loads(data.attrs["changes"])
    return attrs | {"changes": changes, "scenarios": _plain(rows), "warnings": warnings}


def collect(case: Case, day: date, table: pd.DataFrame) -> dict[str, Any]:
    """Return the whole table of :func:`forecast.collect`."""
    return {
        "case": case.name,
        "as_of": day.isoformat(),
        "horizon": case.question.horizon.isoformat(),
        "digest": case.digest,
        **{name: table.attrs[name] for name in ("period_end", "entropy", "left_out")},
        "collect": _records(table),
    }


def dataset(data: xr.Dataset) -> dict[str, Any]:
    """Return a Dataset as xarray's own dictionary, days as text and numbers that are not finite as None."""
    plain: dict[str, Any] = _plain(data.to_dict())
    return plain


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(key): _plain(value) for key, value in row.items()} for row in table.to_dict(orient="records")
    ]


def _plain(value: Any) -> Any:
    """Return plain values that JSON can hold."""
    match value:
        case dict():
            return {key: _plain(one) for key, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case float():
            return _number(value)
        case datetime():
            return value.date().isoformat()
    return value
