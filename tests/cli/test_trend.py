"""`forecast trend`: terminal, file, browser, JSON; nothing is issued."""

from __future__ import annotations

import json

import pytest

from forecast.cli import main
from tests.made_up import made_up_tree


@pytest.fixture(autouse=True)
def _made_up_inference(monkeypatch):
    monkeypatch.setattr("forecast.run.infer", lambda case, inputs, **_: made_up_tree(case))


def test_the_terminal_shows_it_and_nothing_is_written(made_up, capsys):
    assert main(["trend", str(made_up)]) == 0
    told = capsys.readouterr().out
    assert "1 Continued conflict: 70% (" in told
    assert list(made_up.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "begins"),
    [("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF"), ("a.html", b"<!doctype html>")],
)
def test_a_file(name, begins, made_up, capsys):
    assert main(["trend", str(made_up), "--to", str(made_up / name)]) == 0
    assert (made_up / name).read_bytes().startswith(begins)
    assert capsys.readouterr().out == f"The trend is in {made_up / name}.\n"


@pytest.mark.parametrize("opens", [True, False])
def test_the_browser(opens, made_up, capsys, monkeypatch):
    opened: list[str] = []

    def browser(address: str) -> bool:
        opened.append(address)
        return opens

    monkeypatch.setattr("webbrowser.open", browser)
    assert main(["trend", str(made_up), "--browser"]) == 0
    page = made_up / "output" / "trend.html"
    assert opened == [page.as_uri()]
    assert page.stat().st_size > 10_000
    assert ("no browser could be opened" in capsys.readouterr().err) is not opens


def test_json_is_the_courses_and_nothing_else(made_up, capsys):
    assert main(["trend", str(made_up), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"case", "as_of", "horizon", "engine", "digest", "trend", "outlook"}
    assert told["trend"][-1]["conflict"] == pytest.approx(0.71, abs=0.02)


@pytest.mark.parametrize(
    ("to", "said"), [("a.gif", "no such form of picture"), ("a.png", "one file for 2 cases")]
)
def test_a_wrong_file_is_the_caller_s_fault(to, said, made_up, capsys):
    assert main(["trend", str(made_up), str(made_up), "--to", to]) == 2
    assert said in capsys.readouterr().err
    assert list(made_up.iterdir()) == []
