"""Event questions: quiet, being prepared, happened; as the design writes them down, state by state.

The open states stand in the order of the scenarios: quiet in the place of the status quo, each outcome's
preparation in the outcome's. Numbers, or arrays with one entry per draw of the judgements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import expm

from forecast.case.question import Event, Question
from tests.oracles.theta import Theta

Rows = list[list[Any]]


@dataclass(frozen=True)
class Chances:
    """An event's judgements, of each outcome: c, 1 / how long preparing lasts, the share that ends in it."""

    quiet: int
    c: dict[int, Any]
    rate: dict[int, Any]
    share: dict[int, Any]
    steps: int  # from period 0 to the one that holds the horizon
    late: bool

    @property
    def total(self) -> Any:
        return sum(self.c.values())

    def survival(self, t: int) -> Any:
        """Chance that it has not happened by period t (of a late event, also beyond the horizon)."""
        if self.late:
            return 1.0 - self.total * (t / self.steps) ** 2
        return (1.0 - self.total) ** (t / self.steps)

    def hazard(self, t: int) -> Any:
        return 1.0 - self.survival(t + 1) / self.survival(t)

    def preparing(self, t: int) -> dict[int, Any]:
        """Chance that each outcome is being prepared in period t, it being open."""
        if not self.late:
            eta = -np.log1p(-self.total) / self.steps
            return {j: eta * c / self.total / self.rate[j] / self.share[j] for j, c in self.c.items()}
        last = t if t < self.steps else self.steps - 1
        beyond = np.asarray(self.survival(self.steps + 1)) > 0
        at = np.where(beyond, self.hazard(t), self.hazard(last))
        return {j: at * c / self.total / self.rate[j] / self.share[j] for j, c in self.c.items()}


def chances(question: Question, theta: Theta) -> Chances:
    """Return the event's judgements by outcome."""
    event = question.dynamics
    assert isinstance(event, Event)
    outcomes = [k for k in range(len(question.scenarios)) if k != event.status_quo]

    def by_outcome(values: list[Any]) -> dict[int, Any]:
        return {k: values[0 if len(values) == 1 else n] for n, k in enumerate(outcomes)}

    return Chances(
        event.status_quo,
        {k: theta["prior"][k] for k in outcomes},
        by_outcome(theta["preparing"]),
        by_outcome(theta["ends_in_event"]),
        max(2, question.period(question.horizon)),
        event.timing == "late",
    )


def first(question: Question, theta: Theta) -> list[Any]:
    """Return the chances of the open states in period 0; all 0 where the numbers contradict each other."""
    numbers = chances(question, theta)
    preparing = numbers.preparing(0)
    ok = allowed(numbers)
    start = {numbers.quiet: 1.0 - sum(preparing.values()), **preparing}
    return [np.where(ok, start[k], 0.0) for k in range(len(start))]


def allowed(numbers: Chances) -> Any:
    """Return whether the numbers go together."""
    ok: Any = True
    if not numbers.late:
        eta = -np.log1p(-numbers.total) / numbers.steps
        for rate in numbers.rate.values():
            ok = ok & (eta < rate)
        return ok & (sum(numbers.preparing(0).values()) < 1)
    with np.errstate(all="ignore"):
        for t in range(numbers.steps):
            rows = late_rows(numbers, t)
            quiet = rows[numbers.quiet]
            for row in rows:
                for p in row:
                    ok = ok & (np.asarray(p) >= 0) & (np.asarray(p) <= 1)
            ok = ok & (sum(quiet) <= 1 + 1e-12) & (sum(numbers.preparing(t).values()) < 1)
        for rate in numbers.rate.values():
            ok = ok & (rate <= 1)
    return ok


def whole(question: Question, theta: Theta, t: int) -> Rows:
    """Return the step from period t to the next: open states, then what has happened, by outcome."""
    numbers = chances(question, theta)
    if numbers.late:
        return late_rows(numbers, t)
    size, outcomes = len(question.scenarios), list(numbers.c)
    states = size + len(outcomes)
    preparing = numbers.preparing(0)
    eta = -np.log1p(-numbers.total) / numbers.steps
    rate: Rows = [[0.0] * states for _ in range(states)]
    for n, j in enumerate(outcomes):
        rate[j][size + n] = numbers.share[j] * numbers.rate[j]
        rate[j][numbers.quiet] = (1.0 - numbers.share[j]) * numbers.rate[j]
        rate[numbers.quiet][j] = preparing[j] * (numbers.rate[j] - eta) / (1.0 - sum(preparing.values()))
    for i in range(states):
        rate[i][i] = -sum(rate[i])
    flat = np.broadcast_arrays(*[entry for row in rate for entry in row])
    generator = np.stack(flat, axis=-1).reshape(*flat[0].shape, states, states)
    # What the numbers do not allow has no step, and must not stop those that do.
    generator = np.where(np.asarray(allowed(numbers))[..., None, None], generator, 0.0)
    matrix = expm(generator)
    return [[matrix[..., i, j] for j in range(states)] for i in range(states)]


def late_rows(numbers: Chances, t: int) -> Rows:
    """The step of an event that is ever likelier, from period t on."""
    outcomes, size = list(numbers.c), len(numbers.c) + 1
    rows: Rows = [[0.0] * (size + len(outcomes)) for _ in range(size)]
    now, then, h = numbers.preparing(t), numbers.preparing(t + 1), numbers.hazard(t)
    for n, j in enumerate(outcomes):
        rows[j][j] = 1.0 - numbers.rate[j]
        rows[j][size + n] = numbers.share[j] * numbers.rate[j]
        rows[j][numbers.quiet] = (1.0 - numbers.share[j]) * numbers.rate[j]
        come = then[j] * (1.0 - h) - now[j] * (1.0 - numbers.rate[j])
        rows[numbers.quiet][j] = come / (1.0 - sum(now.values()))
    rows[numbers.quiet][numbers.quiet] = 1.0 - sum(rows[numbers.quiet])
    return rows


def open_steps(question: Question, theta: Theta, periods: int) -> list[Rows]:
    """Return the steps among the open states, from each period to the next."""
    size = len(question.scenarios)
    return [[row[:size] for row in whole(question, theta, t)[:size]] for t in range(periods - 1)]


def outlook(question: Question, theta: Theta, here: int, now: list[Any]) -> Rows:
    """Return the chances that nothing has happened, or what has, from period `here` to the horizon's."""
    numbers, size = chances(question, theta), len(question.scenarios)
    outcomes = list(numbers.c)
    state: list[Any] = [*now, *(0.0 for _ in outcomes)]
    found = []
    for t in range(here, question.period(question.horizon) + 1):
        if t > here:
            step = whole(question, theta, t - 1)
            happened = [
                state[size + n] + sum(state[i] * step[i][size + n] for i in range(size))
                for n in range(len(outcomes))
            ]
            state = [sum(state[i] * step[i][j] for i in range(size)) for j in range(size)] + happened
        row: list[Any] = [0.0] * size
        row[numbers.quiet] = sum(state[:size])
        for n, j in enumerate(outcomes):
            row[j] = state[size + n]
        found.append(row)
    return found
