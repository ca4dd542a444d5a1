"""Small event questions: one outcome and two, steady and late, with states that go on and what is filed."""

from __future__ import annotations

from dataclasses import replace

from forecast.case.evidence import Evidence
from forecast.case.judgement import LogitNormal, Positive
from forecast.case.question import Event, Group, Question
from tests.cases.bricks import Small, binary, category, day, question, report, source, weight, withdraw
from tests.cases.filing import ROWS, TONES, filed


def prepared(
    exact: bool, lasts: tuple[float, ...], shares: tuple[float, ...], *, late: bool = False, quiet: int = 0
) -> Event:
    """Return an event block."""
    leave = tuple(Positive(1 / m, weight(exact)) for m in lasts)
    ends = tuple(LogitNormal(s, 0.0 if exact else 1.0) for s in shares)
    return Event(quiet, leave, ends, "late" if late else "steady")


def one_outcome(exact: bool) -> Small:
    """Signs of a preparation come and go; the chance by the horizon decays without them."""
    w = weight(exact)
    q = question(
        (0.7, 0.3),
        (binary("trucks", (0.1, 0.5), w), binary("talks", (0.5, 0.3), w)),
        (source("s", 0.85, w), source("z", 0.6, w)),
        w,
        weeks=9,
        dynamics=prepared(exact, (4.0,), (0.5,)),
    )
    log = (
        report("r1", 1, "talks", "yes"),
        report("r2", 8, "trucks", "yes", "z"),
        report("r3", 15, "trucks", "yes"),
        report("r4", 16, "talks", "no"),
        report("r5", 29, "trucks", "no"),
        withdraw("w1", 31, "r2"),
    )
    return Small(q, Evidence(log), day(38))


def two_outcomes(exact: bool) -> Small:
    """Two outcomes with preparations of their own, the status quo in the middle; a state goes on."""
    w = weight(exact)
    tone = category("tone", TONES, (ROWS[1], ROWS[0], (0.1, 0.3, 0.6)), w, persistence=0.7)
    q = question(
        (0.15, 0.75, 0.1),
        (tone, binary("trucks", (0.4, 0.1, 0.6), w)),
        (source("s", 0.85, w), source("z", 0.6, w)),
        w,
        weeks=8,
        dynamics=prepared(exact, (3.0, 6.0), (0.6, 0.4), quiet=1),
        groups=(Group("both", ("tone", "trucks"), 0.4),),
        cap=5.0,
    )
    log = (
        report("r1", 1, "tone", "oral"),
        report("r2", 8, "tone", "written", "z"),
        report("r3", 9, "trucks", "yes"),
        report("r4", 22, "tone", "written"),
    )
    return Small(q, Evidence(log), day(31))


def late_event(exact: bool) -> Small:
    """An ultimatum: ever likelier towards the horizon, which is the last day of a period."""
    w = weight(exact)
    q = question(
        (0.6, 0.4),
        (binary("trucks", (0.1, 0.5), w, persistence=0.6),),
        (source("s", 0.85, w),),
        w,
        weeks=10,
        dynamics=prepared(exact, (2.0,), (0.8,), late=True),
    )
    log = (
        report("r1", 8, "trucks", "yes"),
        report("r2", 15, "trucks", "no"),
        report("r3", 29, "trucks", "yes"),
    )
    return Small(q, Evidence(log), day(34))


def filed_event(exact: bool) -> Small:
    """Of an event question, too, it matters what is filed."""
    case = one_outcome(exact)
    told = tuple(
        filed(replace(i, persistence=0.5 if i.id == "trucks" else None)) for i in case.question.indicators
    )
    return replace(case, question=replace(case.question, indicators=told), as_of=day(45))


def at_its_horizon(exact: bool) -> Small:
    """On the last day nothing is left to happen."""
    case = one_outcome(exact)
    q: Question = replace(case.question, horizon=day(34))
    return replace(case, question=q, as_of=day(34))
