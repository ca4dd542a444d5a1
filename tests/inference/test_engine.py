"""From a case to its forecast."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

import forecast
from forecast.case.errors import InputError
from forecast.case.evidence import Evidence
from forecast.case.folder import Case, load_case
from forecast.inference.engine import infer, update
from tests.case.base import write
from tests.cases import binary, day, question, report, small, source

FEW: dict[str, Any] = {"draws": 50, "chains": 2, "tolerance": 1.0}


def test_a_folder_and_a_case_give_one_result(tmp_path):
    write(tmp_path)
    case = load_case(tmp_path)
    as_of = date(2024, 2, 10)
    trees = [update(x, as_of=as_of, **FEW) for x in (tmp_path, str(tmp_path), case)]
    assert trees[0].identical(trees[1])
    assert trees[0].identical(trees[2])
    attrs = trees[0].attrs
    assert (attrs["case"], attrs["digest"]) == (tmp_path.name, case.digest)
    assert attrs["version"] == forecast.__version__
    assert json.loads(attrs["warnings"])[: len(case.warnings)] == list(case.warnings)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["evidence.csv", "question.yaml"]  # nothing written


def test_the_as_of_date(tmp_path):
    """By default the last day of the last finished period, held within opened and horizon."""
    write(tmp_path)
    assert update(tmp_path, **FEW).attrs["as_of"] == "2024-06-30"
    for outside in (date(2023, 12, 31), date(2024, 7, 1)):
        with pytest.raises(InputError, match="the question was not open on this day"):
            update(tmp_path, as_of=outside, **FEW)
    case = small("yes_no", True)
    held = infer(case.question, case.evidence, as_of=date(2030, 1, 1), **FEW)
    assert held.attrs["as_of"] == case.question.horizon.isoformat()


def test_the_engine_is_checked(tmp_path):
    with pytest.raises(ValueError, match=r"engine 'magic' is not one of: 'smc'"):
        update(write(tmp_path), engine="magic")  # type: ignore[arg-type]


def test_particles_are_doubled_until_the_numbers_are_sure(monkeypatch):
    case = small("yes_no", False)
    monkeypatch.setattr("forecast.inference.smc_engine.MOST_PARTICLES", 400)
    run: dict[str, Any] = {"as_of": case.as_of, "draws": 100, "chains": 2}
    sure = infer(case.question, case.evidence, tolerance=0.03, **run)
    assert 100 <= sure.attrs["particles"] <= 400
    assert sure.attrs["mcse"] <= 0.03
    assert json.loads(sure.attrs["warnings"]) == []
    unsure = infer(case.question, case.evidence, tolerance=1e-4, **run)
    assert unsure.attrs["particles"] == 400
    (warning,) = json.loads(unsure.attrs["warnings"])
    assert "more than the tolerance of 0.0001, with 400 particles in each of 2 chains" in warning
    worst = max(
        float(unsure[g].to_dataset()["mcse"][at].max())
        for g, at in (("trend", -1), ("outlook", 0), ("outlook", -1))
    )
    assert unsure.attrs["mcse"] == pytest.approx(worst)
    assert unsure["posterior"].sizes["draw"] == 100


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


def test_impossible_evidence_is_an_input_error_that_names_the_reports(tmp_path):
    never = (binary("raid", (0.0, 0.0), math.inf), binary("offer", (0.3, 0.6), 20.0))
    q = question((0.6, 0.4), never, (source("s", 1.0, math.inf),), 20.0)
    log = (
        replace(report("a", 1, "offer", "yes"), line=2),
        replace(report("b", 8, "raid", "yes"), line=3),
        replace(report("c", 9, "offer", "no"), line=4),
    )
    case = Case("made", tmp_path, q, Evidence(log), "0" * 64)
    with pytest.raises(InputError) as found:
        update(case, as_of=day(20), **FEW)
    faults = found.value.faults
    assert [(f.line, f.value) for f in faults] == [(3, "b: raid = yes"), (4, "c: offer = no")]
    assert (
        "no scenario allows the reports of this period together, as known on 2024-01-14" in faults[0].problem
    )
