"""The log density of the ``pm.Model`` and of our own array code, at the same theta."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pymc as pm
import pytensor
from pytensor.compile.mode import Mode
from pytensor.graph.replace import graph_replace

from forecast.case.evidence import Evidence
from forecast.inference.nuts.data import known_on
from forecast.inference.nuts.judgements import variables
from forecast.model.cell_sequence import tempered
from forecast.model.hmm import Filtered, filter_particles
from forecast.model.parameters import Layout

#: Neither a C compiler nor a minute of compilation: graphs are run node by node.
PLAIN = Mode(linker="py", optimizer="fast_compile")


def without_compiler() -> Any:
    """Return a context in which the bodies of loops are not compiled either."""
    return pytensor.config.change_flags(cxx="")


def draw(layout: Layout, n: int, seed: int) -> np.ndarray:
    """Draw theta (n, D) from the prior; what must not learn is at its mean, as the model has it at first."""
    rng = np.random.default_rng(seed)
    theta = layout.draw(rng, n)
    for block in layout.cut:
        theta[:, block.slots] = block.mean
    return theta


def filtered(layout: Layout, evidence: Evidence, as_of: date, theta: np.ndarray) -> Filtered:
    """Run our own filter."""
    return _filtered(layout, evidence, as_of, theta, 1.0)


def _filtered(layout: Layout, evidence: Evidence, as_of: date, theta: np.ndarray, power: float) -> Filtered:
    step, cells = known_on(layout, evidence, as_of)
    return filter_particles(theta, tempered(step.sequence, power), cells, layout.arrays)


def log_density(layout: Layout, evidence: Evidence, as_of: date, theta: np.ndarray) -> np.ndarray:
    """Return log p(theta) + log p(evidence | theta), as far as it is learnt, by our own array code, (n,)."""
    prior = [block.log_density(theta) for block in layout.blocks if block.learns]
    learnt = _filtered(layout, evidence, as_of, theta, layout.learning)
    return learnt.log_norm.sum(axis=(1, 2)) + np.sum(prior, axis=0)


class Points:
    """Theta as a model's values, on the scale on which it samples."""

    def __init__(self, model: pm.Model, layout: Layout) -> None:
        self._variables = variables(layout)
        rvs = [model[variable.name] for variable in self._variables]
        self._names = [model.rvs_to_values[rv].name for rv in rvs]
        plain = {rv: rv.type() for rv in rvs}
        sampled = []
        for rv, x in plain.items():
            transform = model.rvs_to_transforms[rv]
            inputs = graph_replace(rv.owner.inputs, plain, strict=False)
            sampled.append(x if transform is None else transform.forward(x, *inputs))
        self._function = pytensor.function(
            list(plain.values()), sampled, mode=PLAIN, on_unused_input="ignore"
        )

    def __call__(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """Return theta (D,) as values by name."""
        found = []
        for variable in self._variables:
            rows = [theta[block.slots] for block in variable.blocks]
            if variable.support is not None:
                rows = [row[list(variable.support)] for row in rows]
            value = np.stack(rows) if variable.labels else rows[0]
            found.append(value[..., 0] if variable.blocks[0].size == 1 else value)
        return dict(zip(self._names, self._function(*found), strict=True))


def compiled(model: pm.Model) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
    """Compile the model's log density, without the Jacobian of its transforms."""
    function = pm.compile(model.value_vars, model.logp(jacobian=False), mode=PLAIN, on_unused_input="ignore")
    names = [variable.name for variable in model.value_vars]
    return lambda values: function(*[values[name] for name in names if name in values])
