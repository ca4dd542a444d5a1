"""Judgements are drawn before and after the evidence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from forecast import plot_judgements
from forecast.case.folder import Case
from forecast.inference.engine import infer
from tests.cases import CASES, small
from tests.report.plots.base import case_of, collisions, tree_of, words, xs


def test_judgements_are_the_means_before_and_after_the_most_moved_first():
    case = case_of()
    tree = tree_of(case)
    drift = tree["drift"].to_dataset()
    order = np.argsort(drift["tail"].values)
    figure = plot_judgements(case, tree, judgements=len(order))
    names = drift["judgement"].values[order]
    probable = [n for n in order if not str(drift["judgement"].values[n]).startswith("leave")]
    for group, marker in (("prior", "o"), ("posterior", "D")):
        data = tree[group].to_dataset()
        line = next(one for one in figure.axes[0].lines if one.get_marker() == marker)
        expected = [mean_of(data, drift.isel(judgement=n)) for n in probable]
        np.testing.assert_allclose(xs(line), expected)
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
def test_every_judgement_of_the_drift_can_be_drawn(name: str):
    one = small(name, False)
    tree = infer(one.question, one.evidence, as_of=one.as_of, draws=20, chains=2, tolerance=1.0)
    case = Case(name, Path("small"), one.question, one.evidence, "d", ())
    figure = plot_judgements(case, tree, judgements=1000)
    drawn = sum(len(xs(line)) for axes in figure.axes for line in axes.lines if line.get_marker() == "D")
    assert drawn == tree["drift"].sizes["judgement"]


def test_a_forecast_whose_judgements_are_exact_can_be_drawn():
    case = case_of()
    tree = tree_of(case)
    tree["drift"] = tree["drift"].to_dataset().isel(judgement=slice(0))
    (axes,) = plot_judgements(case, tree).axes
    assert not len(axes.get_yticks())
