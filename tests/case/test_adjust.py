"""Estimates moved by name: the one that is named, its weight kept, everything else as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.case.edit import adjustable, adjusted, altered_question
from forecast.case.folder import load_case
from forecast.case.judgement import Proportions

SHIPPED = Path(__file__).parents[2] / "scenarios" / "isis-jn-2014"
QUESTION = load_case(SHIPPED).question
NAMES = list(adjustable(QUESTION))


@given(st.sampled_from(NAMES), st.floats(0.01, 0.99))
def test_the_one_that_is_named_is_moved_and_nothing_else(name, value):
    before, after = adjustable(QUESTION), adjustable(adjusted(QUESTION, {name: value}))
    assert after[name] == pytest.approx(value)
    by_rule = name.startswith("likelihood ")  # the residual scenario's row follows the others
    rest = [n for n in NAMES if n != name and not (by_rule and n == f"{name.rsplit(' ', 1)[0]} other")]
    if name.startswith("prior "):
        assert sum(after[other] for other in NAMES if other.startswith("prior ")) == pytest.approx(1)
        gave = [after[o] / before[o] for o in rest if o.startswith("prior ")]
        assert gave == pytest.approx([gave[0]] * len(gave))
        rest = [other for other in rest if not other.startswith("prior ")]
    assert {other: after[other] for other in rest} == {other: before[other] for other in rest}


def test_it_is_what_the_reader_would_have_read():
    """A reliability with its weight written beside it, through the file and by hand."""
    weight = next(s for s in QUESTION.sources if s.id == "sohr").reliability.weight
    data = (SHIPPED / "question.yaml").read_bytes()
    read = altered_question(data, QUESTION, {"reliability sohr": {"p": 0.5, "weight": weight}})
    assert adjusted(QUESTION, {"reliability sohr": 0.5}).sources == read.sources


def test_several_priors_keep_what_they_are_moved_to():
    after = adjustable(adjusted(QUESTION, {"prior conflict": 0.3, "prior tactical": 0.6}))
    assert after["prior conflict"] == pytest.approx(0.3)
    assert after["prior tactical"] == pytest.approx(0.6)
    assert sum(p for name, p in after.items() if name.startswith("prior ")) == pytest.approx(1)
    with pytest.raises(ValueError, match="leave"):
        adjusted(QUESTION, {"prior conflict": 0.7, "prior tactical": 0.6})


def test_what_the_residual_rule_made_is_made_anew():
    """As if the file said so: the weight written beside the estimate is the one it had."""
    judged = next(i for i in QUESTION.indicators if i.id == "senior_meeting").likelihood[2]
    assert isinstance(judged, Proportions)
    data = (SHIPPED / "question.yaml").read_bytes()
    said = {"likelihood senior_meeting operational": {"p": 0.9, "weight": judged.weight}}
    read = altered_question(data, QUESTION, said)
    moved = adjusted(QUESTION, {"likelihood senior_meeting operational": 0.9})
    one, other = (q.indicators[0].likelihood for q in (moved, read))
    for a, b in zip(one, other, strict=True):
        assert isinstance(a, Proportions)
        assert isinstance(b, Proportions)
        assert a.mean == pytest.approx(b.mean)
    assert one[3] != QUESTION.indicators[0].likelihood[3]


def test_every_kind_of_estimate_is_there():
    assert {name.split()[0] for name in NAMES} == {"prior", "likelihood", "reliability", "lasts"}


@pytest.mark.parametrize(
    ("values", "said"),
    [({"reliability nobody": 0.5}, "'reliability nobody'"), ({"reliability sohr": 1.0}, "between 0 and 1"),
     ({"lasts conflict": 0.0}, "a length above 0")],
)  # fmt: skip
def test_what_cannot_be_is_refused(values, said):
    with pytest.raises(ValueError, match=said):
        adjusted(QUESTION, values)
