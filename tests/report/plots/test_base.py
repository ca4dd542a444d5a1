"""Texts are shortened to their places, and letters that the font lacks are reported."""

from __future__ import annotations

import pytest

from forecast import plot_trend
from forecast.report.plots.base import fit, inches, save
from tests.report.plots.base import case_of, retitled, tree_of


@pytest.mark.parametrize("lines", [1, 2, 3])
@pytest.mark.parametrize("text", ["short", "one two three four five six " * 5, "x" * 300, ""])
def test_a_text_is_no_wider_than_its_place(text: str, lines: int):
    found = fit(text, 1.5, lines=lines)
    assert inches(found) <= 1.5
    assert found.count("\n") < lines
    if "…" not in found:
        assert found.split() == text.split()


@pytest.mark.parametrize("text", ["short", "one two three four five six " * 5, "x" * 300])
def test_a_tail_is_kept(text: str):
    found = fit(text, 1.5, tail="= yes", lines=2)
    assert found.endswith("= yes")
    assert inches(found) <= 1.5
    assert ("…" in found) == (len(text) > 20)


def test_letters_that_the_font_lacks_are_reported(tmp_path, recwarn):
    case = retitled(case_of(), s0="\u4e2d \U0001f642")
    assert save(plot_trend(case, tree_of(case)), tmp_path / "trend.png") == "\u4e2d\U0001f642"
    assert (tmp_path / "trend.png").exists()
    assert not recwarn.list
    plain = case_of()
    assert save(plot_trend(plain, tree_of(plain)), tmp_path / "trend.png") == ""
