"""What an answer hangs on, in words: every sentence against a Dataset made up by hand."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from forecast.report.text.sensitivity import sensitivity_lines

NAN = float("nan")


def made_up(**changes: object) -> xr.Dataset:
    """Return what `sensitivity` could have returned for two judgements, two scenarios and four reports."""
    scenario, judgement = ["war", "peace"], ["lasts war", "likelihood raid other"]
    horizon = np.array([[[0.5, 0.5], [0.8, 0.2]], [[0.69, 0.31], [0.72, 0.28]]])
    pair, by_end = ("judgement", "end"), ("judgement", "end", "scenario")
    variables = {
        "engine_horizon": ("scenario", [0.7, 0.3]),
        "at_means_horizon": ("scenario", [0.68, 0.32]),
        "leader": ((), "war"),
        "leader_at_means": ((), "war"),
        "power_horizon": (("part", "scenario"), [[0.2, 0.1], [0.03, 0.04]]),
        "residual": ("judgement", [False, True]),
        "stated": ("judgement", [20.0, 0.25]),
        "end_value": (pair, [[8.0, 40.0], [1e-6, 0.9]]),
        "horizon": (by_end, horizon),
        "now": (by_end, horizon),
        "swing_horizon": (("judgement", "scenario"), [[0.3, 0.3], [0.04, 0.04]]),
        "learnt_ess": (pair, [[400.0, 90.0], [NAN, NAN]]),
        "learnt_horizon": (by_end, np.full_like(horizon, 0.55)),
        "flip": ("judgement", [NAN, NAN]),
        "flip_to": ("judgement", ["", ""]),
        "flip_tail_probability": ("judgement", [NAN, NAN]),
        "in_set": ("report", [False] * 4),
        "in_nearest": ("report", [False] * 4),
        "set_smallest": ((), False),
        "set_searched": ((), 2),
        "set_others": ((), 0),
        "set_horizon": ("scenario", [0.6, 0.4]),
        "set_engine_horizon": ("scenario", [NAN, NAN]),
    }
    coords = {
        "scenario": scenario,
        "judgement": judgement,
        "end": ["low", "high"],
        "part": ["prior", "likelihood"],
    }
    attrs = {"case": "border", "as_of": "2024-03-01", "horizon": "2024-06-30", "regime": 1}
    data = xr.Dataset(variables, coords | {"report": ["r1", "r2", "r3", "r4"]}, attrs)
    return data.assign({name: (data[name].dims, value) for name, value in changes.items()})


def said(**changes: object) -> str:
    return " ".join(" ".join(sensitivity_lines(made_up(**changes))).split())


def test_the_gist_stands_first_and_is_short():
    lines = sensitivity_lines(made_up())
    assert lines[0] == "What the forecast of border hangs on, as of 2024-03-01"
    assert lines.index("") <= 10  # what a person reads at eight in the morning
    text = said()
    assert "On 2024-06-30 war leads with 70%, before peace with 30%." in text
    assert "With every judgement at its mean 68%, where what follows starts." in text
    assert "lasts war (50% at 8, 80% at 40); likelihood raid other (69% at 1e-06, 72% at 0.9)." in text
    assert "sensitivity to judgements up to 0.20, to evidence up to 0.04" in text


def test_the_table_has_what_was_found():
    table = sensitivity_lines(made_up())
    (row,) = (line for line in table if line.startswith("lasts war"))
    assert row.split()[2:] == ["20", "8", "40", "50.0", "80.0", "30.0", "50.0", "80.0", "55.0", "?"]
    (row,) = (line for line in table if line.startswith("likelihood raid other *"))
    assert row.split()[4:] == ["0.25", "1e-06", "0.9", "69.0", "72.0", "4.0", "69.0", "72.0"]
    assert not [line for line in sensitivity_lines(made_up(), top=1) if line.startswith("likelihood raid")]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"swing_horizon": np.zeros((2, 2))}, "No judgement alone, at an end of its central 90 %, moves war"),
        ({}, "No judgement alone changes who leads (within its central 99 %; reliabilities from 0 to 1)."),
        (
            {"flip": [7.0, NAN], "flip_to": ["peace", ""], "flip_tail_probability": [0.02, NAN]},
            "One judgement would put another scenario first; the least far out: lasts war at 7 in place",
        ),
        (
            {"flip": [7.0, 0.7], "flip_to": ["peace", "peace"], "flip_tail_probability": [0.02, 0.1]},
            "2 judgements, each alone, would put another scenario first; the least far out: likelihood raid",
        ),
        ({}, "No set of up to 2 of the 4 reports changes who leads by being taken away; beyond, a greedy"),
        (
            {"in_nearest": [True, True, True, False]},
            "may miss some, ends with 3 taken away: war leads with 60%, before peace with 40%.",
        ),
        ({"set_smallest": True}, "Whichever of the 4 reports are taken away, the same scenario leads."),
        (
            {"in_set": [True, False, True, False], "set_smallest": True, "set_searched": 1, "set_others": 1,
             "set_horizon": [0.4, 0.6], "set_engine_horizon": [0.45, 0.55]},
            "Without 2 reports of 4: r1, r3, peace leads with 60%, before war with 40% at the means; by "
            "a run of the engine peace leads with 55%, before war with 45% (no smaller set will do; 1 other "
            "set of this size would do too).",
        ),
        (
            {"in_set": [True] * 4, "set_searched": 2},
            "(no set of up to 2 will do; one between may).",
        ),
        ({"power_horizon": np.full((2, 2), NAN)}, "Nothing is uncertain in the judgements"),
        ({"leader": "peace"}, "war leads with 68%, before peace with 32%: what follows asks when"),
    ],
)  # fmt: skip
def test_each_finding_has_its_sentence(changes: dict, sentence: str):
    assert sentence in said(**changes)


def test_a_long_set_is_named_below():
    assert said(in_set=[True] * 4).endswith("These reports, taken away, change who leads: r1, r2, r3, r4.")
    assert said(in_nearest=[True] * 4).endswith("bring a rival nearest: r1, r2, r3, r4.")


def test_no_reports_at_all():
    data = made_up().isel(report=[])
    assert "There are no reports that the answer could hang on." in "\n".join(sensitivity_lines(data))


def test_a_static_question_is_asked_of_now():
    data = made_up().assign_attrs(regime=0)
    text = " ".join(" ".join(sensitivity_lines(data)).split())
    assert "Now war leads with 70%" in text
    assert "the same now" not in text


def test_units_come_one_after_the_other():
    north = made_up()
    both = xr.concat([north, north], dim="unit").assign_coords(unit=["north", "south"])
    for name in ("end_value", "stated", "residual", "learnt_ess"):
        both[name] = north[name]
    lines = sensitivity_lines(both)
    assert [line.split(": ")[1] for line in lines if line.startswith("What the forecast")] == [
        "north",
        "south",
    ]
