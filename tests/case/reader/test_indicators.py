"""What an indicator or a source says of how its log came about, and of how far its numbers may be off."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from forecast.case.folder import load_case
from forecast.case.judgement import Positive, Proportions
from forecast.case.question import Question, Reporting
from forecast.case.reader.question import read_question
from tests.case.base import EVIDENCE, HEADER, QUESTION, changed, write
from tests.case.reader.test_reader_malformed import Mistake, check, faults_of

ASKED = QUESTION.replace("reporting: ignored\n", "")
NUMBERS = ("clashes", "price", "panel")


def read(text: str, folder: Path) -> Question:
    """Return the question that a text says."""
    return read_question(write(folder, text, HEADER) / "question.yaml")


def test_by_default_a_category_is_filed_by_what_it_claims_and_a_number_says_nothing(tmp_path: Path):
    question = read(ASKED, tmp_path)
    for indicator in question.indicators:
        assert indicator.reporting == (None if indicator.id in NUMBERS else Reporting(None, 7))


@pytest.mark.parametrize(
    ("top", "own", "expected"),
    [
        ("", "reporting: ignored, ", None),
        ("", "reporting: {since: 2024-02-01}, ", Reporting(date(2024, 2, 1), 7)),
        ("", "reporting: {lag: 0}, ", Reporting(None, 0)),
        ("reporting: ignored\n", "", None),
        ("reporting: ignored\n", "reporting: {}, ", Reporting(None, 7)),
        ("reporting: {since: 2023-12-01, lag: 3}\n", "", Reporting(date(2023, 12, 1), 3)),
        ("reporting: {since: 2024-01-01, lag: 3}\n", "reporting: ignored, ", None),
        ("reporting: {since: 2024-01-01, lag: 3}\n", "reporting: {lag: 9}, ", Reporting(date(2024, 1, 1), 9)),
    ],
)
def test_an_indicator_overrides_the_question(top: str, own: str, expected: Reporting | None, tmp_path: Path):
    text = ASKED.replace("meeting: {", f"meeting: {{{own}") + top
    question = read(text, tmp_path)
    assert question.indicator("meeting").reporting == expected
    assert question.indicator("price").reporting is None


@pytest.mark.parametrize(
    ("old", "new", "quiet"),
    [
        (
            "convoy:\n",
            "convoy:\n",
            {"meeting": "no", "reply": "no", "convoy": "no", "tone": "", "clashes": ""},
        ),
        ("    values: [hostile,", "    quiet: neutral\n    values: [hostile,", {"tone": "neutral"}),
        (
            "    values: [hostile,",
            "    monitored: {detection: 0.5}\n    values: [hostile,",
            {"tone": "hostile"},
        ),
        ("given: meeting", "given: tone", {"tone": "hostile", "meeting": "no"}),
        ("meeting: {", "meeting: {values: [yes, no], ", {"meeting": "yes"}),
        ("reply: {given: meeting, ", "reply: {values: [yes, no], ", {"reply": "no"}),
        ("given: meeting", "given: panel", {"panel": "no"}),
    ],
)
def test_the_value_that_says_that_nothing_happened(old: str, new: str, quiet: dict[str, str], tmp_path: Path):
    question = read(changed(ASKED, old, new)[0], tmp_path)
    assert {id: question.indicator(id).quiet for id in quiet} == quiet


def test_how_far_a_number_may_be_off(tmp_path: Path):
    text = ASKED.replace("kind: count", "kind: count, error: 0.3").replace(
        "kind: measure", "kind: measure, error: 2"
    )
    text = text.replace("agency: {", "agency: {error: 0.1, ")
    question = read(text, tmp_path)
    assert (question.indicator("clashes").error, question.indicator("price").error) == (0.3, 2.0)
    assert [source.error for source in question.sources] == [0.1, None]
    assert (read(ASKED, tmp_path).indicator("clashes").error, question.indicator("meeting").error) == (
        0.0,
        0.0,
    )


@pytest.mark.parametrize("written", ["fact", "{grade: fact}"])
def test_the_public_record(written: str, tmp_path: Path):
    source = read(ASKED.replace("reliability: B", f"reliability: {written}"), tmp_path).sources[0]
    assert source.reliability.mean == pytest.approx((0.001, 0.999))
    assert source.reliability.weight == 1000.0


def test_the_mean_of_a_rare_count_has_at_least_one_event_to_go_on(tmp_path: Path):
    text = ASKED.replace(
        "war: {mean: 6}, truce: {mean: 2}", "war: {mean: 1.0e-8}, truce: {mean: 0.01, weight: 50}"
    )
    war, truce, other = read(text, tmp_path).indicator("clashes").likelihood
    assert isinstance(war, Positive)
    assert (war.mean, war.shape) == pytest.approx((1e-8, 1.0))
    assert truce == Positive(0.01, 0.5)  # taken as written
    assert isinstance(other, Positive)
    assert other.shape == pytest.approx(1.0)


def test_a_rare_scenario_and_a_rare_move_have_a_case_to_go_on(tmp_path: Path):
    rare = ASKED.replace("prior: 0.6}", "prior: 0.699999}").replace("prior: 0.1,", "prior: 0.000001,")
    rare = rare.replace("{war: 0.7, other: 0.3}", "{war: 0.9999, other: 0.0001}")
    question = read(rare, tmp_path)
    assert question.prior.weight == pytest.approx(1e6)
    then = question.dynamics.then[1]  # type: ignore[union-attr]
    assert isinstance(then, Proportions)
    assert then.weight == pytest.approx(1e4)


MISTAKES = {
    "reporting of a ratio": Mistake(
        "kind: ratio", "kind: ratio, reporting: ignored", "panel.reporting silence says nothing about a ratio"
    ),
    "reporting of a count": Mistake(
        "kind: count", "kind: count, reporting: {lag: 3}", "silence says nothing about a count how its log"
    ),
    "unknown word": Mistake(
        "meeting: {", "meeting: {reporting: ignore, ", "reporting ignored, or {since: 2024-01-01 mean ignored"
    ),
    "learned lag": Mistake(
        "meeting: {", "meeting: {reporting: {lag: learned}, ", "lag cannot be learned yet"
    ),
    "half a day": Mistake("meeting: {", "meeting: {reporting: {lag: 0.5}, ", "lag whole number at least 0"),
    "since when": Mistake(
        "meeting: {", "meeting: {reporting: {sinse: 2024-01-01}, ", "unknown key sinse mean since lag"
    ),
    "after the horizon": Mistake(
        "meeting: {", "meeting: {reporting: {since: 2025-01-01}, ", "since is after the horizon ignored"
    ),
    "no such value": Mistake(
        "meeting: {", "meeting: {quiet: none, ", "quiet is not a value of meeting no, yes"
    ),
    "quiet of a count": Mistake("kind: count", "kind: count, quiet: 0", "only a category has a quiet value"),
    "quiet parent": Mistake(
        "meeting: {", "meeting: {quiet: yes, ", "first value: another is given it put yes"
    ),
    "quiet and monitored": Mistake(
        "detection: 0.6, lag: 7}\n",
        "detection: 0.6, lag: 7}\n    quiet: yes\n",
        "first value it is monitored",
    ),
    "persistent child": Mistake(
        "given: meeting", "given: meeting, persistence: 0.5", "persistence reply is given meeting at meeting"
    ),
    "error of a category": Mistake("meeting: {", "meeting: {error: 0.1, ", "only a number has it a category"),
    "no error": Mistake("kind: count", "kind: count, error: 0", "error is out of range a number above 0"),
    "error of a source": Mistake("agency: {", "agency: {error: -1, ", "agency.error above 0"),
    "fact in capitals": Mistake("reliability: B", "reliability: Fact", "not a judgement mean fact"),
    "weight of a tiny mean": Mistake(
        "truce: {mean: 2}", "truce: {mean: 0.0001, weight: 5}", "weight of 5 too small so small a mean 10,000"
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_in_an_indicator(mistake: Mistake, tmp_path: Path):
    text, line = changed(ASKED, mistake.old, mistake.new)
    (fault,) = faults_of(write(tmp_path, text, HEADER))
    check(fault, tmp_path / "question.yaml", line + mistake.below, mistake.words)


@pytest.mark.parametrize("word", ["ignore", "{lag: learned}", "{since: 2025-01-01}", "[]"])
def test_a_mistake_at_the_top(word: str, tmp_path: Path):
    (fault,) = faults_of(write(tmp_path, ASKED + f"reporting: {word}\n", HEADER))
    assert fault.problem.startswith("reporting")
    assert fault.line == ASKED.count("\n") + 1
    assert fault.fix


@pytest.mark.parametrize(
    ("error", "row", "accepted"),
    [
        ("", "2024-01-18,2024-01-25,price,1.3,agency", False),
        ("kind: measure, error: 0.1", "2024-01-18,2024-01-25,price,1.3,agency", True),
        ("kind: measure, error: 0.1", "2024-01-18,2024-01-25,price,1.3,paper", False),  # it said 1.15
        ("kind: measure, error: 0.1", "2024-01-18,2024-01-25,price,1.15,paper", True),
    ],
)
def test_several_measures_of_a_cell_need_an_error(error: str, row: str, accepted: bool, tmp_path: Path):
    question = ASKED.replace("kind: measure", error or "kind: measure")
    log = f"{EVIDENCE}r9,{row},2,,,,,,,\n"
    assert (not faults_of(write(tmp_path, question, log))) == accepted


def test_a_measure_of_a_source_without_error_stands_alone(tmp_path: Path):
    log = f"{EVIDENCE}r9,2024-01-18,2024-01-25,price,1.3,agency,2,,,,,,,\n"
    one = ASKED.replace("agency: {", "agency: {error: 0.1, ")
    (fault,) = faults_of(write(tmp_path, one, log))
    assert "by `error` at price in question.yaml" in fault.fix
    both = one.replace("paper: {", "paper: {error: 0.1, ")
    assert len(load_case(write(tmp_path, both, log)).evidence.reports) == 10
