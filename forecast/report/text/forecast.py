"""Text of ``forecast update``: table of probabilities, new reports, clashes and warnings.

And the end of a run over several cases: a line for each, and what moved by more than was asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from forecast.report import sentences
from forecast.report.number_format import decibans, percent, points, sparkline

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from forecast.case.question import Question
    from forecast.record.ledger import Entry
    from forecast.report.summary import Summary, UnitForecast

_TREND_POINTS = 13  #: Points of the trend line: a quarter of a year of weeks
_ANY_WIDTH = 10_000  #: Wider than any terminal

#: Where the output is no terminal (a file, a pipe), lines may be this long; COLUMNS says otherwise.
_PIPED_WIDTH = 120


def print_table(summary: Summary, console: Console | None = None) -> None:
    """Print a forecast as a table, with what moved it, clashing cells and warnings under it."""
    from rich.console import Console
    from rich.text import Text

    if console is None:
        console = Console(highlight=False)
        if not (console.is_terminal or os.environ.get("COLUMNS")):
            console = Console(highlight=False, width=_PIPED_WIDTH)
    console.print(Text(summary.case.question.title, style="bold"))
    console.print(Text(sentences.provenance(summary), style="dim"))
    for unit in summary.units:
        console.print()
        if unit.name:
            console.print(Text(unit.name, style="bold"))
        console.print(Text(sentences.headline(summary, unit)))
        for table in _scenarios(console, summary, unit):
            console.print(table)
        for part in _new_reports(summary, unit):
            console.print(part)
    console.print()
    if summary.event:
        console.print(Text(sentences.still_open(summary)))
    console.print(Text(sentences.confidence(summary)))
    for line in sentences.log_understood(summary):
        console.print(Text(line))
    console.print(Text(sentences.comparison(summary), style="dim"))
    _print_list(console, "Clashing reports", sentences.clash_lines(summary))
    _print_list(console, "Warnings", [str(warning) for warning in summary.warnings])


def _scenarios(console: Console, summary: Summary, unit: UnitForecast) -> list[Table]:
    """Return the scenarios' table; in a regime the outlook comes first, since the question asks for it.

    Where the terminal is too narrow for both, the present has a table of its own.
    """
    if not summary.regime:
        return [_estimates(summary, unit, ["now and at the horizon"])]
    beside = [_beside(summary, unit)] if summary.event else []
    return _outlook_first(console, summary, unit) + beside


def _beside(summary: Summary, unit: UnitForecast) -> Table:
    """Return what stands beside the forecast of an event, with the chance as first judged."""
    from rich.text import Text

    table = _plain_table()
    table.add_column("at the horizon")
    for heading in sentences.BESIDE:
        table.add_column(heading, justify="right")
    for title, *chances in sentences.beside(summary, unit):
        table.add_row(Text(title), *chances)
    return table


def _outlook_first(console: Console, summary: Summary, unit: UnitForecast) -> list[Table]:
    """Return the table of the horizon and of now, or two where the terminal is too narrow."""
    both = _estimates(summary, unit, ["at the horizon", "now"])
    if console.measure(both, options=console.options.update(max_width=_ANY_WIDTH)).maximum <= console.width:
        return [both]
    return [_estimates(summary, unit, ["at the horizon"]), _estimates(summary, unit, ["now"])]


def _estimates(summary: Summary, unit: UnitForecast, headings: list[str]) -> Table:
    """Return a table of the scenarios with the chances that are asked for, the trend beside the present."""
    from rich.text import Text

    table = _plain_table()
    table.add_column("scenario")
    present = headings[-1] != "at the horizon"
    for heading in headings:
        bold = "" if heading == "now" else "bold"
        table.add_column(heading, justify="right", style=bold, no_wrap=True)
        table.add_column("change", justify="right", no_wrap=True)
        if bold:
            table.add_column("in words")
    if present:
        table.add_column("trend", no_wrap=True)
    for scenario in unit.scenarios:
        cells = []
        for heading in headings:
            of = scenario.now if heading == "now" else scenario.answer
            cells += [sentences.estimate(of), points(of.change)] + ([] if heading == "now" else [of.words])
        cells += [sparkline(scenario.trend[-_TREND_POINTS:])] if present else []
        table.add_row(Text(scenario.title), *cells)
    return table


def _new_reports(summary: Summary, unit: UnitForecast) -> list[RenderableType]:
    from rich.text import Text

    listed = sentences.listed(unit.new_reports)
    if not listed:
        return [Text(sentences.none_listed(summary, unit))]
    table = _plain_table()
    table.add_column("report")
    for scenario in unit.scenarios:
        table.add_column(scenario.id, justify="right")
    for one in listed:
        weights = (decibans(weight) for weight in one.weights)
        table.add_row(Text(sentences.report(summary, one.report)), *weights)
    others = (Text("  " + line) for line in sentences.unlisted(unit.new_reports))
    return [Text(sentences.new_reports(summary) + ":"), table, *others]


def _plain_table() -> Table:
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE, pad_edge=False, header_style="dim")


def _print_list(console: Console, title: str, lines: list[str]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    if not lines:
        return
    console.print()
    console.print(Text(title, style="bold"))
    for line in lines:
        console.print(Padding(Text(f"· {line}"), (0, 0, 0, 2)))


def leaders(summary: Summary) -> str:
    """Return the leading scenario of each unit, with its change since the last issue, as text."""
    tops = []
    for unit in summary.units:
        scenario = unit.leading
        chance = scenario.answer
        moved = "" if chance.change is None else f" ({points(chance.change)})"
        tops.append(f"{_of(unit.name, ': ')}{scenario.title} {percent(chance.probability)}{moved}")
    return ", ".join(tops)


def issued_leaders(question: Question, rows: Sequence[Entry]) -> str:
    """Return the most probable scenario of each unit in an issue of the ledger."""

    def chance(row: Entry) -> float:
        return row.probability if question.dynamics is None else row.horizon_probability

    titles = question.all_titles
    tops = (max((row for row in rows if row.unit == unit), key=chance) for unit in question.unit_names)
    return ", ".join(f"{_of(row.unit, ': ')}{titles[row.scenario]} {percent(chance(row))}" for row in tops)


def case_lines(cases: Sequence[tuple[str, str]]) -> list[str]:
    """Return a line for each of several cases; nothing where there is only one.

    >>> case_lines([("a", "issued"), ("long", "not forecast")])
    ['', '2 cases:', '  a     issued', '  long  not forecast']
    """
    width = max((len(name) for name, _ in cases), default=0)
    lines = [f"  {name:<{width}}  {outcome}" for name, outcome in cases]
    return ["", f"{len(cases)} cases:", *lines] if len(cases) > 1 else []


def alert_lines(summaries: Sequence[Summary], limit: float) -> list[str]:
    """Return what moved by more than so many percentage points since the last issue.

    >>> alert_lines([], 10)
    ['', 'Moved by more than 10 points since the last issue: none']
    """
    far = [
        f"  {summary.case.name}: {of} {percent(before)} to {percent(after)} ({points(after - before)})"
        for summary in summaries
        for of, before, after in _moves(summary)
        if 100 * abs(after - before) > limit
    ]
    return ["", f"Moved by more than {limit:g} points since the last issue:{'' if far else ' none'}", *far]


def _moves(summary: Summary) -> Iterator[tuple[str, float, float]]:
    """Yield what moved since the last issue, from which probability and to which."""
    carried = ", from what was carried over" if summary.carried else ""
    for unit in summary.units:
        for scenario in unit.scenarios:
            ends = ("now", scenario.now), ("at the horizon", scenario.horizon)
            for when, chance in ends[: 2 if summary.regime else 1]:
                if chance.change is not None:
                    name = f"{_of(unit.name, ', ')}{scenario.title}, {when}{carried}:"
                    yield name, chance.probability - chance.change, chance.probability


def _of(unit: str, between: str) -> str:
    return f"{unit}{between}" if unit else ""
