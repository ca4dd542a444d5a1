"""The track record before a change is intact, bit for bit; from its day on the new question answers."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from forecast.case.folder import Case, load_case
from forecast.case.in_force import in_force
from forecast.inference import result
from forecast.inference.data_tree import EngineResult, Progress, Settings
from forecast.inference.engine import infer, update
from forecast.inference.particles import ImpossibleEvidence
from forecast.inference.result import now as present
from forecast.inference.trend_over_changes import earlier_dates, gap_warnings, with_past
from forecast.model.problem import Problem
from tests.case.base import write
from tests.case.changing import ADDED, EVIDENCE, KINDS, REGIME, SPLIT, STATIC, before, between, changed
from tests.inference.answers import array, dates
from tests.oracles import enumerate_posterior, mean_theta

FEW: dict[str, Any] = {"draws": 100, "chains": 2, "tolerance": 1.0}
DAY = timedelta(days=1)
LATE = date(2024, 2, 10)
NUMBERS = ("probability", "low", "high", "mcse")


def case_of(folder: Path, question: str) -> Case:
    folder.mkdir(exist_ok=True)
    return load_case(write(folder, question, EVIDENCE))


def alike(a: xr.DataTree, b: xr.DataTree) -> bool:
    """Tell whether two trees are the same but for the case they name."""
    named = {"case", "digest"}
    same = {k: v for k, v in a.attrs.items() if k not in named} == {
        k: v for k, v in b.attrs.items() if k not in named
    }
    groups = {name: node.to_dataset() for name, node in a.children.items()}
    others = {name: node.to_dataset() for name, node in b.children.items()}
    return same and groups.keys() == others.keys() and all(groups[n].identical(others[n]) for n in groups)


@pytest.mark.parametrize("kind", KINDS)
def test_before_the_change_nothing_is_other_than_it_was(tmp_path, kind: str):
    old, new = (
        case_of(tmp_path / n, q) for n, q in (("old", before(kind)), ("new", changed(kind, added=True)))
    )
    for day in (date(2024, 1, 14), SPLIT - DAY):
        assert alike(update(old, as_of=day, **FEW), update(new, as_of=day, **FEW))


@pytest.mark.parametrize("kind", KINDS)
def test_the_trend_before_the_change_is_that_of_the_last_forecast_before_it(tmp_path, kind: str):
    old, hand, new = (
        case_of(tmp_path / name, question)
        for name, question in (
            ("old", before(kind)),
            ("hand", between(kind)),
            ("new", changed(kind, added=True)),
        )
    )
    tree = update(new, as_of=LATE, **FEW)
    trend = tree["trend"].to_dataset()
    sundays = [date(2024, 1, 7) + n * timedelta(days=7) for n in range(5)]
    assert dates(tree) == [*sundays, LATE]
    records = [
        update(old, as_of=date(2024, 1, 21), **FEW)["trend"].to_dataset(),
        update(hand, as_of=date(2024, 2, 4), **FEW)["trend"].to_dataset().isel(as_of=slice(3, None)),
    ]
    for record in records:
        part = trend.sel(as_of=record["as_of"], scenario=record["scenario"])
        for name in NUMBERS:
            np.testing.assert_array_equal(part[name].values, record[name].values)
        elsewhere = trend.drop_sel(scenario=record["scenario"].values).sel(as_of=record["as_of"])
        assert elsewhere["probability"].isnull().all()
        assert not elsewhere["in_force"].any()
        assert part["in_force"].all()
    now = present(tree)
    assert now["scenario"].values.tolist() == ["war", "local", "formal", "other", "collapse"]
    assert float(now["probability"].sum()) == pytest.approx(1.0)
    assert trend["scenario"].values.tolist() == ["war", "truce", "local", "formal", "other", "collapse"]
    for name in ("outlook", "hindsight", "evidence", "posterior"):
        assert tree[name].to_dataset()["scenario"].values.tolist() == now["scenario"].values.tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_from_the_day_of_the_change_on_it_is_the_question_of_a_file_written_by_hand(tmp_path, kind: str):
    hand, new = (
        case_of(tmp_path / n, q) for n, q in (("hand", between(kind)), ("new", changed(kind, added=True)))
    )
    mine, theirs = (update(case, as_of=SPLIT, **FEW) for case in (new, hand))
    trend = mine["trend"].to_dataset()
    assert dates(mine)[-1] == SPLIT
    for name in NUMBERS:
        np.testing.assert_array_equal(present(mine)[name].values, present(theirs)[name].values)
    mine["trend"] = theirs["trend"]
    assert alike(mine, theirs)
    assert trend["in_force"].values[-1].tolist() == [True, False, True, True, True]


def exactly(text: str) -> str:
    """Return a file with nothing left to chance: no interval, and no judgement that is made up."""
    text = re.sub(r"reliability: {p: (.*), weight: .*}}", r"reliability: \1}", text)
    text = text.replace("{low: 6, high: 30}", "12")
    rows = {"meeting": "0.1", "tone": "[0.4, 0.3, 0.3]", "panel": "2", "clashes": "{mean: 4}"}
    for name, row in rows.items():
        text = re.sub(rf"( {name}: .*likelihood: {{)", rf"\1other: {row}, ", text)
    return text.replace(", residual: true", "")


@pytest.mark.parametrize("kind", KINDS)
def test_both_sides_of_the_change_are_the_sum_over_all_paths(tmp_path, kind: str):
    """With judgements known exactly there is nothing to sample: agreement to rounding."""
    case = case_of(tmp_path, exactly(changed(kind, weight=".inf")))
    tree = update(case, as_of=date(2024, 2, 4), **FEW)
    trend = tree["trend"].to_dataset()
    for day in dates(tree):
        question = in_force(case.question, day)
        theta = mean_theta(question, case.evidence)
        exact = enumerate_posterior(question, case.evidence, day, theta, ahead=False)
        names = [scenario.id for scenario in question.scenarios]
        found = trend["probability"].sel(as_of=np.datetime64(day), scenario=names).values
        np.testing.assert_allclose(found, np.broadcast_to(exact["now"], found.shape), atol=1e-10)
        assert len(names) == (3 if day < SPLIT else 4)
    np.testing.assert_allclose(array(tree, "hindsight", "smoothed")[-1], exact["now"], atol=1e-10)


def test_units(tmp_path):
    """Each unit has its own course; the trend goes back over the change for all of them."""
    log = EVIDENCE.replace("value,source", "value,source,unit").replace("agency\n", "agency,north\n")
    log = log.replace("paper\n", "paper,south\n")
    head = "units: [north, south]\n"
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    old = load_case(write(tmp_path / "old", head + before(), log))
    new = load_case(write(tmp_path / "new", head + changed(), log))
    trend = update(new, as_of=LATE, **FEW)["trend"].to_dataset()
    record = update(old, as_of=date(2024, 1, 21), **FEW)["trend"].to_dataset()
    assert trend["probability"].dims == record["probability"].dims == ("as_of", "unit", "scenario")
    part = trend.sel(as_of=record["as_of"], scenario=record["scenario"])
    np.testing.assert_array_equal(part["probability"].values, record["probability"].values)


def test_a_question_without_changes_has_the_trend_as_it_was(tmp_path):
    tree = update(case_of(tmp_path, before()), as_of=LATE, **FEW)
    assert set(tree["trend"].to_dataset()) == set(NUMBERS)
    case = load_case(tmp_path)
    assert earlier_dates(case.question, LATE) == []


def test_a_change_in_the_first_period_has_no_past(tmp_path):
    case = case_of(tmp_path, changed().replace("2024-01-24", "2024-01-03"))
    tree = update(case, as_of=date(2024, 1, 20), **FEW)
    assert "in_force" not in tree["trend"].to_dataset()
    assert "truce" not in tree["trend"].to_dataset()["scenario"].values


def test_which_dates_are_whose(tmp_path):
    question = case_of(tmp_path, changed(added=True)).question
    found = earlier_dates(question, LATE)
    assert [(then, len(own)) for then, own in found] == [
        (in_force(question, SPLIT - DAY), 3),
        (in_force(question, ADDED - DAY), 2),
    ]
    assert earlier_dates(question, SPLIT - DAY) == []
    on_the_day = earlier_dates(question, SPLIT)
    assert [own for _, own in on_the_day] == [[date(2024, 1, n) for n in (7, 14, 21)]]


def test_a_past_that_no_scenario_allowed_is_a_gap_with_a_warning(tmp_path):
    case = case_of(tmp_path, changed())
    now = update(case, as_of=LATE, **FEW)["trend"].to_dataset()
    own = now.drop_vars("in_force").isel(as_of=[-1]).drop_sel(scenario="truce")
    earlier = earlier_dates(case.question, LATE)
    past = now.drop_vars("in_force").sel(scenario=["war", "truce", "other"])

    def refusing(last_allowed: date):
        def trend(turn: int, day: date) -> xr.Dataset:
            assert turn == 0
            if day > last_allowed:
                raise ImpossibleEvidence(0, 0, day)
            return past.sel(as_of=slice(None, np.datetime64(day)))

        return trend

    first = with_past(case.question, earlier, own, refusing(date(2024, 1, 7)))
    lacking = first["probability"].sel(scenario="truce").isnull().values.tolist()
    assert lacking == [False, True, True, True]
    nothing = with_past(case.question, earlier, own, refusing(date(2023, 1, 1)))
    assert nothing["probability"].sel(scenario="war").isnull().values.tolist() == [True, True, True, False]
    (warning,) = gap_warnings(nothing)
    assert "the trend has gaps there" in warning.text
    assert gap_warnings(now) == []


def test_a_past_that_was_put_right_later_leaves_a_gap(tmp_path):
    """Before the change a report of what was then impossible stood for a week."""
    text = changed(STATIC).replace(
        "meeting: {likelihood: {war: 0.05, truce: 0.3, ",
        "raid: {likelihood: {war: {p: 0, weight: .inf}, truce: {p: 0, weight: .inf}, local: 0.1, "
        "formal: 0.1, other: {p: 0, weight: .inf}}}\n  meeting: {likelihood: {war: 0.05, truce: 0.3, ",
    )
    text = text.replace(
        "agency: {reliability: {p: 0.8, weight: 10}}", "agency: {reliability: {p: 1, weight: .inf}}"
    )
    log = EVIDENCE + "x1,2024-01-16,2024-01-16,raid,yes,agency\n"
    case = load_case(write(tmp_path, text, log))
    tree = update(case, as_of=LATE, **FEW)
    assert "gaps" in [warning.kind for warning in result.warnings(tree)]
    trend = tree["trend"].to_dataset()["probability"]
    assert trend.sel(scenario="war").isnull().values.tolist() == [False, False, True, False, False, False]


def test_progress_goes_on_over_the_eras(tmp_path):
    case, shares = case_of(tmp_path, changed(REGIME, added=True)), list[float]()
    infer(case.question, case.evidence, as_of=LATE, progress=shares.append, **FEW)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_result_survives_a_file(tmp_path):
    tree = update(case_of(tmp_path, changed()), as_of=LATE, **FEW)
    tree.to_netcdf(tmp_path / "tree.nc")
    with xr.open_datatree(tmp_path / "tree.nc") as again:
        assert again.load().identical(tree)


def test_any_engine_runs_the_questions_of_the_past(tmp_path, monkeypatch):
    """The second engine is called for each era too; here the first one stands in for it."""
    from forecast.inference import smc_engine
    from forecast.inference.nuts import run

    asked = []

    def stand_in(problem: Problem, settings: Settings, progress: Progress | None) -> EngineResult:
        asked.append((problem.layout.scenarios, problem.steps[-1].date))
        return smc_engine.run_smc(problem, settings, progress)

    monkeypatch.setattr(run, "run_nuts", stand_in)
    case = case_of(tmp_path, changed(added=True))
    tree = update(case, as_of=LATE, engine="nuts", **FEW)
    assert asked == [(5, LATE), (3, date(2024, 1, 21)), (4, date(2024, 2, 4))]
    again = update(case, as_of=LATE, **FEW)
    assert tree["trend"].to_dataset().identical(again["trend"].to_dataset())
