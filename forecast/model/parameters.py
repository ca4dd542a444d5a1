"""Layout of the parameter vector theta: the slots of each judgement, and its prior.

theta is one float vector, so that a set of particles is one array (particle, slot). In order: the prior
over scenarios (K slots); per indicator and scenario its likelihood (one slot per value of a category, one
for the mean of a count or a measure); the reliability of each source and then of each testimony (one slot
each); the dynamics (moves: K leaving rates, then K x K destinations; transition: K x K).

A *block* is one judgement: consecutive slots that have one prior and are drawn together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from forecast.case.evidence import Evidence
from forecast.case.judgement import Judgement, JudgementId, JudgementKind, MeasureMean, Positive, Proportions
from forecast.case.question import Moves, Question, Transition

CATEGORY, POISSON, NEGATIVE_BINOMIAL, MEASURE = range(4)
STATIC, MOVES, TRANSITION = range(3)
TESTIMONY_WEIGHT = 2.0

#: Stands for a probability, a rate or a density of 0 where a logarithm or a quotient is taken.
TINY = 1e-300


INDICATOR = np.dtype(
    [
        ("kind", np.int64),  # CATEGORY, POISSON, NEGATIVE_BINOMIAL, MEASURE
        ("size", np.int64),  # number of slots of one scenario's likelihood
        ("start", np.int64),  # first slot of the first scenario's
        ("joint", np.int64),  # the indicator with which this one is accepted: itself, or the one it is given
        ("dispersion", np.float64),
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
    dynamics: int  # STATIC, MOVES, TRANSITION
    dynamics_offset: int  # first slot


@dataclass(frozen=True)
class Block:
    """One judgement at its place in theta."""

    id: JudgementId
    start: int
    judgement: Judgement
    beta: bool = False  # one slot holds the second of two proportions (a reliability)

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
        if self.beta:
            return zeros + j.mean[1] * j.weight, zeros + j.mean[0] * j.weight
        return np.asarray(j.mean) * j.weight, zeros

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw (n, size) from the prior."""
        if not self.free:
            return np.broadcast_to(self.mean, (n, self.size)).copy()
        a, b = self.parameters()
        if isinstance(self.judgement, MeasureMean):
            return rng.normal(a, b, (n, 1))
        if isinstance(self.judgement, Positive):
            return np.maximum(rng.gamma(a, 1 / b, (n, 1)), TINY)
        if self.beta:
            return np.clip(rng.beta(a, b, (n, 1)), TINY, 1.0 - 2.0**-53)
        gamma = np.where(a > 0, np.maximum(rng.standard_gamma(a, (n, self.size)), TINY), 0.0)
        return gamma / gamma.sum(axis=1, keepdims=True)

    def log_density(self, theta: np.ndarray) -> np.ndarray:
        """Return the prior's log density (up to slots that cannot vary) at theta (..., D)."""
        from scipy.special import gammaln, xlog1py, xlogy

        x, (a, b) = theta[..., self.slots], self.parameters()
        if not self.free:
            return np.zeros(theta.shape[:-1])
        if isinstance(self.judgement, MeasureMean):
            return (-0.5 * ((x - a) / b) ** 2 - np.log(b) - 0.5 * math.log(2 * math.pi))[..., 0]
        if isinstance(self.judgement, Positive):
            return (a * np.log(b) - gammaln(a) + (a - 1) * np.log(x) - b * x)[..., 0]
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
    def cut(self) -> tuple[Block, ...]:
        """The uncertain judgements that evidence may not revise."""
        return tuple(block for block in self.blocks if block.free and not block.learns)

    @cached_property
    def mean(self) -> np.ndarray:
        """Theta with every judgement at its mean, (D,)."""
        return np.concatenate([block.mean for block in self.blocks])

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
    for id, judgement, beta in _judgements(question, testimonies):
        blocks.append(Block(id, start, judgement, beta))
        start = blocks[-1].slots.stop
    return Layout(question, testimonies, tuple(blocks), {block.name: block.start for block in blocks})


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
    return named + _dynamics(question)


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
    return []


def _arrays(layout: Layout) -> Arrays:
    question, starts = layout.question, layout.starts
    place = {indicator.id: i for i, indicator in enumerate(question.indicators)}
    kinds = {"category": CATEGORY, "ratio": CATEGORY, "count": POISSON, "measure": MEASURE}
    indicator = np.zeros(len(question.indicators), INDICATOR)
    for i, one in enumerate(question.indicators):
        kind = kinds[one.kind] if one.dispersion is None else NEGATIVE_BINOMIAL
        start = starts[str(JudgementId("likelihood", one.id, question.scenarios[0].id))]
        joint = place[one.given or one.id]
        indicator[i] = (kind, max(len(one.values), 1), start, joint, one.dispersion or 0.0)
    reliabilities = [block for block in layout.blocks if block.beta]
    return Arrays(
        indicator=indicator,
        slot=np.array([row for block in layout.blocks for row in block.records], SLOT),
        scenarios=layout.scenarios,
        values=max([len(one.values) for one in question.indicators], default=1) or 1,
        reliability=reliabilities[0].start if reliabilities else 0,
        reliabilities=len(reliabilities),
        prior_learns=layout.blocks[0].learns,
        dynamics={type(None): STATIC, Moves: MOVES, Transition: TRANSITION}[type(question.dynamics)],
        dynamics_offset=next((b.start for b in layout.blocks if b.id.kind in ("leave", "transition")), 0),
    )
