"""What a review says of one thing, and what the reviews of all things share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import xarray as xr

Verdict = Literal["PASS", "REVIEW", "FAIL"]
MOST = 4  # so many names are listed, the others counted


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked.

    Attributes
    ----------
    name : str
        What was checked.
    verdict : {"PASS", "REVIEW", "FAIL"}
        PASS: nothing to do. REVIEW: somebody should look before the forecast is used. FAIL: the numbers
        should not be issued as they are.
    reason : str
        What was found, and why it matters.
    action : str
        What to do; "" where there is nothing to do.
    """

    name: str
    verdict: Verdict
    reason: str
    action: str = ""


def group(tree: xr.DataTree, name: str) -> xr.Dataset | None:
    """Return a group of a result, or None if it has none of this name, or an empty one."""
    found = tree[name].to_dataset() if name in tree.children else None
    return found if found is not None and found.data_vars else None


def exact(tree: xr.DataTree) -> bool:
    """Tell whether every judgement is known exactly, so that nothing was sampled."""
    return group(tree, "log_prior") is None


def cut(tree: xr.DataTree) -> bool:
    """Tell whether some uncertain judgements must not learn (`learn: false`)."""
    return bool(tree.attrs.get("cut", 0))


def named(names: Iterable[object]) -> str:
    """Return names as a list in words, the first few of them."""
    every = [str(name) for name in names]
    shown = ", ".join(every[:MOST])
    return f"{shown} and {len(every) - MOST} more" if len(every) > MOST else shown


def day(date: object) -> str:
    """Return a date as text."""
    return str(date)[:10]
