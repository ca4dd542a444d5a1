"""Weekly runs without an engine: the inference is replaced by a result made up by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

import forecast.run
from forecast.case.errors import Fault, InputError
from forecast.case.folder import Case
from forecast.record.ledger import Entry, Inputs
from forecast.report.brief.data import BriefData
from forecast.report.summary import Summary
from tests.made_up import made_up_case, made_up_tree

FAULTY = "faulty"

#: What the analyses say of the made-up case, by what it hangs on.
FOUND: dict[Any, BriefData] = {}


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let every folder hold the made-up case, except one that is called faulty; return a sound folder."""
    gather = forecast.run.gather

    def load(path: Path) -> Case:
        if Path(path).name == FAULTY:
            fault = Fault(f"{path}/question.yaml", 3, "2", "prior is no probability", "0 to 1", "correct it")
            raise InputError([fault, fault])
        return made_up_case(path)

    def infer(case: Case, inputs: Inputs, **_: object) -> xr.DataTree:
        return made_up_tree(case, seed=inputs.seed, as_of=inputs.as_of)

    def gathered_once(
        summary: Summary, tree: xr.DataTree, ledger: Sequence[Entry] = (), **options: Any
    ) -> BriefData:
        key = summary.inputs, summary.since, tuple(ledger)
        if key not in FOUND:
            FOUND[key] = gather(summary, tree, ledger, **options)
        return FOUND[key]

    monkeypatch.setattr("forecast.run.load_case", load)
    monkeypatch.setattr("forecast.run.infer", infer)
    monkeypatch.setattr("forecast.run.gather", gathered_once)
    monkeypatch.setattr("forecast.run.changed_since_issue", lambda *_, **__: None)
    monkeypatch.setattr("forecast.run.DRAWS", 50)
    folder = tmp_path / "made-up"
    folder.mkdir()
    return folder
