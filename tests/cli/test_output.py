"""A terminal of few characters shows for and against, and keeps its tables straight."""

from __future__ import annotations

import io

from forecast.cli.output import handler
from forecast.report.number_format import decibans, sparkline


def test_for_and_against_stay_apart():
    text = f"{decibans(2.0)} {decibans(-2.0)} {sparkline([0.0, 1.0])} ü🙂"
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors=handler())
    stream.write(text)
    stream.flush()
    shown = stream.buffer.getvalue().decode()
    assert shown == "+ 2.0 - 2.0 18 ??"
    assert len(shown) == len(text)


def test_what_can_be_shown_is_left_alone():
    assert "Señor ▲".encode("utf-8", errors=handler()).decode() == "Señor ▲"
    assert "Señor ▲".encode("latin-1", errors=handler()) == "Señor +".encode("latin-1")
