"""What learning does to a forecast: the same evidence, the judgements held to what their authors said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import xarray as xr

from forecast.case.as_of import checked_as_of
from forecast.case.folder import Case
from forecast.case.judgement import Judgement
from forecast.case.question import Moves, Question, Transition
from forecast.inference.engine import update


def learning(
    case: Case, *, as_of: date | None = None, draws: int = 2000, chains: int = 4, seed: int = 0
) -> xr.Dataset:
    """Compare a forecast with the one in which no judgement learns.

    Learning has no labels to go by: nobody says which scenario was true in past weeks. Where judgements have
    drifted far, what was learnt may be that a scenario looks like whatever happened while it led.

    Parameters
    ----------
    case : Case
    as_of, draws, chains, seed
        As for :func:`forecast.update`.

    Returns
    -------
    xarray.Dataset
        `now` and `horizon` with their errors, by variant ("as written", "no learning"), scenario (and unit).

    Examples
    --------
    >>> forecast.learning(forecast.load_case("scenarios/isis-jn-2014"))["now"]  # doctest: +SKIP
    """
    found, case = [], case.on(checked_as_of(case.question, as_of))
    for one in (case, replace(case, question=unlearning(case.question))):
        tree = update(one, as_of=as_of, draws=draws, chains=chains, seed=seed)
        now, ahead = tree["trend"].to_dataset().isel(as_of=-1), tree["outlook"].to_dataset().isel(date=-1)
        found.append(
            xr.Dataset(
                {
                    "now": now["probability"],
                    "horizon": ahead["probability"],
                    "now_mcse": now["mcse"],
                    "horizon_mcse": ahead["mcse"],
                }
            ).drop_vars(["as_of", "date"], errors="ignore")
        )
    return xr.concat(found, dim="variant").assign_coords(variant=["as written", "no learning"])


def unlearning(question: Question) -> Question:
    """Return the question with `learn: false` on every judgement."""
    dynamics = question.dynamics
    if isinstance(dynamics, Moves):
        then = tuple(row and replace(row, learn=False) for row in dynamics.then)
        dynamics = Moves(tuple(replace(rate, learn=False) for rate in dynamics.leave), then)
    elif isinstance(dynamics, Transition):
        dynamics = Transition(tuple(replace(row, learn=False) for row in dynamics.rows))
    return replace(
        question,
        prior=replace(question.prior, learn=False),
        indicators=tuple(
            replace(indicator, likelihood=tuple(_fixed(j) for j in indicator.likelihood))
            for indicator in question.indicators
        ),
        sources=tuple(
            replace(source, reliability=replace(source.reliability, learn=False))
            for source in question.sources
        ),
        dynamics=dynamics,
    )


def _fixed(judgement: Judgement) -> Judgement:
    return replace(judgement, learn=False)
