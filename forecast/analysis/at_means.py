"""The forecast with every judgement at its mean: no learning, no chance, a few milliseconds."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np

from forecast.case.evidence import Evidence
from forecast.case.question import Question
from forecast.model.filtering import Filtered, empty_filtered, refresh
from forecast.model.known import Known, Step
from forecast.model.layout import Layout, layout
from forecast.model.likelihood import Cells


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
