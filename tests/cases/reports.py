"""Small questions: reliability, credibility, testimony, repeats, corrections."""

from __future__ import annotations

import math
from dataclasses import replace

from forecast.case.evidence import Evidence, Report
from forecast.case.question import (
    CREDIBILITY,
)
from tests.cases.bricks import (
    Small,
    binary,
    day,
    question,
    report,
    source,
    swaps,
    weight,
    withdraw,
)


def agreeing_and_clashing(exact: bool) -> Small:
    """Sources of differing reliability agree in one cell and clash in others; one is mere noise."""
    w = weight(exact)
    q = question(
        (0.6, 0.4),
        (binary("meeting", (0.15, 0.6), w),),
        (source("s", 0.9, w), source("z", 0.55, weight(exact, 10)), source("n", 0.0, math.inf)),
        w,
    )
    log = (
        report("r1", 1, "meeting", "yes"),
        report("r2", 2, "meeting", "yes", "z"),
        report("r3", 8, "meeting", "yes"),
        report("r4", 9, "meeting", "no", "z"),
        report("r5", 15, "meeting", "no"),
        report("r6", 15, "meeting", "yes", "z"),
        report("r7", 16, "meeting", "yes", "n"),
    )
    return Small(q, Evidence(log), day(20))


def graded(exact: bool) -> Small:
    """Credibility from 1 to 6 and not graded, one grade of which the question sets itself."""
    w = weight(exact)
    q = question(
        (0.7, 0.3),
        (binary("meeting", (0.1, 0.6), w), binary("convoy", (0.3, 0.5), w)),
        (source("s", 0.9, w),),
        w,
        credibility={**CREDIBILITY, "3": 0.55},
    )
    grades = ("1", "2", "3", "4", "5", "6", "")
    log = tuple(
        report(f"r{k}", 7 * (k // 2) + 1, name, "yes" if k % 3 else "no", credibility=grade)
        for k, (name, grade) in enumerate(zip(("meeting", "convoy") * 4, grades, strict=False))
    )
    return Small(q, Evidence(log), day(27))


def one_testimony(exact: bool) -> Small:
    """Claims that stand or fall together; exact only where the source is known never to err."""
    w = weight(exact)
    q = question(
        (0.6, 0.4),
        (binary("meeting", (0.2, 0.6), w), binary("convoy", (0.3, 0.7), w)),
        (source("s", 1.0 if exact else 0.8, w), source("z", 0.7, w)),
        w,
    )
    log: tuple[Report, ...] = (
        report("r1", 1, "meeting", "yes", testimony="official"),
        report("r2", 2, "convoy", "yes", testimony="official", credibility="2"),
        report("r3", 8, "meeting", "yes", testimony="official"),
        report("r4", 9, "meeting", "no", "z"),
        report("r5", 9, "convoy", "yes", "z", testimony="exile"),
        report("r6", 16, "convoy", "no", "z"),
    )
    if exact:
        log = tuple(r for r in log if r.testimony != "exile")
    return Small(q, Evidence(log), day(20))


def repeated(exact: bool) -> Small:
    """Repeats of live reports: pure, partly independent, of another value, of several originals."""
    w = weight(exact)
    q = question(
        (0.6, 0.4),
        (binary("meeting", (0.15, 0.6), w),),
        (source("s", 0.8, w), source("z", 0.7, w), source("y", 0.5, w)),
        w,
    )
    log = (
        report("r1", 1, "meeting", "yes"),
        report("r2", 2, "meeting", "yes", "z", repeats=("r1",)),
        report("r3", 3, "meeting", "yes", "y", repeats=("r1",), independence=0.4),
        report("r4", 8, "meeting", "yes"),
        report("r5", 9, "meeting", "no", "z", repeats=("r4",), independence=0.5),
        report("r6", 10, "meeting", "no", "y", repeats=("r4", "r5"), independence=0.2),
        report("r7", 15, "meeting", "no", "y", independence=1.0),
    )
    return Small(q, Evidence(log), day(20))


def repeat_before_original(exact: bool) -> Small:
    """A repeat known before its original stands alone until then, or repeats what its source said before."""
    w = weight(exact)
    q = question(
        (0.6, 0.4), (binary("meeting", (0.15, 0.6), w),), (source("s", 0.8, w), source("z", 0.7, w)), w
    )
    log = (
        report("r1", 2, "meeting", "yes", "z", repeats=("r2",), independence=0.1),
        report("r2", 2, "meeting", "yes", known=11),
        report("r3", 15, "meeting", "no", "z"),
        report("r4", 16, "meeting", "no", "z", repeats=("r5",), independence=0.3),
        report("r5", 17, "meeting", "no", known=24),
    )
    return Small(q, Evidence(log), day(26))


def repeat_of_withdrawn(exact: bool) -> Small:
    """Repeats whose original is withdrawn or corrected: to another value, the same, or there and back."""
    w = weight(exact)
    q = question(
        (0.6, 0.4),
        (binary("meeting", (0.15, 0.6), w), binary("convoy", (0.3, 0.5), w)),
        (source("s", 0.8, w), source("z", 0.7, w), source("y", 0.6, w)),
        w,
    )
    log = (
        report("r1", 1, "meeting", "yes"),
        report("r2", 2, "meeting", "yes", "z", repeats=("r1",), independence=0.3),
        report("r3", 2, "meeting", "yes", "y", repeats=("r1",)),
        report("r4", 3, "convoy", "yes"),
        report("r5", 4, "convoy", "yes", "z", repeats=("r4",), independence=0.3),
        report("r6", 8, "meeting", "yes"),
        report("r7", 9, "meeting", "yes", "z", repeats=("r6",), independence=0.6),
        report("r8", 9, "convoy", "yes"),
        report("r9", 9, "convoy", "yes", "y", repeats=("r8",)),
        withdraw("w1", 12, "r1"),
        replace(report("k4", 3, "convoy", "no", known=15), replaces="r4"),
        replace(report("k6", 8, "meeting", "yes", known=18, credibility="2"), replaces="r6"),
        replace(report("k8", 16, "convoy", "yes", known=19), replaces="r8"),
        report("r10", 22, "convoy", "yes"),
        report("r11", 23, "convoy", "yes", "z", repeats=("r10",), independence=0.3),
        replace(report("k10", 22, "convoy", "no", known=28), replaces="r10"),
        replace(report("k11", 22, "convoy", "yes", known=35), replaces="k10"),
    )
    return Small(q, Evidence(log), day(36))


def one_source_twice(exact: bool) -> Small:
    """Later reports of one source in one cell repeat its first: also once the first is withdrawn."""
    w = weight(exact)
    q = question(
        (0.6, 0.4), (binary("meeting", (0.15, 0.6), w),), (source("s", 0.8, w), source("z", 0.7, w)), w
    )
    log = (
        report("r1", 1, "meeting", "yes"),
        report("r2", 3, "meeting", "yes", known=4),
        report("r3", 2, "meeting", "yes", "z"),
        report("r4", 9, "meeting", "yes", known=12),
        report("r5", 10, "meeting", "yes", independence=0.5),
        report("r6", 15, "meeting", "no"),
        report("r7", 16, "meeting", "yes", independence=0.25),
        report("r8", 17, "meeting", "no", "z", repeats=("r6",), independence=0.5),
        report("r9", 17, "meeting", "no", "z", credibility="2"),
        withdraw("w1", 18, "r1"),
    )
    return Small(q, Evidence(log), day(20))


def late_and_corrected(exact: bool) -> Small:
    """Late reports, corrections of value, of date and of corrections, withdrawals, one of a correction."""
    w = weight(exact)
    q = question(
        (0.6, 0.4),
        (binary("meeting", (0.15, 0.6), w), binary("convoy", (0.4, 0.2), w)),
        (source("s", 0.8, w), source("z", 0.7, w)),
        w,
        dynamics=swaps(exact),
        weeks=7,
    )
    log = (
        report("r1", 2, "meeting", "yes", known=17),
        report("r2", 4, "convoy", "yes"),
        replace(report("k2", 4, "convoy", "no", known=10), replaces="r2"),
        replace(report("k3", 12, "convoy", "yes", known=19), replaces="k2"),
        report("r3", 8, "meeting", "no", "z"),
        withdraw("w3", 23, "r3"),
        report("r4", 15, "meeting", "yes"),
        replace(report("k4", 15, "meeting", "no", known=18), replaces="r4"),
        withdraw("w4", 25, "k4"),
        report("r5", 22, "convoy", "no", "z"),
        report("r6", 30, "meeting", "yes"),
    )
    return Small(q, Evidence(log), day(29))
