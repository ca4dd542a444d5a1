"""Evidence known on a date as padded rectangular arrays: the ``pm.Data`` of the model.

Cells that are alike are one row, whatever their period. Rows are padded to the same number of values and of
reports: a padded value has the factor 0, a padded report leaves every value as likely as it was. The reports
themselves are the observed variable of the model: as they were, or drawn anew.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import numpy as np

from forecast.case.evidence import Evidence
from forecast.inference.predictive.design import EvidenceDesign, PlacedCell
from forecast.inference.predictive.replicates import replicate
from forecast.inference.predictive.sampling import prior_path
from forecast.model.cell_sequence import unit_and_period
from forecast.model.evidence_index import EvidenceIndex, Snapshot
from forecast.model.horizon import steps
from forecast.model.likelihood import Cells
from forecast.model.parameters import CATEGORY, Layout
from forecast.model.problem import Problem

Data = dict[str, np.ndarray]

#: The dims of each array.
DIMS: dict[str, tuple[str, ...]] = {
    "category_slot": ("category_cell", "scenario", "value"),
    "category_factor": ("category_cell", "value"),
    "category_hold": ("category_cell",),
    "category_held": ("category_cell", "value"),
    "child_row": ("child",),
    "child_of": ("child",),
    "number_slot": ("number_cell", "scenario"),
    "number_sd": ("number_cell", "scenario"),
    "number_kind": ("number_cell",),
    "number_dispersion": ("number_cell",),
    "number_first": ("number_cell", "number_report"),
    "row": ("kind",),
    "exponent": ("kind",),
    "cell_kind": ("cell",),
    "cell_place": ("cell",),
    "period_number": ("period",),
    "as_of": (),
    "report_value": ("report_number",),
} | {
    f"{table}_{name}": (f"{table}_cell", f"{table}_report")
    for table in ("category", "number")
    for name in ("keep", "noise", "truth", "credibility", "value", "reliability")
}


def known_on(layout: Layout, evidence: Evidence, as_of: date) -> tuple[Snapshot, Cells]:
    """Return the cells as they were known on a date."""
    known = EvidenceIndex.known_on(layout, evidence, as_of)
    return known.snapshot(as_of), known.cells()


def model_data(layout: Layout, evidence: Evidence, as_of: date) -> Data:
    """Return what the ``pm.Model`` of a question reads of the evidence, as known on a date.

    Whatever the date, the arrays have the same names and ranks; only their lengths differ.

    With R rows of categories and N rows of numbers, J reports of a row, K scenarios, V values:
    ``category_slot`` (R, K, V) places in theta, ``category_factor`` (R, V) of silence, ``category_hold`` (R,)
    and ``category_held`` (R, V) of persistence, ``child_row`` and ``child_of`` rows of pairs, ``number_slot``
    and ``number_sd`` (N, K), ``number_kind`` and ``number_dispersion`` (N,), ``number_first`` (N, J) whether
    no earlier report states the same number; for both, what the reports say (see
    :mod:`forecast.model.cells`), (rows, J); ``row`` and ``exponent`` (Q,) of each kind of cell; ``cell_kind``
    and ``cell_place`` (n,) of each cell, the place being unit * T + t; ``period_number`` (T,); ``as_of``, a
    number that stands for the date.
    """
    step, cells = known_on(layout, evidence, as_of)
    sequence, of = step.sequence, cells.cell
    kinds, kind = np.unique(sequence.kind, return_inverse=True)
    top = sequence.cell[kinds]
    is_category = layout.arrays.indicator["kind"][of["indicator"]] == CATEGORY
    own, numbers = np.unique(top[is_category[top]]), np.unique(top[~is_category[top]])
    children = [np.arange(of[c]["child"], of[c]["child"] + of[c]["children"]) for c in own]
    categories = np.concatenate([own, *children]).astype(np.int64)
    unit, period = unit_and_period(sequence)
    row = np.where(
        is_category[top], np.searchsorted(own, top), len(categories) + np.searchsorted(numbers, top)
    )
    return {
        **_categories(layout, cells, categories),
        "child_row": np.arange(len(own), len(categories)),
        "child_of": np.repeat(np.arange(len(own)), of["children"][own]),
        **_numbers(layout, cells, numbers),
        "row": row.astype(np.int64),
        "exponent": sequence.exponent[kinds],
        "cell_kind": kind.reshape(-1).astype(np.int64),
        "cell_place": (unit * step.periods + period).astype(np.int64),
        "period_number": np.arange(step.periods),
        "as_of": np.array(float(as_of.toordinal())),
    }


def _categories(layout: Layout, cells: Cells, rows: np.ndarray) -> Data:
    """Return the rows of categories."""
    of, values = cells.cell[rows], np.arange(layout.arrays.values)
    indicator = layout.arrays.indicator[of["indicator"]]
    size, start = indicator["size"][:, None], indicator["start"][:, None, None]
    scenarios = np.arange(layout.scenarios)[:, None]
    slot = start + scenarios * size[:, None] + np.minimum(values, size[:, None] - 1)
    factor = np.where(values == 0, of["quiet"][:, None], of["active"][:, None])
    return {
        "category_slot": slot.astype(np.int64),
        "category_factor": np.where(values < size, factor, 0.0),
        "category_hold": of["hold"].copy(),
        "category_held": (values == of["held"][:, None]).astype(float),
        **_reports("category", cells, rows),
    }


def _numbers(layout: Layout, cells: Cells, rows: np.ndarray) -> Data:
    """Return the rows of counts and measures."""
    indicator = layout.arrays.indicator[cells.cell["indicator"][rows]]
    slot = indicator["start"][:, None] + np.arange(layout.scenarios)
    reports = _reports("number", cells, rows)
    value, present = reports["number_value"], reports["number_truth"] > 0
    same = (value[:, :, None] == value[:, None, :]) & present[:, None, :]
    return {
        "number_slot": slot.astype(np.int64),
        "number_sd": np.where(indicator["kind"][:, None] == CATEGORY, 1.0, layout.arrays.slot["sd"][slot]),
        "number_kind": indicator["kind"].copy(),
        "number_dispersion": np.where(indicator["dispersion"] > 0, indicator["dispersion"], 1.0),
        "number_first": (present & ~np.tril(same, -1).any(axis=2)).astype(float),
        **reports,
    }


def _reports(table: str, cells: Cells, rows: np.ndarray) -> Data:
    """Return what the reports of each row add, padded to the same number of reports."""
    first, end = cells.cell["first"][rows], cells.cell["end"][rows]
    most = max(int((end - first).max(initial=1)), 1)
    place = first[:, None] + np.arange(most)
    real = place < end[:, None]
    reports = cells.report if len(cells.report) else np.zeros(1, cells.report.dtype)
    padded = reports[np.where(real, place, 0)]
    padding = {"keep": 1.0, "noise": 0.0, "truth": 0.0, "credibility": 0.0, "value": -1.0}
    filled = {f"{table}_{name}": np.where(real, padded[name], empty) for name, empty in padding.items()}
    return filled | {f"{table}_reliability": np.where(real, padded["slot"], 0)}


class Reports:
    """The reports of a log with weight, as known on any date: by unit, period and cell, then as reported."""

    def __init__(self, layout: Layout, evidence: Evidence) -> None:
        self._layout, self._evidence = layout, evidence
        self._places = lru_cache(maxsize=None)(self._look_up)

    def stated(self, as_of: date) -> np.ndarray:
        """Return what each report says, (J,): the index of a category's value, or the number."""
        _, places = self._places(as_of)
        return np.array([y for place in places for stated in place.stated for y in stated], float)

    def draw(self, theta: np.ndarray, as_of: date, rng: np.random.Generator) -> np.ndarray:
        """Draw what each report might have stated, (J,), given theta (D,) and a path from the dynamics."""
        layout, (periods, places) = self._layout, self._places(as_of)
        theta = theta[None].astype(float)
        path = prior_path(*steps(theta, layout.arrays, periods), layout.question.unit_count, rng)
        drawn = {}
        for batch in replicate(places, layout, theta, path, rng):
            for g, place in enumerate(batch.places):
                designs = [y for one in (batch.drawn, *batch.drawn.children) for y in one.stated]
                drawn[place] = [float(y[0, g]) for y in designs]
        return np.array([y for place in places for y in drawn[place]], float)

    def _look_up(self, as_of: date) -> tuple[int, list[PlacedCell]]:
        step, cells = known_on(self._layout, self._evidence, as_of)
        problem = Problem(self._layout, self._evidence, cells, (step,), (None,))
        return step.periods, list(EvidenceDesign(problem).places(step.sequence, as_of))
