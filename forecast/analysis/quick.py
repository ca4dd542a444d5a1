"""A forecast quick enough for a slider: few particles, and the same random numbers each time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import NamedTuple

import numpy as np

from forecast.analysis.at_means import ahead
from forecast.case.adjust import adjusted
from forecast.case.alter_evidence import without_reports
from forecast.case.as_of import checked_as_of
from forecast.case.folder import Case
from forecast.inference.smc import run_chain
from forecast.inference.summary import estimate
from forecast.model.problem import problem

#: Systems of particles, and particles in each: an error of about one point, in a tenth of a second.
SYSTEMS, PARTICLES = 2, 400


class Quick(NamedTuple):
    """Probability of each scenario by unit, (U, K), and the largest standard error of Monte Carlo."""

    now: np.ndarray
    horizon: np.ndarray
    error: float


def quick(
    case: Case,
    *,
    as_of: date | None = None,
    values: Mapping[str, float] | None = None,
    without: Iterable[str] = (),
    seed: int = 0,
) -> Quick:
    """Forecast with some estimates moved and some sources left out, as quickly as honestly possible.

    The model and the engine are those of :func:`forecast.update`, with fewer particles and no doubling. The
    random numbers do not depend on the values, so that a small move makes a small difference.

    Parameters
    ----------
    case : Case
    as_of : date, optional
        As for :func:`forecast.update`.
    values : mapping, optional
        Estimates by name, as :func:`forecast.case.adjust.adjusted` takes them.
    without : iterable of str, optional
        Sources whose reports are left out; a repeat of one of theirs then stands on its own.
    seed : int

    Returns
    -------
    Quick

    Examples
    --------
    >>> quick(case, values={"reliability sohr": 0.5}).horizon  # doctest: +SKIP
    """
    day = checked_as_of(case.question, as_of)
    question, sources = adjusted(case.on(day).question, values or {}), set(without)
    gone = [report.id for report in case.evidence.reports if report.source in sources]
    evidence = without_reports(question, case.evidence, gone)
    task = problem(question, evidence, day)
    free = any(block.free for block in task.layout.blocks)

    def one(chain: int) -> tuple[np.ndarray, np.ndarray]:
        particles = PARTICLES if free else 1
        run = run_chain(task, chain=chain, particles=particles, seed=seed, progress=lambda: None)
        now = run.probability[-1]
        return np.stack([now, ahead(question, day, now, run.filtered.matrix)], axis=1), run.weight[-1]

    with ThreadPoolExecutor(SYSTEMS) as pool:
        found = list(pool.map(one, range(SYSTEMS if free else 1)))
    both = estimate(*(np.stack(parts) for parts in zip(*found, strict=True)))
    now, horizon = both.probability
    return Quick(now, horizon, float(both.mcse.max()))
