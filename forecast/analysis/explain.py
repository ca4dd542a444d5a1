"""Why a forecast is what it is: what every cell, indicator and report weighs, and what was taken away.

For scenario s against the rest, with the judgements at their means, in the period of the as-of date,

    before(s) + sum over cells of weight(s) + shared(s) = at_means(s)
    at_means(s) + learning(s) = engine(s)
    weight(s) = sure_weight(s) - sum over parts of taken(s)

where each total is 10 log10 odds. The rest is a mixture, whose weights follow the evidence: log
likelihood ratios against it do not add. So a static question's cells enter in the order of time (unit,
period, then the question's order of indicators), and a cell's weight is W(s : cell | what came before)
(Good 1950): these add up exactly, and `shared` is 0. Between two single scenarios the order does not
matter: differences of `log_likelihood` (given relative to the cell's likeliest scenario) add up as they
are. In a regime a cell's weight is that of leaving it out, all other cells as they stand; these do not add
up, and `shared` is what they leave over.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from forecast.analysis.cell_weights import PARTS, Readings, log_odds, odds, readings
from forecast.analysis.report_weights import report_weights
from forecast.case.folder import Case, load_case
from forecast.case.question import Question
from forecast.inference.engine import update
from forecast.inference.tree import by_unit, coordinates, days, unit_dims

#: Evidence whose weights for any two scenarios differ by less than this, in decibans, cuts not at all. One
#: deciban is about the smallest weight of evidence that a person perceives (Turing, as told by Good 1979).
PERCEPTIBLE = 1.0

#: What `cuts` says. Of what cuts not at all, not even a sure report would tell scenarios apart.
NOT_AT_ALL, LITTLE_LEFT, BOTH_WAYS = "not at all", "too little left", "both ways"

_DECIBANS = 10 / np.log(10)
_RULED_OUT = 1e-12


def explain(
    case: Case | str | Path, *, as_of: date | None = None, tree: xr.DataTree | None = None
) -> xr.Dataset:
    """Take a forecast apart: the weight of evidence of each cell, indicator and report, in decibans.

    How the parts add up is at the top of this module.

    Parameters
    ----------
    case : Case or path
        A case, or its folder.
    as_of : date, optional
        The date whose knowledge is used, if there is no `tree`; default as for :func:`forecast.update`.
    tree : DataTree, optional
        What :func:`forecast.update` returned for this case; default: it is run.

    Returns
    -------
    Dataset
        ``weight``, ``sure_weight``, ``log_likelihood`` (cell, scenario); ``taken`` (cell, part, scenario), in
        the order in which the parts take; ``cuts`` (cell): "" or what :data:`NOT_AT_ALL` and so on say;
        ``indicator_weight`` (indicator, scenario), in a regime that of leaving all its cells out;
        ``indicator_taken`` (indicator, part, scenario), the sum over its cells; ``indicator_cuts``;
        ``report_weight`` (report, scenario), always that of leaving it out, and ``report_taken`` (report,
        part, scenario), what was taken from it (:mod:`forecast.analysis.report_weights`); the totals
        ``before``, ``shared``, ``at_means``, ``learning``, ``engine`` (scenario), and where every cell and
        report comes from. With units, totals and indicators have a dimension ``unit``.

    Raises
    ------
    InputError
        If the case is at fault.
    ValueError
        If `tree` is not of this case as it stands.

    Examples
    --------
    >>> case = forecast.load_case("scenarios/isis-jn-2014")  # doctest: +SKIP
    >>> forecast.explain(case)["weight"]  # doctest: +SKIP
    """
    case = case if isinstance(case, Case) else load_case(Path(case))
    tree = update(case, as_of=as_of) if tree is None else tree
    if tree.attrs.get("digest") != case.digest:
        raise ValueError("the forecast is of another state of the case: make it anew")
    day = date.fromisoformat(str(tree.attrs["as_of"]))
    case = case.on(day)
    question = case.question
    found = readings(question, case.evidence, day)
    cells = _cell_weights(found)
    now = tree["trend"]["probability"].isel(as_of=-1).sel(scenario=[s.id for s in question.scenarios])
    engine = now.transpose(..., "scenario").values.reshape(-1, len(question.scenarios))
    labels = [_label(question, *named) for named in zip(found.keys, found.joined, strict=True)]
    data = _totals(question, found, cells, odds(engine)).assign_coords(cell=np.array(labels, dtype=str))
    return (
        data.merge(_by_cell(question, found, cells, engine))
        .merge(_by_indicator(question, found, cells))
        .merge(_by_report(case, tree, found, labels))
        .assign_attrs(
            {
                "case": case.name,
                "as_of": day.isoformat(),
                "digest": case.digest,
                "unit": "deciban",
                "method": "leave one out" if found.regime else "in the order of time",
            }
        )
    )


def _totals(question: Question, found: Readings, cells: np.ndarray, engine: np.ndarray) -> xr.Dataset:
    """Return the lines of the sum that are no cell's; cells (5, C, K), engine (U, K) log odds."""
    units = range(len(engine))
    whole = np.stack([_sum(found, _mine(found, u)) for u in units])
    before, at_means = log_odds(found, np.zeros_like(whole)), log_odds(found, whole)
    sums = np.stack([cells[-1, _mine(found, u)].sum(axis=0) for u in units])
    totals = {
        "before": before,
        "shared": at_means - before - sums,
        "at_means": at_means,
        "learning": engine - at_means,
        "engine": engine,
    }
    dims = (*unit_dims(question), "scenario")
    variables = {name: (dims, by_unit(question, value * _DECIBANS, 0)) for name, value in totals.items()}
    return xr.Dataset(variables, coordinates(question))


def _cell_weights(found: Readings) -> np.ndarray:
    """Return the weight of each reading of each cell, (5, C, K), natural logarithms."""
    weights = np.zeros_like(found.log_m)
    for c, (unit, period, _) in enumerate(found.keys):
        others = [n for n in _mine(found, unit) if (n != c if found.regime else n < c)]
        base = _sum(found, others)
        at = period if found.regime else 0
        whole = np.repeat(base[None], len(found.log_m) + 1, axis=0)
        whole[1:, at] += found.log_m[:, c]
        # What the sum over all cells goes through must be met bit by bit, so that the parts add up.
        whole[-1, at] = _sum(found, sorted([*others, c]))[at]
        value = log_odds(found, whole)
        weights[:, c] = value[1:] - value[0]
    return weights


def _mine(found: Readings, unit: int) -> list[int]:
    return [c for c, key in enumerate(found.keys) if key[0] == unit]


def _sum(found: Readings, cells: list[int]) -> np.ndarray:
    """Return log L_t(s), (T, K), of some cells."""
    total = np.zeros((found.periods, len(found.prior)))
    for c in cells:
        total[found.keys[c][1] if found.regime else 0] += found.log_m[-1, c]
    return total


def _by_cell(question: Question, found: Readings, cells: np.ndarray, engine: np.ndarray) -> xr.Dataset:
    best = found.log_m[-1].max(axis=1, keepdims=True, initial=-np.inf)
    log_m = (found.log_m[-1] - np.where(np.isfinite(best), best, 0.0)) * _DECIBANS
    names = [question.indicators[i].id for _, _, i in found.keys]
    units = [question.units[u] if question.units else "" for u, _, _ in found.keys]
    ends = [question.last_day(t) for _, t, _ in found.keys]
    sure = found.log_m[0] * _DECIBANS
    cuts = [_cuts(log_m[c], sure[c], engine[key[0]]) for c, key in enumerate(found.keys)]
    return xr.Dataset(
        {
            "weight": (("cell", "scenario"), cells[-1] * _DECIBANS),
            "sure_weight": (("cell", "scenario"), cells[0] * _DECIBANS),
            "taken": (("cell", "part", "scenario"), np.moveaxis(-np.diff(cells, axis=0), 0, 1) * _DECIBANS),
            "log_likelihood": (("cell", "scenario"), log_m),
            "exponent": ("cell", found.exponent),
            "cuts": ("cell", np.array(cuts, dtype=str)),
            "cell_indicator": ("cell", np.array(names, dtype=str)),
            "cell_period": ("cell", np.array([t for _, t, _ in found.keys], int)),
            "cell_period_end": ("cell", days(ends)),
            "cell_unit": ("cell", np.array(units, dtype=str)),
        }
    )


def _cuts(log_m: np.ndarray, sure: np.ndarray, engine: np.ndarray) -> str:
    """Say whether evidence tells scenarios apart, and whether all of them the same way from the leader.

    What a forecast has ruled out is no rival: to tell it apart is worth nothing.
    """
    possible = engine > _RULED_OUT
    log_m, sure, engine = log_m[possible], sure[possible], engine[possible]
    if np.ptp(log_m) < PERCEPTIBLE:
        return NOT_AT_ALL if np.ptp(sure) < PERCEPTIBLE else LITTLE_LEFT
    lead = int(engine.argmax())
    against = np.delete(log_m - log_m[lead], lead) if np.isfinite(log_m[lead]) else np.zeros(1)
    return BOTH_WAYS if against.max() >= PERCEPTIBLE and against.min() <= -PERCEPTIBLE else ""


def _by_indicator(question: Question, found: Readings, cells: np.ndarray) -> xr.Dataset:
    """Return what each indicator weighs: the sum of its cells, or in a regime that of leaving all out."""
    units, names = range(max(len(question.units), 1)), [i.id for i in question.indicators]
    weight = np.zeros((len(units), len(names), cells.shape[-1]))
    taken = np.zeros((len(units), len(names), len(PARTS), cells.shape[-1]))
    cuts = np.full((len(units), len(names)), "", dtype="<U15")
    for u in units:
        for i in range(len(names)):
            own = [c for c in _mine(found, u) if found.keys[c][2] == i]
            taken[u, i] = -np.diff(cells[:, own].sum(axis=1), axis=0)
            weight[u, i] = cells[-1, own].sum(axis=0)
            if found.regime and own:
                rest = _sum(found, [c for c in _mine(found, u) if c not in own])
                value = log_odds(found, np.stack([_sum(found, _mine(found, u)), rest]))
                weight[u, i] = value[0] - value[1]
            cuts[u, i] = _indicator_cuts(cells[-1, own] * _DECIBANS, found.log_m[:, own] * _DECIBANS)
    dims = (*unit_dims(question), "indicator")
    return xr.Dataset(
        {
            "indicator_weight": ((*dims, "scenario"), by_unit(question, weight * _DECIBANS, 0)),
            "indicator_taken": ((*dims, "part", "scenario"), by_unit(question, taken * _DECIBANS, 0)),
            "indicator_cuts": (dims, by_unit(question, cuts, 0)),
        },
        {"indicator": names, "part": list(PARTS)},
    )


def _indicator_cuts(weight: np.ndarray, log_m: np.ndarray) -> str:
    """Say whether an indicator's cells agree about each scenario, and together tell scenarios apart."""
    if not len(weight):
        return ""
    if np.any((weight.max(axis=0) >= PERCEPTIBLE) & (weight.min(axis=0) <= -PERCEPTIBLE)):
        return BOTH_WAYS
    sure, left = np.ptp(log_m[[0, -1]].sum(axis=1), axis=1)
    if left >= PERCEPTIBLE:
        return ""
    return NOT_AT_ALL if sure < PERCEPTIBLE else LITTLE_LEFT


def _by_report(case: Case, tree: xr.DataTree, found: Readings, labels: list[str]) -> xr.Dataset:
    """Return the weight of leaving each report out, and the chain back to where it stands."""
    evidence = tree["evidence"].to_dataset()
    ids = [str(id) for id in evidence["report"].values]
    by_id = {report.id: report for report in case.evidence.reports}
    cell = {r.id: label for reports, label in zip(found.reports, labels, strict=True) for r in reports}

    def text(name: str) -> tuple[str, np.ndarray]:
        return "report", np.array([str(getattr(by_id[id], name)) for id in ids], dtype=str)

    order = [scenario.id for scenario in case.question.scenarios]
    weight = evidence["weight_of_evidence"].sel(scenario=order).transpose("report", "scenario").values
    day = date.fromisoformat(str(tree.attrs["as_of"]))
    each = report_weights(case.question, case.evidence, day, found, ids) * _DECIBANS
    taken = np.moveaxis(-np.diff(each, axis=0), 0, 1)
    variables: dict[str, Any] = {
        "report_weight": (("report", "scenario"), weight),
        "report_taken": (("report", "part", "scenario"), taken),
    }
    names = ("indicator", "value", "source", "credibility", "citation", "note", "unit")
    variables |= {f"report_{name}": text(name) for name in names}
    lines = np.array([by_id[id].line for id in ids], int)
    variables |= {
        "report_cell": ("report", np.array([cell.get(id, "") for id in ids], dtype=str)),
        "report_line": ("report", lines),
        "report_date": ("report", days([by_id[id].date for id in ids])),
        "report_reported": ("report", days([by_id[id].reported for id in ids])),
        "report_repeats": ("report", np.array([" ".join(by_id[id].repeats) for id in ids], dtype=str)),
    }
    return xr.Dataset(variables, {"report": np.array(ids, dtype=str), "scenario": order})


def _label(question: Question, key: tuple[int, int, int], joined: tuple[int, ...]) -> str:
    """Return a cell's name: its indicators, the last day of its period, and its unit, if it has one."""
    unit, period, i = key
    name = "+".join(question.indicators[n].id for n in (i, *joined)) + f" {question.last_day(period)}"
    return f"{question.units[unit]} {name}" if question.units else name
