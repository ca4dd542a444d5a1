"""The engine "nuts" on trial: compiled once, the data of each world set in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import xarray as xr

from forecast.case.evidence import Evidence
from forecast.case.question import Question
from forecast.inference.data_tree import Settings
from forecast.inference.nuts.run import Sampler, run_nuts
from forecast.model.problem import build_problem
from tests.calibration.engines import in_brief
from tests.calibration.ranks import InferOne


def nuts(draws: int, chains: int, refused: Callable[[str], None]) -> InferOne:
    """Return the engine, which samples the as-of date only; `refused` hears why it refuses itself, if so."""
    compiled: list[Sampler] = []

    def infer_one(question: Question, evidence: Evidence, as_of: date, seed: int) -> xr.DataTree:
        whole = build_problem(question, evidence, as_of)
        task = replace(whole, steps=whole.steps[-1:], restart=(None,))
        if not compiled:
            compiled.append(Sampler(task.layout, evidence, as_of))
        sampler = compiled[0].given(evidence)
        found = run_nuts(task, Settings("nuts", seed, draws, chains, 1.0), sampler=sampler)
        if found.refused:
            refused(found.refused)
        return in_brief(task, found)

    return infer_one
