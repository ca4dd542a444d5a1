"""Several question files over one log of evidence: which of them foretold the evidence better.

Only densities of the same data can be compared, so the evidence, its periods and what can be observed must be
the same: which indicators speak, their kinds and values, who watches them. Everything else may differ:
scenarios and how many, judgements, weights, dynamics, reliabilities, persistence, groups, cap.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.analysis.future import future_score, monte_carlo_error
from forecast.case.as_of import checked_as_of
from forecast.case.folder import Case, load_case
from forecast.case.question import Indicator

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

READ = (  # what the model reads of a report
    "date",
    "reported",
    "indicator",
    "value",
    "source",
    "credibility",
    "repeats",
    "independence",
    "testimony",
    "replaces",
    "unit",
)
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
        Cases or their folders. In a sequence each has its folder's name.
    as_of : date, optional
        The evidence known on that day is foretold; default as for :func:`forecast.update`.
    first : int
        The first period that is scored; those before it only teach. With 0 `elpd` is the log marginal
        likelihood, and `elpd_diff` a log Bayes factor (but for groups and caps).
    draws, chains, tolerance, seed
        As for :func:`future_score`. One seed for all: what it does to one it does to the others.

    Returns
    -------
    pandas.DataFrame
        A row for each question, the best first. `rank`; `elpd`: sum of log p(y_t | y_<t), in nats; `se`:
        sqrt(n var(terms)); `elpd_diff`: less than the best; `dse`: sqrt(n var(differences of terms)), which
        takes the terms for independent; `mcse`, `mcse_diff`: Monte Carlo errors of elpd and elpd_diff;
        `periods`: n, the number of terms; `diag_diff`: why not to rely on `dse`. ``attrs`` has the as-of
        date, `first`, the seed and the digest of the evidence.

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
    day = next(iter(days.values()))
    scores = {}
    for name, case in loaded.items():
        score = future_score(case, as_of=day, draws=draws, chains=chains, tolerance=tolerance, seed=seed)
        if not 0 <= first < score.sizes["period"]:
            raise ValueError(f"`first` is {first}: give a period from 0 to {score.sizes['period'] - 1}")
        scores[name] = score.isel(period=slice(first, None))
    order = sorted(scores, key=lambda name: -float(scores[name]["elpd"].sum()))
    rows = [_row(scores[name], scores[order[0]], tolerance) for name in order]
    table = pd.DataFrame(rows, index=pd.Index(order, name="question"))
    table.insert(0, "rank", range(len(order)))
    case = next(iter(loaded.values()))
    table.attrs = {"as_of": day.isoformat(), "first": first, "seed": seed, "evidence": _digest(case, day)}
    return table


def _row(score: xr.Dataset, best: xr.Dataset, tolerance: float) -> dict[str, Any]:
    terms, others = score["elpd"].values, best["elpd"].values
    with np.errstate(invalid="ignore"):
        gap = np.where(terms == others, 0.0, terms - others)
        total, less = float(terms.sum()), float(gap.sum())
        spread = [float(np.sqrt(len(each) * each.var())) for each in (terms, gap)]
        mine, theirs = (each["by_chain"].values.sum(axis=1) for each in (score, best))
        error = 0.0 if _exact(score) else monte_carlo_error(mine)
        gap_error = (
            0.0 if score is best or (_exact(score) and _exact(best)) else monte_carlo_error(mine - theirs)
        )
    doubts = []
    if score is not best:
        doubts = [f"N < {FEW}"] * (len(terms) < FEW) + [f"|elpd_diff| < {SMALL:g}"] * (abs(less) < SMALL)
        doubts += [f"Monte Carlo error above {tolerance:g}"] * (not gap_error <= 2 * tolerance)
    return {
        "elpd": total,
        "se": spread[0],
        "elpd_diff": less,
        "dse": spread[1],
        "mcse": error,
        "mcse_diff": gap_error,
        "periods": len(terms),
        "diag_diff": "; ".join(doubts),
    }


def _exact(score: xr.Dataset) -> bool:
    return bool(score["mcse"] == 0.0)


def _loaded(cases: Mapping[str, Case | str | Path] | Sequence[Case | str | Path]) -> dict[str, Case]:
    """Load what is not loaded, and name it."""
    if isinstance(cases, Mapping):
        return {name: _case(case) for name, case in cases.items()}
    found = [_case(case) for case in cases]
    names = [case.name for case in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"several cases are named {', '.join(twice)}: give a mapping of names to cases")
    return dict(zip(names, found, strict=True))


def _case(case: Case | str | Path) -> Case:
    return case if isinstance(case, Case) else load_case(Path(case))


# --- whether they are about the same data ---------------------------------------------------------------


def _require_same_data(cases: dict[str, Case], days: dict[str, date]) -> None:
    """Raise a ValueError that says everything in which a case is not about the data of the one before it."""
    if len(cases) < 2:
        raise ValueError("give at least two cases")
    found = [
        f"{one} and {other}: {problem}"
        for one, other in pairwise(cases)
        for problem in _differences(cases[one], cases[other], days[one], days[other])
    ]
    if found:
        raise ValueError("only densities of the same data can be compared:\n" + "\n".join(found))


def _differences(one: Case, other: Case, day: date, other_day: date) -> list[str]:
    a, b = one.question, other.question
    found = []
    if day != other_day:
        found.append(f"the as-of date is {day} and {other_day}; give `as_of`")
    found += _unlike(a, b, {name: name for name in ("opened", "period_days", "units")})
    mine, others = _log(one, day), _log(other, day)
    odd = sorted(id for id in {**dict(mine), **dict(others)} if dict(mine).get(id) != dict(others).get(id))
    if odd:
        shown = ", ".join(odd[:5]) + (f" and {len(odd) - 5} more" if len(odd) > 5 else "")
        found.append(f"the evidence differs in {shown}")
    elif mine != others:
        found.append("the evidence stands in another order, which says who repeats whom")
    return found + _other_indicators(one, other, day)


def _other_indicators(one: Case, other: Case, day: date) -> list[str]:
    """Say which indicators that speak, by reports or by silence, are not the same observable in both."""
    mine, others = _speaking(one, day), _speaking(other, day)
    found = [
        f"indicator {id} has evidence in one only: a file that leaves it out foretells other data"
        for id in sorted(mine.keys() ^ others.keys())
    ]
    for id in sorted(mine.keys() & others.keys()):
        a, b = mine[id], others[id]
        found += _unlike(a, b, {name: f"{name} of {id}" for name in ("kind", "values", "monitored", "given")})
        if a.kind == b.kind == "ratio" and a.likelihood != b.likelihood:
            found.append(f"the ratios of {id} differ, and ratios are not densities: only yes can be reported")
    return found


def _unlike(a: object, b: object, names: dict[str, str]) -> list[str]:
    """Say which of two objects' attributes differ."""
    pairs = [(title, getattr(a, name), getattr(b, name)) for name, title in names.items()]
    return [f"{title} is {mine} and {other}" for title, mine, other in pairs if mine != other]


def _speaking(case: Case, day: date) -> dict[str, Indicator]:
    named = {r.indicator for r in case.evidence.reports if r.reported <= day}
    return {i.id: i for i in case.question.indicators if i.id in named or i.monitored is not None}


def _log(case: Case, day: date) -> list[tuple[str, tuple[Any, ...]]]:
    """Return what the model reads of the rows known on a day, by id."""
    return [
        (r.id, tuple(getattr(r, name) for name in READ))
        for r in case.evidence.reports
        if r.reported <= day and (r.indicator or r.replaces)
    ]


def _digest(case: Case, day: date) -> str:
    return hashlib.sha256(repr(_log(case, day)).encode()).hexdigest()
