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
from forecast.inference.nuts.number_data import Data, erring_data, number_data, padded_reports
from forecast.inference.predictive.design import EvidenceDesign, PlacedCell
from forecast.inference.predictive.replicates import replicate
from forecast.inference.predictive.sampling import prior_path
from forecast.model.cell_sequence import unit_and_period
from forecast.model.evidence_index import EvidenceIndex, Snapshot
from forecast.model.horizon import steps
from forecast.model.likelihood import Cells
from forecast.model.parameters import Layout
from forecast.model.problem import Problem

#: The dims of each array.
DIMS: dict[str, tuple[str, ...]] = {
    "category_slot": ("category_cell", "scenario", "value"),
    "category_factor": ("category_cell", "value"),
    "category_ratio": ("category_cell",),
    "category_noise": ("category_cell", "value"),
    "category_noise_nu": ("category_cell", "value"),
    "category_claim": ("category_cell", "value"),
    "category_filed": ("category_cell",),
    "child_row": ("child",),
    "child_of": ("child",),
    "number_slot": ("number_cell", "scenario"),
    "number_sd": ("number_cell", "scenario"),
    "number_kind": ("number_cell",),
    "number_dispersion": ("number_cell",),
    "number_stated": ("number_cell", "number"),
    "number_real": ("number_cell", "number"),
    "number_constant": ("number_cell", "number"),
    "number_which": ("number_cell", "number_report"),
    "number_log_noise": ("number_cell", "number_report"),
    "erring_slot": ("erring_cell", "scenario"),
    "erring_sd": ("erring_cell", "scenario"),
    "erring_kind": ("erring_cell",),
    "erring_dispersion": ("erring_cell",),
    "erring_stated": ("erring_cell", "node"),
    "erring_weight": ("erring_cell", "node"),
    "erring_constant": ("erring_cell", "node"),
    "erring_read": ("erring_cell", "erring_report", "node"),
    "erring_given": ("erring_cell", "erring_report", "node"),
    "erring_log_noise": ("erring_cell", "erring_report"),
    "row": ("kind",),
    "exponent": ("kind",),
    "cell_kind": ("cell",),
    "cell_place": ("cell",),
    "state_row": ("period", "unit_number", "state"),
    "state_exponent": ("period", "unit_number", "state"),
    "period_number": ("period",),
    "as_of": (),
    "report_value": ("report_number",),
} | {
    f"{table}_{name}": (f"{table}_cell", f"{table}_report")
    for table in ("category", "number", "erring")
    for name in ("passed", "lost", "own", "credibility", "value", "reliability")
}


def known_on(layout: Layout, evidence: Evidence, as_of: date) -> tuple[Snapshot, Cells]:
    """Return the cells as they were known on a date."""
    known = EvidenceIndex.known_on(layout, evidence, as_of)
    return known.snapshot(as_of), known.cells()


def model_data(layout: Layout, evidence: Evidence, as_of: date) -> Data:
    """Return what the ``pm.Model`` of a question reads of the evidence, as known on a date.

    Whatever the date, the arrays have the same names and ranks; only their lengths differ.

    With R rows of categories and N rows of numbers, J reports of a row, K scenarios, V values:
    ``category_slot`` (R, K, V) places in theta; of each value, (R, V), ``category_factor`` of monitoring,
    ``category_noise`` and ``category_noise_nu`` (its chance as noise is the first plus nu times the second),
    ``category_claim`` the place of the chance that a claim of it is filed, where silence is evidence;
    ``category_ratio`` (R,) whether the factor is over the chance of such a claim, ``category_filed`` (R,) the
    place of the chance that the earliest claim is filed; ``child_row`` and ``child_of`` rows of pairs. After
    the end of theta there is a place that holds 0 and one that holds 1. ``number_slot`` and ``number_sd``
    (N, K), ``number_kind`` and ``number_dispersion`` (N,); ``number_stated`` (N, G) the different numbers
    stated, whether one is ``real``, a ``constant`` of its density, ``number_which`` (N, J) of them a report
    states, and its ``log_noise``; for both, what the reports say (see :mod:`forecast.model.cells`), (rows,
    J); ``erring_...`` those of :func:`forecast.inference.nuts.number_data.erring_data`. ``row`` and
    ``exponent`` (Q,) of each kind of cell; ``cell_kind`` and ``cell_place`` (n,) of each cell whose value is
    fresh, the place being unit * T + t; ``state_row`` and ``state_exponent`` (T, U, P) of the indicators that
    persist, R and 0 where there is no cell; ``period_number`` (T,); ``as_of``, a number that stands for the
    date.
    """
    step, cells = known_on(layout, evidence, as_of)
    sequence, of, indicators = step.sequence, cells.cell, layout.question.indicators
    kinds, kind = np.unique(sequence.kind, return_inverse=True)
    top, kind = sequence.cell[kinds], kind.reshape(-1)
    is_category = np.array([bool(i.values) for i in indicators], bool)[of["indicator"]]
    own, numbers = np.unique(top[is_category[top]]), np.unique(top[~is_category[top]])
    children = [np.arange(of[c]["child"], of[c]["child"] + of[c]["children"]) for c in own]
    categories = np.concatenate([own, *children]).astype(np.int64)
    off = np.array([bool(cells.report["error"][c["first"] : c["end"]].any()) for c in of[numbers]], bool)
    plain, erring = numbers[~off], numbers[off]
    order = np.concatenate([categories, plain, erring]).astype(np.int64)
    row = np.argsort(order)[np.searchsorted(np.sort(order), top)]
    unit, period = unit_and_period(sequence)
    states = [i for i, one in enumerate(indicators) if one.persistence is not None]
    state_row = np.full((step.periods, layout.question.unit_count, len(states)), len(categories))
    state_exponent = np.zeros(state_row.shape)
    for p, i in enumerate(states):
        mine = of["indicator"][top[kind]] == i
        state_row[period[mine], unit[mine], p] = row[kind[mine]]
        state_exponent[period[mine], unit[mine], p] = sequence.exponent[kinds[kind[mine]]]
    fresh = ~np.isin(of["indicator"][top[kind]], states)
    return {
        **_categories(layout, cells, categories),
        "child_row": np.arange(len(own), len(categories)),
        "child_of": np.repeat(np.arange(len(own)), of["children"][own]),
        **number_data(layout, cells, plain),
        **erring_data(layout, cells, erring),
        "row": row.astype(np.int64),
        "exponent": sequence.exponent[kinds],
        "cell_kind": kind[fresh].astype(np.int64),
        "cell_place": (unit * step.periods + period)[fresh].astype(np.int64),
        "state_row": state_row.astype(np.int64),
        "state_exponent": state_exponent,
        "period_number": np.arange(step.periods),
        "as_of": np.array(float(as_of.toordinal())),
    }


def _categories(layout: Layout, cells: Cells, rows: np.ndarray) -> Data:
    """Return the rows of categories."""
    of, most = cells.cell[rows], max([len(i.values) for i in layout.question.indicators], default=1) or 1
    shape = len(rows), most
    zero, one = layout.size, layout.size + 1
    slot = np.zeros((len(rows), layout.scenarios, most), np.int64)
    factor, noise, noise_nu = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    claim = np.full(shape, zero)
    for n, record in enumerate(of):
        indicator, values = layout.question.indicators[record["indicator"]], np.arange(most)
        size = len(indicator.values)
        for k, scenario in enumerate(layout.question.scenario_ids):
            start = layout.starts[f"likelihood {indicator.id} {scenario}"]
            slot[n, k] = start + np.minimum(values, size - 1)
        factor[n, :size] = record["active"]
        factor[n, 0] = record["quiet"]
        if indicator.reporting is not None and indicator.quiet:
            quiet = indicator.values.index(indicator.quiet)
            noise_nu[n, :size], noise_nu[n, quiet], noise[n, quiet] = 1.0 / (size - 1), -1.0, 1.0
        else:
            noise[n, :size] = 1.0 / size
        if record["silent"]:
            for x, value in enumerate(indicator.values):
                kind = "quiet" if value == indicator.quiet else "again" if x == record["again"] else "event"
                claim[n, x] = layout.starts[f"filed {kind} {indicator.id}"]
    return {
        "category_slot": slot,
        "category_factor": factor,
        "category_ratio": of["ratio"].astype(float),
        "category_noise": noise,
        "category_noise_nu": noise_nu,
        "category_claim": claim,
        "category_filed": np.where(of["filed"] >= 0, of["filed"], one),
        **padded_reports("category", cells, rows),
    }


class Reports:
    """The reports of a log with weight, as known on any date: by unit, period and cell, then as reported."""

    def __init__(self, layout: Layout, evidence: Evidence) -> None:
        self._layout, self._evidence = layout, evidence
        self._places = lru_cache(maxsize=None)(self._look_up)

    def stated(self, as_of: date) -> np.ndarray:
        """Return what each report says, (J,): the index of a category's value, or the number."""
        step, cells = known_on(self._layout, self._evidence, as_of)
        first, number = cells.cell["child"], cells.cell["children"]
        tops = step.sequence.cell[step.sequence.kind]
        rows = (row for c in tops for row in (c, *range(first[c], first[c] + number[c])))
        place = [range(cells.cell[row]["first"], cells.cell[row]["end"]) for row in rows]
        return np.array([cells.report[j]["value"] for reports in place for j in reports], float)

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
        return step.periods, list(EvidenceDesign(problem).places(step.sequence, as_of, whether_filed=False))
