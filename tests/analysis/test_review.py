"""The review: each verdict, on results made so by hand, and on one read again from a file."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from forecast.analysis.review import Check, review
from forecast.inference.conflict import evidence_conflict
from forecast.inference.engine import infer
from forecast.model.problem import build_problem
from tests.cases import Small, small
from tests.inference.test_conflict import clashing


def result(case: Small, *, draws: int = 200, chains: int = 2) -> xr.DataTree:
    """Return a result with what a review reads, whichever groups the engine puts in."""
    tree = infer(
        case.question, case.evidence, as_of=case.as_of, draws=draws, chains=chains, tolerance=1.0, seed=3
    )
    tree["conflict"] = xr.DataTree(evidence_conflict(build_problem(case.question, case.evidence, case.as_of)))
    graded = {r.id: r.credibility for r in case.evidence.reports}
    ids = tree["constant_data"].coords["report"].values
    with_(tree, "constant_data", lambda d: d.assign(credibility=("report", [graded[i] for i in ids])))
    return tree


def with_(tree: xr.DataTree, group: str, change: Callable[[xr.Dataset], xr.Dataset]) -> xr.DataTree:
    """Change one group."""
    tree[group] = xr.DataTree(change(tree[group].to_dataset()))
    return tree


@pytest.fixture(scope="module")
def whole() -> xr.DataTree:
    return result(small("everything", False))


@pytest.fixture
def tree(whole: xr.DataTree) -> xr.DataTree:
    return whole.copy(deep=True)


def found(tree: xr.DataTree, name: str) -> Check:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        (one,) = [check for check in review(tree) if check.name == name]
    return one


def test_every_check_is_made_and_says_what_to_do(tree):
    checks = review(tree)
    assert [check.name for check in checks] == [
        "Monte Carlo error",
        "Agreement of chains",
        "Effective draws",
        "Gaps in the trend",
        "Drift of judgements",
        "Surprise",
        "Conflict in the evidence",
        "What the answer leans on",
        "Grades of credibility",
        "Judgement or evidence",
    ]
    for check in checks:
        assert check.reason.endswith(".")
        assert (check.verdict == "PASS") == (check.action == "")


def test_where_nothing_was_heard_the_answer_is_all_judgement():
    """The evidence is then a constant, which ArviZ's power scaling cannot take."""
    check = found(result(small("nothing_heard", False)), "Judgement or evidence")
    assert "counting the evidence a little more or less with 0.00" in check.reason


def test_a_result_from_a_file_has_the_same_review(tree, tmp_path: Path):
    tree.to_netcdf(tmp_path / "tree.nc")
    with xr.open_datatree(tmp_path / "tree.nc") as opened:
        assert review(opened.load()) == review(tree)


@pytest.mark.parametrize(("error", "verdict"), [(0.004, "PASS"), (0.009, "REVIEW"), (0.03, "FAIL")])
def test_monte_carlo_error(tree, error, verdict):
    tree.attrs |= {"mcse": error, "tolerance": 0.005}
    check = found(tree, "Monte Carlo error")
    assert check.verdict == verdict
    assert f"{100 * error:.2g} percentage points" in check.reason


def test_too_few_draws_to_tell():
    tree = result(small("yes_no", False), draws=20)
    for name in ("Monte Carlo error", "Agreement of chains"):
        assert found(tree, name).verdict == "REVIEW"
    assert "Judgement or evidence" not in {check.name for check in review(tree)}


def test_exact_judgements_leave_nothing_to_chance():
    names = {check.name: check.verdict for check in review(result(small("yes_no", True)))}
    assert names["Monte Carlo error"] == "PASS"
    assert not names.keys() & {"Agreement of chains", "Effective draws", "Judgement or evidence"}


@pytest.mark.parametrize(("shift", "verdict"), [(0.0, "PASS"), (0.1, "REVIEW"), (0.5, "FAIL")])
def test_chains_that_disagree(shift, verdict):
    """Independent draws that agree, and one chain beside the others: r_hat about 1.02 and 1.3."""
    tree = result(small("yes_no", False), draws=1000)
    rng = np.random.default_rng(1)

    def change(data: xr.Dataset) -> xr.Dataset:
        drawn = {name: (one.dims, rng.normal(size=one.shape)) for name, one in data.data_vars.items()}
        shifted = rng.normal(size=data["scenario_probability"].shape)
        shifted[0] += 3 * shift
        return data.assign(drawn).assign(scenario_probability=(data["scenario_probability"].dims, shifted))

    check = found(with_(tree, "posterior", change), "Agreement of chains")
    assert check.verdict == verdict
    assert verdict == "PASS" or "scenario_probability" in check.reason


def test_effective_draws(tree):
    def few(date: int, value: float) -> Check:
        changed = tree.copy(deep=True)
        ess = changed["sample_stats"]["ess"].values.copy()
        ess[:] = 150.0
        ess[1, date] = value
        with_(changed, "sample_stats", lambda d: d.assign(ess=(d["ess"].dims, ess)))
        changed.attrs["particles"] = 200
        return found(changed, "Effective draws")

    assert few(0, 150.0).verdict == "PASS"
    assert few(-1, 60.0).verdict == "FAIL"
    early = few(0, 30.0)
    assert early.verdict == "REVIEW"
    assert str(tree["trend"]["as_of"].values[0])[:10] in early.reason


def test_gaps(tree):
    assert found(tree, "Gaps in the trend").verdict == "PASS"
    first = tree["trend"]["as_of"].values[0]
    with_(tree, "trend", lambda d: d.where(d["as_of"] != first))
    check = found(tree, "Gaps in the trend")
    assert (check.verdict, str(first)[:10] in check.reason) == ("REVIEW", True)


def test_drift(tree):
    tail = np.ones(tree["drift"].sizes["judgement"])
    with_(tree, "drift", lambda d: d.assign(tail=("judgement", tail)))
    assert found(tree, "Drift of judgements").verdict == "PASS"
    tail[2] = 0.01
    with_(tree, "drift", lambda d: d.assign(tail=("judgement", tail)))
    check = found(tree, "Drift of judgements")
    assert check.verdict == "REVIEW"
    assert str(tree["drift"]["judgement"].values[2]) in check.reason


@pytest.mark.parametrize(
    ("tails", "verdict"),
    [
        ([0.5] * 10, "PASS"),
        ([0.04, *[0.5] * 9], "PASS"),  # one of ten: by chance two times in five
        ([0.001, *[0.5] * 9], "REVIEW"),  # by chance one time in a hundred
        ([0.04] * 3 + [0.5] * 7, "REVIEW"),  # one time in ninety
        ([0.04] * 6 + [0.5] * 4, "FAIL"),
    ],
)
def test_surprise(tree, tails, verdict):
    first = tree["evidence"]["reported"].values.min()
    dates = first + np.arange(10) * np.timedelta64(700, "D")
    data: dict[str, Any] = {"tail": ("as_of", tails), "reports": ("as_of", [1] * 10)}
    data["silences"] = "as_of", [0] * 10
    tree["surprise"] = xr.DataTree(xr.Dataset(data, {"as_of": dates}))
    check = found(tree, "Surprise")
    assert check.verdict == verdict
    if tails[0] < 0.05:
        assert str(first)[:10] in check.reason
        at = tree["evidence"]["reported"].values == first
        assert str(tree["evidence"]["report"].values[at][0]) in check.reason


def test_dates_without_reports_are_no_surprise(tree):
    nothing: dict[str, Any] = {"tail": ("as_of", [np.nan, 0.01]), "reports": ("as_of", [0, 0])}
    nothing["silences"] = "as_of", [0, 0]
    dates = tree["trend"]["as_of"].values[:2]
    tree["surprise"] = xr.DataTree(xr.Dataset(nothing, {"as_of": dates}))
    assert found(tree, "Surprise").verdict == "PASS"


def test_silence_can_be_a_surprise(tree):
    """Six weeks of silence, each among the 5 % most surprising: by chance in one case of 64 million."""
    data: dict[str, Any] = {"tail": ("as_of", [0.02] * 6), "reports": ("as_of", [0] * 6)}
    data["silences"] = "as_of", [1] * 6
    dates = tree["trend"]["as_of"].values[:1] + np.arange(6) * np.timedelta64(7, "D")
    tree["surprise"] = xr.DataTree(xr.Dataset(data, {"as_of": dates}))
    assert found(tree, "Surprise").verdict == "FAIL"


def test_one_tail_of_many_dates_is_not_resolved_by_two_hundred_replicates(tree):
    """Of 60 right dates one in three cases has a tail of 0 among 200 replicates."""
    data: dict[str, Any] = {"tail": ("as_of", [0.0, *[0.5] * 59]), "reports": ("as_of", [1] * 60)}
    data["silences"] = "as_of", [0] * 60
    dates = tree["trend"]["as_of"].values[:1] + np.arange(60) * np.timedelta64(7, "D")
    tree["surprise"] = xr.DataTree(xr.Dataset(data, {"as_of": dates}))
    check = found(tree, "Surprise")
    assert check.verdict == "PASS"
    assert "none of 200 replicates" in check.reason


def test_a_conflict_that_a_rare_path_explains():
    check = found(result(clashing()), "Conflict in the evidence")
    assert check.verdict == "REVIEW"
    assert "a rare but coherent path, “gamma”" in check.reason
    assert "black 2024-01-07" in check.reason


def test_a_conflict_that_no_path_explains(tree):
    with_(
        tree, "conflict", lambda d: d.assign(conflict=d["conflict"] * 0 + 20, explains=d["explains"] & False)
    )
    assert found(tree, "Conflict in the evidence").verdict == "FAIL"
    with_(tree, "conflict", lambda d: d.assign(conflict=d["conflict"] * 0 + 8))
    assert found(tree, "Conflict in the evidence").verdict == "REVIEW"
    with_(tree, "conflict", lambda d: d.assign(conflict=d["conflict"] * 0 + 2))
    assert found(tree, "Conflict in the evidence").verdict == "PASS"


def test_leaning_on_one_report_or_one_source():
    """A weight of 10 decibans is a factor of 10 on the odds: 50 % would be at 9 %."""
    tree = result(small("agreeing_and_clashing", False))
    with_(tree, "trend", lambda d: d.assign(probability=d["probability"] * 0 + 0.5))
    weight = np.zeros(tree["evidence"]["weight_of_evidence"].shape)

    def check() -> Check:
        dims = tree["evidence"]["weight_of_evidence"].dims
        with_(tree, "evidence", lambda d: d.assign(weight_of_evidence=(dims, weight)))
        return found(tree, "What the answer leans on")

    assert check().verdict == "PASS"
    weight[0, 0] = 10.0
    one = check()
    assert one.verdict == "REVIEW"
    assert (
        f"without {tree['evidence'].coords['report'].values[0]}: alpha would be at 9% in place of 50%"
        in one.reason
    )
    weight[:] = 0.0
    source = tree["evidence"]["source"].values
    weight[source == "z", 0] = 1.5
    assert check().verdict == "REVIEW"
    assert "all 3 reports of z" in check().reason


def test_leaning_on_the_only_source():
    tree = result(small("yes_no", False))
    dims, shape = tree["evidence"]["weight_of_evidence"].dims, tree["evidence"]["weight_of_evidence"].shape
    with_(tree, "trend", lambda d: d.assign(probability=d["probability"] * 0 + 0.5))
    weight = np.zeros(shape)
    weight[:, 0] = 2.0
    with_(tree, "evidence", lambda d: d.assign(weight_of_evidence=(dims, weight)))
    with_(tree, "evidence", lambda d: d.assign(source=("report", ["s"] * shape[0])))
    assert f"all {shape[0]} reports of s" in found(tree, "What the answer leans on").reason


def test_a_conflict_of_one_unit_names_cells_of_that_unit_and_none_is_overlooked():
    """North contradicts itself a little more, but a path explains it; south's is not explained."""
    tree = result(small("of_units", False))

    def change(d: xr.Dataset) -> xr.Dataset:
        explained = xr.where(d["unit"] == "north", d["explains"] | True, d["explains"] & False)
        each = xr.where(d["cell_unit"] == "north", 9.0, 1.0)
        value = d["conflict"].copy(data=[20.0 if u == "north" else 15.0 for u in d["unit"].values])
        return d.assign(conflict=value, explains=explained.transpose(*d["explains"].dims), cell_conflict=each)

    with_(tree, "conflict", change)
    check = found(tree, "Conflict in the evidence")
    assert check.verdict == "FAIL"
    assert "The cells of south are" in check.reason
    worst = check.reason[check.reason.index("Most at odds") :]
    assert "south (+1.0)" in worst
    assert "north" not in worst


@pytest.mark.parametrize("large", [1.02, 1.2])
def test_chains_that_disagree_where_the_forecast_itself_is_a_constant(tree, large):
    """ArviZ gives no r_hat of a constant; the review then has none to look up."""
    with_(tree, "posterior", lambda d: d.assign(
        scenario_probability=d["scenario_probability"] * 0 + 0.5,
        horizon_probability=d["horizon_probability"] * 0 + 0.5,
        prior=d["prior"] + xr.DataArray(np.linspace(0, large - 1, d.sizes["chain"]), dims="chain"),
    ))  # fmt: skip
    assert found(tree, "Agreement of chains").verdict == "REVIEW"
    assert "Judgement or evidence" not in [check.name for check in review(tree)]


def test_power_scaling_is_not_asked_where_judgements_must_not_learn():
    names = [check.name for check in review(result(small("learns_in_part", False)))]
    assert "Judgement or evidence" not in names


def test_units_are_looked_at_one_by_one():
    """A report of one unit moves that unit only; the unit with the most conflict is named."""
    tree = result(small("of_units", False))
    for name in ("Conflict in the evidence", "What the answer leans on"):
        assert found(tree, name).reason
    assert "The cells of " in found(tree, "Conflict in the evidence").reason


def test_reports_without_a_grade(tree):
    n = tree["constant_data"].sizes["report"]
    grades = ["2"] * n
    with_(tree, "constant_data", lambda d: d.assign(credibility=("report", grades)))
    assert found(tree, "Grades of credibility").verdict == "PASS"
    grades[0] = ""
    with_(tree, "constant_data", lambda d: d.assign(credibility=("report", grades)))
    check = found(tree, "Grades of credibility")
    assert check.verdict == "REVIEW"
    assert (
        f"1 of {n} reports have no grade ({tree['constant_data'].coords['report'].values[0]})" in check.reason
    )


@pytest.mark.parametrize(("shift", "verdict"), [(0.0, "PASS"), (0.6, "REVIEW")])
def test_what_was_filed(shift, verdict):
    """A log of events, and the same with the chances of denials raised."""
    tree = result(small("events_filed", False))
    learnt = tree["posterior"]["reporting"]
    quiet = learnt["claim"] == "quiet"
    with_(tree, "posterior", lambda d: d.assign(reporting=learnt + shift * quiet))
    check = found(tree, "What was filed")
    assert check.verdict == verdict
    assert f"{float(learnt.sel(claim='event').mean()):.2f} of what happened" in check.reason


@pytest.mark.parametrize(
    ("prior", "likelihood", "verdict", "words"),
    [
        (0.01, 0.4, "PASS", "does not hang on"),
        (0.4, 0.01, "REVIEW", "the reports add little"),
        (0.4, 0.3, "REVIEW", "a compromise"),
    ],
)
def test_judgement_or_evidence(tree, monkeypatch, prior, likelihood, verdict, words):
    def power_scaled(_: object, part: str, names: list[str]) -> xr.Dataset:
        value = {"prior": prior, "likelihood": likelihood}[part]
        return xr.Dataset({names[0]: ("scenario", [value / 2, value])})

    monkeypatch.setattr("forecast.analysis.review.power_scaled", power_scaled)
    check = found(tree, "Judgement or evidence")
    assert (check.verdict, words in check.reason) == (verdict, True)


def test_an_engine_that_refuses_its_own_numbers_fails(tree):
    tree.attrs["refused"] = "the chains did not agree."
    assert review(tree)[0] == Check(
        "The engine's own verdict", "FAIL", "the chains did not agree.", "Use the engine “smc”."
    )
