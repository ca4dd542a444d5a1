"""What the next report, or the loss of a source, would change: against the sum over all paths."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forecast.analysis.influence import report_effects, source_effects
from forecast.analysis.plug_in import plug_in_model
from forecast.case.evidence import Evidence, Report
from forecast.case.folder import Case
from tests.cases import small
from tests.oracles import enumerate_posterior, mean_theta


@pytest.mark.parametrize("name", ["agreeing_and_clashing", "moving", "of_units", "poisson", "measured"])
def test_every_lead_is_that_of_the_sum_over_courses(name):
    one = small(name, True)
    question = one.question
    case = Case("case", Path("nowhere"), question, one.evidence, "digest")
    period = question.period(one.as_of) + 1
    if period > question.period(question.horizon):
        as_of = question.last_day(question.period(question.horizon) - 1)
        period = question.period(question.horizon)
    else:
        as_of = one.as_of
    day = min(question.last_day(period), question.horizon)
    told = tuple(r for r in one.evidence.reports if r.reported <= as_of)
    theta = mean_theta(question, Evidence(told))
    before = enumerate_posterior(question, Evidence(told), day, theta)["horizon"]
    found = report_effects(case, plug_in_model(question, one.evidence, as_of))
    assert found
    for lead in found:
        kind = next(i.kind for i in question.indicators if i.id == lead.indicator)
        value = {"count": int, "measure": float}.get(kind, str)(lead.value)
        new = Report("new", day, day, lead.indicator, value, lead.source, unit=lead.unit)
        after = enumerate_posterior(question, Evidence((*told, new)), day, theta)["horizon"]
        place = question.units.index(lead.unit) if lead.unit else slice(None)
        np.testing.assert_allclose(lead.horizon, np.ravel((after - before)[place]), atol=1e-10)


def test_nothing_can_be_reported_after_the_last_period():
    one = small("moving", True)
    case = Case("case", Path("nowhere"), one.question, one.evidence, "digest")
    assert report_effects(case, plug_in_model(one.question, one.evidence, one.question.horizon)) == ()


@pytest.mark.parametrize("name", ["agreeing_and_clashing", "moving", "of_units"])
def test_every_difference_is_that_of_the_sum_over_courses(name):
    one = small(name, True)
    case = Case("case", Path("nowhere"), one.question, one.evidence, "digest")
    theta = mean_theta(one.question, one.evidence)
    whole = enumerate_posterior(one.question, one.evidence, one.as_of, theta)
    found = source_effects(case, plug_in_model(one.question, one.evidence, one.as_of))
    assert found
    for without in found:
        rest = Evidence(tuple(r for r in one.evidence.reports if r.source != without.source))
        left = enumerate_posterior(one.question, rest, one.as_of, theta)
        place = one.question.units.index(without.unit) if without.unit else slice(None)
        for when in ("now", "horizon"):
            expected = (left[when] - whole[when])[place]
            np.testing.assert_allclose(getattr(without, when), np.ravel(expected), atol=1e-10)
    assert max(without.size for without in found) > 1e-3
    assert [one.size for one in found] == sorted((one.size for one in found), reverse=True)


def test_only_reports_that_count_are_counted():
    one = small("agreeing_and_clashing", True)
    case = Case("case", Path("nowhere"), one.question, one.evidence, "digest")
    model = plug_in_model(one.question, one.evidence, one.as_of)
    number = {w.source: w.reports for w in source_effects(case, model)}
    live = [r.source for r in one.evidence.known(one.as_of)]
    assert number == {source: live.count(source) for source in set(live)}
    early = replace(case, evidence=Evidence())
    assert source_effects(early, plug_in_model(one.question, early.evidence, one.as_of)) == ()
