"""Confidence: the lowest of four stated things."""

from __future__ import annotations

from dataclasses import replace

import pytest
import xarray as xr

from forecast.analysis.confidence import confidence
from forecast.case.evidence import Evidence
from forecast.case.folder import Case
from forecast.case.judgement import Proportions
from tests.made_up import made_up_case, made_up_tree


def with_band(case: Case, width: float) -> xr.DataTree:
    tree = made_up_tree(replace(case, evidence=Evidence()))
    ahead = tree["outlook"].to_dataset()
    tree["outlook"] = xr.DataTree(ahead.assign(low=ahead["probability"], high=ahead["probability"] + width))
    return tree


def level(case: Case, width: float, what: str) -> str:
    found = confidence(case, with_band(case, width))
    assert found.level == found.foundations[0].level
    return next(one.level for one in found.foundations if what in one.what)


@pytest.mark.parametrize(
    ("width", "expected"), [(0.15, "high"), (0.16, "moderate"), (0.4, "moderate"), (0.41, "low")]
)
def test_width_of_the_band(width, expected):
    assert level(made_up_case(), width, "points wide") == expected


def test_origins():
    """A repeat is no origin unless part of it is its own; claims of one testimony are one."""
    case = made_up_case()
    weighted = [r for r in case.evidence.reports if r.indicator and not r.replaces]
    sources = {r.source for r in weighted}
    assert f"{len(sources)} independent origin" in str(confidence(case, made_up_tree(case)))
    one = replace(weighted[0], testimony="", repeats=())
    passed_on = replace(
        one, id="again", repeats=(one.id,), source="press" if one.source == "sohr" else "sohr"
    )
    for extra, number in ((passed_on, 1), (replace(passed_on, independence=0.5), 2)):
        fewer = replace(case, evidence=Evidence((one, extra)))
        text = str(confidence(fewer, made_up_tree(case)))
        assert f"'{number} independent origin" in text


def test_grades_and_clashes():
    case = made_up_case()
    one = next(r for r in case.evidence.reports if r.indicator and not r.replaces)
    sure = tuple(replace(s, reliability=Proportions((0.1, 0.9), 20.0)) for s in case.question.sources)
    case = replace(case, question=replace(case.question, sources=sure))
    doubtful = replace(one, credibility="5")
    values = case.question.indicators[0].values
    assert level(replace(case, evidence=Evidence((doubtful,))), 0.1, "graded C") == "low"
    assert level(replace(case, evidence=Evidence((one,))), 0.1, "graded C") == "high"
    other = replace(one, id="other", value=next(v for v in values if v != one.value), source="press")
    assert level(replace(case, evidence=Evidence((one,))), 0.1, "disagree") == "high"
    assert level(replace(case, evidence=Evidence((one, other))), 0.1, "disagree") == "low"


def test_no_evidence():
    case = replace(made_up_case(), evidence=Evidence())
    assert confidence(case, made_up_tree(made_up_case())).level == "low"
