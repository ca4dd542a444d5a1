"""What may become a link, and how texts are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.report.brief.elements import Cell, Table, clipped, safe_link


@pytest.mark.parametrize("text", ["https://example.org/a?b=1&c=2#d", "http://example.org", "HTTPS://e.org/x"])
def test_addresses_of_the_web_become_links(text):
    assert safe_link(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "//example.org/x",
        "https:javascript",
        "https://",
        "https://[bad",
        "Herbert 2014, para 3",
        "see https://example.org",
        "",
    ],
)
def test_nothing_else_does(text):
    assert safe_link(text) == ""


@given(st.text(max_size=60), st.integers(3, 40))
def test_what_is_cut_is_short_enough_and_begins_the_same(text, most):
    plain = " ".join(text.split())
    cut = clipped(text, most)
    assert len(cut) <= most + 1
    assert cut == plain if len(plain) <= most else cut.endswith(" …") and plain.startswith(cut[:-2])


def test_a_table_of_short_numbers_fits_a_narrow_page():
    row = tuple(Cell("x") for _ in range(5))
    assert Table("", ("",) * 5, (row,)).even == 4
    assert Table("", ("",) * 5, (row,), (2,)).even == 0
    assert Table("", ("",) * 8, (row,)).even == 0
