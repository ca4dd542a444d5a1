"""Comparing questions: the numbers of the table, and what cannot be compared."""

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

import forecast
from forecast.analysis.lfo import compare_questions, lfo_wrapper
from forecast.case.evidence import Evidence, Report
from forecast.case.folder import Case, load_case
from forecast.case.judgement import Proportions
from forecast.case.question import Monitored
from tests.analysis.test_future import as_case, coins, impossible_case, small_case, urns
from tests.cases import binary, count, day, question, ratio, report, source

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
ANEW = "a file that leaves it out foretells other data"


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
