"""Replicates against enumeration: everything that could be stated, with its chance by the oracle of cells.

The oracle writes other values into the log and works out the likelihood of every cell; nothing of the code
that draws is used. Where a child was reported on, the chance that there are reports at all is a factor of it.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest, norm

from forecast.case.evidence import Evidence
from forecast.inference.predictive.design import EvidenceDesign, PlacedCell, cell_and_children
from forecast.inference.predictive.replicates import NOTHING, Batch, DrawnCell, most_likely, replicate
from forecast.model.cells import most_likely as most_likely_of_one
from forecast.model.cells import report_term
from forecast.model.problem import Problem, build_problem
from tests.cases import Small, category, count, day, measure, question, report, small, source
from tests.inference.predictive.base import Silent, all_that_could_be_stated, dictionary, restated, silence

N = 40_000


def theta_of(problem: Problem, seed: int) -> np.ndarray:
    """Return one draw of theta from the prior."""
    rng = np.random.default_rng(seed)
    return np.concatenate([block.draw(rng, 1)[0] for block in problem.layout.blocks])


def path_of(problem: Problem) -> np.ndarray:
    """Return a path that visits every scenario, (U, T)."""
    periods = problem.steps[-1].periods
    return (np.arange(problem.units)[:, None] + np.arange(periods)) % problem.layout.scenarios


def drawn(problem: Problem, theta: np.ndarray, cells: list[PlacedCell], seed: int, n: int = N) -> list[Batch]:
    """Return replicates of cells at one theta and path."""
    path = np.broadcast_to(path_of(problem), (n, *path_of(problem).shape))
    rng = np.random.default_rng(seed)
    return list(replicate(cells, problem.layout, np.repeat(theta[None], n, axis=0), path, rng))


def cells_of(problem: Problem) -> list[PlacedCell]:
    return list(EvidenceDesign(problem).places(problem.steps[-1].sequence, problem.steps[-1].date))


def told(problem: Problem, found: list[Batch]) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Return the reports, what they say (N, reports), whether all silence held, and the weights (N,)."""
    designer, day_ = EvidenceDesign(problem), problem.steps[-1].date
    names, columns, quiet, weight = list[str](), list[np.ndarray](), np.ones(N, bool), np.ones(N)
    for batch in found:
        for g, place in enumerate(batch.places):
            weight *= batch.exists[:, g]
            each = (batch.drawn, *batch.drawn.children)
            for cell, what in zip(cell_and_children(place.design), each, strict=True):
                live = designer.live(place.unit, place.period, cell, day_)
                names += [r.id for r in live]
                columns += [y[:, g] for y in what.stated]
                quiet &= what.alarm is None or what.alarm[:, g] == 0
    return names, np.stack(columns, axis=1).astype(int), quiet, weight


WHOLE = ("persistent", "persistent_silence", "given_unmonitored", "graded", "one_testimony", "of_units")
REPEATS = ("repeat_before_original", "one_source_twice", "agreeing_and_clashing", "late_and_corrected")


@pytest.mark.parametrize("name", [*WHOLE, *REPEATS, "silence", "withdrawn", "pair"])
def test_everything_is_said_as_often_as_enumeration_has_it(name):
    """Of 40,000 replicates at one theta; each outcome within 5.5 standard errors.

    Seeds 1 and 2. About 2,000 outcomes are looked at, so a correct sampler fails with a chance below 1e-4.
    """
    case = OWN[name]() if name in OWN else small(name, False)
    problem = build_problem(case.question, case.evidence, case.as_of)
    theta = theta_of(problem, 1)
    as_oracle = dictionary(problem.layout, theta)
    names, values, quiet, weight = told(problem, drawn(problem, theta, cells_of(problem), 2))
    reports = [next(r for r in case.evidence.reports if r.id == id) for id in names]
    still = silence(case.question, case.evidence, case.as_of, as_oracle)
    path, units = path_of(problem), case.question.units or ("",)
    index = {i.id: i.values for i in case.question.indicators}
    found: Counter[tuple[int, ...]] = Counter()
    for row, w in zip(values[quiet].tolist(), weight[quiet], strict=True):
        found[tuple(row)] += w
    rare, total = np.zeros(2), 0.0
    for stated in all_that_could_be_stated(case.question, reports):
        log = restated(case.evidence, reports, stated)
        cells = Silent(case.question, log, case.as_of, as_oracle, still)
        p = math.prod(
            cells.compound(key, path[units.index(key[0]), key[1]], as_oracle) for key in cells.heads()
        )
        total += p
        share = found[tuple(index[r.indicator].index(v) for r, v in zip(reports, stated, strict=True))] / N
        if p * N < 20:
            rare += p, share
        else:
            assert abs(share - p) < 5.5 * math.sqrt(p * (1 - p) / N), (stated, p, share)
    assert abs(rare[1] - rare[0]) < 5.5 * math.sqrt(max(rare[0], 20 / N) / N)
    assert sum(found.values()) / N == pytest.approx(total, abs=5.5 * math.sqrt(0.25 / N))
    if not still and not any(i.given for i in case.question.indicators):
        assert total == pytest.approx(1.0)


def withdrawn() -> Small:
    """A repeat of a withdrawn report, a partial repeat, and a repeat of either of two."""
    q = question(
        (0.6, 0.4),
        (category("tone", ("cold", "cool", "warm"), ((0.7, 0.2, 0.1), (0.2, 0.3, 0.5)), 8.0),),
        (source("s", 0.8, 8.0), source("z", 0.6, 8.0), source("y", 0.5, 8.0)),
        8.0,
    )
    log = (
        report("r1", 1, "tone", "warm"),
        report("r2", 2, "tone", "warm", "z", repeats=("r1",), independence=0.3),
        report("r3", 8, "tone", "warm"),
        report("r4", 9, "tone", "cool", "z", repeats=("r3",), independence=0.4, credibility="2"),
        report("r5", 9, "tone", "cool", "y", repeats=("r4",)),
        replace(report("w1", 10), replaces="r1"),
    )
    return Small(q, Evidence(log), day(13))


def pair() -> Small:
    """A child that is watched and reported on, with and without its parent, and a repeat of it."""
    case = small("given_pair", False)
    log = tuple(r for r in case.evidence.reports if r.id in ("r1", "r2", "r7", "r8"))
    again = report("r9", 30, "answer", "refused", "z", repeats=("r8",), independence=0.5)
    return replace(case, evidence=Evidence((*log, again)))


OWN = {"withdrawn": withdrawn, "pair": pair}


# --- what is given of a cell -------------------------------------------------------------------------------


def with_given(cells: list[PlacedCell], given: set[str], problem: Problem) -> list[PlacedCell]:
    """Return cells in which some reports, and all silence, are given."""
    designer, on, found = EvidenceDesign(problem), problem.steps[-1].date, []
    for place in cells:
        rows = []
        for cell, stated in zip(cell_and_children(place.design), place.stated, strict=True):
            live = designer.live(place.unit, place.period, cell, on)
            designs = tuple(
                design._replace(given=y if r.id in given else None)
                for design, y, r in zip(cell.reports, stated, live, strict=True)
            )
            rows.append(cell._replace(reports=designs, silent=cell.monitoring is not None, children=()))
        found.append(place._replace(design=rows[0]._replace(children=tuple(rows[1:]))))
    return found


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("agreeing_and_clashing", {"r1", "r3", "r6"}),
        ("one_testimony", {"r1", "r4", "r5"}),
        ("pair", {"r1", "r8"}),
        ("given_unmonitored", {"r1", "r2", "r3", "r4"}),
        ("persistent", {"r1", "r2", "r3", "r4"}),
        ("silence", {"r1"}),
    ],
)
def test_what_is_given_conditions_what_is_drawn(name, given):
    """p(new | given) times p(there are reports | given), seed 4, by enumeration; 5.5 standard errors.

    A correct sampler fails with a chance below 1e-5.
    """
    case = OWN[name]() if name in OWN else small(name, False)
    problem = build_problem(case.question, case.evidence, case.as_of)
    theta = theta_of(problem, 3)
    as_oracle = dictionary(problem.layout, theta)
    found = drawn(problem, theta, with_given(cells_of(problem), given, problem), 4)
    names, values, quiet, weight = told(problem, found)
    assert quiet.all()
    reports = [next(r for r in case.evidence.reports if r.id == id) for id in names]
    new = [n for n, r in enumerate(reports) if r.id not in given]
    still = silence(case.question, case.evidence, case.as_of, as_oracle)
    index = {i.id: i.values for i in case.question.indicators}
    path = path_of(problem)[0]

    def likelihood(log: Evidence) -> float:
        cells = Silent(case.question, log, case.as_of, as_oracle, still)
        return math.prod(cells.compound(key, path[key[1]], as_oracle) for key in cells.heads())

    before = likelihood(Evidence(tuple(r for r in case.evidence.reports if r.id in given or not r.indicator)))
    for n, r in enumerate(reports):
        if r.id in given:
            assert (values[:, n] == index[r.indicator].index(str(r.value))).all()
    told_new = [reports[n] for n in new]
    for stated in all_that_could_be_stated(case.question, told_new):
        p = likelihood(restated(case.evidence, told_new, stated)) / before
        codes = [index[r.indicator].index(v) for r, v in zip(told_new, stated, strict=True)]
        share = float(weight[(values[:, new] == codes).all(axis=1)].sum() / N)
        assert abs(share - p) < 5.5 * math.sqrt(max(p * (1 - p), 1 / N) / N), (stated, p, share)


# --- numbers -----------------------------------------------------------------------------------------------


def clashes(dispersion: float | None) -> Small:
    q = question(
        (0.6, 0.4),
        (count("clashes", (6.0, 2.0), 3.0, dispersion=dispersion),),
        (source("s", 0.8, 8.0), source("z", 0.6, 8.0)),
        8.0,
    )
    log = (report("r1", 1, "clashes", 3), report("r2", 2, "clashes", 5, "z"))
    return Small(q, Evidence(log), day(6))


@pytest.mark.parametrize("dispersion", [None, 2.0])
@pytest.mark.parametrize("given", [set(), {"r1"}])
def test_a_count_is_said_as_often_as_it_should_be(dispersion, given):
    """Each pair of counts from 0 to 12, 5.5 standard errors, seeds 5 and 6: chance of failure below 1e-4."""
    case = clashes(dispersion)
    problem = build_problem(case.question, case.evidence, case.as_of)
    theta = theta_of(problem, 5)
    as_oracle = dictionary(problem.layout, theta)
    (batch,) = drawn(problem, theta, with_given(cells_of(problem), given, problem), 6)
    stated = np.stack([y[:, 0] for y in batch.drawn.stated])

    def likelihood(log: Evidence) -> float:
        cells = Silent(case.question, log, case.as_of, as_oracle, set())
        return float(cells.single(("", 0, "clashes"), 0, as_oracle))

    before = likelihood(Evidence(case.evidence.reports[:1])) if given else 1.0
    for one in (3,) if given else range(13):
        for two in range(13):
            p = likelihood(restated(case.evidence, list(case.evidence.reports), (one, two))) / before
            share = float((stated == [[one], [two]]).all(axis=0).mean())
            assert abs(share - p) < 5.5 * math.sqrt(max(p * (1 - p), 1 / N) / N)


def test_a_measure_is_told_or_noise():
    """Kolmogorov and Smirnov against r F + (1 - r) U, seeds 7 and 8; a correct sampler fails once in 1e5."""
    q = question((0.6, 0.4), (measure("price", (1.0, 2.0), (0.4, 0.6), 3.0),), (source("s", 0.7, 8.0),), 8.0)
    problem = build_problem(q, Evidence((report("r1", 1, "price", 1.3, credibility="2"),)), day(6))
    theta = theta_of(problem, 7)
    (batch,) = drawn(problem, theta, cells_of(problem), 8)
    at = dictionary(problem.layout, theta)
    r = 0.9 * at["reliability"]["s"]

    def cdf(y: np.ndarray) -> np.ndarray:
        noise = 0.5 * (norm.cdf(y, 1.0, 0.4) + norm.cdf(y, 2.0, 0.6))
        return r * norm.cdf(y, at["likelihood"]["price"][0], 0.4) + (1 - r) * noise

    assert kstest(batch.drawn.stated[0][:, 0], cdf).pvalue > 1e-5


# --- the rule by which a cell has one value ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["persistent", "repeated", "silence", "withdrawn", "given_pair"])
def test_the_most_likely_value_is_that_of_the_model(name):
    """For replicated reports as for those of the log, where the model has a rule of its own: seed 9."""
    case = OWN[name]() if name in OWN else small(name, False)
    problem = build_problem(case.question, case.evidence, case.as_of)
    for batch in drawn(problem, theta_of(problem, 9), cells_of(problem), 10, n=50):
        each = (batch.drawn, *batch.drawn.children)
        for cell, what in zip(cell_and_children(batch.places[0].design), each, strict=True):
            size = len(case.question.indicators[cell.indicator].values)
            found = most_likely(cell, what, problem.layout)
            for n, g in np.ndindex(what.value.shape):
                stated = tuple(float(y[n, g]) for y in what.stated)
                statements = tuple(
                    report_term(design, stated, y, problem.layout, cell.indicator)
                    for design, y in zip(cell.reports, stated, strict=True)
                )
                detection, false_alarm = cell.monitoring or (0.0, 0.0)
                if what.alarm is None or what.alarm[n, g] == 0:
                    factors = 1 - false_alarm, 1 - detection
                    assert found[n, g] == most_likely_of_one(statements, size, factors, problem.layout.mean)


def test_an_alarm_says_what_happened_or_anything():
    """Detection .6, false alarm .1; a false alarm states any value but the quiet one. Seed 11, 6 errors."""
    case = small("silence", False)
    problem = build_problem(case.question, Evidence(()), day(22))
    found = drawn(problem, theta_of(problem, 11), cells_of(problem), 12)
    happened = np.concatenate([b.drawn.value.ravel() for b in found])
    alarm = np.concatenate([b.drawn.alarm.ravel() for b in found if b.drawn.alarm is not None])
    for value, chances in enumerate([(0.9, 0.05, 0.05), (0.4, 0.6, 0.0), (0.4, 0.0, 0.6)]):
        heard = alarm[happened == value]
        for stated, p in enumerate(chances):
            assert abs((heard == stated).mean() - p) <= 6 * math.sqrt(p * (1 - p) / len(heard))
    (cell,) = {place.design for place in cells_of(problem)}
    shape = (3, 1)
    drawn_alarm = DrawnCell(np.zeros(shape), (), np.array([[0], [1], [2]]))
    assert most_likely(cell, drawn_alarm, problem.layout)[:, 0].tolist() == [0, 1, 2]


def test_where_the_parent_is_quiet_there_is_nothing_to_tell():
    case = pair()
    problem = build_problem(case.question, case.evidence, case.as_of)
    for batch in drawn(problem, theta_of(problem, 13), cells_of(problem), 14, n=500):
        for child in batch.drawn.children:
            assert ((child.value == NOTHING) == (batch.drawn.value == 0)).all()
