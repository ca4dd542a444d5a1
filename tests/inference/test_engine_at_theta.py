"""The filter against enumeration at judgements drawn from the prior: every clause, all chances of filing.

Nothing is random but the draws, so that agreement is to rounding: in questions of a few periods the filter
keeps every period of entry apart.
"""

from __future__ import annotations

import random
from datetime import date

import numpy as np
import pytest

from forecast.case.evidence import Evidence
from forecast.case.question import Question
from tests.cases import CASES, EVENT_CASES, FILED_CASES, day, small
from tests.inference.answers import assert_close
from tests.inference.at_theta import at_draws
from tests.inference.generated import a_log, a_question, filed
from tests.oracles import enumerate_posterior, trend_dates

DRAWS = 4


def compare(q: Question, evidence: Evidence, as_of: date, seed: int) -> None:
    """Compare log p(evidence | theta), P(s_t | cells up to t) and P(s_t | all cells)."""
    found = at_draws(q, evidence, as_of, DRAWS, seed)
    expected = enumerate_posterior(q, evidence, as_of, found.theta, ahead=False, filtered=True)
    log = np.broadcast_to(expected["log_marginal"], DRAWS)
    assert_close(f"log marginal on {as_of}", found.log_marginal, log, 1e-9)
    for name, own in (("filtered", found.filtered), ("smoothed", found.smoothed)):
        right = expected[name] if q.units else expected[name][..., None, :]
        right = np.broadcast_to(right, (DRAWS, *right.shape[-3:]))
        assert_close(f"{name} on {as_of}", own, np.moveaxis(right, -2, 1), 1e-9)


@pytest.mark.parametrize("name", CASES + FILED_CASES + EVENT_CASES)
def test_every_case_on_every_date(name):
    case = small(name, False)
    for as_of in trend_dates(case.question, case.as_of):
        compare(case.question, case.evidence, as_of, 3)


@pytest.mark.parametrize("seed", range(40))
def test_generated_questions(seed):
    """With and without reporting; at the last day, and at one before."""
    r = random.Random(1_000 + seed)
    q = a_question(r, 20.0)
    if seed % 4:
        q = filed(r, q)
    last = 34 - r.randint(0, 3)
    evidence = Evidence(a_log(r, q, last))
    for as_of in (last, r.randint(3, last)):
        compare(q, evidence, day(as_of), seed)
