"""Simulated questions whose answers are known, and the logs that different people would keep of them.

The judgements are right on average: a rate is drawn from the Beta that its judgement stands for. What differs
from world to world is how the log comes about: what is filed, and what is not; or what is wrong with the
judgements after all.

- :func:`static`: the truth is one of three scenarios; six indicators in each of twelve weeks; sources of
  grades B, C and D.
- :func:`misjudged`: the same, but for a fault in the judgements or in what is taken to be independent.
- :func:`persistent`: the same with one source, and with four indicators that are states which go on.
- :func:`deadline`: whether something happens by a week; what is said of preparations is wrong by up to two.

A world is drawn from its number alone, so that others can draw the same one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import ndtr

from forecast.case.elicitation import plain, stay_interval, yes
from forecast.case.evidence import Evidence, Report
from forecast.case.judgement import LogitNormal, Proportions
from forecast.case.question import Event, Indicator, Question, Reporting, Scenario, Source

Timing = Literal["steady", "late"]

OPENED = date(2020, 1, 6)
WEEKS, INDICATORS, SCENARIOS = 12, 6, 3
WEIGHT = 20.0
#: Reliability by grade, of weight 10, and the share of the cells that sources of the grade speak of.
GRADES: Mapping[str, tuple[float, float]] = {"B": (0.85, 0.4), "C": (0.65, 0.35), "D": (0.4, 0.25)}
#: The chance that a claim of no, and one of yes, is filed.
BY_CLAIM: Mapping[str, tuple[float, float]] = {
    "sparse": (0.01, 0.25),
    "mostly": (0.15, 0.6),
    "nos": (0.6, 0.2),
    "all": (0.5, 0.5),
}
EVENTS, TRUTH, MIXED = (
    (0.03, 0.7),
    (0.1, 0.7),
    (0.1, 0.6),
)  # by what is true: a false alarm, an event
WATCHED = ("claims", "hetero", "attention", "halfwatched")  # a claim of yes is filed by whoever watches
STATIC = ("events", "claims", "hetero", "attention", "halfwatched", "sparse", "mostly", "nos", "truth", "all")
#: What is wrong in :func:`misjudged`, of which the question says nothing.
FAULTS: Mapping[str, str] = {
    "nothing": "nothing",
    "exaggerated": "scenarios differ half as much, in log odds, as was said",
    "overconfident": "rates scatter as if a judgement were worth 5 past cases, not 20",
    "bad sources": "every source is less reliable by .25",
    "copies": "each other source passes a report on with chance .5, as if it were its own",
    "common causes": "what happens in a week has a correlation of .5",
    "persistence": "what is so in one week stays so in the next with chance .85",
}


class Change(NamedTuple):
    """The chance that a week of a state is filed, by what happens to it."""

    begins: float
    goes_on: float
    ends: float
    absent: float


CHANGES: Mapping[str, Change] = {
    "onset": Change(0.7, 0.05, 0.15, 0.03),
    "changes": Change(0.7, 0.1, 0.7, 0.03),
}
PERSISTENT = (*CHANGES, "weekly", "all")
LASTING, PERSISTENCE = 4, 0.85  # so many indicators go on from week to week with this chance
TELLS, TELLS_WEIGHT = 0.9, 20.0  # the one source of persistent states
SPAN = (12, 26, 52)  # weeks of a deadline
ASKED = (1 / 6, 1 / 3, 1 / 2, 2 / 3, 5 / 6)  # of the span
PREPARES = 6.5  # weeks that a preparation lasts, on average
DEADLINE_SOURCE = (0.97, 30.0)
DEADLINE_LOGS = ("events", "all", "mixed")


@dataclass(frozen=True)
class World:
    """A question, its log, the dates on which it is asked, and how it came out.

    ``preparing``: whether, on each of those dates, something was being prepared (in vain or not).
    """

    question: Question
    evidence: Evidence
    as_of: tuple[date, ...]
    outcome: str
    preparing: tuple[bool, ...] = ()


def day(n: int) -> date:
    """Return the n-th day from the opening on."""
    return OPENED + timedelta(days=n)


def reported(question: Question, reporting: Reporting | None) -> Question:
    """Return a question with another account of how its log came about; None: none."""
    kept = tuple(replace(indicator, reporting=reporting) for indicator in question.indicators)
    return replace(question, indicators=kept)


# --- a fixed truth -----------------------------------------------------------------------------------------


def static(kind: str, number: int) -> World:
    """Return a question of a fixed truth whose log is kept in a way of STATIC."""
    rng = np.random.default_rng([number, 79])
    truth = _truth(rng)
    stated = np.array([mean for mean, _ in GRADES.values()])
    reliability = rng.beta(10 * stated, 10 * (1 - stated))
    shares = [share for _, share in GRADES.values()]
    who = rng.choice(len(GRADES), size=(WEEKS, INDICATORS), p=shares)
    attention = np.where(rng.random(WEEKS) < 0.5, 0.3, 1.0)
    watched = rng.beta(1.2, 1, INDICATORS) if kind == "hetero" else np.full(INDICATORS, EVENTS[1])
    if kind == "halfwatched":
        watched[INDICATORS // 2 :] = 0.0
    if kind != "attention":
        attention[:] = 1.0
    log = _Log()
    for week, i in np.ndindex(WEEKS, INDICATORS):
        happened = bool(rng.random() < truth.rate[i])
        claim = _told(rng, happened, reliability[who[week, i]])
        chance, value = _filed(kind, happened, claim, float(watched[i] * attention[week]))
        if rng.random() < chance:
            log.add(week, i, value, tuple(GRADES)[who[week, i]])
    sources = tuple(_source(grade, mean, 10.0) for grade, (mean, _) in GRADES.items())
    return _world(truth, log, sources, {})


def misjudged(fault: str, kind: str, number: int) -> World:
    """Return a question of a fixed truth with one of FAULTS; its log is kept in a way of STATIC."""
    rng = np.random.default_rng([number, 97, list(FAULTS).index(fault)])
    truth = _with_rates(_truth(rng), fault, rng)
    stated = np.array([mean for mean, _ in GRADES.values()])
    real = stated - 0.25 if fault == "bad sources" else stated
    reliability = rng.beta(10 * real, 10 * (1 - real))
    who = rng.choice(len(GRADES), size=(WEEKS, INDICATORS), p=[share for _, share in GRADES.values()])
    common = rng.normal(size=WEEKS)
    log, names, before = _Log(), tuple(GRADES), np.zeros(INDICATORS, bool)
    for week, i in np.ndindex(WEEKS, INDICATORS):
        happened = bool(rng.random() < truth.rate[i])
        if fault == "common causes":
            draw = math.sqrt(0.5) * (common[week] + rng.normal())
            happened = bool(ndtr(draw) < truth.rate[i])
        if fault == "persistence" and week > 0 and rng.random() < PERSISTENCE:
            happened = bool(before[i])
        before[i] = happened
        claim = _told(rng, happened, float(reliability[who[week, i]]))
        chance, value = _filed(kind, happened, claim, EVENTS[1])
        if rng.random() < chance:
            log.add(week, i, value, names[who[week, i]])
            others = [name for n, name in enumerate(names) if n != who[week, i]]
            for name in others if fault == "copies" else ():
                if rng.random() < 0.5:
                    log.add(week, i, value, name)
    sources = tuple(_source(grade, mean, 10.0) for grade, (mean, _) in GRADES.items())
    return _world(truth, log, sources, {})


def _with_rates(truth: _Truth, fault: str, rng: np.random.Generator) -> _Truth:
    """Return a truth whose rates are not those that the judgements stand for."""
    k = truth.scenario
    if fault == "exaggerated":
        logit = np.log(truth.judged / (1 - truth.judged))
        middle = logit.mean(axis=1, keepdims=True)
        milder = np.clip(1 / (1 + np.exp(-(middle + (logit - middle) / 2))), 0.02, 0.98)
        return truth._replace(rate=_rates(rng, milder)[:, k])
    if fault == "overconfident":
        judged = truth.judged[:, k]
        weight = np.maximum(WEIGHT, 1 / np.minimum(judged, 1 - judged)) / 4
        return truth._replace(rate=np.clip(rng.beta(weight * judged, weight * (1 - judged)), 1e-4, 1 - 1e-4))
    return truth


def persistent(kind: str, number: int) -> World:
    """Return a question of a fixed truth, with states that go on; its log is kept in a way of PERSISTENT."""
    rng = np.random.default_rng([number, 77])
    truth, log = _truth(rng), _Log()
    states = np.zeros(INDICATORS, bool)
    for week, i in np.ndindex(WEEKS, INDICATORS):
        before, lasting = bool(states[i]), i < LASTING
        fresh = bool(rng.random() < truth.rate[i])
        held = week > 0 and lasting and bool(rng.random() < PERSISTENCE)
        states[i] = now = before if held else fresh
        draw = rng.random()
        told = now if rng.random() < TELLS or rng.random() < 0.5 else not now
        if kind == "all":
            chance, value = 0.5, told
        elif kind == "weekly" or not lasting:
            chance, value = (0.65 if now else 0.03), True
        else:
            chance, value = _state_filed(CHANGES[kind], before, now)
        if draw < chance:
            log.add(week, i, value, "o")
    source = _source("o", TELLS, TELLS_WEIGHT)
    return _world(truth, log, (source,), dict.fromkeys(range(LASTING), PERSISTENCE))


class _Truth(NamedTuple):
    prior: np.ndarray  # (SCENARIOS,)
    scenario: int
    judged: np.ndarray  # (INDICATORS, SCENARIOS) as the analyst has it
    rate: np.ndarray  # (INDICATORS,) of yes, as it is under the true scenario


class _Log:
    """The reports filed so far."""

    def __init__(self) -> None:
        self.reports: list[Report] = []

    def add(self, week: int, indicator: int, value: bool, source: str) -> None:
        when = day(7 * week + 2)
        name, told = f"r{len(self.reports)}", "yes" if value else "no"
        self.reports.append(Report(name, when, when, f"i{indicator}", told, source))

    def evidence(self) -> Evidence:
        return Evidence(tuple(self.reports))


def _truth(rng: np.random.Generator) -> _Truth:
    prior = np.maximum(rng.dirichlet(np.full(SCENARIOS, 3.0)), 0.03)
    prior /= prior.sum()
    scenario = int(rng.choice(SCENARIOS, p=prior))
    logit = rng.normal(-1, 1, (INDICATORS, 1)) + rng.normal(0, 1, (INDICATORS, SCENARIOS))
    judged = np.clip(1 / (1 + np.exp(-logit)), 0.02, 0.98)
    return _Truth(prior, scenario, judged, _rates(rng, judged)[:, scenario])


def _rates(rng: np.random.Generator, judged: np.ndarray) -> np.ndarray:
    """Draw the rates that judgements stand for."""
    weight = np.maximum(WEIGHT, 1 / np.minimum(judged, 1 - judged))
    return np.clip(rng.beta(weight * judged, weight * (1 - judged)), 1e-4, 1 - 1e-4)


def _told(rng: np.random.Generator, happened: bool, reliability: float) -> bool:
    """Draw what a source claims: what happened, or anything."""
    return happened if rng.random() < reliability else bool(rng.random() < 0.5)


def _filed(kind: str, happened: bool, claim: bool, watched: float) -> tuple[float, bool]:
    """Return the chance that a cell of a static world is filed, and the value that is."""
    if kind == "events":
        return EVENTS[happened], True
    if kind == "truth":
        return TRUTH[happened], claim
    if kind in WATCHED:
        return (watched if claim else 0.0), True
    return BY_CLAIM[kind][claim], claim


def _state_filed(change: Change, before: bool, now: bool) -> tuple[float, bool]:
    """Return the chance that a week of a state is filed, and the value that is: an end is told as no."""
    if now:
        return (change.goes_on if before else change.begins), True
    return (change.ends, False) if before else (change.absent, True)


def _world(truth: _Truth, log: _Log, sources: tuple[Source, ...], persistence: dict[int, float]) -> World:
    """Return the world of a fixed truth, its numbers rounded as in a file."""
    ids = tuple(f"s{k}" for k in range(SCENARIOS))
    prior = [round(float(p), 6) for p in truth.prior[:-1]]
    question = Question(
        title="A simulated question",
        opened=OPENED,
        horizon=day(7 * WEEKS + 30),
        scenarios=tuple(Scenario(id, id) for id in ids),
        prior=plain([*prior, round(1 - sum(prior), 6)], math.inf, floor=True),
        indicators=_indicators(truth.judged, persistence),
        sources=sources,
        static=True,
    )
    return World(question, log.evidence(), (day(7 * WEEKS + 6),), ids[truth.scenario])


def _indicators(judged: np.ndarray, persistence: Mapping[int, float]) -> tuple[Indicator, ...]:
    return tuple(
        Indicator(
            f"i{i}",
            f"i{i}",
            "category",
            ("no", "yes"),
            tuple(plain(yes(round(float(p), 6)), WEIGHT, floor=True) for p in row),
            persistence=persistence.get(i),
            quiet="no",
            reporting=Reporting(),
        )
        for i, row in enumerate(judged)
    )


def _source(id: str, reliability: float, weight: float) -> Source:
    return Source(id, id, Proportions((1 - reliability, reliability), weight))


# --- a deadline --------------------------------------------------------------------------------------------


class _Course(NamedTuple):
    """What happens before a deadline."""

    weeks: int  # to the deadline
    chance: float  # that it happens by then
    when: int  # the week after which it has happened; beyond `weeks` if it does not happen in time
    judged: np.ndarray  # (I, 2) yes while nothing, and while something is being prepared
    rate: np.ndarray  # (I, 2) as it is
    preparing: np.ndarray  # (weeks,) 1 while something is being prepared, 0 otherwise


def deadline(
    number: int, *, timing: Timing = "steady", log: str = "events", bluffs: float = 0.5, graded: bool = False
) -> World:
    """Return a question of whether something happens by a week, asked while it has not.

    Parameters
    ----------
    number : int
        Which world; its remainder by 3 is that of the weeks: 12, 26 or 52.
    timing : {"steady", "late"}
        Whether the event is as likely in each week, or ever likelier towards the deadline.
    log : {"events", "all", "mixed"}
        What is filed: what happened and a few false yeses; half of all claims; mostly what happened.
    bluffs : float
        Preparations that are called off, on average, for each event.
    graded : bool
        Sources of grades B, C and D, in place of one that is nearly always right.
    """
    rng = np.random.default_rng([number, 83])
    course, written = _course(rng, number, timing, bluffs), _Log()
    grades = _Graders(number) if graded else None
    for week in range(min(course.weeks, course.when)):
        for i, row in enumerate(course.rate):
            happened = bool(rng.random() < row[course.preparing[week]])
            told = _told(rng, happened, DEADLINE_SOURCE[0])
            source, claim = grades.claim(happened) if grades else ("o", told)
            chance, value = _deadline_filed(log, happened, claim)
            if rng.random() < chance:
                written.add(week, i, value, source)
    stays = PREPARES * math.exp(rng.uniform(-math.log(2), math.log(2)))
    ends_in_event = float(rng.choice([0.3, 0.5, 0.7]))
    weeks = [w for w in sorted({round(course.weeks * share) for share in ASKED}) if w < course.when]
    return World(
        _deadline_question(course, stays, ends_in_event, graded),
        written.evidence(),
        tuple(day(7 * w - 1) for w in weeks),
        "yes" if course.when <= course.weeks else "no",
        tuple(bool(course.preparing[w - 1]) for w in weeks),
    )


class _Graders:
    """Sources of grades B, C, D with reliabilities of their own, drawn apart from everything else."""

    def __init__(self, number: int) -> None:
        self.rng = np.random.default_rng([number, 89])
        stated = np.array([mean for mean, _ in GRADES.values()])
        self.reliability = self.rng.beta(10 * stated, 10 * (1 - stated))

    def claim(self, happened: bool) -> tuple[str, bool]:
        who = int(self.rng.choice(len(GRADES), p=[share for _, share in GRADES.values()]))
        return tuple(GRADES)[who], _told(self.rng, happened, self.reliability[who])


def _course(rng: np.random.Generator, number: int, timing: Timing, bluffs: float) -> _Course:
    weeks = SPAN[number % len(SPAN)]
    chance, draw = rng.uniform(0.05, 0.6), rng.random()
    if timing == "steady":
        when = math.ceil(np.log(1 - draw) / np.log(1 - chance) * weeks)
    else:
        when = math.ceil(weeks * rng.random() ** 0.25) if draw < chance else 10**6
    when = max(when, 1)
    lead, indicators = int(rng.integers(3, 11)), int(rng.integers(6, 11))
    quiet = rng.uniform(0.02, 0.3, indicators)
    odds = quiet / (1 - quiet) * np.exp(rng.uniform(np.log(2), np.log(10), indicators))
    judged = np.stack([quiet, odds / (1 + odds)], axis=1)
    rate, preparing = _rates(rng, judged), np.zeros(weeks, int)
    preparing[max(when - lead, 0) : when] = 1
    for _ in range(rng.poisson(bluffs * chance)):
        begin = int(rng.integers(-5, weeks + 1))
        preparing[max(begin, 0) : max(begin + int(rng.integers(3, 11)), 0)] = 1
    return _Course(weeks, chance, when, judged, rate, preparing)


def _deadline_filed(log: str, happened: bool, claim: bool) -> tuple[float, bool]:
    """Return the chance that a cell is filed, and the value that is."""
    if log == "events":
        return EVENTS[happened], True
    return (0.5 if log == "all" else MIXED[happened]), claim


def _deadline_question(course: _Course, stays: float, ends_in_event: float, graded: bool) -> Question:
    no = round(1 - course.chance, 6)
    sources = tuple(_source(grade, mean, 10.0) for grade, (mean, _) in GRADES.items())
    return Question(
        title="Will it have happened?",
        opened=OPENED,
        horizon=day(7 * course.weeks + 2),
        scenarios=(Scenario("no", "no"), Scenario("yes", "yes")),
        prior=plain([no, round(1 - no, 6)], math.inf, floor=True),
        indicators=_indicators(course.judged, {}),
        sources=sources if graded else (_source("o", *DEADLINE_SOURCE),),
        dynamics=Event(
            0, (stay_interval(round(stays / 2, 3), round(stays * 2, 3)),), (LogitNormal(ends_in_event),)
        ),
    )


def contradictory(question: Question) -> bool:
    """Tell whether the numbers of an event question contradict each other, at what was said.

    The event would have to be in preparation all the time, or more.
    """
    event = question.event
    assert event is not None
    eta = -math.log(question.prior.mean[event.status_quo]) / question.period(question.horizon)
    stays, ends = 1 / event.leave[0].mean, event.ends_in_event[0].median
    return eta * stays >= 1 or eta * stays / ends >= 1


def decayed(question: Question, as_of: date) -> float:
    """Return the chance by the horizon of what has not happened yet, without news."""
    event = question.event
    assert event is not None
    last = question.period(question.horizon)
    left = (last - question.period(as_of)) / last
    return 1 - question.prior.mean[event.status_quo] ** left
