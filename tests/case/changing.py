"""A question whose scenarios change, as text: the file before, after, and as if written on a day in between.

A truce is split in halves, so that every number of the files written by hand is the product to the last bit.
"""

from __future__ import annotations

from datetime import date

OPENED, SPLIT, ADDED = date(2024, 1, 1), date(2024, 1, 24), date(2024, 2, 7)

STATIC, REGIME, STEPS = "static", "moves", "transition"
KINDS = (STATIC, REGIME, STEPS)

_HEAD = """\
title: Will they sign?
opened: 2024-01-01
horizon: 2024-03-31
weight: {weight}
scenarios:
"""
_TAIL = """\
sources:
  agency: {reliability: {p: 0.8, weight: 10}}
  paper: {reliability: {p: 0.7, weight: 15}}
reporting: ignored
"""

_BEFORE = """\
  war: {title: War, prior: 0.6}
  truce: {title: Truce, prior: 0.3}
  other: {title: Other, prior: 0.1, residual: true}
"""
_CHANGED = """\
  war: {title: War, prior: 0.6}
  truce: {title: Truce, prior: 0.3, until: 2024-01-24, becomes: {local: 0.5, formal: 0.5}}
  local: {title: Local truce, since: 2024-01-24}
  formal: {title: Formal truce, since: 2024-01-24}
  other: {title: Other, prior: 0.1, residual: true}
"""
_BETWEEN = """\
  war: {title: War, prior: 0.6}
  local: {title: Local truce, prior: 0.15}
  formal: {title: Formal truce, prior: 0.15}
  other: {title: Other, prior: 0.1, residual: true}
"""
_ADDED = "  collapse: {title: Collapse, since: 2024-02-07, takes: {other: 0.5}}\n"

_INDICATORS = """\
indicators:
  meeting: {{likelihood: {{{meeting}}}}}
  tone: {{values: [hostile, neutral, friendly], likelihood: {{{tone}}}}}
  panel: {{kind: ratio, likelihood: {{{panel}}}}}
  clashes: {{kind: count, likelihood: {{{clashes}}}}}
"""
_ROWS = {
    "meeting": {"war": "0.05", "truce": "0.3", "local": "0.2", "formal": "0.5", "collapse": "0.1"},
    "tone": {
        "war": "[0.7, 0.2, 0.1]", "truce": "[0.2, 0.5, 0.3]", "local": "[0.3, 0.5, 0.2]",
        "formal": "[0.1, 0.4, 0.5]", "collapse": "[0.4, 0.4, 0.2]",
    },
    "panel": {"war": "1", "truce": "3", "local": "2", "formal": "4", "collapse": "1"},
    "clashes": {
        "war": "{mean: 6}", "truce": "{mean: 2}", "local": "{mean: 3}", "formal": "{mean: 1}",
        "collapse": "{mean: 4}",
    },
}  # fmt: skip
_MOVES = {
    "war": "{lasts: 40, then: {truce: 0.7, other: 0.3}}",
    "truce": "{lasts: {low: 6, high: 30}, then: {war: 0.5, other: 0.5}}",
    "local": "{lasts: 10, then: {war: 0.6, formal: 0.4}}",
    "formal": "{lasts: 20, then: {war: 0.2, local: 0.8}}",
    "other": "{lasts: 30, then: {truce: 1}}",
    "collapse": "{lasts: 12, then: {war: 1}}",
}
_MOVES_BETWEEN = _MOVES | {
    "war": "{lasts: 40, then: {local: 0.35, formal: 0.35, other: 0.3}}",
    "other": "{lasts: 30, then: {local: 0.5, formal: 0.5}}",
}
#: Rows of the matrix by the scenarios of the file: war, truce, local, formal, other, collapse.
_STEPS = {
    "war": ["0.9", "0.08", "0", "0", "0.02", "0"],
    "truce": ["0.1", "0.85", "0", "0", "0.05", "0"],
    "local": ["0.1", "0", "0.7", "0.2", "0", "0"],
    "formal": ["0.05", "0", "0.15", "0.8", "0", "0"],
    "other": ["0", "0.1", "0", "0", "0.9", "0"],
    "collapse": ["0.2", "0", "0", "0", "0", "0.8"],
}
_STEPS_BETWEEN = _STEPS | {
    "war": ["0.9", "0", "0.04", "0.04", "0.02", "0"],
    "other": ["0", "0", "0.05", "0.05", "0.9", "0"],
}
_ORDER = ("war", "truce", "local", "formal", "other", "collapse")


def _file(scenarios: str, alive: tuple[str, ...], dynamics: str, weight: str, *, later: bool) -> str:
    rows = {name: ", ".join(f"{id}: {row[id]}" for id in alive if id in row) for name, row in _ROWS.items()}
    text = _HEAD.format(weight=weight) + scenarios + _INDICATORS.format(**rows)
    if dynamics == REGIME:
        moves = _MOVES_BETWEEN if later else _MOVES
        text += "dynamics:\n  moves:\n" + "".join(f"    {id}: {moves[id]}\n" for id in alive)
    if dynamics == STEPS:
        steps = _STEPS_BETWEEN if later else _STEPS
        text += "dynamics:\n  transition:\n"
        for id in alive:
            row = ", ".join(p for to, p in zip(_ORDER, steps[id], strict=True) if to in alive)
            text += f"    {id}: [{row}]\n"
    return text + _TAIL


def before(dynamics: str = REGIME, weight: str = "20") -> str:
    """Return the file as it was before anything changed."""
    return _file(_BEFORE, ("war", "truce", "other"), dynamics, weight, later=False)


def changed(dynamics: str = REGIME, weight: str = "20", *, added: bool = False) -> str:
    """Return the file after the split, and with a scenario `added` on a later day too."""
    alive = ("war", "truce", "local", "formal", "other", *(("collapse",) if added else ()))
    return _file(_CHANGED + (_ADDED if added else ""), alive, dynamics, weight, later=False)


def between(dynamics: str = REGIME, weight: str = "20") -> str:
    """Return the file that says by hand what is in force after the split."""
    return _file(_BETWEEN, ("war", "local", "formal", "other"), dynamics, weight, later=True)


EVIDENCE = """\
id,date,reported,indicator,value,source
r1,2024-01-03,2024-01-04,meeting,yes,agency
r2,2024-01-10,2024-01-11,tone,neutral,paper
r3,2024-01-12,2024-01-13,panel,yes,paper
r4,2024-01-17,2024-01-22,clashes,3,agency
r5,2024-01-26,2024-01-26,tone,friendly,agency
r6,2024-02-02,2024-02-03,meeting,yes,paper
r7,2024-02-06,2024-02-08,tone,hostile,agency
"""
