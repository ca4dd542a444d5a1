"""Whether the sums were done well: Monte Carlo error, agreement of chains, effective draws, gaps."""

from __future__ import annotations

import warnings

import numpy as np
import xarray as xr

from forecast.analysis.power_scaling import PARTS, power_scaled
from forecast.analysis.verdict import Check, cut, day, exact, group, named

FAR_OFF = 4.0  # times the tolerance: digits that are printed would be wrong
R_HAT, R_HAT_BAD = 1.01, 1.05  # Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021); older practice
FEWEST_DRAWS = 100  # of each chain, for any of this to be told
ESS_PER_CHAIN = 100.0  # Vehtari et al. (2021): 400 with four chains
ESS_SHARE = 0.25  # of the particles, on any date; the engine aims at a half
SENSITIVE = 0.05  # Kallioinen, Paananen, Bürkner and Vehtari (2023)


def refused(tree: xr.DataTree) -> Check | None:
    """Pass on why an engine itself says that its numbers must not be issued."""
    why = str(tree.attrs.get("refused", ""))
    return Check("The engine's own verdict", "FAIL", why, "Use the engine “smc”.") if why else None


def monte_carlo_error(tree: xr.DataTree) -> Check:
    """Hold the Monte Carlo error of every probability against the tolerance."""
    name, limit = "Monte Carlo error", float(tree.attrs["tolerance"])
    if exact(tree):
        return Check(name, "PASS", "Every judgement is known exactly: nothing was left to chance.")
    if _too_few(tree):
        reason = f"With less than two chains of {FEWEST_DRAWS} draws the error cannot be told."
        return Check(name, "REVIEW", reason, "Run with four chains and 2,000 draws.")
    now = float(tree.attrs["mcse"])
    past = float(np.nanmax(tree["trend"].to_dataset()["mcse"].values))
    reason = (
        f"By the chance of sampling alone a probability now or at the horizon may be off by {100 * now:.2g} "
        f"percentage points (standard error; {100 * limit:.2g} are tolerated), one in the trend by "
        f"{100 * past:.2g}."
    )
    if now <= limit:
        return Check(name, "PASS", reason)
    action = "Run with more draws, or say the numbers with fewer digits."
    return Check(name, "REVIEW" if now <= FAR_OFF * limit else "FAIL", reason, action)


def chains_agree(tree: xr.DataTree) -> Check | None:
    """Hold independent particle systems against one another (split rank-normalised r_hat)."""
    name = "Agreement of chains"
    if exact(tree):
        return None
    if _too_few(tree):
        reason = f"With less than two chains of {FEWEST_DRAWS} draws there is nothing to compare."
        return Check(name, "REVIEW", reason, "Run with four chains and 2,000 draws.")
    import arviz as az

    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore")  # of judgements that are exact, whose r_hat is none
        found = az.rhat(tree["posterior"].to_dataset())
    worst = {str(key): float(value.max()) for key, value in found.items() if np.isfinite(value).any()}
    largest = max(worst, key=lambda key: worst[key])
    reason = (
        f"The largest r_hat is {worst[largest]:.3f} ({largest}); chains that found the same have at most "
        f"{R_HAT:g}. Where they differ, each has seen a part of what is possible only."
    )
    if worst[largest] <= R_HAT:
        return Check(name, "PASS", reason)
    bad = max(worst.get(f"{when}_probability", 1.0) for when in ("scenario", "horizon")) > R_HAT_BAD
    action = "Run with more draws; if it stays, look for judgements that the evidence pulls two ways."
    return Check(name, "FAIL" if bad else "REVIEW", reason, action)


def effective_draws(tree: xr.DataTree) -> Check | None:
    """Count the draws that are worth one, at the end and on the worst date."""
    stats, name = group(tree, "sample_stats"), "Effective draws"
    if exact(tree) or stats is None or "ess" not in stats:
        return None
    ess, particles = stats["ess"], float(tree.attrs["particles"])
    last = float(ess.isel(as_of=-1).min())
    worst = (ess / particles).min("chain")
    on = day(worst["as_of"].values[int(np.argmin(worst.values))])
    reason = (
        f"The chain with the fewest has {last:,.0f} effective draws of {particles:,.0f} at the end; "
        f"{ESS_PER_CHAIN:g} are enough. The smallest share on the way was {float(worst.min()):.0%}, on {on}."
    )
    if last < ESS_PER_CHAIN:
        return Check(name, "FAIL", reason, "Run with more draws.")
    if float(worst.min()) < ESS_SHARE:
        action = f"See what was reported for {on}: hardly any draw of the judgements foretold it."
        return Check(name, "REVIEW", reason, action)
    return Check(name, "PASS", reason)


def gaps(tree: xr.DataTree) -> Check:
    """Look for dates on which no scenario allowed the evidence as then known."""
    name, found = "Gaps in the trend", tree["trend"].to_dataset()
    trend = found["probability"]
    lacking = trend.isnull() & found["in_force"] if "in_force" in found else trend.isnull()
    missing = lacking.any([dim for dim in trend.dims if dim != "as_of"])
    if not bool(missing.any()):
        return Check(name, "PASS", f"All {missing.size} dates of the trend have an answer.")
    dates = named(day(date) for date in trend["as_of"].values[missing.values])
    reason = f"No scenario allowed the evidence as known on {dates}; it was put right later."
    action = (
        "Nothing, if a report was mistaken. Else give a finite weight to the judgement of exactly 0 or 1."
    )
    return Check(name, "REVIEW", reason, action)


def judgement_against_evidence(tree: xr.DataTree) -> Check | None:
    """Power-scale judgements and evidence: tell whether the answer hangs on the one, the other or both."""
    name = "Judgement or evidence"
    if exact(tree) or cut(tree) or group(tree, "log_likelihood") is None or _too_few(tree):
        return None  # of judgements that must not learn, scaled evidence would revise them
    what = "horizon_probability"
    prior, likelihood = (float(power_scaled(tree, part, [what])[what].max()) for part in PARTS)
    if not (np.isfinite(prior) and np.isfinite(likelihood)):
        return None
    reason = (
        "Holding every judgement a little more or less firmly shifts the probabilities at the horizon with a "
        f"sensitivity of {prior:.2f}, counting the evidence a little more or less with {likelihood:.2f}; "
        f"{SENSITIVE:g} is noticeable. "
    )
    if prior <= SENSITIVE:
        return Check(name, "PASS", reason + "The answer does not hang on how sure the author was.")
    if likelihood <= SENSITIVE:
        reason += "The answer is what was judged beforehand; the reports add little to it."
        return Check(name, "REVIEW", reason, "Say so to the reader, and ask what evidence could change it.")
    reason += "Both matter: where they pull apart, the answer is a compromise that the weights decide."
    action = "See which judgements drifted, and whether another author would give them the same weight."
    return Check(name, "REVIEW", reason, action)


def _too_few(tree: xr.DataTree) -> bool:
    sizes = tree["posterior"].sizes
    return sizes["chain"] < 2 or sizes["draw"] < FEWEST_DRAWS
