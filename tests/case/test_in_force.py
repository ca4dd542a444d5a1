"""The question in force on a day is the one that a file written on that day would give."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from forecast.case.errors import Faults, InputError
from forecast.case.folder import load_case
from forecast.case.in_force import carry_over, checked_as_of, in_force, version_with
from forecast.case.question import Moves, Question, Resolved, Transition
from forecast.case.reader.question import parse_question
from tests import made_up
from tests.case import base
from tests.case.changing import ADDED, EVIDENCE, KINDS, OPENED, REGIME, SPLIT, STEPS, before, between, changed


def read(text: str) -> Question:
    faults = Faults("question.yaml")
    question, _ = parse_question(text.encode(), faults)
    assert not faults.noted, [str(fault) for fault in faults.noted]
    assert question is not None
    return question


DAY = timedelta(days=1)


@pytest.mark.parametrize("weight", ["20", ".inf"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_day_has_the_question_of_a_file_written_by_hand(kind: str, weight: str):
    question = read(changed(kind, weight))
    for day in (OPENED, SPLIT - DAY):
        assert in_force(question, day) == read(before(kind, weight))
    for day in (SPLIT, SPLIT + DAY, question.horizon):
        assert in_force(question, day) == read(between(kind, weight))
    assert replace(question, history=None) == read(between(kind, weight))


@pytest.mark.parametrize("kind", KINDS)
def test_a_later_change_leaves_what_was_before_it_alone(kind: str):
    question = read(changed(kind, added=True))
    assert in_force(question, SPLIT - DAY) == read(before(kind))
    assert in_force(question, ADDED - DAY) == read(between(kind))
    assert in_force(question, ADDED).scenario_ids == ("war", "local", "formal", "other", "collapse")
    assert question.scenario_ids == ("war", "local", "formal", "other", "collapse")
    assert [s.id for s in question.all_scenarios] == ["war", "truce", "local", "formal", "other", "collapse"]
    assert question.prior.mean == pytest.approx((0.6, 0.15, 0.15, 0.05, 0.05), abs=1e-15)


def test_an_added_scenario_takes_its_part_of_the_moves():
    question = read(changed(REGIME, added=True))
    moves = question.dynamics
    assert isinstance(moves, Moves)
    then = [row.mean for row in moves.then if row is not None]
    assert then[0] == pytest.approx((0, 0.35, 0.35, 0.15, 0.15))  # of those to `other` a half
    assert then[1] == pytest.approx((0.6, 0, 0.4, 0, 0))  # which names none of which it takes
    assert then[4] == pytest.approx((1, 0, 0, 0, 0))  # its own row
    question = read(changed(STEPS, added=True))
    assert isinstance(question.dynamics, Transition)
    rows = [row.mean for row in question.dynamics.rows]
    assert rows[0] == pytest.approx((0.9, 0.04, 0.04, 0.01, 0.01))
    assert rows[3] == pytest.approx((0, 0.05, 0.05, 0.9, 0))  # staying is not taken from


def test_a_row_that_names_the_added_scenario_is_taken_at_its_word():
    text = changed(REGIME, added=True).replace(
        "then: {truce: 0.7, other: 0.3}", "then: {truce: 0.63, other: 0.27, collapse: 0.1}"
    )
    question = read(text)
    assert isinstance(question.dynamics, Moves)
    assert question.dynamics.then[0] is not None
    assert question.dynamics.then[0].mean == pytest.approx((0, 0.315, 0.315, 0.27, 0.1))
    earlier = in_force(question, OPENED).dynamics  # dropped, and the rest made to sum to 1
    assert isinstance(earlier, Moves)
    assert earlier.then[0] is not None
    assert earlier.then[0].mean == pytest.approx((0, 0.7, 0.3))


def test_a_row_that_names_children_goes_back_to_their_parent():
    text = changed(REGIME).replace(
        "then: {truce: 0.7, other: 0.3}", "then: {local: 0.1, formal: 0.6, other: 0.3}"
    )
    question = read(text)
    for day, expected in ((OPENED, (0, 0.7, 0.3)), (SPLIT, (0, 0.1, 0.6, 0.3))):
        moves = in_force(question, day).dynamics
        assert isinstance(moves, Moves)
        assert moves.then[0] is not None
        assert moves.then[0].mean == pytest.approx(expected)


MERGER = """\
title: Will they sign?
opened: 2024-01-01
horizon: 2024-03-31
scenarios:
  war: {prior: 0.4}
  raids: {prior: 0.2, until: 2024-01-24, becomes: {war: 1}}
  truce: {prior: 0.3, until: 2024-01-24, becomes: {calm: 1}}
  peace: {prior: 0.1, until: 2024-01-24, becomes: {calm: 1}}
  calm: {since: 2024-01-24}
indicators:
  meeting: {likelihood: {war: 0.05, raids: 0.1, truce: 0.3, peace: 0.4, calm: 0.35}}
dynamics:
  moves:
    war: {lasts: 40, then: {raids: 0.75, calm: 0.25}}
    raids: {lasts: {low: 6, high: 30}, then: {war: 1}}
    truce: {lasts: 10, then: {war: 0.6, peace: 0.4}}
    peace: {lasts: 20, then: {truce: 1}}
    calm: {lasts: 10, then: {raids: 1}}
"""


def test_a_merger():
    question = read(MERGER)
    assert in_force(question, SPLIT - DAY).prior.mean == pytest.approx((0.4, 0.2, 0.3, 0.1))
    assert question.scenario_ids == ("war", "calm")
    assert question.prior.mean == pytest.approx((0.6, 0.4))
    now, earlier = question.dynamics, in_force(question, OPENED).dynamics
    assert isinstance(now, Moves)
    assert isinstance(earlier, Moves)
    # What moved to raids now stays in war: the rate to calm is what it was, 0.25 / 40.
    assert [rate.mean for rate in now.leave] == pytest.approx([0.25 / 40, 1 / 10])
    assert [row and row.mean for row in now.then] == [(0.0, 1.0), (1.0, 0.0)]
    # Before the merger what is written for calm is of truce and peace, as 3 to 1.
    assert earlier.then[0] is not None
    assert earlier.then[0].mean == pytest.approx((0, 0.75, 0.1875, 0.0625))


def test_a_stay_that_is_an_interval_is_longer_too_and_one_without_exit_for_good():
    text = MERGER.replace(
        "war: {lasts: 40, then: {raids: 0.75", "war: {lasts: {low: 20, high: 80}, then: {raids: 0.75"
    )
    moves = read(text).dynamics
    plain = read(
        MERGER.replace(
            "lasts: 40, then: {raids: 0.75, calm: 0.25}", "lasts: {low: 80, high: 320}, then: {calm: 1}"
        )
    )
    assert isinstance(moves, Moves)
    assert isinstance(plain.dynamics, Moves)
    assert moves.leave[0] == plain.dynamics.leave[0]
    only = read(MERGER.replace("{raids: 0.75, calm: 0.25}", "{raids: 1}")).dynamics
    assert isinstance(only, Moves)
    assert (only.leave[0].mean, only.then[0]) == (0.0, None)


def test_the_made_up_judgement_of_a_residual_scenario_is_of_those_in_force():
    question = read(changed())
    for day, at, expected in ((OPENED, 2, (0.05 + 0.3) / 2), (SPLIT, 3, (0.05 + 0.2 + 0.5) / 3)):
        made_up = in_force(question, day).indicators[0].likelihood[at]
        assert made_up.mean == pytest.approx((1 - expected, expected))


def test_another_residual_scenario_may_follow_the_first():
    text = changed().replace(
        "  other: {title: Other, prior: 0.1, residual: true}\n",
        "  other: {prior: 0.1, residual: true, until: 2024-01-24, becomes: {rest: 1}}\n"
        "  rest: {since: 2024-01-24, residual: true}\n",
    )
    text = text.replace(
        "    other: {lasts: 30", "    rest: {lasts: 5, then: {war: 1}}\n    other: {lasts: 30"
    )
    question = read(text)
    assert [s.id for s in question.scenarios if s.residual] == ["rest"]


def test_a_question_that_never_changes_is_itself():
    question = read(before())
    assert question.history is None
    assert in_force(question, OPENED) is question
    assert question.versions == (question,)
    assert question.all_scenarios is question.scenarios


def test_a_case_on_a_day(tmp_path):
    case = load_case(base.write(tmp_path, changed(), EVIDENCE))
    assert case.on(OPENED).question == read(before())
    assert case.on(OPENED).digest == case.digest
    (tmp_path / "plain").mkdir()
    plain = load_case(base.write(tmp_path / "plain", before(), EVIDENCE))
    assert plain.on(OPENED) is plain


def test_an_even_prior_is_over_the_scenarios_of_the_first_day():
    text = changed().replace(", prior: 0.6", "").replace(", prior: 0.3", "").replace(", prior: 0.1", "")
    question = read("prior: even\n" + text)
    assert in_force(question, OPENED).prior.mean == pytest.approx((1 / 3,) * 3)
    assert question.prior.mean == pytest.approx((1 / 3, 1 / 6, 1 / 6, 1 / 3))


def test_what_was_said_of_a_parent_is_carried_over_to_its_children():
    question = read(changed(added=True))
    issued = {"war": 0.5, "truce": 0.3, "other": 0.2}
    assert carry_over(question, issued, ["war", "local", "formal", "other"]) == pytest.approx(
        {"war": 0.5, "local": 0.15, "formal": 0.15, "other": 0.2}
    )
    later = carry_over(question, issued, question.scenario_ids)
    assert later == pytest.approx({"war": 0.5, "local": 0.15, "formal": 0.15, "other": 0.1, "collapse": 0.1})
    assert carry_over(question, issued, ["war", "truce", "other"]) == issued
    assert carry_over(question, dict.fromkeys(question.scenario_ids, 0.2), ["war", "truce", "other"]) is None
    assert carry_over(question, {"war": 0.5, "peace": 0.5}, question.scenario_ids) is None
    assert version_with(question, ["other", "truce", "war"]) == 0


def test_a_set_that_comes_again_is_taken_for_the_one_before():
    ended = "takes: 0.2, until: 2024-03-01, becomes: {other: 1}}"
    text = changed(added=True).replace("takes: {other: 0.5}}", ended)
    question = read(text)
    four = dict.fromkeys(("war", "local", "formal", "other"), 0.25)
    assert [len(form.scenario_ids) for form in question.versions] == [3, 4, 5, 4]
    assert version_with(question, four) == 3
    assert version_with(question, four, by=2) == 1
    assert carry_over(question, four, four) == four
    five = carry_over(question, four, [*four, "collapse"])
    assert five == pytest.approx(dict.fromkeys([*four, "collapse"], 0.2))


@pytest.mark.parametrize("named", ["local", "truce"])
def test_how_it_was_settled_names_a_scenario_of_that_day(named: str):
    line = f"resolved: {{scenario: {named}, on: 2024-03-01}}\n"
    faults = Faults("question.yaml")
    question, _ = parse_question((changed() + line).encode(), faults)
    if named == "local":
        assert question is not None
        assert question.resolved is not None
        assert question.resolved.scenario == "local"
        assert in_force(question, OPENED) == read(before())
    else:
        (fault,) = faults.noted
        assert fault.allowed == "war, local, formal, other"
        assert fault.value == "truce"


def test_days_of_change_are_as_of_dates():
    """A change in the middle of a week takes effect on its day, not with its week."""
    assert SPLIT.weekday() == date(2024, 1, 24).weekday() == 2
    question = read(changed())
    assert in_force(question, date(2024, 1, 23)).scenario_ids == ("war", "truce", "other")
    assert in_force(question, date(2024, 1, 24)).scenario_ids == ("war", "local", "formal", "other")


# --- the as-of date ---


QUESTION = made_up.made_up_question()  # opened on a Sunday, so that its weeks end on Saturdays


@pytest.mark.parametrize(
    ("today", "as_of"),
    [
        (date(2014, 11, 21), date(2014, 11, 15)),
        (date(2014, 11, 22), date(2014, 11, 22)),
        (date(2014, 11, 23), date(2014, 11, 22)),
        (date(2014, 8, 30), date(2014, 8, 30)),
        (date(2014, 8, 29), made_up.OPENED),
        (date(2013, 1, 1), made_up.OPENED),
        (date(2015, 4, 1), date(2015, 3, 28)),
        (date(2015, 4, 4), made_up.HORIZON),
        (date(2026, 1, 1), made_up.HORIZON),
    ],
)
def test_the_last_day_of_the_last_finished_week(today, as_of):
    assert checked_as_of(QUESTION, today=today) == as_of


@pytest.mark.parametrize(
    ("today", "as_of"),
    [
        (date(2014, 11, 23), date(2014, 11, 22)),
        (date(2014, 12, 20), date(2014, 12, 3)),
        (date(2026, 1, 1), date(2014, 12, 3)),
    ],
)
def test_a_settled_question_is_forecast_up_to_the_day_on_which_it_was(today, as_of):
    settled = replace(QUESTION, resolved=Resolved("tactical", date(2014, 12, 3)))
    assert checked_as_of(settled, today=today) == as_of
    assert checked_as_of(settled, date(2015, 1, 3)) == date(2015, 1, 3)  # who asks for a day gets it


def test_a_question_by_the_day():
    assert checked_as_of(replace(QUESTION, period_days=1), today=date(2014, 11, 23)) == date(2014, 11, 23)


def test_today_is_the_system_s():
    assert checked_as_of(QUESTION) == made_up.HORIZON


@pytest.mark.parametrize("day", [made_up.OPENED, date(2014, 11, 23), made_up.HORIZON])
def test_a_day_asked_for_is_used(day):
    assert checked_as_of(QUESTION, day) == day


@pytest.mark.parametrize("day", [date(2014, 8, 23), date(2015, 4, 1)])
def test_a_day_outside_the_question_s_time_is_refused(day):
    with pytest.raises(InputError, match=r"not open on this day .*\n.*2014-08-24 .* 2015-03-31"):
        checked_as_of(QUESTION, day)
