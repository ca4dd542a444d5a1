"""Latent variables given theta: draws of the scenario path, the hidden values and each report's origin.

Given theta, a path s_0..s_T is drawn by forward filtering, backward sampling. Given the path, in each cell
the value x is drawn: of an indicator that persists along each stay in a scenario, forward and back, and
whether it was fresh or held; then of each report, whether it states x, or is noise, or passes another on; of
a cell without a report, the claim that was not filed. Cells of one kind that have the same value in periods
of the same scenario are alike, so they are drawn together, by binomials.
"""

from __future__ import annotations

import numpy as np

from forecast.inference.gibbs.state import State, add, binomial, pick
from forecast.model.dynamics import period_matrix
from forecast.model.event import LATE
from forecast.model.hmm import (
    Filtered,
    fill,
    revise,
    revise_small,
)
from forecast.model.jit import inlined, kernel
from forecast.model.likelihood import (
    base_chance,
    filed_slot,
    log_cell_weights,
    log_value_weights,
    noise_chance,
    place,
)
from forecast.model.numbers import draw_number
from forecast.model.parameters import CATEGORY, NEGATIVE_BINOMIAL, STATIC
from forecast.model.report_terms import NOISE, TRUTH


@kernel
def draw_path(n: int, last: int, filtered: Filtered, state: State) -> None:
    """Draw a scenario path of each unit backward from the filter; count its moves and the cells it meets.

    `last` is the scenario in which the first unit ends.
    """
    a, rng, path = state.a, state.rng, state.path
    size, runs = a.scenarios, a.runs
    weight, run = np.empty(size), np.empty(runs)
    matrix = filtered.matrix[n].copy()
    for u in range(path.shape[0]):
        t = path.shape[1] - 1
        s = last if u == 0 else pick(filtered.alpha[n, u, t], size, rng)
        r = draw_entry(filtered.log_alpha[n, u, t, s], run, rng)
        path[u, t] = s
        while t > 0:
            if a.dynamics == STATIC:
                r = 0
            elif runs == 1 or r == 0:
                if a.event[LATE]:
                    period_matrix(state.theta, t - 1, a, matrix)
                for i in range(size):
                    weight[i] = filtered.alpha[n, u, t - 1, i] * matrix[i, s]
                if runs > 1:
                    weight[s] = 0.0
                before = pick(weight, size, rng)
                state.moves[before, s] += 1.0
                s, r = before, draw_entry(filtered.log_alpha[n, u, t - 1, before], run, rng)
            else:
                state.moves[s, s] += 1.0
                if r < runs - 1 or rng.random() >= filtered.earlier[n, u, t, s]:
                    r -= 1
            t -= 1
            path[u, t] = s
        state.plus[s] += 1.0
        for t in range(1, path.shape[1]):
            state.entry[u, t] = state.entry[u, t - 1] if path[u, t] == path[u, t - 1] else t
    count_cells(state)


@inlined
def draw_entry(log_weight: np.ndarray, weight: np.ndarray, rng: np.random.Generator) -> int:
    """Draw how many periods ago a scenario was entered."""
    if log_weight.shape[0] == 1:
        return 0
    high = -np.inf
    for r in range(log_weight.shape[0]):
        high = max(high, log_weight[r])
    for r in range(log_weight.shape[0]):
        weight[r] = np.exp(log_weight[r] - high)
    return pick(weight, log_weight.shape[0], rng)


@inlined
def count_cells(state: State) -> None:
    """Count the cells of each kind in each scenario of the path, where values are fresh."""
    sequence, a = state.sequence, state.a
    for q in range(state.number.shape[0]):
        for s in range(a.scenarios):
            state.number[q, s] = 0
    for u in range(state.path.shape[0]):
        for t in range(state.path.shape[1]):
            for k in range(sequence.start[u, t], sequence.start[u, t + 1]):
                q = sequence.kind[k]
                if a.indicator[state.cells.cell[sequence.cell[q]].indicator].belief < 0:
                    state.number[q, state.path[u, t]] += 1


@inlined
def log_weights_of(q: int, theta: np.ndarray, state: State) -> None:
    """See to it that the table has log W(x) of a kind whose value persists at theta."""
    if state.table.owner[q] != state.stamp[0]:
        fill(q, state.stamp[0], theta, state.table)


@inlined
def stay_begins(c: int, k: int, state: State) -> bool:
    """Tell whether cell k of chain c is the first since its scenario was entered."""
    if k == state.chains.start[c]:
        return True
    return state.entry[state.chains.unit[c], state.chains.period[k]] > state.chains.period[k - 1]


@inlined
def revise_along(c: int, k: int, theta: np.ndarray, belief: np.ndarray, state: State) -> float:
    """Revise the belief about a chain's hidden value by its cell k on the path; return log m.

    `belief` holds that after the cell before.
    """
    q, i = state.chains.kind[k], state.chains.indicator[c]
    s, size = state.path[state.chains.unit[c], state.chains.period[k]], state.a.indicator[i].size
    hold = 0.0
    if not stay_begins(c, k, state):
        hold = state.a.indicator[i].persistence ** (state.chains.period[k] - state.chains.period[k - 1])
    log_weights_of(q, theta, state)
    log_w, high = state.table.log_w[q, s], -np.inf
    for x in range(size):
        high = max(high, log_w[x])
    for x in range(size):
        state.buffer[0, x] = np.exp(log_w[x] - high) if high > -np.inf else 0.0
    start = place(i, s, state.a)
    log_m = revise(belief, hold, theta[start : start + size], state.buffer[0], size)
    return log_m + high if log_m > -np.inf else revise_small(belief, log_w, size)


@inlined
def draw_chain(c: int, state: State) -> None:
    """Draw the hidden values of an indicator that persists along the path: forward, then backward."""
    theta, a, rng, chains = state.theta, state.a, state.rng, state.chains
    first, end, i = chains.start[c], chains.start[c + 1], chains.indicator[c]
    size = a.indicator[i].size
    for k in range(first, end):
        for v in range(size):
            state.value[k, v] = state.value[k - 1, v] if k > first else 0.0
        revise_along(c, k, theta, state.value[k, :size], state)
    x = -1
    for k in range(end - 1, first - 1, -1):
        q, s = chains.kind[k], state.path[chains.unit[c], chains.period[k]]
        if x < 0:
            x = pick(state.value[k], size, rng)
        state.counted[q, s, x] += 1
        fresh, held = theta[place(i, s, a) + x], 0.0
        if not stay_begins(c, k, state):
            hold = a.indicator[i].persistence ** (chains.period[k] - chains.period[k - 1])
            fresh, held = (1.0 - hold) * fresh, hold * state.value[k - 1, x]
        if rng.random() * (fresh + held) >= held:
            add(place(i, s, a) + x, 1.0, 0.0, state.sequence.exponent[q], state)
            x = -1


@inlined
def draw_noise_origin(y: float, i: int, n: int, power: float, state: State) -> None:
    """Count n reports that are noise and claim y."""
    if state.a.indicator[i].quiet >= 0:
        quiet = y == state.a.indicator[i].quiet
        add(state.a.noise, 0.0 if quiet else n, n if quiet else 0.0, power, state)


@inlined
def draw_reports(c: int, x: float, n: int, power: float, state: State) -> None:
    """Draw the origin of each report of n like cells of a category with value x, nan for none."""
    theta, cells, rng = state.theta, state.cells, state.rng
    i = cells.cell[c].indicator
    for j in range(cells.cell[c].first, cells.cell[c].end):
        report = cells.report[j]
        r, y, up, down = theta[report.slot], report.value, 0, n
        base = base_chance(i, j, theta, cells, state.a)
        if y == x and report.own > 0.0:
            truth = report.own * report.credibility * r
            up = binomial(rng, n, truth / (truth + base))
            down -= up
        if report.passed > 0.0:
            passed = binomial(rng, down, report.passed / base)
            down, base = down - passed, base - report.passed
        if report.lost > 0.0:
            lost = binomial(rng, down, report.lost * noise_chance(i, int(y), theta, state.a) / base)
            draw_noise_origin(y, i, lost, power, state)
            down -= lost
        draw_noise_origin(y, i, down, power, state)
        if report.credibility < 1.0 and down > 0:
            reliable = (1.0 - report.credibility) * r
            also = binomial(rng, down, reliable / (reliable + 1.0 - r))
            up, down = up + also, down - also
        add(report.slot, up, down, power, state)


@inlined
def draw_reporting(c: int, x: int, n: int, power: float, state: State) -> None:
    """Count whether the claims of n like cells with value x were filed, and draw those that were not."""
    a, theta, cell, rng = state.a, state.theta, state.cells.cell[c], state.rng
    i, again, r = cell.indicator, cell.again, state.a.mean_reliability
    if cell.filed >= 0:
        add(cell.filed, n, 0.0, power, state)
    if cell.ratio and a.indicator[i].quiet >= 0:
        state.monitored[1 if x > 0 else 0] += n
    if not cell.silent:
        return
    true = r * (1.0 - theta[filed_slot(i, x, again, a)])
    total, left = true, n
    for y in range(a.indicator[i].size):
        total += (1.0 - r) * noise_chance(i, y, theta, a) * (1.0 - theta[filed_slot(i, y, again, a)])
    for y in range(a.indicator[i].size):
        slot = filed_slot(i, y, again, a)
        share = (1.0 - r) * noise_chance(i, y, theta, a) * (1.0 - theta[slot])
        number = binomial(rng, left, share / total)
        left, total = left - number, total - share
        add(slot, 0.0, number, power, state)
        draw_noise_origin(y, i, number, power, state)
    add(filed_slot(i, x, again, a), 0.0, left, power, state)


@inlined
def draw_children(c: int, s: int, quiet: int, n: int, power: float, state: State) -> None:
    """Draw the cells that are given a cell: n of them, in `quiet` of which it has its quiet value."""
    theta, cells, a = state.theta, state.cells, state.a
    for one in range(cells.cell[c].child, cells.cell[c].child + cells.cell[c].children):
        if quiet > 0:
            draw_reports(one, np.nan, quiet, power, state)
            draw_reporting(one, 0, quiet, power, state)
        if quiet < n:
            log_value_weights(one, theta, cells, a, state.buffer, 1)
            draw_values(one, s, n - quiet, state.buffer[1], power, state)


@inlined
def draw_values(c: int, s: int, n: int, log_w: np.ndarray, power: float, state: State) -> int:
    """Draw the values of n like cells by f(x | s) W(x), and their reports; return how many are quiet."""
    theta, a, rng = state.theta, state.a, state.rng
    i = state.cells.cell[c].indicator
    start, size, left, total, high = place(i, s, a), a.indicator[i].size, n, 0.0, -np.inf
    for x in range(size):
        if theta[start + x] > 0.0:
            high = max(high, log_w[x])
    for x in range(size):
        total += theta[start + x] * np.exp(log_w[x] - high) if theta[start + x] > 0.0 else 0.0
    for x in range(size - 1, -1, -1):
        share = theta[start + x] * np.exp(log_w[x] - high) if theta[start + x] > 0.0 else 0.0
        number = left if x == 0 else binomial(rng, left, share / total)
        left, total = left - number, total - share
        if number > 0:
            add(start + x, number, 0.0, power, state)
            draw_reports(c, float(x), number, power, state)
            draw_reporting(c, x, number, power, state)
        if x == 0:
            return number
    return 0


@inlined
def draw_of_number(c: int, s: int, power: float, state: State) -> None:
    """Draw the true value of a count or measure, and the origin of its reports."""
    cells, a, rng, theta = state.cells, state.a, state.rng, state.theta
    i, first, end = cells.cell[c].indicator, cells.cell[c].first, cells.cell[c].end
    x = draw_number(first, end, i, s, theta, cells.report, cells.node, a, rng, state.origin)
    slot = place(i, s, a)
    if not np.isnan(x):
        add(slot, x, 1.0, power, state)
        if a.indicator[i].kind == NEGATIVE_BINOMIAL:
            state.happened[state.counts[0], 0], state.happened[state.counts[0], 1] = slot, x
            state.counts[0] += 1
    for j in range(first, end):
        report, origin = cells.report[j], state.origin[j - first]
        if origin == TRUTH:
            add(report.slot, 1.0, 0.0, power, state)
        elif origin == NOISE:
            reliable = (1.0 - report.credibility) * theta[report.slot]
            up = rng.random() * (reliable + 1.0 - theta[report.slot]) < reliable
            add(report.slot, 1.0 if up else 0.0, 0.0 if up else 1.0, power, state)


@inlined
def draw_cells(q: int, state: State) -> None:
    """Draw the values, reports and silence of all cells of one kind."""
    cells, a = state.cells, state.a
    c, power = state.sequence.cell[q], state.sequence.exponent[q]
    i = cells.cell[c].indicator
    if a.indicator[i].kind != CATEGORY:
        for s in range(a.scenarios):
            for _ in range(state.number[q, s]):
                draw_of_number(c, s, power, state)
        return
    if a.indicator[i].belief < 0:
        some = 0
        for s in range(a.scenarios):
            some += state.number[q, s]
        if some > 0:
            log_cell_weights(c, state.theta, cells, a, state.buffer, state.weight)
        for s in range(a.scenarios):
            n = state.number[q, s]
            if n > 0:
                quiet = draw_values(c, s, n, state.weight[s], power, state)
                draw_children(c, s, quiet, n, power, state)
        return
    for s in range(a.scenarios):
        total = 0
        for x in range(a.indicator[i].size):
            n = state.counted[q, s, x]
            total += n
            if n > 0:
                draw_reports(c, float(x), n, power, state)
                draw_reporting(c, x, n, power, state)
        if total > 0:
            draw_children(c, s, state.counted[q, s, 0], total, power, state)


@kernel
def draw_hidden_values(state: State) -> None:
    """Draw the value of every cell and the origin of its reports, given the path; sum them up."""
    state.counts[0] = 0
    state.monitored[:] = 0.0
    state.rest[:] = 0.0
    state.counted[:] = 0
    state.stamp[0] += 1
    for c in range(state.chains.unit.shape[0]):
        if state.chains.start[c] < state.chains.start[c + 1]:
            draw_chain(c, state)
    for q in range(state.sequence.cell.shape[0]):
        draw_cells(q, state)
