"""A question whose scenarios change, under every analysis: on a day it is the question in force on that day.

The twin is a case whose file says by hand what is in force, and has never changed.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import forecast
from forecast.analysis.attribution import STEPS, STEPS_OVER_A_CHANGE, Issued, changed
from forecast.analysis.cross_checks import learning
from forecast.case.folder import Case, load_case
from forecast.case.in_force import carried, ids
from forecast.report.changes import changed_lines, changed_since_issue
from tests.case.base import write
from tests.case.changing import EVIDENCE, KINDS, REGIME, SPLIT, before, between
from tests.case.changing import changed as after
from tests.oracles import enumerate_posterior, mean_theta

FEW: dict[str, Any] = {"draws": 100, "chains": 2}
THEN, DAY, NOW = date(2024, 1, 21), SPLIT + timedelta(days=4), date(2024, 2, 10)


def folder(path: Path, question: str) -> Case:
    path.mkdir(exist_ok=True)
    return load_case(write(path, question, EVIDENCE))


@pytest.fixture
def twins(tmp_path) -> tuple[Case, Case]:
    """Return a case that changes, and one that says by hand what is in force."""
    return folder(tmp_path / "one", after(added=True)), folder(tmp_path / "two", between())


def same(one: xr.Dataset, other: xr.Dataset) -> bool:
    """Tell whether two results are the same but for the case that they name."""
    return one.drop_attrs().identical(other.drop_attrs())


def test_whatif(twins):
    change = {"set": {"likelihood meeting war": 0.4}, "drop": ["r2"], "as_of": DAY, **FEW}
    assert same(*(forecast.whatif(case, **change) for case in twins))


def test_learning(twins):
    assert same(*(learning(case, as_of=DAY, **FEW) for case in twins))


def test_collect(twins):
    one, other = (forecast.collect(case, as_of=DAY, **FEW) for case in twins)
    pd.testing.assert_frame_equal(one, other)


def test_explain(twins):
    found = []
    for case in twins:
        tree = forecast.update(case, as_of=DAY, tolerance=1.0, **FEW)
        found.append(forecast.explain(case, tree=tree))
    assert same(*found)


def test_conflict(twins):
    assert same(*(forecast.conflict(case, as_of=DAY) for case in twins))


def test_future_score_and_comparison(twins):
    assert same(*(forecast.future_score(case, as_of=DAY, tolerance=10, **FEW) for case in twins))
    table = forecast.compare_questions({"one": twins[0], "two": twins[1]}, as_of=DAY, tolerance=10, **FEW)
    assert table["elpd"]["one"] == table["elpd"]["two"]
    trees = [forecast.update(case, as_of=DAY, tolerance=1.0, **FEW) for case in twins]
    wrappers = [forecast.lfo_wrapper(case, tree) for case, tree in zip(twins, trees, strict=True)]
    first, second = (wrapper.sample(2) for wrapper in wrappers)
    np.testing.assert_array_equal(first, second)


def test_confidence_and_review(twins):
    one, other = ((case, forecast.update(case, as_of=DAY, tolerance=1.0, **FEW)) for case in twins)
    assert forecast.confidence(*one) == forecast.confidence(*other)
    mine, theirs = ({c.name: c for c in forecast.review(tree)} for _, tree in (one, other))
    assert mine.keys() == theirs.keys()
    for name in mine.keys() - {"Monte Carlo error"}:  # which speaks of the trend too
        assert mine[name] == theirs[name]
    assert mine["Gaps in the trend"].verdict == "PASS"


# --- what moved it over the change ------------------------------------------------------------------------


def exact(text: str) -> str:
    """Return a file whose judgements are all known exactly."""
    text = text.replace("weight: 20", "weight: .inf").replace(", residual: true", "")
    text = text.replace("{p: 0.8, weight: 10}", "0.8").replace("{p: 0.7, weight: 15}", "0.7")
    text = text.replace("{low: 6, high: 30}", "12")
    rows = {"meeting": "0.1", "tone": "[0.4, 0.3, 0.3]", "panel": "2", "clashes": "{mean: 4}"}
    for name, row in rows.items():
        head, tail = text.split(f"  {name}: ")
        text = f"{head}  {name}: " + tail.replace("likelihood: {", f"likelihood: {{other: {row}, ", 1)
    return text


def issue_then_edit(path: Path, old: str, new: str, **edited: Any) -> tuple[Case, xr.DataTree]:
    """Issue a forecast of the old file, edit it, and forecast again."""
    case = folder(path, old)
    forecast.issue(case, forecast.update(case, as_of=THEN, tolerance=1.0, **FEW))
    (path / "then.yaml").write_text(old)
    case = folder(path, new)
    return case, forecast.update(case, as_of=NOW, tolerance=1.0, **FEW)


@pytest.mark.parametrize("kind", KINDS)
def test_the_parts_add_up_and_the_change_is_a_part_of_its_own(tmp_path, kind: str):
    case, tree = issue_then_edit(tmp_path, exact(before(kind)), exact(after(kind)))
    data = changed_since_issue(case, tree)
    assert data is not None
    assert data["step"].values.tolist() == list(STEPS_OVER_A_CHANGE)
    assert data["scenario"].values.tolist() == ["war", "local", "formal", "other"]
    old, new = (folder(tmp_path / name, exact(text(kind))) for name, text in (("a", before), ("b", between)))
    was = {}
    for name, one in (("old", old), ("new", new)):
        theta = mean_theta(one.question, one.evidence)
        was[name] = enumerate_posterior(one.question, one.evidence, THEN, theta, ahead=False)["now"]
    was = {name: np.broadcast_to(p, (3 if name == "old" else 4,)) for name, p in was.items()}
    held = carried(case.question, dict(zip(ids(old.question), was["old"], strict=True)), ids(case.question))
    assert held is not None
    np.testing.assert_allclose(data["now_issued"], list(held.values()), atol=1e-12)
    np.testing.assert_array_equal(data["now"].sel(step="remainder"), 0.0)
    np.testing.assert_array_equal(data["now"].sel(step="judgements"), 0.0)
    np.testing.assert_allclose(data["now_after"].sel(step="scenarios"), was["new"], atol=1e-12)
    for when, last in (
        ("now", tree["trend"]["probability"].isel(as_of=-1)),
        ("horizon", tree["outlook"]["probability"].isel(date=-1)),
    ):
        total = data[f"{when}_issued"] + data[when].sum("step")
        np.testing.assert_allclose(total, last.sel(scenario=data["scenario"]), atol=1e-12)
    notes = json.loads(data.attrs["note"])
    assert "carried over" in notes[0]
    assert "have been edited since" in notes[1]
    said = "\n".join(changed_lines(data))
    assert "changed scenarios" in said


def test_an_uncertain_question_is_found_again_to_the_last_bit(tmp_path):
    """The file of today still has the question of then, so that nothing is left over but what was edited."""
    case, tree = issue_then_edit(tmp_path, before(), after(added=True))
    data = changed_since_issue(case, tree)
    assert data is not None
    np.testing.assert_array_equal(data["now"].sel(step="remainder"), 0.0)
    np.testing.assert_array_equal(data["horizon"].sel(step="remainder"), 0.0)


def test_with_the_question_as_it_was_an_edited_judgement_is_told_apart(tmp_path):
    new = after(REGIME).replace("meeting: {likelihood: {war: 0.05", "meeting: {likelihood: {war: 0.2")
    case, tree = issue_then_edit(tmp_path, before(REGIME), new)
    blind = changed_since_issue(case, tree)
    data = changed_since_issue(case, tree, question_was=tmp_path / "then.yaml")
    assert blind is not None
    assert data is not None
    np.testing.assert_array_equal(data["now"].sel(step="remainder"), 0.0)
    assert abs(data["now"].sel(step="judgements")).max() > 0.01
    assert len(json.loads(data.attrs["note"])) == 1
    np.testing.assert_array_equal(blind["now"].sel(step="remainder"), data["now"].sel(step="judgements"))


def test_the_file_of_the_last_issue_may_itself_have_had_the_change(tmp_path):
    """The change was written down before its day came: nothing has been edited, and nothing is unknown."""
    case = folder(tmp_path, after())
    forecast.issue(case, forecast.update(case, as_of=THEN, tolerance=1.0, **FEW))
    data = changed_since_issue(case, forecast.update(case, as_of=NOW, tolerance=1.0, **FEW))
    assert data is not None
    assert len(json.loads(data.attrs["note"])) == 1
    np.testing.assert_array_equal(data["now"].sel(step="remainder"), 0.0)
    other = changed_since_issue(
        case, forecast.update(case, as_of=NOW, tolerance=1.0, **FEW), question_was=tmp_path / "question.yaml"
    )
    assert other is not None
    assert other.identical(data)


def test_within_an_era_nothing_is_carried(tmp_path):
    case = folder(tmp_path, after())
    forecast.issue(case, forecast.update(case, as_of=DAY, tolerance=1.0, **FEW))
    data = changed_since_issue(case, forecast.update(case, as_of=NOW, tolerance=1.0, **FEW))
    assert data is not None
    assert data["step"].values.tolist() == list(STEPS)
    assert json.loads(data.attrs["note"]) == []


def test_scenarios_that_the_question_never_had_cannot_be_compared(tmp_path):
    case, tree = issue_then_edit(
        tmp_path, before().replace("truce", "pause").replace("Truce", "Pause"), after()
    )
    assert changed_since_issue(case, tree) is None
    issued = Issued(THEN, "", np.array([[0.5, 0.5]]), np.array([[0.5, 0.5]]), ("war", "pause"))
    with pytest.raises(ValueError, match="never had just these scenarios: war, pause"):
        changed(case, tree, issued)
