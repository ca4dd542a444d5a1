"""The engine "nuts" agrees with the engine "smc" where its own r_hat lets it speak, and else says so.

Every clause of the model is in the case `everything`; benchmarks/engines.py runs all cases.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forecast.case.evidence import Evidence
from forecast.case.warnings import WarningMessage
from forecast.inference import result
from forecast.inference.engine import infer
from forecast.inference.nuts import run
from forecast.inference.nuts.run import Sampled
from forecast.model.problem import build_problem
from forecast.record.issue import issue
from tests.cases import binary, day, question, report, small, source
from tests.made_up import made_up_case

SEED = 20141123


def assert_agree(smc: xr.DataTree, nuts: xr.DataTree) -> None:
    """Within five combined errors everywhere: were they normal, 1 comparison in 1,700,000 fails by chance."""
    for group in ("trend", "outlook"):
        a, b = smc[group].to_dataset(), nuts[group].to_dataset()
        error = np.sqrt(a["mcse"] ** 2 + b["mcse"] ** 2) + 1e-12
        assert (abs(a["probability"] - b["probability"]) < 5 * error).all(), group


def test_where_nothing_learns_there_is_nothing_to_sample():
    case = small("learns_nothing", False)
    trees = [
        infer(
            case.question, case.evidence, as_of=case.as_of, draws=500, tolerance=1.0, seed=SEED, engine=engine
        )
        for engine in ("smc", "nuts")
    ]
    assert_agree(*trees)
    assert trees[1].attrs["refused"] == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "learning"), [("everything", "full"), ("events_filed", "full"), ("moving", "partial")]
)
def test_engines_agree(name, learning):
    case = small(name, False)
    q = replace(case.question, learning=learning)
    smc, nuts = (
        infer(q, case.evidence, as_of=case.as_of, draws=1000, tolerance=0.02, seed=SEED, engine=e)
        for e in ("smc", "nuts")
    )
    assert nuts.attrs["refused"] == ""
    assert_agree(smc, nuts)
    assert set(nuts.children) == set(smc.children) - {"surprise"}
    assert set(nuts["posterior"].data_vars) == set(smc["posterior"].data_vars)


@pytest.mark.slow
def test_a_static_question_with_two_modes_is_refused():
    """Each scenario explains 120 reports well once the judgements have learnt: a chain stays where it is."""
    names = ("a", "b", "c")
    q = question(
        (0.5, 0.5),
        (binary("a", (0.2, 0.8), 20.0), binary("b", (0.8, 0.2), 20.0), binary("c", (0.2, 0.8), 20.0)),
        (source("s", 1.0, np.inf),),
        20.0,
        weeks=40,
    )
    log = [report(f"{name}{t}", 7 * t, name, "yes" if t % 2 else "no") for t in range(40) for name in names]
    nuts = infer(q, Evidence(tuple(log)), as_of=day(279), draws=400, chains=4, seed=SEED, engine="nuts")
    assert "r_hat" in nuts.attrs["refused"]
    assert "r_hat" in [warning.kind for warning in result.warnings(nuts)]
    with pytest.raises(ValueError, match="r_hat"):
        issue(made_up_case(Path("nowhere")), nuts)


def judged(spread: float, diverging: bool, *, outer: bool = False) -> tuple[list[WarningMessage], str]:
    """What is said of made-up draws whose chains lie apart.

    With `outer` they also differ, in all chains alike, with each of 16 draws of what must not learn.
    """
    case = small("yes_no", False)
    problem = build_problem(case.question, case.evidence, case.as_of)
    rng = np.random.default_rng(1)
    theta = problem.layout.draw(rng, 4 * 500).reshape(4, 500, -1)
    theta[..., 0] += spread * np.arange(4)[:, None]
    whose = np.repeat(np.arange(16), 32)[:500] if outer else np.zeros(500, int)
    theta[..., 0] += outer * np.linspace(0.0, 0.3, 16)[whose]
    sample = run._draws(problem, len(problem.steps) - 1, theta, np.random.SeedSequence(1))
    dims = ("chain", "draw")
    stats = xr.Dataset(
        {
            "diverging": (dims, np.full((4, 500), diverging)),
            "energy": (dims, rng.normal(size=(4, 500))),
            "maxdepth_reached": (dims, np.zeros((4, 500), bool)),
        },
        {"chain": np.arange(4), "draw": np.arange(500)},
    )
    return run._judged(problem, Sampled(theta, whose, stats), sample)


def test_what_is_said_of_draws():
    assert judged(0.0, False) == ([], "")
    warnings, refused = judged(0.05, False)
    assert "r_hat of prior" in refused
    assert warnings[0].text == refused
    warnings, refused = judged(0.0, True)
    assert "2000 transitions of NUTS diverged" in warnings[0].text
    assert refused == ""


def test_what_must_not_learn_is_no_disagreement_of_chains_but_an_error():
    """All chains see the same 16 draws: they agree, and the mean is as sure as 16 draws are."""
    assert judged(0.0, False, outer=True) == ([], "")
    assert "r_hat of prior" in judged(0.2, False, outer=True)[1]
    case = small("yes_no", False)
    problem = build_problem(case.question, case.evidence, case.as_of)
    rng = np.random.default_rng(2)
    theta = problem.layout.draw(rng, 4 * 500).reshape(4, 500, -1)
    sample = run._draws(problem, len(problem.steps) - 1, theta, np.random.SeedSequence(1))
    whose = np.repeat(np.arange(16), 32)[:500]
    assert run._sizes(sample, whose).sum() == pytest.approx(16.0)
    assert run._sizes(sample, np.zeros(500, int)).sum() > 500
