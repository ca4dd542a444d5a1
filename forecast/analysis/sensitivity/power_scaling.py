"""Power scaling: how the answer moves if the priors, or the evidence, counted a little more or less."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Literal

import numpy as np
import xarray as xr

from forecast.inference.result import all_exact, group

Part = Literal["prior", "likelihood"]
PARTS: tuple[Part, ...] = ("prior", "likelihood")


def power_scaled(tree: xr.DataTree, part: Part, names: Sequence[str]) -> xr.Dataset:
    """Return the sensitivity of variables of the posterior to the power of a part (Kallioinen et al. 2023).

    Not a number where nothing is uncertain. Exactly 0 where the part is a constant: of no evidence, or of
    judgements that are all flat, it does not matter how much it counts.

    Examples
    --------
    >>> power_scaled(tree, "prior", ["horizon_probability"])  # doctest: +SKIP
    """
    draws, scaled = tree["posterior"].to_dataset()[list(names)], group(tree, f"log_{part}")
    if all_exact(tree) or scaled is None:
        return draws.isel(chain=0, draw=0, drop=True) * np.nan
    log = sum(one.sum([dim for dim in one.dims if dim not in ("chain", "draw")]) for one in scaled.values())
    if np.ptp(np.asarray(log)) == 0:
        return draws.isel(chain=0, draw=0, drop=True) * 0.0
    import arviz as az

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found: xr.Dataset = az.psense(tree, group=part, var_names=list(names))
    return found
