"""Plots for the screen: numbers, hovers, and texts of the analyst that stay texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
import pytest

from forecast import plot_trend
from forecast.case.evidence import Evidence
from forecast.report.plots.series import numbered_reports
from tests.report.plots.base import case_of, draw, tree_of

both = pytest.mark.parametrize("name", ["plot_trend", "plot_evidence_map"])


def strings(value: Any) -> Iterator[str]:
    """Yield every text in what plotly hands to the browser."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from strings(part)


@both
def test_hostile_texts_are_escaped_on_the_screen(name: str):
    """No tag, no formula and no template of the analyst's reaches plotly; its own are line breaks and sup."""
    figure = draw(name, case_of("large", hostile=True), backend="plotly")
    found = list(strings(figure.to_dict()))
    assert any("&lt;script&gt;" in text for text in found)
    for text in found:
        bare = text.replace("<br>", "").replace("<sup>", "").replace("</sup>", "")
        assert "<" not in bare
        assert "$" not in bare
    templates = [trace.texttemplate for trace in figure.data if "texttemplate" in trace]
    assert all(template in (None, "%{text}") for template in templates)
    assert all(trace.hovertemplate is None for trace in figure.data if "hovertemplate" in trace)


@both
def test_the_figure_is_plotly_s_own(name: str):
    case, templates = case_of(), pio.templates.default
    screen = draw(name, case, backend="plotly", width=7)
    assert isinstance(screen, go.Figure)
    assert screen.layout.width == 7 * 96
    assert draw(name, case, backend="plotly").layout.width is None
    assert pio.templates.default == templates, "no global state is touched"


@pytest.mark.parametrize("size", ["small", "large"])
def test_lines_and_bands_are_those_of_the_result(size: str):
    case = case_of(size)
    tree = tree_of(case)
    screen, trend = plot_trend(case, tree, backend="plotly"), tree["trend"].to_dataset()
    lines = [trace for trace in screen.data if trace.mode == "lines+markers"]
    bands = [trace for trace in screen.data if trace.fill == "toself"]
    for line, band, scenario in zip(lines, bands, case.question.scenarios, strict=False):
        own = trend.sel(scenario=scenario.id)
        np.testing.assert_array_equal(line.y, own["probability"])
        np.testing.assert_array_equal(band.y, [*own["high"].values, *own["low"].values[::-1]])
    assert len(lines) == len(case.question.scenarios)


def test_pointing_at_a_number_shows_source_note_and_citation():
    case = case_of()
    tree = tree_of(case)
    dots = next(t for t in plot_trend(case, tree, backend="plotly").data if t.name == "reports, by number")
    whole = "<br><br>".join(dots.hovertext)
    for one in numbered_reports(case, tree, "", 8):
        assert f"Source {one.report.source}, {one.report.date}" in whole
        assert one.report.note in whole
    assert "Somewhere, p. 3" in whole


def test_units_have_a_panel_each_unless_one_is_named():
    case = case_of(units=("north", "south"))
    tree = tree_of(case)
    alone = plot_trend(case, tree, unit="south", backend="plotly")
    assert len(plot_trend(case, tree, backend="plotly").data) == 2 * len(alone.data)
    assert draw("plot_evidence_map", case, unit="south", backend="plotly").data


@pytest.mark.parametrize("regime", [True, False])
def test_a_first_day_without_reports_can_be_drawn(regime: bool):
    case = replace(case_of(regime=regime), evidence=Evidence())
    assert plot_trend(case, tree_of(case, as_of=case.question.opened), backend="plotly").data
