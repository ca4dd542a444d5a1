"""What each judgement does to the answer, as a Dataset: swing, flip value, and swing with learning."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import xarray as xr

from forecast.analysis.at_means import Chances
from forecast.analysis.flips import Flip, flips, plausible
from forecast.analysis.stated import Stated, stated
from forecast.analysis.swings import Draws, Swings, swings
from forecast.analysis.verdict import exact
from forecast.case.folder import Case
from forecast.case.question import Question
from forecast.inference.answer import Progress
from forecast.inference.tree import by_unit, coordinates, unit_dims
from forecast.model.layout import layout

END = ("low", "high")


def by_judgement(
    case: Case, tree: xr.DataTree, base: Chances, *, top: int, progress: Progress | None = None
) -> xr.Dataset:
    """Move one judgement after the other; `base` is the answer with none moved.

    Who leads is asked of the horizon in `base`; the `top` judgements with the largest swings of the leading
    scenario are tried with learning too. The variables are those of :func:`forecast.sensitivity`.
    """
    question, evidence, day = case.question, case.evidence, date.fromisoformat(str(tree.attrs["as_of"]))
    lead, numbers = base.horizon.argmax(axis=1), stated(question)

    def told(done: float) -> None:
        if progress:
            progress(done)

    swung = swings(question, evidence, day, numbers, progress=lambda share: told(0.3 * share))
    found = []
    for j, one in enumerate(numbers):
        found.append(flips(question, evidence, day, one, lead))
        told(0.3 + 0.6 * (j + 1) / len(numbers))
    moved = np.ptp(_with_base(swung.horizon, base.horizon), axis=1)  # (J, U, K)
    sizes = moved[:, np.arange(len(lead)), lead].max(axis=1)
    chosen = np.argsort(-sizes, kind="stable")[:top]
    data = _swings(question, numbers, swung, base).merge(_flipped(question, numbers, found))
    return data.merge(_learnt(case, tree, day, numbers, swung, chosen))


def swings_alone(case: Case, as_of: date, base: Chances) -> xr.Dataset:
    """Return the swings of all judgements and nothing else: at the means, in milliseconds each."""
    question, numbers = case.question, stated(case.question)
    return _swings(question, numbers, swings(question, case.evidence, as_of, numbers), base)


def _with_base(at: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Return (J, 3, U, K): both ends of each judgement, and the judgement as stated."""
    return np.concatenate([at, np.broadcast_to(base, (len(at), 1, *base.shape))], axis=1)


def _swings(question: Question, numbers: Sequence[Stated], swung: Swings, base: Chances) -> xr.Dataset:
    names, units = np.array([one.name for one in numbers], dtype=str), unit_dims(question)
    variables: dict[str, Any] = {
        "kind": ("judgement", np.array([one.kind for one in numbers], dtype=str)),
        "residual": ("judgement", np.array([one.residual for one in numbers], dtype=bool)),
        "stated": ("judgement", np.array([one.value for one in numbers], dtype=float)),
        "end_value": (("judgement", "end"), swung.value),
        "plausible": (("judgement", "end"), np.array([plausible(one) for one in numbers]).reshape(-1, 2)),
    }
    for name, at, stays in (("now", swung.now, base.now), ("horizon", swung.horizon, base.horizon)):
        swing = np.ptp(_with_base(at, stays), axis=1)
        variables[name] = (("judgement", "end", *units, "scenario"), by_unit(question, at, 2))
        variables[f"swing_{name}"] = (("judgement", *units, "scenario"), by_unit(question, swing, 1))
    return xr.Dataset(variables, coordinates(question) | {"judgement": names, "end": list(END)})


def _flipped(question: Question, numbers: Sequence[Stated], found: Sequence[Sequence[Flip]]) -> xr.Dataset:
    ids, dims = [s.id for s in question.scenarios], ("judgement", *unit_dims(question))
    units = max(len(question.units), 1)

    def column(values: list[list[Any]], kind: type) -> tuple[tuple[str, ...], np.ndarray]:
        return dims, by_unit(question, np.array(values, dtype=kind).reshape(len(numbers), units), 1)

    return xr.Dataset(
        {
            "flip": column([[flip.value for flip in row] for row in found], float),
            "flip_to": column([[ids[f.to] if f.to >= 0 else "" for f in row] for row in found], str),
            "flip_chance": column([[flip.chance for flip in row] for row in found], float),
        }
    )


def _learnt(
    case: Case,
    tree: xr.DataTree,
    day: date,
    numbers: Sequence[Stated],
    swung: Swings,
    chosen: np.ndarray,
) -> xr.Dataset:
    """Return the ends of the chosen judgements with learning."""
    question, shape = case.question, swung.horizon.shape
    found = {name: np.full(shape, np.nan) for name in ("now", "horizon", "now_mcse", "horizon_mcse")}
    ess = np.full(shape[:2], np.nan)
    if not exact(tree) and not layout(question, case.evidence).cut:
        draws = Draws(question, case.evidence, day, tree)
        for j in chosen:
            for end in range(2):
                learnt = draws.under(numbers[j].within(question, swung.value[j, end]))
                ess[j, end] = learnt.ess
                for name, value in found.items():
                    value[j, end] = getattr(learnt, name)
    dims = ("judgement", "end", *unit_dims(question), "scenario")
    variables: dict[str, Any] = {
        f"learnt_{name}": (dims, by_unit(question, value, 2)) for name, value in found.items()
    }
    return xr.Dataset(variables | {"learnt_ess": (("judgement", "end"), ess)})
