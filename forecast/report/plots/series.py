"""Data of the plots as plain values: probability series, weights and numbered reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Literal

import numpy as np

from forecast.case.errors import Fault, InputError, listed, meant
from forecast.inference.diagnostics import LEAST_DECIBANS
from forecast.inference.result import as_of, of_unit
from forecast.report.number_format import decibans
from forecast.report.styles import ScenarioStyle, scenario_styles

if TYPE_CHECKING:
    import xarray as xr

    from forecast.case.evidence import Report
    from forecast.case.folder import Case
    from forecast.case.question import Question, Scenario

Backend = Literal["matplotlib", "plotly"]


@dataclass(frozen=True, slots=True)
class TrendSeries:
    """One scenario's probability over time, with its central 90 %: four arrays of one length."""

    title: str
    style: ScenarioStyle
    days: np.ndarray
    probability: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, slots=True)
class NumberedReport:
    """A report that has a number in the plot, and the scenario for or against which it weighs most."""

    number: int
    report: Report
    indicator: str
    source: str
    scenario: str
    weight: str


@dataclass(frozen=True, slots=True)
class NumberLabel:
    """The numbers of the reports of one day, and the height of the line on that day."""

    text: str
    day: np.datetime64
    height: float
    reports: tuple[NumberedReport, ...]


@dataclass(frozen=True, slots=True)
class TrendPanel:
    """What the trend plot draws for one unit ("" where there is only one).

    `weights` are those of the reports that became known on the `days`, (report, scenario in force).
    """

    unit: str
    trend: list[TrendSeries]
    outlook: list[TrendSeries]
    first: np.datetime64
    last: np.datetime64
    period_ends: np.ndarray
    days: np.ndarray
    weights: np.ndarray
    reports: list[NumberedReport]
    without_news: list[TrendSeries] = field(default_factory=list)  # of an event question, the outcomes

    @property
    def as_of(self) -> np.datetime64:
        """The as-of date."""
        return max(one.days[-1] for one in self.trend)

    @property
    def current(self) -> list[TrendSeries]:
        """The trends of the scenarios in force on the as-of date."""
        return [one for one in self.trend if one.days[-1] == self.as_of]

    @property
    def leader(self) -> TrendSeries:
        """The trend of the scenario that is the most probable on the as-of date."""
        return max(self.current, key=lambda one: one.probability[-1])

    @property
    def labels(self) -> list[NumberLabel]:
        """The numbers of reports on the leader's line, one label for each day."""
        days, labels = _seconds(self.leader.days), []
        for day, group in groupby(self.reports, key=lambda one: one.report.reported):
            reports, known = tuple(group), np.datetime64(day)
            first, last = reports[0].number, reports[-1].number
            height = float(np.interp(_seconds(known), days, self.leader.probability))
            text = f"{first}" if first == last else f"{first}–{last}"
            labels.append(NumberLabel(text, known, height, reports))
        return labels


@dataclass(frozen=True, slots=True)
class EvidenceMap:
    """What the evidence map draws: weights up to a limit and their texts, by indicator and scenario."""

    title: str
    subtitle: str
    rows: list[str]
    columns: list[str]
    weights: np.ndarray
    texts: list[list[str]]
    limit: float


def trend_panel(case: Case, tree: xr.DataTree, unit: str, most: int) -> TrendPanel:
    """Return what the trend plot draws for one unit, with at most so many reports numbered."""
    trend, outlook = trend_series(case, tree, unit, ended=True), outlook_series(case, tree, unit)
    question = case.question
    last = outlook[0].days[-1] if outlook else max(one.days[-1] for one in trend)
    end = last.astype("datetime64[D]").item()
    period_ends = [question.last_day(n) for n in range(question.period(end) + 1)]
    reports, weights = _reports_of(case, tree, unit)
    return TrendPanel(
        unit=unit,
        trend=trend,
        outlook=outlook,
        first=np.datetime64(question.opened).astype(trend[0].days.dtype),
        last=last,
        period_ends=np.array([day for day in period_ends if day <= end], dtype="datetime64[D]"),
        days=np.array([report.reported for report in reports], dtype="datetime64[D]"),
        weights=weights,
        reports=numbered_reports(case, tree, unit, most),
        without_news=_without_news(case, tree),
    )


def _without_news(case: Case, tree: xr.DataTree) -> list[TrendSeries]:
    """Return of each outcome of an event question the chance by each day to come if there is no news."""
    event, outlook = case.question.event, tree["outlook"].to_dataset()
    if event is None:
        return []
    series = []
    for k, scenario in enumerate(scenarios_of(case, tree)):
        if k != event.status_quo:
            chance = outlook["without_news"].sel(scenario=scenario.id).values
            style = scenario_styles(case.question.all_scenarios)[scenario.id]
            series.append(TrendSeries(scenario.title, style, outlook["date"].values, chance, chance, chance))
    return series


def trend_series(case: Case, tree: xr.DataTree, unit: str, *, ended: bool = False) -> list[TrendSeries]:
    """Return the trend: each scenario's probability as known on each day on which it was in force.

    `ended`: also of the scenarios that have ended.
    """
    trend, scenarios = of_unit(tree["trend"].to_dataset(), unit), scenarios_of(case, tree)
    if ended:
        scenarios = tuple(one for one in case.question.all_scenarios if one.id in trend["scenario"].values)
    series = []
    for scenario in scenarios:
        own = trend.sel(scenario=scenario.id)
        if "in_force" in own:
            own = own.isel(as_of=np.flatnonzero(own["in_force"].values))
        series.append(_series(case, scenario, own, own["as_of"].values))
    return series


def outlook_series(case: Case, tree: xr.DataTree, unit: str, *, static: bool = False) -> list[TrendSeries]:
    """Return the outlook from the as-of date on, constant until its first date.

    That of a static question, constant to the horizon, is left out unless `static`.
    """
    outlook = of_unit(tree["outlook"].to_dataset(), unit)
    if case.question.dynamics is None:
        if not static:
            return []
        outlook = outlook.isel(date=[-1])
    days = np.concatenate([tree["trend"].to_dataset()["as_of"].values[-1:], outlook["date"].values])
    data = outlook.isel(date=[0, *range(len(days) - 1)])
    return [_series(case, one, data.sel(scenario=one.id), days) for one in scenarios_of(case, tree)]


def _series(case: Case, scenario: Scenario, data: xr.Dataset, days: np.ndarray) -> TrendSeries:
    style = scenario_styles(case.question.all_scenarios)[scenario.id]
    values = (data[name].values for name in ("probability", "low", "high"))
    return TrendSeries(scenario.title, style, days, *values)


def _reports_of(case: Case, tree: xr.DataTree, unit: str) -> tuple[list[Report], np.ndarray]:
    """Return the reports of one unit, and their weights for each scenario in force, (report, scenario)."""
    weights = tree["evidence"].to_dataset()["weight_of_evidence"]
    by_id = {report.id: report for report in case.evidence.reports}
    own = [name for name in weights["report"].values.tolist() if by_id[name].unit == unit]
    scenarios = [scenario.id for scenario in scenarios_of(case, tree)]
    return [by_id[name] for name in own], weights.sel(report=own, scenario=scenarios).values


def numbered_reports(case: Case, tree: xr.DataTree, unit: str, most: int) -> list[NumberedReport]:
    """Return so many reports of the greatest weight for any scenario, numbered as they became known."""
    reports, weights = _reports_of(case, tree, unit)
    weights = np.nan_to_num(weights, posinf=np.inf, neginf=-np.inf)
    size = np.abs(weights).max(axis=1, initial=0.0)
    order = {report.id: n for n, report in enumerate(case.evidence.reports)}
    chosen = [n for n in np.argsort(-size, kind="stable") if size[n] >= LEAST_DECIBANS][:most]
    chosen.sort(key=lambda n: (reports[n].reported, reports[n].date, order[reports[n].id]))
    indicators = case.question.indicator_titles
    sources = case.question.source_titles
    scenarios, numbered = scenarios_of(case, tree), []
    for number, n in enumerate(chosen, start=1):
        report, scenario = reports[n], int(np.abs(weights[n]).argmax())
        indicator = indicators.get(report.indicator, report.indicator)
        source, weight = sources.get(report.source, report.source), decibans(float(weights[n, scenario]))
        title = scenarios[scenario].title
        numbered.append(NumberedReport(number, report, indicator, source, title, f"{weight} dB"))
    return numbered


def scenarios_of(case: Case, result: xr.DataTree | xr.Dataset) -> tuple[Scenario, ...]:
    """Return the scenarios that are in force on the as-of date of a result."""
    return case.on(as_of(result)).question.scenarios


def plotted_unit(question: Question, unit: str | None) -> str:
    """Return the unit to draw, "" for a question without units; if it is not clear, raise an InputError."""
    if unit in question.units or (unit is None and not question.units):
        return unit or ""
    if len(question.units) == 1 and unit is None:
        return question.units[0]
    if unit is None:
        problem, fix = "the question is asked of several units, and this plot shows one", "name it: unit=..."
    elif not question.units:
        problem, fix = "the question has no units", "leave `unit` out"
    else:
        problem, fix = "no such unit", meant(unit, question.units) or "name one of these"
    raise InputError([Fault("plot", 0, unit, problem, listed(question.units) if question.units else "", fix)])


def unit_title(question: Question, unit: str) -> str:
    """Return the title of a plot of one unit."""
    return f"{unit}: {question.title}" if unit else question.title


def use_plotly(backend: str) -> bool:
    """Tell which of the two backends is meant."""
    if backend not in ("matplotlib", "plotly"):
        allowed = "neither 'matplotlib' (for paper) nor 'plotly' (for the screen)"
        raise ValueError(f"backend {backend!r} is {allowed}")
    return backend == "plotly"


def day_text(moment: np.datetime64) -> str:
    """Write a date.

    >>> day_text(np.datetime64("2014-11-03"))
    '3 November 2014'
    """
    day = moment.astype("datetime64[D]").item()
    return f"{day.day} {day:%B %Y}"


def _seconds(moments: np.datetime64 | np.ndarray) -> np.ndarray:
    return np.asarray(moments).astype("datetime64[s]").astype(float)
