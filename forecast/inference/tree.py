"""The result: one DataTree that every ArviZ function accepts."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import xarray as xr

from forecast.case.evidence import Report
from forecast.case.question import Question
from forecast.inference.chain import Chain
from forecast.inference.summary import Draws, Estimate, estimate, smoothed
from forecast.model.dynamics import outlook
from forecast.model.filtering import smooth
from forecast.model.layout import Layout
from forecast.model.problem import Problem

Variable = tuple[tuple[str, ...], np.ndarray]


def days(dates: list[date]) -> np.ndarray:
    """Return dates as xarray likes them."""
    return np.array(dates, dtype="datetime64[ns]")


def unit_dims(question: Question) -> tuple[str, ...]:
    """Return the dimension of units, if the question is asked of several."""
    return ("unit",) if question.units else ()


def by_unit(question: Question, value: np.ndarray, axis: int) -> np.ndarray:
    """Drop the axis of units where the question is asked of one."""
    return value if question.units else value.squeeze(axis)


def coordinates(question: Question) -> dict[str, Any]:
    """Return the coordinates that groups share."""
    shared: dict[str, Any] = {"scenario": [s.id for s in question.scenarios]}
    return shared | ({"unit": list(question.units)} if question.units else {})


def trend(problem: Problem, chains: list[Chain], last: Estimate) -> xr.Dataset:
    """Return the probability now, as known on each trend date; the last is that of the draws."""
    question = problem.layout.question
    rows = []
    for k in range(len(problem.steps) - 1):
        value = np.stack([chain.probability[k] for chain in chains])
        rows.append(estimate(value, np.stack([chain.weight[k] for chain in chains])))
    rows.append(last)
    dims = ("as_of", *unit_dims(question), "scenario")
    values = {name: np.stack([getattr(row, name) for row in rows]) for name in Estimate._fields}
    return xr.Dataset(
        {name: (dims, by_unit(question, value, 1)) for name, value in values.items()},
        coordinates(question) | {"as_of": days([step.date for step in problem.steps])},
    )


def look_ahead(
    question: Question, as_of: date, draws: Draws, size: np.ndarray
) -> tuple[xr.Dataset, np.ndarray]:
    """Return the outlook to the horizon, and its last point draw by draw, (C, M, U, K).

    `size` (C,) is the effective size of the particles behind the draws.
    """
    now, period = draws.alpha[..., -1, :], question.period(as_of)
    steps = question.period(question.horizon) - period
    matrix = draws.matrix[:, :, None]
    ahead, ever = outlook(now, matrix, steps, include_now=question.last_day(period) > as_of)
    found = estimate(np.moveaxis(ahead, -2, 2), size=size)
    dims = ("date", *unit_dims(question), "scenario")
    variables: dict[str, Variable] = {
        name: (dims, by_unit(question, getattr(found, name), 1)) for name in Estimate._fields
    }
    variables["ever"] = (dims[1:], by_unit(question, ever.mean(axis=(0, 1)), 0))
    ends = [min(question.last_day(period + h), question.horizon) for h in range(steps + 1)]
    data = xr.Dataset(variables, coordinates(question) | {"date": days(ends)})
    return data, ahead[..., -1, :]


def hindsight(question: Question, draws: Draws) -> xr.Dataset:
    """Return filtered and smoothed probabilities of every period, with everything known now."""
    filtered = np.moveaxis(draws.alpha.mean(axis=(0, 1)), 1, 0)
    after = np.moveaxis(smoothed(draws, smooth), 1, 0)
    if question.dynamics is None:
        after = np.broadcast_to(filtered[-1:], filtered.shape)
    dims = ("period", *unit_dims(question), "scenario")
    periods = np.arange(len(filtered))
    return xr.Dataset(
        {"filtered": (dims, by_unit(question, filtered, 1)), "smoothed": (dims, by_unit(question, after, 1))},
        coordinates(question)
        | {
            "period": periods,
            "period_end": ("period", days([question.last_day(int(t)) for t in periods])),
        },
    )


def judgements(layout: Layout, theta: np.ndarray) -> dict[str, Variable]:
    """Return theta (C, M, D) under the analyst's own names."""
    question, sample = layout.question, ("chain", "draw")
    at = {block.name: theta[..., block.slots] for block in layout.blocks}
    ids = [s.id for s in question.scenarios]
    named: dict[str, Variable] = {"prior": ((*sample, "scenario"), at["prior"])}
    for indicator in question.indicators:
        value = np.stack([at[f"likelihood {indicator.id} {s}"] for s in ids], axis=2)
        if indicator.values:
            named[f"likelihood_{indicator.id}"] = ((*sample, "scenario", f"{indicator.id}_value"), value)
        else:
            named[f"likelihood_{indicator.id}"] = ((*sample, "scenario"), value[..., 0])
    if question.sources:
        sources = [at[f"reliability {s.id}"] for s in question.sources]
        named["reliability"] = ((*sample, "source"), np.concatenate(sources, axis=-1))
    if layout.testimonies:
        told = [at[f"testimony {name}"] for name in layout.testimonies]
        named["testimony_reliability"] = ((*sample, "testimony"), np.concatenate(told, axis=-1))
    left = leaving(question)
    if left:
        rate = np.concatenate([at[f"leave {s}"] for s in left], axis=-1)
        named["lasts"] = ((*sample, "leaving_scenario"), 1.0 / rate)
        then = np.stack([at[f"then {s}"] for s in left], axis=2)
        named["then"] = ((*sample, "leaving_scenario", "to_scenario"), then)
    elif f"transition {ids[0]}" in at:
        rows = np.stack([at[f"transition {s}"] for s in ids], axis=2)
        named["transition"] = ((*sample, "scenario", "to_scenario"), rows)
    return named


def leaving(question: Question) -> list[str]:
    """Return the scenarios that moves can leave."""
    rates = getattr(question.dynamics, "leave", ())
    return [s.id for s, rate in zip(question.scenarios, rates, strict=bool(rates)) if rate.mean > 0]


def theta_coordinates(layout: Layout) -> dict[str, Any]:
    """Return the coordinates of theta's names."""
    question = layout.question
    found: dict[str, Any] = coordinates(question) | {"source": [s.id for s in question.sources]}
    found |= {f"{i.id}_value": list(i.values) for i in question.indicators if i.values}
    found["testimony"] = list(layout.testimonies)
    found["to_scenario"] = found["scenario"]
    found["leaving_scenario"] = leaving(question)
    return found


def dataset(variables: dict[str, Variable], coords: dict[str, Any]) -> xr.Dataset:
    """Return a Dataset with those coordinates that its variables need."""
    used = {dim for dims, _ in variables.values() for dim in dims}
    return xr.Dataset(variables, {name: value for name, value in coords.items() if name in used})


def numbered(data: xr.Dataset) -> xr.Dataset:
    """Return a Dataset whose chains and draws are numbered, as ArviZ has them."""
    return data.assign_coords({d: np.arange(data.sizes[d]) for d in ("chain", "draw") if d in data.dims})


def log_prior(layout: Layout, theta: np.ndarray) -> xr.Dataset:
    """Return the log prior density of each uncertain judgement at theta (C, M, D)."""
    return xr.Dataset(
        {
            block.name.replace(" ", "_"): (("chain", "draw"), block.log_density(theta))
            for block in layout.blocks
            if block.free
        }
    )


def posterior(layout: Layout, draws: Draws, horizon: np.ndarray) -> xr.Dataset:
    """Return the scenario probabilities of each draw, now and at the horizon, and theta."""
    question = layout.question
    dims = ("chain", "draw", *unit_dims(question), "scenario")
    named: dict[str, Variable] = {
        "scenario_probability": (dims, by_unit(question, draws.alpha[..., -1, :], 2)),
        "horizon_probability": (dims, by_unit(question, horizon, 2)),
    }
    return dataset(named | judgements(layout, draws.theta), theta_coordinates(layout))


def prior(layout: Layout, draws: Draws) -> xr.Dataset:
    """Return theta drawn from its prior."""
    return dataset(judgements(layout, draws.prior), theta_coordinates(layout))


def log_likelihood(question: Question, draws: Draws) -> xr.Dataset:
    """Return log p(y_t | y_<t, theta) of each period, one step ahead."""
    dims = ("chain", "draw", *unit_dims(question), "period")
    coords = {name: value for name, value in coordinates(question).items() if name == "unit"}
    value = by_unit(question, draws.log_norm, 2)
    return xr.Dataset({"evidence": (dims, value)}, coords | {"period": np.arange(value.shape[-1])})


def sample_stats(problem: Problem, chains: list[Chain]) -> xr.Dataset:
    """Return how each chain fared; `acceptance` is of the draws that could be refused."""
    dims = ("chain", "as_of")
    accepted = np.stack([chain.accepted for chain in chains]).astype(float)
    share = np.full(accepted.shape[:-1], np.nan)
    np.divide(accepted[..., 0], accepted[..., 1], out=share, where=accepted[..., 1] > 0)
    return xr.Dataset(
        {
            "ess": (dims, np.stack([1.0 / (chain.weight**2).sum(axis=1) for chain in chains])),
            "moves": (dims, np.stack([chain.moves for chain in chains])),
            "log_marginal_likelihood": (dims, np.stack([chain.log_evidence for chain in chains])),
            "acceptance": (("chain", "block"), share),
        },
        {
            "as_of": days([step.date for step in problem.steps]),
            "block": ["likelihood", "reliability", "dynamics"],
        },
    )


def by_report(
    question: Question, live: tuple[Report, ...], weight: np.ndarray
) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset]:
    """Return the groups evidence, observed_data and constant_data, all by report."""
    coords: dict[str, Any] = coordinates(question) | {"report": np.array([r.id for r in live], dtype=str)}
    coords = {name: coords[name] for name in ("scenario", "report")}
    text = {
        name: ("report", np.array([str(getattr(r, name)) for r in live], dtype=str))
        for name in ("indicator", "source", "value", "unit")
    }
    when = {name: ("report", days([getattr(r, name) for r in live])) for name in ("date", "reported")}
    period = ("report", np.array([question.period(r.date) for r in live], int))
    factor = ("report", np.array([question.credibility[r.credibility] for r in live], float))
    return (
        xr.Dataset({"weight_of_evidence": (("report", "scenario"), weight)} | text | when, coords),
        xr.Dataset({"value": text["value"]}, {"report": coords["report"]}),
        xr.Dataset(
            {"indicator": text["indicator"], "source": text["source"], "credibility_factor": factor}
            | {"period": period},
            {"report": coords["report"]},
        ),
    )
