"""Weight of evidence of cells, indicators and reports (Good 1950), and how each is discounted.

For scenario s against the rest, with the judgements at their means, in the period of the as-of date,

    before(s) + sum over cells of weight(s) + interaction(s) = at_means(s)
    at_means(s) + learning(s) = engine(s)
    weight(s) = undiscounted_weight(s) - sum over parts of discount(s)

where each total is 10 log10 odds. The rest is a mixture, whose weights follow the evidence: log likelihood
ratios against it do not add. So a static question's cells enter in the order of time (unit, period, then the
question's order of indicators), and a cell's weight is W(s : cell | what came before): these add up exactly,
and `interaction` is 0. Between two single scenarios the order does not matter: differences of
`log_likelihood` (given relative to the cell's likeliest scenario) add up as they are. Where the truth may
move a cell's weight is that of leaving it out, all other cells as they are; these do not add up, and
`interaction` is the difference.

Silence is evidence too. The periods in which nothing was reported of an indicator, although it was watched,
are one entry: each is a cell, which enters in its turn; the entry is their sum, and where the truth may move
it is the weight of leaving them all out.

A discount is the difference of two of the five readings of :mod:`forecast.analysis.readings`. For a report r
of the cell c, with all other cells as they count in the forecast, with r and without it,

    weight_k(r) = log odds(others, reading k of c) - log odds(others without r, reading k of c without r)

so that the last of the five is the report's weight of evidence. Leaving r out may also change exponents: of
its group, and of later cells of a state that goes on. It does not turn its cell into a silent one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy.special import softmax

from forecast.analysis.plug_in import PlugInModel, plug_in_model
from forecast.analysis.readings import PARTS, Readings, Variants, log_odds, readings, report_weights
from forecast.case.evidence import Report
from forecast.case.folder import Case, as_case
from forecast.case.question import Question
from forecast.inference import result
from forecast.inference.data_tree import days, drop_unit_axis, unit_dataset, unit_dims
from forecast.inference.engine import update
from forecast.model.likelihood import DECIBAN

#: Evidence whose weights for any two scenarios differ by less than this, in decibans, is not diagnostic. One
#: deciban is about the smallest weight of evidence that a person perceives (Turing, quoted by Good 1979).
PERCEPTIBLE = 1.0

#: Values of `diagnosticity`. Of what is not diagnostic at all, not even a certain report would be.
NOT_AT_ALL, LITTLE_LEFT, BOTH_WAYS = "not at all", "too little left", "both ways"

_RULED_OUT = 1e-12


class Entry(NamedTuple):
    """A line of the explanation: a cell with reports, or all periods of silence about one indicator."""

    unit: int
    indicator: int
    cells: tuple[int, ...]  # in the order of time
    silent: bool


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
    model = plug_in_model(case.question, case.evidence, day, tree) if model is None else model
    question, whole = case.question, readings(model)
    entries, engine = _entries(whole), result.now_and_horizon(tree, question.scenario_ids)[0]
    weighed = _Weighed.of(whole, entries)
    labels = [_label(question, whole, entry) for entry in entries]
    data = _totals(question, weighed, log_odds(engine)).assign_coords(cell=np.array(labels, dtype=str))
    data = data.merge(_by_entry(question, whole, weighed, engine))
    data = data.merge(_by_indicator(question, whole, weighed))
    data = data.merge(_by_report(case, tree, whole, dict(zip(labels, entries, strict=True))))
    method = "in the order of time" if whole.static else "leave one out"
    attrs = {"case": case.name, "as_of": day.isoformat(), "digest": case.digest}
    return data.assign_attrs(attrs | {"unit": "deciban", "method": method})


def _entries(whole: Readings) -> list[Entry]:
    """Return the lines of the explanation, by unit and by the (last) period that they speak of."""
    silent: dict[tuple[int, int], list[int]] = {}
    entries = []
    for c, (unit, _, i) in enumerate(whole.keys):
        if whole.reports[c]:
            entries.append(Entry(unit, i, (c,), False))
        else:
            silent.setdefault((unit, i), []).append(c)
    entries += [Entry(*key, tuple(cells), True) for key, cells in silent.items()]
    return sorted(entries, key=lambda entry: (entry.unit, entry.cells[-1]))


class _Weighed(NamedTuple):
    """What a forecast is made of, natural logarithms: E entries, U units, I indicators."""

    entries: list[Entry]
    weight: np.ndarray  # (5, E, K) in each reading
    indicator: np.ndarray  # (U, I, K)
    before: np.ndarray  # (U, K)
    at_means: np.ndarray  # (U, K)

    @classmethod
    def of(cls, whole: Readings, entries: list[Entry]) -> _Weighed:
        """Weigh the entries, in a static question in the order of time, else by leaving each out."""
        question = whole.layout.question
        units, size = question.unit_count, whole.layout.scenarios
        weight, total = np.zeros((5, len(entries), size)), np.zeros((2, units, size))
        indicator = np.zeros((units, len(question.indicators), size))
        for u in range(units):
            mine = [n for n, entry in enumerate(entries) if entry.unit == u]
            some = [entries[n] for n in mine]
            weigh = _in_order_of_time if whole.static else _left_out
            weight[:, mine], indicator[u], total[:, u] = weigh(whole, u, some)
        return cls(entries, weight, indicator, *total)


Weights = tuple[np.ndarray, np.ndarray, np.ndarray]  # (5, E, K), (I, K), (2, K) before and at the means


def _in_order_of_time(whole: Readings, unit: int, entries: Sequence[Entry]) -> Weights:
    """Return the weights of one unit's entries, each of its cells given those before it."""
    cells, size = whole.of_unit(unit), whole.layout.scenarios
    place = {c: n for n, c in enumerate(cells)}
    with np.errstate(divide="ignore"):
        prior = np.log(whole.theta[:size])
    known = prior + np.concatenate([np.zeros((1, size)), np.cumsum(whole.log_m[-1, cells], axis=0)])
    odds = log_odds(softmax(known, axis=1))
    each = log_odds(softmax(known[:-1] + whole.log_m[:, cells], axis=-1)) - odds[:-1]
    rows = [[place[c] for c in entry.cells] for entry in entries]
    weight = np.stack([each[:, row].sum(axis=1) for row in rows], axis=1) if rows else np.zeros((5, 0, size))
    indicator = np.zeros((len(whole.layout.question.indicators), size))
    for entry, mine in zip(entries, weight[-1], strict=True):
        indicator[entry.indicator] += mine
    return weight, indicator, odds[[0, -1]]


def _left_out(whole: Readings, unit: int, entries: Sequence[Entry]) -> Weights:
    """Return the weights of one unit's entries, each by leaving its cells out of all."""
    variants, cells = Variants(whole, unit), whole.of_unit(unit)
    totals = [variants.add({}, kept=()), variants.add({})]
    without = [variants.add(dict.fromkeys(entry.cells, -1)) for entry in entries]
    read = [
        [variants.add({c: variants.kind(c, k) for c in entry.cells}) for entry in entries] for k in range(5)
    ]
    numbers = range(len(whole.layout.question.indicators))
    rest = [variants.add({c: -1 for c in cells if whole.keys[c][2] == i}) for i in numbers]
    odds = variants.log_odds()
    weight = odds[np.array(read, int).reshape(5, -1)] - odds[without]
    return weight, odds[totals[1]] - odds[rest], odds[totals]


def _totals(question: Question, weighed: _Weighed, engine: np.ndarray) -> xr.Dataset:
    """Return the terms of the sum that are no entry's; engine (U, K) log odds."""
    before, at_means = weighed.before, weighed.at_means
    sums = np.zeros_like(before)
    for entry, weight in zip(weighed.entries, weighed.weight[-1], strict=True):
        sums[entry.unit] += weight
    totals = {"before": before, "interaction": at_means - before - sums, "at_means": at_means}
    totals |= {"learning": engine - at_means, "engine": engine}
    return unit_dataset(question, {name: value * DECIBAN for name, value in totals.items()}, ())


def _discounts(weights: np.ndarray) -> np.ndarray:
    """Return what each part discounts, (..., 4, K), from weights (5, ..., K)."""
    return np.moveaxis(-np.diff(weights, axis=0), 0, -2)


def _log_likelihoods(whole: Readings, entries: Sequence[Entry], reading: int) -> np.ndarray:
    """Return the log likelihood of each entry in one reading, (E, K), in decibans."""
    rows = [whole.log_m[reading, list(entry.cells)].sum(axis=0) for entry in entries]
    return np.array(rows).reshape(len(entries), whole.layout.scenarios) * DECIBAN


def _by_entry(question: Question, whole: Readings, weighed: _Weighed, engine: np.ndarray) -> xr.Dataset:
    entries, weights = weighed.entries, weighed.weight
    log_m, certain = _log_likelihoods(whole, entries, -1), _log_likelihoods(whole, entries, 0)
    best = log_m.max(axis=1, keepdims=True, initial=-np.inf)
    log_m = log_m - np.where(np.isfinite(best), best, 0.0)
    first, last = ([whole.keys[entry.cells[n]][1] for entry in entries] for n in (0, -1))
    texts = {
        "diagnosticity": [
            _diagnosticity(one, certain_one, engine[entry.unit])
            for entry, one, certain_one in zip(entries, log_m, certain, strict=True)
        ],
        "cell_indicator": [question.indicators[entry.indicator].id for entry in entries],
        "cell_unit": [question.unit_names[entry.unit] for entry in entries],
    }
    return xr.Dataset(
        {
            "weight": (("cell", "scenario"), weights[-1] * DECIBAN),
            "undiscounted_weight": (("cell", "scenario"), weights[0] * DECIBAN),
            "discount": (("cell", "part", "scenario"), _discounts(weights) * DECIBAN),
            "log_likelihood": (("cell", "scenario"), log_m),
            "exponent": ("cell", np.array([whole.exponent[-1, list(e.cells)].min() for e in entries], float)),
            "cell_period": ("cell", np.array(last, int)),
            "cell_period_end": ("cell", days([question.last_day(t) for t in last])),
            "cell_first_period_end": ("cell", days([question.last_day(t) for t in first])),
            "cell_silent": ("cell", np.array([len(e.cells) if e.silent else 0 for e in entries], int)),
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


def _by_indicator(question: Question, whole: Readings, weighed: _Weighed) -> xr.Dataset:
    """Return what each indicator weighs: the sum of its entries, or that of leaving all its cells out."""
    names = [i.id for i in question.indicators]
    shape = question.unit_count, len(names)
    discount = np.zeros((*shape, len(PARTS), whole.layout.scenarios))
    diagnosticity = np.full(shape, "", dtype="<U15")
    for u, i in np.ndindex(shape):
        own = [n for n, e in enumerate(weighed.entries) if (e.unit, e.indicator) == (u, i)]
        entries, weight = [weighed.entries[n] for n in own], weighed.weight[:, own]
        discount[u, i] = _discounts(weight.sum(axis=1))
        reported = [n for n, entry in enumerate(entries) if not entry.silent]
        log_m = np.stack([_log_likelihoods(whole, entries, k).sum(axis=0) for k in (0, -1)])
        diagnosticity[u, i] = _indicator_diagnosticity(weight[-1, reported], log_m) if entries else ""
    dims = (*unit_dims(question), "indicator")
    values = {
        "indicator_weight": ((*dims, "scenario"), weighed.indicator * DECIBAN),
        "indicator_discount": ((*dims, "part", "scenario"), discount * DECIBAN),
        "indicator_diagnosticity": (dims, diagnosticity),
    }
    variables = {name: (where, drop_unit_axis(question, value, 0)) for name, (where, value) in values.items()}
    return xr.Dataset(variables, {"indicator": names, "part": list(PARTS)})


def _indicator_diagnosticity(weight: np.ndarray, log_m: np.ndarray) -> str:
    """Say whether cells with reports agree about each scenario, and with silence distinguish scenarios.

    weight (n, K) nats; log_m (2, K) of certain reports, and as they count, in decibans.
    """
    weight = weight * DECIBAN
    high, low = weight.max(axis=0, initial=0.0), weight.min(axis=0, initial=0.0)
    if np.any((high >= PERCEPTIBLE) & (low <= -PERCEPTIBLE)):
        return BOTH_WAYS
    certain, left = np.ptp(log_m, axis=1)
    if left >= PERCEPTIBLE:
        return ""
    return NOT_AT_ALL if certain < PERCEPTIBLE else LITTLE_LEFT


def _by_report(case: Case, tree: xr.DataTree, whole: Readings, entries: Mapping[str, Entry]) -> xr.Dataset:
    """Return variables by report: leave-one-out weight, discounts, cell, text and line in the log."""
    evidence = tree["evidence"].to_dataset()
    ids = [str(id) for id in evidence["report"].values]
    by_id = {report.id: report for report in case.evidence.reports}
    cell = {r.id: label for label, entry in entries.items() for c in entry.cells for r in whole.reports[c]}
    order = list(case.question.scenario_ids)
    weight = evidence["weight_of_evidence"].sel(scenario=order).transpose("report", "scenario").values
    discount = _discounts(report_weights(whole, ids) * DECIBAN)
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


def _label(question: Question, whole: Readings, entry: Entry) -> str:
    """Return an entry's name: its unit, its indicators, the last day of its period or how often silent."""
    content, (unit, period, i) = whole.contents[entry.cells[-1]][2], whole.keys[entry.cells[-1]]
    given = () if entry.silent else (child.indicator for child in content.children)
    name = "+".join(question.indicators[n].id for n in (i, *given))
    if entry.silent:
        number, kind = len(entry.cells), {7: "week", 1: "day"}.get(question.period_days, "period")
        name = f"no report of {name}, {number} {kind}{'s' * (number > 1)}"
    else:
        name = f"{name} {question.last_day(period)}"
    return f"{question.units[unit]} {name}" if question.units else name
