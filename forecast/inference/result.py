"""Accessors of a result DataTree: dates, probabilities now and at the horizon, one unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from forecast.case.warnings import WarningMessage, from_json

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.folder import Case


def as_of(result: xr.DataTree | xr.Dataset) -> date:
    """Return the day whose knowledge a result uses."""
    return date.fromisoformat(str(result.attrs["as_of"]))


def horizon(result: xr.DataTree | xr.Dataset) -> date:
    """Return the day on which the question is settled at the latest."""
    return date.fromisoformat(str(result.attrs["horizon"]))


def now(tree: xr.DataTree) -> xr.Dataset:
    """Return the last point of the trend, of the scenarios in force on the as-of date."""
    return tree["trend"].to_dataset().isel(as_of=-1).sel(scenario=tree["outlook"]["scenario"].values)


def at_horizon(tree: xr.DataTree) -> xr.Dataset:
    """Return the last point of the outlook."""
    return tree["outlook"].to_dataset().isel(date=-1)


def now_and_horizon(tree: xr.DataTree, scenarios: Sequence[str], variable: str = "probability") -> np.ndarray:
    """Return a variable of the forecast now and at the horizon, (2, U, K), the scenarios in this order."""
    parts = [
        data[variable].sel(scenario=list(scenarios)).transpose(..., "scenario").values
        for data in (tree["trend"].to_dataset().isel(as_of=-1), at_horizon(tree))
    ]
    return np.stack([part.reshape(-1, len(scenarios)) for part in parts])


def of_unit[Data: (xr.Dataset, xr.DataArray)](data: Data, unit: str | None) -> Data:
    """Return the part of one unit; all of it where the question is asked of one ("" or None)."""
    return data.sel(unit=unit) if unit and "unit" in data.dims else data


def by_unit[Data: (xr.Dataset, xr.DataArray)](data: Data) -> Iterator[tuple[str, Data]]:
    """Yield each unit with its part; the whole once, under "", where the question is asked of one."""
    names = data["unit"].values.tolist() if "unit" in data.dims else [""]
    return ((name, of_unit(data, name)) for name in names)


def warnings(tree: xr.DataTree) -> list[WarningMessage]:
    """Return the warnings about the case and about the run."""
    return from_json(tree.attrs.get("warnings", "[]"))


def group(tree: xr.DataTree, name: str) -> xr.Dataset | None:
    """Return a group of a result, or None if it has none of this name, or an empty one."""
    data = tree[name].to_dataset() if name in tree.children else None
    return data if data is not None and data.data_vars else None


def all_exact(tree: xr.DataTree) -> bool:
    """Tell whether every judgement is exact, so that there is no sampling."""
    return group(tree, "log_prior") is None


def some_fixed(tree: xr.DataTree) -> bool:
    """Tell whether some uncertain judgements must not learn (`learn: false`)."""
    return bool(tree.attrs.get("cut", 0))


def require_current(case: Case, tree: xr.DataTree) -> None:
    """Raise ValueError if a result was not made from the files of a case as they are now."""
    if tree.attrs.get("digest") != case.digest:
        raise ValueError(f"the tree was not made from the files of {case.name} as they are")
