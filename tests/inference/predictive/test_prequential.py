"""Surprise: log scores and tails against enumeration, and tails that are uniform if the model is right."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.stats import kstest

from forecast.case.evidence import Evidence, Report
from forecast.case.question import Indicator, Question
from forecast.inference.particles import Chain
from forecast.inference.predictive.design import EvidenceDesign, cell_and_children
from forecast.inference.predictive.new_evidence import BY_VALUE, evidence_increment
from forecast.inference.predictive.prequential import _filtered, _particles, _reweighed, surprise
from forecast.inference.smc import run_chain
from forecast.model.problem import Problem, build_problem
from tests.cases import (
    CASES,
    Small,
    binary,
    category,
    count,
    day,
    moves,
    question,
    report,
    small,
    source,
    withdraw,
)
from tests.cases.filing import filed
from tests.inference.predictive.base import Fixed, counted, key_of, log_with, options, replay
from tests.inference.predictive.test_replicates import OWN
from tests.oracles import (
    draw_theta,
    enumerate_posterior,
    importance_sampling,
    mean_theta,
    posterior_theta,
    trend_dates,
)
from tests.oracles.cells import times
from tests.oracles.number_cells import count_noise
from tests.oracles.paths import path_sums, step_matrix
from tests.oracles.theta import Theta


def run(case: Small, particles: int = 1, chains: int = 1, seed: int = 0) -> tuple[Problem, list[Chain]]:
    problem, every = build_problem(case.question, case.evidence, case.as_of), range(chains)
    return problem, [
        run_chain(problem, chain=c, particles=particles, seed=seed, progress=lambda: None) for c in every
    ]


# --- the log score -----------------------------------------------------------------------------------------

EXACT = ("agreeing_and_clashing", "of_units", "moving", "given_pair", "grouped", "late_and_corrected")


@pytest.mark.parametrize("name", EXACT)
def test_the_log_score_is_what_the_evidence_adds(name):
    """With exact judgements: log p(evidence of the date) - log p(evidence of the date before), enumerated."""
    case = small(name, True)
    found = surprise(*run(case, chains=2), 0)
    theta = mean_theta(case.question, case.evidence)
    total = [
        float(np.log(enumerate_posterior(case.question, case.evidence, on, theta, ahead=False)["marginal"]))
        for on in trend_dates(case.question, case.as_of)
    ]
    assert found["log_score"].values == pytest.approx(np.diff(total, prepend=0.0), abs=1e-9)


def test_the_log_score_with_judgements_that_learn():
    """Against plain importance sampling, 200,000 draws, seed 3: both errors together are about 0.005."""
    case = small("graded", False)
    found = surprise(*run(case, particles=2000, chains=4), 0)
    marginal = [
        importance_sampling(case.question, case.evidence, on, 200_000, 3, names=()).marginal
        for on in trend_dates(case.question, case.as_of)
    ]
    assert found["log_score"].values == pytest.approx(np.diff(np.log(marginal), prepend=0.0), abs=0.03)


def test_chains_are_averaged_as_probabilities():
    """Log of the mean of exp(-1) and exp(-3), then what the second date adds to it."""
    case = small("yes_no", True)
    problem, (chain,) = run(case)
    dates = len(problem.steps)
    both = [
        Chain(**{**vars(chain), "log_evidence": np.array([-1.0, *[-2.0] * (dates - 1)])}),
        Chain(**{**vars(chain), "log_evidence": np.array([-3.0, *[-4.0] * (dates - 1)])}),
    ]
    found = surprise(problem, both, 0)["log_score"].values
    assert found[0] == pytest.approx(math.log((math.exp(-1) + math.exp(-3)) / 2))
    assert found[1] == pytest.approx(-1.0)


# --- the tail ----------------------------------------------------------------------------------------------


def likelihood(cells: Fixed) -> float:
    """Return p(evidence | theta), summed over paths."""
    q, theta, total = cells.question, cells.theta, 1.0
    said, step = cells.said(theta), step_matrix(cells.question, theta)
    for unit in q.units or ("",):
        m: list[Any] = [[1.0] * len(q.scenarios) for _ in range(cells.periods)]
        for (of, t, _), row in said.items():
            if of == unit:
                m[t] = [times(a, b) for a, b in zip(m[t], row, strict=True)]
        total *= float(path_sums(theta["prior"], step, m)[0])
    return total


def enumerated_tail(case: Small, problem: Problem, k: int) -> tuple[float, float]:
    """Return P(score < observed) + P(tie) / 2 and P(tie), over everything that could have become of cells.

    What is new is taken from the code that is tested; the chances are the oracle's.
    """
    q, on, theta = case.question, problem.steps[k].date, mean_theta(case.question, case.evidence)
    designer = EvidenceDesign(problem)
    parts = [part.place for part in evidence_increment(problem, designer, k).parts]
    counts, told = counted(q, case.evidence, on, theta), case.evidence.until(on)
    open_ = [p for p in parts if p.design.whole or p.design.filed == BY_VALUE]
    undecided = frozenset(key_of(problem, place) for place in open_)
    gone = {
        r.id
        for place in parts
        for one in cell_and_children(place.design)
        for r, design in zip(designer.live(place.unit, place.period, one, on), one.reports, strict=True)
        if design.given is None
    }
    base = Evidence(tuple(r for r in told.reports if r.id not in gone))
    known = likelihood(replay(q, base, on, theta, counts, undecided))
    scores, chances = [], []
    for chosen in product(*(options(problem, place) for place in parts)):
        log = log_with(problem, designer, on, dict(zip(parts, chosen, strict=True)))
        p = likelihood(replay(q, log, on, theta, counts, frozenset())) / known
        scores.append(math.log(p) if p > 0 else -math.inf)
        chances.append(p)
    seen = math.log(likelihood(replay(q, told, on, theta, counts, frozenset())) / known)
    weight = np.array(chances) / sum(chances)
    tied = np.isclose(scores, seen, rtol=0, atol=1e-8)
    lower = (np.array(scores) < seen) & ~tied
    return float(weight[lower].sum() + weight[tied].sum() / 2), float(weight[tied].sum())


TAILS = (
    "agreeing_and_clashing",
    "graded",
    "persistent",
    "silence",
    "given_pair",
    "of_units",
    "moving",
    "late_and_corrected",
    "going_on",
    "told_and_not",
    "alarmed",
)


@pytest.mark.parametrize("name", TAILS)
def test_the_tail_is_that_of_enumeration(name, monkeypatch):
    """At the judgements' means, by 20,000 replicates, within 5.5 errors: seed 4, failure below 1e-5."""
    monkeypatch.setattr("forecast.inference.predictive.prequential.REPLICATES", 20_000)
    case = OWN[name]() if name in OWN else small(name, True)
    problem, chains = run(case)
    mean = problem.layout.mean
    monkeypatch.setattr("forecast.inference.predictive.prequential._particles", lambda *_: mean[None].copy())
    found, looked = surprise(problem, chains, 4), 0
    for k in range(len(problem.steps)):
        here = found.isel(as_of=k)
        if not int(here["reports"]) + int(here["silences"]):
            continue
        tail, tied = enumerated_tail(case, problem, k)
        assert float(here["tail"]) == pytest.approx(tail, abs=5.5 * math.sqrt(0.25 / 20_000))
        assert float(here["tied"]) == pytest.approx(tied, abs=5.5 * math.sqrt(0.25 / 20_000))
        looked += 1
    assert looked > 1


# --- calibration -------------------------------------------------------------------------------------------

WEEKS = 5
TONES = ("cold", "cool", "warm")


def asked(dynamics: bool) -> Question:
    """Three scenarios and judgements of little weight, so that what the evidence teaches is much."""
    rows = ((0.7, 0.2, 0.1), (0.2, 0.6, 0.2), (0.1, 0.2, 0.7))
    return question(
        (0.5, 0.3, 0.2),
        (
            binary("raid", (0.8, 0.4, 0.1), 3.0),
            category("tone", TONES, rows, 4.0, persistence=0.5),
            count("clashes", (8.0, 4.0, 1.0), 1.0),
            filed(binary("offer", (0.6, 0.3, 0.1), 4.0, persistence=0.6), since=day(0), lag=0),
        ),
        (source("s", 0.85, 6.0), source("z", 0.6, 4.0), source("y", 0.725, math.inf)),
        4.0,
        weeks=WEEKS,
        dynamics=moves(False) if dynamics else None,
    )


class World:
    """Judgements, a path, what happened and what was stated, drawn from the design's text alone.

    s reports on most cells; so does z, now and then half copying s, and late by a week where it is on its own
    about the raid (nothing goes on from there). Three claims of z are one talk. y, of mean reliability, makes
    a claim about the offer every week, which is filed with a chance by what it claims.
    """

    def __init__(self, q: Question, rng: np.random.Generator) -> None:
        self.q, self.rng, self.claims, self.rows, self.told = q, rng, 0, list[Report](), 0
        named = Evidence((Report("-", day(0), day(0), "raid", "yes", "z", testimony="talk"),))
        self.theta = draw_theta(q, named, rng)
        matrix, s, hidden = np.eye(3), int(rng.choice(3, p=self.theta["prior"])), dict[str, int]()
        if q.dynamics:
            then = np.array(self.theta["then"], float)
            matrix = expm(np.array(self.theta["leave"])[:, None] * (then - np.eye(3)))
        for t in range(WEEKS):
            before, s = s, int(rng.choice(3, p=matrix[s])) if t else s
            for i in q.indicators:
                x = self.value(i, self.theta, s)
                if i.persistence:
                    goes_on = t > 0 and s == before and rng.random() < i.persistence
                    x = hidden[i.id] = hidden[i.id] if goes_on else x
                if i.reporting:
                    self.claim(i, t, x)
                else:
                    self.reports(i, t, x)

    def claim(self, i: Indicator, t: int, x: int) -> None:
        """Make a claim about a cell, and file it or not."""
        nu, d = self.theta["noise"], self.theta["filed"][i.id]
        y = x if self.rng.random() < 0.725 else int(self.rng.random() < nu)
        if self.rng.random() < (d["quiet"] if y == 0 else d["again"] if self.told else d["event"]):
            self.rows.append(report(f"{i.id}{t}y", 7 * t + 3, i.id, i.values[y], "y"))
            self.told = y

    def value(self, i: Indicator, theta: Theta, s: int) -> int:
        judged = theta["likelihood"][i.id][s]
        return int(self.rng.choice(len(i.values), p=judged)) if i.values else int(self.rng.poisson(judged))

    def noise(self, i: Indicator) -> int:
        if i.values:
            return int(self.rng.integers(len(i.values)))
        chance = [float(count_noise(y, [8.0, 4.0, 1.0])) for y in range(4_000)]
        return int(self.rng.choice(4_000, p=np.array(chance) / sum(chance)))  # but for 1 in 40 of the noise

    def reports(self, i: Indicator, t: int, x: int) -> list[tuple[str, int, float]]:
        """Report on a cell; return who stated what, and how far it was his own."""
        stated: list[tuple[str, int, float]] = []
        for name in ("s", "z"):
            if self.rng.random() < 0.3:
                continue
            talk = name == "z" and self.claims < 3
            self.claims += talk
            r = self.theta["testimony"]["talk"] if talk else self.theta["reliability"][name]
            y = x if self.rng.random() < r else self.noise(i)
            copies = name == "z" and bool(stated) and self.rng.random() < 0.5
            if copies and self.rng.random() < 0.5:
                y = stated[0][1]
            stated.append((name, y, 0.5 if copies else 1.0))
            options: dict[str, Any] = {"testimony": "talk"} if talk else {}
            options |= {"repeats": (f"{i.id}{t}s",), "independence": 0.5} if copies else {}
            late = name == "z" and i.id == "raid" and not copies and self.rng.random() < 0.4
            on = 7 * t + 3
            options["known"] = min(on + 7 * late, 7 * WEEKS - 1)
            self.rows.append(
                report(f"{i.id}{t}{name}", on, i.id, i.values[y] if i.values else y, name, **options)
            )
        return stated


@pytest.mark.slow
@pytest.mark.parametrize("dynamics", [False, True])
def test_tails_are_uniform_if_the_model_is_right(dynamics):
    """120 worlds of 5 dates each, ties broken at random: Kolmogorov and Smirnov, seed 8, level 0.001."""
    q, tails = asked(dynamics), list[float]()
    for n in range(120):
        rng = np.random.default_rng([8, n])
        case = Small(q, Evidence(tuple(World(q, rng).rows)), day(7 * WEEKS - 1))
        found = surprise(*run(case, particles=400, chains=2, seed=n), n)
        told = found["tail"].notnull().values
        tail, tied = found["tail"].values[told], found["tied"].values[told]
        tails += (tail + tied * (rng.random(len(tail)) - 0.5)).tolist()
    assert len(tails) > 550
    assert kstest(tails, "uniform").pvalue > 0.001


# --- the particles that are kept ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["everything", "learns_in_part", "late_and_corrected"])
def test_the_particles_kept_of_each_date_stand_for_all(name):
    """At most 100 of a chain; at the end their mean is that of all, to within 6 errors of 100 draws."""
    case = small(name, False)
    problem, (chain,) = run(case, particles=1024)
    assert chain.theta_by_date.shape[0] == len(problem.steps)
    assert 50 < chain.theta_by_date.shape[1] <= 100
    mean, sd = chain.weight[-1] @ chain.theta, chain.theta.std(axis=0)
    assert (np.abs(chain.theta_by_date[-1].mean(axis=0) - mean) <= 0.6 * sd + 1e-12).all()


def test_where_evidence_has_gone_particles_are_weighed_anew(monkeypatch):
    """A correction: theta given all but the new row, against importance sampling. Seed 5, 6 errors."""
    monkeypatch.setattr("forecast.inference.smc.KEPT_PER_DATE", 4000)
    monkeypatch.setattr("forecast.inference.predictive.prequential.PARTICLES", 4000)
    case = small("late_and_corrected", False)
    problem, chains = run(case, particles=4000, seed=5)
    dates = [step.date for step in problem.steps]
    k = next(k for k, on in enumerate(dates) if on >= day(18))  # r1 is told late, r4 corrected to k4
    new = evidence_increment(problem, EvidenceDesign(problem), k)
    assert new.lost
    theta = _particles(chains, k)
    known = _filtered(problem, new.known, new.cells, theta)
    log_weight = _reweighed(problem, theta, new, k)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    old = {r.id for r in case.evidence.known(dates[k - 1])}
    base = Evidence(tuple(r for r in case.evidence.known(dates[k]) if r.id in old))
    sampled = importance_sampling(case.question, base, dates[k], 100_000, 5, names=("now",))
    expected = posterior_theta(case.question, base, sampled)
    for name in ("meeting", "convoy"):
        for s, scenario in enumerate(case.question.scenarios):
            start = problem.layout.starts[f"likelihood {name} {scenario.id}"] + 1
            mean = float(weight @ theta[:, start])
            error = float(np.sqrt((weight**2 * (theta[:, start] - mean) ** 2).sum()))
            value, other = expected["likelihood"][name][s][1]
            assert abs(mean - value) < 6 * math.hypot(error, other)
    now = float(weight @ known.alpha[:, 0, -1, 0])
    assert now == pytest.approx(float(sampled.mean["now"][0]), abs=0.02)


def test_a_model_that_is_wrong_is_surprised():
    """A source stated to be sure, which contradicts what both scenarios all but rule out, six times."""
    q = question(
        (0.5, 0.5),
        tuple(binary(f"sign{n}", (0.02, 0.03), math.inf) for n in range(6)),
        (source("s", 0.99, math.inf),),
        math.inf,
    )
    log = tuple(report(f"r{n}", 7 * (n // 3) + 1, f"sign{n}", "yes") for n in range(6))
    found = surprise(*run(Small(q, Evidence(log), day(13))), 0)
    assert (found["tail"].values < 0.01).all()


@pytest.mark.parametrize("weight", [math.inf, 20.0])
def test_dates_that_nothing_allowed_have_no_surprise(weight):
    """A report of what cannot be, withdrawn two weeks later: nan until then, and the rest goes on."""
    indicators = (binary("raid", (0.0, 0.0), math.inf), binary("offer", (0.3, 0.6), weight))
    q = question((0.6, 0.4), indicators, (source("s", 1.0, math.inf),), weight)
    log = (
        report("a", 1, "offer", "yes"),
        report("b", 8, "raid", "yes"),
        withdraw("c", 22, "b"),
        report("d", 29, "offer", "yes"),
    )
    found = surprise(*run(Small(q, Evidence(log), day(34)), particles=200, chains=2), 0)
    assert np.isnan(found["tail"].values).tolist() == [False, True, True, True, False]
    assert np.isfinite(found["log_score"].values[[0, 4]]).all()


def test_every_small_case_has_its_surprise():
    """With groups, a cap, ratios, likelihoods of 0, units and judgements that may not learn."""
    for name in CASES:
        found = surprise(*run(small(name, False), particles=256, chains=2), 0)
        told = (found["reports"] + found["silences"]).values > 0
        tail, tied = found["tail"].values[told], found["tied"].values[told]
        assert ((tail >= tied / 2) & (tail <= 1 - tied / 2) & (tied >= 0)).all(), name
        assert np.isnan(found["tail"].values[~told]).all()
