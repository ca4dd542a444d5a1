"""What each cell says of each scenario at the means, and what it would say if less were taken away from it.

Five readings of one cell, each with one more of the model's reasons for caution than the one before:

    sure         every report surely true and on its own, no group, no cap
    reliability  each source as reliable, and each report as credible, as it was judged
    repeats      repeats as dependent as they are
    groups       the exponent of the group
    cap          the cap: the cell as it counts in the forecast

What each report weighs when it is left out, read in the five ways in which a cell is read.

For the report r in the cell c, with all other cells as they count in the forecast, with r and without it,

    weight_k(r) = log odds(others, reading k of c) - log odds(others without r, reading k of c without r)

so that the last of the five is the report's weight of evidence, and what one reading has less than the one
before is what that reason for caution took away. Leaving r out may also change other cells: the value that a
later one holds on to, and the exponents of its group.

Why a forecast is what it is: what every cell, indicator and report weighs, and what was taken away.

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

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from forecast.analysis.plug_in import PlugInModel, plug_in_model
from forecast.case.evidence import Report
from forecast.case.folder import Case, load_case
from forecast.case.question import Question
from forecast.inference.data_tree import by_unit, coordinates, days, unit_dims
from forecast.inference.engine import update
from forecast.model.cells import Content, flatten, statement
from forecast.model.hmm import filter_log_likelihood
from forecast.model.likelihood import log_cells
from forecast.model.parameters import Layout
from forecast.model.report_log import Key
from forecast.model.tempering import exponents

#: What took weight away, in the order in which it is taken.
PARTS = ("reliability", "repeats", "groups", "cap")

#: Reliability of a report taken to be surely true. Short of 1, so that sure reports may clash: then as many
#: on either side cancel, and else the majority counts.
SURE = 1.0 - 1e-9

#: Stands for the probability 0 where odds are taken, as in the weights of evidence of the forecast itself.
_NEVER = 1e-300


class Readings(NamedTuple):
    """The cells of a forecast, C of them in the order of unit, period and indicator."""

    keys: tuple[Key, ...]  # unit, period, indicator
    joined: tuple[tuple[int, ...], ...]  # indicators that are given it and speak in the same cell
    reports: tuple[tuple[Report, ...], ...]  # of each cell
    log_m: np.ndarray  # (5, C, K) log likelihood of each reading, exponents included
    exponent: np.ndarray  # (C,)
    prior: np.ndarray  # (K,)
    matrix: np.ndarray  # (K, K) per period
    regime: bool
    periods: int  # T, 1 for a static question: there the evidence of all periods speaks of one scenario


def readings(model: PlugInModel, *, without: str = "") -> Readings:
    """Read every cell that is known on a day in the five ways, all judgements at their means.

    `without` is the id of a report that is left out, as for the weights of evidence of the forecast itself.
    """
    layout, question, index = model.layout, model.layout.question, model.index
    if without:
        key = index.log.key(index.log.report(without))
        index = index.updated([key], model.as_of, frozenset([without]))
    known = index.contents()
    keys, contents = tuple(known), list(known.values())
    reports = [_reports(model, key, content, without) for key, content in known.items()]
    alone = [_independent(content, one, layout) for content, one in zip(contents, reports, strict=True)]
    certain, first = layout.mean.copy(), layout.arrays.reliability
    sources = slice(first, first + layout.arrays.reliabilities)
    certain[sources] = np.maximum(certain[sources], SURE)  # one who is never wrong is surer still
    plain = _log_m(layout, contents, layout.mean)
    grouped, capped = (_exponents(question, keys, plain, cap) for cap in (None, question.cap))
    return Readings(
        keys=keys,
        joined=tuple(tuple(child.indicator for child in content.children) for content in contents),
        reports=tuple(tuple(report for each in one for report in each) for one in reports),
        log_m=np.stack(
            [
                _log_m(layout, [_told_surely(content) for content in alone], certain),
                _log_m(layout, alone, layout.mean),
                plain,
                _power(plain, grouped),
                _power(plain, capped),
            ]
        ),
        exponent=capped,
        prior=layout.mean[: layout.scenarios].copy(),
        matrix=model.filtered.matrix[0],
        regime=question.dynamics is not None,
        periods=1 if question.dynamics is None else question.period(model.as_of) + 1,
    )


def _reports(model: PlugInModel, key: Key, content: Content, without: str) -> list[list[Report]]:
    """Return the reports of a cell, then of each cell that is given it; none of one that has but silence."""
    log = model.index.log
    live = [
        log.live((*key[:2], one.indicator), model.as_of) if one.statements else []
        for one in (content, *content.children)
    ]
    return [[report for report in reports if report.id != without] for reports in live]


def _independent(content: Content, reports: list[list[Report]], layout: Layout) -> Content:
    """Return a cell as if none of its reports repeated another."""
    own, *below = (
        one._replace(
            statements=tuple(
                statement(report, layout, layout.question.indicators[one.indicator], None) for report in mine
            )
        )
        for one, mine in zip((content, *content.children), reports, strict=True)
    )
    return own._replace(children=tuple(below))


def log_odds(found: Readings, log_likelihood: np.ndarray) -> np.ndarray:
    """Return log odds of each scenario in the last period, (N, K), from log L_t(s), (N, T, K)."""
    n = len(log_likelihood)
    prior = np.ascontiguousarray(np.broadcast_to(found.prior, (n, len(found.prior))))
    matrix = np.ascontiguousarray(np.broadcast_to(found.matrix, (n, *found.matrix.shape)))
    alpha, _ = filter_log_likelihood(prior, matrix, np.ascontiguousarray(log_likelihood))
    return odds(alpha[:, -1])


def odds(p: np.ndarray) -> np.ndarray:
    """Return the log odds of each scenario against the rest, (..., K), from probabilities."""
    rest = np.stack([np.delete(p, s, axis=-1).sum(axis=-1) for s in range(p.shape[-1])], axis=-1)
    return np.asarray(np.log(np.maximum(p, _NEVER)) - np.log(np.maximum(rest, _NEVER)))


def _told_surely(content: Content) -> Content:
    """Return a cell as if no report were graded; the reliabilities are up to theta."""
    own = tuple(s._replace(told=1.0, credibility=1.0) for s in content.statements)
    return content._replace(statements=own, children=tuple(map(_told_surely, content.children)))


def _log_m(laid: Layout, contents: list[Content], theta: np.ndarray) -> np.ndarray:
    out = np.empty((len(contents), laid.scenarios))
    log_cells(theta, np.arange(len(contents)), flatten(contents), laid.arrays, out)
    return out


def _exponents(question: Question, keys: tuple[Key, ...], log_m: np.ndarray, cap: float | None) -> np.ndarray:
    group = {name: g for g in question.groups for name in g.indicators}
    mine = [group.get(question.indicators[i].id) for _, _, i in keys]
    together = [(u, t, g.id if g else "", 0 if g else i) for (u, t, i), g in zip(keys, mine, strict=True)]
    return np.array(exponents(log_m, together, [g.correlation if g else 0.0 for g in mine], cap))


def _power(log_m: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """Return log m^e; a cell with exponent 0 says nothing, even where m is 0."""
    out = np.zeros_like(log_m)
    return np.multiply(log_m, exponent[:, None], out=out, where=exponent[:, None] > 0)


def report_weights(model: PlugInModel, found: Readings, ids: Sequence[str]) -> np.ndarray:
    """Return the weight of each report in each reading, (5, R, K), natural logarithms.

    `found` are the readings of all cells. A report that is in none of them (it waits) weighs nothing.
    """
    weight = np.zeros((len(PARTS) + 1, len(ids), len(found.prior)))
    cell = {report.id: c for c, reports in enumerate(found.reports) for report in reports}
    for n, id in enumerate(ids):
        if id in cell:
            key = found.keys[cell[id]]
            less = readings(model, without=id)
            weight[:, n] = log_odds(found, _read(found, key)) - log_odds(less, _read(less, key))
    return weight


def _read(found: Readings, key: tuple[int, int, int]) -> np.ndarray:
    """Return log L_t(s), (5, T, K), of a cell's unit: this cell in each reading, the others as they count."""
    total = np.zeros((len(found.log_m), found.periods, len(found.prior)))
    for c, other in enumerate(found.keys):
        if other[0] == key[0]:
            total[:, other[1] if found.regime else 0] += (
                found.log_m[:, c] if other == key else found.log_m[-1, c]
            )
    return total


#: Evidence whose weights for any two scenarios differ by less than this, in decibans, cuts not at all. One
#: deciban is about the smallest weight of evidence that a person perceives (Turing, as told by Good 1979).
PERCEPTIBLE = 1.0

#: What `cuts` says. Of what cuts not at all, not even a sure report would tell scenarios apart.
NOT_AT_ALL, LITTLE_LEFT, BOTH_WAYS = "not at all", "too little left", "both ways"

_DECIBANS = 10 / np.log(10)
_RULED_OUT = 1e-12


def explain(
    case: Case | str | Path,
    *,
    as_of: date | None = None,
    tree: xr.DataTree | None = None,
    model: PlugInModel | None = None,
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
    model : PlugInModel, optional
        The case on that day, if it has been set up already.

    Returns
    -------
    Dataset
        ``weight``, ``sure_weight``, ``log_likelihood`` (cell, scenario); ``taken`` (cell, part, scenario), in
        the order in which the parts take; ``cuts`` (cell): "" or what :data:`NOT_AT_ALL` and so on say;
        ``indicator_weight`` (indicator, scenario), in a regime that of leaving all its cells out;
        ``indicator_taken`` (indicator, part, scenario), the sum over its cells; ``indicator_cuts``;
        ``report_weight`` (report, scenario), always that of leaving it out, and ``report_taken`` (report,
        part, scenario), what was taken from it (:mod:`forecast.analysis.weight_of_evidence`); the totals
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
    model = plug_in_model(question, case.evidence, day) if model is None else model
    found = readings(model)
    cells = _cell_weights(found)
    now = tree["trend"]["probability"].isel(as_of=-1).sel(scenario=[s.id for s in question.scenarios])
    engine = now.transpose(..., "scenario").values.reshape(-1, len(question.scenarios))
    labels = [_label(question, *named) for named in zip(found.keys, found.joined, strict=True)]
    data = _totals(question, found, cells, odds(engine)).assign_coords(cell=np.array(labels, dtype=str))
    method = "leave one out" if found.regime else "in the order of time"
    return (
        data.merge(_by_cell(question, found, cells, engine))
        .merge(_by_indicator(question, found, cells))
        .merge(_by_report(case, tree, model, found, labels))
        .assign_attrs(
            case=case.name, as_of=day.isoformat(), digest=case.digest, unit="deciban", method=method
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


def _by_report(
    case: Case, tree: xr.DataTree, model: PlugInModel, found: Readings, labels: list[str]
) -> xr.Dataset:
    """Return the weight of leaving each report out, and the chain back to where it stands."""
    evidence = tree["evidence"].to_dataset()
    ids = [str(id) for id in evidence["report"].values]
    by_id = {report.id: report for report in case.evidence.reports}
    cell = {r.id: label for reports, label in zip(found.reports, labels, strict=True) for r in reports}

    def text(name: str) -> tuple[str, np.ndarray]:
        return "report", np.array([str(getattr(by_id[id], name)) for id in ids], dtype=str)

    order = [scenario.id for scenario in case.question.scenarios]
    weight = evidence["weight_of_evidence"].sel(scenario=order).transpose("report", "scenario").values
    each = report_weights(model, found, ids) * _DECIBANS
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
