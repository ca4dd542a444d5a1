"""Prequential log score (Dawid 1984) of the evidence by date, and its tail probability.

The log score of a date is log p(what is new | what was known), the prequential score (Dawid 1984). Whether
it is low depends on how much was reported and how doubtful it was, so it is held against replicates: theta
from the particles of the date before, the path from the filter and stepped on, the cells given their earlier
reports, then the new reports and silences. Each replicate is scored as the evidence was,

    score(y) = log mean over theta of p(y | known before, theta),

the mean without the theta that it was drawn from, by the filter itself, run on from the first period in which
something is new. `tail` is the share of replicates with a lower score, half of those with the same score
included (mid-p, Lancaster 1961): near 0, the model would hardly ever have been so surprised. If the model is
right and nothing ties, it is uniform.

What is drawn and what is taken as it was is said in :mod:`forecast.inference.predictive.design` and
:mod:`~forecast.inference.predictive.new_evidence`. Groups and cap are exponents, from which nothing can be
drawn: what is new counts in full in the tail.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from scipy.special import logsumexp

from forecast.inference.particles import Chain, log_sum, systematic
from forecast.inference.predictive.design import (
    NOBODY,
    CellDesign,
    EvidenceDesign,
    PlacedCell,
    cell_and_children,
)
from forecast.inference.predictive.new_evidence import (
    EvidenceIncrement,
    IncrementCell,
    Outcome,
    cell_content,
    concatenated,
    evidence_increment,
)
from forecast.inference.predictive.replicates import Batch, replicate
from forecast.inference.predictive.sampling import backward, posterior_path
from forecast.inference.variants import Entry, log_evidence, variants
from forecast.model.cell_sequence import CellSequence, tempered, unit_and_period
from forecast.model.cells import CellContent, flatten
from forecast.model.hmm import Filtered, filter_particles
from forecast.model.likelihood import Cells, log_weights
from forecast.model.parameters import Arrays
from forecast.model.problem import Problem

PARTICLES = 100  # theta from which replicates are drawn
SCORED = 32  # of these, theta over which a score is averaged
REPLICATES = 200
SAME = 1e-9  # scores closer than this, relatively, are one


def surprise(problem: Problem, run: list[Chain], seed: int) -> xr.Dataset:
    """Score the evidence that became known on each trend date by what was known before.

    By as_of: `log_score`, log p(new | known before) by the chains' evidence, groups and cap included, the
    mean over chains (on a date that takes evidence away it is a ratio and may be above 0); `tail` and `tied`,
    the share of replicates that the evidence outdid, and with which it ties, nan where nothing is new;
    `reports` and `silences`, how many are new.
    """
    designer, rows = EvidenceDesign(problem), []
    for k, step in enumerate(problem.steps):
        new = evidence_increment(problem, designer, k)
        tail = np.nan, np.nan
        known = not any(np.isnan(chain.log_evidence[max(k - 1, 0) : k + 1]).any() for chain in run)
        if new.parts and known:
            day = (step.date - problem.layout.question.opened).days
            rng = np.random.default_rng(np.random.SeedSequence([seed, 0, 0, 0, 0, 4, day]))
            tail = _tail(problem, new, _particles(run, k), k, rng)
        rows.append((*tail, new.reports, new.silences))
    columns: dict[str, Any] = dict(
        zip(("tail", "tied", "reports", "silences"), zip(*rows, strict=True), strict=True)
    )
    evidence = np.stack([chain.log_evidence for chain in run])
    total = np.array([log_sum(column) - np.log(len(run)) for column in evidence.T])
    columns = {"log_score": np.diff(total, prepend=0.0)} | columns
    dates = np.array([step.date for step in problem.steps], dtype="datetime64[ns]")
    return xr.Dataset(
        {name: ("as_of", np.asarray(value)) for name, value in columns.items()}, {"as_of": dates}
    )


def _particles(run: list[Chain], k: int) -> np.ndarray:
    """Return some theta (n, D) of the date before date k, the same number of each chain."""
    before = [chain.theta_by_date[k - 1] if k else chain.prior for chain in run]
    each = min(-(-PARTICLES // len(run)), *(len(theta) for theta in before))
    return np.concatenate([theta[np.linspace(0, len(theta) - 1, each).astype(int)] for theta in before])


def _tail(
    problem: Problem, new: EvidenceIncrement, theta: np.ndarray, k: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the share of replicates with a lower score, ties half, and the share of ties."""
    known = _filtered(problem, new.known, new.cells, theta)
    log_weight = np.zeros(len(theta))
    if new.lost:
        log_weight = _reweighed(problem, theta, new, k)
    if not log_weight.max() > -np.inf:
        return np.nan, np.nan
    row = systematic(np.exp(log_weight - log_weight.max()), REPLICATES, 0.5)
    batches = _replicates(problem, new, theta, known, row, rng)
    exists = np.prod([batch.exists.prod(axis=1) for batch in batches], axis=0)
    outcomes = _outcomes(new.parts, batches, problem)
    score, same = _scores(problem, new, theta, known, log_weight, row, outcomes)
    tied = same | np.isclose(score[:-1], score[-1], rtol=SAME, atol=SAME)
    lower = (score[:-1] < score[-1]) & ~tied
    share = exists / exists.sum()
    return float(share @ (lower + 0.5 * tied)), float(share @ tied)


def _filtered(problem: Problem, sequence: CellSequence, cells: Cells, theta: np.ndarray) -> Filtered:
    """Filter a sequence for some theta."""
    return filter_particles(theta, sequence, cells, problem.layout.arrays)


def _reweighed(problem: Problem, theta: np.ndarray, new: EvidenceIncrement, k: int) -> np.ndarray:
    """Return the log weights of particles of the date before, where it is not just what was known then."""

    def log_likelihood(sequence: CellSequence, cells: Cells) -> np.ndarray:
        learnt = tempered(sequence, problem.layout.learning)
        total: np.ndarray = _filtered(problem, learnt, cells, theta).log_norm.sum(axis=(1, 2))
        return total

    now = log_likelihood(new.known, new.cells)
    return now - log_likelihood(problem.steps[k - 1].sequence, problem.cells) if k else now


def _replicates(
    problem: Problem,
    new: EvidenceIncrement,
    theta: np.ndarray,
    known: Filtered,
    row: np.ndarray,
    rng: np.random.Generator,
) -> list[Batch]:
    """Draw what is new, given what was known, at the theta `row`."""
    a, places = problem.layout.arrays, [part.place for part in new.parts]
    lasting = sorted({(p.unit, p.design.indicator) for p in places} & set(_lasting(a, problem.units)))
    begin = 0 if lasting else min(place.period for place in places)
    path = posterior_path(backward(known, theta, a).rows(row), rng, begin=begin)
    values = _known_values(new, theta, a, lasting, path, row)
    return list(replicate(places, problem.layout, theta[row], path, rng, values))


def _lasting(a: Arrays, units: int) -> list[tuple[int, int]]:
    """Return the unit and indicator of all values that persist."""
    return [(u, i) for u in range(units) for i in a.persistent.tolist()]


def _known_values(
    new: EvidenceIncrement,
    theta: np.ndarray,
    a: Arrays,
    lasting: list[tuple[int, int]],
    path: np.ndarray,
    row: np.ndarray,
) -> dict[tuple[int, int], list[tuple[int, np.ndarray]]]:
    """Return what the known cells of values that persist say of them, but for those in which much is new."""
    unit, period = unit_and_period(new.known)
    cell = new.known.cell[new.known.kind]
    given, collected = (
        {part.given for part in new.parts},
        dict[tuple[int, int], list[tuple[int, np.ndarray]]](),
    )
    indicator = new.cells.cell["indicator"][cell]
    for u, i in lasting:
        mine = [n for n in np.flatnonzero((unit == u) & (indicator == i)).tolist() if cell[n] not in given]
        ids, which = np.unique(cell[mine], return_inverse=True)
        log_w = np.empty((len(theta), len(ids), a.scenarios, a.values))
        for n, one in enumerate(theta):
            log_weights(one, ids, new.cells, a, log_w[n])
        size, collected[u, i] = int(a.indicator[i]["size"]), []
        for n, of in zip(mine, which.reshape(-1).tolist(), strict=True):
            here = log_w[row, of, path[:, u, period[n]], :size]
            collected[u, i].append((int(period[n]), np.exp(here - here.max(axis=1, keepdims=True)).T))
    return collected


class _Outcomes(NamedTuple):
    """The contents of one cell: in each replicate, and in the last row as it was."""

    contents: list[CellContent]  # without repetition
    which: np.ndarray  # (R + 1,)


def _outcomes(parts: tuple[IncrementCell, ...], batches: list[Batch], problem: Problem) -> list[_Outcomes]:
    """Return the contents of each part by replicate, and as it was."""
    drawn = {
        (place.unit, place.period, place.design.indicator): (batch.drawn, g)
        for batch in batches
        for g, place in enumerate(batch.places)
    }
    stated_before = _last_stated([part.place for part in parts], problem)
    outcomes = []
    for part, before in zip(parts, stated_before, strict=True):
        place, cell = part.place, part.place.design
        what, g = drawn[place.unit, place.period, cell.indicator]
        number, filed = len(what.value), _column(what.filed, g, len(what.value))
        again, claim = _column(what.again, g, number), _column(what.claim, g, number) * filed
        columns = [np.append(filed, _has_claim(place)), np.append(claim, 0.0), np.append(again, before)]
        edges = [len(columns)]
        for m, (one, seen) in enumerate(zip((what, *what.children), place.stated, strict=True)):
            there = filed if cell.whole and m == 0 else np.ones(number)
            for y, design, stated in zip(one.stated, _member(cell, m).reports, seen, strict=True):
                known = np.ones(number) if design.given is not None else there
                columns.append(np.append(y[:, g] * known, stated))
            edges.append(len(columns))
        first, which = _distinct(columns)
        rows = np.stack([column[first] for column in columns], axis=1)
        contents = [
            cell_content(
                cell,
                Outcome(
                    tuple(tuple(row[a:b]) for a, b in pairwise(edges)), bool(row[0]), row[1], int(row[2])
                ),
                problem.layout,
            )
            for row in rows
        ]
        outcomes.append(_Outcomes(contents, which))
    return outcomes


def _member(cell: CellDesign, m: int) -> CellDesign:
    """Return a cell (m = 0) or one of its children."""
    return cell_and_children(cell)[m]


def _column(field: np.ndarray | None, g: int, number: int) -> np.ndarray:
    """Return a field of the g-th of cells alike; 0 where it is not drawn."""
    return np.zeros(number) if field is None else field[:, g].astype(float)


def _has_claim(place: PlacedCell) -> bool:
    """Tell whether there was a report where that is drawn."""
    cell = place.design
    return cell.whole and any(design.given is None for design in cell.reports)


def _last_stated(places: list[PlacedCell], problem: Problem) -> list[int]:
    """Return for each cell the value last stated before it, as it was; 0 where that is not looked at."""
    indicator, collected = problem.layout.arrays.indicator, []
    for place in places:
        cell = place.design
        before, again = cell.before, cell.again
        for other in places:
            same = (other.unit, other.design.indicator) == (place.unit, cell.indicator)
            if same and before < other.period < place.period and other.stated[0]:
                quiet = other.stated[0][-1] == indicator[cell.indicator]["quiet"]
                before, again = other.period, NOBODY if quiet else int(other.stated[0][-1])
        collected.append(again if indicator[cell.indicator]["belief"] >= 0 else 0)
    return collected


def _distinct(columns: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return one place of each distinct row of columns, and of every place which of these it is like."""
    which = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        if (column != column[0]).any():
            _, more = np.unique(column, return_inverse=True)
            if which.any():
                _, more = np.unique(which * (more.max() + 1) + more, return_inverse=True)
            which = more
    first = np.empty(which.max() + 1, np.int64)
    first[which] = np.arange(len(which))
    return first, which


def _scores(
    problem: Problem,
    new: EvidenceIncrement,
    theta: np.ndarray,
    known: Filtered,
    log_weight: np.ndarray,
    row: np.ndarray,
    outcomes: list[_Outcomes],
) -> tuple[np.ndarray, np.ndarray]:
    """Return the score of each replicate and, last, of the evidence; and which replicates say the same."""
    first, which = _distinct([one.which for one in outcomes])
    possible = np.flatnonzero(log_weight > -np.inf)
    some = possible[np.unique(np.linspace(0, len(possible) - 1, SCORED).astype(int))]
    log_p = np.zeros((len(first), len(some)))
    contents = [one for each in outcomes for one in each.contents]
    cells = concatenated(new.cells, flatten(contents, problem.layout))
    edges = np.cumsum([len(new.cells.cell), *(len(each.contents) for each in outcomes)])
    before = Filtered(*(field[some] for field in known))
    for unit in sorted({part.place.unit for part in new.parts}):
        mine = [n for n, part in enumerate(new.parts) if part.place.unit == unit]
        parts = [(new.parts[n], edges[n] + outcomes[n].which[first]) for n in mine]
        rows = _Rows(problem.layout.arrays, new, cells, unit, parts)
        log_p += rows.log_predictive(theta[some], before)
    _, of = np.unique(theta.sum(axis=1), return_inverse=True)  # equal particles are one
    own = of[some] == np.append(of[row], -1)[:, None]
    weight = np.where(own & ~own.all(axis=1, keepdims=True), -np.inf, log_weight[some])
    score = logsumexp(weight + log_p[which], axis=-1) - logsumexp(weight, axis=-1)
    return score, which[:-1] == which[-1]


class _Rows:
    """Replicates of one unit, without repetition, as variants of the evidence.

    `parts` are cells in which much is new, and the cell of `cells` that each row has in its place.
    """

    def __init__(
        self,
        a: Arrays,
        new: EvidenceIncrement,
        cells: Cells,
        unit: int,
        parts: list[tuple[IncrementCell, np.ndarray]],
    ) -> None:
        self._a, self._new, self._cells, self._unit = a, new, cells, unit
        self._begin = min(part.place.period for part, _ in parts)
        self._periods = new.known.start.shape[1] - 1
        entries = self._others({part.given for part, _ in parts}, len(parts[0][1]))
        for part, cell in parts:
            period = part.place.period
            entries.append(Entry(period, cell, 1.0))
            if part.exponent != 1.0 and a.indicator[part.place.design.indicator]["belief"] < 0:
                entries.append(Entry(period, np.full(len(cell), part.given), part.exponent - 1.0))
        self._sequence = variants(entries, self._periods)

    def _others(self, given: set[int], rows: int) -> list[Entry]:
        """Return the known cells since the first period with something new.

        And those before that are the last of a value that persists: the filter goes on from it.
        """
        known, collected, before = self._new.known, list[Entry](), dict[int, Entry]()
        start = known.start[self._unit]
        for t in range(self._periods):
            for q in known.kind[start[t] : start[t + 1]].tolist():
                cell = int(known.cell[q])
                one = Entry(t, np.full(rows, cell), float(known.exponent[q]))
                if t < self._begin:
                    before[int(self._cells.cell["indicator"][cell])] = one
                elif cell not in given:
                    collected.append(one)
        return [one for i, one in before.items() if self._a.indicator[i]["belief"] >= 0] + collected

    def log_predictive(self, theta: np.ndarray, known: Filtered) -> np.ndarray:
        """Return log p(row | known before, theta), (rows, n).

        theta has one slot more than it has judgements: the reliability of nobody in particular.
        """
        begin, unit = self._begin, self._unit
        wide = np.column_stack([theta, np.full(len(theta), self._a.mean_reliability)])
        log_p = log_evidence(
            wide,
            self._sequence,
            self._cells,
            self._a,
            begin=begin,
            before=self._before(theta, known),
            unit=unit,
        )
        log_p -= known.log_norm[:, unit, begin:].sum(axis=-1)
        return np.where(np.isnan(log_p), -np.inf, log_p)

    def _before(self, theta: np.ndarray, known: Filtered) -> Filtered:
        """Return the filter up to the first period with something new, with its beliefs."""
        begin, sequence = self._begin, self._new.known
        if not self._a.beliefs or begin == 0 or (known.period[0, self._unit] == begin - 1).any():
            return known
        part = sequence._replace(start=np.ascontiguousarray(sequence.start[:, : begin + 1]))
        return filter_particles(theta, part, self._new.cells, self._a)
