"""Forecasts without many sets of reports: piecewise, against the whole model run again and against paths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from forecast.analysis.plug_in import at_means
from forecast.analysis.sensitivity.influential_sets import Removals
from forecast.analysis.whatif import altered
from forecast.case.edit import without_reports
from forecast.case.evidence import Evidence
from forecast.case.folder import Case
from tests.cases import CASES, Small, small
from tests.oracles import enumerate_posterior, mean_theta

WITH_REPORTS = [name for name in CASES if name != "nothing_heard"]


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
        removals = Removals(case.question, case.evidence, case.as_of, u)
        ids = [r.id for r in case.evidence.known(case.as_of) if r.unit == unit]
        assert [r.id for r in removals.reports] == ids
        rng = np.random.default_rng(3)
        masks = np.arange(2 ** len(ids)) if len(ids) <= 6 else rng.integers(0, 2 ** len(ids), 60)
        masks[0], masks[-1] = 0, 2 ** len(ids) - 1
        sets = [tuple(id for n, id in enumerate(ids) if mask >> n & 1) for mask in masks.tolist()]
        found = removals.horizon(sets)
        for ids_left_out, p in zip(sets, found, strict=True):
            expected = at_means(case.question, without(case, ids_left_out), case.as_of).horizon[u]
            np.testing.assert_allclose(p, expected, atol=1e-12, err_msg=str(ids_left_out))


@pytest.mark.parametrize(
    "name", ["repeat_of_withdrawn", "grouped", "capped", "persistent_silence", "given_pair"]
)
def test_single_reports_against_the_sum_over_all_paths(name: str):
    case = small(name, False)
    removals = Removals(case.question, case.evidence, case.as_of, 0)
    ids = [r.id for r in removals.reports]
    for id, p in zip(ids, removals.horizon([(id,) for id in ids]), strict=True):
        left = without(case, (id,))
        theta = mean_theta(case.question, left)
        static = case.question.dynamics is None
        expected = enumerate_posterior(case.question, left, case.as_of, theta, ahead=not static)
        np.testing.assert_allclose(p, expected["now" if static else "horizon"], atol=1e-10)
