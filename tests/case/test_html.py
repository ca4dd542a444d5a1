"""What a case shows of itself in a notebook: all of it, well-formed, and nothing of it runs."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from forecast.case.evidence import Evidence, Report
from forecast.case.folder import load_case
from forecast.case.warnings import WarningMessage
from tests.made_up import made_up_case

VOID = {"br", "img", "meta", "input"}
SHIPPED = Path(__file__).parents[2] / "scenarios" / "isis-jn-2014"


class WellFormed(HTMLParser):
    """Checks that tags close in order, and gathers tags and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_shipped_case_shows_everything():
    case = load_case(SHIPPED)
    page = WellFormed(case._repr_html_())
    text = " ".join(page.text)
    assert case.question.title in text
    for several in (case.question.scenarios, case.question.indicators, case.question.sources):
        assert all(one.id in text and one.title in text for one in several)
    assert all(report.id in page.text for report in case.evidence.reports)


@pytest.mark.parametrize("regime", [True, False])
@pytest.mark.parametrize("units", [(), ("north", "south")])
def test_question_and_evidence_alone(regime, units):
    case = made_up_case(regime=regime, units=units)
    text = " ".join(WellFormed(case.question._repr_html_()).text)
    assert ("the truth may move" in text) is regime
    assert ("north, south" in text) is bool(units)
    told = WellFormed(case.evidence._repr_html_())
    assert all(report.id in told.text for report in case.evidence.reports)


def test_what_is_hostile_is_text():
    case = made_up_case()
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    first = replace(case.evidence.reports[0], note=evil, id="<b>", value='"><i>')
    shown = replace(
        case,
        name=evil,
        evidence=Evidence((first,)),
        question=replace(case.question, title=evil),
        warnings=(WarningMessage("undated", evil),),
    )
    page = WellFormed(shown._repr_html_())
    assert not {"script", "img", "b", "i"} & set(page.tags)
    assert sum(evil in text for text in page.text) == 4


def test_a_long_log_shows_its_latest():
    day = made_up_case().question.opened
    log = Evidence(tuple(Report(f"r{n}", day, day, "meeting", "yes", "press") for n in range(250)))
    page = WellFormed(log._repr_html_())
    assert "the 100 latest" in page.text
    assert sum(text.startswith("r") and text[1:].isdigit() for text in page.text) == 100
