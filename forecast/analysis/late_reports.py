"""Late reports and corrections, and past probabilities as known then and as known now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from forecast.inference.result import as_of, of_unit

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.evidence import Report
    from forecast.case.folder import Case


@dataclass(frozen=True, slots=True)
class Revision:
    """A report that changed a past period, and the probabilities of that period, as known then and today.

    ``corrected`` is the report that it corrects or withdraws, None for one that is merely late. ``then`` and
    ``today`` are in the question's order of scenarios; empty where the trend has no answer for the period.
    """

    report: Report
    corrected: Report | None
    period_end: date
    then: tuple[float, ...]
    today: tuple[float, ...]


def revisions(case: Case, tree: xr.DataTree, since: date) -> tuple[Revision, ...]:
    """Return the reports known after the day `since` about a period that was over by then, the latest first.

    ``then`` is the trend on the period's last day, ``today`` what is known today of that day by the evidence
    up to it (`hindsight`, filtered), learning about judgements included.
    """
    question, day = case.question, as_of(tree)
    by_id = {report.id: report for report in case.evidence.reports}
    revisions = []
    for report in case.evidence.until(day).reports:
        corrected = by_id.get(report.replaces)
        subject = report if report.indicator else corrected
        if report.reported <= since or subject is None or not subject.indicator:
            continue
        period = question.period(subject.date)
        end = question.last_day(period)
        if end < day and (report.reported > end or corrected is not None):
            unit = report.unit or (corrected.unit if corrected else "")
            revisions.append(Revision(report, corrected, end, *_probabilities(case, tree, unit, period)))
    return tuple(sorted(revisions, key=lambda one: one.report.reported, reverse=True))


def _probabilities(
    case: Case, tree: xr.DataTree, unit: str, period: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    order = list(case.question.scenario_ids)
    end = np.datetime64(case.question.last_day(period))
    trend, filtered = (
        of_unit(tree[group].to_dataset()[name].sel(scenario=order), unit)
        for group, name in (("trend", "probability"), ("hindsight", "filtered"))
    )
    on = np.flatnonzero(trend["as_of"].values.astype("datetime64[D]") == end)
    if not len(on) or not 0 <= period < filtered.sizes["period"]:
        return (), ()
    then, today = trend.isel(as_of=int(on[0])).values, filtered.isel(period=period).values
    if not np.isfinite([then, today]).all():
        return (), ()
    return tuple(then.tolist()), tuple(today.tolist())
