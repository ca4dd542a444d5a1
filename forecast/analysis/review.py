"""Review of a forecast before it is used: each check with its verdict, the reason and what to do.

Of the computation: Monte Carlo error, agreement of chains, effective draws, gaps in the trend. Of the model:
drift of judgements, surprising evidence, conflict, reliance on one report or source, missing grades, and
whether the answer is prior judgement or evidence. It reads the result alone, also one kept in a file.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr
from scipy.special import expit, logit

from forecast.analysis.sensitivity.sensitivity import PARTS, power_scaled
from forecast.inference.diagnostics import DRIFT_TAIL, LEAST_DRAWS, LOW_EFFECTIVE_SHARE, R_HAT, R_HAT_LENIENT
from forecast.inference.predictive.prequential import REPLICATES
from forecast.inference.result import all_exact, by_unit, group, now, of_unit, some_fixed

Verdict = Literal["PASS", "REVIEW", "FAIL"]
VERDICTS: tuple[Verdict, ...] = ("FAIL", "REVIEW", "PASS")  # the worst first

TOO_FEW = f"With less than two chains of {LEAST_DRAWS} draws"
MORE_CHAINS = "Run with four chains and 2,000 draws."
MOST_NAMES = 4  # are listed, the others counted
MANY_TOLERANCES = 2.0  # Monte Carlo error in tolerances: digits that are printed would be wrong
ESS_PER_CHAIN = 100.0  # Vehtari et al. (2021): 400 with four chains
SENSITIVE = 0.05  # Kallioinen, Paananen, Bürkner and Vehtari (2023)
SMALL_TAIL = 0.05  # that one date in twenty has
UNLIKELY, VERY_UNLIKELY = 0.05, 0.001  # so many small tails, by chance
CONFLICT, STRONG_CONFLICT = 10 * math.log10(3), 10 * math.log10(20)  # decibans; Kass and Raftery (1995)
RARE = 0.10  # a course less probable than this beforehand
NOT_FILED = 0.10  # by which denials are filed more often than events
RELIANCE = 0.10  # of probability that depends on one report, or one source


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked, with its verdict.

    PASS: nothing to do. REVIEW: somebody should look before the forecast is used. FAIL: the numbers should
    not be issued as they are.
    """

    name: str  # what was checked
    verdict: Verdict
    reason: str  # what was found, and why it matters
    action: str = ""  # what to do; "" where there is nothing to do


def check_refused(tree: xr.DataTree) -> Check | None:
    """Pass on why an engine itself says that its numbers must not be issued."""
    why = str(tree.attrs.get("refused", ""))
    return Check("The engine's own verdict", "FAIL", why, "Use the engine “smc”.") if why else None


def check_monte_carlo_error(tree: xr.DataTree) -> Check:
    """Compare the Monte Carlo error of every probability with the tolerance."""
    name, limit = "Monte Carlo error", float(tree.attrs["tolerance"])
    if all_exact(tree):
        return Check(name, "PASS", "Every judgement is known exactly: nothing was left to chance.")
    if _too_few(tree):
        return Check(name, "REVIEW", f"{TOO_FEW} the error cannot be estimated.", MORE_CHAINS)
    error = float(tree.attrs["mcse"])
    past = float(np.nanmax(tree["trend"].to_dataset()["mcse"].values))
    reason = (
        "By the chance of sampling alone a probability now or at the horizon may be off by "
        f"{100 * error:.2g} percentage points (standard error; {100 * limit:.2g} are tolerated), one in the "
        f"trend by {100 * past:.2g}."
    )
    if error <= limit:
        return Check(name, "PASS", reason)
    action = "Run with more draws, or say the numbers with fewer digits."
    return Check(name, "REVIEW" if error <= MANY_TOLERANCES * limit else "FAIL", reason, action)


def check_chains(tree: xr.DataTree) -> Check | None:
    """Compare independent particle systems with one another (split rank-normalised r_hat)."""
    name = "Agreement of chains"
    if all_exact(tree):
        return None
    if _too_few(tree):
        return Check(name, "REVIEW", f"{TOO_FEW} there is nothing to compare.", MORE_CHAINS)
    import arviz as az

    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore")  # of judgements that are exact, whose r_hat is none
        r_hat = az.rhat(tree["posterior"].to_dataset())
    worst = {str(key): float(value.max()) for key, value in r_hat.items() if np.isfinite(value).any()}
    largest = max(worst, key=lambda key: worst[key])
    reason = (
        f"The largest r_hat is {worst[largest]:.3f} ({largest}); chains that found the same have at most "
        f"{R_HAT:g}. Where they differ, each has seen a part of what is possible only."
    )
    if worst[largest] <= R_HAT:
        return Check(name, "PASS", reason)
    bad = max(worst.get(f"{when}_probability", 1.0) for when in ("scenario", "horizon")) > R_HAT_LENIENT
    action = "Run with more draws; if it stays, look for judgements that the evidence pulls two ways."
    return Check(name, "FAIL" if bad else "REVIEW", reason, action)


def check_effective_draws(tree: xr.DataTree) -> Check | None:
    """Check the effective sample size, at the end and on the worst date."""
    stats, name = group(tree, "sample_stats"), "Effective draws"
    if all_exact(tree) or stats is None or "ess" not in stats:
        return None
    ess, particles = stats["ess"], float(tree.attrs["particles"])
    last = float(ess.isel(as_of=-1).min())
    worst = (ess / particles).min("chain")
    on = str(worst["as_of"].values[int(np.argmin(worst.values))])[:10]
    reason = (
        f"The chain with the fewest has {last:,.0f} effective draws of {particles:,.0f} at the end; "
        f"{ESS_PER_CHAIN:g} are enough. The smallest share on the way was {float(worst.min()):.0%}, on {on}."
    )
    if last < ESS_PER_CHAIN:
        return Check(name, "FAIL", reason, "Run with more draws.")
    if float(worst.min()) < LOW_EFFECTIVE_SHARE:
        action = f"See what was reported for {on}: hardly any draw of the judgements predicted it."
        return Check(name, "REVIEW", reason, action)
    return Check(name, "PASS", reason)


def check_gaps(tree: xr.DataTree) -> Check:
    """Look for dates on which no scenario allowed the evidence as then known."""
    name, data = "Gaps in the trend", tree["trend"].to_dataset()
    trend = data["probability"]
    lacking = trend.isnull() & data["in_force"] if "in_force" in data else trend.isnull()
    missing = lacking.any([dim for dim in trend.dims if dim != "as_of"])
    if not bool(missing.any()):
        return Check(name, "PASS", f"All {missing.size} dates of the trend have an answer.")
    dates = _list(trend["as_of"].values[missing.values].astype("datetime64[D]"))
    reason = f"No scenario allowed the evidence as known on {dates}; it was put right later."
    action = (
        "Nothing, if a report was mistaken. Else give a finite weight to the judgement of exactly 0 or 1."
    )
    return Check(name, "REVIEW", reason, action)


def check_drift(tree: xr.DataTree) -> Check | None:
    """Look for judgements whose posterior lies far from what their author said."""
    drift, name = group(tree, "drift"), "Drift of judgements"
    if drift is None or int(drift["draws"]) < LEAST_DRAWS:
        return None
    far = drift.isel(judgement=np.flatnonzero(drift["tail"].values < DRIFT_TAIL))
    if not far.sizes["judgement"]:
        reason = f"None of {drift.sizes['judgement']} judgements has been pulled out of its author's range."
        return Check(name, "PASS", reason)
    columns = (far[key].values for key in ("judgement", "entry", "said", "now"))
    shown = _list(
        f"{one} {f'({entry}) ' if entry else ''}from {prior:.2g} to {posterior:.2g}"
        for one, entry, prior, posterior in zip(*columns, strict=True)
    )
    reason = (
        f"The evidence has pulled {shown}. The truth is never shown while a question is open, so a judgement "
        "bends towards whichever scenario leads: that may make a forecast worse."
    )
    action = "Ask whether the judgement or a report is mistaken; compare with `learn: false`."
    return Check(name, "REVIEW", reason, action)


def check_surprise(tree: xr.DataTree) -> Check | None:
    """Count the dates whose evidence lay in the tail of its predictive distribution, and name the worst."""
    surprise, name = group(tree, "surprise"), "Surprise"
    if surprise is None:
        return None
    news = ((surprise["reports"] + surprise["silences"]) > 0) & surprise["tail"].notnull()
    dates = surprise.isel(as_of=np.flatnonzero(news))
    n = dates.sizes["as_of"]
    if not n:
        reason = "Nothing was reported yet, and no silence counted, that could have been a surprise."
        return Check(name, "PASS", reason)
    from scipy.stats import binom

    tail = dates["tail"].values
    small, worst = int((tail < SMALL_TAIL).sum()), int(np.argmin(tail))
    day = dates["as_of"].values[worst]
    share = "none" if tail[worst] == 0 else f"{tail[worst]:.1%}"
    reason = (
        f"On {small} of {n} dates the new evidence was among the {SMALL_TAIL:.0%} most surprising that the "
        f"model foresaw; {SMALL_TAIL * n:.2g} such dates are to be expected. Most surprising was "
        f"{str(day)[:10]}{_reports_of(tree, day, surprise['as_of'].values)}: {share} of "
        f"{REPLICATES} replicates of what could have been said were more so."
    )
    chance = binom.sf(small - 1, n, SMALL_TAIL)
    alone = n / REPLICATES <= SMALL_TAIL and tail[worst] * n <= SMALL_TAIL  # else replicates are too few
    if chance > UNLIKELY and not alone:
        return Check(name, "PASS", reason)
    action = (
        "Read those reports again: a mistyped value, a source better or worse than its grade, a likelihood "
        "that never fitted, or an event that no scenario provides for."
    )
    return Check(name, "FAIL" if chance < VERY_UNLIKELY else "REVIEW", reason, action)


def check_conflict(tree: xr.DataTree) -> Check | None:
    """Check the conflict measure of the worst unit, and whether a rare scenario path explains it."""
    data = group(tree, "conflict")
    if data is None:
        return None
    checks = []
    for unit, one in by_unit(data):
        if unit:
            cells, pairs = (np.flatnonzero(one[f"{of}_unit"].values == unit) for of in ("cell", "pair"))
            one = one.isel(cell=cells, pair=pairs)
        check = _check_conflict(one, f" of {unit}" if unit else "")
        checks.append((-VERDICTS.index(check.verdict), float(one["conflict"]), check))
    return max(checks, key=lambda row: row[:2])[2]


def _check_conflict(one: xr.Dataset, where: str) -> Check:
    name, value = "Conflict in the evidence", float(one["conflict"])
    times, less = f"{10 ** (abs(value) / 10):.2g}", "less" if value > 0 else "more"
    how = "about as probable as" if times in ("1", "1.0") else f"{times} times {less} probable than"
    reason = (
        f"The cells{where} are together {how} if they had nothing to do with one another ({value:+.1f} "
        "decibans)."
    )
    if value < CONFLICT:
        return Check(name, "PASS", f"{reason} They do not contradict one another.")
    cell = one.isel(cell=int(np.argmax(one["cell_conflict"].values)))
    reason += f" Most at odds with the others is {cell['cell'].item()} ({float(cell['cell_conflict']):+.1f})"
    if one.sizes["pair"]:
        reason += f"; the worst pair is {one['first'].values[0]} with {one['second'].values[0]}"
    explaining = one.isel(path=np.flatnonzero(one["explains"].values))
    action = "Look for a false report among these, or for a likelihood that does not fit."
    if explaining.sizes["path"]:
        path = explaining.isel(path=int(np.argmax(explaining["probability"].values)))
        title = path["path"].item()
        before, after = float(path["prior_probability"]), float(path["probability"])
        rare = "a rare but coherent path" if before < RARE else "one path"
        reason += (
            f". They make sense together in {rare}, “{title}”: {before:.1%} probable "
            f"beforehand, {after:.1%} now."
        )
        action = f"Decide which it is: a false report, or “{title}”. {action}"
        return Check(name, "REVIEW", reason, action)
    reason += ". No path of one scenario, or of one move, accounts for all of it."
    return Check(name, "FAIL" if value >= STRONG_CONFLICT else "REVIEW", reason, action)


def check_reliance(tree: xr.DataTree) -> Check | None:
    """Check how far the probabilities now depend on one report, or on one source."""
    evidence, name = group(tree, "evidence"), "What the answer leans on"
    if evidence is None or not evidence.sizes["report"]:
        return None
    probability = now(tree)["probability"].sel(scenario=evidence["scenario"].values)
    source, unit = evidence["source"].values, evidence["unit"].values
    p = {where: of_unit(probability, where).values for where in set(unit)}
    ids = evidence["report"].values
    rows = [_change_without(evidence, p[unit[n]], [n], id) for n, id in enumerate(ids)]
    for of, where in sorted(set(zip(source, unit, strict=True))):
        mine = [n for n in range(len(source)) if (source[n], unit[n]) == (of, where)]
        if len(mine) > 1:
            rows.append(_change_without(evidence, p[where], mine, f"all {len(mine)} reports of {of}"))
    change, who, text = max(rows)
    reason = f"The probabilities now move most without {who}: {text}, by the sum of weights."
    if change < RELIANCE:
        return Check(name, "PASS", reason)
    action = "Ask how good that one is, and what the forecast would be without it; look for a second source."
    return Check(name, "REVIEW", reason, action)


def _change_without(
    evidence: xr.Dataset, p: np.ndarray, reports: list[int], who: str
) -> tuple[float, str, str]:
    """Return how far p (K,), of one unit now, would be without some of its reports, by their weights' sum."""
    p = np.clip(p, 1e-12, 1 - 1e-12)
    weight = evidence["weight_of_evidence"].values[reports].sum(axis=0) * math.log(10) / 10
    without = expit(logit(p) - weight)
    s = int(np.abs(without - p).argmax())
    text = f"{evidence['scenario'].values[s]} would be at {without[s]:.0%} in place of {p[s]:.0%}"
    return float(abs(without[s] - p[s])), who, text


def check_grades(tree: xr.DataTree) -> Check | None:
    """Look for reports whose credibility nobody graded."""
    data, name = group(tree, "constant_data"), "Grades of credibility"
    if data is None or "credibility" not in data or not data.sizes["report"]:
        return None
    missing, n = data["report"].values[data["credibility"].values == ""], data.sizes["report"]
    if not len(missing):
        return Check(name, "PASS", f"All {n} reports are graded.")
    reason = (
        f"{len(missing)} of {n} reports have no grade ({_list(missing)}) and count in full, as if confirmed: "
        "only the reliability of their source stands between them and the answer."
    )
    return Check(name, "REVIEW", reason, "Grade them 1 to 6, or say why none can be graded.")


def check_filing(tree: xr.DataTree) -> Check | None:
    """Tell how often claims were filed, by what they claim, as the log has taught."""
    posterior, name = tree["posterior"].to_dataset(), "What was filed"
    if "reporting" not in posterior or "event" not in posterior["claim"].values:
        return None
    share = posterior["reporting"].mean(["chain", "draw"])
    kinds = {"event": "what happened", "quiet": "what did not", "again": "what went on"}
    filed = {kind: float(share.sel(claim=kind)) for kind in kinds if kind in share["claim"].values}
    reason = "Silence counts as the log has taught: "
    reason += ", ".join(f"{p:.2f} of {kinds[kind]}" for kind, p in filed.items()) + " was filed."
    if filed.get("quiet", 0.0) <= filed["event"] + NOT_FILED:
        return Check(name, "PASS", reason)
    reason += " So a silent week speaks for something to have happened."
    action = "Ask who keeps the log, and whether it holds denials only; else set `reporting: ignored`."
    return Check(name, "REVIEW", reason, action)


def check_judgement_or_evidence(tree: xr.DataTree) -> Check | None:
    """Power-scale prior and likelihood: whether the answer depends on judgements, evidence or both."""
    name = "Judgement or evidence"
    if all_exact(tree) or some_fixed(tree) or group(tree, "log_likelihood") is None or _too_few(tree):
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


def _list(names: Iterable[object]) -> str:
    """Return names as a list in words, the first few of them."""
    every = [str(name) for name in names]
    shown = ", ".join(every[:MOST_NAMES])
    return f"{shown} and {len(every) - MOST_NAMES} more" if len(every) > MOST_NAMES else shown


def _reports_of(tree: xr.DataTree, date: np.datetime64, dates: np.ndarray) -> str:
    """Return the reports that became known on a date of the trend, in words."""
    evidence = group(tree, "evidence")
    if evidence is None:
        return ""
    known, before = evidence["reported"].values, dates[dates < date]
    new = (known <= date) & (known > before.max() if len(before) else np.True_)
    return f" ({_list(evidence['report'].values[new])})" if new.any() else ""


def _too_few(tree: xr.DataTree) -> bool:
    sizes = tree["posterior"].sizes
    return sizes["chain"] < 2 or sizes["draw"] < LEAST_DRAWS


CHECKS = (
    check_refused, check_monte_carlo_error, check_chains, check_effective_draws, check_gaps, check_drift,
    check_surprise, check_conflict, check_reliance, check_grades, check_filing, check_judgement_or_evidence,
)  # fmt: skip

#: Those that take no ArviZ, which a short command has no time to import.
QUICK = tuple(check for check in CHECKS if check not in (check_chains, check_judgement_or_evidence))


def review(
    tree: xr.DataTree, *, checks: Iterable[Callable[[xr.DataTree], Check | None]] = CHECKS
) -> list[Check]:
    """Check whether the sums of a forecast were done well, and whether evidence and judgements fit.

    Parameters
    ----------
    tree : xarray.DataTree
        What :func:`forecast.update` returned, or that read again from a file. What it does not hold is not
        checked.
    checks : iterable of functions
        What to check; default: everything.

    Returns
    -------
    list of Check
        One for each thing that was checked, with its verdict, the reason and what to do.

    Examples
    --------
    >>> tree = forecast.update("scenarios/isis-jn-2014")  # doctest: +SKIP
    >>> print(*forecast.review_lines(review(tree)), sep=chr(10))  # doctest: +SKIP
    """
    return [one for check in checks if (one := check(tree)) is not None]
