"""Judgements that are changed for the sake of argument, read by the reader of the file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from forecast.case.edit import altered_question
from forecast.case.errors import InputError
from forecast.case.folder import new_case
from forecast.case.judgement import Proportions
from forecast.case.question import Question
from forecast.case.reader.question import read_question

ISIS = Path(__file__).parents[2] / "scenarios" / "isis-jn-2014" / "question.yaml"


@pytest.fixture(scope="module")
def asked() -> tuple[bytes, Question]:
    return ISIS.read_bytes(), read_question(ISIS)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return new_case(tmp_path / "made") / "question.yaml"


def test_a_question_written_out_again_is_the_same(asked, template):
    data, question = asked
    assert altered_question(data, question, {}) == question
    assert altered_question(data, question, {"cap": 20, "reliability sohr": "B"}) == question
    made = read_question(template)
    assert altered_question(template.read_bytes(), made, {}) == made


#: What is changed, to what, and the same in the text of the file.
CHANGES = (
    ("reliability sohr", "A", "Human Rights, reliability: B", "Human Rights, reliability: A"),
    ("lasts tactical", "{low: 3, high: 9}", "{low: 8, high: 40}", "{low: 3, high: 9}"),
    ("correlation hostility", 0.1, "fighting], correlation: 0.4", "fighting], correlation: 0.1"),
    ("persistence mediation", "", "leaderships\n    persistence: 0.8\n", "leaderships\n"),
    ("prior_weight", 10, "prior_weight: 50", "prior_weight: 10"),
    ("detection merger", 0.5, "detection: 0.95", "detection: 0.5"),
    (
        "likelihood senior_meeting conflict",
        {"p": 0.2, "weight": 5},
        "{low: 0.01, high: 0.08}",
        "{p: 0.2, weight: 5}",
    ),
    (
        "then conflict",
        {"tactical": 0.9, "other": 0.1},
        "{tactical: 0.85, operational: 0.05, other: 0.10}",
        "{tactical: 0.9, other: 0.1}",
    ),
    ("grade B", 0.9, "sources:\n", "grades: {B: 0.9}\nsources:\n"),
)


@pytest.mark.parametrize(("key", "value", "old", "new"), CHANGES)
def test_a_change_is_what_writing_it_in_the_file_would_be(asked, tmp_path, key, value, old, new):
    data, question = asked
    written = data.decode()
    assert written.count(old) >= 1
    (tmp_path / "question.yaml").write_text(written.replace(old, new, 1), encoding="utf-8")
    expected = read_question(tmp_path / "question.yaml")
    assert expected != question
    assert altered_question(data, question, {key: value}) == expected


def test_a_prior_is_changed_at_once(asked):
    data, question = asked
    even = altered_question(data, question, {"prior": "even"})
    assert even.prior == Proportions((0.25,) * 4, 50.0)
    shares = {"conflict": 0.5, "tactical": 0.3, "operational": 0.1, "other": 0.1}
    assert altered_question(data, question, {"prior": shares}).prior == Proportions(
        tuple(shares.values()), 50.0
    )
    assert altered_question(data, question, {"dynamics": None}) == replace(question, dynamics=None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reliabilty sohr": "A"}, 'has this name (found: reliabilty sohr)'),
        ({"reliability": "A"}, "name what the word needs, in this order"),
        ({"reliability shor": "A"}, 'did you mean "sohr"?'),
        ({"reliability sohr": "G"}, "sources.sohr.reliability is not a judgement (found: G)"),
        ({"likelihood fighting other": 1.2}, "indicators.fighting.likelihood.other is out of range"),
        ({"prior conflict": 0.5}, "the probabilities sum to 0.7, not to 1"),
        ({"prior": {"conflict": 1}}, "Allowed: even, or {conflict: P"),
        ({"transition conflict": "[1, 0, 0, 0]"}, "no such scenario that has it"),
        ({"detection fighting": 0.5}, "no such indicator that has it (found: fighting)"),
        ({"cap": "}{"}, "the value cannot be read (found: }{)"),
        ({"cap": "2\nextra: 3"}, "the value cannot be read"),
    ],
)  # fmt: skip
def test_what_cannot_be_changed_so_is_refused(asked, change, said):
    data, question = asked
    with pytest.raises(InputError) as error:
        altered_question(data, question, change)
    assert said in str(error.value)
    assert all(str(fault).startswith("what if: ") for fault in error.value.faults)
