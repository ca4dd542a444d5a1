"""The second writing of event questions, and of states that persist, is that of our own array code."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pymc as pm
import pytest

from forecast.case.evidence import Evidence
from forecast.case.judgement import LogitNormal, Positive
from forecast.case.question import Event, Group, Monitored, Question
from forecast.inference.nuts.model import build, data_on
from forecast.model.event import all_allowed
from forecast.model.parameters import Layout, build_layout
from tests.cases import Small, binary, category, day, moves, question, report, source
from tests.cases.filing import TONES, filed
from tests.inference.nuts.base import PLAIN, Points, compiled, draw, log_density, without_compiler


def event_question(event: Event, prior: tuple[float, ...], persistence: float | None = None) -> Small:
    """Signs of preparations over ten weeks."""
    chances = {2: (0.1, 0.6), 3: (0.1, 0.6, 0.4)}[len(prior)]
    signs = (
        filed(binary("troops", chances, 20.0, persistence=persistence)),
        filed(binary("talks", chances[::-1], 20.0)),
    )
    q = replace(question(prior, signs, (source("s", 0.8, 20.0),), 20.0, weeks=10), dynamics=event)
    log = (
        report("r1", 1, "troops", "yes"),
        report("r2", 9, "talks", "yes"),
        report("r3", 16, "troops", "yes"),
        report("r4", 30, "troops", "no"),
    )
    return Small(q, Evidence(log), day(40))


STEADY = Event(0, (Positive(1 / 5, 8.0),), (LogitNormal(0.6),))
EACH = Event(
    1,
    (Positive(1 / 5, 8.0), Positive(1 / 2, 8.0)),
    (LogitNormal(0.6), LogitNormal(1.0, 0.0)),
    timing="steady",
)
EVENTS = {
    "one outcome": event_question(STEADY, (0.8, 0.2)),
    "two, a judgement each, states that persist": event_question(EACH, (0.1, 0.7, 0.2), 0.8),
    "two, one judgement": event_question(STEADY, (0.8, 0.15, 0.05)),
    "late": event_question(replace(STEADY, timing="late"), (0.8, 0.2), 0.7),
    "late, two, a judgement each": event_question(replace(EACH, timing="late"), (0.1, 0.7, 0.2)),
}


@pytest.mark.parametrize("name", EVENTS)
def test_event(name):
    """On several dates; where the numbers contradict each other, the density is 0."""
    case = EVENTS[name]
    layout = build_layout(case.question, case.evidence)
    theta, wrong = draw(layout, 4, seed=1), contradictory(layout)
    with without_compiler():
        model = build(layout, case.evidence, case.as_of)
        function, point = compiled(model), Points(model, layout)
        assert function(point(wrong)) == -math.inf
        for days in (0, 17, 40, -29):  # the last is the horizon
            with model:
                pm.set_data(data_on(layout, case.evidence, case.as_of - timedelta(days=days)))
            found = [function(point(one)) for one in theta]
            expected = log_density(layout, case.evidence, case.as_of - timedelta(days=days), theta)
            np.testing.assert_allclose(found, expected, rtol=1e-8)
        gradient = pm.compile(model.value_vars, model.dlogp(), mode=PLAIN, on_unused_input="ignore")
        for one in (theta[0], wrong):
            values = point(one)
            assert np.isfinite(gradient(*[values[v.name] for v in model.value_vars])).all()


def contradictory(layout: Layout) -> np.ndarray:
    """Return a theta whose numbers do not allow each other."""
    rng = np.random.default_rng(2)
    while True:
        theta = draw(layout, 1, seed=3)
        for block in layout.blocks:
            if block.id.kind in ("prior", "preparing", "ends_in_event"):
                theta[:, block.slots] = block.draw(rng, 1)
        if not all_allowed(theta, layout.arrays.event, layout.scenarios)[0]:
            return theta[0]


def states(units: tuple[str, ...] = (), *, moving: bool) -> Small:
    """Three states that persist, one of them monitored, two in a group, over more than R = 9 periods."""
    rows = ((0.6, 0.3, 0.1), (0.2, 0.5, 0.3), (0.3, 0.3, 0.4))
    watch = Monitored(day(0), day(200), 0.6, lag=2, false_alarm=0.1)
    indicators = (
        filed(category("front", TONES, rows, 20.0, persistence=0.9)),
        filed(binary("camp", (0.2, 0.5, 0.4), 20.0, persistence=0.7)),
        binary("siege", (0.1, 0.4, 0.2), 20.0, persistence=0.95, monitored=watch),
        filed(binary("answer", (0.2, 0.5, 0.6), 20.0, given="front")),
    )
    q: Question = question(
        (0.5, 0.3, 0.2),
        indicators,
        (source("s", 0.85, 20.0), source("z", 0.6, 20.0)),
        20.0,
        weeks=30,
        dynamics=moves(False) if moving else None,
        groups=(Group("both", ("front", "camp"), 0.5),),
        cap=5.0,
        units=units,
    )
    rng = np.random.default_rng(3)
    log = []
    for n in range(30):
        name = ("front", "camp", "siege", "answer")[n % 4]
        value = rng.choice(TONES if name == "front" else ("no", "yes"))
        of = {"unit": units[n % 2]} if units else {}
        log.append(
            report(f"r{n}", int(5 * n + rng.integers(5)), name, str(value), str(rng.choice(["s", "z"])), **of)
        )
    return Small(q, Evidence(tuple(log)), day(160))


@pytest.mark.parametrize("moving", [True, False])
@pytest.mark.parametrize("units", [(), ("north", "south")])
def test_states_that_persist_longer_than_entry_times_are_kept_apart(units, moving):
    case = states(units, moving=moving)
    layout = build_layout(case.question, case.evidence)
    theta = draw(layout, 3, seed=2)
    with without_compiler():
        model = build(layout, case.evidence, case.as_of)
        function, point = compiled(model), Points(model, layout)
        for days in (0, 70):
            with model:
                pm.set_data(data_on(layout, case.evidence, case.as_of - timedelta(days=days)))
            found = [function(point(one)) for one in theta]
            expected = log_density(layout, case.evidence, case.as_of - timedelta(days=days), theta)
            np.testing.assert_allclose(found, expected, rtol=1e-9)
        gradient = pm.compile(model.value_vars, model.dlogp(), mode=PLAIN, on_unused_input="ignore")
        values = point(theta[0])
        assert np.isfinite(gradient(*[values[v.name] for v in model.value_vars])).all()
