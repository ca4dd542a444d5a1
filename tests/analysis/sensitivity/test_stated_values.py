"""Every number that was judged: against the reader of question.yaml, and against draws from the prior."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest

from forecast.analysis.plug_in import HIGHEST_RELIABILITY
from forecast.analysis.sensitivity.stated_values import StatedValue, stated_values
from forecast.case.edit import altered
from forecast.case.event_limits import agree
from forecast.case.evidence import Evidence
from forecast.case.folder import Case, load_case, new_case
from forecast.case.judgement import Judgement, JudgementId, LogitNormal, Positive, Proportions
from forecast.case.question import Event, Question, Scenario
from tests.cases import CASES, small
from tests.oracles import mean_theta
from tests.oracles.theta import build_theta, draw_theta


def named(question: Question) -> dict[str, StatedValue]:
    return {one.name: one for one in stated_values(question)}


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return load_case(new_case(tmp_path_factory.mktemp("cases") / "mine"))


def judged(question: Question) -> list[list[float]]:
    """Return every judgement of a question as its mean and its weight."""
    found: list[list[float]] = []

    def note(j: Judgement) -> list[float]:
        assert not isinstance(j, LogitNormal)
        weight = j.shape if isinstance(j, Positive) else j.weight
        found.append([*np.atleast_1d(j.mean).tolist(), weight])
        return [0.0, 0.0]

    build_theta(question, Evidence(), note)
    return found


def flat(theta: object) -> np.ndarray:
    """Return all numbers of theta, in one order."""
    if isinstance(theta, dict):
        return np.concatenate([flat(v) for v in theta.values()] or [np.empty(0)])
    if isinstance(theta, list):
        return np.concatenate([flat(v) for v in theta])
    return np.array([theta], dtype=float)


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        (
            "likelihood envoys_meet stalemate",
            0.3,
            {"likelihood envoys_meet stalemate": "{p: 0.3, weight: 20}"},
        ),
        (
            "likelihood envoys_meet other",
            0.3,  # worth 2 by the residual rule, now a pseudo-case for the rarest entry at least
            {"likelihood envoys_meet other": "{p: 0.3, weight: 3.3333333333333335}"},
        ),
        (
            "likelihood tone stalemate friendly",
            0.24,  # 0.05 as stated: the others keep 0.60 to 0.35
            {"likelihood tone stalemate": "{p: [0.48, 0.28, 0.24], weight: 20}"},
        ),
        ("likelihood incidents talks", 3.0, {"likelihood incidents talks": "{mean: 3.0, weight: 20}"}),
        ("likelihood trade talks", 1.4, {"likelihood trade talks": "{mean: 1.4, sd: 0.2, weight: 20}"}),
        ("reliability ministry", 0.2, {"reliability ministry": "{p: 0.2, weight: 10}"}),
        ("lasts talks", 30.0, {"lasts talks": "30"}),
        ("then talks agreement", 0.675, {"then talks": "{stalemate: 0.3, agreement: 0.675, other: 0.025}"}),
        ("then stalemate other", 0.4, {"then stalemate": "{talks: 0.6, other: 0.4}"}),
        (
            "prior stalemate",
            0.1,
            {"prior": "{stalemate: 0.1, talks: 0.6, agreement: 0.2, other: 0.1}"},
        ),
    ],
)
def test_the_question_is_the_one_that_would_be_read(case: Case, name: str, value: float, written: dict):
    """All judgements, and their weights: what is derived from one (the residual rule, testimony) follows."""
    expected = altered(case, set=written)
    found = named(case.question)[name].with_value(case.question, value)
    for mine, theirs in zip(judged(found), judged(expected.question), strict=True):
        assert mine == pytest.approx(theirs, rel=1e-12)
    theta = mean_theta(found, case.evidence)
    assert flat(theta) == pytest.approx(flat(mean_theta(expected.question, case.evidence)))
    assert named(found)[name].value == pytest.approx(value)


def test_a_testimony_follows_its_source(case: Case):
    lower = named(case.question)["reliability ministry"].with_value(case.question, 0.2)
    assert mean_theta(lower, case.evidence)["testimony"] == {"spokesman": pytest.approx(0.2)}


def test_a_residual_judgement_of_its_own_stays(case: Case):
    own = altered(case, set={"likelihood envoys_meet other": "0.9"}).question
    moved = named(own)["likelihood envoys_meet stalemate"].with_value(own, 0.5)
    assert not named(own)["likelihood envoys_meet other"].residual
    assert moved.indicators[0].likelihood[3] == own.indicators[0].likelihood[3]
    assert named(case.question)["likelihood envoys_meet other"].residual


@pytest.mark.parametrize("name", CASES)
def test_as_stated_nothing_moves(name: str):
    case = small(name, False)
    before = flat(mean_theta(case.question, case.evidence))
    for one in stated_values(case.question):
        after = flat(mean_theta(one.with_value(case.question, one.value), case.evidence))
        np.testing.assert_allclose(after, before, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ["everything", "stepping", "residual"])
def test_the_ends_hold_what_they_say_of_the_prior(name: str):
    """Of n draws by the oracle the share below a quantile is p, to 5 sd: 1 error in 2 million, a number."""
    case, n = small(name, False), 20_000
    theta = draw_theta(case.question, case.evidence, np.random.default_rng(5), n)
    checked = 0
    for one in stated_values(case.question):
        drawn = _draws(case.question, theta, one)
        for p in (0.005, 0.05, 0.95, 0.995):
            value = one.quantile(p)
            share = np.mean(drawn < value)
            assert abs(share - p) < 5 * math.sqrt(p * (1 - p) / n), (one.name, p)
            far = share if value < one.value else 1 - share
            assert abs(one.tail_probability(value) - far) < 5 * math.sqrt(p * (1 - p) / n), (one.name, p)
            checked += 1
    assert checked >= 40


def _draws(question: Question, theta: dict, one: StatedValue) -> np.ndarray:
    """Pick the draws of a number out of the oracle's dictionary."""
    scenario = question.scenario_ids.index(one.id.scenario) if one.id.scenario else 0
    if one.kind == "prior":
        return theta["prior"][one.entry]
    if one.kind == "likelihood":
        drawn = theta["likelihood"][one.id.indicator][scenario]
        return drawn[one.entry] if isinstance(drawn, list) else drawn
    if one.kind == "reliability":
        return theta["reliability"][one.id.source]
    if one.kind == "lasts":
        return 1.0 / theta["leave"][scenario]
    return theta[one.kind][scenario][one.entry]


def test_what_is_exact_has_no_ends_and_sources_are_always_there():
    question = small("moving", True).question
    (only,) = stated_values(question)
    assert only.name == "reliability s"
    assert only.quantile(0.05) == only.quantile(0.95) == only.value == pytest.approx(0.85)
    assert only.tail_probability(0.1) == 0.0
    sure = StatedValue(JudgementId("reliability", source="s"), Proportions((0.01, 0.99), 5.0), 1)
    assert sure.quantile(0.95) <= HIGHEST_RELIABILITY


def test_two_shares_are_one_number(case: Case):
    names = [one.name for one in stated_values(case.question)]
    assert len(set(names)) == len(names)
    assert [n for n in names if n.startswith("then stalemate")] == ["then stalemate other"]
    assert [n for n in names if n.startswith("likelihood envoys_meet talks")] == [
        "likelihood envoys_meet talks"
    ]
    assert not [n for n in names if "panel" in n or n.startswith("lasts agreement")]


def test_how_an_event_is_prepared_is_two_numbers(tmp_path_factory: pytest.TempPathFactory):
    """The share that ends in the event is logit-normal: half of it lies on either side of the median."""
    asked = load_case(new_case(tmp_path_factory.mktemp("cases") / "event", kind="event")).question
    values = named(asked)
    stay, share = values["lasts"], values["ends_in_event"]
    assert [stay.quantile(p) for p in (0.05, 0.95)] == pytest.approx([3.0, 10.0])
    assert share.value == share.quantile(0.5) == pytest.approx(0.5)
    assert share.quantile(0.95) == pytest.approx(1 / (1 + math.exp(-1.6448536)))
    assert share.tail_probability(share.quantile(0.95)) == pytest.approx(0.05)
    assert share.tail_probability(share.quantile(0.02)) == pytest.approx(0.02)
    moved = named(share.with_value(asked, 0.8))
    assert (moved["ends_in_event"].value, moved["lasts"].value) == pytest.approx((0.8, stay.value))


def event_of(question: Question) -> Event:
    assert question.event is not None
    return question.event


def test_the_numbers_of_an_event_are_moved_as_far_as_they_agree():
    """Preparing cannot last so long that something would have to be in preparation all the time."""
    scenarios = tuple(Scenario(id, id) for id in ("none", "full"))
    event = Event(0, (Positive(1 / 5, 4.0),), (LogitNormal(0.5),))
    first, last, prior = date(2024, 1, 1), date(2024, 3, 11), Proportions((0.6, 0.4), 20.0)
    asked = Question("?", first, last, scenarios, prior, (), (), dynamics=event)
    lasts, ends = (one for one in stated_values(asked) if one.kind in ("lasts", "ends_in_event"))
    assert agree(lasts.with_value(asked, 7.0))
    assert 1 / event_of(lasts.with_value(asked, 7.0)).leave[0].mean == pytest.approx(7.0)
    # eta = -ln(.6)/10, and pi = eta m/s < 1 gives m < .5 * 10/-ln(.6) = 9.788, s > .2554
    assert 1 / event_of(lasts.with_value(asked, 30.0)).leave[0].mean == pytest.approx(9.7881, rel=1e-4)
    assert event_of(ends.with_value(asked, 0.05)).ends_in_event[0].median == pytest.approx(0.25541, rel=1e-4)
