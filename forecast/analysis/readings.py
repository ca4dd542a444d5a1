"""Five readings of every cell, each with one more reason for caution, and forecasts with cells left out.

The readings, in their order:

    undiscounted  every report certain and on its own, no group, no cap
    reliability   each source as reliable, and each report as credible, as it was judged
    repeats       repeats as dependent as they are
    groups        the exponent of the group
    cap           the cap: the cell as it counts in the forecast

Silence has no source and repeats nothing: its first three readings are one. What the cell of a state that
goes on says depends on the earlier ones of its indicator, which count as they do in the forecast.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import batched
from typing import NamedTuple

import numpy as np

from forecast.analysis.plug_in import HIGHEST_RELIABILITY, PlugInModel
from forecast.case.evidence import Report
from forecast.model.cell_sequence import CellSequence
from forecast.model.cells import CellContent, flatten, report_design, report_term, value_code
from forecast.model.hmm import filter_particles
from forecast.model.parameters import TINY, Layout
from forecast.model.report_log import CellKey
from forecast.model.tempering import cell_exponents, log_likelihoods

#: The reasons for caution, in the order in which they discount.
PARTS = ("reliability", "repeats", "groups", "cap")

#: The reading of which each of the five has the reports: the last three differ in the exponent.
_CONTENT = (0, 1, 2, 2, 2)

#: So many numbers of the filter's are held at a time.
_LARGEST = 4_000_000

Reading = tuple[CellContent, CellContent, CellContent]  # undiscounted, one by one, as it is


class Readings(NamedTuple):
    """The cells of a forecast in five readings: C cells in the order of unit, period and indicator."""

    model: PlugInModel
    theta: np.ndarray  # (D + 1,) the last slot being the reliability of a source that is certain
    keys: tuple[CellKey, ...]  # unit, period, indicator
    contents: tuple[Reading, ...]
    reports: tuple[tuple[Report, ...], ...]  # of each cell, none of a silent one
    exponent: np.ndarray  # (5, C)
    log_m: np.ndarray  # (5, C, K) log likelihood of each reading given earlier cells, exponents included

    @property
    def layout(self) -> Layout:
        """The judgements."""
        return self.model.layout

    @property
    def static(self) -> bool:
        """Whether the evidence of all periods speaks of one scenario."""
        return self.layout.question.dynamics is None

    def of_unit(self, unit: int) -> list[int]:
        """Return the cells of a unit."""
        return [c for c, key in enumerate(self.keys) if key[0] == unit]


def readings(model: PlugInModel) -> Readings:
    """Return every cell that is known on a day in the five readings, all judgements at their means."""
    layout, question = model.layout, model.layout.question
    known, counted = model.index.contents(), model.index.exponents()
    keys, theta = tuple(known), np.append(model.theta, HIGHEST_RELIABILITY)
    reports = [_reports(model, key, content) for key, content in known.items()]
    contents = tuple(_reading(layout, *one) for one in zip(known.values(), reports, strict=True))
    grouped = np.ones(len(keys))
    if question.groups:
        grouped[:] = cell_exponents(question, keys, log_likelihoods(layout, known, keys), None)
    exponent = np.ones((5, len(keys)))
    exponent[3], exponent[4] = grouped, [counted.get(key, 0.0) for key in keys]
    each = [
        log_likelihoods(layout, known, keys, theta=theta, instead=[content[k] for content in contents])
        for k in range(3)
    ]
    log_m = np.stack([_power(each[k], power) for k, power in zip(_CONTENT, exponent, strict=True)])
    every = tuple(tuple(report for each in one for report in each) for one in reports)
    return Readings(model, theta, keys, contents, every, exponent, log_m)


def _reports(model: PlugInModel, key: CellKey, content: CellContent, without: str = "") -> list[list[Report]]:
    """Return the reports of a cell, then of each cell that is given it; none of one that has but silence."""
    log = model.index.log
    live = [
        log.live((*key[:2], one.indicator), model.as_of) if one.terms else []
        for one in (content, *content.children)
    ]
    return [[report for report in reports if report.id != without] for reports in live]


def _reading(layout: Layout, content: CellContent, reports: list[list[Report]]) -> Reading:
    """Return a cell as if each report were certain and repeated none, as if none repeated, and as it is."""
    parts = content, *content.children
    alone = [_independent(layout, *one) for one in zip(parts, reports, strict=True)]
    certain = [_certain(layout, one) for one in alone]
    first, second = (one[0]._replace(children=tuple(one[1:])) for one in (certain, alone))
    return first, second, content


def _independent(layout: Layout, content: CellContent, reports: list[Report]) -> CellContent:
    """Return a cell as if none of its reports repeated another, without those that are given it."""
    indicator = layout.question.indicators[content.indicator]
    values = [value_code(report, indicator) for report in reports]
    terms = (
        report_term(report_design(report, (), layout), (), value, layout, content.indicator)
        for report, value in zip(reports, values, strict=True)
    )
    return content._replace(terms=tuple(terms), children=())


def _certain(layout: Layout, content: CellContent) -> CellContent:
    """Return a cell as if every source were certain and no report graded."""
    certain_slot = layout.size  # the slot behind the last of theta
    return content._replace(
        terms=tuple(
            term._replace(
                credibility=1.0,
                slot=term.slot if layout.mean[term.slot] > HIGHEST_RELIABILITY else certain_slot,
            )
            for term in content.terms
        )
    )


def _power(log_m: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """Return the log of m to the power e; 0 where the exponent is 0, even where m = 0."""
    out = np.zeros_like(log_m)
    return np.multiply(log_m, exponent[:, None], out=out, where=exponent[:, None] > 0)


def log_odds(p: np.ndarray) -> np.ndarray:
    """Return the log odds of each scenario against the rest, (..., K), from probabilities."""
    rest = np.stack([np.delete(p, s, axis=-1).sum(axis=-1) for s in range(p.shape[-1])], axis=-1)
    return np.asarray(np.log(np.maximum(p, TINY)) - np.log(np.maximum(rest, TINY)))


class Variants:
    """Forecasts of one unit with some of its cells read otherwise, or left out, filtered all at once."""

    def __init__(self, whole: Readings, unit: int) -> None:
        self._whole, self._cells = whole, whole.of_unit(unit)
        self._place = {c: n for n, c in enumerate(self._cells)}
        self._kinds: dict[tuple[CellContent, float], int] = {}
        self._base = np.array([self.kind(c, 4) for c in self._cells], np.int64)
        self._number: dict[bytes, int] = {}
        self._rows: list[np.ndarray] = []

    def kind(self, c: int, reading: int) -> int:
        """Return the number of a cell in one of its readings."""
        whole = self._whole
        return self.kind_of(whole.contents[c][_CONTENT[reading]], float(whole.exponent[reading, c]))

    def kind_of(self, content: CellContent, exponent: float) -> int:
        """Return the number of a cell with an exponent, -1 for one that does not count."""
        return self._kinds.setdefault((content, exponent), len(self._kinds)) if exponent > 0 else -1

    def add(self, changes: Mapping[int, int], kept: Iterable[int] | None = None) -> int:
        """Return the number of a variant: kinds of some cells, -1 to leave one out; of the `kept`, or all."""
        row = self._base.copy()
        for c, kind in changes.items():
            row[self._place[c]] = kind
        if kept is not None:
            left = np.ones(len(row), bool)
            left[[self._place[c] for c in kept]] = False
            row[left] = -1
        number = self._number.setdefault(row.tobytes(), len(self._rows))
        if number == len(self._rows):
            self._rows.append(row)
        return number

    def log_odds(self) -> np.ndarray:
        """Return the log odds of each scenario against the rest on the day, by variant, (N, K)."""
        whole = self._whole
        a, periods = whole.layout.arrays, whole.layout.question.period(whole.model.as_of) + 1
        time = np.array([whole.keys[c][1] for c in self._cells], np.int64)
        cells = flatten([content for content, _ in self._kinds])
        number, power = np.arange(len(self._kinds)), np.array([power for _, power in self._kinds], float)
        most, rows = max(_LARGEST // (periods * a.scenarios * a.runs), 1), []
        for some in batched(self._rows, most):
            kind, start = one_by_one(np.stack(some), time, periods)
            sequence = CellSequence(kind, start, number, power)
            filtered = filter_particles(whole.theta[None], sequence, cells, a)
            rows.append(log_odds(filtered.alpha[0, :, -1]))
        return np.concatenate(rows)


def one_by_one(rows: np.ndarray, time: np.ndarray, periods: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `kind` and `start` of a sequence in which each row of kinds (N, C) is a unit of its own.

    -1 is no cell; `time` (C,) are the periods of the columns, in ascending order.
    """
    there = rows >= 0
    before = np.concatenate([[0], np.cumsum(there.ravel())])
    edges = np.arange(len(rows))[:, None] * rows.shape[1] + np.searchsorted(time, np.arange(periods + 1))
    return np.ascontiguousarray(rows[there]), np.ascontiguousarray(before[edges])


def report_weights(whole: Readings, ids: Sequence[str]) -> np.ndarray:
    """Return the weight of each report at each stage of discounting, (5, R, K), in nats.

    A report that is in no cell (it waits) weighs nothing. Left out, it leaves its cell unknown, not silent.
    """
    weight = np.zeros((len(PARTS) + 1, len(ids), whole.layout.scenarios))
    cell = {report.id: c for c, reports in enumerate(whole.reports) for report in reports}
    for unit in range(whole.layout.question.unit_count):
        mine = [n for n, id in enumerate(ids) if id in cell and whole.keys[cell[id]][0] == unit]
        if not mine:
            continue
        variants = Variants(whole, unit)
        pairs = [_with_and_without(whole, variants, cell[ids[n]], ids[n]) for n in mine]
        odds = variants.log_odds()
        for n, (with_it, without) in zip(mine, pairs, strict=True):
            weight[:, n] = odds[with_it] - odds[without]
    return weight


def _with_and_without(whole: Readings, variants: Variants, c: int, id: str) -> tuple[list[int], list[int]]:
    """Return the variants with a report of a cell and without it, each in five readings of the cell."""
    model, key = whole.model, whole.keys[c]
    known = model.index
    less = known.updated([known.log.key(known.log.report(id))], model.as_of, frozenset([id]), unknown=True)
    contents, powers = less.contents(), less.exponents()
    others = {
        n: variants.kind_of(whole.contents[n][2], powers.get(whole.keys[n], 0.0))
        for n in whole.of_unit(key[0])
        if n != c and powers.get(whole.keys[n], 0.0) != whole.exponent[4, n]
    }
    with_it = [variants.add({c: variants.kind(c, k)}) for k in range(5)]
    if key not in contents:
        return with_it, [variants.add(others | {c: -1})] * 5
    read = _reading(whole.layout, contents[key], _reports(model, key, contents[key], id))
    power = 1.0, 1.0, 1.0, _group_exponent(whole.layout, contents, key), powers.get(key, 0.0)
    kinds = [variants.kind_of(read[n], power[k]) for k, n in enumerate(_CONTENT)]
    return with_it, [variants.add(others | {c: kind}) for kind in kinds]


def _group_exponent(layout: Layout, contents: Mapping[CellKey, CellContent], key: CellKey) -> float:
    """Return the exponent that a cell has by its group, the cap aside."""
    question = layout.question
    group = next((g for g in question.groups if question.indicators[key[2]].id in g.indicators), None)
    if group is None:
        return 1.0
    together = [
        other
        for other in contents
        if other[:2] == key[:2] and question.indicators[other[2]].id in group.indicators
    ]
    log_m = log_likelihoods(layout, contents, together)
    return cell_exponents(question, together, log_m, None)[together.index(key)]
