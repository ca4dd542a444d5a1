"""The filter of the model at given judgements, and those judgements as the oracles have them."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

import numpy as np

from forecast.case.evidence import Evidence
from forecast.case.question import Event, Moves, Question, Transition
from forecast.model.evidence_index import EvidenceIndex
from forecast.model.hmm import filter_particles, smooth
from forecast.model.parameters import Layout, build_layout
from tests.oracles.paths import Array
from tests.oracles.theta import Theta


class Filtering(NamedTuple):
    """What the filter says of N draws of the judgements."""

    log_marginal: Array  # (N,)
    filtered: Array  # (N, U, T, K)
    smoothed: Array  # (N, U, T, K)
    theta: Theta  # with one entry per draw


def at_draws(question: Question, evidence: Evidence, as_of: date, n: int, seed: int) -> Filtering:
    """Filter at n draws of the judgements from the prior."""
    layout = build_layout(question, evidence)
    theta = layout.draw(np.random.default_rng(seed), n)
    index = EvidenceIndex.known_on(layout, evidence, as_of)
    found = filter_particles(theta, index.snapshot(as_of).sequence, index.cells(), layout.arrays)
    return Filtering(
        found.log_norm.sum(axis=(1, 2)), np.asarray(found.alpha), smooth(found), dictionary(layout, theta)
    )


def dictionary(layout: Layout, theta: Array) -> Theta:
    """Return draws theta (N, D) in the form in which the oracles have them."""
    question = layout.question
    at = {block.name: theta[:, block.slots] for block in layout.blocks}
    ids = [s.id for s in question.scenarios]

    def several(name: str) -> list[Any]:
        return list(at[name].T)

    def one(name: str) -> Any:
        return at[name][:, 0]

    found: Theta = {
        "prior": several("prior"),
        "likelihood": {
            i.id: [
                several(f"likelihood {i.id} {s}") if i.values else one(f"likelihood {i.id} {s}") for s in ids
            ]
            for i in question.indicators
        },
        "reliability": {s.id: one(f"reliability {s.id}") for s in question.sources},
        "testimony": {name: one(f"testimony {name}") for name in layout.testimonies},
        "noise": one("noise") if "noise" in at else 0.5,
        "filed": {},
    }
    for name in at:
        kind, *rest = name.split(" ")
        if kind == "filed":
            value, indicator = rest[0], rest[1] if len(rest) > 1 else ""
            found["filed"].setdefault(indicator, {})[value] = one(name)
    if isinstance(question.dynamics, Moves):
        found["leave"] = [one(f"leave {s}") for s in ids]
        found["then"] = [several(f"then {s}") for s in ids]
    if isinstance(question.dynamics, Event):
        # In the order of the blocks: that of the outcomes, or one that they share.
        for kind in ("preparing", "ends_in_event"):
            found[kind] = [one(name) for name in at if name.split(" ")[0] == kind]
    if isinstance(question.dynamics, Transition):
        found["transition"] = [several(f"transition {s}") for s in ids]
    return found
