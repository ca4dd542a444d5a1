"""From a result to rows, and which forecast a new one is compared with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from forecast.record.issue import entries, inputs, issue, last_issue
from forecast.record.ledger import LEDGER, read_ledger
from tests.made_up import AS_OF, HORIZON, TITLES, made_up_case, made_up_tree

NOON = datetime(2014, 11, 23, 12, tzinfo=UTC)


def test_one_row_for_each_scenario(tmp_path: Path):
    case = made_up_case(tmp_path)
    tree = made_up_tree(case)
    assert issue(case, tree, issued_at=NOON)
    rows = read_ledger(tmp_path / LEDGER)
    assert [row.scenario for row in rows] == list(TITLES)
    now, end = tree["trend"].to_dataset().isel(as_of=-1), tree["outlook"].to_dataset().isel(date=-1)
    assert [row.probability for row in rows] == now["probability"].values.tolist()
    assert [row.horizon_high for row in rows] == end["high"].values.tolist()
    assert {(row.as_of, row.horizon, row.issued_at, row.unit) for row in rows} == {(AS_OF, HORIZON, NOON, "")}
    assert {row.inputs for row in rows} == {inputs(tree)}


def test_one_row_for_each_scenario_of_each_unit():
    case = made_up_case(units=("north", "south"))
    rows = entries(made_up_tree(case), issued_at=NOON)
    assert [(row.unit, row.scenario) for row in rows] == [(u, s) for u in ("north", "south") for s in TITLES]


def test_the_time_of_issue_is_kept_in_utc():
    case = made_up_case()
    in_damascus = NOON.astimezone(timezone(timedelta(hours=3)))
    assert entries(made_up_tree(case), issued_at=in_damascus)[0].issued_at == NOON


def test_issued_now_unless_said_otherwise(tmp_path: Path):
    case = made_up_case(tmp_path)
    issue(case, made_up_tree(case))
    (when,) = {row.issued_at for row in read_ledger(tmp_path / LEDGER)}
    assert abs(datetime.now(UTC) - when) < timedelta(minutes=5)


def test_the_same_forecast_is_issued_once(tmp_path: Path):
    case = made_up_case(tmp_path)
    assert issue(case, made_up_tree(case))
    assert not issue(case, made_up_tree(case))


def test_rounding_past_one_is_taken_back_and_no_number_is_refused():
    case = made_up_case()
    tree = made_up_tree(case)
    high = tree["trend"].to_dataset()["high"].values  # a view
    high[-1, 0] = 1 + 1e-12
    assert entries(tree, issued_at=NOON)[0].high == 1.0
    high[-1, 0] = float("nan")
    with pytest.raises(ValueError, match="no number"):
        entries(tree, issued_at=NOON)


def of_seed(seed: int, as_of: date = AS_OF):
    case = made_up_case()
    return entries(made_up_tree(case, seed=seed, as_of=as_of), issued_at=NOON + timedelta(seconds=seed))


def test_compared_with_the_latest_as_of_date():
    week = timedelta(days=7)
    ledger = of_seed(1, AS_OF - 3 * week) + of_seed(2, AS_OF - week) + of_seed(3, AS_OF - 2 * week)
    assert last_issue(ledger, of_seed(0)[0].inputs) == of_seed(2, AS_OF - week)


def test_of_one_date_compared_with_the_latest_issued():
    ledger = of_seed(1) + of_seed(2)
    assert last_issue(ledger, of_seed(0)[0].inputs) == of_seed(2)


def test_never_compared_with_itself_or_with_what_came_after():
    ledger = of_seed(1) + of_seed(0) + of_seed(2)
    assert last_issue(ledger, of_seed(0)[0].inputs) == of_seed(1)


def test_a_past_date_is_not_compared_with_a_later_one():
    ledger = of_seed(1)
    earlier = replace(of_seed(0)[0], as_of=AS_OF - timedelta(days=7))
    assert last_issue(ledger, earlier.inputs) == ()


def test_nothing_to_compare_with():
    assert last_issue((), of_seed(0)[0].inputs) == ()
