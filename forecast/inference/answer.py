"""What an engine found, and the DataTree that is made of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import xarray as xr

from forecast.inference import tree
from forecast.inference.conflict import conflict
from forecast.inference.drift import drift
from forecast.inference.predictive import predictive
from forecast.inference.summary import Draws, Estimate, estimate
from forecast.inference.weights import weights_of_evidence
from forecast.model.problem import Problem

Progress = Callable[[float], None]


class Answer(NamedTuple):
    """What an engine found."""

    sample: Draws  # at the as-of date
    past: list[Estimate]  # of each trend date before it
    now: Estimate
    ahead: xr.Dataset
    horizon: np.ndarray  # (C, M, U, K) draw by draw
    stats: xr.Dataset  # how each chain fared
    extra: dict[str, xr.Dataset]  # groups that only this engine has
    warnings: list[str]
    refused: str = ""  # why the forecast must not be issued, if so
    particles: int = 0  # of each chain; 0 where there are none

    @property
    def error(self) -> float:
        """The largest Monte Carlo standard error of a probability, now and ahead."""
        return max(float(self.now.mcse.max()), float(self.ahead["mcse"].max()))


def at_the_end(task: Problem, sample: Draws, size: np.ndarray) -> tuple[Estimate, xr.Dataset, np.ndarray]:
    """Return the probability now, the outlook, and its last point draw by draw; `size` (C,) is effective."""
    now = estimate(sample.alpha[..., -1, :], size=size)
    return now, *tree.look_ahead(task.layout.question, task.steps[-1].date, sample, size)


def data_tree(task: Problem, found: Answer, seed: int) -> xr.DataTree:
    """Return the result with all its groups."""
    layout, question, sample = task.layout, task.layout.question, found.sample
    live, weight = weights_of_evidence(layout, task.evidence, task.steps[-1].date)
    evidence, constant = tree.by_report(question, live, weight)
    groups = {
        "posterior": tree.posterior(layout, sample, found.horizon),
        "prior": tree.prior(layout, sample, task.steps[-1].date),
        "trend": tree.trend(task, [*found.past, found.now]),
        "outlook": found.ahead,
        "hindsight": tree.hindsight(question, sample),
        "evidence": evidence,
        "drift": drift(layout, sample),
        "log_likelihood": tree.log_likelihood(question, sample),
        "log_prior": tree.log_prior(layout, sample.theta),
        "sample_stats": found.stats,
        "constant_data": constant,
        "exact": tree.exact(layout),
        "conflict": conflict(task),
        **found.extra,
    }
    groups |= predictive(task, sample, seed)
    return xr.DataTree.from_dict({name: tree.numbered(data) for name, data in groups.items()})
