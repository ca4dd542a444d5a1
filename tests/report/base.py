"""Summaries and briefs of cases made up by hand."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import numpy as np
import xarray as xr
from rich.console import Console

from forecast.analysis.attribution import STEPS
from forecast.case.evidence import Evidence
from forecast.case.folder import Case
from forecast.case.warnings import WarningMessage
from forecast.inference.data_tree import coordinates
from forecast.record.issue import entries
from forecast.record.ledger import Entry
from forecast.report.brief.data import BriefData
from forecast.report.brief.write import brief_html
from forecast.report.styles import contrast
from forecast.report.summary import Summary, summarise
from forecast.report.text.forecast import print_table
from forecast.run import gather
from tests.made_up import AS_OF, made_up_case, made_up_tree

BEFORE = AS_OF - timedelta(days=7)
VOID = {"meta", "link", "br", "img", "input", "hr"}
FOREIGN = {"path", "rect", "circle"}  # SVG's own, closed by a stroke
HOSTILE = "</script><script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">"


def a_change(case: Case) -> xr.Dataset:
    """Return a move of two points, by time and by new reports, as `changed` splits it."""
    question = case.question
    dims = ("unit", "scenario") if question.units else ("scenario",)
    move = np.zeros((len(STEPS), len(question.scenarios)))
    move[2], move[3] = [0.01, -0.01, 0, 0], [-0.03, 0.02, 0.01, 0]
    shape = (len(STEPS), *([len(question.units)] if question.units else []), len(question.scenarios))
    parts = np.broadcast_to(move[:, None] if question.units else move, shape)
    issued = np.broadcast_to(np.array([0.6, 0.3, 0.08, 0.02]), shape[1:])
    variables = {}
    for when in ("now", "horizon"):
        variables[when] = (("step", *dims), parts)
        variables[f"{when}_issued"] = (dims, issued)
        variables[f"{when}_after"] = (("step", *dims), issued + np.cumsum(parts, axis=0))
    new = [r for r in case.evidence.reports if r.reported > BEFORE]
    texts = {"unit": [r.unit for r in new], "step": ["new"] * len(new)}
    variables |= {f"report_{name}": (("report",), np.array(text, str)) for name, text in texts.items()}
    ids = np.array([r.id for r in new], dtype=str)
    attrs = {
        "case": case.name,
        "since": BEFORE.isoformat(),
        "as_of": AS_OF.isoformat(),
        "regime": int(question.dynamics is not None),
        "note": '["the question has been edited"]',
    }
    return xr.Dataset(variables, coordinates(question) | {"step": list(STEPS), "report": ids}, attrs)


def hostile(case: Case) -> Case:
    """Return a case whose titles, notes, ids and citations try to become part of the page."""
    cited = (
        "javascript:alert(1)",
        'https://example.org/"><script>alert(2)</script>',
        "https://example.org/?a=1&b=2",
    )
    reports = tuple(
        replace(report, note=HOSTILE, citation=cited[n % 3]) for n, report in enumerate(case.evidence.reports)
    )
    scenarios = (replace(case.question.scenarios[0], title=HOSTILE), *case.question.scenarios[1:])
    return replace(
        case,
        question=replace(case.question, title=HOSTILE, scenarios=scenarios),
        evidence=Evidence(reports),
        warnings=(WarningMessage("undated", HOSTILE),),
    )


def made_up_brief(
    case: Case | None = None, *, later: bool = True, as_of: date = AS_OF
) -> tuple[Summary, BriefData]:
    """Return summary and data; `later`: a forecast was issued the week before."""
    case = case or made_up_case()
    tree = made_up_tree(case, as_of=as_of)
    ledger = entries(made_up_tree(case, as_of=BEFORE), issued_at=datetime(2014, 11, 16, tzinfo=UTC))
    summary = summarise(case, tree, ledger if later else ())
    data = gather(summary, tree, ledger if later else (), change=a_change(case) if later else None)
    return summary, data


def made_up_page(case: Case | None = None, *, later: bool = True) -> str:
    """Return the page of a brief made up by hand."""
    return brief_html(*made_up_brief(case, later=later))


def issued(case: Case, as_of: date = BEFORE) -> tuple[Entry, ...]:
    """Return a ledger with one issue, in which every probability was a point lower than today's."""
    tree = made_up_tree(case)
    for group in ("trend", "outlook"):
        tree[group]["probability"] -= 0.01
    tree.attrs["as_of"] = as_of.isoformat()
    return entries(tree, issued_at=datetime(2014, 11, 1, tzinfo=UTC))


def made_up_summary(case: Case | None = None) -> Summary:
    """Return a summary with the forecast of the week before to compare with."""
    case = case or made_up_case()
    return summarise(case, made_up_tree(case), issued(case))


def printed(summary: Summary, width: int = 120) -> str:
    """Return the table of the terminal."""
    console = Console(file=io.StringIO(), width=width)
    print_table(summary, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


class Reader(HTMLParser):
    """Reads a page as a tree would be built, and keeps what the tests ask about."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in FOREIGN, tag
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data))


def read(text: str) -> Reader:
    """Return a page as it was read; it must be well-formed."""
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


def words(text: str) -> str:
    """Return what a reader sees of a page."""
    return " ".join(
        " ".join(data for tag, data in read(text).texts if tag not in ("script", "style")).split()
    )


def contrast_of(one: str, other: str) -> float:
    """Return the contrast of two colours as #RRGGBB."""
    return contrast(*([int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)] for colour in (one, other)))
