"""Validated question as frozen dataclasses: scenarios, indicators, sources, dynamics, with defaults.

These values are what the rest of the toolkit reads. They are made from ``question.yaml`` by
:func:`forecast.case.reader.question.read_question`, and can be made by hand in a test or a notebook.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from html import escape
from types import MappingProxyType
from typing import Literal

from forecast.case import html
from forecast.case.judgement import Judgement, LogitNormal, Positive, Proportions

Kind = Literal["category", "ratio", "count", "measure"]
Learning = Literal["partial", "full"]

#: Exponent of the evidence, where judgements learn from it; of the scenario it says all that it says.
LEARNING: Mapping[Learning, float] = MappingProxyType({"partial": 0.5, "full": 1.0})

#: Factor on a source's reliability, by Admiralty credibility; "" is not graded. Conventions, no measurements.
CREDIBILITY: Mapping[str, float] = MappingProxyType(
    {"1": 1.0, "2": 0.9, "3": 0.7, "4": 0.4, "5": 0.1, "6": 0.7, "": 1.0}
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One of the mutually exclusive, collectively exhaustive answers."""

    id: str
    title: str
    residual: bool = False


@dataclass(frozen=True, slots=True)
class Monitored:
    """An indicator somebody watches: silence about it is evidence too.

    ``detection``: the chance that a value other than the quiet (first) one would be reported;
    ``false_alarm``: the chance that a quiet period would be reported as something else;
    ``lag``: days after a period's end before silence counts.
    """

    since: date
    until: date
    detection: float
    lag: int = 0
    false_alarm: float = 0.05


@dataclass(frozen=True, slots=True)
class Reporting:
    """How the log of an indicator came about: a report is filed or not by what it claims.

    ``since``: the day from which the indicator was watched; None: the period after its first report on, and
    not before the one in which the log's first report became known. ``lag``: days after a period's end before
    its silence counts.
    """

    since: date | None = None
    lag: int = 7


@dataclass(frozen=True, slots=True)
class Indicator:
    """An observable with one value per period.

    ``values`` names the categories, the first being the quiet one (``("no", "yes")`` where the question
    gives none); it is empty for a count or a measure. ``likelihood`` has one judgement per scenario, in
    the question's order: :class:`Proportions` over ``values`` for a category or a ratio (a ratio's are
    exact), :class:`Positive` for a count, :class:`MeasureMean` for a measure. ``given`` names an
    indicator without whose event (any value but its first, in the same period) this one has no value.
    ``dispersion`` is the negative binomial's: variance = m + m^2 / dispersion; None is Poisson.
    ``quiet`` is the value that says nothing happened, "" if there is none. ``reporting``: None is ignored,
    whether a report was filed is then no evidence. ``error``: how far a reliable report of a number may be
    off, the log-sd of a count (plus one), the sd of a measure; 0 where it states the number itself.
    """

    id: str
    title: str
    kind: Kind
    values: tuple[str, ...]
    likelihood: tuple[Judgement, ...]
    persistence: float | None = None
    monitored: Monitored | None = None
    given: str | None = None
    dispersion: float | None = None
    quiet: str = ""
    reporting: Reporting | None = None
    error: float = 0.0


@dataclass(frozen=True, slots=True)
class Group:
    """Indicators that tend to move together within a period, and how much (0 to 1)."""

    id: str
    indicators: tuple[str, ...]
    correlation: float


@dataclass(frozen=True, slots=True)
class Source:
    """Who reports. ``reliability`` is over (noise, tells what happened): its mean is (1 - r, r)."""

    id: str
    title: str
    reliability: Proportions
    error: float | None = None  # in place of the indicator's


@dataclass(frozen=True, slots=True)
class Moves:
    """A continuous-time chain: per scenario the leaving rate (per period), and where to.

    ``then[i]`` has one entry per scenario, 0 for itself and for what cannot happen. A scenario that is
    never left has rate 0 and ``then[i] = None``.
    """

    leave: tuple[Positive, ...]
    then: tuple[Proportions | None, ...]


@dataclass(frozen=True, slots=True)
class Transition:
    """The rows of the per-period transition matrix, one judgement per scenario."""

    rows: tuple[Proportions, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """An event question: will it have happened by the horizon? The priors are chances by the horizon.

    ``status_quo`` is the index of the scenario in which nothing has happened; every other scenario is an
    outcome. Of each outcome, in the order of the scenarios, ``leave`` is the rate at which a preparation ends
    (1 / how long it lasts, per period), ``ends_in_event`` the share of preparations that end in it. A single
    entry is one judgement that all outcomes share. ``timing``: the event is as likely in each period
    (steady), or ever likelier towards the horizon (late).
    """

    status_quo: int
    leave: tuple[Positive, ...]
    ends_in_event: tuple[LogitNormal, ...]
    timing: Literal["steady", "late"] = "steady"


@dataclass(frozen=True, slots=True)
class Resolved:
    """How the question was settled."""

    scenario: str
    on: date


@dataclass(frozen=True, slots=True)
class Question:
    """A question: scenarios, indicators, sources and every judgement about them.

    ``prior`` is over the scenarios at period 0. ``dynamics`` is None for a static question.
    ``static``: the file says itself that the truth is fixed (``dynamics: static``).
    ``cap``: no single cell may favour one scenario over another by more than this factor.
    ``learning``: how much of what evidence says of the judgements is believed (:data:`LEARNING`).
    ``units``: empty when the question is asked of one unit.
    ``history``: None where the scenarios never change; else all the rest is the question after the last
    change, and :func:`forecast.case.in_force.in_force` has the one of any day.
    """

    title: str
    opened: date
    horizon: date
    scenarios: tuple[Scenario, ...]
    prior: Proportions
    indicators: tuple[Indicator, ...]
    sources: tuple[Source, ...]
    period_days: int = 7
    ordered: bool = False
    words: str = "icd203"
    cap: float | None = None
    learning: Learning = "partial"
    resolution: str = ""
    dynamics: Moves | Transition | Event | None = None
    static: bool = False
    groups: tuple[Group, ...] = ()
    units: tuple[str, ...] = ()
    credibility: Mapping[str, float] = field(default_factory=lambda: CREDIBILITY)
    resolved: Resolved | None = None
    history: History | None = None

    @property
    def scenario_ids(self) -> tuple[str, ...]:
        """The ids of the scenarios, in the order of the file."""
        return tuple(scenario.id for scenario in self.scenarios)

    @property
    def titles(self) -> dict[str, str]:
        """The title of each scenario, by id."""
        return {scenario.id: scenario.title for scenario in self.scenarios}

    @property
    def versions(self) -> tuple[Question, ...]:
        """The question as it was in each era, the oldest first, the present one last."""
        if self.history is None:
            return (self,)
        return *(era.question for era in self.history.eras), replace(self, history=None)

    @property
    def all_scenarios(self) -> tuple[Scenario, ...]:
        """Every scenario that there is or was, in the order of the file."""
        return self.scenarios if self.history is None else self.history.scenarios

    @property
    def all_titles(self) -> dict[str, str]:
        """The title of every scenario that there is or was, by id."""
        return {scenario.id: scenario.title for scenario in self.all_scenarios}

    @property
    def indicator_titles(self) -> dict[str, str]:
        """The title of each indicator, by id."""
        return {indicator.id: indicator.title for indicator in self.indicators}

    @property
    def source_titles(self) -> dict[str, str]:
        """The title of each source, by id."""
        return {source.id: source.title for source in self.sources}

    @property
    def unit_names(self) -> tuple[str, ...]:
        """The units; ("",) where the question is asked of one."""
        return self.units or ("",)

    @property
    def unit_count(self) -> int:
        """Number of units."""
        return len(self.unit_names)

    @property
    def event(self) -> Event | None:
        """The event block of an event question, None of any other."""
        return self.dynamics if isinstance(self.dynamics, Event) else None

    def indicator(self, id: str) -> Indicator:
        """Return the indicator with an id."""
        return next(indicator for indicator in self.indicators if indicator.id == id)

    def period(self, day: date) -> int:
        """Return the number of the period that holds `day`; negative before `opened`."""
        return (day - self.opened).days // self.period_days

    def last_day(self, period: int) -> date:
        """Return the last day of a period."""
        return self.opened + timedelta(days=(period + 1) * self.period_days - 1)

    def as_of(self, day: date) -> date:
        """Return `day` held within `opened` and `horizon`."""
        return min(max(day, self.opened), self.horizon)

    def html_parts(self) -> list[str]:
        """Return the parts of its display in a notebook: scenarios, indicators with likelihoods, sources."""
        form = "the truth may move" if self.dynamics is not None else "one scenario is true throughout"
        form = "will it have happened by then?" if self.event is not None else form
        period = {7: "week", 1: "day"}.get(self.period_days, "period")
        units = f"; units: {', '.join(self.units)}" if self.units else ""
        asked = f"{self.opened} to {self.horizon}, by {period}; {form}{units}"
        priors = zip(self.scenarios, self.prior.mean, strict=True)
        scenarios = html.table(("id", "title", "prior"), [(s.id, s.title, f"{p:.3g}") for s, p in priors], 1)
        sources = [(source.id, source.title, str(source.reliability)) for source in self.sources]
        indicators = [
            (i.id, i.title, ", ".join(i.values) if i.kind == "category" else i.kind, *map(str, i.likelihood))
            for i in self.indicators
        ]
        ids = self.scenario_ids
        likelihoods = html.dim("likelihood under each scenario, in brackets its weight")
        likelihoods += html.table(("id", "title", "values", *ids), indicators, len(ids))
        return [
            f"<div>{escape(self.title)}</div>{html.dim(asked)}",
            html.fold(f"Scenarios ({len(ids)})", scenarios, opened=True),
            html.fold(f"Indicators ({len(indicators)})", likelihoods),
            html.fold(f"Sources ({len(sources)})", html.table(("id", "title", "reliability"), sources, 1)),
        ]

    def _repr_html_(self) -> str:
        return html.page("forecast.Question", self.html_parts())


@dataclass(frozen=True, slots=True)
class Era:
    """A question as it was until its scenarios changed.

    ``until`` is the first day on which it is no longer in force. ``becomes[i][j]`` is the share of its
    scenario i whose probability goes to scenario j of the question that follows: each row sums to 1.
    """

    until: date
    question: Question
    becomes: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class History:
    """What a question was before: its eras, the oldest first, and every scenario in the file's order."""

    eras: tuple[Era, ...]
    scenarios: tuple[Scenario, ...]
