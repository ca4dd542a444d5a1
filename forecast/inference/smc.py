"""Iterated batch importance sampling over the trend dates (Chopin 2002): one pass gives the whole trend.

Particles theta stand for the posterior of the judgements; as evidence becomes known each is weighted by its
likelihood, the scenario integrated out exactly. Before the effective sample size would fall below half,
particles are resampled and moved by a Gibbs sweep; where one date's evidence is too much at once it enters
with an exponent that grows from 0 to 1 in as many steps as are needed (annealing). Where evidence is taken
away (a correction, a withdrawal), the pass restarts from the particles kept from before it entered.

What is resampled is the pair (particle, present scenario), ordered by scenario, with systematic sampling:
each scenario keeps its share to within one particle, although a static question has a mode per scenario.
Half as many pairs as particles are resampled, and each is kept beside its moved copy, so that no step of a
chain is wasted (waste-free SMC with chains of length 2, Dau and Chopin 2022).

Where judgements learn in part (`learning: partial`) particles are weighted and moved by the likelihood of the
evidence with its exponents halved; what they say of the scenario, and of evidence to come, is by all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

import numpy as np

from forecast.inference.gibbs.sweep import sweep
from forecast.inference.particles import (
    Chain,
    ImpossibleEvidence,
    Particles,
    effective_size,
    largest_part,
    log_sum,
    pool_systems,
    systematic,
)
from forecast.model.cell_sequence import CellSequence, bridge, first_change, tempered, without_periods
from forecast.model.dynamics import transition_matrices
from forecast.model.hmm import Filtered, empty_filtered, forward, refresh
from forecast.model.problem import Problem

LEAST_EFFECTIVE = 0.5  # effective sample size, as a share of the particles
AIMED_EFFECTIVE = 0.55  # the same, where it is chosen
SMALLEST_INCREMENT = 0.01  # of the exponent, whatever becomes of the effective size
SYSTEM_SIZE = 128  # particles of one system where some judgements must not learn
KEPT_PER_DATE = 100  # particles of each date that a chain keeps


def run_chain(
    problem: Problem, *, chain: int, particles: int, seed: int, progress: Callable[[], None], moves: int = 1
) -> Chain:
    """Run one chain: one system of particles, or many small ones where some judgements must not learn.

    A particle that is moved is swept `moves` times.

    With such judgements (`learn: false`) the answer is the mean over their prior of the posterior given
    them (a cut, Plummer 2015): each system holds one draw of them, and no weight passes between systems.
    """
    number = systems(problem, particles)
    kept = max(KEPT_PER_DATE // number, 1)
    runs = [
        _System(problem, (seed, chain, system), particles // number, moves).run(progress, kept)
        for system in range(number)
    ]
    return runs[0] if number == 1 else pool_systems(runs)


def systems(problem: Problem, particles: int) -> int:
    """Return how many systems of particles a chain has."""
    return max(particles // SYSTEM_SIZE, 1) if _partly_fixed(problem) else 1


def _partly_fixed(problem: Problem) -> bool:
    """Tell whether some uncertain judgements are learnt and others are not (``learn: false``)."""
    return bool(problem.layout.cut) and problem.layout.learns


class _DateRecord(NamedTuple):
    """What a system of particles leaves of one trend date; see :class:`Chain`."""

    probability: np.ndarray  # (N, U, K)
    weight: np.ndarray  # (N,)
    moves: int
    theta: np.ndarray  # (M, D)


class _System:
    """One system of particles on its way through the trend dates."""

    def __init__(self, problem: Problem, key: tuple[int, int, int], size: int, moves: int) -> None:
        self.problem, self.key, self.size, self.moves = problem, key, size, moves
        self.arrays = problem.layout.arrays
        self.scenarios = problem.layout.scenarios
        self.theta0 = self._prior()
        self.accepted = np.zeros((4, 2), np.int64)
        self.sweeps = 0
        periods = max(step.periods for step in problem.steps)
        filtered = empty_filtered(size, problem.units, periods, self.arrays)
        self.particles = Particles(self.theta0.copy(), np.zeros(size), np.zeros(size), filtered)
        #: By the evidence with its own exponents; another one where judgements learn in part.
        self.whole = filtered
        if problem.layout.learning < 1.0:
            self.whole = empty_filtered(size, problem.units, periods, self.arrays)
        self.resampled = False  # since `whole` was filled in
        self.sequence = without_periods(problem.steps[0].sequence)
        for one in (filtered, self.whole):
            transition_matrices(self.theta0, self.arrays, one.matrix)

    def run(self, progress: Callable[[], None], kept: int) -> Chain:
        """Filter through all trend dates; return the chain's record, with `kept` particles per date."""
        restart, records = self.problem.restart, list[_DateRecord]()
        snapshots: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        log_evidence = [0.0]  # before the first date, and after each
        impossible: ImpossibleEvidence | None = None
        for k, step in enumerate(self.problem.steps):
            before = restart[k]
            if impossible is None or before is not None:
                day = (step.date - self.problem.layout.question.opened).days + 1
                rng = np.random.default_rng(np.random.SeedSequence([*self.key, day]))
                self.sweeps, start, begin = 0, log_evidence[k], step.begin
                if before is not None:
                    self._restore(before, snapshots)
                    start, begin = log_evidence[before + 1], first_change(self.sequence, step.sequence)
                try:
                    log_evidence.append(start + self._learn(step.sequence, begin, rng, step.date))
                    impossible = None
                except ImpossibleEvidence as error:
                    impossible = error
            if impossible is not None:
                if not any(earlier is not None and earlier < k for earlier in restart[k + 1 :]):
                    raise impossible  # on no later date is it taken away
                log_evidence.append(np.nan)
                records.append(self._gap(kept))
                continue
            if k in restart:
                snapshots[k] = self.particles.theta.copy(), self.particles.log_weight.copy()
            weight = self._weight()
            probability = self.whole.alpha[:, :, step.periods - 1].copy()
            thinned = self._thinned(kept)
            records.append(_DateRecord(probability, weight / weight.sum(), self.sweeps, thinned))
            progress()
        return self._chain(records, log_evidence[1:])

    def _chain(self, records: list[_DateRecord], log_evidence: list[float]) -> Chain:
        return Chain(
            probability=np.array([record.probability for record in records]),
            weight=np.array([record.weight for record in records]),
            theta=self.particles.theta,
            filtered=self.whole,
            prior=self.theta0,
            moves=np.array([record.moves for record in records]),
            log_evidence=np.array(log_evidence),
            accepted=self.accepted,
            theta_by_date=np.array([record.theta for record in records]),
        )

    def _gap(self, kept: int) -> _DateRecord:
        """Return the record of a date on which no scenario allows the evidence."""
        nothing = np.full((self.size, self.problem.units, self.scenarios), np.nan)
        return _DateRecord(nothing, np.full(self.size, 1.0 / self.size), 0, self._thinned(kept))

    def _weight(self) -> np.ndarray:
        """Return the weights, the largest being 1."""
        return np.exp(self.particles.log_weight - self.particles.log_weight.max())

    def _thinned(self, number: int) -> np.ndarray:
        """Return equally weighted particles by systematic sampling with a fixed offset."""
        return self.particles.theta[systematic(self._weight(), min(number, self.size), 0.5)]

    def _prior(self) -> np.ndarray:
        """Draw theta from its prior; of what must not learn, where other judgements do, once for all."""
        blocks = self.problem.layout.blocks
        rng = [np.random.default_rng(np.random.SeedSequence([*self.key, 0, n])) for n in range(len(blocks))]
        once = [block for block in blocks if _partly_fixed(self.problem) and not block.learns]
        return self.problem.layout.draw(rng, self.size, once=once)

    def _restore(self, before: int, snapshots: dict[int, tuple[np.ndarray, np.ndarray]]) -> None:
        """Go back to the particles kept after step `before`; -1 is the prior."""
        p = self.particles
        prior = self.theta0, np.zeros(self.size)
        p.theta[:], p.log_weight[:] = snapshots[before] if before >= 0 else prior
        known = self.problem.steps[before].sequence if before >= 0 else without_periods(self.sequence)
        self.sequence = tempered(known, self.problem.layout.learning)
        self._refilter()
        if self.whole is not p.filtered:
            refresh(p.theta, known, self.problem.cells, self.arrays, self.whole)

    def _refilter(self, first: int = 0) -> None:
        """Run the filter of the particles from `first` on anew."""
        p = self.particles
        part = Filtered(*(array[first:] for array in p.filtered))
        refresh(p.theta[first:], self.sequence, self.problem.cells, self.arrays, part)
        p.log_likelihood[:] = self._log_likelihood(self.sequence, p.filtered)

    @staticmethod
    def _log_likelihood(sequence: CellSequence, filtered: Filtered) -> np.ndarray:
        """Return log p of the periods of a sequence; filtered may have had it with other exponents."""
        return filtered.log_norm[:, :, : sequence.start.shape[1] - 1].sum(axis=(1, 2))

    def _reweighted(self, sequence: CellSequence, begin: int) -> np.ndarray:
        """Filter on along a sequence from period `begin`; return each particle's new log weight."""
        p = self.particles
        forward(p.theta, sequence, begin, self.problem.cells, self.arrays, p.filtered)
        lost = np.isneginf(p.log_weight)  # for good: what it holds for impossible has been seen
        gained = self._log_likelihood(sequence, p.filtered) - np.where(lost, 0.0, p.log_likelihood)
        return np.where(lost, -np.inf, p.log_weight + gained)

    def _learn(self, sequence: CellSequence, begin: int, rng: np.random.Generator, day: date) -> float:
        """Update the particles, and what they say, by the evidence of a date; return its log probability."""
        power = self.problem.layout.learning
        if power == 1.0:
            return self._assimilate(sequence, begin, rng, day)
        log_probability = self._predicted(sequence, begin)
        self.resampled = False
        self._assimilate(tempered(sequence, power), begin, rng, day)
        if self.resampled:
            refresh(self.particles.theta, sequence, self.problem.cells, self.arrays, self.whole)
        return log_probability

    def _predicted(self, sequence: CellSequence, begin: int) -> float:
        """Filter on by the evidence with its own exponents; return its log probability given the rest."""
        log_weight, before = self.particles.log_weight, self._log_likelihood(self.sequence, self.whole)
        forward(self.particles.theta, sequence, begin, self.problem.cells, self.arrays, self.whole)
        kept = log_weight > -np.inf
        gained = self._log_likelihood(sequence, self.whole)[kept] - before[kept]
        if gained.max() == -np.inf:  # impossible, as will be said
            return -np.inf
        return float(log_sum(log_weight[kept] + gained) - log_sum(log_weight[kept]))

    def _assimilate(self, sequence: CellSequence, begin: int, rng: np.random.Generator, day: date) -> float:
        """Update the particles with the evidence of a date; return the log of its probability."""
        log_weight = self._reweighted(sequence, begin)
        if not self.problem.layout.learns:
            if np.isneginf(log_weight).any():
                self._raise_impossible(sequence, day)
            before = float(log_sum(self.particles.log_likelihood))
            self._accept(sequence, self.particles.log_weight)
            return float(log_sum(self.particles.log_likelihood)) - before
        if log_weight.max() == -np.inf:
            self._raise_impossible(sequence, day)
        if effective_size(log_weight) >= LEAST_EFFECTIVE * self.size:
            return self._accept(sequence, log_weight)
        return self._anneal(sequence, begin, rng, day)

    def _accept(self, sequence: CellSequence, log_weight: np.ndarray) -> float:
        """Settle on a sequence and weights; return the log of the mean increment."""
        p = self.particles
        gained = float(log_sum(log_weight) - log_sum(p.log_weight))
        self.sequence = sequence
        p.log_weight[:] = log_weight
        p.log_likelihood[:] = self._log_likelihood(sequence, p.filtered)
        return gained

    def _anneal(self, sequence: CellSequence, begin: int, rng: np.random.Generator, day: date) -> float:
        """Let evidence in by degrees, the particles resampled and moved before each."""
        old, exponent, total = self.sequence, 0.0, 0.0
        if begin < old.start.shape[1] - 1:
            self._refilter()
        while exponent < 1.0:
            self._resample_and_move(rng)
            exponent, log_weight = self._next_exponent(old, sequence, exponent, begin)
            reached = sequence if exponent == 1.0 else bridge(old, sequence, exponent)
            if log_weight.max() == -np.inf:
                self._raise_impossible(reached, day)
            total += self._accept(reached, log_weight)
        return total

    def _next_exponent(
        self, old: CellSequence, new: CellSequence, exponent: float, begin: int
    ) -> tuple[float, np.ndarray]:
        """Return an exponent of the new evidence that keeps the effective size, and the weights.

        From what is in force to a larger exponent log weights are nearly linear: they say how far to go, and
        the filter whether that was right.
        """
        reached, log_weight = 1.0, self._reweighted(new, begin)
        while effective_size(log_weight) < LEAST_EFFECTIVE * self.size:
            if reached <= exponent + SMALLEST_INCREMENT:
                break  # too few particles: the result will say so
            part = largest_part(self.particles.log_weight, log_weight, AIMED_EFFECTIVE * self.size)
            reached = max(exponent + part * (reached - exponent), exponent + SMALLEST_INCREMENT)
            reached = min(reached, 1.0)
            log_weight = self._reweighted(bridge(old, new, reached), begin)
        return reached, log_weight

    def _resample_and_move(self, rng: np.random.Generator) -> None:
        """Waste-free step: resample half the pairs, and keep each with its Gibbs-moved copy."""
        self.resampled = True
        p, periods = self.particles, self.sequence.start.shape[1] - 1
        filtered, moved = p.filtered, self.size // 2
        now = filtered.alpha[:, 0, periods - 1] if periods else p.theta[:, : self.scenarios]
        pairs = systematic((self._weight()[:, None] * now).T.ravel(), self.size - moved, rng.random())
        last, row = np.divmod(pairs, self.size)
        moving = np.arange(len(pairs))
        if len(pairs) > moved:  # pairs lie by scenario: which one stays unmoved is left to chance
            moving = np.delete(moving, rng.integers(len(pairs)))
        theta = p.theta[row[moving]]
        if periods:
            self._sweep(theta, row[moving], last[moving], rng)
        kept = slice(0, self.size - moved)
        for array in filtered:
            array[kept] = array[row]
        p.theta[kept], p.theta[self.size - moved :] = p.theta[row], theta
        p.log_weight[:] = 0.0
        self._refilter(self.size - moved)
        for _ in range(self.moves - 1 if periods else 0):
            self._move_again(np.arange(self.size - moved, self.size), periods, rng)

    def _move_again(self, row: np.ndarray, periods: int, rng: np.random.Generator) -> None:
        """Apply one more Gibbs sweep to particles in place, with a fresh present scenario."""
        p = self.particles
        reached = p.filtered.alpha[row, 0, periods - 1].cumsum(axis=1)
        last = (reached < rng.random((len(row), 1)) * reached[:, -1:]).sum(axis=1)
        theta = p.theta[row]
        self._sweep(theta, row, last, rng)
        p.theta[row] = theta
        self._refilter(int(row[0]))

    def _sweep(self, theta: np.ndarray, row: np.ndarray, last: np.ndarray, rng: np.random.Generator) -> None:
        evidence = (self.sequence, self.problem.cells, self.arrays)
        sweep(theta, row, last, self.particles.filtered, *evidence, rng, self.accepted)
        self.sweeps += 1

    def _raise_impossible(self, sequence: CellSequence, day: date) -> None:
        norm = self.particles.filtered.log_norm[:, :, : sequence.start.shape[1] - 1]
        unit, period = np.argwhere(np.isneginf(norm).any(axis=0))[0]
        raise ImpossibleEvidence(int(unit), int(period), day)
