"""One judgement as it may be written: a number, an interval, a word, a grade, past cases, a list.

===================================  =======================================================
written                              meaning
===================================  =======================================================
``0.05``                             a best estimate with the default weight
``{p: 0.05, weight: 40}``            the same with a weight of its own
``{low: 0.02, high: 0.10}``          a central 90 % interval
``likely`` or ``{word: likely}``     a word of the question's scale
``{hits: 3, of: 40}``                past cases
``B`` or ``{grade: B}``              an Admiralty letter (reliability of a source only)
``[0.7, 0.25, 0.05]``                one probability per value, for two values or more
``{p: [...], weight: 40}``           the same with a weight of its own
``{hits: [28, 10, 2]}``              past cases per value
``{mean: 6}``                        the mean of a count
``{mean: 1.2, sd: 0.4}``             the mean of a measure, and its known sd
===================================  =======================================================

Every mapping may say ``learn: false``. With two values a single probability is that of the second one
("yes"; whatever is not the quiet value).

Numbers that belong together: probabilities that sum to 1, and the two ends of an interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from forecast.case import elicitation
from forecast.case.errors import Faults, listed, meant
from forecast.case.judgement import MeasureMean, Positive, Proportions
from forecast.case.probability_words import band, scale_named
from forecast.case.reader import fields
from forecast.case.reader.yaml_source import Node

#: A weight that leaves a smallest parameter below this puts nearly all belief on exactly 0 or 1.
LEAST_CASES = 0.01

_KEYS = ("p", "low", "high", "hits", "of", "word", "grade", "weight", "learn")
_INSIDE = fields.Range(0, 1, low_open=True, high_open=True)
_CASES = fields.Range(0, 1e9, whole=True)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds where a judgement does not say: its weight, the scale of words, whether it learns."""

    weight: float
    words: str
    learn: bool

    def within(self, block: fields.Block) -> Defaults:
        """Return the defaults inside a block that may say `learn` and, where it is allowed, `weight`."""
        weight = block.number("weight", self.weight, fields.WEIGHT)
        return Defaults(weight, self.words, block.flag("learn", self.learn))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a judgement is about.

    Attributes
    ----------
    where, faults
        Its name, for messages, and where they go.
    defaults : Defaults
        What holds where it does not say.
    values : sequence of str
        The values that its probabilities are about, in order.
    grades : mapping or None
        Admiralty letters that may stand for it.
    floor : bool
        Raise the weight of a plain number to 1 / min(p, 1 - p).
    """

    where: str
    faults: Faults
    defaults: Defaults
    values: Sequence[str] = ("no", "yes")
    grades: Mapping[str, Proportions] | None = None
    floor: bool = True

    @property
    def is_vector(self) -> bool:
        """Whether it takes more than one number."""
        return len(self.values) > 2


def read_probability(node: Node, asked: Asked) -> Proportions | None:
    """Return the judgement of a probability (over two values) or of a vector (over more).

    A fault is noted, and None returned, where the node says none.
    """
    if isinstance(node.value, Mapping):
        return _read_mapping(node, asked)
    if isinstance(node.value, str):
        return _read_name(node, asked)
    return _read_estimate(node, None, asked)


def read_count_mean(node: Node, where: str, faults: Faults, defaults: Defaults) -> Positive | None:
    """Return the judgement of a count's mean: ``{mean: 6}``."""
    example = "{mean: 6}"
    block = fields.Block(node, where, faults, keys=("mean", "weight", "learn"), example=example)
    inside = defaults.within(block)
    mean = block.need_number("mean", fields.Range(0), fix=f"write, e.g., {example}")
    if mean is None:
        return None
    if mean == 0 and not math.isinf(inside.weight):
        small = "a small mean such as 0.05"
        _refuse_certainty(node, Asked(where, faults, defaults), "{mean: 0, weight: .inf}", small=small)
        return None
    return elicitation.count_mean(mean, inside.weight, learn=inside.learn)


def read_measure_mean(node: Node, where: str, faults: Faults, defaults: Defaults) -> MeasureMean | None:
    """Return the judgement of a measure's mean and its known sd: ``{mean: 1.2, sd: 0.4}``."""
    example = "{mean: 1.2, sd: 0.4}"
    block = fields.Block(node, where, faults, keys=("mean", "sd", "weight", "learn"), example=example)
    inside = defaults.within(block)
    mean = block.need_number("mean", fields.ANY, fix=f"write, e.g., {example}")
    sd = block.need_number("sd", fields.POSITIVE, fix=f"write, e.g., {example}")
    if mean is None or sd is None:
        return None
    return MeasureMean(mean, sd, inside.weight, inside.learn)


def _read_mapping(node: Node, asked: Asked) -> Proportions | None:
    """Read a judgement written as a mapping: which form it is shows in its keys."""
    assert isinstance(node.value, Mapping)
    forms = {
        "p": ("p", "weight", "learn"),
        "low": ("low", "high", "learn"),
        "high": ("low", "high", "learn"),
        "hits": ("hits", "learn") if asked.is_vector else ("hits", "of", "learn"),
        "word": ("word", "learn"),
    } | ({} if asked.grades is None else {"grade": ("grade", "learn")})
    form = next((key for key in forms if key in node.value), None)
    if form is None:
        allowed = "{p, weight}, {low, high}, {hits, of}, {word}" + (", {grade}" if asked.grades else "")
        hint = next((hint for key in node.value if key not in _KEYS and (hint := meant(key, forms))), "")
        problem = f"{asked.where} is not a judgement"
        asked.faults.add(node.line, node.shown, problem, allowed=allowed, fix=hint)
        return None
    block = fields.Block(node, asked.where, asked.faults, keys=forms[form])
    learn = block.flag("learn", asked.defaults.learn)
    asked = replace(asked, defaults=replace(asked.defaults, learn=learn))
    part = node.value[form]
    if form in ("low", "high"):
        return _read_interval(block, asked)
    if form == "hits":
        return _read_hits(block, part, asked)
    if form in ("word", "grade"):
        return _read_name(part, replace(asked, where=block.name(form)))
    weight = block.optional_number("weight", fields.WEIGHT)
    return None if weight is None and "weight" in block else _read_estimate(part, weight, asked)


def _read_interval(block: fields.Block, asked: Asked) -> Proportions | None:
    if asked.is_vector:
        _need_vector(block.node, asked)
        return None
    ends = read_interval(block, _INSIDE, elicitation.beta_from_interval)
    return None if ends is None else elicitation.interval(*ends, learn=asked.defaults.learn)


def _read_estimate(node: Node, weight: float | None, asked: Asked) -> Proportions | None:
    """Read a plain number or list of numbers, of the weight written beside it or else the default one."""
    shares: tuple[float, ...] | None
    if isinstance(node.value, Sequence) and not isinstance(node.value, str):
        shares = read_shares(node, asked.where, asked.faults, asked.values)
    elif asked.is_vector:
        _need_vector(node, asked)
        return None
    else:
        p = fields.number(node, asked.where, asked.faults, fields.PROBABILITY)
        shares = None if p is None else elicitation.yes(p)
    if shares is None:
        return None
    held = asked.defaults.weight if weight is None else weight
    least = min(shares)
    if least == 0.0 and not math.isinf(held):
        _refuse_certainty(node, asked, f"{{p: {node.shown}, weight: .inf}}")
        return None
    if weight is not None and weight * least < LEAST_CASES:
        fix = f"raise the weight to {math.ceil(1 / least):,}, or write no weight: one that fits is then taken"
        problem = f"{asked.where}: a weight of {weight:g} is too small for a probability so near 0 or 1"
        asked.faults.add(node.line, node.shown, problem, fix=fix)
        return None
    floor = asked.floor and weight is None
    return elicitation.plain(shares, held, floor=floor, learn=asked.defaults.learn)


def _read_hits(block: fields.Block, part: Node, asked: Asked) -> Proportions | None:
    """Read past cases: a list with the cases of each value, or the hits among a number of cases."""
    where, faults, learn = block.name("hits"), asked.faults, asked.defaults.learn
    if isinstance(part.value, Sequence) and not isinstance(part.value, str):
        counts = [fields.number(entry, where, faults, _CASES) for entry in part.value]
        if "of" in block:
            problem = f"{where} is a list, which has its own total"
            faults.add(part.line, block.node.shown, problem, fix="remove `of`")
        if len(counts) != len(asked.values):
            problem = f"{where} has {len(counts)} numbers for {len(asked.values)} values"
            allowed = f"one for each value, in this order: {listed(asked.values)}"
            faults.add(part.line, part.shown, problem, allowed=allowed)
            return None
        known = [n for n in counts if n is not None]
        return elicitation.hits(known, learn=learn) if len(known) == len(counts) else None
    if asked.is_vector:
        _need_vector(block.node, asked)
        return None
    fix = "write both, e.g. {hits: 3, of: 40}"
    hit, total = block.need_number("hits", _CASES, fix=fix), block.need_number("of", _CASES, fix=fix)
    if hit is None or total is None:
        return None
    if hit > total or total == 0:
        problem = f"{asked.where}: there cannot be {hit:g} hits among {total:g} cases"
        faults.add(block.line, block.node.shown, problem, allowed="hits at most `of`, and `of` at least 1")
        return None
    return elicitation.hits((total - hit, hit), learn=learn)


def _read_name(node: Node, asked: Asked) -> Proportions | None:
    """Read a word of probability, or the letter of a grade where there are grades."""
    name, learn = node.text, asked.defaults.learn
    if asked.is_vector:
        _need_vector(node, asked)
        return None
    if asked.grades is not None and name in asked.grades:
        grade = asked.grades[name]
        return replace(grade, learn=learn and grade.learn)
    try:
        low, high = band(name, asked.defaults.words)
    except ValueError:
        _refuse_name(node, asked)
        return None
    if low == high:
        small = "a word short of certainty"
        _refuse_certainty(node, asked, f"{{p: {low:g}, weight: .inf}}", small=small)
        return None
    return elicitation.word(name, asked.defaults.words, learn=learn)


def _refuse_name(node: Node, asked: Asked) -> None:
    """Note that a name is neither word nor grade; if it looks like a number, that it must be one."""
    if fields.looks_numeric(node.text):
        fields.number(node, asked.where, asked.faults, fields.PROBABILITY)
        return
    words = scale_named(asked.defaults.words).words
    letters = tuple(asked.grades or ())
    grades = f"a grade ({listed(letters)}), " if letters else ""
    scale = asked.defaults.words
    allowed = f"{grades}a number, {{low, high}}, {{hits, of}} or a word of {scale}: {listed(words)}"
    hint = meant(node.text, [*words, *letters])
    asked.faults.add(node.line, node.shown, f"{asked.where} is not a judgement", allowed=allowed, fix=hint)


def _need_vector(node: Node, asked: Asked) -> None:
    """Note that one number will not do."""
    problem = f"{asked.where} needs one probability for each of {len(asked.values)} values"
    allowed = f"a list, {{p: [...], weight}} or {{hits: [...]}}, in this order: {listed(asked.values)}"
    asked.faults.add(node.line, node.shown, problem, allowed=allowed)


def _refuse_certainty(node: Node, asked: Asked, exact: str, *, small: str = "") -> None:
    """Note that 0 or 1 was written without saying that exactly that is meant."""
    problem = f"{asked.where} is certain: no evidence could ever overturn it"
    fix = f"write {small or 'a small probability such as 0.01 (or 0.99)'}, or {exact} if it is meant exactly"
    asked.faults.add(node.line, node.shown, problem, fix=fix)


#: How far from 1 the sum of written probabilities may be: they are then made to sum to 1.
SUM_TOLERANCE = 1e-6


def read_shares(
    node: Node, where: str, faults: Faults, values: Sequence[str], *, of: str = "value"
) -> tuple[float, ...] | None:
    """Return a list of probabilities, one for each of `values`, that sum to 1."""
    entries = fields.items(node, where, faults)
    if entries is None:
        return None
    if len(entries) != len(values):
        problem = f"{where} has {len(entries)} numbers for {len(values)} {of}s"
        allowed = f"one for each {of}, in this order: {listed(values)}"
        faults.add(node.line, node.shown, problem, allowed=allowed)
        return None
    read = [
        fields.number(entry, f"{where} ({value})", faults, fields.PROBABILITY)
        for entry, value in zip(entries, values, strict=True)
    ]
    found = tuple(x for x in read if x is not None)
    if len(found) < len(values) or not sums_to_one(found, node.line, node.shown, where, faults):
        return None
    return found


def sums_to_one(found: Sequence[float], line: int, shown: str, where: str, faults: Faults) -> bool:
    """Return whether probabilities sum to 1, and note a fault if they do not."""
    total = math.fsum(found)
    if abs(total - 1.0) <= SUM_TOLERANCE:
        return True
    problem = f"{where}: the probabilities sum to {total:.6g}, not to 1"
    faults.add(line, shown, problem, fix="change them until they do")
    return False


def read_interval(
    block: fields.Block, allowed: fields.Range, fit: Callable[[float, float], object]
) -> tuple[float, float] | None:
    """Return the ends `low` and `high` of a block, for which `fit` finds an answer."""
    fix = "an interval needs both low and high"
    low, high = block.need_number("low", allowed, fix=fix), block.need_number("high", allowed, fix=fix)
    if low is None or high is None:
        return None
    if low >= high:
        fix = "write the smaller number as low"
        block.faults.add(block.line, block.node.shown, f"{block.where}: low is not below high", fix=fix)
        return None
    try:
        fit(low, high)
    except ValueError:
        problem = f"{block.where}: the interval is too narrow or too wide to compute with"
        fix = "write a single best estimate, with a weight"
        block.faults.add(block.line, block.node.shown, problem, fix=fix)
        return None
    return low, high
