"""Layout of the parameter vector theta: the slots of each judgement, and its prior.

theta is one float vector, so that a set of particles is one array (particle, slot). In order: the prior
over scenarios (K slots); per indicator and scenario its likelihood (one slot per value of a category, one
for the mean of a count or a measure); the reliability of each source and then of each testimony (one slot
each); the dynamics (moves: K leaving rates, then K x K destinations; transition: K x K; event: the rates at
which preparations end, then the shares that end in the event); and, where whether a report is filed is
evidence, the share of noise, the question's chances that a claim is filed and each indicator's own.

A *block* is one judgement: consecutive slots that have one prior and are drawn together.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from forecast.case.evidence import Evidence
from forecast.case.judgement import (
    Judgement,
    JudgementId,
    JudgementKind,
    LogitNormal,
    MeasureMean,
    Positive,
    Proportions,
)
from forecast.case.question import LEARNING, Event, Indicator, Moves, Question, Transition
from forecast.model.event import all_allowed

CATEGORY, POISSON, NEGATIVE_BINOMIAL, MEASURE = range(4)
STATIC, MOVES, TRANSITION, EVENT = range(4)

#: The judgements that make the chain of an event question, and must not contradict each other.
EVENT_KINDS = ("prior", "preparing", "ends_in_event")
MOST_TURNS = 200  # of drawing them anew
TESTIMONY_WEIGHT = 2.0

#: Chance that a claim is filed, by what it claims: that something happened, that it did not, that it goes on.
FILED = {
    "event": Proportions((0.4, 0.6), 4.0),
    "quiet": Proportions((2 / 3, 1 / 3), 1.5),
    "again": Proportions((0.5, 0.5), 4.0),
}
#: Weight of the question's chance as the prior mean of an indicator's own.
FILED_WEIGHT = 12.0
#: Share of noise that claims something happened.
NOISE = Proportions((0.5, 0.5), 10.0)
#: The same at which exponents are computed: a log of events, as most logs are.
TEMPERING = {"event": 0.5, "quiet": 0.05, "again": 0.3, "": 0.5}

#: Entry times of a scenario whose hidden values are kept apart in a regime; the last stands for all earlier.
RUNS = 9

#: Stands for a probability, a rate or a density of 0 where a logarithm or a quotient is taken.
TINY = 1e-300


INDICATOR = np.dtype(
    [
        ("kind", np.int64),  # CATEGORY, POISSON, NEGATIVE_BINOMIAL, MEASURE
        ("size", np.int64),  # number of slots of one scenario's likelihood
        ("start", np.int64),  # first slot of the first scenario's
        ("joint", np.int64),  # the indicator with which this one is accepted: itself, or the one it is given
        ("dispersion", np.float64),
        ("quiet", np.int64),  # the value that says nothing happened, -1 if noise is any value alike
        ("persistence", np.float64),  # q, 0 for a fresh value in every period
        ("belief", np.int64),  # place of its values among those of all that persist, -1
        ("event", np.int64),  # slot of its chance that a claim of an event is filed, -1
        ("none", np.int64),  # ... that a claim of the quiet value is
        ("again", np.int64),  # ... that a claim that a state goes on is
    ],
    align=True,
)

SLOT = np.dtype(
    [
        ("a", np.float64),  # Dirichlet or Beta parameter, Gamma shape, Normal mean
        ("b", np.float64),  # Gamma rate, Normal sd, Beta's second parameter
        ("sd", np.float64),  # known sd of a measure
        ("learns", np.bool_),  # whether evidence revises the block it is in
    ],
    align=True,
)


class Arrays(NamedTuple):
    """What compiled code reads of the layout."""

    indicator: np.ndarray  # (I,) of INDICATOR
    slot: np.ndarray  # (D,) of SLOT
    scenarios: int  # K
    values: int  # largest number of values of an indicator
    reliability: int  # first slot of the reliabilities
    reliabilities: int
    prior_learns: bool
    dynamics: int  # STATIC, MOVES, TRANSITION, EVENT
    dynamics_offset: int  # first slot
    event: np.ndarray  # (7,) status quo, first and number of rates, of shares, late, periods to the horizon
    noise: int  # slot of the share of noise that claims something happened, -1
    noise_learns: bool
    filed: np.ndarray  # (3,) slot of the question's chance that a claim is filed: event, quiet, again; -1
    mean_reliability: float  # of the question's sources, at the means: of a report that was not filed
    persistent: np.ndarray  # (P,) the indicators whose values persist
    beliefs: int  # number of all their values
    runs: int  # entry times kept apart, 1 where the scenario never changes or nothing persists


@dataclass(frozen=True)
class Block:
    """One judgement at its place in theta."""

    id: JudgementId
    start: int
    judgement: Judgement
    beta: bool = False  # one slot holds the second of two proportions (a reliability)
    around: int = -1  # the slot that holds its prior mean, where that is uncertain too

    @cached_property
    def name(self) -> str:
        """The name of the judgement."""
        return str(self.id)

    @property
    def size(self) -> int:
        """Number of slots."""
        return 1 if self.beta or not isinstance(self.judgement, Proportions) else len(self.judgement.mean)

    @cached_property
    def slots(self) -> slice:
        """The slots in theta."""
        return slice(self.start, self.start + self.size)

    @property
    def free(self) -> bool:
        """Whether it is uncertain at all."""
        return not self.judgement.exact

    @property
    def learns(self) -> bool:
        """Whether evidence revises it."""
        return self.free and self.judgement.learn

    @cached_property
    def mean(self) -> np.ndarray:
        """Its mean, in its slots."""
        mean = np.atleast_1d(np.asarray(self.judgement.mean, float))
        return mean[1:] if self.beta else mean

    @cached_property
    def records(self) -> list[tuple[float, float, float, bool]]:
        """The slots of the judgement as records of dtype SLOT."""
        a, b = (parameter.tolist() for parameter in self.parameters())
        sd = float(getattr(self.judgement, "sd", 0.0))
        return [(*both, sd, self.learns) for both in zip(a, b, strict=True)]

    def parameters(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the parameters `a` and `b` of its prior, slot by slot (zeros where exact)."""
        zeros = np.zeros(self.size)
        j = self.judgement
        if not self.free:
            return zeros, zeros
        if isinstance(j, MeasureMean):
            return zeros + j.mean, zeros + j.sd / math.sqrt(j.weight)
        if isinstance(j, Positive):
            return zeros + j.shape, zeros + j.shape / j.mean
        if isinstance(j, LogitNormal):
            return zeros + math.log(j.median / (1.0 - j.median)), zeros + j.sd
        if self.beta:
            return zeros + j.mean[1] * j.weight, zeros + j.mean[0] * j.weight
        return np.asarray(j.mean) * j.weight, zeros

    def _around(self, theta: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Return the parameters of the prior, those around an uncertain mean by the theta that holds it."""
        if self.around < 0 or theta is None:
            return self.parameters()
        centre, weight = theta[..., self.around, None], self.judgement.weight  # type: ignore[union-attr]
        return np.maximum(centre * weight, TINY), np.maximum((1.0 - centre) * weight, TINY)

    def draw(self, rng: np.random.Generator, n: int, theta: np.ndarray | None = None) -> np.ndarray:
        """Draw (n, size) from the prior; theta (n, D) holds what was drawn of the blocks before."""
        if not self.free:
            return np.broadcast_to(self.mean, (n, self.size)).copy()
        a, b = self._around(theta)
        if isinstance(self.judgement, MeasureMean):
            return rng.normal(a, b, (n, 1))
        if isinstance(self.judgement, Positive):
            return np.maximum(rng.gamma(a, 1 / b, (n, 1)), TINY)
        if isinstance(self.judgement, LogitNormal):
            return 1.0 / (1.0 + np.exp(-rng.normal(a, b, (n, 1))))
        if self.beta:
            return np.clip(rng.beta(a, b, (n, 1)), TINY, 1.0 - 2.0**-53)
        gamma = np.where(a > 0, np.maximum(rng.standard_gamma(a, (n, self.size)), TINY), 0.0)
        return gamma / gamma.sum(axis=1, keepdims=True)

    def log_density(self, theta: np.ndarray) -> np.ndarray:
        """Return the prior's log density (up to slots that cannot vary) at theta (..., D)."""
        from scipy.special import gammaln, xlog1py, xlogy

        x, (a, b) = theta[..., self.slots], self._around(theta)
        if not self.free:
            return np.zeros(theta.shape[:-1])
        if isinstance(self.judgement, MeasureMean):
            return (-0.5 * ((x - a) / b) ** 2 - np.log(b) - 0.5 * math.log(2 * math.pi))[..., 0]
        if isinstance(self.judgement, Positive):
            return (a * np.log(b) - gammaln(a) + (a - 1) * np.log(x) - b * x)[..., 0]
        if isinstance(self.judgement, LogitNormal):
            z, log_x = (np.log(x) - np.log1p(-x) - a) / b, np.log(x) + np.log1p(-x)
            return (-0.5 * z**2 - np.log(b) - 0.5 * math.log(2 * math.pi) - log_x)[..., 0]
        if self.beta:
            constant = gammaln(a + b) - gammaln(a) - gammaln(b)
            return (xlogy(a - 1, x) + xlog1py(b - 1, -x) + constant)[..., 0]
        on = a > 0
        constant = gammaln(a[on].sum()) - gammaln(a[on]).sum()
        return xlogy(a[on] - 1, x[..., on]).sum(axis=-1) + constant


@dataclass(frozen=True)
class Layout:
    """The judgements of a question, and of the testimonies in its evidence, in the order of theta."""

    question: Question
    testimonies: dict[str, str]  # the source of each, by name in alphabetical order
    blocks: tuple[Block, ...]
    starts: dict[str, int]

    @property
    def scenarios(self) -> int:
        """K."""
        return len(self.question.scenarios)

    @property
    def size(self) -> int:
        """D."""
        return self.blocks[-1].slots.stop

    @property
    def learns(self) -> bool:
        """Whether evidence revises anything."""
        return any(block.learns for block in self.blocks)

    @property
    def learning(self) -> float:
        """Exponent of the evidence where judgements learn from it; 1 where none learns."""
        return LEARNING[self.question.learning] if self.learns else 1.0

    @property
    def cut(self) -> tuple[Block, ...]:
        """The uncertain judgements that evidence may not revise."""
        return tuple(block for block in self.blocks if block.free and not block.learns)

    @cached_property
    def mean(self) -> np.ndarray:
        """Theta with every judgement at its mean, (D,)."""
        return np.concatenate([block.mean for block in self.blocks])

    @cached_property
    def tempering_mean(self) -> np.ndarray:
        """The theta at which exponents are computed: the means, and a log of events, (D,)."""
        mean = self.mean.copy()
        for block in self.blocks:
            if block.id.kind in ("filed", "noise"):
                mean[block.start] = TEMPERING[block.id.value]
        return mean

    def draw(
        self,
        rng: np.random.Generator | Sequence[np.random.Generator],
        n: int,
        *,
        once: Collection[Block] = (),
    ) -> np.ndarray:
        """Draw theta (n, D) from the prior, with one generator or one for each block.

        Blocks in `once` are drawn once for all n. The judgements of an event question are drawn anew until
        they do not contradict each other: their prior is their product, held to what is allowed.
        """
        each = [rng] * len(self.blocks) if isinstance(rng, np.random.Generator) else rng
        theta = np.empty((n, self.size))
        for block, own in zip(self.blocks, each, strict=True):
            theta[:, block.slots] = block.draw(own, 1 if block in once else n, theta)
        if self.question.event is not None:
            of_event = [
                both for both in zip(self.blocks, each, strict=True) if both[0].id.kind in EVENT_KINDS
            ]
            self._redraw(theta, of_event, once)
        return theta

    def _redraw(
        self,
        theta: np.ndarray,
        drawn: Sequence[tuple[Block, np.random.Generator]],
        once: Collection[Block],
    ) -> None:
        """Draw an event's judgements anew where they contradict each other."""
        event, turn = self.arrays.event, 0
        while (wrong := np.flatnonzero(~all_allowed(theta, event, self.scenarios))).size:
            turn += 1
            stuck = turn % MOST_TURNS == 0  # what was drawn once for all may allow nothing
            wrong = np.arange(len(theta)) if stuck else wrong
            for block, rng in drawn:
                if block not in once:
                    theta[wrong, block.slots] = block.draw(rng, len(wrong))
                elif stuck:
                    theta[:, block.slots] = block.draw(rng, 1)

    @cached_property
    def arrays(self) -> Arrays:
        """The layout as compiled code reads it."""
        return _arrays(self)

    def with_question(self, question: Question) -> Layout:
        """Return the layout of a question that differs in the values of its judgements only.

        The slots stay where they are, and the blocks of judgements that are the same are shared.
        """
        blocks = tuple(
            block if judgement == block.judgement else replace(block, judgement=judgement)
            for block, (_, judgement, _) in zip(
                self.blocks, _judgements(question, self.testimonies), strict=True
            )
        )
        return replace(self, question=question, blocks=blocks)


def build_layout(question: Question, evidence: Evidence) -> Layout:
    """Lay out theta for a question and the testimonies that its evidence names."""
    sources = {r.testimony: r.source for r in evidence.reports if r.testimony and r.source}
    testimonies = dict(sorted(sources.items()))
    blocks, start = [], 0
    starts: dict[str, int] = {}
    for id, judgement, beta in _judgements(question, testimonies):
        around = starts[str(replace(id, indicator=""))] if id.kind == "filed" and id.indicator else -1
        blocks.append(Block(id, start, judgement, beta, around))
        starts[blocks[-1].name] = start
        start = blocks[-1].slots.stop
    return Layout(question, testimonies, tuple(blocks), starts)


def _judgements(question: Question, testimonies: dict[str, str]) -> list[tuple[JudgementId, Judgement, bool]]:
    """Return every judgement in the order of theta: its id, itself, whether one slot holds it as a Beta."""
    named: list[tuple[JudgementId, Judgement, bool]] = [(JudgementId("prior"), question.prior, False)]
    for indicator in question.indicators:
        for scenario, judgement in zip(question.scenarios, indicator.likelihood, strict=True):
            named.append((JudgementId("likelihood", indicator.id, scenario.id), judgement, False))
    reliability = {source.id: source.reliability for source in question.sources}
    named += [
        (JudgementId("reliability", source=id), judgement, True) for id, judgement in reliability.items()
    ]
    for name, source in testimonies.items():
        judgement = Proportions(reliability[source].mean, TESTIMONY_WEIGHT, reliability[source].learn)
        named.append((JudgementId("testimony", source=name), judgement, True))
    named += _dynamics(question)
    uncertain = [judgement for _, judgement, _ in named if not judgement.exact]
    return named + _reporting(question, not uncertain or any(judgement.learn for judgement in uncertain))


def kinds_of_claims(indicator: Indicator) -> tuple[str, ...]:
    """Return the kinds of claims about an indicator, by whose chance of being filed silence is evidence."""
    if indicator.reporting is None or indicator.given:
        return ()
    if not indicator.quiet:
        return ("event",)
    return ("event", "quiet") if indicator.persistence is None else ("event", "quiet", "again")


def _reporting(question: Question, learn: bool) -> list[tuple[JudgementId, Judgement, bool]]:
    """Return the share of noise and the chances that claims are filed, the question and each indicator."""
    if all(one.reporting is None for one in question.indicators):
        return []
    claims = {one.id: kinds_of_claims(one) for one in question.indicators}
    named: list[tuple[JudgementId, Judgement, bool]] = [
        (JudgementId("noise"), replace(NOISE, learn=learn), True)
    ]
    for kind, judgement in FILED.items():
        if any(kind in kinds for kinds in claims.values()):
            named.append((JudgementId("filed", value=kind), replace(judgement, learn=learn), True))
    for id, kinds in claims.items():
        for kind in kinds:
            judgement = Proportions(FILED[kind].mean, FILED_WEIGHT, learn)
            named.append((JudgementId("filed", id, value=kind), judgement, True))
    return named


def _dynamics(question: Question) -> list[tuple[JudgementId, Judgement, bool]]:
    def named(kind: JudgementKind, rows: Iterable[Judgement]) -> list[tuple[JudgementId, Judgement, bool]]:
        pairs = zip(question.scenario_ids, rows, strict=True)
        return [(JudgementId(kind, scenario=id), row, False) for id, row in pairs]

    if isinstance(question.dynamics, Transition):
        return named("transition", question.dynamics.rows)
    if isinstance(question.dynamics, Moves):
        nowhere = Proportions((0.0,) * len(question.scenarios), math.inf)
        then = [row or nowhere for row in question.dynamics.then]
        return named("leave", question.dynamics.leave) + named("then", then)
    if isinstance(question.dynamics, Event):
        return _event(question, question.dynamics)
    return []


def _event(question: Question, event: Event) -> list[tuple[JudgementId, Judgement, bool]]:
    """Return the judgements of preparations: of each outcome, or one that all share."""
    outcomes = [id for k, id in enumerate(question.scenario_ids) if k != event.status_quo]
    named: list[tuple[JudgementId, Judgement, bool]] = []
    parts: tuple[tuple[JudgementKind, Sequence[Judgement]], ...] = (
        ("preparing", event.leave),
        ("ends_in_event", event.ends_in_event),
    )
    for kind, rows in parts:
        ids = outcomes if len(rows) > 1 else [""]
        named += [(JudgementId(kind, scenario=id), row, False) for id, row in zip(ids, rows, strict=True)]
    return named


def _arrays(layout: Layout) -> Arrays:
    question, starts = layout.question, layout.starts
    place = {indicator.id: i for i, indicator in enumerate(question.indicators)}
    kinds = {"category": CATEGORY, "ratio": CATEGORY, "count": POISSON, "measure": MEASURE}
    indicator, beliefs = np.zeros(len(question.indicators), INDICATOR), 0
    for i, one in enumerate(question.indicators):
        kind = kinds[one.kind] if one.dispersion is None else NEGATIVE_BINOMIAL
        start = starts[str(JudgementId("likelihood", one.id, question.scenarios[0].id))]
        joint = place[one.given or one.id]
        size, q = max(len(one.values), 1), one.persistence or 0.0
        quiet = one.values.index(one.quiet) if one.reporting is not None and one.quiet else -1
        filed = [starts.get(str(JudgementId("filed", one.id, value=kind)), -1) for kind in FILED]
        belief = beliefs if q else -1
        indicator[i] = (kind, size, start, joint, one.dispersion or 0.0, quiet, q, belief, *filed)
        beliefs += size if q else 0
    reliabilities = [block for block in layout.blocks if block.id.kind in ("reliability", "testimony")]
    moving = {type(None): STATIC, Moves: MOVES, Transition: TRANSITION, Event: EVENT}[type(question.dynamics)]
    noise = starts.get("noise", -1)
    return Arrays(
        indicator=indicator,
        slot=np.array([row for block in layout.blocks for row in block.records], SLOT),
        scenarios=layout.scenarios,
        values=max([len(one.values) for one in question.indicators], default=1) or 1,
        reliability=reliabilities[0].start if reliabilities else 0,
        reliabilities=len(reliabilities),
        prior_learns=layout.blocks[0].learns,
        dynamics=moving,
        dynamics_offset=next(
            (b.start for b in layout.blocks if b.id.kind in ("leave", "transition", "preparing")), 0
        ),
        event=_event_slots(layout),
        noise=noise,
        noise_learns=any(block.learns for block in layout.blocks if block.id.kind == "noise"),
        filed=np.array([starts.get(str(JudgementId("filed", value=kind)), -1) for kind in FILED]),
        mean_reliability=float(np.mean([s.reliability.mean[1] for s in question.sources] or [1.0])),
        persistent=np.flatnonzero(indicator["belief"] >= 0),
        beliefs=beliefs,
        runs=RUNS if beliefs and moving != STATIC else 1,
    )


def _event_slots(layout: Layout) -> np.ndarray:
    """Return what compiled code reads of an event question, (7,); see :class:`Arrays`."""
    event, question = layout.question.event, layout.question
    if event is None:
        return np.zeros(7, np.int64)
    first = [
        next(b.start for b in layout.blocks if b.id.kind == kind) for kind in ("preparing", "ends_in_event")
    ]
    periods = question.period(question.horizon)
    late = int(event.timing == "late")
    numbers = len(event.leave), len(event.ends_in_event)
    return np.array([event.status_quo, first[0], numbers[0], first[1], numbers[1], late, periods])
