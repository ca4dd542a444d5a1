"""A question whose scenarios change, under every analysis: on a day it is the question in force on that day.

The twin is a case whose file says by hand what is in force, and has never changed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import forecast
from forecast.case.folder import Case
from tests.analysis.test_attribution import FEW, SOON, changing_case
from tests.case.changing import between, changed


@pytest.fixture
def twins(tmp_path) -> tuple[Case, Case]:
    """Return a case that changes, and one that says by hand what is in force."""
    return changing_case(tmp_path / "one", changed(added=True)), changing_case(tmp_path / "two", between())


def same(one: xr.Dataset, other: xr.Dataset) -> bool:
    """Tell whether two results are the same but for the case that they name."""
    return one.drop_attrs().identical(other.drop_attrs())


def test_whatif(twins):
    change = {"set": {"likelihood meeting war": 0.4}, "drop": ["r2"], "as_of": SOON, **FEW}
    assert same(*(forecast.whatif(case, **change) for case in twins))


def test_learning(twins):
    assert same(*(forecast.learning(case, as_of=SOON, **FEW) for case in twins))


def test_collect(twins):
    one, other = (forecast.collect(case, as_of=SOON, **FEW) for case in twins)
    pd.testing.assert_frame_equal(one, other)


def test_explain(twins):
    found = []
    for case in twins:
        tree = forecast.update(case, as_of=SOON, tolerance=1.0, **FEW)
        found.append(forecast.explain(case, tree=tree))
    assert same(*found)


def test_conflict(twins):
    assert same(*(forecast.conflict(case, as_of=SOON) for case in twins))


def test_future_score_and_comparison(twins):
    assert same(*(forecast.future_score(case, as_of=SOON, tolerance=10, **FEW) for case in twins))
    table = forecast.compare_questions({"one": twins[0], "two": twins[1]}, as_of=SOON, tolerance=10, **FEW)
    assert table["elpd"]["one"] == table["elpd"]["two"]
    trees = [forecast.update(case, as_of=SOON, tolerance=1.0, **FEW) for case in twins]
    wrappers = [forecast.lfo_wrapper(case, tree) for case, tree in zip(twins, trees, strict=True)]
    first, second = (wrapper.sample(2) for wrapper in wrappers)
    np.testing.assert_array_equal(first, second)


def test_confidence_and_review(twins):
    one, other = ((case, forecast.update(case, as_of=SOON, tolerance=1.0, **FEW)) for case in twins)
    assert forecast.confidence(*one) == forecast.confidence(*other)
    mine, theirs = ({c.name: c for c in forecast.review(tree)} for _, tree in (one, other))
    assert mine.keys() == theirs.keys()
    for name in mine.keys() - {"Monte Carlo error"}:  # which speaks of the trend too
        assert mine[name] == theirs[name]
    assert mine["Gaps in the trend"].verdict == "PASS"
