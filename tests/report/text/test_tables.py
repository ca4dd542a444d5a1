"""Tables of text: numbers stay whole, words wrap, nothing is cut off."""

from __future__ import annotations

import pytest

from forecast.analysis.review import Check
from forecast.report.text.tables import review_lines, table_lines

HEADINGS = ["judgement", "stated", "at low", "kind"]
ROWS = [
    ["likelihood jn_rhetoric conflict solidarity", "0.35", "64.3 ± 1.2", "[b]odd[/b]"],
    ["  lasts war", "1", "-", ""],
]


def test_a_wide_table_is_as_wide_as_it_needs():
    assert table_lines(HEADINGS, ROWS, width=200, left=(0, 3)) == [
        "judgement                                   stated      at low  kind",
        "likelihood jn_rhetoric conflict solidarity    0.35  64.3 ± 1.2  [b]odd[/b]",
        "  lasts war                                      1           -",
    ]


@pytest.mark.parametrize("width", [20, 40, 60, 80])
def test_a_narrow_table_wraps_words_and_loses_nothing(width: int):
    lines = table_lines(HEADINGS, ROWS, width=width, left=(0, 3))
    assert "…" not in "".join(lines)
    assert any("64.3 ± 1.2" in line for line in lines)
    words = " ".join(lines).split()
    assert [word for row in ROWS for cell in row for word in cell.split() if word not in words] == []
    if width >= 60:
        assert max(map(len, lines)) <= width


def test_names_in_the_first_column_can_be_kept_whole():
    lines = table_lines(HEADINGS, ROWS, width=20, left=(0, 3), keep_first=True)
    assert sum("likelihood jn_rhetoric conflict solidarity" in line for line in lines) == 1


def test_a_table_without_rows_is_its_headings():
    assert table_lines(["", "now"], []) == ["  now"]


def test_a_review_has_the_worst_first():
    lines = review_lines(
        [Check("One", "PASS", "Fine."), Check("Two", "FAIL", "Far " * 30 + "off.", "Mend it.")], width=60
    )
    assert lines[:4] == ["1 FAIL, 1 PASS", "", "FAIL    Two", "        " + ("Far " * 13).strip()]
    assert "        -> Mend it." in lines
    assert lines[-2:] == ["PASS    One", "        Fine."]
    assert max(map(len, lines)) <= 60
