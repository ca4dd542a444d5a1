"""What each section of the page says."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

import forecast
from forecast.case.evidence import Evidence
from forecast.case.folder import Case
from forecast.inference import result
from forecast.report.brief import sections
from forecast.report.brief.elements import Items
from forecast.report.brief.write import page
from forecast.report.summary import summarise
from forecast.run import gather
from tests import cases
from tests.cases import binary, source
from tests.report.base import made_up_brief, made_up_page, read, words


def test_sections_stand_in_the_order_of_the_questions():
    assert [section.id for section in page(*made_up_brief())] == [
        "probabilities", "moved", "outlook", "sources", "late", "collect", "trend", "doubts", "evidence",
        "method",
    ]  # fmt: skip


def test_the_parts_of_a_move_are_told_and_those_of_nought_are_not():
    text = words(made_up_page())
    assert "Time passing +1.0 −1.0 0 0 New reports r4, r5 −3.0 +2.0 +1.0 0 This forecast" in text
    assert "Late reports on earlier days" not in text
    assert "The question has been edited." in text


def test_a_first_forecast_says_what_it_is_made_of():
    text = words(made_up_page(later=False))
    assert "No earlier forecast has been issued" in text
    assert "Before any evidence" in text
    assert "Issued 2014" not in text


def test_probability_and_confidence_stand_in_sentences_of_their_own():
    paragraphs = [data for tag, data in read(made_up_page()).texts if tag == "p"]
    assert not [one for one in paragraphs if "Confidence" in one and "probable scenario" in one]
    assert [one for one in paragraphs if one.startswith("Confidence in this assessment is")]


def test_a_judgement_that_drifted_is_named_once():
    """By the review, and not again by the engine's own warning of the same."""
    likely = (binary("raid", (0.1, 0.1), 20.0), binary("offer", (0.5, 0.02), 20.0))
    question = cases.question((0.5, 0.5), likely, (source("s", 1.0, math.inf),), 20.0, weeks=20)
    log = tuple(
        cases.report(f"{name}{t}", 7 * t, name, "yes" if name == "raid" or t % 2 else "no")
        for t in range(20)
        for name in ("raid", "offer")
    )
    case = Case("raids", Path("raids"), question, Evidence(log), "0" * 64)
    tree = forecast.update(case, as_of=cases.day(139), draws=500, chains=2, tolerance=1.0)
    assert "drift" in [warning.kind for warning in result.warnings(tree)]
    summary = summarise(case, tree)
    (items,) = sections.caveats(summary, gather(summary, tree)).blocks
    assert isinstance(items, Items)
    assert [name for name, text in items.lines if "raid alpha" in text] == ["Drift of judgements"]


@pytest.mark.parametrize(
    ("name", "learning", "said"),
    [
        (
            "filed_event",
            "partial",
            ("What is being prepared may", "hangs on what it claims", ", by half of what"),
        ),
        (
            "moving",
            "full",
            ("The truth may move", "without a report says nothing", "judgements too: the tenth"),
        ),
        ("silence", "full", ("The truth", "about a monitored indicator", "judgements too: the tenth")),
    ],
)
def test_how_it_was_made_fits_the_question(
    name: str, learning: Literal["partial", "full"], said: tuple[str, ...]
):
    small = cases.small(name, False)
    q = replace(small.question, learning=learning)
    case = Case(name, Path(name), q, small.evidence, "0" * 64)
    tree = forecast.update(case, as_of=small.as_of, draws=100, chains=2, tolerance=1.0)
    items = sections.method(summarise(case, tree)).blocks[0]
    assert isinstance(items, Items)
    text = " ".join(line for _, line in items.lines)
    for one in said:
        assert one in text
    assert ("The truth may move" in text) == (name == "moving")
