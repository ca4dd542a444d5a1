"""Weight of evidence of cells, indicators and reports (Good 1950), and how each is discounted.

For scenario s against the rest, with the judgements at their means, in the period of the as-of date,

    before(s) + sum over cells of weight(s) + interaction(s) = at_means(s)
    at_means(s) + learning(s) = engine(s)
    weight(s) = undiscounted_weight(s) - sum over parts of discount(s)

where each total is 10 log10 odds. The rest is a mixture, whose weights follow the evidence: log likelihood
ratios against it do not add. So a static question's cells enter in the order of time (unit, period, then the
question's order of indicators), and a cell's weight is W(s : cell | what came before): these add up exactly,
and `interaction` is 0. Between two single scenarios the order does not matter: differences of
`log_likelihood` (given relative to the cell's likeliest scenario) add up as they are. In a regime a cell's
weight is that of leaving it out, all other cells as they are; these do not add up, and `interaction` is the
difference.

A discount is the difference of two of five readings of a cell, each with one more reason for caution:

    undiscounted  every report certain and on its own, no group, no cap
    reliability   each source as reliable, and each report as credible, as it was judged
    repeats       repeats as dependent as they are
    groups        the exponent of the group
    cap           the cap: the cell as it counts in the forecast

For a report r of the cell c, with all other cells as they count in the forecast, with r and without it,

    weight_k(r) = log odds(others, reading k of c) - log odds(others without r, reading k of c without r)

so that the last of the five is the report's weight of evidence. Leaving r out may also change other cells:
the value that a later one holds on to, and the exponents of its group.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr

from forecast.analysis.plug_in import HIGHEST_RELIABILITY, PlugInModel, plug_in_model
from forecast.case.evidence import Report
from forecast.case.folder import Case, as_case
from forecast.case.question import Question
from forecast.inference import result
from forecast.inference.data_tree import days, drop_unit_axis, unit_dataset, unit_dims
from forecast.inference.engine import update
from forecast.model.cells import CellContent, ReportTerm, flatten, report_design, report_term, value_code
from forecast.model.hmm import filter_log_likelihood
from forecast.model.likelihood import DECIBAN, log_cells
from forecast.model.parameters import TINY, Layout
from forecast.model.report_log import CellKey
from forecast.model.tempering import cell_exponents

#: The reasons for caution, in the order in which they discount.
PARTS = ("reliability", "repeats", "groups", "cap")

#: Evidence whose weights for any two scenarios differ by less than this, in decibans, is not diagnostic. One
#: deciban is about the smallest weight of evidence that a person perceives (Turing, quoted by Good 1979).
PERCEPTIBLE = 1.0

#: Values of `diagnosticity`. Of what is not diagnostic at all, not even a certain report would be.
NOT_AT_ALL, LITTLE_LEFT, BOTH_WAYS = "not at all", "too little left", "both ways"

_RULED_OUT = 1e-12


class Readings(NamedTuple):
    """The cells of a forecast in five readings: C cells in the order of unit, period and indicator."""

    keys: tuple[CellKey, ...]  # unit, period, indicator
    joined: tuple[tuple[int, ...], ...]  # indicators that are given it and speak in the same cell
    reports: tuple[tuple[Report, ...], ...]  # of each cell
    log_m: np.ndarray  # (5, C, K) log likelihood of each reading, exponents included
    exponent: np.ndarray  # (C,)
    prior: np.ndarray  # (K,)
    matrix: np.ndarray  # (K, K) per period
    regime: bool
    periods: int  # T, 1 for a static question: there the evidence of all periods speaks of one scenario

    def of_unit(self, unit: int) -> list[int]:
        """Return the cells of a unit."""
        return [c for c, key in enumerate(self.keys) if key[0] == unit]

    def time(self, c: int) -> int:
        """Return the period of a cell, 0 in a static question."""
        return self.keys[c][1] if self.regime else 0

    def log_likelihood(self, cells: Sequence[int]) -> np.ndarray:
        """Return log L_t(s), (T, K), of some cells as they count in the forecast."""
        total = np.zeros((self.periods, len(self.prior)))
        for c in cells:
            total[self.time(c)] += self.log_m[-1, c]
        return total

    def in_each_reading(self, key: CellKey) -> np.ndarray:
        """Return log L_t(s), (5, T, K), of a cell's unit: this cell in each reading, others as they count."""
        total = np.zeros((len(self.log_m), self.periods, len(self.prior)))
        for c in self.of_unit(key[0]):
            total[:, self.time(c)] += self.log_m[:, c] if self.keys[c] == key else self.log_m[-1, c]
        return total

    def log_odds(self, log_likelihood: np.ndarray) -> np.ndarray:
        """Return log odds of each scenario in the last period, (N, K), from log L_t(s), (N, T, K)."""
        n = len(log_likelihood)
        prior, matrix = (
            np.ascontiguousarray(np.broadcast_to(each, (n, *each.shape)))
            for each in (self.prior, self.matrix)
        )
        alpha, _ = filter_log_likelihood(prior, matrix, np.ascontiguousarray(log_likelihood))
        return log_odds(alpha[:, -1])


def log_odds(p: np.ndarray) -> np.ndarray:
    """Return the log odds of each scenario against the rest, (..., K), from probabilities."""
    rest = np.stack([np.delete(p, s, axis=-1).sum(axis=-1) for s in range(p.shape[-1])], axis=-1)
    return np.asarray(np.log(np.maximum(p, TINY)) - np.log(np.maximum(rest, TINY)))


def readings(model: PlugInModel, *, without: str = "") -> Readings:
    """Return every cell that is known on a day in the five readings, all judgements at their means.

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
    certain[sources] = np.maximum(certain[sources], HIGHEST_RELIABILITY)
    plain = _log_m(layout, contents, layout.mean)
    undiscounted = _log_m(layout, [_ungraded(content) for content in alone], certain)
    one_by_one = _log_m(layout, alone, layout.mean)
    powers = [np.array(cell_exponents(question, keys, plain, cap)) for cap in (None, question.cap)]
    return Readings(
        keys=keys,
        joined=tuple(tuple(child.indicator for child in content.children) for content in contents),
        reports=tuple(tuple(report for each in one for report in each) for one in reports),
        log_m=np.stack([undiscounted, one_by_one, plain, *(_power(plain, power) for power in powers)]),
        exponent=powers[1],
        prior=layout.mean[: layout.scenarios].copy(),
        matrix=model.filtered.matrix[0],
        regime=question.dynamics is not None,
        periods=1 if question.dynamics is None else question.period(model.as_of) + 1,
    )


def _reports(model: PlugInModel, key: CellKey, content: CellContent, without: str) -> list[list[Report]]:
    """Return the reports of a cell, then of each cell that is given it; none of one that has but silence."""
    log = model.index.log
    live = [
        log.live((*key[:2], one.indicator), model.as_of) if one.terms else []
        for one in (content, *content.children)
    ]
    return [[report for report in reports if report.id != without] for reports in live]


def _independent(content: CellContent, reports: list[list[Report]], layout: Layout) -> CellContent:
    """Return a cell as if none of its reports repeated another."""

    def terms(i: int, reports: list[Report]) -> tuple[ReportTerm, ...]:
        indicator = layout.question.indicators[i]
        designs = [report_design(report, (), layout) for report in reports]
        values = [value_code(report, indicator) for report in reports]
        both = zip(designs, values, strict=True)
        return tuple(report_term(design, (), value, layout, i) for design, value in both)

    own, *below = (
        one._replace(terms=terms(one.indicator, mine))
        for one, mine in zip((content, *content.children), reports, strict=True)
    )
    return own._replace(children=tuple(below))


def _ungraded(content: CellContent) -> CellContent:
    """Return a cell as if no report were graded; the reliabilities are up to theta."""
    own = tuple(s._replace(truth=1.0, credibility=1.0) for s in content.terms)
    return content._replace(terms=own, children=tuple(map(_ungraded, content.children)))


def _log_m(layout: Layout, contents: list[CellContent], theta: np.ndarray) -> np.ndarray:
    out = np.empty((len(contents), layout.scenarios))
    log_cells(theta, np.arange(len(contents)), flatten(contents), layout.arrays, out)
    return out


def _power(log_m: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """Return the log of m to the power e; 0 where the exponent is 0, even where m = 0."""
    out = np.zeros_like(log_m)
    return np.multiply(log_m, exponent[:, None], out=out, where=exponent[:, None] > 0)


def report_weights(model: PlugInModel, whole: Readings, ids: Sequence[str]) -> np.ndarray:
    """Return the weight of each report at each stage of discounting, (5, R, K), in nats.

    `whole` has the readings of all cells. A report that is in none of them (it waits) weighs nothing.
    """
    weight = np.zeros((len(PARTS) + 1, len(ids), len(whole.prior)))
    cell = {report.id: c for c, reports in enumerate(whole.reports) for report in reports}
    for n, id in enumerate(ids):
        if id in cell:
            key = whole.keys[cell[id]]
            less = readings(model, without=id)
            with_it, without = (one.log_odds(one.in_each_reading(key)) for one in (whole, less))
            weight[:, n] = with_it - without
    return weight


def explain(
    case: Case | str | Path,
    *,
    as_of: date | None = None,
    tree: xr.DataTree | None = None,
    model: PlugInModel | None = None,
) -> xr.Dataset:
    """Return the weight of evidence of each cell, indicator and report, in decibans.

    How the parts add up is at the top of the module.

    Parameters
    ----------
    case : Case or path
    as_of : date, optional
        The date whose knowledge is used, if there is no `tree`; default as for :func:`forecast.update`.
    tree : DataTree, optional
        What :func:`forecast.update` returned for this case; default: it is run.
    model : PlugInModel, optional
        The case on that day, if it has been set up already.

    Returns
    -------
    Dataset
        ``weight``, ``undiscounted_weight``, ``log_likelihood`` (cell, scenario); ``discount`` (cell, part,
        scenario), in the order of the parts; ``diagnosticity`` (cell): "", or one of :data:`NOT_AT_ALL` etc;
        ``indicator_weight`` (indicator, scenario), in a regime that of leaving all its cells out;
        ``indicator_discount`` (indicator, part, scenario), the sum over its cells;
        ``indicator_diagnosticity``; ``report_weight`` (report, scenario), always that of leaving it out, and
        ``report_discount`` (report, part, scenario); the totals ``before``, ``interaction``, ``at_means``,
        ``learning``, ``engine`` (scenario), and where every cell and report comes from. With units, totals
        and indicators have a dimension ``unit``.

    Raises
    ------
    InputError, ValueError
        If the case is at fault; if `tree` is not of this case as it is.

    Examples
    --------
    >>> forecast.explain("scenarios/isis-jn-2014")["weight"]  # doctest: +SKIP
    """
    case = as_case(case)
    tree = update(case, as_of=as_of) if tree is None else tree
    result.require_current(case, tree)
    day = result.as_of(tree)
    case = case.on(day)
    model = plug_in_model(case.question, case.evidence, day) if model is None else model
    question, whole = case.question, readings(model)
    weights, engine = _cell_weights(whole), result.now_and_horizon(tree, question.scenario_ids)[0]
    labels = [_label(question, *named) for named in zip(whole.keys, whole.joined, strict=True)]
    data = _totals(question, whole, weights, log_odds(engine)).assign_coords(cell=np.array(labels, dtype=str))
    data = data.merge(_by_cell(question, whole, weights, engine))
    data = data.merge(_by_indicator(question, whole, weights))
    data = data.merge(_by_report(case, tree, model, whole, labels))
    method = "leave one out" if whole.regime else "in the order of time"
    attrs = {"case": case.name, "as_of": day.isoformat(), "digest": case.digest}
    return data.assign_attrs(attrs | {"unit": "deciban", "method": method})


def _totals(question: Question, whole: Readings, weights: np.ndarray, engine: np.ndarray) -> xr.Dataset:
    """Return the terms of the sum that are no cell's; weights (5, C, K), engine (U, K) log odds."""
    units = [whole.of_unit(u) for u in range(len(engine))]
    evidence = np.stack([whole.log_likelihood(cells) for cells in units])
    before, at_means = whole.log_odds(np.zeros_like(evidence)), whole.log_odds(evidence)
    sums = np.stack([weights[-1, cells].sum(axis=0) for cells in units])
    totals = {"before": before, "interaction": at_means - before - sums, "at_means": at_means}
    totals |= {"learning": engine - at_means, "engine": engine}
    return unit_dataset(question, {name: value * DECIBAN for name, value in totals.items()}, ())


def _cell_weights(whole: Readings) -> np.ndarray:
    """Return the weight of each reading of each cell, (5, C, K), natural logarithms."""
    weights = np.zeros_like(whole.log_m)
    for c, (unit, _, _) in enumerate(whole.keys):
        others = [n for n in whole.of_unit(unit) if (n != c if whole.regime else n < c)]
        at = whole.time(c)
        both = np.repeat(whole.log_likelihood(others)[None], len(whole.log_m) + 1, axis=0)
        both[1:, at] += whole.log_m[:, c]
        # What the sum over all cells goes through must be met bit by bit, so that the parts add up.
        both[-1, at] = whole.log_likelihood(sorted([*others, c]))[at]
        value = whole.log_odds(both)
        weights[:, c] = value[1:] - value[0]
    return weights


def _discounts(weights: np.ndarray) -> np.ndarray:
    """Return what each part discounts, (..., 4, K), from weights (5, ..., K)."""
    return np.moveaxis(-np.diff(weights, axis=0), 0, -2)


def _by_cell(question: Question, whole: Readings, weights: np.ndarray, engine: np.ndarray) -> xr.Dataset:
    best = whole.log_m[-1].max(axis=1, keepdims=True, initial=-np.inf)
    log_m = (whole.log_m[-1] - np.where(np.isfinite(best), best, 0.0)) * DECIBAN
    certain = whole.log_m[0] * DECIBAN
    keys, periods = whole.keys, [t for _, t, _ in whole.keys]
    texts = {
        "diagnosticity": [_diagnosticity(log_m[c], certain[c], engine[k[0]]) for c, k in enumerate(keys)],
        "cell_indicator": [question.indicators[i].id for _, _, i in keys],
        "cell_unit": [question.unit_names[u] for u, _, _ in keys],
    }
    return xr.Dataset(
        {
            "weight": (("cell", "scenario"), weights[-1] * DECIBAN),
            "undiscounted_weight": (("cell", "scenario"), weights[0] * DECIBAN),
            "discount": (("cell", "part", "scenario"), _discounts(weights) * DECIBAN),
            "log_likelihood": (("cell", "scenario"), log_m),
            "exponent": ("cell", whole.exponent),
            "cell_period": ("cell", np.array(periods, int)),
            "cell_period_end": ("cell", days([question.last_day(t) for t in periods])),
            **{name: ("cell", np.array(text, dtype=str)) for name, text in texts.items()},
        }
    )


def _diagnosticity(log_m: np.ndarray, certain: np.ndarray, engine: np.ndarray) -> str:
    """Say whether a cell distinguishes scenarios, and whether all of them the same way from the leader.

    What a forecast has ruled out is no rival: to distinguish it is worth nothing.
    """
    possible = engine > _RULED_OUT
    log_m, certain, engine = log_m[possible], certain[possible], engine[possible]
    if np.ptp(log_m) < PERCEPTIBLE:
        return NOT_AT_ALL if np.ptp(certain) < PERCEPTIBLE else LITTLE_LEFT
    lead = int(engine.argmax())
    against = np.delete(log_m - log_m[lead], lead) if np.isfinite(log_m[lead]) else np.zeros(1)
    return BOTH_WAYS if against.max() >= PERCEPTIBLE and against.min() <= -PERCEPTIBLE else ""


def _by_indicator(question: Question, whole: Readings, weights: np.ndarray) -> xr.Dataset:
    """Return what each indicator weighs: the sum of its cells, or in a regime that of leaving all out."""
    names = [i.id for i in question.indicators]
    shape = question.unit_count, len(names)
    weight = np.zeros((*shape, weights.shape[-1]))
    discount = np.zeros((*shape, len(PARTS), weights.shape[-1]))
    diagnosticity = np.full(shape, "", dtype="<U15")
    for u, i in np.ndindex(shape):
        every = whole.of_unit(u)
        own = [c for c in every if whole.keys[c][2] == i]
        discount[u, i] = _discounts(weights[:, own].sum(axis=1))
        weight[u, i] = weights[-1, own].sum(axis=0)
        if whole.regime and own:
            parts = [whole.log_likelihood(every), whole.log_likelihood([c for c in every if c not in own])]
            value = whole.log_odds(np.stack(parts))
            weight[u, i] = value[0] - value[1]
        diagnosticity[u, i] = _indicator_diagnosticity(weights[-1, own], whole.log_m[:, own])
    dims = (*unit_dims(question), "indicator")
    values = {
        "indicator_weight": ((*dims, "scenario"), weight * DECIBAN),
        "indicator_discount": ((*dims, "part", "scenario"), discount * DECIBAN),
        "indicator_diagnosticity": (dims, diagnosticity),
    }
    variables = {name: (where, drop_unit_axis(question, value, 0)) for name, (where, value) in values.items()}
    return xr.Dataset(variables, {"indicator": names, "part": list(PARTS)})


def _indicator_diagnosticity(weight: np.ndarray, log_m: np.ndarray) -> str:
    """Say whether an indicator's cells agree about each scenario, and together distinguish scenarios."""
    if not len(weight):
        return ""
    weight, log_m = weight * DECIBAN, log_m * DECIBAN
    if np.any((weight.max(axis=0) >= PERCEPTIBLE) & (weight.min(axis=0) <= -PERCEPTIBLE)):
        return BOTH_WAYS
    certain, left = np.ptp(log_m[[0, -1]].sum(axis=1), axis=1)
    if left >= PERCEPTIBLE:
        return ""
    return NOT_AT_ALL if certain < PERCEPTIBLE else LITTLE_LEFT


def _by_report(
    case: Case, tree: xr.DataTree, model: PlugInModel, whole: Readings, labels: list[str]
) -> xr.Dataset:
    """Return variables by report: leave-one-out weight, discounts, cell, text and line in the log."""
    evidence = tree["evidence"].to_dataset()
    ids = [str(id) for id in evidence["report"].values]
    by_id = {report.id: report for report in case.evidence.reports}
    cell = {r.id: label for reports, label in zip(whole.reports, labels, strict=True) for r in reports}
    order = list(case.question.scenario_ids)
    weight = evidence["weight_of_evidence"].sel(scenario=order).transpose("report", "scenario").values
    discount = _discounts(report_weights(model, whole, ids) * DECIBAN)
    variables = {
        "report_weight": (("report", "scenario"), weight),
        "report_discount": (("report", "part", "scenario"), discount),
        **report_columns([by_id[id] for id in ids], ("credibility", "citation", "note", "unit", "repeats")),
        "report_cell": ("report", np.array([cell.get(id, "") for id in ids], dtype=str)),
    }
    return xr.Dataset(variables, {"report": np.array(ids, dtype=str), "scenario": order})


def report_columns(reports: Sequence[Report], names: Sequence[str]) -> dict[str, tuple[str, np.ndarray]]:
    """Return what the log says of reports, and where, as variables by report; `names` are texts of a row."""

    def text(report: Report, name: str) -> str:
        value = getattr(report, name)
        return "" if value is None else " ".join(value) if isinstance(value, tuple) else str(value)

    columns = {
        name: np.array([text(report, name) for report in reports], dtype=str)
        for name in ("indicator", "value", "source", *names)
    }
    columns["line"] = np.array([report.line for report in reports], int)
    columns |= {name: days([getattr(r, name) for r in reports]) for name in ("date", "reported")}
    return {f"report_{name}": ("report", column) for name, column in columns.items()}


def _label(question: Question, key: tuple[int, int, int], joined: tuple[int, ...]) -> str:
    """Return a cell's name: its indicators, the last day of its period, and its unit, if it has one."""
    unit, period, i = key
    name = "+".join(question.indicators[n].id for n in (i, *joined)) + f" {question.last_day(period)}"
    return f"{question.units[unit]} {name}" if question.units else name
