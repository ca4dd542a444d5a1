"""Estimates moved by name: the one that is named, its weight kept, everything else as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.case.adjust import adjustable, adjusted
from forecast.case.alter_question import altered_question
from forecast.case.folder import load_case

SHIPPED = Path(__file__).parents[2] / "scenarios" / "isis-jn-2014"
QUESTION = load_case(SHIPPED).question
NAMES = list(adjustable(QUESTION))


@given(st.sampled_from(NAMES), st.floats(0.01, 0.99))
def test_the_one_that_is_named_is_moved_and_nothing_else(name, value):
    before, after = adjustable(QUESTION), adjustable(adjusted(QUESTION, {name: value}))
    assert after[name] == pytest.approx(value)
    rest = [other for other in NAMES if other != name]
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
