"""Scenarios can be told apart without colour, and look the same throughout a case."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from forecast.case.question import Scenario
from forecast.report.plots.base import new_figure
from forecast.report.styles import Look, contrast, look_of

EIGHT = [Scenario(f"s{n}", f"Scenario {n}") for n in range(7)] + [Scenario("other", "None", residual=True)]


def in_grey(look: Look, *, area: bool) -> np.ndarray:
    """Draw a line with its markers, or a hatched area, all in one grey; return its pixels."""
    figure = new_figure(1.5, 0.5)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    if area:
        axes.add_patch(Rectangle((0, 0), 1, 1, facecolor="0.5", edgecolor="white", hatch=4 * look.hatch))
    else:
        axes.plot(
            [0.1, 0.5, 0.9], [0.5] * 3, color="0.5", linestyle=look.line, marker=look.marker, linewidth=2
        )
        axes.set(xlim=(0, 1), ylim=(0, 1))
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., 0].astype(float)  # type: ignore[attr-defined]


@pytest.mark.parametrize("area", [False, True])
def test_eight_scenarios_differ_in_grey(area: bool):
    drawn = {id: in_grey(look, area=area) for id, look in look_of(EIGHT).items()}
    for one, other in combinations(drawn, 2):
        inked = np.maximum(drawn[one] < 250, drawn[other] < 250).sum()
        different = (np.abs(drawn[one] - drawn[other]) > 60).sum()
        assert different > 0.05 * inked, (one, other)


@pytest.mark.parametrize("what", ["colour", "line", "marker", "hatch", "dash", "symbol"])
def test_eight_scenarios_differ_in_each(what: str):
    assert len({str(getattr(look, what)) for look in look_of(EIGHT).values()}) == 8


def test_forty_scenarios_differ_in_something():
    many = [Scenario(f"s{n}", "") for n in range(40)]
    assert len({str(look) for look in look_of(many).values()}) == 40


def test_looks_follow_the_place_in_the_question_and_not_the_residual():
    without = look_of(EIGHT[:-1])
    assert {id: look for id, look in look_of([EIGHT[-1], *EIGHT[:-1]]).items() if id != "other"} == without


def test_a_tint_is_the_colour_let_through():
    assert look_of(EIGHT)["s0"].tint(0.25) == "rgba(0, 114, 178, 0.25)"


def test_letters_in_a_scenario_s_colour_can_be_read():
    for look in look_of(EIGHT).values():
        parts = [int(look.ink[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        assert contrast(parts, (1, 1, 1)) >= 4.5
    assert look_of(EIGHT)["s0"].ink == "#0072B2", "dark enough as it is"
