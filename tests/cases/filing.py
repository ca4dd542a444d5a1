"""Small questions in which it matters what is filed: its chances are judgements that always learn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from forecast.case.evidence import Evidence
from forecast.case.question import Group, Indicator, Monitored, Reporting
from tests.cases.bricks import (
    Small,
    binary,
    category,
    count,
    day,
    measure,
    question,
    report,
    source,
    swaps,
    weight,
)

TONES = ("none", "oral", "written")
ROWS = ((0.6, 0.3, 0.1), (0.2, 0.5, 0.3))


def filed(indicator: Indicator, **options: Any) -> Indicator:
    """Return an indicator of which it matters what is filed; its first value is the quiet one."""
    return replace(indicator, quiet=indicator.values[0], reporting=Reporting(**options))


def events_filed(exact: bool) -> Small:
    """What happens is filed, what does not is not: two indicators, one reported late, weeks of silence."""
    w = weight(exact)
    q = question(
        (0.6, 0.4),
        (filed(binary("raid", (0.2, 0.5), w)), filed(binary("offer", (0.4, 0.15), w))),
        (source("s", 0.85, w), source("z", 0.6, w)),
        w,
        weeks=8,
    )
    log = (
        report("r1", 1, "raid", "yes"),
        report("r2", 15, "raid", "yes", "z"),
        report("r3", 9, "offer", "yes", "z", known=16),
        report("r4", 29, "raid", "no", "z"),
    )
    return Small(q, Evidence(log), day(45))


def filed_since(exact: bool) -> Small:
    """Watched since a day: silence from then on, and three values of which none is the quiet one."""
    w = weight(exact)
    tone = replace(category("tone", TONES, ROWS, w), reporting=Reporting(since=day(3)))
    raid = filed(binary("raid", (0.2, 0.6), w), since=day(9), lag=2)
    q = question((0.6, 0.4), (raid, tone), (source("s", 0.8, w),), w, dynamics=swaps(exact))
    log = (report("r1", 16, "tone", "written"), report("r2", 23, "raid", "yes"))
    return Small(q, Evidence(log), day(31))


def filed_states(exact: bool) -> Small:
    """States that go on: what goes on is filed anew with a chance of its own; the scenario may move."""
    w = weight(exact)
    front = filed(category("front", TONES, ROWS, w, persistence=0.8))
    camp = filed(binary("camp", (0.2, 0.5), w, persistence=0.6))
    q = question(
        (0.6, 0.4),
        (front, camp),
        (source("s", 0.85, w), source("z", 0.6, w)),
        w,
        dynamics=swaps(exact),
        groups=(Group("both", ("front", "camp"), 0.5),),
        cap=4.0,
    )
    log = (
        report("r1", 1, "front", "written"),
        report("r2", 8, "front", "written", "z"),
        report("r3", 9, "camp", "yes"),
        report("r4", 22, "front", "none"),
        report("r5", 23, "camp", "yes", "z"),
    )
    return Small(q, Evidence(log), day(38))


def filed_pair(exact: bool) -> Small:
    """A pair is one cell; beside it an indicator that is watched, and reports of it good and bad."""
    w = weight(exact)
    watch = Monitored(day(0), day(60), 0.6, lag=2, false_alarm=0.1)
    q = question(
        (0.5, 0.5),
        (
            filed(category("offer", TONES, ROWS, w)),
            filed(binary("answer", (0.3, 0.6), w, given="offer")),
            filed(binary("raid", (0.2, 0.5), w, monitored=watch)),
        ),
        (source("s", 0.85, w), source("z", 0.6, w)),
        w,
    )
    log = (
        report("r1", 1, "offer", "oral"),
        report("r2", 8, "answer", "yes", "z"),
        report("r3", 16, "offer", "none"),
        report("r4", 9, "raid", "yes", "z"),
        report("r5", 16, "raid", "yes"),
    )
    return Small(q, Evidence(log), day(32))


def filed_units(exact: bool) -> Small:
    """Two units share the chances of filing; in each an indicator is watched from its own first report on."""
    w = weight(exact)
    q = question(
        (0.6, 0.4),
        (filed(binary("raid", (0.2, 0.5), w)),),
        (source("s", 0.85, w),),
        w,
        units=("north", "south"),
    )
    log = (
        report("r1", 1, "raid", "yes", unit="north"),
        report("r2", 15, "raid", "yes", unit="south"),
        report("r3", 22, "raid", "yes", unit="north"),
    )
    return Small(q, Evidence(log), day(39))


def off_by_an_error(exact: bool) -> Small:
    """Counts and measures that a reliable report may miss; several of a measure in one cell."""
    w = weight(exact, 5.0)
    q = question(
        (0.5, 0.5),
        (
            count("crowd", (10.0, 25.0), w, dispersion=5.0, error=0.3),
            measure("price", (1.0, 2.0), (0.4, 0.8), w, error=0.3),
        ),
        (source("s", 0.85, w), source("z", 0.6, w), replace(source("y", 0.7, w), error=0.1)),
        w,
    )
    log = (
        report("r1", 1, "crowd", 12),
        report("r2", 2, "crowd", 19, "z"),
        report("r3", 3, "price", 1.7),
        report("r4", 3, "price", 1.9, "z"),
        report("r5", 4, "price", 2.6, "y"),
        report("r6", 9, "crowd", 30, "y"),
        report("r7", 10, "price", 40.0, "z"),
    )
    return Small(q, Evidence(log), day(20))
