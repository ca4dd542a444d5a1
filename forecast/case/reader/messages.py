"""Conversion of pydantic's validation errors in ``question.yaml`` to faults in the analyst's terms.

:func:`validated` holds a file's tree against a model. Every error becomes a fault with its line, value, what
is allowed and what to do; the value then counts as None, and the rest is held against the model again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    ValidationError,
    ValidatorFunctionWrapHandler,
    model_validator,
)
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from forecast.case.errors import Faults, listed, meant
from forecast.case.reader.yaml_source import Node, parse_date

_NUMBER_LIKE = re.compile(r"[-+]?[\d.,\s]*\d[\d.,\s]*(%|[eE][-+]?\d+)?\Z")
_ID = re.compile(r"[^\W_][\w.-]*\Z")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file a value stands: its node, its dotted name, and the faults of the file."""

    node: Node
    where: str
    faults: Faults

    def __getitem__(self, key: str) -> Place:
        """Return the place of an entry; on the block's own line where the entry is not written."""
        entries = self.node.value
        node = entries.get(key, self.node) if isinstance(entries, Mapping) else self.node
        return Place(node, f"{self.where}.{key}" if self.where else key, self.faults)

    def __contains__(self, key: str) -> bool:
        """Return whether an entry is written."""
        return isinstance(self.node.value, Mapping) and key in self.node.value

    def item(self, number: int, names: Sequence[str]) -> Place:
        """Return the place of an item of a list, called by its name where there is one for each."""
        items = self.node.value if isinstance(self.node.value, list) else []
        name = names[number] if number < len(names) == len(items) else f"number {number + 1}"
        node = items[number] if number < len(items) else self.node
        return Place(node, f"{self.where} ({name})", self.faults)

    def refuse(self, problem: str, *, allowed: str = "", fix: str = "", value: str | None = "") -> None:
        """Note a fault of the value at this place; `problem` continues the value's name."""
        value = self.node.shown if value == "" else value
        between = "" if problem.startswith(":") else " "
        self.note(value, f"{self.where}{between}{problem}", allowed=allowed, fix=fix)

    def note(self, value: str | None, problem: str, *, allowed: str = "", fix: str = "") -> None:
        """Note a fault on this line."""
        self.faults.add(self.node.line, value, problem, allowed=allowed, fix=fix)

    def check_keys(self, written: Iterable[str], known: Sequence[str]) -> None:
        """Note the keys that are not known."""
        for key in written:
            if key not in known:
                problem = f"unknown key `{key}`" + (f" in {self.where}" if self.where else "")
                self[key].note(key, problem, allowed=listed(known), fix=meant(key, known))

    def check_id(self, id: str, what: str, reserved: Mapping[str, str]) -> None:
        """Note a fault of an id, which becomes a coordinate of the results."""
        if not _ID.match(id):
            allowed = "letters, digits, _ - and ., beginning with a letter or digit"
            self.note(id, f"the id of a {what} cannot be written so", allowed=allowed)
        if id in reserved:
            self.note(id, f"this id is {reserved[id]}", fix="choose another id")


class Entries(dict[str, Any]):
    """The entries of a block as they are written, and the model that they are held against."""

    model: type[Block]


class Block(BaseModel):
    """A block of `key: value` entries with known keys."""

    model_config = ConfigDict(extra="forbid", defer_build=True)
    example: ClassVar[str] = ""
    #: What is wrong with a key that belongs into another kind of block.
    misplaced: ClassVar[Mapping[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _from_entries(cls, written: Any) -> Entries:
        entries = entries_of(written, cls.example or f"{{{next(iter(cls.model_fields))}: ...}}")
        entries.model = cls
        return entries

    @classmethod
    def keys(cls) -> list[str]:
        """Return the keys that may be written."""
        last = {"weight": 1, "learn": 2}
        names = sorted(cls.model_fields, key=lambda name: last.get(name, 0))
        return [cls.model_fields[name].alias or name for name in names]


def entries_of(written: Any, example: str) -> Entries:
    """Return the entries of a block."""
    if isinstance(written, Entries):
        return written
    raise refused("must be a block of `key: value` entries", fix=f"write, e.g., {example}")


def refused(problem: str, *, allowed: str = "", fix: str = "", value: str = "") -> PydanticCustomError:
    """Return the error of a value at fault; `value`: the part of it that is."""
    context = {"problem": problem, "allowed": allowed, "fix": fix, "value": value}
    return PydanticCustomError("refused", "{problem}", context)


def validated[M: Block](model: type[M], top: Place) -> M:
    """Return a model of a file's tree, noting every fault of its shape; a value at fault is None."""
    tree = _tree(top.node)
    while True:
        try:
            return model.model_validate(tree)
        except ValidationError as error:
            for one in error.errors(include_url=False):
                _note(one, tree, top)


def _tree(node: Node) -> Any:
    """Return a node as blocks and lists of which the leaves are nodes."""
    if isinstance(node.value, Mapping):
        return Entries({key: _tree(one) for key, one in node.value.items()})
    if isinstance(node.value, Sequence) and not isinstance(node.value, str):
        return [_tree(one) for one in node.value]
    return node


def _named(top: Place, loc: Sequence[int | str], scenarios: Sequence[str]) -> Sequence[str]:
    """Return what the numbers of a list stand for: the values of an indicator, or the scenarios."""
    match loc:
        case ("dynamics", *_):
            return scenarios
        case ("indicators", id, _, "likelihood", *_) if "values" in (indicator := top["indicators"][str(id)]):
            values = indicator["values"].node.value
            return [one.text for one in values] if isinstance(values, list) else ()
        case ("indicators", _, _, "likelihood", *_) | ("sources", _, "reliability", *_) | ("grades", *_):
            return "no", "yes"
    return ()


def _note(error: ErrorDetails, tree: Any, top: Place) -> None:
    """Note an error as a fault, and take what is wrong out of the tree."""
    loc, written = error["loc"], top["scenarios"].node.value
    scenarios = list(written) if "scenarios" in top and isinstance(written, Mapping) else []
    names = _named(top, loc, scenarios)
    block, key, inner = Entries(), "", tree  # the last block on the way, its entry, and what that holds
    around = place = top  # where that block stands, and that entry
    for step in loc:
        if isinstance(inner, Entries) and step in inner:
            block, key, around = inner, str(step), place
            inner, place = inner[key], place[key]
        elif isinstance(step, int):
            place = place.item(step, names)
    if "(interval)" in loc and loc[-1] in ("low", "high") and len(names) > 2:
        place = replace(place, faults=Faults(""))  # the fault is to write an interval at all, noted later
    kind = error["type"]
    if kind == "missing":
        key = str(loc[-1])
        fix = inner.model.model_fields[key].json_schema_extra["fix"]
        place[key].refuse("is missing", fix=fix, value=None)
        inner[key] = None
        return
    if kind == "extra_forbidden":
        if key in block.model.misplaced:
            place.refuse(block.model.misplaced[key], fix="remove it, or correct `kind`")
        elif block is not tree and key in tree.model.model_fields:
            place.refuse("belongs at the top of the file", fix="write it there, without indentation")
        else:
            around.check_keys([key], block.model.keys())
        del block[key]
        return
    if kind == "refused":
        problem, allowed, fix = (error["ctx"][part] for part in ("problem", "allowed", "fix"))
    elif kind in _NATIVE:
        problem, allowed, fix = *_NATIVE[kind], ""
    else:  # a literal, or the kind of an indicator
        place = place["kind"] if kind == "union_tag_invalid" else place
        names = re.findall(r"'\(?(\w+)\)?'", error["ctx"].get("expected") or error["ctx"]["expected_tags"])
        problem, allowed = "is not one of those there are", listed(names)
        fix = meant(place.node.text, names)
    empty = problem == "is empty" or (problem.startswith("must be a block") and place.node.value is None)
    if loc == ("resolved", "scenario") and scenarios and not empty:
        allowed = listed(scenarios)
    other = next((id for id in scenarios if id not in loc), "other")
    fix = fix.replace("{other: ", f"{{{other}: ")
    value = error.get("ctx", {}).get("value", "")
    place.refuse(problem, allowed=allowed, fix=fix, value=None if empty else value)
    block[key] = None


#: What some of pydantic's own errors mean, and what is allowed.
_NATIVE = {
    "bool_type": ("must be true or false", "true, false"),
    "list_type": ("must be a list", "[first, second, ...]"),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Which numbers may stand somewhere. Infinity (``.inf``) only where `infinite`."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    whole: bool = False
    infinite: bool = False
    #: What is allowed, where a later check says more than these limits.
    words: str = ""

    def __str__(self) -> str:
        if self.words:
            return self.words
        bounds = (("above", self.gt), ("at least", self.ge), ("below", self.lt), ("at most", self.le))
        words = " and ".join(f"{word} {bound:,.12g}" for word, bound in bounds if bound is not None)
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} {words}".strip() + (", or .inf" if self.infinite else "")

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        step = 1.0 if self.whole else None
        number = core_schema.float_schema(
            strict=True, ge=self.ge, gt=self.gt, le=self.le, lt=self.lt, multiple_of=step,
            allow_inf_nan=self.infinite,
        )  # fmt: skip
        return core_schema.no_info_wrap_validator_function(self._read, number)

    def _read(self, written: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        value = value_of(written)
        try:
            return handler(value)
        except ValidationError as error:
            if error.errors()[0]["type"] != "float_type":
                raise refused("is out of range", allowed=str(self)) from None
            fix = number_fix(value) if isinstance(value, str) else ""
            raise refused("must be a number", allowed=str(self), fix=fix) from None


def number_fix(text: str) -> str:
    """Return what to do about a text that was probably meant as a number ("5%", "0,5"), "" for another."""
    if not _NUMBER_LIKE.match(text.strip()):
        return ""
    if text.strip().endswith("%"):
        return "write the percentage as a fraction: 0.05 for 5 %"
    if "," in text:
        return "write a decimal point, and no thousands separator"
    return "remove the quotation marks: this is text, not a number"


def value_of(written: Any) -> Any:
    """Return the value of a scalar; a list or block as it is."""
    return written.value if isinstance(written, Node) else written


def text_of(written: Any) -> str:
    """Return a text of at least one character; a number stands as it is written."""
    if not isinstance(written, Node):
        raise refused("must be text")
    words = " ".join(written.text.split())
    if written.value is None or not words:
        raise refused("is empty", fix="write it, or remove the line")
    return words


def name_of(written: Any) -> str:
    """Return a name in a list; true and false are refused, for a spreadsheet spells them its own way."""
    if isinstance(value_of(written), bool):
        raise refused(": a name is needed", fix="use a word such as yes and no")
    return text_of(written)


def different(names: list[str]) -> list[str]:
    """Return names that are all different."""
    twice = next((name for name, times in Counter(names).items() if times > 1), None)
    if twice is not None:
        raise refused("names something twice", fix="keep it once", value=twice)
    return names


def day_of(written: Any) -> date:
    """Return a day of the calendar."""
    value = value_of(written)
    day = parse_date(value) if isinstance(value, str) else None
    if day is None:
        raise refused("must be a date", allowed="a day of the calendar as YYYY-MM-DD")
    return day
