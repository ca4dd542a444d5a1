"""What to look for next: the information about the scenario that a report is expected to bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from forecast.analysis.information import (
    WATCH,
    Channel,
    Joint,
    Wanted,
    channels,
    draws_of,
    entropy,
    gain_of,
    joints,
)
from forecast.analysis.plug_in import PlugInModel, plug_in_model
from forecast.case.errors import Fault, InputError, listed, meant
from forecast.case.folder import Case, as_case
from forecast.case.in_force import checked_as_of
from forecast.case.question import Question
from forecast.inference.data_tree import Progress
from forecast.inference.diagnostics import impossible
from forecast.inference.estimates import Draws
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
    tolerance: float = 0.005,
    seed: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Rank what could be looked for by the information about the scenario that it is expected to bring.

    The gain is the mutual information (Lindley 1956) of the scenario S and what would be reported Y, the
    entropy of the forecast in bits less what it would be on average after the report,

        I(S; Y) = sum over y, s of p(s, y) log2[p(s, y) / (p(s) p(y))],
        p(s, y) = mean over draws of theta of P(s | theta) P(y | s, what is known, theta).

    Parameters
    ----------
    case : Case or path
        A case, or its folder.
    as_of, draws, chains, tolerance, seed, progress
        As for :func:`forecast.update`.
    period : {"next", "present"}
        The period that would be reported on: that of the as-of date (where a source that has spoken about
        an indicator repeats itself, and brings nothing), or the one after it.
    indicators : sequence of str, optional
        Which to consider; default: all but ratios, of which nobody has said how often they happen.
    sources : sequence of str, optional
        Which to ask, each about every indicator; default: for each indicator the sources that have reported
        it, all sources if none has.
    costs : mapping, optional
        What asking costs, by source ("sohr"), by indicator ("fighting") or, before these, "fighting sohr".

    Returns
    -------
    pandas.DataFrame
        A row for each indicator and source (and unit), the best first: `reliability` of the source (posterior
        mean), `repeats` (it has spoken in this cell), the most likely report `expected` and its `chance`, and
        in bits the gain about the scenario `now` (at the as-of date), in the period `reported` on, and at the
        `horizon`, each with `_error` (standard error of Monte Carlo, and of the grid over numbers); `cost`
        and `per_cost` (bits at the horizon for a unit of cost), by which it is then sorted. The watch over a
        monitored indicator has a row without a source. Attributes: `entropy` of the forecasts in bits (by
        unit), `period_end`, `left_out`. The gains of two rows do not add up; groups and cap do not count.

    Raises
    ------
    InputError
        If the case or a name is at fault, or there is no next period.

    Examples
    --------
    >>> table = collect("scenarios/isis-jn-2014", as_of=date(2014, 11, 23))  # doctest: +SKIP
    >>> table[["indicator", "source", "horizon"]].head()  # doctest: +SKIP
    """
    case = as_case(case)
    day = checked_as_of(case.question, as_of)
    case = case.on(day)
    pairs, left_out = _pairs(case, day, indicators, sources)
    _check_costs(case.question, costs or {})
    asked = _period(case.question, day, period)
    if period == "present":
        case = replace(case, question=silence_open(case.question))
    laid, sample = _draws(case, day, draws, chains, tolerance, seed, progress)
    return _ranked(case, laid, sample, Wanted(pairs, asked, day), costs or {}, left_out)


def collect_from(
    case: Case, tree: xr.DataTree, *, draws: int = 1000, model: PlugInModel | None = None
) -> pd.DataFrame:
    """Rank what could be reported of the next period, as :func:`collect` does, from a forecast's own draws.

    Parameters
    ----------
    case : Case
    tree : DataTree
        What :func:`forecast.update` returned for this case. Its draws save a run of the engine.
    draws : int
        So many draws of each chain are used at most.
    model : PlugInModel, optional
        The case on that day, if it has been set up already.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    InputError
        If there is no next period.

    Examples
    --------
    >>> collect_from(case, forecast.update(case)).head()  # doctest: +SKIP
    """
    day = date.fromisoformat(str(tree.attrs["as_of"]))
    pairs, left_out = _pairs(case, day, None, None)
    asked = _period(case.question, day, "next")
    model = plug_in_model(case.question, case.evidence, day) if model is None else model
    sample = draws_of(model, tree, draws)
    return _ranked(case, model.layout, sample, Wanted(pairs, asked, day), {}, left_out)


def _draws(
    case: Case,
    day: date,
    draws: int,
    chains: int,
    tolerance: float,
    seed: int,
    progress: Progress | None,
) -> tuple[Layout, Draws]:
    """Return draws from the posterior at the as-of date."""
    task = build_problem(case.question, case.evidence, day)
    try:
        answer = run_smc(task, draws=draws, chains=chains, tolerance=tolerance, seed=seed, progress=progress)
    except ImpossibleEvidence as error:
        raise InputError(impossible(case, error)) from error
    return task.layout, answer.sample


def _ranked(
    case: Case,
    laid: Layout,
    sample: Draws,
    wanted: Wanted,
    costs: Mapping[str, float],
    left_out: list[str],
) -> pd.DataFrame:
    """Return the table of what is wanted, its attributes filled in."""
    found, cells = channels(laid, case.evidence, wanted, sample.theta.reshape(-1, laid.size))
    across = joints(laid, sample, found, cells, wanted.period - case.question.period(wanted.as_of))
    table = _table(laid, sample, found, across, costs)
    there = {channel.indicator for channel in found}
    missing = dict.fromkeys(laid.question.indicators[i].id for i, _ in wanted.pairs if i not in there)
    table.attrs["period_end"] = min(case.question.last_day(wanted.period), case.question.horizon).isoformat()
    table.attrs["left_out"] = [*left_out, *missing]
    return table


def _period(question: Question, day: date, period: Period) -> int:
    """Return the period that would be reported on."""
    if period not in ("present", "next"):
        raise ValueError(f"period {period!r} is neither 'present' nor 'next'")
    asked = question.period(day) + (period == "next")
    if asked > question.period(question.horizon):
        fix = "ask about the present period, or choose an earlier as-of date"
        problem = "the question ends in this period: there is no next one"
        raise InputError([Fault("as-of date", 0, day.isoformat(), problem, fix=fix)])
    return asked


def silence_open(question: Question) -> Question:
    """Return the question with no silence that counts on a period's last day: reports may still come."""
    indicators = tuple(
        replace(i, monitored=replace(i.monitored, lag=max(i.monitored.lag, 1))) if i.monitored else i
        for i in question.indicators
    )
    return replace(question, indicators=indicators)


def _pairs(
    case: Case, day: date, indicators: Sequence[str] | None, sources: Sequence[str] | None
) -> tuple[list[tuple[int, str]], list[str]]:
    """Return what to ask of whom, and the indicators that cannot be asked about."""
    question = case.question
    ids, names = [i.id for i in question.indicators], [s.id for s in question.sources]
    _check_names("indicator", indicators or (), ids)
    _check_names("source", sources or (), names)
    told: dict[str, list[str]] = {}
    for report in case.evidence.known(day):
        told.setdefault(report.indicator, []).append(report.source)
    pairs, left_out = [], []
    for i, indicator in enumerate(question.indicators):
        if indicators is not None and indicator.id not in indicators:
            continue
        if indicator.kind == "ratio":
            left_out.append(indicator.id)
            continue
        spoken = [name for name in names if name in told.get(indicator.id, ())]
        pairs += [(i, name) for name in (sources if sources is not None else spoken or names)]
        pairs += [(i, WATCH)] if indicator.monitored else []
    return pairs, left_out


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
    _check_names("source or indicator", [k for k in costs if len(k.split()) == 1], [*names, *ids])
    _check_names("indicator", [k.split()[0] for k in costs if len(k.split()) == 2], ids)
    _check_names("source", [k.split()[1] for k in costs if len(k.split()) == 2], names)
    faults = [
        Fault("collect", 0, f"{key}: {cost}", "not a cost", "a number above 0 for SOURCE, INDICATOR or both")
        for key, cost in costs.items()
        if not 0 < cost < np.inf or len(key.split()) not in (1, 2)
    ]
    if faults:
        raise InputError(faults)


def _table(
    laid: Layout,
    sample: Draws,
    found: list[Channel],
    across: Mapping[str, Joint],
    costs: Mapping[str, float],
) -> pd.DataFrame:
    import pandas as pd

    question, rows = laid.question, []
    for k, channel in enumerate(found):
        indicator = question.indicators[channel.indicator]
        row: dict[str, object] = {"unit": question.units[channel.unit]} if question.units else {}
        row |= {"indicator": indicator.id, "source": channel.source, "reliability": np.nan}
        if channel.source:
            slot = laid.starts[f"reliability {channel.source}"]
            row["reliability"] = float(sample.theta[..., slot].mean())
        row |= {"repeats": channel.repeats} | _expected(channel, across["now"].outcome[k])
        for name in TARGETS:
            row[name], row[f"{name}_error"] = gain_of(across[name], k, channel)
        if costs:
            both = f"{indicator.id} {channel.source}"
            row["cost"] = costs.get(both, costs.get(channel.source, costs.get(indicator.id, np.nan)))
            row["per_cost"] = row["horizon"] / row["cost"]  # type: ignore[operator]
        rows.append(row)
    columns = [*(["unit"] if question.units else []), *COLUMNS]
    table = pd.DataFrame(rows, columns=columns + ["cost", "per_cost"] * bool(costs))
    by = "per_cost" if costs else "horizon"
    table = table.sort_values([by, "reported"], ascending=False, kind="stable", ignore_index=True)
    names = question.units or ("",)
    bits = {
        name: {unit: entropy(joint.scenario.mean(axis=0)[u]) for u, unit in enumerate(names)}
        for name, joint in across.items()
    }
    table.attrs["entropy"] = bits if question.units else {name: e[""] for name, e in bits.items()}
    return table


def _expected(channel: Channel, outcome: np.ndarray) -> dict[str, object]:
    """Return what will most probably be reported, and its chance; of a number neither is worth telling."""
    if isinstance(channel.values[0], int | float):
        return {"expected": "", "chance": np.nan}
    chance = outcome.mean(axis=0).sum(axis=1)
    chance = np.append(chance, max(1.0 - chance.sum(), 0.0))
    values = (*channel.values, "a report" if channel.source == WATCH else "nothing")
    return {"expected": str(values[chance.argmax()]), "chance": float(chance.max())}
