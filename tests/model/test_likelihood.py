"""The likelihood of a cell against sums written out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import scipy.stats

from forecast.case.evidence import Evidence
from forecast.case.question import Reporting
from forecast.model.cells import CellContent, flatten
from forecast.model.likelihood import log_cells
from forecast.model.parameters import build_layout
from forecast.model.report_terms import ReportTerm
from tests.cases import binary, category, count, measure, question, source

TONES = ((0.5, 0.3, 0.2), (0.1, 0.3, 0.6))
Q = question(
    (0.6, 0.4),
    (
        category("tone", ("cold", "cool", "warm"), TONES, 20.0),
        binary("reply", (0.2, 0.7), 20.0, given="tone"),
        count("raids", (6.0, 2.0), 4.0),
        count("clashes", (6.0, 2.0), 4.0, dispersion=2.5),
        measure("price", (1.0, 2.0), (0.5, 0.8), 5.0),
        binary("venue", (0.4, 0.5), 20.0, given="tone"),
    ),
    (source("s", 0.8, 20.0), source("z", 0.6, 20.0)),
    20.0,
)
LAYOUT = build_layout(Q, Evidence())
S, Z = LAYOUT.starts["reliability s"], LAYOUT.starts["reliability z"]
RELIABILITY = {S: 0.8, Z: 0.6}
TONE, REPLY, RAIDS, CLASHES, PRICE, VENUE = range(6)


def m(*contents: CellContent) -> np.ndarray:
    """The cells' likelihoods at the judgements' means, (cell, scenario)."""
    out = np.empty((len(contents), 2))
    log_cells(LAYOUT.mean, np.arange(len(contents)), flatten(list(contents)), LAYOUT.arrays, out)
    return np.exp(out)


def own(y: float, slot: int, c: float = 1.0) -> ReportTerm:
    return ReportTerm(0.0, 0.0, 1.0, c, y, slot)


def repeat(y: float, slot: int, passed: float, b: float) -> ReportTerm:
    return ReportTerm(passed, 0.0, b, 1.0, y, slot)


def told(terms: tuple[ReportTerm, ...], x: float, u: tuple[float, ...]) -> float:
    """prod_j P(y_j | x) = passed + (lost + own (1 - c r)) u(y) + own c r 1[y = x]."""
    chances = [
        t.passed
        + (t.lost + t.own * (1 - t.credibility * RELIABILITY[t.slot])) * u[int(t.value)]
        + t.own * t.credibility * RELIABILITY[t.slot] * (t.value == x)
        for t in terms
    ]
    return math.prod(chances)


CLASH = (own(2, S), own(1, Z, 0.7), repeat(2, Z, 0.7, 0.3), ReportTerm(0.0, 0.6, 0.4, 1.0, 0, S))
ALIKE = (1 / 3,) * 3
HALF = (0.5, 0.5)


def test_one_report_of_a_category():
    """r f(y | s) + (1 - r) / 3."""
    assert m(CellContent(TONE, CLASH[:1]))[0] == pytest.approx([0.8 * 0.2 + 0.2 / 3, 0.8 * 0.6 + 0.2 / 3])


def test_reports_and_monitoring_of_a_category():
    found = m(CellContent(TONE, CLASH), CellContent(TONE, CLASH, 0.95, 0.3), CellContent(TONE, (), 0.95, 0.3))
    for row, (terms, quiet, active) in zip(
        found, ((CLASH, 1, 1), (CLASH, 0.95, 0.3), ((), 0.95, 0.3)), strict=True
    ):
        expected = [
            sum(f[x] * (active if x else quiet) * told(terms, x, ALIKE) for x in range(3)) for f in TONES
        ]
        assert row == pytest.approx(expected)


def test_a_monitored_report_counts_detection_over_false_alarm():
    """Over the chance that a report of mean reliability claims something happened: r .7, noise 2/3."""
    found = m(CellContent(TONE, CLASH[:1], 0.05, 0.9, ratio=True))[0]
    claims = [0.3 * 2 / 3, 0.7 + 0.3 * 2 / 3, 0.7 + 0.3 * 2 / 3]
    chance = [0.05, 0.9, 0.9]
    expected = [
        sum(f[x] * chance[x] / claims[x] * told(CLASH[:1], x, ALIKE) for x in range(3)) for f in TONES
    ]
    assert found == pytest.approx(expected)


def test_what_is_filed():
    """Noise by its share, the earliest claim's chance, and silence: 1 - sum_y P(y | x) d_y."""
    filed = {"event": 0.7, "quiet": 0.2, "again": 0.4}
    one = replace(Q.indicators[TONE], reporting=Reporting(), quiet="cold", persistence=0.5)
    layout = build_layout(replace(Q, indicators=(one,)), Evidence())
    theta, starts = layout.mean.copy(), layout.starts
    theta[starts["noise"]] = 0.3
    for kind, d in filed.items():
        theta[starts[f"filed {kind} tone"]] = d
    slots = {layout.starts["reliability s"]: 0.8, layout.starts["reliability z"]: 0.6}
    own_s = next(slot for slot, r in slots.items() if r == 0.8)
    u, term = (0.7, 0.15, 0.15), ReportTerm(0.0, 0.0, 1.0, 1.0, 2, own_s)
    again = (0.2, 0.7, 0.4)  # the value last stated is the last
    contents = [
        CellContent(0, (term,), filed=starts["filed again tone"]),
        CellContent(0, silent=True, again=2),
        CellContent(0, silent=True),
    ]
    out = np.empty((3, 2))
    log_cells(theta, np.arange(3), flatten(contents), layout.arrays, out)
    for s, f in enumerate(TONES):
        said = [0.2 * u[2] + 0.8 * (x == 2) for x in range(3)]
        assert math.exp(out[0, s]) == pytest.approx(0.4 * sum(f[x] * said[x] for x in range(3)))
        for row, chance in ((1, again), (2, (0.2, 0.7, 0.7))):
            claims = [[0.3 * u[y] + 0.7 * (x == y) for y in range(3)] for x in range(3)]
            none = [1 - sum(p * e for p, e in zip(claims[x], chance, strict=True)) for x in range(3)]
            assert math.exp(out[row, s]) == pytest.approx(sum(f[x] * none[x] for x in range(3)))


def test_cells_that_depend_on_one():
    """Where the parent is quiet the children have no value: their reports are noise, all of them."""
    reply = CellContent(REPLY, (own(1, S), own(0, Z)))
    venue = CellContent(VENUE, (), 0.95, 0.4)
    found = m(CellContent(TONE, CLASH, 0.9, 0.5, children=(reply, venue)))[0]
    for s, (f, replies, venues) in enumerate(zip(TONES, (0.2, 0.7), (0.4, 0.5), strict=True)):
        total = 0.0
        for x, y, v in product(range(3), range(2), range(2)):
            chance = f[x] * told(CLASH, x, ALIKE) * (0.5 if x else 0.9)
            if x:
                chance *= (replies if y else 1 - replies) * told(reply.terms, y, HALF)
                chance *= (venues if v else 1 - venues) * (0.4 if v else 0.95)
            else:
                chance *= told(reply.terms, math.nan, HALF) * 0.95 / 4  # once, not for each y and v
            total += chance
        assert found[s] == pytest.approx(total)


def test_hundreds_of_reports_that_clash_neither_underflow_nor_tip():
    """Two hundred certain-but-for-a-hundredth reports on either side: what happened is as open as before."""
    terms = tuple(own(v, S) for v in (0, 1)) * 400
    found = m(CellContent(REPLY, terms))
    out = np.empty((1, 2))
    log_cells(LAYOUT.mean, np.arange(1), flatten([CellContent(REPLY, terms)]), LAYOUT.arrays, out)
    assert np.all(found == 0.0)
    assert out[0] == pytest.approx([400 * math.log(0.9 * 0.1)] * 2)


def test_certain_reports_that_clash_allow_nothing():
    q = question((0.6, 0.4), (Q.indicators[TONE], Q.indicators[RAIDS]), (source("s", 1.0, math.inf),), 20.0)
    layout = build_layout(q, Evidence())
    slot = layout.starts["reliability s"]
    contents = [CellContent(i, (own(1, slot), own(2, slot))) for i in range(2)]
    out = np.empty((2, 2))
    log_cells(layout.mean, np.arange(2), flatten(contents), layout.arrays, out)
    assert np.all(np.isneginf(out))


def test_far_numbers_keep_their_ratio():
    """Densities that underflow are still compared."""
    sure = (source("s", 1.0, math.inf),)
    layout = build_layout(question((0.6, 0.4), (Q.indicators[PRICE],), sure, 20.0), Evidence())
    cells = flatten(
        [CellContent(0, (own(90.0, layout.starts["reliability s"])._replace(log_noise=-math.inf),))]
    )
    out = np.empty((1, 2))
    log_cells(layout.mean, np.arange(1), cells, layout.arrays, out)
    assert out[0] == pytest.approx([scipy.stats.norm(m, sd).logpdf(90.0) for m, sd in ((1, 0.5), (2, 0.8))])
