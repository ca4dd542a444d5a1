"""Right values of questions as people keep them: worked by hand, or by enumeration of all that is hidden.

Exact judgements leave no chance: what is not to the digit says why. Where judgements learn, agreement is
within 4 Monte Carlo standard errors, the engine's and the oracle's combined, at fixed seeds; were both errors
normal, one comparison in 16,000 would fail by chance.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import forecast
from forecast.case.evidence import Evidence, Report
from forecast.case.judgement import Positive, Proportions
from forecast.case.question import Monitored, Moves, Question
from forecast.inference.engine import infer
from tests.cases import binary, day, question, report, source, swaps
from tests.inference.answers import answers, array, assert_close
from tests.inference.at_theta import at_draws
from tests.oracles import enumerate_posterior, importance_sampling, mean_theta, run_posterior
from tests.oracles.paths import Array
from tests.test_oracles_states import random_states

INF = math.inf
SEED = 20220224


def engine(q: Question, log: Sequence[Report], as_of: int) -> dict[str, Array]:
    """The engine's answers where all judgements are exact."""
    return answers(infer(q, Evidence(tuple(log)), as_of=day(as_of), draws=20, chains=2, seed=SEED))


def oracle(q: Question, log: Sequence[Report], as_of: int) -> dict[str, Array]:
    """The oracle's answers where all judgements are exact."""
    evidence = Evidence(tuple(log))
    return enumerate_posterior(q, evidence, day(as_of), mean_theta(q, evidence), filtered=True)


# --- a state that goes on ----------------------------------------------------------------------------------

ATTACK = """
title: Is an attack being prepared?
opened: 2024-01-01
horizon: 2024-03-03
weight: .inf
dynamics: static
{reporting}
scenarios:
  calm: {{title: Nothing is prepared, prior: 0.8}}
  attack: {{title: An attack is prepared, prior: 0.2}}
resolution: As the archives will say.
indicators:
  columns: {{title: Columns on the move, persistence: 0.9, likelihood: {{calm: 0.05, attack: 0.68}}}}
sources:
  pictures: {{title: Pictures from above, reliability: 0.95}}
  channel: {{title: A channel, reliability: 0.65}}
  gossip: {{title: Gossip, reliability: 0.15}}
"""


def folder(where: Path, yaml: str, rows: Sequence[str]) -> Path:
    """Write a case."""
    where.mkdir()
    (where / "question.yaml").write_text(yaml)
    (where / "evidence.csv").write_text("\n".join(["id,date,reported,indicator,value,source", *rows]) + "\n")
    return where


@pytest.mark.parametrize(("first", "right"), [("", 0.698), ("channel", 0.763), ("gossip", 0.718)])
def test_a_weak_report_that_agrees_is_for_it(tmp_path, first, right):
    """A yes from above in the second week; with a weaker yes in the first, or only gossip."""
    rows = [f"a,2024-01-03,2024-01-03,columns,yes,{first}"] if first else []
    rows += ["b,2024-01-10,2024-01-10,columns,yes,pictures"]
    for reporting in ("reporting: ignored", ""):
        where = folder(tmp_path / f"case{len(reporting)}", ATTACK.format(reporting=reporting), rows)
        case = forecast.load_case(where)
        tree = forecast.update(case, as_of=day(13), tolerance=0.002, seed=SEED)
        found, mcse = answers(tree)["now"], array(tree, "trend", "mcse")[-1]
        if reporting:
            assert found[1] == pytest.approx(right, abs=5e-4)
            exact = run_posterior(
                case.question, case.evidence, day(13), mean_theta(case.question, case.evidence)
            )
            assert_close("now", found, np.array(exact["now"], float), 1e-9)
        sampled = importance_sampling(case.question, case.evidence, day(13), 100_000, SEED, names=("now",))
        error = 4 * np.sqrt(mcse**2 + sampled.mcse["now"] ** 2) + 1e-9
        assert error.max() < 0.01
        assert_close("now", found, sampled.mean["now"], error)


def test_six_states_that_go_on_in_a_static_question():
    """Ten weeks, to nine digits, and the whole trend."""
    for seed in range(5):
        q, evidence = random_states(random.Random(seed), 6, 10, moving=False, size=3)
        found = engine(q, evidence.reports, 69)
        expected = oracle(q, evidence.reports, 69)
        for name in ("now", "smoothed", "filtered"):
            assert_close(name, found[name], expected[name], 1e-9)


@pytest.mark.parametrize("indicators", [1, 2, 8])
def test_states_that_go_on_in_a_regime(indicators):
    """Half a year, reports that clash as they fall; exact judgements, within half a point at every date."""
    for seed in range(6):
        q, evidence = random_states(random.Random(100 + seed), indicators, 26, moving=True, size=2 + seed % 2)
        found, expected = engine(q, evidence.reports, 181), oracle(q, evidence.reports, 181)
        for name in ("now", "filtered", "outlook"):
            assert_close(f"{name} of seed {seed}", found[name], expected[name], 0.005)
        # The backward pass does not know the periods of entry that the filter no longer keeps apart.
        assert_close(f"smoothed of seed {seed}", found["smoothed"], expected["smoothed"], 0.03)


@pytest.mark.parametrize("indicators", [1, 2, 8])
def test_states_that_go_on_where_judgements_learn(indicators):
    q, evidence = random_states(random.Random(7), indicators, 8, moving=True)
    learning = tuple(
        replace(
            i, likelihood=tuple(replace(j, weight=30.0) for j in i.likelihood if isinstance(j, Proportions))
        )
        for i in q.indicators
    )
    q = replace(q, indicators=learning, prior=replace(q.prior, weight=20.0))
    tree = infer(q, evidence, as_of=day(55), tolerance=0.002, seed=SEED)
    found, mcse = answers(tree), array(tree, "trend", "mcse")[-1]
    right = importance_sampling(q, evidence, day(55), 100_000, SEED, names=("now", "smoothed"))
    assert right.ess > 2_000
    for name in ("now", "smoothed"):
        error = 4 * np.sqrt(mcse.max() ** 2 + right.mcse[name] ** 2)
        error += 0.01 * (name == "smoothed")  # the engine tells no error of it; over four seeds at most .006
        assert error.max() < 0.04
        assert_close(name, found[name], right.mean[name], error)


def test_a_war_under_way_is_believed():
    """Three months of a watched indicator's silence, then an agency reports that troops attack.

    What went on before ends with the scenario: nothing of "not yet" is held against the report.
    """
    w = INF
    watch = Monitored(day(0), day(160), 0.98, lag=0)
    attack = binary("attack", (0.001, 0.002, 0.98), w, persistence=0.95, monitored=watch)
    camps = binary("camps", (0.05, 0.5, 0.5), w, persistence=0.8)
    dynamics = Moves(
        (Positive(1 / 40, w), Positive(1 / 12, w), Positive(0.0, w)),
        (Proportions((0.0, 1.0, 0.0), w), Proportions((0.4, 0.0, 0.6), w), None),
    )
    agency, channel = source("s", 0.85, w), source("z", 0.5, w)
    q = question((0.85, 0.14, 0.01), (attack, camps), (agency, channel), w, weeks=22, dynamics=dynamics)
    log = [report("c1", 50, "camps", "yes"), report("c2", 90, "camps", "yes", "z")]
    before = engine(q, log, 118)
    assert before["now"][2] < 0.01
    assert_close("now", before["now"], oracle(q, log, 118)["now"], 1e-9)
    log += [report("a", 122, "attack", "yes")]
    for cap, least in ((None, 0.5), (20.0, 0.4)):
        capped = replace(q, cap=cap)
        after = engine(capped, log, 125)["now"]
        assert after[2] > least
        assert_close("now", after, oracle(capped, log, 125)["now"], 1e-9)
    # an average source counts detection : false alarm, .98 : .05 for war against quiet
    average = replace(q, sources=(source("s", 0.7, w), source("z", 0.7, w)), dynamics=None)
    average = replace(average, indicators=(replace(attack, persistence=None),))
    told = engine(average, [report("a", 122, "attack", "yes")], 118)["now"]
    with_it = engine(average, [report("a", 115, "attack", "yes")], 118)["now"]
    silence = [p * 0.02 + (1 - p) * 0.95 for p in (0.001, 0.98)]
    presence = [p * 0.98 + (1 - p) * 0.05 for p in (0.001, 0.98)]
    factor = (with_it[2] / with_it[0]) / (told[2] / told[0])
    assert factor == pytest.approx(presence[1] / presence[0] * silence[0] / silence[1], rel=1e-9)


@pytest.mark.parametrize("pairs", [2, 10])
def test_pairs_that_cancel_move_nothing(pairs):
    front = binary("front", (0.2, 0.6), INF, persistence=0.9)
    sources = tuple(source(f"s{k}", 0.8, INF) for k in range(21))
    q = question((0.6, 0.4), (front,), sources, INF, dynamics=swaps(True), cap=5.0)
    log = [report("a", 1, "front", "yes", "s20"), report("b", 22, "front", "yes", "s20")]
    before = engine(q, log, 27)
    for week in (1, 3):  # in a cell without, and in one with another report
        more = [
            report(f"p{k}{v}", 7 * week + 2, "front", v, f"s{2 * k + (v == 'yes')}")
            for k in range(pairs)
            for v in ("yes", "no")
        ]
        after = engine(q, [*log, *more], 27)
        for name in ("now", "smoothed", "filtered"):
            assert_close(name, after[name], before[name], 1e-12)


chance = st.floats(0.02, 0.98)
told = st.tuples(st.integers(0, 5), st.sampled_from(["no", "yes"]), st.integers(0, 4))


@settings(max_examples=150, deadline=None)
@given(
    prior=st.tuples(*[st.floats(0.05, 1.0)] * 3),
    f=st.tuples(chance, chance, chance),
    q=st.one_of(st.none(), st.floats(0.0, 0.999)),
    reliability=st.tuples(*[st.floats(0.01, 1.0)] * 5),
    log=st.lists(told, max_size=8),
    later=st.integers(0, 2),
    new=told,
)
def test_a_later_report_is_never_against_what_makes_it_likely(prior, f, q, reliability, log, later, new):
    """Static, exact, two values, reporting ignored: odds never fall where f of what is reported is larger."""
    sources = tuple(source(f"s{k}", min(r, 0.99), INF) for k, r in enumerate(reliability))
    indicator = binary("front", f, INF, persistence=q)
    asked = question(tuple(p / sum(prior) for p in prior), (indicator,), sources, INF, weeks=12)
    first: dict[tuple[int, int], Report] = {}
    for k, (week, value, by) in enumerate(log):
        first.setdefault((week, by), report(f"r{k}", 7 * week, "front", value, f"s{by}"))
    reports = tuple(first.values())
    week = max([0, *((r.date - day(0)).days // 7 + 1 for r in reports)]) + later
    added = report("new", 7 * week, "front", new[1], f"s{new[2]}")
    before, after = (
        at_draws(asked, Evidence(each), day(7 * week + 6), 1, 0).filtered[0, 0, -1]
        for each in (reports, (*reports, added))
    )
    likely = [p if new[1] == "yes" else 1 - p for p in f]
    for a in range(3):
        for b in range(3):
            if likely[a] > likely[b]:
                assert after[a] * before[b] >= after[b] * before[a] * (1 - 1e-9)


# --- the noise floor ---------------------------------------------------------------------------------------

BEGUN = """
title: Has it begun?
opened: 2024-01-01
horizon: 2024-01-14
weight: .inf
learning: full
dynamics: static
scenarios:
  peace: {{title: It has not, prior: 0.95}}
  war: {{title: It has, prior: 0.05}}
resolution: As it was.
indicators:
  shots: {{title: Shots across the line, likelihood: {{peace: 0.001, war: 0.98}}{watched}}}
sources:
  paper: {{title: The paper of record, reliability: {grade}}}
"""


@pytest.mark.parametrize("grade", ["B", "0.85", "fact"])
def test_what_one_report_of_the_public_record_is_worth(tmp_path, grade):
    """One report: its reliability and noise enter at their means, .85 (or .999) and a half."""
    case = forecast.load_case(
        folder(
            tmp_path / "case",
            BEGUN.format(grade=grade, watched=""),
            ["a,2024-01-04,2024-01-04,shots,yes,paper"],
        )
    )
    r = 0.999 if grade == "fact" else 0.85
    ways = [0.95 * (0.001 * r + (1 - r) / 2), 0.05 * (0.98 * r + (1 - r) / 2)]
    tree = forecast.update(case, as_of=day(6), tolerance=0.002, seed=SEED)
    error = 4 * array(tree, "trend", "mcse")[-1].max() + 1e-4
    assert error < 0.02
    assert answers(tree)["now"][1] == pytest.approx(ways[1] / sum(ways), abs=error)


def test_a_watched_indicator_is_worth_its_detection_against_its_false_alarms(tmp_path):
    watched = ", monitored: {since: 2024-01-01, until: 2024-01-14, detection: 0.95, false_alarm: 0.01}"
    case = forecast.load_case(
        folder(
            tmp_path / "case",
            BEGUN.format(grade="0.85", watched=watched),
            ["a,2024-01-04,2024-01-04,shots,yes,paper"],
        )
    )
    ways = [0.95 * (0.001 * 0.95 + 0.999 * 0.01), 0.05 * (0.98 * 0.95 + 0.02 * 0.01)]
    tree = forecast.update(case, as_of=day(6), seed=SEED)
    assert answers(tree)["now"][1] == pytest.approx(ways[1] / sum(ways), abs=1e-6)
