"""The likelihood of a cell against sums written out by hand."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import scipy.stats

from forecast.case.evidence import Evidence
from forecast.model.cells import CellContent, ReportTerm, flatten
from forecast.model.likelihood import log_cells
from forecast.model.parameters import build_layout
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


def own(y: float, slot: int, u: float, c: float = 1.0) -> ReportTerm:
    return ReportTerm(0.0, u, c, c, y, slot)


def repeat(y: float, slot: int, u: float, keep: float, b: float) -> ReportTerm:
    return ReportTerm(keep, b * u, b, 1.0, y, slot)


def told(statements: tuple[ReportTerm, ...], x: float) -> float:
    """prod_j P(y_j | x) = keep + noise (1 - c r) + told r 1[y = x]."""
    chances = [
        s.keep
        + s.noise * (1 - s.credibility * RELIABILITY[s.slot])
        + s.truth * RELIABILITY[s.slot] * (s.value == x)
        for s in statements
    ]
    return math.prod(chances)


CLASH = (own(2, S, 1 / 3), own(1, Z, 1 / 3, 0.7), repeat(2, Z, 1 / 3, 0.7, 0.3))


def test_one_report_of_a_category():
    """r f(y | s) + (1 - r) / 3."""
    assert m(CellContent(TONE, CLASH[:1]))[0] == pytest.approx([0.8 * 0.2 + 0.2 / 3, 0.8 * 0.6 + 0.2 / 3])


def test_reports_and_silence_of_a_category():
    found = m(CellContent(TONE, CLASH), CellContent(TONE, CLASH, 0.95, 0.3), CellContent(TONE, (), 0.95, 0.3))
    for row, (statements, quiet, active) in zip(
        found, ((CLASH, 1, 1), (CLASH, 0.95, 0.3), ((), 0.95, 0.3)), strict=True
    ):
        expected = [
            sum(f[x] * (active if x else quiet) * told(statements, x) for x in range(3)) for f in TONES
        ]
        assert row == pytest.approx(expected)


def test_persistence():
    """The held value with chance .64, else a fresh draw."""
    for held in range(3):
        mixed = [[0.36 * f[x] + 0.64 * (x == held) for x in range(3)] for f in TONES]
        expected = [sum(f[x] * told(CLASH, x) for x in range(3)) for f in mixed]
        assert m(CellContent(TONE, CLASH, hold=0.64, held=held))[0] == pytest.approx(expected)


@pytest.mark.parametrize(("hold", "held"), [(0.0, 0), (0.64, 0), (0.64, 2)])
def test_cells_that_depend_on_one(hold, held):
    """Where the parent is quiet the children have no value: their reports are noise, all of them."""
    reply = CellContent(REPLY, (own(1, S, 0.5), own(0, Z, 0.5)), hold=0.5, held=1)
    venue = CellContent(VENUE, (), 0.95, 0.4)
    found = m(CellContent(TONE, CLASH, 0.9, 0.5, hold, held, (reply, venue)))[0]
    for s, (f, replies, venues) in enumerate(zip(TONES, (0.2, 0.7), (0.4, 0.5), strict=True)):
        total = 0.0
        for x, y, v in product(range(3), range(2), range(2)):
            chance = ((1 - hold) * f[x] + hold * (x == held)) * told(CLASH, x) * (0.5 if x else 0.9)
            if x:
                yes = 0.5 * replies + 0.5
                chance *= (yes if y else 1 - yes) * told(reply.terms, y)
                chance *= (venues if v else 1 - venues) * (0.4 if v else 0.95)
            else:
                chance *= told(reply.terms, math.nan) * 0.95 / 4  # once, not for each y and v
            total += chance
        assert found[s] == pytest.approx(total)


NUMBERS = {
    "poisson": (RAIDS, [scipy.stats.poisson(6.0), scipy.stats.poisson(2.0)]),
    "negative binomial": (CLASHES, [scipy.stats.nbinom(2.5, 2.5 / 8.5), scipy.stats.nbinom(2.5, 2.5 / 4.5)]),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_counts(name):
    """The sum over all counts to 300: two reports clash, one agrees with the first, one repeats it."""
    i, laws = NUMBERS[name]
    u = 0.07
    statements = (own(4, S, u), own(9, Z, u, 0.9), own(4, Z, u), repeat(4, S, u, 0.8, 0.2), own(0, S, u))
    for k in range(1, 6):
        expected = [sum(law.pmf(x) * told(statements[:k], x) for x in range(300)) for law in laws]
        assert m(CellContent(i, statements[:k]))[0] == pytest.approx(expected)


def test_a_measure():
    """r f + (1 - c r) u, and twice the same number, once repeated."""
    laws = [scipy.stats.norm(1.0, 0.5), scipy.stats.norm(2.0, 0.8)]
    u, f = 0.4, np.array([law.pdf(1.7) for law in laws])
    assert m(CellContent(PRICE, (own(1.7, S, u, 0.9),)))[0] == pytest.approx(0.72 * f + 0.28 * u)
    both = (own(1.7, S, u), repeat(1.7, Z, u, 0.6, 0.4))
    free = 0.2 * u * (0.6 + 0.4 * 0.4 * u)
    assert m(CellContent(PRICE, both))[0] == pytest.approx(free + f * (told(both, 1.7) - free))


def test_certain_reports_that_clash_allow_nothing():
    q = question((0.6, 0.4), (Q.indicators[TONE], Q.indicators[RAIDS]), (source("s", 1.0, math.inf),), 20.0)
    layout = build_layout(q, Evidence())
    slot = layout.starts["reliability s"]
    contents = [CellContent(i, (own(1, slot, 0.3), own(2, slot, 0.3))) for i in range(2)]
    out = np.empty((2, 2))
    log_cells(layout.mean, np.arange(2), flatten(contents), layout.arrays, out)
    assert np.all(np.isneginf(out))


def test_far_numbers_keep_their_ratio():
    """Densities that underflow are still compared."""
    sure = (source("s", 1.0, math.inf),)
    layout = build_layout(question((0.6, 0.4), (Q.indicators[PRICE],), sure, 20.0), Evidence())
    cells = flatten([CellContent(0, (own(90.0, layout.starts["reliability s"], 0.0),))])
    out = np.empty((1, 2))
    log_cells(layout.mean, np.arange(1), cells, layout.arrays, out)
    assert out[0] == pytest.approx([scipy.stats.norm(m, sd).logpdf(90.0) for m, sd in ((1, 0.5), (2, 0.8))])
