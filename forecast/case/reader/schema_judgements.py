"""Pydantic schema of a judgement: the forms in which a person may write a probability, a mean or a stay.

The scalars and the means to tell forms apart are here as well, for the rest of ``question.yaml`` in
:mod:`forecast.case.reader.schema`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, GetCoreSchemaHandler, StrictBool, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from forecast.case.errors import meant
from forecast.case.reader.messages import (
    Block,
    Limits,
    day_of,
    different,
    entries_of,
    name_of,
    refused,
    text_of,
    value_of,
)

Text = Annotated[str, BeforeValidator(text_of), WithJsonSchema({"type": ["string", "number", "boolean"]})]
Name = Annotated[str, BeforeValidator(name_of), WithJsonSchema({"type": ["string", "number"]})]
Names = Annotated[list[Name], AfterValidator(different)]
Day = Annotated[date, BeforeValidator(day_of)]
PLAIN = BeforeValidator(value_of)
Flag = Annotated[StrictBool, PLAIN]
Number = Annotated[float, Limits()]
Times = Annotated[float, Limits(words="a number above 0")]  # or 0, where the weight is infinite
AtLeastZero = Annotated[float, Limits(ge=0)]
Positive = Annotated[float, Limits(gt=0)]
Length = Annotated[float, Limits(gt=0, infinite=True)]
Probability = Annotated[float, Limits(ge=0, le=1)]
Share = Annotated[float, Limits(gt=0, le=1)]
AboveOne = Annotated[float, Limits(gt=1, infinite=True)]
BelowOne = Annotated[float, Limits(ge=0, lt=1)]
Uncertain = Annotated[float, Limits(gt=0, lt=1)]
#: A judgement worth less than a tenth of a case says nothing, and its density piles up at 0 and 1.
Weight = Annotated[float, Limits(ge=0.1, infinite=True)]
Days = Annotated[float, Limits(ge=0, le=36_500, whole=True)]
Cases = Annotated[float, Limits(ge=0, le=1e9, whole=True)]
Shares = list[Probability]

CASES = "how many past cases a judgement is worth"


def block(example: str) -> BeforeValidator:
    """Return the check of a block whose keys are ids; `other` stands for a scenario of the question."""
    return BeforeValidator(lambda written: entries_of(written, example))


def need(description: str, fix: str) -> Any:
    """Return a field that must be written; `fix` says what to do where it is not."""
    return Field(description=description, json_schema_extra={"fix": fix})


def may(description: str, default: object = None) -> Any:
    """Return a field that may be left out."""
    return Field(default, description=description)


def _shape(written: Any) -> str:
    """Return how a value is written."""
    if isinstance(written, dict | list):
        return "block" if isinstance(written, dict) else "list"
    return "word" if isinstance(value_of(written), str) else "number"


class Forms:
    """A value with several forms, told apart by how it is written; what has none is read as the first."""

    def __init__(self, form: Callable[[Any], str] = _shape, **types: Any) -> None:
        self.form, self.types = form, types

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        choices = {f"({name})": handler.generate_schema(one) for name, one in self.types.items()}
        return core_schema.tagged_union_schema(choices, discriminator=self._which)

    def _which(self, written: Any) -> str:
        form = self.form(written)
        return f"({next(iter(self.types)) if self.form is _shape and form not in self.types else form})"


def only(word: str, other: str) -> BeforeValidator:
    """Return the check of the one word that may stand in place of a block, `other`."""

    def check(written: Any) -> Any:
        if value_of(written) != word:
            hint = meant(str(value_of(written)), [word])
            raise refused("is not one of those there are", allowed=f"{word}, or {other}", fix=hint)
        return word

    return BeforeValidator(check)


ShareOrShares = Annotated[float | list[float], Forms(number=Probability, list=Shares)]
CasesOfEach = Annotated[float | list[float], Forms(number=Cases, list=list[Cases])]


class Judged(Block):
    """What every judgement written as a block may say."""

    learn: Flag | None = may("false: it stays uncertain, but this question's evidence does not revise it")


class Estimate(Judged):
    """A best estimate with a weight of its own: {p: 0.05, weight: 40}."""

    p: ShareOrShares | None = need("the probability, or one for each value", "write the probability")
    weight: Weight | None = may(CASES)


class Interval(Judged):
    """A central 90 % interval: {low: 0.02, high: 0.10}."""

    low: Uncertain | None = need("the 5 % quantile", "an interval needs both low and high")
    high: Uncertain | None = need("the 95 % quantile", "an interval needs both low and high")


class PastCases(Judged):
    """Past cases: {hits: 3, of: 40}, or {hits: [28, 10, 2]} for each value."""

    hits: CasesOfEach | None = need("how many of the cases, or those of each value", "write the cases")
    of: Cases | None = may("how many cases there were")


class Word(Judged):
    """A word of the question's scale: {word: likely}."""

    word: Text | None = need("a word of probability of the question's scale", "write the word")


class Grade(Judged):
    """An Admiralty grade: {grade: B}."""

    grade: Text | None = need("an Admiralty grade, A to F", "write the grade")


_BLOCKS = {"p": "estimate", "low": "interval", "high": "interval", "hits": "cases", "word": "name"}
_JUDGEMENT_KEYS = (*_BLOCKS, "grade", "of", "weight", "learn")


def _form(written: Any) -> str:
    """Return which form of a judgement a value has: a block's shows in its keys."""
    if not isinstance(written, dict):
        return _shape(written)
    return next((form for key, form in _BLOCKS.items() if key in written), "grade")


def _check_form(*more: str) -> BeforeValidator:
    """Return the check that a block has a key which tells its form."""
    keys = (*_BLOCKS, *more)
    allowed = "".join(["{p, weight}, {low, high}, {hits, of}, {word}", *(f", {{{key}}}" for key in more)])

    def check(written: Any) -> Any:
        if isinstance(written, dict) and not any(key in written for key in keys):
            hints = (meant(key, keys) for key in written if key not in _JUDGEMENT_KEYS)
            raise refused("is not a judgement", allowed=allowed, fix=next(filter(None, hints), ""))
        return written

    return BeforeValidator(check)


Written = float | str | list[float] | Estimate | Interval | PastCases | Word | Grade
_WRITTEN = {
    "number": Probability, "word": Annotated[str, BeforeValidator(text_of)], "list": Shares,
    "estimate": Estimate, "interval": Interval, "cases": PastCases, "name": Word,
}  # fmt: skip
Chance = Annotated[Written, Forms(_form, **_WRITTEN), _check_form()]
Reliability = Annotated[Written, Forms(_form, **_WRITTEN, grade=Grade), _check_form("grade")]


class CountMean(Judged):
    """The mean of a count in one period: {mean: 6}."""

    example = "{mean: 6}"
    mean: AtLeastZero | None = need("the mean of one period's count", f"write, e.g., {example}")
    weight: Weight | None = may(CASES)


class MeasureMean(Judged):
    """The mean of a measure in one period and its known sd: {mean: 1.2, sd: 0.4}."""

    example = "{mean: 1.2, sd: 0.4}"
    mean: Number | None = need("the mean of one period's value", f"write, e.g., {example}")
    sd: Positive | None = need("its standard deviation", f"write, e.g., {example}")
    weight: Weight | None = may(CASES)


class Stay(Judged):
    """A 90 % interval for the mean stay in periods: {low: 6, high: 30}."""

    low: Positive | None = need("the 5 % quantile", "an interval needs both low and high")
    high: Positive | None = need("the 95 % quantile", "an interval needs both low and high")
