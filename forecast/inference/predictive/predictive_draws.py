"""Prior and posterior predictive draws of the value of every cell, with the value observed.

The value of a cell is what its reports make most likely, reliabilities at their means; of a count or a
measure, the number that its first report states. Where nothing was reported, and that says something, it is
a value of its own. A replicate is put together by the same rule from replicated reports
(:mod:`forecast.inference.predictive.replicates`), so that both can be laid side by side (Gelman, Meng and
Stern 1996).

Groups and cap have no part in this: they are exponents on a likelihood, from which nothing can be drawn.
The draws of theta and of the path are those of the posterior with them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from forecast.case.question import Question
from forecast.inference.estimates import PosteriorDraws
from forecast.inference.predictive.design import CellDesign, EvidenceDesign, PlacedCell, cell_and_children
from forecast.inference.predictive.replicates import DrawnCell, most_likely, replicate
from forecast.inference.predictive.sampling import backward, posterior_path, prior_path
from forecast.model.hmm import filter_particles
from forecast.model.horizon import steps
from forecast.model.parameters import Layout
from forecast.model.problem import Problem

MOST = 500  # replicates of each chain,
LEAST = 25  # and where there are very many cells, fewer, so that a group has no more than
VALUES = 4_000_000  # values
Key = tuple[int, int, int]  # indicator, unit, period


def predictive(problem: Problem, draws: PosteriorDraws, seed: int) -> dict[str, xr.Dataset]:
    """Draw replicates of every cell known at the as-of date, from prior and posterior.

    At most 500 draws of each chain are used, fewer where there are thousands of cells. The groups
    `prior_predictive` and `posterior_predictive` are by chain, draw and cell of the indicator, and
    `observed_data` by cell. One variable per indicator with evidence, named by its id: of a category the
    index of the value (names in `flag_meanings`), else the number. The dimension of indicator i is
    `<i>_cell`, with coordinates `<i>_period` and, where there are units, `<i>_unit`.
    """
    layout, step = problem.layout, problem.steps[-1]
    cells = list(EvidenceDesign(problem).places(step.sequence, step.date))
    chains = draws.theta.shape[0]
    number = min(draws.theta.shape[1], MOST, max(VALUES // (chains * max(len(cells), 1)), LEAST))

    # Spread over all draws: those of small systems lie side by side, and share what must not learn.
    some = np.linspace(0, draws.theta.shape[1] - 1, number).astype(int)

    def flat(field: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(field[:, some].reshape(chains * number, *field.shape[2:]))

    rng = [np.random.default_rng(np.random.SeedSequence([seed, 0, 0, 0, 0, n])) for n in (2, 3)]
    theta = flat(draws.theta)
    filtered = filter_particles(theta, step.sequence, problem.cells, layout.arrays)
    path = posterior_path(backward(filtered, theta, layout.arrays), rng[1])
    after = _values(cells, layout, theta, path, rng[1])
    theta = flat(draws.prior)
    path = prior_path(*steps(theta, layout.arrays, step.periods), problem.units, rng[0])
    before = _values(cells, layout, theta, path, rng[0])
    seen = _observed(cells, layout)
    shape = (chains, number)
    return {
        "prior_predictive": _dataset(layout.question, before, shape),
        "posterior_predictive": _dataset(layout.question, after, shape),
        "observed_data": _dataset(layout.question, seen, ()),
    }


def _values(
    cells: list[PlacedCell], layout: Layout, theta: np.ndarray, path: np.ndarray, rng: np.random.Generator
) -> dict[Key, np.ndarray]:
    """Return the replicated value of every cell, (N,)."""
    values = {}
    for batch in replicate(cells, layout, theta, path, rng):
        both = zip(
            cell_and_children(batch.places[0].design), (batch.drawn, *batch.drawn.children), strict=True
        )
        for cell, drawn in both:
            if _has_evidence(cell):
                value = _value(cell, drawn, layout)
                for g, place in enumerate(batch.places):
                    values[cell.indicator, place.unit, place.period] = value[:, g]
    return values


def _value(cell: CellDesign, drawn: DrawnCell, layout: Layout) -> np.ndarray:
    """Return the value of cells that are alike, (N, G); as many as there are values where there is none."""
    shape = drawn.value.shape
    nothing = np.full(shape, len(layout.question.indicators[cell.indicator].values))
    reports = most_likely(cell, drawn.stated, layout) if cell.reports else nothing
    if drawn.filed is None:
        return reports
    given = [n for n, design in enumerate(cell.reports) if design.given is not None]
    kept = cell._replace(reports=tuple(cell.reports[n]._replace(originals=()) for n in given))
    left = most_likely(kept, tuple(drawn.stated[n] for n in given), layout) if given else nothing
    return np.where(drawn.filed, reports if drawn.claim is None else drawn.claim, left)


def _observed(cells: list[PlacedCell], layout: Layout) -> dict[Key, np.ndarray]:
    """Return the value of every cell as its reports and silence have it."""
    values = {}
    for place in cells:
        for cell, stated in zip(cell_and_children(place.design), place.stated, strict=True):
            if _has_evidence(cell):
                seen = tuple(np.full((1, 1), y) for y in stated)
                filed = None if cell.reports or not cell.whole else np.zeros((1, 1), bool)
                value = _value(cell, DrawnCell(np.zeros((1, 1)), seen, filed), layout)
                values[cell.indicator, place.unit, place.period] = value[0, 0]
    return values


def _has_evidence(cell: CellDesign) -> bool:
    """Tell whether a cell has reports or silence of its own: a parent may be there for its child only."""
    return bool(cell.reports) or cell.whole or cell.silent or cell.factors[0] != 1.0


def _dataset(question: Question, values: dict[Key, Any], sample: Sequence[int]) -> xr.Dataset:
    """Return one variable per indicator, its cells by unit and period."""
    cells: defaultdict[int, list[Key]] = defaultdict(list)
    for key in sorted(values):
        cells[key[0]].append(key)
    variables, coords = {}, dict[str, Any]()
    for i, keys in cells.items():
        one = question.indicators[i]
        kind = float if one.kind == "measure" else np.int64
        value = np.stack([values[key] for key in keys], axis=-1).astype(kind)
        dims = (*(("chain", "draw") if sample else ()), f"{one.id}_cell")
        names = (
            one.values if one.reporting is None and one.monitored is None else (*one.values, "not_reported")
        )
        attrs = {"flag_values": np.arange(len(names)), "flag_meanings": " ".join(names)}
        variables[one.id] = (dims, value.reshape(*sample, len(keys)), attrs if one.values else {})
        coords[f"{one.id}_period"] = (dims[-1], [period for _, _, period in keys])
        if question.units:
            coords[f"{one.id}_unit"] = (dims[-1], [question.units[unit] for _, unit, _ in keys])
    return xr.Dataset(variables, coords)
