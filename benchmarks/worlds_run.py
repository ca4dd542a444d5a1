"""``python -m benchmarks.worlds_run --csv FILE``: what the engine says of simulated questions.

Every question of :mod:`benchmarks.worlds`, once for each account of how its log came about or of how the
truth moves, on the dates on which it is asked and on no other. Each answer is a row of the CSV file; what is
in the file already is not computed again, so that it can be stopped. The table is that of
:mod:`benchmarks.worlds_table`.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from benchmarks.worlds import (
    DEADLINE_LOGS,
    FAULTS,
    PERSISTENT,
    STATIC,
    Timing,
    World,
    contradictory,
    day,
    deadline,
    misjudged,
    persistent,
    reported,
    static,
)
from forecast.analysis.cross_checks import unlearning
from forecast.case.evidence import Evidence
from forecast.case.question import Question, Reporting
from forecast.inference.estimates import estimate
from forecast.inference.smc import run_chain
from forecast.model.horizon import outlook
from forecast.model.problem import build_problem

FIXED = (*(f"static {kind}" for kind in STATIC), *(f"persistent {kind}" for kind in PERSISTENT))
DEADLINES = tuple(
    f"deadline {timing} {log}{graded}"
    for timing in ("steady", "late")
    for graded in ("", " graded")
    for log in DEADLINE_LOGS
)
MISJUDGED = tuple(f"misjudged {fault} {log}" for fault in FAULTS for log in ("claims", "mostly", "all"))
WORLDS = (*FIXED, *MISJUDGED, *DEADLINES)
PARTICLES, CHAINS = 1000, 2


class Answer(NamedTuple):
    """The probability of an outcome at the horizon, as a row of the file."""

    world: str
    number: int
    column: str  # under which account of the log, or of how the truth moves
    as_of: str
    outcome: str
    probability: float  # of the outcome
    error: float  # Monte Carlo standard error
    seconds: float
    preparing: str  # whether something was being prepared: yes, no, or "" where that is not asked


def main(arguments: Sequence[str] | None = None) -> int:
    """Compute what the file lacks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worlds_run", description=__doc__)
    parser.add_argument("worlds", nargs="*", help="beginnings of their names; default: all")
    parser.add_argument("--csv", type=Path, required=True, help="the file that answers are added to")
    parser.add_argument("--columns", nargs="*", help="default: all that a world has")
    parser.add_argument("--first", type=int, default=0, help="the first question of each world")
    parser.add_argument("--until", type=int, default=60, help="the question after the last one")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--particles", type=int, default=PARTICLES, help="of each chain")
    parser.add_argument("--chains", type=int, default=CHAINS)
    chosen = parser.parse_args(arguments)
    names = [w for w in WORLDS if not chosen.worlds or any(w.startswith(b) for b in chosen.worlds)]
    done = {(a.world, a.number, a.column) for a in read(chosen.csv)}
    tasks = [
        (name, number, lacking)
        for number in range(chosen.first, chosen.until)
        for name in names
        if (lacking := [c for c in columns(name, chosen.columns) if (name, number, c) not in done])
    ]
    begin = time.perf_counter()
    with ProcessPoolExecutor(chosen.jobs) as pool:
        runs = [pool.submit(answers, *task, chosen.particles, chosen.chains) for task in tasks]
        for n, run in enumerate(as_completed(runs), 1):
            append(chosen.csv, run.result())
            passed = time.perf_counter() - begin
            left = passed / n * (len(tasks) - n)
            print(f"\r{n} of {len(tasks)}, {passed:.0f} s, {left:.0f} s left ", end="", file=sys.stderr)
    print(file=sys.stderr)
    return 0


def read(path: Path) -> list[Answer]:
    """Return the answers in a file; none if there is no file."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [
        Answer(
            r["world"],
            int(r["number"]),
            r["column"],
            r["as_of"],
            r["outcome"],
            float(r["probability"]),
            float(r["error"]),
            float(r["seconds"]),
            r["preparing"],
        )
        for r in rows
    ]


def append(path: Path, rows: Sequence[Answer]) -> None:
    """Add answers to a file."""
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(Answer._fields)
        writer.writerows(rows)


def columns(name: str, wanted: Sequence[str] | None = None) -> list[str]:
    """Return the columns that are computed of a world, of those wanted."""
    if name in FIXED:
        found = ["ignored", "full", "since", "default"]
    elif name in MISJUDGED:
        found = ["full", "default", "not at all"]
    else:
        found = ["event", *(["event late"] if " late " in name else []), "static"]
    return [column for column in found if not wanted or column in wanted]


def world(name: str, number: int) -> World:
    """Return a world by the name of its kind and its number."""
    kind, *of = name.split(" ")
    if kind == "deadline":
        timing = cast(Timing, of[0])
        return deadline(number, timing=timing, log=of[1], graded="graded" in of)
    if kind == "misjudged":
        return misjudged(" ".join(of[:-1]), of[-1], number)
    return static(of[0], number) if kind == "static" else persistent(of[0], number)


def asked(question: Question, column: str) -> Question:
    """Return a question as a column of the table has it."""
    if column in ("event", "event late"):
        event = question.event
        assert event is not None
        return replace(
            question, dynamics=replace(event, timing="late" if column == "event late" else "steady")
        )
    if column == "static":
        return replace(question, dynamics=None, static=True)
    if column == "default":
        return question
    if column == "not at all":
        return unlearning(question)
    how = {"ignored": None, "full": Reporting(), "since": Reporting(since=day(0))}
    return replace(reported(question, how[column]), learning="full")


def answers(
    name: str, number: int, wanted: Sequence[str], particles: int = PARTICLES, chains: int = CHAINS
) -> list[Answer]:
    """Return the answers of a world's question; none where its numbers contradict each other."""
    drawn, rows = world(name, number), list[Answer]()
    if drawn.question.event is not None and contradictory(drawn.question):
        return rows
    which = drawn.question.scenario_ids.index(drawn.outcome)
    being = [{True: "yes", False: "no"}[b] for b in drawn.preparing] or [""] * len(drawn.as_of)
    for column in wanted:
        question = asked(drawn.question, column)
        for when, preparing in zip(drawn.as_of, being, strict=True):
            begin = time.perf_counter()
            mean, error = at_horizon(question, drawn.evidence, when, number, particles, chains)
            probability, off = round(float(mean[which]), 7), round(float(error[which]), 7)
            seconds = round(time.perf_counter() - begin, 3)
            answer = (name, number, column, when.isoformat(), drawn.outcome, probability, off, seconds)
            rows.append(Answer(*answer, preparing))
    return rows


def at_horizon(
    question: Question, evidence: Evidence, when: date, seed: int, particles: int, chains: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the probability of each scenario at the horizon on one date, and its standard error.

    The engine itself, but for the dates before.
    """
    task = build_problem(question, evidence, when)
    task = replace(task, steps=(replace(task.steps[-1], begin=0),), restart=(None,))
    run = [
        run_chain(task, chain=chain, particles=particles, seed=seed, progress=_nothing)
        for chain in range(chains)
    ]
    theta, matrix = np.stack([one.theta for one in run]), np.stack([one.filtered.matrix for one in run])
    now, weight = np.stack([one.probability[-1] for one in run]), np.stack([one.weight[-1] for one in run])
    period = question.period(when)
    steps = question.period(question.horizon) - period
    path, _ = outlook(theta, task.layout.arrays, matrix, now, period=period, steps=steps, include_now=False)
    found = estimate(path[..., 0, -1, :], weight)
    return found.probability, found.mcse


def _nothing() -> None:
    """Take no notice of how far it is."""


if __name__ == "__main__":
    sys.exit(main())
