"""How the log was understood: what was learnt, since when silence counts, and the forecast without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forecast.analysis.filing import APART, filing, with_reporting_ignored
from forecast.case.evidence import Evidence
from forecast.case.folder import Case
from forecast.case.question import Question, Reporting
from forecast.inference.engine import infer
from forecast.inference.result import now_and_horizon
from forecast.report.sentences import log_understood
from forecast.report.summary import summarise
from tests.cases import Small, binary, day, question, report, small, source
from tests.oracles import enumerate_posterior, mean_theta


def as_case(one: Small) -> Case:
    return Case("case", Path("case"), one.question, one.evidence, "digest")


def forecast_of(one: Small) -> xr.DataTree:
    """Forecast with few draws: no test rests on how good they are."""
    tree = infer(one.question, one.evidence, as_of=one.as_of, draws=50, chains=2, tolerance=1.0)
    tree.attrs |= {"digest": "digest", "case": "case", "version": "0"}
    return tree


def test_what_was_learnt_and_since_when_silence_counts():
    """By hand: the raid was first reported of week 0, the offer of week 1; each counts one week later."""
    one = small("events_filed", False)
    tree = forecast_of(one)
    found = filing(as_case(one), tree)
    assert found is not None
    assert found.since == {("", "raid"): day(7), ("", "offer"): day(14)}
    learnt = tree["posterior"].to_dataset()
    for claim in ("event", "quiet"):
        assert found.chances[claim].mean == pytest.approx(float(learnt["reporting"].sel(claim=claim).mean()))
        own = learnt[f"filed_{claim}"].mean(["chain", "draw"]).values
        assert (found.chances[claim].low, found.chances[claim].high) == (own.min(), own.max())
    assert found.chances["event"].mean > found.chances["quiet"].mean


def silent(weeks: int) -> Small:
    """Everything exact but filing: two signs of an attack that were reported once, and never again."""
    signs = tuple(
        replace(binary(name, (0.1, 0.6), np.inf), quiet="no", reporting=Reporting())
        for name in ("raid", "move")
    )
    asked = question((0.6, 0.4), signs, (source("s", 0.9, np.inf),), np.inf, weeks=weeks + 4)
    told = report("a", 1, "raid", "yes"), report("b", 2, "move", "yes")
    return Small(asked, Evidence(told), day(7 * weeks + 6))


def ignoring(one: Small) -> Question:
    return replace(
        one.question, indicators=tuple(replace(i, reporting=None) for i in one.question.indicators)
    )


def test_what_the_forecast_would_be_if_reporting_were_ignored():
    """Without filing everything is exact, and the forecast that of enumeration."""
    one = silent(8)
    tree, case = forecast_of(one), as_case(one)
    found = with_reporting_ignored(case, tree)
    assert found is not None
    assert found.ignored is not None
    plain = ignoring(one)
    expected = enumerate_posterior(plain, one.evidence, one.as_of, mean_theta(plain, one.evidence))["now"]
    np.testing.assert_allclose(found.ignored, np.stack([expected[None]] * 2), atol=1e-9)
    lines = log_understood(summarise(case, tree, filed=found))
    assert lines[0].startswith(f"Silence counts, from {day(7)} on: .")
    assert "of what happened was filed" in lines[0]
    share = f"{100 * expected[1]:.0f}"
    assert share in lines[1]
    assert "With reporting ignored" in lines[1]


def test_a_forecast_that_is_nearly_the_same_is_not_told():
    """One complete week of silence moves this by less than five points."""
    one = silent(2)
    tree = forecast_of(one)
    found = with_reporting_ignored(as_case(one), tree)
    assert found is not None
    assert found.ignored is None
    plain = replace(
        one.question, indicators=tuple(replace(i, reporting=None) for i in one.question.indicators)
    )
    other = enumerate_posterior(plain, one.evidence, one.as_of, mean_theta(plain, one.evidence))["now"]
    assert np.abs(other - now_and_horizon(tree, one.question.scenario_ids)[0]).max() < APART
    assert len(log_understood(summarise(as_case(one), tree, filed=found))) == 1


@pytest.mark.parametrize("name", ["yes_no", "measured"])
def test_nothing_is_said_where_silence_says_nothing(name: str):
    one = small(name, False)
    tree = forecast_of(one)
    assert filing(as_case(one), tree) is None
    assert with_reporting_ignored(as_case(one), tree) is None
    assert log_understood(summarise(as_case(one), tree)) == []
