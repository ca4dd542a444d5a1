"""Reading one field of a block: what type it must have, within which limits, and what to say if not.

Every function takes a node and the name under which the analyst knows it (``sources.sohr.reliability``),
notes a fault and returns None where the node is not what it should be, so that reading can go on.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from forecast.case.errors import Faults, listed, meant
from forecast.case.reader.yaml_source import Node

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_NUMBER_LIKE = re.compile(r"[-+]?[\d.,\s]*\d[\d.,\s]*(%|[eE][-+]?\d+)?\Z")
_ID = re.compile(r"[^\W_][\w.-]*\Z")
#: Column names of the results: a scenario of that name would be overwritten there.
RESERVED = ("as_of", "date", "unit")
#: Names of the results and of the PyMC model that an indicator of that name would clash with.
RESERVED_INDICATORS = ("category", "cell", "chain", "draw", "number", "period", "report", "scenario", "unit")


@dataclass(frozen=True, slots=True)
class Range:
    """Which numbers a field may hold. Infinity (``.inf``) only where `infinite`."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    infinite: bool = False
    whole: bool = False

    def holds(self, x: float) -> bool:
        """Return whether a number may stand in the field."""
        if math.isinf(x):
            return self.infinite and x > 0
        above = x > self.low if self.low_open else x >= self.low
        below = x < self.high if self.high_open else x <= self.high
        return above and below and not (self.whole and x != int(x))

    def __str__(self) -> str:
        """Return the range in words."""
        kind = "a whole number" if self.whole else "a number"
        bounds = []
        if math.isfinite(self.low):
            bounds.append(f"above {self.low:,g}" if self.low_open else f"at least {self.low:,g}")
        if math.isfinite(self.high):
            bounds.append(f"below {self.high:,.12g}" if self.high_open else f"at most {self.high:,.12g}")
        return " ".join([kind, " and ".join(bounds)]).strip() + (", or .inf" if self.infinite else "")


ANY = Range()
PROBABILITY = Range(0, 1)
POSITIVE = Range(0, low_open=True)
#: A judgement worth less than a tenth of a case says nothing, and its density piles up at 0 and 1.
WEIGHT = Range(0.1, infinite=True)
DAYS = Range(0, 36_500, whole=True)


def number(node: Node, where: str, faults: Faults, allowed: Range = ANY) -> float | None:
    """Return a number within a range."""
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        fix = ""
        if isinstance(value, str) and looks_numeric(value):
            fix = _number_fix(value.strip())
        faults.add(node.line, node.shown, f"{where} must be a number", allowed=str(allowed), fix=fix)
        return None
    if math.isnan(value) or not allowed.holds(value):
        faults.add(node.line, node.shown, f"{where} is out of range", allowed=str(allowed))
        return None
    return float(value)


def looks_numeric(text: str) -> bool:
    """Return whether a text was probably meant as a number ("5%", "0,5", "0.5" in quotes)."""
    return bool(_NUMBER_LIKE.match(text.strip()))


def _number_fix(text: str) -> str:
    if text.endswith("%"):
        return "write the percentage as a fraction: 0.05 for 5 %"
    if "," in text:
        return "write a decimal point, and no thousands separator"
    return "remove the quotation marks: this is text, not a number"


def text(node: Node, where: str, faults: Faults) -> str | None:
    """Return a text of at least one character; numbers are taken as they are written."""
    if isinstance(node.value, Mapping | Sequence) and not isinstance(node.value, str):
        faults.add(node.line, node.shown, f"{where} must be text")
        return None
    words = " ".join(node.text.split())
    if node.value is None or not words:
        faults.add(node.line, None, f"{where} is empty", fix="write it, or remove the line")
        return None
    return words


def flag(node: Node, where: str, faults: Faults) -> bool | None:
    """Return true or false."""
    if isinstance(node.value, bool):
        return node.value
    faults.add(node.line, node.shown, f"{where} must be true or false", allowed="true, false")
    return None


def day(node: Node, where: str, faults: Faults) -> date | None:
    """Return a date."""
    found = parse_date(node.text) if isinstance(node.value, str) else None
    if found is None:
        problem = f"{where} must be a date"
        faults.add(node.line, node.shown, problem, allowed="a day of the calendar as YYYY-MM-DD")
    return found


def parse_date(text: str) -> date | None:
    """Return the date that YYYY-MM-DD stands for, or None."""
    if not _DATE.match(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def choice(node: Node, where: str, faults: Faults, names: Iterable[str]) -> str | None:
    """Return one of several names."""
    names = list(names)
    if isinstance(node.value, str) and node.value in names:
        return node.value
    hint = meant(node.text, names)
    problem = f"{where} is not one of those there are"
    faults.add(node.line, node.shown, problem, allowed=listed(names), fix=hint)
    return None


def items(node: Node, where: str, faults: Faults) -> list[Node] | None:
    """Return the entries of a list."""
    if isinstance(node.value, Sequence) and not isinstance(node.value, str):
        return list(node.value)
    faults.add(node.line, node.shown, f"{where} must be a list", allowed="[first, second, ...]")
    return None


def names(node: Node, where: str, faults: Faults) -> tuple[str, ...] | None:
    """Return a list of different texts."""
    entries = items(node, where, faults)
    if entries is None:
        return None
    read = [name_of_value(entry, where, faults) for entry in entries]
    found = [name for name in read if name is not None]
    for i, name in enumerate(found):
        if name in found[:i]:
            faults.add(node.line, name, f"{where} names something twice", fix="keep it once")
            return None
    return tuple(found) if len(found) == len(entries) else None


def name_of_value(node: Node, where: str, faults: Faults) -> str | None:
    """Return a name in a list; true and false are refused, for a spreadsheet spells them its own way."""
    if isinstance(node.value, bool):
        faults.add(node.line, node.shown, f"{where}: a name is needed", fix="use a word such as yes and no")
        return None
    return text(node, where, faults)


def mapping(node: Node, where: str, faults: Faults, *, example: str) -> Mapping[str, Node] | None:
    """Return the entries of a mapping."""
    if isinstance(node.value, Mapping):
        return node.value
    shown = None if node.value is None else node.shown
    problem = f"{where} must be a block of `key: value` entries"
    faults.add(node.line, shown, problem, fix=f"write, e.g., {example}")
    return None


def check_id(name: str, line: int, what: str, faults: Faults) -> None:
    """Note a fault unless a name can serve as an id: it becomes a coordinate of the results."""
    if not _ID.match(name):
        allowed = "letters, digits, _ - and ., beginning with a letter or digit"
        faults.add(line, name, f"the id of a {what} cannot be written so", allowed=allowed)


class Block:
    """A mapping with known keys: unknown ones are faults, known ones are read by type."""

    def __init__(
        self, node: Node, where: str, faults: Faults, *, keys: Sequence[str], example: str = ""
    ) -> None:
        self.node, self.where, self.faults, self.line = node, where, faults, node.line
        entries = mapping(node, where or "the file", faults, example=example or f"{{{keys[0]}: ...}}")
        self.ok = entries is not None
        self.entries: Mapping[str, Node] = entries or {}
        for key in self.entries:
            if key not in keys:
                line = node.key_lines.get(key, node.line)
                problem = f"unknown key `{key}`" + (f" in {where}" if where else "")
                faults.add(line, key, problem, allowed=listed(keys), fix=meant(key, keys))

    def __contains__(self, key: str) -> bool:
        """Return whether the key is given."""
        return key in self.entries

    def get(self, key: str) -> Node | None:
        """Return the node of a key, or None."""
        return self.entries.get(key)

    def name(self, key: str) -> str:
        """Return the full name of a key, for messages."""
        return f"{self.where}.{key}" if self.where else key

    def need(self, key: str, *, fix: str) -> Node | None:
        """Return the node of a key that must be there."""
        node = self.entries.get(key)
        if node is None and self.ok:
            self.faults.add(self.line, None, f"{self.name(key)} is missing", fix=fix)
        return node

    def optional_number(self, key: str, allowed: Range) -> float | None:
        """Return a number, or None where it is absent or at fault."""
        node = self.entries.get(key)
        return None if node is None else number(node, self.name(key), self.faults, allowed)

    def need_number(self, key: str, allowed: Range, *, fix: str) -> float | None:
        """Return a number that must be there, or None where it is absent or at fault."""
        return None if self.need(key, fix=fix) is None else self.optional_number(key, allowed)

    def number(self, key: str, default: float, allowed: Range = ANY) -> float:
        """Return a number, or the default where it is absent or at fault."""
        found = self.optional_number(key, allowed)
        return default if found is None else found

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false, or the default where it is absent or at fault."""
        node = self.entries.get(key)
        found = None if node is None else flag(node, self.name(key), self.faults)
        return default if found is None else found

    def text(self, key: str, default: str) -> str:
        """Return a text, or the default where it is absent or at fault."""
        node = self.entries.get(key)
        found = None if node is None else text(node, self.name(key), self.faults)
        return default if found is None else found

    def day(self, key: str, default: date | None = None) -> date | None:
        """Return a date, or the default where it is absent or at fault."""
        node = self.entries.get(key)
        found = None if node is None else day(node, self.name(key), self.faults)
        return default if found is None else found

    def choice(self, key: str, default: str, names: Iterable[str]) -> str:
        """Return one of several names, or the default where it is absent or at fault."""
        node = self.entries.get(key)
        found = None if node is None else choice(node, self.name(key), self.faults, names)
        return default if found is None else found
