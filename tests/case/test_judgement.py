"""The identity of a judgement, and its name."""

from __future__ import annotations

import pytest

from forecast.case.judgement import JudgementId
from forecast.model.parameters import build_layout
from tests.cases import small

NAMES = {
    "prior": JudgementId("prior"),
    "prior alpha": JudgementId("prior", scenario="alpha"),
    "likelihood raid alpha": JudgementId("likelihood", "raid", "alpha"),
    "likelihood tone alpha very cold": JudgementId("likelihood", "tone", "alpha", "very cold"),
    "reliability sohr": JudgementId("reliability", source="sohr"),
    "testimony the minister of war": JudgementId("testimony", source="the minister of war"),
    "leave alpha": JudgementId("leave", scenario="alpha"),
    "lasts alpha": JudgementId("lasts", scenario="alpha"),
    "then alpha": JudgementId("then", scenario="alpha"),
    "then alpha beta": JudgementId("then", scenario="alpha", value="beta"),
    "transition alpha beta": JudgementId("transition", scenario="alpha", value="beta"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_and_its_judgement_are_each_other_s(name: str):
    assert JudgementId.parse(name) == NAMES[name]
    assert str(NAMES[name]) == name


@pytest.mark.parametrize("name", ["", "cap", "likelihoods raid alpha"])
def test_other_words_name_no_judgement(name: str):
    with pytest.raises(ValueError, match=f"no judgement is called '{name}'"):
        JudgementId.parse(name)


@pytest.mark.parametrize("case", ["everything", "stepping", "one_testimony"])
def test_every_judgement_of_a_layout_has_a_name_of_its_own(case: str):
    found = small(case, False)
    blocks = build_layout(found.question, found.evidence).blocks
    assert [JudgementId.parse(block.name) for block in blocks] == [block.id for block in blocks]
    assert len({block.name for block in blocks}) == len(blocks)
