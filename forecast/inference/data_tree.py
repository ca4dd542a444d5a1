"""The result of an inference as one DataTree that every ArviZ function accepts.

:mod:`forecast.inference.result` reads what is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, NamedTuple

import numpy as np
import xarray as xr

from forecast.case.evidence import Report
from forecast.case.judgement import Proportions
from forecast.case.question import Moves, Question
from forecast.case.warnings import WarningMessage
from forecast.inference.conflict import evidence_conflict
from forecast.inference.diagnostics import drift
from forecast.inference.estimates import Estimate, PosteriorDraws, estimate, r_hat, smoothed
from forecast.inference.particles import Chain
from forecast.inference.predictive.predictive_draws import predictive
from forecast.inference.report_weights import weights_of_evidence
from forecast.model.event import without_news
from forecast.model.horizon import before_evidence, outlook, to_horizon
from forecast.model.parameters import FILED, Block, Layout, kinds_of_claims
from forecast.model.problem import Problem

Engine = Literal["smc", "nuts"]
Progress = Callable[[float], None]


class Settings(NamedTuple):
    """How an engine is run: the options of :func:`forecast.update`."""

    engine: Engine
    seed: int
    draws: int
    chains: int
    tolerance: float


@dataclass(frozen=True)
class EngineResult:
    """The result of an engine: draws at the as-of date, and the estimates of the trend and the outlook."""

    draws: PosteriorDraws
    now: Estimate
    outlook: xr.Dataset
    at_horizon: np.ndarray  # (C, M, U, K) draw by draw
    sample_stats: xr.Dataset
    past: list[Estimate] = field(default_factory=list)  # of each trend date before the as-of date
    extra_groups: dict[str, xr.Dataset] = field(default_factory=dict)  # that only this engine has
    warnings: list[WarningMessage] = field(default_factory=list)
    refused: str = ""  # why the forecast must not be issued, if so
    particles: int = 0  # of each chain; 0 where there are none

    @property
    def error(self) -> float:
        """The largest Monte Carlo standard error of a probability, now and in the outlook."""
        return max(float(self.now.mcse.max()), float(self.outlook["mcse"].max()))


def now_and_outlook(
    problem: Problem, draws: PosteriorDraws, size: np.ndarray
) -> tuple[Estimate, xr.Dataset, np.ndarray]:
    """Return the probability now, the outlook to the horizon, and its last point draw by draw, (C, M, U, K).

    `size` (C,) is the effective size of the particles behind the draws. Of an event question the outlook has
    also what :func:`_of_event` returns.
    """
    question, as_of = problem.layout.question, problem.steps[-1].date
    now, period = draws.alpha[..., -1, :], question.period(as_of)
    steps = question.period(question.horizon) - period
    path, ever = outlook(
        draws.theta,
        problem.layout.arrays,
        draws.matrix,
        now,
        period=period,
        steps=steps,
        include_now=question.last_day(period) > as_of,
    )
    estimates = estimate(np.moveaxis(path, -2, 2), size=size)._asdict()
    ends = [min(question.last_day(period + h), question.horizon) for h in range(steps + 1)]
    data = unit_dataset(question, estimates, ("date",), date=days(ends))
    data = data.merge(unit_dataset(question, {"ever": ever.mean(axis=(0, 1))}, ()))
    if question.event is not None:
        data = data.merge(_of_event(problem, draws, period, steps))
    return estimate(now, size=size), data, path[..., -1, :]


def _of_event(problem: Problem, draws: PosteriorDraws, period: int, steps: int) -> xr.Dataset:
    """Return what stands beside the forecast of an event.

    `without_news` (date, scenario): the chance by each date as first judged, if all that is known is that
    nothing has happened yet. `if_prepared` (unit, scenario): the chance by the horizon of an outcome if it is
    being prepared now; of the status quo, that nothing will have happened if nothing is being prepared.
    """
    layout = problem.layout
    a, question = layout.arrays, layout.question
    until = np.arange(period, period + steps + 1)
    decay = without_news(layout.mean[: layout.scenarios], a.event, since=period, until=until)
    way = to_horizon(draws.theta, a, draws.matrix, period=period, steps=steps)
    now = draws.alpha[..., -1, :]
    both = np.einsum("cmuk,cmkk->uk", now, way)
    total = now.sum(axis=(0, 1))
    chance = np.divide(both, total, out=np.zeros_like(both), where=total > 0)
    data = unit_dataset(question, {"if_prepared": chance}, ())
    return data.assign(without_news=(("date", "scenario"), decay))


def data_tree(problem: Problem, result: EngineResult, seed: int) -> xr.DataTree:
    """Return the DataTree of a result, with all its groups."""
    layout, question, draws = problem.layout, problem.layout.question, result.draws
    day = problem.steps[-1].date
    live, weight = weights_of_evidence(layout, problem.evidence, day, draws=draws.theta)
    evidence, constant = by_report(question, live, weight)
    groups = {
        "posterior": posterior(layout, draws, result.at_horizon),
        "prior": prior(layout, draws, problem.steps[-1].date),
        "trend": trend(problem, [*result.past, result.now]),
        "outlook": result.outlook,
        "hindsight": hindsight(problem, draws),
        "evidence": evidence,
        "drift": drift(layout, draws),
        "log_likelihood": log_likelihood(question, draws),
        "log_prior": log_prior(layout, draws.theta),
        "sample_stats": result.sample_stats,
        "constant_data": constant,
        "exact": exact(layout),
        "conflict": evidence_conflict(problem),
        **result.extra_groups,
    }
    groups |= predictive(problem, draws, seed)
    return xr.DataTree.from_dict({name: numbered(data) for name, data in groups.items()})


Variable = tuple[tuple[str, ...], np.ndarray]
MOVE_KINDS = ("likelihood", "reliability", "dynamics", "reporting")  # judgements whose draws may be refused
NAMES = {
    "testimony": "testimony_reliability",
    "leave": "lasts",
    "preparing": "lasts",
    "noise": "reporting",
    "filed": "reporting",
}
DIMS: dict[str, tuple[str, ...]] = {
    "prior": ("scenario",),
    "likelihood": ("scenario",),  # and the values of a category
    "reliability": ("source",),
    "testimony": ("testimony",),
    "leave": ("leaving_scenario",),
    "then": ("leaving_scenario", "to_scenario"),
    "transition": ("scenario", "to_scenario"),
    "noise": ("claim",),
    "filed": ("claim",),
    "preparing": ("outcome",),
    "ends_in_event": ("ending_outcome",),  # apart: some of one kind may be exact, and others of the other
}
LISTS = ("reliability", "testimony_reliability", "lasts", "reporting", "ends_in_event")
MATRICES = ("then", "transition")


def days(dates: list[date]) -> np.ndarray:
    """Return dates as numpy's, to the nanosecond."""
    return np.array(dates, dtype="datetime64[ns]")


def unit_dims(question: Question) -> tuple[str, ...]:
    """Return the dimension of units, if the question is asked of several."""
    return ("unit",) if question.units else ()


def drop_unit_axis(question: Question, value: np.ndarray, axis: int) -> np.ndarray:
    """Return an array without its axis of units where the question is asked of one."""
    return value if question.units else value.squeeze(axis)


def coordinates(question: Question) -> dict[str, Any]:
    """Return the coordinates that groups share."""
    shared: dict[str, Any] = {"scenario": list(question.scenario_ids)}
    return shared | ({"unit": list(question.units)} if question.units else {})


def unit_dataset(
    question: Question,
    values: Mapping[str, np.ndarray],
    lead: tuple[str, ...],
    last: str = "scenario",
    **coords: np.ndarray,
) -> xr.Dataset:
    """Return arrays (*lead, U, last) as a Dataset, without the axis of units where the question has none."""
    dims = (*lead, *unit_dims(question), last)
    variables = {name: (dims, drop_unit_axis(question, value, len(lead))) for name, value in values.items()}
    return dataset(variables, coordinates(question) | coords)


def trend(problem: Problem, estimates: list[Estimate]) -> xr.Dataset:
    """Return the group trend: the probability now, as known on each trend date.

    Of an event question also `without_news`, the chance by the horizon if nothing had ever been reported.
    """
    layout, question = problem.layout, problem.layout.question
    values = {name: np.stack([getattr(one, name) for one in estimates]) for name in Estimate._fields}
    dates = [step.date for step in problem.steps]
    data = unit_dataset(question, values, ("as_of",), as_of=days(dates))
    if question.event is None:
        return data
    last, prior = question.period(question.horizon), layout.mean[: layout.scenarios]
    decay = [
        without_news(prior, layout.arrays.event, since=question.period(day), until=last) for day in dates
    ]
    return data.assign(without_news=(("as_of", "scenario"), np.stack(decay)))


def hindsight(problem: Problem, draws: PosteriorDraws) -> xr.Dataset:
    """Return the group hindsight: filtered and smoothed probabilities, with everything known now."""
    question, filtered = problem.layout.question, np.moveaxis(draws.alpha.mean(axis=(0, 1)), 1, 0)
    if question.dynamics is None:
        after = np.broadcast_to(filtered[-1:], filtered.shape)
    else:
        after = np.moveaxis(smoothed(problem, draws), 1, 0)
    periods = np.arange(len(filtered))
    data = unit_dataset(question, {"filtered": filtered, "smoothed": after}, ("period",), period=periods)
    return data.assign_coords(period_end=("period", days([question.last_day(int(t)) for t in periods])))


def slots(layout: Layout) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """Return the dimensions and the slots in theta of every judgement, under the analyst's own names."""
    question, rows = layout.question, dict[tuple[str, tuple[str, ...]], list[np.ndarray]]()
    left, values = leaving(question), {i.id: i.values for i in question.indicators}
    for block in layout.blocks:
        kind, of = block.id.kind, block.id.indicator
        name, dims = NAMES.get(kind, kind), DIMS[kind]
        if kind == "likelihood":
            name, dims = f"likelihood_{of}", (*dims, f"{of}_value") if values[of] else dims
        elif kind == "filed" and of:
            name, dims = f"filed_{block.id.value}", (f"{block.id.value}_indicator",)
        if kind not in ("leave", "then") or block.id.scenario in left:
            rows.setdefault((name, dims), []).append(np.arange(block.start, block.slots.stop))
    return {
        name: (dims, np.concatenate(row) if len(dims) == 1 else np.stack(row))
        for (name, dims), row in rows.items()
    }


def uncertain(layout: Layout) -> np.ndarray:
    """Tell which slots of theta vary, (D,): the others are exactly known, or cannot be but 0 or 1."""
    varies = np.zeros(layout.size, bool)
    for block in layout.blocks:
        inside = (block.mean > 0) & (block.mean < 1) if isinstance(block.judgement, Proportions) else True
        varies[block.slots] = block.free & inside
    return varies


def judgements(layout: Layout, theta: np.ndarray, kept: np.ndarray) -> xr.Dataset:
    """Return those judgements of theta, (C, M, D) or (D,), that are `kept`, (D,).

    A list keeps some of its entries; a matrix of moves becomes a list of pairs; anything else is whole.
    """
    lead, whole = ("chain", "draw")[: 2 * (theta.ndim > 1)], theta_coordinates(layout)
    labels, variables = dict(whole), dict[str, Variable]()
    for name, (dims, slot) in slots(layout).items():
        if name in MATRICES:
            pairs = np.argwhere(kept[slot] & (layout.mean[slot] > 0))
            ends = [np.array(whole[dim])[k] for dim, k in zip(dims, pairs.T, strict=True)]
            labels["move"] = [f"{one} to {other}" for one, other in zip(*ends, strict=True)]
            dims, slot = ("move",), slot[tuple(pairs.T)]
        elif name in LISTS:
            labels[dims[0]] = np.array(whole[dims[0]])[kept[slot]]
            slot = slot[kept[slot]]
        if kept[slot].any():
            value = theta[..., slot]
            variables[name] = ((*lead, *dims), 1.0 / value if name == "lasts" else value)
    return dataset(variables, labels)


def leaving(question: Question) -> list[str]:
    """Return the scenarios that moves can leave."""
    if not isinstance(question.dynamics, Moves):
        return []
    rates = question.dynamics.leave
    return [s.id for s, rate in zip(question.scenarios, rates, strict=True) if rate.mean > 0]


def theta_coordinates(layout: Layout) -> dict[str, Any]:
    """Return the coordinates of theta's names."""
    question = layout.question
    return coordinates(question) | {
        "source": [s.id for s in question.sources],
        **{f"{i.id}_value": list(i.values) for i in question.indicators if i.values},
        "testimony": list(layout.testimonies),
        "to_scenario": list(question.scenario_ids),
        "leaving_scenario": leaving(question),
        "outcome": _outcomes(question, question.event.leave if question.event else ()),
        "ending_outcome": _outcomes(question, question.event.ends_in_event if question.event else ()),
        "claim": [b.id.value or "noise" for b in layout.blocks if b.name == "noise" or _is_chance(b)],
        **{
            f"{kind}_indicator": [i.id for i in question.indicators if kind in kinds_of_claims(i)]
            for kind in FILED
        },
    }


def _is_chance(block: Block) -> bool:
    """Tell whether a block is one of the question's chances that a claim is filed."""
    return block.id.kind == "filed" and not block.id.indicator


def _outcomes(question: Question, judged: Sequence[object]) -> list[str]:
    """Return the outcomes of an event question that each judgement is of; "any" where all share one."""
    if question.event is None or len(judged) == 1:
        return ["any"]
    return [id for k, id in enumerate(question.scenario_ids) if k != question.event.status_quo]


def dataset(variables: dict[str, Variable], coords: dict[str, Any]) -> xr.Dataset:
    """Return a Dataset of the variables, with only the coordinates that they use."""
    used = {dim for dims, _ in variables.values() for dim in dims}
    return xr.Dataset(variables, {name: value for name, value in coords.items() if name in used})


def numbered(data: xr.Dataset) -> xr.Dataset:
    """Return a Dataset whose chains and draws are numbered, as ArviZ has them."""
    return data.assign_coords({d: np.arange(data.sizes[d]) for d in ("chain", "draw") if d in data.dims})


def log_prior(layout: Layout, theta: np.ndarray) -> xr.Dataset:
    """Return the group log_prior: the density of each uncertain judgement at theta (C, M, D)."""
    free = [block for block in layout.blocks if block.free]
    densities = {b.name.replace(" ", "_"): (("chain", "draw"), b.log_density(theta)) for b in free}
    return xr.Dataset(densities)


def posterior(layout: Layout, draws: PosteriorDraws, at_horizon: np.ndarray) -> xr.Dataset:
    """Return the group posterior: scenario probabilities of each draw, and of theta what varies."""
    forecasts = _forecasts(layout.question, draws.alpha[..., -1, :], at_horizon)
    return forecasts.merge(judgements(layout, draws.theta, uncertain(layout)))


def prior(layout: Layout, draws: PosteriorDraws, as_of: date) -> xr.Dataset:
    """Return the group prior: the same as posterior, drawn before any evidence."""
    question, theta = layout.question, draws.prior
    flat, units = theta.reshape(-1, layout.size), (*draws.alpha.shape[:3], layout.scenarios)
    now, end = before_evidence(flat, layout.arrays, question.period(as_of), question.period(question.horizon))
    now, end = (np.broadcast_to(p.reshape(*theta.shape[:2], 1, -1), units) for p in (now, end))
    forecasts = _forecasts(question, now, end)
    return forecasts.merge(judgements(layout, theta, uncertain(layout)))


def exact(layout: Layout) -> xr.Dataset:
    """Return the group exact: judgements known exactly, for ArviZ can say nothing of what does not vary."""
    kept = ~uncertain(layout)
    for name, (_, slot) in slots(layout).items():
        if name not in (*LISTS, *MATRICES):
            kept[slot] = kept[slot].all()
    return judgements(layout, layout.mean, kept)


def _forecasts(question: Question, now: np.ndarray, at_horizon: np.ndarray) -> xr.Dataset:
    """Return the scenario probabilities (C, M, U, K), now and at the horizon."""
    values = {"scenario_probability": now, "horizon_probability": at_horizon}
    return unit_dataset(question, values, ("chain", "draw"))


def log_likelihood(question: Question, draws: PosteriorDraws) -> xr.Dataset:
    """Return the group log_likelihood: log p(y_t | y_<t, theta) of each period, one step ahead."""
    periods = np.arange(draws.log_norm.shape[-1])
    return unit_dataset(question, {"evidence": draws.log_norm}, ("chain", "draw"), "period", period=periods)


def sample_stats(problem: Problem, chains: list[Chain], draws: PosteriorDraws) -> xr.Dataset:
    """Return the group sample_stats of particle systems; `acceptance` is of the draws that could be refused.

    `r_hat` is that of the scenario probabilities at the as-of date, across the particle systems.
    """
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
        {"as_of": days([step.date for step in problem.steps]), "block": list(MOVE_KINDS)},
    ).merge(unit_dataset(problem.layout.question, {"r_hat": r_hat(draws.alpha[..., -1, :])}, ()))


def by_report(
    question: Question, live: tuple[Report, ...], weight: np.ndarray
) -> tuple[xr.Dataset, xr.Dataset]:
    """Return the groups ``evidence`` and ``constant_data``, both indexed by report."""

    def texts(name: str) -> tuple[str, np.ndarray]:
        return "report", np.array([str(getattr(r, name)) for r in live], dtype=str)

    coords = {"report": texts("id")[1]}
    described = {name: texts(name) for name in ("indicator", "source", "value", "unit")}
    dates = {name: ("report", days([getattr(r, name) for r in live])) for name in ("date", "reported")}
    factor = np.array([question.credibility[r.credibility] for r in live], float)
    constant = {
        "indicator": described["indicator"],
        "source": described["source"],
        "credibility": texts("credibility"),
        "credibility_factor": ("report", factor),
        "period": ("report", np.array([question.period(r.date) for r in live], int)),
    }
    weights = {"weight_of_evidence": (("report", "scenario"), weight)}
    scenario = {"scenario": list(question.scenario_ids)}
    return xr.Dataset(weights | described | dates, scenario | coords), xr.Dataset(constant, coords)
