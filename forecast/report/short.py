"""The answers of the long brief in a line each, for the one in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast.report.changes import MEANING
from forecast.report.page.ahead import strongest
from forecast.report.page.probable import SLIGHT
from forecast.report.wording import direction, percent, tenths

if TYPE_CHECKING:
    import xarray as xr

    from forecast.report.findings import Findings
    from forecast.report.summary import Line, Summary, View


def leader(summary: Summary, view: View) -> Line:
    """Return the most probable scenario, at the horizon where the truth may move."""
    return max(view.lines, key=lambda line: summary.leading(line).probability)


def change_lines(summary: Summary, findings: Findings, view: View) -> list[str]:
    """Say what moved the leading scenario since the last issue; nothing if there was none."""
    if findings.change is None:
        return []
    line, said_before = leader(summary, view), "carried over from" if summary.carried else "issued"
    own = _of_unit(findings.change, view).sel(scenario=line.id)
    lines = []
    for when, name in (("horizon", "at the horizon"), ("now", "now"))[0 if summary.regime else 1 :]:
        before, after = float(own[f"{when}_issued"]), float(own[f"{when}_after"].isel(step=-1))
        parts = [(MEANING[step], float(own[when].sel(step=step))) for step in own["step"].values.tolist()]
        said = "; ".join(f"{meaning} {tenths(move)}" for meaning, move in parts if abs(move) >= SLIGHT)
        was = f"{percent(before)} {said_before} {summary.previous}"
        head = f"{line.title} {name}: {was}, {percent(after)} today"
        lines.append(f"{head} (points: {said})." if said else f"{head}.")
    return lines


def why_lines(summary: Summary, findings: Findings, view: View) -> list[str]:
    """Say what the leading scenario's number is made of, and which source it leans on."""
    line = leader(summary, view)
    place = view.lines.index(line)
    own = _of_unit(findings.why, view).sel(scenario=line.id)
    mine = own["cell_unit"].values == view.unit
    parts = [
        ("before any evidence", float(own["before"])),
        ("reports and silence", float(own["weight"].values[mine].sum())),
        ("not shared out between cells", float(own["shared"])),
        ("what learning adds", float(own["learning"])),
    ]
    said = ", ".join(f"{name} {direction(weight)}" for name, weight in parts if abs(weight) >= 0.05)
    lines = [f"{line.title} now, in decibans: {said}; together {direction(float(own['engine']))}."]
    titles = {source.id: source.title for source in summary.case.question.sources}
    without = {
        one.source: (one.horizon if summary.regime else one.now)[place]
        for one in findings.without
        if one.unit == view.unit
    }
    source = max(without, key=lambda name: abs(without[name]), default="")
    if source and abs(without[source]) >= SLIGHT:
        lines.append(f"It leans most on {titles[source]}: without it {tenths(without[source])} points.")
    return lines


def collect_lines(summary: Summary, findings: Findings, view: View) -> list[str]:
    """Say which reports would raise or lower the leading scenario most, and what to ask about."""
    line = leader(summary, view)
    place = view.lines.index(line)
    own = [lead for lead in findings.leads if lead.unit == view.unit]
    titles = {indicator.id: indicator.title for indicator in summary.case.question.indicators}
    lines = []
    for sign, name in ((1, "raise"), (-1, "lower")):
        for lead in strongest(own, place, sign)[:1]:
            what = f"{titles[lead.indicator]}: {lead.value} ({lead.source})"
            lines.append(f"What would {name} it most: {what}, {tenths(lead.horizon[place])} points.")
    if findings.asked is not None and len(findings.asked):
        table = findings.asked
        if view.unit:
            table = table[table["unit"] == view.unit]
        best = table.drop_duplicates("indicator").head(3).to_dict("records")
        asked = "; ".join(f"{titles[row['indicator']]} ({row['source'] or 'watching it'})" for row in best)
        lines.append(f"What to ask about: {asked}.")
    return lines


def _of_unit(data: xr.Dataset, view: View) -> xr.Dataset:
    return data.sel(unit=view.unit) if view.unit else data
