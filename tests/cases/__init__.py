"""Small questions, one per clause of the model, each with exactly known and with uncertain judgements.

Every builder takes ``exact`` and returns a :class:`Small` case: at most three scenarios and a few periods, so
that an oracle can enumerate all paths. ``CASES`` names them all; ``small(name, exact)`` builds one.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.cases import courses, events, filing, kinds, reports, structure
from tests.cases.bricks import (
    OPENED,
    Small,
    binary,
    category,
    count,
    day,
    measure,
    moves,
    question,
    ratio,
    report,
    scenarios,
    source,
    swaps,
    withdraw,
    yes,
)

BUILDERS: tuple[Callable[[bool], Small], ...] = (
    kinds.yes_no,
    kinds.three_values,
    kinds.poisson,
    kinds.negative_binomial,
    kinds.measured,
    kinds.expert_ratio,
    reports.agreeing_and_clashing,
    reports.graded,
    reports.one_testimony,
    reports.repeated,
    reports.repeat_before_original,
    reports.repeat_of_withdrawn,
    reports.one_source_twice,
    reports.late_and_corrected,
    structure.persistent,
    structure.persistent_silence,
    structure.silence,
    structure.given_pair,
    structure.given_unmonitored,
    structure.grouped,
    structure.capped,
    structure.residual,
    courses.moving,
    courses.stepping,
    courses.at_the_horizon,
    courses.nothing_heard,
    courses.daily,
    courses.of_units,
    courses.units_static,
    courses.learns_nothing,
    courses.learns_in_part,
    courses.everything,
    filing.off_by_an_error,
)

#: Those in which it matters what is filed: not all of their judgements can be exact.
FILED_BUILDERS: tuple[Callable[[bool], Small], ...] = (
    filing.events_filed,
    filing.filed_since,
    filing.filed_states,
    filing.filed_pair,
    filing.filed_units,
)

#: Event questions. Of the fourth it matters what is filed.
EVENT_BUILDERS: tuple[Callable[[bool], Small], ...] = (
    events.one_outcome,
    events.two_outcomes,
    events.late_event,
    events.filed_event,
    events.at_its_horizon,
)

#: The names of all cases.
CASES: tuple[str, ...] = tuple(build.__name__ for build in BUILDERS)
FILED_CASES: tuple[str, ...] = tuple(build.__name__ for build in FILED_BUILDERS)
EVENT_CASES: tuple[str, ...] = tuple(build.__name__ for build in EVENT_BUILDERS)


def small(name: str, exact: bool) -> Small:
    """Build a case by its name."""
    return {build.__name__: build for build in (*BUILDERS, *FILED_BUILDERS, *EVENT_BUILDERS)}[name](exact)


__all__ = [
    "CASES",
    "EVENT_CASES",
    "FILED_CASES",
    "OPENED",
    "Small",
    "binary",
    "category",
    "count",
    "day",
    "measure",
    "moves",
    "question",
    "ratio",
    "report",
    "scenarios",
    "small",
    "source",
    "swaps",
    "withdraw",
    "yes",
]
