"""Summary of a forecast, extracted from its result: the common source of table, brief and JSON.

Nothing is inferred here. Probabilities come from the DataTree, titles and reports from the case, the
forecast to compare with from the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from forecast.analysis.confidence import Confidence, confidence
from forecast.analysis.filing import Filing, filing
from forecast.analysis.source_agreement import Clash, clashing_cells
from forecast.case.probability_words import word_for, words_between
from forecast.inference.result import horizon, of_unit, warnings
from forecast.record.issue import inputs, last_issue
from forecast.record.issued_probabilities import Issued, carried_over, were_others
from forecast.report.styles import ScenarioStyle, scenario_styles

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.evidence import Report
    from forecast.case.folder import Case
    from forecast.case.question import Question
    from forecast.case.warnings import WarningMessage
    from forecast.record.ledger import Entry, Inputs


@dataclass(frozen=True, slots=True)
class Estimate:
    """A probability with its central 90 %, in words, and its change since the last issued forecast."""

    probability: float
    low: float
    high: float
    mcse: float
    words: str
    words_of_band: str
    change: float | None


@dataclass(frozen=True, slots=True)
class ScenarioForecast:
    """One scenario: now, at the horizon, ever true until then, and its trend so far.

    ``answer`` is what the question asks: the estimate at the horizon where the truth may move, else now. Of
    an event question, now is that it is being prepared, and the horizon that it will have happened:
    ``if_prepared`` is the chance of that if it is being prepared now, ``without_news`` what it would be had
    nothing been reported.
    """

    id: str
    title: str
    now: Estimate
    horizon: Estimate
    answer: Estimate
    ever: float
    trend: tuple[float, ...]
    if_prepared: float | None = None
    without_news: float | None = None


@dataclass(frozen=True, slots=True)
class WeighedReport:
    """A report and its weight of evidence for each scenario against the rest, in decibans."""

    report: Report
    weights: tuple[float, ...]

    @property
    def largest(self) -> float:
        """The largest absolute weight."""
        return max(abs(weight) for weight in self.weights)


@dataclass(frozen=True, slots=True)
class UnitForecast:
    """The forecast for one unit ("" where there is only one): its scenarios, and the reports that are new."""

    name: str
    scenarios: tuple[ScenarioForecast, ...]
    new_reports: tuple[WeighedReport, ...]

    @property
    def leading(self) -> ScenarioForecast:
        """The most probable scenario."""
        return max(self.scenarios, key=lambda scenario: scenario.answer.probability)

    @property
    def leading_place(self) -> int:
        """The place of the most probable scenario."""
        return self.scenarios.index(self.leading)


@dataclass(frozen=True, slots=True)
class Summary:
    """What table, brief and JSON document report of a forecast.

    ``question`` is the one in force on the as-of date; ``previous`` the as-of date of the forecast to compare
    with, None for a first one; ``carried`` tells whether it had other scenarios, so that its probabilities
    were carried over. The new reports became known after ``since``: since then, but over one period at
    least; all of them for a first forecast. ``filing`` is how the log was understood, None where silence
    does not count.
    """

    case: Case
    question: Question
    inputs: Inputs
    horizon: date
    previous: date | None
    carried: bool
    since: date
    units: tuple[UnitForecast, ...]
    clashes: tuple[Clash, ...]
    confidence: Confidence
    warnings: tuple[WarningMessage, ...]
    filing: Filing | None = None

    @property
    def styles(self) -> dict[str, ScenarioStyle]:
        """How each scenario is drawn, the same on every date."""
        return scenario_styles(self.case.question.all_scenarios)

    @property
    def regime(self) -> bool:
        """Whether the truth may move, so that the horizon is another question than today."""
        return self.question.dynamics is not None

    @property
    def event(self) -> bool:
        """Whether the question is whether something will have happened by the horizon."""
        return self.question.event is not None

    def outcome(self, unit: UnitForecast) -> ScenarioForecast:
        """Return the scenario of an event question that is the most probable to happen."""
        quiet = self.question.event.status_quo if self.question.event else -1
        outcomes = [scenario for k, scenario in enumerate(unit.scenarios) if k != quiet]
        return max(outcomes, key=lambda scenario: scenario.horizon.probability)

    @property
    def when(self) -> str:
        """The time that the question asks about."""
        return "at the horizon" if self.regime else "now"


def summarise(
    case: Case, tree: xr.DataTree, ledger: Sequence[Entry] = (), *, filed: Filing | None = None
) -> Summary:
    """Pick from a result what table, brief and JSON document report.

    Parameters
    ----------
    case, tree
        The case, and what :func:`forecast.update` returned for it.
    ledger : sequence of Entry, optional
        The forecasts issued before; without them nothing is said about change.
    filed : Filing, optional
        How the log was understood, if more is known of it than the result tells.
    """
    made_from = inputs(tree)
    previous = last_issue(ledger, made_from)
    every, case = case, case.on(made_from.as_of)
    question = case.question
    before = carried_over(every.question, question, previous)
    since = question.opened - timedelta(days=1)
    if previous:
        since = min(previous[0].as_of, made_from.as_of - timedelta(days=question.period_days))
    units = (
        UnitForecast(name, _scenarios(question, tree, name, before), _new_reports(case, tree, name, since))
        for name in question.unit_names
    )
    return Summary(
        case=every,
        question=question,
        inputs=made_from,
        horizon=horizon(tree),
        previous=previous[0].as_of if previous else None,
        carried=were_others(every.question, question, previous),
        since=since,
        units=tuple(units),
        clashes=clashing_cells(case, made_from.as_of),
        confidence=confidence(case, tree),
        warnings=tuple(dict.fromkeys([*case.warnings, *warnings(tree)])),
        filing=filed or filing(case, tree),
    )


def _scenarios(
    question: Question, tree: xr.DataTree, unit: str, before: Mapping[tuple[str, str], Issued]
) -> tuple[ScenarioForecast, ...]:
    trend, outlook = (of_unit(tree[name].to_dataset(), unit) for name in ("trend", "outlook"))
    scenarios = []
    for scenario in question.scenarios:
        past, later = trend.sel(scenario=scenario.id), outlook.sel(scenario=scenario.id)
        last = before.get((unit, scenario.id))
        now = _estimate(past.isel(as_of=-1), question.words, last.probability if last else None)
        end = _estimate(later.isel(date=-1), question.words, last.horizon if last else None)
        answer, ever = now if question.dynamics is None else end, float(later["ever"])
        probabilities = tuple(past["probability"].values.tolist())
        beside = [
            float(later[name].isel(date=-1, missing_dims="ignore")) if name in later else None
            for name in ("if_prepared", "without_news")
        ]
        scenarios.append(
            ScenarioForecast(scenario.id, scenario.title, now, end, answer, ever, probabilities, *beside)
        )
    return tuple(scenarios)


def _estimate(point: xr.Dataset, scale: str, last: float | None) -> Estimate:
    probability = min(max(float(point["probability"]), 0.0), 1.0)  # a mean may round to just past 1
    low, high = sorted(min(max(float(point[end]), 0.0), 1.0) for end in ("low", "high"))
    numbers = {name: float(point[name]) for name in ("low", "high", "mcse")}
    words, change = word_for(probability, scale), None if last is None else probability - last
    of_band = words_between(low, high, scale)
    return Estimate(probability, **numbers, words=words, words_of_band=of_band, change=change)


def _new_reports(case: Case, tree: xr.DataTree, unit: str, since: date) -> tuple[WeighedReport, ...]:
    """Return the reports of one unit that became known after a day, the weightiest first."""
    weights = tree["evidence"].to_dataset()["weight_of_evidence"]
    scenarios = list(case.question.scenario_ids)
    by_id = {report.id: report for report in case.evidence.reports}
    new = [
        WeighedReport(report, tuple(weights.sel(report=id, scenario=scenarios).values.tolist()))
        for id in weights["report"].values.tolist()
        if (report := by_id[id]).reported > since and report.unit == unit
    ]
    return tuple(sorted(new, key=lambda one: -one.largest))
