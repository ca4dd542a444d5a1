"""The forecast at the judgements' means without some of the reports, for very many sets of reports.

Leaving reports out changes a forecast in places only. A *strand* is one indicator (with those that are given
it) in one unit: repeats, corrections, held values and silence stay inside it. What a strand's cells say is
worked out anew by the model for each of its own subsets that is asked for; groups and the cap then for each
period and each subset of what can be heard in it; the filter runs over all sets at once. Every piece is kept,
so that ten thousand sets take no longer than the few hundred pieces they are made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from forecast.analysis.at_means import ahead, standing
from forecast.case.alter_evidence import without_reports
from forecast.case.evidence import Evidence, Report
from forecast.case.question import Question
from forecast.model.course import places
from forecast.model.dynamics import transition_matrices
from forecast.model.filtering import filter_log_likelihood
from forecast.model.likelihood import log_cells
from forecast.model.log import Key, Log
from forecast.model.power import exponents

Strand = int  # the indicator on which the others are given
Dropped = frozenset[str]

_CHUNK = 4096


class Removals:
    """The answer for one unit without any set of its reports."""

    def __init__(self, question: Question, evidence: Evidence, as_of: date, unit: int) -> None:
        self._question, self._as_of, self._unit = question, as_of, unit
        self._plain = replace(question, groups=(), cap=None)
        place = {indicator.id: i for i, indicator in enumerate(question.indicators)}
        self._top = [place[i.given or i.id] for i in question.indicators]
        self._group = {place[name]: g for g in question.groups for name in g.indicators}
        told = Evidence(tuple(r for r in evidence.reports if r.reported <= as_of))
        named = question.units[unit] if question.units else ""
        self.reports = tuple(r for r in evidence.known(as_of) if r.unit == named)
        self._touched = _touched(question, told, self._top)
        self._rows = {
            strand: Evidence(tuple(r for r in told.reports if strand in self._touched[r.id][unit]))
            for strand in set(self._top)
        }
        self._cells: dict[tuple[Strand, Dropped], dict[int, np.ndarray]] = {}
        self._periods: dict[tuple[int, Dropped], np.ndarray] = {}
        self._strands = self._where()
        self._heard = [self._hearable(t) for t in range(question.period(as_of) + 1)]
        self._base = np.stack([self._period(t, frozenset()) for t in range(len(self._heard))])
        laid = standing(self._plain, Evidence(), as_of).layout
        self._prior, self._matrix = laid.mean[: laid.scenarios], np.empty((1, laid.scenarios, laid.scenarios))
        transition_matrices(laid.mean[None].copy(), laid.arrays, self._matrix)

    def horizon(self, sets: Sequence[Iterable[str]]) -> np.ndarray:
        """Return the probabilities at the horizon, (N, K), without each set of reports (by id)."""
        parts = [self._answer(sets[n : n + _CHUNK]) for n in range(0, len(sets), _CHUNK)]
        return np.concatenate(parts) if parts else np.empty((0, len(self._prior)))

    def _answer(self, sets: Sequence[Iterable[str]]) -> np.ndarray:
        log_l = np.repeat(self._base[None], len(sets), axis=0)
        for n, dropped in enumerate(sets):
            gone = frozenset(dropped)
            for t, heard in enumerate(self._heard):
                if mine := heard & gone:
                    log_l[n, t] = self._period(t, mine)
        prior = np.repeat(self._prior[None], len(sets), axis=0)
        matrix = np.repeat(self._matrix, len(sets), axis=0)
        alpha, _ = filter_log_likelihood(prior, matrix, log_l)
        return ahead(self._question, self._as_of, alpha[:, None, -1], matrix)[:, 0]

    def _period(self, t: int, gone: Dropped) -> np.ndarray:
        """Return log L_t(s), (K,), groups and cap included."""
        if (t, gone) not in self._periods:
            cells = {strand: self._strand(strand, gone) for strand in sorted(self._strands[t])}
            tops = [strand for strand, cell in cells.items() if t in cell]
            total = np.zeros(len(self._question.scenarios))
            if tops:
                log_m = np.stack([cells[top][t] for top in tops])
                mine = [self._group.get(top) for top in tops]
                together = [(g.id if g else "", 0 if g else i) for i, g in zip(tops, mine, strict=True)]
                correlation = [g.correlation if g else 0.0 for g in mine]
                powers = exponents(log_m, together, correlation, self._question.cap)
                for power, m in zip(powers, log_m, strict=True):
                    total = total + power * m if power > 0 else total
            self._periods[t, gone] = total
        return self._periods[t, gone]

    def _strand(self, strand: Strand, gone: Dropped) -> dict[int, np.ndarray]:
        """Return log m(s) of the strand's cells by period, at the means, without groups and cap."""
        rows = self._rows[strand]
        mine = gone & {r.id for r in rows.reports}
        if (strand, mine) not in self._cells:
            left = without_reports(self._question, rows, mine)
            model = standing(self._plain, left, self._as_of)
            course, cells = model.step.course, model.cells
            log_m = np.empty((len(course.cell), model.layout.scenarios))
            log_cells(model.layout.mean, course.cell, cells, model.layout.arrays, log_m)
            units, periods = places(course)
            self._cells[strand, mine] = {
                int(t): log_m[kind]
                for u, t, kind in zip(units, periods, course.kind, strict=True)
                if u == self._unit and self._top[cells.cell["indicator"][course.cell[kind]]] == strand
            }
        return self._cells[strand, mine]

    def _where(self) -> list[set[Strand]]:
        """Return for each period the strands that may have a cell in it, whatever is left out."""
        found: list[set[Strand]] = [set() for _ in range(self._question.period(self._as_of) + 1)]
        for strand, rows in self._rows.items():
            spoken = {t for r in rows.reports for t in self._touched[r.id][self._unit][strand]}
            for t in spoken | set(self._strand(strand, frozenset())):
                found[t].add(strand)
        return found

    def _hearable(self, t: int) -> Dropped:
        """Return the reports that may matter to what is said of a period."""
        found = set()
        for report in self.reports:
            for strand, periods in self._touched[report.id][self._unit].items():
                later = t > min(periods) and self._lasting(strand)
                if strand in self._strands[t] and (t in periods or later):
                    found.add(report.id)
        return frozenset(found)

    def _lasting(self, strand: Strand) -> bool:
        """Tell whether anything in a strand is held from one period to the next."""
        mine = [i for i, top in zip(self._question.indicators, self._top, strict=True) if top == strand]
        return any(indicator.persistence is not None for indicator in mine)


def _touched(
    question: Question, told: Evidence, top: Sequence[int]
) -> dict[str, list[dict[Strand, set[int]]]]:
    """Return for each row, by unit, the strands and periods that it, or any row of its chain, speaks about.

    A chain is a report with what it corrects and what corrects it: without one of them another may stand.
    """
    log, by_id = Log(question, told), {r.id: r for r in told.reports}

    def first(report: Report) -> str:
        while report.replaces in by_id:
            report = by_id[report.replaces]
        return report.id

    keys: dict[str, set[Key]] = {}
    for report in told.reports:
        keys.setdefault(first(report), set()).update(_keys(log, report))
    found = {}
    for report in told.reports:
        places_of: list[dict[Strand, set[int]]] = [{} for _ in range(max(len(question.units), 1))]
        for unit, period, i in keys[first(report)]:
            places_of[unit].setdefault(top[i], set()).add(period)
        found[report.id] = places_of
    return found


def _keys(log: Log, report: Report) -> list[Key]:
    return [log.key(report)] if report.indicator and report.value is not None else []
