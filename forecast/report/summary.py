"""What is worth saying about a forecast, picked from its result: the one source of table, brief and JSON.

Nothing is inferred here. Probabilities come from the DataTree, titles and reports from the case, the
forecast to compare with from the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from forecast.analysis.confidence import Confidence, confidence
from forecast.analysis.source_agreement import Clash, clashing_cells
from forecast.case.in_force import ever
from forecast.case.probability_words import word_for, words_between
from forecast.inference.result import warnings
from forecast.record.comparison import Issued, carried_over, were_others
from forecast.record.issue import inputs, last_issue
from forecast.report.styles import ScenarioStyle, scenario_styles

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.evidence import Report
    from forecast.case.folder import Case
    from forecast.case.question import Question
    from forecast.case.warnings import WarningMessage
    from forecast.record.ledger import Entry, Inputs


@dataclass(frozen=True, slots=True)
class Chance:
    """A probability with its central 90 %, in words, and its change since the last issued forecast."""

    probability: float
    low: float
    high: float
    mcse: float
    words: str
    words_of_band: str
    change: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """One scenario: now, at the horizon, ever true until then, and its trend so far."""

    id: str
    title: str
    now: Chance
    horizon: Chance
    ever: float
    trend: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Mover:
    """A report and its weight of evidence for each scenario against the rest, in decibans."""

    report: Report
    weights: tuple[float, ...]

    @property
    def size(self) -> float:
        """The largest weight, whichever its direction."""
        return max(abs(weight) for weight in self.weights)


@dataclass(frozen=True, slots=True)
class View:
    """The forecast for one unit ("" where there is only one): its scenarios, and what moved them."""

    unit: str
    lines: tuple[Line, ...]
    movers: tuple[Mover, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything the reader is told.

    ``previous`` is the as-of date of the forecast to compare with, None for a first one; ``carried`` tells
    whether it had other scenarios, so that its probabilities were carried over. The reports in
    `movers` became known after ``since``: since then, but over one period at least; all of them for a first
    forecast.
    """

    case: Case
    inputs: Inputs
    horizon: date
    previous: date | None
    carried: bool
    since: date
    views: tuple[View, ...]
    clashes: tuple[Clash, ...]
    confidence: Confidence
    warnings: tuple[WarningMessage, ...]

    @property
    def question(self) -> Question:
        """The question in force on the as-of date: its scenarios are those that are spoken of."""
        return self.case.on(self.inputs.as_of).question

    @property
    def styles(self) -> dict[str, ScenarioStyle]:
        """How each scenario is drawn, the same on every date."""
        return scenario_styles(ever(self.case.question))

    @property
    def regime(self) -> bool:
        """Whether the truth may move, so that the horizon is another question than today."""
        return self.case.question.dynamics is not None

    def leading(self, line: Line) -> Chance:
        """Return what the question asks: the chance at the horizon where the truth may move, else now."""
        return line.horizon if self.regime else line.now


def summarise(case: Case, tree: xr.DataTree, ledger: Sequence[Entry] = ()) -> Summary:
    """Pick what the reader is told.

    Parameters
    ----------
    case : Case
        The case.
    tree : DataTree
        What :func:`forecast.update` returned for it.
    ledger : sequence of Entry, optional
        The forecasts issued before; without them nothing is said about change.

    Returns
    -------
    Summary
    """
    made_from = inputs(tree)
    previous = last_issue(ledger, made_from)
    every, case = case, case.on(made_from.as_of)
    before = carried_over(every.question, case.question, previous)
    since = case.question.opened - timedelta(days=1)
    if previous:
        since = min(previous[0].as_of, made_from.as_of - timedelta(days=case.question.period_days))
    units = case.question.units or ("",)
    return Summary(
        case=every,
        inputs=made_from,
        horizon=date.fromisoformat(str(tree.attrs["horizon"])),
        previous=previous[0].as_of if previous else None,
        carried=were_others(every.question, case.question, previous),
        since=since,
        views=tuple(
            View(unit, _lines(case, tree, unit, before), _movers(case, tree, unit, since)) for unit in units
        ),
        clashes=clashing_cells(case, made_from.as_of),
        confidence=confidence(case, tree),
        warnings=tuple(dict.fromkeys([*case.warnings, *warnings(tree)])),
    )


def of_unit(data: xr.Dataset, unit: str) -> xr.Dataset:
    """Return the part of a result that is about one unit."""
    return data.sel(unit=unit) if unit else data


def _lines(
    case: Case, tree: xr.DataTree, unit: str, before: Mapping[tuple[str, str], Issued]
) -> tuple[Line, ...]:
    trend = of_unit(tree["trend"].to_dataset(), unit)
    outlook = of_unit(tree["outlook"].to_dataset(), unit)
    lines = []
    for scenario in case.question.scenarios:
        own, ahead = trend.sel(scenario=scenario.id), outlook.sel(scenario=scenario.id)
        last = before.get((unit, scenario.id))
        scale = case.question.words
        lines.append(
            Line(
                id=scenario.id,
                title=scenario.title,
                now=_chance(own.isel(as_of=-1), scale, last.probability if last else None),
                horizon=_chance(ahead.isel(date=-1), scale, last.horizon if last else None),
                ever=float(ahead["ever"]),
                trend=tuple(own["probability"].values.tolist()),
            )
        )
    return tuple(lines)


def _chance(point: xr.Dataset, scale: str, last: float | None) -> Chance:
    probability = min(max(float(point["probability"]), 0.0), 1.0)  # a mean may round to just past 1
    low, high = sorted(min(max(float(point[end]), 0.0), 1.0) for end in ("low", "high"))
    return Chance(
        probability=probability,
        low=float(point["low"]),
        high=float(point["high"]),
        mcse=float(point["mcse"]),
        words=word_for(probability, scale),
        words_of_band=words_between(low, high, scale),
        change=None if last is None else probability - last,
    )


def _movers(case: Case, tree: xr.DataTree, unit: str, since: date) -> tuple[Mover, ...]:
    """Return the reports of one unit that became known after a day, the weightiest first."""
    weights = tree["evidence"].to_dataset()["weight_of_evidence"]
    order = [scenario.id for scenario in case.question.scenarios]
    by_id = {report.id: report for report in case.evidence.reports}
    movers = [
        Mover(report, tuple(weights.sel(report=name, scenario=order).values.tolist()))
        for name in weights["report"].values.tolist()
        if (report := by_id[name]).reported > since and report.unit == unit
    ]
    return tuple(sorted(movers, key=lambda mover: -mover.size))
