"""How a log is understood: the periods of which silence counts, and the words for them."""

from __future__ import annotations

from pathlib import Path

from forecast.case.folder import load_case
from forecast.case.reporting import log_sentences, watched_from
from tests.case.base import HEADER, QUESTION, write

ASKED = QUESTION.replace("reporting: ignored\n", "")


def row(id: str, date: str, reported: str, indicator: str, value: str) -> str:
    return f"{id},{date},{reported},{indicator},{value},agency,,,,,,,,"


def understood(folder: Path, question: str, *rows: str) -> tuple[dict[tuple[str, str], int], list[str]]:
    """Return from which period silence counts, and the words."""
    case = load_case(write(folder, question, "\n".join([HEADER, *rows])))
    return watched_from(case.question, case.evidence), log_sentences(case.question, case.evidence)


def test_silence_counts_from_the_period_after_the_first_report(tmp_path: Path):
    watched, told = understood(tmp_path, ASKED, row("a", "2024-01-10", "2024-01-10", "meeting", "yes"))
    assert watched == {("", "meeting"): 2}
    assert told == [
        "Silence counts from the week after the first report on (7 days after each week's end): "
        "meeting (2024-01-15).",
        "Silence counts as stated by `monitored`: convoy (2024-01-01 to 2024-06-30).",
        "Silence says nothing where no value is quiet (`quiet: VALUE` would name it): tone.",
        "Silence says nothing of what has a value only in some periods (`given`): reply.",
        "Silence says nothing of a ratio, a count or a measure: clashes, price, panel.",
    ]


def test_not_before_the_log_began_and_what_is_withdrawn_is_no_beginning(tmp_path: Path):
    """The first report of `meeting` is withdrawn; the log began on 24 January, in period 3."""
    rows = (
        row("a", "2024-01-03", "2024-01-24", "clashes", "3"),
        row("b", "2024-01-03", "2024-01-31", "meeting", "yes"),
        row("c", "2024-02-14", "2024-02-15", "meeting", "no"),
        "d,2024-02-20,2024-02-20,,,agency,,,,,b,,,",
    )
    watched, _ = understood(tmp_path, ASKED, *rows[:2])
    assert watched == {("", "meeting"): 3}
    watched, _ = understood(tmp_path, ASKED, *rows)
    assert watched == {("", "meeting"): 7}


def test_a_report_of_a_child_is_one_of_its_parent(tmp_path: Path):
    watched, _ = understood(tmp_path, ASKED, row("a", "2024-01-10", "2024-01-10", "reply", "yes"))
    assert watched == {("", "meeting"): 2}


def test_since_replaces_both_bounds(tmp_path: Path):
    question = ASKED.replace("meeting: {", "meeting: {reporting: {since: 2023-12-01, lag: 1}, ")
    watched, told = understood(tmp_path, question, row("a", "2024-01-10", "2024-01-10", "clashes", "3"))
    assert watched == {("", "meeting"): 0}
    assert (
        told[0]
        == "Silence counts from 2024-01-01 on, as `since` says (1 day after each week's end): meeting."
    )


def test_without_a_report_or_where_it_is_ignored_silence_does_not_count(tmp_path: Path):
    watched, told = understood(tmp_path, ASKED)
    assert watched == {}
    assert told[0] == "Silence does not count yet, there being no report: meeting."
    _, told = understood(tmp_path, QUESTION)
    assert "Silence says nothing where `reporting: ignored`: meeting, tone, reply." in told


def test_each_unit_begins_for_itself(tmp_path: Path):
    question = ASKED.replace("weight: 20\n", "units: [north, south]\n")
    header = f"{HEADER},unit"
    rows = (
        f"{row(u, f'2024-0{n}-10', f'2024-0{n}-10', 'meeting', 'yes')},{u}"
        for n, u in ((1, "north"), (2, "south"))
    )
    case = load_case(write(tmp_path, question, "\n".join([header, *rows])))
    assert watched_from(case.question, case.evidence) == {("north", "meeting"): 2, ("south", "meeting"): 6}
