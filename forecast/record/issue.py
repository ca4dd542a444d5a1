"""Issuing a forecast: its rows appended to the ledger, and the last issue to compare it with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from forecast.inference import result
from forecast.record.ledger import LEDGER, Entry, Inputs, append

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.folder import Case


def issue(case: Case, tree: xr.DataTree, *, issued_at: datetime | None = None) -> bool:
    """Record a forecast in the case's ledger, unless the same inputs were issued before.

    Parameters
    ----------
    case : Case
        The case the forecast is of; its folder holds the ledger.
    tree : DataTree
        What :func:`forecast.update` returned for it.
    issued_at : datetime, optional
        When it is issued (with a time zone); default: now.

    Returns
    -------
    bool
        False if the ledger held it already.

    Raises
    ------
    InputError
        If the ledger cannot be understood. Nothing is written then.
    ValueError
        If the engine found that its own numbers cannot be trusted (the result's attribute `refused`).

    Examples
    --------
    >>> import forecast
    >>> case = forecast.load_case("scenarios/isis-jn-2014")  # doctest: +SKIP
    >>> forecast.issue(case, forecast.update(case))  # doctest: +SKIP
    True
    """
    if refused := tree.attrs.get("refused"):
        raise ValueError(f"a forecast that its own engine refuses cannot be issued: {refused}")
    return append(case.path / LEDGER, entries(tree, issued_at=issued_at or datetime.now(UTC)))


def inputs(tree: xr.DataTree) -> Inputs:
    """Return what decided a result's numbers."""
    whole = dict.fromkeys(("draws", "chains", "seed"), int)
    kinds: dict[str, Any] = {"as_of": date.fromisoformat, "tolerance": float, **whole}
    return Inputs(*(kinds.get(name, str)(tree.attrs[name]) for name in Inputs._fields))


def entries(tree: xr.DataTree, *, issued_at: datetime) -> tuple[Entry, ...]:
    """Return the ledger's rows for a result: one per scenario, for each unit."""
    made_from, when = inputs(tree), issued_at.astimezone(UTC).replace(microsecond=0)
    now, end = result.now(tree), result.at_horizon(tree)
    units: list[str] = [str(unit) for unit in now["unit"].values] if "unit" in now.dims else [""]
    rows = []
    for unit in units:
        for scenario in now["scenario"].values:
            here, there = now.sel(scenario=scenario), end.sel(scenario=scenario)
            if unit:
                here, there = result.of_unit(here, unit), result.of_unit(there, unit)
            row: dict[str, Any] = {"unit": unit, "scenario": str(scenario), "horizon": result.horizon(tree)}
            row |= _chances(here) | {f"horizon_{name}": p for name, p in _chances(there).items()}
            rows.append(Entry(issued_at=when, **row, **made_from._asdict()))
    return tuple(rows)


def _chances(of: xr.Dataset) -> dict[str, float]:
    """Return probability and interval ends, clipped to [0, 1]; raise where they are not finite."""
    numbers = {name: float(of[name]) for name in ("probability", "low", "high")}
    if not all(map(math.isfinite, numbers.values())):
        raise ValueError(f"a forecast that is no number cannot be issued: {list(numbers.values())}")
    return {name: min(max(number, 0.0), 1.0) for name, number in numbers.items()}


def last_issue(ledger: Sequence[Entry], made_from: Inputs) -> tuple[Entry, ...]:
    """Return the ledger rows of the previous issue to compare a forecast with.

    That is the one with the latest as-of date not after this forecast's, and among those of one date the
    latest issued. What was issued after these very inputs is left out, so that a forecast made twice shows
    the same change both times. Empty if there is none.
    """
    own = next((n for n, entry in enumerate(ledger) if entry.inputs == made_from), len(ledger))
    earlier = [entry for entry in ledger[:own] if entry.as_of <= made_from.as_of]
    if not earlier:
        return ()
    # The ledger is in the order of issue, so among equal dates the last row is of the latest issue.
    latest = max(enumerate(earlier), key=lambda numbered: (numbered[1].as_of, numbered[0]))[1]
    return tuple(entry for entry in earlier if entry.inputs == latest.inputs)
