"""Small questions: moves, steps, horizons, units, what may learn, and everything at once."""

from __future__ import annotations

from dataclasses import replace

from forecast.case.evidence import Evidence
from forecast.case.judgement import Proportions
from forecast.case.question import (
    Group,
    Indicator,
    Monitored,
    Transition,
)
from tests.cases.bricks import (
    Small,
    binary,
    category,
    count,
    day,
    measure,
    moves,
    question,
    report,
    source,
    swaps,
    weight,
    withdraw,
    yes,
)


def moving(exact: bool) -> Small:
    """Moves in continuous time between three scenarios, one of which is never left; mid-period as-of date."""
    w = weight(exact)
    q = question(
        (0.7, 0.2, 0.1),
        (binary("raid", (0.6, 0.3, 0.1), w), binary("offer", (0.1, 0.5, 0.4), w)),
        (source("s", 0.85, w),),
        w,
        dynamics=moves(exact),
        weeks=8,
    )
    log = (
        report("r1", 1, "raid", "yes"),
        report("r2", 9, "offer", "yes"),
        report("r3", 16, "raid", "no"),
        report("r4", 29, "offer", "yes"),
        report("r5", 30, "raid", "no"),
    )
    return Small(q, Evidence(log), day(31))


def stepping(exact: bool) -> Small:
    """A transition matrix with an impossible step; the as-of date ends a period."""
    w = weight(exact)
    rows = ((0.85, 0.15, 0.0), (0.2, 0.6, 0.2), (0.0, 0.1, 0.9))
    q = question(
        (0.8, 0.1, 0.1),
        (binary("raid", (0.6, 0.3, 0.1), w),),
        (source("s", 0.9, w),),
        w,
        dynamics=Transition(tuple(Proportions(r, w) for r in rows)),
        weeks=8,
    )
    values = ("yes", "no", "no", "yes", "no")
    log = tuple(report(f"r{t}", 7 * t, "raid", v) for t, v in enumerate(values))
    return Small(q, Evidence(log), day(34))


def at_the_horizon(exact: bool) -> Small:
    """The as-of date is the horizon, in the middle of a period."""
    w = weight(exact)
    raid = binary("raid", (0.6, 0.2), w)
    q = question((0.6, 0.4), (raid,), (source("s", 0.9, w),), w, dynamics=swaps(exact))
    q = replace(q, horizon=day(24))
    log = (report("r1", 1, "raid", "yes"), report("r2", 16, "raid", "no"), report("r3", 23, "raid", "no"))
    return Small(q, Evidence(log), day(24))


def nothing_heard(exact: bool) -> Small:
    """No evidence at all."""
    w = weight(exact)
    raid = binary("raid", (0.6, 0.2), w)
    q = question((0.6, 0.4), (raid,), (source("s", 0.9, w),), w, dynamics=swaps(exact))
    return Small(q, Evidence(), day(17))


def daily(exact: bool) -> Small:
    """Periods of a day."""
    w = weight(exact)
    raid = binary("raid", (0.6, 0.2), w)
    q = question((0.6, 0.4), (raid,), (source("s", 0.9, w),), w, dynamics=swaps(exact))
    q = replace(q, period_days=1, horizon=day(6))
    log = (
        report("r1", 0, "raid", "yes"),
        report("r2", 2, "raid", "no", known=3),
        report("r3", 3, "raid", "no"),
    )
    return Small(q, Evidence(log), day(4))


def of_units(exact: bool) -> Small:
    """Two units with courses of their own, taught by shared judgements; persistence and a group per unit."""
    w = weight(exact)
    q = question(
        (0.6, 0.4),
        (binary("raid", (0.6, 0.2), w, persistence=0.7), binary("offer", (0.2, 0.5), w)),
        (source("s", 0.8, w), source("z", 0.6, w)),
        w,
        dynamics=swaps(exact),
        units=("north", "south"),
        groups=(Group("all", ("raid", "offer"), 0.5),),
    )
    log = (
        report("r1", 1, "raid", "yes", unit="north"),
        report("r2", 1, "raid", "no", unit="south"),
        report("r3", 8, "raid", "yes", unit="north"),
        report("r4", 9, "offer", "yes", unit="south"),
        report("r5", 9, "offer", "yes", "z", unit="south"),
        report("r6", 16, "offer", "no", "z", unit="north"),
        report("r7", 16, "raid", "no", unit="north"),
        report("r8", 8, "raid", "no", unit="south", known=18),
        report("r9", 8, "raid", "no", "z", unit="north", known=18),
    )
    return Small(q, Evidence(log), day(22))


def units_static(exact: bool) -> Small:
    """Two static units, one of them without any evidence."""
    w = weight(exact)
    q = question(
        (0.5, 0.3, 0.2),
        (binary("raid", (0.7, 0.4, 0.1), w),),
        (source("s", 0.8, w),),
        w,
        units=("north", "south"),
    )
    log = (report("r1", 1, "raid", "no", unit="north"), report("r2", 8, "raid", "no", unit="north"))
    return Small(q, Evidence(log), day(13))


def learns_nothing(exact: bool) -> Small:
    """No judgement may be revised by the evidence."""
    w = weight(exact, 10.0)
    q = question((0.6, 0.4), (binary("raid", (0.5, 0.2), w),), (source("s", 0.8, w),), w)
    raid = q.indicators[0]
    fixed = tuple(replace(j, learn=False) for j in raid.likelihood)
    q = replace(
        q,
        prior=replace(q.prior, learn=False),
        indicators=(replace(raid, likelihood=fixed),),
        sources=(replace(q.sources[0], reliability=yes(0.8, w, learn=False)),),
    )
    log = tuple(report(f"r{t}", 7 * t + 1, "raid", "no") for t in range(4))
    return Small(q, Evidence(log), day(27))


def learns_in_part(exact: bool) -> Small:
    """Moves and one indicator may not be revised, the rest may."""
    w = weight(exact, 10.0)
    fixed = tuple(yes(p, w, learn=False) for p in (0.5, 0.2))
    rows = (Proportions((0.8, 0.2), w, learn=False), Proportions((0.3, 0.7), w, learn=False))
    q = question(
        (0.6, 0.4),
        (Indicator("raid", "raid", "category", ("no", "yes"), fixed), binary("offer", (0.2, 0.5), w)),
        (source("s", 0.8, w),),
        w,
        dynamics=Transition(rows),
    )
    log = (
        report("r1", 1, "raid", "no"),
        report("r2", 2, "offer", "yes"),
        report("r3", 8, "raid", "no"),
        report("r4", 15, "offer", "yes"),
        report("r5", 15, "raid", "no"),
    )
    return Small(q, Evidence(log), day(20))


def everything(exact: bool) -> Small:
    """Many clauses at once, so that they meet."""
    w = weight(exact)
    watch = Monitored(day(0), day(60), 0.6, lag=4)
    tones = ((0.7, 0.2, 0.1), (0.4, 0.4, 0.2), (0.1, 0.3, 0.6))
    q = question(
        (0.6, 0.3, 0.1),
        (
            binary("raid", (0.5, 0.3, 0.1), w, persistence=0.6, monitored=watch),
            category("tone", ("cold", "cool", "warm"), tones, w),
            count("clashes", (6.0, 4.0, 2.0), weight(exact, 4), dispersion=3.0),
            measure("price", (1.0, 1.5, 2.0), (0.5, 0.5, 0.5), weight(exact, 5)),
            binary("offer", (0.1, 0.4, 0.6), w),
            binary("answer", (0.1, 0.4, 0.7), w, given="offer"),
        ),
        (source("s", 0.85, w), source("z", 0.6, weight(exact, 10))),
        w,
        dynamics=moves(exact),
        cap=6.0,
        groups=(Group("field", ("raid", "clashes"), 0.4),),
    )
    log = (
        report("r1", 1, "raid", "yes"),
        report("r2", 2, "raid", "yes", "z", repeats=("r1",), independence=0.3),
        report("r3", 5, "clashes", 5),
        report("r4", 6, "clashes", 7, "z", credibility="3"),
        report("r5", 8, "tone", "warm", "z"),
        report("r6", 9, "price", 1.9),
        report("r7", 15, "offer", "yes", credibility="2"),
        report("r8", 16, "answer", "yes", "z", known=22),
        report("r9", 17, "clashes", 2),
        withdraw("w1", 23, "r1"),
        report("r10", 23, "price", 2.2),
        report("r11", 23, "tone", "cool"),
    )
    return Small(q, Evidence(log), day(25))
