"""Cells of counts and measures as padded rectangular arrays: part of the ``pm.Data`` of the model."""

from __future__ import annotations

import numpy as np
from scipy.special import digamma, gammaln, log_ndtr, polygamma

from forecast.case.question import Indicator
from forecast.model.error_nodes import error_nodes, spreads
from forecast.model.likelihood import Cells
from forecast.model.measurement_error import rule
from forecast.model.parameters import MEASURE, Layout
from forecast.model.quadrature import LOG_WEIGHT, NODES
from forecast.model.report_terms import ReportTerm

Data = dict[str, np.ndarray]

#: More nodes than these a cell with measurement errors cannot have.
MOST_NODES = 500_000


def number_data(layout: Layout, cells: Cells, rows: np.ndarray) -> Data:
    """Return the rows of counts and measures."""
    of, reports = cells.cell[rows], padded_reports("number", cells, rows)
    indicators = [layout.question.indicators[i] for i in of["indicator"]]
    value, real = reports["number_value"], reports["number_own"] + reports["number_lost"] > 0
    different = [np.unique(y[here]) for y, here in zip(value, real, strict=True)]
    stated = np.zeros((len(rows), max([len(y) for y in different], default=1)))
    present, constant, log_noise = np.zeros(stated.shape), np.zeros(stated.shape), np.zeros(value.shape)
    which, slot, sd = np.zeros(value.shape, np.int64), np.zeros((len(rows), layout.scenarios), np.int64), []
    for n, (indicator, numbers) in enumerate(zip(indicators, different, strict=True)):
        stated[n, : len(numbers)], present[n, : len(numbers)] = numbers, 1.0
        which[n] = np.where(real[n], np.searchsorted(numbers, value[n]), 0)
        log_noise[n] = _log_noise(indicator, np.where(real[n], value[n], 0.0))
        if indicator.kind == "count":
            constant[n, : len(numbers)] = _count_constant(numbers, indicator.dispersion)
        slot[n] = [layout.starts[f"likelihood {indicator.id} {s}"] for s in layout.question.scenario_ids]
        sd.append([getattr(judgement, "sd", 1.0) for judgement in indicator.likelihood])
    return {
        "number_slot": slot,
        "number_sd": np.array(sd).reshape(len(rows), layout.scenarios),
        "number_kind": layout.arrays.indicator["kind"][of["indicator"]],
        "number_dispersion": np.array([indicator.dispersion or 1.0 for indicator in indicators]),
        "number_stated": stated,
        "number_real": present,
        "number_constant": constant,
        "number_which": which,
        "number_log_noise": log_noise,
        **reports,
    }


def erring_data(layout: Layout, cells: Cells, rows: np.ndarray) -> Data:
    """Return the rows of counts and measures in which a reliable report may be off.

    With E rows, J reports and G points of a row: ``stated`` and ``weight`` (E, G) the points x over which the
    true number is summed out, and the logarithms of their weights; the last are what reports without an error
    state. ``read`` (E, J, G) is log g(y | x), and ``given`` tells, of those last points, the reports with
    one: there they are factors beside the others, of which one at least is true.
    """
    of, reports = cells.cell[rows], padded_reports("erring", cells, rows)
    points = [_points(layout, int(c["indicator"]), cells.report[c["first"] : c["end"]]) for c in of]
    shape = len(rows), reports["erring_own"].shape[1], max([len(x) for x, *_ in points], default=1)
    x, weight, constant = np.ones(shape[::2]), np.full(shape[::2], -np.inf), np.zeros(shape[::2])
    read, given, noise = np.full(shape, -np.inf), np.zeros(shape), np.zeros(shape[:2])
    slot, sd = np.zeros((len(rows), layout.scenarios), np.int64), np.ones((len(rows), layout.scenarios))
    indicators = [layout.question.indicators[c["indicator"]] for c in of]
    for n, (indicator, (place, log_w, log_g, beside)) in enumerate(zip(indicators, points, strict=True)):
        size, last = log_g.shape
        x[n, :last], weight[n, :last], read[n, :size, :last] = place, log_w, log_g
        given[n, :size, :last] = beside
        noise[n, :size] = _log_noise(indicator, reports["erring_value"][n, :size])
        if indicator.kind == "count":
            constant[n, :last] = _count_constant(place, indicator.dispersion)
        slot[n] = [layout.starts[f"likelihood {indicator.id} {s}"] for s in layout.question.scenario_ids]
        sd[n] = [getattr(judgement, "sd", 1.0) for judgement in indicator.likelihood]
    return {
        "erring_slot": slot,
        "erring_sd": sd,
        "erring_kind": layout.arrays.indicator["kind"][of["indicator"]],
        "erring_dispersion": np.array([indicator.dispersion or 1.0 for indicator in indicators]),
        "erring_stated": x,
        "erring_weight": weight,
        "erring_constant": constant,
        "erring_read": read,
        "erring_given": given,
        "erring_log_noise": noise,
        **reports,
    }


def _points(layout: Layout, i: int, reports: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the points of a row (G,), their log weights, log g(y | x) (J, G), and what is given."""
    kind = int(layout.arrays.indicator[i]["kind"])
    terms = tuple(ReportTerm(*r.tolist()[: len(ReportTerm._fields)]) for r in reports)
    nodes = error_nodes(kind, spreads(i, layout.arrays), terms, MOST_NODES)
    off, own = reports["error"] > 0, reports["own"] > 0
    if not len(nodes) and (off & own).any():
        name = layout.question.indicators[i].id
        raise ValueError(
            f"{name}: so large a count, so exactly expected, cannot be summed out: use engine smc"
        )
    row = [rule(kind, length) for length in nodes[:, 3]]
    weight = LOG_WEIGHT[row, np.arange(len(nodes)) % NODES] + np.log(nodes[:, 3])
    exact = np.unique(reports["value"][~off & own])
    x = np.concatenate([nodes[:, 0], exact])
    last = np.arange(len(x)) >= len(nodes)
    log_g = np.full((len(reports), len(x)), -np.inf)
    for j, report in enumerate(reports):
        if off[j]:
            log_g[j] = _log_read(kind, float(report["value"]), x, float(report["error"]))
        else:
            log_g[j, last & (x == report["value"])] = 0.0
    return x, np.concatenate([weight, np.zeros(len(exact))]), log_g, off[:, None] & last


def _log_read(kind: int, y: float, x: np.ndarray, error: float) -> np.ndarray:
    """Return log g(y | x): a reliable report states y where the true number is x."""
    if kind == MEASURE:
        return -0.5 * ((y - x) / error) ** 2 - np.log(error * np.sqrt(2.0 * np.pi))
    with np.errstate(divide="ignore"):
        ends = [(np.log(y + half if y + half > 0.5 else 0.0) - np.log1p(x)) / error for half in (0.5, 1.5)]
        near, far = np.where(ends[0] > 0, -ends[1], ends[0]), np.where(ends[0] > 0, -ends[0], ends[1])
        return log_ndtr(far) + np.log1p(-np.exp(log_ndtr(near) - log_ndtr(far)))


def _log_noise(indicator: Indicator, y: np.ndarray) -> np.ndarray:
    """Return log u(y) of numbers, as :func:`forecast.case.number_noise.log_noise`."""
    means = np.array([judgement.mean for judgement in indicator.likelihood], float)
    if indicator.kind == "measure":
        sd = np.array([getattr(judgement, "sd", 0.0) for judgement in indicator.likelihood])
        scale = 3.0 * np.sqrt((sd**2).mean() + means.var())
        with np.errstate(divide="ignore"):
            z = np.log(np.abs(y - means.mean())) - np.log(scale * np.sqrt(3.0))
        return -2.0 * np.logaddexp(0.0, 2.0 * z) - np.log(scale * np.pi * np.sqrt(3.0) / 2.0)
    most = np.ceil(100.0 * means.max())
    total = digamma(most + 2.0) + np.euler_gamma + (most + 1.0) * polygamma(1, most + 2.0)
    return np.minimum(0.0, np.log(most + 1.0) - np.log1p(y)) - np.log1p(y) - np.log(total)


def _count_constant(y: np.ndarray, dispersion: float | None) -> np.ndarray:
    """Return what of log f(y) depends on no mean, apart from 0: of a Poisson, or a negative binomial."""
    y = np.where(y > 0, y, 1.0)
    constant = -_stirling(y) - 0.5 * np.log(2.0 * np.pi * y)
    if dispersion is not None:
        constant += _stirling(y + dispersion) - _stirling(dispersion)
        constant += 0.5 * (np.log(dispersion) - np.log(y + dispersion))
    return constant


def _stirling(x: np.ndarray | float) -> np.ndarray:
    """Return log Gamma(x + 1) - (x + 1/2) log x + x - log(2 pi)/2, by its series where x is large."""
    x = np.asarray(x, float)
    exact = gammaln(x + 1.0) - (x + 0.5) * np.log(x) + x - 0.5 * np.log(2.0 * np.pi)
    series = (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / 1680.0 / x**2) / x**2) / x**2) / x
    return np.where(x > 30.0, series, exact)


def padded_reports(table: str, cells: Cells, rows: np.ndarray) -> Data:
    """Return what the reports of each row add, padded to the same number of reports."""
    first, end = cells.cell["first"][rows], cells.cell["end"][rows]
    most = max(int((end - first).max(initial=1)), 1)
    place = first[:, None] + np.arange(most)
    real = place < end[:, None]
    reports = cells.report if len(cells.report) else np.zeros(1, cells.report.dtype)
    padded = reports[np.where(real, place, 0)]
    padding = {"passed": 1.0, "lost": 0.0, "own": 0.0, "credibility": 0.0, "value": -1.0}
    filled = {f"{table}_{name}": np.where(real, padded[name], empty) for name, empty in padding.items()}
    return filled | {f"{table}_reliability": np.where(real, padded["slot"], 0)}
