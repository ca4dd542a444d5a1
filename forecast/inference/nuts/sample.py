"""NUTS by nutpie: the model is compiled once, the data of each as-of date set in turn."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import nutpie
import xarray as xr

from forecast.case.evidence import Evidence
from forecast.inference.nuts.data import model_data
from forecast.inference.nuts.judgements import theta_of, variables
from forecast.inference.nuts.model import build
from forecast.model.parameters import Layout

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

    def __init__(self, laid: Layout, evidence: Evidence, as_of: date) -> None:
        self._laid, self._evidence = laid, evidence
        self._names = [variable.name for variable in variables(laid)]
        self._compiled = _compile(laid, evidence, as_of, self._names) if self._names else None

    def given(self, evidence: Evidence) -> Sampler:
        """Return the sampler of another log about the same judgements and testimonies, without compiling."""
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
            return Sampled(_from_prior(self._laid, rng, chains, draws), np.zeros(draws, int), None)
        data = model_data(self._laid, self._evidence, as_of)
        known = {variable.name for variable in self._compiled.shared_var_keys}  # those that this model reads
        compiled = self._compiled.with_data(**{name: data[name] for name in data if name in known})
        if not self._laid.cut:
            fit = _nutpie(compiled, draws, tune, chains, rng)
            theta = theta_of(self._laid, _drawn(fit, self._names))
            return Sampled(theta, np.zeros(draws, int), _stats(fit))
        parts = []
        shares = np.array_split(np.arange(draws), min(OUTER, draws))
        for outer in shares:
            held = {block.name: block.draw(rng, 1)[0] for block in self._laid.cut}
            given = compiled.with_data(**{f"{name} (not learning)": value for name, value in held.items()})
            fit = _nutpie(given, len(outer), tune, chains, rng)
            theta = theta_of(self._laid, _drawn(fit, self._names))
            for block in self._laid.cut:
                theta[..., block.slots] = held[block.name]
            parts.append((theta, _stats(fit)))
        stats = xr.concat([stats for _, stats in parts], dim="draw")
        whose = np.repeat(np.arange(len(shares)), [len(outer) for outer in shares])
        return Sampled(np.concatenate([theta for theta, _ in parts], axis=1), whose, stats)


def _compile(laid: Layout, evidence: Evidence, as_of: date, names: list[str]) -> Any:
    return nutpie.compile_pymc_model(build(laid, evidence, as_of), var_names=names)


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


def _stats(fit: xr.DataTree) -> xr.Dataset:
    return fit["sample_stats"].to_dataset()[list(STATS)].drop_attrs()


def _drawn(fit: xr.DataTree, names: list[str]) -> dict[str, np.ndarray]:
    return {name: fit["posterior"].to_dataset()[name].values for name in names}


def _from_prior(laid: Layout, rng: np.random.Generator, chains: int, draws: int) -> np.ndarray:
    theta = np.empty((chains, draws, laid.size))
    for block in laid.blocks:
        theta[..., block.slots] = block.draw(rng, chains * draws).reshape(chains, draws, -1)
    return theta
