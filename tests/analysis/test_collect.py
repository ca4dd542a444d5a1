"""The expected gain of information against brute force: every report imagined, the forecast made again.

The twin enumerates paths (tests/oracles) with each value that could be reported, as if it had been, and takes
the entropy before less the expected entropy after: another formula, and none of the engine's code.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from forecast.analysis.collect import collect, collect_from
from forecast.analysis.plug_in import plug_in_model
from forecast.case.errors import InputError
from forecast.case.evidence import Evidence, Report
from forecast.case.folder import Case
from forecast.case.judgement import Positive
from forecast.case.question import Monitored
from forecast.inference.engine import update
from tests.cases import Small, binary, day, question, report, small, source
from tests.oracles import draw_theta, enumerate_posterior, mean_theta

EXACT = (
    "yes_no", "three_values", "agreeing_and_clashing", "repeated", "graded", "persistent",
    "given_unmonitored", "grouped", "moving", "stepping", "of_units", "poisson", "measured",
)  # fmt: skip
UNCERTAIN = ("three_values", "agreeing_and_clashing", "persistent", "stepping", "filed_states")


def as_case(one: Small) -> Case:
    return Case("case", Path("case"), one.question, one.evidence, "digest")


def entropy(p: np.ndarray) -> float:
    p = p[p > 0]
    return float(-(p * np.log2(p)).sum())


def twin(one: Small, period: str, row: dict, theta, values, step: float) -> dict[str, float]:
    """Entropy before less expected entropy after, for what a row of the table asks."""
    here, last = one.question.period(one.as_of), one.question.last_day
    wait = (last(here + 1) - one.as_of).days if period == "next" else 1
    asked = replace(  # no more silence is known than today; groups stay: the report has no mates next week
        one.question,
        indicators=tuple(
            replace(
                i,
                monitored=i.monitored and replace(i.monitored, until=one.as_of),
                reporting=i.reporting and replace(i.reporting, lag=i.reporting.lag + wait),
            )
            for i in one.question.indicators
        ),
    )
    waiting = {i.id for i in asked.indicators if not i.values and asked.last_day(here) > one.as_of}
    known = tuple(
        r
        for r in one.evidence.reports
        if r.reported <= one.as_of and not (r.indicator in waiting and asked.period(r.date) == here)
    )
    there = here + (period == "next")
    day = asked.last_day(there) if period == "next" else one.as_of
    unit = row.get("unit", "")
    place = asked.units.index(unit) if unit else None

    def joint(reports):
        found = enumerate_posterior(asked, Evidence(reports), day, theta)
        weight = np.atleast_1d(found["marginal"])
        parts = {}
        at = (slice(None),) if place is None else (place, slice(None))
        for name, p in (
            ("now", found["smoothed"][(..., here, *at)]),
            ("reported", found["smoothed"][(..., there, *at)]),
            ("horizon", found["horizon"][(..., *at)]),
        ):
            parts[name] = (weight[:, None] * np.atleast_2d(p)).mean(axis=0)
        return parts

    before = joint(known)
    total = before["now"].sum()
    result = {name: entropy(p / total) for name, p in before.items()}
    left = {name: p / total for name, p in before.items()}
    for value in values:
        new = Report(
            "new", asked.last_day(there), one.as_of, row["indicator"], value, row["source"], unit=unit
        )
        try:
            after = joint((*known, new))
        except ValueError:  # cannot be reported
            continue
        for name, p in after.items():
            p = p / total
            result[name] -= step * p.sum() * entropy(p / p.sum())
            left[name] = left[name] - step * p
    for name, p in left.items():
        if p.sum() > 1e-9:  # nothing is reported, or noise far away from all that is imagined here
            result[name] -= p.sum() * entropy(np.clip(p, 0, None) / p.sum())
    return result


def values_of(one: Small, name: str):
    indicator = next(i for i in one.question.indicators if i.id == name)
    if indicator.values:
        return indicator.values, 1.0
    if indicator.kind == "count":
        return tuple(range(70)), 1.0
    return tuple(np.linspace(-15, 15, 601).tolist()), 0.05


@pytest.mark.parametrize("period", ["next", "present"])
@pytest.mark.parametrize("name", EXACT)
def test_the_gain_is_that_of_brute_force_where_judgements_are_exact(name, period):
    one = small(name, True)
    if period == "present" and one.question.groups:
        pytest.skip("a report among others of its group: the gain leaves groups aside")
    table = collect(as_case(one), as_of=one.as_of, period=period, draws=2, chains=2)
    theta = mean_theta(one.question, one.evidence)
    assert len(table) or name in ("poisson", "measured")
    for row in table[table["source"] != ""].head(4).to_dict(orient="records"):  # the watch has its own test
        values, step = values_of(one, row["indicator"])
        expected = twin(one, period, row, theta, values, step)
        for target, gain in expected.items():
            assert row[target] == pytest.approx(gain, abs=1e-6 if name == "measured" else 1e-9), (row, target)


def test_a_count_of_a_period_that_is_over_is_one_more_report_of_it():
    one = replace(small("poisson", True), as_of=day(20))
    table = collect(as_case(one), as_of=one.as_of, period="present", draws=2)
    row = table.set_index("source").loc["z"].to_dict() | {"source": "z"}
    theta = mean_theta(one.question, one.evidence)
    expected = twin(one, "present", row, theta, *values_of(one, "clashes"))
    assert row["now"] == pytest.approx(expected["now"], abs=1e-9)
    assert table.set_index("source").loc["s", "now"] == pytest.approx(0.0, abs=1e-9)  # it has counted


@pytest.mark.parametrize("name", UNCERTAIN)
def test_the_gain_is_that_of_brute_force_where_judgements_are_uncertain(name):
    """Importance sampling from the prior, 40,000 draws, seed 5, in four parts for its own error.

    Within four standard errors of both (a chance of 1 in 100 or less in each, by rough errors of four
    parts), and half a thousandth of a bit for the bias of either.
    """
    one = small(name, False)
    if name == "filed_states":  # whose last day is in the last period
        one = replace(one, as_of=day(31))
    row = collect(as_case(one), as_of=one.as_of, draws=4000).to_dict(orient="records")[0]
    values, step = values_of(one, row["indicator"])
    rng = np.random.default_rng(5)
    parts = [
        twin(one, "next", row, draw_theta(one.question, one.evidence, rng, 10_000), values, step)
        for _ in range(4)
    ]
    for target in ("now", "reported", "horizon"):
        found = np.array([part[target] for part in parts])
        error = np.hypot(found.std(ddof=1) / 2, row[f"{target}_error"])
        assert abs(row[target] - found.mean()) < 4 * error + 5e-4


def fuel(reports: tuple[Report, ...] = (), **options) -> Case:
    """A static question about which one thing is asked, everything exact."""
    asked = question(
        (0.6, 0.4), (binary("fuel", (0.2, 0.7), np.inf, **options),),
        (source("s", 0.8, np.inf), source("t", 0.5, np.inf)), np.inf,
    )  # fmt: skip
    return as_case(Small(asked, Evidence(reports), asked.opened))


def test_a_source_that_has_spoken_repeats_itself():
    case = fuel((report("r1", 0, "fuel", "yes", "s"),))
    table = collect(case, as_of=case.question.opened, period="present", sources=["s", "t"], draws=2)
    gains = table.set_index("source")["now"]
    assert gains["s"] == pytest.approx(0.0, abs=1e-12)
    assert gains["t"] > 0.001
    assert table.set_index("source")["repeats"].to_dict() == {"s": True, "t": False}
    again = collect(case, as_of=case.question.opened, sources=["s", "t"], draws=2).set_index("source")["now"]
    assert again["s"] > again["t"] > gains["t"]  # the period after is news, and better from the better source


def test_the_watch_is_worth_what_silence_would_say():
    """By hand: silence has the chance .3 + .65 (1 - x) of a scenario in which fuel comes with chance x."""
    case = fuel()
    day = case.question.opened
    watch = Monitored(day, day + timedelta(days=100), detection=0.7, lag=3)
    case = fuel(monitored=watch)
    row = collect(case, as_of=day, draws=2).set_index("source").loc[""]
    silent = np.array([0.95 * 0.8 + 0.3 * 0.2, 0.95 * 0.3 + 0.3 * 0.7])
    prior = np.array([0.6, 0.4])
    both = np.stack([prior * silent, prior * (1 - silent)])
    expected = entropy(prior) - sum(p.sum() * entropy(p / p.sum()) for p in both)
    assert row["now"] == pytest.approx(expected, abs=1e-12)
    assert (row["expected"], row["chance"]) == ("silence", pytest.approx(prior @ silent))


def test_a_fine_grid_agrees_with_a_count_summed_one_by_one(monkeypatch):
    one = small("poisson", True)
    plain = collect(as_case(one), as_of=one.as_of, draws=2).iloc[0]
    assert plain["horizon_error"] == pytest.approx(0.0, abs=1e-12)
    big = replace(
        one.question.indicators[0],
        likelihood=(Positive(300.0, np.inf), Positive(500.0, np.inf)),
    )
    case = as_case(
        replace(one, question=replace(one.question, indicators=(big, *one.question.indicators[1:])))
    )
    case = replace(case, evidence=Evidence())
    coarse = collect(case, as_of=one.as_of, draws=2, indicators=[big.id]).iloc[0]
    monkeypatch.setattr("forecast.analysis.information.POINTS", 3_000)
    full = collect(case, as_of=one.as_of, draws=2, indicators=[big.id]).iloc[0]
    assert coarse["now"] == pytest.approx(full["now"], abs=max(2 * coarse["now_error"], 1e-4))


def test_costs_order_what_they_are_given_for():
    case = fuel()
    table = collect(case, as_of=case.question.opened, costs={"s": 100.0, "fuel": 2.0, "fuel t": 1.0}, draws=2)
    assert table["source"].tolist() == ["t", "s"]
    assert table["cost"].tolist() == [1.0, 100.0]
    assert np.allclose(table["per_cost"], table["horizon"] / table["cost"])


def test_no_gain_exceeds_the_entropy_and_none_is_negative():
    one = small("everything", False)
    table = collect(as_case(one), as_of=one.as_of, draws=200)
    for target in ("now", "reported", "horizon"):
        assert (table[target] >= 0).all()
        most = table.attrs["entropy"][target]
        assert (table[target] <= (max(most.values()) if isinstance(most, dict) else most)).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"indicators": ["feul"]},
            "no such indicator (found: feul).\n    Allowed: fuel. To do: did you mean",
        ),
        ({"sources": ["x"]}, "no such source (found: x)"),
        ({"costs": {"fuel x": 1.0}}, "no such source (found: x)"),
        ({"costs": {"s": 0.0}}, "not a cost (found: s: 0.0)"),
    ],
)
def test_faults_are_named(options, said):
    case = fuel()
    with pytest.raises(InputError) as error:
        collect(case, as_of=case.question.opened, draws=2, **options)
    assert said in str(error.value)


def test_there_is_no_period_after_the_last():
    case = fuel()
    with pytest.raises(InputError, match="there is no next one"):
        collect(case, as_of=case.question.horizon, draws=2)
    assert len(collect(case, as_of=case.question.horizon, period="present", draws=2)) == 2


@pytest.mark.parametrize("name", ["agreeing_and_clashing", "of_units", "poisson"])
def test_the_draws_of_a_forecast_save_a_run(name):
    """With exact judgements every draw is the same, so that both give the same numbers."""
    one = small(name, True)
    tree = update(as_case(one), as_of=one.as_of, draws=100, chains=2)
    saved = collect_from(as_case(one), tree, plug_in_model(one.question, one.evidence, one.as_of))
    again = collect(as_case(one), as_of=one.as_of, draws=100, chains=2)
    for column in ("now", "reported", "horizon"):
        np.testing.assert_allclose(saved[column], again[column], atol=1e-12)


def test_the_draws_of_a_forecast_find_the_same_where_judgements_are_uncertain():
    """Seed 0; the two differ by Monte Carlo only: by more than 5 of their errors once in a million runs."""
    one = small("stepping", False)
    tree = update(as_case(one), as_of=one.as_of)
    keys = ["indicator", "source"]
    model = plug_in_model(one.question, one.evidence, one.as_of)
    saved = collect_from(as_case(one), tree, model, draws=2000).set_index(keys)
    again = collect(as_case(one), as_of=one.as_of, draws=2000, seed=1).set_index(keys).loc[saved.index]
    error = np.hypot(saved["horizon_error"], again["horizon_error"])
    assert (abs(saved["horizon"] - again["horizon"]) <= 5 * error + 2e-4).all()
