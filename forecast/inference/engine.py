"""Forecast of a case by the engine ``smc`` (sequential Monte Carlo) or ``nuts``: update and infer."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import xarray as xr

from forecast._version import __version__
from forecast.case.errors import InputError
from forecast.case.evidence import Evidence
from forecast.case.folder import Case, as_case
from forecast.case.in_force import checked_as_of, in_force
from forecast.case.question import Question
from forecast.case.warnings import from_json, to_json
from forecast.inference.data_tree import Engine, EngineResult, Progress, Settings, data_tree, trend
from forecast.inference.diagnostics import drift_warnings, impossible, open_warnings
from forecast.inference.particles import ImpossibleEvidence
from forecast.inference.smc_engine import run_smc
from forecast.inference.trend_over_changes import earlier_dates, gap_warnings, with_past
from forecast.model.problem import Problem, build_problem

ENGINES: tuple[Engine, ...] = ("smc", "nuts")


def update(
    case: Case | str | Path,
    *,
    as_of: date | None = None,
    engine: Engine = "smc",
    draws: int = 2000,
    chains: int = 4,
    tolerance: float = 0.01,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.DataTree:
    """Infer this week's forecast of a case. Nothing is written: ``forecast update`` does that.

    Parameters
    ----------
    case : Case or path to its folder
    as_of : date, optional
        Only reports known on that day count. Default: the last day of the last finished period, held within
        `opened` and `horizon`.
    engine : {"smc", "nuts"}
        Sequential Monte Carlo over the whole trend in one pass, or, as a second opinion, the No-U-Turn
        sampler (nutpie) on each date anew: minutes rather than a second.
    draws : int
        Draws of each chain, and the particles that it begins with; on past dates NUTS has a quarter of them.
    chains : int
        Independent particle systems, or Markov chains.
    tolerance : float
        Particles are doubled until the Monte Carlo standard error of every probability, now and at the
        horizon, is at most this, or there are 32,000 a chain. Not reached, also by NUTS: a warning.
    seed : int
        Same inputs, same seed, same environment: the same numbers, bit for bit.
    progress : callable, optional
        Called with the share of the work done, 0 to 1.

    Returns
    -------
    xarray.DataTree
        Groups posterior, prior, posterior_predictive, prior_predictive, trend, outlook, hindsight, evidence,
        drift, conflict, log_likelihood, log_prior, sample_stats, observed_data, constant_data, exact
        (judgements known exactly), of "smc" surprise. The attribute `refused`: why it must not be issued.

    Raises
    ------
    InputError
        If the case is at fault, or no scenario allows its evidence.

    Examples
    --------
    >>> tree = forecast.update("scenarios/isis-jn-2014", draws=500)  # doctest: +SKIP
    >>> tree["trend"]["probability"].isel(as_of=-1)  # doctest: +SKIP
    """
    case, settings = as_case(case), Settings(engine, seed, draws, chains, tolerance)
    day = checked_as_of(case.question, as_of)
    try:
        tree = _inferred(case.question, case.evidence, day, settings, progress)
    except ImpossibleEvidence as error:
        raise InputError(impossible(case, error)) from error
    tree.attrs |= {"case": case.name, "digest": case.digest, "version": __version__}
    tree.attrs["warnings"] = to_json([*case.warnings, *from_json(tree.attrs["warnings"])])
    return tree


def infer(
    question: Question,
    evidence: Evidence,
    *,
    as_of: date,
    engine: Engine = "smc",
    draws: int = 2000,
    chains: int = 4,
    tolerance: float = 0.01,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.DataTree:
    """Infer the posterior of a question from its evidence, as known on a date, with its trend and outlook.

    Where the scenarios change, the question in force on the date answers; the trend before a change is that
    of the question of then. The date is held within `opened` and `horizon`; options and result are as of
    :func:`update`, but for the attributes that name the case, the digest of the inputs and the version.
    Raises ImpossibleEvidence if no scenario allows what was reported.
    """
    settings = Settings(engine, seed, draws, chains, tolerance)
    return _inferred(question, evidence, question.as_of(as_of), settings, progress)


def _inferred(
    question: Question, evidence: Evidence, day: date, settings: Settings, progress: Progress | None
) -> xr.DataTree:
    """Return the result of the question in force on a day, with the trend of those before it."""
    before = earlier_dates(question, day)
    problem = build_problem(in_force(question, day), evidence, day)
    result = _run(problem, settings, _part(progress, 0, len(before) + 1))
    tree = data_tree(problem, result, settings.seed)
    warnings = open_warnings(problem.layout.question, day)
    warnings += drift_warnings(tree["drift"].to_dataset()) + result.warnings
    if before:

        def earlier_trend(n: int, until: date) -> xr.Dataset:
            problem = build_problem(before[n][0], evidence, until)
            result = _run(problem, settings, _part(progress, n + 1, len(before) + 1))
            return trend(problem, [*result.past, result.now])

        whole = with_past(question, before, tree["trend"].to_dataset(), earlier_trend)
        tree["trend"] = xr.DataTree(whole)
        warnings += gap_warnings(whole)
    tree.attrs = {"as_of": day.isoformat(), "horizon": question.horizon.isoformat()} | settings._asdict()
    tree.attrs |= {
        "particles": result.particles,
        "mcse": result.error,
        "warnings": to_json(warnings),
        "refused": result.refused,
        "cut": int(bool(problem.layout.cut)),
        "learning": problem.layout.learning,
    }
    return tree


def _part(progress: Progress | None, turn: int, of: int) -> Progress | None:
    """Return the progress of one run of several."""
    if progress is None or of == 1:
        return progress
    return lambda share: progress((turn + share) / of)


def _run(problem: Problem, settings: Settings, progress: Progress | None) -> EngineResult:
    if settings.engine not in ENGINES:
        raise ValueError(f"engine {settings.engine!r} is not one of: {', '.join(map(repr, ENGINES))}")
    if settings.engine == "smc":
        return run_smc(problem, settings, progress)
    from forecast.inference.nuts.run import run_nuts  # heavy: pymc, nutpie, arviz

    return run_nuts(problem, settings, progress)
