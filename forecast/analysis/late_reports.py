"""What came late: reports on periods that were over, and corrections; those periods then and now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.evidence import Report
    from forecast.case.folder import Case


@dataclass(frozen=True, slots=True)
class Revised:
    """A report that changed a past period, and the probabilities of that period, then and in today's light.

    ``corrected`` is the report that it corrects or withdraws, None for one that is merely late. ``then`` and
    ``today`` are in the question's order of scenarios; empty where the trend has no answer for the period.
    """

    report: Report
    corrected: Report | None
    period_end: date
    then: tuple[float, ...]
    today: tuple[float, ...]


def revised(case: Case, tree: xr.DataTree, since: date) -> tuple[Revised, ...]:
    """Return the reports that became known after a day and speak of a period that was over by then.

    Parameters
    ----------
    case : Case
    tree : DataTree
        What :func:`forecast.update` returned for it.
    since : date
        Reports that were known on this day are left out.

    Returns
    -------
    tuple of Revised
        The latest known first. ``then`` is the trend on the period's last day, ``today`` what is known today
        of that day by the evidence up to it (`hindsight`, filtered), learning about judgements included.

    Examples
    --------
    >>> [one.report.id for one in revised(case, tree, date(2014, 11, 15))]  # doctest: +SKIP
    []
    """
    question, day = case.question, date.fromisoformat(str(tree.attrs["as_of"]))
    by_id = {report.id: report for report in case.evidence.reports}
    found = []
    for report in case.evidence.reports:
        told = by_id.get(report.replaces)
        if not since < report.reported <= day or not (report.indicator or (told and told.indicator)):
            continue
        of = report.date if report.indicator or told is None else told.date
        period = question.period(of)
        end = question.last_day(period)
        if end < day and (report.reported > end or told is not None):
            then, today = _seen(case, tree, report.unit or (told.unit if told else ""), period)
            found.append(Revised(report, told, end, then, today))
    return tuple(sorted(found, key=lambda one: one.report.reported, reverse=True))


def _seen(
    case: Case, tree: xr.DataTree, unit: str, period: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    order = list(case.question.scenario_ids)
    end = np.datetime64(case.question.last_day(period))
    trend = tree["trend"].to_dataset()["probability"].sel(scenario=order)
    back = tree["hindsight"].to_dataset()["filtered"].sel(scenario=order)
    if unit:
        trend, back = trend.sel(unit=unit), back.sel(unit=unit)
    on = np.flatnonzero(trend["as_of"].values.astype("datetime64[D]") == end)
    if not len(on) or not 0 <= period < back.sizes["period"]:
        return (), ()
    then, today = trend.isel(as_of=int(on[0])).values, back.isel(period=period).values
    if not np.isfinite([then, today]).all():
        return (), ()
    return tuple(then.tolist()), tuple(today.tolist())
