"""How probable each scenario is, what moved it, and how it goes on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from forecast.report import phrases
from forecast.report.changes import MEANING
from forecast.report.page.blocks import Block, Cell, Heading, Section, Table, Text, clipped, simple
from forecast.report.page.geometry import thinned
from forecast.report.wording import band, direction, percent, points, tenths

if TYPE_CHECKING:
    import xarray as xr

    from forecast.report.findings import Findings
    from forecast.report.summary import Chance, Summary, View

#: A difference of less than this (probability) is not worth a row.
SLIGHT = 0.0005


def probable(summary: Summary) -> Section:
    """Say how probable each scenario is, at the horizon and now, in words, and since the last issue."""
    blocks: list[Block] = []
    for view in summary.views:
        blocks += [*_unit(view), Text(phrases.headline(summary, view), "lead"), _chances(summary, view)]
    blocks += [Text(phrases.confidence(summary)), Text(phrases.comparison(summary), "quiet")]
    return Section("probabilities", "How probable each scenario is", tuple(blocks))


def columns(view: View) -> list[str]:
    """Return the scenarios' titles as heads of columns, short enough for them; ids if two would be alike."""
    short = [clipped(line.title, 30) for line in view.lines]
    return short if len(set(short)) == len(short) else [line.id for line in view.lines]


def _unit(view: View) -> list[Block]:
    return [Heading(view.unit)] if view.unit else []


def _chances(summary: Summary, view: View) -> Table:
    looks = summary.looks
    changed, regime = summary.previous is not None, summary.regime
    change = ("Change",) if changed else ()
    first = "At the horizon" if regime else "Now and at the horizon"
    head = ("Scenario", first, "90% band", "In words", *change, *(("Now", *change) if regime else ()))
    rows = []
    for line in view.lines:
        lead = summary.leading(line)
        row = [
            Cell(line.title, look=looks[line.id]),
            Cell(percent(lead.probability), strong=True),
            _band(lead),
        ]
        row.append(_words(lead))
        row += [Cell(points(lead.change))] if changed else []
        if regime:
            row.append(Cell(percent(line.now.probability), small=band(line.now.low, line.now.high)))
            row += [Cell(points(line.now.change))] if changed else []
        rows.append(tuple(row))
    caption = f"Probability at the horizon, {summary.horizon}, and now, {summary.inputs.as_of}"
    return Table(
        caption if regime else f"Probability as of {summary.inputs.as_of}", head, tuple(rows), frozenset({3})
    )


def _band(of: Chance) -> Cell:
    return Cell(band(of.low, of.high), band=(of.low, of.probability, of.high))


def _words(of: Chance) -> Cell:
    return Cell(of.words, small="" if of.words_of_band == of.words else of.words_of_band)


def moved(summary: Summary, findings: Findings) -> Section:
    """Say what moved the forecast since the last issue, or what it is made of if it is the first."""
    blocks: list[Block] = []
    for view in summary.views:
        blocks += _unit(view)
        blocks += _parts(summary, findings.change, view) if findings.change is not None else []
        blocks += _sum(findings.why, summary, view) if summary.previous is None else []
        blocks += _movers(summary, view)
    if findings.change is not None:
        blocks += [
            Text(f"{note[:1].upper()}{note[1:]}.", "quiet")
            for note in json.loads(findings.change.attrs["note"])
        ]
    return Section("moved", "What moved it", tuple(blocks))


def _parts(summary: Summary, change: xr.Dataset, view: View) -> list[Block]:
    own = change.sel(unit=view.unit) if view.unit else change
    tables: list[Block] = []
    whens = (("horizon", "At the horizon"), ("now", "Now"))
    for when, name in whens if summary.regime else whens[1:]:
        before, after = own[f"{when}_issued"].values, own[f"{when}_after"].isel(step=-1).values
        first = f"{'Carried over from' if summary.carried else 'Issued'} {summary.previous}"
        rows = [tuple(simple([first, *map(percent, before)]))]
        for step in own["step"].values.tolist():
            part, rows_of = own[when].sel(step=step).values, _reports_of(own, view, step)
            if rows_of or np.abs(part).max() >= SLIGHT:
                meaning = MEANING[step]
                cell = Cell(f"{meaning[:1].upper()}{meaning[1:]}", small=rows_of)
                rows.append((cell, *simple([tenths(move) for move in part])))
        rows.append(tuple(simple(["This forecast", *map(percent, after)])))
        head = ("Percentage points", *columns(view))
        caption = f"{name}: what each change brought, let in one after another"
        tables.append(Table(caption, head, tuple(rows), total=True, half=summary.regime))
    return tables


def _reports_of(change: xr.Dataset, view: View, step: str) -> str:
    mine = (change["report_step"].values == step) & (change["report_unit"].values == view.unit)
    names = change["report"].values[mine].tolist()
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(map(str, names[:4])) + more


def _sum(why: xr.Dataset, summary: Summary, view: View) -> list[Block]:
    own = why.sel(unit=view.unit) if view.unit else why
    mine = own.isel(cell=np.flatnonzero(own["cell_unit"].values == view.unit))
    reported = mine["weight"].sum("cell").values
    parts = [("Before any evidence", own["before"].values), ("What was reported, and silence", reported)]
    if summary.regime:
        parts.append(("Not shared out between cells", own["shared"].values))
    parts += [("What learning adds", own["learning"].values), ("This forecast, now", own["engine"].values)]
    head = ("Weight of evidence", *columns(view))
    caption = "What it is made of, in decibans for each scenario against the rest (10 make the odds tenfold)"
    return [Table(caption, head, tuple(simple([n, *map(direction, w)]) for n, w in parts), total=True)]


def _movers(summary: Summary, view: View) -> list[Block]:
    listed = phrases.listed_movers(view.movers)
    if not listed:
        return [Text(phrases.without_movers(summary, view), "quiet")]
    titles = {indicator.id: indicator.title for indicator in summary.question.indicators}
    rows = tuple(
        (
            Cell(
                f"{titles[one.report.indicator]}: {one.report.value}",
                small=f"{one.report.source}, {one.report.date}",
            ),
            *simple([direction(weight) for weight in one.weights]),
        )
        for one in listed
    )
    head = ("Report", *columns(view))
    caption = (
        f"Weightiest reports that became known after {summary.since}, in decibans (▲ for the scenario,"
        " ▼ against it)"
    )
    rest = len(view.movers) - len(listed)
    return [Table(caption, head, rows, on_paper=4, rest=rest)]


def outlook(summary: Summary, findings: Findings) -> Section:
    """Say how it goes on without further evidence, and the chance that each scenario ever comes true."""
    blocks: list[Block] = []
    if not summary.regime:
        said = "The truth is taken to be one fixed scenario, so that the outlook is what is believed now."
        return Section("outlook", "Outlook", (Text(said),))
    looks = summary.looks
    for view in summary.views:
        _, ahead = findings.of_unit(view.unit)
        dates = ahead["date"].values.astype("datetime64[D]").tolist()
        chosen = thinned(len(dates), 4)
        head = ("Scenario", *(f"{dates[n].day} {dates[n]:%b %Y}" for n in chosen), "Ever until then")
        rows = []
        for line in view.lines:
            course = ahead["probability"].sel(scenario=line.id).values
            texts = [percent(float(course[n])) for n in chosen]
            rows.append(
                (Cell(line.title, look=looks[line.id]), *simple(texts), Cell(percent(line.ever), strong=True))
            )
        caption = "Probability of each scenario on days to come if nothing further is reported"
        blocks += [*_unit(view), Table(caption, head, tuple(rows))]
    return Section("outlook", f"Outlook to {summary.horizon}", tuple(blocks))
