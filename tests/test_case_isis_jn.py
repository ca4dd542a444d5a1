"""The shipped case: it loads, it says what its two documents say, and each report pushes where it must."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import pytest
import xarray as xr

import forecast
from forecast.case.evidence import Report
from forecast.case.folder import Case, load_case
from forecast.case.judgement import Proportions

FOLDER = Path(__file__).parents[1] / "scenarios" / "isis-jn-2014"

#: The last day before which both documents had appeared, one week later.
AS_OF = date(2014, 11, 23)

LOCAL = ("convoy", "affiliate_support", "base_handover", "bekaa_front", "qalamoun_front", "local_cooperation")
LEADERS = ("senior_meeting", "support_offer", "joint_plan", "settlement")

CONFLICT, TACTICAL, OPERATIONAL = ("conflict",), ("tactical",), ("operational",)
COOPERATION = TACTICAL + OPERATIONAL

#: report: (scenarios whose odds against the rest it must raise, scenarios whose odds it must lower).
DIRECTION: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # the leaderships talk
    "ap-meeting": (COOPERATION, CONFLICT),
    "fsa-meeting": (COOPERATION, CONFLICT),
    "ap-khorasan": (COOPERATION, CONFLICT),
    "fsa-third-party": (COOPERATION, CONFLICT),
    "ap-offer": (COOPERATION, CONFLICT),
    "ap-srf-pact": (OPERATIONAL, ()),
    "akhbar-broker": (COOPERATION, CONFLICT),
    "sohr-broker": (COOPERATION, CONFLICT),
    # they fall out
    "akhbar-answer": (CONFLICT, COOPERATION),
    "sohr-answer": (CONFLICT, COOPERATION),
    "shamtoday-answer": (CONFLICT, COOPERATION),
    "sohr-allegiance": (CONFLICT, COOPERATION),
    "shamtoday-allegiance": (CONFLICT, COOPERATION),
    "akhbar-hostile": (CONFLICT, COOPERATION),
    "shamtoday-hostile": (CONFLICT, COOPERATION),
    "akhbar-fighting": (CONFLICT, COOPERATION),
    "rferl-fighting": (CONFLICT, COOPERATION),
    "isw-no-settlement": (CONFLICT, OPERATIONAL),
    "isw-srf-south": (CONFLICT, OPERATIONAL),
    # words
    "isw-rhetoric": (COOPERATION, CONFLICT),
    "isw-outlook": (COOPERATION, CONFLICT),
    # local cooperation
    "hama-base": (COOPERATION, CONFLICT),
    "step-convoy": (COOPERATION, CONFLICT),
    "sohr-convoy": (COOPERATION, CONFLICT),
    "uqab-al-islam": (COOPERATION, CONFLICT),
    "isw-bekaa": (COOPERATION, CONFLICT),
    "isw-qalamoun": (COOPERATION, CONFLICT),
    "clapper-cooperation": (COOPERATION, CONFLICT),
}

#: Reports that tell nothing new: repeats, and an offer that three others tell as well.
IDLE = (
    "ap-deployment",
    "ap-convoy",
    "db-convoy",
    "rferl-offer",
    "rferl-answer",
    "akhbar-offer",
    "shamtoday-offer",
)


@pytest.fixture(scope="module")
def case() -> Case:
    return load_case(FOLDER)


@pytest.fixture(scope="module")
def reports(case: Case) -> dict[str, Report]:
    return {report.id: report for report in case.evidence.reports}


@pytest.fixture(scope="module")
def weight_of_evidence(case: Case) -> xr.DataArray:
    result = forecast.update(case, as_of=AS_OF, draws=200, chains=4)
    weights: xr.DataArray = result["evidence"].to_dataset()["weight_of_evidence"]
    return weights


# --- what is written ---


def test_it_loads_without_faults_and_without_a_remark(case: Case) -> None:
    question = case.question
    assert [s.id for s in question.scenarios] == ["conflict", "tactical", "operational", "other"]
    assert [s.id for s in question.scenarios if s.residual] == ["other"]
    assert question.ordered
    assert question.dynamics is not None
    assert not case.warnings  # that of joint_offensive there is no report counts as silence


def test_weeks_run_from_sunday_to_saturday(case: Case) -> None:
    question = case.question
    assert question.opened.strftime("%A") == "Sunday"
    assert question.last_day(0).strftime("%A") == "Saturday"
    assert question.period(date(2014, 11, 1)) + 1 == question.period(date(2014, 11, 2))


def test_every_row_says_where_it_comes_from(reports: dict[str, Report]) -> None:
    for report in reports.values():
        assert report.note, report.id
        assert report.source, report.id
        assert report.citation.startswith(("Cafarella, ISW", "Paraszczuk, RFE/RL")), report.id
        assert "para " in report.citation, report.id


def test_every_source_is_heard_and_every_claim_graded(case: Case, reports: dict[str, Report]) -> None:
    weighing = [r for r in reports.values() if r.indicator]
    assert {r.source for r in weighing} == {s.id for s in case.question.sources}
    assert all(r.credibility for r in weighing)
    assert all(r.id.startswith("ctx-") == (not r.indicator) for r in reports.values())


def test_only_the_indicators_that_are_waited_for_have_no_report(
    case: Case, reports: dict[str, Report]
) -> None:
    unheard = {i.id for i in case.question.indicators} - {r.indicator for r in reports.values()}
    assert unheard == {"joint_offensive", "merger"}


def test_groups_and_given_hold_what_moves_together(case: Case) -> None:
    groups = {g.id: set(g.indicators) for g in case.question.groups}
    assert groups["local"] == set(LOCAL)
    assert "senior_meeting" in groups["contacts"]
    assert "allegiance_demand" in groups["hostility"]
    given = {i.id: i.given for i in case.question.indicators if i.given}
    assert given == {"truce_answer": "truce_offer"}
    lasting = {i.id for i in case.question.indicators if i.persistence}
    assert {"bekaa_front", "qalamoun_front", "jn_srf_south", "settlement"} <= lasting


def test_the_file_has_one_row_per_report_and_known_columns() -> None:
    with (FOLDER / "evidence.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert max(Counter(row["id"] for row in rows).values()) == 1
    columns = (
        "id,date,reported,indicator,value,source,credibility,repeats,independence,testimony,replaces,via,note"
    )
    assert ",".join(rows[0]) == f"{columns},citation"


def test_the_recycled_number_repeats_the_officials(case: Case, reports: dict[str, Report]) -> None:
    recycled, original = reports["db-convoy"], reports["ap-convoy"]
    assert recycled.repeats == ("ap-convoy",)
    assert recycled.independence == 0
    assert (recycled.indicator, recycled.value) == (original.indicator, original.value)
    assert case.question.period(recycled.date) == case.question.period(original.date)
    assert recycled.reported == date(2014, 11, 11)


def test_the_officials_claims_stand_or_fall_together(reports: dict[str, Report]) -> None:
    told = [r for r in reports.values() if r.source == "ap_official" and r.indicator]
    assert {r.testimony for r in told} == {"ap-official"}
    assert {"senior_meeting", "mediation", "joint_plan", "support_offer", "convoy"} == {
        r.indicator for r in told
    }


def test_the_claimed_pact_is_doubted_most(reports: dict[str, Report]) -> None:
    told = {r.id: r.credibility for r in reports.values() if r.source == "ap_official" and r.indicator}
    assert told["ap-srf-pact"] == max(told.values()) == "4"
    assert list(told.values()).count("4") == 1


def test_two_accounts_of_who_refused_clash_in_one_cell(case: Case, reports: dict[str, Report]) -> None:
    accounts = defaultdict(set)
    for report in reports.values():
        if report.indicator == "truce_answer":
            accounts[case.question.period(report.date), report.value].add(report.source)
    (week,) = {week for week, _ in accounts}
    assert accounts[week, "isis_refused"] == {"akhbar_sham", "sohr", "shamtoday", "rferl"}
    assert accounts[week, "jn_refused"] == {"al_shishani"}


def test_the_convoys_share_a_cell_and_the_meeting_is_a_week_later(
    case: Case, reports: dict[str, Report]
) -> None:
    weeks = {case.question.period(r.date) for r in reports.values() if r.indicator == "convoy"}
    assert weeks == {case.question.period(reports["ap-meeting"].date) - 1}
    sources = {r.source for r in reports.values() if r.indicator == "convoy" and not r.repeats}
    assert sources == {"step_news", "sohr", "ap_official"}


def test_what_came_before_the_question_is_context(case: Case, reports: dict[str, Report]) -> None:
    early = {r.id for r in reports.values() if r.date < case.question.opened}
    assert {"ctx-victory-committee", "ctx-outbreak", "ctx-aboud"} <= early
    assert not any(reports[id].indicator for id in early)


def test_judgements_make_local_cooperation_weak_and_contact_strong(case: Case) -> None:
    ids = [s.id for s in case.question.scenarios]

    def ratio(indicator: str) -> float:
        (found,) = (i for i in case.question.indicators if i.id == indicator)
        conflict, operational = (found.likelihood[ids.index(s)] for s in ("conflict", "operational"))
        assert isinstance(conflict, Proportions)
        assert isinstance(operational, Proportions)
        return operational.mean[1] / conflict.mean[1]

    assert all(1 < ratio(indicator) < 2 for indicator in LOCAL)
    assert all(ratio(indicator) > 8 for indicator in LEADERS)


# --- where it pushes ---


@pytest.mark.parametrize("report", DIRECTION)
def test_report_pushes_where_it_must(report: str, weight_of_evidence: xr.DataArray) -> None:
    raised, lowered = DIRECTION[report]
    pushed = weight_of_evidence.sel(report=report)
    for scenario in raised:
        assert float(pushed.sel(scenario=scenario)) > 0, scenario
    for scenario in lowered:
        assert float(pushed.sel(scenario=scenario)) < 0, scenario


def test_directions_cover_every_report_that_tells_something(reports: dict[str, Report]) -> None:
    minor = {"ap-attendees", "db-khorasan", "sohr-offer", "shishani-offer", "shishani-answer"}
    weighing = {r.id for r in reports.values() if r.indicator}
    assert weighing == set(DIRECTION) | set(IDLE) | minor


@pytest.mark.parametrize("report", IDLE)
def test_what_is_told_twice_weighs_next_to_nothing(report: str, weight_of_evidence: xr.DataArray) -> None:
    assert float(abs(weight_of_evidence.sel(report=report)).max()) < 0.1


def test_recycling_weighs_nothing_at_all(weight_of_evidence: xr.DataArray) -> None:
    assert float(abs(weight_of_evidence.sel(report="db-convoy")).max()) < 1e-9


def test_local_cooperation_is_weaker_than_contact_between_leaders(
    weight_of_evidence: xr.DataArray, reports: dict[str, Report]
) -> None:
    pushed = abs(weight_of_evidence.sel(scenario="operational"))
    meeting = float(pushed.sel(report="ap-meeting"))
    for report in (r.id for r in reports.values() if r.indicator in LOCAL):
        assert float(pushed.sel(report=report)) < min(2.0, meeting), report
