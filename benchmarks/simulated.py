"""A question with simulated evidence: every indicator reported every week, every judgement learning."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from forecast.case.evidence import Evidence, Report
from forecast.case.judgement import Proportions
from forecast.case.question import Indicator, Question, Scenario, Source, Transition

OPENED = date(2020, 1, 6)
SEED = 20200106
WEIGHT = 20.0
RELIABILITY, RELIABILITY_WEIGHT = 0.85, 10.0
SCENARIOS = ("first", "second", "third")
ROWS = np.array([[0.95, 0.04, 0.01], [0.05, 0.90, 0.05], [0.02, 0.08, 0.90]])


def simulated(weeks: int, indicators: int) -> tuple[Question, Evidence]:
    """Return a regime of three scenarios and its log, simulated from the judgements' means.

    A longer or wider question begins like a shorter or narrower one.
    """
    chance = np.random.default_rng([SEED, 0]).uniform(0.1, 0.9, (1000, len(SCENARIOS)))[:indicators]
    path = _path(weeks)
    names = [f"indicator{i}" for i in range(indicators)]
    question = Question(
        title="A simulated regime",
        opened=OPENED,
        horizon=OPENED + timedelta(days=7 * weeks - 1),
        scenarios=tuple(Scenario(id, id) for id in SCENARIOS),
        prior=Proportions((0.6, 0.3, 0.1), WEIGHT),
        indicators=tuple(
            Indicator(
                name, name, "category", ("no", "yes"), tuple(Proportions((1 - p, p), WEIGHT) for p in row)
            )
            for name, row in zip(names, chance.tolist(), strict=True)
        ),
        sources=(Source("s", "s", Proportions((1 - RELIABILITY, RELIABILITY), RELIABILITY_WEIGHT)),),
        dynamics=Transition(tuple(Proportions(tuple(row), WEIGHT) for row in ROWS.tolist())),
        learning="full",
    )
    reports = []
    for i, name in enumerate(names):
        rng = np.random.default_rng([SEED, 1, i])
        happened, told, noise, *_ = rng.random((3, 10_000))
        yes = np.where(told[:weeks] < RELIABILITY, happened[:weeks] < chance[i, path], noise[:weeks] < 0.5)
        for week, value in enumerate(yes):
            day = OPENED + timedelta(days=7 * week)
            reports.append(Report(f"{name}-{week}", day, day, name, "yes" if value else "no", "s"))
    return question, Evidence(tuple(sorted(reports, key=lambda r: r.date)))


def _path(weeks: int) -> np.ndarray:
    rng, path = np.random.default_rng([SEED, 2]), [0]
    for _ in range(weeks - 1):
        path.append(int(rng.choice(len(SCENARIOS), p=ROWS[path[-1]])))
    return np.array(path)
