"""A case and a result made up by hand, and what the reader is told of it."""

from __future__ import annotations

import pytest
import xarray as xr

from forecast.case.folder import Case
from forecast.report.summary import Summary, summarise
from tests.made_up import made_up_case, made_up_tree
from tests.report.base import issued


@pytest.fixture
def case() -> Case:
    return made_up_case()


@pytest.fixture
def tree(case: Case) -> xr.DataTree:
    return made_up_tree(case)


@pytest.fixture
def summary(case: Case, tree: xr.DataTree) -> Summary:
    """Return a summary with a forecast of the week before to compare with."""
    return summarise(case, tree, issued(case))
