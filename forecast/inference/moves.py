"""One Gibbs sweep over all judgements, given a sampled path of scenarios.

Given theta, a path s_0..s_T is drawn backward from the forward filter; given the path, in each cell what
happened (x, and whether it was fresh or held) and of each report whether it told it are drawn. Given those,
the judgements are independent and conjugate: Dirichlet, Gamma and Normal with the cells' exponents as
weights, Beta for reliabilities. Where that draw is not exact it is a proposal, accepted by Metropolis and
Hastings:

- a cell with exponent e < 1 stands in the target as m^e, whose extension by the drawn x is m^(e-1) J with
  J = f(x | s) prod_j P(y_j | x), while the proposal took J^e: the ratio is (m'/m)^(e-1) (J'/J)^(1-e);
- the mean of a negative binomial count is proposed from the Gamma that a Poisson count of reduced weight
  would give, mixed with a tenth from the prior;
- leaving rates are proposed as if a period saw one move at most, mixed with a tenth from the prior.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from forecast.model.compiled import inlined, kernel
from forecast.model.dynamics import expm
from forecast.model.course import Course
from forecast.model.filtering import Filtered
from forecast.model.layout import CATEGORY, MEASURE, MOVES, NEGATIVE_BINOMIAL, STATIC, Arrays
from forecast.model.likelihood import (
    Cells,
    all_untold,
    category,
    frequency,
    log_cell,
    log_density,
    log_number,
    place,
    stated_before,
    told_gain,
    untold,
    value_weights,
)

FROM_PRIOR = 0.1
LIKELIHOOD, RELIABILITY, DYNAMICS = range(3)


class Latent(NamedTuple):
    """What one particle's sweep draws about the past, and the sums it leaves for the judgements.

    Cells of one kind in periods of one scenario are alike, so their draws are counted, not listed.
    """

    number: np.ndarray  # (Q, K) cells of each kind in each scenario of the sampled path
    fresh: np.ndarray  # (C, K, V) fresh draws of each value (of a number, by the report that told it), and
    up: np.ndarray  # (J, K) reports for which the source was reliable, and
    down: np.ndarray  # (J, K) for which it was not, each with the weight it has in an acceptance ratio
    plus: np.ndarray  # (D,) weight of cases for, or sum of values
    minus: np.ndarray  # (D,) weight of cases against, or number of values
    weight: np.ndarray  # (2, V) scratch
    moves: np.ndarray  # (K, K) periods that began in one scenario and ended in another


@kernel
def new_latent(theta: np.ndarray, course: Course, cells: Cells, a: Arrays) -> Latent:
    """Return empty sums."""
    longest = a.values
    for c in range(cells.cell.shape[0]):
        longest = max(longest, cells.cell[c].end - cells.cell[c].first)
    kinds, number, reports, size = course.cell.shape[0], cells.cell.shape[0], cells.report.shape[0], a.scenarios
    return Latent(
        np.zeros((kinds, size), np.int64),
        np.zeros((number, size, longest)),
        np.zeros((reports, size)),
        np.zeros((reports, size)),
        np.zeros(theta.shape[1]),
        np.zeros(theta.shape[1]),
        np.empty((2, longest)),
        np.zeros((size, size)),
    )


@kernel
def binomial(rng: np.random.Generator, n: int, p: float) -> int:
    """Draw how many of n happen with chance p each."""
    if n == 0 or p <= 0.0:
        return 0
    if p >= 1.0:
        return n
    if n < 16:
        total = 0
        for _ in range(n):
            total += rng.random() < p
        return total
    return rng.binomial(n, p)


@inlined
def gamma_above_zero(rng: np.random.Generator, shape: float) -> float:
    """Draw a standard Gamma, kept above zero (small shapes underflow)."""
    return max(rng.standard_gamma(shape), 1e-300)


@inlined
def pick(weights: np.ndarray, size: int, rng: np.random.Generator) -> int:
    """Draw an index in proportion to weights[:size]."""
    total = 0.0
    for x in range(size):
        total += weights[x]
    u = rng.random() * total
    last = 0
    for x in range(size):
        if weights[x] > 0.0:
            last = x
            if u < weights[x]:
                return x
            u -= weights[x]
    return last


@kernel
def draw_path(
    n: int, last: int, filtered: Filtered, course: Course, a: Arrays, latent: Latent, rng: np.random.Generator
) -> None:
    """Draw a scenario path of each unit backward from the filter; count its moves and the cells it meets.

    `last` is the scenario in which the first unit ends.
    """
    units, periods = course.start.shape[0], course.start.shape[1] - 1
    weight = np.empty(a.scenarios)
    for u in range(units):
        for i in range(a.scenarios):
            weight[i] = filtered.alpha[n, u, periods - 1, i]
        now = last if u == 0 else pick(weight, a.scenarios, rng)
        for t in range(periods - 1, -1, -1):
            if t < periods - 1 and a.dynamics != STATIC:
                for i in range(a.scenarios):
                    weight[i] = filtered.alpha[n, u, t, i] * filtered.matrix[n, i, now]
                before = pick(weight, a.scenarios, rng)
                latent.moves[before, now] += 1.0
                now = before
            for k in range(course.start[u, t], course.start[u, t + 1]):
                latent.number[course.kind[k], now] += 1
        latent.plus[now] += 1.0


@kernel
def draw_reports(
    c: int,
    s: int,
    x: float,
    n: int,
    sure: bool,
    power: float,
    theta: np.ndarray,
    cells: Cells,
    latent: Latent,
    rng: np.random.Generator,
) -> None:
    """Draw, where x happened in n like cells, how their reports came about.

    `sure`: at least one report of the (single) cell told it.
    """
    none = all_untold(c, theta, cells) / (all_untold(c, theta, cells) + told_gain(c, x, theta, cells))
    for j in range(cells.cell[c].first, cells.cell[c].end):
        report = cells.report[j]
        r, rest = theta[report.slot], untold(j, theta, cells)
        told = report.told * r if report.value == x else 0.0
        up = 0
        if told > 0.0:
            share = told / (told + rest)
            up = binomial(rng, n, share / (1.0 - none) if sure and none < 1.0 else share)
            sure, none = sure and up == 0, none / (1.0 - share) if share < 1.0 else 0.0
        down = n - up
        if report.keep > 0.0:
            down -= binomial(rng, down, report.keep / rest)
        if down > 0 and report.credibility < 1.0:
            reliable = (1.0 - report.credibility) * r
            also = binomial(rng, down, reliable / (reliable + 1.0 - r))
            up, down = up + also, down - also
        latent.plus[report.slot] += power * up
        latent.minus[report.slot] += power * down
        latent.up[j, s] += (1.0 - power) * up
        latent.down[j, s] += (1.0 - power) * down


@kernel
def draw_category(
    c: int,
    s: int,
    n: int,
    power: float,
    weight: np.ndarray,
    theta: np.ndarray,
    cells: Cells,
    a: Arrays,
    latent: Latent,
    rng: np.random.Generator,
) -> int:
    """Draw what happened in n like cells, in proportion to f(x | s) weight[x]; return how often it was quiet."""
    i = cells.cell[c].indicator
    start, left, total = place(i, s, a), n, category(c, s, weight, theta, cells, a)
    for x in range(a.indicator[i].size - 1, -1, -1):
        share = weight[x] * frequency(c, x, start, theta, cells)
        number = left if x == 0 else binomial(rng, left, share / total)
        if number > 0:
            draw_reports(c, s, float(x), number, False, power, theta, cells, latent, rng)
            new, hold = number, cells.cell[c].hold
            if hold > 0.0 and x == cells.cell[c].held:
                fresh = (1.0 - hold) * theta[start + x]
                new = binomial(rng, number, fresh / (fresh + hold))
            latent.plus[start + x] += power * new
            latent.fresh[c, s, x] += (1.0 - power) * new
        if x > 0:
            left, total = left - number, total - share
    return left


@kernel
def draw_number(
    c: int, s: int, power: float, theta: np.ndarray, cells: Cells, a: Arrays, latent: Latent, rng: np.random.Generator
) -> None:
    """Draw which reported number was told in the cell of a count or a measure, if any."""
    i, first = cells.cell[c].indicator, cells.cell[c].first
    total, found = log_number(c, s, theta, cells, a), -1
    left = rng.random() - math.exp(np.log(all_untold(c, theta, cells)) - total)
    if left >= 0.0:
        for j in range(first, cells.cell[c].end):
            gain = told_gain(c, cells.report[j].value, theta, cells)
            if left >= 0.0 and gain > 0.0 and not stated_before(c, j, cells):
                found = j
                left -= math.exp(np.log(gain) + log_density(i, s, cells.report[j].value, theta, a) - total)
    if found < 0:
        draw_reports(c, s, np.nan, 1, False, power, theta, cells, latent, rng)
        return
    y = cells.report[found].value
    latent.plus[place(i, s, a)] += power * y
    latent.minus[place(i, s, a)] += power
    latent.fresh[c, s, found - first] += 1.0 if a.indicator[i].kind == NEGATIVE_BINOMIAL else 1.0 - power
    draw_reports(c, s, y, 1, True, power, theta, cells, latent, rng)


@kernel
def draw_cells(
    q: int, s: int, theta: np.ndarray, course: Course, cells: Cells, a: Arrays, latent: Latent, rng: np.random.Generator
) -> None:
    """Draw what happened in all cells of one kind that fell into one scenario, and how they were reported."""
    c, n, power = course.cell[q], latent.number[q, s], course.exponent[q]
    i, child, children = cells.cell[c].indicator, cells.cell[c].child, cells.cell[c].children
    if a.indicator[i].kind != CATEGORY:
        for _ in range(n):
            draw_number(c, s, power, theta, cells, a, latent, rng)
        return
    own, other = latent.weight[0], latent.weight[1]
    value_weights(c, a.indicator[i].size, theta, cells, own)
    for one in range(child, child + children):
        value_weights(one, a.indicator[cells.cell[one].indicator].size, theta, cells, other)
        event = category(one, s, other, theta, cells, a)
        own[0] *= cells.cell[one].quiet * all_untold(one, theta, cells)
        for x in range(1, a.indicator[i].size):
            own[x] *= event
    quiet = draw_category(c, s, n, power, own, theta, cells, a, latent, rng)
    for one in range(child, child + children):
        if quiet < n:
            value_weights(one, a.indicator[cells.cell[one].indicator].size, theta, cells, other)
            draw_category(one, s, n - quiet, power, other, theta, cells, a, latent, rng)
        if quiet > 0:
            draw_reports(one, s, np.nan, quiet, False, power, theta, cells, latent, rng)


@inlined
def member(c: int, n: int, cells: Cells) -> int:
    """Return cell c for n = 0, then its children one by one."""
    return c if n == 0 else cells.cell[c].child + n - 1


@kernel
def draw_past(
    theta: np.ndarray, course: Course, cells: Cells, a: Arrays, latent: Latent, rng: np.random.Generator
) -> None:
    """Draw what happened in every cell given the path, and sum it up for the judgements."""
    for q in range(course.cell.shape[0]):
        for n in range(1 + cells.cell[course.cell[q]].children):
            c = member(course.cell[q], n, cells)
            latent.fresh[c] = 0.0
            latent.up[cells.cell[c].first : cells.cell[c].end] = 0.0
            latent.down[cells.cell[c].first : cells.cell[c].end] = 0.0
    for q in range(course.cell.shape[0]):
        for s in range(a.scenarios):
            if latent.number[q, s] > 0:
                draw_cells(q, s, theta, course, cells, a, latent, rng)


@kernel
def draw_likelihood(i: int, s: int, a: Arrays, latent: Latent, rng: np.random.Generator, out: np.ndarray) -> None:
    """Draw the likelihood of an indicator in a scenario given the sums: conjugate, or the proposal."""
    start = place(i, s, a)
    plus, minus = latent.plus[start], latent.minus[start]
    if a.indicator[i].kind == CATEGORY:
        draw_dirichlet(start, a.indicator[i].size, a, latent.plus, rng, out)
    elif a.indicator[i].kind == MEASURE:
        precision = 1.0 / a.slot[start].b ** 2 + minus / a.slot[place(i, s, a)].sd ** 2
        mean = (a.slot[start].a / a.slot[start].b ** 2 + plus / a.slot[place(i, s, a)].sd ** 2) / precision
        out[start] = mean + rng.standard_normal() / math.sqrt(precision)
    elif a.indicator[i].kind == NEGATIVE_BINOMIAL and rng.random() < FROM_PRIOR:
        out[start] = gamma_above_zero(rng, a.slot[start].a) / a.slot[start].b
    else:
        w = reduced_weight(i, start, a)
        out[start] = gamma_above_zero(rng, a.slot[start].a + w * plus) / (a.slot[start].b + w * minus)


@inlined
def reduced_weight(i: int, start: int, a: Arrays) -> float:
    """Return what a count weighs beside a Poisson count: k / (k + m) for a negative binomial."""
    if a.indicator[i].kind != NEGATIVE_BINOMIAL:
        return 1.0
    return a.indicator[i].dispersion / (a.indicator[i].dispersion + a.slot[start].a / a.slot[start].b)


@kernel
def draw_dirichlet(
    start: int, size: int, a: Arrays, plus: np.ndarray, rng: np.random.Generator, out: np.ndarray
) -> None:
    """Draw a Dirichlet with parameters a + plus; slots with a = 0 stay 0."""
    total = 0.0
    for x in range(start, start + size):
        out[x] = gamma_above_zero(rng, a.slot[x].a + plus[x]) if a.slot[x].a > 0.0 else 0.0
        total += out[x]
    for x in range(start, start + size):
        out[x] /= total


@kernel
def log_m(c: int, s: int, theta: np.ndarray, cells: Cells, a: Arrays, latent: Latent) -> float:
    """Return log m(s) of one cell."""
    row = np.empty(a.scenarios)
    return row[s] if log_cell(c, theta, cells, a, latent.weight, row) else np.log(row[s])


@kernel
def log_told_ratio(
    c: int, s: int, new: np.ndarray, old: np.ndarray, cells: Cells, a: Arrays, latent: Latent
) -> float:
    """Return sum of log f(x | s) at new minus at old, over what was drawn fresh in the cells of a kind."""
    i, first, total = cells.cell[c].indicator, cells.cell[c].first, 0.0
    if a.indicator[i].kind == CATEGORY:
        start = place(i, s, a)
        for x in range(a.indicator[i].size):
            if latent.fresh[c, s, x] > 0:
                total += latent.fresh[c, s, x] * (np.log(new[start + x]) - np.log(old[start + x]))
        return total
    for j in range(first, cells.cell[c].end):
        number, y = latent.fresh[c, s, j - first], cells.report[j].value
        if number > 0:
            total += number * (log_density(i, s, y, new, a) - log_density(i, s, y, old, a))
    return total


@kernel
def first_of_cell(q: int, s: int, course: Course, latent: Latent) -> bool:
    """Tell whether kind q is the first of its cell in a scenario; the same cell may have two exponents."""
    for before in range(q - 1, -1, -1):
        if course.cell[before] != course.cell[q]:
            return True
        if latent.number[before, s] > 0:
            return False
    return True


@kernel
def accept_likelihoods(
    theta: np.ndarray,
    new: np.ndarray,
    course: Course,
    cells: Cells,
    a: Arrays,
    latent: Latent,
    rng: np.random.Generator,
    count: np.ndarray,
) -> None:
    """Accept or refuse proposed likelihoods, an indicator (with those given it) and scenario at a time."""
    indicators, size = a.indicator.shape[0], a.scenarios
    ratio = np.zeros((indicators, size))
    for q in range(course.cell.shape[0]):
        c, e = course.cell[q], course.exponent[q]
        i = cells.cell[c].indicator
        for s in range(size):
            if latent.number[q, s] == 0:
                continue
            if first_of_cell(q, s, course, latent):
                for n in range(1 + cells.cell[c].children):
                    ratio[i, s] += log_told_ratio(member(c, n, cells), s, new, theta, cells, a, latent)
            if e != 1.0:
                m = log_m(c, s, new, cells, a, latent) - log_m(c, s, theta, cells, a, latent)
                ratio[i, s] += latent.number[q, s] * (e - 1.0) * m
    for i in range(indicators):
        for s in range(size):
            if a.indicator[i].kind == NEGATIVE_BINOMIAL and a.slot[place(i, s, a)].learns:
                slot = place(i, s, a)
                ratio[i, s] -= proposal_over_prior(i, slot, new[slot], a, latent)
                ratio[i, s] += proposal_over_prior(i, slot, theta[slot], a, latent)
    for i in range(indicators):
        for s in range(size):
            if a.slot[place(i, s, a)].learns and a.indicator[i].joint == i:
                count[LIKELIHOOD, 1] += 1
            if np.log(rng.random()) < ratio[i, s]:
                count[LIKELIHOOD, 0] += a.slot[place(i, s, a)].learns and a.indicator[i].joint == i
                for k in range(indicators):
                    if a.indicator[k].joint == i:
                        begin, end = place(k, s, a), place(k, s, a) + a.indicator[k].size
                        theta[begin:end] = new[begin:end]


@kernel
def proposal_over_prior(i: int, slot: int, m: float, a: Arrays, latent: Latent) -> float:
    """Return log(g(m) / p(m)) of the mixed proposal for the mean of a negative binomial."""
    w, shape, rate = reduced_weight(i, slot, a), a.slot[slot].a, a.slot[slot].b
    more, longer = w * latent.plus[slot], w * latent.minus[slot]
    return np.log(FROM_PRIOR + (1.0 - FROM_PRIOR) * math.exp(gamma_ratio(m, shape, rate, more, longer)))


@kernel
def gamma_ratio(x: float, shape: float, rate: float, more: float, longer: float) -> float:
    """Return log of the density of Gamma(shape + more, rate + longer) over that of Gamma(shape, rate)."""
    up = (shape + more) * math.log(rate + longer) - math.lgamma(shape + more)
    return up - shape * math.log(rate) + math.lgamma(shape) + more * math.log(x) - longer * x


@kernel
def update_reliabilities(
    theta: np.ndarray,
    unit: bool,
    course: Course,
    cells: Cells,
    a: Arrays,
    latent: Latent,
    rng: np.random.Generator,
    count: np.ndarray,
) -> None:
    """Draw each reliability from its Beta; where cells have exponents, accept or refuse it."""
    for k in range(a.reliabilities):
        slot = a.reliability + k
        if not a.slot[slot].learns:
            continue
        up = gamma_above_zero(rng, a.slot[slot].a + latent.plus[slot])
        old, new = theta[slot], up / (up + gamma_above_zero(rng, a.slot[slot].b + latent.minus[slot]))
        theta[slot] = new
        if not unit:
            ratio = reliability_ratio(slot, old, new, theta, course, cells, a, latent)
            count[RELIABILITY, 1] += 1
            if np.log(rng.random()) < ratio:
                count[RELIABILITY, 0] += 1
            else:
                theta[slot] = old


@kernel
def reliability_ratio(
    slot: int, old: float, new: float, theta: np.ndarray, course: Course, cells: Cells, a: Arrays, latent: Latent
) -> float:
    """Return the log acceptance ratio of a proposed reliability."""
    ratio = 0.0
    for q in range(course.cell.shape[0]):
        c, e = course.cell[q], course.exponent[q]
        touched = False
        for n in range(1 + cells.cell[c].children):
            touched |= reports_of(member(c, n, cells), slot, cells)
        for s in range(a.scenarios):
            if not touched or latent.number[q, s] == 0:
                continue
            if first_of_cell(q, s, course, latent):
                for n in range(1 + cells.cell[c].children):
                    ratio += log_part_ratio(member(c, n, cells), s, slot, old, new, cells, latent)
            if e != 1.0:
                m = log_m(c, s, theta, cells, a, latent)
                theta[slot] = old
                m -= log_m(c, s, theta, cells, a, latent)
                theta[slot] = new
                ratio += latent.number[q, s] * (e - 1.0) * m
    return ratio


@kernel
def reports_of(c: int, slot: int, cells: Cells) -> bool:
    """Tell whether a cell has a report with this reliability."""
    for j in range(cells.cell[c].first, cells.cell[c].end):
        if cells.report[j].slot == slot:
            return True
    return False


@kernel
def log_part_ratio(c: int, s: int, slot: int, old: float, new: float, cells: Cells, latent: Latent) -> float:
    """Return log J'/J of the reports of a kind of cell for one reliability."""
    told = 0.0
    for j in range(cells.cell[c].first, cells.cell[c].end):
        if cells.report[j].slot == slot:
            if latent.up[j, s] > 0:
                told += latent.up[j, s] * (np.log(new) - np.log(old))
            if latent.down[j, s] > 0:
                told += latent.down[j, s] * (np.log(1.0 - new) - np.log(1.0 - old))
    return told


@kernel
def update_dynamics(
    theta: np.ndarray, matrix: np.ndarray, a: Arrays, moves: np.ndarray, rng: np.random.Generator, count: np.ndarray
) -> None:
    """Update the dynamics given how often the path moved from one scenario to another."""
    size, start = moves.shape[0], a.dynamics_offset
    if a.dynamics != MOVES:
        for i in range(size):
            if a.slot[start + i * size].learns:
                plus = np.zeros(theta.shape[0])
                plus[start + i * size : start + (i + 1) * size] = moves[i]
                draw_dirichlet(start + i * size, size, a, plus, rng, theta)
        return
    to = start + size
    new, prior = theta.copy(), rng.random() < FROM_PRIOR
    plus, stays = np.zeros(theta.shape[0]), moves.sum(axis=1)
    for i in range(size):
        for j in range(size):
            if j != i and a.slot[to + i * size + j].a > 0.0:
                plus[to + i * size + j] = moves[i, j]
        plus[start + i] = stays[i] - moves[i, i]
    none = np.zeros(theta.shape[0])
    for i in range(size):
        if a.slot[start + i].learns:
            shape = a.slot[start + i].a + (0.0 if prior else plus[start + i])
            new[start + i] = gamma_above_zero(rng, shape) / (a.slot[start + i].b + (0.0 if prior else stays[i]))
        if a.slot[to + i * size].learns:
            draw_dirichlet(to + i * size, size, a, none if prior else plus, rng, new)
    proposed, buffer = np.empty((size, size)), np.empty((3, size, size))
    expm(new[start:to], new[to : to + size * size].reshape(size, size), proposed, buffer)
    ratio = moves_over_prior(theta, a, plus, stays) - moves_over_prior(new, a, plus, stays)
    for i in range(size):
        for j in range(size):
            if moves[i, j] > 0.0:
                ratio += moves[i, j] * (np.log(proposed[i, j]) - np.log(matrix[i, j]))
    count[DYNAMICS, 1] += 1
    if np.log(rng.random()) < ratio:
        count[DYNAMICS, 0] += 1
        theta[:] = new


@kernel
def moves_over_prior(theta: np.ndarray, a: Arrays, plus: np.ndarray, stays: np.ndarray) -> float:
    """Return log(g / p) of the mixed proposal for the moves."""
    size, start = stays.shape[0], a.dynamics_offset
    to, total = start + size, 0.0
    for i in range(size):
        if a.slot[start + i].learns:
            total += gamma_ratio(theta[start + i], a.slot[start + i].a, a.slot[start + i].b, plus[start + i], stays[i])
        if a.slot[to + i * size].learns:
            before, after = 0.0, 0.0
            for x in range(to + i * size, to + (i + 1) * size):
                if a.slot[x].a > 0.0:
                    before, after = before + a.slot[x].a, after + a.slot[x].a + plus[x]
                    total += plus[x] * np.log(theta[x]) + math.lgamma(a.slot[x].a) - math.lgamma(a.slot[x].a + plus[x])
            total += math.lgamma(after) - math.lgamma(before)
    return np.log(FROM_PRIOR + (1.0 - FROM_PRIOR) * math.exp(min(total, 700.0)))


@kernel
def sweep(
    theta: np.ndarray,
    row: np.ndarray,
    last: np.ndarray,
    filtered: Filtered,
    course: Course,
    cells: Cells,
    a: Arrays,
    rng: np.random.Generator,
    count: np.ndarray,
) -> None:
    """Move each particle theta (N, D) once; row (N,) is its place in `filtered`, last (N,) where its path ends.

    count[kind] = (accepted, tried) for LIKELIHOOD, RELIABILITY and DYNAMICS where a draw could be refused.
    """
    latent, new = new_latent(theta, course, cells, a), np.empty(theta.shape[1])
    unit = np.all(course.exponent == 1.0)
    exact = unit and not np.any(a.indicator.kind == NEGATIVE_BINOMIAL)
    for p in range(theta.shape[0]):
        latent.number[:] = 0
        latent.moves[:] = 0.0
        latent.plus[:] = 0.0
        latent.minus[:] = 0.0
        draw_path(row[p], last[p], filtered, course, a, latent, rng)
        draw_past(theta[p], course, cells, a, latent, rng)
        new[:] = theta[p]
        for i in range(a.indicator.shape[0]):
            for s in range(a.scenarios):
                if a.slot[place(i, s, a)].learns:
                    draw_likelihood(i, s, a, latent, rng, new)
        if exact:
            theta[p] = new
        else:
            accept_likelihoods(theta[p], new, course, cells, a, latent, rng, count)
        update_reliabilities(theta[p], unit, course, cells, a, latent, rng, count)
        if a.prior_learns:
            draw_dirichlet(0, a.scenarios, a, latent.plus, rng, theta[p])
        if a.dynamics != STATIC:
            update_dynamics(theta[p], filtered.matrix[row[p]], a, latent.moves, rng, count)
