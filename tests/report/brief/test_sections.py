"""What each section of the page says."""

from __future__ import annotations

from forecast.report.brief.write import page
from tests.report.base import made_up_brief, made_up_page, read, words


def test_sections_stand_in_the_order_of_the_questions():
    assert [section.id for section in page(*made_up_brief())] == [
        "probabilities", "moved", "outlook", "sources", "late", "collect", "trend", "doubts", "evidence",
        "method",
    ]  # fmt: skip


def test_the_parts_of_a_move_are_told_and_those_of_nought_are_not():
    text = words(made_up_page())
    assert "Time passing, silence +1.0 −1.0 0 0 New reports r4, r5 −3.0 +2.0 +1.0 0 This forecast" in text
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
