"""The forecast at the judgements' means against the sum over all paths, and quick draws with learning."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from forecast.analysis.plug_in import plug_in_model, quick
from forecast.analysis.sensitivity.stated_values import stated_values
from forecast.case.edit import altered, without_reports
from forecast.case.folder import Case, load_case
from forecast.inference.engine import infer, update
from tests.cases import CASES, small
from tests.oracles import enumerate_posterior, mean_theta


@pytest.mark.parametrize("name", CASES)
def test_it_is_the_enumerated_answer(name: str):
    case = small(name, False)
    theta = mean_theta(case.question, case.evidence)
    expected = enumerate_posterior(case.question, case.evidence, case.as_of, theta)
    found = plug_in_model(case.question, case.evidence, case.as_of).chances
    for answer, value in found._asdict().items():
        np.testing.assert_allclose(value, np.atleast_2d(expected[answer]), rtol=1e-9, atol=1e-12)


def test_what_is_not_known_yet_changes_nothing():
    """Also where a report that comes later names a testimony, and so lengthens theta."""
    case = small("one_testimony", False)
    early = case.question.last_day(0)
    known = type(case.evidence)(tuple(r for r in case.evidence.reports if r.reported <= early))
    assert len(known.reports) < len(case.evidence.reports)
    for one, other in zip(
        plug_in_model(case.question, case.evidence, early).chances,
        plug_in_model(case.question, known, early).chances,
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", CASES)
def test_other_values_of_judgements_are_as_if_set_up_anew(name: str):
    """Bit for bit, and the model that the what-ifs start from stays as it is."""
    case = small(name, False)
    model = plug_in_model(case.question, case.evidence, case.as_of)
    for one in stated_values(case.question):
        for value in (one.quantile(0.05), one.quantile(0.95)):
            question = one.with_value(case.question, value)
            expected = plug_in_model(question, case.evidence, case.as_of).chances
            np.testing.assert_array_equal(model.with_question(question).chances, expected, one.name)
    np.testing.assert_array_equal(
        model.chances, plug_in_model(case.question, case.evidence, case.as_of).chances
    )


@pytest.mark.parametrize("name", CASES)
def test_without_reports_is_as_if_set_up_anew(name: str):
    """Bit for bit: each row alone, pairs of rows, and all of them."""
    case = small(name, False)
    model = plug_in_model(case.question, case.evidence, case.as_of)
    ids = [report.id for report in case.evidence.reports]
    for gone in [*combinations(ids, 1), *list(combinations(ids, 2))[:30], tuple(ids)]:
        left = without_reports(case.question, case.evidence, gone)
        expected = plug_in_model(case.question, left, case.as_of).chances
        np.testing.assert_array_equal(model.without(gone).chances, expected, str(gone))


SHIPPED = load_case(Path(__file__).parents[2] / "scenarios" / "isis-jn-2014")
DAY = date(2014, 11, 23)


def probabilities(tree):
    return (
        tree[group].to_dataset()["probability"].isel({dim: -1}).values
        for group, dim in (("trend", "as_of"), ("outlook", "date"))
    )


@pytest.mark.parametrize("name", ["everything", "moving", "late_and_corrected", "of_units"])
def test_exact_questions_agree_to_rounding(name):
    one = small(name, True)
    case = Case("a", Path(), one.question, one.evidence, "")
    found = quick(case, as_of=one.as_of)
    now, horizon = probabilities(infer(one.question, one.evidence, as_of=one.as_of))
    assert found.error == 0
    np.testing.assert_allclose(found.now.squeeze(), now, atol=1e-12)
    np.testing.assert_allclose(found.horizon.squeeze(), horizon, atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"values": {"reliability isw": 0.4}}, {"without": ["rferl", "isw"]}])
def test_the_shipped_case_agrees_within_the_error(options):
    """Seed 0: five points are four times the error that 2 x 400 particles have here (.012, over 20 seeds)."""
    found = quick(SHIPPED, as_of=DAY, **options)
    case = SHIPPED
    if "values" in options:
        weight = next(s for s in case.question.sources if s.id == "isw").reliability.weight
        case = altered(case, set={"reliability isw": {"p": 0.4, "weight": weight}})
    if "without" in options:
        case = altered(case, drop_sources=options["without"])
    for one, whole in zip(found[:2], probabilities(update(case, as_of=DAY)), strict=True):
        np.testing.assert_allclose(one[0], whole, atol=0.05)


def test_a_small_move_makes_a_small_difference():
    """The random numbers are common, but for slice sampling, which takes as many as it needs."""
    one, other = (quick(SHIPPED, as_of=DAY, values={"reliability sohr": r}) for r in (0.85, 0.851))
    assert np.abs(one.horizon - other.horizon).max() < 0.015
    assert not np.array_equal(one.horizon, other.horizon)


def test_the_error_that_is_told_is_never_small_by_luck():
    """Seeds 0 to 9, fixed: two systems alone agree by chance, so their particles' own error is a floor."""
    found = [quick(SHIPPED, as_of=DAY, seed=seed) for seed in range(10)]
    spread = np.std([one.now for one in found], axis=0, ddof=1).max()
    assert min(one.error for one in found) > spread / 4
    assert np.sqrt(np.mean([one.error**2 for one in found])) < 4 * spread


def test_it_is_the_same_each_time():
    one, other = (quick(replace(SHIPPED), as_of=DAY) for _ in range(2))
    assert np.array_equal(one.now, other.now)
