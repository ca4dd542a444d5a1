"""Worlds for which groups are meant, in which indicators move together; and for the cap: likelihoods right.

Two scenarios, as likely as each other; yes/no indicators, each reported every week by one source. Two alike
indicators of a week have the correlation that is told to the group, whatever the scenario: by exact copies
(with that chance all of a week's indicators follow one lot, else each its own), or by a common cause (a
week's chances are drawn from Betas, all at one quantile).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from forecast.case.evidence import Evidence, Report
from forecast.case.question import Group, Question
from tests.calibration.ranks import InferOne
from tests.cases import binary, day, question, report, source
from tests.oracles import draw_theta

EVEN = (0.5, 0.5)


@dataclass(frozen=True)
class Setting:
    """A world, and what the question says of it."""

    label: str
    chances: tuple[tuple[float, float], ...]  # of yes, by indicator: in each of the two scenarios
    kind: Literal["copies", "cause"] = "copies"
    correlation: float = 0.0
    reliability: float = 1.0
    cap: float | None = None
    weight: float = math.inf  # of the judgements
    weeks: int = 8

    def question(self, *, told: bool) -> Question:
        """Return the question; with `told` it has the group and the cap, else neither."""
        names = [f"i{n}" for n in range(len(self.chances))]
        indicators = tuple(binary(n, p, self.weight) for n, p in zip(names, self.chances, strict=True))
        who = (source("s", self.reliability, self.weight),)
        asked = replace(question(EVEN, indicators, who, self.weight, weeks=self.weeks), cap=self.cap)
        if self.correlation > 0:
            asked = replace(asked, groups=(Group("all", tuple(names), self.correlation),))
        return asked if told else replace(asked, groups=(), cap=None)

    def draw(self, rng: np.random.Generator) -> tuple[bool, Evidence]:
        """Draw whether the first scenario is true, and the log of reports."""
        asked = self.question(told=False)
        theta = draw_theta(asked, Evidence(), rng)
        first = bool(rng.random() < theta["prior"][0])
        chance = np.array([rows[0 if first else 1][1] for rows in theta["likelihood"].values()])
        told = rng.random((self.weeks, len(chance))) < theta["reliability"]["s"]
        noise = rng.random(told.shape) < 0.5
        yes = np.where(told, self.happens(chance, rng), noise)
        log: list[Report] = []
        for week, row in enumerate(yes):
            log += [report(f"{w}-{week}", 7 * week, f"i{w}", "yes" if y else "no") for w, y in enumerate(row)]
        return first, Evidence(tuple(log))

    def happens(self, chance: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.bool_]:
        """Draw what happens, (weeks, indicators), each with its chance."""
        own = rng.random((self.weeks, len(chance)))
        common = rng.random((self.weeks, 1))
        if self.correlation == 0:
            return own < chance
        if self.kind == "copies":
            return np.where(rng.random((self.weeks, 1)) < self.correlation, common, own) < chance
        size = 1 / self.correlation - 1  # of the Beta: its variance is p (1 - p) / (size + 1)
        return own < beta.ppf(common, size * chance, size * (1 - chance))


def forecasts(
    infer_one: InferOne, setting: Setting, *, number: int, seed: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return the first scenario's probability without and with group and cap, and whether it was true."""
    found = np.empty((2, number))
    true = np.empty(number, bool)
    end = day(7 * setting.weeks - 1)
    for n in range(number):
        rng = np.random.default_rng([seed, n])
        true[n], evidence = setting.draw(rng)
        for told in (False, True):
            tree = infer_one(setting.question(told=told), evidence, end, int(rng.integers(2**31)))
            found[int(told), n] = float(tree["posterior"].to_dataset()["scenario_probability"][..., 0].mean())
    return found[0], found[1], true


_ALIKE = ((0.6, 0.35),) * 4
_MIXED = ((0.8, 0.5), (0.5, 0.3), (0.3, 0.1), (0.1, 0.03))

#: Groups: the world's correlation is the one that is stated.
GROUPS = (
    Setting("four alike, copies", _ALIKE, correlation=0.6),
    Setting("the same, reliability .8", _ALIKE, correlation=0.6, reliability=0.8),
    Setting("the same, a common cause", _ALIKE, "cause", correlation=0.6, reliability=0.8),
    Setting("four of mixed strength, copies", _MIXED, correlation=0.6, reliability=0.8),
    Setting("four alike, weight 10", _ALIKE, correlation=0.6, reliability=0.8, weight=10.0),
    Setting("four rare, copies", ((0.15, 0.05),) * 4, correlation=0.6),
)

#: The cap: likelihoods are right, and cells independent.
CAPS = (
    Setting("two strong, cap 2", ((0.75, 0.25),) * 2, cap=2.0, weeks=4),
    Setting("two strong, weight 10", ((0.85, 0.15),) * 2, reliability=0.8, cap=2.0, weight=10.0, weeks=4),
    Setting("three rare and strong, cap 5", ((0.2, 0.01),) * 3, cap=5.0),
)
