"""Plug-in forecast: filtering with every judgement at its mean, without learning or Monte Carlo.

Beside it a quick forecast with learning, for a slider: few particles, and common random numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

import numpy as np

from forecast.case.edit import adjusted, without_reports
from forecast.case.evidence import Evidence
from forecast.case.folder import Case
from forecast.case.in_force import checked_as_of
from forecast.case.question import Question
from forecast.inference.estimates import estimate
from forecast.inference.smc import run_chain
from forecast.model.evidence_index import EvidenceIndex, Snapshot
from forecast.model.hmm import Filtered, filter_particles
from forecast.model.horizon import to_horizon
from forecast.model.likelihood import Cells
from forecast.model.parameters import Layout, build_layout
from forecast.model.problem import build_problem

#: Reliability of a source that is certain. Short of 1, so that certain reports may clash: then as many on
#: either side cancel, and else the majority counts.
HIGHEST_RELIABILITY = 1.0 - 1e-9


class Chances(NamedTuple):
    """Probability of each scenario, by unit (U >= 1)."""

    now: np.ndarray  # (U, K)
    horizon: np.ndarray  # (U, K); in a static question the same


@dataclass(frozen=True, eq=False)
class PlugInModel:
    """The model of a question on one day, every judgement at its mean: parameters, cells and what they say.

    Built once by :func:`plug_in_model` and handed from one analysis to the next. What-ifs start from it and
    build anew only what they change.
    """

    layout: Layout
    index: EvidenceIndex
    as_of: date

    @cached_property
    def evidence(self) -> Snapshot:
        """The cells known on the day, in the order of time."""
        return self.index.snapshot(self.as_of)

    @cached_property
    def cells(self) -> Cells:
        """The cells as arrays."""
        return self.index.cells()

    @cached_property
    def filtered(self) -> Filtered:
        """The filter's result with every judgement at its mean, N = 1."""
        return self.filtered_at(self.layout.mean[None])

    @cached_property
    def chances(self) -> Chances:
        """The probabilities with every judgement at its mean."""
        now = self.filtered.alpha[:, :, -1]
        horizon = step_to_horizon(self.layout, self.as_of, self.layout.mean[None], self.filtered.matrix, now)
        return Chances(now[0], horizon[0])

    def filtered_at(self, theta: np.ndarray) -> Filtered:
        """Run the filter at theta (N, D); groups, the cap, noise and held values follow the means."""
        return filter_particles(theta, self.evidence.sequence, self.cells, self.layout.arrays)

    def probabilities_at(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return now and horizon, both (N, U, K), and the log likelihood (N,), at theta (N, D)."""
        filtered = self.filtered_at(theta)
        now = filtered.alpha[:, :, -1]
        horizon = step_to_horizon(self.layout, self.as_of, theta, filtered.matrix, now)
        return now, horizon, filtered.log_norm.sum(axis=(1, 2))

    def with_question(self, question: Question) -> PlugInModel:
        """Return the model of a question that differs in the values of its judgements only."""
        layout = self.layout.with_question(question)
        return PlugInModel(layout, self.index.with_layout(layout), self.as_of)

    def without(self, ids: Collection[str]) -> PlugInModel:
        """Return the model with some reports deleted from the log."""
        return PlugInModel(self.layout, self.index.without(ids), self.as_of)


def plug_in_model(question: Question, evidence: Evidence, as_of: date) -> PlugInModel:
    """Set up the parameters and the cells of a question as known on a day.

    Groups, the cap, noise and held values follow the means, as they do in a forecast.
    """
    known = evidence.until(as_of)
    parameters = build_layout(question, known)
    return PlugInModel(parameters, EvidenceIndex.known_on(parameters, known, as_of), as_of)


def step_to_horizon(
    layout: Layout, as_of: date, theta: np.ndarray, matrix: np.ndarray, now: np.ndarray
) -> np.ndarray:
    """Step now (N, U, K) on to the horizon, at theta (N, D) with matrices (N, K, K)."""
    question, period = layout.question, layout.question.period(as_of)
    steps = question.period(question.horizon) - period
    return np.asarray(now @ to_horizon(theta, layout.arrays, matrix, period=period, steps=steps))


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
    as_of, seed
        As for :func:`forecast.update`.
    values : mapping, optional
        Estimates by name, as :func:`forecast.case.edit.adjusted` takes them.
    without : iterable of str, optional
        Sources whose reports are left out; a repeat of one of theirs then stands on its own.

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
    task = build_problem(question, evidence, day)
    free = any(block.free for block in task.layout.blocks)

    def one(chain: int) -> tuple[np.ndarray, np.ndarray]:
        particles = PARTICLES if free else 1
        run = run_chain(task, chain=chain, particles=particles, seed=seed, progress=lambda: None)
        now = run.probability[-1]
        horizon = step_to_horizon(task.layout, day, run.theta, run.filtered.matrix, now)
        return np.stack([now, horizon], axis=1), run.weight[-1]

    with ThreadPoolExecutor(SYSTEMS) as pool:
        runs = list(pool.map(one, range(SYSTEMS if free else 1)))
    both = estimate(*(np.stack(parts) for parts in zip(*runs, strict=True)))
    now, horizon = both.probability
    return Quick(now, horizon, float(both.mcse.max()))
