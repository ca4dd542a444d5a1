"""Malformed questions and evidence: one small valid case, one mistake at a time, the message it must get."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast.case.errors import Fault, InputError
from forecast.case.folder import load_case
from forecast.case.reader.yaml_source import MOST_BYTES
from tests.case.base import EVIDENCE, HEADER, QUESTION, changed, write


class Mistake(NamedTuple):
    """`old` is written as `new`; then the fault is `below` the line of the change and says `words`."""

    old: str
    new: str
    words: str
    below: int = 0


QUESTION_MISTAKES = {
    # the file
    "duplicate key": Mistake("weight: 20\n", "weight: 20\nweight: 30\n", "`weight` was already given line 4"),
    "duplicate scenario": Mistake(
        "  truce: {title: Truce, prior: 0.3}\n",
        "  truce: {title: Truce, prior: 0.3}\n  truce: {prior: 0.3}\n",
        "`truce` was already given in line 7",
    ),
    "object tag": Mistake("weight: 20", "weight: !!python/object:os.system 20", "YAML tag remove"),
    "apply tag": Mistake("weight: 20", "weight: !!python/object/apply:os.system ['ls']", "tag plain values"),
    "merge key": Mistake(
        "agency: {reliability: B}", "agency: {<<: {title: x}, reliability: B}", "merge keys"
    ),
    "anchor loop": Mistake("title: Will they sign?", "title: &a [*a]", "alias"),
    "tab": Mistake("  agency: {reliability: B}", "\tagency: {reliability: B}", "tab indent by spaces"),
    "unclosed brace": Mistake("agency: {reliability: B}", "agency: {reliability: B", "not YAML", 1),
    "colon in text": Mistake("title: Will they sign?", "title: Sign: will they?", "colon quotes"),
    "two documents": Mistake("groups:", "---\ngroups:", "second document one question per file"),
    "old yaml": Mistake("title: Will they sign?", "%YAML 1.1\n---\ntitle: Will they sign?", "1.2", 1),
    "control character": Mistake("Will they sign?", "Will they \x07sign?", "control character"),
    # names
    "unknown key": Mistake("weight: 20\n", "wieght: 20\n", "unknown key `wieght` did you mean weight"),
    "key of the top inside": Mistake(
        "prior: 0.3}", "prior: 0.3, learning: full}", "belongs at the top of the file without indentation"
    ),
    "unknown key inside": Mistake("prior: 0.3}", "prior: 0.3, pior: 1}", "unknown scenarios.truce prior"),
    "unknown scenario in likelihood": Mistake(
        "{war: 0.05, truce: 0.3}", "{war: 0.05, truce: 0.3, trouce: 0.2}", "unknown key trouce mean truce"
    ),
    "scenario without likelihood": Mistake(
        "{war: 0.05, truce: 0.3}", "{war: 0.05}", "no judgement for truce"
    ),
    "unknown group member": Mistake(
        "[clashes, convoy]", "[clashes, conwoy]", "no such indicator mean convoy"
    ),
    "dependent group member": Mistake("[clashes, convoy]", "[clashes, reply]", "depends on meeting"),
    "group of one": Mistake("[clashes, convoy]", "[clashes]", "at least two"),
    "two groups": Mistake(
        "sources:\n",
        "  rear: {indicators: [tone, clashes], correlation: 0.1}\nsources:\n",
        "clashes is already in the group front",
    ),
    "given unknown": Mistake("given: meeting", "given: meating", "another indicator mean meeting"),
    "given itself": Mistake("given: meeting", "given: reply", "another indicator"),
    "given a count": Mistake("given: meeting", "given: clashes", "a count is no event"),
    "given of given": Mistake("  tone:\n", "  tone:\n    given: reply\n", "reply itself depends on meeting"),
    "bad id": Mistake("  agency: {", "  a/b: {", "id letters digits"),
    # types
    "not a date": Mistake("opened: 2024-01-01", "opened: 01/02/2024", "opened must be a date YYYY-MM-DD"),
    "no such day": Mistake("horizon: 2024-06-30", "horizon: 2024-06-31", "horizon must be a date"),
    "horizon first": Mistake(
        "horizon: 2024-06-30", "horizon: 2023-06-30", "horizon is before opened 2024-01-01"
    ),
    "year of too many digits": Mistake(
        "horizon: 2024-06-30", "horizon: 9024-06-30", "horizon lies too far off 1700-01-01 to 2250-12-31"
    ),
    "centuries of weeks": Mistake(
        "opened: 2024-01-01", "opened: 1724-01-01", "15680 periods at most 10000 `period`", 1
    ),
    "number as text": Mistake("correlation: 0.4", 'correlation: "0.4"', "number remove the quotation marks"),
    "per cent": Mistake("correlation: 0.4", "correlation: 40%", "number as a fraction"),
    "decimal comma": Mistake("weight: 20\n", "weight: 20,5\n", "decimal point"),
    "not a number": Mistake("correlation: 0.4", "correlation: .nan", "out of range at least 0 and at most 1"),
    "infinite": Mistake("correlation: 0.4", "correlation: .inf", "out of range"),
    "bool as number": Mistake("weight: 20\n", "weight: true\n", "weight must be a number"),
    "yes as bool": Mistake("residual: true", "residual: yes", "must be true or false"),
    "bool as value": Mistake("[hostile, neutral, friendly]", "[true, neutral, friendly]", "a name is needed"),
    "same value twice": Mistake(
        "[hostile, neutral, friendly]", "[good, bad, bad]", "names something twice (found: bad)"
    ),
    "same member twice": Mistake("[clashes, convoy]", "[convoy, convoy]", "twice (found: convoy)"),
    "one value": Mistake(
        "  reply: {given: meeting,", "  reply: {values: [yes], given: meeting,", "at least two values"
    ),
    "empty field": Mistake("title: Will they sign?", "title:", "title is empty"),
    "no weight": Mistake("weight: 20\n", "weight: 0\n", "weight is out of range at least 0.1 .inf"),
    "unknown scale": Mistake("weight: 20\n", "words: icd-203\n", "words icd203, phia, nato mean icd203"),
    "unknown period": Mistake("weight: 20\n", "period: month\n", "period day, week"),
    "cap of one": Mistake("weight: 20\n", "cap: 1\n", "cap above 1"),
    "unknown kind": Mistake("kind: count", "kind: counts", "category, count, measure, ratio mean count"),
    "values of a count": Mistake("kind: count", "kind: count, values: [a, b]", "only a category has values"),
    "persistent ratio": Mistake("kind: ratio", "kind: ratio, persistence: 0.5", "only a category"),
    "dispersed category": Mistake("given: meeting", "given: meeting, dispersion: 2", "only a count"),
    "units empty": Mistake("weight: 20\n", "units: []\n", "units is empty"),
    "list for a block": Mistake("  agency: {reliability: B}", "  agency: [B]", "block of key"),
    # scenarios and prior
    "prior does not sum": Mistake("prior: 0.3}", "prior: 0.4}", "scenarios sum to 1.1, not to 1", -2),
    "prior missing": Mistake("{title: Truce, prior: 0.3}", "{title: Truce}", "no prior for truce", -2),
    "prior twice": Mistake("weight: 20\n", "prior: even\n", "prior at the top and again under"),
    "two residuals": Mistake("prior: 0.3}", "prior: 0.3, residual: true}", "only one residual", -2),
    # judgements
    "certain": Mistake("{war: 0.05, truce: 0.3}", "{war: 0, truce: 0.3}", "certain overturn weight: .inf"),
    "probability above 1": Mistake("{war: 0.05, truce: 0.3}", "{war: 5, truce: 0.3}", "at most 1"),
    "unknown word": Mistake("war: unlikely", "war: unlikly", "not a judgement word of icd203 mean unlikely"),
    "interval upside down": Mistake(
        "{low: 0.4, high: 0.9}", "{low: 0.9, high: 0.4}", "low is not below high"
    ),
    "half an interval": Mistake("{low: 0.4, high: 0.9}", "{low: 0.4}", "high is missing"),
    "too narrow": Mistake("{low: 0.4, high: 0.9}", "{low: 0.4, high: 0.40000001}", "too narrow"),
    "two forms": Mistake("{low: 0.4, high: 0.9}", "{p: 0.4, high: 0.9}", "unknown key high"),
    "no form": Mistake("{low: 0.4, high: 0.9}", "{weight: 3}", "not a judgement low high hits"),
    "tiny weight": Mistake("{low: 0.4, high: 0.9}", "{p: 0.001, weight: 1}", "weight of 1 is too small"),
    "hits above cases": Mistake("{hits: 3, of: 10}", "{hits: 30, of: 10}", "cannot be 30 hits among 10"),
    "half a hit": Mistake("{hits: 3, of: 10}", "{hits: 2.5, of: 10}", "whole number"),
    "vector too short": Mistake("[0.2, 0.5, 0.3]", "[0.5, 0.5]", "2 numbers for 3 values hostile, neutral"),
    "word in a vector": Mistake(
        "war: [0.7, 0.2, 0.1]", "war: [0.7, few, 0.1]", "war (neutral) must be a number at least 0"
    ),
    "vector does not sum": Mistake("[0.2, 0.5, 0.3]", "[0.2, 0.5, 0.2]", "sum to 0.9, not to 1"),
    "number for a vector": Mistake("truce: [0.2, 0.5, 0.3]", "truce: 0.2", "one probability for each of 3"),
    "number for a count": Mistake("war: {mean: 6}", "war: 6", "block {mean: 6}"),
    "negative mean": Mistake("war: {mean: 6}", "war: {mean: -6}", "mean is out of range at least 0"),
    "measure without sd": Mistake("{mean: 1, sd: 0.4}", "{mean: 1}", "sd is missing"),
    "mean for a ratio": Mistake("{war: 1, truce: 3}", "{war: {mean: 1}, truce: 3}", "war a number above 0"),
    "negative case of a value": Mistake("[0.2, 0.5, 0.3]", "{hits: [1, 2, -3]}", "hits (friendly) found: -3"),
    "negative case beside cases": Mistake("{hits: 3, of: 10}", "{hits: [3, -1]}", "hits (yes) found: -1"),
    "interval of vectors": Mistake(
        "[0.2, 0.5, 0.3]", "{low: [0, 0, 0], high: [1, 1, 1]}", "truce needs one for each of 3 hostile,"
    ),
    "half an interval for a vector": Mistake("[0.2, 0.5, 0.3]", "{low: 0.1}", "truce needs one hostile,"),
    "number for the likelihood": Mistake("{war: 0.05, truce: 0.3}", "0.3", "block {war: 0.05, ...}"),
    "ratio of zero": Mistake("{war: 1, truce: 3}", "{war: 0, truce: 3}", "above 0"),
    # monitoring, dynamics, sources, resolution
    "blind monitor": Mistake("detection: 0.6, ", "", "detection is missing"),
    "useless monitor": Mistake("detection: 0.6", "detection: 0.04", "not above false_alarm"),
    "monitor backwards": Mistake("until: 2024-06-30", "until: 2023-06-30", "since is after until"),
    "monitored count": Mistake("kind: count", "kind: count, monitored: {detection: 0.5}", "silence count"),
    "moves and transition": Mistake("  moves:\n", "  transition: {}\n  moves:\n", "both moves", -1),
    "row missing": Mistake("    other: {lasts: .inf}\n", "", "no row for other", -3),
    "then itself": Mistake("then: {truce: 1}", "then: {war: 1}", "unknown key `war`"),
    "then does not sum": Mistake("{war: 0.7, other: 0.3}", "{war: 0.7, other: 0.2}", "sum to 0.9"),
    "then a name": Mistake("then: {truce: 1}", "then: truce", "block {truce: 1}"),
    "then missing": Mistake("{lasts: 40, then: {truce: 1}}", "{lasts: 40}", "then is missing"),
    "lasts nothing": Mistake("lasts: 40", "lasts: 0", "above 0, or .inf"),
    "no reliability": Mistake("agency: {reliability: B}", "agency: {title: A}", "reliability is missing"),
    "small grade": Mistake("agency: {reliability: B}", "agency: {reliability: b}", "capitals A, B, C mean B"),
    "unknown grade": Mistake("agency: {reliability: B}", "agency: {reliability: Z}", "grade (A, B, C"),
    "grade too large": Mistake("weight: 20\n", "grades: {3: 7}\n", "grades.3 at most 1"),
    "unknown grade code": Mistake("weight: 20\n", "grades: {G: 0.5}\n", "unknown key G in grades"),
    "resolved to nothing": Mistake(
        "weight: 20\n", "resolved: {scenario: peace, on: 2024-02-01}\n", "resolved.scenario war, truce, other"
    ),
    "resolved to a list": Mistake(
        "weight: 20\n", "resolved: {scenario: [war], on: 2024-02-01}\n", "resolved.scenario war, truce, other"
    ),
    "resolved too late": Mistake(
        "weight: 20\n", "resolved: {scenario: war, on: 2025-02-01}\n", "outside the question"
    ),
}

EVIDENCE_MISTAKES = {
    "semicolons": Mistake(HEADER, HEADER.replace(",", ";"), "semicolons commas"),
    "tabs": Mistake(HEADER, HEADER.replace(",", "\t"), "tabs commas"),
    "unknown column": Mistake(HEADER, HEADER.replace("via", "viaa"), "unknown column did you mean via"),
    "missing column": Mistake(HEADER, HEADER.replace(",value", ""), "missing column: value", 0),
    "double column": Mistake(HEADER, HEADER.replace("via", "note"), "the column is there twice"),
    "too many cells": Mistake("r8,2024-01-24", "r8,,2024-01-24", "15 cells header 14 double quotes"),
    "too few cells": Mistake("r8,2024-01-24,", "r8,", "13 cells missing commas"),
    "unclosed quote": Mistake(",,context,", ',,"context,', "quotation mark never closed"),
    "no id": Mistake("r8,2024-01-24", ",2024-01-24", "id: every row needs an id"),
    "id of two words": Mistake("r8,2024-01-24", "r 8,2024-01-24", "one word"),
    "duplicate id": Mistake("r8,2024-01-24", "r7,2024-01-24", "already that of the row in line 8"),
    "not a date": Mistake("r8,2024-01-24", "r8,24.1.2024", "date: not a date YYYY-MM-DD text first"),
    "no date": Mistake("r8,2024-01-24", "r8,", "date: missing"),
    "before opened": Mistake(
        "r8,2024-01-24", "r8,2023-12-31", "before the question was opened 2024-01-01 context"
    ),
    "reported too early": Mistake(
        "2024-01-24,2024-01-25", "2024-01-24,2024-01-23", "reported: before the day"
    ),
    "unknown indicator": Mistake("convoy,yes", "conwoy,yes", "no such indicator meeting mean convoy"),
    "unknown value": Mistake("convoy,yes", "convoy,Yes", "not a value of convoy no, yes mean yes"),
    "unknown source": Mistake("convoy,yes,paper", "convoy,yes,papper", "no such source agency mean paper"),
    "no source": Mistake("convoy,yes,paper", "convoy,yes,", "needs its source"),
    "no value": Mistake("convoy,yes,paper", "convoy,,paper", "value: missing no, yes withdraws"),
    "value without indicator": Mistake("convoy,yes,paper", ",yes,paper", "without an indicator"),
    "unknown unit": Mistake(
        EVIDENCE, f"{HEADER},unit\nr1,2024-01-03,,meeting,yes,agency,2,,,,,,,,Syria\n", "no units", 1
    ),
    "letter as credibility": Mistake("yes,paper,2,,,,,,,\n", "yes,paper,B2,,,,,,,\n", "only the digit", 0),
    "credibility 7": Mistake("clashes,4,agency,2", "clashes,4,agency,7", "credibility 1, 2, 3, 4, 5, 6"),
    "half a count": Mistake("clashes,4,", "clashes,4.5,", "not a count whole number"),
    "negative count": Mistake("clashes,4,", "clashes,-4,", "not a count"),
    "count of billions": Mistake("clashes,4,", "clashes,4000000000,", "not a count from 0 to 1000000000"),
    "infinite measure": Mistake("price,1.15", "price,inf", "not a measure finite"),
    "measure with comma": Mistake("price,1.15", 'price,"1,15"', "decimal point"),
    "ratio says no": Mistake("panel,yes", "panel,no", "only yes can be reported"),
    "dangling repeat": Mistake("2,r1,", "2,r11,", "no report has this id mean r1"),
    "repeats itself": Mistake("2,r1,", "2,r2,", "it repeats itself"),
    "repeat of another cell": Mistake("2,r1,", "2,r3,", "r3 speaks of tone in period 1 meeting in period 0"),
    "repeat of context": Mistake("2,r1,", "2,c1,", "c1 is context"),
    "repeat with another value": Mistake("meeting,yes,paper", "meeting,no,paper", "r1 says yes independence"),
    "independence of nothing": Mistake("2,r1,,", "2,,0.5,", "nothing it could depend on"),
    "independence above 1": Mistake("2,r1,,", "2,r1,1.5,", "independence: not a share from 0"),
    "dangling replacement": Mistake(",r4,,,", ",r44,,,", "no report has this id mean r4"),
    "replaces itself": Mistake(",r4,,,", ",r5,,,", "replaces itself"),
    "replaces the future": Mistake("2024-01-12,clashes", "2024-01-22,clashes", "r4 was reported later", 1),
    "replaced twice": Mistake(
        "r8,2024-01-24,2024-01-25,convoy,yes,paper,2,,,,,",
        "r8,2024-01-24,2024-01-25,convoy,,paper,2,,,,r4,",
        "r4 is already replaced by r5 (line 6)",
    ),
    "replaces two": Mistake(",r4,,,", ",r4;r1,,,", "only one report"),
    "two values of one source": Mistake(
        "r8,2024-01-24,2024-01-25,convoy,yes,paper",
        "r8,2024-01-05,2024-01-25,meeting,no,agency",
        "agency already says yes in r1 (line 2) replaces",
    ),
    "two measures": Mistake(
        "r8,2024-01-24,2024-01-25,convoy,yes,paper",
        "r8,2024-01-18,2024-01-25,price,1.15,agency",
        "r6 (line 7) already measures price in period 2",
    ),
    "testimony of two": Mistake(
        "paper,2,,,,,,,\n", "paper,2,,,minister,,,,\n", "another source, agency a testimony for each"
    ),
}


def faults_of(folder: Path) -> tuple[Fault, ...]:
    """Return the faults of a case folder, none if it loads."""
    try:
        load_case(folder)
    except InputError as error:
        return error.faults
    return ()


def check(fault: Fault, file: Path, line: int, words: str) -> None:
    """Check place and essential words of a message, and that it tells what to do."""
    said = str(fault).replace("`", "").replace('"', "")
    assert (fault.file, fault.line) == (str(file), line), said
    for word in words.replace("`", "").split():
        assert word in said, f"{word!r} is not in: {said}"
    assert fault.allowed or fault.fix


def test_the_base_is_valid(tmp_path: Path):
    case = load_case(write(tmp_path))
    assert len(case.question.indicators) == 7
    assert len(case.evidence.reports) == 9


@pytest.mark.parametrize("mistake", QUESTION_MISTAKES.values(), ids=QUESTION_MISTAKES.keys())
def test_a_mistake_in_the_question(mistake: Mistake, tmp_path: Path):
    text, line = changed(QUESTION, mistake.old, mistake.new)
    (fault,) = faults_of(write(tmp_path, text, HEADER))
    check(fault, tmp_path / "question.yaml", line + mistake.below, mistake.words)


@pytest.mark.parametrize("mistake", EVIDENCE_MISTAKES.values(), ids=EVIDENCE_MISTAKES.keys())
def test_a_mistake_in_the_evidence(mistake: Mistake, tmp_path: Path):
    text, line = changed(EVIDENCE, mistake.old, mistake.new)
    (fault, *others) = faults_of(write(tmp_path, QUESTION, text))
    check(fault, tmp_path / "evidence.csv", line + mistake.below, mistake.words)
    assert not others


def test_there_are_at_least_forty():
    assert len(QUESTION_MISTAKES) + len(EVIDENCE_MISTAKES) >= 40


@pytest.mark.parametrize("column", ["repeats", "replaces"])
def test_circles(column: str, tmp_path: Path):
    order = HEADER.split(",")
    rows = []
    for id, other in (("a", "b"), ("b", "c"), ("c", "a")):
        cells = dict.fromkeys(order, "") | {"id": id, "date": "2024-01-03", "indicator": "meeting"}
        cells |= {"value": "yes", "source": "agency", column: other}
        rows.append(",".join(cells[name] for name in order))
    (fault,) = faults_of(write(tmp_path, QUESTION, "\n".join([HEADER, *rows])))
    check(fault, tmp_path / "evidence.csv", 4, f"circle of {column}")


def test_a_scenario_cannot_be_called_like_a_column_of_the_results(tmp_path: Path):
    text = QUESTION.replace("  other:", "  as_of:").replace("other: 0.3", "as_of: 0.3")
    (fault,) = faults_of(write(tmp_path, text))
    check(fault, tmp_path / "question.yaml", 8, "column of the results another id")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("number", "this id is a name of the results"),
        ("meeting_period", "with the indicator meeting it would make one name of the results twice"),
        ("meeting_war", "with the indicator meeting it would make one name of the results twice"),
    ],
)
def test_an_indicator_cannot_take_a_name_of_the_results(other, said, tmp_path: Path):
    """likelihood_meeting_war is what the judgement about `meeting` under `war` is called."""
    question = QUESTION.replace("  convoy:", f"  {other}:").replace(", convoy]", f", {other}]")
    (fault,) = faults_of(write(tmp_path, question, EVIDENCE.replace("convoy", other)))
    assert fault.value == other
    assert said in fault.problem
    assert "choose" in fault.fix


def test_all_faults_at_once_in_the_order_of_files_and_lines(tmp_path: Path):
    question = QUESTION.replace("weight: 20\n", "wieght: 20\n").replace("prior: 0.3", "prior: 0.4")
    question = question.replace("war: unlikely", "war: unlikly").replace("reliability: B", "reliability: Q")
    evidence = EVIDENCE.replace("convoy,yes", "conwoy,yes").replace(
        "2024-01-03,2024-01-04", "soon,2024-01-04"
    )
    evidence = evidence.replace("price,1.15", "price,cheap")
    found = faults_of(write(tmp_path, question, evidence))
    places = [(Path(fault.file).name, fault.line) for fault in found]
    assert places == [
        *(("question.yaml", line) for line in (4, 5, 21, 31)),
        *(("evidence.csv", line) for line in (2, 7, 10)),
    ]
    with pytest.raises(InputError) as caught:
        load_case(tmp_path)
    assert all(str(fault) in str(caught.value) for fault in found)


def test_a_fault_of_shape_does_not_hide_what_does_not_fit_in_the_same_entry(tmp_path: Path):
    question = QUESTION.replace("  tone:\n", "  tone:\n    persistence: 2\n    learn: maybe\n")
    found = faults_of(write(tmp_path, question.replace("[0.2, 0.5, 0.3]", "[0.2, 0.5, 0.2]"), HEADER))
    assert [fault.problem for fault in found] == [
        "indicators.tone.persistence is out of range",
        "indicators.tone.learn must be true or false",
        "indicators.tone.likelihood.truce: the probabilities sum to 0.9, not to 1",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[0.2, 0.5, 0.3]", "[1.2, -0.1, -0.1]", {"hostile": "1.2", "neutral": "-0.1", "friendly": "-0.1"}),
        ("[0.2, 0.5, 0.3]", "[likely, unlikely, 0.05]", {"hostile": "likely", "neutral": "unlikely"}),
        ("[0.2, 0.5, 0.3]", "{p: [.nan, 0.5, .nan]}", {"hostile": ".nan", "friendly": ".nan"}),
        ("{low: 0.4, high: 0.9}", "[x, 2]", {"no": "x", "yes": "2"}),
        ("{reliability: B}", "{reliability: [x, 2]}", {"no": "x", "yes": "2"}),
        ("[0.2, 0.5, 0.3]", "[x, y]", {"number 1": "x", "number 2": "y"}),
    ],
)
def test_every_number_at_fault_in_a_list_is_named(old: str, new: str, said: dict[str, str], tmp_path: Path):
    found = faults_of(write(tmp_path, changed(QUESTION, old, new)[0], HEADER))
    assert {fault.problem.partition("(")[2].partition(")")[0]: fault.value for fault in found} == said


def test_a_number_at_fault_in_a_row_of_the_matrix_is_named(tmp_path: Path):
    rows = "{war: [0.9, x, y], truce: [0, 1, 0], other: [0, 0, 1]}"
    question = re.sub(r"  moves:\n(    .*\n){3}", f"  transition: {rows}\n", QUESTION)
    found = faults_of(write(tmp_path, question, HEADER))
    assert [fault.problem for fault in found] == [
        "dynamics.transition.war (truce) must be a number",
        "dynamics.transition.war (other) must be a number",
    ]


def test_the_example_for_moves_names_a_scenario(tmp_path: Path):
    (fault,) = faults_of(write(tmp_path, re.sub(r"  moves:\n(    .*\n){3}", "  moves:\n", QUESTION), HEADER))
    assert fault.fix == "write, e.g., {war: ..., ...}"


def test_a_broken_question_does_not_hide_the_evidence_nor_cascade_into_it(tmp_path: Path):
    evidence = EVIDENCE.replace("r8,2024-01-24", "r8,tomorrow")
    found = faults_of(write(tmp_path, "title: [", evidence))
    assert [Path(fault.file).name for fault in found] == ["question.yaml", "evidence.csv"]
    found = faults_of(write(tmp_path, QUESTION.replace("opened: 2024-01-01\n", ""), EVIDENCE))
    assert [fault.problem for fault in found] == ["opened is missing"]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "[1, 2]", "just text", "3", "null"])
def test_a_question_that_is_no_mapping(text: str, tmp_path: Path):
    (fault,) = faults_of(write(tmp_path, text, HEADER))
    check(fault, tmp_path / "question.yaml", 1, "the file is")


def test_an_empty_log_needs_its_header_only(tmp_path: Path):
    (fault,) = faults_of(write(tmp_path, QUESTION, ""))
    check(fault, tmp_path / "evidence.csv", 1, "empty header id,date")
    assert load_case(write(tmp_path, QUESTION, HEADER)).evidence.reports == ()


def test_missing_files_are_faults(tmp_path: Path):
    found = faults_of(tmp_path)
    assert [Path(fault.file).name for fault in found] == ["question.yaml", "evidence.csv"]
    assert all("missing" in fault.problem for fault in found)


def test_an_alias_bomb_is_refused_at_once(tmp_path: Path):
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 30))
    found = faults_of(write(tmp_path, bomb + QUESTION, HEADER))
    check(found[0], tmp_path / "question.yaml", 4, "aliases stand for more than 10,000 values")
    assert len(found) == 1


def test_an_alias_that_is_within_reason_is_read(tmp_path: Path):
    text = QUESTION.replace("agency: {reliability: B}", "agency: &a {reliability: B}")
    text = text.replace("paper: {reliability: {p: 0.7, weight: 15}}", "paper: *a")
    agency, paper = load_case(write(tmp_path, text)).question.sources
    assert agency.reliability == paper.reliability


def test_deep_nesting_is_refused(tmp_path: Path):
    (fault,) = faults_of(write(tmp_path, "title: " + "[" * 100_000, HEADER))
    check(fault, tmp_path / "question.yaml", 1, "more than 30 levels")


def test_a_document_of_too_many_values_is_given_up_early(tmp_path: Path):
    (fault,) = faults_of(write(tmp_path, "title: [" + "0," * 2_000_000, HEADER))
    check(fault, tmp_path / "question.yaml", 1, "more than 100,000 values")


def test_a_large_document_is_refused(tmp_path: Path):
    (fault,) = faults_of(write(tmp_path, QUESTION + "#" * MOST_BYTES, HEADER))
    check(fault, tmp_path / "question.yaml", 0, "too large 5 MB")


@pytest.mark.parametrize("name", ["question.yaml", "evidence.csv"])
def test_another_encoding_is_refused(name: str, tmp_path: Path):
    write(tmp_path)
    path = tmp_path / name
    path.write_bytes(
        path.read_bytes().replace(b"2024-06-30\n", b"2024-06-30 # gr\xfc\xdfe\n", 1) + b"# \xfc\n"
    )
    (fault,) = faults_of(tmp_path)
    line = 3 if name == "question.yaml" else 11
    check(fault, path, line, "UTF-8")


pieces = st.sampled_from(
    [*QUESTION.split(), *EVIDENCE.split(","), "\n", "\n  ", " ", ":", "{", "}", "[", "]", "&a", "*a", "!!x",
     '"', "-", "|", ">", "%", "?", "\t", "\ufeff", "\x00", "'", "1e999", "0" * 5000, "\\U99999999"]
)  # fmt: skip
garbage = st.one_of(st.binary(max_size=300), st.lists(pieces, max_size=60).map(lambda p: "".join(p).encode()))
rough = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@rough
@given(content=garbage, name=st.sampled_from(["question.yaml", "evidence.csv"]))
def test_garbage_is_never_more_than_a_fault(content: bytes, name: str, tmp_path: Path):
    (write(tmp_path) / name).write_bytes(content)
    assert all(str(fault) for fault in faults_of(tmp_path))


@rough
@given(data=st.data(), name=st.sampled_from(["question.yaml", "evidence.csv"]))
def test_a_damaged_file_is_never_more_than_a_fault(data: st.DataObject, name: str, tmp_path: Path):
    path = write(tmp_path) / name
    content = path.read_bytes()
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        stop = data.draw(st.integers(start, min(start + 20, len(content))))
        content = content[:start] + data.draw(garbage)[:30] + content[stop:]
    path.write_bytes(content)
    assert all(str(fault) for fault in faults_of(tmp_path))
