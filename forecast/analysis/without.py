"""The forecast without each source: how far it leans on any one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from forecast.analysis.at_means import at_means
from forecast.case.alter_evidence import without_reports

if TYPE_CHECKING:
    from forecast.case.folder import Case


@dataclass(frozen=True, slots=True)
class Without:
    """What would change in one unit if a source had never reported.

    ``now`` and ``horizon`` hold a difference of probability for each scenario, in the question's order:
    without the source less with it, every judgement at its mean.
    """

    source: str
    unit: str
    reports: int
    now: tuple[float, ...]
    horizon: tuple[float, ...]

    @property
    def size(self) -> float:
        """The largest difference, now or at the horizon."""
        return max(map(abs, (*self.now, *self.horizon)))


def without_sources(case: Case, as_of: date) -> tuple[Without, ...]:
    """Leave out one source after the other, every judgement at its mean, and say what changes.

    The exact filter is run at the judgements' means, p(s | reports of others) - p(s | all reports): what the
    evidence teaches about judgements is left aside, which takes milliseconds where
    :func:`forecast.whatif` takes two runs of the engine for each source.

    Parameters
    ----------
    case : Case
    as_of : date
        The day whose knowledge is used.

    Returns
    -------
    tuple of Without
        One for each unit and each source with a report of it that counts, those that matter most first.
        What no scenario would allow without a source is left out.

    Examples
    --------
    >>> without_sources(case, date(2014, 11, 23))[0].source  # doctest: +SKIP
    'ap_official'
    """
    question = case.question
    whole = at_means(question, case.evidence, as_of)
    live = case.evidence.known(as_of)
    found = []
    for source in question.sources:
        units = [report.unit for report in live if report.source == source.id]
        if not units:
            continue
        gone = [report.id for report in case.evidence.reports if report.source == source.id]
        rest = at_means(question, without_reports(question, case.evidence, gone), as_of)
        now, horizon = rest.now - whole.now, rest.horizon - whole.horizon
        for place, unit in enumerate(question.units or ("",)):
            if unit in units and np.isfinite([now[place], horizon[place]]).all():
                parts = (tuple(part[place].tolist()) for part in (now, horizon))
                found.append(Without(source.id, unit, units.count(unit), *parts))
    return tuple(sorted(found, key=lambda one: -one.size))
