"""How the scenario moves: the per-period matrix, and since when a scenario has held."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import expm

from forecast.case.question import Moves, Question, Transition
from tests.oracles import event_course
from tests.oracles.theta import Theta

Steps = list[list[list[Any]]]  # from each period to the next


def step_matrix(question: Question, theta: Theta) -> list[list[Any]]:
    """Return the per-period transition matrix, entry by entry."""
    size = len(question.scenarios)
    if isinstance(question.dynamics, Transition):
        return [list(row) for row in theta["transition"]]
    if not isinstance(question.dynamics, Moves):
        return [[1.0 if i == j else 0.0 for j in range(size)] for i in range(size)]
    rate = [
        [theta["leave"][i] * (theta["then"][i][j] - (1.0 if i == j else 0.0)) for j in range(size)]
        for i in range(size)
    ]
    flat = np.broadcast_arrays(*[entry for row in rate for entry in row])
    matrix = expm(np.stack(flat, axis=-1).reshape(*flat[0].shape, size, size))
    # What cannot be reached is exactly 0 whatever the draw.
    entries = [[matrix[..., i, j] for j in range(size)] for i in range(size)]
    return [[entry if np.any(entry != 0) else 0.0 for entry in row] for row in entries]


def course(question: Question, theta: Theta, periods: int) -> tuple[list[Any], Steps]:
    """Return the chances in period 0, and the step into each period after it.

    Of an event question: among the states in which it is open, which lose what happens.
    """
    if question.event is not None:
        return event_course.first(question, theta), event_course.open_steps(question, theta, periods)
    return theta["prior"], [step_matrix(question, theta)] * (periods - 1)


def into(step: Any, t: int) -> list[list[Any]]:
    """Return the step into period t: of one matrix for all, or of a list."""
    return step[t - 1] if isinstance(step[0][0], list) else step


def entry_chances(question: Question, theta: Theta, periods: int) -> list[list[dict[int, float]]]:
    """Return P(s was entered in period e | s_t = s) without evidence: [t][s] -> {e: chance}.

    Period 0 enters whatever holds in it. A scenario that cannot hold in period t counts as just entered.
    """
    first, steps = course(question, theta, periods)
    size = len(first)
    joint = [{0: float(first[s])} for s in range(size)]
    found = []
    for t in range(periods):
        if t:
            step = into(steps, t)
            total = [sum(row.values()) for row in joint]
            come = [sum(total[i] * float(step[i][j]) for i in range(size) if i != j) for j in range(size)]
            stay = [float(step[s][s]) for s in range(size)]
            joint = [
                {**{e: p * stay[s] for e, p in joint[s].items()}, **({t: come[s]} if come[s] > 0 else {})}
                for s in range(size)
            ]
        found.append([_normalised(row, t) for row in joint])
    return found


def _normalised(row: dict[int, float], now: int) -> dict[int, float]:
    total = sum(row.values())
    return {e: p / total for e, p in row.items() if p > 0} if total > 0 else {now: 1.0}
