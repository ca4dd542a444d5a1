"""The trend as characters says what the result says."""

from __future__ import annotations

import pytest
import xarray as xr

from forecast.report.text.trend import trend_text
from tests.made_up import HORIZON, OPENED, TITLES, made_up_case, made_up_tree


def drawn(*, regime=True, units=(), **options):
    case = made_up_case(regime=regime, units=units)
    tree = made_up_tree(case)
    return case, tree, trend_text(case, tree, **options)


@pytest.mark.parametrize("width", [40, 77, 140])
@pytest.mark.parametrize("height", [5, 12, 40])
def test_a_number_stands_where_the_probability_is(width, height):
    _, tree, drawing = drawn(width=width, height=height)
    trend, outlook = tree["trend"]["probability"], tree["outlook"]["probability"]
    today = max(row.find("│") for row in drawing.rows[:height])
    for column, data in ((today, trend.isel(as_of=-1)), (width - 1, outlook.isel(date=-1))):
        tops: dict[int, list[str]] = {}
        for place, id in enumerate(TITLES):
            row = round((1 - float(data.sel(scenario=id))) * (height - 1))
            tops.setdefault(row, []).append(str(place + 1))
        for row, numbers in tops.items():
            assert drawing.rows[row][column] in numbers


def test_every_row_fits_and_knows_its_owner():
    _, _, drawing = drawn(width=60, height=10)
    picture = drawing.rows[:10]
    assert drawing.owner.shape == (len(drawing.rows), 60)
    assert {len(row) for row in picture} == {60}
    for row, owner in zip(picture, drawing.owner[:10], strict=True):
        for column, character in enumerate(row[6:], start=6):
            if character.isdigit():
                assert owner[column] == int(character) - 1
            elif character in " │":
                assert owner[column] == -1


def test_dates_are_those_of_the_result():
    _, tree, drawing = drawn(width=100)
    line = drawing.rows[-1 - len(TITLES)].split()
    today = str(tree["trend"]["as_of"].values[-1].astype("datetime64[D]"))
    assert line == [OPENED.isoformat(), today, HORIZON.isoformat()]


def test_a_static_question_ends_today():
    _, _, drawing = drawn(regime=False, width=60, height=10)
    assert not any("·" in row or "│" in row for row in drawing.rows[:10])
    assert "at the horizon" not in drawing.rows[-1]


def test_the_key_gives_title_and_band():
    _, _, drawing = drawn()
    for place, title in enumerate(TITLES.values()):
        assert drawing.rows[place - len(TITLES)].startswith(f"      {place + 1} {title}: ")


def test_each_unit_has_its_own():
    case = made_up_case(units=("north", "south"))
    tree = made_up_tree(case)
    tree["trend"]["probability"].loc[{"unit": "south", "scenario": "conflict"}] = 0.0
    tree["trend"]["probability"].loc[{"unit": "south", "scenario": "tactical"}] = 1.0
    north, south = (trend_text(case, tree, unit=unit, height=12).rows for unit in ("north", "south"))
    assert "2" in south[0]
    assert "2" not in north[0]


def test_a_gap_stays_a_gap():
    case = made_up_case()
    tree = made_up_tree(case)
    trend = tree["trend"].to_dataset()
    early = trend["as_of"] < trend["as_of"][3]
    tree["trend"] = xr.DataTree(trend.assign(probability=trend["probability"].where(~early)))
    drawing = trend_text(case, tree, width=100, height=10)
    assert not any(row[6:12].strip() for row in drawing.rows[:10])
    assert any(row[6:40].strip() for row in drawing.rows[:10])
