"""What happened, drawn given theta, against distributions written out by hand.

Like cells are counted, not listed, so that one call draws many: 40,000 in each test. Every comparison
allows 5 standard errors; some 60 are made, all of which hold by chance but for a probability of 4e-5.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from forecast.case.evidence import Evidence
from forecast.case.question import Reporting
from forecast.inference.gibbs.latent import draw_hidden_values, draw_path
from forecast.inference.gibbs.state import State, new_state
from forecast.model.cell_sequence import CellSequence
from forecast.model.cells import CellContent, flatten
from forecast.model.hmm import filter_particles
from forecast.model.parameters import build_layout
from forecast.model.report_terms import ReportTerm
from tests.cases import category, count, question, source, swaps

N, Z = 40_000, 5.0
TONES = ((0.5, 0.3, 0.2), (0.1, 0.3, 0.6))
NU, R_MEAN = 0.3, 0.7
FILED = {"event": 0.7, "quiet": 0.2, "again": 0.4}
Q = question(
    (0.6, 0.4),
    (
        category("tone", ("cold", "cool", "warm"), TONES, 20.0, reporting=Reporting(), quiet="cold"),
        category("reply", ("no", "yes"), ((0.8, 0.2), (0.3, 0.7)), 20.0, given="tone"),
        count("raids", (6.0, 2.0), 4.0),
        category("state", ("no", "yes"), ((0.7, 0.3), (0.2, 0.8)), 20.0, persistence=0.6),
    ),
    (source("s", 0.8, 20.0), source("z", 0.6, 20.0)),
    20.0,
    dynamics=swaps(True),
)
LAYOUT = build_layout(Q, Evidence())
S, Z_, NOISE = (LAYOUT.starts[name] for name in ("reliability s", "reliability z", "noise"))
EVENT, QUIET = (LAYOUT.starts[f"filed {kind} tone"] for kind in ("event", "quiet"))
R = {S: 0.8, Z_: 0.6}
U = ((1 - NU, NU / 2, NU / 2), (0.5, 0.5))  # of the tone, whose noise is told from quiet, and of the reply
Counts = dict[int, float]
#: How something came about: its chance, the slots for which and against which it counts.
Way = tuple[float, tuple[int, ...], tuple[int, ...]]


def theta() -> NDArray[np.float64]:
    made = LAYOUT.mean.copy()
    made[NOISE], made[EVENT], made[QUIET] = NU, FILED["event"], FILED["quiet"]
    return made


def own(y: float, slot: int, c: float = 1.0) -> ReportTerm:
    return ReportTerm(0.0, 0.0, 1.0, c, y, slot)


def drawn(content: CellContent, s: int, power: float, n: int = N) -> State:
    """The sums of n like cells in scenario s."""
    one = np.zeros(1, np.int64)
    sequence = CellSequence(np.zeros(n, np.int64), np.array([[0, n]]), one, np.array([power]))
    rng, accepted = np.random.default_rng(8), np.zeros((4, 2), np.int64)
    state = new_state(sequence, flatten([content]), LAYOUT.arrays, rng, accepted)
    state.theta[:] = theta()
    state.path[:] = s
    state.number[0, s] = n
    draw_hidden_values(state)
    return state


def claims(y: int, parent: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The slots of the share of noise for which and against which a false claim counts."""
    if not parent:
        return (), ()
    return ((), (NOISE,)) if y == 0 else ((NOISE,), ())


def ways(term: ReportTerm, x: float, parent: bool = True) -> list[Way]:
    """How a report can have come about where x happened."""
    slot, c, r, y = term.slot, term.credibility, R[term.slot], int(term.value)
    u, (up, down) = U[0 if parent else 1][y], claims(y, parent)
    return [
        (term.passed, (), ()),
        (term.lost * u, up, down),
        (term.own * c * r * (y == x), (slot,), ()),
        (term.own * (1 - c) * r * u, (slot, *up), down),
        (term.own * (1 - r) * u, up, (slot, *down)),
    ]


def expected(cases: Sequence[Sequence[Sequence[Way]]]) -> tuple[Counts, Counts]:
    """Posterior means of the counts for and against, slot by slot; a case is a list of choices."""
    up: Counts = dict.fromkeys(range(LAYOUT.size), 0.0)
    down, total = up.copy(), 0.0
    for case in cases:
        for each in product(*case):
            weight = math.prod(way[0] for way in each)
            total += weight
            for slot in (slot for way in each for slot in way[1]):
                up[slot] += weight
            for slot in (slot for way in each for slot in way[2]):
                down[slot] += weight
    return {k: v / total for k, v in up.items()}, {k: v / total for k, v in down.items()}


def assert_means(found: NDArray[np.float64], means: Counts, power: float, most: int = 4) -> None:
    """Sums of n draws, each in 0..most."""
    for slot, mean in means.items():
        error = Z * math.sqrt(max(mean * (most - mean), 0.0) / N) + 1e-9
        assert abs(found[slot] / (N * power) - mean) <= error, f"slot {slot}"


LOST = ReportTerm(0.0, 0.6, 0.4, 1.0, 0, S)
CLASH = (own(2, S), own(1, Z_, 0.7), ReportTerm(0.7, 0.0, 0.3, 0.9, 2, Z_), LOST)


@pytest.mark.parametrize("power", [1.0, 0.4])
def test_a_category(power):
    """Value, monitoring, and how each report came about."""
    start = LAYOUT.starts["likelihood tone beta"]
    cases: list[list[list[Way]]] = []
    for x, f in enumerate(TONES[1]):
        happened = (f * (0.3 if x else 0.95), (start + x,), ())
        cases.append([[happened], *(ways(one, float(x)) for one in CLASH)])
    plus, minus = expected(cases)
    state = drawn(CellContent(0, CLASH, 0.95, 0.3), 1, power)
    assert_means(state.plus, plus, power)
    assert_means(state.minus, minus, power)
    if power != 1.0:  # the rest of the weight is for the acceptance ratio
        assert_means(state.rest[0], plus, 1 - power)
        assert_means(state.rest[1], minus, 1 - power)


def test_claims_that_were_filed_and_that_were_not():
    """The earliest claim counts for its chance; of a silent cell the would-be claim is drawn."""
    start = LAYOUT.starts["likelihood tone alpha"]
    filed = drawn(CellContent(0, CLASH[:1], filed=EVENT), 0, 1.0)
    assert filed.plus[EVENT] == N
    assert filed.minus[EVENT] == 0
    cases: list[list[list[Way]]] = []
    for x, f in enumerate(TONES[0]):
        unfiled: list[Way] = []
        for y in range(3):
            slot, d = (QUIET, FILED["quiet"]) if y == 0 else (EVENT, FILED["event"])
            up, down = claims(y, True)
            unfiled.append(((1 - R_MEAN) * U[0][y] * (1 - d), up, (slot, *down)))
            if y == x:
                unfiled.append((R_MEAN * (1 - d), (), (slot,)))
        cases.append([[(f, (start + x,), ())], unfiled])
    plus, minus = expected(cases)
    state = drawn(CellContent(0, silent=True), 0, 1.0)
    assert_means(state.plus, plus, 1.0)
    assert_means(state.minus, minus, 1.0)


def test_a_cell_that_depends_on_another():
    """Where the parent is quiet the child has no value, and nothing was told of it."""
    tone, reply = LAYOUT.starts["likelihood tone alpha"], LAYOUT.starts["likelihood reply alpha"]
    child = (own(1, S), own(0, Z_, 0.7))
    state = drawn(CellContent(0, CLASH[:2], children=(CellContent(1, child, 0.9, 0.4),)), 0, 1.0)
    quiet = [ways(one, 0.0) for one in CLASH[:2]] + [ways(one, math.nan, parent=False) for one in child]
    cases: list[list[list[Way]]] = [[[(TONES[0][0] * 0.9, (tone,), ())], *quiet]]
    for x, (y, g) in product((1, 2), enumerate((0.8, 0.2))):
        happened = (TONES[0][x] * g * (0.4 if y else 0.9), (tone + x, reply + y), ())
        told = [ways(one, float(x)) for one in CLASH[:2]]
        cases.append([[happened], *told, *(ways(one, float(y), parent=False) for one in child)])
    plus, minus = expected(cases)
    assert_means(state.plus, plus, 1.0)
    assert_means(state.minus, minus, 1.0)


def test_paths_and_a_state_that_persists():
    """20,000 paths and hidden values of two scenarios over three periods: chi-square below 1 - 1e-6."""
    said = (1, 0, 1)
    contents = [CellContent(3, (own(y, S),)) for y in (0, 1)]
    sequence = CellSequence(np.array(said), np.array([[0, 1, 2, 3]]), np.arange(2), np.ones(2))
    cells = flatten(contents)
    filtered = filter_particles(theta()[None], sequence, cells, LAYOUT.arrays)
    rng, seen, fresh = np.random.default_rng(2), Counter[tuple[int, ...]](), 0.0
    state = new_state(sequence, cells, LAYOUT.arrays, rng, np.zeros((4, 2), np.int64))
    state.theta[:] = theta()
    start = LAYOUT.starts["likelihood state alpha"]
    for _ in range(20_000):
        for array in (state.moves, state.plus, state.minus):
            array[:] = 0
        last = int(rng.random() < filtered.alpha[0, 0, 2, 1])
        draw_path(0, last, filtered, state)
        path = tuple(int(s) for s in state.path[0])
        assert path[-1] == last
        assert state.plus[path[0]] == 1
        assert state.moves.sum() == 2
        draw_hidden_values(state)
        assert state.counted.sum() == 3
        fresh += state.plus[start : start + 4].sum()
        seen[path] += 1
    step, prior, f = np.array([[0.8, 0.2], [0.3, 0.7]]), (0.6, 0.4), ((0.7, 0.3), (0.2, 0.8))
    chance, drawn_fresh = dict.fromkeys(product(range(2), repeat=3), 0.0), 0.0
    for path, values, anew in product(chance, product(range(2), repeat=3), product((True, False), repeat=2)):
        weight = prior[path[0]] * step[path[0], path[1]] * step[path[1], path[2]] * f[path[0]][values[0]]
        for t in (1, 2):
            stays = path[t] == path[t - 1]
            if anew[t - 1]:
                weight *= (0.4 if stays else 1.0) * f[path[t]][values[t]]
            else:
                weight *= 0.6 * stays * (values[t] == values[t - 1])
        weight *= math.prod(0.8 * (x == y) + 0.1 for x, y in zip(values, said, strict=True))
        chance[path] += weight
        drawn_fresh += weight * (1 + sum(anew))
    total = sum(chance.values())
    off = sum((seen[p] - 20_000 * c / total) ** 2 / (20_000 * c / total) for p, c in chance.items())
    assert off < 40.5
    assert abs(fresh / 20_000 - drawn_fresh / total) < Z / math.sqrt(20_000)
