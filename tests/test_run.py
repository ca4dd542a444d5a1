"""The weekly run without a terminal."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

import forecast
from forecast.model.evidence_index import EvidenceIndex
from forecast.report.summary import summarise
from forecast.run import gather

SHIPPED = Path(__file__).parents[1] / "scenarios" / "isis-jn-2014"


def test_the_evidence_is_indexed_a_handful_of_times(monkeypatch: pytest.MonkeyPatch):
    """Once for all analyses, once for reports that may come, once for what to look for next."""
    case = forecast.load_case(SHIPPED)
    tree = forecast.update(case, as_of=date(2014, 11, 23), draws=100, chains=2, tolerance=0.5)
    summary, build, built = summarise(case, tree), EvidenceIndex.__init__, []

    def counted(index: EvidenceIndex, *arguments: Any) -> None:
        built.append(index)
        build(index, *arguments)

    monkeypatch.setattr(EvidenceIndex, "__init__", counted)
    gather(summary, tree)
    assert 1 <= len(built) <= 3
