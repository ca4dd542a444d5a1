"""How the log was understood: how often claims are filed, as was learnt, and the forecast without.

Whether something is filed hangs on what it claims (:mod:`forecast.model.likelihood`): so silence is evidence.
Beside the forecast stands one that ignores what was filed and what was not, made quickly: with an error of a
point, and told where it differs by more than that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import numpy as np

from forecast.case.reporting import watched_from
from forecast.inference import result

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.folder import Case

Claim = Literal["event", "quiet", "again"]
#: What may be claimed: that something happened, that it did not, that what was stated last goes on.
CLAIMS: tuple[Claim, ...] = get_args(Claim)

#: A forecast that ignores reporting is told if a probability differs by more than this.
APART = 0.05


class Chance(NamedTuple):
    """The chance that a claim is filed: of the question as a whole, and the range over its indicators."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Filing:
    """How often claims were filed, as learnt, since when silence counts, and what it moves.

    ``ignored`` has the probabilities now and at the horizon with reporting ignored, by unit and scenario,
    (2, U, K): None where none differs by more than :data:`APART`, or it was not computed.
    """

    chances: dict[Claim, Chance]
    since: dict[tuple[str, str], date]  # of each unit and indicator whose silence counts
    ignored: np.ndarray | None = None


def filing(case: Case, tree: xr.DataTree) -> Filing | None:
    """Return how the log was understood, None where silence about nothing counts by what was learnt.

    Parameters
    ----------
    case : Case
    tree : DataTree
        What :func:`forecast.update` returned for it.

    Examples
    --------
    >>> forecast.filing(case, forecast.update(case)).chances["event"].mean  # doctest: +SKIP
    0.37
    """
    day, question, posterior = result.as_of(tree), case.question, tree["posterior"].to_dataset()
    since = {
        key: question.last_day(period - 1) + timedelta(days=1)
        for key, period in watched_from(question, case.evidence.until(day)).items()
    }
    since = {key: start for key, start in since.items() if start <= day}
    if not since or "reporting" not in posterior:
        return None
    watched, chances = {indicator for _, indicator in since}, dict[Claim, Chance]()
    whole = posterior["reporting"].mean(["chain", "draw"])
    for claim in CLAIMS:
        if claim not in whole["claim"].values:
            continue
        own = posterior[f"filed_{claim}"].mean(["chain", "draw"])
        mine = own.values[np.isin(own[f"{claim}_indicator"].values, list(watched))]
        if len(mine):
            chances[claim] = Chance(float(whole.sel(claim=claim)), float(mine.min()), float(mine.max()))
    return Filing(chances, since)


def with_reporting_ignored(case: Case, tree: xr.DataTree) -> Filing | None:
    """Return how the log was understood, and the forecast that ignores it where that differs.

    The engine is run once more, with few particles: see :func:`forecast.quick`.
    """
    from forecast.analysis.plug_in import quick_forecast

    understood, day = filing(case, tree), result.as_of(tree)
    if understood is None:
        return None
    question = case.on(day).question
    plain = replace(question, indicators=tuple(replace(i, reporting=None) for i in question.indicators))
    other = quick_forecast(plain, case.evidence, day, seed=int(tree.attrs["seed"]))
    probability = np.stack([other.now, other.horizon])
    apart = np.abs(probability - result.now_and_horizon(tree, question.scenario_ids)).max()
    return replace(understood, ignored=probability if apart > APART else None)
