"""Scenarios can be told apart without colour, have one style throughout a case, and labels do not overlap."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from forecast.case.question import Scenario
from forecast.report.plots.base import new_figure
from forecast.report.styles import ScenarioStyle, contrast, scenario_styles, spread_labels

EIGHT = [Scenario(f"s{n}", f"Scenario {n}") for n in range(7)] + [Scenario("other", "None", residual=True)]


def in_grey(style: ScenarioStyle, *, area: bool) -> np.ndarray:
    """Draw a line with its markers, or a hatched area, all in one grey; return its pixels."""
    figure = new_figure(1.5, 0.5)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    if area:
        axes.add_patch(Rectangle((0, 0), 1, 1, facecolor="0.5", edgecolor="white", hatch=4 * style.hatch))
    else:
        axes.plot(
            [0.1, 0.5, 0.9], [0.5] * 3, color="0.5", linestyle=style.line, marker=style.marker, linewidth=2
        )
        axes.set(xlim=(0, 1), ylim=(0, 1))
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., 0].astype(float)  # type: ignore[attr-defined]


@pytest.mark.parametrize("area", [False, True])
def test_eight_scenarios_differ_in_grey(area: bool):
    drawn = {id: in_grey(style, area=area) for id, style in scenario_styles(EIGHT).items()}
    for one, other in itertools.combinations(drawn, 2):
        inked = np.maximum(drawn[one] < 250, drawn[other] < 250).sum()
        different = (np.abs(drawn[one] - drawn[other]) > 60).sum()
        assert different > 0.05 * inked, (one, other)


@pytest.mark.parametrize("what", ["colour", "line", "marker", "hatch", "dash", "symbol"])
def test_eight_scenarios_differ_in_each(what: str):
    assert len({str(getattr(style, what)) for style in scenario_styles(EIGHT).values()}) == 8


def test_forty_scenarios_differ_in_something():
    many = [Scenario(f"s{n}", "") for n in range(40)]
    assert len({str(style) for style in scenario_styles(many).values()}) == 40


def test_styles_follow_the_place_in_the_question_and_not_the_residual():
    without = scenario_styles(EIGHT[:-1])
    assert {
        id: style for id, style in scenario_styles([EIGHT[-1], *EIGHT[:-1]]).items() if id != "other"
    } == without


def test_a_tint_is_the_colour_let_through():
    assert scenario_styles(EIGHT)["s0"].tint(0.25) == "rgba(0, 114, 178, 0.25)"


def test_letters_in_a_scenario_s_colour_can_be_read():
    for style in scenario_styles(EIGHT).values():
        parts = [int(style.text_colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        assert contrast(parts, (1, 1, 1)) >= 4.5
    assert scenario_styles(EIGHT)["s0"].text_colour == "#0072B2", "dark enough as it is"


@pytest.mark.parametrize(
    ("wanted", "heights"),
    [
        ([0.55, 0.29, 0.11, 0.05], [0.05] * 4),
        ([0.0, 0.0, 0.01, 0.0], [0.1] * 4),
        ([1.0, 0.99, 0.98], [0.1, 0.2, 0.1]),
        ([0.5], [0.1]),
        ([0.2, 0.5, 0.21, 0.49, 0.35], [0.09] * 5),
        ([], []),
    ],
)
def test_labels_do_not_overlap_and_stay_in_order_and_inside(wanted, heights):
    places = spread_labels(wanted, heights)
    order = sorted(range(len(wanted)), key=lambda label: places[label])
    assert [wanted[label] for label in order] == sorted(wanted)
    for below, above in itertools.pairwise(order):
        assert places[above] - places[below] >= (heights[above] + heights[below]) / 2 - 1e-12
    assert all(h / 2 - 1e-12 <= p <= 1 - h / 2 + 1e-12 for p, h in zip(places, heights, strict=True))


def test_labels_with_room_stay_where_they_want_to_be():
    assert spread_labels([0.2, 0.8, 0.5], [0.1, 0.1, 0.1]) == pytest.approx([0.2, 0.8, 0.5])


def test_contrast_is_that_of_wcag():
    """#767676 on white is the lightest grey that passes level AA."""
    assert contrast([0x76 / 255] * 3, (1, 1, 1)) == pytest.approx(4.54, abs=0.005)
