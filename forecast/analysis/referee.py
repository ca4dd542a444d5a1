"""Several ways to the same numbers, side by side: both engines, and exact referees where they apply."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

import numpy as np
import xarray as xr

from forecast.analysis.paths import by_paths
from forecast.case.as_of import checked_as_of
from forecast.case.folder import Case
from forecast.inference.engine import update
from forecast.model.filtering import empty_filtered, refresh
from forecast.model.problem import Problem, problem

PRIOR_DRAWS, CHUNK = 100_000, 5_000
ENOUGH = 400  # effective draws below which importance sampling cannot judge
ERRORS = 4.0  # combined standard errors within which two ways agree


class Way(NamedTuple):
    """One way to the numbers: probabilities and their errors, (U, K) each, or why there are none."""

    name: str
    now: np.ndarray | None
    horizon: np.ndarray | None
    now_mcse: np.ndarray | None
    horizon_mcse: np.ndarray | None
    note: str


def referee(
    case: Case,
    *,
    as_of: date | None = None,
    draws: int = 2000,
    chains: int = 4,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> xr.Dataset:
    """Compute a case's forecast in every way there is.

    Parameters
    ----------
    case : Case
    as_of : date, optional
        As for :func:`forecast.update`.
    draws, chains, seed, progress
        As for :func:`forecast.update`, of both engines.

    Returns
    -------
    xarray.Dataset
        `now`, `horizon` and their errors `now_mcse`, `horizon_mcse` by engine (smc, nuts, importance
        sampling, paths) and scenario (and unit), nan where one does not apply; `note` by engine says
        why not, or what to think of it; `agrees` whether it is within four combined standard errors of smc
        everywhere. Importance sampling weighs 100,000 draws from the prior: it is blind where judgements
        learn much, and its effective size says so.

    Examples
    --------
    >>> forecast.referee(forecast.load_case("scenarios/isis-jn-2014"))["agrees"]  # doctest: +SKIP
    """
    day = checked_as_of(case.question, as_of)
    case = case.on(day)
    task = problem(case.question, case.evidence, day)
    if progress is not None:
        progress(0.0)
    ways = [
        _engine(case, "smc", day, draws, chains, seed, None),
        _engine(case, "nuts", day, draws, chains, seed, progress),
        _importance(task, seed),
        _paths(task),
    ]
    return _dataset(case, ways)


def _engine(
    case: Case,
    engine: str,
    day: date,
    draws: int,
    chains: int,
    seed: int,
    progress: Callable[[float], None] | None,
) -> Way:
    tree = update(
        case,
        as_of=day,
        engine="nuts" if engine == "nuts" else "smc",
        draws=draws,
        chains=chains,
        seed=seed,
        progress=progress,
    )
    now, ahead = tree["trend"].to_dataset().isel(as_of=-1), tree["outlook"].to_dataset().isel(date=-1)
    shape = (-1, len(case.question.scenarios))
    now, ahead = (data.transpose("unit", "scenario", missing_dims="ignore") for data in (now, ahead))
    return Way(
        engine,
        now["probability"].values.reshape(shape),
        ahead["probability"].values.reshape(shape),
        now["mcse"].values.reshape(shape),
        ahead["mcse"].values.reshape(shape),
        str(tree.attrs["refused"]),
    )


def _importance(task: Problem, seed: int) -> Way:
    """Weigh draws from the prior by their likelihood."""
    layout, step = task.layout, task.steps[-1]
    if layout.cut and layout.learns:
        return _none("importance sampling", "does not apply: some judgements must not learn")
    rng = np.random.default_rng(np.random.SeedSequence([seed, 7]))
    question, free = layout.question, any(block.free for block in layout.blocks)
    total = PRIOR_DRAWS if free else 1
    ahead = question.period(question.horizon) - step.periods + 1
    log_weight, now, horizon = [], [], []
    filtered = empty_filtered(min(CHUNK, total), task.units, step.periods, layout.scenarios)
    for _ in range(max(total // CHUNK, 1)):
        theta = np.concatenate([block.draw(rng, min(CHUNK, total)) for block in layout.blocks], axis=1)
        refresh(theta, step.course, task.cells, layout.arrays, filtered)
        log_weight.append(filtered.log_norm.sum(axis=(1, 2)))
        now.append(filtered.alpha[:, :, -1].copy())
        horizon.append(now[-1] @ np.linalg.matrix_power(filtered.matrix, ahead))
    log_w = np.concatenate(log_weight) if layout.learns else np.zeros(total)
    weight = np.exp(log_w - log_w.max())
    weight /= weight.sum()
    size = 1.0 / (weight**2).sum()
    mean_now, error_now = _weighed(weight, np.concatenate(now))
    mean_ahead, error_ahead = _weighed(weight, np.concatenate(horizon))
    note = (
        ""
        if size >= ENOUGH or not free
        else f"only {size:.0f} effective draws of {total:,}: too few to judge"
    )
    return Way("importance sampling", mean_now, mean_ahead, error_now, error_ahead, note)


def _weighed(weight: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the weighted mean of value (N, U, K), and its standard error (weights that sum to 1)."""
    mean = np.tensordot(weight, value, 1)
    return mean, np.sqrt(np.tensordot(weight**2, (value - mean) ** 2, 1))


def _paths(task: Problem) -> Way:
    found = by_paths(task)
    if found.now is None:
        return _none("paths", f"does not apply: {found.reason}")
    horizon = None if found.horizon is None else found.horizon[None]
    zero = np.zeros((1, task.layout.scenarios))
    return Way("paths", found.now[None], horizon, zero, zero, "")


def _none(name: str, note: str) -> Way:
    return Way(name, None, None, None, None, note)


def _dataset(case: Case, ways: list[Way]) -> xr.Dataset:
    question = case.question
    shape = (max(len(question.units), 1), len(question.scenarios))
    nothing = np.full(shape, np.nan)
    columns = {
        name: np.stack([nothing if (value := getattr(way, name)) is None else value for way in ways])
        for name in ("now", "horizon", "now_mcse", "horizon_mcse")
    }
    agrees = [_agree(ways[0], way) for way in ways]
    dims = ("engine", "unit", "scenario")
    data = xr.Dataset(
        {name: (dims, value) for name, value in columns.items()}
        | {"agrees": ("engine", agrees), "note": ("engine", [way.note for way in ways])},
        {
            "engine": [way.name for way in ways],
            "unit": list(question.units) or [""],
            "scenario": [s.id for s in question.scenarios],
        },
    )
    return data if question.units else data.isel(unit=0, drop=True)


def _agree(one: Way, other: Way) -> bool:
    """Tell whether two ways lie within four combined errors; true where there is nothing to compare."""
    if other.note:
        return True
    for name in ("now", "horizon"):
        a, b = getattr(one, name), getattr(other, name)
        errors = getattr(one, f"{name}_mcse"), getattr(other, f"{name}_mcse")
        if b is None:
            continue
        if (abs(a - b) > ERRORS * np.hypot(*errors) + 1e-9).any():
            return False
    return True
