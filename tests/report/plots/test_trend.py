"""The trend plot says what the result says, numbers the reports that moved it, and shows every one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.dates import date2num

from forecast import plot_area, plot_trend
from forecast.case.evidence import Evidence
from forecast.inference.diagnostics import LEAST_DECIBANS
from forecast.report.plots.series import numbered_reports
from forecast.report.plots.trend import LEAST_BAR
from tests.report.plots.base import AS_OF, case_of, collisions, edges, retitled, tree_of, words, xs, ys


def long_lines(axes) -> list[np.ndarray]:
    return [ys(line) for line in axes.lines if len(ys(line)) > 2]


@pytest.mark.parametrize("size", ["small", "large"])
def test_the_lines_are_the_trend_and_the_outlook(size: str):
    case = case_of(size)
    tree = tree_of(case)
    number = len(case.question.scenarios)
    drawn = long_lines(plot_trend(case, tree).axes[0])
    trend, outlook = (tree[name].to_dataset()["probability"] for name in ("trend", "outlook"))
    for scenario, known, ahead in zip(case.question.scenarios, drawn, drawn[number:], strict=False):
        np.testing.assert_array_equal(known, trend.sel(scenario=scenario.id))
        np.testing.assert_array_equal(ahead[1:], outlook.sel(scenario=scenario.id))


def test_the_bands_are_the_central_90_percent():
    case = case_of()
    tree = tree_of(case)
    bands = [one for one in plot_trend(case, tree).axes[0].collections if isinstance(one, PolyCollection)]
    trend = tree["trend"].to_dataset().sel(scenario="s1")
    assert edges(bands[1]) == set(np.round([*trend["low"].values, *trend["high"].values], 9).tolist())


@pytest.mark.parametrize("regime", [True, False])
def test_every_scenario_is_named_and_today_and_the_horizon_are_marked(regime: bool):
    case = case_of(regime=regime)
    found = words(plot_trend(case, tree_of(case)))
    for title in ("Tactical cooperation", "None of these"):
        assert found.count(title) == 2, "beside its line, and beside its row of reports"
    assert ("outlook to 30 June 2015" in found) == regime
    assert "as of 12 March 2015" in found


def test_a_number_stands_for_its_report_on_the_leader_s_line_and_in_the_list():
    case = case_of()
    tree = tree_of(case)
    numbered = numbered_reports(case, tree, "", 8)
    axes, strip = plot_trend(case, tree).axes
    trend = tree["trend"].to_dataset()
    lead = trend.isel(scenario=int(trend["probability"].values[-1].argmax()))
    dots = [line for line in axes.lines if line.get_marker() == "o" and len(ys(line)) == 1]
    dots = [line for line in dots if line.get_markersize() < 3]
    assert len(dots) == len({one.report.reported for one in numbered})
    low, high = axes.get_xlim()
    for dot, day in zip(dots, sorted({one.report.reported for one in numbered}), strict=True):
        assert low + xs(dot)[0] * (high - low) == pytest.approx(date2num(day))
        expected = np.interp(date2num(day), date2num(lead["as_of"].values), lead["probability"].values)
        assert ys(dot)[0] == pytest.approx(expected)
    listed = [text.get_text() for text in strip.texts]
    for one in numbered:
        assert f"{one.report.reported:%d %b %Y}" in listed
        assert any(text.startswith(f"{one.report.source}: Indicator") and "= yes" in text for text in listed)


def test_reports_of_one_day_share_a_label():
    case = case_of()
    reports = [replace(one, reported=AS_OF) for one in case.evidence.reports]
    together = replace(case, evidence=Evidence(tuple(reports)))
    assert "1–8" in words(plot_trend(together, tree_of(together)))
    assert "1–3" in words(plot_trend(together, tree_of(together), reports=3))


def test_a_report_that_weighs_nothing_is_not_numbered():
    case = case_of()
    tree = tree_of(case)
    weights = tree["evidence"].to_dataset()["weight_of_evidence"]
    weights.values[:] = 0.5 * LEAST_DECIBANS
    weights.values[3, 1] = -np.inf
    weights.values[4, 1] = np.nan
    assert [one.report.id for one in numbered_reports(case, tree, "", 8)] == ["r3"]
    assert any("▼ ∞" in text for text in words(plot_trend(case, tree)))


def test_each_report_is_a_bar_for_or_against_each_scenario():
    case = case_of("large")
    tree = tree_of(case)
    strip = plot_trend(case, tree).axes[1]
    rows = [bars.get_segments() for bars in strip.collections if isinstance(bars, LineCollection)]
    weights = tree["evidence"].to_dataset()["weight_of_evidence"].values
    top = np.abs(weights).max()
    for row, (bars, weight) in enumerate(zip(rows, weights.T, strict=True)):
        heavy = weight[np.abs(weight) >= LEAST_BAR]
        lengths = [bar[1][1] - bar[0][1] for bar in bars]
        np.testing.assert_allclose(lengths, 0.46 * heavy / top, atol=1e-12)
        assert {bar[0][1] for bar in bars} == {-row}


def test_the_ends_of_weeks_are_marked_up_to_the_horizon():
    case = case_of()
    axes = plot_trend(case, tree_of(case)).axes[0]
    marks = next(one for one in axes.collections if isinstance(one, LineCollection))
    days = [bar[0][0] for bar in marks.get_segments()]
    assert days[0] == date2num(case.question.last_day(0))
    assert set(np.diff(days)) == {7.0}
    assert days[-1] <= date2num(case.question.horizon) < days[-1] + 7


def test_a_question_without_reports_can_be_drawn():
    case = replace(case_of(), evidence=Evidence())
    figure = plot_trend(case, tree_of(case))
    assert len(figure.axes) == 2
    assert collisions(figure) == []


def test_units_have_a_panel_each_unless_one_is_named():
    case = case_of(units=("north", "south"))
    tree = tree_of(case)
    figure = plot_trend(case, tree, width=6)
    assert collisions(figure) == []
    assert len(figure.axes) == 4
    assert {"north", "south"} <= set(words(figure))
    alone = plot_trend(case, tree, unit="south")
    assert len(alone.axes) == 2
    trend = tree["trend"].to_dataset()["probability"].sel(unit="south", scenario="s1")
    np.testing.assert_array_equal(long_lines(alone.axes[0])[1], trend)


def test_titles_are_not_read_as_formulas(tmp_path):
    case = retitled(case_of(), s0=r"From $5 to $_{")
    figure = plot_trend(case, tree_of(case))
    figure.savefig(tmp_path / "trend.png")
    assert r"From $5 to $_{" in words(figure)


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
