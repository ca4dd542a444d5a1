"""The what-if panel: what is moved is forecast, what is undone is as it was, and nothing of the case runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from forecast.analysis.plug_in import quick
from forecast.case.edit import adjustable
from forecast.case.folder import load_case
from forecast.case.judgement import Proportions
from forecast.report.number_format import percent
from forecast.report.panel import whatif_panel

SHIPPED = load_case(Path(__file__).parents[2] / "scenarios" / "isis-jn-2014")
DAY = date(2014, 11, 23)


class Hands:
    """The panel as somebody has it under their hands."""

    def __init__(self, case=SHIPPED):
        self.box = whatif_panel(case, as_of=DAY)
        (self.name, self.slider), (self.without, self.reset) = (row.children for row in self.box.children[:2])

    @property
    def shown(self) -> str:
        return self.box.children[2].value


def test_a_slider_moves_the_forecast():
    panel = Hands()
    panel.name.value = "likelihood fighting conflict"
    before = panel.shown
    panel.slider.value = 0.3
    expected = quick(SHIPPED, as_of=DAY, values={"likelihood fighting conflict": 0.3})
    for p in (*expected.now[0], *expected.horizon[0]):
        assert f">{percent(float(p))}</td>" in panel.shown
    assert "likelihood fighting conflict: " in panel.shown
    panel.reset.click()
    assert panel.shown == before
    assert panel.slider.value == pytest.approx(adjustable(SHIPPED.question)["likelihood fighting conflict"])


def test_another_estimate_is_taken_up_without_moving_it():
    panel = Hands()
    for name in ("reliability isw", "lasts tactical", "prior conflict"):
        panel.name.value = name
        assert "as it is" in panel.shown
        assert panel.slider.min <= panel.slider.value <= panel.slider.max


def test_an_estimate_beyond_the_usual_range_is_not_moved_by_being_chosen():
    sources = tuple(
        replace(one, reliability=Proportions((0.003, 0.997), 10.0)) if one.id == "isw" else one
        for one in SHIPPED.question.sources
    )
    panel = Hands(replace(SHIPPED, question=replace(SHIPPED.question, sources=sources)))
    for name in ("reliability isw", "lasts conflict", "reliability isw", "prior conflict"):
        panel.name.value = name
    assert "as it is" in panel.shown
    panel.name.value = "reliability isw"
    assert panel.slider.value == pytest.approx(0.997)


def test_what_cannot_be_is_said_and_can_be_moved_back():
    """Two priors that together leave nothing for the others."""
    panel = Hands()
    panel.name.value = "prior conflict"
    panel.slider.value = 0.7
    panel.name.value = "prior tactical"
    panel.slider.value = 0.6
    assert panel.shown.startswith("<p>This cannot be: the priors sum to 1.3")
    panel.slider.value = 0.2
    assert "prior conflict: 0.8 to 0.7; prior tactical: 0.15 to 0.2" in panel.shown


def test_sources_are_left_out():
    panel = Hands()
    panel.without.value = ("isw", "rferl")
    expected = quick(SHIPPED, as_of=DAY, without=["isw", "rferl"])
    assert "without isw; without rferl" in panel.shown
    assert f">{percent(float(expected.now[0, 0]))}</td>" in panel.shown
    assert not np.array_equal(expected.now, quick(SHIPPED, as_of=DAY).now)


def test_what_is_hostile_is_text():
    scenarios = tuple(replace(one, title="<script>alert(1)</script>") for one in SHIPPED.question.scenarios)
    panel = Hands(replace(SHIPPED, question=replace(SHIPPED.question, scenarios=scenarios)))
    assert "<script>" not in panel.shown
    assert "&lt;script&gt;" in panel.shown
