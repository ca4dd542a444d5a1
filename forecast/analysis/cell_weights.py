"""What each cell says of each scenario at the means, and what it would say if less were taken away from it.

Five readings of one cell, each with one more of the model's reasons for caution than the one before:

    sure         every report surely true and on its own, no group, no cap
    reliability  each source as reliable, and each report as credible, as it was judged
    repeats      repeats as dependent as they are
    groups       the exponent of the group
    cap          the cap: the cell as it counts in the forecast
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np

from forecast.case.evidence import Evidence, Report
from forecast.case.question import Question
from forecast.model.content import Content, flatten
from forecast.model.course import places
from forecast.model.dynamics import transition_matrices
from forecast.model.filtering import filter_log_likelihood
from forecast.model.known import Known
from forecast.model.layout import Layout, layout
from forecast.model.likelihood import Cells, log_cells
from forecast.model.log import Key, Log
from forecast.model.power import exponents
from forecast.model.statement import Statement, statement

#: What took weight away, in the order in which it is taken.
PARTS = ("reliability", "repeats", "groups", "cap")

#: Reliability of a report taken to be surely true. Short of 1, so that sure reports may clash: then as many
#: on either side cancel, and else the majority counts.
SURE = 1.0 - 1e-9

#: Stands for the probability 0 where odds are taken, as in the weights of evidence of the forecast itself.
_NEVER = 1e-300


class Readings(NamedTuple):
    """The cells of a forecast, C of them in the order of unit, period and indicator."""

    keys: tuple[Key, ...]  # unit, period, indicator
    joined: tuple[tuple[int, ...], ...]  # indicators that are given it and speak in the same cell
    reports: tuple[tuple[Report, ...], ...]  # of each cell
    log_m: np.ndarray  # (5, C, K) log likelihood of each reading, exponents included
    exponent: np.ndarray  # (C,)
    prior: np.ndarray  # (K,)
    matrix: np.ndarray  # (K, K) per period
    regime: bool
    periods: int  # T, 1 for a static question: there the evidence of all periods speaks of one scenario


def readings(question: Question, evidence: Evidence, as_of: date, *, without: str = "") -> Readings:
    """Read every cell that stands on a day in the five ways, all judgements at their means.

    `without` is the id of a report that is left out, as for the weights of evidence of the forecast itself.
    """
    told = Evidence(tuple(r for r in evidence.reports if r.reported <= as_of))
    laid = layout(question, told)
    keys, contents = _standing(question, told, as_of, without)
    heard = _Heard(Log(question, told), as_of, without)
    reports = tuple(_reports(key, content, heard) for key, content in zip(keys, contents, strict=True))
    alone = [_alone(content, key, heard, laid) for key, content in zip(keys, contents, strict=True)]
    certain, first = laid.mean.copy(), laid.arrays.reliability
    sources = slice(first, first + laid.arrays.reliabilities)
    certain[sources] = np.maximum(certain[sources], SURE)  # one who is never wrong is surer still
    plain = _log_m(laid, contents, laid.mean)
    grouped, capped = (_exponents(question, keys, plain, cap) for cap in (None, question.cap))
    matrix = np.empty((1, laid.scenarios, laid.scenarios))
    transition_matrices(laid.mean[None].copy(), laid.arrays, matrix)
    return Readings(
        keys=keys,
        joined=tuple(tuple(child.indicator for child in content.children) for content in contents),
        reports=reports,
        log_m=np.stack(
            [
                _log_m(laid, [_told_surely(content) for content in alone], certain),
                _log_m(laid, alone, laid.mean),
                plain,
                _power(plain, grouped),
                _power(plain, capped),
            ]
        ),
        exponent=capped,
        prior=laid.mean[: laid.scenarios].copy(),
        matrix=matrix[0],
        regime=question.dynamics is not None,
        periods=1 if question.dynamics is None else question.period(as_of) + 1,
    )


def log_odds(found: Readings, log_likelihood: np.ndarray) -> np.ndarray:
    """Return log odds of each scenario in the last period, (N, K), from log L_t(s), (N, T, K)."""
    n = len(log_likelihood)
    prior = np.ascontiguousarray(np.broadcast_to(found.prior, (n, len(found.prior))))
    matrix = np.ascontiguousarray(np.broadcast_to(found.matrix, (n, *found.matrix.shape)))
    alpha, _ = filter_log_likelihood(prior, matrix, np.ascontiguousarray(log_likelihood))
    return odds(alpha[:, -1])


def odds(p: np.ndarray) -> np.ndarray:
    """Return the log odds of each scenario against the rest, (..., K), from probabilities."""
    rest = np.stack([np.delete(p, s, axis=-1).sum(axis=-1) for s in range(p.shape[-1])], axis=-1)
    return np.asarray(np.log(np.maximum(p, _NEVER)) - np.log(np.maximum(rest, _NEVER)))


class _Heard(NamedTuple):
    """Which reports of a cell stand on a day."""

    log: Log
    day: date
    without: str

    def of(self, key: Key, content: Content) -> list[Report]:
        """Return the reports of a cell, none if it has but silence."""
        live = self.log.live(key, self.day) if content.statements else ()
        return [report for report in live if report.id != self.without]


def _standing(
    question: Question, told: Evidence, as_of: date, without: str
) -> tuple[tuple[Key, ...], list[Content]]:
    """Return every cell that says something, also one to which the cap leaves no weight at all."""
    known = Known(layout(replace(question, groups=(), cap=None), told), told)
    known.put({key for _, key in known.events(as_of)}, as_of)
    gone = [report for report in told.reports if report.id == without]
    known.put([Log(question, told).key(report) for report in gone], as_of, frozenset([without]))
    course, cells = known.step(as_of).course, known.cells()
    units, periods = places(course)
    rows = [int(course.cell[kind]) for kind in course.kind]
    keys = tuple(
        (int(u), int(t), int(cells.cell["indicator"][row]))
        for u, t, row in zip(units, periods, rows, strict=True)
    )
    return keys, [_content(cells, row) for row in rows]


def _content(cells: Cells, row: int) -> Content:
    cell = cells.cell[row]
    statements = tuple(Statement(*report.item()) for report in cells.report[cell["first"] : cell["end"]])
    children = range(int(cell["child"]), int(cell["child"] + cell["children"]))
    silence = float(cell["quiet"]), float(cell["active"])
    persistence = float(cell["hold"]), int(cell["held"])
    below = tuple(_content(cells, child) for child in children)
    return Content(int(cell["indicator"]), statements, *silence, *persistence, below)


def _reports(key: Key, content: Content, heard: _Heard) -> tuple[Report, ...]:
    """Return the reports of a cell, then those of the cells that hang on it."""
    below = [_reports((*key[:2], child.indicator), child, heard) for child in content.children]
    return tuple(heard.of(key, content)) + tuple(report for reports in below for report in reports)


def _alone(content: Content, key: Key, heard: _Heard, laid: Layout) -> Content:
    """Return a cell as if none of its reports repeated another."""
    indicator = laid.question.indicators[content.indicator]
    below = tuple(_alone(child, (*key[:2], child.indicator), heard, laid) for child in content.children)
    own = tuple(statement(report, laid, indicator, None) for report in heard.of(key, content))
    return content._replace(statements=own, children=below)


def _told_surely(content: Content) -> Content:
    """Return a cell as if no report were graded; the reliabilities are up to theta."""
    own = tuple(s._replace(told=1.0, credibility=1.0) for s in content.statements)
    return content._replace(statements=own, children=tuple(map(_told_surely, content.children)))


def _log_m(laid: Layout, contents: list[Content], theta: np.ndarray) -> np.ndarray:
    out = np.empty((len(contents), laid.scenarios))
    log_cells(theta, np.arange(len(contents)), flatten(contents), laid.arrays, out)
    return out


def _exponents(question: Question, keys: tuple[Key, ...], log_m: np.ndarray, cap: float | None) -> np.ndarray:
    group = {name: g for g in question.groups for name in g.indicators}
    mine = [group.get(question.indicators[i].id) for _, _, i in keys]
    together = [(u, t, g.id if g else "", 0 if g else i) for (u, t, i), g in zip(keys, mine, strict=True)]
    return np.array(exponents(log_m, together, [g.correlation if g else 0.0 for g in mine], cap))


def _power(log_m: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """Return log m^e; a cell with exponent 0 says nothing, even where m is 0."""
    out = np.zeros_like(log_m)
    return np.multiply(log_m, exponent[:, None], out=out, where=exponent[:, None] > 0)
