"""Leave-future-out cross-validation of a question, and the comparison of several questions by it.

    elpd = sum over t of log p(y_t | y_0..y_(t-1)),
    p(y_t | y_<t) = mean over theta | y_<t of  sum_s P(s_t = s | y_<t, theta) prod over cells of m(s)

(Buerkner, Gabry and Vehtari 2020). y_t is all that is known at the as-of date about period t: time is that of
the events, so that every term is the density of one period's evidence, whatever was reported late, corrected
or withdrawn. Sequential Monte Carlo over the periods gives all terms in one pass, as ratios of marginal
likelihoods (Chopin 2002). Their sum from period 0 on is the log marginal likelihood of the evidence.

Groups and a cap make a power likelihood, whose values are no densities: a cap that bites would raise the
score. So they rule what is learnt from the periods before t, and period t itself is scored without them.
Judgements that may not learn keep their prior: the mean over theta is that of the forecaster who keeps it.

Only densities of the same data can be compared. So two questions must have the same evidence, periods and
observables (which indicators speak, their kinds and values, who monitors them, whether and since when it
counts what is filed); scenarios, judgements, weights, dynamics, reliabilities, persistence, groups and cap
may differ.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import xarray as xr
from scipy.special import logsumexp

from forecast.case.errors import InputError
from forecast.case.folder import Case, as_case
from forecast.case.in_force import checked_as_of
from forecast.case.question import Indicator
from forecast.inference.diagnostics import MOST_PARTICLES, impossible
from forecast.inference.estimates import draws_of
from forecast.inference.particles import Chain, ImpossibleEvidence
from forecast.inference.result import as_of, require_current
from forecast.inference.smc import run_chain, systems
from forecast.model.cell_sequence import CellSequence, unit_and_period
from forecast.model.evidence_index import Snapshot
from forecast.model.hmm import filter_particles
from forecast.model.problem import Problem, build_problem

if TYPE_CHECKING:
    import arviz as az
    import pandas as pd


def future_score(
    case: Case | str | Path,
    *,
    as_of: date | None = None,
    draws: int = 2000,
    chains: int = 4,
    tolerance: float = 0.1,
    seed: int = 0,
) -> xr.Dataset:
    """Score a question by how well each period's evidence was predicted from the periods before it.

    Parameters
    ----------
    case : Case or path
    as_of : date, optional
        The evidence known on that day is predicted; default as for :func:`forecast.update`.
    draws, chains, seed : int
        Particles of each of so many independent systems, and the seed.
    tolerance : float
        Particles double until the Monte Carlo error of the sum is at most this, in nats, or they are 32,000.

    Returns
    -------
    xarray.Dataset
        `elpd` (period): log p(y_t | y_<t) in nats, 0 where a period has no evidence, minus infinity where
        the question held for impossible what was reported of a cell with a group or a cap. `by_chain` (chain,
        period): of each chain alone. `mcse`: the error of the sum of `elpd`. Coordinate `period_end`.

    Examples
    --------
    >>> float(future_score("scenarios/isis-jn-2014")["elpd"].sum())  # doctest: +SKIP
    """
    case = as_case(case)
    day = checked_as_of(case.question, as_of)
    case = case.on(day)
    evidence = evidence_by_period(case, day)
    free = any(block.free for block in evidence.task.layout.blocks)
    particles, chains = (draws, chains) if free else (1, 1)
    while True:
        try:
            by_system = _log_predictive(evidence, chains, particles, seed)
        except ImpossibleEvidence as error:
            raise InputError(impossible(case, ImpossibleEvidence(error.unit, error.period, day))) from error
        by_chain = _log_mean(by_system)
        mcse = _standard_error(by_chain.sum(axis=1)) if free else 0.0
        if not mcse > tolerance or particles >= MOST_PARTICLES:
            break
        particles *= 2
    ends = np.array([case.question.last_day(t) for t in range(evidence.periods)], dtype="datetime64[ns]")
    return xr.Dataset(
        {
            "elpd": ("period", _log_mean(by_system.reshape(-1, evidence.periods)[None])[0]),
            "by_chain": (("chain", "period"), by_chain),
            "mcse": mcse,
        },
        {"chain": np.arange(chains), "period": np.arange(evidence.periods), "period_end": ("period", ends)},
        {"case": case.name, "as_of": day.isoformat(), "particles": particles, "seed": seed},
    )


def _log_predictive(evidence: PeriodEvidence, chains: int, particles: int, seed: int) -> np.ndarray:
    """Return log p(y_t | y_<t) by chain, by system that shares what may not learn, and by period."""
    if not evidence.task.layout.learns:
        return _log_predictive_unlearnt(evidence, chains, particles, seed)
    task, scored = evidence.steps(evidence.periods, score=True)
    number = systems(task, particles)  # a chain of so few particles is one system
    runs = _run_chains(task, chains * number, particles // number, seed)
    reached = np.array([[0.0, *run.log_evidence] for run in runs])
    terms = np.stack([reached[:, after + 1] - reached[:, before + 1] for before, after in scored], axis=1)
    return np.where(np.isnan(terms), -np.inf, terms).reshape(chains, number, evidence.periods)


def _log_predictive_unlearnt(evidence: PeriodEvidence, chains: int, particles: int, seed: int) -> np.ndarray:
    """Return log p(y_t | y_<t, theta) of draws that no evidence revises: each is a system by itself."""
    task, _ = evidence.steps(evidence.periods, score=False)
    last = replace(task, steps=(replace(task.steps[-1], begin=0),), restart=(None,))
    by_chain = []
    for run in _run_chains(last, chains, particles, seed):
        terms = one_step_ahead(evidence, run.theta)
        for t in filter(evidence.tempered, range(evidence.periods)):
            terms[:, t] = one_step_ahead(evidence, run.theta, scored=t)[:, t]
        by_chain.append(terms)
    return np.array(by_chain)


def one_step_ahead(evidence: PeriodEvidence, theta: np.ndarray, *, scored: int | None = None) -> np.ndarray:
    """Return log p(y_t | y_<t, theta), (N, T), at theta (N, D), all units together."""
    task = evidence.task
    sequence = evidence.sequence(evidence.periods, scored)
    filtered = filter_particles(theta, sequence, task.cells, task.layout.arrays)
    return filtered.log_norm.sum(axis=1)


def _standard_error(total: np.ndarray) -> float:
    """Return the Monte Carlo standard error of the mean over chains; nan where it cannot be estimated."""
    if len(total) == 1 or not np.isfinite(total).all():
        return np.nan
    return float(total.std(ddof=1) / np.sqrt(len(total)))


def _log_mean(terms: np.ndarray) -> np.ndarray:
    """Return the log of the mean over the second axis of exp(terms)."""
    return np.asarray(logsumexp(terms, axis=1) - np.log(terms.shape[1]))


def _run_chains(task: Problem, number: int, particles: int, seed: int) -> list[Chain]:
    """Run the chains of a problem side by side."""

    def one(chain: int) -> Chain:
        return run_chain(task, chain=chain, particles=particles, seed=seed, progress=lambda: None)

    with ThreadPoolExecutor(max_workers=min(number, os.cpu_count() or 1)) as pool:
        return list(pool.map(one, range(number)))


def lfo_wrapper(case: Case, tree: xr.DataTree) -> az.SamplingWrapper:
    """Return what ``az.lfo_cv`` needs to fit a question anew to the periods before a date of the past.

    Each fit is sequential Monte Carlo over those periods, with everything known about them at the tree's
    as-of date, and as many chains, particles and draws as the tree has. `idata_orig` is the tree with one
    log likelihood per period, of all units together.

    What is scored is the tree's own log likelihood: where groups or a cap lower exponents a power likelihood.
    :func:`future_score` scores densities, and is the one to compare questions by. Where a judgement may not
    learn, use ``method="exact"``: importance weights would let it.

    Parameters
    ----------
    case : Case
    tree : DataTree
        What :func:`forecast.update` made of it; ValueError if it is of another case, or of other files of it.

    Examples
    --------
    >>> wrapper = lfo_wrapper(case, tree)  # doctest: +SKIP
    >>> az.lfo_cv(wrapper.idata_orig, wrapper, 1, 1, time_dim="period")  # doctest: +SKIP
    """
    import arviz as az

    require_current(case, tree)
    day = as_of(tree)
    evidence = evidence_by_period(case.on(day), day)
    chains, draws, seed = (int(tree.attrs[name]) for name in ("chains", "draws", "seed"))
    particles = int(tree.attrs["particles"]) or draws  # 0 of a tree that another engine made

    class Wrapper(az.SamplingWrapper):  # type: ignore[misc]
        """Fits to the periods before one, and the log likelihood of those after."""

        def sel_observations(self, idx: np.ndarray) -> tuple[int, np.ndarray]:
            first = int(idx[0])
            if list(idx) != list(range(first, evidence.periods)):
                raise ValueError("only the future can be left out: all periods from one on")
            return first, idx

        def sample(self, modified_observed_data: int) -> np.ndarray:
            task, _ = evidence.steps(modified_observed_data, score=False)
            runs = _run_chains(task, chains, particles, seed)
            return draws_of(runs, draws, modified_observed_data, seed).theta

        def get_inference_data(self, fitted_model: np.ndarray) -> xr.DataTree:
            theta = xr.Dataset({"theta": (("chain", "draw", "slot"), fitted_model)})
            return xr.DataTree.from_dict({"posterior": theta})

        def log_likelihood__i(self, excluded_obs: np.ndarray, idata__i: xr.DataTree) -> xr.DataArray:
            theta = idata__i["posterior"].to_dataset()["theta"].values
            terms = one_step_ahead(evidence, theta.reshape(-1, theta.shape[-1])).reshape(*theta.shape[:2], -1)
            return xr.DataArray(terms[..., excluded_obs], dims=("chain", "draw", "period"))

    terms = tree["log_likelihood"].to_dataset()
    together = terms.sum("unit") if "unit" in terms.dims else terms
    return Wrapper(None, idata_orig=tree.assign({"log_likelihood": xr.DataTree(together)}))


class PeriodEvidence(NamedTuple):
    """The evidence of a question by the period it speaks of, whenever it was reported: n cells, T periods."""

    task: Problem  # its cells and theta; its own steps are in the time of the reports
    unit: np.ndarray  # (n,)
    period: np.ndarray  # (n,)
    cell: np.ndarray  # (n,)
    exponent: np.ndarray  # (n,) in the power likelihood that groups and a cap make
    periods: int

    def sequence(self, until: int, scored: int | None = None) -> CellSequence:
        """Return the cells of the periods before `until`, those of the period `scored` without exponents."""
        power = np.where(self.period == scored, 1.0, self.exponent)
        kept = (self.period < until) & (power > 0)
        kinds, kind = np.unique(np.stack([self.cell[kept], power[kept]]), axis=1, return_inverse=True)
        edges = np.arange(self.task.units)[:, None] * until + np.arange(until + 1)
        where = self.unit[kept] * until + self.period[kept]
        return CellSequence(
            kind=kind.reshape(-1).astype(np.int64),
            start=np.searchsorted(where, edges).astype(np.int64),
            cell=kinds[0].astype(np.int64),
            exponent=np.ascontiguousarray(kinds[1]),
        )

    def tempered(self, period: int) -> bool:
        """Return whether some cell of a period has an exponent."""
        return bool((self.exponent[self.period == period] != 1.0).any())

    def steps(self, periods: int, *, score: bool) -> tuple[Problem, list[tuple[int, int]]]:
        """Return the problem step by step, and for each period the steps before and after it is scored.

        A period with exponents is let in twice if it is to be scored: first without them, to be scored;
        then the particles from before are restored (a restart) and it is let in with them.
        """
        steps: list[Snapshot] = []
        restart: list[int | None] = []
        scored, last = [], -1
        for t in range(periods):
            twice = score and self.tempered(t)
            for plain in (True, False) if twice else (False,):
                day = self.task.layout.question.opened + timedelta(days=len(steps))  # seeds random numbers
                steps.append(Snapshot(day, self.sequence(t + 1, t if plain else None), t + 1, t))
                restart.append(last if twice and not plain else None)
            scored.append((last, len(steps) - 1 - twice))
            last = len(steps) - 1
        return replace(self.task, steps=tuple(steps), restart=tuple(restart)), scored


def evidence_by_period(case: Case, as_of: date) -> PeriodEvidence:
    """Return the evidence known on a day, by the period it speaks of."""
    question = case.question
    plain = build_problem(replace(question, groups=(), cap=None), case.evidence, as_of)
    sequence = plain.steps[-1].sequence
    unit, period = unit_and_period(sequence)
    cell = sequence.cell[sequence.kind]
    exponent = np.ones(len(cell))
    if question.groups or question.cap is not None:
        tempered = build_problem(question, case.evidence, as_of)
        powers = tempered.steps[-1].sequence
        indicator = tempered.cells.cell["indicator"][powers.cell[powers.kind]]
        keys = zip(*unit_and_period(powers), indicator, strict=True)
        by_key = dict(zip(keys, powers.exponent[powers.kind], strict=True))
        keys = zip(unit, period, plain.cells.cell["indicator"][cell], strict=True)
        exponent = np.array([by_key.get(key, 0.0) for key in keys])
    return PeriodEvidence(plain, unit, period, cell, exponent, plain.steps[-1].periods)


#: What the model reads of a report.
READ = ("date", "reported", "indicator", "value", "source", "credibility",
        "repeats", "independence", "testimony", "replaces", "unit")  # fmt: skip
FEW, SMALL = 100, 4.0  # periods, and nats, below which a normal error is not to be relied on (Sivula et al.)


def compare_questions(
    cases: Mapping[str, Case | str | Path] | Sequence[Case | str | Path],
    *,
    as_of: date | None = None,
    first: int = 0,
    draws: int = 2000,
    chains: int = 4,
    tolerance: float = 0.1,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare questions by leave-future-out, as ``az.compare`` does models.

    Parameters
    ----------
    cases : mapping of name to case, or sequence of cases
        Cases or their folders; in a sequence each has its folder's name.
    first : int
        The first period that is scored; those before it only teach. With 0 `elpd` is the log marginal
        likelihood, and `elpd_diff` a log Bayes factor (but for groups and caps).
    as_of, draws, chains, tolerance, seed
        As for :func:`future_score`. One seed for all: what it does to one it does to the others.

    Returns
    -------
    pandas.DataFrame
        A row for each question, the best first. `rank`; `elpd`: sum of log p(y_t | y_<t), in nats; `se`:
        sqrt(n var(terms)); `elpd_diff`: less than the best; `dse`: sqrt(n var(differences of terms)), which
        takes the terms for independent; `mcse`, `mcse_diff`: Monte Carlo errors of elpd and elpd_diff;
        `periods`: n; `diag_diff`: why not to rely on `dse`. ``attrs``: what was compared, and its digest.

    Raises
    ------
    ValueError
        If they are not about the same data, with everything that differs; or there are no such periods.
    InputError
        If a case is at fault, or one of them allows the evidence in no scenario.

    Examples
    --------
    >>> compare_questions(["scenarios/regime", "scenarios/static"])  # doctest: +SKIP
    """
    import pandas as pd

    loaded = _loaded(cases)
    days = {name: checked_as_of(case.question, as_of) for name, case in loaded.items()}
    loaded = {name: case.on(days[name]) for name, case in loaded.items()}
    _require_same_data(loaded, days)
    day, scores = next(iter(days.values())), {}
    for name, case in loaded.items():
        score = future_score(case, as_of=day, draws=draws, chains=chains, tolerance=tolerance, seed=seed)
        if not 0 <= first < score.sizes["period"]:
            raise ValueError(f"`first` is {first}: give a period from 0 to {score.sizes['period'] - 1}")
        scores[name] = score.isel(period=slice(first, None))
    order = sorted(scores, key=lambda name: -float(scores[name]["elpd"].sum()))
    rows = [{"rank": n, **_row(scores[name], scores[order[0]], tolerance)} for n, name in enumerate(order)]
    table = pd.DataFrame(rows, index=pd.Index(order, name="question"))
    log = _log(next(iter(loaded.values())), day)
    digest = hashlib.sha256(repr(list(log.items())).encode()).hexdigest()
    table.attrs = {"as_of": day.isoformat(), "first": first, "seed": seed, "evidence": digest}
    return table


def _row(score: xr.Dataset, best: xr.Dataset, tolerance: float) -> dict[str, Any]:
    terms, others = score["elpd"].values, best["elpd"].values
    with np.errstate(invalid="ignore"):
        gap = np.where(terms == others, 0.0, terms - others)
        difference = float(gap.sum())
        se, dse = (float(np.sqrt(len(each) * each.var())) for each in (terms, gap))
        total, best_total = (each["by_chain"].values.sum(axis=1) for each in (score, best))
        exact, best_exact = (bool(each["mcse"] == 0.0) for each in (score, best))
        gap_exact = score is best or (exact and best_exact)
        gap_error = 0.0 if gap_exact else _standard_error(total - best_total)
    doubts = []
    if score is not best:
        doubts += [f"N < {FEW}"] * (len(terms) < FEW)
        doubts += [f"|elpd_diff| < {SMALL:g}"] * (abs(difference) < SMALL)
        doubts += [f"Monte Carlo error above {tolerance:g}"] * (not gap_error <= 2 * tolerance)
    error = 0.0 if exact else _standard_error(total)
    row = {"elpd": float(terms.sum()), "se": se, "elpd_diff": difference, "dse": dse, "mcse": error}
    return row | {"mcse_diff": gap_error, "periods": len(terms), "diag_diff": "; ".join(doubts)}


def _loaded(cases: Mapping[str, Case | str | Path] | Sequence[Case | str | Path]) -> dict[str, Case]:
    """Return the cases by name."""
    if isinstance(cases, Mapping):
        return {name: as_case(case) for name, case in cases.items()}
    loaded = [as_case(case) for case in cases]
    twice = sorted(name for name, times in Counter(case.name for case in loaded).items() if times > 1)
    if twice:
        raise ValueError(f"several cases are named {', '.join(twice)}: give a mapping of names to cases")
    return {case.name: case for case in loaded}


# --- whether they are about the same data ---------------------------------------------------------------


def _require_same_data(cases: dict[str, Case], days: dict[str, date]) -> None:
    """Raise ValueError listing all differences in data between consecutive cases."""
    if len(cases) < 2:
        raise ValueError("give at least two cases")
    problems = [
        f"{one} and {other}: {problem}"
        for one, other in pairwise(cases)
        for problem in _differences(cases[one], cases[other], days[one], days[other])
    ]
    if problems:
        raise ValueError("only densities of the same data can be compared:\n" + "\n".join(problems))


def _differences(one: Case, other: Case, day: date, other_day: date) -> list[str]:
    problems = [f"the as-of date is {day} and {other_day}; give `as_of`"] * (day != other_day)
    problems += _unlike(one.question, other.question, ("opened", "period_days", "units"))
    mine, others = _log(one, day), _log(other, day)
    odd = sorted(id for id in mine | others if mine.get(id) != others.get(id))
    if odd:
        shown = ", ".join(odd[:5]) + (f" and {len(odd) - 5} more" if len(odd) > 5 else "")
        problems.append(f"the evidence differs in {shown}")
    elif list(mine) != list(others):
        problems.append("the evidence stands in another order, which says who repeats whom")
    return problems + _other_indicators(_speaking(one, day), _speaking(other, day))


def _other_indicators(mine: dict[str, Indicator], others: dict[str, Indicator]) -> list[str]:
    """Return the differences between the indicators with evidence in two cases, as messages."""
    problems = [
        f"indicator {id} has evidence in one only: a file that leaves it out predicts other data"
        for id in sorted(mine.keys() ^ others.keys())
    ]
    for id in sorted(mine.keys() & others.keys()):
        a, b = mine[id], others[id]
        problems += _unlike(a, b, ("kind", "values", "quiet", "monitored", "reporting", "given"), f" of {id}")
        if a.kind == b.kind == "ratio" and a.likelihood != b.likelihood:
            problems.append(
                f"the ratios of {id} differ, and ratios are not densities: only yes can be reported"
            )
    return problems


def _unlike(a: object, b: object, names: Sequence[str], of: str = "") -> list[str]:
    """Say which of two objects' attributes differ."""
    pairs = [(name, getattr(a, name), getattr(b, name)) for name in names]
    return [f"{name}{of} is {mine} and {other}" for name, mine, other in pairs if mine != other]


def _speaking(case: Case, day: date) -> dict[str, Indicator]:
    """Return the indicators of which something was reported, or silence speaks from a day that is stated."""
    named = {r.indicator for r in case.evidence.until(day).reports}
    named |= {i.id for i in case.question.indicators if i.monitored is not None}
    named |= {i.id for i in case.question.indicators if i.reporting is not None and i.reporting.since}
    return {i.id: i for i in case.question.indicators if i.id in named}


def _log(case: Case, day: date) -> dict[str, tuple[Any, ...]]:
    """Return what the model reads of the rows known on a day, by id."""
    rows = [r for r in case.evidence.until(day).reports if r.indicator or r.replaces]
    return {r.id: tuple(getattr(r, name) for name in READ) for r in rows}
