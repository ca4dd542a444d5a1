"""The engine on trial, and faults put in on purpose, to see that they are found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np
import xarray as xr

from forecast.case.evidence import Evidence
from forecast.case.question import Moves, Question
from forecast.inference import data_tree
from forecast.inference.data_tree import EngineResult, Settings, now_and_outlook
from forecast.inference.estimates import draws_of
from forecast.inference.smc import run_chain
from forecast.inference.smc_engine import doubled
from forecast.model.problem import Problem, build_problem
from tests.calibration.ranks import InferOne
from tests.cases import source


def smc(draws: int, chains: int) -> InferOne:
    """Return `infer` with so many particles in each of so many chains, which never double."""

    def infer_one(question: Question, evidence: Evidence, as_of: date, seed: int) -> xr.DataTree:
        task = build_problem(question, evidence, as_of)
        result, _ = doubled(task, Settings("smc", seed, draws, chains, float("inf")))
        return in_brief(task, result)

    return infer_one


def lean_smc(draws: int, chains: int) -> InferOne:
    """Return the same without the groups of the result that are not looked at here: half the time.

    The groups that are there have the same bits; a test holds that.
    """

    def infer_one(question: Question, evidence: Evidence, as_of: date, seed: int) -> xr.DataTree:
        task = build_problem(question, evidence, as_of)
        particles = draws if any(block.free for block in task.layout.blocks) else 1
        run = [
            run_chain(task, chain=chain, particles=particles, seed=seed, progress=lambda: None)
            for chain in range(chains)
        ]
        sample = draws_of(run, draws, task.steps[-1].periods, seed)
        *_, horizon = now_and_outlook(task, sample, np.ones(chains))
        return xr.DataTree.from_dict(
            {
                "posterior": data_tree.posterior(task.layout, sample, horizon),
                "hindsight": data_tree.hindsight(task, sample),
                "log_likelihood": data_tree.log_likelihood(question, sample),
            }
        )

    return infer_one


def in_brief(task: Problem, result: EngineResult) -> xr.DataTree:
    """Return the groups of the result that are ranked: the rest takes longer than the inference."""
    question, sample = task.layout.question, result.draws
    groups = {
        "posterior": data_tree.posterior(task.layout, sample, result.at_horizon),
        "hindsight": data_tree.hindsight(task, sample),
        "log_likelihood": data_tree.log_likelihood(question, sample),
    }
    return xr.DataTree.from_dict(groups)


class Fault(NamedTuple):
    """Something wrong: with what the engine is told of the world, or with what it makes of the evidence."""

    label: str
    question: str  # whose worlds are drawn
    world: Callable[[Question], Question] = lambda question: question
    told: Callable[[Question], Question] = lambda question: question
    heard: Callable[[Evidence], Evidence] = lambda evidence: evidence

    def engine(self, infer_one: InferOne) -> InferOne:
        """Return an engine with the fault."""

        def faulty(question: Question, evidence: Evidence, as_of: date, seed: int) -> xr.DataTree:
            return infer_one(self.told(question), self.heard(evidence), as_of, seed)

        return faulty


def _less_reliable(question: Question) -> Question:
    return replace(question, sources=(source("s", 0.75, 6.0), source("z", 0.6, 4.0), question.sources[-1]))


def _slower(question: Question) -> Question:
    assert isinstance(question.dynamics, Moves)
    leave = tuple(replace(rate, mean=rate.mean / 2) for rate in question.dynamics.leave)
    return replace(question, dynamics=replace(question.dynamics, leave=leave))


def _forgetful(question: Question) -> Question:
    return replace(question, indicators=tuple(replace(i, persistence=None) for i in question.indicators))


def _all_filed(question: Question) -> Question:
    return replace(question, indicators=tuple(replace(i, reporting=None) for i in question.indicators))


def _no_repeats(evidence: Evidence) -> Evidence:
    return Evidence(tuple(replace(row, repeats=()) for row in evidence.reports))


def _half(evidence: Evidence) -> Evidence:
    """Lose every second period, but for what belongs to a testimony."""
    kept = {(row.date.isocalendar().week, row.indicator) for row in evidence.reports if row.testimony}
    return Evidence(
        tuple(
            row
            for row in evidence.reports
            if row.date.isocalendar().week % 2 or (row.date.isocalendar().week, row.indicator) in kept
        )
    )


FAULTS = (
    Fault("sources a tenth less reliable than the engine is told", "static", world=_less_reliable),
    Fault("every second week of evidence is lost", "static", heard=_half),
    Fault("named repeats count as reports of their own", "static", heard=_no_repeats),
    Fault("what goes on counts as news", "static", told=_forgetful),
    Fault("silence says nothing", "static", told=_all_filed),
    Fault("the truth moves half as often as the engine is told", "moves", world=_slower),
)
