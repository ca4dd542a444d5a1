"""The forecast without each source, against the sum over all courses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forecast.analysis.influence import without_sources
from forecast.case.evidence import Evidence
from forecast.case.folder import Case
from tests.cases import small
from tests.oracles import enumerate_posterior, mean_theta


@pytest.mark.parametrize("name", ["agreeing_and_clashing", "moving", "of_units"])
def test_every_difference_is_that_of_the_sum_over_courses(name):
    one = small(name, True)
    case = Case("case", Path("nowhere"), one.question, one.evidence, "digest")
    theta = mean_theta(one.question, one.evidence)
    whole = enumerate_posterior(one.question, one.evidence, one.as_of, theta)
    found = without_sources(case, one.as_of)
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
    number = {w.source: w.reports for w in without_sources(case, one.as_of)}
    live = [r.source for r in one.evidence.known(one.as_of)]
    assert number == {source: live.count(source) for source in set(live)}
    early = replace(case, evidence=Evidence())
    assert without_sources(early, one.as_of) == ()
