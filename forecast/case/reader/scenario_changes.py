"""Validation of scenarios that begin or end, and the question of each era between two changes.

A scenario may say `since` (with `takes`, unless others become it) and `until` with `becomes`. Between two
changes lies an era. The question of an era is what a file without the other scenarios would say, to the last
bit: :func:`file_of_era` cuts the file down to them, and what needs no translation is left as it is written.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from forecast.case.errors import listed
from forecast.case.probability_transfer import ScenarioChange, row_in_era
from forecast.case.reader import schema, schema_judgements
from forecast.case.reader.judgements import sums_to_one
from forecast.case.reader.messages import Place

#: What a scenario says of when it is there.
KEYS = ("since", "until", "becomes", "takes")

Scenarios = Mapping[str, schema.Scenario]


def check_lifetime(
    written: schema.Scenario, place: Place, others: Sequence[str], opened: date | None, horizon: date | None
) -> bool:
    """Note what is wrong with when a scenario is there; return whether nothing is."""
    keys, before = written.model_fields_set, len(place.faults.noted)
    since, until = written.since, written.until
    for key, day in (("since", since), ("until", until)):
        if day is not None and opened and horizon and not opened < day <= horizon:
            allowed = f"a day after {opened} (opened), up to {horizon} (horizon)"
            fix = "correct it; one that is there from the first day to the last says neither since nor until"
            place[key].refuse("lies outside the question", allowed=allowed, fix=fix)
    if since and until and until <= since:
        place["until"].refuse(f"is not after since ({since})", fix="correct one of the two")
    to_what = "write what becomes of its probability, e.g. {other: 1}, with shares that sum to 1"
    for key, needed, fix in (
        ("becomes", "until", "write the first day on which it is gone"),
        ("until", "becomes", to_what),
        ("takes", "since", "write the first day on which it is there"),
    ):
        if key in keys and needed not in keys:
            place[needed].refuse("is missing", fix=fix, value=None)
    if {"since", "prior"} <= keys:
        fix = "remove it: its probability comes by `takes`, or by what becomes it"
        place["prior"].refuse(": a scenario with `since` has none", fix=fix)
    becomes, takes = written.becomes, written.takes
    for key, shares in (("becomes", becomes), ("takes", takes)):
        if isinstance(shares, Mapping):
            place[key].check_keys(shares, others)
    if becomes is not None and None not in becomes.values() and set(becomes) <= set(others):
        sums_to_one(list(_numbers(becomes).values()), place["becomes"])
    if takes == {}:
        place["takes"].refuse("names nothing", fix="write, e.g., 0.05")
    complete = all(getattr(written, key) is not None for key in KEYS if key in keys)
    parts = [*(becomes or {}).values(), *(takes.values() if isinstance(takes, Mapping) else ())]
    return complete and None not in parts and len(place.faults.noted) == before


def _numbers(shares: Mapping[str, float | None]) -> dict[str, float]:
    return {name: share for name, share in shares.items() if share is not None}


def turns(scenarios: Scenarios, opened: date) -> tuple[ScenarioChange, ...]:
    """Return the days on which scenarios change, in order."""
    days = sorted({day for one in scenarios.values() for day in (one.since, one.until) if day is not None})
    there = [tuple(id for id, one in scenarios.items() if one.is_there(day)) for day in (opened, *days)]
    return tuple(
        ScenarioChange(
            day,
            there[n],
            there[n + 1],
            {id: _becomes(one) for id, one in scenarios.items() if one.until == day},
            {id: one.takes for id, one in scenarios.items() if one.since == day and one.takes is not None},
        )
        for n, day in enumerate(days)
    )


def _becomes(written: schema.Scenario) -> dict[str, float]:
    shares = _numbers(written.becomes or {})
    total = math.fsum(shares.values())
    return {name: share / total for name, share in shares.items()}


def check_changes(scenarios: Scenarios, opened: date, place: Place) -> None:
    """Note inconsistent changes: probability without origin, or shares that exceed what is available."""
    for turn in turns(scenarios, opened):
        for id, one in scenarios.items():
            if one.until == turn.day:
                _check_becomes(turn, place[id], id)
            if one.since == turn.day:
                _check_source(one, turn, place[id], id)
        _check_remainder(turn, place)
        if len(turn.after) < 2:
            problem = f"from {turn.day} on there are fewer than two scenarios"
            fix = "let fewer of them end, or add one that begins on that day"
            place.note(listed(turn.after), problem, fix=fix)
    first = [id for id, one in scenarios.items() if one.is_there(opened)]
    if len(first) < 2:
        problem = f"on {opened}, when the question opens, there are fewer than two scenarios"
        place.note(listed(first), problem, fix="let at least two be without `since`")


def _check_becomes(turn: ScenarioChange, place: Place, id: str) -> None:
    gone = [name for name in turn.becomes[id] if name not in turn.after]
    if gone:
        problem = f": not there on {turn.day}, the day of the change"
        allowed = f"scenarios of that day: {listed(turn.after)}"
        place["becomes"].refuse(problem, value=listed(gone), allowed=allowed)


def _check_source(written: schema.Scenario, turn: ScenarioChange, place: Place, id: str) -> None:
    """Check that a scenario that begins has probability from somewhere."""
    if written.takes is None:
        if not any(id in shares for shares in turn.becomes.values()):
            problem = f"{place.where} has no probability: nothing becomes it on {turn.day}"
            fix = "write `takes: 0.05` (of every other), or name it in `becomes` of one that ends on this day"
            place["since"].note(str(turn.day), problem, fix=fix)
        return
    givers = [name for name in turn.after if name not in turn.takes]
    named = written.takes if isinstance(written.takes, Mapping) else {}
    wrong = [name for name in named if name not in givers]
    if wrong or not givers:
        allowed = f"scenarios of that day that do not take themselves: {listed(givers)}"
        value = listed(wrong) if wrong else id
        place["takes"].refuse(f": nothing to take on {turn.day}", value=value, allowed=allowed)


def _check_remainder(turn: ScenarioChange, place: Place) -> None:
    """Check that something is left of every scenario from which others take."""
    for source in turn.after:
        parts = {name: turn.share_taken(source, name) for name in turn.takes}
        if math.fsum(parts.values()) >= 1.0:
            first = next(name for name, part in parts.items() if part > 0)
            shown = " + ".join(f"{part:g} ({name})" for name, part in parts.items() if part > 0)
            problem = f"on {turn.day} all of {source}, or more, is taken"
            fix = "take less; a scenario that ends says `until` and `becomes`"
            place[first]["takes"].note(shown, problem, allowed="less than 1 in all", fix=fix)


@dataclass(frozen=True, slots=True)
class EraSetting:
    """The number of an era, all scenarios and its own, the days of change, and the prior of every era."""

    era: int
    every: tuple[str, ...]
    scenarios: tuple[str, ...]
    turns: Sequence[ScenarioChange]
    priors: Sequence[Mapping[str, float]]

    def row(self, written: Mapping[str, float], own: str) -> dict[str, float]:
        """Return a row of moves for the scenarios of the era."""
        return row_in_era(written, own, self.era, self.turns, self.priors)

    def cut[T](self, entries: Mapping[str, T]) -> dict[str, T]:
        """Return the entries of the scenarios that are there."""
        return {id: one for id, one in entries.items() if id in self.scenarios}

    @property
    def when(self) -> str:
        """The days of the era, in words."""
        return f"from {self.turns[self.era - 1].day} on" if self.era else f"before {self.turns[0].day}"


def file_of_era(file: schema.QuestionFile, setting: EraSetting, top: Place) -> schema.QuestionFile:
    """Return what a file, free of faults, says of the scenarios of an era.

    It is noted where a row of moves names no scenario of the era.
    """
    assert file.scenarios is not None
    assert file.indicators is not None
    change: dict[str, object] = {"resolved": None}
    scenarios = {}
    for id, one in setting.cut(file.scenarios).items():
        assert one is not None
        kept = one.model_dump(exclude_unset=True, exclude=set(KEYS))
        prior = {"prior": setting.priors[setting.era][id]} if setting.era else {}
        scenarios[id] = schema.Scenario.model_construct(**kept | prior)
    change["scenarios"] = scenarios
    change["indicators"] = {
        id: one.model_copy(update={"likelihood": setting.cut(one.likelihood)})
        for id, one in file.indicators.items()
        if one is not None and one.likelihood is not None
    }
    if setting.era:
        change["prior"] = None
    if isinstance(file.dynamics, schema.Dynamics):
        at = top["dynamics"]
        rows = {
            key: {id: one(id, row, setting, at[key][id]) for id, row in setting.cut(written).items() if row}
            for key, one in (("moves", _move), ("transition", _step))
            if (written := getattr(file.dynamics, key)) is not None
        }
        change["dynamics"] = file.dynamics.model_copy(update=rows)
    return file.model_copy(update=change)


def _move(own: str, move: schema.Move, setting: EraSetting, place: Place) -> schema.Move:
    """Return a row of `moves` restricted to an era; moves into the scenario itself lengthen its stay."""
    if move.then is None or move.lasts is None:
        return move
    written = _numbers(move.then)
    row = setting.row(written, own)
    if row == {id: share for id, share in written.items() if share > 0}:
        return move.model_copy(update={"then": setting.cut(written)})
    total, to_own, lasts = math.fsum(row.values()), row.pop(own, 0.0), move.lasts
    if not total:
        _refuse_row(place["then"])
        return move
    if to_own:
        lasts = _longer(lasts, total / (total - to_own) if row else math.inf)
        total -= to_own
    then = {id: share / total for id, share in row.items()}
    return move.model_copy(update={"lasts": lasts, "then": then or None})


def _longer(lasts: float | schema_judgements.Stay, times: float) -> float | schema_judgements.Stay:
    if isinstance(lasts, float):
        return lasts * times
    if math.isinf(times) or lasts.low is None or lasts.high is None:
        return math.inf
    return lasts.model_copy(update={"low": lasts.low * times, "high": lasts.high * times})


def _step(own: str, step: list[float] | schema.Step, setting: EraSetting, place: Place) -> object:
    """Return a row of `transition`, which is a list or has one under `p`."""
    if isinstance(step, schema.Step):
        return step.model_copy(update={"p": _step(own, step.p or [], setting, place["p"])})
    entries = dict(zip(setting.every, step, strict=True))
    written = {id: share for id, share in entries.items() if share > 0}
    row = setting.row(written, own)
    if row == written:
        return [entries[id] for id in setting.scenarios]
    total = math.fsum(row.values())
    if not total:
        _refuse_row(place)
        return step
    return [row.get(id, 0.0) / total for id in setting.scenarios]


def _refuse_row(place: Place) -> None:
    place.refuse("names no scenario that there is", fix="name one that was there then too, with a share")
