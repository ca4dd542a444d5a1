"""Flip values: the sum over all paths says who leads on either side, and where nobody else does."""

from __future__ import annotations

import math

import numpy as np
import pytest

from forecast.analysis.plug_in import HIGHEST_RELIABILITY, plug_in_model
from forecast.analysis.sensitivity.flip_values import flips, plausible
from forecast.analysis.sensitivity.stated_values import StatedValue, stated_values
from forecast.case.evidence import Evidence
from tests.cases import Small, binary, day, question, report, small, source
from tests.oracles import enumerate_posterior, mean_theta

CHEAP = ["yes_no", "three_values", "agreeing_and_clashing", "one_testimony", "grouped", "capped", "residual",
         "persistent", "negative_binomial", "measured", "one_source_twice", "at_the_horizon"]  # fmt: skip

TIE = 1e-9  # of what rounding alone decides


def margin(case: Small, one: StatedValue, value: float, lead: int) -> float:
    """Return by how much a scenario would lead if a number had been judged otherwise: over all paths."""
    other = one.with_value(case.question, value)
    theta = mean_theta(other, case.evidence)
    static = case.question.dynamics is None
    p = enumerate_posterior(other, case.evidence, case.as_of, theta, ahead=not static)
    p_end = p["now" if static else "horizon"]
    return float(p_end[lead] - np.delete(p_end, lead).max())


@pytest.mark.parametrize("name", CHEAP)
def test_another_scenario_leads_beyond_and_not_before(name: str):
    """At 41 values, evenly over the plausible range, who leads is what the flip value says.

    The nearest flip on one side says nothing of what lies beyond it; up to it the leader leads.
    """
    case = small(name, False)
    lead = plug_in_model(case.question, case.evidence, case.as_of).chances.horizon.argmax(axis=1)
    for one in stated_values(case.question):
        (flip,) = flips(plug_in_model(case.question, case.evidence, case.as_of), one, lead)
        low, high = plausible(one)
        values = np.linspace(low, high, 41)
        if flip.to < 0:
            assert all(margin(case, one, v, lead[0]) > -TIE for v in values), one.name
            assert math.isnan(flip.value)
            continue
        step = math.copysign(max(1e-6 * abs(flip.value - one.value), 1e-8), flip.value - one.value)
        assert margin(case, one, flip.value - step, lead[0]) > 0, one.name
        assert margin(case, one, flip.value + step, lead[0]) < 0, one.name
        assert margin(case, one, flip.value + step, flip.to) > 0, one.name
        between = values[(values - one.value) * (values - flip.value) < 0]
        assert all(margin(case, one, v, lead[0]) > 0 for v in between), one.name
        assert low <= flip.value <= high
        assert flip.tail_probability == one.tail_probability(flip.value)


def test_cases_above_have_flips_of_every_kind():
    found: dict[str, int] = {}
    for name in CHEAP:
        case = small(name, False)
        lead = plug_in_model(case.question, case.evidence, case.as_of).chances.horizon.argmax(axis=1)
        for one in stated_values(case.question):
            (flip,) = flips(plug_in_model(case.question, case.evidence, case.as_of), one, lead)
            found[one.kind] = found.get(one.kind, 0) + (flip.to >= 0)
    assert min(found[kind] for kind in ("prior", "likelihood", "reliability")) >= 2, found


def test_the_flip_value_in_closed_form():
    """Two scenarios, one report that is certainly true: prior odds times f / g is 1 at f = g / prior odds.

    prior 3 : 1, P(yes) .2 against .5: 3 (.2 / .5) = 1.2; it flips at f = 1/6, and at g = .6.
    With a source of reliability r, m = r f + (1 - r) / 2, so that 3 (.2 r + .5 (1 - r)) = r .5 + (1 - r) / 2
    has no solution r <= 1.
    """
    q = question((0.75, 0.25), (binary("raid", (0.2, 0.5), 20.0),), (source("s", 1.0, math.inf),), 20.0)
    log = Evidence((report("a", 1, "raid", "yes"),))
    by_name = {one.name: one for one in stated_values(q)}
    for name, expected in (("likelihood raid alpha", 1 / 6), ("likelihood raid beta", 0.6)):
        (flip,) = flips(plug_in_model(q, log, day(6)), by_name[name], np.array([0]))
        assert flip.value == pytest.approx(expected, rel=1e-7)
        assert flip.to == 1
    (flip,) = flips(plug_in_model(q, log, day(6)), by_name["prior beta"], np.array([0]))
    assert flip.value == pytest.approx(0.2 / 0.7, rel=1e-7)  # .2 (1 - p) = .5 p
    assert flips(plug_in_model(q, log, day(6)), by_name["reliability s"], np.array([0]))[0].to == -1


def test_the_lead_may_be_lost_on_both_sides():
    """Yes and no in turn speak for a chance near one half: alpha's, until it is too low or too high."""
    raid = binary("raid", (0.45, 0.7, 0.3), 6.0)
    q = question((0.4, 0.3, 0.3), (raid,), (source("s", 0.9, 20.0),), 20.0)
    log = Evidence((report("a", 1, "raid", "yes"), report("b", 8, "raid", "no")))
    one = next(o for o in stated_values(q) if o.name == "likelihood raid alpha")
    lead = plug_in_model(q, log, day(13)).chances.horizon.argmax(axis=1)
    assert lead.tolist() == [0]
    (flip,) = flips(plug_in_model(q, log, day(13)), one, lead)
    values = np.linspace(*plausible(one), 2001)
    horizons = [plug_in_model(one.with_value(q, v), log, day(13)).chances.horizon[0] for v in values]
    lost = [v for v, p in zip(values, horizons, strict=True) if p.argmax() != 0]
    assert min(lost) < one.value < max(lost)
    sides = max(v for v in lost if v < one.value), min(v for v in lost if v > one.value)
    nearest = max(sides, key=one.tail_probability)
    assert flip.value == pytest.approx(nearest, abs=1.5 * (values[1] - values[0]))


def test_two_sources_that_clash_over_a_state_that_goes_on():
    """The lead changes where the less reliable source is believed enough: the flip value is where it does."""
    raid = binary("raid", (0.02, 0.7), 20.0, persistence=0.98)
    sources = source("s", 0.6, 10.0), source("z", 0.8, 10.0)
    q = question((0.7, 0.3), (raid,), sources, 20.0)
    log = Evidence(
        (
            report("a", 1, "raid", "yes"),
            report("b", 2, "raid", "no", "z"),
            report("c", 8, "raid", "yes", "z"),
        )
    )
    case, one = Small(q, log, day(13)), next(o for o in stated_values(q) if o.name == "reliability s")
    lead = plug_in_model(q, log, day(13)).chances.horizon.argmax(axis=1)
    (flip,) = flips(plug_in_model(q, log, day(13)), one, lead)
    dense = [v for v in np.linspace(0, HIGHEST_RELIABILITY, 401) if margin(case, one, v, lead[0]) < 0]
    assert dense
    nearest = min(dense, key=lambda v: abs(v - one.value))
    assert flip.value == pytest.approx(nearest, abs=1 / 400)


def test_units_have_flips_of_their_own():
    case = small("units_static", False)
    lead = plug_in_model(case.question, case.evidence, case.as_of).chances.horizon.argmax(axis=1)
    one = next(o for o in stated_values(case.question) if o.name == "likelihood raid alpha")
    north, south = flips(plug_in_model(case.question, case.evidence, case.as_of), one, lead)
    assert north.to >= 0
    assert south.to == -1  # nothing was heard there, so that no likelihood matters
