"""Priors of the judgements as PyMC random variables, with dims and coords named after the question.

Judgements that evidence revises are random variables, those of one kind together where they have the same
shape. Exact ones are constants. Those with ``learn: false`` are ``pm.Data``, at their means at first: in one
joint posterior evidence would revise them, so one sets values drawn from their prior instead.

The chances that claims are filed are judgements in two layers: each indicator's own is a Beta around the
question's. Where that is near 0, so are they, over many orders of magnitude: they are sampled on a scale on
which this is no funnel (:class:`AsinhLogit`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.logprob.transforms import Transform
from pytensor.tensor import TensorVariable

from forecast.case.judgement import JudgementId, JudgementKind, LogitNormal, MeasureMean, Positive
from forecast.model.parameters import FILED, Block, Layout

#: Largest logit of a chance: beyond, log(1 - x) would be that of 0.
_MOST = 700.0


class AsinhLogit(Transform):  # type: ignore[misc]
    """Transform of a Beta whose parameters may be very small: z = 2 asinh(logit(x) / 2) less its centre.

    Where a is small, -a log x is about an exponential draw: log x spreads over 1/a, but log(-log x) over 1.3
    whatever a is, and asinh turns from the one to the other. The centre is that of about the mean of
    logit x, digamma(a) - digamma(b), so that z hardly depends on a and b: a non-centred parametrisation.
    """

    name = "asinh_logit"
    ndim_supp = 0

    @staticmethod
    def _centre(inputs: tuple[TensorVariable, ...]) -> TensorVariable:
        a, b = inputs[-2:]
        return 2.0 * pt.arcsinh(0.5 * (pt.log(a + 0.5) - 1.0 / a - pt.log(b + 0.5) + 1.0 / b))

    def backward(self, value: TensorVariable, *inputs: TensorVariable) -> TensorVariable:
        """Return x, in a form of which samplers take log x and log(1 - x) without computing x first."""
        logit = pt.minimum(2.0 * pt.sinh(0.5 * (value + self._centre(inputs))), _MOST)
        return pt.exp(-pt.softplus(-logit))

    def forward(self, value: TensorVariable, *inputs: TensorVariable) -> TensorVariable:
        """Return z."""
        return 2.0 * pt.arcsinh(0.5 * (pt.log(value) - pt.log1p(-value))) - self._centre(inputs)

    def log_jac_det(self, value: TensorVariable, *inputs: TensorVariable) -> TensorVariable:
        """Return log dx/dz = log x + log(1 - x) + log cosh of half of z and its centre."""
        half = 0.5 * (value + self._centre(inputs))
        logit, away = 2.0 * pt.sinh(half), abs(half)
        return away + pt.softplus(-2.0 * away) - np.log(2.0) - pt.softplus(logit) - pt.softplus(-logit)


@dataclass(frozen=True)
class Variable:
    """One random variable: the judgements it holds, a row each."""

    name: str
    blocks: tuple[Block, ...]
    dims: tuple[str, ...]  # of the rows, if there are rows, and of the entries, if a row has several
    labels: tuple[str, ...]  # of the rows; empty where there are none
    support: tuple[int, ...] | None = None  # the entries that can be, where some cannot

    @property
    def ndim(self) -> int:
        """Number of axes of a draw."""
        return 1 if self.support is not None else len(self.dims)


def variables(layout: Layout) -> list[Variable]:
    """Return the random variables of a layout, in the order of theta."""
    made = []
    for name, dim, entries, rows in _kinds(layout):
        alike = {label: b for label, b in rows.items() if b.learns and _support(b) is None}
        if alike and not dim:
            made.append(Variable(name, tuple(alike.values()), (entries,) if entries else (), ()))
        elif alike:
            whole = len(alike) == len(rows) and (dim != "scenario" or len(rows) == layout.scenarios)
            row_dim = dim if whole else f"{name}_{dim}"
            dims = (row_dim, entries) if entries else (row_dim,)
            made.append(Variable(name, tuple(alike.values()), dims, tuple(alike)))
        for label, block in rows.items():
            support = _support(block)
            if block.learns and support is not None and len(support) > 1:
                made.append(Variable(f"{name}_{label}" if dim else name, (block,), (), (), support))
    return made


def _kinds(layout: Layout) -> list[tuple[str, str, str, dict[str, Block]]]:
    """Return name, dim of rows, dim of entries, and the rows of each kind of judgement."""
    blocks = {block.id: block for block in layout.blocks}
    question, ids = layout.question, layout.question.scenario_ids
    kinds = [("prior", "", "scenario", {"": blocks[JudgementId("prior")]})]
    for i in question.indicators:
        rows = {s: blocks[JudgementId("likelihood", i.id, s)] for s in ids}
        kinds.append((f"likelihood_{i.id}", "scenario", f"{i.id}_value" if i.values else "", rows))
    rows = {s.id: blocks[JudgementId("reliability", source=s.id)] for s in question.sources}
    kinds.append(("reliability", "source", "", rows))
    rows = {t: blocks[JudgementId("testimony", source=t)] for t in layout.testimonies}
    kinds.append(("testimony_reliability", "testimony", "", rows))
    moves: tuple[tuple[JudgementKind, str, str], ...] = (
        ("leave", "leaving_rate", ""),
        ("then", "then", "to_scenario"),
        ("transition", "transition", "to_scenario"),
    )
    for kind, name, entries in moves:
        rows = {id.scenario: block for id, block in blocks.items() if id.kind == kind}
        kinds.append((name, "scenario", entries, rows))
    return kinds + _event(layout) + _reporting(layout)


def _event(layout: Layout) -> list[tuple[str, str, str, dict[str, Block]]]:
    """Return the same for the judgements of an event question; those that all outcomes share have no rows."""
    kinds = []
    for kind, name in (("preparing", "preparing_rate"), ("ends_in_event", "ends_in_event")):
        rows = {block.id.scenario: block for block in layout.blocks if block.id.kind == kind}
        kinds.append((name, "" if set(rows) <= {""} else "outcome", "", rows))
    return kinds


def _reporting(layout: Layout) -> list[tuple[str, str, str, dict[str, Block]]]:
    """Return the same for the share of noise and the chances that claims are filed, the question's first."""
    blocks = [block for block in layout.blocks if block.id.kind in ("noise", "filed")]
    shared = {block.id.value or "noise": block for block in blocks if not block.id.indicator}
    kinds = [("reporting", "claim", "", shared)]
    for value in FILED:
        rows = {b.id.indicator: b for b in blocks if b.id.indicator and b.id.value == value}
        kinds.append((f"filed_{value}", f"{value}_indicator", "", rows))
    return kinds


def _support(block: Block) -> tuple[int, ...] | None:
    """Return the entries of proportions that can be, if some cannot."""
    a = block.parameters()[0]
    if block.beta or block.size == 1 or (a > 0).all():
        return None
    return tuple(int(x) for x in np.flatnonzero(a))


def theta_graph(layout: Layout) -> TensorVariable:
    """Make the random variables in the model of the context, and return theta (D,)."""
    model = pm.modelcontext(None)
    pieces: dict[str, TensorVariable] = {}
    for block in layout.blocks:
        pieces[block.name] = pt.constant(block.mean)
        if block in layout.cut:
            pieces[block.name] = pm.Data(f"{block.name} (not learning)", block.mean)
    for variable in variables(layout):
        if variable.labels and variable.dims[0] not in model.coords:
            model.add_coord(variable.dims[0], list(variable.labels))
        made = _random_variable(variable, pieces)
        for n, block in enumerate(variable.blocks):
            row = made[n] if variable.labels else made
            if variable.support is not None:
                row = pt.set_subtensor(pt.zeros(block.size)[list(variable.support)], row)
            pieces[block.name] = row if block.size > 1 else row.reshape((1,))
    return pt.concatenate([pieces[block.name] for block in layout.blocks])


def _random_variable(variable: Variable, pieces: Mapping[str, TensorVariable]) -> TensorVariable:
    block = variable.blocks[0]
    if block.around >= 0:  # all of a kind are around the same
        centre, weight = pieces[f"filed {block.id.value}"][0], block.judgement.weight  # type: ignore[union-attr]
        a, b = (pt.full(len(variable.blocks), weight * mean) for mean in (centre, 1.0 - centre))
        return pm.Beta(variable.name, a, b, dims=variable.dims, default_transform=AsinhLogit())
    a, b = (np.stack(p) for p in zip(*(block.parameters() for block in variable.blocks), strict=True))
    if block.size == 1:
        a, b = (x[:, 0] if variable.labels else x[0, 0] for x in (a, b))
    if block.beta:
        return pm.Beta(variable.name, a, b, dims=variable.dims)
    if isinstance(block.judgement, LogitNormal):
        return pm.LogitNormal(variable.name, a, b, dims=variable.dims)
    if isinstance(block.judgement, Positive):
        return pm.Gamma(variable.name, a, b, dims=variable.dims)
    if isinstance(block.judgement, MeasureMean):
        return pm.Normal(variable.name, a, b, dims=variable.dims)
    if variable.support is not None:
        return pm.Dirichlet(variable.name, a[0, list(variable.support)])
    return pm.Dirichlet(variable.name, a if variable.labels else a[0], dims=variable.dims)


def theta_of(layout: Layout, draws: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return theta (..., D) from draws of the random variables, by name; what is not drawn at its mean."""
    drawn = variables(layout)
    lead = draws[drawn[0].name].ndim - drawn[0].ndim if drawn else 0
    shape = draws[drawn[0].name].shape[:lead] if drawn else ()
    theta = np.broadcast_to(layout.mean, (*shape, layout.size)).copy()
    for variable in drawn:
        value = draws[variable.name]
        for n, block in enumerate(variable.blocks):
            row = np.take(value, n, axis=lead) if variable.labels else value
            entries = np.arange(block.size) if variable.support is None else np.array(variable.support)
            theta[..., block.start + entries] = row[..., None] if block.size == 1 else row
    return theta
