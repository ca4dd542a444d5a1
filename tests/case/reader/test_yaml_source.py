"""The safe reading of YAML 1.2: what plain scalars mean, where they stand, what is refused."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

from forecast.case.errors import Faults
from forecast.case.reader.yaml_source import Node, load_yaml


def entries(text: str) -> Mapping[str, Node]:
    """Return the entries of a document that has no fault."""
    faults = Faults("q.yaml")
    top = load_yaml(text.encode(), faults)
    assert not faults.noted
    assert top is not None
    assert isinstance(top.value, Mapping)
    return top.value


def fault(data: str | bytes) -> str:
    """Return the message of a document's only fault."""
    faults = Faults("q.yaml")
    load_yaml(data if isinstance(data, bytes) else data.encode(), faults)
    (only,) = faults.noted
    return str(only)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("true", True), ("False", False), ("", None), ("~", None),
        ("inf", "inf"),
        ("null", None), ("12", 12), ("-0.5", -0.5), ("5e-3", 5e-3), (".5", 0.5), ("007", 7),
        ("-.inf", -math.inf), ("2014-08-24", "2014-08-24"),
        ("0o14", "0o14"), ("1_000", "1_000"),
        ("12:30", "12:30"), ('"0.5"', "0.5"), ("'no'", "no"), ("nan", "nan"), ("1e999", "1e999"),
        (".inf", math.inf),
    ],
)  # fmt: skip
def test_scalars_follow_the_core_schema(written: str, value: object):
    found = entries(f"x: {written}")["x"].value
    assert found == value
    assert type(found) is type(value)


def test_nodes_know_the_lines_of_their_keys():
    top = entries("# a comment\na:\n  b: 1\n  c: [1,\n    2]\nd: >\n  folded\n  text\n")
    assert (top["a"].line, top["d"].line) == (2, 6)
    inner = top["a"].value
    assert isinstance(inner, Mapping)
    assert (inner["b"].line, inner["c"].line) == (3, 4)
    assert top["a"].shown == "{b: 1, c: [1, 2]}"


def test_byte_order_mark_and_foreign_line_ends_are_fine():
    faults = Faults("q.yaml")
    top = load_yaml(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", faults)
    assert top is not None
    assert isinstance(top.value, Mapping)
    assert top.value["b"].line == 2


def test_an_alias_shares_what_was_written():
    top = entries("a: &x {p: 0.5}\nb: *x\n")
    assert top["a"].value == top["b"].value
    assert (top["a"].line, top["b"].line) == (1, 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\na: 2\n", ["q.yaml:2", "`a`", "line 1"]),
        ("a: !!python/object:os.system ls\n", ["q.yaml:1", "tag", "python/object"]),
        ("a: !custom 3\n", ["q.yaml:1", "tag"]),
        ("a: &x {<<: {b: 1}}\n", ["q.yaml:1", "merge keys"]),
        ("? [a, b]\n: 1\n", ["q.yaml:1", "not a name"]),
        ("a: 1\n\tb: 2\n", ["q.yaml:2", "tab"]),
        ("a: {b: 1\n", ["not YAML", "braces"]),
        ("a: [1, 2\n", ["not YAML", "brackets"]),
        ("a: b: c\n", ["q.yaml:1", "colon"]),
        ("a: 'b\n", ["not YAML", "quotation"]),
        ("a:\n   b: 1\n  c: 2\n", ["q.yaml:3", "indentation"]),
        ("a: *nothing\n", ["q.yaml:1", "alias"]),
        ("a: &x [*x]\n", ["q.yaml:1", "alias"]),
        ("a: 1\n---\nb: 2\n", ["q.yaml:2", "second document"]),
        ("%YAML 1.1\n---\na: 1\n", ["1.2"]),
        ('a: "\\U99999999"\n', ["not YAML"]),
        ("a: 1\nb: \x00\n", ["q.yaml:2", "control character"]),
        (b"a: 1\nb: \xff\n", ["q.yaml:2", "UTF-8"]),
        ("[a, b]\n", ["q.yaml:1", "key: value"]),
    ],
)
def test_what_is_refused_and_where(text: str | bytes, words: list[str]):
    said = fault(text)
    assert all(word in said for word in words), said
