"""Small questions: persistence, silence, pairs, groups, cap and the residual scenario."""

from __future__ import annotations

import math
from dataclasses import replace

from forecast.case.evidence import Evidence
from forecast.case.judgement import MeasureMean, Positive
from forecast.case.question import (
    Group,
    Indicator,
    Monitored,
)
from tests.cases.bricks import (
    Small,
    binary,
    category,
    count,
    day,
    question,
    ratio,
    report,
    source,
    swaps,
    weight,
    yes,
)


def persistent(exact: bool) -> Small:
    """A state that goes on, with a gap of two periods, after a clash and after a tie."""
    w = weight(exact)
    rows = ((0.7, 0.2, 0.1), (0.3, 0.3, 0.4))
    front = category("front", ("none", "talks", "joint"), rows, w, persistence=0.8)
    q = question((0.6, 0.4), (front,), (source("s", 0.8, w), source("z", 0.7, w), source("y", 0.7, w)), w)
    log = (
        report("r1", 1, "front", "joint"),
        report("r2", 2, "front", "none", "z"),
        report("r3", 15, "front", "joint"),
        report("r4", 22, "front", "joint", "z"),
        report("r5", 23, "front", "talks", "y"),
        report("r6", 29, "front", "talks"),
    )
    return Small(q, Evidence(log), day(33))


def persistent_silence(exact: bool) -> Small:
    """Silence says that a state is quiet, and the next period starts from there."""
    w = weight(exact)
    watch = Monitored(day(0), day(60), 0.7, lag=3)
    front = binary("front", (0.1, 0.5), w, persistence=0.9, monitored=watch)
    q = question((0.6, 0.4), (front,), (source("s", 0.6, w),), w, dynamics=swaps(exact))
    log = (report("r1", 8, "front", "yes"), report("r2", 23, "front", "yes", credibility="5"))
    return Small(q, Evidence(log), day(32))


def silence(exact: bool) -> Small:
    """Silence counts from `since` to `until`, once the lag has passed; quiet reports leave it standing."""
    w = weight(exact)
    watch = Monitored(day(9), day(29), 0.6, lag=9, false_alarm=0.1)
    rows = ((0.8, 0.15, 0.05), (0.4, 0.4, 0.2))
    meeting = category("meeting", ("no", "low", "high"), rows, w, monitored=watch)
    q = question((0.5, 0.5), (meeting,), (source("s", 0.8, w),), w, weeks=8)
    log = (
        report("r1", 15, "meeting", "no"),
        report("r2", 22, "meeting", "low", known=36),
        report("r3", 36, "meeting", "high"),
    )
    return Small(q, Evidence(log), day(50))


def given_pair(exact: bool) -> Small:
    """An answer exists only if there was an offer: heard with and without the offer, and silent."""
    w = weight(exact)
    watch = Monitored(day(0), day(60), 0.5, lag=0, false_alarm=0.1)
    offer = category("offer", ("none", "oral", "written"), ((0.6, 0.3, 0.1), (0.2, 0.4, 0.4)), w)
    answer = category(
        "answer",
        ("refused", "open", "accepted"),
        ((0.7, 0.2, 0.1), (0.2, 0.3, 0.5)),
        w,
        given="offer",
        monitored=watch,
    )
    q = question((0.6, 0.4), (offer, answer), (source("s", 0.8, w), source("z", 0.6, w)), w)
    log = (
        report("r1", 1, "offer", "written"),
        report("r2", 3, "answer", "accepted", "z"),
        report("r3", 9, "answer", "open"),
        report("r4", 10, "answer", "accepted", "z"),
        report("r5", 16, "offer", "none"),
        report("r6", 17, "answer", "refused", "z"),
        report("r7", 23, "offer", "oral", "z"),
        report("r8", 29, "answer", "refused", "s"),
    )
    return Small(q, Evidence(log), day(31))


def given_unmonitored(exact: bool) -> Small:
    """A parent that goes on with two children, and a ratio for a parent."""
    w = weight(exact)
    q = question(
        (0.6, 0.4),
        (
            binary("offer", (0.2, 0.5), w, persistence=0.7),
            binary("answer", (0.2, 0.6), w, given="offer"),
            binary("venue", (0.4, 0.5), w, given="offer"),
            ratio("view", (1, 3)),
            binary("reason", (0.3, 0.6), w, given="view"),
        ),
        (source("s", 0.8, w), source("z", 0.6, w)),
        w,
    )
    log = (
        report("r1", 1, "offer", "yes"),
        report("r2", 3, "answer", "yes", "z"),
        report("r3", 9, "answer", "no"),
        report("r4", 10, "venue", "yes", "z"),
        report("r5", 16, "reason", "yes", "z"),
        report("r6", 17, "view", "yes", "s"),
        report("r7", 17, "offer", "no", "s"),
        report("r8", 23, "reason", "no", "s"),
    )
    return Small(q, Evidence(log), day(27))


def grouped(exact: bool) -> Small:
    """Indicators that move together, one of them silent, one a count, one head of a pair."""
    w = weight(exact)
    watch = Monitored(day(0), day(60), 0.7)
    q = question(
        (0.5, 0.5),
        (
            binary("raid", (0.2, 0.6), w, monitored=watch),
            count("clashes", (6.0, 3.0), weight(exact, 4)),
            binary("offer", (0.2, 0.5), w),
            binary("answer", (0.2, 0.6), w, given="offer"),
            binary("alone", (0.3, 0.6), w),
        ),
        (source("s", 0.8, w),),
        w,
        groups=(Group("field", ("raid", "clashes", "offer"), 0.4),),
    )
    log = (
        report("r1", 1, "raid", "yes"),
        report("r2", 2, "clashes", 3),
        report("r3", 3, "alone", "yes"),
        report("r4", 9, "clashes", 5),
        report("r5", 10, "offer", "yes"),
        report("r6", 11, "answer", "no"),
        report("r7", 16, "alone", "no"),
        report("r8", 16, "raid", "yes"),
    )
    return Small(q, Evidence(log), day(20))


def capped(exact: bool) -> Small:
    """No cell favours one scenario over another by more than a factor of 3, within a group or alone."""
    w = weight(exact)
    q = question(
        (0.6, 0.3, 0.1),
        (
            binary("raid", (0.05, 0.3, 0.9), w),
            binary("offer", (0.1, 0.5, 0.8), w),
            binary("mild", (0.2, 0.5, 0.8), w),
        ),
        (source("s", 0.9, w),),
        w,
        cap=3.0,
        groups=(Group("field", ("raid", "mild"), 0.9),),
    )
    log = (
        report("r1", 1, "raid", "yes"),
        report("r2", 2, "mild", "yes"),
        report("r3", 9, "offer", "yes"),
        report("r4", 16, "offer", "no"),
        report("r5", 16, "mild", "no"),
        report("r6", 22, "raid", "no"),
        report("r7", 23, "mild", "no"),
    )
    return Small(q, Evidence(log), day(27))


def residual(exact: bool) -> Small:
    """A residual scenario: its judgements are the average of the others', of weight 2."""
    w, little = weight(exact), weight(exact, 2.0)
    price_sd = math.sqrt((0.4**2 + 0.6**2) / 2 + 0.25)
    q = question(
        (0.6, 0.35, 0.05),
        (
            replace(binary("raid", (0.1, 0.7), w), likelihood=(yes(0.1, w), yes(0.7, w), yes(0.4, little))),
            Indicator(
                "clashes",
                "clashes",
                "count",
                (),
                (Positive(6.0, 6 * w), Positive(2.0, 2 * w), Positive(4.0, 4 * little)),
            ),
            Indicator(
                "price",
                "price",
                "measure",
                (),
                (MeasureMean(1.0, 0.4, w), MeasureMean(2.0, 0.6, w), MeasureMean(1.5, price_sd, little)),
            ),
        ),
        (source("s", 0.9, w),),
        w,
        residual=True,
    )
    log = (
        report("r1", 1, "raid", "yes"),
        report("r2", 2, "clashes", 9),
        report("r3", 3, "price", 3.1),
        report("r4", 8, "raid", "yes"),
        report("r5", 9, "clashes", 8),
    )
    return Small(q, Evidence(log), day(13))
