"""Faults read well, and are raised all together."""

from __future__ import annotations

import pickle

import pytest

from forecast.case.errors import Fault, Faults, InputError, listed, meant


def test_a_fault_in_one_or_two_lines():
    fault = Fault("q.yaml", 3, "2", "prior is out of range", "a number at most 1", "correct it")
    assert str(fault) == (
        "q.yaml:3: prior is out of range (found: 2).\n    Allowed: a number at most 1. To do: correct it."
    )
    assert str(Fault("q.yaml", 0, None, "the file is missing")) == "q.yaml: the file is missing."


def test_a_hint_that_is_a_question_keeps_its_mark():
    assert str(Fault("q", 1, "a", "unknown", fix='did you mean "b"?')).endswith('did you mean "b"?')


def test_long_and_unprintable_values_are_cut_and_cleaned():
    said = str(Fault("e.csv", 1, "x\x1b[31m\n" + "y" * 500, "unknown"))
    assert "\x1b" not in said
    assert "\n" not in said
    assert len(said) < 120


def test_faults_are_raised_together_in_the_order_of_lines_and_once():
    faults = Faults("q.yaml")
    faults.raise_if_any()
    faults.add(7, "b", "second", allowed="c")
    faults.add(2, "a", "first", fix="say why")
    faults.add(2, "a", "first", fix="say why")
    with pytest.raises(InputError) as caught:
        faults.raise_if_any()
    assert [fault.problem for fault in caught.value.faults] == ["first", "second"]
    assert str(caught.value).splitlines() == [
        "q.yaml:2: first (found: a).",
        "    To do: say why.",
        "q.yaml:7: second (found: b).",
        "    Allowed: c. To do: write what is allowed.",
    ]
    assert pickle.loads(pickle.dumps(caught.value)).faults == caught.value.faults


def test_lists_and_hints():
    assert listed([]) == "none"
    assert listed(["a", "b", "c"], most=2) == "a, b and 1 more"
    assert meant("Tacticl", ["tactical", "other"]) == 'did you mean "tactical"?'
    assert meant("x", ["tactical"]) == ""
