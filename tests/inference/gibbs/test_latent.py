"""What happened, drawn given theta, against distributions written out by hand.

Like cells are counted, not listed, so that one call draws many: 40,000 in each test. Every comparison
allows 5 standard errors; some 60 are made, all of which hold by chance but for a probability of 4e-5.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from forecast.case.evidence import Evidence
from forecast.inference.gibbs.latent import State, draw_hidden_values, draw_path, new_state
from forecast.model.cell_sequence import CellSequence
from forecast.model.cells import CellContent, ReportTerm, flatten
from forecast.model.hmm import empty_filtered, refresh
from forecast.model.parameters import build_layout
from tests.cases import category, count, question, source, swaps

N, Z = 40_000, 5.0
TONES = ((0.5, 0.3, 0.2), (0.1, 0.3, 0.6))
Q = question(
    (0.6, 0.4),
    (
        category("tone", ("cold", "cool", "warm"), TONES, 20.0),
        category("reply", ("no", "yes"), ((0.8, 0.2), (0.3, 0.7)), 20.0, given="tone"),
        count("raids", (6.0, 2.0), 4.0),
    ),
    (source("s", 0.8, 20.0), source("z", 0.6, 20.0)),
    20.0,
    dynamics=swaps(True),
)
LAYOUT = build_layout(Q, Evidence())
S, Z_ = LAYOUT.starts["reliability s"], LAYOUT.starts["reliability z"]
R = {S: 0.8, Z_: 0.6}
Counts = dict[int, float]
#: Chance, slots of what was drawn fresh, reports and what they speak about.
Case = tuple[float, tuple[int, ...], list[tuple[ReportTerm, float]]]


def own(y: float, slot: int, u: float, c: float = 1.0) -> ReportTerm:
    return ReportTerm(0.0, u, c, c, y, slot)


def repeat(y: float, slot: int, u: float, keep: float, b: float, c: float = 1.0) -> ReportTerm:
    return ReportTerm(keep, b * u, b * c, c, y, slot)


def drawn(content: CellContent, s: int, power: float, n: int = N) -> State:
    """The sums of n like cells in scenario s."""
    one = np.zeros(1, np.int64)
    sequence = CellSequence(one, np.array([[0, 1]]), one, np.array([power]))
    state = new_state(
        sequence, flatten([content]), LAYOUT.arrays, np.random.default_rng(8), np.zeros((3, 2), np.int64)
    )
    state.theta[:] = LAYOUT.mean
    state.number[0, s] = n
    draw_hidden_values(state)
    return state


def ways(statement: ReportTerm, x: float) -> list[tuple[float, int | None, int | None]]:
    """How a report can have come about where x happened: chance, reliable source, unreliable source."""
    slot, c, r = statement.slot, statement.credibility, R[statement.slot]
    return [
        (statement.keep, None, None),
        (statement.truth * r * (statement.value == x), slot, None),
        (statement.noise * r * (1 - c), slot, None),
        (statement.noise * (1 - r), None, slot),
    ]


def expected(cases: list[Case]) -> tuple[Counts, Counts, float]:
    """Posterior means of the counts for and against, slot by slot, and the cell's likelihood."""
    up: Counts = dict.fromkeys(range(LAYOUT.size), 0.0)
    down, total = up.copy(), 0.0
    for chance, fresh, told in cases:
        for each in product(*(ways(statement, x) for statement, x in told)):
            weight = chance * math.prod(way[0] for way in each)
            total += weight
            for slot in (*fresh, *(way[1] for way in each if way[1] is not None)):
                up[slot] += weight
            for slot in (way[2] for way in each if way[2] is not None):
                down[slot] += weight
    return {k: v / total for k, v in up.items()}, {k: v / total for k, v in down.items()}, total


def assert_means(found: NDArray[np.float64], means: Counts, power: float, most: int = 3) -> None:
    """Sums of n draws, each in 0..most."""
    for slot, mean in means.items():
        error = Z * math.sqrt(max(mean * (most - mean), 0.0) / N) + 1e-9
        assert abs(found[slot] / (N * power) - mean) <= error, f"slot {slot}"


CLASH = (own(2, S, 1 / 3), own(1, Z_, 1 / 3, 0.7), repeat(2, Z_, 1 / 3, 0.7, 0.3, 0.9), own(2, S, 1 / 3))


@pytest.mark.parametrize("power", [1.0, 0.4])
@pytest.mark.parametrize(("hold", "held"), [(0.0, 0), (0.6, 2)])
def test_a_category(hold, held, power):
    """Value, held or fresh, and how each report came about; silence too."""
    start = LAYOUT.starts["likelihood tone beta"]
    cases: list[Case] = []
    for x, f in enumerate(TONES[1]):
        silence, told = 0.3 if x else 0.95, [(one, float(x)) for one in CLASH]
        cases.append(((1 - hold) * f * silence, (start + x,), told))
        cases.append((hold * (x == held) * silence, (), told))
    plus, minus, _ = expected(cases)
    state = drawn(CellContent(0, CLASH, 0.95, 0.3, hold, held), 1, power)
    assert_means(state.plus, plus, power)
    assert_means(state.minus, minus, power)
    if power != 1.0:  # the rest of the weight is for the acceptance ratio
        fresh = {x: plus[start + x] for x in range(3)}
        assert_means(state.fresh[0, 1], fresh, 1 - power)
        assert state.up[:, 1].sum() == pytest.approx((state.plus[S] + state.plus[Z_]) * (1 - power) / power)


def test_a_cell_that_depends_on_another():
    """Where the parent is quiet the child has no value, and nothing was told of it."""
    tone, reply = LAYOUT.starts["likelihood tone alpha"], LAYOUT.starts["likelihood reply alpha"]
    child = (own(1, S, 0.5), own(0, Z_, 0.5, 0.7))
    state = drawn(CellContent(0, CLASH[:2], children=(CellContent(1, child, 0.9, 0.4),)), 0, 1.0)
    quiet = [(one, 0.0) for one in CLASH[:2]] + [(one, math.nan) for one in child]
    cases: list[Case] = [(TONES[0][0] * 0.9, (tone,), quiet)]
    for x, (y, g) in product((1, 2), enumerate((0.8, 0.2))):
        told = [(one, float(x)) for one in CLASH[:2]] + [(one, float(y)) for one in child]
        cases.append((TONES[0][x] * g * (0.4 if y else 0.9), (tone + x, reply + y), told))
    plus, minus, _ = expected(cases)
    assert_means(state.plus, plus, 1.0)
    assert_means(state.minus, minus, 1.0)


@pytest.mark.parametrize("power", [1.0, 0.4])
def test_a_count(power):
    """Which of the reported numbers was told, if any; the sums are of values and of how many."""
    u, mean = 0.08, 6.0
    statements = (own(4, S, u), own(9, Z_, u, 0.9), own(4, Z_, u), repeat(4, S, u, 0.8, 0.2))
    f = {y: math.exp(y * math.log(mean) - mean - math.lgamma(y + 1)) for y in (4, 9)}
    start = LAYOUT.starts["likelihood raids alpha"]
    values = ((4.0, f[4]), (9.0, f[9]), (math.nan, 1 - f[4] - f[9]))
    up, down, total = expected([(chance, (), [(one, x) for one in statements]) for x, chance in values])
    told = {}
    for y in (4.0, 9.0):
        some, none = (expected([(1.0, (), [(one, x) for one in statements])])[2] for x in (y, math.nan))
        told[y] = f[int(y)] * (some - none) / total
    state = drawn(CellContent(2, statements), 0, power)
    reliable = {slot: up[slot] for slot in (S, Z_)}
    assert_means(state.plus, reliable, power, 4)
    assert_means(state.minus, {slot: down[slot] for slot in (S, Z_)} | {start: sum(told.values())}, power, 4)
    error = Z * math.sqrt((16 * told[4.0] + 81 * told[9.0]) / N)
    assert abs(state.plus[start] / (N * power) - 4 * told[4.0] - 9 * told[9.0]) < error


def test_paths():
    """20,000 paths of two scenarios over three periods: chi-square below its 1 - 1e-6 quantile."""
    contents = [CellContent(0, (own(y, S, 1 / 3),)) for y in range(3)]
    kinds = np.arange(3)
    sequence = CellSequence(kinds, np.array([[0, 1, 2, 3]]), kinds, np.ones(3))
    theta, cells = LAYOUT.mean[None].copy(), flatten(contents)
    filtered = empty_filtered(1, 1, 3, 2)
    refresh(theta, sequence, cells, LAYOUT.arrays, filtered)
    rng, seen = np.random.default_rng(2), Counter[tuple[int, ...]]()
    state = new_state(sequence, cells, LAYOUT.arrays, rng, np.zeros((3, 2), np.int64))
    for _ in range(20_000):
        for array in (state.number, state.moves, state.plus):
            array[:] = 0
        last = int(rng.random() < filtered.alpha[0, 0, 2, 1])
        draw_path(0, last, filtered, state)
        path = tuple(int(s) for s in state.number.argmax(axis=1))
        assert path[-1] == last
        assert state.plus[path[0]] == 1
        assert state.moves[path[0], path[1]] >= 1
        assert state.moves.sum() == 2
        seen[path] += 1
    step, prior = np.array([[0.8, 0.2], [0.3, 0.7]]), (0.6, 0.4)
    chance = {}
    for path in product(range(2), repeat=3):
        weight = prior[path[0]] * step[path[0], path[1]] * step[path[1], path[2]]
        chance[path] = weight * math.prod(0.8 * TONES[s][y] + 0.2 / 3 for y, s in enumerate(path))
    total = sum(chance.values())
    off = sum((seen[p] - 20_000 * c / total) ** 2 / (20_000 * c / total) for p, c in chance.items())
    assert off < 40.5
