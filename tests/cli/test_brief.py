"""`forecast brief`: writes the page or the Markdown to output/, and issues nothing."""

from __future__ import annotations

import json

import pytest

from forecast.cli import main
from forecast.record.ledger import LEDGER
from tests.cli.conftest import FAULTY


@pytest.mark.parametrize(
    ("form", "files"), [([], ["brief.html"]), (["--format", "md"], ["brief.html", "brief.md", "trend.png"])]
)
def test_writes_what_was_asked_for_and_issues_nothing(made_up, capsys, form, files):
    assert main(["brief", str(made_up), *form]) == 0
    assert sorted(path.name for path in (made_up / "output").iterdir()) == files
    assert not (made_up / LEDGER).exists()
    printed = capsys.readouterr()
    assert f"The brief is in {made_up / 'output'}/brief.{'md' if form else 'html'}." in printed.out
    assert printed.err == ""


def test_what_was_written_is_the_brief_of_the_day_asked_for(made_up):
    assert main(["brief", str(made_up), "--as-of", "2014-11-15", "--format", "md"]) == 0
    page = (made_up / "output/brief.html").read_text(encoding="utf-8")
    text = (made_up / "output/brief.md").read_text(encoding="utf-8")
    assert "As of <strong>2014-11-15</strong>" in page
    assert "Knowledge of 2014-11-15" in text
    for title in ("## Why", "## What to collect"):
        assert title in text


def test_json_says_where_it_is(made_up, capsys):
    other = made_up.parent / "other"
    other.mkdir()
    assert main(["brief", str(made_up), str(other), "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["case"] for one in found] == ["made-up", "other"]
    assert list(found[0]) == ["case", "as_of", "digest", "brief"]
    assert found[0]["brief"] == str(made_up / "output" / "brief.html")


def test_a_faulty_case_does_not_stop_the_others(made_up, capsys):
    assert main(["brief", str(made_up.parent / FAULTY), str(made_up)]) == 2
    printed = capsys.readouterr()
    assert "The brief is in" in printed.out
    assert "prior is no probability" in printed.err


def test_update_pays_for_the_brief_only_where_it_is_written(made_up, monkeypatch, capsys):
    monkeypatch.setattr("forecast.run.gather", None)
    monkeypatch.setattr("forecast.report.brief.write.brief_html", None)
    assert main(["update", str(made_up), "--dry-run"]) == 0
    assert main(["update", str(made_up), "--dry-run", "--json"]) == 0
    assert main(["update", str(made_up)]) == 1
    assert list(made_up.iterdir()) == []
