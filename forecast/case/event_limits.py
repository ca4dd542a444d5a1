"""Which numbers of an event question agree: a closed-form check, at given chances, stays and shares.

An event is prepared before it happens. If it is expected often, preparing lasts long and seldom ends in it,
then something would have to be in preparation all the time, or more. c_j are the chances by the horizon, C
their sum, m_j how many periods preparing lasts, s_j the share of preparations that end in the event, N the
steps from period 0 to the one that holds the horizon. `lasts` and `shares` have one entry for each outcome,
or a single one for all.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from forecast.case.judgement import Positive, Proportions
from forecast.case.question import Event, Question

#: So many draws of an event's judgements show how much of their prior is cut off, to within a few per cent.
DRAWS = 1000


def contradiction(
    chances: Sequence[float], lasts: Sequence[float], shares: Sequence[float], steps: int, *, late: bool
) -> str:
    """Return in words what contradicts in the numbers of an event, "" if they agree."""
    outcomes = _each(chances, lasts, shares)
    return _late(outcomes, steps) if late else _steady(outcomes, steps)


def agree(question: Question) -> bool:
    """Return whether the best estimates of an event question agree; those of any other do."""
    event = question.event
    if event is None:
        return True
    chances = [p for k, p in enumerate(question.prior.mean) if k != event.status_quo]
    lasts, shares = [1.0 / rate.mean for rate in event.leave], [one.median for one in event.ends_in_event]
    steps = question.period(question.horizon)
    return not contradiction(chances, lasts, shares, steps, late=event.timing == "late")


def largest_chance(
    chances: Sequence[float], lasts: Sequence[float], shares: Sequence[float], steps: int, *, late: bool
) -> float:
    """Return the largest chance of an event at which its other numbers agree, each outcome in proportion.

    Rounded down to two digits; 0 where none is small enough.
    """
    total = math.fsum(chances)

    def agree(chance: float) -> bool:
        scaled = [c / total * chance for c in chances]
        return not contradiction(scaled, lasts, shares, steps, late=late)

    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if agree(middle) else (low, middle)
    if low <= 0.0:
        return 0.0
    digit = 10.0 ** (math.floor(math.log10(low)) - 1)
    rounded = math.floor(low / digit) * digit
    return rounded if agree(rounded) else low


def share_cut_off(event: Event, prior: Proportions, steps: int, *, seed: int = 0) -> float:
    """Return the share of the prior of an event's judgements in which they contradict each other."""
    draw = random.Random(seed)
    cut = 0
    for _ in range(DRAWS):
        scenarios = _proportions(prior, draw)
        chances = [p for k, p in enumerate(scenarios) if k != event.status_quo]
        lasts = [1.0 / _rate(one, draw) for one in event.leave]
        shares = [
            one.median if one.exact else _logistic(_logit(one.median) + one.sd * draw.gauss())
            for one in event.ends_in_event
        ]
        cut += bool(contradiction(chances, lasts, shares, steps, late=event.timing == "late"))
    return cut / DRAWS


def _each(
    chances: Sequence[float], lasts: Sequence[float], shares: Sequence[float]
) -> list[tuple[float, float, float]]:
    """Return c, m and s of each outcome that has a chance."""
    n = len(chances)
    every = zip(chances, _repeated(lasts, n), _repeated(shares, n), strict=True)
    return [(c, m, s) for c, m, s in every if c > 0]


def _repeated(values: Sequence[float], n: int) -> Sequence[float]:
    return values if len(values) == n else [values[0]] * n


def _steady(outcomes: Sequence[tuple[float, float, float]], steps: int) -> str:
    """Return what contradicts where the event is as likely in every period.

    In the quasi-stationary distribution of the open states a share pi_j = eta c_j m_j / (C s_j) of the time
    is spent preparing j, and preparing j begins at the rate pi_j (1/m_j - eta) / pi_0, never below 0.
    """
    total = math.fsum(c for c, _, _ in outcomes)
    if not outcomes:
        return ""
    if total >= 1.0:
        return "it is certain to happen"
    eta = -math.log1p(-total) / steps
    prepared = math.fsum(eta * c / total * m / s for c, m, s in outcomes)
    if prepared >= 1.0:
        return _too_often(prepared)
    longest = max(m for _, m, _ in outcomes)
    if eta * longest >= 1.0:
        return f"it is expected every {1 / eta:.3g} periods, and preparing it lasts {longest:.3g}"
    return ""


def _late(outcomes: Sequence[tuple[float, float, float]], steps: int) -> str:
    """Return what contradicts where survival is 1 - C (t/N)^2: every probability of a step lies in 0..1."""
    total = math.fsum(c for c, _, _ in outcomes)
    if any(m < 1.0 for _, m, _ in outcomes):
        return "preparing lasts less than a period"
    if not outcomes:
        return ""
    if total >= 1.0:
        return "it is certain to happen"

    def survival(t: int) -> float:
        return 1.0 - total * (t / steps) ** 2

    hazard = [1.0 - survival(t + 1) / survival(t) for t in range(steps + (survival(steps + 1) > 0))]
    hazard += hazard[steps - 1 : steps] * (steps + 1 - len(hazard))
    pi = [[h * c * m / (total * s) for c, m, s in outcomes] for h in hazard]
    most = max(math.fsum(row) for row in pi)
    if most >= 1.0:
        return _too_often(most, " towards the horizon")
    for t, h in enumerate(hazard[:-1]):
        quiet = 1.0 - math.fsum(pi[t])
        begin = [
            (after * (1.0 - h) - now * (1.0 - 1.0 / m)) / quiet
            for after, now, (_, m, _) in zip(pi[t + 1], pi[t], outcomes, strict=True)
        ]
        if min(begin) < 0.0:
            return "preparing it lasts too long for a chance that grows so fast towards the horizon"
        if math.fsum(begin) > 1.0:
            return "preparing it would have to begin more than once in a period towards the horizon"
    return ""


def _too_often(prepared: float, when: str = "") -> str:
    return f"it would have to be in preparation {prepared:.0%} of the time{when}"


def _proportions(judged: Proportions, draw: random.Random) -> list[float]:
    """Return a draw from a Dirichlet."""
    if judged.exact:
        return list(judged.mean)
    drawn = [draw.gammavariate(p * judged.weight, 1.0) if p > 0 else 0.0 for p in judged.mean]
    total = math.fsum(drawn)
    return [one / total for one in drawn]


def _rate(judged: Positive, draw: random.Random) -> float:
    """Return a draw from a Gamma, no smaller than a number format can invert."""
    if judged.exact:
        return judged.mean
    return max(draw.gammavariate(judged.shape, judged.mean / judged.shape), 1e-300)


def _logit(p: float) -> float:
    return math.log(p) - math.log1p(-p)


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x)) if x > 0 else math.exp(x) / (1.0 + math.exp(x))
