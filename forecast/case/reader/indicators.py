"""Conversion of indicators, groups, sources and their grades from schema models to frozen values."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Literal

from forecast.case import elicitation
from forecast.case.errors import listed, meant
from forecast.case.judgement import Judgement, Proportions
from forecast.case.question import (
    CREDIBILITY,
    Group,
    Indicator,
    Kind,
    Monitored,
    Reporting,
    Scenario,
    Source,
)
from forecast.case.reader import schema
from forecast.case.reader.judgements import YES_NO, Asked, Defaults, count_mean, measure_mean, proportions
from forecast.case.reader.messages import Limits, Place

#: Names of the results and of the PyMC model that an indicator of that name would clash with.
RESERVED = ("category", "cell", "chain", "draw", "number", "period", "report", "scenario", "unit")

#: What evidence may state of each indicator: its kind and values, None where that is not known.
Statable = Mapping[str, tuple[Kind, tuple[str, ...]] | None]
#: The reliability that each Admiralty letter stands for.
Letters = Mapping[str, Proportions]


@dataclass(frozen=True, slots=True)
class Setting:
    """What an indicator needs to know of its question."""

    scenarios: tuple[Scenario, ...]
    opened: date | None
    horizon: date | None
    defaults: Defaults
    reporting: Reporting | None = None


def read_indicators(
    written: Mapping[str, schema.AnyIndicator | None] | None, place: Place, setting: Setting
) -> tuple[Statable | None, tuple[Indicator, ...]]:
    """Return what evidence may state of each indicator, and the indicators without fault."""
    if written is None:
        return None, ()
    if not written:
        place.note(None, "there are no indicators", fix=f"write, e.g., {schema.INDICATORS}")
    statable: dict[str, tuple[Kind, tuple[str, ...]] | None] = dict.fromkeys(written)
    indicators = []
    for id, one in written.items():
        place[id].check_id(id, "indicator", dict.fromkeys(RESERVED, "a name of the results"))
        values = None if one is None else _values(one, place[id])
        if one is None or one.kind is None or values is None:
            continue
        statable[id] = one.kind, values
        likelihood = _read_likelihood(one, values, place[id]["likelihood"], setting)
        if likelihood is not None:
            indicator = Indicator(id, one.title or id, one.kind, values, likelihood)
            indicators.append(_with_extras(indicator, one, place[id], setting))
    _check_given(place, indicators, set(statable))
    _check_names(place, list(statable), setting)
    parents = {indicator.given for indicator in indicators if indicator.given is not None}
    return statable, tuple(
        replace(one, quiet=_quiet(one, written[one.id], place[one.id], parent=one.id in parents))
        for one in indicators
    )


#: The dispersion of a count that does not say otherwise: a week has its own course, so counts scatter more
#: than by chance alone.
DISPERSION = 5.0


def _with_extras(
    indicator: Indicator, written: schema.AnyIndicator, place: Place, setting: Setting
) -> Indicator:
    """Return an indicator with the fields of its kind only: dispersion and error, or those of a category."""
    if isinstance(written, schema.Count):
        dispersion = DISPERSION if written.dispersion is None else written.dispersion
        spread = None if math.isinf(dispersion) else dispersion
        return replace(indicator, dispersion=spread, error=written.error or 0.0)
    if isinstance(written, schema.Measure):
        return replace(indicator, error=written.error or 0.0)
    if not isinstance(written, schema.Category):
        return indicator
    monitored, at = None, place["reporting"]
    if written.monitored is not None:
        monitored = _read_monitored(written.monitored, place["monitored"], setting)
    return replace(
        indicator,
        persistence=written.persistence,
        monitored=monitored,
        given=written.given,
        reporting=read_reporting(written.reporting, at, setting.reporting, setting.horizon),
    )


def read_reporting(
    written: Literal["ignored"] | schema.Reporting | None,
    place: Place,
    default: Reporting | None,
    horizon: date | None,
) -> Reporting | None:
    """Return how a log came about, None where that is to be ignored; what is not written is the default's."""
    if written is None or written == "ignored":
        return default if written is None else None
    usual = default or Reporting()
    since, lag = written.since or usual.since, usual.lag if written.lag is None else int(written.lag)
    if written.since and horizon and written.since > horizon:
        fix = "correct it, or write `reporting: ignored` if silence is to say nothing"
        place["since"].refuse(f"is after the horizon ({horizon}): no silence would ever count", fix=fix)
    return Reporting(since, lag)


def _quiet(indicator: Indicator, written: schema.AnyIndicator | None, place: Place, *, parent: bool) -> str:
    """Return the value that says that nothing happened, "" if there is none."""
    values, needed = indicator.values, indicator.monitored is not None or parent
    quiet = written.quiet if isinstance(written, schema.Category) else None
    if quiet is None:
        usual = "no" if set(values) == set(YES_NO) else ""
        return values[0] if needed and values else usual
    if quiet not in values:
        hint = meant(quiet, values)
        place["quiet"].refuse(f"is not a value of {indicator.id}", allowed=listed(values), fix=hint)
    elif needed and quiet != values[0]:
        why = "another indicator is given it" if parent else "it is monitored"
        fix = f"put {quiet} first in `values` (and in every likelihood), or remove `quiet`"
        place["quiet"].refuse(f"must be the first value: {why}", allowed=values[0], fix=fix)
    return quiet


def _check_names(place: Place, ids: Sequence[str], setting: Setting) -> None:
    """Refuse ids from which the results would make one name twice (``x`` and ``x_period``, say)."""
    owners: dict[str, str] = {}
    for id in ids:
        names = [id, *(f"{id}_{end}" for end in ("cell", "period", "unit", "value"))]
        names += [f"likelihood_{id}", *(f"likelihood_{id}_{scenario.id}" for scenario in setting.scenarios)]
        clash = next((owners[name] for name in names if name in owners), None)
        if clash is not None:
            problem = f"with the indicator {clash} it would make one name of the results twice"
            place[id].note(id, problem, fix="choose an id that does not go on from the other's")
        owners |= dict.fromkeys(names, id)


def _values(written: schema.AnyIndicator, place: Place) -> tuple[str, ...] | None:
    """Return the names of the values, none for a number, None where they are at fault."""
    if not isinstance(written, schema.Category):
        return YES_NO if isinstance(written, schema.Ratio) else ()
    values = written.values
    if values is not None and len(values) < 2:
        fix = "put the quiet value first, e.g. [no, yes]"
        place["values"].refuse("must name at least two values", fix=fix)
        return None
    return None if values is None else tuple(values)


def _read_monitored(written: schema.Monitored, place: Place, setting: Setting) -> Monitored | None:
    since, until = written.since or setting.opened, written.until or setting.horizon
    detection, false_alarm, lag = written.detection, written.false_alarm, written.lag
    if since is None or until is None or detection is None or false_alarm is None or lag is None:
        return None
    if since > until:
        fix = "correct one of the two dates"
        place.refuse(": since is after until", value=f"{since} to {until}", fix=fix)
    if detection <= false_alarm:
        fix = "correct one of them: else silence would be a sign of the event"
        place.refuse(f": detection ({detection:g}) is not above false_alarm ({false_alarm:g})", fix=fix)
    return Monitored(since, until, detection, int(lag), false_alarm)


def _read_likelihood(
    written: schema.AnyIndicator, values: tuple[str, ...], place: Place, setting: Setting
) -> tuple[Judgement, ...] | None:
    """Return one judgement per scenario, the residual one's made from the others where it is left out."""
    rows, ids = written.likelihood, [scenario.id for scenario in setting.scenarios]
    if rows is None or not ids:
        return None
    place.check_keys(rows, ids)
    needed = [scenario.id for scenario in setting.scenarios if not scenario.residual or scenario.id in rows]
    missing = [id for id in needed if id not in rows]
    if missing:
        fix = "write one for every scenario; only a residual one may be left out"
        place.refuse(f"has no judgement for {listed(missing)}", fix=fix, value=None)
    defaults = replace(setting.defaults, learn=setting.defaults.within(written).learn)
    known = {id: rows[id] for id in needed if rows.get(id) is not None}
    judged: dict[str, Judgement | None]
    match written:
        case schema.Ratio():
            judged = _ratios(known, place, defaults)
        case schema.Count():
            judged = {id: count_mean(one, place[id], defaults) for id, one in known.items()}
        case schema.Measure():
            judged = {id: measure_mean(one, defaults) for id, one in known.items()}
        case _:
            judged = {id: proportions(one, Asked(place[id], defaults, values)) for id, one in known.items()}
    judgements = {id: one for id, one in judged.items() if one is not None}
    if len(judgements) < len(needed):
        return None
    others = [judgements[scenario.id] for scenario in setting.scenarios if not scenario.residual]
    rest = elicitation.residual(others, learn=defaults.learn)
    if written.kind == "ratio" and isinstance(rest, Proportions):
        rest = replace(rest, weight=math.inf)
    return tuple(judgements.get(id, rest) for id in ids)


def _ratios(written: Mapping[str, float], place: Place, defaults: Defaults) -> dict[str, Judgement | None]:
    """Return P(yes) = ratio / largest ratio for each scenario, known exactly."""
    exact = math.isinf(defaults.weight)
    limits = Limits(ge=0) if exact else Limits(gt=0)
    wrong = [id for id, ratio in written.items() if ratio < 0 or (ratio == 0 and not exact)]
    for id in wrong:
        place[id].refuse("is out of range", allowed=str(limits))
    largest = max(written.values(), default=0.0)
    if written and not wrong and largest == 0:
        place.refuse(": every ratio is 0", fix="at least one must be above 0")
    if wrong or largest == 0:
        return {}
    shares = {id: elicitation.yes(ratio / largest) for id, ratio in written.items()}
    return {id: Proportions(share, math.inf, defaults.learn) for id, share in shares.items()}


def _check_given(indicators_at: Place, indicators: Sequence[Indicator], ids: set[str]) -> None:
    """Note what is wrong with `given`: it names a category that itself depends on nothing."""
    by_id = {indicator.id: indicator for indicator in indicators}
    for child in indicators:
        if child.given is None:
            continue
        place, parent = indicators_at[child.id]["given"], by_id.get(child.given)
        if child.given not in ids or child.given == child.id:
            others = ids - {child.id}
            hint = meant(child.given, others)
            place.refuse("must name another indicator", allowed=listed(sorted(others)), fix=hint)
        elif parent is not None and parent.kind not in ("category", "ratio"):
            problem = f": a {parent.kind} is no event on which another could depend"
            place.refuse(problem, allowed="an indicator with values")
        elif parent is not None and parent.given is not None:
            fix = f"name {parent.given}, or remove one of the two"
            place.refuse(f": {parent.id} itself depends on {parent.given}", fix=fix)
        if child.persistence is not None:
            problem = f": {child.id} is given {child.given}, and has no value that could go on without it"
            fix = f"remove it, or write `persistence` at {child.given}"
            indicators_at[child.id]["persistence"].refuse(problem, fix=fix)


def read_groups(
    written: Mapping[str, schema.Group | None],
    place: Place,
    ids: Collection[str],
    indicators: Sequence[Indicator],
) -> tuple[Group, ...]:
    """Return the groups; an indicator belongs to one at most, and never one that depends on another."""
    given = {indicator.id: indicator.given for indicator in indicators if indicator.given is not None}
    group_of: dict[str, str] = {}
    groups = []
    for id, one in written.items():
        if one is None or one.indicators is None or one.correlation is None:
            continue
        at = place[id]["indicators"]
        for member in one.indicators:
            if member not in ids:
                hint = meant(member, ids)
                at.refuse(": no such indicator", value=member, allowed=listed(ids), fix=hint)
            elif member in given:
                fix = f"put {given[member]} into the group instead"
                at.refuse(f": {member} depends on {given[member]} and counts with it", value=member, fix=fix)
            elif member in group_of:
                problem = f": {member} is already in the group {group_of[member]}"
                at.refuse(problem, value=member, fix="keep it in one group")
            group_of.setdefault(member, id)
        if len(one.indicators) < 2:
            at.refuse(": a group has at least two indicators", fix="add one, or remove the group")
        groups.append(Group(id, tuple(one.indicators), one.correlation))
    return tuple(groups)


#: The public record: what nobody disputes, a vote, a declaration. Its mean and weight.
FACT = (0.999, 1000.0)

#: Reliability by Admiralty letter: the mean and the weight. Conventions, not measurements. F is "cannot be
#: judged": no basis rather than a bad record, hence the small weight.
RELIABILITY: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"A": (0.95, 10), "B": (0.85, 10), "C": (0.65, 10), "D": (0.40, 10), "E": (0.15, 10), "F": (0.20, 2)}
)


def read_grades(
    written: schema.Grades | None, place: Place, defaults: Defaults
) -> tuple[Letters, Mapping[str, float]]:
    """Return the reliability of each letter and the factor of each credibility, with what `grades` changes.

    A letter takes a judgement of the chance that such a source tells what happened (a plain number has
    the letter's usual weight); 1 to 6 and ``ungraded`` take a factor from 0 to 1.
    """
    letters = {
        letter: elicitation.plain(elicitation.yes(mean), weight, floor=False, learn=defaults.learn)
        for letter, (mean, weight) in {**RELIABILITY, "fact": FACT}.items()
    }
    if written is None:
        return letters, CREDIBILITY
    for letter, (_, weight) in RELIABILITY.items():
        judgement, usual = getattr(written, letter), replace(defaults, weight=weight)
        floor = not (isinstance(judgement, float) and 0 < judgement < 1)
        judged = proportions(judgement, Asked(place[letter], usual, floor=floor))
        letters[letter] = letters[letter] if judged is None else judged
    factors = {code: factor for code in CREDIBILITY if (factor := written.factor(code)) is not None}
    return letters, MappingProxyType({**CREDIBILITY, **factors})


def read_sources(
    written: Mapping[str, schema.Source | None], place: Place, defaults: Defaults, letters: Letters
) -> tuple[Source, ...]:
    """Return the sources, in the order of the file."""
    sources = []
    for id, one in written.items():
        place[id].check_id(id, "source", {})
        if one is None:
            continue
        at, judgement = place[id]["reliability"], one.reliability
        if isinstance(judgement, str) and judgement not in letters and judgement.upper() in letters:
            hint = meant(judgement, letters)
            at.refuse(": grades are capitals", allowed=listed(letters), fix=hint)
            continue
        reliability = proportions(judgement, Asked(at, defaults.within(one), grades=letters))
        if reliability is not None:
            sources.append(Source(id, one.title or id, reliability, one.error))
    return tuple(sources)
