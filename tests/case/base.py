"""A small valid case as text, and how to write a changed one to disk."""

from __future__ import annotations

from pathlib import Path

QUESTION = """\
title: Will they sign?
opened: 2024-01-01
horizon: 2024-06-30
weight: 20
scenarios:
  war: {title: War, prior: 0.6}
  truce: {title: Truce, prior: 0.3}
  other: {title: Other, prior: 0.1, residual: true}
dynamics:
  moves:
    war: {lasts: 40, then: {truce: 1}}
    truce: {lasts: {low: 6, high: 30}, then: {war: 0.7, other: 0.3}}
    other: {lasts: .inf}
indicators:
  meeting: {likelihood: {war: 0.05, truce: 0.3}}
  tone:
    values: [hostile, neutral, friendly]
    likelihood:
      war: [0.7, 0.2, 0.1]
      truce: [0.2, 0.5, 0.3]
  reply: {given: meeting, likelihood: {war: unlikely, truce: {low: 0.4, high: 0.9}}}
  clashes: {kind: count, likelihood: {war: {mean: 6}, truce: {mean: 2}}}
  price: {kind: measure, likelihood: {war: {mean: 1.2, sd: 0.4}, truce: {mean: 1, sd: 0.4}}}
  panel: {kind: ratio, likelihood: {war: 1, truce: 3}}
  convoy:
    likelihood: {war: 0.1, truce: {hits: 3, of: 10}}
    monitored: {since: 2024-01-01, until: 2024-06-30, detection: 0.6, lag: 7}
groups:
  front: {indicators: [clashes, convoy], correlation: 0.4}
sources:
  agency: {reliability: B}
  paper: {reliability: {p: 0.7, weight: 15}}
reporting: ignored
"""

HEADER = (
    "id,date,reported,indicator,value,source,credibility,repeats,independence,"
    "testimony,replaces,via,note,citation"
)

EVIDENCE = f"""\
{HEADER}
r1,2024-01-03,2024-01-04,meeting,yes,agency,2,,,,,,,
r2,2024-01-03,2024-01-05,meeting,yes,paper,2,r1,,,,,,
r3,2024-01-10,2024-01-11,tone,neutral,agency,2,,,minister,,Radio; TV,,
r4,2024-01-10,2024-01-12,clashes,4,agency,2,,,,,,,
r5,2024-01-10,2024-01-20,clashes,5,agency,2,,,,r4,,,
r6,2024-01-17,2024-01-18,price,1.15,paper,1,,,,,,,
r7,2024-01-17,2024-01-18,panel,yes,paper,1,,,,,,,
c1,2019-07-01,,,,,,,,,,,context,
r8,2024-01-24,2024-01-25,convoy,yes,paper,2,,,,,,,
"""


def write(folder: Path, question: str | bytes = QUESTION, evidence: str | bytes = EVIDENCE) -> Path:
    """Write a case folder and return it."""
    for name, content in (("question.yaml", question), ("evidence.csv", evidence)):
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(data)
    return folder


def changed(text: str, old: str, new: str) -> tuple[str, int]:
    """Return a text with one change, and the line in which it begins to differ."""
    assert text.count(old) == 1, f"{old!r} must be there exactly once"
    after = text.replace(old, new)
    pairs = enumerate(zip(text.splitlines(), after.splitlines(), strict=False), start=1)
    line = next((i for i, (before, now) in pairs if before != now), len(text.splitlines()) + 1)
    return after, line
