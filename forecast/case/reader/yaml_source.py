"""Safe YAML parser: a tree of scalars, lists and mappings, each with its line number.

The file is read as a stream of events, from which the tree is built here: no object is ever constructed
from a tag, nothing recurses, and duplicate keys, aliases that multiply and merge keys are faults with a
line number. The rules for plain scalars are those of the YAML 1.2 core schema: only ``true`` and ``false``
are booleans (``yes`` and ``no`` are words), ``.inf`` is infinity, a date is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from forecast.case.errors import Faults

#: Larger documents are refused: a question is some pages long.
MOST_BYTES = 5_000_000
#: Blocks within blocks.
MOST_DEPTH = 30
#: Values in a document: thousands of indicators have fewer.
MOST_VALUES = 100_000
#: Values that aliases stand for, all together, aliases within aliases counted out.
MOST_ALIASED = 10_000

Scalar = None | bool | int | float | str

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_INT = re.compile(r"[-+]?[0-9]{1,18}\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_SPECIAL: Mapping[str, Scalar] = (
    dict.fromkeys(("", "~", "null", "Null", "NULL"))
    | dict.fromkeys(("true", "True", "TRUE"), True)
    | dict.fromkeys(("false", "False", "FALSE"), False)
    | {sign + name: float(sign + "inf") for sign in ("", "+", "-") for name in (".inf", ".Inf", ".INF")}
    | dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan"))
)
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

#: What the parser says, and what it means to somebody who writes a question.
_PLAIN_ENGLISH = (
    ("mapping values are not allowed", "a colon where no key can be", "put text with a colon in quotes"),
    ("could not find expected ':'", "a key without its colon", 'write "key: value"; indent longer text'),
    ("expected ',' or '}'", "a { is not closed, or a comma is missing", "check the braces of this entry"),
    ("expected ',' or ']'", "a [ is not closed, or a comma is missing", "check the brackets of this entry"),
    ("expected <block end>", "the indentation does not fit the lines above", "line entries up with spaces"),
    ("while scanning a quoted scalar", "a quotation mark is not closed", "close it, or double it inside"),
    ("found character", "a character that cannot begin a value", "put the value in quotes; indent by spaces"),
    ("undefined alias", "an alias (*name) of something that has no anchor (&name)", "write the entry out"),
)


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the file: a scalar, a list of nodes or a mapping from keys to nodes.

    ``quoted`` tells "0.5" from 0.5; ``key_lines`` has the line of each key of a mapping; ``size`` counts
    the values inside, with what aliases stand for.
    """

    value: Scalar | Sequence[Node] | Mapping[str, Node]
    line: int
    text: str = ""
    quoted: bool = False
    key_lines: Mapping[str, int] = field(default_factory=dict)
    size: int = 1

    @property
    def shown(self) -> str:
        """The value roughly as it was written, on one line."""
        if isinstance(self.value, Mapping):
            return "{" + ", ".join(f"{key}: {node.shown}" for key, node in self.value.items()) + "}"
        if isinstance(self.value, Sequence) and not isinstance(self.value, str):
            return "[" + ", ".join(node.shown for node in self.value) + "]"
        return f'"{self.text}"' if self.quoted else self.text


def load_yaml(data: bytes, faults: Faults) -> Node | None:
    """Return the tree of a YAML document that is a mapping, or None after noting why it cannot be read."""
    text = decoded(data, faults, most_bytes=MOST_BYTES)
    if text is None:
        return None
    control = _CONTROL.search(text)
    if control:
        line, fix = text.count("\n", 0, control.start()) + 1, "delete it; save the file as plain text"
        faults.add(line, repr(control.group()), "a control character", fix=fix)
        return None
    builder = _Builder(faults)
    for event in _events(text, builder):
        builder.add(event)
        if builder.stopped:
            break
    top = builder.top
    if builder.stopped:
        return None
    if top is None or not isinstance(top.value, Mapping):
        shown = None if top is None or top.value is None else top.shown
        problem = "the file is empty" if shown is None else "the file is not a list of `key: value` entries"
        faults.add(1, shown, problem, fix="see `forecast new` for an example")
        return None
    return top


def decoded(data: bytes, faults: Faults, *, most_bytes: int) -> str | None:
    """Decode a UTF-8 file, dropping its byte order mark; note a fault and return None on failure."""
    if len(data) > most_bytes:
        limit = f"at most {most_bytes / 1e6:g} MB"
        faults.add(0, f"{len(data) / 1e6:.1f} MB", "the file is too large", allowed=limit)
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        fix = 'save it with the encoding "UTF-8" (in a spreadsheet: "CSV UTF-8")'
        faults.add(line, repr(data[error.start : error.start + 1])[1:], "the file is not UTF-8 text", fix=fix)
        return None


def parse_date(text: str) -> date | None:
    """Return the date that YYYY-MM-DD stands for, or None."""
    try:
        return date.fromisoformat(text) if _DATE.match(text) else None
    except ValueError:
        return None


def _events(text: str, builder: _Builder) -> Iterator[Any]:
    """Yield the parser's events; whatever the parser raises becomes a fault."""
    from ruamel.yaml import YAML

    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except Exception as error:  # the parser has errors of its own besides YAMLError, e.g. for \U escapes
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line = mark.line + 1 if mark else 0
        shown = text.splitlines()[line - 1] if 0 < line <= len(text.splitlines()) else ""
        if shown[:1] == "\t":
            builder.stop(line, shown, "the line is indented by a tab", "indent by spaces")
            return
        message = f"{getattr(error, 'context', '')} {getattr(error, 'problem', '')}"
        known = ((f"not YAML: {problem}", fix) for part, problem, fix in _PLAIN_ENGLISH if part in message)
        unknown = "not YAML", "compare with the example that `forecast new` writes"
        builder.stop(line, shown, *next(known, unknown))


def _scalar(text: str) -> Scalar:
    """Resolve a plain scalar by the core schema; a number too large for a float stays text."""
    if text in _SPECIAL:
        return _SPECIAL[text]
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        number = float(text)
        return number if abs(number) != float("inf") else text
    return text


@dataclass(slots=True)
class _Open:
    """A list or mapping of which the end has not been reached."""

    line: int
    anchor: str | None
    is_mapping: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Node] = field(default_factory=dict)
    key_lines: dict[str, int] = field(default_factory=dict)
    key: str | None = None
    has_key: bool = False

    def close(self) -> Node:
        """Return the finished node."""
        size = 1 + sum(n.size for n in (self.entries.values() if self.is_mapping else self.items))
        value = self.entries if self.is_mapping else self.items
        return Node(value, self.line, key_lines=self.key_lines, size=size)


class _Builder:
    """Builds the tree from events, one at a time, with a stack of what is open."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.top: Node | None = None
        self.stopped = False
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._aliased = self._values = 0

    def add(self, event: Any) -> None:
        """Add an event; return whether to go on."""
        kind, line = type(event).__name__, event.start_mark.line + 1
        if getattr(event, "tag", None) and kind != "AliasEvent":
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            self.stop(line, tag, "a YAML tag", "remove it: only plain values are read here")
        elif kind == "ScalarEvent":
            quoted = event.style is not None
            value = event.value if quoted else _scalar(event.value)
            self._finish(Node(value, line, event.value, quoted), _anchor(event))
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._stack.append(_Open(line, _anchor(event), kind == "MappingStartEvent"))
            if len(self._stack) > MOST_DEPTH:
                self.stop(line, None, f"more than {MOST_DEPTH} levels of brackets", "write it flatter")
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            ended = self._stack.pop()
            self._finish(ended.close(), ended.anchor)
        elif kind == "AliasEvent":
            self._alias(str(_anchor(event)), line)
        elif kind == "DocumentStartEvent":
            self._document(event, line)

    def _document(self, event: Any, line: int) -> None:
        if self.top is not None:
            self.stop(line, "---", "a second document in the file", "keep one question per file")
        version = getattr(event, "version", None)
        if version and tuple(version) != (1, 2):
            number = ".".join(map(str, version))
            self.stop(line, number, "not the version of YAML that is read, 1.2", "remove the %YAML line")

    def _alias(self, name: str, line: int) -> None:
        node = self._anchors.get(name)
        if node is None:
            self.stop(line, f"*{name}", "an alias of what is not complete yet", "write the entry out")
            return
        self._aliased += node.size
        if self._aliased > MOST_ALIASED:
            problem = f"the aliases stand for more than {MOST_ALIASED:,} values"
            self.stop(line, f"*{name}", problem, "write the entries out")
            return
        self._finish(node, None)

    def _finish(self, node: Node, anchor: str | None) -> None:
        """Put a finished node where it belongs: as key, as value, as item or at the top."""
        self._values += 1
        if self._values > MOST_VALUES:
            self.stop(node.line, None, f"more than {MOST_VALUES:,} values", "split the question")
        if anchor:
            self._anchors[anchor] = node
        if not self._stack:
            self.top = node
            return
        parent = self._stack[-1]
        if not parent.is_mapping:
            parent.items.append(node)
        elif not parent.has_key:
            parent.key, parent.has_key = self._key(node, parent), True
        else:
            if parent.key is not None:  # where the key is, one looks: a block begins a line below it
                parent.entries[parent.key] = replace(node, line=parent.key_lines[parent.key])
            parent.has_key = False

    def _key(self, node: Node, parent: _Open) -> str | None:
        """Return a key as text, or None (its value is then dropped) after noting what is wrong with it."""
        name = node.text
        if not name:
            self.faults.add(node.line, node.shown, "a key that is not a name", fix='write "name: value"')
            return None
        if name == "<<" and not node.quoted:
            problem = "merge keys are not part of YAML 1.2"
            self.faults.add(node.line, name, problem, fix="write the entries out")
            return None
        if name in parent.key_lines:
            first = parent.key_lines[name]
            problem = f"the key `{name}` was already given in line {first}"
            self.faults.add(node.line, name, problem, fix="keep one of the two")
            return None
        parent.key_lines[name] = node.line
        return name

    def stop(self, line: int, value: str | None, problem: str, fix: str) -> None:
        self.faults.add(line, value, problem, fix=fix)
        self.stopped = True


def _anchor(event: Any) -> str | None:
    anchor = event.anchor
    return None if anchor is None else str(getattr(anchor, "value", anchor))
