"""The forecast's present: the last point of the trend."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr


def present(tree: xr.DataTree) -> xr.Dataset:
    """Return the trend at the as-of date, of the scenarios in force on it."""
    return tree["trend"].to_dataset().isel(as_of=-1).sel(scenario=tree["outlook"]["scenario"].values)
