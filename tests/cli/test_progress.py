"""A progress bar shows on a terminal, after a while, and leaves nothing behind."""

from __future__ import annotations

import re
import time

from forecast.cli.progress import progress_bar, progress_bars


def test_nobody_watching_no_progress_bar(capsys):
    with progress_bar("case") as progress:
        assert progress is None
    assert capsys.readouterr() == ("", "")


def test_a_progress_bar_appears_only_after_a_while_and_is_wiped(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar("case") as progress:
        assert progress is not None
        progress(0.1)
        assert capsys.readouterr().err == ""
        clock = time.monotonic()
        monkeypatch.setattr("forecast.cli.progress.time.monotonic", lambda: clock + 3)
        progress(0.5)
        drawn = shown(capsys.readouterr().err)
        assert drawn.startswith("case ━")
        assert drawn.endswith("━  50%")
    assert shown(capsys.readouterr().err) == ""


def shown(text: str) -> str:
    """Return what a terminal shows in the last line that was written to it."""
    return re.split(r"\x1b\[2K", re.sub(r"\x1b\[[?0-9;]*[hlm]", "", text))[-1].strip()


def test_two_pieces_of_work_have_a_bar_each(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("forecast.cli.progress.PATIENCE", 0.0)
    with progress_bars() as progress:
        assert progress is not None
        progress("first", 0.5)
        assert shown(capsys.readouterr().err).startswith("first ━")
        progress("first", 1.0)
        assert shown(capsys.readouterr().err) == "", "wiped before anything else is printed"
        progress("second", 0.1)
        assert shown(capsys.readouterr().err).startswith("second ━")
    assert shown(capsys.readouterr().err) == ""
