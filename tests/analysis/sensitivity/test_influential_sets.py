"""Forecasts without sets of reports against the whole model run again, and the fewest that matter."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from forecast.analysis.plug_in import plug_in_model
from forecast.analysis.sensitivity.influential_sets import Removals, SmallestSet, smallest_set
from forecast.case.edit import altered, without_reports
from forecast.case.evidence import Evidence
from forecast.case.folder import Case
from tests.cases import CASES, FILED_CASES, Small, binary, day, question, report, small, source
from tests.oracles import enumerate_posterior, mean_theta

WITH_REPORTS = [name for name in (*CASES, *FILED_CASES) if name != "nothing_heard"]


def without(case: Small, ids: tuple[str, ...]) -> Evidence:
    """Leave reports out as `forecast whatif --drop` does."""
    if case == small("one_source_twice", False):  # which states two values without `replaces`
        return without_reports(case.question, case.evidence, ids)
    one = Case("case", Path("nowhere"), case.question, case.evidence, "digest")
    return altered(one, drop=ids).evidence if ids else case.evidence


@pytest.mark.parametrize("name", WITH_REPORTS)
def test_any_set_is_left_out_as_whatif_does(name: str):
    """All sets of up to 6 reports; of more, 60 at random (seed 3), the empty and the full set among them.

    A case with a log that no file could hold is left out by the function alone.
    """
    case = small(name, False)
    for u, unit in enumerate(case.question.units or ("",)):
        removals = Removals(plug_in_model(case.question, case.evidence, case.as_of), case.evidence, u)
        ids = [r.id for r in case.evidence.known(case.as_of) if r.unit == unit]
        assert [r.id for r in removals.reports] == ids
        rng = np.random.default_rng(3)
        masks = np.arange(2 ** len(ids)) if len(ids) <= 6 else rng.integers(0, 2 ** len(ids), 60)
        masks[0], masks[-1] = 0, 2 ** len(ids) - 1
        sets = [tuple(id for n, id in enumerate(ids) if mask >> n & 1) for mask in masks.tolist()]
        found = removals.horizon(sets)
        for ids_left_out, p in zip(sets, found, strict=True):
            less = plug_in_model(case.question, without(case, ids_left_out), case.as_of)
            np.testing.assert_allclose(p, less.chances.horizon[u], atol=1e-12, err_msg=str(ids_left_out))


@pytest.mark.parametrize(
    "name",
    [
        "repeat_of_withdrawn",
        "grouped",
        "capped",
        "persistent_silence",
        "given_pair",
        "events_filed",
        "filed_states",
    ],
)
def test_single_reports_against_the_sum_over_all_paths(name: str):
    case = small(name, False)
    removals = Removals(plug_in_model(case.question, case.evidence, case.as_of), case.evidence, 0)
    ids = [r.id for r in removals.reports]
    for id, p in zip(ids, removals.horizon([(id,) for id in ids]), strict=True):
        left = without(case, (id,))
        theta = mean_theta(case.question, left)
        static = case.question.dynamics is None
        expected = enumerate_posterior(case.question, left, case.as_of, theta, ahead=not static)
        np.testing.assert_allclose(p, expected["now" if static else "horizon"], atol=1e-10)


FEW = ["yes_no", "three_values", "agreeing_and_clashing", "graded", "one_testimony", "repeated", "persistent",
       "one_source_twice", "grouped", "capped", "silence", "given_pair", "at_the_horizon",
       "repeat_before_original", "daily", "expert_ratio", "measured"]  # fmt: skip


def flipping(case: Small) -> dict[int, list[tuple[str, ...]]]:
    """Return every set, by size, without which the sum over all paths has another leader."""
    ids = [r.id for r in case.evidence.known(case.as_of)]
    static = case.question.dynamics is None

    def lead(dropped: tuple[str, ...]) -> int:
        left = without(case, dropped)
        theta = mean_theta(case.question, left)
        found = enumerate_posterior(case.question, left, case.as_of, theta, ahead=not static)
        return int(found["now" if static else "horizon"].argmax())

    first = lead(())
    sizes = range(1, len(ids) + 1)
    return {n: [some for some in combinations(ids, n) if lead(some) != first] for n in sizes}


def search(case: Small, **options: object) -> SmallestSet:
    removals = Removals(plug_in_model(case.question, case.evidence, case.as_of), case.evidence, 0)
    lead = int(plug_in_model(case.question, case.evidence, case.as_of).chances.horizon[0].argmax())
    return smallest_set(case.question, removals, lead, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", FEW)
def test_the_set_is_the_smallest_of_all(name: str):
    case = small(name, False)
    every = flipping(case)
    found = search(case)
    fewest = next((n for n, sets in every.items() if sets), None)
    assert found.smallest
    if fewest is None:
        assert found.reports == ()
        assert found.searched == len(every)
        return
    assert found.reports in every[fewest]
    assert (found.searched, found.others) == (fewest - 1, len(every[fewest]) - 1)


def test_the_cases_above_have_sets_of_several_sizes_and_none():
    sizes = {len(search(small(name, False)).reports) for name in FEW}
    assert sizes >= {0, 1, 2}


@pytest.mark.parametrize("name", FEW)
def test_greedy_is_an_upper_limit_with_nothing_to_spare(name: str):
    case = small(name, False)
    every = flipping(case)
    found = search(case, limit=0)
    assert found.searched == 0
    if found.reports:
        assert found.reports in every[len(found.reports)]
        for one in found.reports:
            rest = tuple(id for id in found.reports if id != one)
            assert not rest or rest not in every[len(rest)]
        assert found.smallest == (len(found.reports) == 1)
    else:
        left = plug_in_model(case.question, without(case, found.nearest), case.as_of).chances
        np.testing.assert_allclose(found.horizon, left.horizon[0], atol=1e-12)
        assert not found.smallest


def many(number: int) -> Small:
    """A leader that so many equal reports, of weeks of their own, hold up together."""
    q = question((0.3, 0.7), (binary("raid", (0.6, 0.5), 20.0),), (source("s", 0.9, 20.0),), 20.0, weeks=30)
    log = tuple(report(f"r{n}", 7 * n, "raid", "yes") for n in range(number))
    return Small(q, Evidence(log), day(7 * number))


def test_greedy_takes_as_many_equal_reports_as_are_needed():
    """Each report multiplies the odds by m(alpha) / m(beta) = .59 / .5; 3 / 7 of them are to be reached."""
    case, ratio = many(12), (0.9 * 0.6 + 0.05) / (0.9 * 0.5 + 0.05)
    needed = int(np.log(7 / 3) / np.log(ratio)) + 1  # reports with which alpha leads
    expected = 12 - needed + 1
    assert plug_in_model(case.question, case.evidence, case.as_of).chances.horizon[0].argmax() == 0
    exact, greedy = search(case), search(case, limit=100)
    assert len(exact.reports) == len(greedy.reports) == expected
    assert (exact.smallest, greedy.smallest) == (True, False)
    assert greedy.searched == 2  # 12 + 66 sets


def test_a_cell_is_taken_away_whole_where_each_report_alone_is_backed_by_the_others():
    """Five agreeing reports of one cell: without one of them nothing changes, without all it does."""
    raid = binary("raid", (0.9, 0.1), 20.0)
    sources = tuple(source(name, 0.95, 20.0) for name in "vwxyz")
    q = question((0.4, 0.6), (raid,), sources, 20.0)
    case = Small(q, Evidence(tuple(report(n, 1, "raid", "yes", n) for n in "vwxyz")), day(6))
    assert search(case, limit=0).reports == tuple("vwxyz")


def test_sets_that_leave_a_log_that_cannot_be_read_do_not_count():
    case = small("agreeing_and_clashing", False)
    best = search(case)
    assert best.reports

    def allowed(ids: Sequence[str]) -> bool:
        return set(ids) != set(best.reports)

    other = search(case, allowed=allowed)
    assert other.reports != best.reports
    assert other.others == best.others - 1 or len(other.reports) > len(best.reports)


def test_nothing_to_take_away():
    case = small("nothing_heard", False)
    found = search(case)
    assert (found.reports, found.nearest, found.smallest, found.searched) == ((), (), True, 0)
