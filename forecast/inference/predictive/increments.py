"""What became known on one date: which reports and silences are new, and the evidence without them.

A report is new if it was not there on the date before, or if what it passes on was not. What a ratio says
is never new: it says how much more likely one scenario makes it than another, not how likely it was.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from forecast.inference.predictive.design import (
    GONE,
    Blank,
    Designer,
    Place,
    Voice,
    in_turn,
    members,
    statement_of,
)
from forecast.model.cell_sequence import Course, places
from forecast.model.cells import Content, flatten
from forecast.model.likelihood import Cells
from forecast.model.parameters import Layout
from forecast.model.problem import Problem

Key = tuple[int, int, int]  # unit, period, indicator
Said = tuple[tuple[float | None, ...], ...]  # by member of a cell (itself, its children) and by voice


class Part(NamedTuple):
    """A cell in which something is new."""

    place: Place  # what is not new of it is given
    given: int  # the cell that holds only what is given
    exponent: float  # of that


class Fresh(NamedTuple):
    """The evidence of a date, parted into what is new and what was known before."""

    parts: tuple[Part, ...]
    known: Course  # what was known before, in the periods up to this date
    cells: Cells  # its cells
    lost: bool  # something that was known before has gone, or a ratio has come

    @property
    def voices(self) -> int:
        """Number of reports that are new."""
        blanks = [blank for part in self.parts for blank in members(part.place.blank)]
        return sum(voice.given is None for blank in blanks for voice in blank.voices)

    @property
    def silences(self) -> int:
        """Number of silences that are new."""
        blanks = [blank for part in self.parts for blank in members(part.place.blank)]
        return sum(blank.watch is not None and not blank.silent for blank in blanks)


def fresh(task: Problem, designer: Designer, k: int) -> Fresh:
    """Part the evidence of trend date k into what was known on the date before, and what is new."""
    step, opened = task.steps[k], task.layout.question.opened
    before = task.steps[k - 1].course if k else _nothing(step.course)
    day = task.steps[k - 1].date if k else opened - timedelta(days=1)
    old, new = _standing(task, before, step.begin), _standing(task, step.course, step.begin)
    stays, marked, lost = dict(old), list[Place](), not old.keys() <= new.keys()
    for key in old.keys() - new.keys():
        del stays[key]
    for place in designer.places(step.course, step.date, step.begin) if old != new else ():
        key = place.unit, place.period, place.blank.indicator
        if old.get(key) != new[key]:
            was = members(designer.blank(old[key][0], *key[:2], day)) if key in old else ()
            blank, gone = _mark(task.layout, designer, place, was, (day, step.date))
            lost |= gone
            if any(_says_something(one) for one in members(blank)):
                marked.append(place._replace(blank=blank))
            elif gone or key not in old:
                stays[key] = new[key]
    return _parted(task, before, k, marked, stays, lost)


def _nothing(like: Course) -> Course:
    """Return a course without periods."""
    return like._replace(kind=like.kind[:0], start=np.zeros((like.start.shape[0], 1), np.int64))


def _standing(task: Problem, course: Course, begin: int) -> dict[Key, tuple[int, float]]:
    """Return the cell and the exponent at each place from period `begin` on."""
    unit, period = places(course)
    kind = course.kind[: len(unit)]
    late = period >= begin
    cell = course.cell[kind[late]]
    keys = zip(
        unit[late].tolist(), period[late].tolist(), task.cells.cell["indicator"][cell].tolist(), strict=True
    )
    return dict(zip(keys, zip(cell.tolist(), course.exponent[kind[late]].tolist(), strict=True), strict=True))


def _says_something(blank: Blank) -> bool:
    """Tell whether something about a cell is to be drawn."""
    return any(voice.given is None for voice in blank.voices) or (
        blank.watch is not None and not blank.silent
    )


def _mark(
    layout: Layout, designer: Designer, place: Place, was: tuple[Blank, ...], days: tuple[date, date]
) -> tuple[Blank, bool]:
    """Mark what was known of a cell as given; tell also whether something of it has gone."""
    found, gone = [], False

    def names(place: Place, blank: Blank, day: date) -> list[str]:
        return [report.id for report in designer.live(place.unit, place.period, blank, day)]

    for blank, said in zip(members(place.blank), place.said, strict=True):
        i = blank.indicator
        before = next((one for one in was if one.indicator == i), Blank(i))
        then = dict(zip(names(place, before, days[0]), before.voices, strict=True))
        now = names(place, blank, days[1])
        ratio, given = layout.question.indicators[i].kind == "ratio", set[int]()
        for j in in_turn(blank.voices):
            voice = blank.voices[j]
            passes = all(o == GONE or o in given for o in voice.originals)
            same = now[j] in then and _alike(then[now[j]], voice, list(then), now)
            if ratio or (passes and same):
                given.add(j)
        kept = {now[j] for j in given}
        gone |= bool(then.keys() - kept) or bool(kept - then.keys())
        silent = blank.watch is not None and before.watch is not None
        gone |= before.watch is not None and not silent
        voices = (v._replace(given=said[j]) if j in given else v for j, v in enumerate(blank.voices))
        found.append(blank._replace(voices=tuple(voices), silent=silent, children=()))
    return found[0]._replace(children=tuple(found[1:])), gone


def _alike(then: Voice, now: Voice, before: list[str], after: list[str]) -> bool:
    """Tell whether a report comes about as it did."""
    names = [
        [None if o == GONE else ids[o] for o in voice.originals]
        for voice, ids in ((then, before), (now, after))
    ]
    return then.own == now.own and names[0] == names[1]


def _parted(
    task: Problem,
    before: Course,
    k: int,
    marked: list[Place],
    stays: dict[Key, tuple[int, float]],
    lost: bool,
) -> Fresh:
    """Put together what was known before: what stays, and what is given of the cells in which much is new."""
    step, parts, size = task.steps[k], list[Part](), len(task.cells.cell)
    contents = list[Content]()
    for n, place in enumerate(marked):
        given = tuple(tuple(voice.given for voice in one.voices) for one in members(place.blank))
        contents.append(content(place.blank, given, task.layout))
        _, power = stays.pop((place.unit, place.period, place.blank.indicator), (0, 1.0))
        parts.append(Part(place, size + n, power))
    cells = joined(task.cells, flatten(contents)) if contents else task.cells
    rows = [(*key, *value) for key, value in stays.items()]
    rows += [(p.place.unit, p.place.period, p.place.blank.indicator, p.given, p.exponent) for p in parts]
    late = np.array(rows).reshape(-1, 5)
    unit, period = places(before)
    early = np.flatnonzero(period < step.begin)
    where = unit[early] * step.periods + period[early]
    where = np.concatenate([where, late[:, 0].astype(np.int64) * step.periods + late[:, 1].astype(np.int64)])
    order = np.argsort(where, kind="stable")
    edges = np.arange(task.units)[:, None] * step.periods + np.arange(step.periods + 1)
    known = Course(
        kind=np.concatenate([before.kind[early], len(before.cell) + np.arange(len(late))])[order],
        start=np.searchsorted(where[order], edges).astype(np.int64),
        cell=np.concatenate([before.cell, late[:, 3].astype(np.int64)]),
        exponent=np.concatenate([before.exponent, late[:, 4]]),
    )
    return Fresh(tuple(parts), known, cells, lost)


def joined(first: Cells, then: Cells) -> Cells:
    """Return two sets of cells as one; those of `then` are numbered after those of `first`."""
    cell = then.cell.copy()
    cell["child"] += len(first.cell)
    cell["first"] += len(first.report)
    cell["end"] += len(first.report)
    return Cells(np.concatenate([first.cell, cell]), np.concatenate([first.report, then.report]))


def content(
    blank: Blank, said: Said, layout: Layout, *, held: tuple[int, ...] = (), alarm: tuple[bool, ...] = ()
) -> Content:
    """Return the content of a cell in which a part of the voices says something; None: not a word.

    `held` and `alarm`, by member, say which value went on, and whether a silence that is to be drawn is
    broken.
    """
    rows = []
    for m, (one, words) in enumerate(zip(members(blank), said, strict=True)):
        heard = tuple(np.nan if y is None else y for y in words)
        statements = tuple(
            statement_of(voice, heard, y, layout, one.indicator)
            for voice, y in zip(one.voices, words, strict=True)
            if y is not None
        )
        quiet, active = 1.0, 1.0
        if one.watch is not None and (one.silent or alarm):
            detection, false_alarm = one.watch
            broken = not one.silent and alarm[m]
            quiet, active = (false_alarm, detection) if broken else (1.0 - false_alarm, 1.0 - detection)
        rows.append(
            Content(one.indicator, statements, quiet, active, one.hold, held[m] if held else one.held)
        )
    return rows[0]._replace(children=tuple(rows[1:]))
