"""Whether evidence and judgements fit: drift, surprise, conflict, and what the answer leans on."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from forecast.analysis.verdict import Check, day, group, named
from forecast.inference.drift import FEWEST
from forecast.inference.surprise import REPLICATES

DRIFTED = 0.02  # as the alarm of the table: prior and posterior hardly overlap
SMALL = 0.05  # a tail that one date in twenty has
UNLIKELY, VERY_UNLIKELY = 0.05, 0.001  # so many small tails, by chance
CONFLICT, STRONG_CONFLICT = 10 * math.log10(3), 10 * math.log10(20)  # decibans; Kass and Raftery (1995)
RARE = 0.10  # a story less probable than this beforehand
LEANS = 0.10  # of probability that hangs on one report, or one source


def drift(tree: xr.DataTree) -> Check | None:
    """Look for judgements that the evidence has pulled far from what their author said."""
    found, name = group(tree, "drift"), "Drift of judgements"
    if found is None or int(found["draws"]) < FEWEST:
        return None
    far = found.isel(judgement=np.flatnonzero(found["tail"].values < DRIFTED))
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
