"""An alarm where the evidence contradicts a judgement, and none where it does not."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import xarray as xr

from forecast.case.evidence import Evidence
from forecast.inference import result
from forecast.inference.diagnostics import drift_warnings
from forecast.inference.engine import infer
from tests.cases import binary, day, question, report, source


@cache
def sixty_weeks() -> xr.DataTree:
    """Said to be .1 likely, raids happen every other week; offers as often as was said of alpha."""
    likely = (binary("raid", (0.1, 0.1), 20.0), binary("offer", (0.5, 0.02), 20.0))
    q = question((0.5, 0.5), likely, (source("s", 1.0, math.inf),), 20.0, weeks=60)
    log = tuple(
        report(f"{name}{t}", 7 * t, name, "yes" if t % 2 else "no")
        for t in range(60)
        for name in ("raid", "offer")
    )
    tree: xr.DataTree = infer(q, Evidence(log), as_of=day(419), draws=500, chains=2, tolerance=1.0)
    return tree


def test_a_contradicted_judgement_is_named():
    """In the scenario that is true; nothing was learnt of the other."""
    found = sixty_weeks()["drift"].to_dataset().sel(judgement="likelihood raid alpha")
    posterior = np.array([18 + 30, 2 + 30]) / 80
    assert np.abs(found["now"].item() - posterior).min() < 0.01
    assert found["tail"] < 0.02
    (warning,) = result.warnings(sixty_weeks())
    assert (warning.kind, warning.subject) == ("drift", ("likelihood raid alpha",))
    assert "judgement drifted far: likelihood raid alpha (yes) was said to be" in warning.text


def test_judgements_that_agree_are_not():
    found = sixty_weeks()["drift"].to_dataset()
    agreeing = found.sel(
        judgement=["likelihood offer alpha", "likelihood offer beta", "likelihood raid beta"]
    )
    assert np.all(agreeing["tail"] > 0.5)
    assert not [w for w in result.warnings(sixty_weeks()) if "offer" in w.text]


def test_only_what_learns_is_compared():
    assert "reliability s" not in sixty_weeks()["drift"].to_dataset()["judgement"].values


def test_the_warning_gives_both_numbers():
    data = xr.Dataset(
        {n: ("judgement", [v, 0.5]) for n, v in (("said", 0.1), ("now", 0.4567), ("tail", 0.019))},
        {"judgement": ["one", "two"], "entry": ("judgement", ["", ""]), "draws": 1000},
    )
    (warning,) = drift_warnings(data)
    assert "one was said to be 0.1, the evidence has it at 0.457" in warning.text
