"""Waterfalls, the heat map, bars and judgements draw the numbers that they are given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from forecast import plot_changed, plot_collect, plot_evidence, plot_evidence_map, plot_judgements
from forecast.analysis.attribution import STEPS
from forecast.case.errors import InputError
from forecast.case.folder import Case
from forecast.inference.engine import infer
from forecast.report.changes import MEANING
from forecast.report.plots.base import fit, fit_with, inches
from tests.cases import CASES, small
from tests.report.plots.base import case_of, collected, collisions, explained, moved, tree_of, words, xs


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
    np.testing.assert_allclose(tail, np.abs([rest, float(own["shared"]), float(own["learning"])]))
    totals = [xs(line)[0] for line in figure.axes[0].lines if line.get_linewidth() == 3]
    np.testing.assert_allclose(totals, [float(own["before"]), float(own["engine"])])
    end = drawn[-1].get_x() + (drawn[-1].get_width() if own["learning"] > 0 else 0)
    assert end == pytest.approx(float(own["engine"])), "the lines add up"
    for bar, weight in zip(parts, own["weight"].values[heavy], strict=True):
        assert bool(bar.get_hatch()) == (weight < 0), "what speaks against is hatched"
    screen = plot_evidence(case, data, scenario=scenario, cells=5, backend="plotly").data[0]
    np.testing.assert_allclose(np.abs(screen.x), [*widths, *tail])
    assert [bool(shape) for shape in screen.marker.pattern.shape] == [bool(bar.get_hatch()) for bar in drawn]


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
    data["indicator_weight"].values[2, 0] = -np.inf
    assert "−∞" in words(plot_evidence_map(case, data))


def test_another_scenario_is_refused():
    case = case_of()
    with pytest.raises(InputError, match=r"no such scenario \(found: othr\)(.|\n)*did you mean \"other\""):
        plot_evidence(case, explained(case), scenario="othr")


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


# --- what moved it ---


@pytest.mark.parametrize(("regime", "when"), [(True, "horizon"), (False, "now")])
def test_the_steps_are_the_moves_in_points(regime: bool, when: str):
    case = case_of(regime=regime)
    data = moved(case)
    figure, screen = plot_changed(case, data), plot_changed(case, data, backend="plotly")
    for place, scenario in enumerate(case.question.scenarios):
        own = 100 * data[when].sel(scenario=scenario.id).values
        drawn = bars(figure.axes[place])
        np.testing.assert_allclose([bar.get_width() for bar in drawn], np.abs(own))
        assert [bool(bar.get_hatch()) for bar in drawn] == (own < 0).tolist()
        trace = [one for one in screen.data if one.type == "bar"][place]
        np.testing.assert_allclose(trace.x, own, atol=1e-9)
    lengths = [np.ptp(axes.get_xlim()) for axes in figure.axes]
    np.testing.assert_allclose(lengths, lengths[0]), "lengths compare"
    other = plot_changed(case, data, when="now")
    own = 100 * data["now"].sel(scenario="s0").values
    np.testing.assert_allclose([bar.get_width() for bar in bars(other.axes[0])], np.abs(own))


def test_every_step_is_named():
    found = words(plot_changed(case_of(), moved(case_of())))
    for step in STEPS:
        assert MEANING[step] in found
    with pytest.raises(ValueError, match="'then' is neither"):
        plot_changed(case_of(), moved(case_of()), when="then")  # type: ignore[call-overload]


# --- what to look for ---


@pytest.mark.parametrize("target", ["horizon", "now", "reported"])
def test_bars_are_the_information_in_the_order_of_the_table(target: str):
    case = case_of("large")
    table = collected(case)
    figure = plot_collect(case, table, target=target, rows=7)  # type: ignore[call-overload]
    widths = [bar.get_width() for bar in bars(figure.axes[0])]
    np.testing.assert_allclose(widths, table[target].to_numpy(float)[:7])
    assert any(text.endswith("the first 7 of 24") for text in words(figure))
    screen = plot_collect(case, table, target=target, rows=7, backend="plotly").data[0]  # type: ignore[call-overload]
    np.testing.assert_allclose(screen.x, table[target].to_numpy(float)[:7])
    np.testing.assert_allclose(screen.error_x.array, 2 * table[f"{target}_error"].to_numpy(float)[:7])
    with pytest.raises(ValueError, match="'then' is none of 'now', 'reported', 'horizon'"):
        plot_collect(case, table, target="then")  # type: ignore[call-overload]


# --- judgements ---


def test_judgements_are_the_means_before_and_after_the_most_moved_first():
    case = case_of()
    tree = tree_of(case)
    drift = tree["drift"].to_dataset()
    order = np.argsort(drift["tail"].values)
    figure = plot_judgements(case, tree, judgements=len(order))
    screen = plot_judgements(case, tree, judgements=len(order), backend="plotly")
    names = drift["judgement"].values[order]
    probable = [n for n in order if not str(drift["judgement"].values[n]).startswith("leave")]
    for group, marker, trace in (("prior", "o", screen.data[0]), ("posterior", "D", screen.data[1])):
        data = tree[group].to_dataset()
        line = next(one for one in figure.axes[0].lines if one.get_marker() == marker)
        expected = [mean_of(data, drift.isel(judgement=n)) for n in probable]
        np.testing.assert_allclose(xs(line), expected)
        np.testing.assert_allclose(trace.x, expected)
    stays = next(one for one in figure.axes[1].lines if one.get_marker() == "D")
    lasts = tree["posterior"].to_dataset()["lasts"].mean(("chain", "draw"))
    own = [str(name).split()[1] for name in names if str(name).startswith("leave")]
    np.testing.assert_allclose(xs(stays), lasts.sel(leaving_scenario=own))
    assert collisions(figure) == []


def mean_of(data, row) -> float:
    kind, *rest = str(row["judgement"].values).split(" ")
    entry = str(row["entry"].values)
    if kind == "likelihood":
        return float(
            data[f"likelihood_{rest[0]}"].sel({"scenario": rest[1], f"{rest[0]}_value": entry}).mean()
        )
    if kind == "reliability":
        return float(data["reliability"].sel(source=rest[0]).mean())
    return float(data["then"].sel(move=f"{rest[0]} to {entry}").mean())


def test_what_moved_far_has_a_star():
    case = case_of()
    tree = tree_of(case)
    tail = tree["drift"].to_dataset()["tail"]
    tail.values[:] = 0.5
    assert not any(text.endswith("*") for text in words(plot_judgements(case, tree)))
    tail.values[3] = 0.001
    found = words(plot_judgements(case, tree))
    assert [text.endswith("*") for text in found if text.startswith(("Indicator", "Reliability"))].count(
        True
    ) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_every_judgement_whose_drift_is_told_can_be_drawn(name: str):
    one = small(name, False)
    tree = infer(one.question, one.evidence, as_of=one.as_of, draws=20, chains=2, tolerance=1.0)
    case = Case(name, Path("small"), one.question, one.evidence, "d", ())
    figure = plot_judgements(case, tree, judgements=1000)
    drawn = sum(len(xs(line)) for axes in figure.axes for line in axes.lines if line.get_marker() == "D")
    assert drawn == tree["drift"].sizes["judgement"]


# --- texts that must go into a place ---


@pytest.mark.parametrize("lines", [1, 2, 3])
@pytest.mark.parametrize("text", ["short", "one two three four five six " * 5, "x" * 300, ""])
def test_a_text_is_no_wider_than_its_place(text: str, lines: int):
    found = fit(text, 1.5, lines=lines)
    assert inches(found) <= 1.5
    assert found.count("\n") < lines
    if "…" not in found:
        assert found.split() == text.split()


@pytest.mark.parametrize("text", ["short", "one two three four five six " * 5, "x" * 300])
def test_a_tail_is_kept(text: str):
    found = fit_with(text, "= yes", 1.5, lines=2)
    assert found.endswith("= yes")
    assert inches(found) <= 1.5
    assert ("…" in found) == (len(text) > 20)
