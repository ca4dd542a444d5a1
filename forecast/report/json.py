"""The forecast as one JSON document, for programs: ``forecast update --json``."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.report.summary import of_unit

if TYPE_CHECKING:
    import xarray as xr

    from forecast.report.summary import Line, Summary, View


def document(summary: Summary, tree: xr.DataTree, change: xr.Dataset | None = None) -> dict[str, Any]:
    """Return a forecast as a document of plain values, ready for :func:`json.dumps`.

    Where the question is asked of several units, `scenarios`, `trend`, `outlook` and `change` stand inside
    the list `units`, once for each. A number that does not exist (no earlier forecast, no Monte Carlo
    error) is None.

    Parameters
    ----------
    summary : Summary
        What :func:`forecast.report.summary.summarise` picked from the result.
    tree : DataTree
        The result itself, for its trend and outlook.
    change : Dataset, optional
        What :func:`forecast.report.changes.changed_since_issue` returned.

    Returns
    -------
    dict
    """
    views = [_view(view, tree, change) for view in summary.views]
    body = views[0] if not summary.case.question.units else {"units": views}
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
        "warnings": [str(warning) for warning in summary.warnings],
    }


def _view(view: View, tree: xr.DataTree, change: xr.Dataset | None) -> dict[str, Any]:
    name = {"unit": view.unit} if view.unit else {}
    return {
        **name,
        "scenarios": [_scenario(line) for line in view.lines],
        "trend": _course(of_unit(tree["trend"].to_dataset(), view.unit), "as_of"),
        "outlook": _course(of_unit(tree["outlook"].to_dataset(), view.unit), "date"),
        "change": None if change is None else _change(of_unit(change, view.unit), view.unit),
    }


def _change(change: xr.Dataset, unit: str) -> dict[str, Any]:
    """Return the parts of the move since the last issue, each with the reports that brought it."""
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


def _scenario(line: Line) -> dict[str, Any]:
    return {
        "id": line.id,
        "title": line.title,
        "probability": line.now.probability,
        "low": line.now.low,
        "high": line.now.high,
        "mcse": _number(line.now.mcse),
        "words": line.now.words,
        "change": _number(line.now.change),
        "at_horizon": {
            "probability": line.horizon.probability,
            "low": line.horizon.low,
            "high": line.horizon.high,
            "ever": line.ever,
        },
    }


def _course(course: xr.Dataset, time: str) -> list[dict[str, Any]]:
    """Return one object per date: the date under the name of its dimension, then the scenarios of then."""
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
