"""From a case to its forecast, by the engine of one's choice."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple

import xarray as xr

from forecast.case.errors import InputError
from forecast.case.evidence import Evidence
from forecast.case.folder import Case, as_case
from forecast.case.in_force import checked_as_of, in_force
from forecast.case.question import Question
from forecast.case.warnings import from_json, to_json
from forecast.inference.changing import Before, earlier_dates, gap_warnings, with_past
from forecast.inference.data_tree import Answer, Progress, data_tree
from forecast.inference.data_tree import trend as trend_of
from forecast.inference.diagnostics import drift_warnings, impossible
from forecast.inference.particles import ImpossibleEvidence
from forecast.inference.smc_engine import run_smc
from forecast.model.problem import Problem, build_problem

Engine = Literal["smc", "nuts"]
ENGINES: tuple[Engine, ...] = ("smc", "nuts")


class Settings(NamedTuple):
    """How an engine is run."""

    engine: Engine
    seed: int
    draws: int
    chains: int
    tolerance: float


def infer(
    question: Question,
    evidence: Evidence,
    *,
    as_of: date,
    engine: Engine = "smc",
    draws: int = 2000,
    chains: int = 4,
    tolerance: float = 0.005,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.DataTree:
    """Infer the posterior of a question from its evidence, as known on a date, with its trend and outlook.

    Parameters
    ----------
    question, evidence : Question, Evidence
        Where the scenarios change, the question in force on the date answers; the trend before a change is
        that of the question of then.
    as_of : date
        Only reports known on that day count. Held within `opened` and `horizon`.
    engine : {"smc", "nuts"}
        Sequential Monte Carlo over the whole trend in one pass, or the No-U-Turn sampler (nutpie) on each
        date anew, for those who want a second opinion: minutes rather than a second.
    draws : int
        Draws of each chain in the result, and the particles that each begins with. NUTS has a quarter of
        them on past dates.
    chains : int
        Independent particle systems, or Markov chains.
    tolerance : float
        Particles are doubled until the Monte Carlo standard error of every probability, now and at the
        horizon, is at most this, or there are 32,000 a chain; then the result has a warning, as it has where
        NUTS does not reach it.
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
    ImpossibleEvidence
        If no scenario allows what was reported.
    """
    day, settings = question.as_of(as_of), Settings(engine, seed, draws, chains, tolerance)
    before = earlier_dates(question, day)
    problem = build_problem(in_force(question, day), evidence, day)
    found = _run(settings, problem, _part(progress, 0, len(before) + 1))
    result = data_tree(problem, found, seed)
    warnings = drift_warnings(result["drift"].to_dataset()) + found.warnings
    if before:
        present = result["trend"].to_dataset()
        whole = _whole_trend(question, evidence, before, present, settings, progress)
        result["trend"] = xr.DataTree(whole)
        warnings += gap_warnings(whole)
    result.attrs = {"as_of": day.isoformat(), "horizon": question.horizon.isoformat()} | settings._asdict()
    result.attrs |= {
        "particles": found.particles,
        "mcse": found.error,
        "warnings": to_json(warnings),
        "refused": found.refused,
        "cut": int(bool(problem.layout.cut)),
    }
    return result


def _whole_trend(
    question: Question,
    evidence: Evidence,
    before: Before,
    present: xr.Dataset,
    settings: Settings,
    progress: Progress | None,
) -> xr.Dataset:
    """Return the trend with the dates before the scenarios changed, each question run on its own."""

    def trend(n: int, until: date) -> xr.Dataset:
        problem = build_problem(before[n][0], evidence, until)
        found = _run(settings, problem, _part(progress, n + 1, len(before) + 1))
        return trend_of(problem, [*found.past, found.now])

    return with_past(question, before, present, trend)


def _part(progress: Progress | None, turn: int, of: int) -> Progress | None:
    """Return the progress of one run of several."""
    if progress is None or of == 1:
        return progress
    return lambda share: progress((turn + share) / of)


def _run(settings: Settings, problem: Problem, progress: Progress | None) -> Answer:
    engine, seed, draws, chains, tolerance = settings
    if engine not in ENGINES:
        raise ValueError(f"engine {engine!r} is not one of: {', '.join(map(repr, ENGINES))}")
    if engine == "smc":
        return run_smc(problem, draws=draws, chains=chains, tolerance=tolerance, seed=seed, progress=progress)
    from forecast.inference.nuts.run import run_nuts  # heavy: pymc, nutpie, arviz

    return run_nuts(problem, draws=draws, chains=chains, tolerance=tolerance, seed=seed, progress=progress)


def update(
    case: Case | str | Path,
    *,
    as_of: date | None = None,
    engine: Engine = "smc",
    draws: int = 2000,
    chains: int = 4,
    tolerance: float = 0.005,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.DataTree:
    """Infer this week's forecast of a case. Nothing is written: ``forecast update`` does that.

    Parameters
    ----------
    case : Case or path
        A case, or its folder.
    as_of : date, optional
        The date whose knowledge is used; default: the last day of the last finished period, held within
        `opened` and `horizon`.
    engine, draws, chains, tolerance, seed, progress
        As for :func:`infer`.

    Returns
    -------
    xarray.DataTree
        See :func:`infer`; its attributes name the case, the digest of the inputs and the version too.

    Raises
    ------
    InputError
        If the case is at fault, or no scenario allows its evidence.

    Examples
    --------
    >>> import forecast
    >>> tree = forecast.update("scenarios/isis-jn-2014", draws=500)  # doctest: +SKIP
    >>> tree["trend"]["probability"].isel(as_of=-1)  # doctest: +SKIP
    """
    from forecast._version import __version__

    case = as_case(case)
    day = checked_as_of(case.question, as_of)
    try:
        result = infer(
            case.question,
            case.evidence,
            as_of=day,
            engine=engine,
            draws=draws,
            chains=chains,
            tolerance=tolerance,
            seed=seed,
            progress=progress,
        )
    except ImpossibleEvidence as error:
        raise InputError(impossible(case, error)) from error
    result.attrs |= {"case": case.name, "digest": case.digest, "version": __version__}
    result.attrs["warnings"] = to_json([*case.warnings, *from_json(result.attrs["warnings"])])
    return result
