"""The world that the model describes: judgements, the course of scenarios, what happened, and who said what.

Written from the design's text alone, as sampling: nothing here computes a likelihood, and nothing here
imports the model or the engine.

Where filing is ignored, which rows the log has (who speaks of what, when, what passes on what, what is taken
back) is drawn first, without regard to what is true: in the model, too, it says nothing about the truth. A
report that will be withdrawn or corrected is noise; so the model's law of what repeats it,
(1 - b) u(y) + b own, is that of a world in which one has forgotten the withdrawn value.

Where it is not, each period yields a claim, by the last source, whose reliability is the mean of all; it is
filed with a chance by what it claims. Only then do others speak of the cell as well, now and then.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from scipy.special import polygamma

from forecast.case.evidence import Evidence, Report
from forecast.case.judgement import MeasureMean
from forecast.case.question import Indicator, Moves, Question, Transition
from tests.oracles import draw_theta
from tests.oracles.theta import Theta

Value = str | int | float

REPORTED = 0.8  # chance that anybody speaks of a cell
ALSO = 0.4  # chance that somebody else speaks of a claim that was filed
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
    return World(theta, path, Evidence(_Tellers(question, theta, path, log, rng).tell(as_of)))


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
                if indicator.reporting is None and rng.random() < REPORTED:
                    rows += _said(question, indicator, unit, period, as_of, rng)
    taken = {row.replaces for row in rows}
    source = question.sources[1].id
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
    one, other = (question.sources[n].id for n in rng.permutation(2))

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
        self.taken = {row.replaces for row in log}
        self.value: dict[str, Value] = {}
        self.told: dict[tuple[str, str], Value] = {}  # by unit and indicator: the value last stated

    def tell(self, as_of: date) -> tuple[Report, ...]:
        """Return the log with its values, claims that were filed included."""
        hidden: dict[tuple[str, str], Value] = {}  # by unit and indicator: what happened last
        cells: dict[tuple[int, str, str], list[Report]] = {}
        for row in self.log:
            if row.indicator:
                cells.setdefault((self.question.period(row.date), row.unit, row.indicator), []).append(row)
        filed = list[Report]()
        for period in range(self.question.period(as_of) + 1):
            for unit, path in self.path.items():
                for indicator in self.question.indicators:
                    stays = period > 0 and path[period] == path[period - 1]
                    before = hidden.get((unit, indicator.id)) if stays else None
                    happened = hidden[unit, indicator.id] = self.happens(indicator, path[period], before)
                    if indicator.reporting is not None:
                        filed += self.claims(indicator, unit, period, happened)
                    rows = cells.get((period, unit, indicator.id), [])
                    for row in rows:
                        self.value[row.id] = self.says(row, rows, indicator, happened)
        return (*(replace(row, value=self.value.get(row.id)) for row in self.log), *filed)

    def happens(self, indicator: Indicator, scenario: int, before: Value | None) -> Value:
        """Draw what happened: of a state that goes on it is what it was, with chance q."""
        if before is not None and self.rng.random() < (indicator.persistence or 0.0):
            return before
        return self.fresh(indicator, scenario, self.theta)

    def claims(self, indicator: Indicator, unit: str, period: int, happened: Value) -> list[Report]:
        """Draw what is claimed about a cell, and return what is filed of it."""
        source, where = self.question.sources[-1].id, (unit, indicator.id)
        d = self.theta["filed"][indicator.id]
        said = happened if self.rng.random() < self.theta["reliability"][source] else self.noise(indicator)
        kind = "quiet" if said == indicator.quiet else "event"
        if indicator.persistence is not None and kind == "event" and said == self.told.get(where):
            kind = "again"
        if self.rng.random() >= d[kind]:
            return []
        on, name = self.question.last_day(period), f"{unit} {period} {indicator.id} filed"
        rows = [Report(name, on, on, indicator.id, said, source, unit=unit)]
        if self.rng.random() < ALSO:
            other = self.question.sources[0].id
            true = self.rng.random() < self.theta["reliability"][other]
            said = happened if true else self.noise(indicator)
            rows.append(Report(name + " by another", on, on, indicator.id, said, other, unit=unit))
        self.told[where] = said
        return rows

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
        """Draw from u(y).

        Any value of a category alike, or, where it matters what is filed, nu for all but the quiet one; of a
        measure Student's t with 3 degrees of freedom around the mean of the means, three times as wide as
        the scenarios together; of a count min(1/(y + 1), (M + 1)/(y + 1)^2), M a hundred times the largest
        mean: first whether y is above M, then y by turning its distribution function around.
        """
        rng = self.rng
        if indicator.values and indicator.reporting is None:
            return indicator.values[int(rng.integers(len(indicator.values)))]
        if indicator.values:
            others = [value for value in indicator.values if value != indicator.quiet]
            loud = rng.random() < self.theta["noise"]
            return others[int(rng.integers(len(others)))] if loud else indicator.quiet
        means = np.array([judgement.mean for judgement in indicator.likelihood], float)
        if indicator.kind == "measure":
            sds = [j.sd for j in indicator.likelihood if isinstance(j, MeasureMean)]
            wide = math.sqrt(np.mean(np.square(sds)) + means.var())
            return float(means.mean() + 3 * wide * rng.standard_t(3))
        edge = math.ceil(100 * means.max()) + 1
        near = np.cumsum(1 / np.arange(1, edge + 1))
        u = rng.random() * (near[-1] + edge * float(polygamma(1, edge + 1)))
        if u < near[-1]:
            return int(np.searchsorted(near, u, side="right"))
        left, n = (u - near[-1]) / edge, edge + 1  # of the sum of 1/n^2 from n on
        low, high = n, 2**52
        while low < high:  # the least n with sum up to n above `left`
            middle = (low + high) // 2
            above = float(polygamma(1, edge + 1) - polygamma(1, middle + 1)) > left
            low, high = (low, middle) if above else (middle + 1, high)
        return low - 1

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
