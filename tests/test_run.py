"""The weekly run without a terminal: what it writes, when it infers, what it issues, what it reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import forecast
from forecast.case.errors import InputError
from forecast.model.evidence_index import EvidenceIndex
from forecast.record.ledger import LEDGER, read_ledger
from forecast.report.summary import Summary, summarise
from forecast.run import Weekly, brief, gather, weekly, weekly_many
from tests.conftest import FAULTY
from tests.made_up import made_up_case, made_up_tree

SHIPPED = Path(__file__).parents[1] / "scenarios" / "isis-jn-2014"
DAY, BEFORE = date(2014, 11, 22), date(2014, 11, 15)
WRITTEN = ["brief.html", "brief.md", "forecast.json", "trend.png"]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in files(folder)}


def fail(*_: Any, **__: Any) -> Any:
    raise AssertionError("this is not to be called")


def test_it_writes_and_issues_and_prints_nothing(made_up: Path, capsys: pytest.CaptureFixture[str]):
    run = weekly(made_up, as_of=DAY)
    assert capsys.readouterr() == ("", "")
    assert (run.status, run.case.name, run.output) == ("issued", "made-up", made_up / "output")
    assert files(made_up) == [LEDGER, "output/.forecasts.csv.lock", *(f"output/{name}" for name in WRITTEN)]
    assert (run.output / "forecast.json").read_text(encoding="utf-8") == run.document
    assert "](trend.png)" in (run.output / "brief.md").read_text(encoding="utf-8")
    rows = read_ledger(made_up / LEDGER)
    assert {row.inputs for row in rows} == {run.inputs}
    scenarios = json.loads(run.document)["scenarios"]
    assert [row.probability for row in rows] == [one["probability"] for one in scenarios]


def test_a_case_that_was_read_may_be_given(made_up: Path):
    assert weekly(made_up_case(made_up), as_of=DAY, dry_run=True).status == "dry run"


def test_run_twice_it_issues_once_and_infers_once(made_up: Path, monkeypatch: pytest.MonkeyPatch):
    first, before = weekly(made_up, as_of=DAY), contents(made_up)
    monkeypatch.setattr("forecast.run.infer", fail)
    again = weekly(made_up, as_of=DAY)
    assert contents(made_up) == before
    assert (again.status, again.tree, again.summary) == ("nothing changed", None, None)
    assert again.document == first.document
    assert again.rows == read_ledger(made_up / LEDGER)


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"as_of": BEFORE}, {"dry_run": True}, {"draws": 100}, {"tolerance": 0.1}]
)
def test_anything_else_is_inferred(other: dict[str, Any], made_up: Path):
    weekly(made_up, as_of=DAY)
    run = weekly(made_up, **{"as_of": DAY} | other)
    assert run.tree is not None
    assert run.status != "nothing changed"


@pytest.mark.parametrize("name", WRITTEN)
def test_what_was_written_and_is_gone_is_written_again(name: str, made_up: Path):
    weekly(made_up, as_of=DAY)
    ledger = (made_up / LEDGER).read_bytes()
    (made_up / "output" / name).unlink()
    assert weekly(made_up, as_of=DAY).status == "issued before"
    assert f"output/{name}" in files(made_up)
    assert (made_up / LEDGER).read_bytes() == ledger


def test_another_day_s_document_is_not_this_one(made_up: Path):
    """What lies in output/ is of another day, or broken: the forecast is made anew, and issued once."""
    first = weekly(made_up, as_of=DAY).document
    weekly(made_up, as_of=BEFORE)
    ledger = (made_up / LEDGER).read_bytes()
    for spoil in (lambda: None, lambda: (made_up / "output/forecast.json").write_text("{bad")):
        spoil()
        again = weekly(made_up, as_of=DAY)
        assert (again.status, again.document) == ("issued before", first)
        assert (made_up / LEDGER).read_bytes() == ledger
    assert "2014-11-22" in (made_up / "output/brief.md").read_text(encoding="utf-8")


def test_a_brief_of_another_day_makes_the_forecast_be_written_again(made_up: Path):
    weekly(made_up, as_of=DAY)
    assert brief(made_up, as_of=BEFORE).path == made_up / "output" / "brief.html"
    assert weekly(made_up, as_of=DAY).status == "issued before"


@pytest.mark.parametrize("change", ["drop", "rename"])
def test_a_ledger_with_a_row_missing_or_strange_is_not_this_forecast(change: str, made_up: Path):
    weekly(made_up, as_of=DAY)
    lines = (made_up / LEDGER).read_text(encoding="utf-8").splitlines(keepends=True)
    lines[1:2] = [] if change == "drop" else [lines[1].replace(",conflict,", ",peace,")]
    (made_up / LEDGER).write_text("".join(lines), encoding="utf-8")
    assert weekly(made_up, as_of=DAY).status == "issued before"


def test_the_next_week_shows_the_change(made_up: Path):
    weekly(made_up, as_of=BEFORE)
    scenario = json.loads(weekly(made_up, as_of=DAY).document)["scenarios"][0]
    before, now = read_ledger(made_up / LEDGER)[0], read_ledger(made_up / LEDGER)[4]
    assert scenario["change"] == now.probability - before.probability


@pytest.mark.parametrize("document", [True, False])
def test_a_dry_run_writes_nothing_and_computes_nothing_that_nobody_asked_for(
    document: bool, made_up: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("forecast.run.gather", fail)
    if not document:
        monkeypatch.setattr("forecast.run.changed_since_issue", fail)
    run = weekly(made_up, dry_run=True, document=document)
    assert list(made_up.iterdir()) == []
    assert (run.status, bool(run.document)) == ("dry run", document)


def test_what_its_engine_refuses_is_not_issued(made_up: Path, monkeypatch: pytest.MonkeyPatch):
    def refused(case, inputs, **_):
        tree = made_up_tree(case)
        tree.attrs["refused"] = "the Markov chains disagree"
        return tree

    monkeypatch.setattr("forecast.run.infer", refused)
    run = weekly(made_up, engine="nuts")
    assert (run.status, run.refused, run.document) == ("refused", "the Markov chains disagree", "")
    assert list(made_up.iterdir()) == []


@pytest.mark.parametrize("step", ["gather", "changed_since_issue"])
def test_nothing_is_written_before_all_that_can_fail_has_been_done(
    step: str, made_up: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(f"forecast.run.{step}", fail)
    with pytest.raises(AssertionError):
        weekly(made_up)
    assert list(made_up.iterdir()) == []


def test_nothing_is_written_if_nobody_takes_the_summary(made_up: Path):
    def gone(summary: Summary) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        weekly(made_up, on_summary=gone)
    assert list(made_up.iterdir()) == []


def test_a_forecast_that_cannot_be_issued_has_no_document(made_up: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> bool:
        raise OSError(28, "No space left on device", "forecasts.csv")

    monkeypatch.setattr("forecast.record.issue.append", full)
    with pytest.raises(OSError, match="No space left"):
        weekly(made_up, as_of=DAY)
    assert not (made_up / "output" / "forecast.json").exists()


def test_a_malformed_ledger_stops_before_anything_is_written(made_up: Path):
    (made_up / LEDGER).write_text("not,a,ledger\n", encoding="utf-8")
    with pytest.raises(InputError, match="has other columns"):
        weekly(made_up)
    assert files(made_up) == [LEDGER]


def test_the_ledger_is_read_once(made_up: Path, monkeypatch: pytest.MonkeyPatch):
    """A run reads it once, and once more where it adds to it: nobody else may write between the two."""
    import forecast.record.ledger as ledger

    weekly(made_up, as_of=BEFORE)
    reads: list[Path] = []
    content = ledger._content

    def counted(path: Path) -> bytes:
        reads.append(path)
        return content(path)

    monkeypatch.setattr(ledger, "_content", counted)
    for call, times in (
        (partial(weekly, made_up, as_of=DAY), 2),  # under the lock, to append
        (partial(weekly, made_up, as_of=DAY), 1),
        (partial(weekly, made_up, as_of=DAY, dry_run=True), 1),
        (partial(brief, made_up, as_of=DAY), 1),
    ):
        reads.clear()
        call()
        assert len(reads) == times, call


def test_the_options_decide_the_numbers(made_up: Path):
    options: dict[str, Any] = {"draws": 500, "chains": 2, "seed": 7, "tolerance": 0.01, "engine": "nuts"}
    run = weekly(made_up, as_of=date(2014, 11, 2), dry_run=True, **options)
    assert {name: getattr(run.inputs, name) for name in options} == options
    assert (str(run.inputs.as_of), run.inputs.digest) == ("2014-11-02", run.case.digest)


def test_of_several_cases_those_at_fault_do_not_stop_the_others(made_up: Path):
    ends = dict(weekly_many([made_up.parent / FAULTY, made_up], partial(weekly, dry_run=True)))
    fault, run = ends[made_up.parent / FAULTY], ends[made_up]
    assert isinstance(fault, InputError)
    assert isinstance(run, Weekly)
    assert run.status == "dry run"


def test_one_case_after_the_other(made_up: Path, monkeypatch: pytest.MonkeyPatch):
    """A line about the first can be printed before the second is begun."""
    begun: list[Path] = []

    def run(path: Path) -> Weekly:
        begun.append(path)
        raise RuntimeError

    runs = weekly_many([made_up, "other"], run)
    assert next(runs)[0] == made_up
    assert begun == [made_up]


@pytest.mark.parametrize(("engine", "cold"), [("nuts", False), ("smc", True), ("smc", False)])
def test_a_person_is_told_what_takes_a_minute(
    engine: str, cold: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from forecast.run import COMPILING, COMPILING_NUTS, infer, inputs_of

    remarks: list[str] = []
    shares: list[tuple[str, float]] = []
    case = made_up_case(tmp_path / "war")

    def update(case: Any, *, progress: Callable[[float], None], **_: Any) -> None:
        progress(0.5)

    monkeypatch.setattr("forecast.model.jit.cache_is_cold", lambda: cold)
    monkeypatch.setattr("forecast.inference.engine.update", update)
    inputs = inputs_of(case, DAY)._replace(engine=engine)
    infer(case, inputs, progress=lambda label, share: shares.append((label, share)), notify=remarks.append)
    assert remarks == ([COMPILING_NUTS] if engine == "nuts" else [COMPILING] if cold else [])
    assert shares == [("war", 0.5)]


def test_the_evidence_is_indexed_a_handful_of_times(monkeypatch: pytest.MonkeyPatch):
    """Once for all analyses, once for reports that may come, once for what to look for next."""
    case = forecast.load_case(SHIPPED)
    tree = forecast.update(case, as_of=date(2014, 11, 23), draws=100, chains=2, tolerance=0.5)
    summary, build, built = summarise(case, tree), EvidenceIndex.__init__, []

    def counted(index: EvidenceIndex, *arguments: Any) -> None:
        built.append(index)
        build(index, *arguments)

    monkeypatch.setattr(EvidenceIndex, "__init__", counted)
    gather(summary, tree)
    assert 1 <= len(built) <= 3
