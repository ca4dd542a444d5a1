"""Reader of ``question.yaml``: returns :class:`~forecast.case.question.Question` or notes every fault.

The file's shape is held against :mod:`forecast.case.reader.schema`; here its parts become the frozen values
of :mod:`forecast.case.question`, and what they say about one another is checked: dates, scenarios and their
prior, dynamics. An :class:`Outline` is what evidence is checked against, even if the question has faults.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from forecast.case import elicitation
from forecast.case.errors import Faults, listed, meant
from forecast.case.judgement import Proportions
from forecast.case.probability_transfer import transfer_forward, transfer_matrix
from forecast.case.question import (
    Era,
    Event,
    History,
    Kind,
    Moves,
    Question,
    Reporting,
    Resolved,
    Scenario,
    Transition,
)
from forecast.case.reader import schema
from forecast.case.reader.dynamics import check_event, check_event_scenarios, read_dynamics, read_event
from forecast.case.reader.indicators import (
    Setting,
    read_grades,
    read_groups,
    read_indicators,
    read_reporting,
    read_sources,
)
from forecast.case.reader.judgements import Defaults, sums_to_one
from forecast.case.reader.messages import Place, validated
from forecast.case.reader.scenario_changes import (
    EraSetting,
    check_changes,
    check_lifetime,
    file_of_era,
    turns,
)
from forecast.case.reader.yaml_source import Node, load_yaml

#: The days that a timestamp of numpy and pandas can hold, with room for a period on either side.
FIRST_DAY, LAST_DAY = date(1700, 1, 1), date(2250, 12, 31)

#: A question of more periods is a slip of the pen.
MOST_PERIODS = 10_000

#: Column names of the results: a scenario of that name would be overwritten there.
RESERVED = dict.fromkeys(("as_of", "date", "unit"), "a column of the results")


def read_question(path: Path | str) -> Question:
    """Read a question from its file.

    Raises InputError with every fault in the file.
    """
    faults = Faults(str(path))
    question, _ = parse_question(Path(path).read_bytes(), faults)
    faults.raise_if_any()
    assert question is not None
    return question


def parse_question(data: bytes, faults: Faults) -> tuple[Question | None, Outline]:
    """Return the question in a file's bytes, None if it has faults, and what evidence may refer to."""
    node = load_yaml(data, faults)
    return (None, Outline()) if node is None else question_of(node, faults)


def question_of(node: Node, faults: Faults) -> tuple[Question | None, Outline]:
    """Return the question in the tree of a file, as :func:`parse_question` does."""
    top = Place(node, "", faults)
    file = validated(schema.QuestionFile, top)
    question, outline, scenarios = _read(file, top)
    if question is None or not scenarios.change:
        return question, outline
    return _with_history(file, top, question, scenarios.written), outline


def _with_history(
    file: schema.QuestionFile, top: Place, every: Question, scenarios: Mapping[str, schema.Scenario]
) -> Question | None:
    """Return a question whose scenarios change; that of each era is read as if its file had no other.

    `every` is what the file says of all scenarios there ever are, its prior that of the first day's.
    """
    changes = turns(scenarios, every.opened)
    priors = [dict(zip(changes[0].before, every.prior.mean, strict=True))]
    for turn in changes:
        priors.append(transfer_forward(priors[-1], turn))
    questions = list[Question]()
    for n, ids in enumerate([changes[0].before, *(turn.after for turn in changes)]):
        setting = EraSetting(n, tuple(scenarios), ids, changes, priors)
        own = replace(top, faults=Faults(top.faults.file))
        cut = file_of_era(file, setting, own)
        question = None if own.faults.noted else _read(cut, own)[0]
        for fault in own.faults.noted:
            problem = f"{fault.problem} (for the scenarios there are {setting.when})"
            top.faults.add(fault.line, fault.value, problem, allowed=fault.allowed, fix=fault.fix)
        if question is None:
            return None
        questions.append(question)
    versions = zip(changes, questions, strict=False)
    eras = tuple(Era(turn.day, version, transfer_matrix(turn)) for turn, version in versions)
    return replace(questions[-1], resolved=every.resolved, history=History(eras, every.scenarios))


def _read(file: schema.QuestionFile, top: Place) -> tuple[Question | None, Outline, Scenarios]:
    """Return the question of a file; where scenarios change, as if all of them were there throughout."""
    defaults = Defaults(file.weight or 20.0, file.words or "icd203", file.learn is not False)
    period_days = None if file.period is None else schema.PERIODS[file.period]
    opened, horizon = file.opened, file.horizon
    _check_dates(opened, horizon, period_days, top)
    scenarios = _read_scenarios(file, top, defaults)
    ids = [scenario.id for scenario in scenarios.every]
    reporting = read_reporting(file.reporting, top["reporting"], Reporting(), horizon)
    setting = Setting(scenarios.every, opened, horizon, defaults, reporting)
    statable, indicators = read_indicators(file.indicators, top["indicators"], setting)
    letters, credibility = read_grades(file.grades, top["grades"], defaults)
    sources = read_sources(file.sources or {}, top["sources"], defaults, letters)
    groups = read_groups(file.groups or {}, top["groups"], statable or {}, indicators)
    dynamics = _read_motion(file, top, scenarios, defaults) if ids else None
    if "units" in top and file.units == []:
        top["units"].refuse("is empty", fix="name the units, or remove the line", value=None)
    resolved = _read_resolved(file, top["resolved"], scenarios)
    source_ids = None if file.sources is None else frozenset(file.sources)
    units = None if file.units is None else tuple(file.units)
    outline = Outline(opened, period_days, statable, source_ids, units, _errors(file))
    if top.faults.noted or not opened or not horizon or not scenarios.prior or not period_days:
        return None, outline, scenarios
    question = Question(
        title=file.title or "",
        opened=opened,
        horizon=horizon,
        scenarios=scenarios.every,
        prior=scenarios.prior,
        indicators=indicators,
        sources=sources,
        period_days=period_days,
        ordered=bool(file.ordered),
        words=defaults.words,
        cap=None if file.cap is None or math.isinf(file.cap) else file.cap,
        learning=file.learning or "partial",
        resolution=file.resolution or "",
        dynamics=dynamics,
        static=file.dynamics == "static",
        groups=groups,
        units=units or (),
        credibility=credibility,
        resolved=resolved,
    )
    return question, outline, scenarios


def _read_motion(
    file: schema.QuestionFile, top: Place, scenarios: Scenarios, defaults: Defaults
) -> Moves | Transition | Event | None:
    """Return how the truth moves, or how an event is prepared; None if the question is static or at fault."""
    check_event_scenarios(file, top, scenarios.written)
    ids = [scenario.id for scenario in scenarios.every]
    if "event" not in top:
        written = None if file.dynamics == "static" else file.dynamics
        return read_dynamics(written, top["dynamics"], ids, defaults)
    event = read_event(file.event, top["event"], scenarios.written, defaults)
    if (
        event
        and scenarios.prior
        and file.opened
        and file.horizon
        and file.period
        and file.horizon > file.opened
    ):
        steps = (file.horizon - file.opened).days // schema.PERIODS[file.period]
        check_event(event, scenarios.prior, steps, top)
    return event


def _errors(file: schema.QuestionFile) -> tuple[frozenset[str], frozenset[str]]:
    """Return the indicators, and the sources, whose reliable reports of a number may be off."""
    measures = (file.indicators or {}).items()
    return (
        frozenset(id for id, one in measures if getattr(one, "error", None) is not None),
        frozenset(id for id, one in (file.sources or {}).items() if one and one.error is not None),
    )


def _check_dates(opened: date | None, horizon: date | None, period_days: int | None, top: Place) -> None:
    """Check the days on which the question opens and is settled at the latest."""
    if opened and horizon and horizon < opened:
        top["horizon"].refuse(f"is before opened ({opened})", fix="correct one of the two")
    days = {"opened": opened, "horizon": horizon}
    far = [key for key, day in days.items() if day and not FIRST_DAY <= day <= LAST_DAY]
    for key in far:
        top[key].refuse("lies too far off", allowed=f"a day from {FIRST_DAY} to {LAST_DAY}")
    if opened and horizon and period_days and not far:
        periods = (horizon - opened).days // period_days + 1
        if periods > MOST_PERIODS:
            problem, allowed = f"the question lasts {periods} periods", f"at most {MOST_PERIODS}"
            fix = "correct the dates, or choose a longer `period`"
            top["horizon"].note(str(horizon), problem, allowed=allowed, fix=fix)


def _read_resolved(file: schema.QuestionFile, place: Place, scenarios: Scenarios) -> Resolved | None:
    """Return how the question was settled, if it was."""
    if file.resolved is None or file.resolved.scenario is None or file.resolved.on is None:
        return None
    name, on, written = file.resolved.scenario, file.resolved.on, scenarios.written
    ids = [scenario.id for scenario in scenarios.every]
    if name not in ids:
        hint = meant(name, ids)
        place["scenario"].refuse("is not one of those there are", allowed=listed(ids), fix=hint)
    if (file.opened and on < file.opened) or (file.horizon and on > file.horizon):
        allowed = f"a day from {file.opened} to {file.horizon}"
        place["on"].refuse("lies outside the question", allowed=allowed)
    there = [id for id, one in written.items() if one.is_there(on)]
    if name in written and name not in there:
        place["scenario"].refuse(f"is not one of the scenarios there are on {on}", allowed=listed(there))
    late = [day for one in written.values() for day in (one.since, one.until) if day is not None and day > on]
    if late:
        problem = f"the scenarios change on {min(late)}, after the question was settled"
        place["on"].note(str(on), problem, fix="remove that change, or correct the day")
    return Resolved(name, on)


@dataclass(frozen=True, slots=True)
class Scenarios:
    """Every scenario there ever is, with what is written of it, and the prior over those of the first day."""

    every: tuple[Scenario, ...] = ()
    written: Mapping[str, schema.Scenario] = field(default_factory=dict)
    prior: Proportions | None = None

    @property
    def change(self) -> bool:
        """Whether some come or go."""
        return any(one.since or one.until for one in self.written.values())


def _read_scenarios(file: schema.QuestionFile, top: Place, defaults: Defaults) -> Scenarios:
    """Return the scenarios; without a prior where there is a fault."""
    if file.scenarios is None:
        return Scenarios()
    place, opened = top["scenarios"], file.opened
    written = {id: one or schema.Scenario.model_construct() for id, one in file.scenarios.items()}
    for id in written:
        place[id].check_id(id, "scenario", RESERVED)
    every = tuple(Scenario(id, one.title or id, one.residual is not False) for id, one in written.items())
    fit = [
        check_lifetime(one, place[id], [other for other in written if other != id], opened, file.horizon)
        for id, one in written.items()
    ]
    if len(every) < 2:
        fix = "add one; `residual: true` marks the rest"
        place.note(listed(written), "a question has at least two scenarios", fix=fix)
    if len(every) < 2 or not all(fit):
        return Scenarios(every)
    scenarios, first = Scenarios(every, written), list(written)
    residual = [scenario.id for scenario in every if scenario.residual]
    if scenarios.change:
        if opened is None:
            return scenarios
        check_changes(written, opened, place)
        first = [id for id, one in written.items() if one.is_there(opened)]
    elif len(residual) > 1:
        problem = "only one scenario can be residual: it stands for all that the others leave out"
        place.note(listed(residual), problem, fix="keep `residual` on one")
    return replace(scenarios, prior=_read_prior(file, top, first, scenarios, defaults))


def _read_prior(
    file: schema.QuestionFile, top: Place, first: Sequence[str], scenarios: Scenarios, defaults: Defaults
) -> Proportions | None:
    """Return the prior over the scenarios of the first day: even, or one number per scenario."""
    place, weight = top["scenarios"], file.prior_weight or defaults.weight
    priors = {id: one.prior for id, one in scenarios.written.items() if "prior" in one.model_fields_set}
    if file.prior is not None:
        if priors:
            problem = "`prior` is given at the top and again under the scenarios"
            top["prior"].note("prior", problem, fix="keep one of the two")
        return elicitation.plain([1.0] * len(first), weight, floor=True, learn=defaults.learn)
    missing = [id for id in first if id not in priors]
    if missing:
        fix = "write `prior:` under each scenario, or `prior: even` at the top"
        if "prior" not in top:
            place.note(None, f"no prior for {listed(missing)}", fix=fix)
        return None
    shares = []
    for id, p in priors.items():
        if p in (0.0, 1.0) and not math.isinf(weight):
            fix = "write a small probability such as 0.01, or `prior_weight: .inf` if exactly that is meant"
            place[id]["prior"].refuse("is certain: no evidence could ever overturn it", fix=fix)
        elif p is not None:
            shares.append(p)
    shown, named = " + ".join(f"{p:g}" for p in shares), replace(place, where="scenarios, prior")
    if len(shares) < len(first) or not sums_to_one(shares, named, shown):
        return None
    return elicitation.plain(shares, weight, floor=True, learn=defaults.learn)


@dataclass(frozen=True, slots=True)
class Outline:
    """The names and dates of a question that evidence refers to; None where they could not be read.

    ``indicators`` has for each id its kind and values, or None where that indicator is at fault, so that
    its reports cannot be judged. ``errors`` has the indicators and the sources whose numbers may be off.
    """

    opened: date | None = None
    period_days: int | None = None
    indicators: Mapping[str, tuple[Kind, tuple[str, ...]] | None] | None = None
    sources: frozenset[str] | None = None
    units: tuple[str, ...] | None = None
    errors: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())

    @classmethod
    def of(cls, question: Question) -> Outline:
        """Return the outline of a question that has been read."""
        indicators = {i.id: (i.kind, i.values) for i in question.indicators}
        sources = frozenset(source.id for source in question.sources)
        errors = (
            frozenset(i.id for i in question.indicators if i.error),
            frozenset(source.id for source in question.sources if source.error),
        )
        return cls(question.opened, question.period_days, indicators, sources, question.units, errors)

    def period(self, day: date) -> int:
        """Return the number of the period that holds a day; 0 where the question does not tell."""
        if self.opened is None or self.period_days is None:
            return 0
        return (day - self.opened).days // self.period_days
