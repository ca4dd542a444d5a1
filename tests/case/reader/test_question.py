"""A question is read as the design says: every form of judgement, every block, every default."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import pytest
from scipy import stats

from forecast.case.errors import InputError
from forecast.case.judgement import Judgement, MeasureMean, Positive, Proportions
from forecast.case.question import Group, Moves, Question, Resolved, Transition
from forecast.case.reader.question import read_question
from tests.case.base import QUESTION


def read(text: str, folder: Path) -> Question:
    """Return the question that a text says."""
    path = folder / "question.yaml"
    path.write_text(text, encoding="utf-8")
    return read_question(path)


def judged(question: Question, indicator: str) -> dict[str, Judgement]:
    """Return an indicator's likelihood by scenario."""
    (found,) = [i for i in question.indicators if i.id == indicator]
    return dict(zip((s.id for s in question.scenarios), found.likelihood, strict=True))


def with_judgement(written: str, *, top: str = "weight: 20", values: str = "") -> str:
    """Return a question in which the indicator `meeting` has a judgement under `war`."""
    truce = "[0.2, 0.5, 0.3]" if values else "0.3"
    old = "{likelihood: {war: 0.05, truce: 0.3}}"
    new = f"{{{values}likelihood: {{war: {written}, truce: {truce}}}}}"
    return QUESTION.replace(old, new).replace("weight: 20", top, 1)


def war(written: str, folder: Path, *, top: str = "weight: 20", values: str = "") -> Proportions:
    """Return what a judgement of `meeting` under `war` comes to."""
    found = judged(read(with_judgement(written, top=top, values=values), folder), "meeting")["war"]
    assert isinstance(found, Proportions)
    return found


def test_what_stands_at_the_top(tmp_path: Path):
    question = read(QUESTION, tmp_path)
    assert question.title == "Will they sign?"
    assert (question.opened, question.horizon) == (date(2024, 1, 1), date(2024, 6, 30))
    assert [s.id for s in question.scenarios] == ["war", "truce", "other"]
    assert [s.residual for s in question.scenarios] == [False, False, True]
    assert question.prior == Proportions((0.6, 0.3, 0.1), 20.0)
    assert (question.period_days, question.ordered, question.words, question.cap) == (
        7,
        False,
        "icd203",
        None,
    )
    assert question.groups == (Group("front", ("clashes", "convoy"), 0.4),)
    assert question.units == ()
    assert question.resolved is None


def test_what_may_stand_at_the_top(tmp_path: Path):
    top = (
        "weight: 12\nperiod: day\nordered: true\nwords: phia\ncap: 20\nprior_weight: 7\n"
        "resolution: As signed.\nunits: [Syria, Côte d'Ivoire, no]\n"
        "resolved: {scenario: truce, on: 2024-06-01}\n"
    )
    question = read(QUESTION.replace("weight: 20\n", top), tmp_path)
    assert (question.period_days, question.ordered, question.words, question.cap) == (1, True, "phia", 20.0)
    assert question.prior.weight == pytest.approx(10.0)  # at least one case for the rarest scenario
    assert question.units == ("Syria", "Côte d'Ivoire", "no")
    assert question.resolved == Resolved("truce", date(2024, 6, 1))
    assert question.resolution == "As signed."


@pytest.mark.parametrize(
    ("written", "mean", "weight"),
    [
        ("0.3", 0.3, 20),
        ("0.01", 0.01, 100),
        ("0.99", 0.99, 100),
        ("{p: 0.05, weight: 5}", 0.05, 5),
        ("{p: 0.05}", 0.05, 20),
        ("{p: 0, weight: .inf}", 0.0, math.inf),
        ("{hits: 3, of: 40}", 3.5 / 41, 41),
        ("{hits: [37, 3]}", 3.5 / 41, 41),
        ("[0.7, 0.3]", 0.3, 20),
        ("likely", 0.675, 20),
        ('"Very likely"', 0.875, 20),
        ("{word: probable}", 0.675, 20),
    ],
)
def test_a_judgement_of_a_probability(written: str, mean: float, weight: float, tmp_path: Path):
    found = war(written, tmp_path)
    assert found.mean == pytest.approx((1 - mean, mean))
    assert found.weight == pytest.approx(weight)
    assert found.learn


def test_an_interval_is_central_and_of_90_per_cent(tmp_path: Path):
    found = war("{low: 0.02, high: 0.10}", tmp_path)
    b, a = (m * found.weight for m in found.mean)
    assert stats.beta(a, b).ppf([0.05, 0.95]) == pytest.approx([0.02, 0.10])


@pytest.mark.parametrize(
    ("written", "mean", "weight"),
    [
        ("[0.7, 0.2, 0.1]", (0.7, 0.2, 0.1), 20),
        ("[0.7, 0.28, 0.02]", (0.7, 0.28, 0.02), 50),
        ("[0.7, 0.2, 0.1000001]", (0.7, 0.2, 0.1), 20),
        ("{p: [0.7, 0.2, 0.1], weight: 40}", (0.7, 0.2, 0.1), 40),
        ("{hits: [3, 4, 5]}", (3.5 / 13.5, 4.5 / 13.5, 5.5 / 13.5), 13.5),
        ("{p: [1, 0, 0], weight: .inf}", (1, 0, 0), math.inf),
    ],
)
def test_a_judgement_of_a_vector(written: str, mean: tuple[float, ...], weight: float, tmp_path: Path):
    found = war(written, tmp_path, values="values: [bad, so, good], ")
    assert found.mean == pytest.approx(mean, abs=1e-6)
    assert math.fsum(found.mean) == pytest.approx(1.0, abs=1e-15)
    assert found.weight == pytest.approx(weight, abs=1e-3)


def test_with_two_values_a_number_is_the_probability_of_the_second(tmp_path: Path):
    text = QUESTION.replace("meeting: {", "meeting: {values: [quiet, held], ")
    assert judged(read(text, tmp_path), "meeting")["truce"] == Proportions((0.7, 0.3), 20.0)


@pytest.mark.parametrize(
    ("written", "exact"),
    [("0.3", True), ("0", True), ("1", True), ("{p: 0.3}", True), ("{p: 0.3, weight: 9}", False),
     ("likely", False), ("{low: 0.1, high: 0.2}", False), ("{hits: 3, of: 40}", False)],
)  # fmt: skip
def test_an_infinite_weight_at_the_top_makes_plain_numbers_exact(written: str, exact: bool, tmp_path: Path):
    assert war(written, tmp_path, top="weight: .inf").exact is exact


def test_an_infinite_weight_reaches_every_plain_number(tmp_path: Path):
    question = read(QUESTION.replace("weight: 20", "weight: .inf"), tmp_path)
    assert question.prior.exact
    assert judged(question, "clashes")["war"].exact
    assert judged(question, "price")["war"].exact
    assert isinstance(question.dynamics, Moves)
    assert [rate.exact for rate in question.dynamics.leave] == [True, False, True]
    assert [source.reliability.exact for source in question.sources] == [False, False]


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        ("weight: 20\n", "weight: 20\nlearn: false\n", set()),
        ("meeting: {", "meeting: {learn: false, ", {"reply", "agency", "moves"}),
        ("agency: {reliability: B}", "agency: {reliability: B, learn: false}", {"meeting", "reply", "moves"}),
        ("agency: {reliability: B}", "agency: {reliability: {grade: B, learn: false}}", {"meeting", "moves"}),
        ("dynamics:\n", "dynamics:\n  learn: false\n", {"meeting", "reply", "agency"}),
        ("war: unlikely", "war: {word: unlikely, learn: false}", {"meeting", "agency", "moves"}),
    ],
)
def test_learning_can_be_switched_off_anywhere(old: str, new: str, kept: set[str], tmp_path: Path):
    question = read(QUESTION.replace(old, new), tmp_path)
    assert isinstance(question.dynamics, Moves)
    learns = {
        "meeting": judged(question, "meeting")["war"].learn,
        "reply": judged(question, "reply")["war"].learn,
        "agency": question.sources[0].reliability.learn,
        "moves": question.dynamics.leave[0].learn,
    }
    assert kept <= {name for name, on in learns.items() if on}
    assert len([name for name, on in learns.items() if not on]) >= 1


def test_kinds_of_indicators(tmp_path: Path):
    question = read(QUESTION.replace("kind: count", "kind: count, dispersion: 2"), tmp_path)
    by_id = {indicator.id: indicator for indicator in question.indicators}
    assert by_id["meeting"].values == ("no", "yes")
    assert by_id["tone"].values == ("hostile", "neutral", "friendly")
    assert by_id["reply"].given == "meeting"
    assert (by_id["clashes"].values, by_id["clashes"].dispersion) == ((), 2.0)
    assert read(QUESTION, tmp_path).indicator("clashes").dispersion == 5.0
    poisson = QUESTION.replace("kind: count", "kind: count, dispersion: .inf")
    assert read(poisson, tmp_path).indicator("clashes").dispersion is None
    assert by_id["clashes"].likelihood[0] == Positive(6.0, 120.0)
    assert by_id["price"].likelihood[0] == MeasureMean(1.2, 0.4, 20.0)
    monitored = by_id["convoy"].monitored
    assert monitored is not None
    assert (monitored.detection, monitored.false_alarm, monitored.lag) == (0.6, 0.05, 7)


def test_a_ratio_is_exact_and_relative_to_the_largest(tmp_path: Path):
    found = judged(read(QUESTION, tmp_path), "panel")
    assert found["war"].mean == pytest.approx((2 / 3, 1 / 3))
    assert found["truce"].mean == (0.0, 1.0)
    assert found["other"].mean == pytest.approx((1 / 3, 2 / 3))
    assert all(judgement.exact for judgement in found.values())


def test_a_residual_scenario_may_be_left_out_or_judged(tmp_path: Path):
    other = judged(read(QUESTION, tmp_path), "meeting")["other"]
    assert isinstance(other, Proportions)
    assert (*other.mean, other.weight) == pytest.approx((0.825, 0.175, 1 / 0.175))
    text = QUESTION.replace("{war: 0.05, truce: 0.3}", "{war: 0.05, truce: 0.3, other: 0.5}")
    assert judged(read(text, tmp_path), "meeting")["other"] == Proportions((0.5, 0.5), 20.0)


def test_moves(tmp_path: Path):
    dynamics = read(QUESTION, tmp_path).dynamics
    assert isinstance(dynamics, Moves)
    war, truce, other = dynamics.leave
    assert war == Positive(0.025, 20.0)
    rate = stats.gamma(truce.shape, scale=truce.mean / truce.shape)
    assert rate.ppf([0.05, 0.95]) == pytest.approx([1 / 30, 1 / 6])
    assert other.mean == 0.0
    assert dynamics.then == (Proportions((0, 1, 0), 20.0), Proportions((0.7, 0, 0.3), 20.0), None)


def test_with_two_scenarios_there_is_only_one_way_to_move(tmp_path: Path):
    text = (
        "title: x\nopened: 2024-01-01\nhorizon: 2024-02-01\nprior: even\nscenarios: {a: {}, b: {}}\n"
        "indicators: {i: {likelihood: {a: 0.2, b: 0.4}}}\ndynamics: {moves: {a: {lasts: 3}, b: {lasts: 4}}}\n"
    )
    question = read(text, tmp_path)
    assert isinstance(question.dynamics, Moves)
    assert [row.mean for row in question.dynamics.then if row] == [(0, 1), (1, 0)]
    assert question.prior.mean == (0.5, 0.5)
    assert question.sources == ()


def test_transition(tmp_path: Path):
    start, stop = QUESTION.index("dynamics:"), QUESTION.index("indicators:")
    block = (
        "dynamics:\n  weight: 50\n  transition:\n    war: [0.9, 0.1, 0]\n"
        "    truce: {p: [0.1, 0.8, 0.1], weight: 9}\n    other: [0, 0, 1]\n"
    )
    dynamics = read(QUESTION[:start] + block + QUESTION[stop:], tmp_path).dynamics
    assert isinstance(dynamics, Transition)
    assert [row.weight for row in dynamics.rows] == pytest.approx([50, 10, 50])
    assert dynamics.rows[0].mean == pytest.approx((0.9, 0.1, 0.0))
    assert dynamics.rows[2].exact


def test_without_dynamics_a_question_is_static(tmp_path: Path):
    start, stop = QUESTION.index("dynamics:"), QUESTION.index("indicators:")
    assert read(QUESTION[:start] + QUESTION[stop:], tmp_path).dynamics is None


@pytest.mark.parametrize(
    ("letter", "mean", "weight"),
    [("A", 0.95, 10), ("B", 0.85, 10), ("C", 0.65, 10), ("D", 0.40, 10), ("E", 0.15, 10), ("F", 0.20, 2)],
)
def test_admiralty_letters(letter: str, mean: float, weight: float, tmp_path: Path):
    question = read(QUESTION.replace("reliability: B", f"reliability: {letter}"), tmp_path)
    assert question.sources[0].reliability.mean == pytest.approx((1 - mean, mean))
    assert question.sources[0].reliability.weight == weight


def test_admiralty_conventions_can_be_overridden(tmp_path: Path):
    assert read(QUESTION, tmp_path).credibility == {
        "1": 1.0, "2": 0.9, "3": 0.7, "4": 0.4, "5": 0.1, "6": 0.7, "": 1.0
    }  # fmt: skip
    grades = "grades: {B: 0.97, C: {p: 0.6, weight: 15}, 3: 0.6, ungraded: 0.9}\n"
    question = read(QUESTION.replace("weight: 20\n", grades), tmp_path)
    assert question.sources[0].reliability == Proportions((1 - 0.97, 0.97), 10.0)
    assert (question.credibility["3"], question.credibility[""]) == (0.6, 0.9)
    with pytest.raises(TypeError):
        question.credibility["3"] = 1.0  # type: ignore[index]


def test_read_question_raises_its_faults(tmp_path: Path):
    with pytest.raises(InputError, match=r"question\.yaml:1: .*wieght"):
        read(QUESTION.replace("title: Will they sign?", "wieght: 1\ntitle: x"), tmp_path)
