"""Groups and the cap, held against worlds in which they are called for: do they err on the cautious side?

Each assertion about a mean or a slope allows 3.1 standard errors: were they normal, one false alarm in a
thousand. `docs/calibration.md` has more settings, and those in which the answer is no.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.calibration.engines import lean_smc
from tests.calibration.scores import confidence
from tests.calibration.together import Setting, forecasts

SEED = 20141124
ENGINE = lean_smc(draws=4, chains=1)  # judgements are exact: nothing is drawn
SURE = 3.1

TOGETHER = Setting("five alike", ((0.6, 0.35),) * 5, correlation=0.8, reliability=0.85, weeks=6)
CAPPED = Setting("two strong", ((0.75, 0.25),) * 2, cap=1.6, weeks=4)


@pytest.mark.parametrize("kind", ["copies", "cause"])
def test_in_the_world_indicators_have_their_chances_and_their_correlation(kind):
    """50,000 weeks, seed 1: within 4 standard errors."""
    setting = Setting("", ((0.6, 0.3),) * 3, kind, correlation=0.6, weeks=50_000)
    yes = setting.happens(np.full(3, 0.3), np.random.default_rng(1))
    assert yes.mean(axis=0) == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / 50_000))
    apart = np.asarray(np.corrcoef(yes.T))[~np.eye(3, dtype=bool)]
    assert apart == pytest.approx(0.6, abs=4 / np.sqrt(50_000))


@pytest.mark.slow
def test_a_group_is_cautious_where_evidence_moves_together():
    without, grouped, true = forecasts(ENGINE, TOGETHER, number=300, seed=SEED)
    plain, cautious = confidence(without, true), confidence(grouped, true)
    assert plain.slope < 1 - SURE * plain.slope_error
    assert cautious.slope > 1 - SURE * cautious.slope_error
    assert abs(cautious.lean) < SURE * cautious.lean_error
    gain = np.log(np.where(true, grouped, 1 - grouped)) - np.log(np.where(true, without, 1 - without))
    assert gain.mean() > SURE * gain.std() / np.sqrt(len(gain))


@pytest.mark.slow
def test_a_cap_is_cautious_where_both_values_say_much():
    without, capped, true = forecasts(ENGINE, CAPPED, number=400, seed=SEED)
    plain, cautious = confidence(without, true), confidence(capped, true)
    assert abs(plain.slope - 1) < SURE * plain.slope_error
    assert cautious.slope > 1 + SURE * cautious.slope_error
    assert abs(cautious.lean) < SURE * cautious.lean_error
