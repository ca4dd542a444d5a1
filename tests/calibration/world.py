"""The world that the model describes: judgements, the course of scenarios, what happened, and who said what.

Written from the design's text alone, as sampling: nothing here computes a likelihood, but for the rule of the
held value, which is a rule about what was reported. Nothing here imports the model or the engine.

Which rows the log has (who speaks of what, when, what passes on what, what is taken back) is drawn first,
without regard to what is true: in the model, too, it says nothing about the truth. A report that will be
withdrawn or corrected is noise; so the model's law of what repeats it, (1 - b) u(y) + b own, is that of a
world in which one has forgotten the withdrawn value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from forecast.case.evidence import Evidence, Report
from forecast.case.judgement import MeasureMean
from forecast.case.question import Indicator, Moves, Question, Transition
from tests.oracles import draw_theta, mean_theta
from tests.oracles.theta import Theta

Value = str | int | float

REPORTED = 0.8  # chance that anybody speaks of a cell
LATE = 0.2  # chance that a report becomes known only a week or two later
CLAIMS = 3  # claims of the last source that are one testimony
GRADES = ("", "", "2", "3", "4")
#: What may be said in a cell; of a measure there is one live report at most.
MEASURED = ("one", "one", "one", "withdrawn", "corrected")
SAID = (
    *MEASURED,
    "two",
    "two",
    "repeated",
    "repeated in part",
    "again",
    "again in part",
    "withdrawn, repeated in part",
)


@dataclass(frozen=True)
class World:
    """What was true, and what was reported of it."""

    theta: Theta
    path: dict[str, tuple[int, ...]]  # by unit: the scenario of each period, up to the horizon
    evidence: Evidence


def simulate(question: Question, as_of: date, rng: np.random.Generator) -> World:
    """Draw a world: judgements, a course of scenarios per unit, and a log of reports known by a date."""
    log = planned(question, as_of, rng)
    theta = draw_theta(question, Evidence(log), rng)
    periods = question.period(question.horizon) + 1
    path = {unit: course(question, theta, periods, rng) for unit in question.units or ("",)}
    return World(theta, path, Evidence(_Tellers(question, theta, path, log, rng).tell()))


# --- the course of scenarios -------------------------------------------------------------------------------


def course(question: Question, theta: Theta, periods: int, rng: np.random.Generator) -> tuple[int, ...]:
    """Draw the scenario of each period.

    Moves are drawn as they happen, one by one in continuous time: a stay is exponential.
    """
    now, path = _pick(theta["prior"], rng), list[int]()
    leaves = rng.exponential(1 / theta["leave"][now]) if isinstance(question.dynamics, Moves) else math.inf
    for period in range(periods):
        while leaves <= period:
            now = _pick(theta["then"][now], rng)
            leaves += rng.exponential(1 / theta["leave"][now])
        if isinstance(question.dynamics, Transition) and period > 0:
            now = _pick(theta["transition"][now], rng)
        path.append(now)
    return tuple(path)


def _pick(chances: object, rng: np.random.Generator) -> int:
    p = np.asarray(chances, float)
    return int(rng.choice(len(p), p=p / p.sum()))


# --- who speaks --------------------------------------------------------------------------------------------


def planned(question: Question, as_of: date, rng: np.random.Generator) -> tuple[Report, ...]:
    """Draw the rows of a log whose values are not yet known; a row that withdraws never has one."""
    rows: list[Report] = []
    for unit in question.units or ("",):
        for period in range(question.period(as_of) + 1):
            for indicator in question.indicators:
                if rng.random() < REPORTED:
                    rows += _said(question, indicator, unit, period, as_of, rng)
    taken = {row.replaces for row in rows}
    source = question.sources[-1].id
    able = [n for n, row in enumerate(rows) if row.source == source and row.indicator and row.id not in taken]
    for n in rng.permutation(able)[:CLAIMS]:
        rows[n] = replace(rows[n], testimony="one talk")
    return tuple(rows)


def _said(
    question: Question,
    indicator: Indicator,
    unit: str,
    period: int,
    as_of: date,
    rng: np.random.Generator,
) -> list[Report]:
    """Draw the rows of one cell."""
    name = f"{unit} {period} {indicator.id} "
    kind = str(rng.choice(MEASURED if indicator.kind == "measure" else SAID))
    on = question.last_day(period) - timedelta(days=int(rng.integers(question.period_days)))
    one, other = (question.sources[n].id for n in rng.permutation(len(question.sources))[:2])

    def known(since: date) -> date:
        wait = int(rng.integers(7, 15)) if rng.random() < LATE else 0
        return min(since + timedelta(days=wait), as_of)

    def row(mark: str, since: date, source: str, **options: object) -> Report:
        grade = str(rng.choice(GRADES))
        spoken = Report(name + mark, on, known(since), indicator.id, None, source, grade, unit=unit)
        return replace(spoken, **options)  # type: ignore[arg-type]

    first = row("a", on, one)
    part = float(rng.choice((0.3, 0.6))) if "part" in kind else None
    rows = [first]
    if kind == "two":
        rows.append(row("b", first.reported, other))
    elif "repeated" in kind:
        rows.append(row("b", first.reported, other, repeats=(first.id,), independence=part))
    elif "again" in kind:
        rows.append(row("b", first.reported, one, independence=part))
    if "withdrawn" in kind:
        rows.append(Report(name + "w", on, known(rows[-1].reported), replaces=first.id, unit=unit))
    elif kind == "corrected":
        rows.append(row("c", first.reported, one, replaces=first.id))
    return rows


# --- what happens, and what is said of it ------------------------------------------------------------------


class _Tellers:
    """Fills in the values of a log, cell by cell in the order of time."""

    def __init__(
        self,
        question: Question,
        theta: Theta,
        path: dict[str, tuple[int, ...]],
        log: tuple[Report, ...],
        rng: np.random.Generator,
    ) -> None:
        self.question, self.theta, self.path, self.log, self.rng = question, theta, path, log, rng
        self.means = mean_theta(question, Evidence(log))
        self.taken = {row.replaces for row in log}
        self.value: dict[str, Value] = {}

    def tell(self) -> tuple[Report, ...]:
        """Return the log with its values."""
        held: dict[tuple[str, str], tuple[Value, int]] = {}  # by unit and indicator: value, period
        cells: dict[tuple[int, str, str], list[Report]] = {}
        for row in self.log:
            if row.indicator:
                cells.setdefault((self.question.period(row.date), row.unit, row.indicator), []).append(row)
        kinds = {indicator.id: indicator for indicator in self.question.indicators}
        for (period, unit, name), rows in sorted(cells.items()):
            indicator, scenario = kinds[name], self.path[unit][period]
            happened = self.happens(indicator, scenario, held.get((unit, name)), period)
            for row in rows:
                self.value[row.id] = self.says(row, rows, indicator, happened)
            live = [row for row in rows if row.id not in self.taken]
            if live and indicator.persistence is not None:
                held[unit, name] = self.most_likely(live, rows, indicator), period
        return tuple(replace(row, value=self.value.get(row.id)) for row in self.log)

    def happens(
        self, indicator: Indicator, scenario: int, held: tuple[Value, int] | None, period: int
    ) -> Value:
        """Draw what happened: what was last reported goes on with chance q^g, g periods later."""
        goes_on = 0.0 if held is None else (indicator.persistence or 0.0) ** (period - held[1])
        if held is not None and self.rng.random() < goes_on:
            return held[0]
        return self.fresh(indicator, scenario, self.theta)

    def fresh(self, indicator: Indicator, scenario: int, theta: Theta) -> Value:
        """Draw from f(x | s)."""
        judged = theta["likelihood"][indicator.id][scenario]
        if indicator.values:
            return indicator.values[_pick(judged, self.rng)]
        judgement = indicator.likelihood[scenario]
        if isinstance(judgement, MeasureMean):
            return float(self.rng.normal(judged, judgement.sd))
        if indicator.dispersion is None:
            return int(self.rng.poisson(judged))
        k = indicator.dispersion
        return int(self.rng.negative_binomial(k, k / (k + judged)))

    def noise(self, indicator: Indicator) -> Value:
        """Draw from u(y): any value alike, or f in a scenario drawn at random, judgements at their means."""
        if indicator.values:
            return indicator.values[int(self.rng.integers(len(indicator.values)))]
        return self.fresh(indicator, int(self.rng.integers(len(self.question.scenarios))), self.means)

    def says(self, row: Report, rows: list[Report], indicator: Indicator, happened: Value) -> Value:
        """Draw what a report states: a copy, what happened, or noise."""
        if row.id in self.taken:
            return self.noise(indicator)
        original = self.original(row, rows)
        if original is not None and self.rng.random() >= (row.independence or 0.0):
            return self.value[original.id]
        return happened if self.rng.random() < self.reliability(row, self.theta) else self.noise(indicator)

    def reliability(self, row: Report, theta: Theta) -> float:
        """Return the chance that a report tells what happened."""
        own = theta["testimony"][row.testimony] if row.testimony else theta["reliability"][row.source]
        return float(own * self.question.credibility[row.credibility])

    def original(self, row: Report, rows: list[Report]) -> Report | None:
        """Return what a report repeats: what it names, else what its source said first in this cell."""
        if row.repeats:
            return next(other for other in rows if other.id in row.repeats)
        mine = [other for other in rows if other.source == row.source and other.id not in self.taken]
        first = min(mine, key=lambda other: other.reported)  # the first in the log on a tie
        return None if first is row else first

    def most_likely(self, live: list[Report], rows: list[Report], indicator: Indicator) -> Value:
        """Return the value that makes what was said most likely, reliabilities at their means."""
        likely = []
        for x in indicator.values:
            chances = []
            for row in live:
                original, u = self.original(row, rows), 1 / len(indicator.values)
                r, own = self.reliability(row, self.means), row.independence or 0.0
                alone = r * (self.value[row.id] == x) + (1 - r) * u
                if original is None:
                    chances.append(alone)
                elif original.id in self.taken:
                    chances.append((1 - own) * u + own * alone)
                else:
                    chances.append((1 - own) * (self.value[original.id] == self.value[row.id]) + own * alone)
            likely.append(math.prod(chances))
        return indicator.values[next(n for n, p in enumerate(likely) if p >= max(likely) * (1 - 1e-12))]
