"""Waterfalls and bars draw the numbers that they are given."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from forecast import plot_changed, plot_collect, plot_evidence
from forecast.analysis.attribution import STEPS
from forecast.case.errors import InputError
from forecast.report.sentences import CHANGE_PARTS
from tests.report.plots.base import case_of, collected, collisions, explained, moved, words, xs


def bars(axes) -> list[Rectangle]:
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]


# --- weights of evidence ---


@pytest.mark.parametrize("scenario", [None, "s0", "other"])
def test_the_waterfall_leads_from_the_prior_to_the_forecast(scenario: str | None):
    case = case_of("large")
    data = explained(case)
    chosen = scenario or str(data["scenario"].values[data["engine"].values.argmax()])
    own = data.sel(scenario=chosen)
    figure = plot_evidence(case, data, scenario=scenario, cells=5)
    drawn = bars(figure.axes[0])
    parts = [*drawn[:5]]
    heavy = np.sort(np.argsort(-np.abs(own["weight"].values))[:5])
    widths = [bar.get_width() for bar in parts]
    np.testing.assert_allclose(widths, np.abs(own["weight"].values[heavy]))
    rest = own["weight"].values.sum() - own["weight"].values[heavy].sum()
    tail = [bar.get_width() for bar in drawn[5:]]
    np.testing.assert_allclose(tail, np.abs([rest, float(own["interaction"]), float(own["learning"])]))
    totals = [xs(line)[0] for line in figure.axes[0].lines if line.get_linewidth() == 3]
    np.testing.assert_allclose(totals, [float(own["before"]), float(own["engine"])])
    end = drawn[-1].get_x() + (drawn[-1].get_width() if own["learning"] > 0 else 0)
    assert end == pytest.approx(float(own["engine"])), "the lines add up"
    for bar, weight in zip(parts, own["weight"].values[heavy], strict=True):
        assert bool(bar.get_hatch()) == (weight < 0), "what speaks against is hatched"


def test_a_scenario_that_is_ruled_out_can_be_drawn():
    case = case_of()
    data = explained(case)
    data["weight"].values[2, 0] = -np.inf
    for name in ("at_means", "engine"):
        data[name].values[0] = -np.inf
    figure = plot_evidence(case, data, scenario="s0")
    assert collisions(figure) == []
    assert "▼ ∞" in words(figure)
    assert "−∞ (0%)" in words(figure)


def test_the_probabilities_above_are_those_of_the_log_odds():
    axes = plot_evidence(case_of(), explained(case_of())).axes[0]
    (scale,) = axes.child_axes
    odds = 10 ** (np.array(scale.get_xticks()) / 10)
    marked = [float(label.get_text().removesuffix("%")) / 100 for label in scale.get_xticklabels()]
    np.testing.assert_allclose(odds / (1 + odds), marked)
    assert len(marked) >= 3


def test_another_scenario_is_refused():
    case = case_of()
    with pytest.raises(InputError, match=r"no such scenario \(found: othr\)(.|\n)*did you mean \"other\""):
        plot_evidence(case, explained(case), scenario="othr")


# --- what moved it ---


@pytest.mark.parametrize(("regime", "when"), [(True, "horizon"), (False, "now")])
def test_the_steps_are_the_moves_in_points(regime: bool, when: str):
    case = case_of(regime=regime)
    data = moved(case)
    figure = plot_changed(case, data)
    for place, scenario in enumerate(case.question.scenarios):
        own = 100 * data[when].sel(scenario=scenario.id).values
        drawn = bars(figure.axes[place])
        np.testing.assert_allclose([bar.get_width() for bar in drawn], np.abs(own))
        assert [bool(bar.get_hatch()) for bar in drawn] == (own < 0).tolist()
    lengths = [np.ptp(axes.get_xlim()) for axes in figure.axes]
    np.testing.assert_allclose(lengths, lengths[0]), "lengths compare"
    other = plot_changed(case, data, when="now")
    own = 100 * data["now"].sel(scenario="s0").values
    np.testing.assert_allclose([bar.get_width() for bar in bars(other.axes[0])], np.abs(own))


def test_every_step_is_named():
    found = words(plot_changed(case_of(), moved(case_of())))
    for step in STEPS:
        assert CHANGE_PARTS[step] in found
    with pytest.raises(ValueError, match="'then' is neither"):
        plot_changed(case_of(), moved(case_of()), when="then")  # type: ignore[arg-type]


# --- what to look for ---


@pytest.mark.parametrize("target", ["horizon", "now", "reported"])
def test_bars_are_the_information_in_the_order_of_the_table(target: str):
    case = case_of("large")
    table = collected(case)
    figure = plot_collect(case, table, target=target, rows=7)  # type: ignore[arg-type]
    widths = [bar.get_width() for bar in bars(figure.axes[0])]
    np.testing.assert_allclose(widths, table[target].to_numpy(float)[:7])
    assert any(text.endswith("the first 7 of 24") for text in words(figure))
    (errors,) = figure.axes[0].collections
    reach = [np.ptp(segment[:, 0]) / 2 for segment in errors.get_segments()]  # type: ignore[attr-defined]
    np.testing.assert_allclose(reach, 2 * table[f"{target}_error"].to_numpy(float)[:7])
    with pytest.raises(ValueError, match="'then' is none of 'now', 'reported', 'horizon'"):
        plot_collect(case, table, target="then")  # type: ignore[arg-type]
