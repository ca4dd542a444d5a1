"""From a case to its forecast."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

import forecast
from forecast.case.errors import InputError
from forecast.case.evidence import Evidence
from forecast.case.folder import Case, load_case
from forecast.inference import result
from forecast.inference.engine import infer, update
from tests.case.base import write
from tests.cases import binary, day, question, report, small, source
from tests.inference.answers import answers

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
    assert result.warnings(trees[0])[: len(case.warnings)] == list(case.warnings)
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


def test_the_same_seed_gives_the_same_numbers():
    case = small("everything", False)
    one, two = (
        infer(case.question, case.evidence, as_of=case.as_of, draws=100, chains=2, tolerance=1.0, seed=3)
        for _ in range(2)
    )
    for name, values in answers(one).items():
        assert np.array_equal(values, answers(two)[name]), name
    other = infer(case.question, case.evidence, as_of=case.as_of, draws=100, chains=2, tolerance=1.0, seed=4)
    assert not np.array_equal(answers(one)["now"], answers(other)["now"])
