"""Drift: how far the evidence has pulled each judgement from what its author said."""

from __future__ import annotations

import numpy as np
import xarray as xr

from forecast.inference.summary import Draws
from forecast.model.layout import Block, Layout

FAR = 0.02
FEWEST = 400  # draws from which so small a tail can be told


def drift(layout: Layout, draws: Draws) -> xr.Dataset:
    """Compare the posterior of every learning judgement with its prior.

    `tail` is the share of prior draws at least as far out as the posterior mean, 2 min(F, 1 - F): near 1
    where the evidence agrees with the author, below 0.02 where the two hardly overlap. Of a judgement over
    several values the `entry` that moved farthest counts; of yes and no, yes.

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
    names, entries, rows = [], [], []
    for block in layout.blocks:
        if block.learns:
            first = 1 if block.size == 2 and block.name.startswith("likelihood") else 0  # yes, rather than no
            entry = first + int(np.argmin(tail[block.slots][first:]))
            worst = block.start + entry
            names.append(block.name)
            entries.append(_entry(layout, block, entry))
            rows.append((layout.mean[worst], after[worst], tail[worst]))
    said, now, tails = np.array(rows, float).reshape(-1, 3).T
    return xr.Dataset(
        {"said": ("judgement", said), "now": ("judgement", now), "tail": ("judgement", tails)},
        {
            "judgement": np.array(names, dtype=str),
            "entry": ("judgement", np.array(entries, dtype=str)),
            "draws": len(before),
        },
    )


def _entry(layout: Layout, block: Block, entry: int) -> str:
    """Return the name of one entry of a judgement over several: a value, or a scenario."""
    kind, *rest = block.name.split(" ")
    if kind in ("prior", "then", "transition"):
        return layout.question.scenarios[entry].id
    values = {i.id: i.values for i in layout.question.indicators}
    return values[rest[0]][entry] if kind == "likelihood" and values[rest[0]] else ""


def drift_warnings(found: xr.Dataset) -> list[str]:
    """Return a warning for each judgement that drifted far."""
    if int(found["draws"]) < FEWEST:
        return []
    far = found.isel(judgement=np.flatnonzero(found["tail"].values < FAR))
    return [
        f"judgement drifted far: {name}{f' ({entry})' if entry else ''} was said to be {said:.3g}, the "
        f"evidence has it at {now:.3g}; see whether the judgement or the evidence is mistaken, or set "
        "`learn: false`"
        for name, entry, said, now in zip(
            far["judgement"].values, far["entry"].values, far["said"].values, far["now"].values, strict=True
        )
    ]
