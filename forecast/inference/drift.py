"""Drift: how far the evidence has pulled each judgement from what its author said."""

from __future__ import annotations

import numpy as np
import xarray as xr

from forecast.inference.summary import Draws
from forecast.model.layout import Layout

FAR = 0.02


def drift(layout: Layout, draws: Draws) -> xr.Dataset:
    """Compare the posterior of every learning judgement with its prior.

    `tail` is the share of prior draws at least as far out as the posterior mean, 2 min(F, 1 - F): near 1
    where the evidence agrees with the author, below 0.02 where the two hardly overlap. Of a judgement over
    several values the entry that moved farthest counts.

    Returns
    -------
    xarray.Dataset
        `said`, `now` and `tail` by judgement.
    """
    size = layout.size
    before, after = draws.prior.reshape(-1, size), draws.theta.reshape(-1, size).mean(axis=0)
    below = (before < after).mean(axis=0)
    varies = before.max(axis=0) > before.min(axis=0)
    tail = np.where(varies, np.minimum(2 * np.minimum(below, 1 - below), 1.0), 1.0)
    names, rows = [], []
    for block in layout.blocks:
        if block.learns:
            worst = block.start + int(np.argmin(tail[block.slots]))
            names.append(block.name)
            rows.append((layout.mean[worst], after[worst], tail[worst]))
    said, now, tails = np.array(rows, float).reshape(-1, 3).T
    return xr.Dataset(
        {"said": ("judgement", said), "now": ("judgement", now), "tail": ("judgement", tails)},
        {"judgement": np.array(names, dtype=str)},
    )


def drift_warnings(found: xr.Dataset) -> list[str]:
    """Return a warning for each judgement that drifted far."""
    far = found.isel(judgement=np.flatnonzero(found["tail"].values < FAR))
    return [
        f"judgement drifted far: {name} was said to be {said:.3g}, the evidence has it at {now:.3g}; "
        "see whether the judgement or the evidence is mistaken, or set `learn: false`"
        for name, said, now in zip(
            far["judgement"].values, far["said"].values, far["now"].values, strict=True
        )
    ]
