"""The evidence apart from what it says: which cells and reports there are, and how each comes about.

A cell whose reports are still to be filled in is a :class:`Blank`, a report that is still to say something
a :class:`Voice`. Replicates of the evidence (:mod:`forecast.inference.predictive.replicates`) fill them in:
which indicators were reported on, by whom, and who passes on whom is taken as it was; what was said is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np

from forecast.case.evidence import Report
from forecast.case.question import Question
from forecast.model.cell_sequence import Course, places
from forecast.model.cells import Statement, density
from forecast.model.parameters import Layout
from forecast.model.problem import Problem
from forecast.model.report_log import ReportLog

GONE = -1  # in place of an original that was withdrawn, or corrected to another value or cell


class Voice(NamedTuple):
    """How one report comes about, apart from what it says."""

    slot: int  # of its reliability in theta
    credibility: float  # factor on that
    own: float  # the chance that it is not passed on: 1 for a report of its own, else its independence
    originals: tuple[int, ...] = ()  # places in the cell of what it may pass on, or GONE
    given: float | None = None  # what it said, where that is known and not to be drawn


class Blank(NamedTuple):
    """A cell apart from what its reports say, and from whether its silence is broken."""

    indicator: int
    voices: tuple[Voice, ...] = ()  # by `reported`, then by place in the log
    watch: tuple[float, float] | None = None  # detection and false alarm, where silence is evidence
    silent: bool = False  # the silence is known and not to be drawn
    hold: float = 0.0  # the chance that the last reported value went on
    held: int = 0  # that value, as it was known
    before: int = -1  # the period of the cell that reported it, -1 if there is none
    children: tuple[Blank, ...] = ()


class Place(NamedTuple):
    """A blank at its place, and what its reports said: its own, then those of each child."""

    unit: int
    period: int
    blank: Blank
    said: tuple[tuple[float, ...], ...]


class Heard(NamedTuple):
    """Where an indicator was heard of: by report, or by silence."""

    unit: np.ndarray
    period: np.ndarray
    indicator: np.ndarray


class Designer:
    """Looks up in the log how the cells of a problem came about."""

    def __init__(self, task: Problem) -> None:
        self._layout, self._question, self._cell = task.layout, task.layout.question, task.cells.cell
        self._log = ReportLog(self._question, task.evidence)
        self._rows = {r.id: r for r in task.evidence.reports}
        self._replacing = {r.replaces: r for r in task.evidence.reports if r.replaces}

    def places(self, course: Course, day: date, begin: int = 0) -> Iterator[Place]:
        """Yield the cells that stood in a course on a day, from period `begin` on, by unit and period.

        A cell that the cap has taken out altogether does not stand.
        """
        heard = self._heard(course)
        units, periods = places(course)
        for n in np.flatnonzero(periods >= begin):
            unit, period = int(units[n]), int(periods[n])
            blank = self.blank(int(course.cell[course.kind[n]]), unit, period, day, heard)
            said = tuple(
                tuple(
                    code(report, self._question, one.indicator)
                    for report in self.live(unit, period, one, day)
                )
                for one in members(blank)
            )
            yield Place(unit, period, blank, said)

    def blank(self, c: int, unit: int, period: int, day: date, heard: Heard | None = None) -> Blank:
        """Return cell c of the problem, as it stood at its place on a day, without what was said.

        Without `heard` it is not said which earlier cell its held value is from.
        """
        first, found = int(self._cell[c]["child"]), list[Blank]()
        for record in (self._cell[c], *self._cell[first : first + int(self._cell[c]["children"])]):
            i, before = int(record["indicator"]), -1
            watch = 1.0 - float(record["active"]), 1.0 - float(record["quiet"])
            if heard is not None and record["hold"]:
                mine = (heard.unit == unit) & (heard.indicator == i) & (heard.period < period)
                before = int(heard.period[mine].max(initial=-1))
            blank = Blank(
                i,
                self._voices(self._log.live((unit, period, i), day), day)
                if record["end"] > record["first"]
                else (),
                watch if watch != (0.0, 0.0) else None,
                hold=float(record["hold"]),
                held=int(record["held"]),
                before=before,
            )
            found.append(blank)
        return found[0]._replace(children=tuple(found[1:]))

    def live(self, unit: int, period: int, blank: Blank, day: date) -> list[Report]:
        """Return the reports of a cell that stood on a day, one for each of its voices."""
        return self._log.live((unit, period, blank.indicator), day) if blank.voices else []

    def _voices(self, live: list[Report], day: date) -> tuple[Voice, ...]:
        """Return how the live reports of a cell come about, by the rules of the log."""
        at, first, found = {report.id: j for j, report in enumerate(live)}, dict[str, int](), []
        for j, report in enumerate(live):
            named = [id for id in report.repeats if self._rows[id].reported <= day]
            now = [at.get(self._current(id, day), GONE) for id in named]
            originals = tuple(
                GONE if o != GONE and live[o].id != id and live[o].value != report.value else o
                for id, o in zip(named, now, strict=True)
            )
            if not originals and report.source in first:
                originals = (first[report.source],)
            first.setdefault(report.source, j)
            own = (report.independence or 0.0) if originals else 1.0
            factor = self._question.credibility[report.credibility]
            found.append(Voice(self._layout.starts[str(report.judge)], factor, own, originals))
        return tuple(found)

    def _current(self, id: str, day: date) -> str:
        """Return the id of what stands in a report's place on a day."""
        while id in self._replacing and self._replacing[id].reported <= day:
            id = self._replacing[id].id
        return id

    def _heard(self, course: Course) -> Heard:
        """Return where there is a cell that has reports or silence of its own."""
        unit, period = places(course)
        heads = course.cell[course.kind]
        found = [(unit, period, heads)]
        for n in range(int(self._cell["children"].max(initial=0))):
            more = self._cell["children"][heads] > n
            found.append((unit[more], period[more], self._cell["child"][heads[more]] + n))
        unit, period, cells = (np.concatenate(part) for part in zip(*found, strict=True))
        record = self._cell[cells]
        own = (record["end"] > record["first"]) | (record["quiet"] != 1.0) | (record["active"] != 1.0)
        return Heard(unit[own], period[own], record["indicator"][own])


def members(blank: Blank) -> tuple[Blank, ...]:
    """Return a cell and those that exist only where it is not quiet."""
    return blank, *blank.children


def in_turn(voices: tuple[Voice, ...]) -> list[int]:
    """Return the places of voices, each after those that it may pass on (but for a circle, cut anywhere)."""
    left, found = list(range(len(voices))), list[int]()
    while left:
        free = (j for j in left if all(o == GONE or o in found for o in voices[j].originals))
        found.append(next(free, left[0]))
        left.remove(found[-1])
    return found


def code(report: Report, question: Question, indicator: int) -> float:
    """Return what a report says as a number: the index of a category's value, or the number stated."""
    values = question.indicators[indicator].values
    assert report.value is not None
    return float(values.index(str(report.value))) if values else float(report.value)


def statement_of(voice: Voice, said: tuple[float, ...], own: float, layout: Layout, i: int) -> Statement:
    """Return the statement that a voice makes by saying `own` in a cell in which `said` is said."""
    indicator = layout.question.indicators[i]
    if indicator.values:
        chance = 1.0 / len(indicator.values)
    else:
        chance = sum(density(indicator, s, own) for s in range(layout.scenarios)) / layout.scenarios
        chance = max(chance, 1e-300)
    same = any(said[o] == own for o in voice.originals if o != GONE)
    keep = (1.0 - voice.own) * (1.0 if same else chance if GONE in voice.originals else 0.0)
    told = voice.own * voice.credibility
    return Statement(keep, voice.own * chance, told, voice.credibility, own, voice.slot)
