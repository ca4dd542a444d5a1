"""The blocks `grades` and `sources`: what the Admiralty codes mean, and how reliable each source is."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from forecast.case import elicit, fields
from forecast.case.faults import Faults, listed, meant
from forecast.case.judgement import Proportions
from forecast.case.question import CREDIBILITY, Source
from forecast.case.read_judgement import Asked, Defaults, read_probability
from forecast.case.read_yaml import Node

#: Reliability by Admiralty letter: the mean and the weight. Conventions, not measurements. F is "cannot be
#: judged": no basis rather than a bad record, hence the small weight.
RELIABILITY: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"A": (0.95, 10), "B": (0.85, 10), "C": (0.65, 10), "D": (0.40, 10), "E": (0.15, 10), "F": (0.20, 2)}
)
#: How credibilities are written; a report without one is "ungraded".
_CODES: Mapping[str, str] = MappingProxyType({code or "ungraded": code for code in CREDIBILITY})


def read_grades(
    node: Node | None, faults: Faults, defaults: Defaults
) -> tuple[Mapping[str, Proportions], Mapping[str, float]]:
    """Return the reliability of each letter and the factor of each credibility, with what `grades` changes.

    A letter takes a judgement of the chance that such a source tells what happened (a plain number has
    the letter's usual weight); 1 to 6 and ``ungraded`` take a factor from 0 to 1.
    """
    letters = {
        letter: elicit.plain(elicit.yes(mean), weight, floor=False, learn=defaults.learn)
        for letter, (mean, weight) in RELIABILITY.items()
    }
    factors = dict(CREDIBILITY)
    if node is None:
        return letters, CREDIBILITY
    block = fields.Block(node, "grades", faults, keys=(*letters, *_CODES), example="{A: 0.97, 3: 0.6}")
    for key, entry in block.entries.items():
        where = block.name(key)
        if key in _CODES:
            factor = fields.number(entry, where, faults, fields.PROBABILITY)
            if factor is not None:
                factors[_CODES[key]] = factor
        elif key in RELIABILITY:
            usual = Defaults(RELIABILITY[key][1], defaults.words, defaults.learn)
            judged = _read_letter(entry, where, faults, usual)
            if judged is not None:
                letters[key] = judged
    return letters, MappingProxyType(factors)


def _read_letter(node: Node, where: str, faults: Faults, usual: Defaults) -> Proportions | None:
    """Read a letter's judgement; its plain number keeps the usual weight, as the built-in ones do."""
    if isinstance(node.value, float | int) and not isinstance(node.value, bool) and 0 < node.value < 1:
        return read_probability(node, Asked(where, faults, usual, floor=False))
    return read_probability(node, Asked(where, faults, usual))


def read_sources(
    node: Node | None, faults: Faults, defaults: Defaults, letters: Mapping[str, Proportions]
) -> tuple[Source, ...]:
    """Return the sources, in the order of the file."""
    if node is None:
        return ()
    entries = fields.mapping(node, "sources", faults, example="{agency: {title: ..., reliability: B}}") or {}
    found = []
    for id, entry in entries.items():
        fields.check_id(id, node.key_lines.get(id, node.line), "source", faults)
        source = _read_source(id, entry, faults, defaults, letters)
        if source is not None:
            found.append(source)
    return tuple(found)


def _read_source(
    id: str, node: Node, faults: Faults, defaults: Defaults, letters: Mapping[str, Proportions]
) -> Source | None:
    where, example = f"sources.{id}", "{title: ..., reliability: B}"
    block = fields.Block(node, where, faults, keys=("title", "reliability", "learn"), example=example)
    title, learn = block.text("title", id), block.flag("learn", defaults.learn)
    judged = block.need("reliability", fix="write a grade from A to F, or a judgement of a probability")
    if judged is None:
        return None
    inside = Defaults(defaults.weight, defaults.words, learn)
    if isinstance(judged.value, str) and judged.value.upper() in letters and judged.value not in letters:
        problem = f"{where}.reliability: grades are capitals"
        hint = meant(judged.value, letters)
        faults.add(judged.line, judged.shown, problem, allowed=listed(letters), fix=hint)
        return None
    reliability = read_probability(judged, Asked(f"{where}.reliability", faults, inside, grades=letters))
    return None if reliability is None else Source(id, title, reliability)
