"""A case changed: estimates moved, judgements written otherwise, reports imagined or left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.case.edit import adjustable, adjusted, altered_evidence, altered_question, without_reports
from forecast.case.errors import InputError
from forecast.case.evidence import Evidence
from forecast.case.folder import load_case, new_case
from forecast.case.judgement import Proportions
from forecast.case.question import Question
from forecast.case.reader.question import read_question
from tests.case.reader.test_dynamics import EACH, EVENT, SHARED
from tests.cases import CASES, OPENED, binary, measure, question, report, small, source, withdraw

ISIS = Path(__file__).parents[2] / "scenarios" / "isis-jn-2014"
FILE = ISIS / "question.yaml"
QUESTION = load_case(ISIS).question
NAMES = list(adjustable(QUESTION))


@given(st.sampled_from(NAMES), st.floats(0.01, 0.99))
def test_the_one_that_is_named_is_moved_and_nothing_else(name, value):
    before, after = adjustable(QUESTION), adjustable(adjusted(QUESTION, {name: value}))
    assert after[name] == pytest.approx(value)
    by_rule = name.startswith("likelihood ")  # the residual scenario's row follows the others
    rest = [n for n in NAMES if n != name and not (by_rule and n == f"{name.rsplit(' ', 1)[0]} other")]
    if name.startswith("prior "):
        assert sum(after[other] for other in NAMES if other.startswith("prior ")) == pytest.approx(1)
        gave = [after[o] / before[o] for o in rest if o.startswith("prior ")]
        assert gave == pytest.approx([gave[0]] * len(gave))
        rest = [other for other in rest if not other.startswith("prior ")]
    assert {other: after[other] for other in rest} == {other: before[other] for other in rest}


def test_it_is_what_the_reader_would_have_read():
    """A reliability with its weight written beside it, through the file and by hand."""
    weight = next(s for s in QUESTION.sources if s.id == "sohr").reliability.weight
    data = (ISIS / "question.yaml").read_bytes()
    read = altered_question(data, QUESTION, {"reliability sohr": {"p": 0.5, "weight": weight}})
    assert adjusted(QUESTION, {"reliability sohr": 0.5}).sources == read.sources


def test_several_priors_keep_what_they_are_moved_to():
    after = adjustable(adjusted(QUESTION, {"prior conflict": 0.3, "prior tactical": 0.6}))
    assert after["prior conflict"] == pytest.approx(0.3)
    assert after["prior tactical"] == pytest.approx(0.6)
    assert sum(p for name, p in after.items() if name.startswith("prior ")) == pytest.approx(1)
    with pytest.raises(ValueError, match="leave"):
        adjusted(QUESTION, {"prior conflict": 0.7, "prior tactical": 0.6})


def test_what_the_residual_rule_made_is_made_anew():
    """As if the file said so: the weight written beside the estimate is the one it had."""
    judged = next(i for i in QUESTION.indicators if i.id == "senior_meeting").likelihood[2]
    assert isinstance(judged, Proportions)
    data = (ISIS / "question.yaml").read_bytes()
    said = {"likelihood senior_meeting operational": {"p": 0.9, "weight": judged.weight}}
    read = altered_question(data, QUESTION, said)
    moved = adjusted(QUESTION, {"likelihood senior_meeting operational": 0.9})
    one, other = (q.indicators[0].likelihood for q in (moved, read))
    for a, b in zip(one, other, strict=True):
        assert isinstance(a, Proportions)
        assert isinstance(b, Proportions)
        assert a.mean == pytest.approx(b.mean)
    assert one[3] != QUESTION.indicators[0].likelihood[3]


def test_every_kind_of_estimate_is_there():
    assert {name.split()[0] for name in NAMES} == {"prior", "likelihood", "reliability", "lasts"}


@pytest.mark.parametrize(
    ("values", "said"),
    [({"reliability nobody": 0.5}, "'reliability nobody'"), ({"reliability sohr": 1.0}, "between 0 and 1"),
     ({"lasts conflict": 0.0}, "a length above 0")],
)  # fmt: skip
def test_what_cannot_be_is_refused(values, said):
    with pytest.raises(ValueError, match=said):
        adjusted(QUESTION, values)


# --- judgements as they are written ---


@pytest.fixture(scope="module")
def asked() -> tuple[bytes, Question]:
    return FILE.read_bytes(), read_question(FILE)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return new_case(tmp_path / "made") / "question.yaml"


def test_a_question_written_out_again_is_the_same(asked, template):
    data, question = asked
    assert altered_question(data, question, {}) == question
    assert altered_question(data, question, {"cap": 20, "reliability sohr": "B"}) == question
    made = read_question(template)
    assert altered_question(template.read_bytes(), made, {}) == made


#: What is changed, to what, and the same in the text of the file.
CHANGES = (
    ("reliability sohr", "A", "Human Rights, reliability: B", "Human Rights, reliability: A"),
    ("lasts tactical", "{low: 3, high: 9}", "{low: 8, high: 40}", "{low: 3, high: 9}"),
    ("correlation hostility", 0.1, "fighting], correlation: 0.4", "fighting], correlation: 0.1"),
    ("persistence mediation", "", "leaderships\n    persistence: 0.8\n", "leaderships\n"),
    ("prior_weight", 90, "prior_weight: 50", "prior_weight: 90"),
    ("detection merger", 0.5, "detection: 0.95", "detection: 0.5"),
    (
        "likelihood senior_meeting conflict",
        {"p": 0.2, "weight": 5},
        "{low: 0.01, high: 0.08}",
        "{p: 0.2, weight: 5}",
    ),
    (
        "then conflict",
        {"tactical": 0.9, "other": 0.1},
        "{tactical: 0.85, operational: 0.05, other: 0.10}",
        "{tactical: 0.9, other: 0.1}",
    ),
    ("grade B", 0.9, "sources:\n", "grades: {B: 0.9}\nsources:\n"),
    ("reporting", "ignored", "reporting: {since: 2014-10-26}", "reporting: ignored"),
    ("reporting brokers", "{lag: 2}", "as go-betweens\n", "as go-betweens\n    reporting: {lag: 2}\n"),
)


@pytest.mark.parametrize(("key", "value", "old", "new"), CHANGES)
def test_a_change_is_what_writing_it_in_the_file_would_be(asked, tmp_path, key, value, old, new):
    data, question = asked
    written = data.decode()
    assert written.count(old) >= 1
    (tmp_path / "question.yaml").write_text(written.replace(old, new, 1), encoding="utf-8")
    expected = read_question(tmp_path / "question.yaml")
    assert expected != question
    assert altered_question(data, question, {key: value}) == expected


EVENT_OF_TWO = EVENT.replace(SHARED, EACH)
LATE = "{timing: late, preparing: {lasts: 5, ends_in_event: 1}}"


@pytest.mark.parametrize(
    ("text", "key", "value", "old", "new"),
    [
        (EVENT, "lasts", "{low: 1, high: 4}", "{low: 3, high: 10}", "{low: 1, high: 4}"),
        (EVENT, "ends_in_event", 0.9, "ends_in_event: 0.5", "ends_in_event: 0.9"),
        (EVENT, "event", LATE, f"\n  preparing: {SHARED}", f" {LATE}"),
        (EVENT, "reporting", "{since: 2024-02-01}", "sources:", "reporting: {since: 2024-02-01}\nsources:"),
        (EVENT_OF_TWO, "lasts full", 6, "lasts: 8", "lasts: 6"),
        (EVENT_OF_TWO, "ends_in_event limited", 0.4, "ends_in_event: 0.3", "ends_in_event: 0.4"),
    ],
)
def test_a_change_of_an_event(text, key, value, old, new, tmp_path):
    path = tmp_path / "question.yaml"
    path.write_text(text, encoding="utf-8")
    question = read_question(path)
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    expected = read_question(path)
    assert expected != question
    assert altered_question(text.encode(), question, {key: value}) == expected


def test_the_numbers_of_an_event_can_be_moved_one_by_one(tmp_path):
    path = tmp_path / "question.yaml"
    for text, ends in ((EVENT, [""]), (EVENT_OF_TWO, [" limited", " full"])):
        path.write_text(text, encoding="utf-8")
        question = read_question(path)
        before = adjustable(question)
        assert [n for n in before if n.split()[0] == "ends_in_event"] == [f"ends_in_event{e}" for e in ends]
        for name, value in ((f"lasts{ends[-1]}", 2.5), (f"ends_in_event{ends[-1]}", 0.7)):
            moved = adjusted(question, {name: value})
            assert adjustable(moved) == pytest.approx(before | {name: value})
            assert moved.event is not None
            assert question.event is not None
            assert moved.event.leave[0].shape == question.event.leave[0].shape


def test_a_change_of_an_event_that_contradicts_or_names_nothing_is_refused(tmp_path):
    path = tmp_path / "question.yaml"
    path.write_text(EVENT, encoding="utf-8")
    question = read_question(path)
    for change, said in (
        ({"lasts": 200}, "contradict each other"),
        ({"lasts full": 3}, "nothing that can be changed"),
        ({"then full": "{limited: 1}"}, "no such scenario"),
    ):
        with pytest.raises(InputError, match=said):
            altered_question(EVENT.encode(), question, change)
    with pytest.raises(InputError, match="no such scenario"):
        altered_question(FILE.read_bytes(), QUESTION, {"ends_in_event conflict": 0.5})


def test_a_prior_is_changed_at_once(asked):
    data, question = asked
    even = altered_question(data, question, {"prior": "even"})
    assert even.prior == Proportions((0.25,) * 4, 50.0)
    shares = {"conflict": 0.5, "tactical": 0.3, "operational": 0.1, "other": 0.1}
    assert altered_question(data, question, {"prior": shares}).prior == Proportions(
        tuple(shares.values()), 50.0
    )
    assert altered_question(data, question, {"dynamics": None}) == replace(question, dynamics=None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reliabilty sohr": "A"}, 'has this name (found: reliabilty sohr)'),
        ({"reliability": "A"}, "name what the word needs, in this order"),
        ({"reliability shor": "A"}, 'did you mean "sohr"?'),
        ({"reliability sohr": "G"}, "sources.sohr.reliability is not a judgement (found: G)"),
        ({"likelihood fighting other": 1.2}, "indicators.fighting.likelihood.other is out of range"),
        ({"prior conflict": 0.5}, "the probabilities sum to 0.7, not to 1"),
        ({"prior": {"conflict": 1}}, "Allowed: even, or {conflict: P"),
        ({"transition conflict": "[1, 0, 0, 0]"}, "no such scenario that has it"),
        ({"detection fighting": 0.5}, "no such indicator that has it (found: fighting)"),
        ({"cap": "}{"}, "the value cannot be read (found: }{)"),
        ({"cap": "2\nextra: 3"}, "the value cannot be read"),
    ],
)  # fmt: skip
def test_what_cannot_be_changed_so_is_refused(asked, change, said):
    data, question = asked
    with pytest.raises(InputError) as error:
        altered_question(data, question, change)
    assert said in str(error.value)
    assert all(str(fault).startswith("what if: ") for fault in error.value.faults)


# --- evidence ---


ASKED = question(
    (0.5, 0.5),
    (binary("fuel", (0.2, 0.7), 20.0), measure("price", (1.0, 2.0), (0.4, 0.4), 20.0)),
    (source("s", 0.8, 20.0), source("t", 0.6, 20.0)),
    20.0,
)
LOG = Evidence(
    (
        report("r1", 1, "fuel", "no"),
        report("r2", 2, "fuel", "yes", replaces="r1"),
        report("r3", 3, "fuel", "yes", "t", repeats=("r2",), independence=0.3),
        withdraw("r4", 4, "r2"),
        report("r5", 9, "price", 0.1, "t"),
    )
)


@pytest.mark.parametrize(
    "name", sorted({*CASES} - {"repeated", "one_source_twice"})
)  # no file could say these
@pytest.mark.parametrize("exact", [True, False])
def test_a_log_in_which_nothing_changes_is_the_same(name, exact):
    case = small(name, exact)
    found = altered_evidence(case.question, case.evidence)
    by_id = {r.id: r for r in case.evidence.reports}
    for r in found.reports:  # a withdrawal takes the indicator of what it withdraws, as from a file
        mine = by_id[r.id]
        assert r == (replace(mine, indicator=r.indicator, unit=r.unit) if mine.value is None else mine)


def test_what_is_left_out_was_never_written():
    def left(*dropped):
        return {
            r.id: (r.replaces, r.repeats, r.independence)
            for r in without_reports(ASKED, LOG, dropped).reports
        }

    assert left("r1")["r2"] == ("", (), None)
    assert left("r2") == {  # the withdrawal is now of what the correction had replaced
        "r1": ("", (), None), "r3": ("", (), None), "r4": ("r1", (), None), "r5": ("", (), None)
    }  # fmt: skip
    assert left("r1", "r2") == {"r3": ("", (), None), "r5": ("", (), None)}  # nothing left to withdraw
    assert left("r4")["r3"] == ("", ("r2",), 0.3)


def test_a_source_is_left_out_whole_and_a_report_graded():
    found = altered_evidence(ASKED, LOG, drop_sources=["t"], credibility={"r1": "4"})
    assert [(r.id, r.credibility) for r in found.reports] == [("r1", "4"), ("r2", ""), ("r4", "")]


def test_imagined_reports_are_given_what_they_lack():
    words = {"date": OPENED, "indicator": "fuel", "value": "yes", "source": "t"}
    found = altered_evidence(ASKED, LOG, add=[words, report("", 10, "price", 0.25)], drop=["r3", "r5"])
    first, second = found.reports[-2:]
    assert (first.id, first.date, first.reported, first.line) == ("imagined-1", OPENED, OPENED, 0)
    assert (second.id, second.value, second.source) == ("imagined-2", 0.25, "s")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"drop": ["r9"]}, "no such report (found: r9)"),
        ({"drop_sources": ["u"]}, "no such source (found: u)"),
        ({"credibility": {"r1": "B"}}, "report r1, credibility: not an Admiralty credibility (found: B)"),
        ({"credibility": {"r1": "2"}, "drop": ["r1"]}, "this report is left out, and graded too"),
        ({"add": [{"colour": "red"}]}, "unknown column (found: colour)"),
        ({"add": [report("", 1, "fuel", "maybe", "t")]}, "not a value of fuel"),
        ({"add": [report("r1", 3, "fuel", "no")]}, "the id is already that of the row"),
        ({"add": [report("", -3, "fuel", "no")]}, "before the question was opened"),
        ({"add": [report("", 10, "price", 3.0)]}, "already measures price in period 1"),
    ],
)  # fmt: skip
def test_what_a_file_could_not_say_is_refused(change, said):
    with pytest.raises(InputError) as error:
        altered_evidence(ASKED, LOG, **change)
    assert said in str(error.value)
