"""Tornado analysis: change of the probabilities with one judgement at the ends of its 90 % interval.

At the means, exactly: p_j(v) = P(scenario | evidence, judgement j at v, all others at their means). With
learning, by importance sampling from the draws theta_n of the forecast: had judgement j been stated as v with
the same weight, its prior would be another, pi'. Let T carry pi to pi', quantile to quantile. The moved draws
T(theta_n) stand for draws from pi'(theta) p'(y | theta), each with the weight

    w_n = p'(y | T(theta_n)) / p(y | theta_n),   p'_j(v) = sum w_n p'(scenario | T(theta_n)) / sum w_n

(the priors cancel), where a prime marks the question with v in it. The effective number of draws is
(sum w)^2 / sum w^2 (Kong 1992); where it is small, weights do not reach so far. T is the inverse of one
distribution function after the other; a Dirichlet is transported stick by stick, which are independent Betas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from forecast.analysis.plug_in import Chances, PlugInModel
from forecast.analysis.sensitivity.flip_values import Flip, flips, plausible
from forecast.analysis.sensitivity.stated_values import StatedValue, stated_values
from forecast.case.folder import Case
from forecast.case.judgement import LogitNormal, MeasureMean, Positive
from forecast.case.question import Question
from forecast.inference.data_tree import (
    LISTS,
    MATRICES,
    Progress,
    drop_unit_axis,
    slots,
    uncertain,
    unit_dataset,
    unit_dims,
)
from forecast.inference.result import all_exact
from forecast.model.event import all_allowed
from forecast.model.parameters import TINY, Block, Layout

END = ("low", "high")
#: The ends of a judgement: its central 90 %, the band that the toolkit states everywhere.
ENDS = (0.05, 0.95)
_MOST = 1.0 - 2.0**-53
#: Draws of a Beta that are transported exactly, evenly among all in order; between them the map is smooth.
_KNOTS = 256


class Swings(NamedTuple):
    """The answer with one judgement after the other at its ends: J judgements, two ends."""

    value: np.ndarray  # (J, 2)
    now: np.ndarray  # (J, 2, U, K)
    horizon: np.ndarray  # (J, 2, U, K)

    def size(self, base: Chances) -> dict[str, np.ndarray]:
        """Return the range of each answer over both ends and the judgement as stated, (J, U, K)."""
        return {
            name: np.maximum(at.max(axis=1), stated) - np.minimum(at.min(axis=1), stated)
            for name, at, stated in (("now", self.now, base.now), ("horizon", self.horizon, base.horizon))
        }


class Reweighted(NamedTuple):
    """The answer with learning, at one value of one judgement."""

    now: np.ndarray  # (U, K)
    horizon: np.ndarray  # (U, K)
    now_mcse: np.ndarray  # (U, K)
    horizon_mcse: np.ndarray  # (U, K)
    ess: float


def by_judgement(
    case: Case, tree: xr.DataTree, model: PlugInModel, *, top: int, progress: Progress | None = None
) -> xr.Dataset:
    """Return swings, flip values and swings with learning of all judgements; `model` is that of the case.

    The leader is that at the means, at the horizon; the `top` judgements with its largest swings are tried
    with learning too. The variables are those of :func:`forecast.sensitivity`.
    """
    question, base = case.question, model.chances
    lead, numbers = base.horizon.argmax(axis=1), stated_values(question)
    report = progress or (lambda share: None)
    swung = swings(model, numbers, progress=lambda share: report(0.3 * share))
    flipped = []
    for j, one in enumerate(numbers):
        flipped.append(flips(model, one, lead))
        report(0.3 + 0.6 * (j + 1) / len(numbers))
    sizes = swung.size(base)["horizon"][:, np.arange(len(lead)), lead].max(axis=1)
    chosen = np.argsort(-sizes, kind="stable")[:top]
    data = _swings(question, numbers, swung, base).merge(_flips(question, flipped))
    return data.merge(_with_learning(model, tree, numbers, swung, chosen))


def swings_alone(model: PlugInModel) -> xr.Dataset:
    """Return the swings of all judgements and nothing else: at the means, in milliseconds each."""
    question = model.layout.question
    numbers = stated_values(question)
    return _swings(question, numbers, swings(model, numbers), model.chances)


def _swings(question: Question, numbers: Sequence[StatedValue], swung: Swings, base: Chances) -> xr.Dataset:
    names = np.array([one.name for one in numbers], dtype=str)
    data = xr.Dataset(
        {
            "kind": ("judgement", np.array([one.kind for one in numbers], dtype=str)),
            "residual": ("judgement", np.array([one.residual for one in numbers], dtype=bool)),
            "stated": ("judgement", np.array([one.value for one in numbers], dtype=float)),
            "end_value": (("judgement", "end"), swung.value),
            "plausible": (("judgement", "end"), np.array([plausible(one) for one in numbers]).reshape(-1, 2)),
        },
        {"judgement": names, "end": list(END)},
    )
    at, sizes = {"now": swung.now, "horizon": swung.horizon}, swung.size(base)
    swing = {f"swing_{name}": size for name, size in sizes.items()}
    data = data.merge(unit_dataset(question, at, ("judgement", "end")))
    return data.merge(unit_dataset(question, swing, ("judgement",)))


def _flips(question: Question, flipped: list[list[Flip]]) -> xr.Dataset:
    ids, dims = question.scenario_ids, ("judgement", *unit_dims(question))
    columns: dict[str, tuple[type, Callable[[Flip], Any]]] = {
        "flip": (float, lambda flip: flip.value),
        "flip_to": (str, lambda flip: ids[flip.to] if flip.to >= 0 else ""),
        "flip_tail_probability": (float, lambda flip: flip.tail_probability),
    }
    data = xr.Dataset()
    for name, (kind, value) in columns.items():
        column: np.ndarray = np.array([[value(flip) for flip in row] for row in flipped], dtype=kind)
        column = column.reshape(len(flipped), len(question.unit_names))
        data[name] = (dims, drop_unit_axis(question, column, 1))
    return data


def _with_learning(
    model: PlugInModel, tree: xr.DataTree, numbers: Sequence[StatedValue], swung: Swings, chosen: np.ndarray
) -> xr.Dataset:
    """Return the ends of the chosen judgements with learning."""
    question, shape = model.layout.question, swung.horizon.shape
    values: dict[str, np.ndarray] = {
        name: np.full(shape, np.nan) for name in ("now", "horizon", "now_mcse", "horizon_mcse")
    }
    ess = np.full(shape[:2], np.nan)
    if not all_exact(tree) and not model.layout.cut:
        draws = PosteriorDraws(model, tree)
        for j in chosen:
            for end in range(2):
                moved = draws.reweighted(numbers[j].with_value(question, swung.value[j, end]))
                ess[j, end] = moved.ess
                for name, value in values.items():
                    value[j, end] = getattr(moved, name)
    learnt = {f"learnt_{name}": value for name, value in values.items()}
    return unit_dataset(question, learnt, ("judgement", "end")).assign(learnt_ess=(("judgement", "end"), ess))


def swings(model: PlugInModel, numbers: Sequence[StatedValue], *, progress: Progress | None = None) -> Swings:
    """Set each number to the ends of its central 90 %, the others as stated, all at their means."""
    question = model.layout.question
    value = np.array([[one.quantile(p) for p in ENDS] for one in numbers]).reshape(-1, 2)
    chances = np.empty((2, len(numbers), 2, *model.chances.now.shape))
    for j, one in enumerate(numbers):
        for end in range(2):
            chances[:, j, end] = model.with_question(one.with_value(question, value[j, end])).chances
        if progress:
            progress((j + 1) / len(numbers))
    return Swings(value, *chances)


class PosteriorDraws:
    """The draws of a forecast, to be reweighted for other judgements."""

    def __init__(self, model: PlugInModel, tree: xr.DataTree) -> None:
        self._model = model
        theta = theta_of(model.layout, tree)
        self._chains = len(theta)
        self._theta = theta.reshape(-1, theta.shape[-1])
        self._log = model.log_learnt_at(self._theta)

    def reweighted(self, question: Question) -> Reweighted:
        """Return the forecast under altered judgements, by importance weighting of transported draws."""
        model = self._model.with_question(question)
        theta = transported(self._theta, self._model.layout, model.layout)
        now, horizon = model.probabilities_at(theta)
        log = model.log_learnt_at(theta)
        if question.event is not None:  # what contradicts itself has prior density 0
            allowed = all_allowed(theta, model.layout.arrays.event, model.layout.scenarios)
            log = np.where(allowed, log, -np.inf)
            now, horizon = (np.where(allowed[:, None, None], p, 0.0) for p in (now, horizon))
        w = np.exp(log - self._log - (log - self._log).max())
        w /= w.sum()
        (here, here_error), (there, there_error) = (self._mean(w, p) for p in (now, horizon))
        return Reweighted(here, there, here_error, there_error, float(1.0 / (w**2).sum()))

    def _mean(self, w: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the weighted mean of p (N, U, K) and its error: by draws, or by chains if that is larger."""
        mean = np.einsum("n,nuk->uk", w, p)
        parts = w[:, None, None] * (p - mean)
        by_chain = parts.reshape(self._chains, -1, *mean.shape).sum(axis=1)
        spread = self._chains / max(self._chains - 1, 1)
        variance = np.maximum((parts**2).sum(axis=0), spread * (by_chain**2).sum(axis=0))
        return mean, np.asarray(np.sqrt(variance))


def transported(theta: np.ndarray, old: Layout, new: Layout) -> np.ndarray:
    """Return draws (N, D), each judgement that differs carried to its new prior at the quantile it had."""
    moved = theta.copy()
    for was, block in zip(old.blocks, new.blocks, strict=True):
        if block.judgement != was.judgement:
            moved[:, block.slots] = _transported(theta[:, block.slots], was, block)
    return moved


def _transported(x: np.ndarray, was: Block, block: Block) -> np.ndarray:
    if not (was.free and block.free):
        return np.broadcast_to(block.mean, x.shape)
    (a, b), (new_a, new_b) = was.parameters(), block.parameters()
    if isinstance(block.judgement, MeasureMean):
        return np.asarray(new_a + (x - a) / b * new_b)
    if isinstance(block.judgement, LogitNormal):
        from scipy.special import expit, logit

        return np.asarray(np.clip(expit(new_a + (logit(x) - a) / b * new_b), TINY, _MOST))
    if isinstance(block.judgement, Positive):
        return np.asarray(_gamma(x * b, a, new_a) / new_b)
    if block.beta:
        return _beta(x, (a, b), (new_a, new_b))
    moved, new_left = np.zeros_like(x), np.ones(len(x))
    possible = np.flatnonzero(a > 0)
    for n, k in enumerate(possible[:-1]):  # each stick and what it leaves, so that neither loses digits
        later = possible[n + 1 :]
        left = x[:, later].sum(axis=1)
        old, new = (a[k], a[later].sum()), (new_a[k], new_a[later].sum())
        moved[:, k] = new_left * _beta(x[:, k] / (x[:, k] + left), old, new)
        new_left = new_left * _beta(left / (x[:, k] + left), old[::-1], new[::-1])
    moved[:, possible[-1]] = new_left
    return moved


def _beta(x: np.ndarray, old: tuple[Any, Any], new: tuple[Any, Any]) -> np.ndarray:
    """Transport draws of one Beta to another; of many draws the rest is interpolated, logit by logit."""
    x = np.clip(x, TINY, _MOST)
    if len(x) <= _KNOTS:
        return _beta_exactly(x, old, new)
    from scipy.interpolate import CubicSpline
    from scipy.special import expit, logit

    at = logit(x)
    low, high = at.min(), at.max()
    knots = np.concatenate(
        [np.linspace(low, high, _KNOTS // 2), np.quantile(at, np.linspace(0, 1, _KNOTS // 2))]
    )
    knots = np.unique(np.clip(knots, low, high).round(9))
    if len(knots) < 4:
        return _beta_exactly(x, old, new)
    moved = CubicSpline(knots, logit(_beta_exactly(np.clip(expit(knots), TINY, _MOST), old, new)))
    return np.asarray(np.clip(expit(moved(at)), TINY, _MOST))


def _beta_exactly(x: np.ndarray, old: tuple[Any, Any], new: tuple[Any, Any]) -> np.ndarray:
    """Transport draws of one Beta to another; each half by its own tail, so that neither loses digits."""
    from scipy.special import betainc, betaincc, betainccinv, betaincinv

    share = betainc(*old, x)
    low, moved = share < 0.5, np.empty_like(x)
    moved[low] = betaincinv(*new, share[low])
    moved[~low] = betainccinv(*new, betaincc(*old, x[~low]))
    return np.clip(moved, TINY, _MOST)


def _gamma(x: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Map draws of one unit-rate Gamma to another by equal quantiles."""
    from scipy.special import gammainc, gammaincc, gammainccinv, gammaincinv

    low, high = gammaincinv(new, gammainc(old, x)), gammainccinv(new, gammaincc(old, x))
    return np.asarray(np.maximum(np.where(gammainc(old, x) < 0.5, low, high), TINY))


def theta_of(layout: Layout, tree: xr.DataTree) -> np.ndarray:
    """Return theta (C, M, D) of the posterior draws of a forecast, what is exact at its mean."""
    draws, kept = tree["posterior"].to_dataset(), uncertain(layout)
    shape = draws.sizes["chain"], draws.sizes["draw"], layout.size
    theta = np.broadcast_to(layout.mean, shape).copy()
    for name, (_, slot) in slots(layout).items():
        if name not in draws:
            continue
        if name in MATRICES:
            slot = slot[tuple(np.argwhere(kept[slot] & (layout.mean[slot] > 0)).T)]
        elif name in LISTS:
            slot = slot[kept[slot]]
        value = draws[name].transpose("chain", "draw", ...).values
        theta[..., slot] = 1.0 / value if name == "lasts" else value
    return theta
