"""Collection planning: possible reports ranked by expected information gain about the scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from forecast.analysis.information import (
    MONITORING,
    Experiment,
    Forecasts,
    Joint,
    Query,
    experiments,
    gain,
    joints,
)
from forecast.analysis.plug_in import PlugInModel
from forecast.analysis.sensitivity.tornado import theta_of
from forecast.case.errors import Fault, InputError, listed, meant
from forecast.case.evidence import Evidence
from forecast.case.folder import Case, as_case
from forecast.case.in_force import checked_as_of
from forecast.case.question import Indicator, Question
from forecast.inference.data_tree import Progress, Settings
from forecast.inference.diagnostics import impossible
from forecast.inference.particles import ImpossibleEvidence
from forecast.inference.smc_engine import run_smc
from forecast.model.parameters import Layout
from forecast.model.problem import build_problem

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Period = Literal["present", "next"]
TARGETS = ("now", "reported", "horizon")
COLUMNS = (
    "indicator", "source", "reliability", "repeats", "expected", "chance",
    *(name + suffix for name in TARGETS for suffix in ("", "_error")),
)  # fmt: skip


def collect(
    case: Case | str | Path,
    *,
    as_of: date | None = None,
    period: Period = "next",
    indicators: Sequence[str] | None = None,
    sources: Sequence[str] | None = None,
    costs: Mapping[str, float] | None = None,
    draws: int = 1000,
    chains: int = 4,
    tolerance: float = 0.01,
    seed: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Rank possible reports by expected information gain (:mod:`forecast.analysis.information`).

    Parameters
    ----------
    case : Case or path
    as_of, draws, chains, tolerance, seed, progress
        As for :func:`forecast.update`.
    period : {"next", "present"}
        The period after the as-of date, or that of it.
    indicators, sources : sequence of str, optional
        Whom is asked what; default: all indicators but ratios, and who has reported on each, all if none has.
    costs : mapping, optional
        What asking costs, by source ("sohr"), by indicator ("fighting") or, before these, "fighting sohr".

    Returns
    -------
    pandas.DataFrame
        A row for each indicator and source (and unit; a monitored indicator has one without a source too:
        whether anybody reports), the best first: `reliability` of the source (posterior mean), `repeats` (it
        has spoken in this cell), the most likely report `expected` and its `chance`, and in bits the gain
        about the scenario `now`, in the period `reported` on and at the `horizon`, each with `_error` (Monte
        Carlo, and grid over numbers); `cost`, `per_cost` (bits at the horizon per unit), its order then.
        Gains do not add up. Attributes: `entropy` (bits), `period_end`, `left_out`.

    Raises
    ------
    InputError
        If the case or a name is at fault, or there is no next period.

    Examples
    --------
    >>> collect("scenarios/isis-jn-2014")[["indicator", "source", "horizon"]].head()  # doctest: +SKIP
    """
    case = as_case(case)
    day = checked_as_of(case.question, as_of)
    case = case.on(day)
    query = _query(case, day, period, indicators, sources)
    _check_costs(case.question, costs or {})
    case = replace(case, question=without_silence(case.question)) if period == "present" else case
    task = build_problem(case.question, case.evidence, day)
    try:
        run = run_smc(task, Settings("smc", seed, draws, chains, tolerance), progress)
    except ImpossibleEvidence as error:
        raise InputError(impossible(case, error)) from error
    forecasts = Forecasts.at(task.layout, run.draws.theta, task.steps[-1].sequence, task.cells)
    return _ranked(case.evidence, task.layout, forecasts, query, costs or {})


def collect_from(case: Case, tree: xr.DataTree, model: PlugInModel, *, draws: int = 1000) -> pd.DataFrame:
    """Rank possible reports of the next period as :func:`collect` does, from a forecast's own draws.

    At most `draws` of each chain are used; they save a run of the engine. InputError if there is no next
    period.
    """
    query = _query(case, model.as_of, "next")
    theta = theta_of(model.layout, tree)
    theta = theta[:, :: max(theta.shape[1] // draws, 1)][:, :draws]  # evenly thinned
    forecasts = Forecasts.at(model.layout, theta, model.evidence.sequence, model.cells)
    return _ranked(case.evidence, model.layout, forecasts, query, {})


def without_silence(question: Question) -> Question:
    """Return the question with no silence that counts on a period's last day: reports may still come."""

    def later(one: Indicator) -> Indicator:
        monitored, log = one.monitored, one.reporting
        return replace(
            one,
            monitored=monitored and replace(monitored, lag=max(monitored.lag, 1)),
            reporting=log and replace(log, lag=max(log.lag, 1)),
        )

    return replace(question, indicators=tuple(map(later, question.indicators)))


def _query(
    case: Case,
    day: date,
    period: Period,
    indicators: Sequence[str] | None = None,
    sources: Sequence[str] | None = None,
) -> Query:
    """Return what to ask of whom, about which period, and the indicators that cannot be asked about."""
    question = case.question
    names = [s.id for s in question.sources]
    _check_names("indicator", indicators or (), [i.id for i in question.indicators])
    _check_names("source", sources or (), names)
    reported = {(report.indicator, report.source) for report in case.evidence.known(day)}
    pairs, left_out = [], []
    for i, indicator in enumerate(question.indicators):
        if indicators is not None and indicator.id not in indicators:
            continue
        if indicator.kind == "ratio":
            left_out.append(indicator.id)
            continue
        experienced = [name for name in names if (indicator.id, name) in reported]
        pairs += [(i, name) for name in (sources if sources is not None else experienced or names)]
        pairs += [(i, MONITORING)] if indicator.monitored else []
    if period not in ("present", "next"):
        raise ValueError(f"period {period!r} is neither 'present' nor 'next'")
    asked = question.period(day) + (period == "next")
    if asked > question.period(question.horizon):
        fix = "ask about the present period, or choose an earlier as-of date"
        problem = "the question ends in this period: there is no next one"
        raise InputError([Fault("as-of date", 0, day.isoformat(), problem, fix=fix)])
    return Query(pairs, asked, day, left_out)


def _check_names(kind: str, named: Sequence[str], known: Sequence[str]) -> None:
    faults = [
        Fault("collect", 0, name, f"no such {kind}", listed(known), meant(name, known) or "name one of these")
        for name in named
        if name not in known
    ]
    if faults:
        raise InputError(faults)


def _check_costs(question: Question, costs: Mapping[str, float]) -> None:
    ids, names = [i.id for i in question.indicators], [s.id for s in question.sources]
    keys = [key.split() for key in costs]
    _check_names("source or indicator", [key[0] for key in keys if len(key) == 1], [*names, *ids])
    _check_names("indicator", [key[0] for key in keys if len(key) == 2], ids)
    _check_names("source", [key[1] for key in keys if len(key) == 2], names)
    faults = [
        Fault("collect", 0, f"{key}: {cost}", "not a cost", "a number above 0 for SOURCE, INDICATOR or both")
        for key, cost in costs.items()
        if not 0 < cost < np.inf or len(key.split()) not in (1, 2)
    ]
    if faults:
        raise InputError(faults)


def _ranked(
    evidence: Evidence, layout: Layout, forecasts: Forecasts, query: Query, costs: Mapping[str, float]
) -> pd.DataFrame:
    """Return the table of a query, the best experiment first."""
    import pandas as pd
    from scipy.stats import entropy

    question = layout.question
    possible, cells = experiments(layout, evidence, query, forecasts.theta.reshape(-1, layout.size))
    joint = joints(layout, forecasts, possible, cells, query.period - question.period(query.as_of))
    rows = [_row(layout, forecasts.theta, joint, k, one) for k, one in enumerate(possible)]
    columns = [*(["unit"] if question.units else []), *COLUMNS]
    table, by = pd.DataFrame(rows, columns=columns), "horizon"
    if costs:
        asked = list(zip(table["indicator"], table["source"], strict=True))
        cost = [costs.get(f"{i} {s}", costs.get(s, costs.get(i, np.nan))) for i, s in asked]
        table["cost"], by = np.array(cost, float), "per_cost"
        table["per_cost"] = table["horizon"] / table["cost"]
    table = table.sort_values([by, "reported"], ascending=False, kind="stable", ignore_index=True)
    there = {one.indicator for one in possible}
    missing = dict.fromkeys(question.indicators[i].id for i, _ in query.pairs if i not in there)
    bits = {name: entropy(each.scenario.mean(axis=0), base=2, axis=1) for name, each in joint.items()}
    table.attrs = {
        "entropy": {
            name: dict(zip(question.units, each.tolist(), strict=True)) if question.units else float(each[0])
            for name, each in bits.items()
        },
        "period_end": min(question.last_day(query.period), question.horizon).isoformat(),
        "left_out": [*query.left_out, *missing],
    }
    return table


def _row(
    layout: Layout, theta: np.ndarray, joint: Mapping[str, Joint], k: int, one: Experiment
) -> dict[str, object]:
    """Return the row of the k-th experiment, but for costs; theta (C, M, D)."""
    question, indicator = layout.question, layout.question.indicators[one.indicator].id
    row: dict[str, object] = {"unit": question.units[one.unit]} if question.units else {}
    row |= {"indicator": indicator, "source": one.source, "reliability": np.nan, "repeats": one.repeats}
    if one.source:
        row["reliability"] = float(theta[..., layout.starts[f"reliability {one.source}"]].mean())
    row |= {"expected": "", "chance": np.nan}  # as it stays, of a number
    if not isinstance(one.values[0], int | float):
        chance = joint["now"].outcome[k].mean(axis=0).sum(axis=1)
        chance = np.append(chance, max(1.0 - chance.sum(), 0.0))
        values = (*one.values, "a report" if one.source == MONITORING else "nothing")
        row |= {"expected": str(values[chance.argmax()]), "chance": float(chance.max())}
    for name in TARGETS:
        row[name], row[f"{name}_error"] = gain(joint[name], k, one)
    return row
