"""Prequential log score (Dawid 1984) of the evidence by date, and its tail probability.

The log score of a date is log p(what is new | what was known), the prequential score (Dawid 1984). Whether
it is low depends on how much was reported and how doubtful it was, so it is held against replicates: theta
from the particles of the date before, the path from the filter and stepped on, the cells given their earlier
reports, then the new reports. Each replicate is scored as the evidence was,

    score(y) = log mean over theta of p(y | known before, theta),

the mean without the theta that it was drawn from. `tail` is the share of replicates with a lower score, half
of those with the same score included (mid-p, Lancaster 1961): near 0, the model would hardly ever have been
so surprised. If the model is right and nothing ties, it is uniform.

Groups and cap are exponents, from which nothing can be drawn: what is new counts in full in the tail. What a
ratio says, and that somebody reported on an indicator at all, is taken as given.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from scipy.special import logsumexp

from forecast.inference.particles import Chain, log_sum, systematic
from forecast.inference.predictive.design import EvidenceDesign, cell_and_children
from forecast.inference.predictive.new_evidence import (
    EvidenceIncrement,
    IncrementCell,
    Stated,
    cell_content,
    concatenated,
    evidence_increment,
)
from forecast.inference.predictive.replicates import Batch, DrawnCell, most_likely, replicate
from forecast.inference.predictive.sampling import posterior_path
from forecast.model.cell_sequence import CellSequence, unit_and_period
from forecast.model.cells import CellContent, flatten
from forecast.model.hmm import Filtered, filter_log_likelihood, filter_particles
from forecast.model.horizon import matrices
from forecast.model.likelihood import Cells, log_cells
from forecast.model.problem import Problem

PARTICLES = 100  # theta over which a score is averaged
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
        log_weight = _reweighed(problem, theta, known, k)
    if log_weight.max() == -np.inf:
        return np.nan, np.nan
    row = systematic(np.exp(log_weight - log_weight.max()), REPLICATES, 0.5)
    begin = min(part.place.period for part in new.parts)
    each = matrices(theta, problem.layout.arrays, known.matrix, known.alpha.shape[2])
    path = posterior_path(known.alpha[row], each[row], rng, begin=begin)
    batches = list(replicate([p.place for p in new.parts], problem.layout, theta[row], path, rng))
    exists = np.prod([batch.exists.prod(axis=1) for batch in batches], axis=0)
    score, same = _scores(problem, new, theta, known, log_weight, row, _outcomes(new.parts, batches, problem))
    tied = same | np.isclose(score[:-1], score[-1], rtol=SAME, atol=SAME)
    lower = (score[:-1] < score[-1]) & ~tied
    share = exists / exists.sum()
    return float(share @ (lower + 0.5 * tied)), float(share @ tied)


def _filtered(problem: Problem, sequence: CellSequence, cells: Cells, theta: np.ndarray) -> Filtered:
    """Filter a sequence for some theta."""
    return filter_particles(theta, sequence, cells, problem.layout.arrays)


def _reweighed(problem: Problem, theta: np.ndarray, known: Filtered, k: int) -> np.ndarray:
    """Return the log weights of particles of the date before, where something that was known has gone."""
    now = known.log_norm.sum(axis=(1, 2))
    if k == 0:
        return now
    return now - _filtered(problem, problem.steps[k - 1].sequence, problem.cells, theta).log_norm.sum(
        axis=(1, 2)
    )


class _Outcomes(NamedTuple):
    """The contents of one cell: in each replicate, and in the last row as it was."""

    contents: list[CellContent]  # without repetition
    which: np.ndarray  # (R + 1,)


def _outcomes(parts: tuple[IncrementCell, ...], batches: list[Batch], problem: Problem) -> list[_Outcomes]:
    """Return the contents of each part by replicate; values that went on are those of the replicate."""
    layout, lasting = problem.layout, dict[tuple[int, int, int], np.ndarray]()
    drawn: dict[tuple[int, int, int], tuple[tuple[DrawnCell, ...], int]] = {}
    for batch in batches:
        for g, place in enumerate(batch.places):
            each = (batch.drawn, *batch.drawn.children)
            drawn[place.unit, place.period, place.design.indicator] = each, g
            for one, what in zip(cell_and_children(place.design), each, strict=True):
                persists = layout.question.indicators[one.indicator].persistence is not None
                if persists and (one.reports or one.monitoring is not None):
                    value = most_likely(one, what, layout)[:, g]
                    lasting[place.unit, place.period, one.indicator] = value
    outcomes = []
    for part in parts:
        place = part.place
        each, g = drawn[place.unit, place.period, place.design.indicator]
        columns, edges = list[np.ndarray](), [0]
        for one, what, stated in zip(cell_and_children(place.design), each, place.stated, strict=True):
            nothing = np.zeros(len(what.value))
            held = lasting.get((place.unit, one.before, one.indicator), nothing + one.held)
            alarm = nothing if what.alarm is None else what.alarm[:, g] > 0
            values = [np.append(y[:, g], seen) for y, seen in zip(what.stated, stated, strict=True)]
            columns += [np.append(held, one.held), np.append(alarm, 0.0), *values]
            edges.append(len(columns))
        first, which = _distinct(columns)
        rows = np.stack([column[first] for column in columns], axis=1)
        outcomes.append(_Outcomes([_content(part, row, edges, problem) for row in rows], which))
    return outcomes


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


def _content(part: IncrementCell, row: np.ndarray, edges: list[int], problem: Problem) -> CellContent:
    """Return the content of a cell from a row: of itself and each child held, alarm, and its reports."""
    stated: Stated = tuple(tuple(row[a + 2 : b]) for a, b in pairwise(edges))
    held = tuple(int(row[a]) for a in edges[:-1])
    alarm = tuple(bool(row[a + 1]) for a in edges[:-1])
    return cell_content(part.place.design, stated, problem.layout, held=held, alarm=alarm)


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
    tables, rest = _tables(problem, new, theta, outcomes)
    first, which = _distinct([one.which for one in outcomes])
    log_p = np.zeros((len(first), len(theta)))
    for unit in sorted({part.place.unit for part in new.parts}):
        mine = [n for n, part in enumerate(new.parts) if part.place.unit == unit]
        parts = [(new.parts[n].place.period, tables[n], outcomes[n].which[first]) for n in mine]
        log_p += _log_predictive(theta[:, : problem.layout.scenarios], known, unit, rest, parts)
    _, of = np.unique(theta.sum(axis=1), return_inverse=True)  # equal particles are one
    own = of[None] == np.append(of[row], -1)[:, None]
    weight = np.where(own & ~own.all(axis=1, keepdims=True), -np.inf, log_weight)
    score = logsumexp(weight + log_p[which], axis=-1) - logsumexp(weight, axis=-1)
    return score, which[:-1] == which[-1]


def _tables(
    problem: Problem, new: EvidenceIncrement, theta: np.ndarray, outcomes: list[_Outcomes]
) -> tuple[list[np.ndarray], dict[tuple[int, int], np.ndarray]]:
    """Return log likelihoods: of each part (K, n, O) by outcome, and of all else by unit and period (K, n).

    Where something is given of a part, it keeps its exponent e, and what is new counts in full:
    m_given^(e - 1) m.
    """
    begin = min(part.place.period for part in new.parts)
    unit, period = unit_and_period(new.known)
    cell = new.known.cell[new.known.kind]
    given = np.array([part.given for part in new.parts])
    others = np.flatnonzero((period >= begin) & ~np.isin(cell, given))
    contents = [one for each in outcomes for one in each.contents]
    cells = concatenated(new.cells, flatten(contents))
    ids = np.concatenate([len(new.cells.cell) + np.arange(len(contents)), given, cell[others]])
    log_m = np.empty((len(theta), len(ids), problem.layout.scenarios))
    for n, one in enumerate(theta):
        log_cells(one, ids, cells, problem.layout.arrays, log_m[n])
    log_m = np.ascontiguousarray(np.moveaxis(log_m, 2, 0))
    tables, at = list[np.ndarray](), 0
    for p, (part, each) in enumerate(zip(new.parts, outcomes, strict=True)):
        table = log_m[..., at : at + len(each.contents)]
        if part.exponent != 1.0:
            known = log_m[..., len(contents) + p, None]
            table = table + (part.exponent - 1.0) * np.where(np.isneginf(known), 0.0, known)
        tables.append(table)
        at += len(each.contents)
    rest: dict[tuple[int, int], np.ndarray] = {}
    exponent = new.known.exponent[new.known.kind[others]]
    for m, (n, power) in enumerate(zip(others.tolist(), exponent, strict=True)):
        at_n = int(unit[n]), int(period[n])
        rest[at_n] = rest.get(at_n, 0.0) + power * log_m[..., at + len(given) + m]
    return tables, rest


def _log_predictive(
    prior: np.ndarray,
    known: Filtered,
    unit: int,
    rest: dict[tuple[int, int], np.ndarray],
    parts: list[tuple[int, np.ndarray, np.ndarray]],
) -> np.ndarray:
    """Return log p(row | known before, theta) of one unit, (rows, n), the prior over scenarios being (n, K).

    `parts` are period, table (K, n, O) and the outcome in each row. What was known before is taken up in
    the period before the first of them.
    """
    begin, (n, _, periods, size) = min(period for period, _, _ in parts), known.alpha.shape
    rows = len(parts[0][2])
    if begin > 0:
        prior = np.einsum("ni,nij->nj", known.alpha[:, unit, begin - 1], known.matrix)
    log_l = np.zeros((rows, n, periods - begin, size))
    for t in range(begin, periods):
        log_l[:, :, t - begin] += rest[unit, t].T if (unit, t) in rest else 0.0
    for period, table, which in parts:
        log_l[:, :, period - begin] += table[..., which].T
    prior, matrix = np.tile(prior, (rows, 1)), np.tile(known.matrix, (rows, 1, 1))
    _, norm = filter_log_likelihood(prior, matrix, log_l.reshape(rows * n, periods - begin, size))
    log_p = norm.sum(axis=1).reshape(rows, n) - known.log_norm[:, unit, begin:].sum(axis=-1)
    return np.where(np.isnan(log_p), -np.inf, log_p)
