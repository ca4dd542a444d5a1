"""Sequential Monte Carlo over the judgements: one pass gives the whole trend, as known on each date.

Iterated batch importance sampling (Chopin 2002): particles theta stand for the posterior of the judgements;
as evidence becomes known each is weighted by how well it foretold it, the scenario integrated out exactly.
Before the effective sample size would fall below half, particles are resampled and moved by a Gibbs sweep;
where one date's evidence is too much at once it enters with an exponent that grows from 0 to 1 in as many
steps as are needed (annealing). Where evidence is taken away (a correction, a withdrawal), the pass takes up
the particles that were kept from before it entered, and lets in the rest.

What is resampled is the pair (particle, present scenario), ordered by scenario, with systematic sampling:
each scenario keeps its share to within one particle, although a static question has a mode per scenario.
Half as many pairs as particles are resampled, and each is kept beside its moved copy, so that no step of a
chain is wasted (waste-free SMC with chains of length 2, Dau and Chopin 2022).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np

from forecast.inference.gibbs.sweep import sweep
from forecast.inference.particles import (
    Chain,
    ImpossibleEvidence,
    Particles,
    effective_size,
    log_sum,
    systematic,
    together,
)
from forecast.model.cell_sequence import Course, bridge, first_change
from forecast.model.dynamics import transition_matrices
from forecast.model.hmm import Filtered, empty_filtered, forward, refresh
from forecast.model.problem import Problem

KEEP = 0.5  # least effective sample size, as a share of the particles
LEAST = 0.01  # of the evidence is let in at once, whatever becomes of the effective size
SYSTEM = 128  # particles that share what evidence may not revise
TRAIL = 100  # particles of each date that a chain keeps


def run_chain(
    problem: Problem, *, chain: int, particles: int, seed: int, progress: Callable[[], None], moves: int = 1
) -> Chain:
    """Run one chain: one system of particles, or many small ones where some judgements must not learn.

    A particle that is moved is swept `moves` times.

    With such judgements (`learn: false`) the answer is the mean over their prior of the posterior given
    them (a cut, Plummer 2015): each system holds one draw of them, and no weight passes between systems.
    """
    mixed, number = bool(problem.layout.cut) and problem.layout.learns, systems(problem, particles)
    some = max(TRAIL // number, 1)
    runs = [
        _System(problem, (seed, chain, system), particles // number, mixed, moves).run(progress, some)
        for system in range(number)
    ]
    return runs[0] if number == 1 else together(runs)


def systems(problem: Problem, particles: int) -> int:
    """Return how many systems of particles a chain has."""
    mixed = bool(problem.layout.cut) and problem.layout.learns
    return max(particles // SYSTEM, 1) if mixed else 1


class _System:
    """One system of particles on its way through the dates."""

    def __init__(
        self, problem: Problem, key: tuple[int, int, int], size: int, mixed: bool, moves: int
    ) -> None:
        self.problem, self.key, self.size, self.moves = problem, key, size, moves
        self.arrays = problem.layout.arrays
        self.scenarios = problem.layout.scenarios
        self.theta0 = self._prior(mixed)
        self.accepted = np.zeros((3, 2), np.int64)
        self.sweeps = 0
        periods = max(step.periods for step in problem.steps)
        self.particles = Particles(
            self.theta0.copy(),
            np.zeros(size),
            np.zeros(size),
            empty_filtered(size, problem.units, periods, self.scenarios),
        )
        self.course = self._nothing(problem.steps[0].course)
        transition_matrices(self.theta0, self.arrays, self.particles.filtered.matrix)

    def run(self, progress: Callable[[], None], some: int) -> Chain:
        """Pass through all dates; keep some particles of each."""
        problem = self.problem
        kept: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        probability: list[np.ndarray] = []
        weight: list[np.ndarray] = []
        trail: list[np.ndarray] = []
        moves: list[int] = []
        evidence = [0.0]
        refused: ImpossibleEvidence | None = None
        for k, step in enumerate(problem.steps):
            if refused is not None and problem.restart[k] is None:
                refused = self._skip(k, refused, probability, weight, moves, evidence)
                trail.append(self._some(some))
                continue
            rng = self._rng((step.date - problem.layout.question.opened).days + 1)
            before, self.sweeps = problem.restart[k], 0
            start = evidence[k]
            begin = step.begin
            if before is not None:
                self._take_up(before, kept)
                start, begin = evidence[before + 1], first_change(self.course, step.course)
            try:
                evidence.append(start + self._advance(step.course, begin, rng, step.date))
                refused = None
            except ImpossibleEvidence as error:
                refused = self._skip(k, error, probability, weight, moves, evidence)
                trail.append(self._some(some))
                continue
            if k in problem.restart:
                kept[k] = self.particles.theta.copy(), self.particles.log_weight.copy()
            w = np.exp(self.particles.log_weight - self.particles.log_weight.max())
            probability.append(self.particles.filtered.alpha[:, :, step.periods - 1].copy())
            weight.append(w / w.sum())
            trail.append(self._some(some))
            moves.append(self.sweeps)
            progress()
        return Chain(
            np.array(probability),
            np.array(weight),
            self.particles.theta,
            self.particles.filtered,
            self.theta0,
            np.array(moves),
            np.array(evidence[1:]),
            self.accepted,
            np.array(trail),
        )

    def _some(self, number: int) -> np.ndarray:
        """Return some particles, equally weighted; draws no random number, so that all others stay."""
        weight = np.exp(self.particles.log_weight - self.particles.log_weight.max())
        return self.particles.theta[systematic(weight, min(number, self.size), 0.5)]

    def _skip(
        self,
        k: int,
        error: ImpossibleEvidence,
        probability: list[np.ndarray],
        weight: list[np.ndarray],
        moves: list[int],
        evidence: list[float],
    ) -> ImpossibleEvidence:
        """Leave a date without an answer, if what made it impossible was taken away on a later one."""
        if not any(before is not None and before < k for before in self.problem.restart[k + 1 :]):
            raise error
        probability.append(np.full((self.size, self.problem.units, self.scenarios), np.nan))
        weight.append(np.full(self.size, 1.0 / self.size))
        moves.append(0)
        evidence.append(np.nan)
        return error

    def _rng(self, day: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence([*self.key, day]))

    def _prior(self, mixed: bool) -> np.ndarray:
        theta = np.empty((self.size, self.problem.layout.size))
        for number, block in enumerate(self.problem.layout.blocks):
            rng = np.random.default_rng(np.random.SeedSequence([*self.key, 0, number]))
            shared = mixed and not block.learns
            theta[:, block.slots] = block.draw(rng, 1 if shared else self.size)
        return theta

    def _nothing(self, like: Course) -> Course:
        """Return a course without periods."""
        return Course(
            like.kind[:0], np.zeros((like.start.shape[0], 1), np.int64), like.cell[:0], like.exponent[:0]
        )

    def _take_up(self, before: int, kept: dict[int, tuple[np.ndarray, np.ndarray]]) -> None:
        """Go back to the particles kept after step `before`."""
        p = self.particles
        prior = self.theta0, np.zeros(self.size)
        p.theta[:], p.log_weight[:] = kept[before] if before >= 0 else prior
        self.course = self.problem.steps[before].course if before >= 0 else self._nothing(self.course)
        self._refresh()

    def _refresh(self, first: int = 0) -> None:
        """Run the filter of the particles from `first` on anew."""
        p = self.particles
        part = Filtered(*(array[first:] for array in p.filtered))
        refresh(p.theta[first:], self.course, self.problem.cells, self.arrays, part)
        p.log_likelihood[:] = self._log_likelihood(self.course)

    def _log_likelihood(self, course: Course) -> np.ndarray:
        return self.particles.filtered.log_norm[:, :, : course.start.shape[1] - 1].sum(axis=(1, 2))

    def _foretold(self, course: Course, begin: int) -> np.ndarray:
        """Filter on along a course from period `begin`; return each particle's log weight."""
        p = self.particles
        forward(p.theta, course, begin, self.problem.cells, self.arrays, p.filtered)
        lost = np.isneginf(p.log_weight)  # for good: what it holds for impossible has been seen
        gained = self._log_likelihood(course) - np.where(lost, 0.0, p.log_likelihood)
        return np.where(lost, -np.inf, p.log_weight + gained)

    def _advance(self, course: Course, begin: int, rng: np.random.Generator, day: date) -> float:
        """Let in the evidence of a date, new from period `begin` on; return the log of its probability."""
        log_weight = self._foretold(course, begin)
        if not self.problem.layout.learns:
            if np.isneginf(log_weight).any():
                self._refuse(course, day)
            before = log_sum(self.particles.log_likelihood)
            self._take(course, self.particles.log_weight)
            return log_sum(self.particles.log_likelihood) - before
        if log_weight.max() == -np.inf:
            self._refuse(course, day)
        if effective_size(log_weight) >= KEEP * self.size:
            return self._take(course, log_weight)
        return self._anneal(course, begin, rng, day)

    def _take(self, course: Course, log_weight: np.ndarray) -> float:
        """Settle on a course and weights; return the log of the mean increment."""
        p = self.particles
        gained = log_sum(log_weight) - log_sum(p.log_weight)
        self.course = course
        p.log_weight[:] = log_weight
        p.log_likelihood[:] = self._log_likelihood(course)
        return gained

    def _anneal(self, course: Course, begin: int, rng: np.random.Generator, day: date) -> float:
        """Let evidence in by degrees, the particles resampled and moved before each."""
        old, part, total = self.course, 0.0, 0.0
        if begin < old.start.shape[1] - 1:
            self._refresh()
        while part < 1.0:
            self._move(rng)
            part, log_weight = self._next_part(old, course, part, begin)
            reached = course if part == 1.0 else bridge(old, course, part)
            if log_weight.max() == -np.inf:
                self._refuse(reached, day)
            total += self._take(reached, log_weight)
        return total

    def _next_part(self, old: Course, new: Course, part: float, begin: int) -> tuple[float, np.ndarray]:
        """Return the largest part of the new evidence that keeps the effective size, and the weights."""
        log_weight = self._foretold(new, begin)
        if effective_size(log_weight) >= KEEP * self.size:
            return 1.0, log_weight
        low, high = part, 1.0
        while high > part + LEAST:
            middle = 0.5 * (low + high)
            log_weight = self._foretold(bridge(old, new, middle), begin)
            size = effective_size(log_weight)
            if size >= KEEP * self.size:
                low = middle
                if size <= (KEEP + 0.1) * self.size:
                    return middle, log_weight
            else:
                high = middle
        low = min(max(low, part + LEAST), 1.0)  # hardly a particle foretold it: go on, the result will say so
        return low, self._foretold(bridge(old, new, low), begin)

    def _move(self, rng: np.random.Generator) -> None:
        """Resample half as many pairs of particle and scenario; keep each, and its Gibbs sweep too."""
        p, periods = self.particles, self.course.start.shape[1] - 1
        filtered, moved = p.filtered, self.size // 2
        weight = np.exp(p.log_weight - p.log_weight.max())
        now = filtered.alpha[:, 0, periods - 1] if periods else p.theta[:, : self.scenarios]
        pairs = systematic((weight[:, None] * now).T.ravel(), self.size - moved, rng.random())
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
        self._refresh(self.size - moved)
        for _ in range(self.moves - 1 if periods else 0):
            self._move_again(np.arange(self.size - moved, self.size), periods, rng)

    def _move_again(self, row: np.ndarray, periods: int, rng: np.random.Generator) -> None:
        """Sweep particles once more where they are, their present scenario drawn anew."""
        p = self.particles
        reached = p.filtered.alpha[row, 0, periods - 1].cumsum(axis=1)
        last = (reached < rng.random((len(row), 1)) * reached[:, -1:]).sum(axis=1)
        theta = p.theta[row]
        self._sweep(theta, row, last, rng)
        p.theta[row] = theta
        self._refresh(int(row[0]))

    def _sweep(self, theta: np.ndarray, row: np.ndarray, last: np.ndarray, rng: np.random.Generator) -> None:
        evidence = (self.course, self.problem.cells, self.arrays)
        sweep(theta, row, last, self.particles.filtered, *evidence, rng, self.accepted)
        self.sweeps += 1

    def _refuse(self, course: Course, day: date) -> None:
        norm = self.particles.filtered.log_norm[:, :, : course.start.shape[1] - 1]
        unit, period = np.argwhere(np.isneginf(norm).any(axis=0))[0]
        raise ImpossibleEvidence(int(unit), int(period), day)
