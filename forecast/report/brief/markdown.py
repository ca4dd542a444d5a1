"""The brief: the same content as the table, as Markdown that reads well as plain text.

The answers of the long brief in a line each, for the one in Markdown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forecast.report import sentences
from forecast.report.brief.sections import SLIGHT, strongest
from forecast.report.number_format import direction, percent, points, tenths
from forecast.report.text.explanation import MEANING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import xarray as xr

    from forecast.report.brief.data import Findings
    from forecast.report.summary import Line, Summary, View


def brief_markdown(summary: Summary, findings: Findings | None = None, *, picture: str = "") -> str:
    """Write a forecast as Markdown.

    Parameters
    ----------
    summary : Summary
        What :func:`forecast.report.summary.summarise` picked.
    findings : Findings, optional
        What :func:`forecast.gather` found: what changed, why, and what to collect.
    picture : str, optional
        The trend plot's file, as seen from the brief's folder; "" for none.

    Returns
    -------
    str
        The text, with a line's end at its end.
    """
    parts = [f"# {summary.case.question.title}"]
    image = f"![Trend of the probabilities, with the outlook to {summary.horizon}]({picture})"
    for view in summary.views:
        parts += [f"## {view.unit}"] if view.unit else []
        parts += [sentences.headline(summary, view), _scenarios(summary, view), *_movers(summary, view)]
        parts += _further(summary, findings, view) if findings else []
    parts += [sentences.confidence(summary), sentences.comparison(summary)]
    parts += [image] if picture else []
    parts += _section("Clashing reports", sentences.clash_lines(summary))
    parts += _section("Warnings", map(str, summary.warnings))
    parts.append(f"*{sentences.provenance(summary)}*")
    return "\n\n".join(part if part == image else _inert(part) for part in parts) + "\n"


def _inert(text: str) -> str:
    r"""Return text in which no tag, link or picture is left that others wrote; "<1%" stays as it is.

    >>> _inert("<b>x</b> <1% [a](javascript:b)")
    '&lt;b>x&lt;/b> <1% [a]\\(javascript:b)'
    """
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text).replace("](", "]\\(").replace("][", "]\\[")


def _scenarios(summary: Summary, view: View) -> str:
    if not summary.regime:
        return _table(
            ["scenario", "now and at the horizon (90%)", "change", "in words"],
            (
                [line.title, sentences.chance(line.now), points(line.now.change), line.now.words]
                for line in view.lines
            ),
        )
    return _table(
        ["scenario", "at the horizon (90%)", "change", "in words", "ever until then", "now (90%)", "change"],
        (
            [
                line.title,
                sentences.chance(line.horizon),
                points(line.horizon.change),
                line.horizon.words,
                percent(line.ever),
                sentences.chance(line.now),
                points(line.now.change),
            ]
            for line in view.lines
        ),
    )


def _movers(summary: Summary, view: View) -> list[str]:
    listed = sentences.listed_movers(view.movers)
    if not listed:
        return [sentences.without_movers(summary, view)]
    table = _table(
        ["report", *(line.id for line in view.lines)],
        (
            [sentences.report(summary, mover.report), *(direction(weight) for weight in mover.weights)]
            for mover in listed
        ),
    )
    return [sentences.movers_title(summary) + ":", table, *sentences.left_out_movers(view.movers)]


def _further(summary: Summary, findings: Findings, view: View) -> list[str]:
    """Return what changed, why, and what to collect, in a few lines each."""
    level = "###" if view.unit else "##"
    return [
        *_section("What changed", change_lines(summary, findings, view), level),
        *_section("Why", why_lines(summary, findings, view), level),
        *_section("What to collect", collect_lines(summary, findings, view), level),
    ]


def _section(title: str, lines: Iterable[str], level: str = "##") -> list[str]:
    items = "\n".join(f"- {line}" for line in lines)
    return [f"{level} {title}", items] if items else []


def _table(header: list[str], rows: Iterable[list[str]]) -> str:
    """Return a Markdown table; all columns but the first are set to the right."""
    lines = [header, ["---", *("---:" for _ in header[1:])]]
    lines += [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


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
        ("not shared out between cells", float(own["interaction"])),
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
