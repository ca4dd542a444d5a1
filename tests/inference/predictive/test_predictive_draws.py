"""The groups of cells: what they hold, what it is by the oracle, and that ArviZ takes them as they are."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from forecast.inference.data_tree import numbered
from forecast.inference.estimates import draws_of
from forecast.inference.particles import Chain
from forecast.inference.predictive.predictive_draws import predictive
from forecast.inference.predictive.replicates import replicate
from forecast.inference.smc import run_chain
from forecast.model.problem import Problem, build_problem
from tests.cases import CASES, FILED_CASES, Small, small
from tests.oracles.cells import Cells
from tests.oracles.theta import mean_theta


def run(case: Small, particles: int = 300, chains: int = 2) -> tuple[Problem, list[Chain]]:
    problem = build_problem(case.question, case.evidence, case.as_of)
    every = range(chains)
    return problem, [
        run_chain(problem, chain=c, particles=particles, seed=1, progress=lambda: None) for c in every
    ]


def groups(case: Small, draws: int = 300, particles: int = 300) -> dict[str, xr.Dataset]:
    problem, chains = run(case, particles)
    return predictive(problem, draws_of(chains, draws, problem.steps[-1].periods, 0), 0)


@pytest.mark.parametrize("name", [*CASES, *FILED_CASES])
def test_what_was_seen_is_what_the_reports_make_most_likely(name):
    """Or that there was none, by the oracle; and there is one replicate for each cell, of the same kind."""
    case = small(name, False)
    found, cells = groups(case, 20, 20), Cells(*case_of(case))
    parents = {i.given: i.id for i in case.question.indicators if i.given}
    seen = found["observed_data"]
    number = 0
    for i in case.question.indicators:
        every = [(u, t, i.id) for u in units(case) for t in range(periods(case))]
        heard = [
            (u, t)
            for u, t, name in every
            if cells.speaks((u, t, name))
            and (cells.reports.get((u, t, name)) or not cells.reports.get((u, t, parents.get(name, ""))))
        ]
        assert (i.id in seen) == bool(heard)
        if not heard:
            continue
        number += len(heard)
        assert seen[f"{i.id}_period"].values.tolist() == [t for _, t in heard]
        if case.question.units:
            assert seen[f"{i.id}_unit"].values.tolist() == [u for u, _ in heard]
        for (u, t), value in zip(heard, seen[i.id].values.tolist(), strict=True):
            key = u, t, i.id
            told = cells.reports.get(key, [])
            if i.values and told:
                likely = [math.prod(float(cells.factor(r, x, cells.theta)) for r in told) for x in i.values]
                assert value == next(n for n, p in enumerate(likely) if p >= max(likely) * (1 - 1e-12))
            elif i.values:
                assert value == len(i.values)
            else:
                first = min(cells.reports[key], key=lambda r: r.reported)
                assert value == first.value
        for group in ("prior_predictive", "posterior_predictive"):
            one = found[group][i.id]
            assert one.dims == ("chain", "draw", f"{i.id}_cell")
            assert one.shape == (2, 20, len(heard))
            assert (one.dtype == np.int64) == (i.kind != "measure")
            silent = ["not_reported"] if i.values and (i.reporting or i.monitored) else []
            assert one.attrs.get("flag_meanings", "").split() == [*i.values, *silent]
    assert number == sum(one.size for one in seen.values())


def case_of(case: Small) -> Any:
    return case.question, case.evidence, case.as_of, mean_theta(case.question, case.evidence)


def units(case: Small) -> tuple[str, ...]:
    return case.question.units or ("",)


def periods(case: Small) -> int:
    return case.question.period(case.as_of) + 1


def test_at_most_five_hundred_of_each_chain_and_the_same_with_the_same_seed():
    case = small("yes_no", False)
    one, two = groups(case, 700), groups(case, 700)
    assert one["posterior_predictive"].sizes["draw"] == 500
    assert all(one[name].identical(two[name]) for name in one)


def test_replicates_are_spread_over_all_draws_and_leave_them_as_they_are(monkeypatch):
    """A chain's first 128 particles share what must not learn; 20 draws of 300 are not the first 20."""
    monkeypatch.setattr("forecast.inference.predictive.predictive_draws.MOST", 20)
    seen: list[np.ndarray] = []

    def listening(cells: Any, layout: Any, theta: np.ndarray, *rest: Any) -> Any:
        seen.append(theta)
        return replicate(cells, layout, theta, *rest)

    monkeypatch.setattr("forecast.inference.predictive.predictive_draws.replicate", listening)
    problem, chains = run(small("moving", False), 300)
    draws = draws_of(chains, 300, problem.steps[-1].periods, 0)
    matrix = draws.matrix.copy()
    predictive(problem, draws, 0)
    rows = np.linspace(0, 299, 20).astype(int)
    for used, whole in zip(seen, (draws.theta, draws.prior), strict=True):
        np.testing.assert_array_equal(used, whole[:, rows].reshape(-1, whole.shape[-1]))
    np.testing.assert_array_equal(draws.matrix, matrix)
    monkeypatch.setattr("forecast.inference.predictive.predictive_draws.MOST", 300)
    predictive(problem, draws, 0)
    np.testing.assert_array_equal(draws.matrix, matrix)


def test_fewer_where_there_are_very_many_cells(monkeypatch):
    monkeypatch.setattr("forecast.inference.predictive.predictive_draws.VALUES", 100)
    assert groups(small("yes_no", False), 300)["posterior_predictive"].sizes["draw"] == 25


def test_the_posterior_is_nearer_to_what_was_seen():
    """A case in which every report says the same: by 4,000 draws of 2 x 3 cells, many errors apart."""
    case = small("yes_no", False)
    found = groups(case, 500, 2000)
    seen = found["observed_data"]
    hits = {
        group: np.mean([(found[group][name] == seen[name]).mean() for name in seen])
        for group in ("prior_predictive", "posterior_predictive")
    }
    assert hits["posterior_predictive"] > hits["prior_predictive"]


def test_arviz_takes_them_as_they_are_also_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Warnings of ArviZ's about few cells, and about plots of densities of categories, are its own."""
    monkeypatch.setenv("MPLBACKEND", "Agg")
    import arviz as az

    found = groups(small("everything", False))
    tree = xr.DataTree.from_dict({name: numbered(data) for name, data in found.items()})
    tree.to_netcdf(tmp_path / "tree.nc")
    with xr.open_datatree(tmp_path / "tree.nc") as opened:
        again = opened.load()
    for name, data in found.items():
        assert again[name].to_dataset().equals(numbered(data))
        for one in map(str, data):
            assert again[name][one].attrs.get("flag_meanings") == data[one].attrs.get("flag_meanings")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for backend in ("none", "matplotlib"):
            for plot in (az.plot_ppc_pava, az.plot_ppc_dist, az.plot_ppc_tstat):
                plot(again, backend=backend)
            az.plot_ppc_rootogram(again, var_names=["clashes"], backend=backend)
            az.plot_ppc_pava(again, var_names=["tone"], data_type="categorical", backend=backend)
    plt.close("all")
