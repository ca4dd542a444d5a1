"""The forecast with every judgement at its mean: no learning, no chance, a few milliseconds.

A forecast quick enough for a slider: few particles, and the same random numbers each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import NamedTuple

import numpy as np

from forecast.case.edit import adjusted, without_reports
from forecast.case.evidence import Evidence
from forecast.case.folder import Case
from forecast.case.in_force import checked_as_of
from forecast.case.question import Question
from forecast.inference.estimates import estimate
from forecast.inference.smc import run_chain
from forecast.model.evidence_index import Known, Step
from forecast.model.hmm import Filtered, empty_filtered, refresh
from forecast.model.likelihood import Cells
from forecast.model.parameters import Layout, layout
from forecast.model.problem import problem


class Chances(NamedTuple):
    """Probability of each scenario, by unit (U >= 1)."""

    now: np.ndarray  # (U, K)
    horizon: np.ndarray  # (U, K); in a static question the same


class Standing(NamedTuple):
    """The model of a question and its evidence on one day."""

    layout: Layout
    step: Step
    cells: Cells


def standing(question: Question, evidence: Evidence, as_of: date) -> Standing:
    """Set up the layout and the cells that stand on a day."""
    told = Evidence(tuple(r for r in evidence.reports if r.reported <= as_of))
    laid = layout(question, told)
    known = Known(laid, told)
    known.put({key for _, key in known.events(as_of)}, as_of)
    return Standing(laid, known.step(as_of), known.cells())


def filtered_at(model: Standing, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return now and horizon, both (N, U, K), and the log likelihood (N,), at theta (N, D)."""
    filtered = filtered_of(model, theta)
    now = filtered.alpha[:, :, -1]
    there = ahead(model.layout.question, model.step.date, now, filtered.matrix)
    return now, there, filtered.log_norm.sum(axis=(1, 2))


def filtered_of(model: Standing, theta: np.ndarray) -> Filtered:
    """Return what is known of every period at theta (N, D)."""
    course = model.step.course
    units, periods = course.start.shape[0], course.start.shape[1] - 1
    filtered = empty_filtered(len(theta), units, periods, model.layout.scenarios)
    refresh(np.ascontiguousarray(theta), course, model.cells, model.layout.arrays, filtered)
    return filtered


def at_means(question: Question, evidence: Evidence, as_of: date) -> Chances:
    """Return the probabilities with every judgement at its mean, what is known on a day being the evidence.

    Groups, the cap, noise and held values follow the means, as they do in a forecast.
    """
    model = standing(question, evidence, as_of)
    now, horizon, _ = filtered_at(model, model.layout.mean[None])
    return Chances(now[0], horizon[0])


def ahead(question: Question, as_of: date, now: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Step now (N, U, K) on to the horizon with matrices (N, K, K)."""
    steps = question.period(question.horizon) - question.period(as_of)
    return np.asarray(now @ np.linalg.matrix_power(matrix, steps))


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
        Estimates by name, as :func:`forecast.case.edit.adjusted` takes them.
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
