"""What the engine answered, as plain arrays, and the comparison with an oracle."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import xarray as xr

from tests.oracles.paths import Array


def answers(tree: xr.DataTree) -> dict[str, Array]:
    """Return now, horizon, ever ([unit], scenario); trend, outlook, smoothed, filtered with dates first."""
    trend, outlook = array(tree, "trend", "probability"), array(tree, "outlook", "probability")
    return {
        "now": trend[-1],
        "trend": trend,
        "horizon": outlook[-1],
        "outlook": outlook,
        "ever": array(tree, "outlook", "ever"),
        "smoothed": array(tree, "hindsight", "smoothed"),
        "filtered": array(tree, "hindsight", "filtered"),
    }


def array(tree: xr.DataTree, group: str, name: str) -> Array:
    """Return a variable with units before scenarios, and everything else before both."""
    found = tree[group].to_dataset()[name]
    last = [d for d in ("unit", "scenario") if d in found.dims]
    return np.asarray(found.transpose(..., *last).values, dtype=float)


def dates(tree: xr.DataTree) -> list[date]:
    """Return the trend's dates."""
    days = tree["trend"].to_dataset()["as_of"].values.astype("datetime64[D]")
    return [day.item() for day in days]


def assert_close(name: str, found: Array, expected: Array, error: Any) -> None:
    """Assert agreement, entry by entry, and say where it is broken."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{name}: shape {found.shape}, expected {expected.shape}"
    off = np.abs(found - expected)
    ratio = np.max(off / error)
    assert np.all(off <= error), (
        f"{name}: off by {off.max():.2g}, {ratio:.2f} times what is allowed\n"
        f"found\n{found}\nexpected\n{expected}"
    )
