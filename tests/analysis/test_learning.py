"""The comparison with a forecast in which nothing learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from forecast.analysis.cross_checks import learning, unlearning
from forecast.case.folder import Case
from forecast.model.parameters import layout
from tests.cases import CASES, small
from tests.oracles import importance_sampling


@pytest.mark.parametrize("name", CASES)
def test_nothing_learns_any_more(name):
    case = small(name, False)
    laid = layout(unlearning(case.question), case.evidence)
    assert not laid.learns
    assert [block.free for block in laid.blocks] == [
        block.free for block in layout(case.question, case.evidence).blocks
    ]


def test_both_side_by_side():
    """The second row is the mean over the prior, as the plain Monte Carlo; four errors, seed 1."""
    case = small("moving", False)
    data = learning(Case("case", Path("case"), case.question, case.evidence, "digest"), as_of=case.as_of)
    assert data["variant"].values.tolist() == ["as written", "no learning"]
    asked = unlearning(case.question)
    expected = importance_sampling(asked, case.evidence, case.as_of, 20_000, 1, names=("now", "horizon"))
    for name in ("now", "horizon"):
        row = data.sel(variant="no learning")
        error = np.hypot(row[f"{name}_mcse"], expected.mcse[name]) + 1e-9
        assert (abs(row[name] - expected.mean[name]) < 4 * error).all()
