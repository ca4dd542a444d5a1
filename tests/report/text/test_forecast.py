"""The forecast as a table on the terminal."""

from __future__ import annotations

import re

from forecast.report.summary import summarise
from forecast.report.text.forecast import print_table
from tests.made_up import made_up_case, made_up_tree
from tests.report.base import printed


def test_a_regime_puts_the_horizon_first(summary):
    text = printed(summary)
    assert re.search(r"scenario +at the horizon +change +in words +now +change +trend", text)
    assert re.search(r"Continued conflict +55% \(\d+–\d+%\) +\+1 +likely +70% \(\d+–\d+%\) +\+1 +▅", text)
    assert "At the horizon, 2015-03-31, the most probable scenario is Continued conflict: 55%" in text


def test_a_narrow_terminal_cuts_no_word_short(summary):
    text = printed(summary, width=80)
    assert "…" not in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    assert re.search(r"scenario +at the horizon +change +in words\s", text)
    assert re.search(r"Operational partnership +11% \(\d+–\d+%\) +\+1 +very unlikely\s", text)
    assert re.search(r"scenario +now +change +trend\s", text)
    assert re.search(r"Operational partnership +\d% \(\d+–\d+%\) +\+1 +▁", text)


def test_a_pipe_is_wide_unless_the_caller_says_how_wide(summary, monkeypatch, capsys):
    monkeypatch.delenv("COLUMNS", raising=False)
    print_table(summary)
    assert re.search(r"in words +now +change +trend", capsys.readouterr().out)
    monkeypatch.setenv("COLUMNS", "80")
    print_table(summary)
    assert max(len(line.rstrip()) for line in capsys.readouterr().out.splitlines()) <= 80


def test_a_static_question_has_one_number():
    case = made_up_case(regime=False)
    text = printed(summarise(case, made_up_tree(case)))
    assert re.search(r"scenario +now and at the horizon +change +in words +trend", text)
    assert "As of 2014-11-22, the most probable scenario is Continued conflict: 70%" in text
