"""What moved a forecast: every step against enumeration by the oracles, and sums that hold to rounding."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import forecast
from forecast.analysis.attribution import STEPS, STEPS_OVER_A_CHANGE, IssuedForecast, changed
from forecast.case.evidence import Evidence
from forecast.case.folder import Case, load_case
from forecast.case.in_force import carry_over
from forecast.report.text.explanation import changed_lines
from forecast.run import changed_since_issue
from tests.case import changing
from tests.case.base import write as write_files
from tests.oracles import enumerate_posterior, mean_theta

HEADER = "id,date,reported,indicator,value,source,credibility,repeats,independence,replaces,note\n"
OLD = """\
a,2024-01-02,,meeting,yes,press,,,,,
b,2024-01-09,,truce,accepted,press,2,,,,
c,2024-01-09,2024-01-10,meeting,yes,sohr,,,,,
"""
ADDED = """\
d,2024-01-16,,meeting,no,press,,,,,
e,2024-01-11,2024-01-17,truce,refused,sohr,,,,,"two
lines"
f,2024-01-09,2024-01-18,truce,refused,press,,,,b,
g,2024-01-18,,,,,,,,a,
h,2024-01-03,2024-01-04,meeting,yes,sohr,,,,,backfilled
i,2024-01-17,2024-01-18,meeting,no,sohr,,d,0.5,,
x,2024-01-17,2024-01-18,,,,,,,,context
z,2024-01-20,2024-01-25,truce,open,press,,,,,not known yet
"""
THEN, NOW = date(2024, 1, 14), date(2024, 1, 21)
DYNAMICS = "dynamics: {transition: {war: [0.9, 0.1], peace: [0.2, 0.8]}}\n"


def forecast_of(case: Case, day: date, seed: int = 0) -> xr.DataTree:
    """Forecast with few draws: no test rests on how good they are."""
    return forecast.update(case, as_of=day, draws=30, chains=2, tolerance=1.0, seed=seed)


def question(weight: str = ".inf", dynamics: str = "", press: float = 0.7) -> str:
    return f"""\
title: War or peace?
opened: 2024-01-01
horizon: 2024-02-04
weight: {weight}
reporting: ignored
scenarios: {{war: {{title: War, prior: 0.6}}, peace: {{title: Peace, prior: 0.4}}}}
resolution: See there.
{dynamics}indicators:
  meeting: {{title: They meet, likelihood: {{war: 0.2, peace: 0.7}}, persistence: 0.5,
    monitored: {{since: 2024-01-01, until: 2024-02-04, detection: 0.6, lag: 0}}}}
  truce: {{title: A truce, values: [refused, open, accepted],
    likelihood: {{war: [0.6, 0.3, 0.1], peace: [0.2, 0.3, 0.5]}}}}
sources: {{press: {{title: Press, reliability: {press}}}, sohr: {{title: Observatory, reliability: 0.9}}}}
"""


def write(folder: Path, asked: str, told: str) -> Case:
    folder.mkdir(exist_ok=True)
    (folder / "question.yaml").write_text(asked, encoding="utf-8")
    (folder / "evidence.csv").write_text(HEADER + told, encoding="utf-8")
    return load_case(folder)


def issued(folder: Path, asked: str, told: str = OLD, seed: int = 0) -> None:
    case = write(folder, asked, told)
    assert forecast.issue(case, forecast_of(case, THEN, seed))


def moved(case: Case, question_was: Path | None = None) -> xr.Dataset:
    tree = forecast_of(case, NOW)
    data = changed_since_issue(case, tree, question_was=question_was)
    assert data is not None
    for name in ("now", "horizon"):
        total = data[f"{name}_after"].isel(step=-1) - data[f"{name}_issued"]
        np.testing.assert_allclose(data[name].sum("step"), total, rtol=0, atol=1e-12)
        np.testing.assert_allclose(data[name].sum("scenario"), 0, atol=1e-12)
        group = tree["trend"].isel(as_of=-1) if name == "now" else tree["outlook"].isel(date=-1)
        np.testing.assert_array_equal(data[f"{name}_after"].isel(step=-1), group["probability"])
    return data


def expected(case: Case, ids: str, day: date, waits: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Enumerate all paths with the rows of these ids; silence counts so many days later."""
    log = Evidence(tuple(r for r in case.evidence.reports if r.id in ids))
    theta = mean_theta(case.question, log)
    asked = replace(
        case.question,
        indicators=tuple(
            replace(
                i,
                monitored=i.monitored and replace(i.monitored, lag=i.monitored.lag + waits),
                reporting=i.reporting and replace(i.reporting, lag=i.reporting.lag + waits),
            )
            for i in case.question.indicators
        ),
    )
    found = enumerate_posterior(asked, log, day, theta)
    return found["now"], found["horizon"]


@pytest.mark.parametrize("dynamics", ["", DYNAMICS], ids=["static", "regime"])
def test_every_step_is_the_enumerated_forecast(tmp_path: Path, dynamics: str):
    """All judgements exact, so the engine has no Monte Carlo error to hide behind."""
    asked = question(dynamics=dynamics)
    issued(tmp_path, asked)
    case = write(tmp_path, asked, OLD + ADDED)
    data = moved(case)
    by_step = dict.fromkeys(data["step"].values.tolist(), "")
    for id, step in zip(data["report"].values.tolist(), data["report_step"].values.tolist(), strict=True):
        by_step[step] += id
    assert by_step == {
        "remainder": "",
        "judgements": "",
        "time": "",
        "new": "di",
        "late": "eh",
        "corrections": "fg",
        "silence": "",
    }
    course = {
        "remainder": expected(case, "abc", THEN),
        "judgements": expected(case, "abc", THEN),
        "time": expected(case, "abc", NOW, 7),
        "new": expected(case, "abcdi", NOW, 7),
        "late": expected(case, "abcdieh", NOW, 7),
        "corrections": expected(case, "abcdiehfg", NOW, 7),
        "silence": expected(case, "abcdiehfg", NOW),
    }
    for step, (now, horizon) in course.items():
        np.testing.assert_allclose(data["now_after"].sel(step=step), now, atol=1e-10)
        np.testing.assert_allclose(data["horizon_after"].sel(step=step), horizon, atol=1e-10)
    moving = [*(["time"] if dynamics else []), "new", "late", "corrections", "silence"]
    assert np.abs(data["now"].sel(step=moving)).min() > 1e-4
    assert json.loads(data.attrs["note"]) == []


def test_the_same_seed_leaves_no_remainder(tmp_path: Path):
    """Uncertain judgements: what was known then is found again to the bit, another seed's error is told."""
    asked = question("20", DYNAMICS)
    issued(tmp_path / "same", asked)
    data = moved(write(tmp_path / "same", asked, OLD + ADDED))
    assert np.all(data["now"].sel(step=["remainder", "judgements"]) == 0)
    assert np.all(data["horizon"].sel(step=["remainder", "judgements"]) == 0)
    issued(tmp_path / "other", asked, seed=1)
    data = moved(write(tmp_path / "other", asked, OLD + ADDED))
    assert np.all(data["now"].sel(step="remainder") != 0)
    assert json.loads(data.attrs["note"]) == []


def test_an_edited_question_is_told_apart_where_it_is_at_hand(tmp_path: Path):
    folder, older = tmp_path / "case", tmp_path / "older.yaml"
    issued(folder, question())
    older.write_text(question(), encoding="utf-8")
    case = write(folder, question(press=0.95), OLD + ADDED)

    data = moved(case, older)
    assert np.all(data["now"].sel(step="remainder") == 0)
    new = expected(case, "abc", THEN)[0]
    np.testing.assert_allclose(data["now_after"].sel(step="judgements"), new, atol=1e-10)
    assert abs(data["now"].sel(step="judgements")).min() > 1e-3
    assert json.loads(data.attrs["note"]) == []
    assert data["report"].values.tolist() == list("dieh" + "fg")

    data = moved(case)
    assert np.all(data["now"].sel(step="judgements") == 0)
    assert abs(data["now"].sel(step="remainder")).min() > 1e-3
    (note,) = json.loads(data.attrs["note"])
    assert "cannot be told" in note
    assert f"Note: {note}"[:60] in "\n".join(changed_lines(data))

    older.write_text(question(press=0.6), encoding="utf-8")
    data = moved(case, older)
    assert "do not give the digest" in json.loads(data.attrs["note"])[0]
    older.write_text(question().replace("peace", "truces"), encoding="utf-8")
    data = moved(case, older)
    assert "cannot be put beside this one" in json.loads(data.attrs["note"])[0]
    older.write_text("no question", encoding="utf-8")
    with pytest.raises(forecast.InputError):
        moved(case, older)
    with pytest.raises(forecast.InputError, match="cannot be read"):
        moved(case, tmp_path / "missing.yaml")


def test_a_new_indicator_comes_with_the_changed_question(tmp_path: Path):
    """The older question does not know what later reports speak of."""
    folder, older = tmp_path / "case", tmp_path / "older.yaml"
    issued(folder, question())
    older.write_text(question(), encoding="utf-8")
    asked = question().replace(
        "sources:", "  raid: {title: A raid, likelihood: {war: 0.5, peace: 0.1}}\nsources:"
    )
    data = moved(write(folder, asked, OLD + "r,2024-01-16,,raid,yes,press,,,,,\n"), older)
    assert np.all(data["now"].sel(step=["remainder", "judgements"]) == 0)
    assert data["report_step"].values.tolist() == ["new"]


def test_a_step_that_no_scenario_allows_goes_into_the_next(tmp_path: Path):
    """A mistake that was entered and corrected between two forecasts."""
    asked = question().replace("war: 0.2, peace: 0.7", "war: 0.0, peace: 0.0").replace("0.9}", "1.0}")
    asked = asked.replace(", persistence: 0.5", "")
    issued(tmp_path, asked, "a,2024-01-02,,truce,open,press,,,,,\n")
    told = "a,2024-01-02,,truce,open,press,,,,,\nb,2024-01-16,,meeting,yes,sohr,,,,,\n"
    data = moved(write(tmp_path, asked, told + "c,2024-01-17,,,,,,,,b,\n"))
    assert np.all(data["now"].sel(step=["new", "late"]) == 0)
    assert "'new'" in json.loads(data.attrs["note"])[0]


def test_the_log_is_recognised_whatever_its_line_ends(tmp_path: Path):
    asked = question()
    case = write(tmp_path, asked, OLD.rstrip("\n"))
    forecast.issue(case, forecast_of(case, THEN))
    (tmp_path / "evidence.csv").write_bytes((HEADER + OLD + ADDED).replace("\n", "\r\n").encode())
    data = moved(load_case(tmp_path))
    assert json.loads(data.attrs["note"]) == []
    assert sorted(data["report"].values.tolist()) == list("defghi")


def test_the_first_forecast_has_nothing_to_be_compared_with(tmp_path: Path):
    case = write(tmp_path, question(), OLD)
    tree = forecast_of(case, THEN)
    assert changed_since_issue(case, tree) is None
    forecast.issue(case, tree)
    assert changed_since_issue(case, tree) is None  # nor with itself


def test_another_state_of_the_case_is_refused(tmp_path: Path):
    issued(tmp_path, question())
    tree = forecast_of(load_case(tmp_path), NOW)
    with pytest.raises(ValueError, match="not made from the files of"):
        changed_since_issue(write(tmp_path, question(), OLD + ADDED), tree)


def test_lines_name_the_reports_of_each_part(tmp_path: Path):
    issued(tmp_path, question(dynamics=DYNAMICS))
    text = "\n".join(changed_lines(moved(write(tmp_path, question(dynamics=DYNAMICS), OLD + ADDED))))
    assert "new reports: d, i." in text
    assert "late reports on earlier days: e, h." in text
    assert "corrections and withdrawals: f, g." in text
    assert "from 2024-01-14 to 2024-01-21" in text


# --- over a change of scenarios ---------------------------------------------------------------------------

FEW: dict[str, Any] = {"draws": 100, "chains": 2}
ISSUED, SOON, LATER = date(2024, 1, 21), changing.SPLIT + timedelta(days=4), date(2024, 2, 10)


def changing_case(path: Path, asked: str) -> Case:
    path.mkdir(exist_ok=True)
    return load_case(write_files(path, asked, changing.EVIDENCE))


def exact(text: str) -> str:
    """Return a file whose judgements are all known exactly."""
    text = text.replace("weight: 20", "weight: .inf").replace(", residual: true", "")
    text = text.replace("{p: 0.8, weight: 10}", "0.8").replace("{p: 0.7, weight: 15}", "0.7")
    text = text.replace("{low: 6, high: 30}", "12")
    rows = {"meeting": "0.1", "tone": "[0.4, 0.3, 0.3]", "panel": "2", "clashes": "{mean: 4}"}
    for name, row in rows.items():
        head, tail = text.split(f"  {name}: ")
        text = f"{head}  {name}: " + tail.replace("likelihood: {", f"likelihood: {{other: {row}, ", 1)
    return text


def issue_then_edit(path: Path, old: str, new: str, **edited: Any) -> tuple[Case, xr.DataTree]:
    """Issue a forecast of the old file, edit it, and forecast again."""
    case = changing_case(path, old)
    forecast.issue(case, forecast.update(case, as_of=ISSUED, tolerance=1.0, **FEW))
    (path / "then.yaml").write_text(old)
    case = changing_case(path, new)
    return case, forecast.update(case, as_of=LATER, tolerance=1.0, **FEW)


@pytest.mark.parametrize("kind", changing.KINDS)
def test_the_parts_add_up_and_the_change_is_a_part_of_its_own(tmp_path, kind: str):
    case, tree = issue_then_edit(tmp_path, exact(changing.before(kind)), exact(changing.changed(kind)))
    data = changed_since_issue(case, tree)
    assert data is not None
    assert data["step"].values.tolist() == list(STEPS_OVER_A_CHANGE)
    assert data["scenario"].values.tolist() == ["war", "local", "formal", "other"]
    old, new = (
        changing_case(tmp_path / name, exact(text(kind)))
        for name, text in (("a", changing.before), ("b", changing.between))
    )
    was = {}
    for name, one in (("old", old), ("new", new)):
        theta = mean_theta(one.question, one.evidence)
        was[name] = enumerate_posterior(one.question, one.evidence, ISSUED, theta, ahead=False)["now"]
    was = {name: np.broadcast_to(p, (3 if name == "old" else 4,)) for name, p in was.items()}
    issued = dict(zip(old.question.scenario_ids, was["old"], strict=True))
    held = carry_over(case.question, issued, case.question.scenario_ids)
    assert held is not None
    np.testing.assert_allclose(data["now_issued"], list(held.values()), atol=1e-12)
    np.testing.assert_array_equal(data["now"].sel(step="remainder"), 0.0)
    np.testing.assert_array_equal(data["now"].sel(step="judgements"), 0.0)
    np.testing.assert_allclose(data["now_after"].sel(step="scenarios"), was["new"], atol=1e-12)
    for when, last in (
        ("now", tree["trend"]["probability"].isel(as_of=-1)),
        ("horizon", tree["outlook"]["probability"].isel(date=-1)),
    ):
        total = data[f"{when}_issued"] + data[when].sum("step")
        np.testing.assert_allclose(total, last.sel(scenario=data["scenario"]), atol=1e-12)
    notes = json.loads(data.attrs["note"])
    assert "carried over" in notes[0]
    assert "have been edited since" in notes[1]
    said = "\n".join(changed_lines(data))
    assert "changed scenarios" in said


def test_an_uncertain_question_is_found_again_to_the_last_bit(tmp_path):
    """The file of today still has the question of then, so that nothing is left over but what was edited."""
    case, tree = issue_then_edit(tmp_path, changing.before(), changing.changed(added=True))
    data = changed_since_issue(case, tree)
    assert data is not None
    np.testing.assert_array_equal(data["now"].sel(step="remainder"), 0.0)
    np.testing.assert_array_equal(data["horizon"].sel(step="remainder"), 0.0)


def test_with_the_question_as_it_was_an_edited_judgement_is_told_apart(tmp_path):
    new = changing.changed(changing.REGIME).replace(
        "meeting: {likelihood: {war: 0.05", "meeting: {likelihood: {war: 0.2"
    )
    case, tree = issue_then_edit(tmp_path, changing.before(changing.REGIME), new)
    blind = changed_since_issue(case, tree)
    data = changed_since_issue(case, tree, question_was=tmp_path / "then.yaml")
    assert blind is not None
    assert data is not None
    np.testing.assert_array_equal(data["now"].sel(step="remainder"), 0.0)
    assert abs(data["now"].sel(step="judgements")).max() > 0.01
    assert len(json.loads(data.attrs["note"])) == 1
    np.testing.assert_array_equal(blind["now"].sel(step="remainder"), data["now"].sel(step="judgements"))


def test_the_file_of_the_last_issue_may_itself_have_had_the_change(tmp_path):
    """The change was written down before its day came: nothing has been edited, and nothing is unknown."""
    case = changing_case(tmp_path, changing.changed())
    forecast.issue(case, forecast.update(case, as_of=ISSUED, tolerance=1.0, **FEW))
    data = changed_since_issue(case, forecast.update(case, as_of=LATER, tolerance=1.0, **FEW))
    assert data is not None
    assert len(json.loads(data.attrs["note"])) == 1
    np.testing.assert_array_equal(data["now"].sel(step="remainder"), 0.0)
    other = changed_since_issue(
        case,
        forecast.update(case, as_of=LATER, tolerance=1.0, **FEW),
        question_was=tmp_path / "question.yaml",
    )
    assert other is not None
    assert other.identical(data)


def test_within_an_era_nothing_is_carried(tmp_path):
    case = changing_case(tmp_path, changing.changed())
    forecast.issue(case, forecast.update(case, as_of=SOON, tolerance=1.0, **FEW))
    data = changed_since_issue(case, forecast.update(case, as_of=LATER, tolerance=1.0, **FEW))
    assert data is not None
    assert data["step"].values.tolist() == list(STEPS)
    assert json.loads(data.attrs["note"]) == []


def test_scenarios_that_the_question_never_had_cannot_be_compared(tmp_path):
    case, tree = issue_then_edit(
        tmp_path, changing.before().replace("truce", "pause").replace("Truce", "Pause"), changing.changed()
    )
    assert changed_since_issue(case, tree) is None
    issued = IssuedForecast(ISSUED, "", np.array([[0.5, 0.5]]), np.array([[0.5, 0.5]]), ("war", "pause"))
    with pytest.raises(ValueError, match="never had just these scenarios: war, pause"):
        changed(case, tree, issued)
