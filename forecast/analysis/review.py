"""What a review says of one thing, and what the reviews of all things share.

Whether evidence and judgements fit: drift, surprise, conflict, and what the answer leans on.

Whether the sums were done well: Monte Carlo error, agreement of chains, effective draws, gaps.

A review of a forecast: what to look at before it is used, each with its verdict, reason and remedy.

It reads the result alone, also one that was kept in a file.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from textwrap import wrap
from typing import Literal

import numpy as np
import xarray as xr

from forecast.analysis.sensitivity.power_scaling import PARTS, power_scaled
from forecast.inference.diagnostics import (
    DRIFT_TAIL,
    LEAST_DRAWS,
    LOW_EFFECTIVE_SHARE,
    R_HAT,
    R_HAT_LENIENT,
)
from forecast.inference.predictive.prequential import REPLICATES
from forecast.inference.result import all_exact, group, some_fixed

Verdict = Literal["PASS", "REVIEW", "FAIL"]
MOST = 4  # so many names are listed, the others counted


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked.

    Attributes
    ----------
    name : str
        What was checked.
    verdict : {"PASS", "REVIEW", "FAIL"}
        PASS: nothing to do. REVIEW: somebody should look before the forecast is used. FAIL: the numbers
        should not be issued as they are.
    reason : str
        What was found, and why it matters.
    action : str
        What to do; "" where there is nothing to do.
    """

    name: str
    verdict: Verdict
    reason: str
    action: str = ""


def named(names: Iterable[object]) -> str:
    """Return names as a list in words, the first few of them."""
    every = [str(name) for name in names]
    shown = ", ".join(every[:MOST])
    return f"{shown} and {len(every) - MOST} more" if len(every) > MOST else shown


def day(date: object) -> str:
    """Return a date as text."""
    return str(date)[:10]


SMALL = 0.05  # a tail that one date in twenty has
UNLIKELY, VERY_UNLIKELY = 0.05, 0.001  # so many small tails, by chance
CONFLICT, STRONG_CONFLICT = 10 * math.log10(3), 10 * math.log10(20)  # decibans; Kass and Raftery (1995)
RARE = 0.10  # a story less probable than this beforehand
LEANS = 0.10  # of probability that hangs on one report, or one source


def drift(tree: xr.DataTree) -> Check | None:
    """Look for judgements that the evidence has pulled far from what their author said."""
    found, name = group(tree, "drift"), "Drift of judgements"
    if found is None or int(found["draws"]) < LEAST_DRAWS:
        return None
    far = found.isel(judgement=np.flatnonzero(found["tail"].values < DRIFT_TAIL))
    if not far.sizes["judgement"]:
        reason = f"None of {found.sizes['judgement']} judgements has been pulled out of its author's range."
        return Check(name, "PASS", reason)
    shown = named(
        f"{one} {f'({entry}) ' if entry else ''}from {said:.2g} to {now:.2g}"
        for one, entry, said, now in zip(
            *(far[key].values for key in ("judgement", "entry", "said", "now")), strict=True
        )
    )
    reason = (
        f"The evidence has pulled {shown}. The truth is never shown while a question is open, so a judgement "
        "bends towards whichever scenario leads: that may make a forecast worse."
    )
    action = "Ask whether the judgement or a report is mistaken; compare with `learn: false`."
    return Check(name, "REVIEW", reason, action)


def surprise(tree: xr.DataTree) -> Check | None:
    """Count the dates on which the model was surprised, and name the worst."""
    found, name = group(tree, "surprise"), "Surprise"
    if found is None:
        return None
    told = found.isel(
        as_of=np.flatnonzero(((found["reports"] + found["silences"]) > 0) & found["tail"].notnull())
    )
    n = told.sizes["as_of"]
    if not n:
        return Check(
            name, "PASS", "Nothing was heard yet, and no silence counted, that could have been a surprise."
        )
    tail = told["tail"].values
    small, worst = int((tail < SMALL).sum()), int(np.argmin(tail))
    chance = sum(math.comb(n, k) * SMALL**k * (1 - SMALL) ** (n - k) for k in range(small, n + 1))
    dates = [day(date) for date in told["as_of"].values]
    reason = (
        f"On {small} of {n} dates the new evidence was among the {SMALL:.0%} most surprising that the model "
        f"foresaw; {SMALL * n:.2g} such dates are to be expected. Most surprising was {dates[worst]}"
        f"{_reports_of(tree, told['as_of'].values[worst], found['as_of'].values)}: {_share(tail[worst])} of "
        f"{REPLICATES} replicates of what could have been said were more so."
    )
    alone = n / REPLICATES <= SMALL and tail[worst] * n <= SMALL  # past that they are too few to tell
    if chance > UNLIKELY and not alone:
        return Check(name, "PASS", reason)
    action = (
        "Read those reports again: a mistyped value, a source better or worse than its grade, a likelihood "
        "that never fitted, or an event that no scenario provides for."
    )
    return Check(name, "FAIL" if chance < VERY_UNLIKELY else "REVIEW", reason, action)


def conflict(tree: xr.DataTree) -> Check | None:
    """Tell whether the cells of a unit contradict one another, and whether a rare story has it so."""
    found = group(tree, "conflict")
    if found is None:
        return None
    if "unit" not in found.dims:
        return _conflict(found, "")
    checks = []
    for unit in found["unit"].values.tolist():
        own = (
            np.flatnonzero(found["cell_unit"].values == unit),
            np.flatnonzero(found["pair_unit"].values == unit),
        )
        checks.append(_conflict(found.sel(unit=unit).isel(cell=own[0], pair=own[1]), f" of {unit}"))
    worst = {"PASS": 0, "REVIEW": 1, "FAIL": 2}
    at = max(range(len(checks)), key=lambda n: (worst[checks[n].verdict], float(found["conflict"].values[n])))
    return checks[at]


def _conflict(one: xr.Dataset, where: str) -> Check:
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
    told = one.isel(story=np.flatnonzero(one["explains"].values))
    action = "Look for a false report among these, or for a likelihood that does not fit."
    if told.sizes["story"]:
        story = told.isel(story=int(np.argmax(told["probability"].values)))
        before, now = float(story["prior_probability"]), float(story["probability"])
        rare = "a rare but coherent story" if before < RARE else "one story"
        reason += (
            f". They make sense together in {rare}, “{story['story'].item()}”: {before:.1%} probable "
            f"beforehand, {now:.1%} now."
        )
        action = f"Decide which it is: a false report, or “{story['story'].item()}”. {action}"
        return Check(name, "REVIEW", reason, action)
    reason += ". No story of one scenario, or of one move, accounts for all of it."
    return Check(name, "FAIL" if value >= STRONG_CONFLICT else "REVIEW", reason, action)


def leaning(tree: xr.DataTree) -> Check | None:
    """Tell whether the answer hangs on one report, or on one source."""
    found, name = group(tree, "evidence"), "What the answer leans on"
    if found is None or not found.sizes["report"]:
        return None
    rows = [_moved(tree, found, [n], id) for n, id in enumerate(found["report"].values)]
    source, unit = found["source"].values, found["unit"].values
    for where in sorted(set(zip(source, unit, strict=True))):
        mine = [n for n in range(len(source)) if (source[n], unit[n]) == where]
        if len(mine) > 1:
            rows.append(_moved(tree, found, mine, f"all {len(mine)} reports of {where[0]}"))
    change, who, text = max(rows)
    reason = f"The probabilities now move most without {who}: {text}, by the sum of weights."
    if change < LEANS:
        return Check(name, "PASS", reason)
    action = "Ask how good that one is, and what the forecast would be without it; look for a second source."
    return Check(name, "REVIEW", reason, action)


def _moved(tree: xr.DataTree, found: xr.Dataset, reports: list[int], who: str) -> tuple[float, str, str]:
    """Return how far a probability now would be without some reports of one unit: by their weights' sum."""
    now = tree["trend"].to_dataset()["probability"].isel(as_of=-1).sel(scenario=found["scenario"].values)
    if "unit" in now.dims:
        now = now.sel(unit=found["unit"].values[reports[0]])
    p = np.clip(now.values, 1e-12, 1 - 1e-12)
    log_odds = (
        np.log(p / (1 - p)) - found["weight_of_evidence"].values[reports].sum(axis=0) * math.log(10) / 10
    )
    without = 1 / (1 + np.exp(-log_odds))
    s = int(np.abs(without - p).argmax())
    text = f"{now['scenario'].values[s]} would be at {without[s]:.0%} in place of {p[s]:.0%}"
    return float(abs(without[s] - p[s])), who, text


def grades(tree: xr.DataTree) -> Check | None:
    """Look for reports whose credibility nobody graded."""
    found, name = group(tree, "constant_data"), "Grades of credibility"
    if found is None or "credibility" not in found or not found.sizes["report"]:
        return None
    grade, n = found["credibility"].values, found.sizes["report"]
    missing = found["report"].values[grade == ""]
    if not len(missing):
        return Check(name, "PASS", f"All {n} reports are graded.")
    reason = (
        f"{len(missing)} of {n} reports have no grade ({named(missing)}) and count in full, as if confirmed: "
        "only the reliability of their source stands between them and the answer."
    )
    return Check(name, "REVIEW", reason, "Grade them 1 to 6, or say why none can be graded.")


def _share(tail: float) -> str:
    return "none" if tail == 0 else f"{tail:.1%}"


def _reports_of(tree: xr.DataTree, date: np.datetime64, dates: np.ndarray) -> str:
    """Return the reports that became known on a date of the trend, in words."""
    evidence = group(tree, "evidence")
    if evidence is None:
        return ""
    known = evidence["reported"].values
    before = dates[dates < date]
    new = (known <= date) & (known > before.max() if len(before) else np.True_)
    return f" ({named(evidence['report'].values[new])})" if new.any() else ""


FAR_OFF = 4.0  # times the tolerance: digits that are printed would be wrong
ESS_PER_CHAIN = 100.0  # Vehtari et al. (2021): 400 with four chains
SENSITIVE = 0.05  # Kallioinen, Paananen, Bürkner and Vehtari (2023)


def refused(tree: xr.DataTree) -> Check | None:
    """Pass on why an engine itself says that its numbers must not be issued."""
    why = str(tree.attrs.get("refused", ""))
    return Check("The engine's own verdict", "FAIL", why, "Use the engine “smc”.") if why else None


def monte_carlo_error(tree: xr.DataTree) -> Check:
    """Hold the Monte Carlo error of every probability against the tolerance."""
    name, limit = "Monte Carlo error", float(tree.attrs["tolerance"])
    if all_exact(tree):
        return Check(name, "PASS", "Every judgement is known exactly: nothing was left to chance.")
    if _too_few(tree):
        reason = f"With less than two chains of {LEAST_DRAWS} draws the error cannot be told."
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
    if all_exact(tree):
        return None
    if _too_few(tree):
        reason = f"With less than two chains of {LEAST_DRAWS} draws there is nothing to compare."
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
    bad = max(worst.get(f"{when}_probability", 1.0) for when in ("scenario", "horizon")) > R_HAT_LENIENT
    action = "Run with more draws; if it stays, look for judgements that the evidence pulls two ways."
    return Check(name, "FAIL" if bad else "REVIEW", reason, action)


def effective_draws(tree: xr.DataTree) -> Check | None:
    """Count the draws that are worth one, at the end and on the worst date."""
    stats, name = group(tree, "sample_stats"), "Effective draws"
    if all_exact(tree) or stats is None or "ess" not in stats:
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
    if float(worst.min()) < LOW_EFFECTIVE_SHARE:
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


def _too_few(tree: xr.DataTree) -> bool:
    sizes = tree["posterior"].sizes
    return sizes["chain"] < 2 or sizes["draw"] < LEAST_DRAWS


CHECKS = (
    refused,
    monte_carlo_error,
    chains_agree,
    effective_draws,
    gaps,
    drift,
    surprise,
    conflict,
    leaning,
    grades,
    judgement_against_evidence,
)

#: Those that take no ArviZ, which a short command has no time to import.
QUICK = tuple(c for c in CHECKS if c not in (chains_agree, judgement_against_evidence))


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
        One for each thing that was checked: PASS, REVIEW (somebody should look before the forecast is used)
        or FAIL (the numbers should not be issued as they are), with the reason and what to do.

    Examples
    --------
    >>> tree = forecast.update("scenarios/isis-jn-2014")  # doctest: +SKIP
    >>> print(*review_lines(review(tree)), sep=chr(10))  # doctest: +SKIP
    """
    return [found for check in checks if (found := check(tree)) is not None]


def review_lines(checks: Iterable[Check], *, width: int = 100) -> list[str]:
    """Return a review as lines of text: a summary, then what FAILs, what is to REVIEW, and what PASSes.

    Examples
    --------
    >>> review_lines([Check("Gaps in the trend", "PASS", "All 3 dates of the trend have an answer.")])
    ['1 PASS', '', 'PASS    Gaps in the trend', '        All 3 dates of the trend have an answer.']
    """
    every = list(checks)
    counts = Counter(check.verdict for check in every)
    verdicts: tuple[Verdict, ...] = ("FAIL", "REVIEW", "PASS")
    lines = [", ".join(f"{counts[verdict]} {verdict}" for verdict in verdicts if counts[verdict])]
    indent = " " * 8
    for check in sorted(every, key=lambda check: verdicts.index(check.verdict)):
        lines += ["", f"{check.verdict:<8}{check.name}"]
        for text in (check.reason, check.action and f"-> {check.action}"):
            lines += wrap(text, width, initial_indent=indent, subsequent_indent=indent)
    return lines
