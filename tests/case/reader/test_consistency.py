"""What reports say about one another, on every day on which it was known."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from forecast.case.errors import Faults
from forecast.case.evidence import Report
from forecast.case.reader.consistency import check_reports
from forecast.case.reader.question import Outline

OUTLINE = Outline(
    opened=date(2024, 1, 1),
    period_days=7,
    indicators={
        "tone": ("category", ("no", "yes")),
        "talks": ("category", ("no", "yes")),
        "price": ("measure", ()),
    },
    sources=frozenset({"agency", "paper"}),
    units=(),
)


def report(
    id: str,
    value: str | float | None = "yes",
    *,
    day: int = 0,
    after: int = 1,
    indicator: str = "tone",
    source: str = "agency",
    repeats: str = "",
    independence: float | None = None,
    testimony: str = "",
    replaces: str = "",
) -> Report:
    """Return a report of what happened on a day, known so many days after it."""
    happened = date(2024, 1, 1) + timedelta(days=day)
    return Report(
        id, happened, happened + timedelta(days=after), indicator, value, source,
        repeats=tuple(repeats.split()), independence=independence, testimony=testimony, replaces=replaces,
    )  # fmt: skip


def problems(*reports: Report, outline: Outline = OUTLINE) -> list[str]:
    """Return what is wrong with a log."""
    faults = Faults("evidence.csv")
    check_reports(reports, outline, faults)
    return [fault.problem for fault in faults.noted]


GOOD = {
    "the same twice": (report("a"), report("b", after=2)),
    "another source": (report("a"), report("b", "no", source="paper")),
    "another period": (report("a"), report("b", "no", day=7)),
    "another indicator": (report("a"), report("b", "no", indicator="talks")),
    "corrected": (report("a"), report("b", "no", after=3, replaces="a")),
    "corrected on the same day": (report("a"), report("b", "no", replaces="a")),
    "corrected twice": (
        report("a"), report("b", "no", after=3, replaces="a"), report("c", after=4, replaces="b"),
    ),
    "withdrawn, then another value": (
        report("a"), report("w", None, after=2, replaces="a"), report("b", "no", after=3),
    ),
    "measured again": (
        report("a", 1.0, indicator="price"), report("b", 2.0, after=2, indicator="price", replaces="a"),
    ),
    "a repeat": (report("a"), report("b", source="paper", repeats="a")),
    "a repeat known first": (report("a", after=5), report("b", source="paper", repeats="a")),
    "half a repeat": (report("a"), report("b", "no", source="paper", repeats="a", independence=0.5)),
    "one original of two": (
        report("a"), report("b", "no", source="paper"), report("c", "no", source="paper", repeats="a b"),
    ),
    "a repeat of what is then corrected": (
        report("a"), report("b", source="paper", repeats="a"), report("c", "no", after=5, replaces="a"),
    ),
    "a repeat of the correction": (
        report("a"), report("c", "no", after=3, replaces="a"),
        report("b", "no", after=4, source="paper", repeats="a"),
    ),
    "a later report that is partly new": (report("a"), report("b", after=2, independence=0.3)),
    "one testimony, one source": (report("a", testimony="x"), report("b", day=9, testimony="x")),
}  # fmt: skip

BAD = {
    "two values": ((report("a"), report("b", "no", after=2)), "agency already says yes"),
    "two values until the correction": (
        (report("a"), report("b", "no", after=2), report("c", "no", after=9, replaces="a")),
        "agency already says yes",
    ),
    "a correction does not revive, but a second one adds": (
        (report("a"), report("b", "no", after=2, replaces="a"), report("c", "yes", after=3)),
        "agency already says no",
    ),
    "two measures": (
        (report("a", 1.0, indicator="price"), report("b", 1.0, indicator="price", source="paper")),
        "already measures price",
    ),
    "a repeat of another value": (
        (report("a"), report("b", "no", source="paper", repeats="a")),
        "a says yes; a mere repeat cannot say no",
    ),
    "a repeat of another value, for a while": (
        (
            report("a"),
            report("b", "no", after=2, source="paper", repeats="a"),
            report("c", "no", after=5, replaces="a"),
        ),
        "a says yes; a mere repeat cannot say no",
    ),
    "a repeat with no independence": (
        (report("a"), report("b", "no", source="paper", repeats="a", independence=0.0)),
        "mere repeat",
    ),
    "a repeat of another period": (
        (report("a"), report("b", day=7, source="paper", repeats="a")),
        "a speaks of tone in period 0, this report of tone in period 1",
    ),
    "a repeat of a withdrawal": (
        (report("a"), report("w", None, replaces="a"), report("b", source="paper", repeats="w")),
        "w is a withdrawal",
    ),
    "independence of nothing": ((report("a", independence=0.5),), "nothing it could depend on"),
    "independence of what came later": (
        (report("a", independence=0.5), report("b", after=2)),
        "nothing it could depend on",
    ),
    "replaced twice": (
        (report("a"), report("b", after=2, replaces="a"), report("c", after=3, replaces="a")),
        "a is already replaced by b",
    ),
    "replaced before it was known": (
        (report("a", after=5), report("b", after=2, replaces="a")),
        "a was reported later",
    ),
    "replaces nothing": ((report("b", replaces="x"),), "no report has this id"),
    "replaces itself": ((report("b", replaces="b"),), "it replaces itself"),
    "repeats itself": ((report("b", repeats="b"),), "it repeats itself"),
    "two sources of a testimony": (
        (report("a", testimony="x"), report("b", day=9, source="paper", testimony="x")),
        "from another source, agency",
    ),
}


@pytest.mark.parametrize("log", GOOD.values(), ids=GOOD.keys())
def test_a_good_log(log: tuple[Report, ...]):
    assert problems(*log) == []


@pytest.mark.parametrize(("log", "said"), BAD.values(), ids=BAD.keys())
def test_a_bad_log(log: tuple[Report, ...], said: str):
    (problem,) = problems(*log)
    assert said in problem


@pytest.mark.parametrize("column", ["repeats", "replaces"])
@pytest.mark.parametrize("length", [2, 3, 2000])
def test_a_circle_is_reported_once_at_any_length(column: str, length: int):
    names = [f"r{i}" for i in range(length)]
    links = dict(zip(names, [*names[1:], names[0]], strict=True))
    if column == "repeats":
        log = [report(id, repeats=other) for id, other in links.items()]
    else:
        log = [report(id, replaces=other) for id, other in links.items()]
    (problem,) = problems(*log)
    assert f"circle of `{column}`" in problem


def test_what_depends_on_the_period_waits_until_the_question_can_be_read():
    log = (report("a"), report("b", "no", day=30))
    assert problems(*log, outline=Outline()) == []


def test_units_have_cells_of_their_own():
    a, b = report("a"), report("b", "no")
    there = Report(b.id, b.date, b.reported, b.indicator, b.value, b.source, unit="Syria")
    assert problems(a, there) == []
