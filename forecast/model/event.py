"""Event questions: an absorbing Markov chain of preparations, by which each outcome may happen.

States: quiet, "preparing j" for each outcome j, and "happened j", which is absorbing. Given are the chances
c_j by the horizon (C their sum), the leaving rate 1/m_j of preparing j, the share s_j of preparations that
end in the event, and N, the steps from period 0 to the one that holds the horizon. With eta = -ln(1 - C)/N
and eta_j = eta c_j/C, preparing j ends in the event at rate s_j/m_j and in quiet at (1 - s_j)/m_j; it begins
at rate pi_j (1/m_j - eta)/pi_0, and is the first state with probability pi_j = eta_j m_j/s_j, else quiet
(pi_0). This pi is the quasi-stationary distribution of the open states (Darroch and Seneta 1965), so that
before any evidence P(j by period n) = (c_j/C)(1 - (1 - C)^(n/N)), whatever m and s are.

Late events: survival S(t) = 1 - C (t/N)^2, hazard h_t = 1 - S(t + 1)/S(t). In one period preparing j stays
with probability 1 - 1/m_j and happens with s_j/m_j; pi_jt = h_t c_j m_j/(C s_j), and quiet turns to
preparing j with probability [pi_j,t+1 (1 - h_t) - pi_jt (1 - 1/m_j)]/pi_0t.

The open states are kept in the order of the K scenarios: the status quo is quiet, every other scenario the
preparation of it. In the chain of all states "happened k" is K + k (that of the status quo is never
reached). theta holds the chances in slots 0 to K - 1, and, at the slots that `event` names, the rates 1/m_j
and the shares s_j: of every outcome in the order of the scenarios, or one for all.
"""

from __future__ import annotations

import math

import numpy as np

from forecast.model.expm import expm
from forecast.model.jit import inlined, kernel

#: What the integers of `event` are: the scenario that is the status quo; first slot and number of the rates,
#: and of the shares; whether the event is late; N.
STATUS_QUO, PREPARING, PREPARINGS, ENDS, ENDS_COUNT, LATE, STEPS = range(7)

LEAST_STEPS = 2


def pack(
    prior: np.ndarray,
    preparing: np.ndarray,
    ends: np.ndarray,
    *,
    status_quo: int,
    steps: int,
    late: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Return theta (..., D) of nothing but an event's judgements, and the `event` that says where they are.

    prior is (..., K), preparing (rates) and ends (shares) are (..., 1) or (..., K - 1).
    """
    parts = [np.asarray(part, float) for part in (prior, preparing, ends)]
    k, p, e = (part.shape[-1] for part in parts)
    event = np.array([status_quo, k, p, k + p, e, late, steps], np.int64)
    return np.concatenate(parts, axis=-1), event


@inlined
def _leave(k: int, theta: np.ndarray, event: np.ndarray) -> float:
    """Return 1/m of scenario k."""
    outcome = k if k < event[STATUS_QUO] else k - 1
    return theta[event[PREPARING] + (outcome if event[PREPARINGS] > 1 else 0)]


@inlined
def _ends(k: int, theta: np.ndarray, event: np.ndarray) -> float:
    """Return s of scenario k."""
    outcome = k if k < event[STATUS_QUO] else k - 1
    return theta[event[ENDS] + (outcome if event[ENDS_COUNT] > 1 else 0)]


@inlined
def _total(theta: np.ndarray, event: np.ndarray, size: int) -> float:
    """Return C, the sum of the chances of the outcomes."""
    total = 0.0
    for k in range(size):
        total += theta[k] if k != event[STATUS_QUO] else 0.0
    return total


@inlined
def _hazard(total: float, event: np.ndarray, t: int) -> float:
    """Return eta/C of a steady event, h_t/C of a late one.

    Where nobody survives the period after the horizon, the horizon's hazard is that of the period before.
    """
    steps = float(event[STEPS])
    if event[LATE] == 1:
        at = t - 1 if t >= event[STEPS] and total * ((t + 1.0) / steps) ** 2 >= 1.0 else t
        return (2.0 * at + 1.0) / (steps * steps) / (1.0 - total * (at / steps) ** 2)
    if total <= 0.0:
        return 1.0 / steps
    return -math.log1p(-total) / (steps * total) if total < 1.0 else np.inf


@kernel
def open_shares(theta: np.ndarray, event: np.ndarray, t: int, out: np.ndarray) -> None:
    """Fill out (K,) with the probability of each open state in period t, if nothing has happened by then."""
    size, quiet = out.shape[0], event[STATUS_QUO]
    hazard = _hazard(_total(theta, event, size), event, t)
    out[quiet] = 1.0
    for k in range(size):
        if k != quiet:
            chance = hazard * theta[k]
            out[k] = chance / (_leave(k, theta, event) * _ends(k, theta, event)) if chance > 0.0 else 0.0
            out[quiet] -= out[k]


@kernel
def initial(theta: np.ndarray, event: np.ndarray, out: np.ndarray) -> None:
    """Fill out (K,) with the probability of each open state in period 0, at one theta (D,)."""
    open_shares(theta, event, 0, out)


@kernel
def step_matrix(theta: np.ndarray, event: np.ndarray, t: int, out: np.ndarray, buffer: np.ndarray) -> None:
    """Fill out (K, K) with the matrix of the open states from period t to t + 1, at one theta (D,).

    Its rows fall short of 1 by what happens. A steady event has the same one for every t. `buffer` is
    scratch of shape (3 + 2, K, K).
    """
    _fill(out.shape[0], theta, event, t, out, buffer)


@kernel
def whole_matrix(theta: np.ndarray, event: np.ndarray, t: int, out: np.ndarray, buffer: np.ndarray) -> None:
    """Fill out (2K, 2K) with the matrix of all states; `buffer` is scratch of shape (3 + 2, 2K, 2K)."""
    _fill(out.shape[0] // 2, theta, event, t, out, buffer)


@kernel
def _fill(
    size: int, theta: np.ndarray, event: np.ndarray, t: int, out: np.ndarray, buffer: np.ndarray
) -> None:
    """Fill out with a step between the first states, as many as it has rows."""
    if event[LATE] == 1:
        _late_step(size, theta, event, t, out, buffer[0, 0], buffer[1, 0])
    else:
        _generator(size, theta, event, buffer[3, 0], buffer[4], buffer[0, 0])
        expm(buffer[3, 0], buffer[4], out, buffer[:3])
        if out.shape[0] > size:  # squaring a matrix of large rates lets the sums of its rows drift
            for k in range(out.shape[0]):
                out[k] /= out[k].sum()


@kernel
def _generator(
    size: int, theta: np.ndarray, event: np.ndarray, rate: np.ndarray, then: np.ndarray, share: np.ndarray
) -> None:
    """Fill in the leaving rate of each state, and where to, as :func:`~forecast.model.expm.expm` reads."""
    quiet = event[STATUS_QUO]
    total = _total(theta, event, size)
    eta = total * _hazard(total, event, 0)
    initial(theta, event, share[:size])
    rate[:] = 0.0
    then[:] = 0.0
    for k in range(size):
        if k != quiet:
            rate[k], ends = _leave(k, theta, event), _ends(k, theta, event)
            then[quiet, k] = share[k] * (rate[k] - eta) / share[quiet]
            rate[quiet] += then[quiet, k]
            then[k, quiet] = 1.0 - ends
            if rate.shape[0] > size:
                then[k, size + k] = ends
    for k in range(size):
        if then[quiet, k] > 0.0:
            then[quiet, k] /= rate[quiet]


@kernel
def _late_step(
    size: int,
    theta: np.ndarray,
    event: np.ndarray,
    t: int,
    out: np.ndarray,
    share: np.ndarray,
    after: np.ndarray,
) -> None:
    """Fill out with one step of a late event."""
    quiet = event[STATUS_QUO]
    total = _total(theta, event, size)
    survives = 1.0 - total * _hazard(total, event, t)
    open_shares(theta, event, t, share[:size])
    open_shares(theta, event, t + 1, after[:size])
    out[:] = 0.0
    out[quiet, quiet] = 1.0
    for k in range(size):
        if k != quiet:
            leave, ends = _leave(k, theta, event), _ends(k, theta, event)
            out[quiet, k] = (after[k] * survives - share[k] * (1.0 - leave)) / share[quiet]
            out[quiet, quiet] -= out[quiet, k]
            out[k, k] = 1.0 - leave
            out[k, quiet] = leave * (1.0 - ends)
            if out.shape[0] > size:
                out[k, size + k] = leave * ends
    for k in range(size, out.shape[0]):
        out[k, k] = 1.0


@kernel
def allowed(theta: np.ndarray, event: np.ndarray, size: int) -> bool:
    """Tell whether the numbers at one theta (D,) do not contradict each other, of K = `size` scenarios.

    Steady: eta m_j < 1 and sum pi_j < 1. Late: in every period up to the horizon the open states have
    probabilities, and so has every step; m_j >= 1.
    """
    total, slowest = _total(theta, event, size), np.inf
    for k in range(size):
        if k != event[STATUS_QUO] and (theta[k] > 0.0 or event[LATE] == 1):
            slowest = min(slowest, _leave(k, theta, event))
            if event[LATE] == 1 and _leave(k, theta, event) > 1.0:
                return False
    share = np.empty(size)
    if total >= 1.0:
        return False
    initial(theta, event, share)
    if not share[event[STATUS_QUO]] > 0.0:
        return False
    if event[LATE] == 1:
        return _late_allowed(theta, event, total, share)
    return total * _hazard(total, event, 0) < slowest


@kernel
def _late_allowed(theta: np.ndarray, event: np.ndarray, total: float, share: np.ndarray) -> bool:
    """Tell whether every step to the horizon is made of probabilities; `share` is of period 0."""
    quiet, after = event[STATUS_QUO], np.empty(share.shape[0])
    for t in range(event[STEPS]):
        open_shares(theta, event, t + 1, after)
        if not after[quiet] > 0.0:
            return False
        survives, begins = 1.0 - total * _hazard(total, event, t), 0.0
        for k in range(share.shape[0]):
            if k != quiet:
                begin = after[k] * survives - share[k] * (1.0 - _leave(k, theta, event))
                if begin < 0.0:
                    return False
                begins += begin
        if begins > share[quiet]:
            return False
        share[:] = after
    return True


@kernel
def all_allowed(theta: np.ndarray, event: np.ndarray, size: int) -> np.ndarray:
    """Tell of each particle theta (N, D) whether its numbers do not contradict each other, (N,)."""
    out = np.empty(theta.shape[0], np.bool_)
    for n in range(theta.shape[0]):
        out[n] = allowed(theta[n], event, size)
    return out


def outlook(theta: np.ndarray, event: np.ndarray, now: np.ndarray, period: int) -> np.ndarray:
    """Step on without evidence from `now` (N, U, K), the open states in a period, to the horizon.

    Returns (N, U, H + 1, K), H periods being left: the probability at the end of each period from this one
    on that the outcome has happened, of the status quo that nothing has.
    """
    left = max(int(event[STEPS]) - period, 0)
    out = np.empty((*now.shape[:2], left + 1, now.shape[2]))
    _step_on(np.ascontiguousarray(theta), event, np.ascontiguousarray(now), period, out)
    return out


@kernel
def _step_on(theta: np.ndarray, event: np.ndarray, now: np.ndarray, period: int, out: np.ndarray) -> None:
    size, quiet = now.shape[2], event[STATUS_QUO]
    matrix, buffer = np.empty((2 * size, 2 * size)), np.empty((5, 2 * size, 2 * size))
    at, before = np.empty((now.shape[1], 2 * size)), np.empty(2 * size)
    for n in range(now.shape[0]):
        at[:, :size] = now[n]
        at[:, size:] = 0.0
        for h in range(out.shape[2]):
            if h == 1 or (h > 1 and event[LATE] == 1):
                whole_matrix(theta[n], event, period + h - 1, matrix, buffer)
            for u in range(now.shape[1]):
                before[:] = at[u]
                for j in range(2 * size if h > 0 else 0):
                    at[u, j] = (before * matrix[:, j]).sum()
                out[n, u, h] = at[u, size:]
                out[n, u, h, quiet] = at[u, :size].sum()


def if_prepared(theta: np.ndarray, event: np.ndarray, scenarios: int, period: int) -> np.ndarray:
    """Return the chance by the horizon of each outcome if it is being prepared in a period, (N, K).

    Of the status quo: the chance that nothing happens by the horizon if nothing is being prepared.
    """
    each = np.broadcast_to(np.eye(scenarios), (len(theta), scenarios, scenarios))
    return np.einsum("nkk->nk", outlook(theta, event, each, period)[:, :, -1]).copy()


def without_news(prior: np.ndarray, event: np.ndarray, *, since: int, until: np.ndarray | int) -> np.ndarray:
    """Return the chances of the scenarios by periods `until`, if open at `since` and no more is known.

    prior (..., K) are the chances from period 0 to the horizon; the result is (..., *until.shape, K). From 0
    on it is the closed form of the whole chain; to the horizon it is the decaying prior, the reference that
    a forecast has to beat.
    """
    until = np.asarray(until)
    prior = np.asarray(prior, float)[(..., *(None,) * until.ndim, slice(None))]
    steps, quiet = float(event[STEPS]), int(event[STATUS_QUO])
    outcome = np.arange(prior.shape[-1]) != quiet
    total = prior[..., outcome].sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        if event[LATE]:
            gone = (until**2 - since**2) / steps**2 / (1.0 - total * (since / steps) ** 2)
        else:
            gone = np.where(
                total > 0,
                -np.expm1(np.log1p(-total) * (until - since) / steps) / total,
                (until - since) / steps,
            )
    out = prior * np.maximum(gone, 0.0)[..., None]
    out[..., quiet] = 1.0 - out[..., outcome].sum(axis=-1)
    return out


def largest_chance(theta: np.ndarray, event: np.ndarray, scenarios: int) -> float:
    """Return the largest C that the rates and shares at theta (D,) allow, the outcomes in proportion.

    It is the supremum: a chance as large as this is not allowed, every smaller one is; 0 if none is.
    """
    theta = np.array(theta, float)
    outcome = np.arange(scenarios) != event[STATUS_QUO]
    share = theta[:scenarios][outcome] / theta[:scenarios][outcome].sum()

    def fits(total: float) -> bool:
        theta[:scenarios][outcome] = total * share
        theta[event[STATUS_QUO]] = 1.0 - total
        return bool(allowed(theta, event, scenarios))

    grid = np.linspace(0.0, 1.0, 1001)[1:]
    first = next((n for n, total in enumerate(grid) if not fits(float(total))), len(grid) - 1)
    low, high = (grid[first - 1] if first else 0.0), float(grid[first])
    for _ in range(50):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if fits(middle) else (low, middle)
    return float(low)
