"""The answers in a line each."""

from __future__ import annotations

from dataclasses import replace

from forecast.report.brief.markdown import brief_markdown, change_lines, collect_lines, why_lines
from tests.made_up import made_up_case
from tests.report.base import made_up_brief


def test_what_moved_it_is_told_for_the_horizon_and_now():
    summary, data = made_up_brief()
    lines = change_lines(summary, data, summary.units[0])
    moved = "60% issued 2014-11-15, 58% today (points: time passing +1.0; new reports −3.0)."
    assert lines == [f"Continued conflict at the horizon: {moved}", f"Continued conflict now: {moved}"]


def test_a_static_question_has_one_line_and_a_first_forecast_none():
    summary, data = made_up_brief(made_up_case(regime=False))
    assert len(change_lines(summary, data, summary.units[0])) == 1
    summary, data = made_up_brief(later=False)
    assert change_lines(summary, data, summary.units[0]) == []


def test_why_names_the_parts_and_the_source_it_leans_on():
    summary, data = made_up_brief()
    lines = why_lines(summary, data, summary.units[0])
    assert lines[0].startswith("Continued conflict now, in decibans: before any evidence ")
    # Both indicators are judged alike under all scenarios, so that no source matters.
    assert len(lines) == 1
    assert not [line for line in collect_lines(summary, data, summary.units[0]) if "it most" in line]


def test_the_brief_in_markdown_has_the_sections_of_every_unit():
    case = made_up_case(units=("north", "south"))
    text = brief_markdown(*made_up_brief(case))
    for title in ("### What changed", "### Why", "### What to collect"):
        assert text.count(title) == 2


def test_tags_and_links_of_others_are_text_in_markdown():
    """A Markdown reader that lets HTML through would run them."""
    case = made_up_case()
    evil = "x <script>alert(1)</script> [y](javascript:alert(1)) <https://e.example>"
    scenarios = tuple(replace(one, title=evil) for one in case.question.scenarios)
    case = replace(case, question=replace(case.question, title=evil, scenarios=scenarios))
    summary, data = made_up_brief(case)
    text = brief_markdown(summary, data, picture="trend.png")
    assert "<script" not in text
    assert "<https" not in text
    assert "](javascript" not in text
    assert "](trend.png)" in text


def test_the_brief_shows_the_picture(summary):
    assert "](trend.png)" in brief_markdown(summary, picture="trend.png")
    assert "![" not in brief_markdown(summary)
