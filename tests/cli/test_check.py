"""`forecast check --referee`: what is printed of the comparison."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from forecast.cli import main


def compared(agrees: bool) -> xr.Dataset:
    """Two ways to compute two scenarios, the second of which does not apply."""
    p = np.array([[0.7, 0.3], [np.nan, np.nan]])
    horizon = np.array([[0.6, 0.4], [np.nan, np.nan]])
    dims = ("way", "scenario")
    return xr.Dataset(
        {
            "now": (dims, p),
            "now_mcse": (dims, p / 100),
            "horizon": (dims, horizon),
            "horizon_mcse": (dims, horizon / 100),
            "note": ("way", ["", "does not apply"]),
            "agrees": ("way", [True, agrees]),
        },
        {"way": ["smc", "paths"], "scenario": ["war", "peace"]},
    )


@pytest.mark.parametrize("agrees", [True, False])
def test_the_referee_s_comparison(agrees, made_up, capsys, monkeypatch):
    monkeypatch.setattr("forecast.analysis.cross_checks.referee", lambda case, **_: compared(agrees))
    assert main(["check", str(made_up), "--referee"]) == (0 if agrees else 1)
    told = capsys.readouterr().out
    table = told[told.index("\nreferee: now") :].splitlines()
    assert table[1:] == [
        "referee: now, per cent, with two standard errors",
        "                war         peace",
        "smc    70.00 ± 1.40  30.00 ± 0.60",
        "paths             -             -",
        "",
        "referee: horizon, per cent, with two standard errors",
        "                war         peace",
        "smc    60.00 ± 1.20  40.00 ± 0.80",
        "paths             -             -",
        "  · paths: does not apply",
        "All that apply agree within four standard errors." if agrees else "THEY DISAGREE.",
    ]
