"""The block `scenarios`: which there are, when, and the prior over those of the first day."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from forecast.case import elicit, fields
from forecast.case.faults import listed
from forecast.case.judgement import Proportions
from forecast.case.question import Scenario
from forecast.case.read_judgement import Defaults
from forecast.case.read_lives import Life, check_lives, read_life
from forecast.case.read_shares import sums_to_one
from forecast.case.read_yaml import Node

_KEYS = ("title", "prior", "residual", "since", "until", "becomes", "takes")
_EXAMPLE = "{conflict: {title: Continued conflict, prior: 0.6}, ...}"


class Scenarios(NamedTuple):
    """Every scenario there ever is, when it is there, and the prior over those of the first day."""

    every: tuple[Scenario, ...] = ()
    lives: tuple[Life, ...] = ()
    prior: Proportions | None = None

    @property
    def change(self) -> bool:
        """Whether some come or go."""
        return any(life.changes for life in self.lives)


def read_scenarios(
    block: fields.Block, defaults: Defaults, opened: date | None, horizon: date | None
) -> Scenarios:
    """Return the scenarios; without a prior where there is a fault."""
    faults = block.faults
    node = block.need("scenarios", fix=f"write, e.g., {_EXAMPLE}")
    if node is None:
        return Scenarios()
    entries = fields.mapping(node, "scenarios", faults, example=_EXAMPLE)
    if entries is None:
        return Scenarios()
    scenarios, lives, written = [], list[Life | None](), {}
    for id, entry in entries.items():
        line = node.key_lines.get(id, node.line)
        fields.check_id(id, line, "scenario", faults)
        if id in fields.RESERVED:
            faults.add(line, id, "this id is a column of the results", fix="choose another id")
        inner = fields.Block(entry, f"scenarios.{id}", faults, keys=_KEYS)
        scenarios.append(Scenario(id, inner.text("title", id), inner.flag("residual", "residual" in inner)))
        lives.append(read_life(inner, id, list(entries), opened, horizon))
        if "prior" in inner:
            written[id] = inner.entries["prior"]
    if len(scenarios) < 2:
        problem, fix = "a question has at least two scenarios", "add one; `residual: true` marks the rest"
        faults.add(node.line, listed(entries), problem, fix=fix)
        return Scenarios(tuple(scenarios))
    known = tuple(life for life in lives if life is not None)
    if len(known) < len(lives):
        return Scenarios(tuple(scenarios))
    found, first = Scenarios(tuple(scenarios), known), list(entries)
    if found.change:
        if opened is None:
            return found
        check_lives(known, opened, node.line, faults)
        first = [life.id for life in known if life.alive(opened)]
    elif sum(scenario.residual for scenario in scenarios) > 1:
        problem = "only one scenario can be residual: it stands for all that the others leave out"
        several = listed(s.id for s in scenarios if s.residual)
        faults.add(node.line, several, problem, fix="keep `residual` on one")
    return found._replace(prior=_read_prior(block, node, first, written, defaults))


def _read_prior(
    block: fields.Block, node: Node, first: Sequence[str], written: Mapping[str, Node], defaults: Defaults
) -> Proportions | None:
    """Return the prior over the scenarios of the first day: even, or one number per scenario."""
    faults = block.faults
    weight = block.number("prior_weight", defaults.weight, fields.WEIGHT)
    if "prior" in block:
        block.choice("prior", "even", ["even"])
        if written:
            problem = "`prior` is given at the top and again under the scenarios"
            faults.add(block.entries["prior"].line, "prior", problem, fix="keep one of the two")
        return elicit.plain([1.0] * len(first), weight, floor=False, learn=defaults.learn)
    missing = [id for id in first if id not in written]
    if missing:
        problem = f"no prior for {listed(missing)}"
        fix = "write `prior:` under each scenario, or `prior: even` at the top"
        faults.add(node.line, None, problem, fix=fix)
        return None
    shares = []
    for id, entry in written.items():
        where = f"scenarios.{id}.prior"
        p = fields.number(entry, where, faults, fields.PROBABILITY)
        if p in (0.0, 1.0) and not math.isinf(weight):
            problem = f"{where} is certain: no evidence could ever overturn it"
            fix = "write a small probability such as 0.01, or `prior_weight: .inf` if exactly that is meant"
            faults.add(entry.line, entry.shown, problem, fix=fix)
        elif p is not None:
            shares.append(p)
    shown = " + ".join(f"{p:g}" for p in shares)
    if len(shares) < len(first) or not sums_to_one(shares, node.line, shown, "scenarios, prior", faults):
        return None
    return elicit.plain(shares, weight, floor=False, learn=defaults.learn)
