"""Warnings about a case: what is not wrong, but worth a second look."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecast.case.folder import load_case
from tests.case.base import EVIDENCE, HEADER, QUESTION, write


def warnings(folder: Path, question: str = QUESTION, evidence: str = EVIDENCE) -> str:
    """Return the warnings about a case, one per line."""
    return "\n".join(map(str, load_case(write(folder, question, evidence)).warnings))


def rows(*written: str) -> str:
    """Return a log."""
    return "\n".join([HEADER, *written])


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (EVIDENCE.replace("yes,agency,2", "yes,agency,"), "1 of 7 reports have no credibility grade (r1)"),
        (EVIDENCE.replace("2024-01-24,2024-01-25", "2024-01-24,"), "1 report without `reported` (r8)"),
        (
            EVIDENCE.replace("2024-01-24,2024-01-25", "2024-01-24,2024-07-25"),
            "after the horizon, 2024-06-30 (r8)",
        ),
        (
            rows("a,2024-01-03,2024-01-04,meeting,yes,agency,,,,,,,,"),
            "No report and no monitoring of tone, reply",
        ),
        (
            rows(*(f"a{i},2024-01-0{i},2024-01-09,meeting,yes,agency,,,,,,,," for i in (1, 2))),
            "All 2 reports come from one source, agency",
        ),
        (
            EVIDENCE + "r9,2024-01-31,2024-01-31,convoy,yes,paper,2,,,,,,,\n",
            "One source alone in all reports of convoy (paper)",
        ),
    ],
)
def test_warnings_about_the_evidence(evidence: str, said: str, tmp_path: Path):
    assert said in warnings(tmp_path, evidence=evidence)


def test_a_likelihood_that_decides_nothing(tmp_path: Path):
    same = QUESTION.replace("{war: 0.05, truce: 0.3}", "{war: 0.3, truce: 0.3, other: 0.5}")
    assert "same under every scenario for meeting:" in warnings(tmp_path, same)
    assert "same under every scenario" not in warnings(tmp_path)


def test_an_answer_reports_the_offer_too(tmp_path: Path):
    found = warnings(tmp_path, evidence=rows("a,2024-01-03,2024-01-04,reply,yes,agency,,,,,,,,"))
    assert "No report and no monitoring of tone, clashes" in found


def test_what_was_replaced_is_not_remarked_upon(tmp_path: Path):
    assert "r4" not in warnings(
        tmp_path, evidence=EVIDENCE.replace("clashes,4,agency,2", "clashes,4,agency,")
    )


def test_nobody_graded_is_nothing_to_remark(tmp_path: Path):
    evidence = (
        EVIDENCE.replace("agency,2", "agency,").replace("paper,2", "paper,").replace("paper,1", "paper,")
    )
    assert "credibility" not in warnings(tmp_path, evidence=evidence)


def test_a_settled_question_says_how_it_ended(tmp_path: Path):
    settled = QUESTION + "resolved: {scenario: truce, on: 2024-05-01}\n"
    assert "The question was settled on 2024-05-01: Truce." in warnings(tmp_path, settled)
    assert "settled" not in warnings(tmp_path)
