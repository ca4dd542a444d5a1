"""Simulation-based calibration: where the truth stands among an engine's draws, and whether that is uniform.

A world is drawn from the model, its evidence handed to the engine; the truth and the engine's draws then have
the same law, so the rank of the truth among L independent draws is uniform on 0..L (Talts et al. 2018).
Ranked are judgements, and the joint log likelihood: a quantity of parameters *and* data, without which an
engine that returned the prior would pass (Modrak et al. 2023). The scenario is ranked by its probability
integral transform, randomised, for it is discrete: U = sum of p(s) before the true one + V p(true one), V
uniform.

Any engine can be put to the test: ``infer_one(question, evidence, as_of, seed)`` returns its DataTree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.stats import binom

from forecast.case.evidence import Evidence
from forecast.case.question import Question
from tests.calibration.world import World, simulate
from tests.oracles import cell_likelihood
from tests.oracles.paths import step_matrix
from tests.oracles.runs import filtered_entries
from tests.oracles.theta import Theta

InferOne = Callable[[Question, Evidence, date, int], xr.DataTree]
Numbers = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

DRAWS = 99  # L
LIKELIHOOD = "log likelihood"


class Judged(NamedTuple):
    """One number among the judgements: a variable of the posterior, and where in it, by coordinates."""

    label: str
    variable: str
    where: dict[str, str]


@dataclass(frozen=True)
class Ranked:
    """Where the truth stood in each of N simulations, and the probabilities that the engine gave."""

    rank: dict[str, Whole]  # by what was ranked: (N,), 0 to DRAWS
    given: dict[str, Numbers]  # by date: (N, K) probability of each scenario
    true: dict[str, Whole]  # by date: (N,) the scenario that was true


def simulate_ranks(
    infer_one: InferOne,
    question: Question,
    *,
    judged: tuple[Judged, ...],
    as_of: date,
    number: int,
    seed: int,
    world: Question | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Ranked:
    """Draw worlds, infer each from its evidence, and rank the truth.

    Parameters
    ----------
    infer_one : callable
        The engine: (question, evidence, as_of, seed) to a DataTree with the groups posterior, hindsight and
        log_likelihood.
    judged : tuple of Judged
        Which judgements are ranked.
    as_of : date
        The last day of a period.
    number : int
        Simulations, N.
    world : Question, optional
        What worlds are drawn from, where that is not what the engine is told: to see that it is found out.
    progress : callable, optional
        Called with the number of simulations done.
    """
    rank: dict[str, list[int]] = {label: [] for label in labels(question, judged)}
    given: dict[str, list[Numbers]] = {name: [] for name in dates(question)}
    true: dict[str, list[int]] = {name: [] for name in dates(question)}
    for n in range(number):
        rng = np.random.default_rng([seed, n])
        drawn = simulate(world or question, as_of, rng)
        tree = infer_one(question, drawn.evidence, as_of, int(rng.integers(2**31)))
        for label, place in _ranks(question, drawn, tree, judged, as_of, rng).items():
            rank[label].append(place)
        for k, unit in enumerate(drawn.path):
            for name, chances in probabilities(question, tree, k).items():
                now = drawn.path[unit][_period(question, as_of, name)]
                rank[_scenario(name, unit)].append(_transform(chances, now, rng))
                if k == n % len(drawn.path):  # of several units one: they are not independent
                    given[name].append(chances)
                    true[name].append(now)
        progress(n + 1)
    return Ranked(
        {label: np.array(places) for label, places in rank.items()},
        {name: np.stack(rows) for name, rows in given.items()},
        {name: np.array(rows) for name, rows in true.items()},
    )


def labels(question: Question, judged: tuple[Judged, ...]) -> list[str]:
    """Return the names of all that is ranked."""
    scenarios = [_scenario(name, unit) for unit in question.units or ("",) for name in dates(question)]
    return [one.label for one in judged] + [LIKELIHOOD] + scenarios


def _scenario(name: str, unit: str) -> str:
    return f"scenario {name}" + (f", {unit}" if unit else "")


def dates(question: Question) -> tuple[str, ...]:
    """Return when the scenario is asked for: of a static question it is always the same one."""
    return ("now",) if question.dynamics is None else ("at the start", "now", "at the horizon")


def probabilities(question: Question, tree: xr.DataTree, unit: int = 0) -> dict[str, Numbers]:
    """Return the probability of each scenario at each of the dates, of one of the units."""
    posterior = tree["posterior"].to_dataset()
    found = {
        "at the start": tree["hindsight"]["smoothed"].isel(period=0),
        "now": posterior["scenario_probability"].mean(("chain", "draw")),
        "at the horizon": posterior["horizon_probability"].mean(("chain", "draw")),
    }
    return {
        name: np.asarray(found[name].isel(unit=unit) if question.units else found[name], float)
        for name in dates(question)
    }


def truth(question: Question, theta: Theta, one: Judged) -> float:
    """Return the true value of a judgement."""
    place = {scenario.id: k for k, scenario in enumerate(question.scenarios)}
    variable, where = one.variable, one.where
    if variable == "prior":
        return float(theta["prior"][place[where["scenario"]]])
    if variable == "reliability":
        return float(theta["reliability"][where["source"]])
    if variable == "testimony_reliability":
        return float(theta["testimony"][where["testimony"]])
    if variable == "lasts":
        return 1 / float(theta["leave"][place[where["leaving_scenario"]]])
    if variable in ("then", "transition"):
        before, after = where["move"].split(" to ")
        return float(theta[variable][place[before]][place[after]])
    if variable == "reporting":
        claim = where["claim"]
        return float(theta["noise"] if claim == "noise" else theta["filed"][""][claim])
    if variable.startswith("filed_"):
        kind = variable.removeprefix("filed_")
        return float(theta["filed"][where[f"{kind}_indicator"]][kind])
    name = variable.removeprefix("likelihood_")
    judged = theta["likelihood"][name][place[where["scenario"]]]
    (values,) = (indicator.values for indicator in question.indicators if indicator.id == name)
    return float(judged[values.index(where[f"{name}_value"])] if values else judged)


def log_likelihood(question: Question, evidence: Evidence, as_of: date, theta: Theta) -> float:
    """Return log p(evidence | theta), by the oracle's sum over scenarios and when they were entered."""
    cells = cell_likelihood(question, evidence, as_of, theta)
    step, total = step_matrix(question, theta), 0.0
    for unit in question.units or ("",):
        m = [cells[unit, period] for period in range(question.period(as_of) + 1)]
        total += float(sum(filtered_entries(theta["prior"], step, m)[1]))
    return total


def _ranks(
    question: Question,
    drawn: World,
    tree: xr.DataTree,
    judged: tuple[Judged, ...],
    as_of: date,
    rng: np.random.Generator,
) -> dict[str, int]:
    """Rank the truth among DRAWS draws."""
    chosen, found = few(tree, rng), {}
    for one in judged:
        found[one.label] = _rank(values(tree, one)[chosen], truth(question, drawn.theta, one), rng)
    terms = tree["log_likelihood"]["evidence"].to_numpy()  # chain, draw, perhaps unit, period
    terms = terms.reshape(terms.shape[0] * terms.shape[1], -1)
    true = log_likelihood(question, drawn.evidence, as_of, drawn.theta)
    found[LIKELIHOOD] = _rank(terms.sum(axis=1)[chosen], true, rng)
    return found


def few(tree: xr.DataTree, rng: np.random.Generator) -> Whole:
    """Choose DRAWS of all chains' draws at random, without replacement.

    Few of many, for draws of one particle system are not quite independent: some are one particle twice.
    """
    sizes = tree["posterior"].sizes
    size = sizes["chain"] * sizes["draw"]
    if size < DRAWS:
        raise ValueError(f"{size} draws are too few to rank among {DRAWS}")
    return rng.permutation(size)[:DRAWS]


def values(tree: xr.DataTree, one: Judged) -> Numbers:
    """Return all draws of a judgement, chain after chain."""
    return np.asarray(tree["posterior"].to_dataset()[one.variable].sel(one.where), float).ravel()


def _rank(draws: Numbers, true: float, rng: np.random.Generator) -> int:
    """Return how many draws are below the truth; those equal to it (to rounding) may be, by lot."""
    equal = np.isclose(draws, true, rtol=1e-12, atol=0.0)
    return int((draws[~equal] < true).sum() + rng.integers(equal.sum() + 1))


def _transform(chances: Numbers, true: int, rng: np.random.Generator) -> int:
    u = (chances[:true].sum() + rng.random() * chances[true]) / chances.sum()
    return min(int(u * (DRAWS + 1)), DRAWS)


def _period(question: Question, as_of: date, name: str) -> int:
    days = {"at the start": question.opened, "now": as_of, "at the horizon": question.horizon}
    return question.period(days[name])


# --- is it uniform? ----------------------------------------------------------------------------------------


def uniformity(rank: Whole, draws: int = DRAWS) -> float:
    """Return the p-value of the hypothesis that ranks are uniform on 0..draws.

    The statistic is that of the simultaneous band of Säilynoja, Bürkner and Vehtari (2022): over the points
    k = 1..draws, the least two-sided binomial tail probability of how many ranks are below k. Its law is
    worked out exactly, by their recursion: given r below k, r + Binomial(N - r, 1 / (draws + 1 - k)) are
    below k + 1.
    """
    number, points = len(rank), np.arange(1, draws + 1)
    below = np.searchsorted(np.sort(rank), points)
    all_counts = np.arange(number + 1)
    chance = points / (draws + 1)
    gamma = np.min(_tails(below, number, chance))
    inside, before = np.ones(1), np.zeros(1, int)
    for k in points:
        tail = _tails(all_counts, number, chance[k - 1])
        kept = all_counts[tail > gamma * (1 + 1e-9)]
        if len(kept) == 0:
            return 1.0
        step = binom.pmf(kept[None] - before[:, None], number - before[:, None], 1 / (draws + 2 - k))
        inside, before = inside @ step, kept
    return float(np.clip(1 - inside.sum(), 0.0, 1.0))


def _tails(count: Whole, number: int, chance: Numbers | float) -> Numbers:
    upper = binom.sf(count - 1, number, chance)
    return np.asarray(2 * np.minimum(binom.cdf(count, number, chance), upper))
