"""The evidence map shows the weights of indicators as numbers on colours."""

from __future__ import annotations

import numpy as np

from forecast import plot_evidence_map
from tests.report.plots.base import case_of, explained, words


def test_the_map_shows_the_numbers_on_a_scale_symmetric_about_nought():
    case = case_of("large")
    data = explained(case)
    axes = plot_evidence_map(case, data, indicators=10).axes[0]
    weights = data["indicator_weight"].values
    order = np.argsort(-np.abs(weights).max(axis=1), kind="stable")[:10]
    mesh = axes.collections[0]
    np.testing.assert_array_equal(np.asarray(mesh.get_array()).reshape(10, 8), weights[order])
    low, high = mesh.get_clim()
    assert low == -high == -np.abs(weights).max()
    shown = [text.get_text() for text in axes.texts[:80]]
    expected = [f"{w:+.1f}".replace("-", "−") if abs(w) >= 0.05 else "0" for w in weights[order].ravel()]
    assert shown == expected
    screen = plot_evidence_map(case, data, indicators=10, backend="plotly").data[0]
    np.testing.assert_array_equal(screen.z, weights[order])
    assert [text for line in screen.text for text in line] == expected


def test_an_unlimited_weight_is_written_as_such():
    case = case_of()
    data = explained(case)
    data["indicator_weight"].values[2, 0] = -np.inf
    assert "−∞" in words(plot_evidence_map(case, data))


def test_the_numbers_of_the_map_stand_out_from_their_ground():
    case = case_of("large")
    figure = plot_evidence_map(case, explained(case), width=8)
    axes = figure.axes[0]
    figure.canvas.draw()
    ground = np.asarray(axes.collections[0].get_facecolor())[:, :3]
    linear = np.where(ground <= 0.04045, ground / 12.92, ((ground + 0.055) / 1.055) ** 2.4)
    for text, luminance in zip(axes.texts, linear @ [0.2126, 0.7152, 0.0722], strict=False):
        ink = {"white": 1.05, "black": 0.05}[str(text.get_color())]
        assert max(ink, luminance + 0.05) / min(ink, luminance + 0.05) > 4.5, "what WCAG 2 asks of text"
