"""Sensitivity analysis: which judgements, and which reports, a forecast depends on.

Four analyses, from coarse to fine:

power      prior and likelihood power-scaled (Kallioinen et al. 2023): judgement against evidence as a whole
swing      each judgement alone at the ends of its own central 90 %
flip       the value of each judgement at which another scenario would lead
set        the fewest reports without which another scenario would lead

The last three are at the judgements' means, where the filter is exact and takes milliseconds; the largest
swings are also given with learning, and the set of reports is run once by the engine. Formulas and limits are
in the modules `tornado`, `flip_values` and `influential_sets` beside this one.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr

from forecast.analysis.plug_in import Chances, PlugInModel, plug_in_model
from forecast.analysis.sensitivity.influential_sets import Removals, SmallestSet, smallest_set
from forecast.analysis.sensitivity.tornado import by_judgement, swings_alone
from forecast.case.edit import altered
from forecast.case.errors import InputError
from forecast.case.folder import Case, as_case
from forecast.case.question import Question
from forecast.inference import result
from forecast.inference.data_tree import Progress, drop_unit_axis, unit_dataset, unit_dims
from forecast.inference.engine import update
from forecast.inference.result import all_exact, group

#: Where the stages of the work begin, as shares: forecast, judgements, sets of reports, the run without.
_STAGES = (0.0, 0.25, 0.75, 0.9, 1.0)


def sensitivity(
    case: Case | str | Path,
    tree: xr.DataTree | None = None,
    *,
    as_of: date | None = None,
    top: int = 10,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return which judgements and which reports the answer depends on.

    Parameters
    ----------
    case : Case or path
    tree : DataTree, optional
        What :func:`forecast.update` returned; default: it is run.
    as_of, progress
        As for :func:`forecast.update`; the date if there is no `tree`.
    top : int
        So many judgements, those with the leader's largest swings, are tried with learning.

    Returns
    -------
    Dataset
        Of probabilities ``now`` and at the ``horizon`` (with units, by ``unit`` but for judgements' values):

        - ``engine_*``, ``at_means_*`` (scenario): the forecast, and with every judgement at its mean;
          ``leader``, ``leader_at_means``: the scenario that leads at the horizon
        - ``power_*`` (part, scenario): power-scaling sensitivity, nan where nothing is uncertain
        - ``now``, ``horizon`` (judgement, end, scenario): with one judgement at an end, ``end_value``, of its
          central 90 %; ``swing_*`` (judgement, scenario): the range of these and of the judgement as
          ``stated``; ``learnt_*``: with learning, nan beyond `top` or where some judgement must not learn
        - ``flip`` (judgement): the value at which ``flip_to`` would lead, nan if none is within
          ``plausible`` (judgement, end); ``flip_tail_probability``: of a value so far out, as judged
        - ``in_set`` (report): the fewest reports without which another scenario would lead, if
          ``set_smallest``, else an upper limit; no set of up to ``set_searched`` will do, ``set_others`` of
          the same size will; ``in_nearest`` (report): where there is none, those whose removal brings a rival
          nearest; ``set_horizon`` (scenario): without the one or the other, at the means;
          ``set_engine_*``: by the engine, with its error

    Raises
    ------
    InputError, ValueError
        If the case is at fault; if `tree` is not of this case as it is.

    Examples
    --------
    >>> forecast.sensitivity("scenarios/isis-jn-2014")["swing_horizon"]  # doctest: +SKIP
    """
    case = as_case(case)
    tree = update(case, as_of=as_of, progress=_stage(progress, 0)) if tree is None else tree
    result.require_current(case, tree)
    day = result.as_of(tree)
    case = case.on(day)
    model = plug_in_model(case.question, case.evidence, day, tree)
    data = _totals(case.question, tree, model.chances).merge(_power(tree))
    data = data.merge(by_judgement(case, tree, model, top=top, progress=_stage(progress, 1)))
    data = data.merge(_sets(case, tree, model, progress))
    names = ("case", "as_of", "horizon", "digest", "seed")
    kept = {name: tree.attrs[name] for name in names if name in tree.attrs}
    return data.assign_attrs(kept | {"regime": int(case.question.dynamics is not None)})


def swing_most(tree: xr.DataTree, model: PlugInModel) -> xr.Dataset:
    """Return of :func:`sensitivity` what takes milliseconds: who leads, and the swing of each judgement.

    That is ``engine_*``, ``at_means_*``, ``leader``, ``leader_at_means``, ``stated``, ``end_value``, ``now``,
    ``horizon`` and ``swing_*``; `model` is of the forecast's day.
    """
    return _totals(model.layout.question, tree, model.chances).merge(swings_alone(model))


def _stage(progress: Progress | None, stage: int) -> Progress:
    """Return the progress of one stage of the work."""
    begin, end = _STAGES[stage : stage + 2]
    return lambda share: progress(begin + share * (end - begin)) if progress else None


def _totals(question: Question, tree: xr.DataTree, base: Chances) -> xr.Dataset:
    now, horizon = result.now_and_horizon(tree, question.scenario_ids)
    values = {"engine_now": now, "engine_horizon": horizon}
    values |= {f"at_means_{name}": value for name, value in base._asdict().items()}
    data, ids = unit_dataset(question, values, ()), np.array(question.scenario_ids)
    for name, value in (("leader", horizon), ("leader_at_means", base.horizon)):
        data[name] = (unit_dims(question), drop_unit_axis(question, ids[value.argmax(axis=1)], 0))
    return data


def _power(tree: xr.DataTree) -> xr.Dataset:
    """Return the power-scaling sensitivity of the probabilities to prior and likelihood."""
    names = {"scenario_probability": "power_now", "horizon_probability": "power_horizon"}
    data = xr.concat([power_scaled(tree, part, list(names)) for part in PARTS], dim="part")
    return data.assign_coords(part=list(PARTS)).rename(names).drop_attrs()


def _sets(case: Case, tree: xr.DataTree, model: PlugInModel, progress: Progress | None) -> xr.Dataset:
    """Return the smallest set of reports for each unit, and the engine's forecast without it."""
    question, day, lead = case.question, model.as_of, model.chances.horizon.argmax(axis=1)
    ids = [report.id for report in case.evidence.known(day)]

    def allowed(reports: Sequence[str]) -> bool:
        try:
            altered(case, drop=reports)
        except InputError:  # the log could not be read without these rows
            return False
        return True

    searching = _stage(progress, 2) if len(lead) == 1 else None
    sets: list[SmallestSet] = []
    for u, leader in enumerate(lead):
        removals = Removals(model, case.evidence, u)
        sets.append(smallest_set(question, removals, int(leader), allowed=allowed, progress=searching))
    again = np.full((3, len(lead), len(question.scenarios)), np.nan)  # now, horizon, its error
    settings = {name: tree.attrs[name] for name in ("draws", "chains", "tolerance", "seed", "engine")}
    for u, one in enumerate(sets):
        if one.reports:
            less = altered(case, drop=one.reports)
            other = update(less, as_of=day, progress=_stage(progress, 3), **settings)
            again[:2, u] = result.now_and_horizon(other, question.scenario_ids)[:, u]
            again[2, u] = result.now_and_horizon(other, question.scenario_ids, "mcse")[1, u]
    values: dict[str, tuple[tuple[str, ...], Any]] = {
        "in_set": (("report",), [[id in one.reports for id in ids] for one in sets]),
        "in_nearest": (("report",), [[id in one.nearest for id in ids] for one in sets]),
        "set_smallest": ((), [one.smallest for one in sets]),
        "set_searched": ((), [one.searched for one in sets]),
        "set_others": ((), [one.others for one in sets]),
        "set_horizon": (("scenario",), [one.horizon for one in sets]),
    }
    for name, value in zip(("now", "horizon", "horizon_mcse"), again, strict=True):
        values[f"set_engine_{name}"] = (("scenario",), value)
    variables = {
        name: ((*unit_dims(question), *dims), drop_unit_axis(question, np.array(value), 0))
        for name, (dims, value) in values.items()
    }
    return xr.Dataset(variables, {"report": np.array(ids, dtype=str)})


Part = Literal["prior", "likelihood"]
PARTS: tuple[Part, ...] = ("prior", "likelihood")


def power_scaled(tree: xr.DataTree, part: Part, names: Sequence[str]) -> xr.Dataset:
    """Return the sensitivity of variables of the posterior to the power of a part (Kallioinen et al. 2023).

    How a log comes about is no judgement of the analyst, and is not scaled. Not a number where nothing is
    uncertain. Exactly 0 where the part is a constant: of no evidence, or of judgements that are all flat, it
    does not matter how much it counts. Where judgements learn in part, the likelihood is that to its power.
    """
    draws, scaled = tree["posterior"].to_dataset()[list(names)], group(tree, f"log_{part}")
    if all_exact(tree) or scaled is None:
        return draws.isel(chain=0, draw=0, drop=True) * np.nan
    if part == "likelihood":
        scaled = scaled * tree.attrs["learning"]
        tree = tree.assign({"log_likelihood": xr.DataTree(scaled)})
    own = [name for name in scaled if name != "noise" and not str(name).startswith("filed_")]
    log = sum(scaled[name].sum([d for d in scaled[name].dims if d not in ("chain", "draw")]) for name in own)
    if np.ptp(np.asarray(log)) == 0:
        return draws.isel(chain=0, draw=0, drop=True) * 0.0
    from arviz_stats.psense import psense  # as arviz.psense, without the plots: a second

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        sensitivity: xr.Dataset = psense(  # type: ignore[no-untyped-call]
            tree, group=part, var_names=list(names), group_var_names=own
        )
    return sensitivity
