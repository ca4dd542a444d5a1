"""PyMC model of a case: priors, data and likelihood assembled into one ``pm.Model``."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from forecast.case.evidence import Evidence
from forecast.case.folder import Case, as_case
from forecast.case.in_force import checked_as_of
from forecast.inference.nuts.data import DIMS, Reports, model_data
from forecast.inference.nuts.filter import (
    Chain,
    Outcomes,
    Persistence,
    forward,
    forward_persistent,
    forward_static,
    late_event,
    steady_event,
    transition_matrix,
)
from forecast.inference.nuts.judgements import theta_graph
from forecast.inference.nuts.likelihood import (
    Symbols,
    at,
    log_erring,
    log_fresh,
    log_likelihood,
    log_numbers,
    log_weights,
    safe_log,
)
from forecast.inference.nuts.number_data import Data
from forecast.model.parameters import MOVES, STATIC, Layout, build_layout


def to_pymc(case: Case | str | Path, *, as_of: date | None = None) -> pm.Model:
    """Return the model of a case as a ``pm.Model``, the scenario integrated out.

    With theta all judgements and y_t the evidence of period t, its log density is

        log p(theta) + sum_t log p(y_t | y_0..y_(t-1), theta)

    the same as that of the engine "smc", of which it is a second and independent writing.

    Parameters
    ----------
    case, as_of
        As for :func:`forecast.update`.

    Returns
    -------
    pymc.Model
        Random variables: the judgements under the analyst's own names (`prior`, `likelihood_<indicator>`,
        `reliability`, `testimony_reliability`, `leaving_rate`, `then`, `transition`), by scenario, source and
        so on; of an event question `preparing_rate` and `ends_in_event`, of each outcome or one for all; and,
        where what is filed is evidence, `reporting` by claim (the share of noise that claims an event, the
        question's chances that claims of an event, of quiet, and that a state goes on are filed) with each
        indicator's own around it (`filed_event`, `filed_quiet`, `filed_again`). What evidence may not revise
        (`learn: false`) is ``pm.Data``, at its mean at first; what is exactly known is a constant.
        Deterministics: `scenario_probability` at the as-of date, and `log_evidence`,
        log p(y_t | y_0..y_(t-1), theta), by period. Observed: `report`, what each one says. Everything that
        depends on the evidence is ``pm.Data``: one compilation serves every as-of date, by
        ``pm.set_data(forecast.pymc_data(case, as_of=...))`` or nutpie's ``with_data``.

    Raises
    ------
    InputError
        If the case is at fault.

    Notes
    -----
    The log density of `report` is that of the whole evidence, silence, groups and cap included, with half of
    its exponents where judgements learn in part (`learning: partial`); `scenario_probability` and
    `log_evidence` have all of them. Draws of it
    (``pm.sample_prior_predictive``, ``pm.sample_posterior_predictive``) take as given which reports there are
    and who passes on whom, and draw a course of scenarios from the dynamics, then what the reports say.

    Of an event question `scenario_probability` is of what is being prepared, given that nothing has happened,
    and the potential `consistent` gives numbers that contradict each other density 0 (prior draws of PyMC
    know no potentials).

    Examples
    --------
    >>> import forecast, pymc
    >>> model = forecast.to_pymc("scenarios/isis-jn-2014")  # doctest: +SKIP
    >>> with model:  # doctest: +SKIP
    ...     tree = pymc.sample(nuts_sampler="nutpie")
    """
    case = as_case(case)
    day = checked_as_of(case.question, as_of)
    return build(build_layout(case.on(day).question, case.evidence), case.evidence, day)


def pymc_data(case: Case | str | Path, *, as_of: date | None = None) -> Data:
    """Return the ``pm.Data`` of :func:`to_pymc` as of another date, by name.

    Parameters
    ----------
    case, as_of
        As for :func:`to_pymc`.

    Returns
    -------
    dict of numpy.ndarray
        Arrays of the same names and ranks whatever the date.

    Examples
    --------
    >>> with model:  # doctest: +SKIP
    ...     pymc.set_data(forecast.pymc_data(case, as_of=date(2014, 11, 9)))
    """
    case = as_case(case)
    day = checked_as_of(case.question, as_of)
    return data_on(build_layout(case.on(day).question, case.evidence), case.evidence, day)


def data_on(layout: Layout, evidence: Evidence, as_of: date) -> Data:
    """Return everything that the model of a layout reads of the evidence, as known on a date."""
    stated = {"report_value": Reports(layout, evidence).stated(as_of)}
    return model_data(layout, evidence, as_of) | stated


def build(layout: Layout, evidence: Evidence, as_of: date) -> pm.Model:
    """Build the model of a layout around the evidence of one date."""
    question, reports = layout.question, Reports(layout, evidence)
    values = data_on(layout, evidence, as_of)
    with pm.Model(coords=_coordinates(layout)) as model:
        data = {name: pm.Data(name, value, dims=DIMS[name]) for name, value in values.items()}
        theta = theta_graph(layout)
        log_l, persistence = _cells(theta, data, layout)
        chain = None if layout.arrays.dynamics == STATIC else _chain(theta, layout)
        if chain is not None and chain.consistent is not None:
            pm.Potential("consistent", pt.switch(chain.consistent, 0.0, -math.inf))
        probability, norm = _filtered(theta, chain, log_l, persistence)
        learnt, power = norm, layout.learning
        if power < 1.0:
            _, learnt = _filtered(theta, chain, power * log_l, persistence and persistence.tempered(power))
        by_unit = ("unit",) if question.units else ()
        now, terms = (probability, norm.T) if question.units else (probability[0], norm[:, 0])
        pm.Deterministic("scenario_probability", now, dims=(*by_unit, "scenario"))
        pm.Deterministic("log_evidence", terms, dims=(*by_unit, "period"))

        pm.CustomDist(
            "report",
            theta,
            learnt.sum(),
            data["as_of"],
            data["report_value"],
            logp=lambda value, theta, total, as_of, like: total,
            random=lambda theta, total, as_of, like, rng, size=None: reports.draw(
                theta, date.fromordinal(int(as_of)), rng
            ),
            signature="(d),(),(),(j)->(j)",
            observed=data["report_value"],
            dims="report_number",
        )
    return model


def _cells(theta: TensorVariable, data: Symbols, layout: Layout) -> tuple[TensorVariable, Persistence | None]:
    """Return log L_t(s) of the cells whose values are fresh (T, U, K), and the others."""
    question, rows, persistence = layout.question, list[TensorVariable](), None
    if any(i.values for i in question.indicators):
        weight = log_weights(
            theta,
            data,
            noise=layout.starts.get("noise"),
            mean_reliability=float(np.mean([s.reliability.mean[1] for s in question.sources] or [1.0])),
            pairs=any(i.given for i in question.indicators),
        )
        rows.append(log_fresh(theta, data, weight))
        persistence = _persistence(theta, data, weight, layout)
    if any(not i.values for i in question.indicators):
        rows += [log_numbers(theta, data), log_erring(theta, data)]
    return (
        log_likelihood(rows, data, scenarios=layout.scenarios, units=question.unit_count),
        persistence,
    )


def _persistence(
    theta: TensorVariable, data: Symbols, log_weight: TensorVariable, layout: Layout
) -> Persistence | None:
    """Return the indicators whose values persist, None if there is none."""
    states = [i for i in layout.question.indicators if i.persistence is not None]
    if not states:
        return None
    most = max(len(i.values) for i in layout.question.indicators)
    slot = np.full((len(states), layout.scenarios, most), layout.size)  # where there is a 0
    for p, i in enumerate(states):
        for k, scenario in enumerate(layout.question.scenario_ids):
            slot[p, k, : len(i.values)] = layout.starts[f"likelihood {i.id} {scenario}"] + np.arange(
                len(i.values)
            )
    padded = pt.concatenate([log_weight, pt.zeros((1, layout.scenarios, most))])
    return Persistence(
        fresh=at(theta, pt.constant(slot)),
        stays=np.array([i.persistence for i in states]),
        log_weight=padded[data["state_row"].ravel()].reshape(
            (*data["state_row"].shape, layout.scenarios, most)
        ),
        exponent=data["state_exponent"],
        shape=(layout.question.unit_count, layout.scenarios, layout.arrays.runs, len(states), most),
    )


def _filtered(
    theta: TensorVariable, chain: Chain | None, log_l: TensorVariable, persistence: Persistence | None
) -> tuple[TensorVariable, TensorVariable]:
    """Return the probability of each scenario at the end (U, K), and log c_t (T, U)."""
    if chain is None:
        return forward_static(safe_log(theta[: log_l.shape[2]]), log_l, persistence)
    return forward(chain, log_l) if persistence is None else forward_persistent(chain, log_l, persistence)


def _chain(theta: TensorVariable, layout: Layout) -> Chain:
    """Return the chain of a scenario that may change."""
    size, start, question = layout.scenarios, layout.arrays.dynamics_offset, layout.question
    prior, square = theta[:size], (size, size)
    if question.event is not None:
        rate = [b.start for b in layout.blocks if b.id.kind == "preparing"]
        ends = [b.start for b in layout.blocks if b.id.kind == "ends_in_event"]
        chain = late_event if question.event.timing == "late" else steady_event
        return chain(
            prior,
            theta[rate],
            theta[ends],
            among=Outcomes.of(size, question.event.status_quo),
            steps=question.period(question.horizon),
        )
    if layout.arrays.dynamics == MOVES:
        then = theta[start + size : start + size + size * size].reshape(square)
        return Chain(prior, transition_matrix(theta[start : start + size], then))
    return Chain(prior, theta[start : start + size * size].reshape(square))


def _coordinates(layout: Layout) -> dict[str, list[str]]:
    question = layout.question
    ids = list(question.scenario_ids)
    coords = {"scenario": ids, "to_scenario": ids}
    coords |= {"source": [s.id for s in question.sources], "testimony": list(layout.testimonies)}
    coords |= {f"{i.id}_value": list(i.values) for i in question.indicators if i.values}
    return coords | ({"unit": list(question.units)} if question.units else {})
