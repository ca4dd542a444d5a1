"""Leave-future-out against brute force (all paths summed, Beta-binomial forms, importance sampling, ArviZ),
and the comparison of questions by it.
"""

from __future__ import annotations

import math
import re
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import arviz as az
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.typing import NDArray

import forecast
from forecast.analysis.leave_future_out import compare_questions, future_score, lfo_wrapper
from forecast.case.errors import InputError
from forecast.case.evidence import Evidence, Report
from forecast.case.folder import Case, load_case
from forecast.case.judgement import Proportions
from forecast.case.question import Monitored, Question
from tests.cases import CASES, binary, count, day, question, ratio, report, small, source
from tests.oracles import cell_likelihood, draw_theta, mean_theta
from tests.oracles.paths import Array, path_sums, step_matrix
from tests.oracles.theta import has_cut, has_uncertain


def as_case(q: Question, evidence: Evidence, name: str = "made-up") -> Case:
    return Case(name, Path(name), q, evidence, digest=name)


def small_case(name: str, exact: bool) -> tuple[Case, date]:
    found = small(name, exact)
    return as_case(found.question, found.evidence, name), found.as_of


def terms(case: Case, as_of: date, theta: Any, *, inner: int = 1, density: bool = True) -> Array:
    """Return log p(y_t | y_<t) by summing over all paths: (T,).

    theta is one set of judgements, or arrays of draws from the prior; `inner` of them in a row share what may
    not learn. The past enters with the exponents of groups and cap, period t (for a `density`) without.
    """
    q = case.question
    plain = replace(q, groups=(), cap=None) if density else q
    past, now = (cell_likelihood(each, case.evidence, as_of, theta) for each in (q, plain))
    step, found = step_matrix(q, theta), []
    for t in range(q.period(as_of) + 1):
        with_it: Any = 1.0
        without: Any = 1.0
        for unit in q.units or ("",):
            before = [past[unit, k] for k in range(t)]
            with_it = with_it * path_sums(theta["prior"], step, [*before, now[unit, t]])[0]
            without = without * (path_sums(theta["prior"], step, before)[0] if t else 1.0)
        upper, lower = (np.atleast_1d(np.asarray(each, float)) for each in (with_it, without))
        upper, lower = np.broadcast_arrays(upper, lower)
        if len(upper) > 1:
            upper, lower = (each.reshape(-1, inner).mean(axis=1) for each in (upper, lower))
        found.append(np.log((upper / lower).mean()))
    return np.array(found)


@pytest.mark.parametrize("name", CASES)
def test_exact_judgements_against_all_paths(name):
    case, as_of = small_case(name, True)
    score = future_score(case, as_of=as_of)
    expected = terms(case, as_of, mean_theta(case.question, case.evidence))
    assert np.allclose(score["elpd"], expected, rtol=0, atol=1e-10)
    assert float(score["mcse"]) == 0.0


def sampled(case: Case, as_of: date, *, seed: int, density: bool = True, number: int = 40_000) -> Array:
    q, evidence = case.question, case.evidence
    inner = number
    if has_cut(q, evidence):
        inner = 400 if has_uncertain(q, evidence, learn=True) else 1
    theta = draw_theta(q, evidence, np.random.default_rng(seed), number, inner)
    return terms(case, as_of, theta, inner=inner, density=density)


@pytest.mark.parametrize("name", CASES)
def test_uncertain_judgements_against_importance_sampling(name):
    """Also with groups, a cap and `learn: false`; draws from the prior, all paths summed for each.

    Standard errors of a term: below 0.007 (engine) and 0.005 (sampling); of two cases 0.022 and 0.016. So
    the chance that one of the 130 terms is off by more is below 1 in 10,000. Seeds 0 and 1.
    """
    case, as_of = small_case(name, False)
    number = {"moving": 8_000, "everything": 4_000}.get(name, 40_000)
    expected = sampled(case, as_of, seed=1, number=number)
    score = future_score(case, as_of=as_of)
    assert np.allclose(
        score["elpd"], expected, rtol=0, atol=0.14 if name in ("residual", "learns_in_part") else 0.05
    )
    total = float(score["by_chain"].sum("period").mean())
    assert total == pytest.approx(float(score["elpd"].sum()), abs=0.05)  # mean of logs, log of means


def coins(weeks: int, seed: int, w: float = 10.0) -> tuple[Case, date, NDArray[np.bool_]]:
    """A static question of two indicators, reported each week by a source that is sure; and the reports."""
    chances = ((0.2, 0.5), (0.6, 0.3))
    indicators = tuple(binary(n, p, w) for n, p in zip(("one", "two"), chances, strict=True))
    q = question((0.7, 0.3), indicators, (source("s", 1.0, math.inf),), w, weeks=weeks)
    happened = np.random.default_rng(seed).random((weeks, 2)) < (0.45, 0.35)
    log = tuple(
        report(f"{name}{t}", 7 * t, name, "yes" if happened[t, i] else "no")
        for t in range(weeks)
        for i, name in enumerate(("one", "two"))
    )
    return as_case(q, Evidence(log)), day(7 * weeks - 1), happened


def urns(case: Case, happened: NDArray[np.bool_]) -> Array:
    """The same terms in closed form: an urn for every indicator and scenario, (a + hits) / (a + b + n)."""
    q, found = case.question, []
    weight = np.array(q.prior.mean)
    a = np.array([[j.weight * j.mean[1] for j in i.likelihood] for i in q.indicators])  # type: ignore[union-attr, index]
    b = np.array([[j.weight * j.mean[0] for j in i.likelihood] for i in q.indicators])  # type: ignore[union-attr, index]
    for row in happened:
        yes = row[:, None]
        chance = np.where(yes, a, b) / (a + b)
        joint = weight * chance.prod(axis=0)
        found.append(np.log(joint.sum()))
        weight, a, b = joint / joint.sum(), a + yes, b + ~yes
    return np.array(found)


def test_thirty_weeks_of_learning_against_urns():
    """Standard error of a term at most 0.007, of the sum 0.013 (seed 0): 5 of these and more are allowed."""
    case, as_of, happened = coins(30, seed=4)
    score = future_score(case, as_of=as_of)
    expected = urns(case, happened)
    assert np.allclose(score["elpd"], expected, rtol=0, atol=0.035)
    assert float(score["elpd"].sum()) == pytest.approx(expected.sum(), abs=0.1)
    assert float(score["mcse"]) < 0.1


@pytest.mark.parametrize("name", ["late_and_corrected", "repeat_of_withdrawn", "moving", "one_testimony"])
def test_the_sum_is_the_marginal_likelihood_that_the_trend_arrives_at(name):
    """The trend passes through the dates of the reports, corrections and all; standard errors below 0.02."""
    case, as_of = small_case(name, False)
    reached = forecast.update(case, as_of=as_of)["sample_stats"]["log_marginal_likelihood"].isel(as_of=-1)
    assert float(future_score(case, as_of=as_of)["elpd"].sum()) == pytest.approx(
        float(reached.mean()), abs=0.1
    )


def test_a_late_report_counts_in_its_own_period():
    case, as_of = small_case("yes_no", True)
    first, *others = case.evidence.reports
    late = replace(case, evidence=Evidence((replace(first, reported=as_of), *others)))
    assert np.array_equal(future_score(late, as_of=as_of)["elpd"], future_score(case, as_of=as_of)["elpd"])
    before = future_score(late, as_of=day(19))["elpd"].values
    assert before[0] == pytest.approx(0.0, abs=1e-12)  # not known yet
    assert before[1] != 0.0


def test_a_cap_buys_no_score():
    w = math.inf
    q = question((0.5, 0.5), (binary("raid", (0.05, 0.6), w),), (source("s", 1.0, w),), w)
    plain = as_case(q, Evidence((report("r", 1, "raid", "yes"),)))
    capped = replace(plain, question=replace(q, cap=2.0))
    reached = [
        float(forecast.update(case, as_of=day(6))["sample_stats"]["log_marginal_likelihood"].min())
        for case in (plain, capped)
    ]
    assert reached[1] > reached[0] + 0.5  # the power likelihood is larger: it is no density
    for case in (plain, capped):
        assert float(future_score(case, as_of=day(6))["elpd"].sum()) == pytest.approx(math.log(0.325))


def impossible_case(cap: float | None, w: float) -> Case:
    """In the second week a sure source reports what rules out one scenario and what rules out the other."""
    raid, flight = binary("raid", (0.0, 0.4), math.inf), binary("flight", (0.4, 0.0), math.inf)
    q = question((0.5, 0.5), (binary("offer", (0.2, 0.4), w), raid, flight), (source("s", 1.0, math.inf),), w)
    log = (report("a", 1, "offer", "yes"), report("b", 8, "raid", "yes"), report("c", 9, "flight", "yes"))
    return as_case(replace(q, cap=cap), Evidence((*log, report("d", 15, "offer", "no"))))


@pytest.mark.parametrize("w", [20.0, math.inf])
def test_what_was_held_for_impossible(w):
    with pytest.raises(InputError, match=r"no scenario allows .*2024-01-21 \(found: b: raid = yes"):
        future_score(impossible_case(None, w), as_of=day(20))
    score = future_score(impossible_case(5.0, w), as_of=day(20))  # under a cap such cells do not count
    assert np.isneginf(score["elpd"].values).tolist() == [False, True, False]
    assert np.isfinite(score["elpd"][2])


def test_one_chain_cannot_tell_its_error():
    case, as_of = small_case("yes_no", False)
    score = future_score(case, as_of=as_of, draws=200, chains=1)
    assert np.isnan(score["mcse"])
    assert score.sizes["chain"] == 1


def test_particles_double_until_the_error_is_small():
    case, as_of, _ = coins(20, seed=1)
    few = future_score(case, as_of=as_of, draws=100, tolerance=10.0)
    more = future_score(case, as_of=as_of, draws=100, tolerance=0.02)
    assert few.attrs["particles"] == 100
    assert more.attrs["particles"] > 100
    assert float(more["mcse"]) <= 0.02


def test_the_same_seed_gives_the_same_bits():
    case, as_of = small_case("everything", False)
    one, two = (future_score(case, as_of=as_of, draws=200) for _ in range(2))
    assert one.identical(two)
    other = future_score(case, as_of=as_of, draws=200, seed=1)
    assert not np.array_equal(one["by_chain"], other["by_chain"])


# --- az.lfo_cv with our wrapper ---------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["exact", "approx"])
@pytest.mark.parametrize("name", ["yes_no", "moving", "units_static", "late_and_corrected"])
def test_arviz_gets_the_same(name, method):
    """4 x 2,000 draws a fit: standard errors of a term below 0.003 (both; seed 0); 0.03 is allowed."""
    case, as_of = small_case(name, False)
    wrapper = lfo_wrapper(case, forecast.update(case, as_of=as_of))
    found = az.lfo_cv(wrapper.idata_orig, wrapper, 1, 1, time_dim="period", method=method, pointwise=True)
    expected = future_score(case, as_of=as_of)["elpd"].isel(period=slice(1, None))
    assert np.allclose(found.elpd_i, expected, rtol=0, atol=0.03)
    assert found.n_data_points == expected.size


def test_arviz_two_periods_ahead():
    """log p(y_t, y_(t+1) | y_<t) is the sum of two terms; errors as above."""
    case, as_of, happened = coins(8, seed=2)
    wrapper = lfo_wrapper(case, forecast.update(case, as_of=as_of))
    found = az.lfo_cv(wrapper.idata_orig, wrapper, 3, 2, time_dim="period", method="exact", pointwise=True)
    each = urns(case, happened)
    assert np.allclose(found.elpd_i, each[3:-1] + each[4:], rtol=0, atol=0.06)


@pytest.mark.parametrize("name", ["grouped", "capped", "of_units"])
def test_arviz_scores_the_power_likelihood(name):
    """Where exponents are below 1, the tree's own log likelihood; errors of 0.005 and 0.003 (seeds 0, 1)."""
    case, as_of = small_case(name, False)
    wrapper = lfo_wrapper(case, forecast.update(case, as_of=as_of))
    found = az.lfo_cv(wrapper.idata_orig, wrapper, 1, 1, time_dim="period", method="exact", pointwise=True)
    expected = sampled(case, as_of, seed=1, density=False)
    assert np.allclose(found.elpd_i, expected[1:], rtol=0, atol=0.05)
    assert found.elpd > float(future_score(case, as_of=as_of)["elpd"][1:].sum()) + 0.1  # it is no density


def test_arviz_with_judgements_that_may_not_learn():
    """Standard errors of a term: 0.006 (ours) and 0.016 (sampling). Seeds 0 and 1."""
    case, as_of = small_case("learns_in_part", False)
    wrapper = lfo_wrapper(case, forecast.update(case, as_of=as_of))
    found = az.lfo_cv(wrapper.idata_orig, wrapper, 1, 1, time_dim="period", method="exact", pointwise=True)
    assert np.allclose(found.elpd_i, sampled(case, as_of, seed=1)[1:], rtol=0, atol=0.1)


def test_only_the_future_can_be_left_out():
    case, as_of = small_case("yes_no", False)
    wrapper = lfo_wrapper(case, forecast.update(case, as_of=as_of, draws=100, tolerance=1.0))
    with pytest.raises(ValueError, match="only the future"):
        wrapper.sel_observations(np.array([1]))


def test_the_tree_must_be_of_the_case():
    case, as_of = small_case("yes_no", False)
    tree = forecast.update(case, as_of=as_of, draws=100, tolerance=1.0)
    with pytest.raises(ValueError, match="not made from the files of yes_no"):
        lfo_wrapper(replace(case, digest="another"), tree)


ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "scenarios" / "isis-jn-2014"


def mistaken(case: Case) -> Case:
    """Return the same question, whose author thinks that everything happens most weeks."""
    same = Proportions((0.3, 0.7), 10.0)
    indicators = tuple(replace(i, likelihood=(same,) * len(i.likelihood)) for i in case.question.indicators)
    return replace(case, name="mistaken", question=replace(case.question, indicators=indicators))


def test_the_table_against_urns():
    """Standard error of a term 0.007, of a sum 0.013 (seed 0); five of them and more are allowed."""
    case, as_of, happened = coins(30, seed=4)
    table = compare_questions([mistaken(case), case], as_of=as_of)
    one, two = urns(case, happened), urns(mistaken(case), happened)
    gap = two - one
    assert one.sum() > two.sum() + 4.1
    assert table.index.tolist() == ["made-up", "mistaken"]
    assert table["rank"].tolist() == [0, 1]
    assert table["elpd"].to_numpy() == pytest.approx([one.sum(), two.sum()], abs=0.1)
    assert table["elpd_diff"].to_numpy() == pytest.approx([0.0, gap.sum()], abs=0.1)
    assert table["dse"].to_numpy() == pytest.approx([0.0, math.sqrt(30 * gap.var())], abs=0.1)
    assert table["se"].to_numpy() == pytest.approx([math.sqrt(30 * e.var()) for e in (one, two)], abs=0.1)
    assert table["periods"].tolist() == [30, 30]
    assert table["diag_diff"].tolist() == ["", "N < 100"]
    assert (table["mcse"] < 0.1).all()
    assert table["mcse_diff"].iloc[0] == 0.0
    assert table.attrs["as_of"] == as_of.isoformat()


def test_the_table_against_az_compare():
    """az.compare of az.lfo_cv, refitted at every period; standard errors of a sum below 0.04 (seed 0)."""
    case, as_of, _ = coins(10, seed=4)
    cases = {"told": case, "mistaken": mistaken(case)}
    results = {}
    for name, one in cases.items():
        wrapper = lfo_wrapper(one, forecast.update(one, as_of=as_of, tolerance=1.0))
        results[name] = az.lfo_cv(
            wrapper.idata_orig, wrapper, 1, 1, time_dim="period", method="exact", pointwise=True
        )
    theirs = az.compare(results, round_to="none")
    ours = compare_questions(cases, as_of=as_of, first=1)
    assert ours.index.tolist() == theirs.index.tolist()
    for column in ("elpd", "se", "elpd_diff", "dse"):
        assert ours[column].to_numpy() == pytest.approx(theirs[column].to_numpy(), abs=0.2)


def test_exact_questions_have_exact_differences():
    case, as_of = small_case("yes_no", True)
    other = replace(case, question=replace(case.question, prior=Proportions((0.2, 0.8), math.inf)))
    table = compare_questions({"one": case, "other": other}, as_of=as_of)
    assert (table[["mcse", "mcse_diff"]] == 0.0).all(axis=None)
    mixed = compare_questions({"one": case, "learning": small_case("yes_no", False)[0]}, as_of=as_of)
    assert mixed["mcse"]["one"] == 0.0
    assert mixed["mcse"]["learning"] > 0.0


def test_the_first_period_to_be_scored():
    case, as_of = small_case("yes_no", True)
    other = replace(case, question=replace(case.question, prior=Proportions((0.2, 0.8), math.inf)))
    whole, part = (compare_questions({"a": case, "b": other}, as_of=as_of, first=k) for k in (0, 2))
    assert whole["periods"].tolist() == [3, 3]
    assert part["periods"].tolist() == [1, 1]
    assert part["elpd"].max() > whole["elpd"].max()
    with pytest.raises(ValueError, match="`first` is 3: give a period from 0 to 2"):
        compare_questions({"a": case, "b": other}, as_of=as_of, first=3)


def test_one_that_held_it_for_impossible_is_last():
    case = impossible_case(5.0, 20.0)
    sure = case.question
    unsure = replace(sure, indicators=tuple(binary(i.id, (0.2, 0.4), 20.0) for i in sure.indicators))
    table = compare_questions({"sure": case, "unsure": replace(case, question=unsure)}, as_of=day(20))
    assert table.index.tolist() == ["unsure", "sure"]
    assert table["elpd_diff"]["sure"] == -math.inf
    assert "Monte Carlo" in table["diag_diff"]["sure"]


def test_scenarios_dynamics_sources_and_unused_indicators_may_differ():
    case, as_of = small_case("moving", True)
    w = math.inf
    other = question(
        (0.5, 0.5),
        (*(binary(name, (0.4, 0.2), w) for name in ("raid", "offer", "unused")),),
        (source("s", 0.6, w), source("z", 0.9, w)),
        w,
        weeks=8,
    )
    table = compare_questions({"moving": case, "static": as_case(other, case.evidence)}, as_of=as_of)
    assert len(table) == 2


# --- what cannot be compared ------------------------------------------------------------------------------

AS_OF = day(20)
ANEW = "a file that leaves it out predicts other data"


def altered(case: Case, **changes: Any) -> Case:
    return replace(case, name="other", question=replace(case.question, **changes))


def with_first(case: Case, **changes: Any) -> Case:
    first, *others = case.question.indicators
    return altered(case, indicators=(replace(first, **changes), *others))


def with_log(case: Case, *reports: Report) -> Case:
    return replace(case, name="other", evidence=Evidence(reports))


def refused(*cases: Case, as_of: date | None = AS_OF) -> str:
    with pytest.raises(ValueError, match="only densities of the same data can be compared") as error:
        compare_questions(cases, as_of=as_of)
    return str(error.value)


def test_other_evidence():
    case, _ = small_case("yes_no", True)
    r1, r2, r3, c1 = case.evidence.reports
    assert "evidence differs in r2" in refused(case, with_log(case, r1, replace(r2, value="yes"), r3, c1))
    assert "evidence differs in r3" in refused(case, with_log(case, r1, r2, c1))
    assert "evidence differs in r1" in refused(case, with_log(case, replace(r1, reported=day(4)), r2, r3))
    assert "evidence stands in another order" in refused(case, with_log(case, r2, r1, r3))
    many = tuple(report(f"x{k}", k, "meeting", "no") for k in range(8))
    assert "differs in r1, r2, r3, x0, x1 and 6 more" in refused(case, with_log(case, *many))


def test_what_the_model_does_not_read_may_differ():
    case, _ = small_case("yes_no", True)
    r1, r2, r3, _ = case.evidence.reports
    later = report("later", 40, "meeting", "no")
    other = with_log(case, replace(r1, note="seen by me", line=7), r2, r3, later)
    table = compare_questions([case, other], as_of=day(20))
    assert table["elpd_diff"].tolist() == [0.0, 0.0]


def test_other_periods_and_units():
    case, _ = small_case("yes_no", True)
    assert "opened is 2024-01-01 and 2023-12-31" in refused(case, altered(case, opened=date(2023, 12, 31)))
    assert "period_days is 7 and 1" in refused(case, altered(case, period_days=1))
    assert "units is () and ('north',)" in refused(case, altered(case, units=("north",)))
    ends_early = altered(case, horizon=day(13))
    assert "the as-of date is 2024-02-11 and 2024-01-14; give `as_of`" in refused(
        case, ends_early, as_of=None
    )


def test_other_observables():
    case, _ = small_case("yes_no", True)
    q = case.question
    told = refused(case, with_first(case, values=("never", "no", "yes")))
    assert "values of meeting is ('no', 'yes') and ('never', 'no', 'yes')" in told
    watch = Monitored(day(0), day(60), 0.7)
    assert "monitored of meeting is None and Monitored" in refused(case, with_first(case, monitored=watch))
    assert "given of meeting is None and parent" in refused(case, with_first(case, given="parent"))
    watched = binary("watched", (0.2, 0.4), math.inf, monitored=watch)
    told = refused(case, altered(case, indicators=(*q.indicators, watched)))
    assert f"indicator watched has evidence in one only: {ANEW}" in told
    assert f"indicator meeting has evidence in one only: {ANEW}" in refused(
        case, altered(case, indicators=(watched,))
    )
    counted = count("meeting", (1.0, 2.0), math.inf)
    told = refused(case, altered(case, indicators=(counted,)))
    assert "kind of meeting is category and count" in told
    assert "made-up" not in told
    assert "yes_no and other: " in told


def test_other_ratios():
    case, as_of = small_case("expert_ratio", True)
    other = altered(case, indicators=(ratio("view", (1, 1, 1)),))
    assert "the ratios of view differ" in refused(case, other, as_of=as_of)


def test_names():
    case, as_of = small_case("yes_no", True)
    with pytest.raises(ValueError, match="several cases are named yes_no: give a mapping"):
        compare_questions([case, case], as_of=as_of)
    with pytest.raises(ValueError, match="at least two"):
        compare_questions([case], as_of=as_of)


def test_folders(tmp_path: Path):
    """The second file's author thinks less of some sources; a cap and groups are in both."""
    other = tmp_path / "doubting"
    shutil.copytree(SHIPPED, other, ignore=shutil.ignore_patterns("output", "forecasts.csv"))
    text = (other / "question.yaml").read_text().replace("reliability: C", "reliability: E")
    (other / "question.yaml").write_text(text)
    as_of = date(2014, 11, 22)
    table = compare_questions([SHIPPED, str(other)], as_of=as_of, draws=300, tolerance=1.0)
    assert set(table.index) == {"isis-jn-2014", "doubting"}
    assert table["periods"].tolist() == [13, 13]
    assert table["elpd_diff"].iloc[1] < 0.0
    again = compare_questions([load_case(SHIPPED), load_case(other)], as_of=as_of, draws=300, tolerance=1.0)
    assert table.equals(again)
    assert np.isfinite(table[["elpd", "se", "dse", "mcse", "mcse_diff"]].to_numpy(float)).all()


@pytest.mark.slow
def test_the_page_runs_and_says_what_comes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Monte Carlo errors of the sums shown are 0.03, of the differences 0.02."""
    page = (ROOT / "docs" / "comparing-questions.md").read_text(encoding="utf-8")
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {}
    with mpl.rc_context({"backend": "agg"}):
        for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
            exec(compile(code, "comparing-questions.md", "exec"), found)
        plt.close("all")
    (shown,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    for name, row in found["table"].iterrows():
        numbers = next(line for line in shown.splitlines() if line.startswith(f"{name} ")).split()[2:7]
        expected = row[["elpd", "se", "elpd_diff", "dse", "mcse"]].to_numpy(float)
        assert [float(number) for number in numbers] == pytest.approx(expected, abs=0.15)
    assert (tmp_path / "reliability.png").exists()
