"""What the reports say, as the observed variable of the model: as it was, or drawn anew."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import numpy as np

from forecast.case.evidence import Evidence
from forecast.inference.nuts.data import known_on
from forecast.inference.predictive.design import EvidenceDesign, PlacedCell
from forecast.inference.predictive.paths import prior_path
from forecast.inference.predictive.replicates import replicate
from forecast.model.dynamics import transition_matrices
from forecast.model.parameters import Layout
from forecast.model.problem import Problem


class Reports:
    """The reports of a log with weight, as known on any date: by unit, period and cell, then as reported."""

    def __init__(self, laid: Layout, evidence: Evidence) -> None:
        self._laid, self._evidence = laid, evidence
        self._places = lru_cache(maxsize=None)(self._look_up)

    def stated(self, as_of: date) -> np.ndarray:
        """Return what each report says, (J,): the index of a category's value, or the number."""
        return np.array(
            [y for place in self._places(as_of)[1] for stated in place.stated for y in stated], float
        )

    def draw(self, theta: np.ndarray, as_of: date, rng: np.random.Generator) -> np.ndarray:
        """Draw what each report might have stated, (J,), given theta (D,) and a path from the dynamics."""
        laid, (periods, places) = self._laid, self._places(as_of)
        theta, matrix = theta[None].astype(float), np.empty((1, laid.scenarios, laid.scenarios))
        transition_matrices(theta, laid.arrays, matrix)
        units = laid.question.unit_count
        path = prior_path(theta[:, : laid.scenarios], matrix, units, periods, rng)
        drawn = {}
        for batch in replicate(places, laid, theta, path, rng):
            for g, place in enumerate(batch.places):
                designs = [y for one in (batch.drawn, *batch.drawn.children) for y in one.stated]
                drawn[place] = [float(y[0, g]) for y in designs]
        return np.array([y for place in places for y in drawn[place]], float)

    def _look_up(self, as_of: date) -> tuple[int, list[PlacedCell]]:
        step, cells = known_on(self._laid, self._evidence, as_of)
        problem = Problem(self._laid, self._evidence, cells, (step,), (None,))
        return step.periods, list(EvidenceDesign(problem).places(step.sequence, as_of))
