"""What a trend plot shows of one unit, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.report.plots.moved import Badge, Moved, badges, weightiest
from forecast.report.plots.series import Course, ahead, known
from forecast.report.plots.strip import Row, strip_rows

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.folder import Case


@dataclass(frozen=True, slots=True)
class Panel:
    """What is drawn for one unit ("" where there is only one)."""

    unit: str
    known: list[Course]
    ahead: list[Course]
    first: np.datetime64
    last: np.datetime64
    periods: np.ndarray
    rows: list[Row]
    moved: list[Moved]

    @property
    def today(self) -> np.datetime64:
        """The as-of date."""
        return max(course.days[-1] for course in self.known)

    @property
    def present(self) -> list[Course]:
        """The trends of the scenarios that are in force now."""
        return [course for course in self.known if course.days[-1] == self.today]

    @property
    def leader(self) -> Course:
        """The trend of the scenario that is the most probable now."""
        return max(self.present, key=lambda course: course.probability[-1])

    @property
    def badges(self) -> list[Badge]:
        """The numbers on the leader's line."""
        return badges(self.moved, self.leader)


def panel_of(case: Case, tree: xr.DataTree, unit: str, reports: int) -> Panel:
    """Return what is drawn for one unit, with so many reports numbered."""
    past, future = known(case, tree, unit, ended=True), ahead(case, tree, unit)
    question, today = case.question, max(course.days[-1] for course in past)
    last = future[0].days[-1] if future else today
    end = last.astype("datetime64[D]").item()
    ends = [question.last_day(n) for n in range(question.period(end) + 1)]
    return Panel(
        unit=unit,
        known=past,
        ahead=future,
        first=np.datetime64(question.opened).astype(past[0].days.dtype),
        last=last,
        periods=np.array([day for day in ends if day <= end], dtype="datetime64[D]"),
        rows=strip_rows(case, tree, unit),
        moved=weightiest(case, tree, unit, reports),
    )
