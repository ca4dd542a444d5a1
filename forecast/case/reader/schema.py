"""Pydantic schema of ``question.yaml``: allowed keys, their types and their limits.

The models say what a value must be by itself; what values say about one another is checked where they are
converted (:mod:`forecast.case.reader.question` and its neighbours). A field is None where it is at fault, and
has its default where it is not written: see :func:`forecast.case.reader.messages.validated`.

The JSON Schema of the models is shipped as ``question.schema.json``, by which editors complete and check.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from forecast.case.reader.messages import Block, Limits, refused, value_of
from forecast.case.reader.schema_judgements import (
    CASES,
    PLAIN,
    AboveOne,
    BelowOne,
    Chance,
    CountMean,
    Day,
    Days,
    Flag,
    Forms,
    Judged,
    Length,
    MeasureMean,
    Names,
    Positive,
    Probability,
    Reliability,
    Share,
    Shares,
    Stay,
    Text,
    Times,
    Uncertain,
    Weight,
    block,
    may,
    need,
    only,
)

Kind = Annotated[Literal["category", "count", "measure", "ratio"], PLAIN]
Period = Annotated[Literal["day", "week"], PLAIN]
Timing = Annotated[Literal["steady", "late"], PLAIN]
Learning = Annotated[Literal["partial", "full"], PLAIN]
Scale = Annotated[Literal["icd203", "phia", "nato", "ipcc", "kent"], PLAIN]

_DETECTION = "the chance that an event would be reported"
INDICATORS = "{meeting: {title: Leaders meet, likelihood: {...}}}"


_REPORTING = "{since: 2024-01-01, lag: 7}"


def _lag(written: Any) -> Any:
    """Return the days of a lag; that it is learned is not built yet."""
    if value_of(written) == "learned":
        fix = "write the days after which a report that comes at all has mostly come, or leave it out: 7"
        raise refused("cannot be learned yet", allowed=str(Limits(ge=0, le=36_500, whole=True)), fix=fix)
    return written


class Reporting(Block):
    """How the log came about: since when somebody watched, and how long reports take."""

    example = _REPORTING
    since: Day | None = may("watched from this day on; left out: since the first report of the indicator")
    lag: Annotated[Days, BeforeValidator(_lag)] | None = may(
        "days after a period's end before silence counts; left out: 7"
    )


_IGNORED = Annotated[Literal["ignored"], only("ignored", _REPORTING)]
_Reporting = Annotated[Literal["ignored"] | Reporting, Forms(block=Reporting, word=_IGNORED)]


class Monitored(Block):
    """Somebody looks for the event in every period, so that silence is evidence too."""

    example = "{detection: 0.6, lag: 7}"
    since: Day | None = may("the first day of monitoring; left out: `opened`")
    until: Day | None = may("the last day of monitoring; left out: `horizon`")
    detection: Share | None = need(_DETECTION, f"write {_DETECTION}")
    lag: Days | None = may("days after a period's end before silence counts", 0)
    false_alarm: BelowOne | None = may("the chance that a quiet period would be reported otherwise", 0.05)


_ROWS = block("{other: 0.05, ...}")
_LIKELIHOOD = need(
    "one judgement for each scenario: how probable each value is in a period, given the scenario of that "
    "period; a residual scenario may be left out",
    "write one judgement for each scenario",
)
_MISPLACED = {
    "values": ": only a category has values to name",
    "persistence": ": only a category has it, and this is a {kind}",
    "monitored": ": silence says nothing about a {kind}",
    "given": ": only a category can depend on another indicator, and this is a {kind}",
    "dispersion": ": only a count has it, and this is a {kind}",
    "quiet": ": only a category has a quiet value, and this is a {kind}",
    "reporting": ": silence says nothing about a {kind}, so how its log came about does not matter",
    "error": ": only a number (a count or a measure) has it, and this is a {kind}",
}


def _misplaced(kind: str, *own: str) -> dict[str, str]:
    """Return what is wrong with each key that only other kinds of indicators have."""
    return {key: problem.format(kind=kind) for key, problem in _MISPLACED.items() if key not in own}


class AnyIndicator(Block):
    """What every indicator has."""

    example = "{title: ..., likelihood: {...}}"
    title: Text | None = may("what is observed")
    kind: Kind | None = may("what its values are", "category")
    likelihood: Any = _LIKELIHOOD
    learn: Flag | None = may("false: this question's evidence does not revise its judgements")


class Category(AnyIndicator):
    """An indicator with names as values: no and yes unless it says otherwise."""

    misplaced = _misplaced("category", "values", "persistence", "monitored", "given", "quiet", "reporting")
    values: Names | None = may("the names of the values, the quiet one first", ["no", "yes"])
    likelihood: Annotated[dict[str, Chance | None], _ROWS] | None = _LIKELIHOOD
    persistence: BelowOne | None = may("the chance that the value of the last period simply goes on")
    monitored: Monitored | None = may("silence is evidence too: who would have reported it")
    given: Text | None = may("another indicator: this one has a value only in periods in which that happens")
    quiet: Text | None = may("the value that says that nothing happened; of no and yes: no")
    reporting: _Reporting | None = may(
        "ignored: silence says nothing of it; or since when it was watched; left out: the question's"
    )


class Count(AnyIndicator):
    """An indicator that is counted: a report states the total of the whole period."""

    misplaced = _misplaced("count", "dispersion", "error")
    likelihood: Annotated[dict[str, CountMean | None], _ROWS] | None = _LIKELIHOOD
    dispersion: Length | None = may("variance = m + m^2 / dispersion; .inf: Poisson", 5.0)
    error: Positive | None = may("how far a reliable report may be off: the sd of the log of the count + 1")


class Measure(AnyIndicator):
    """An indicator that is measured."""

    misplaced = _misplaced("measure", "error")
    likelihood: Annotated[dict[str, MeasureMean | None], _ROWS] | None = _LIKELIHOOD
    error: Positive | None = may("how far a reliable report may be off: an sd, in the measure's unit")


class Ratio(AnyIndicator):
    """How many times as probable somebody finds evidence of his own under each scenario."""

    misplaced = _misplaced("ratio")
    likelihood: Annotated[dict[str, Times | None], _ROWS] | None = _LIKELIHOOD


_KINDS = {"category": Category, "count": Count, "measure": Measure, "ratio": Ratio}
KINDS = tuple(_KINDS)


def _kind(written: Any) -> str:
    return str(value_of(written.get("kind", "category"))) if isinstance(written, dict) else "category"


Indicator = Annotated[Category | Count | Measure | Ratio, Forms(_kind, **_KINDS)]


class Group(Block):
    """Indicators that tend to move together within a period."""

    indicators: Names | None = need("two indicators or more", "list the indicators that move together")
    correlation: Probability | None = need("from 0 (apart) to 1 (as one)", "write a number from 0 to 1")


class Source(Block):
    """Somebody who reports."""

    example = "{title: ..., reliability: B}"
    title: Text | None = may("who it is")
    reliability: Reliability | None = need(
        "a grade from A to F, fact (the public record), or a judgement of the chance that it tells what "
        "happened",
        "write a grade from A to F, or a judgement of a probability",
    )
    error: Positive | None = may("how far its reliable numbers may be off; left out: the indicator's")
    learn: Flag | None = may("false: this question's evidence does not revise its reliability")


def _letter(mean: float) -> Any:
    return may(f"the reliability of such a source; by convention {mean}")


def _digit(digit: str) -> Any:
    return Field(None, alias=digit, description=f"the factor on a reliability at credibility {digit}")


class Grades(Block):
    """What Admiralty letters and digits mean here, where not by convention."""

    example = "{A: 0.97, 3: 0.6}"
    A: Chance | None = _letter(0.95)
    B: Chance | None = _letter(0.85)
    C: Chance | None = _letter(0.65)
    D: Chance | None = _letter(0.40)
    E: Chance | None = _letter(0.15)
    F: Chance | None = _letter(0.20)
    one: Probability | None = _digit("1")
    two: Probability | None = _digit("2")
    three: Probability | None = _digit("3")
    four: Probability | None = _digit("4")
    five: Probability | None = _digit("5")
    six: Probability | None = _digit("6")
    ungraded: Probability | None = may("the factor on a reliability without a credibility")

    def factor(self, credibility: str) -> float | None:
        """Return the factor of a credibility, None where it is that of the convention."""
        names = ("ungraded", "one", "two", "three", "four", "five", "six")
        return getattr(self, names[int(credibility or 0)])


Becomes = Annotated[dict[str, Share | None], block("{other: 1}")]
Takes = Annotated[float | dict[str, float], Forms(number=Uncertain, block=dict[str, Uncertain | None])]


class Scenario(Block):
    """One of the answers, which exclude one another and leave nothing out."""

    title: Text | None = may("what it is")
    prior: Probability | None = may("its probability on the first day; all sum to 1")
    residual: Flag | None = may("true: it stands for what the others leave out", False)
    status_quo: Flag | None = may("true: nothing has happened by the horizon (beside `event` only)", False)
    since: Day | None = may("the first day on which it is there, if not from the beginning")
    until: Day | None = may("the first day on which it is gone, if not there to the end")
    becomes: Becomes | None = may("what becomes of its probability on `until`: shares that sum to 1")
    takes: Takes | None = may("what it takes on `since` from every other, or from those named")

    def is_there(self, day: date) -> bool:
        """Return whether it is one of the scenarios on a day."""
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)


class Weighted(Block):
    """What every part of the dynamics may say."""

    weight: Weight | None = may(CASES)
    learn: Flag | None = may("false: this question's evidence does not revise these judgements")


class Move(Weighted):
    """How long a scenario lasts, and where it moves to."""

    example = "{lasts: ...}"
    lasts: Annotated[float | Stay, Forms(number=Length, block=Stay)] | None = need(
        "the mean stay in periods", "write the mean stay in periods; .inf if it is never left"
    )
    then: Annotated[dict[str, Probability | None], block("{other: 1}")] | None = may(
        "where it moves to: a probability for each of the others, summing to 1"
    )


class Step(Weighted):
    """A row of the per-period matrix with a weight of its own: {p: [...], weight: 40}."""

    example = "{p: [...]}"
    p: Shares | None = need("in the order of the scenarios", "write the row as a list of probabilities")


Row = Annotated[list[float] | Step, Forms(list=Shares, block=Step)]
_RULE = block("{other: ..., ...}")


class Dynamics(Weighted):
    """How the truth may move from scenario to scenario."""

    example = "{moves: {...}}"
    moves: Annotated[dict[str, Move | None], _RULE] | None = may("how long each lasts, and what follows")
    transition: Annotated[dict[str, Row | None], _RULE] | None = may("the rows of the per-period matrix")


_STATIC = Annotated[Literal["static"], only("static", "{moves: {...}}")]


class EndsInEvent(Judged):
    """The share of preparations that end in the event: {p: 0.5, weight: .inf}."""

    example = "{p: 0.5, weight: .inf}"
    p: Share | None = need("the share of preparations that end in it", "write the share")
    weight: Weight | None = may(".inf: exactly known; else the logit has a standard deviation of 1")


class Preparing(Weighted):
    """How long the event is prepared, and how often that ends in it."""

    example = "{lasts: {low: 3, high: 10}, ends_in_event: 0.5}"
    lasts: Annotated[float | Stay, Forms(number=Positive, block=Stay)] | None = need(
        "how many periods preparing lasts", "write how many periods preparing lasts"
    )
    ends_in_event: Annotated[float | EndsInEvent, Forms(number=Share, block=EndsInEvent)] | None = need(
        "the share of preparations that end in the event",
        "write the share of preparations that end in the event",
    )


def _preparing(written: Any) -> str:
    """Return whether preparing is described once, or for each scenario that can happen."""
    shared = not isinstance(written, dict) or not written or set(written) & set(Preparing.model_fields)
    return "shared" if shared else "each"


_EACH = dict[str, Preparing | None]


class Event(Weighted):
    """Will it have happened by the horizon? How it is prepared."""

    example = "{preparing: {lasts: {low: 3, high: 10}, ends_in_event: 0.5}}"
    preparing: Annotated[Preparing | _EACH, Forms(_preparing, shared=Preparing, each=_EACH)] | None = need(
        "how long it is prepared and how often that ends in it, once or for each scenario that can happen",
        f"write, e.g., {Preparing.example}",
    )
    timing: Timing | None = may("late: the event is ever likelier towards the horizon", "steady")


class Resolved(Block):
    """How the question was settled."""

    example = "{scenario: tactical, on: 2015-03-31}"
    scenario: Text | None = need("the scenario that came true", f"write, e.g., {example}")
    on: Day | None = need("the day on which it was settled", f"write, e.g., {example}")


PERIODS: Mapping[str, int] = {"day": 1, "week": 7}
_SCENARIOS = "{conflict: {title: Continued conflict, prior: 0.6}, ...}"
_SOURCES = "{agency: {title: ..., reliability: B}}"
_GROUPS = "{battlefield: {indicators: [clashes, joint_attack], correlation: 0.4}}"


class QuestionFile(Block):
    """A question with every judgement."""

    title: Text | None = need("the question in one sentence", "write the question in one sentence")
    opened: Day | None = need("the first day of period 0", "write the first day of period 0 as YYYY-MM-DD")
    horizon: Day | None = need(
        "the day on which the question is settled at the latest",
        "write the day on which the question is settled at the latest, as YYYY-MM-DD",
    )
    period: Period | None = may("day, or week (7 days from `opened`)", "week")
    ordered: Flag | None = may("true: the scenarios have an order, and scores reward a near miss", False)
    words: Scale | None = may("the scale of probability words", "icd203")
    weight: Weight | None = may(f"{CASES} unless it says otherwise", 20.0)
    learn: Flag | None = may("false: this question's evidence revises no judgement", True)
    learning: Learning | None = may("full: judgements learn all that the evidence says of them", "partial")
    cap: AboveOne | None = may("no single indicator in one period may favour a scenario by more")
    prior: Annotated[Literal["even"], PLAIN] | None = may("even: in place of a prior under each scenario")
    prior_weight: Weight | None = may("the weight of the prior; left out: `weight`")
    scenarios: Annotated[dict[str, Scenario | None], block(_SCENARIOS)] | None = need(
        "the answers, two or more, which exclude one another and leave nothing out",
        f"write, e.g., {_SCENARIOS}",
    )
    resolution: Text | None = may("what each scenario would look like on the horizon date")
    resolved: Resolved | None = may("how the question was settled")
    dynamics: Annotated[Literal["static"] | Dynamics, Forms(block=Dynamics, word=_STATIC)] | None = may(
        "how the truth may move from scenario to scenario; static, or left out: it cannot"
    )
    event: Event | None = may("in place of dynamics: will it have happened by the horizon?")
    reporting: _Reporting | None = may(
        "ignored: silence says nothing; or since when everything was watched; left out: each indicator from "
        "the period after its first report on"
    )
    indicators: Annotated[dict[str, Indicator | None], block(INDICATORS)] | None = need(
        "what is observed, one value per period", "write at least one indicator"
    )
    groups: Annotated[dict[str, Group | None], block(_GROUPS)] | None = may("what moves together", {})
    grades: Grades | None = may("what Admiralty letters and digits mean here")
    sources: Annotated[dict[str, Source | None], block(_SOURCES)] | None = may("who reports", {})
    units: Names | None = may("the question is asked of each of these", [])


def question_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of ``question.yaml``: what there may be, and what it means.

    `forecast new` writes it beside the question, for editors that complete and check while one types. It has
    the shape; what entries say about one another (that priors sum to 1, say) only `forecast check` tells.

    Examples
    --------
    >>> sorted(question_schema()["required"])
    ['horizon', 'indicators', 'opened', 'scenarios', 'title']
    """
    schema = _tidy(QuestionFile.model_json_schema())
    for kind, model in _KINDS.items():
        indicator = schema["$defs"][model.__name__]
        indicator["properties"]["kind"] = {"const": kind, "description": ", ".join(KINDS)}
        indicator["required"] = ["likelihood"] if kind == "category" else ["kind", "likelihood"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "question.yaml"} | schema


def _tidy(schema: Any) -> Any:
    """Return a schema without what editors should not show: made-up titles, nulls and our own notes."""
    if isinstance(schema, list):
        return [_tidy(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    notes = ("fix", "title") if isinstance(schema.get("title"), str) else ("fix",)
    rest = {
        {"oneOf": "anyOf"}.get(key, key): _tidy(one)
        for key, one in schema.items()
        if key not in notes and (key, one) != ("default", None)
    }
    choices = [one for one in rest.pop("anyOf", []) if one != {"type": "null"}]
    return (choices[0] if len(choices) == 1 else {"anyOf": choices} if choices else {}) | rest
