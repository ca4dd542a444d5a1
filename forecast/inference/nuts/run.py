"""Engine ``nuts``: one run of nutpie's NUTS sampler per trend date, and its diagnostics.

The model is compiled once; the data of each date are set in turn.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import nutpie
import xarray as xr

from forecast.case.evidence import Evidence
from forecast.case.warnings import WarningMessage
from forecast.inference.data_tree import EngineResult, Progress, Settings, now_and_outlook
from forecast.inference.diagnostics import R_HAT, R_HAT_LENIENT
from forecast.inference.estimates import Estimate, PosteriorDraws, estimate
from forecast.inference.nuts.data import model_data
from forecast.inference.nuts.judgements import theta_of, variables
from forecast.inference.nuts.model import build
from forecast.inference.particles import ImpossibleEvidence
from forecast.model.hmm import Filtered, filter_particles
from forecast.model.parameters import Layout
from forecast.model.problem import Problem

PAST = 0.25  # share of the draws that a past date gets


def run_nuts(
    problem: Problem, settings: Settings, progress: Progress | None = None, sampler: Sampler | None = None
) -> EngineResult:
    """Sample every trend date; judge the last by r_hat, divergences, energy and effective size.

    With a `sampler` of the same layout nothing is compiled.
    """
    draws, last, past, disagreeing = settings.draws, len(problem.steps) - 1, list[Estimate](), 0
    sampler = sampler or Sampler(problem.layout, problem.evidence, problem.steps[last].date)
    for k in range(last + 1):
        if progress is not None:
            progress((k + 0.5) / (last + 2))
        number = draws if k == last else max(int(draws * PAST), min(draws, 250))
        if impossible := _impossible(problem, k):
            if k == last:
                raise impossible
            nothing = np.full((problem.units, problem.layout.scenarios), np.nan)
            past.append(Estimate(nothing, nothing, nothing, nothing))
            continue
        key, day = np.random.SeedSequence([settings.seed, k]), problem.steps[k].date
        tune = max(number // 2, 400)
        sampled = sampler(day, draws=number, tune=tune, chains=settings.chains, seed=key)
        sample = _draws(problem, k, sampled.theta, key)
        now, size = sample.alpha[..., -1, :], _sizes(sample, sampled.outer)
        if k < last:
            past.append(estimate(now, size=size))
            disagreeing += _disagree(_within(now, sampled.outer))
    stats = sampled.stats if sampled.stats is not None else xr.Dataset()
    warnings, refused = _judged(problem, sampled, sample)
    result = EngineResult(sample, *now_and_outlook(problem, sample, size), stats, past, refused=refused)
    warnings += _more_warnings(result.error, settings.tolerance, disagreeing)
    if progress is not None:
        progress(1.0)
    return replace(result, warnings=warnings)


def _more_warnings(error: float, tolerance: float, disagreeing: int) -> list[WarningMessage]:
    """Return the warnings about the Monte Carlo error, and about past dates on which the chains disagree."""
    unsure = (
        f"the Monte Carlo error of a probability is {error:.4f}, more than the tolerance of "
        f"{tolerance:g}: ask for more draws"
    )
    past = (
        f"on {disagreeing} past date{'s' * (disagreeing > 1)} of the trend the Markov chains disagree "
        f"(r_hat above {R_HAT_LENIENT}): the trend is unsure there"
    )
    warnings = [WarningMessage("tolerance", unsure)] if error > tolerance else []
    return warnings + ([WarningMessage("past r_hat", past)] if disagreeing else [])


def _filter(problem: Problem, k: int, theta: np.ndarray) -> Filtered:
    """Filter theta (N, D) with what was known on date k."""
    return filter_particles(theta, problem.steps[k].sequence, problem.cells, problem.layout.arrays)


def _impossible(problem: Problem, k: int) -> ImpossibleEvidence | None:
    """Return where no scenario allows what was known on date k, if so."""
    norm = _filter(problem, k, problem.layout.mean[None]).log_norm[0]
    if np.isfinite(norm).all():
        return None
    unit, period = np.argwhere(~np.isfinite(norm))[0]
    return ImpossibleEvidence(int(unit), int(period), problem.steps[k].date)


def _draws(problem: Problem, k: int, theta: np.ndarray, key: np.random.SeedSequence) -> PosteriorDraws:
    chains, number, size = theta.shape
    filtered = _filter(problem, k, theta.reshape(-1, size))
    return PosteriorDraws(
        theta=theta,
        prior=_from_prior(problem.layout, np.random.default_rng(key.spawn(1)[0]), chains, number),
        matrix=filtered.matrix.reshape(chains, number, *filtered.matrix.shape[1:]),
        alpha=filtered.alpha.reshape(chains, number, *filtered.alpha.shape[1:]),
        log_norm=filtered.log_norm.reshape(chains, number, *filtered.log_norm.shape[1:]),
    )


def _sizes(sample: PosteriorDraws, outer: np.ndarray) -> np.ndarray:
    """Return each chain's effective number of draws of the scenario probabilities (the smallest).

    With judgements that must not learn it is at most the number of their draws, which the chains share.
    """
    import arviz as az

    now = sample.alpha[..., -1, :]
    chains, number = now.shape[:2]
    flat = now.reshape(chains, number, -1)
    ess = [float(az.ess(flat[..., n])) for n in range(flat.shape[2]) if np.ptp(flat[..., n]) > 1e-12]
    most = float(outer.max() + 1) if outer.any() else float(chains * number)
    return np.full(chains, max(min([*ess, most]), 1.0) / chains)


def _within(value: np.ndarray, outer: np.ndarray) -> np.ndarray:
    """Return draws (C, M, ...) less their mean over all chains, given what must not learn.

    What is left differs between chains only if they disagree, not because judgements that must not learn do.
    """
    value = value.copy()
    for one in np.unique(outer) if outer.any() else ():
        value[:, outer == one] -= value[:, outer == one].mean(axis=(0, 1))
    return value


def _disagree(value: np.ndarray) -> bool:
    """Tell whether the chains disagree about any of the numbers drawn, (C, M, ...)."""
    import arviz as az

    flat = value.reshape(*value.shape[:2], -1)
    flat = flat[..., _varies(flat)]
    return any(float(az.rhat(flat[..., n])) > R_HAT_LENIENT for n in range(flat.shape[-1]))


def _judged(problem: Problem, sampled: Sampled, sample: PosteriorDraws) -> tuple[list[WarningMessage], str]:
    """Return warnings in plain words, and why the result must not be issued, if so."""
    import arviz as az

    if sampled.stats is None:
        return [], ""
    judgements = {b.name: sample.theta[..., b.slots] for b in problem.layout.blocks if b.learns}
    posterior = {"scenario probability": sample.alpha[..., -1, :]} | judgements
    inside = {name: _within(value, sampled.outer) for name, value in posterior.items()}
    varying = {name: value[..., _varies(value)] for name, value in inside.items()}
    groups = {"posterior": {name: value for name, value in varying.items() if value.size}}
    result = az.from_dict(groups)
    result["sample_stats"] = xr.DataTree(
        sampled.stats.drop_vars(set(sampled.stats.coords) - {"chain", "draw"})
    )
    _, diagnoses = az.diagnose(result, rhat_max=R_HAT, show_diagnostics=False, return_diagnostics=True)
    return _warnings(diagnoses), _refusal(diagnoses)


def _varies(value: np.ndarray) -> np.ndarray:
    return np.ptp(value.reshape(-1, value.shape[-1]), axis=0) > 1e-12


def _refusal(diagnoses: dict[str, Any]) -> str:
    values = diagnoses["rhat"]["rhat_values"]
    r_hat = {name: float(np.max(values[name])) for name in diagnoses["rhat"]["bad_params"]}
    if not r_hat:
        return ""
    name, worst = max(r_hat.items(), key=lambda one: one[1])
    return (
        f"the Markov chains disagree: r_hat of {name} is {worst:.3f}, above {R_HAT}; each may be held by "
        "one scenario, as in a static question: use the engine smc"
    )


def _warnings(diagnoses: dict[str, Any]) -> list[WarningMessage]:
    warnings = [WarningMessage("r_hat", reason)] if (reason := _refusal(diagnoses)) else []
    if diverged := diagnoses["divergent"]["n_divergent"]:
        text = f"{diverged} transitions of NUTS diverged: the tails are unsure"
        warnings.append(WarningMessage("divergences", text))
    if diagnoses["bfmi"]["failed_chains"]:
        text = "the energy of NUTS mixed slowly (E-BFMI below 0.3): the tails are unsure"
        warnings.append(WarningMessage("energy", text))
    if few := sorted(diagnoses["ess"]["bad_params"]):
        text = f"few independent draws of {', '.join(few[:3])}: ask for more"
        warnings.append(WarningMessage("ess", text, tuple(few)))
    return warnings


OUTER = 16  # draws of the judgements that must not learn
#: What is kept of nutpie's account of itself: the rest is for its authors, and texts do not fit netCDF.
STATS = (
    "diverging",
    "energy",
    "energy_error",
    "n_steps",
    "step_size",
    "depth",
    "maxdepth_reached",
    "mean_tree_accept",
    "logp",
)


class Sampled(NamedTuple):
    """What NUTS drew on one date."""

    theta: np.ndarray  # (C, M, D)
    outer: np.ndarray  # (M,) which draw of the judgements that must not learn; 0 where all learn
    stats: xr.Dataset | None  # of the sampler; None where there was nothing to sample


class Sampler:
    """Samples the judgements of one layout, whatever the date; compiled once."""

    def __init__(self, layout: Layout, evidence: Evidence, as_of: date) -> None:
        self._layout, self._evidence = layout, evidence
        self._names = [variable.name for variable in variables(layout)]
        model = build(layout, evidence, as_of) if self._names else None
        self._compiled: Any = nutpie.compile_pymc_model(model, var_names=self._names) if model else None

    def given(self, evidence: Evidence) -> Sampler:
        """Return a sampler for other evidence of the same layout, reusing the compiled model."""
        other = copy.copy(self)
        other._evidence = evidence
        return other

    def __call__(
        self, as_of: date, *, draws: int, tune: int, chains: int, seed: np.random.SeedSequence
    ) -> Sampled:
        """Draw theta from its posterior given what was known on a date.

        Judgements that must not learn are drawn from their prior, 16 times, and the rest given each.
        """
        rng = np.random.default_rng(seed)
        if self._compiled is None:
            return Sampled(_from_prior(self._layout, rng, chains, draws), np.zeros(draws, int), None)
        data = model_data(self._layout, self._evidence, as_of)
        known = {variable.name for variable in self._compiled.shared_var_keys}  # those that this model reads
        compiled = self._compiled.with_data(**{name: data[name] for name in data if name in known})
        parts = []
        shares = np.array_split(np.arange(draws), min(OUTER, draws) if self._layout.cut else 1)
        for outer in shares:
            one = self._layout.draw(rng, 1)[0]  # jointly: an event's judgements may not contradict each other
            held = {block.name: one[block.slots] for block in self._layout.cut}
            given = compiled.with_data(**{f"{name} (not learning)": value for name, value in held.items()})
            fit = _nutpie(given, len(outer), tune, chains, rng)
            drawn = fit["posterior"].to_dataset()
            theta = theta_of(self._layout, {name: drawn[name].values for name in self._names})
            for block in self._layout.cut:
                theta[..., block.slots] = held[block.name]
            parts.append((theta, fit["sample_stats"].to_dataset()[list(STATS)].drop_attrs()))
        stats = xr.concat([stats for _, stats in parts], dim="draw")
        whose = np.repeat(np.arange(len(shares)), [len(outer) for outer in shares])
        return Sampled(np.concatenate([theta for theta, _ in parts], axis=1), whose, stats)


def _nutpie(compiled: Any, draws: int, tune: int, chains: int, rng: np.random.Generator) -> xr.DataTree:
    fit: xr.DataTree = nutpie.sample(
        compiled,
        draws=draws,
        tune=tune,
        chains=chains,
        seed=int(rng.integers(2**31)),
        progress_bar=False,
        save_warmup=False,
    )
    return fit


def _from_prior(layout: Layout, rng: np.random.Generator, chains: int, draws: int) -> np.ndarray:
    return layout.draw(rng, chains * draws).reshape(chains, draws, -1)
