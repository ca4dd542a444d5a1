"""Event questions are calibrated over worlds in which nothing has happened by the as-of date.

A world has judgements from their prior (those that contradict each other drawn anew), a course of quiet,
preparing and happened in continuous time, and reports of what could be seen while it was open. Worlds in
which something has happened by the as-of date are left out: that nothing has is evidence. What is said of
the horizon is held against what had happened by then.

18 tests share one false alarm in a thousand; the seed is fixed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

import numpy as np
import pytest

from forecast.case.evidence import Evidence, Report
from forecast.case.judgement import LogitNormal, Positive, Proportions
from forecast.case.question import Event, Question, Scenario
from forecast.inference.data_tree import now_and_outlook
from forecast.inference.estimates import draws_of
from forecast.inference.smc import run_chain
from forecast.model.problem import build_problem
from tests.calibration.ranks import DRAWS, uniformity
from tests.calibration.scores import spiegelhalter
from tests.cases import OPENED, binary, source
from tests.oracles.event import chain

SEED, NUMBER = 20220224, 200
STEPS, PERIODS, DRAWN = 9, 6, 200
PRIOR, WEIGHT, SHAPE, STAY, ENDS, SD = (0.2, 0.5, 0.3), 8.0, 4.0, 2.5, 0.6, 1.0
RAID, MOVE, LIKELIHOOD_WEIGHT = (0.7, 0.1, 0.4), (0.3, 0.1, 0.8), 4.0
ALARM = 1e-3


def asked(timing: Literal["steady", "late"]) -> Question:
    scenarios = tuple(Scenario(id, id) for id in ("limited", "none", "full"))
    event = Event(1, (Positive(1 / STAY, SHAPE),), (LogitNormal(ENDS, SD),), timing)
    indicators = (binary("raid", RAID, LIKELIHOOD_WEIGHT), binary("move", MOVE, LIKELIHOOD_WEIGHT))
    horizon = OPENED + timedelta(days=7 * STEPS + 6)
    return Question(
        "Will it?", OPENED, horizon, scenarios, Proportions(PRIOR, WEIGHT), indicators,
        (source("s", 0.85, 6.0),), dynamics=event, learning="full",
    )  # fmt: skip


class World:
    """One world in which the question is open at the as-of date."""

    def __init__(self, late: bool, rng: np.random.Generator) -> None:
        while True:
            self.c = rng.dirichlet(WEIGHT * np.array(PRIOR))[[0, 2]]
            self.rate = rng.gamma(SHAPE) / (SHAPE * STAY)
            self.share = 1 / (1 + np.exp(-rng.normal(np.log(ENDS / (1 - ENDS)), SD)))
            m, s = np.full(2, 1 / self.rate), np.full(2, self.share)
            with np.errstate(all="ignore"):
                first, each, agree = chain(self.c, m, s, STEPS, late=late)
            if not agree:
                continue
            path = [int(rng.choice(5, p=np.clip(first, 0, 1)))]
            for matrix in each:
                path.append(int(rng.choice(5, p=np.clip(matrix[path[-1]], 0, 1))))
            if path[PERIODS - 1] < 3:
                break
        self.now = (1, 0, 2)[path[PERIODS - 1]]
        self.end = (1, 1, 1, 0, 2)[path[-1]]
        self.raid = np.array([rng.beta(LIKELIHOOD_WEIGHT * p, LIKELIHOOD_WEIGHT * (1 - p)) for p in RAID])
        move = [rng.beta(LIKELIHOOD_WEIGHT * p, LIKELIHOOD_WEIGHT * (1 - p)) for p in MOVE]
        r, reports = rng.beta(6 * 0.85, 6 * 0.15), []
        for t in range(PERIODS):
            day, state = OPENED + timedelta(days=7 * t), (1, 0, 2)[path[t]]
            for name, chances in (("raid", self.raid), ("move", move)):
                said = rng.random() < (chances[state] if rng.random() < r else 0.5)
                if rng.random() < 0.8:
                    value = "yes" if said else "no"
                    reports.append(Report(f"{name}{t}", day, day, name, value, "s"))
        self.evidence = Evidence(tuple(reports))


def simulated(timing: Literal["steady", "late"]) -> dict[str, Any]:
    """Return ranks by what was ranked, and probabilities given with what was true."""
    question = asked(timing)
    day = question.last_day(PERIODS - 1)
    names = ("chance of limited", "chance of full", "rate", "share", "raid in full", "now", "horizon")
    rank: dict[str, list[int]] = {name: [] for name in names}
    given: dict[str, list[np.ndarray]] = {"now": [], "horizon": []}
    true: dict[str, list[int]] = {"now": [], "horizon": []}
    for n in range(NUMBER):
        rng = np.random.default_rng([SEED, n])
        world = World(timing == "late", rng)
        task = build_problem(question, world.evidence, day)
        runs = [run_chain(task, chain=k, particles=DRAWN, seed=n, progress=lambda: None) for k in range(2)]
        sample = draws_of(runs, DRAWN, PERIODS, n)
        now, _, end = now_and_outlook(task, sample, np.ones(2))
        theta = sample.theta.reshape(2 * DRAWN, -1)[rng.permutation(2 * DRAWN)[:DRAWS]]
        of_full = task.layout.starts["likelihood raid full"] + 1
        values = theta[:, 0], theta[:, 2], theta[:, -2], theta[:, -1], theta[:, of_full]
        truths = (*world.c, world.rate, world.share, world.raid[2])
        for name, draws, truth in zip(names, values, truths, strict=False):
            rank[name].append(int((draws < truth).sum()))
        for name, chances, truth in (
            ("now", now.probability[0], world.now),
            ("horizon", end.mean(axis=(0, 1))[0], world.end),
        ):
            u = chances[:truth].sum() + rng.random() * chances[truth]
            rank[name].append(min(int(u * (DRAWS + 1)), DRAWS))
            given[name].append(chances)
            true[name].append(truth)
    return {"rank": rank, "given": given, "true": true}


@pytest.mark.slow
@pytest.mark.parametrize("timing", ["steady", "late"])
def test_the_truth_is_uniform_among_the_draws_and_what_is_given_as_often_true(timing):
    found = simulated(timing)
    p = {name: uniformity(np.array(ranks)) for name, ranks in found["rank"].items()}
    assert {name: value for name, value in p.items() if value < ALARM / 18} == {}
    for name, given in found["given"].items():
        z, value = spiegelhalter(np.stack(given), np.array(found["true"][name]))
        assert value > ALARM / 18, (name, z)
