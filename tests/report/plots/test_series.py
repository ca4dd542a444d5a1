"""The weightiest reports are numbered as they became known."""

from __future__ import annotations

import pytest

from forecast.report.plots.series import numbered_reports, use_plotly
from tests.report.plots.base import case_of, tree_of


def test_the_weightiest_reports_are_numbered_as_they_came():
    case = case_of("large")
    tree = tree_of(case)
    weights = abs(tree["evidence"].to_dataset()["weight_of_evidence"]).max("scenario").to_series()
    found = numbered_reports(case, tree, "", 8)
    assert {one.report.id for one in found} == set(weights.nlargest(8).index)
    assert [one.number for one in found] == list(range(1, 9))
    days = [one.report.reported for one in found]
    assert days == sorted(days)


def test_another_backend_is_refused():
    with pytest.raises(ValueError, match=r"'bokeh' is neither 'matplotlib' .* nor 'plotly'"):
        use_plotly("bokeh")
