"""Which reports stood on a given day."""

from __future__ import annotations

from datetime import date

from forecast.case.evidence import Evidence, Report


def report(
    id: str, day: int, *, value: str | None = "yes", replaces: str = "", indicator: str = "i"
) -> Report:
    """Return a report that was known on a day of January."""
    return Report(id, date(2024, 1, 1), date(2024, 1, day), indicator, value, "s", replaces=replaces)


def ids(log: Evidence, day: int) -> list[str]:
    """Return what was live on a day of January."""
    return [r.id for r in log.known(date(2024, 1, day))]


def test_what_is_reported_later_is_not_known():
    assert ids(Evidence((report("a", 3), report("b", 5))), 4) == ["a"]


def test_context_has_no_weight():
    assert ids(Evidence((report("a", 3, indicator=""),)), 9) == []


def test_a_correction_takes_its_place_from_the_day_it_is_known():
    log = Evidence((report("a", 3), report("b", 5, value="no", replaces="a")))
    assert (ids(log, 4), ids(log, 5)) == (["a"], ["b"])


def test_withdrawing_a_correction_does_not_revive_the_original():
    log = Evidence((report("a", 3), report("b", 5, replaces="a"), report("w", 7, value=None, replaces="b")))
    assert (ids(log, 6), ids(log, 7)) == (["b"], [])
