"""Conversion of every notation of a judgement in ``question.yaml`` to its distribution.

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
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from forecast.case import elicitation
from forecast.case.errors import listed, meant
from forecast.case.judgement import MeasureMean, Positive, Proportions
from forecast.case.probability_words import band, scale_named
from forecast.case.reader import schema_judgements as schema
from forecast.case.reader.messages import Block, Limits, Place, number_fix

#: A weight that leaves a smallest parameter below this puts nearly all belief on exactly 0 or 1.
LEAST_CASES = 0.01
#: How far from 1 the sum of written probabilities may be: they are then made to sum to 1.
SUM_TOLERANCE = 1e-6

YES_NO = ("no", "yes")


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds where a judgement does not say: its weight, the scale of words, whether it learns."""

    weight: float
    words: str
    learn: bool

    def within(self, block: Block) -> Defaults:
        """Return these defaults overridden by a block's own `learn` and `weight`."""
        weight, learn = getattr(block, "weight", None), getattr(block, "learn", None)
        return Defaults(weight or self.weight, self.words, self.learn if learn is None else learn)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a judgement is about: values in their order, and the Admiralty letters that may stand for it.

    `floor`: the weight of a plain number is raised to 1 / min(p, 1 - p).
    """

    place: Place
    defaults: Defaults
    values: Sequence[str] = YES_NO
    grades: Mapping[str, Proportions] | None = None
    floor: bool = True

    def part(self, key: str) -> Asked:
        """Return the same for an entry of the judgement's block."""
        return replace(self, place=self.place[key])


def proportions(written: schema.Written | None, asked: Asked) -> Proportions | None:
    """Return the judgement of a probability (over two values) or of a vector (over more), None at a fault."""
    if written is None:
        return None
    if isinstance(written, schema.Judged):
        learn = asked.defaults.within(written).learn
        asked = replace(asked, defaults=replace(asked.defaults, learn=learn))
    match written:
        case schema.Estimate():
            return None if written.p is None else _estimate(written.p, written.weight, asked.part("p"))
        case schema.PastCases():
            return _past_cases(written, asked)
        case schema.Word():
            return _name(written.word, asked.part("word"))
        case schema.Grade():
            return _name(written.grade, asked.part("grade"))
        case str():
            return _name(written, asked)
        case schema.Interval():
            if len(asked.values) > 2:
                return _need_vector(asked)
            between = ends(written, asked.place, elicitation.beta_from_interval)
            return between and elicitation.interval(*between, learn=asked.defaults.learn)
    return _estimate(written, None, asked)


def count_mean(written: schema.CountMean, place: Place, defaults: Defaults) -> Positive | None:
    """Return the judgement of a count's mean."""
    inside, own = defaults.within(written), written.weight
    if written.mean is None:
        return None
    if written.mean and own is not None and own * written.mean < LEAST_CASES:
        _refuse_weight(place, own, written.mean, "so small a mean")
        return None
    if written.mean == 0 and not math.isinf(inside.weight):
        _refuse_certainty(place, "{mean: 0, weight: .inf}", small="a small mean such as 0.05")
        return None
    return elicitation.count_mean(written.mean, inside.weight, floor=own is None, learn=inside.learn)


def measure_mean(written: schema.MeasureMean, defaults: Defaults) -> MeasureMean | None:
    """Return the judgement of a measure's mean and its known sd."""
    inside = defaults.within(written)
    if written.mean is None or written.sd is None:
        return None
    return MeasureMean(written.mean, written.sd, inside.weight, inside.learn)


def _estimate(p: float | list[float], weight: float | None, asked: Asked) -> Proportions | None:
    """Return what a plain number or a list of numbers means, of its own weight or else the default one."""
    place = asked.place
    if isinstance(p, float | int):
        if len(asked.values) > 2:
            return _need_vector(asked)
        shares: Sequence[float] = elicitation.yes(p)
    elif not fits(p, place, asked.values, "value"):
        return None
    else:
        shares = p
    held, least = asked.defaults.weight if weight is None else weight, min(shares)
    if least == 0.0 and not math.isinf(held):
        return _refuse_certainty(place, f"{{p: {place.node.shown}, weight: .inf}}")
    if weight is not None and weight * least < LEAST_CASES:
        _refuse_weight(place, weight, least, "a probability so near 0 or 1")
        return None
    return elicitation.plain(shares, held, floor=asked.floor and weight is None, learn=asked.defaults.learn)


def _refuse_weight(place: Place, weight: float, least: float, what: str) -> None:
    """Note that a weight leaves nearly all belief on exactly 0 or 1."""
    fix = f"raise the weight to {math.ceil(1 / least):,}, or write no weight: one that fits is then taken"
    place.refuse(f": a weight of {weight:g} is too small for {what}", fix=fix)


def _past_cases(written: schema.PastCases, asked: Asked) -> Proportions | None:
    """Return what past cases mean: those of each value, or the hits among a number of cases."""
    hits, total, place, learn = written.hits, written.of, asked.place, asked.defaults.learn
    if isinstance(place["hits"].node.value, list):
        if "of" in place:
            place["hits"].refuse("is a list, which has its own total", fix="remove `of`")
        if not isinstance(hits, list):
            return None
        if len(hits) != len(asked.values):
            allowed = f"one for each value, in this order: {listed(asked.values)}"
            place["hits"].refuse(f"has {len(hits)} numbers for {len(asked.values)} values", allowed=allowed)
            return None
        return elicitation.hits(hits, learn=learn)
    if len(asked.values) > 2:
        return _need_vector(asked)
    if "of" not in place:
        place["of"].refuse("is missing", fix="write both, e.g. {hits: 3, of: 40}", value=None)
    if not isinstance(hits, float) or total is None:
        return None
    if hits > total or total == 0:
        allowed = "hits at most `of`, and `of` at least 1"
        place.refuse(f": there cannot be {hits:g} hits among {total:g} cases", allowed=allowed)
        return None
    return elicitation.hits((total - hits, hits), learn=learn)


def _name(name: str | None, asked: Asked) -> Proportions | None:
    """Return what a word of probability means, or the letter of a grade where there are grades."""
    learn, words = asked.defaults.learn, asked.defaults.words
    if name is None:
        return None
    if len(asked.values) > 2:
        return _need_vector(asked)
    if asked.grades is not None and name in asked.grades:
        grade = asked.grades[name]
        return replace(grade, learn=learn and grade.learn)
    try:
        low, high = band(name, words)
    except ValueError:
        return _refuse_name(name, asked)
    if low == high:
        exact = f"{{p: {low:g}, weight: .inf}}"
        return _refuse_certainty(asked.place, exact, small="a word short of certainty")
    return elicitation.word(name, words, learn=learn)


def _refuse_name(name: str, asked: Asked) -> Proportions | None:
    """Note the fault of a text that is no probability word, grade or number."""
    if number_fix(name):
        asked.place.refuse("must be a number", allowed=str(Limits(ge=0, le=1)), fix=number_fix(name))
        return None
    scale, letters = asked.defaults.words, tuple(asked.grades or ())
    words = scale_named(scale).words
    grades = f"a grade ({listed(letters)}), " if letters else ""
    allowed = f"{grades}a number, {{low, high}}, {{hits, of}} or a word of {scale}: {listed(words)}"
    asked.place.refuse("is not a judgement", allowed=allowed, fix=meant(name, [*words, *letters]))
    return None


def _need_vector(asked: Asked) -> Proportions | None:
    """Note that one number will not do."""
    allowed = f"a list, {{p: [...], weight}} or {{hits: [...]}}, in this order: {listed(asked.values)}"
    asked.place.refuse(f"needs one probability for each of {len(asked.values)} values", allowed=allowed)
    return None


def _refuse_certainty(place: Place, exact: str, *, small: str = "") -> Proportions | None:
    """Note that 0 or 1 was written without saying that exactly that is meant."""
    fix = f"write {small or 'a small probability such as 0.01 (or 0.99)'}, or {exact} if it is meant exactly"
    place.refuse("is certain: no evidence could ever overturn it", fix=fix)
    return None


def fits(shares: Sequence[float], place: Place, values: Sequence[str], of: str) -> bool:
    """Return whether there is one probability for each of `values` and they sum to 1; note it if not."""
    if len(shares) == len(values):
        return sums_to_one(shares, place)
    allowed = f"one for each {of}, in this order: {listed(values)}"
    place.refuse(f"has {len(shares)} numbers for {len(values)} {of}s", allowed=allowed)
    return False


def sums_to_one(shares: Sequence[float], place: Place, shown: str = "") -> bool:
    """Return whether probabilities sum to 1, and note a fault if they do not."""
    total = math.fsum(shares)
    if abs(total - 1.0) <= SUM_TOLERANCE:
        return True
    fix = "change them until they do"
    place.refuse(f": the probabilities sum to {total:.6g}, not to 1", value=shown, fix=fix)
    return False


def ends(
    written: schema.Interval | schema.Stay, place: Place, fit: Callable[[float, float], object]
) -> tuple[float, float] | None:
    """Return the ends of an interval for which `fit` finds an answer."""
    low, high = written.low, written.high
    if low is None or high is None:
        return None
    if low >= high:
        place.refuse(": low is not below high", fix="write the smaller number as low")
        return None
    try:
        fit(low, high)
    except ValueError:
        fix = "write a single best estimate, with a weight"
        place.refuse(": the interval is too narrow or too wide to compute with", fix=fix)
        return None
    return low, high
