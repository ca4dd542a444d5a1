"""Plug-in forecast: filtering with every judgement at its mean, without learning or Monte Carlo.

Beside it a quick forecast with learning, for a slider: few particles, and common random numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from forecast.case.edit import adjusted, without_reports
from forecast.case.evidence import Evidence
from forecast.case.folder import Case
from forecast.case.in_force import checked_as_of
from forecast.case.question import Question
from forecast.inference.data_tree import slots, uncertain
from forecast.inference.estimates import estimate
from forecast.inference.smc import run_chain
from forecast.model.cell_sequence import tempered
from forecast.model.evidence_index import EvidenceIndex, Snapshot
from forecast.model.hmm import Filtered, filter_particles
from forecast.model.horizon import to_horizon
from forecast.model.likelihood import Cells
from forecast.model.parameters import Layout, build_layout
from forecast.model.problem import build_problem

if TYPE_CHECKING:
    import xarray as xr

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
    reporting: np.ndarray  # the last slots of theta: share of noise, and chances that claims are filed

    @cached_property
    def theta(self) -> np.ndarray:
        """Theta with every judgement at its mean, and how claims are filed as it was learnt, (D,)."""
        mean = self.layout.mean.copy()
        mean[len(mean) - len(self.reporting) :] = self.reporting
        return mean

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
        return self.filtered_at(self.theta[None])

    @cached_property
    def chances(self) -> Chances:
        """The probabilities with every judgement at its mean."""
        now, horizon = self._probabilities(self.theta[None], self.filtered)
        return Chances(now[0], horizon[0])

    def filtered_at(self, theta: np.ndarray) -> Filtered:
        """Run the filter at theta (N, D); groups, the cap and noise in numbers follow the means."""
        return filter_particles(theta, self.evidence.sequence, self.cells, self.layout.arrays)

    def probabilities_at(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return now and horizon, both (N, U, K), at theta (N, D)."""
        return self._probabilities(theta, self.filtered_at(theta))

    def _probabilities(self, theta: np.ndarray, filtered: Filtered) -> tuple[np.ndarray, np.ndarray]:
        now = filtered.alpha[:, :, -1]
        return now, step_to_horizon(self.layout, self.as_of, theta, filtered.matrix, now)

    def log_learnt_at(self, theta: np.ndarray) -> np.ndarray:
        """Return the log likelihood from which judgements learn, (N,), at theta (N, D)."""
        sequence = tempered(self.evidence.sequence, self.layout.learning)
        filtered = filter_particles(theta, sequence, self.cells, self.layout.arrays)
        total: np.ndarray = filtered.log_norm.sum(axis=(1, 2))
        return total

    def with_question(self, question: Question) -> PlugInModel:
        """Return the model of a question that differs in the values of its judgements only."""
        layout = self.layout.with_question(question)
        return replace(self, layout=layout, index=self.index.with_layout(layout))

    def without(self, ids: Collection[str]) -> PlugInModel:
        """Return the model with some reports deleted from the log."""
        return replace(self, index=self.index.without(ids))


def plug_in_model(
    question: Question, evidence: Evidence, as_of: date, tree: xr.DataTree | None = None
) -> PlugInModel:
    """Set up the parameters and the cells of a question as known on a day.

    Groups, the cap and noise in numbers follow the means, as they do in a forecast. How claims are filed is
    no judgement of the analyst's: it is taken as the forecast `tree` has learnt it from the log, if there is
    one, for silence may weigh much more, or less, than before anything was learnt.
    """
    known = evidence.until(as_of)
    parameters = build_layout(question, known)
    index = EvidenceIndex.known_on(parameters, known, as_of)
    return PlugInModel(parameters, index, as_of, learnt_reporting(parameters, tree))


def learnt_reporting(layout: Layout, tree: xr.DataTree | None) -> np.ndarray:
    """Return the means of how claims are filed, the last slots of theta: of a forecast, or as assumed."""
    mean, first = layout.mean.copy(), layout.starts.get("noise", layout.size)
    if tree is not None and first < layout.size:
        draws, kept = tree["posterior"].to_dataset(), uncertain(layout)
        for name, (_, slot) in slots(layout).items():
            slot = slot[kept[slot]] if slot.ndim == 1 else slot
            if slot.size and slot.min() >= first and name in draws:
                mean[slot] = draws[name].mean(["chain", "draw"]).values
    return mean[first:]


def step_to_horizon(
    layout: Layout, as_of: date, theta: np.ndarray, matrix: np.ndarray, now: np.ndarray
) -> np.ndarray:
    """Step now (N, U, K) on to the answer at the horizon, at theta (N, D) with matrices (N, K, K)."""
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
    return quick_forecast(question, without_reports(question, case.evidence, gone), day, seed=seed)


def quick_forecast(question: Question, evidence: Evidence, day: date, *, seed: int = 0) -> Quick:
    """Forecast a question as known on a day with few particles and no doubling; see :func:`quick`."""
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
