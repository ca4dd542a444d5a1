"""Trend section of the HTML brief: an interactive chart, its data, and a table."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.inference.result import of_unit
from forecast.report import sentences
from forecast.report.brief.elements import Cell, Figure, Section, Table, Text, clipped, row, safe_link
from forecast.report.brief.sections import columns, each_unit
from forecast.report.brief.trend_svg import NARROW, WIDE, Box, dates, lay_out, thinned
from forecast.report.number_format import band, percent

if TYPE_CHECKING:
    from datetime import date

    import xarray as xr

    from forecast.case.evidence import Report
    from forecast.report.brief.data import BriefData
    from forecast.report.summary import Summary, UnitForecast

#: So many reports, the weightiest, can be read at the trends of all units together, and so many dates; of
#: each unit at least the fewest.
REPORTS, DATES, FEWEST = 200, 260, 6
LONGEST_NOTE = 240  #: Longest note or citation, in characters

_TWO_MEANINGS = (
    "Up to the as-of date the lines are the chance that it is being prepared, from then on that it will have "
    "happened by then if nothing further is reported."
)


def trend(summary: Summary, data: BriefData) -> Section:
    """Return the trend of each unit with its outlook, the forecasts as issued, and the reports."""
    figures = each_unit(summary, lambda unit: [_figure(summary, data, unit)])
    return Section("trend", "Trend", [*figures, *([Text(_TWO_MEANINGS, "quiet")] if summary.event else [])])


def _figure(summary: Summary, data: BriefData, unit: UnitForecast) -> Figure:
    question, most = summary.question, _most(summary, DATES)
    past, outlook = of_unit(data.trend, unit.name), of_unit(data.outlook, unit.name)
    issued = [entry for entry in data.issued if entry.unit == unit.name]
    reports = _weightiest_reports(summary, data, unit)
    days = [report.reported for report in reports]
    wide, narrow = (
        lay_out(question, summary.styles, past, outlook, issued, days, size, most) for size in (WIDE, NARROW)
    )
    x, ids = partial(share_of_width, wide.box), question.scenario_ids
    shown = {
        "scenarios": list(question.titles.values()),
        "points": [
            *date_points(past, "as_of", wide.box, ids, most),
            *(date_points(outlook, "date", wide.box, ids, most) if summary.regime else ()),
        ],
        "issued": [
            {"day": f"{e.as_of}", "x": x(e.as_of), "s": ids.index(e.scenario), "p": round(e.probability, 4)}
            for e in issued
            if e.scenario in ids
        ],
        "reports": [_report_data(summary, report, x(report.reported)) for report in reports],
    }
    label = f"Trend of the probability of each scenario. {sentences.headline(summary, unit)}"
    name = f"trend-{summary.units.index(unit)}"
    return Figure(name, label, wide, narrow, _table(summary, unit, past, outlook), shown)


def _most(summary: Summary, total: int) -> int:
    """Return how much of each unit is shown, so that the file of many units stays small."""
    return max(total // len(summary.units), FEWEST)


def _weightiest_reports(summary: Summary, data: BriefData, unit: UnitForecast) -> list[Report]:
    """Return the reports of a unit in the order in which they became known, the weightiest of very many."""
    known = [r for r in summary.case.evidence.known(summary.inputs.as_of) if r.unit == unit.name]
    weights = data.largest_weights
    heaviest = sorted(known, key=lambda report: -weights.get(report.id, 0.0))[: _most(summary, REPORTS)]
    return sorted(heaviest, key=lambda report: (report.reported, report.date))


def _report_data(summary: Summary, report: Report, x: float) -> dict[str, Any]:
    return {
        "day": report.reported.isoformat(),
        "x": x,
        "what": sentences.statement(summary, report.indicator, report.value),
        "source": summary.question.source_titles[report.source],
        "note": clipped(report.note, LONGEST_NOTE),
        "citation": clipped(report.citation, LONGEST_NOTE),
        "href": safe_link(report.citation),
    }


def date_points(
    data: xr.Dataset, dim: str, box: Box, scenarios: tuple[str, ...], most: int
) -> list[dict[str, Any]]:
    """Return the dates of trend or outlook with the probabilities of the scenarios, for the reader's pointer.

    `x` is the share of the plot's width at which a date stands; what is not known is None.
    """
    days, values = dates(data[dim]), _values(data, dim, scenarios)
    return [
        {"day": days[n].isoformat(), "x": share_of_width(box, days[n]), "outlook": dim == "date"}
        | {
            name: [round(p, 4) if math.isfinite(p) else None for p in of[n].tolist()]
            for name, of in zip(("p", "low", "high"), values, strict=True)
        }
        for n in thinned(len(days), most)
    ]


def share_of_width(box: Box, day: date) -> float:
    """Return the share of the plot's width at which a day stands."""
    return round((box.x(day) - box.left) / box.width, 5)


def _values(data: xr.Dataset, dim: str, scenarios: tuple[str, ...]) -> np.ndarray:
    """Return probability, low and high end of each scenario at each date, in this order."""
    chosen = data.sel(scenario=list(scenarios)).transpose(..., dim, "scenario")
    return np.stack([chosen[name].values for name in ("probability", "low", "high")])


def _table(summary: Summary, unit: UnitForecast, past: xr.Dataset, outlook: xr.Dataset) -> Table:
    rows = []
    for data, dim in ((past, "as_of"), (outlook, "date"))[: 2 if summary.regime else 1]:
        days, values = dates(data[dim]), _values(data, dim, summary.question.scenario_ids)
        for n in thinned(len(days), _most(summary, DATES)):
            date_cell = Cell(f"{days[n]}", small="outlook" if dim == "date" else "")
            rows.append(row(date_cell, *(_estimate(*of) for of in values[:, n].T.tolist())))
    caption = "Probability of each scenario with its 90% band, date by date"
    return Table(caption, ("Date", *columns(unit)), rows)


def _estimate(probability: float, low: float, high: float) -> Cell:
    return Cell("–") if math.isnan(probability) else Cell(percent(probability), small=band(low, high))
