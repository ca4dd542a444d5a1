"""The benchmarks run, and their table says what holds. Times are not tested here: they are what it prints."""

from __future__ import annotations

import pytest

import benchmarks.__main__ as program
from benchmarks import commands, filters, trend
from benchmarks.simulated import simulated
from benchmarks.table import Row, table


def test_the_filters_agree_and_are_timed():
    rows = list(filters.rows(draws=8, weeks=5, scenarios=3, times=1))
    assert rows[0].name.startswith("filter, 8 draws x 5 weeks")
    assert rows[-1].ratio is not None


def test_filters_that_disagree_are_not_compared():
    prior, matrix, log_likelihood = filters.arrays(4, 3, 2)
    expected = filters.numpy_filter(prior, matrix, log_likelihood)
    with pytest.raises(AssertionError):
        filters.agree(filters.numpy_filter(prior[::-1], matrix, log_likelihood), expected)


def test_the_trend_is_timed_and_its_memory_measured(monkeypatch):
    monkeypatch.setattr(trend, "peak_memory", lambda *_: 0.25)
    rows = list(trend.rows(weeks=4, indicators=2, particles=(20, 40), times=1))
    assert [row.limit for row in rows] == [40, None, None, 1.0, None, None]
    assert rows[3].holds


def test_growth_is_a_slope():
    assert trend.slope([1, 2, 4], [3, 12, 48]) == pytest.approx(2)
    rows = list(trend.scaling_rows(weeks=4, indicators=2, particles=20, times=1))
    sizes = [row.against.split(" (sweeps")[0] for row in rows[::2]]
    assert sizes == ["indicators 1, 2, 4", "particles 20, 40, 80", "weeks 2, 4, 8"]


def test_a_longer_simulation_begins_like_a_shorter_one():
    short, long = simulated(4, 2)[1].reports, simulated(6, 3)[1].reports
    assert set(short) < set(long)
    assert len(long) == 18


def test_what_importing_loads():
    assert commands.heavy_after(commands.IMPORT) == []
    assert commands.heavy_after("import matplotlib") == ["matplotlib"]


def test_the_table_and_the_exit_code(monkeypatch, capsys):
    fine, slow = Row("fine", "1 s", ratio=1.0, limit=1.0), Row("slow", "9 s", ratio=4.01, limit=4.0)
    neither = Row("not measured", "2 s", limit=1.0)
    assert [row.holds for row in (fine, slow, neither)] == [True, False, None]
    assert len({len(line) for line in table([fine, slow, neither]).splitlines()}) == 1
    monkeypatch.setattr(program, "PARTS", {"good": lambda: [fine, neither], "bad": lambda: [slow]})
    assert program.main(["good"]) == 0
    assert program.main([]) == 1
    assert "| NO " in capsys.readouterr().out
    with pytest.raises(SystemExit):
        program.main(["nothing"])
