"""Outlook and hindsight draw the numbers of the result, a panel for each scenario."""

from __future__ import annotations

import numpy as np
import pytest

from forecast import plot_hindsight, plot_outlook
from forecast.report.number_format import percent
from forecast.report.plots.base import grid_shape
from tests.report.plots.base import AS_OF, case_of, tree_of, words, xs, ys


@pytest.mark.parametrize("regime", [True, False])
def test_the_fan_is_the_outlook(regime: bool):
    case = case_of(regime=regime)
    tree = tree_of(case)
    outlook = tree["outlook"].to_dataset()
    figure = plot_outlook(case, tree)
    found = words(figure)
    for place, scenario in enumerate(case.question.scenarios):
        own = outlook.sel(scenario=scenario.id)
        for line, name in zip(figure.axes[place].lines, ("low", "high", "probability"), strict=True):
            assert ys(line)[-1] == pytest.approx(float(own[name].values[-1]))
            assert ys(line)[0] == pytest.approx(float(own[name].values[0]))
        assert any(text.endswith(f"ever {percent(float(own['ever']))}") for text in found)


def test_hindsight_has_three_lines_for_each_scenario():
    case = case_of()
    tree = tree_of(case)
    figure = plot_hindsight(case, tree)
    for place, scenario in enumerate(case.question.scenarios):
        after = tree["hindsight"].to_dataset().sel(scenario=scenario.id)
        known = tree["trend"].to_dataset().sel(scenario=scenario.id)["probability"]
        lines = figure.axes[place].lines
        for line, course in zip(lines, (known, after["filtered"], after["smoothed"]), strict=True):
            np.testing.assert_array_equal(ys(line), course)
        assert len({str(line.get_linestyle()) + str(line.get_dash_capstyle()) for line in lines}) > 1
    assert np.datetime64(AS_OF) == xs(lines[1])[-1].astype("datetime64[D]"), "not past the as-of date"


def test_the_key_names_the_three_lines():
    found = words(plot_hindsight(case_of(), tree_of(case_of())))
    for name in ("as it was known", "filtered:", "smoothed:"):
        assert any(text.startswith(name) for text in found)


@pytest.mark.parametrize("number", range(1, 20))
@pytest.mark.parametrize("most", [0, 1, 3, 4, 7])
def test_panels_are_enough_and_no_row_is_empty(number: int, most: int):
    rows, columns = grid_shape(number, most)
    assert columns <= max(most, 1)
    assert (rows - 1) * columns < number <= rows * columns
