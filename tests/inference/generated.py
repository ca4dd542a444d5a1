"""Questions and logs that the tests of the engine make up: at random, or of weeks of plain yes and no."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np

from forecast.case.errors import Faults
from forecast.case.evidence import Evidence, Report
from forecast.case.judgement import Positive, Proportions
from forecast.case.question import Group, Indicator, Monitored, Moves, Question, Reporting, Transition
from forecast.case.reader.consistency import check_reports
from forecast.case.reader.question import Outline
from tests.cases import (
    OPENED,
    binary,
    category,
    count,
    day,
    measure,
    question,
    ratio,
    report,
    source,
    withdraw,
)

TONES = ("none", "oral", "written")
NAMES = ("one", "two", "three", "four")
SURE = (source("s", 1.0, math.inf),)


def log_of(yes: tuple[int, ...], weeks: int, seed: int) -> Evidence:
    """So many yes of each indicator, scattered over the weeks."""
    rng = np.random.default_rng(seed)
    reports = []
    for name, k in zip(NAMES, yes, strict=False):
        happened = rng.permutation(weeks) < k
        reports += [report(f"{name}{t}", 7 * t, name, "yes" if y else "no") for t, y in enumerate(happened)]
    return Evidence(tuple(reports))


def static_question(weeks: int, w: float = 20.0) -> Question:
    """Four indicators; the first two scenarios mirror each other."""
    chances = ((0.2, 0.5, 0.8), (0.5, 0.2, 0.8), (0.3, 0.6, 0.9), (0.6, 0.3, 0.1))
    indicators = tuple(binary(n, p, w) for n, p in zip(NAMES, chances, strict=True))
    return question((0.4, 0.35, 0.25), indicators, SURE, w, weeks=weeks)


def a_question(r: random.Random, w: float) -> Question:
    """Return pairs with two children, persistence, silence, groups, cap, units and dynamics as they fall."""
    k = r.choice([2, 3])

    def chances() -> tuple[float, ...]:
        return tuple(r.uniform(0.03, 0.97) for _ in range(k))

    def shares(n: int) -> tuple[float, ...]:
        raw = [r.uniform(0.05, 1) for _ in range(n)]
        return tuple(x / sum(raw) for x in raw)

    def extras() -> dict[str, object]:
        watch = Monitored(day(r.randint(0, 14)), day(r.randint(15, 60)), 0.6, lag=r.choice([0, 3, 9]))
        return {"persistence": r.choice([None, 0.7]), "monitored": r.choice([None, watch])}

    rows = tuple(shares(3) for _ in range(k)), tuple(shares(3) for _ in range(k))
    indicators = (
        category(
            "answer",
            ("refused", "open", "accepted"),
            rows[0],
            w,
            given="offer",
            **{**extras(), "persistence": None},
        ),
        binary("raid", chances(), w, **extras()),
        category("offer", TONES, rows[1], w, **extras()),
        binary("venue", chances(), w, given="offer"),
        count("clashes", tuple(9 * p for p in chances()), w, dispersion=r.choice([None, 2.0])),
        measure("price", chances(), tuple(r.uniform(0.2, 0.6) for _ in range(k)), w),
        ratio("view", tuple(r.uniform(0.5, 4) for _ in range(k))),
        binary("reason", chances(), w, given="view"),
    )
    few = w if math.isinf(w) else r.choice([2.0, 6.0])
    sources = tuple(source(n, r.uniform(0.3, 0.93), few) for n in "szy")
    sources += (source("t", 1.0 if math.isinf(w) else 0.8, few),)
    field = Group("field", ("raid", "clashes", "offer"), r.choice([0.3, 1.0]))
    q = question(
        shares(k), indicators, sources, w, groups=r.choice([(), (field,)]), cap=r.choice([None, 4.0])
    )
    if r.random() < 0.3:
        q = replace(q, units=("north", "south"))
    rates = tuple(Positive(0.0 if i == 2 else 1 / r.choice([0.3, 2, 30]), w) for i in range(k))
    then = tuple(Proportions(tuple(float(j != i) / (k - 1) for j in range(k)), w) for i in range(k))
    moves = Moves(rates, tuple(None if rate.mean == 0 else j for rate, j in zip(rates, then, strict=True)))
    steps = Transition(tuple(Proportions(shares(k), w) for _ in range(k)))
    return replace(q, dynamics=r.choice([None, moves, steps]))


def filed(r: random.Random, q: Question) -> Question:
    """Return the question with what is filed about most of its categories as part of the model."""

    def one(i: Indicator) -> Indicator:
        if i.kind != "category" or r.random() < 0.2:
            return i
        since = r.choice([None, None, day(r.randint(-9, 25))])
        parent = any(other.given == i.id for other in q.indicators)
        choices = [i.values[0]] if i.monitored or parent else [i.values[0], i.values[0], i.values[-1], ""]
        quiet = r.choice(choices)
        return replace(
            i, quiet=quiet, reporting=Reporting(since=since, lag=9 if i.monitored else r.choice([0, 2, 7, 9]))
        )

    return replace(q, indicators=tuple(one(i) for i in q.indicators))


def a_log(r: random.Random, q: Question, last: int) -> tuple[Report, ...]:
    """Return reports, late ones, repeats, corrections (also to other cells) and withdrawals."""
    log: list[Report] = []
    for k in range(40):
        kind, told = r.random(), [x for x in log if x.indicator]
        like = r.choice(told) if told else None
        about = next((i for i in q.indicators if like and i.id == like.indicator), r.choice(q.indicators))
        value = r.choice(about.values) if about.values else r.randint(0, 9)
        value = "yes" if about.kind == "ratio" else value
        on = r.randint(0, last)
        known = min(on + r.choice([0, 0, 3, 15]), last)
        unit = r.choice(q.units) if q.units else ""
        if like is None or kind < 0.6:
            about = r.choice(q.indicators)
            value = r.choice(about.values) if about.values else r.randint(0, 9)
            value = "yes" if about.kind == "ratio" else value
            more = {"by": "t", "testimony": "official"} if kind < 0.06 else {"by": r.choice("szy")}
            new = report(f"r{k}", on, about.id, value, known=known, unit=unit, **more)
            new = replace(new, credibility=r.choice(["", "1", "3"]))
        elif kind < 0.8:
            on, known = (like.date - OPENED).days, r.randint((like.reported - OPENED).days, last)
            new = report(f"r{k}", on, about.id, r.choice([value, like.value]), r.choice("szy"), known=known)
            new = replace(new, repeats=(like.id,), independence=r.choice([None, 0.3, 0.8]), unit=like.unit)
        else:
            known = r.randint((like.reported - OPENED).days, last)
            new = withdraw(f"r{k}", known, like.id)
            if kind < 0.93:
                on = r.choice([(like.date - OPENED).days, r.randint(0, known)])
                new = report(f"r{k}", on, about.id, value, like.source, known=known, unit=like.unit)
                new = replace(new, replaces=like.id)
        faults = Faults("log")
        check_reports([*log, new], Outline.of(q), faults)
        log += [] if faults.noted else [new]
    return tuple(log[: r.randint(4, 20)])
