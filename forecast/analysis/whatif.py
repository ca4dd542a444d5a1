"""What-if analysis: the forecast compared with one under altered evidence or judgements."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from forecast.case.edit import WHAT_IF, Imagined, altered
from forecast.case.errors import Fault, InputError
from forecast.case.folder import Case, as_case
from forecast.case.in_force import checked_as_of
from forecast.case.warnings import from_json, to_json
from forecast.inference.data_tree import Progress
from forecast.inference.engine import update
from forecast.inference.result import at_horizon, now

AS_IT_IS = "as it is"


def whatif(
    case: Case | str | Path,
    *,
    as_of: date | None = None,
    add: Iterable[Imagined] = (),
    drop: Iterable[str] = (),
    drop_sources: Iterable[str] = (),
    set: Mapping[str, Any] | None = None,
    draws: int = 2000,
    chains: int = 4,
    tolerance: float = 0.01,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Forecast with other evidence or judgements, beside the forecast as it is. Nothing is written.

    Parameters
    ----------
    case : Case or path
    add : iterable of Report or mapping
        Imagined reports, known by the as-of date; a mapping ({"date": "2014-11-20", "indicator": ...}) has
        the columns of ``evidence.csv``, of which `id` and `reported` may be left out.
    drop, drop_sources : iterable of str
        Ids of reports, and of sources, to be left out as if they had never been written down. A repeat of
        what is left out stands on its own.
    set : mapping, optional
        Other judgements, by name: "prior", "prior SCENARIO", "likelihood INDICATOR SCENARIO", "reliability
        SOURCE", "credibility REPORT", "lasts SCENARIO", "persistence INDICATOR", "correlation GROUP",
        "cap", "weight" and the like, with values as in ``question.yaml``; "" removes the entry.
    as_of, draws, chains, tolerance, seed, progress
        As for :func:`forecast.update`; both forecasts have the same.

    Returns
    -------
    xarray.Dataset
        By `variant` ("as it is", "what if"), scenario (and unit): `now` and `horizon` with `_low`, `_high`
        (90 % band) and `_mcse`, and `ever`. By scenario: `now_difference`, `horizon_difference`,
        `ever_difference` (what if less as it is), the first two with `_mcse`, which takes the errors of the
        two forecasts as independent. Attributes: the case, the as-of date, `changes` and `warnings` (JSON).

    Raises
    ------
    InputError
        If a change names nothing that there is, would be refused in a file, or nothing is changed.

    Examples
    --------
    >>> data = whatif("scenarios/isis-jn-2014", set={"reliability sohr": "A"})  # doctest: +SKIP
    """
    case = as_case(case)
    day = checked_as_of(case.question, as_of)
    add, drop, drop_sources, judged = list(add), _listed(drop), _listed(drop_sources), dict(set or {})
    other = altered(case, add=add, drop=drop, drop_sources=drop_sources, set=judged).on(day)
    case = case.on(day)
    _check_known(case, other, drop, day)
    settings = {"as_of": day, "draws": draws, "chains": chains, "tolerance": tolerance, "seed": seed}
    before = _forecast(case, settings, progress and (lambda share: progress(share / 2)))
    after = _forecast(other, settings, progress and (lambda share: progress((1 + share) / 2)))
    changes = json.dumps(_changes(case, other, drop_sources, judged))
    return _side_by_side(before, after).assign_attrs(changes=changes)


def _side_by_side(before: xr.Dataset, after: xr.Dataset) -> xr.Dataset:
    """Return two forecasts side by side, with their differences and the warnings that are new."""
    data = xr.concat([before, after], dim="variant", join="override", combine_attrs="drop")
    data = data.assign_coords(variant=[AS_IT_IS, WHAT_IF])
    for name in ("now", "horizon", "ever"):
        data[f"{name}_difference"] = after[name] - before[name]
    for name in ("now", "horizon"):
        data[f"{name}_difference_mcse"] = np.hypot(before[f"{name}_mcse"], after[f"{name}_mcse"])
    known = from_json(before.attrs["warnings"])
    new = [warning for warning in from_json(after.attrs["warnings"]) if warning not in known]
    return data.assign_attrs(before.attrs | {"warnings": to_json(new)})


def _listed(names: Iterable[str]) -> list[str]:
    """Return names as a list; one name alone is a list of one."""
    return [names] if isinstance(names, str) else list(names)


def _check_known(case: Case, other: Case, drop: list[str], day: date) -> None:
    """Refuse to add, or to leave out, what is not known on the as-of date: it would change nothing."""
    ids, late = {r.id for r in case.evidence.reports}, f"the as-of date ({day})"
    faults: list[Fault] = []
    for r in other.evidence.reports:
        if r.id not in ids and r.reported > day:
            problem = f"report {r.id}, reported: after {late}, so that it would change nothing"
            fix = "give an earlier day, or a later as-of date"
            faults.append(Fault(WHAT_IF, 0, r.reported.isoformat(), problem, f"a day up to {day}", fix))
    for r in case.evidence.reports:
        if r.id in drop and r.reported > day:
            problem = f"reported on {r.reported}, after {late}: to leave it out would change nothing"
            fix = "leave out one that was known, or give a later as-of date"
            faults.append(Fault(WHAT_IF, 0, r.id, problem, fix=fix))
    if faults:
        raise InputError(faults)


def _forecast(case: Case, settings: dict[str, Any], progress: Progress | None) -> xr.Dataset:
    """Return the forecast of a case now and at the horizon; its attributes say of what."""
    tree = update(case, progress=progress, **settings)
    data = now_and_horizon_data(tree, {"": "probability", "_low": "low", "_high": "high", "_mcse": "mcse"})
    attrs = {name: tree.attrs[name] for name in ("case", "as_of", "horizon", "digest", "seed", "warnings")}
    return data.assign(ever=tree["outlook"].to_dataset()["ever"]).assign_attrs(attrs)


def now_and_horizon_data(tree: xr.DataTree, columns: Mapping[str, str]) -> xr.Dataset:
    """Return columns of a forecast, by suffix, as variables `now` and `horizon` with these suffixes."""
    variables = {
        f"{name}{suffix}": data[column].drop_vars(["as_of", "date"], errors="ignore")
        for name, data in (("now", now(tree)), ("horizon", at_horizon(tree)))
        for suffix, column in columns.items()
    }
    return xr.Dataset(variables)


def _changes(case: Case, other: Case, drop_sources: list[str], judged: Mapping[str, Any]) -> list[str]:
    """Say what was changed, a line each."""
    before, after = ({r.id: r for r in one.evidence.reports} for one in (case, other))
    return [
        *(f"without source {name}" for name in drop_sources),
        *(f"without report {id}" for id, r in before.items() if id not in after and r.indicator),
        *(
            f"with report {id}: {r.date}, {r.indicator or 'context'} = {r.value}, {r.source}"
            for id, r in after.items()
            if id not in before
        ),
        *(f"{key}: {'removed' if value in (None, '') else value}" for key, value in judged.items()),
    ]
