"""The end of a run over several cases: a line for each, and what moved by more than was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast.case.errors import InputError
from forecast.case.in_force import ever
from forecast.report.number_format import percent, points

if TYPE_CHECKING:
    from forecast.case.folder import Case
    from forecast.record.ledger import Entry
    from forecast.report.summary import Chance, Summary


@dataclass(frozen=True, slots=True)
class Move:
    """How far one probability has moved since the last issued forecast, and what it is of."""

    of: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case: its exit code, the line that says so, and the moves."""

    case: str
    code: int
    said: str
    moves: tuple[Move, ...] = ()


def forecasted(summary: Summary, code: int, done: str) -> Outcome:
    """Return the outcome of a forecast that was made; `done` says what became of it."""
    leaders = []
    for view in summary.views:
        line = max(view.lines, key=lambda line: summary.leading(line).probability)
        chance = summary.leading(line)
        moved = "" if chance.change is None else f" ({points(chance.change)})"
        unit = f"{view.unit}: " if view.unit else ""
        leaders.append(f"{unit}{line.title} {percent(chance.probability)}{moved}")
    return Outcome(summary.case.name, code, f"{', '.join(leaders)}; {done}", _moves(summary))


def unchanged(case: Case, rows: Sequence[Entry]) -> Outcome:
    """Return the outcome of a case whose forecast was issued before from the very same inputs."""
    regime = case.question.dynamics is not None

    def chance(row: Entry) -> float:
        return row.horizon_probability if regime else row.probability

    leaders, titles = [], {one.id: one.title for one in ever(case.question)}
    for unit in case.question.units or ("",):
        row = max((row for row in rows if row.unit == unit), key=chance)
        title = titles[row.scenario]
        leaders.append(f"{unit}{': ' if unit else ''}{title} {percent(chance(row))}")
    return Outcome(case.name, 0, f"{', '.join(leaders)}; nothing changed")


def failed(name: str, code: int, error: Exception) -> Outcome:
    """Return the outcome of a case that could not be forecast."""
    if isinstance(error, InputError):
        number = len(error.faults)
        return Outcome(
            name, code, f"not forecast: {number} fault{'s' * (number > 1)} in the input, told above"
        )
    return Outcome(name, code, "not forecast: the toolkit failed, as told above")


def case_lines(outcomes: Sequence[Outcome]) -> list[str]:
    """Return a line for each of several cases; of a single one all has been said.

    Examples
    --------
    >>> case_lines([Outcome("a", 0, "issued"), Outcome("long", 2, "not forecast")])
    ['', '2 cases:', '  a     issued', '  long  not forecast']
    """
    width = max((len(outcome.case) for outcome in outcomes), default=0)
    lines = [f"  {outcome.case:<{width}}  {outcome.said}" for outcome in outcomes]
    return ["", f"{len(outcomes)} cases:", *lines] if len(outcomes) > 1 else []


def alert_lines(outcomes: Sequence[Outcome], limit: float) -> list[str]:
    """Return what moved by more than so many percentage points since the last issue.

    Examples
    --------
    >>> alert_lines([Outcome("a", 0, "issued", (Move("War, now:", 0.4, 0.55),))], 10)
    ['', 'Moved by more than 10 points since the last issue:', '  a: War, now: 40% to 55% (+15)']
    """
    far = [
        f"  {outcome.case}: {move.of} {percent(move.before)} to {percent(move.after)} "
        f"({points(move.after - move.before)})"
        for outcome in outcomes
        for move in outcome.moves
        if 100 * abs(move.after - move.before) > limit
    ]
    return ["", f"Moved by more than {limit:g} points since the last issue:{'' if far else ' none'}", *far]


def _moves(summary: Summary) -> tuple[Move, ...]:
    found = []
    carried = ", from what was carried over" if summary.carried else ""
    for view in summary.views:
        unit = f"{view.unit}, " if view.unit else ""
        for line in view.lines:
            found += _move(f"{unit}{line.title}, now{carried}:", line.now)
            if summary.regime:
                found += _move(f"{unit}{line.title}, at the horizon{carried}:", line.horizon)
    return tuple(found)


def _move(of: str, chance: Chance) -> list[Move]:
    if chance.change is None:
        return []
    return [Move(of, chance.probability - chance.change, chance.probability)]
