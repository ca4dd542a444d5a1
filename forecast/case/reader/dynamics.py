"""Conversion of the ``dynamics`` and the ``event`` block of ``question.yaml`` to frozen values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from forecast.case import elicitation
from forecast.case.errors import listed
from forecast.case.event_limits import contradiction, largest_chance
from forecast.case.judgement import LogitNormal, Positive, Proportions
from forecast.case.question import Event, Moves, Transition
from forecast.case.reader import schema
from forecast.case.reader.judgements import Defaults, ends, fits, sums_to_one
from forecast.case.reader.messages import Place
from forecast.case.reader.schema_judgements import Stay


def read_dynamics(
    written: schema.Dynamics | None, place: Place, scenarios: Sequence[str], defaults: Defaults
) -> Moves | Transition | None:
    """Return how the truth moves; None if the question is static or the block at fault."""
    if written is None:
        return None
    inside = defaults.within(written)
    if ("moves" in place) == ("transition" in place):
        which, fix = "has both moves and transition", "keep one of them"
        if "moves" not in place:
            which = "has neither moves nor transition"
            fix = "write one of them; a static question has no `dynamics`"
        place.refuse(which, allowed="exactly one of the two", fix=fix, value=None)
        return None
    if written.moves is not None:
        return _read_moves(written.moves, place["moves"], scenarios, inside)
    if written.transition is not None:
        return _read_transition(written.transition, place["transition"], scenarios, inside)
    return None


def _check_rows(rows: Mapping[str, object], place: Place, scenarios: Sequence[str]) -> None:
    """Check that there is a row for each scenario, and no other."""
    place.check_keys(rows, scenarios)
    missing = [id for id in scenarios if id not in rows]
    if missing:
        fix = "write a row for every scenario"
        place.refuse(f"has no row for {listed(missing)}", fix=fix, value=None)


def _read_moves(
    rows: Mapping[str, schema.Move | None], place: Place, scenarios: Sequence[str], defaults: Defaults
) -> Moves | None:
    _check_rows(rows, place, scenarios)
    leave: list[Positive] = []
    then: list[Proportions | None] = []
    for id in scenarios:
        row, at = rows.get(id), place[id]
        rate = None if row is None else _rate(row, at["lasts"], defaults.within(row))
        if row is None or rate is None:
            continue
        where_to = _read_then(row, at, id, scenarios, defaults.within(row), needed=rate.mean > 0)
        if rate.mean == 0 or where_to is not None:
            leave.append(rate)
            then.append(where_to if rate.mean > 0 else None)
    return Moves(tuple(leave), tuple(then)) if len(leave) == len(scenarios) else None


def _rate(row: schema.Move | schema.Preparing, place: Place, defaults: Defaults) -> Positive | None:
    """Return the leaving rate: from a mean stay, or a 90 % interval for the mean stay."""
    if not isinstance(lasts := row.lasts, Stay):
        return None if lasts is None else elicitation.stay(lasts, defaults.weight, learn=defaults.learn)
    between = ends(lasts, place, elicitation.stay_interval)
    return between and elicitation.stay_interval(*between, learn=defaults.within(lasts).learn)


def _read_then(
    row: schema.Move, move: Place, own: str, scenarios: Sequence[str], defaults: Defaults, *, needed: bool
) -> Proportions | None:
    """Return where a scenario moves to; with two scenarios there is no choice, and it may be left out."""
    others, place = [id for id in scenarios if id != own], move["then"]
    if row.then is None:
        if "then" in row.model_fields_set or not needed:
            return None
        if len(others) == 1:
            shares = [float(id != own) for id in scenarios]
            return elicitation.plain(shares, defaults.weight, floor=True, learn=defaults.learn)
        place.refuse("is missing", fix=f"write where it moves to, e.g. {{{others[0]}: 1}}", value=None)
        return None
    place.check_keys(row.then, others)
    shares = [share for id in scenarios if (share := row.then.get(id, 0.0)) is not None]
    known = set(row.then) <= set(others) and len(shares) == len(scenarios)
    if not known or not sums_to_one(shares, place):
        return None
    return elicitation.plain(shares, defaults.weight, floor=True, learn=defaults.learn)


def _read_transition(
    rows: Mapping[str, list[float] | schema.Step | None],
    place: Place,
    scenarios: Sequence[str],
    defaults: Defaults,
) -> Transition | None:
    """Return the rows of the per-period matrix, each a list in the order of the scenarios."""
    _check_rows(rows, place, scenarios)
    read = []
    for id in scenarios:
        row, at, inside = rows.get(id), place[id], defaults
        if isinstance(row, schema.Step):
            inside = defaults.within(row)
            row, at = row.p, at["p"]
        if row is not None and fits(row, at, scenarios, "scenario"):
            read.append(elicitation.plain(row, inside.weight, floor=True, learn=inside.learn))
    return Transition(tuple(read)) if len(read) == len(scenarios) else None


# --- event questions ---------------------------------------------------------------------------------------


def read_event(
    written: schema.Event | None,
    place: Place,
    scenarios: Mapping[str, schema.Scenario],
    defaults: Defaults,
) -> Event | None:
    """Return how an event is prepared; None if the question is of another kind or the block at fault."""
    quo = [id for id, one in scenarios.items() if one.status_quo]
    if written is None or len(quo) != 1 or written.timing is None:
        return None
    outcomes, at, inside = (
        [id for id in scenarios if id not in quo],
        place["preparing"],
        defaults.within(written),
    )
    match written.preparing:
        case None:
            return None
        case schema.Preparing():
            rows = [(written.preparing, at)]
        case each:
            at.check_keys(each, outcomes)
            missing = [id for id in outcomes if id not in each]
            if missing:
                fix = "write it for every scenario that can happen, or once for all of them"
                at.refuse(f"has no entry for {listed(missing)}", fix=fix, value=None)
            rows = [(row, at[id]) for id in outcomes if (row := each.get(id)) is not None]
            if len(rows) < len(outcomes):
                return None
    leave, share = list[Positive](), list[LogitNormal]()
    for row, here in rows:
        own = inside.within(row)
        rate, ends_in_event = _rate(row, here["lasts"], own), _ends_in_event(row, here["ends_in_event"], own)
        if rate is not None and ends_in_event is not None:
            leave.append(rate)
            share.append(ends_in_event)
    if len(leave) < len(rows):
        return None
    return Event(list(scenarios).index(quo[0]), tuple(leave), tuple(share), written.timing)


def _ends_in_event(row: schema.Preparing, place: Place, defaults: Defaults) -> LogitNormal | None:
    """Return the share of preparations that end in the event."""
    written = row.ends_in_event
    if isinstance(written, schema.EndsInEvent):
        if (
            "weight" in written.model_fields_set
            and written.weight is not None
            and not math.isinf(written.weight)
        ):
            fix = "remove it: the logit has a standard deviation of 1, or write `weight: .inf`"
            place["weight"].refuse("cannot be chosen here", allowed=".inf", fix=fix)
            return None
        defaults, written = defaults.within(written), written.p
    if written is None:
        return None
    sd = 0.0 if written == 1.0 or math.isinf(defaults.weight) else 1.0
    return LogitNormal(written, sd, defaults.learn)


def check_event(event: Event, prior: Proportions, steps: int, top: Place) -> None:
    """Refuse an event whose numbers contradict each other, naming the largest chance that they allow."""
    if steps < 2:
        fix = "choose a shorter `period`, or a later horizon"
        problem = f"an event question needs at least two periods after the first, and this one has {steps}"
        top["horizon"].note(top["horizon"].node.shown, problem, fix=fix)
        return
    chances = [p for k, p in enumerate(prior.mean) if k != event.status_quo]
    lasts = [1.0 / rate.mean for rate in event.leave]
    shares = [one.median for one in event.ends_in_event]
    late, at = event.timing == "late", top["event"]
    problem = contradiction(chances, lasts, shares, steps, late=late)
    if not problem:
        return
    largest = largest_chance(chances, lasts, shares, steps, late=late)
    allowed = f"a chance of the event of at most {largest:.2g} in all, not {math.fsum(chances):.3g}"
    fix = "lower the priors of what can happen, shorten `lasts`, or raise `ends_in_event`"
    if not largest:
        allowed, fix = "preparing lasts at least one period", "raise `lasts`, or choose a shorter `period`"
    at.refuse(f": the numbers contradict each other: {problem}", allowed=allowed, fix=fix, value=None)


def check_event_scenarios(
    file: schema.QuestionFile, top: Place, scenarios: Mapping[str, schema.Scenario]
) -> None:
    """Note what does not go with an event, or without one."""
    place = top["scenarios"]
    quo = [id for id, one in scenarios.items() if one.status_quo]
    if "event" not in top:
        for id in quo:
            fix = "remove it, or write `event:` in place of `dynamics:`"
            place[id]["status_quo"].refuse("goes with `event` only", fix=fix)
        return
    if "dynamics" in top:
        problem = ": a question has `dynamics` or `event`, not both"
        fix = "remove `dynamics`: how an event comes about is all in `event`"
        top["dynamics"].refuse(problem, fix=fix, value="static" if file.dynamics == "static" else None)
    if len(quo) != 1:
        problem = "exactly one scenario of an event question is the status quo, in which nothing has happened"
        fix = "write `status_quo: true` at that one, and at no other"
        place.note(listed(quo), problem, fix=fix)
    for id, one in scenarios.items():
        if one.residual:
            fix = "remove it, and judge the likelihoods of this scenario"
            place[id]["residual"].refuse("cannot stand beside `event`", fix=fix)
        for key in ("since", "until"):
            if getattr(one, key) is not None:
                fix = "name every scenario from the first day on"
                place[id][key].refuse(": the scenarios of an event question cannot change", fix=fix)
