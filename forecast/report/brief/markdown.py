"""Brief as Markdown: the summary in full, and one line for each further analysis."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forecast.inference.diagnostics import LEAST_DECIBANS
from forecast.report import sentences
from forecast.report.brief.data import LEAST_CHANGE
from forecast.report.number_format import decibans, percent, points

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forecast.report.brief.data import BriefData
    from forecast.report.summary import Summary, UnitForecast


def brief_markdown(summary: Summary, data: BriefData | None = None, *, picture: str = "") -> str:
    """Write a forecast as Markdown.

    Parameters
    ----------
    summary : Summary
        What :func:`forecast.report.summary.summarise` picked.
    data : BriefData, optional
        What :func:`forecast.gather` returned: what changed, why, and what to collect.
    picture : str, optional
        The trend plot's file, as seen from the brief's folder; "" for none.
    """
    parts = [f"# {summary.case.question.title}"]
    image = f"![Trend of the probabilities, with the outlook to {summary.horizon}]({picture})"
    for unit in summary.units:
        parts += [f"## {unit.name}"] if unit.name else []
        parts += [sentences.headline(summary, unit), _scenarios(summary, unit)]
        parts += [_beside(summary, unit)] if summary.event else []
        parts += _new_reports(summary, unit)
        level = "###" if unit.name else "##"
        parts += _list("What changed", change_lines(summary, data, unit), level) if data else []
        parts += _list("Why", why_lines(summary, data, unit), level) if data else []
        parts += _list("What to collect", collect_lines(summary, data, unit), level) if data else []
    parts += [sentences.still_open(summary)] if summary.event else []
    parts += [sentences.confidence(summary), *sentences.log_understood(summary)]
    parts.append(sentences.comparison(summary))
    parts += [image] if picture else []
    parts += _list("Clashing reports", sentences.clash_lines(summary))
    parts += _list("Warnings", map(str, summary.warnings))
    parts.append(f"*{sentences.provenance(summary)}*")
    return "\n\n".join(part if part == image else _inert(part) for part in parts) + "\n"


def _inert(text: str) -> str:
    r"""Return text in which no tag, link or picture is left that others wrote; "<1%" stays as it is.

    >>> _inert("<b>x</b> <1% [a](javascript:b)")
    '&lt;b>x&lt;/b> <1% [a]\\(javascript:b)'
    """
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text).replace("](", "]\\(").replace("][", "]\\[")


def _scenarios(summary: Summary, unit: UnitForecast) -> str:
    first = "at the horizon (90%)" if summary.regime else "now and at the horizon (90%)"
    head, rows = ["scenario", first, "change", "in words"], []
    for scenario in unit.scenarios:
        answer, now = scenario.answer, scenario.now
        cells = [scenario.title, sentences.estimate(answer), points(answer.change), answer.words]
        if summary.regime:
            cells += [] if summary.event else [percent(scenario.ever)]
            cells += [sentences.estimate(now), points(now.change)]
        rows.append(cells)
    if summary.event:
        return _table([*head, "being prepared now (90%)", "change"], rows)
    return _table([*head, *(("ever until then", "now (90%)", "change") if summary.regime else ())], rows)


def _beside(summary: Summary, unit: UnitForecast) -> str:
    """Return what stands beside the forecast of an event."""
    return _table(["at the horizon", *sentences.BESIDE], sentences.beside(summary, unit))


def _new_reports(summary: Summary, unit: UnitForecast) -> list[str]:
    listed = sentences.listed(unit.new_reports)
    if not listed:
        return [sentences.none_listed(summary, unit)]
    rows = ([sentences.report(summary, one.report), *map(decibans, one.weights)] for one in listed)
    table = _table(["report", *(scenario.id for scenario in unit.scenarios)], rows)
    return [sentences.new_reports(summary) + ":", table, *sentences.unlisted(unit.new_reports)]


def change_lines(summary: Summary, data: BriefData, unit: UnitForecast) -> list[str]:
    """Return what moved the leading scenario since the last issue; nothing if there was none."""
    place, title = unit.leading_place, unit.leading.title
    lines = []
    for change in data.changes(unit.name):
        issued = f"{'carried over from' if summary.carried else 'issued'} {summary.previous}"
        before, after = percent(change.before[place]), percent(change.after[place])
        parts = "; ".join(
            f"{part.meaning} {points(part.values[place], 1)}"
            for part in change.parts
            if abs(part.values[place]) >= LEAST_CHANGE
        )
        line = f"{title} {change.when}: {before} {issued}, {after} today"
        lines.append(f"{line} (points: {parts})." if parts else f"{line}.")
    return lines


def why_lines(summary: Summary, data: BriefData, unit: UnitForecast) -> list[str]:
    """Return what the leading scenario's number is made of, and the source it depends on most."""
    place, title = unit.leading_place, unit.leading.title
    *parts, total = data.weights(unit.name)
    listed = ", ".join(
        f"{part.meaning} {decibans(part.values[place])}"
        for part in parts
        if abs(part.values[place]) >= LEAST_DECIBANS
    )
    lines = [f"{title} now, in decibans: {listed}; together {decibans(total.values[place])}."]
    effects = [(effect[place], one.source) for one, effect in data.effects() if one.unit == unit.name]
    effect, source = max(effects, key=lambda pair: abs(pair[0]), default=(0.0, ""))
    if abs(effect) >= LEAST_CHANGE:
        named = summary.question.source_titles[source]
        lines.append(f"It leans most on {named}: without it {points(effect, 1)} points.")
    return lines


def collect_lines(summary: Summary, data: BriefData, unit: UnitForecast) -> list[str]:
    """Return which reports would raise or lower the leading scenario most, and what to ask about."""
    lines = []
    for sign, verb in ((1, "raise"), (-1, "lower")):
        for effect in data.strongest(unit, sign)[:1]:
            what = f"{sentences.statement(summary, effect.indicator, effect.value)} ({effect.source})"
            moved = points(effect.horizon[unit.leading_place], 1)
            lines.append(f"What would {verb} it most: {what}, {moved} points.")
    asked = [
        f"{summary.question.indicator_titles[one['indicator']]} ({one['source'] or 'watching it'})"
        for one in data.to_ask(3, unit.name)
    ]
    return [*lines, f"What to ask about: {'; '.join(asked)}."] if asked else lines


def _list(title: str, lines: Iterable[str], level: str = "##") -> list[str]:
    items = "\n".join(f"- {line}" for line in lines)
    return [f"{level} {title}", items] if items else []


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    """Return a Markdown table; all columns but the first are set to the right."""
    lines = [head, ["---", *("---:" for _ in head[1:])]]
    lines += [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
