"""Small questions: each kind of indicator."""

from __future__ import annotations

from forecast.case.evidence import Evidence
from tests.cases.bricks import (
    Small,
    binary,
    category,
    count,
    day,
    measure,
    question,
    ratio,
    report,
    source,
    weight,
)


def yes_no(exact: bool) -> Small:
    """A yes/no indicator, reports of a source that may err."""
    w = weight(exact)
    q = question((0.7, 0.3), (binary("meeting", (0.1, 0.6), w),), (source("s", 0.85, w),), w)
    log = (
        report("r1", 2, "meeting", "yes"),
        report("r2", 8, "meeting", "no"),
        report("r3", 16, "meeting", "yes"),
        report("c1", -30, note="context"),
    )
    return Small(q, Evidence(log), day(20))


def three_values(exact: bool) -> Small:
    """A category of three values, three scenarios; one value impossible in one scenario."""
    w = weight(exact)
    tone = category(
        "tone",
        ("hostile", "neutral", "friendly"),
        ((0.7, 0.25, 0.05), (0.3, 0.4, 0.3), (0.0, 0.4, 0.6)),
        w,
    )
    q = question((0.5, 0.3, 0.2), (tone,), (source("s", 0.8, w),), w)
    values = ("neutral", "friendly", "hostile", "friendly")
    log = tuple(report(f"r{t}", 7 * t + 3, "tone", v) for t, v in enumerate(values))
    return Small(q, Evidence(log), day(27))


def poisson(exact: bool) -> Small:
    """A count, two of whose reports clash; the count of the unfinished period waits."""
    w = weight(exact, 4.0)
    q = question(
        (0.5, 0.5),
        (count("clashes", (6.0, 3.0), w),),
        (source("s", 0.8, weight(exact)), source("z", 0.6, weight(exact))),
        weight(exact),
    )
    log = (
        report("r1", 5, "clashes", 4),
        report("r2", 6, "clashes", 9, "z"),
        report("r3", 12, "clashes", 0),
        report("r4", 15, "clashes", 8),
    )
    return Small(q, Evidence(log), day(17))


def negative_binomial(exact: bool) -> Small:
    """An overdispersed count; two reports agree, one clashes."""
    w = weight(exact, 4.0)
    q = question(
        (0.4, 0.6),
        (count("clashes", (6.0, 2.0), w, dispersion=2.0),),
        tuple(source(n, r, weight(exact)) for n, r in (("s", 0.8), ("z", 0.6), ("y", 0.5))),
        weight(exact),
    )
    log = (
        report("r1", 5, "clashes", 4),
        report("r2", 5, "clashes", 4, "z"),
        report("r3", 6, "clashes", 7, "y"),
        report("r4", 12, "clashes", 12, "z"),
    )
    return Small(q, Evidence(log), day(14))


def measured(exact: bool) -> Small:
    """A measure whose spread differs between scenarios; the unfinished period waits."""
    w = weight(exact, 5.0)
    price = measure("price", (1.2, 2.0, 1.6), (0.4, 0.5, 1.0), w)
    q = question((0.4, 0.4, 0.2), (price,), (source("s", 0.8, weight(exact)),), weight(exact))
    log = (
        report("r1", 3, "price", 1.7),
        report("r2", 10, "price", 2.4),
        report("r3", 17, "price", 0.9),
        report("r4", 22, "price", 3.0),
    )
    return Small(q, Evidence(log), day(23))


def expert_ratio(exact: bool) -> Small:
    """A ratio: only yes can be reported."""
    w = weight(exact)
    q = question((0.5, 0.3, 0.2), (ratio("view", (1, 2, 4)),), (source("s", 0.7, w),), w)
    log = (report("r1", 1, "view", "yes"), report("r2", 9, "view", "yes", credibility="2"))
    return Small(q, Evidence(log), day(13))
