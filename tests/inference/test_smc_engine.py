"""Particles are doubled, and moved more often, until the numbers are sure; progress is counted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from forecast.case.evidence import Evidence
from forecast.inference import result, smc_engine
from forecast.inference.engine import infer
from forecast.inference.particles import Chain
from tests.cases import binary, day, question, report, small, source


def test_particles_are_doubled_until_the_numbers_are_sure(monkeypatch):
    case = small("yes_no", False)
    monkeypatch.setattr("forecast.inference.smc_engine.MOST_PARTICLES", 400)
    run: dict[str, Any] = {"as_of": case.as_of, "draws": 100, "chains": 2}
    sure = infer(case.question, case.evidence, tolerance=0.03, **run)
    assert 100 <= sure.attrs["particles"] <= 400
    assert sure.attrs["mcse"] <= 0.03
    assert result.warnings(sure) == []
    unsure = infer(case.question, case.evidence, tolerance=1e-4, **run)
    assert unsure.attrs["particles"] == 400
    (warning,) = result.warnings(unsure)
    assert "more than the tolerance of 0.0001, with 400 particles in each of 2 chains" in warning.text
    worst = max(
        float(unsure[g].to_dataset()["mcse"][at].max())
        for g, at in (("trend", -1), ("outlook", 0), ("outlook", -1))
    )
    assert unsure.attrs["mcse"] == pytest.approx(worst)
    assert unsure["posterior"].sizes["draw"] == 100


def test_work_has_an_end_that_is_told(monkeypatch):
    """Sixty sources of one cell, half of whom say no: by symmetry even, to within the error that is told."""
    sources = tuple(source(f"f{n}", 0.9, 10.0) for n in range(60))
    q = question((0.5, 0.5), (binary("m", (0.3, 0.7), 20.0),), sources, 20.0)
    log = Evidence(tuple(report(f"r{n}", 1, "m", "yes" if n % 2 else "no", f"f{n}") for n in range(60)))
    monkeypatch.setattr("forecast.inference.smc_engine.MOST_WORK", 1e6)
    tree = infer(q, log, as_of=day(6), tolerance=0.002, seed=2)
    assert tree.attrs["particles"] == 1000
    (warning,) = (w for w in result.warnings(tree) if w.kind == "tolerance")
    assert "with 1000 particles" in warning.text
    off = abs(float(tree["trend"].to_dataset()["probability"][-1, 0]) - 0.5)
    assert off < 4 * tree.attrs["mcse"] < 0.3


@pytest.mark.parametrize(("worst", "moves"), [(0.0, [1, 2, 3]), (1e9, [1])])
def test_particles_are_moved_more_often_while_the_systems_disagree(worst, moves, monkeypatch):
    """`worst` is the largest r_hat that passes for agreement; the error is always within the tolerance."""
    import forecast.inference.smc_engine as sequential
    from forecast.inference.smc import run_chain

    case, told = small("moving", False), list[tuple[int, int]]()

    def listening(*given: Any, **named: Any) -> Any:
        told.append((named["particles"], named["moves"]))
        return run_chain(*given, **named)

    monkeypatch.setattr(sequential, "run_chain", listening)
    monkeypatch.setattr(sequential, "R_HAT", worst)
    monkeypatch.setattr(sequential, "MOST_PARTICLES", 400)
    infer(case.question, case.evidence, as_of=case.as_of, draws=100, chains=1, tolerance=1.0, seed=0)
    assert told == [(100 * 2**turn, number) for turn, number in enumerate(moves)]


def test_exact_questions_take_one_particle():
    case = small("yes_no", True)
    tree = infer(case.question, case.evidence, as_of=case.as_of, draws=50, chains=2, tolerance=1e-12)
    assert tree.attrs["particles"] == 1
    assert tree.attrs["mcse"] < 1e-15
    assert tree["posterior"].sizes["draw"] == 50


def progress_of(**options: Any) -> list[float]:
    case = small("yes_no", False)
    shares: list[float] = []
    infer(
        case.question, case.evidence, as_of=case.as_of, draws=50, chains=2, progress=shares.append, **options
    )
    return shares


def test_progress_reaches_one():
    shares = progress_of(tolerance=1.0)
    assert shares == sorted(shares)
    assert 0 < shares[0] < 1
    assert shares[-1] == 1.0


def test_progress_never_goes_back():
    shares = progress_of(tolerance=0.01)
    assert shares == sorted(shares)


def test_errors_of_past_dates_hold():
    """Of chains nine times as uncertain as their draws; 300 runs of nine dates; the seed is fixed.

    With the spread of four chains alone the error is exceeded threefold in 5.8 % (Student's t of 3); pooled
    over two scenarios and five dates in less than 1.5 %, of a Normal it would be .3 %.
    """
    rng, dates, draws, truth = np.random.default_rng(0), 10, 100, 0.4
    beyond = {"pooled": 0, "alone": 0}
    for _ in range(300):
        chains = []
        for _ in range(4):
            p = truth + 0.03 * rng.normal(size=(dates, 1)) + 0.1 * rng.normal(size=(dates, draws))
            both = np.stack([p, 1 - p], axis=-1)[:, :, None]
            chains.append(SimpleNamespace(probability=both, weight=np.full((dates, draws), 1 / draws)))
        run = cast(list[Chain], chains)
        for one in smc_engine._past(run):
            beyond["pooled"] += abs(one.probability[0, 0] - truth) > 3 * one.mcse[0, 0]
        for k in range(dates - 1):
            spread = [chain.probability[k, :, 0, 0].mean() for chain in chains]
            beyond["alone"] += abs(np.mean(spread) - truth) > 3 * np.std(spread, ddof=1) / 2
    assert beyond["pooled"] < 0.015 * 2700
    assert beyond["alone"] > 0.03 * 2700
