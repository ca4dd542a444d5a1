"""The engine is calibrated: over worlds drawn from the model, what it says is as often true as it says.

All tests of a null hypothesis here, TESTS of them, share one false alarm in a thousand (Bonferroni): each is
made at ALARM / TESTS. Seeds are fixed, so that what passes once passes always. ``python -m
benchmarks.calibration`` does the same at length, and `docs/calibration.md` says what came out.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tests.calibration.engines import FAULTS, Fault, lean_smc
from tests.calibration.questions import JUDGED, QUESTIONS, as_of
from tests.calibration.ranks import Ranked, dates, labels, simulate_ranks, uniformity
from tests.calibration.scores import bins, spiegelhalter

SEED = 20141123
ENGINE = lean_smc(draws=200, chains=2)
NUMBER = {"static": 200, "moves": 150, "transition": 100}
BINS = 10

ALARM = 1e-3
RANKED = {name: labels(build(), JUDGED[name]) for name, build in QUESTIONS.items()}
TESTS = sum(map(len, RANKED.values())) + sum(len(dates(build())) for build in QUESTIONS.values()) + BINS

slow = pytest.mark.slow


@cache
def simulated(name: str) -> Ranked:
    question = QUESTIONS[name]()
    return simulate_ranks(
        ENGINE, question, judged=JUDGED[name], as_of=as_of(question), number=NUMBER[name], seed=SEED
    )


def found_out(fault: Fault, number: int) -> float:
    """Return the least p-value of uniformity, of an engine with a fault."""
    question = QUESTIONS[fault.question]()
    ranked = simulate_ranks(
        fault.engine(ENGINE),
        question,
        judged=JUDGED[fault.question],
        as_of=as_of(question),
        number=number,
        seed=SEED,
        world=fault.world(question),
    )
    return min(uniformity(ranks) for ranks in ranked.rank.values())


@slow
@pytest.mark.parametrize("name", QUESTIONS)
def test_the_rank_of_the_truth_is_uniform(name):
    ranked = simulated(name)
    assert list(ranked.rank) == RANKED[name]
    p_values = {label: uniformity(ranks) for label, ranks in ranked.rank.items()}
    assert {label: p for label, p in p_values.items() if p < ALARM / TESTS} == {}


@slow
@pytest.mark.parametrize("name", QUESTIONS)
def test_the_brier_score_is_what_it_should_be(name):
    ranked = simulated(name)
    for when, given in ranked.given.items():
        z, p = spiegelhalter(given, ranked.true[when])
        assert p > ALARM / TESTS, (when, z)


@slow
def test_of_what_was_given_twenty_to_thirty_percent_as_many_are_true():
    """All scenarios now, of all simulations of all questions, in ten bins."""
    pairs = [(ranked.given["now"], ranked.true["now"]) for ranked in map(simulated, QUESTIONS)]
    widest = max(given.shape[1] for given, _ in pairs)
    given = np.concatenate(
        [np.pad(p, ((0, 0), (0, widest - p.shape[1])), constant_values=-1) for p, _ in pairs]
    )
    table = bins(given, np.concatenate([true for _, true in pairs]), number=BINS)
    assert sum(row.number for row in table) == sum(p.size for p, _ in pairs)
    assert min(row.number for row in table) > 30
    assert {(row.low, row.given, row.observed) for row in table if row.p_value < ALARM / TESTS} == set()


@slow
@pytest.mark.parametrize("fault", FAULTS[:1], ids=lambda fault: fault.label)
def test_a_fault_is_found(fault):
    assert found_out(fault, 150) < ALARM / TESTS
