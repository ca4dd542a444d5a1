"""What an answer hangs on, put together: each part is what its module found; what the engine adds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import arviz as az
import numpy as np
import pytest
import xarray as xr

from forecast.analysis.plug_in import plug_in_model
from forecast.analysis.sensitivity.sensitivity import sensitivity
from forecast.analysis.sensitivity.stated_values import stated_values
from forecast.case.edit import altered
from forecast.case.evidence import Evidence
from forecast.case.folder import Case, load_case, new_case
from forecast.inference.engine import update
from forecast.report.text.sensitivity import sensitivity_lines
from tests.cases import Small, binary, day, question, report, small, source
from tests.oracles import enumerate_posterior, mean_theta

KINDS = ["yes_no", "residual", "one_testimony", "moving", "stepping", "of_units", "units_static",
         "everything", "learns_in_part", "learns_nothing", "nothing_heard"]  # fmt: skip


def as_case(one: Small) -> Case:
    return Case("small", Path("nowhere"), one.question, one.evidence, "d")


def looked_at(one: Small, draws: int = 150, top: int = 3) -> tuple[xr.DataTree, xr.Dataset]:
    tree = update(as_case(one), as_of=one.as_of, draws=draws, chains=2, tolerance=1.0)
    return tree, sensitivity(as_case(one), tree, top=top)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_question_has_an_answer(name: str, exact: bool):
    """Shapes, what is finite, and the forecast and the answer at the means where they belong."""
    one = small(name, exact)
    tree, data = looked_at(one)
    numbers = stated_values(one.question)
    assert data["judgement"].values.tolist() == [n.name for n in numbers]
    assert data["stated"].values == pytest.approx([n.value for n in numbers])
    base = plug_in_model(one.question, one.evidence, one.as_of).chances
    for when, value in base._asdict().items():
        np.testing.assert_array_equal(np.atleast_2d(data[f"at_means_{when}"].values), value)
        every = xr.concat([data[when], data[f"at_means_{when}"].expand_dims(end=["stated"])], dim="end")
        np.testing.assert_allclose(data[f"swing_{when}"], every.max("end") - every.min("end"), atol=1e-15)
    np.testing.assert_array_equal(data["engine_now"], tree["trend"]["probability"].isel(as_of=-1))
    np.testing.assert_array_equal(data["engine_horizon"], tree["outlook"]["probability"].isel(date=-1))
    leaders = data["engine_horizon"].idxmax("scenario").values.tolist()
    assert data["leader"].values.tolist() == leaders
    unit = ("unit",) if one.question.units else ()
    assert data["flip"].dims == ("judgement", *unit)
    assert set(data["in_set"].dims) == {*unit, "report"}
    assert data["learnt_horizon"].dims == ("judgement", "end", *unit, "scenario")
    learns = not exact and "learns" not in name
    assert int(np.isfinite(data["learnt_ess"].values).all(axis=1).sum()) == (3 if learns else 0)
    assert np.isfinite(data["power_now"].values).all() != exact
    assert all(isinstance(line, str) for line in sensitivity_lines(data))


def test_the_largest_swings_are_tried_with_learning():
    _, data = looked_at(small("moving", False), top=4)
    swing = data["swing_horizon"].sel(scenario=data["leader_at_means"].item())
    tried = set(data["judgement"].values[np.isfinite(data["learnt_ess"].values[:, 0])])
    assert tried == set(swing.to_series().nlargest(4).index)


def test_power_scaling_is_arviz_s():
    tree, data = looked_at(small("yes_no", False))
    for part in ("prior", "likelihood"):
        expected = az.psense(tree, group=part, var_names=["horizon_probability"])["horizon_probability"]
        np.testing.assert_array_equal(data["power_horizon"].sel(part=part), expected)


def test_the_set_is_confirmed_by_the_engine():
    """Exact judgements: the engine's answer without the set is the sum over all paths, as at the means."""
    one = small("agreeing_and_clashing", True)
    _, data = looked_at(one)
    ids = data["report"].values[data["in_set"].values].tolist()
    assert ids
    left = altered(as_case(one), drop=ids).evidence
    theta = mean_theta(one.question, left)
    expected = enumerate_posterior(one.question, left, one.as_of, theta, ahead=False)["now"]
    assert expected.argmax() != data["at_means_horizon"].values.argmax()
    for name in ("set_horizon", "set_engine_horizon", "set_engine_now"):
        np.testing.assert_allclose(data[name], expected, atol=1e-10)


def test_the_engine_s_run_without_the_set_is_whatif_s():
    """The same seed and settings: bit for bit the forecast of the altered case."""
    one = small("agreeing_and_clashing", False)
    tree, data = looked_at(one)
    ids = data["report"].values[data["in_set"].values].tolist()
    again = update(altered(as_case(one), drop=ids), as_of=one.as_of, draws=150, chains=2, tolerance=1.0)
    np.testing.assert_array_equal(data["set_engine_horizon"], again["outlook"]["probability"].isel(date=-1))
    np.testing.assert_array_equal(data["set_engine_horizon_mcse"], again["outlook"]["mcse"].isel(date=-1))
    assert tree.attrs["seed"] == 0


def test_a_leader_that_learning_makes_is_said_to_be_one():
    """At the means alpha leads; the tree says beta. What flips is asked of alpha, and the lines say so."""
    one = small("yes_no", False)
    tree, _ = looked_at(one)
    lead = plug_in_model(one.question, one.evidence, one.as_of).chances.horizon[0].argmax()
    turned = tree["outlook"].to_dataset()
    turned["probability"] = turned["probability"].copy(data=turned["probability"].values[:, ::-1])
    if turned["probability"].values[-1].argmax() == lead:
        turned["probability"] = 1 - turned["probability"]
    changed = tree.copy()
    changed["outlook"] = xr.DataTree(turned)
    data = sensitivity(as_case(one), changed)
    assert data["leader"].item() != data["leader_at_means"].item()
    said = " ".join(" ".join(sensitivity_lines(data)).split())
    assert "what follows asks when that lead is lost" in said


def test_another_state_of_the_case_is_refused():
    one = small("yes_no", False)
    tree, _ = looked_at(one)
    with pytest.raises(ValueError, match="not made from the files of"):
        sensitivity(replace(as_case(one), digest="other"), tree)


def test_from_a_folder_with_progress(tmp_path: Path):
    folder = new_case(tmp_path / "mine")
    shares: list[float] = []
    case = load_case(folder)
    as_of = case.question.as_of(max(r.reported for r in case.evidence.reports))
    tree = update(case, as_of=as_of, draws=100, chains=2, tolerance=1.0)
    data = sensitivity(folder, tree, top=2, progress=shares.append)
    assert shares == sorted(shares)
    assert 0 < shares[0] <= shares[-1] <= 1.0
    assert (data.attrs["case"], data.attrs["digest"]) == ("mine", case.digest)


def test_lines_name_a_flip_and_a_set():
    """Two scenarios nearly level: one report holds up the leader, and so does nearly every judgement."""
    q = question((0.45, 0.55), (binary("raid", (0.6, 0.4), 20.0),), (source("s", 0.9, 20.0),), 20.0)
    _, data = looked_at(Small(q, Evidence((report("only", 1, "raid", "yes"),)), day(6)))
    said = " ".join(" ".join(sensitivity_lines(data)).split())
    assert "Without 1 report of 1: only, beta leads with 55%, before alpha with 45% at the means" in said
    assert "(no smaller set will do)" in said
    assert "each alone, would put another scenario first" in said
    assert "Where another scenario would lead" in said
    assert data["flip_to"].sel(judgement="prior beta").item() == "beta"
