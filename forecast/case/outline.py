"""What of a question its evidence can be checked against, even while the question itself has faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from forecast.case.question import Kind, Question


@dataclass(frozen=True, slots=True)
class Outline:
    """The names and dates of a question that evidence refers to; None where they could not be read.

    ``indicators`` has for each id its kind and values, or None where that indicator is at fault, so that
    its reports cannot be judged.
    """

    opened: date | None = None
    period_days: int | None = None
    indicators: Mapping[str, tuple[Kind, tuple[str, ...]] | None] | None = None
    sources: frozenset[str] | None = None
    units: tuple[str, ...] | None = None

    @classmethod
    def of(cls, question: Question) -> Outline:
        """Return the outline of a question that has been read."""
        return cls(
            opened=question.opened,
            period_days=question.period_days,
            indicators={i.id: (i.kind, i.values) for i in question.indicators},
            sources=frozenset(source.id for source in question.sources),
            units=question.units,
        )

    def period(self, day: date) -> int:
        """Return the number of the period that holds a day; 0 where the question does not tell."""
        if self.opened is None or self.period_days is None:
            return 0
        return (day - self.opened).days // self.period_days
