"""Text of ``forecast trend``: the trend as a character plot, with digits for scenarios."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.inference.result import as_of, of_unit
from forecast.report.number_format import band, percent
from forecast.report.styles import scenario_styles

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.folder import Case

_MARGIN = 6  #: Columns left of the picture, for the percentages

_OUTLOOK, _TODAY, _FLOOR = "·", "│", "─"


@dataclass(frozen=True, slots=True)
class Drawing:
    """Characters in rows, and whose they are: the place of a scenario in the question, or -1."""

    rows: tuple[str, ...]
    owner: np.ndarray  # (rows, columns)


def trend_text(
    case: Case, tree: xr.DataTree, *, unit: str = "", width: int = 100, height: int = 20
) -> Drawing:
    """Draw the trend of a unit, and in a regime the outlook, as characters.

    The picture has so many columns and, without its axis and key, rows: at least 40 and 5. Where lines cross,
    the more probable scenario is seen (the order of the question at a tie).
    """
    width, height = max(width, 40), max(height, 5)
    case = case.on(as_of(tree))
    trend, outlook = (of_unit(tree[name].to_dataset(), unit) for name in ("trend", "outlook"))
    regime = case.question.dynamics is not None
    today = _days(trend["as_of"].values)[-1]
    first = _days(np.array([case.question.opened], dtype="datetime64[D]"))[0]
    last = _days(outlook["date"].values)[-1] if regime else today
    columns = width - _MARGIN
    grid = np.full((height, columns), " ")
    owner = np.full((height + 2 + len(case.question.scenarios), width), -1)
    days = np.linspace(first, max(last, first + 1), columns)
    edge = int(np.searchsorted(days, today, side="right")) - 1
    days[edge] = today
    if edge < columns - 1:
        grid[:, edge] = _TODAY
    for place, known, coming in _courses(case, trend, outlook, days, edge):
        for column, p in enumerate(known if edge == columns - 1 else np.append(known, coming)):
            if np.isnan(p) or (edge < column < columns - 1 and column % 2):
                continue
            row = round((1 - float(p)) * (height - 1))
            grid[row, column] = str(place + 1) if column <= edge or column == columns - 1 else _OUTLOOK
            owner[row, column + _MARGIN] = place
    marks = {round((1 - share) * (height - 1)): f"{share:.0%}" for share in (0, 0.25, 0.5, 0.75, 1)}
    rows = [
        f"{marks.get(n, ''):>{_MARGIN - 2}} {'┤' if n in marks else ' '}" + "".join(grid[n])
        for n in range(height)
    ]
    rows.append(" " * (_MARGIN - 1) + "└" + _FLOOR * columns)
    rows.append(" " * _MARGIN + _dates((first, today, last), edge, columns, regime=regime))
    for place, scenario in enumerate(case.question.scenarios):
        present = "being prepared now" if case.question.event else "now"
        ends = _ends(trend, outlook, scenario.id, regime, present)
        rows.append(" " * _MARGIN + f"{place + 1} {scenario.title}: {ends}")
        owner[height + 2 + place] = place
    return Drawing(tuple(rows), owner)


def _days(dates: np.ndarray) -> np.ndarray:
    return dates.astype("datetime64[D]").astype(float)


def _courses(
    case: Case, trend: xr.Dataset, outlook: xr.Dataset, days: np.ndarray, edge: int
) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """Return place, probability up to today and from there on, column by column; the most probable last."""
    courses = []
    known_on, coming_on = _days(trend["as_of"].values), _days(outlook["date"].values)
    for place, scenario in enumerate(case.question.scenarios):
        p = trend["probability"].sel(scenario=scenario.id).values
        known = np.interp(days[: edge + 1], known_on, p, left=p[0])
        course = np.concatenate([p[-1:], outlook["probability"].sel(scenario=scenario.id).values])
        coming = np.interp(days[edge + 1 :], np.concatenate([known_on[-1:], coming_on]), course)
        courses.append((p[-1], -place, (place, known, coming)))
    return [course for _, _, course in sorted(courses, key=lambda one: one[:2])]


def _ends(trend: xr.Dataset, outlook: xr.Dataset, scenario: str, regime: bool, present: str) -> str:
    parts = [(trend.isel(as_of=-1), present)]
    parts += [(outlook.isel(date=-1), "at the horizon")] if regime else []
    ends = []
    for data, when in parts:
        own = data.sel(scenario=scenario)
        chance = percent(float(own["probability"]))
        ends.append(f"{chance} ({band(float(own['low']), float(own['high']))}) {when}")
    return ", ".join(ends)


def _dates(days: tuple[float, ...], edge: int, columns: int, *, regime: bool) -> str:
    """Return the line of dates: the first day, today, and in a regime the horizon, where there is room."""
    first, today, last = (str(np.datetime64(int(day), "D")) for day in days)
    line, places = [" "] * columns, [(0, first), (columns - len(last), last)][: 1 + regime]
    middle = min(max(edge - len(today) // 2, 0), columns - len(today))
    if all(middle >= at + len(text) + 1 or middle + len(today) + 1 <= at for at, text in places):
        places.append((middle, today))
    for at, text in places:
        line[at : at + len(text)] = text
    return "".join(line)


def print_trend(case: Case, tree: xr.DataTree) -> None:
    """Print the trend of each unit, in the scenarios' colours where the terminal has them."""
    from rich.console import Console
    from rich.text import Text

    console, day = Console(highlight=False), as_of(tree)
    styles = scenario_styles(case.question.all_scenarios)
    colours = [styles[id].colour for id in case.on(day).question.scenario_ids]
    console.print(Text(f"{case.question.title} ({case.name}, as of {day})", style="bold"))
    for unit in case.question.unit_names:
        console.print(Text(unit, style="bold"))
        height = min(20, max(console.size.height - 12, 8))
        drawn = trend_text(case, tree, unit=unit, width=min(console.width, 120), height=height)
        for row, owner in zip(drawn.rows, drawn.owner, strict=True):
            line = Text(row, no_wrap=True, overflow="crop")
            for column, place in enumerate(owner[: len(row)]):
                if place >= 0:
                    line.stylize(colours[place], column, column + 1)
            console.print(line)
