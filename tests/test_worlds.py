"""Simulated worlds are what they say, and their tables are computed right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from benchmarks import worlds_run, worlds_table
from benchmarks.worlds import (
    DEADLINE_LOGS,
    FAULTS,
    PERSISTENT,
    STATIC,
    World,
    _truth,
    _with_rates,
    contradictory,
    day,
    deadline,
    decayed,
    misjudged,
    persistent,
    reported,
    static,
)
from forecast.case.judgement import Judgement, Proportions

#: How many reports the first world of each kind has.
STREAM = {
    "static": [12, 13, 4, 6, 10, 6, 17, 34, 16, 38],
    "persistent": [9, 12, 23, 41],
    "deadline": [28, 33, 25, 24, 40, 22],
}
NEVER = 4.9  # standard errors: 1e-6 for one test; seeds are fixed


def weeks(world, source=""):
    """The share of the cells that are filed, and the share of these that say yes."""
    told = [r for r in world.evidence.reports if not source or r.source == source]
    return len(told) / 72, np.mean([r.value == "yes" for r in told]) if told else np.nan


def test_a_world_hangs_on_its_kind_and_number_alone():
    assert static("all", 3) == static("all", 3) != static("all", 4)
    assert deadline(0, timing="late") != deadline(0)
    kinds = {kind: static(kind, 3) for kind in STATIC}
    assert len({world.evidence for world in kinds.values()}) == len(STATIC)
    assert all(world.question == kinds["all"].question for world in kinds.values())
    assert len({persistent(kind, 3).evidence for kind in PERSISTENT}) == len(PERSISTENT)


def test_the_streams_of_random_numbers_are_kept():
    found = [len(static(kind, 0).evidence.reports) for kind in STATIC]
    assert found == STREAM["static"]
    assert [len(persistent(kind, 0).evidence.reports) for kind in PERSISTENT] == STREAM["persistent"]
    logs = [deadline(0, timing=t, log=log) for t in ("steady", "late") for log in DEADLINE_LOGS]
    assert [len(world.evidence.reports) for world in logs] == STREAM["deadline"]


def test_outcomes_come_as_often_as_was_said():
    made = [static("all", n) for n in range(400)]
    true = np.array([[s == w.outcome for s in w.question.scenario_ids] for w in made], float)
    said = np.array([w.question.prior.mean for w in made])
    z = (true - said).sum(axis=0) / np.sqrt((said * (1 - said)).sum(axis=0))
    assert np.abs(z).max() < NEVER
    ends = [deadline(n, timing=t) for n in range(400) for t in ("steady", "late")]
    yes = np.array([w.outcome == "yes" for w in ends], float)
    chance = np.array([w.question.prior.mean[1] for w in ends])
    assert abs((yes - chance).sum()) < NEVER * math.sqrt(
        2 * (chance * (1 - chance)).sum()
    )  # pairs share draws


def test_logs_are_kept_as_their_kind_says():
    many = range(60)
    assert np.mean([weeks(static("all", n))[0] for n in many]) == pytest.approx(0.5, abs=0.04)
    assert {r.value for n in many for r in static("events", n).evidence.reports} == {"yes"}
    watched = {r.indicator for n in many for r in static("halfwatched", n).evidence.reports}
    assert watched == {"i0", "i1", "i2"}
    assert np.nanmean([weeks(static("nos", n))[1] for n in many]) < 0.2
    weekly, onset = (sum(weeks(persistent(k, n))[0] for n in many) for k in ("weekly", "onset"))
    assert onset < 0.8 * weekly


def test_faults_are_what_they_say():
    """300 worlds of each; seeds are fixed, and every bound is four standard errors away or more."""
    many = range(300)
    assert misjudged("copies", "all", 1) == misjudged("copies", "all", 1) != misjudged("copies", "all", 2)
    worlds = {fault: [misjudged(fault, "all", n) for n in many] for fault in FAULTS}
    filed = {fault: np.mean([len(w.evidence.reports) for w in made]) for fault, made in worlds.items()}
    assert filed.pop("copies") == pytest.approx(72, rel=0.03)
    assert list(filed.values()) == pytest.approx([36] * 6, rel=0.03)
    for fault, least in (("common causes", 0.008), ("persistence", 0.012)):
        here, usual = (together(worlds[f], fault == "persistence") for f in (fault, "nothing"))
        assert here > usual + least
    # So much of the log odds said of a scenario against the others is true (a wide Beta has steeper ones).
    slope, scatter = zip(
        *(said_and_true(f) for f in ("nothing", "exaggerated", "overconfident")), strict=True
    )
    assert slope == pytest.approx((1.0, 0.5, 1.2), abs=0.1)
    assert scatter[2] > 1.6 * scatter[0] > 1.4 * scatter[1]


def said_and_true(fault: str) -> tuple[float, float]:
    """Return the slope of true on said log odds, each less the mean over scenarios, and what is left."""
    said, true = [], []
    for n in range(600):
        rng = np.random.default_rng(n)
        drawn = _truth(rng)
        rate = np.clip(_with_rates(drawn, fault, rng).rate, 0.01, 0.99)
        odds = np.log(drawn.judged / (1 - drawn.judged))
        said.append(odds[:, drawn.scenario] - odds.mean(axis=1))
        true.append(np.log(rate / (1 - rate)) - odds.mean(axis=1))
    x, y = np.concatenate(said), np.concatenate(true)
    slope = float(x @ y / (x @ x))
    return slope, float(np.std(y - slope * x))


def together(worlds: Sequence[World], in_time: bool) -> float:
    """Return how much likelier than by chance two reports agree: of an indicator's weeks, or of a week."""
    same = []
    for world in worlds:
        told = [(r.date, r.indicator, r.value == "yes") for r in world.evidence.reports]
        share = {i: np.mean([y for _, j, y in told if j == i]) for _, i, _ in told}
        for (d, i, y), (e, j, z) in combinations(told, 2):
            near = (i == j and (e - d).days == 7) if in_time else (d == e and i != j)
            if near:
                same.append((y - share[i]) * (z - share[j]))
    return float(np.mean(same))


def test_a_deadline_is_asked_while_it_is_open():
    for n in range(60):
        world = deadline(n, timing="late")
        when = [world.question.period(d) for d in world.as_of]
        assert len(world.preparing) == len(world.as_of)
        assert when == sorted(when)
        if world.outcome == "no":
            assert len(when) == 5
        assert all(r.date <= world.question.horizon for r in world.evidence.reports)
    graded = deadline(1, graded=True)
    assert {r.source for r in graded.evidence.reports} <= set("BCD")
    assert graded.as_of == deadline(1).as_of


def test_a_chance_that_decays():
    world = next(w for n in range(3) if (w := deadline(n)).question.period(w.question.horizon) == 12)
    chance = world.question.prior.mean[1]
    assert decayed(world.question, day(0)) == pytest.approx(chance, abs=1e-15)
    assert decayed(world.question, day(6 * 7)) == pytest.approx(1 - math.sqrt(1 - chance), abs=1e-15)
    assert decayed(world.question, world.question.horizon) == 0
    open_half = sum(not contradictory(deadline(n).question) for n in range(60))
    assert open_half == 54


def exact(judgement: Judgement) -> Proportions:
    assert isinstance(judgement, Proportions)
    return replace(judgement, weight=math.inf)


def test_the_horizon_on_one_date_is_bayes_rule():
    world = static("nos", 1)
    indicators = tuple(
        replace(one, reporting=None, likelihood=tuple(map(exact, one.likelihood)))
        for one in world.question.indicators
    )
    sources = tuple(replace(one, reliability=exact(one.reliability)) for one in world.question.sources)
    question = replace(world.question, indicators=indicators, sources=sources)
    reliability = {one.id: one.reliability.mean[1] for one in sources}
    weight = np.array(question.prior.mean)
    for report in world.evidence.reports:
        yes = np.array([exact(j).mean[1] for j in question.indicator(report.indicator).likelihood])
        r = reliability[report.source]
        weight = weight * (r * (yes if report.value == "yes" else 1 - yes) + (1 - r) / 2)
    found, error = worlds_run.at_horizon(question, world.evidence, world.as_of[-1], 0, 1, 2)
    np.testing.assert_allclose(found, weight / weight.sum(), rtol=1e-9)
    assert error.max() < 1e-12


def test_the_columns_differ_in_what_is_taken_for_granted():
    world = static("all", 0)
    kept = {
        c: worlds_run.asked(world.question, c).indicators[0].reporting
        for c in worlds_run.columns("static all")
    }
    assert kept["ignored"] is None
    assert kept["default"] is not None
    assert kept["default"].since is None
    assert kept["since"] is not None
    assert kept["since"].since == world.question.opened
    assert reported(world.question, kept["default"]) == world.question
    learnt = {c: worlds_run.asked(world.question, c) for c in ("full", "default", "not at all")}
    assert (learnt["full"].learning, learnt["default"].learning) == ("full", "partial")
    assert not any(j.learn for i in learnt["not at all"].indicators for j in i.likelihood if j)
    ends = deadline(0, timing="late").question
    names = worlds_run.columns("deadline late all")
    assert names == ["event", "event late", "static"]
    assert [getattr(worlds_run.asked(ends, c).event, "timing", None) for c in names] == [
        "steady",
        "late",
        None,
    ]


def test_a_run_goes_on_where_it_stopped(tmp_path, capsys):
    file = tmp_path / "answers.csv"
    options = ["static all", "--csv", str(file), "--columns", "ignored", "--jobs", "1", "--particles", "40"]
    worlds_run.main([*options, "--until", "1"])
    first = worlds_run.read(file)
    worlds_run.main([*options, "--until", "2"])
    assert [row.number for row in worlds_run.read(file)] == [0, 1]
    assert worlds_run.read(file)[:1] == first
    worlds_table.main([str(file)])
    assert "static all" in capsys.readouterr().out


def test_errors_are_clustered_by_question():
    alike = {(n, str(k)): float(n) for n in range(3) for k in range(4)}
    assert worlds_table.mean(alike).mean == pytest.approx(1.0)
    assert worlds_table.mean(alike).error == pytest.approx(1 / math.sqrt(3))
    apart = {(n, ""): float(n) for n in range(3)}
    assert worlds_table.mean(apart) == pytest.approx(worlds_table.mean(alike))
    found = {"event": {(0, "a"): 2.0, (1, "a"): 3.0}, "decay": {(0, "a"): 1.5, (1, "a"): 1.5, (2, "a"): 9.0}}
    assert worlds_table.difference(found, "event", "decay") == pytest.approx((1.0, 0.5))
    assert worlds_table.difference(found, "static", "decay") is None


def test_claims_that_fail_are_named():
    scores = {(n, ""): 0.9 + 0.2 * (n % 2) for n in range(150)}
    prior = dict.fromkeys(scores, 0.95)
    failures = worlds_table.fixed_failures({"static all": {"full": scores, "prior": prior}})
    assert len(failures) == 2
    assert len(worlds_table.fixed_failures({"static all": {"default": scores, "prior": prior}})) == 1
    good = {"static all": {"full": dict.fromkeys(scores, 0.6), "prior": prior}}
    assert worlds_table.fixed_failures(good) == []
    sure, unsure = dict.fromkeys(scores, 0.6), dict.fromkeys(scores, 0.7)
    learnt = {"misjudged copies all": {"full": sure, "default": unsure}}
    assert len(worlds_table.learning_failures(learnt)) == 2
    learnt = {"misjudged copies all": {"full": unsure, "default": sure}}
    assert worlds_table.learning_failures(learnt) == []
    bad = {"deadline late all": {"event": dict.fromkeys(scores, 1.0), "decay": prior}}
    assert len(worlds_table.deadline_failures(bad)) == 2
    assert worlds_table.deadline_failures({"deadline late all": {"event": prior, "decay": scores}}) == []
