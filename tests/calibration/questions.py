"""The questions whose inference is held against simulation: small, and every clause in one of them.

Judgements carry little weight, so that the evidence revises them much: what the engine has to compute is
far from the prior it starts from. Left out is what is no normalised law of the evidence, so that nobody could
draw from it: groups and the cap (a power likelihood), monitored indicators (a ratio) and `given` (reports of
what had no value). Of the one indicator of which it matters what is filed the claims are those of a source
of mean reliability, exactly known: silence is given the mean reliability, whoever did not report. It is
watched from the first day, and complete at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from forecast.case.judgement import Positive, Proportions
from forecast.case.question import Indicator, Moves, Question, Transition
from tests.calibration.ranks import Judged
from tests.cases import OPENED, binary, category, count, measure, question, source
from tests.cases.filing import filed

WEEKS, KNOWN = 8, 6  # periods up to the horizon, and up to the as-of date
TONES = ("cold", "cool", "warm")
COLD_TO_WARM = ((0.7, 0.2, 0.1), (0.2, 0.6, 0.2), (0.1, 0.2, 0.7))

#: Two sources; three claims of the second are one testimony. The third, of mean reliability, makes claims.
SOURCES = (source("s", 0.85, 6.0), source("z", 0.7, 4.0), source("y", 0.775, math.inf))

ask = partial(question, sources=SOURCES, weeks=WEEKS)


def offers(chances: tuple[float, ...], **options: Any) -> Indicator:
    """Return an indicator of which it matters what is filed."""
    return filed(binary("offer", chances, 4.0, **options), since=OPENED, lag=0)


def static() -> Question:
    """One fixed scenario of three: two and three values, a count, a measure, and what goes on."""
    indicators = (
        binary("raid", (0.8, 0.4, 0.2), 3.0),
        category("tone", TONES, COLD_TO_WARM, 4.0, persistence=0.5),
        count("clashes", (8.0, 4.0, 2.0), 0.5),
        measure("price", (1.0, 1.8, 2.4), (0.5, 0.6, 0.5), 1.0),
        offers((0.6, 0.3, 0.1), persistence=0.5),
    )
    return ask(prior=(0.45, 0.35, 0.2), indicators=indicators, w=4.0)


def moving() -> Question:
    """Moves in continuous time between three scenarios, with a count more scattered than Poisson."""
    indicators = (
        binary("raid", (0.8, 0.4, 0.1), 3.0, persistence=0.4),
        category("tone", TONES, COLD_TO_WARM, 4.0),
        count("clashes", (9.0, 4.0, 1.0), 0.5, dispersion=4.0),
        measure("price", (1.0, 1.8, 2.6), (0.4, 0.5, 0.4), 1.0),
        offers((0.6, 0.3, 0.1), persistence=0.6),
    )
    asked = ask(prior=(0.45, 0.35, 0.2), indicators=indicators, w=4.0)
    leave = (Positive(1 / 6, 2.0), Positive(1 / 4, 2.0), Positive(1 / 8, 2.0))
    then = ((0.0, 0.7, 0.3), (0.5, 0.0, 0.5), (0.2, 0.8, 0.0))
    return replace(asked, dynamics=Moves(leave, tuple(Proportions(row, 3.0) for row in then)))


def stepping() -> Question:
    """A matrix of steps between two scenarios, asked of two units that share the judgements."""
    indicators = (
        binary("raid", (0.8, 0.2), 3.0),
        category("tone", TONES, (COLD_TO_WARM[0], COLD_TO_WARM[2]), 4.0, persistence=0.5),
        count("clashes", (6.0, 2.0), 0.5),
        offers((0.5, 0.1)),
    )
    asked = ask(prior=(0.6, 0.4), indicators=indicators, w=4.0)
    rows = (Proportions((0.8, 0.2), 4.0), Proportions((0.3, 0.7), 4.0))
    return replace(asked, dynamics=Transition(rows), units=("north", "south"))


QUESTIONS: dict[str, Callable[[], Question]] = {"static": static, "moves": moving, "transition": stepping}


def as_of(asked: Question) -> date:
    """Return the as-of date: the last day of the last known period, so that nothing waits for its end."""
    return asked.last_day(KNOWN - 1)


_EVERYWHERE = (
    Judged("prior of alpha", "prior", {"scenario": "alpha"}),
    Judged("raid in alpha", "likelihood_raid", {"scenario": "alpha", "raid_value": "yes"}),
    Judged("warm tone in beta", "likelihood_tone", {"scenario": "beta", "tone_value": "warm"}),
    Judged("mean of clashes in alpha", "likelihood_clashes", {"scenario": "alpha"}),
    Judged("reliability of s", "reliability", {"source": "s"}),
    Judged("reliability of the talk", "testimony_reliability", {"testimony": "one talk"}),
    Judged("offer in alpha", "likelihood_offer", {"scenario": "alpha", "offer_value": "yes"}),
    Judged("chance that an event is filed", "reporting", {"claim": "event"}),
    Judged("chance that an offer is filed", "filed_event", {"event_indicator": "offer"}),
    Judged("share of noise", "reporting", {"claim": "noise"}),
)
_PRICE = Judged("mean of price in beta", "likelihood_price", {"scenario": "beta"})
_STAY = Judged("stay in alpha", "lasts", {"leaving_scenario": "alpha"})
_MOVE = Judged("from alpha to beta", "then", {"move": "alpha to beta"})
_STEP = Judged("step from alpha to beta", "transition", {"move": "alpha to beta"})

#: What is ranked of each question's judgements: one of each kind.
JUDGED: dict[str, tuple[Judged, ...]] = {
    "static": (*_EVERYWHERE, _PRICE),
    "moves": (*_EVERYWHERE, _PRICE, _STAY, _MOVE),
    "transition": (*_EVERYWHERE, _STEP),
}
