"""Analytic confidence (ICD 203): high, moderate or low, the lowest grade of four foundations.

Four foundations are each high, moderate or low by a stated threshold, and the lowest of the four is the
confidence. The thresholds are conventions of ours (ICD 203 and the PHIA name what to look at, not where to
draw the line).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from forecast.analysis.source_agreement import clashing_cells
from forecast.inference.result import as_of, at_horizon

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.folder import Case

Level = Literal["low", "moderate", "high"]
LEVELS: tuple[Level, ...] = ("low", "moderate", "high")

#: Largest for high, and for moderate confidence.
WIDTH = (0.15, 0.40)  # of the 90 % band of the most probable scenario
POOR = (0.25, 0.60)  # share of the reports that tell what happened with a chance of .65 (grade C) or less
CLASHES = (0.0, 0.25)  # share of the cells about which reports disagree
#: Smallest for high, and for moderate confidence.
ORIGINS = (6, 3)  # independent origins
GRADE_C = 0.65


@dataclass(frozen=True, slots=True)
class Foundation:
    """One thing that confidence rests on."""

    what: str
    level: Level


@dataclass(frozen=True, slots=True)
class Confidence:
    """The level, and what it rests on, the weakest first."""

    level: Level
    foundations: tuple[Foundation, ...]


def confidence(case: Case, tree: xr.DataTree) -> Confidence:
    """Return how sound the foundations of a forecast are.

    Parameters
    ----------
    case : Case
    tree : DataTree
        What :func:`forecast.update` returned for it.

    Returns
    -------
    Confidence
        The lowest of four levels: by the width of the 90 % band of the most probable scenario at the horizon
        (up to 15 points high, up to 40 moderate), the number of independent origins (6, 3), the share of
        reports graded C or worse (up to 25 %, 60 %), and the share of cells about which reports disagree
        (none, up to 25 %). An origin is a source, or a testimony, with a report that is not merely passed on.

    Examples
    --------
    >>> forecast.confidence(case, forecast.update(case)).level  # doctest: +SKIP
    """
    day, question = as_of(tree), case.question
    live = case.evidence.known(day)
    end = at_horizon(tree)
    leading = end.isel(scenario=end["probability"].argmax("scenario"))
    width = float((leading["high"] - leading["low"]).max())  # of several units the widest
    origins = len({r.testimony or r.source for r in live if not r.repeats or r.independence})
    reliability = {source.id: float(source.reliability.mean[1]) for source in question.sources}
    poor = sum(reliability[r.source] * question.credibility[r.credibility] <= GRADE_C + 1e-9 for r in live)
    share = poor / max(len(live), 1)
    cells = len({(question.period(r.date), r.indicator, r.unit) for r in live})
    clashes = len(clashing_cells(case, day))
    foundations = {
        f"the 90 % band is {100 * width:.0f} points wide": _at_most(width, WIDTH),
        _counted(origins, "independent origin"): LEVELS[sum(origins >= n for n in ORIGINS)],
        f"{100 * share:.0f} % of the reports are graded C or worse": _at_most(share, POOR),
        f"reports disagree about {clashes} of {_counted(cells, 'cell')}": _at_most(
            clashes / max(cells, 1), CLASHES
        ),
    }
    ranked = sorted(foundations.items(), key=lambda one: LEVELS.index(one[1]))
    return Confidence(ranked[0][1], tuple(Foundation(*one) for one in ranked))


def _at_most(value: float, limits: tuple[float, float]) -> Level:
    return LEVELS[sum(value <= limit + 1e-9 for limit in limits)]


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
