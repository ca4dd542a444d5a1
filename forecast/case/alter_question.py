"""A question with other judgements: what was written is changed and read again, by the same reader.

A change is named in the analyst's own words (``reliability sohr``, ``likelihood meeting tactical``) and its
value is written as in ``question.yaml``. No file is touched.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from forecast.case.faults import Faults, InputError, listed, meant
from forecast.case.in_force import ever, forms
from forecast.case.question import Moves, Question, Transition
from forecast.case.read_question import parse_question
from forecast.case.read_yaml import Node, load_yaml

#: How a change is named: the word, what else is named, and where that stands in question.yaml.
FORMS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "prior": (("scenario",), ("scenarios", "{0}", "prior")),
    "likelihood": (("indicator", "scenario"), ("indicators", "{0}", "likelihood", "{1}")),
    "persistence": (("indicator",), ("indicators", "{0}", "persistence")),
    "detection": (("indicator",), ("indicators", "{0}", "monitored", "detection")),
    "false_alarm": (("indicator",), ("indicators", "{0}", "monitored", "false_alarm")),
    "reliability": (("source",), ("sources", "{0}", "reliability")),
    "lasts": (("scenario",), ("dynamics", "moves", "{0}", "lasts")),
    "then": (("scenario",), ("dynamics", "moves", "{0}", "then")),
    "transition": (("scenario",), ("dynamics", "transition", "{0}")),
    "correlation": (("group",), ("groups", "{0}", "correlation")),
    "grade": (("grade",), ("grades", "{0}")),
}
#: Words that stand alone.
WHOLE = ("prior_weight", "weight", "cap", "learn", "dynamics", "groups")

WHAT_IF = "what if"
_PLAIN = re.compile(r"[\w.+-][\w.+ -]*\Z", re.ASCII)


def altered_question(data: bytes, question: Question, changes: Mapping[str, Any]) -> Question:
    """Return a question with some of its judgements changed.

    Parameters
    ----------
    data : bytes
        What ``question.yaml`` holds.
    question : Question
        What was read from it.
    changes : mapping
        From the name of a judgement ("reliability sohr", "likelihood meeting tactical", "prior", "lasts
        tactical", "cap", ...) to its new value as it stands in ``question.yaml`` ("A", "0.2", "{low: 0.1,
        high: 0.3}", or numbers, lists and mappings); None or "" removes the entry.

    Raises
    ------
    InputError
        Where a change names nothing that there is, or the question could not be read with it.

    Examples
    --------
    >>> altered_question(data, question, {"reliability sohr": "A"}).sources  # doctest: +SKIP
    """
    faults = Faults(WHAT_IF)
    tree = load_yaml(data, faults)
    for key, value in changes.items():
        new = _node(key, value, faults)
        for path, node in _places(key, new, question, faults):
            tree = tree and _put(tree, path, node)
    _raise(faults)
    assert tree is not None
    altered, _ = parse_question(_text(tree).encode(), faults)
    _raise(faults)
    assert altered is not None
    return altered


def _raise(faults: Faults) -> None:
    """Raise what was found; lines are those of no file."""
    if faults.found:
        raise InputError(replace(fault, line=0) for fault in faults.found)


def _node(key: str, value: Any, faults: Faults) -> Node | None:
    """Return a value as the reader has it, None for one that is to go."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    written = value if isinstance(value, str) else _written(value)
    found = Faults(WHAT_IF)
    top = load_yaml(f"value: {written}".encode(), found)
    if top is None or found.found or not isinstance(top.value, Mapping) or set(top.value) != {"value"}:
        fix = "write it as in question.yaml, e.g. 0.2, {low: 0.1, high: 0.3}, likely or B"
        faults.add(0, str(written), f"{key}: the value cannot be read", fix=fix)
        return None
    return top.value["value"]


def _written(value: Any) -> str:
    """Return a number, list or mapping as YAML has it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(str(k))}: {_written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return ".inf" if math.isinf(value) and value > 0 else repr(float(value))
    return str(value) if _PLAIN.match(str(value)) else json.dumps(str(value))


def _places(
    key: str, node: Node | None, question: Question, faults: Faults
) -> list[tuple[tuple[str, ...], Node | None]]:
    """Return where in the tree a change goes, with what goes there; none where it names nothing."""
    word, *names = key.split() or [""]
    if word in WHOLE and not names:
        return [((word,), node)]
    if word == "prior" and not names:
        return _whole_prior(node, question, faults)
    if word not in FORMS or len(names) != len(FORMS[word][0]):
        allowed = [*(" ".join([w, *map(str.upper, n)]) for w, (n, _) in FORMS.items()), "credibility REPORT"]
        allowed += ["prior", *WHOLE]
        fix = (
            meant(word, [*FORMS, *WHOLE]) if word not in FORMS else "name what the word needs, in this order"
        )
        faults.add(0, key, "nothing that can be changed has this name", allowed="; ".join(allowed), fix=fix)
        return []
    kinds, path = FORMS[word]
    for kind, name in zip(kinds, names, strict=True):
        known = _known(word, kind, question)
        if name not in known:
            fix = meant(name, known) or "name one of these"
            faults.add(0, name, f"{key}: no such {kind} that has it", allowed=listed(known), fix=fix)
            return []
    return [(tuple(step.format(*names) for step in path), node)]


def _whole_prior(
    node: Node | None, question: Question, faults: Faults
) -> list[tuple[tuple[str, ...], Node | None]]:
    """Return the places of a prior given at once: "even", or a probability for each scenario."""
    ids = [scenario.id for scenario in forms(question)[0].scenarios]
    if node is not None and node.text == "even":
        return [(("prior",), node), *((("scenarios", id, "prior"), None) for id in ids)]
    if node is None or not isinstance(node.value, Mapping) or set(node.value) != set(ids):
        allowed = "even, or {" + ", ".join(f"{id}: P" for id in ids) + "}, summing to 1"
        faults.add(0, None if node is None else node.shown, "prior: not a prior", allowed=allowed)
        return []
    return [(("prior",), None), *((("scenarios", id, "prior"), node.value[id]) for id in ids)]


def _known(word: str, kind: str, question: Question) -> list[str]:
    """Return what a change of this word may name."""
    if word in ("detection", "false_alarm"):
        return [i.id for i in question.indicators if i.monitored]
    if word in ("lasts", "then") and not isinstance(question.dynamics, Moves):
        return []
    if word == "transition" and not isinstance(question.dynamics, Transition):
        return []
    if kind == "grade":
        return [*"ABCDEF", *(code for code in question.credibility if code), "ungraded"]
    found: Mapping[str, Sequence[Any]] = {
        "scenario": forms(question)[0].scenarios if word == "prior" else ever(question),
        "indicator": question.indicators,
        "source": question.sources,
        "group": question.groups,
    }
    return [one.id for one in found[kind]]


def _put(tree: Node, path: tuple[str, ...], new: Node | None) -> Node:
    """Return a tree with another entry at a path, which is made where it is not there; None removes it."""
    entries = dict(tree.value) if isinstance(tree.value, Mapping) else {}
    first, *rest = path
    if rest:
        if new is not None or first in entries:
            entries[first] = _put(entries.get(first, Node({}, 0)), tuple(rest), new)
    elif new is None:
        entries.pop(first, None)
    else:
        entries[first] = new
    return replace(tree, value=entries, key_lines=dict.fromkeys(entries, 0))


def _text(node: Node) -> str:
    """Return a tree as YAML on one line."""
    if isinstance(node.value, Mapping):
        return "{" + ", ".join(f"{json.dumps(k)}: {_text(v)}" for k, v in node.value.items()) + "}"
    if isinstance(node.value, Sequence) and not isinstance(node.value, str):
        return "[" + ", ".join(map(_text, node.value)) + "]"
    if node.quoted or (isinstance(node.value, str) and not _PLAIN.match(node.text)):
        return json.dumps(node.text, ensure_ascii=False)
    return node.text
