"""Area, outlook and hindsight draw the numbers of the result."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import PolyCollection

from forecast import plot_area, plot_hindsight, plot_outlook
from forecast.report.number_format import percent
from forecast.report.plots.grid import shape
from tests.report.plots.base import AS_OF, case_of, edges, tree_of, words, xs, ys


@pytest.mark.parametrize("regime", [True, False])
def test_areas_are_as_high_as_the_probabilities(regime: bool):
    case = case_of("large", regime=regime)
    tree = tree_of(case)
    trend = tree["trend"].to_dataset()["probability"].transpose("scenario", "as_of").values
    areas = [one for one in plot_area(case, tree).axes[0].collections if isinstance(one, PolyCollection)]
    assert len(areas) == 8 * (2 if regime else 1)
    tops = np.cumsum(trend, axis=0)
    for area, low, high in zip(areas, np.vstack([0 * tops[:1], tops]), tops, strict=False):
        assert edges(area) == set(np.round([*low, *high], 9).tolist())
    stacked = [t for t in plot_area(case, tree, backend="plotly").data if t.stackgroup == "known"]
    for trace, course in zip(stacked, trend, strict=True):
        np.testing.assert_array_equal(trace.y, course)


@pytest.mark.parametrize("regime", [True, False])
def test_the_fan_is_the_outlook(regime: bool):
    case = case_of(regime=regime)
    tree = tree_of(case)
    outlook = tree["outlook"].to_dataset()
    figure, screen = plot_outlook(case, tree), plot_outlook(case, tree, backend="plotly")
    found = words(figure)
    for place, scenario in enumerate(case.question.scenarios):
        own = outlook.sel(scenario=scenario.id)
        for line, name in zip(figure.axes[place].lines[1:], ("low", "high", "probability"), strict=False):
            assert ys(line)[-1] == pytest.approx(float(own[name].values[-1]))
            assert ys(line)[0] == pytest.approx(float(own[name].values[0]))
        trace = [one for one in screen.data if one.mode == "lines+markers"][place]
        np.testing.assert_array_equal(trace.y, ys(figure.axes[place].lines[3]))
        assert any(text.endswith(f"ever {percent(float(own['ever']))}") for text in found)


def test_hindsight_has_three_lines_for_each_scenario():
    case = case_of()
    tree = tree_of(case)
    figure, screen = plot_hindsight(case, tree), plot_hindsight(case, tree, backend="plotly")
    for place, scenario in enumerate(case.question.scenarios):
        after = tree["hindsight"].to_dataset().sel(scenario=scenario.id)
        known = tree["trend"].to_dataset().sel(scenario=scenario.id)["probability"]
        lines = [line for line in figure.axes[place].lines if len(ys(line)) > 1]
        for line, course in zip(lines, (known, after["filtered"], after["smoothed"]), strict=True):
            np.testing.assert_array_equal(ys(line), course)
        assert len({str(line.get_linestyle()) + str(line.get_dash_capstyle()) for line in lines}) > 1
        traces = [one for one in screen.data if one.mode.startswith("lines") and one.fill is None]
        for trace, course in zip(
            traces[3 * place :], (known, after["filtered"], after["smoothed"]), strict=False
        ):
            np.testing.assert_array_equal(trace.y, course)
    assert np.datetime64(AS_OF) == xs(lines[1])[-1].astype("datetime64[D]"), "not past the as-of date"


def test_the_key_names_the_three_lines():
    found = words(plot_hindsight(case_of(), tree_of(case_of())))
    for name in ("as it was known", "filtered:", "smoothed:"):
        assert any(text.startswith(name) for text in found)


@pytest.mark.parametrize("number", range(1, 20))
@pytest.mark.parametrize("width", [2.0, 3.4, 6.0, 8.0, 13.0])
def test_panels_are_enough_and_no_row_is_empty(number: int, width: float):
    rows, columns = shape(number, width)
    assert (rows - 1) * columns < number <= rows * columns
