"""Commands without an engine: the inference is replaced by a result made up by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecast.case.folder import Case
from forecast.cli.update import Options
from tests.made_up import made_up_case, made_up_tree

FAULTY = "faulty"


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let every folder hold the made-up case, except one that is called faulty; return a sound folder."""
    import forecast.record.ledger
    from forecast.case.errors import Fault, InputError

    def load(path: Path) -> Case:
        if Path(path).name == FAULTY:
            fault = Fault(f"{path}/question.yaml", 3, "2", "prior is no probability", "0 to 1", "correct it")
            raise InputError([fault, fault])
        return made_up_case(path)

    def infer(case: Case, options: Options):
        return made_up_tree(case, seed=options.seed, **({"as_of": options.as_of} if options.as_of else {}))

    monkeypatch.setattr(forecast.record.ledger, "load_case", load)
    monkeypatch.setattr("forecast.cli.update.infer", infer)
    monkeypatch.setattr("forecast.cli.update.change", lambda case, tree: None)
    monkeypatch.setattr("forecast.report.brief.data.DRAWS", 50)
    folder = tmp_path / "made-up"
    folder.mkdir()
    return folder
