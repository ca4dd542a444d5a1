"""The posterior by adding up, period by period, over the scenario and the period in which it was entered.

Exact where enumeration of all paths is, and as cheap for 26 periods of eight states that go on as for one:
given the period in which the present scenario was entered, the indicators are independent. Nothing is merged.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from forecast.case.evidence import Evidence
from forecast.case.question import Question
from tests.oracles import event_course
from tests.oracles.cells import at_entry, cell_likelihood, share
from tests.oracles.dynamics import course, into, step_matrix
from tests.oracles.theta import Theta

Entry = tuple[int, int]  # scenario, period in which it was entered
Joint = dict[Entry, Any]  # probability of each, of all evidence so far scaled to 1


def filtered_entries(prior: list[Any], step: Any, m: list[list[Any]]) -> tuple[list[Joint], list[Any]]:
    """Return P(scenario, entry | cells up to t) for every t, and the logarithm of each period's chance."""
    size = len(prior)
    now: Joint = {(s, 0): prior[s] for s in range(size)}
    rows, logs = [], []
    for t, said in enumerate(m):
        if t:
            now = _stepped(now, into(step, t), size, t)
        weighed = {(s, e): p * at_entry(said[s], e) for (s, e), p in now.items()}
        total = sum(weighed.values())
        now = {key: share(p, total) for key, p in weighed.items()}
        rows.append(now)
        logs.append(log_of(total))
    return rows, logs


def log_of(total: Any) -> Any:
    """Return the logarithm of what scenarios add up to; some draws of the judgements may allow none."""
    if np.all(np.asarray(total) <= 0):
        raise ValueError("evidence that no scenario allows")
    with np.errstate(divide="ignore"):
        return np.log(total)


def _stepped(now: Joint, step: list[list[Any]], size: int, t: int) -> Joint:
    """One step of the scenario: it stays, with its period of entry, or another is entered in period t."""
    new: Joint = {(s, e): p * step[s][s] for (s, e), p in now.items()}
    for j in range(size):
        new[j, t] = sum(p * step[s][j] for (s, _), p in now.items() if s != j)
    return new


def smoothed_entries(step: Any, m: list[list[Any]], rows: list[Joint]) -> list[Joint]:
    """Return P(scenario, entry | all cells) for every period."""
    size, last = len(m[0]), len(rows) - 1
    ahead: Joint = dict.fromkeys(rows[last], 1.0)
    found = [rows[last]]
    for t in range(last - 1, -1, -1):
        said, a = m[t + 1], into(step, t + 1)
        later = {(s, e): v * at_entry(said[s], e) for (s, e), v in ahead.items()}
        top = np.max(np.stack(np.broadcast_arrays(*later.values())), axis=0)
        top = np.where(top > 0, top, 1.0)  # only scale
        ahead = {
            (s, e): (a[s][s] * later[s, e] + sum(a[s][j] * later[j, t + 1] for j in range(size) if j != s))
            / top
            for (s, e) in rows[t]
        }
        joint = {key: p * ahead[key] for key, p in rows[t].items()}
        total = sum(joint.values())
        found.append({key: share(p, total) for key, p in joint.items()})
    return found[::-1]


def by_scenario(joint: Joint, size: int) -> list[Any]:
    """Sum over the periods of entry."""
    return [sum(p for (s, _), p in joint.items() if s == k) for k in range(size)]


def outlook_of(question: Question, theta: Theta, here: int, now: list[Any]) -> list[list[Any]]:
    """Return the chances in each period from the present one to the horizon's."""
    if question.event is not None:
        return event_course.outlook(question, theta, here, now)
    step, found = step_matrix(question, theta), [now]
    for _ in range(question.period(question.horizon) - here):
        before = found[-1]
        found.append([sum(before[i] * step[i][j] for i in range(len(now))) for j in range(len(now))])
    return found


def run_posterior(question: Question, evidence: Evidence, as_of: date, theta: Theta) -> dict[str, Any]:
    """Return the posterior over scenarios of one unit given the judgements, as numbers.

    Returns
    -------
    dict
        "log_marginal": log p(evidence | theta); "now": [K]; "filtered" and "smoothed": [T][K]; "outlook":
        [H + 1][K]; "horizon": [K]. Entries are numbers, or arrays of draws as `theta` has them.
    """
    (unit,) = question.units or ("",)
    cells = cell_likelihood(question, evidence, as_of, theta)
    size, here = len(question.scenarios), question.period(as_of)
    prior, step = course(question, theta, here + 1)
    m = [cells[unit, t] for t in range(here + 1)]
    rows, logs = filtered_entries(prior, step, m)
    filtered = [by_scenario(row, size) for row in rows]
    outlook = outlook_of(question, theta, here, filtered[-1])
    smoothed = [by_scenario(row, size) for row in smoothed_entries(step, m, rows)]
    return {
        "log_marginal": sum(logs),
        "now": filtered[-1],
        "filtered": filtered,
        "smoothed": smoothed,
        "outlook": outlook,
        "horizon": outlook[-1],
    }


def log_joint(question: Question, evidence: Evidence, as_of: date, theta: Theta) -> list[Any]:
    """Return log p(evidence, the present scenario is s | theta), for every s."""
    found = run_posterior(question, evidence, as_of, theta)
    with np.errstate(divide="ignore"):
        return [found["log_marginal"] + np.log(p) for p in found["now"]]
