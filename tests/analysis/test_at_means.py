"""The quick forecast at the judgements' means, against the sum over all paths."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.analysis.plug_in import at_means
from tests.cases import CASES, small
from tests.oracles import enumerate_posterior, mean_theta


@pytest.mark.parametrize("name", CASES)
def test_it_is_the_enumerated_answer(name: str):
    case = small(name, False)
    theta = mean_theta(case.question, case.evidence)
    expected = enumerate_posterior(case.question, case.evidence, case.as_of, theta)
    found = at_means(case.question, case.evidence, case.as_of)
    for answer, value in found._asdict().items():
        np.testing.assert_allclose(value, np.atleast_2d(expected[answer]), rtol=1e-9, atol=1e-12)


def test_what_is_not_known_yet_changes_nothing():
    """Also where a report that comes later names a testimony, and so lengthens theta."""
    case = small("one_testimony", False)
    early = case.question.last_day(0)
    known = type(case.evidence)(tuple(r for r in case.evidence.reports if r.reported <= early))
    assert len(known.reports) < len(case.evidence.reports)
    for one, other in zip(
        at_means(case.question, case.evidence, early), at_means(case.question, known, early), strict=True
    ):
        np.testing.assert_array_equal(one, other)
