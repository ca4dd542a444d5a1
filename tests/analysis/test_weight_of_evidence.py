"""Weights of evidence of cells, indicators and reports against enumeration, and that they add up."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.analysis.plug_in import HIGHEST_RELIABILITY, plug_in_model
from forecast.analysis.readings import PARTS, readings, report_weights
from forecast.analysis.weight_of_evidence import explain
from forecast.case.evidence import Evidence
from forecast.case.folder import Case
from forecast.inference.engine import infer
from forecast.inference.report_weights import weights_of_evidence
from forecast.model.parameters import build_layout
from forecast.report.text.explanation import explain_lines
from tests.cases import CASES, FILED_CASES, Small, binary, day, question, report, small, source
from tests.oracles import enumerate_posterior, mean_theta, weighted_cells
from tests.oracles.cells import Cells, Key, each, times
from tests.oracles.paths import path_sums, step_matrix

DECIBANS = 10 / math.log(10)
EXPLAINED = [name for name in (*CASES, *FILED_CASES) if name != "nothing_heard"]


def explained(case: Small, draws: int = 40) -> xr.Dataset:
    """Explain a small case at the means, also of how claims are filed; the engine's numbers are rough."""
    tree = infer(case.question, case.evidence, as_of=case.as_of, draws=draws, chains=2, tolerance=1.0)
    tree.attrs["digest"] = "d"
    model = plug_in_model(case.question, case.evidence, case.as_of)
    whole = Case("small", Path("small"), case.question, case.evidence, "d")
    return explain(whole, tree=tree, model=model)


def log_odds(p: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(p) - np.log(1 - p)) * DECIBANS


class Ignoring(Cells):
    """The cells of a question as if it were not known what was said of some, nor that nothing was."""

    def __init__(self, case: Small, ignored: Collection[Key]) -> None:
        super().__init__(case.question, case.evidence, case.as_of, mean_theta(case.question, case.evidence))
        self.ignored = set(ignored)

    def given_value(self, key: Key, x: Any, s: int, theta: Any) -> Any:
        return 1.0 if key in self.ignored else super().given_value(key, x, s, theta)

    def single(self, key: Key, s: int, theta: Any) -> Any:
        return 1.0 if key in self.ignored else super().single(key, s, theta)


def now_without(case: Small, unit: str, ignored: Collection[Key]) -> np.ndarray:
    """Sum over all paths for P(scenario), some cells ignored, the others with the exponents they have."""
    cells, q = Ignoring(case, ignored), case.question
    said, power, size = cells.said(cells.theta), Ignoring(case, ()).exponents(), len(q.scenarios)
    m: list[list[Any]] = [[1.0] * size for _ in range(cells.periods)]
    for key, each_said in said.items():
        if key[0] == unit:
            raised = [each(lambda v, p=power[key]: float(v) ** p, one) for one in each_said]
            m[key[1]] = [times(one, other) for one, other in zip(m[key[1]], raised, strict=True)]
    total, at = path_sums(cells.theta["prior"], step_matrix(q, cells.theta), m)
    return np.array(at[-1], float) / float(total)


def entries(case: Small) -> dict[str, list[Key]]:
    """Return the cells of each line of an explanation, by its name: one by one, but silence by indicator."""
    q, cells, found = case.question, Ignoring(case, ()), dict[str, list[Key]]()
    silent: dict[tuple[str, str], list[Key]] = {}
    for key in cells.heads():
        if cells.about(key) and any(
            cells.reports.get((*key[:2], n)) for n in (key[2], *cells.children[key[2]])
        ):
            given = [n for n in cells.children[key[2]] if cells.speaks((*key[:2], n))]
            name = "+".join([key[2], *given]) + f" {q.last_day(key[1])}"
            found[f"{key[0]} {name}" if key[0] else name] = [key]
        else:
            silent.setdefault((key[0], key[2]), []).append(key)
    for (unit, name), keys in silent.items():
        kind = {7: "week", 1: "day"}.get(q.period_days, "period")
        text = f"no report of {name}, {len(keys)} {kind}{'s' if len(keys) > 1 else ''}"
        found[f"{unit} {text}" if unit else text] = keys
    return found


@pytest.mark.parametrize("name", EXPLAINED)
def test_the_sum_is_the_enumerated_answer(name: str):
    """Before the evidence, and at the means with it, by summing over all paths; the lines between add up."""
    case = small(name, False)
    data = explained(case)
    theta = mean_theta(case.question, case.evidence)
    for variable, evidence in (("before", Evidence()), ("at_means", case.evidence)):
        quiet = replace(
            case.question,
            indicators=tuple(replace(i, monitored=None, reporting=None) for i in case.question.indicators),
        )
        q = case.question if evidence.reports else quiet  # silence is evidence too
        expected = log_odds(enumerate_posterior(q, evidence, case.as_of, theta, ahead=False)["now"])
        np.testing.assert_allclose(data[variable].values, expected, atol=1e-8)
    for u, unit in enumerate(case.question.units or ("",)):
        own = data["cell_unit"].values == unit
        cells = data["weight"].values[own].sum(axis=0)
        parts = {n: np.atleast_2d(data[n].values)[u] for n in ("before", "interaction", "at_means")}
        np.testing.assert_allclose(
            parts["before"] + cells + parts["interaction"], parts["at_means"], rtol=0, atol=1e-11
        )
        if case.question.dynamics is None:
            np.testing.assert_allclose(parts["interaction"], 0.0, atol=1e-11)
    np.testing.assert_allclose(data["at_means"] + data["learning"], data["engine"], rtol=0, atol=1e-11)
    taken = data["discount"].sum("part")
    np.testing.assert_allclose(data["undiscounted_weight"] - taken, data["weight"], rtol=0, atol=1e-11)


@pytest.mark.parametrize("name", EXPLAINED)
def test_a_line_s_weight_is_bayes_by_enumeration(name: str):
    """Static: each cell after those before it, a line being their sum. Regime: all paths with and without."""
    case = small(name, False)
    q, data, lines = case.question, explained(case), entries(case)
    heads = Ignoring(case, ()).heads()
    assert sorted(lines) == sorted(data["cell"].values.tolist())
    for label, keys in lines.items():
        expected = np.zeros(len(q.scenarios))
        if q.dynamics is None:
            for key in keys:
                later = heads[heads.index(key) + 1 :]
                with_it, without = (now_without(case, key[0], ignored) for ignored in (later, [key, *later]))
                expected += log_odds(with_it) - log_odds(without)
        else:
            whole = now_without(case, keys[0][0], ())
            expected = log_odds(whole) - log_odds(now_without(case, keys[0][0], keys))
        row = data.sel(cell=label)
        np.testing.assert_allclose(row["weight"].values, expected, atol=1e-7)
        silent = label.partition("no report of ")[1]
        assert row["cell_silent"].item() == (len(keys) if silent else 0)
        assert row["cell_period"].item() == keys[-1][1]


@pytest.mark.parametrize("name", [name for name in EXPLAINED if small(name, False).question.dynamics is None])
def test_log_likelihoods_are_the_oracle_s(name: str):
    """In a static question those of a line are the sum over its cells, each given those before it."""
    case = small(name, False)
    theta = mean_theta(case.question, case.evidence)
    cells, data = weighted_cells(case.question, case.evidence, case.as_of, theta), explained(case)
    for label, keys in entries(case).items():
        log_m = np.sum([np.log(np.array(cells[key], float)) for key in keys], axis=0) * DECIBANS
        found = data.sel(cell=label)["log_likelihood"].values
        np.testing.assert_allclose(found, log_m - log_m.max(), atol=1e-8)


@pytest.mark.parametrize(
    "name", ["agreeing_and_clashing", "graded", "repeated", "grouped", "capped", "one_source_twice"]
)
def test_each_reading_is_the_oracle_s_with_one_reason_less(name: str):
    """The oracle reads the same case with sources made sure, repeats made independent, no group, no cap."""
    case = small(name, False)
    q, log = case.question, case.evidence
    found = readings(plug_in_model(q, log, case.as_of))
    alone = Evidence(tuple(replace(r, independence=1.0) for r in log.reports))
    plain = replace(q, groups=(), cap=None)
    sure = replace(plain, credibility=dict.fromkeys(q.credibility, 1.0))
    theta = mean_theta(q, log)
    certain = theta | {"reliability": dict.fromkeys(theta["reliability"], HIGHEST_RELIABILITY)}
    certain["testimony"] = dict.fromkeys(theta["testimony"], HIGHEST_RELIABILITY)
    ways = (
        (sure, alone, certain),
        (plain, alone, theta),
        (plain, log, theta),
        (replace(q, cap=None), log, theta),
        (q, log, theta),
    )
    assert len(ways) == len(PARTS) + 1
    place = {i.id: n for n, i in enumerate(q.indicators)}
    for reading, way in zip(found.log_m, ways, strict=True):
        asked, told, judged = way
        cells = weighted_cells(asked, told, case.as_of, judged)
        order = sorted(cells, key=lambda key: (key[1], place[key[2]]))
        np.testing.assert_allclose(np.exp(reading), [cells[key] for key in order], rtol=1e-9)


def test_an_indicator_of_a_regime_is_left_out_whole():
    case = small("moving", False)
    data, theta = explained(case), mean_theta(case.question, case.evidence)
    whole = enumerate_posterior(case.question, case.evidence, case.as_of, theta, ahead=False)["now"]
    checked = 0
    for indicator in case.question.indicators:
        if indicator.monitored or indicator.given or any(i.given for i in case.question.indicators):
            continue
        rest = Evidence(tuple(r for r in case.evidence.reports if r.indicator != indicator.id))
        without = enumerate_posterior(case.question, rest, case.as_of, theta, ahead=False)["now"]
        found = data["indicator_weight"].sel(indicator=indicator.id).values
        np.testing.assert_allclose(found, log_odds(whole) - log_odds(without), atol=1e-8)
        checked += 1
    assert checked
    assert data.attrs["method"] == "leave one out"


@settings(max_examples=25, deadline=None)
@given(
    chances=st.lists(st.floats(0.02, 0.98), min_size=3, max_size=3),
    reliability=st.lists(st.floats(0.05, 0.99), min_size=2, max_size=2),
    said=st.lists(st.tuples(st.integers(0, 13), st.booleans(), st.integers(0, 1)), min_size=1, max_size=5),
    cap=st.one_of(st.none(), st.floats(1.5, 10.0)),
)
def test_parts_take_away_and_never_turn_a_lone_report(chances, reliability, said, cap):
    """One report alone: doubt and the cap bring every scenario's weight nearer to 0, and never past it.

    Many reports: the readings still are finite, and the last is the cell as it counts, within the cap.
    """
    q = question((0.5, 0.3, 0.2), (binary("raid", tuple(chances), 20.0),), (), 20.0)
    q = replace(q, sources=(source("s", reliability[0], 20.0), source("z", reliability[1], 20.0)), cap=cap)
    log = tuple(
        report(f"r{n}", when, "raid", "yes" if yes else "no", ("s", "z")[who], independence=0.5)
        for n, (when, yes, who) in enumerate(said)
    )
    found = readings(plug_in_model(q, Evidence(log), day(13)))
    assert np.isfinite(found.log_m).all()
    if cap is not None:
        assert np.ptp(found.log_m[-1], axis=1).max() <= math.log(cap) + 1e-9
    lone = readings(plug_in_model(q, Evidence(log[:1]), day(13))).log_m[:, 0]
    spread = lone[:, :, None] - lone[:, None, :]
    for before, after in pairwise(spread):
        assert np.all(np.abs(after) <= np.abs(before) + 1e-9)
        assert np.all(after * before >= -1e-9)


def test_what_does_not_help_is_said_to_be_so():
    """Heuer: nothing told apart; and evidence that helps one rival of the leader and hurts another."""
    q = question(
        (0.6, 0.2, 0.2),
        (binary("same", (0.5, 0.51, 0.5), 20.0), binary("both", (0.4, 0.9, 0.05), 20.0)),
        (source("s", 0.95, 20.0),),
        20.0,
    )
    told = report("a", 1, "same", "yes"), report("b", 2, "both", "yes"), report("c", 8, "both", "no")
    data = explained(Small(q, Evidence(told), day(13)))
    assert data["cell_indicator"].values.tolist() == ["same", "both", "both"]
    assert data["diagnosticity"].values.tolist()[:2] == ["not at all", "both ways"]
    assert data["indicator_diagnosticity"].values.tolist() == ["not at all", "both ways"]
    text = "\n".join(explain_lines(data))
    text = " ".join(text.split())
    assert "Not diagnostic even if certain (less than 1 deciban between any two scenarios): same." in text
    assert "Mixed (for a scenario in one period, against it in another): both." in text


def test_what_doubt_takes_is_told_from_what_never_helps():
    """A telling indicator from a source that tells little is not undiagnostic."""
    q = question((0.6, 0.4), (binary("plan", (0.05, 0.6), 20.0),), (source("s", 0.05, 20.0),), 20.0)
    data = explained(Small(q, Evidence((report("a", 1, "plan", "yes"),)), day(6)))
    assert (
        data["diagnosticity"].values.tolist()
        == data["indicator_diagnosticity"].values.tolist()
        == ["too little left"]
    )
    assert np.ptp(data["log_likelihood"].values) < 1 < np.ptp(data["undiscounted_weight"].values)
    assert "but too little is left" in " ".join(" ".join(explain_lines(data)).split())


def test_a_scenario_that_is_ruled_out():
    """Exact zeros and a source known exactly: nothing is infinite in the data, and the lines say so."""
    raid = binary("raid", (0.0, 0.5), math.inf)
    q = question((0.5, 0.5), (raid,), (source("s", 1.0, math.inf),), math.inf)
    data = explained(Small(q, Evidence((report("a", 1, "raid", "yes"),)), day(6)))
    assert np.isfinite(data["weight"].values).all()
    np.testing.assert_allclose(data["before"] + data["weight"].sum("cell"), data["at_means"], rtol=1e-12)
    assert "-inf" in "\n".join(explain_lines(data))


def only_case(reliability: float) -> Small:
    """One report of one source; two scenarios."""
    sources = (source("s", reliability, math.inf),)
    q = question((0.5, 0.5), (binary("raid", (0.2, 0.8), math.inf),), sources, math.inf)
    return Small(q, Evidence((report("x", 1, "raid", "yes"),)), day(6))


def test_a_source_that_is_never_wrong_is_not_doubted():
    case = only_case(1.0)
    data = explained(case)
    assert np.abs(data["discount"].values).max() < 1e-6


def test_what_is_ruled_out_is_no_rival():
    """A third scenario of prior 0, whatever the evidence says of it, makes nothing cut both ways."""
    sources = (source("s", 0.8, math.inf),)
    chances = (0.2, 0.2, 0.9)
    q = question((0.5, 0.5, 0.0), (binary("raid", chances, math.inf),), sources, math.inf)
    data = explained(Small(q, Evidence((report("x", 1, "raid", "no"),)), day(6)))
    assert data["diagnosticity"].values.tolist() == ["not at all"]


def test_a_count_that_waits_has_no_cell():
    case = small("poisson", False)
    count = max(case.evidence.reports, key=lambda r: r.date)
    early = replace(case, as_of=max(count.date, count.reported))
    assert early.as_of < case.question.last_day(case.question.period(count.date))
    data = explained(early)
    assert data["report_cell"].sel(report=count.id).item() == ""
    assert float(np.abs(data["report_weight"].sel(report=count.id)).max()) == 0


def test_each_report_can_be_followed_back():
    case = small("repeated", False)
    reports = tuple(
        replace(r, line=n + 2, citation=f"page {n}", note=f"note {n}")
        for n, r in enumerate(case.evidence.reports)
    )
    data = explained(replace(case, evidence=Evidence(reports)))
    by_id = {r.id: r for r in reports}
    for id in data["report"].values.tolist():
        row, told = data.sel(report=id), by_id[id]
        found = tuple(row[f"report_{n}"].item() for n in ("line", "citation", "note", "source", "indicator"))
        assert found == (told.line, told.citation, told.note, told.source, told.indicator)
        cell = data.sel(cell=row["report_cell"].item())
        assert cell["cell_indicator"].item() == told.indicator
        assert cell["cell_period"].item() == case.question.period(told.date)
    assert f"page 0; line {reports[0].line}" in "\n".join(explain_lines(data))


def test_nothing_heard_and_another_case_s_forecast():
    case = small("nothing_heard", False)
    data = explained(case)
    assert data.sizes["cell"] == 0
    np.testing.assert_allclose(data["before"], data["at_means"], atol=1e-12)
    assert "No report has weight." in explain_lines(data)
    tree = infer(case.question, case.evidence, as_of=case.as_of, draws=20, chains=2, tolerance=1.0)
    tree.attrs["digest"] = "other"
    with pytest.raises(ValueError, match="not made from the files of small"):
        explain(Case("small", Path("small"), case.question, case.evidence, "d"), tree=tree)


def test_units_are_told_one_after_the_other():
    text = "\n".join(explain_lines(explained(small("of_units", False))))
    for unit in small("of_units", False).question.units:
        assert f"leads in {unit}:" in text


def weights(case: Small) -> tuple[list[str], np.ndarray]:
    """Return the reports that stand, and the weight of each in each reading, (5, R, K), in decibans."""
    model = plug_in_model(case.question, case.evidence, case.as_of)
    found = readings(model)
    ids = [one.id for one in case.evidence.known(case.as_of)]
    return ids, report_weights(found, ids) * DECIBANS


@pytest.mark.parametrize("name", [*CASES, *FILED_CASES])
def test_the_last_reading_is_the_weight_of_evidence(name):
    case = small(name, False)
    ids, found = weights(case)
    layout = build_layout(
        case.question, Evidence(tuple(r for r in case.evidence.reports if r.reported <= case.as_of))
    )
    reports, expected = weights_of_evidence(layout, case.evidence, case.as_of)
    assert [one.id for one in reports] == ids
    np.testing.assert_allclose(found[-1], expected, rtol=0, atol=1e-8)


def lone(*log, reliability=(0.7, 0.6)) -> Small:
    """Two scenarios under which an indicator is seen with .2 and .8, and two sources."""
    sources = tuple(source(name, r, math.inf) for name, r in zip("ab", reliability, strict=True))
    q = question((0.5, 0.5), (binary("raid", (0.2, 0.8), math.inf),), sources, math.inf)
    return Small(q, Evidence(log), day(6))


def said(p: float, r: float) -> float:
    """Return P(yes reported | yes happens with p)."""
    return r * p + (1 - r) / 2


def test_a_lone_report_loses_to_doubt_alone():
    ids, found = weights(lone(report("x", 1, "raid", "yes", by="a")))
    sure, doubted = (10 * math.log10(said(0.8, r) / said(0.2, r)) for r in (1.0, 0.7))
    assert ids == ["x"]
    assert found[:, 0, 1] == pytest.approx([sure, doubted, doubted, doubted, doubted], abs=1e-6)


def test_of_two_sure_reports_that_agree_either_is_none():
    both = [report("x", 1, "raid", "yes", by="a"), report("y", 2, "raid", "yes", by="b")]
    _, found = weights(lone(*both))
    assert found[0] == pytest.approx(np.zeros((2, 2)), abs=1e-6)
    assert found[1, :, 1].min() > 0.5  # doubted, each of them says something


def test_of_two_sure_reports_that_clash_either_is_all():
    both = [report("x", 1, "raid", "yes", by="a"), report("y", 2, "raid", "no", by="b")]
    _, found = weights(lone(*both))
    sure = 10 * math.log10(4)
    assert found[0, :, 1] == pytest.approx([sure, -sure], abs=1e-6)


def test_a_repeat_loses_all_that_it_seemed_to_say():
    log = [report("x", 1, "raid", "yes", by="a"), report("y", 2, "raid", "yes", by="b", repeats=("x",))]
    _, found = weights(lone(*log))
    repeats = PARTS.index("repeats")
    assert found[repeats, 1, 1] > 0.5
    assert found[repeats + 1, 1] == pytest.approx(np.zeros(2), abs=1e-9)


def test_a_count_that_waits_weighs_nothing():
    case = small("poisson", False)
    log = Evidence(case.evidence.reports[:1])
    waits = log.reports[0].date
    model = plug_in_model(case.question, log, waits)
    found = readings(model)
    assert not report_weights(found, [log.reports[0].id]).any()
