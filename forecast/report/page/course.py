"""The trend: a picture that answers to pointer and keyboard, what it has to say, and the same as a table."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.report import phrases
from forecast.report.page.blocks import Block, Cell, Figure, Heading, Section, Table, clipped, safe_link
from forecast.report.page.chart import NARROW, WIDE, chart, points, share_of
from forecast.report.page.geometry import thinned
from forecast.report.page.probable import columns
from forecast.report.wording import band, percent

if TYPE_CHECKING:
    from forecast.case.evidence import Report
    from forecast.report.findings import Findings
    from forecast.report.summary import Summary, View

#: So many reports, the weightiest, can be read at the trends of all units together, and so many dates; of
#: each unit at least the fewest.
REPORTS, DATES, FEWEST = 200, 260, 6

#: Longest note, in characters.
NOTE = 240


def trend(summary: Summary, findings: Findings) -> Section:
    """Show the trend with the outlook, the forecasts as issued, and the reports, for pointer and keyboard."""
    blocks: list[Block] = []
    for place, view in enumerate(summary.views):
        blocks += [Heading(view.unit)] if view.unit else []
        blocks.append(_figure(summary, findings, view, f"trend-{place}"))
    return Section("trend", "Trend", tuple(blocks))


def _figure(summary: Summary, findings: Findings, view: View, name: str) -> Figure:
    question = summary.question
    known, ahead = findings.of_unit(view.unit)
    issued = [entry for entry in findings.issued if entry.unit == view.unit]
    reports = _at_the_trend(summary, findings, view)
    most = most_dates(summary)
    days = [report.reported for report in reports]
    laid = partial(chart, question, summary.looks, known, ahead, issued, days)
    wide, narrow = (laid(size, most) for size in (WIDE, NARROW))
    ids = [scenario.id for scenario in question.scenarios]
    data = {
        "scenarios": [scenario.title for scenario in question.scenarios],
        "points": points(known, ahead, wide.box, ids, regime=summary.regime, most=most),
        "issued": [
            {
                "day": e.as_of.isoformat(),
                "x": share_of(wide.box, e.as_of),
                "s": ids.index(e.scenario),
                "p": round(e.probability, 4),
            }
            for e in issued
            if e.scenario in ids
        ],
        "reports": [_told(summary, report, share_of(wide.box, report.reported)) for report in reports],
    }
    leader = phrases.headline(summary, view)
    return Figure(
        name,
        f"Trend of the probability of each scenario. {leader}",
        wide,
        narrow,
        _as_table(summary, findings, view),
        data,
    )


def _at_the_trend(summary: Summary, findings: Findings, view: View) -> list[Report]:
    """Return the reports of a unit in the order in which they became known, the weightiest of very many."""
    live = [r for r in summary.case.evidence.known(summary.inputs.as_of) if r.unit == view.unit]
    size = findings.sizes
    chosen = sorted(live, key=lambda report: -size.get(report.id, 0.0))[
        : max(REPORTS // len(summary.views), FEWEST)
    ]
    return sorted(chosen, key=lambda report: (report.reported, report.date))


def _told(summary: Summary, report: Report, x: float) -> dict[str, Any]:
    titles = {indicator.id: indicator.title for indicator in summary.question.indicators}
    sources = {source.id: source.title for source in summary.question.sources}
    return {
        "day": report.reported.isoformat(),
        "x": x,
        "what": f"{titles[report.indicator]}: {report.value}",
        "source": sources[report.source],
        "note": clipped(report.note, NOTE),
        "citation": clipped(report.citation, NOTE),
        "href": safe_link(report.citation),
    }


def _as_table(summary: Summary, findings: Findings, view: View) -> Table:
    ids = [line.id for line in view.lines]
    rows: list[tuple[Cell, ...]] = []
    for data, dim in zip(findings.of_unit(view.unit), ("as_of", "date"), strict=True):
        if dim == "date" and not summary.regime:
            break
        days = data[dim].values.astype("datetime64[D]").astype(str)
        names = ("probability", "low", "high")
        values = np.stack([data[name].transpose(dim, "scenario").sel(scenario=ids).values for name in names])
        for n in thinned(len(days), most_dates(summary)):
            cells = [_chance(*values[:, n, s].tolist()) for s in range(len(ids))]
            rows.append((Cell(str(days[n]), small="outlook" if dim == "date" else ""), *cells))
    head = ("Date", *columns(view))
    return Table("Probability of each scenario with its 90% band, date by date", head, tuple(rows))


def _chance(probability: float, low: float, high: float) -> Cell:
    if math.isnan(probability):
        return Cell("–")
    return Cell(percent(probability), small=band(low, high))


def most_dates(summary: Summary) -> int:
    """Return how many dates of each unit are shown, so that the file of many units stays small."""
    return max(DATES // len(summary.views), FEWEST)
