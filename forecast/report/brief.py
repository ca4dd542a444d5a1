"""The brief: the same content as the table, as Markdown that reads well as plain text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forecast.report import phrases, short
from forecast.report.wording import direction, percent, points

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forecast.report.findings import Findings
    from forecast.report.summary import Summary, View


def brief(summary: Summary, findings: Findings | None = None, *, picture: str = "") -> str:
    """Write a forecast as Markdown.

    Parameters
    ----------
    summary : Summary
        What :func:`forecast.report.summary.summarise` picked.
    findings : Findings, optional
        What :func:`forecast.report.findings.gather` found: what changed, why, and what to collect.
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
        parts += [phrases.headline(summary, view), _scenarios(summary, view), *_movers(summary, view)]
        parts += _further(summary, findings, view) if findings else []
    parts += [phrases.confidence(summary), phrases.comparison(summary)]
    parts += [image] if picture else []
    parts += _section("Clashing reports", phrases.clash_lines(summary))
    parts += _section("Warnings", summary.warnings)
    parts.append(f"*{phrases.provenance(summary)}*")
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
                [line.title, phrases.chance(line.now), points(line.now.change), line.now.words]
                for line in view.lines
            ),
        )
    return _table(
        ["scenario", "at the horizon (90%)", "change", "in words", "ever until then", "now (90%)", "change"],
        (
            [
                line.title,
                phrases.chance(line.horizon),
                points(line.horizon.change),
                line.horizon.words,
                percent(line.ever),
                phrases.chance(line.now),
                points(line.now.change),
            ]
            for line in view.lines
        ),
    )


def _movers(summary: Summary, view: View) -> list[str]:
    listed = phrases.listed_movers(view.movers)
    if not listed:
        return [phrases.without_movers(summary, view)]
    table = _table(
        ["report", *(line.id for line in view.lines)],
        (
            [phrases.report(summary, mover.report), *(direction(weight) for weight in mover.weights)]
            for mover in listed
        ),
    )
    return [phrases.movers_title(summary) + ":", table, *phrases.left_out_movers(view.movers)]


def _further(summary: Summary, findings: Findings, view: View) -> list[str]:
    """Return what changed, why, and what to collect, in a few lines each."""
    level = "###" if view.unit else "##"
    return [
        *_section("What changed", short.change_lines(summary, findings, view), level),
        *_section("Why", short.why_lines(summary, findings, view), level),
        *_section("What to collect", short.collect_lines(summary, findings, view), level),
    ]


def _section(title: str, lines: Iterable[str], level: str = "##") -> list[str]:
    items = "\n".join(f"- {line}" for line in lines)
    return [f"{level} {title}", items] if items else []


def _table(header: list[str], rows: Iterable[list[str]]) -> str:
    """Return a Markdown table; all columns but the first are set to the right."""
    lines = [header, ["---", *("---:" for _ in header[1:])]]
    lines += [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
