"""Commands without an engine: the inference is replaced by a result made up by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecast.case.folder import Case
from forecast.record.ledger import Inputs
from tests.made_up import made_up_case, made_up_tree

FAULTY = "faulty"


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let every folder hold the made-up case, except one that is called faulty; return a sound folder."""
    from forecast.case.errors import Fault, InputError

    def load(path: Path) -> Case:
        if Path(path).name == FAULTY:
            fault = Fault(f"{path}/question.yaml", 3, "2", "prior is no probability", "0 to 1", "correct it")
            raise InputError([fault, fault])
        return made_up_case(path)

    def infer(case: Case, inputs: Inputs, **_: object):
        return made_up_tree(case, seed=inputs.seed, as_of=inputs.as_of)

    monkeypatch.setattr("forecast.run.load_case", load)
    monkeypatch.setattr("forecast.run.infer", infer)
    monkeypatch.setattr("forecast.run.changed_since_issue", lambda *_, **__: None)
    monkeypatch.setattr("forecast.run.DRAWS", 50)
    folder = tmp_path / "made-up"
    folder.mkdir()
    return folder
