"""Cells moved from date to date are the cells of anyone who starts on that date.

That the cells are the right ones is for the oracles (tests/inference/test_engine_oracles.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.case.evidence import Evidence, Report
from forecast.case.question import Group, Monitored, Question, Reporting
from forecast.model.cell_sequence import CellSequence, unit_and_period
from forecast.model.evidence_index import EvidenceIndex
from forecast.model.likelihood import CELL, Cells
from forecast.model.parameters import Layout, build_layout
from forecast.model.report_log import ReportLog
from tests.cases import binary, category, count, day, question, report, source, withdraw

MANY = settings(derandomize=True, max_examples=80, deadline=None, database=None)
WEEKS, LAST = 5, 34
VALUES: dict[str, tuple[Any, ...]] = {
    "front": ("none", "talks", "joint"),
    "offer": ("no", "yes"),
    "answer": ("no", "yes"),
    "venue": ("no", "yes"),
    "watched": ("no", "yes"),
    "raids": (0, 2, 5),
}


def made(units: tuple[str, ...]) -> Question:
    watch, filed = Monitored(day(3), day(60), 0.6, lag=4), Reporting(lag=3)
    since = Reporting(day(10), lag=9)
    rows = ((0.7, 0.2, 0.1), (0.3, 0.3, 0.4))
    indicators = (
        category("front", VALUES["front"], rows, 20.0, persistence=0.8, reporting=filed, quiet="none"),
        binary("offer", (0.2, 0.5), 20.0, persistence=0.7, reporting=filed, quiet="no"),
        binary("answer", (0.2, 0.6), 20.0, given="offer", reporting=filed, quiet="no"),
        binary("venue", (0.4, 0.5), 20.0, given="offer", monitored=watch),
        binary("watched", (0.1, 0.5), 20.0, persistence=0.9, monitored=watch, reporting=since, quiet="no"),
        count("raids", (6.0, 2.0), 4.0),
    )
    groups = (Group("g", ("front", "raids"), 0.5), Group("h", ("offer", "watched"), 0.8))
    sources = (source("s", 0.8, 20.0), source("z", 0.7, 20.0), source("y", 0.5, 20.0))
    return question(
        (0.6, 0.4), indicators, sources, 20.0, weeks=WEEKS + 1, groups=groups, cap=6.0, units=units
    )


@st.composite
def logs(draw: st.DrawFn) -> tuple[Question, tuple[Report, ...]]:
    """Reports known at once or late, repeats, corrections of value, date and of corrections, withdrawals."""
    q = made(draw(st.sampled_from([(), ("north", "south")])))
    log: list[Report] = []
    for k in range(draw(st.integers(1, 12))):
        standing = [r for r in log if r.value is not None and r.id not in {c.replaces for c in log}]
        kind = draw(st.sampled_from(["new", "new", "new", "repeat", "correct", "withdraw"]))
        delay = draw(st.sampled_from([0, 0, 2, 9, 20]))
        if kind == "new" or not standing:
            name, by = draw(st.sampled_from(sorted(VALUES))), draw(st.sampled_from("szy"))
            on, unit = draw(st.integers(0, LAST)), draw(st.sampled_from(q.units or ("",)))
            value = draw(st.sampled_from(VALUES[name]))
            one = report(f"r{k}", on, name, value, by, known=on + delay, unit=unit)
        else:
            old = draw(st.sampled_from(standing))
            late = (max(old.reported, old.date) - day(0)).days + delay
            if kind == "repeat":
                on, by = (old.date - day(0)).days, draw(st.sampled_from("szy"))
                known = on + draw(st.sampled_from([0, 9]))
                one = report(f"r{k}", on, old.indicator, old.value, by, known=known, unit=old.unit)
                one = replace(one, repeats=(old.id,))
            elif kind == "correct":
                on = draw(st.sampled_from([(old.date - day(0)).days, draw(st.integers(0, LAST))]))
                value = draw(st.sampled_from(VALUES[old.indicator]))
                known = max(on, late)
                one = report(f"r{k}", on, old.indicator, value, old.source, known=known, unit=old.unit)
                one = replace(one, replaces=old.id)
            else:
                one = withdraw(f"r{k}", late, old.id)
        log.append(replace(one, independence=draw(st.sampled_from([0.3, 1.0]))))
    return q, tuple(log)


def unfolded(sequence: CellSequence, cells: Cells) -> list[tuple[Any, ...]]:
    """Unit, period, everything a cell and its children hold, and its exponent: in the order of time."""

    def held(c: int) -> tuple[Any, ...]:
        row = cells.cell[c]
        own = tuple(row[name].item() for name in (CELL.names or ())[:7])
        reports = tuple(tuple(r) for r in cells.report[row["first"] : row["end"]].tolist())
        return own, reports, tuple(held(row["child"] + n) for n in range(row["children"]))

    unit, period = unit_and_period(sequence)
    return [
        (u, t, held(sequence.cell[k]), sequence.exponent[k])
        for u, t, k in zip(unit.tolist(), period.tolist(), sequence.kind, strict=True)
    ]


def fresh(layout: Layout, log: tuple[Report, ...], on: date) -> list[tuple[Any, ...]]:
    known = EvidenceIndex(layout, Evidence(log))
    known.update_cells({key for _, key in known.changes(on)}, on)
    return unfolded(known.snapshot(on).sequence, known.cells())


@MANY
@given(logs(), st.sampled_from([1, 3, 7, 10]))
def test_moving_on_gives_the_cells_of_a_fresh_start(made_up, stride):
    q, log = made_up
    layout = build_layout(q, Evidence(log))
    known, events = (
        EvidenceIndex(layout, Evidence(log)),
        EvidenceIndex(layout, Evidence(log)).changes(day(LAST)),
    )
    steps, last = [], day(-1)
    for n in range(stride - 1, LAST + 1, stride):
        known.update_cells({key for when, key in events if last < when <= day(n)}, day(n))
        steps.append(known.snapshot(day(n)))
        last = day(n)
    before: list[tuple[Any, ...]] = []
    for k, step in enumerate(steps):
        after = unfolded(step.sequence, known.cells())
        assert after == fresh(layout, log, step.date)
        changed = [row[1] for row in (*before, *after) if (row in before) != (row in after)]
        earlier = steps[k - 1].periods if k else 0
        assert step.begin <= min([*changed, earlier])
        before = after


def base(q: Question, log: tuple[Report, ...]) -> tuple[EvidenceIndex, list[tuple[Any, ...]]]:
    known = EvidenceIndex(build_layout(q, Evidence(log)), Evidence(log))
    known.update_cells({key for _, key in known.changes(day(LAST))}, day(LAST))
    return known, unfolded(known.snapshot(day(LAST)).sequence, known.cells())


@MANY
@given(logs())
def test_leaving_out_is_as_if_never_filed_and_putting_back_restores(made_up):
    q, log = made_up
    known, whole = base(q, log)
    for one in Evidence(log).known(day(LAST)):
        key = ReportLog(q, Evidence(log)).key(one)
        known.update_cells([key], day(LAST), frozenset([one.id]))
        left = unfolded(known.snapshot(day(LAST)).sequence, known.cells())
        known.update_cells([key], day(LAST))
        assert unfolded(known.snapshot(day(LAST)).sequence, known.cells()) == whole
        if not one.replaces and one.id not in {r.replaces for r in log}:
            rest = [r for r in log if r.id != one.id]
            rest = [replace(r, repeats=tuple(i for i in r.repeats if i != one.id)) for r in rest]
            assert left == fresh(build_layout(q, Evidence(log)), tuple(rest), day(LAST))


def test_a_repeat_stands_alone_where_the_correction_of_its_original_is_left_out():
    """As it does where an original that was not corrected is left out."""
    q = made(())
    original, repeat = report("a", 1, "watched", "yes"), report("b", 2, "watched", "yes", "z", repeats=("a",))
    graded = replace(report("c", 1, "watched", "yes", known=8), replaces="a")
    alone = statements(fresh(build_layout(q, Evidence()), (replace(repeat, repeats=()),), day(LAST)))
    for log, out in (((original, repeat), "a"), ((original, repeat, graded), "c")):
        known, _ = base(q, log)
        known.update_cells([(0, 0, 4)], day(LAST), frozenset([out]))
        assert statements(unfolded(known.snapshot(day(LAST)).sequence, known.cells())) == alone


def statements(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """What the reports of the indicator `watched` add, period by period."""
    return [(t, held[1]) for _, t, held, _ in rows if held[0][0] == 4]


def test_equal_cells_are_one_kind():
    q = replace(made(()), groups=(), cap=None)
    log = tuple(report(f"r{t}", 7 * t, "venue", "no", known=30) for t in range(4))
    known, _ = base(q, (*log, *(report(f"o{t}", 7 * t, "answer", "yes") for t in range(4))))
    sequence = known.snapshot(day(LAST)).sequence
    rows = unfolded(sequence, known.cells())
    offers = [k for k, row in zip(sequence.kind, rows, strict=True) if row[2][0][0] == 1]
    assert (len(offers), len(set(offers))) == (4, 2)  # the first period holds the first report
