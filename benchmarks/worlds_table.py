"""``python -m benchmarks.worlds_table FILE``: log scores of the answers in a file; 1 if a claim fails.

The file is that of :mod:`benchmarks.worlds_run`. A score is the mean of -ln(probability of the outcome): the
lower the better. Errors are standard errors over questions; where a question is asked on several dates, its
answers are one cluster. Differences are of the same answers.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.table import markdown
from benchmarks.worlds import decayed
from benchmarks.worlds_run import DEADLINES, FIXED, MISJUDGED, Answer, columns, read, world

#: Log score of questions 0 to 149 by an independent computation (importance sampling) with full learning:
#: reporting ignored, the default account of it, since the first day.
INDEPENDENT: Mapping[str, tuple[float, float, float]] = {
    "static events": (0.99, 0.71, 0.46),
    "static claims": (1.29, 0.81, 0.65),
    "static hetero": (1.25, 0.90, 0.80),
    "static attention": (1.06, 0.86, 0.71),
    "static halfwatched": (1.24, 0.95, 1.00),
    "static sparse": (0.96, 0.92, 0.88),
    "static mostly": (0.94, 0.70, 0.68),
    "static nos": (0.90, 0.76, 0.71),
    "static truth": (0.81, 0.68, 0.59),
    "static all": (0.68, 0.66, 0.68),
    "persistent onset": (1.01, 0.82, 0.80),
    "persistent changes": (0.97, 0.79, 0.76),
    "persistent weekly": (0.98, 0.72, 0.61),
    "persistent all": (0.59, 0.60, 0.60),
}
NEAR = 0.03  # of the independent computation, with all its questions
QUESTIONS = 150  # of the independent computation
FIXED_HEAD = ("world", "questions", "ignored", "full", "since", "default", "prior", "default - full")
MISJUDGED_HEAD = ("world", "questions", "full", "default", "not at all", "prior", "default - full")
DEADLINE_HEAD = ("world", "questions", "forecasts", "stated", "decay", "event", "event late", "static")
DIFFERENCE_HEAD = ("world", "event - decay", "event late - decay", "static - decay")

Key = tuple[int, str]  # the number of a question, and a date


class Mean(NamedTuple):
    """A mean and its standard error."""

    mean: float
    error: float

    def __str__(self) -> str:
        """Return both, as they are printed."""
        return (
            f"{self.mean:+.2f} ± {self.error:.2f}" if self.mean < 0 else f"{self.mean:.2f} ± {self.error:.2f}"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables of what is in the file; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worlds_table", description=__doc__)
    parser.add_argument("file", type=Path)
    rows = read(parser.parse_args(arguments).file)
    held = {name: answered(rows, name) for name in (*FIXED, *MISJUDGED, *DEADLINES)}
    fixed = {name: scores(name, held[name]) for name in FIXED if held[name]}
    wrong = {name: scores(name, held[name]) for name in MISJUDGED if held[name]}
    ends = {name: scores(name, held[name]) for name in DEADLINES if held[name]}
    failures = [*fixed_failures(fixed), *learning_failures(fixed | wrong), *deadline_failures(ends)]
    if fixed:
        print(f"standard error of a row by Monte Carlo alone: {monte_carlo(rows):.3f} at most\n")
        print(markdown([FIXED_HEAD, *(fixed_row(name, fixed[name]) for name in fixed)]), end="\n\n")
    if wrong:
        print(markdown([MISJUDGED_HEAD, *(misjudged_row(name, wrong[name]) for name in wrong)]), end="\n\n")
        print(f"default - full, all these worlds: {overall(wrong)}\n")
    if ends:
        print(markdown([DEADLINE_HEAD, *(deadline_row(name, ends[name]) for name in ends)]), end="\n\n")
        print(markdown([DIFFERENCE_HEAD, *(difference_row(name, ends[name]) for name in ends)]), end="\n\n")
        prepared = {f"{name}, being prepared": only_preparing(held[name], ends[name]) for name in ends}
        print(markdown([DIFFERENCE_HEAD, *(difference_row(n, s) for n, s in prepared.items())]), end="\n\n")
    print("\n".join(failures) or "every claim holds")
    return int(bool(failures))


def answered(rows: Sequence[Answer], name: str) -> list[Answer]:
    """Return the answers of a world to the questions that every column in the file has."""
    mine = [row for row in rows if row.world == name]
    numbers = [
        {row.number for row in mine if row.column == column} for column in {row.column for row in mine}
    ]
    every = set.intersection(*numbers) if numbers else set()
    return [row for row in mine if row.number in every]


Scores = dict[str, dict[Key, float]]


def scores(name: str, rows: Sequence[Answer]) -> Scores:
    """Return the log score of each answer by column, and of what is known without an engine."""
    found: Scores = {}
    for row in rows:
        found.setdefault(row.column, {})[row.number, row.as_of] = surprisal(row.probability)
    for number, outcome in {(row.number, row.outcome) for row in rows}:
        question = world(name, number).question
        stated = question.prior.mean[question.scenario_ids.index(outcome)]
        for key in {(row.number, row.as_of) for row in rows if row.number == number}:
            found.setdefault("prior", {})[key] = surprisal(stated)
            if question.event is not None:
                chance = decayed(question, date.fromisoformat(key[1]))
                found.setdefault("decay", {})[key] = surprisal(chance if outcome == "yes" else 1 - chance)
    return found


def surprisal(probability: float) -> float:
    """Return -ln(probability), of a probability that is not taken to be less than 1e-9."""
    return -float(np.log(max(probability, 1e-9)))


def mean(of: Mapping[Key, float]) -> Mean:
    """Return the mean over answers, and its standard error, a question's answers being one cluster."""
    value = np.array(list(of.values()))
    _, cluster = np.unique([number for number, _ in of], return_inverse=True)
    sums = np.bincount(cluster, value - value.mean())
    more = len(sums) / (len(sums) - 1) if len(sums) > 1 else np.inf
    return Mean(float(value.mean()), float(np.sqrt(more * (sums**2).sum()) / len(value)))


def monte_carlo(rows: Sequence[Answer]) -> float:
    """Return the largest standard error of a world's and column's score that Monte Carlo alone makes."""
    of: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        of.setdefault((row.world, row.column), []).append(row.error / max(row.probability, row.error, 1e-9))
    return max(float(np.linalg.norm(one)) / len(one) for one in of.values())


def difference(found: Scores, one: str, other: str) -> Mean | None:
    """Return the mean difference of two columns' scores of the same answers, None where there are none."""
    first, second = found.get(one, {}), found.get(other, {})
    both = {key: value - second[key] for key, value in first.items() if key in second}
    return mean(both) if both else None


def only_preparing(rows: Sequence[Answer], found: Scores) -> Scores:
    """Return the scores of the dates on which something was being prepared."""
    keys = {(row.number, row.as_of) for row in rows if row.preparing == "yes"}
    return {column: {k: v for k, v in values.items() if k in keys} for column, values in found.items()}


def text(value: Mean | None) -> str:
    """Return a mean as it is printed, nothing where there is none."""
    return "" if value is None else str(value)


def score(found: Scores, column: str) -> str:
    """Return the score of a column as it is printed."""
    return str(mean(found[column])) if found.get(column) else ""


def fixed_row(name: str, found: Scores) -> list[str]:
    """Return the row of a fixed truth: in brackets what the independent computation has."""
    cells = [name, str(len(found["prior"]))]
    for column, other in zip(columns(name)[:3], INDEPENDENT[name], strict=True):
        cells.append(f"{score(found, column)} ({other:.2f})" if column in found else "")
    cells += [score(found, "default"), score(found, "prior")]
    return [*cells, text(difference(found, "default", "full"))]


def misjudged_row(name: str, found: Scores) -> list[str]:
    """Return the row of a world with a fault."""
    cells = [score(found, column) for column in MISJUDGED_HEAD[2:6]]
    return [
        name.partition(" ")[2],
        str(len(found["prior"])),
        *cells,
        text(difference(found, "default", "full")),
    ]


def overall(found: Mapping[str, Scores]) -> Mean | None:
    """Return the mean difference of the default to full learning over worlds; a number is one cluster."""
    both = {
        (number, f"{name} {when}"): value - of["full"][number, when]
        for name, of in found.items()
        for (number, when), value in of.get("default", {}).items()
        if (number, when) in of.get("full", {})
    }
    return mean(both) if both else None


def deadline_row(name: str, found: Scores) -> list[str]:
    """Return the row of a deadline's scores."""
    answers = found["prior"]
    counts = [str(len({number for number, _ in answers})), str(len(answers))]
    return [name, *counts, *(score(found, c) for c in ("prior", "decay", "event", "event late", "static"))]


def difference_row(name: str, found: Scores) -> list[str]:
    """Return the row of differences to the chance that decays."""
    return [name, *(text(difference(found, column, "decay")) for column in ("event", "event late", "static"))]


def fixed_failures(found: Mapping[str, Scores]) -> list[str]:
    """Return the claims that fail: as good as the independent computation, and no worse than the prior."""
    failures = []
    for name, of in found.items():
        if (
            len(of.get("full", {})) == QUESTIONS
            and mean(of["full"]).mean > INDEPENDENT[name][1] + NEAR + 0.005
        ):
            printed = INDEPENDENT[name][1]
            failures.append(f"{name}: {mean(of['full'])}, the independent computation has {printed}")
        for column in ("full", "default"):
            against = difference(of, column, "prior")
            if against is not None and against.mean > 0:
                failures.append(f"{name}: {column} is worse than the prior by {against}")
    return failures


def learning_failures(found: Mapping[str, Scores]) -> list[str]:
    """Return the claims that fail: the default is no worse than full learning, in all worlds and in each."""
    failures, total = [], overall(found)
    if total is not None and total.mean > 0:
        failures.append(f"the default is worse than full learning by {total}")
    for name, of in found.items():
        against = difference(of, "default", "full")
        if against is not None and against.mean > 2 * against.error:
            failures.append(f"{name}: the default is worse than full learning by {against}")
    return failures


def deadline_failures(found: Mapping[str, Scores]) -> list[str]:
    """Return the claims that fail: better than the decay on average, nowhere clearly worse."""
    kept = {name: d for name, of in found.items() if (d := difference(of, "event", "decay")) is not None}
    failures = [
        f"{name}: worse than the decaying chance by {d}" for name, d in kept.items() if d.mean > 2 * d.error
    ]
    if kept and np.mean([d.mean for d in kept.values()]) >= 0:
        failures.append("the event question is on average no better than the decaying chance")
    return failures


if __name__ == "__main__":
    sys.exit(main())
