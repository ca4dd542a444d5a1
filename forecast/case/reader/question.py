"""``question.yaml``: from the file to a :class:`~forecast.case.question.Question`, or to all its faults.

The block `scenarios`: which there are, when, and the prior over those of the first day.

The block `dynamics`: how the truth may move from scenario to scenario over time.

What of a question its evidence can be checked against, even while the question itself has faults.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

from forecast.case import elicitation
from forecast.case.errors import Faults, listed
from forecast.case.judgement import Positive, Proportions
from forecast.case.prior_transfer import mass_map, push
from forecast.case.probability_words import SCALES
from forecast.case.question import Era, History, Kind, Moves, Question, Resolved, Scenario, Transition
from forecast.case.reader import fields
from forecast.case.reader.indicators import Setting, read_grades, read_groups, read_indicators, read_sources
from forecast.case.reader.judgements import Defaults, read_interval, read_shares, sums_to_one
from forecast.case.reader.scenario_changes import InEra, Life, check_lives, read_life, tree_of_era, turns
from forecast.case.reader.yaml_source import Node, load_yaml

#: The days that a timestamp of numpy and pandas can hold, with room for a period on either side.
FIRST_DAY, LAST_DAY = date(1700, 1, 1), date(2250, 12, 31)

#: A question of more periods is a slip of the pen.
MOST_PERIODS = 10_000

PERIODS: Mapping[str, int] = {"day": 1, "week": 7}
_KEYS = (
    "title", "opened", "horizon", "period", "ordered", "words", "weight", "learn", "cap", "prior",
    "prior_weight", "scenarios", "resolution", "resolved", "dynamics", "indicators", "groups", "grades",
    "sources", "units",
)  # fmt: skip


def read_question(path: Path | str) -> Question:
    """Read a question from its file.

    Parameters
    ----------
    path : path
        The file ``question.yaml``.

    Raises
    ------
    InputError
        With every fault in the file.

    Examples
    --------
    >>> read_question("scenarios/isis-jn-2014/question.yaml").title  # doctest: +SKIP
    'Will the two groups move from conflict to partnership?'
    """
    faults = Faults(str(path))
    question, _ = parse_question(Path(path).read_bytes(), faults)
    faults.raise_if_any()
    assert question is not None
    return question


def parse_question(data: bytes, faults: Faults) -> tuple[Question | None, Outline]:
    """Return the question in a file's bytes, None if it has faults, and what evidence may refer to."""
    node = load_yaml(data, faults)
    if node is None:
        return None, Outline()
    question, outline, scenarios = _read(node, faults)
    if question is None or not scenarios.change:
        return question, outline
    return _with_history(node, question, scenarios.lives, faults), outline


def _with_history(node: Node, every: Question, lives: Sequence[Life], faults: Faults) -> Question | None:
    """Return a question whose scenarios change; that of each era is read as if its file had no other.

    `every` is what the file says of all scenarios there ever are, its prior that of the first day's.
    """
    changes = turns(lives, every.opened)
    priors = [dict(zip(changes[0].before, every.prior.mean, strict=True))]
    for turn in changes:
        priors.append(push(priors[-1], turn))
    found, alive = list[Question](), [changes[0].before, *(turn.after for turn in changes)]
    for n, scenarios in enumerate(alive):
        setting = InEra(n, tuple(life.id for life in lives), scenarios, changes, priors)
        own = Faults(faults.file)
        tree = tree_of_era(node, setting, own)
        question = None if own.found else _read(tree, own)[0]
        for fault in own.found:
            problem = f"{fault.problem} (for the scenarios there are {setting.when})"
            faults.add(fault.line, fault.value, problem, allowed=fault.allowed, fix=fault.fix)
        if question is None:
            return None
        found.append(question)
    eras = tuple(Era(turn.day, one, mass_map(turn)) for turn, one in zip(changes, found, strict=False))
    return replace(found[-1], resolved=every.resolved, history=History(eras, every.scenarios))


def _read(node: Node, faults: Faults) -> tuple[Question | None, Outline, Scenarios]:
    """Read a file's tree; where scenarios change, as if all of them were there throughout."""
    block = fields.Block(node, "", faults, keys=_KEYS)
    defaults = Defaults(
        weight=block.number("weight", 20.0, fields.WEIGHT),
        words=block.choice("words", "icd203", SCALES),
        learn=block.flag("learn", True),
    )
    period_days = _read_period(block)
    opened, horizon = _read_dates(block, period_days)
    found = read_scenarios(block, defaults, opened, horizon)
    scenarios, prior = found.every, found.prior
    ids = [scenario.id for scenario in scenarios]
    stated, indicators = read_indicators(
        block.need("indicators", fix="write at least one indicator"),
        faults,
        Setting(scenarios, opened, horizon, defaults),
    )
    letters, credibility = read_grades(block.get("grades"), faults, defaults)
    sources = read_sources(block.get("sources"), faults, defaults, letters)
    groups = read_groups(block.get("groups"), faults, stated, indicators)
    dynamics = read_dynamics(block.get("dynamics"), faults, ids, defaults) if ids else None
    units = _read_units(block)
    resolved = _read_resolved(block, ids, opened, horizon, found.lives)
    block.need("title", fix="write the question in one sentence")
    title, resolution = block.text("title", ""), block.text("resolution", "")
    ordered = block.flag("ordered", False)
    cap = block.number("cap", math.inf, fields.Range(1, low_open=True, infinite=True))
    outline = Outline(
        opened=opened,
        period_days=period_days,
        indicators=stated if "indicators" in block else None,
        sources=_source_ids(block),
        units=units,
    )
    if faults.found or opened is None or horizon is None or prior is None or period_days is None:
        return None, outline, found
    question = Question(
        title=title,
        opened=opened,
        horizon=horizon,
        scenarios=scenarios,
        prior=prior,
        indicators=indicators,
        sources=sources,
        period_days=period_days,
        ordered=ordered,
        words=defaults.words,
        cap=None if math.isinf(cap) else cap,
        resolution=resolution,
        dynamics=dynamics,
        groups=groups,
        units=units or (),
        credibility=credibility,
        resolved=resolved,
    )
    return question, outline, found


def _read_dates(block: fields.Block, period_days: int | None) -> tuple[date | None, date | None]:
    """Return the days on which the question opens and is settled at the latest."""
    opened = horizon = None
    if block.need("opened", fix="write the first day of period 0 as YYYY-MM-DD") is not None:
        opened = block.day("opened")
    fix = "write the day on which the question is settled at the latest, as YYYY-MM-DD"
    if block.need("horizon", fix=fix) is not None:
        horizon = block.day("horizon")
    if opened and horizon and horizon < opened:
        node, problem = block.entries["horizon"], f"horizon is before opened ({opened})"
        block.faults.add(node.line, node.shown, problem, fix="correct one of the two")
    far = [key for key, day in (("opened", opened), ("horizon", horizon)) if day and not _in_reach(day)]
    for key in far:
        node, allowed = block.entries[key], f"a day from {FIRST_DAY} to {LAST_DAY}"
        block.faults.add(node.line, node.shown, f"{key} lies too far off", allowed=allowed)
    if opened and horizon and period_days and not far:
        periods = (horizon - opened).days // period_days + 1
        if periods > MOST_PERIODS:
            node, problem = block.entries["horizon"], f"the question lasts {periods} periods"
            fix = "correct the dates, or choose a longer `period`"
            block.faults.add(node.line, node.shown, problem, allowed=f"at most {MOST_PERIODS}", fix=fix)
    return opened, horizon


def _in_reach(day: date) -> bool:
    return FIRST_DAY <= day <= LAST_DAY


def _read_period(block: fields.Block) -> int | None:
    """Return the days of a period, None where they are at fault."""
    node = block.get("period")
    if node is None:
        return PERIODS["week"]
    name = fields.choice(node, "period", block.faults, PERIODS)
    return None if name is None else PERIODS[name]


def _source_ids(block: fields.Block) -> frozenset[str] | None:
    """Return the ids of the sources, those at fault too; None where they cannot be read."""
    node = block.get("sources")
    if node is None:
        return frozenset()
    return frozenset(node.value) if isinstance(node.value, Mapping) else None


def _read_units(block: fields.Block) -> tuple[str, ...] | None:
    node = block.get("units")
    if node is None:
        return ()
    found = fields.names(node, "units", block.faults)
    if found == ():
        block.faults.add(node.line, None, "units is empty", fix="name the units, or remove the line")
    return found


def _read_resolved(
    block: fields.Block,
    ids: list[str],
    opened: date | None,
    horizon: date | None,
    lives: Sequence[Life],
) -> Resolved | None:
    """Return how the question was settled, if it was."""
    node = block.get("resolved")
    if node is None:
        return None
    faults, example = block.faults, "{scenario: tactical, on: 2015-03-31}"
    inner = fields.Block(node, "resolved", faults, keys=("scenario", "on"), example=example)
    scenario = inner.need("scenario", fix=f"write, e.g., {example}")
    on_node = inner.need("on", fix=f"write, e.g., {example}")
    name = None if scenario is None else fields.choice(scenario, "resolved.scenario", faults, ids)
    on = None if on_node is None else fields.day(on_node, "resolved.on", faults)
    if name is None or on is None or on_node is None:
        return None
    if (opened and on < opened) or (horizon and on > horizon):
        problem = "resolved.on lies outside the question"
        faults.add(on_node.line, on_node.shown, problem, allowed=f"a day from {opened} to {horizon}")
    there = [life.id for life in lives if life.alive(on)]
    if lives and name not in there and scenario is not None:
        problem = f"resolved.scenario is not one of the scenarios there are on {on}"
        faults.add(scenario.line, name, problem, allowed=listed(there))
    late = [day for life in lives for day in (life.since, life.until) if day is not None and day > on]
    if late:
        problem = f"the scenarios change on {min(late)}, after the question was settled"
        faults.add(on_node.line, on_node.shown, problem, fix="remove that change, or correct the day")
    return Resolved(name, on)


_SCENARIO_KEYS = ("title", "prior", "residual", "since", "until", "becomes", "takes")
_EXAMPLE = "{conflict: {title: Continued conflict, prior: 0.6}, ...}"


class Scenarios(NamedTuple):
    """Every scenario there ever is, when it is there, and the prior over those of the first day."""

    every: tuple[Scenario, ...] = ()
    lives: tuple[Life, ...] = ()
    prior: Proportions | None = None

    @property
    def change(self) -> bool:
        """Whether some come or go."""
        return any(life.changes for life in self.lives)


def read_scenarios(
    block: fields.Block, defaults: Defaults, opened: date | None, horizon: date | None
) -> Scenarios:
    """Return the scenarios; without a prior where there is a fault."""
    faults = block.faults
    node = block.need("scenarios", fix=f"write, e.g., {_EXAMPLE}")
    if node is None:
        return Scenarios()
    entries = fields.mapping(node, "scenarios", faults, example=_EXAMPLE)
    if entries is None:
        return Scenarios()
    scenarios, lives, written = [], list[Life | None](), {}
    for id, entry in entries.items():
        line = node.key_lines.get(id, node.line)
        fields.check_id(id, line, "scenario", faults)
        if id in fields.RESERVED:
            faults.add(line, id, "this id is a column of the results", fix="choose another id")
        inner = fields.Block(entry, f"scenarios.{id}", faults, keys=_SCENARIO_KEYS)
        scenarios.append(Scenario(id, inner.text("title", id), inner.flag("residual", "residual" in inner)))
        lives.append(read_life(inner, id, list(entries), opened, horizon))
        if "prior" in inner:
            written[id] = inner.entries["prior"]
    if len(scenarios) < 2:
        problem, fix = "a question has at least two scenarios", "add one; `residual: true` marks the rest"
        faults.add(node.line, listed(entries), problem, fix=fix)
        return Scenarios(tuple(scenarios))
    known = tuple(life for life in lives if life is not None)
    if len(known) < len(lives):
        return Scenarios(tuple(scenarios))
    found, first = Scenarios(tuple(scenarios), known), list(entries)
    if found.change:
        if opened is None:
            return found
        check_lives(known, opened, node.line, faults)
        first = [life.id for life in known if life.alive(opened)]
    elif sum(scenario.residual for scenario in scenarios) > 1:
        problem = "only one scenario can be residual: it stands for all that the others leave out"
        several = listed(s.id for s in scenarios if s.residual)
        faults.add(node.line, several, problem, fix="keep `residual` on one")
    return found._replace(prior=_read_prior(block, node, first, written, defaults))


def _read_prior(
    block: fields.Block, node: Node, first: Sequence[str], written: Mapping[str, Node], defaults: Defaults
) -> Proportions | None:
    """Return the prior over the scenarios of the first day: even, or one number per scenario."""
    faults = block.faults
    weight = block.number("prior_weight", defaults.weight, fields.WEIGHT)
    if "prior" in block:
        block.choice("prior", "even", ["even"])
        if written:
            problem = "`prior` is given at the top and again under the scenarios"
            faults.add(block.entries["prior"].line, "prior", problem, fix="keep one of the two")
        return elicitation.plain([1.0] * len(first), weight, floor=False, learn=defaults.learn)
    missing = [id for id in first if id not in written]
    if missing:
        problem = f"no prior for {listed(missing)}"
        fix = "write `prior:` under each scenario, or `prior: even` at the top"
        faults.add(node.line, None, problem, fix=fix)
        return None
    shares = []
    for id, entry in written.items():
        where = f"scenarios.{id}.prior"
        p = fields.number(entry, where, faults, fields.PROBABILITY)
        if p in (0.0, 1.0) and not math.isinf(weight):
            problem = f"{where} is certain: no evidence could ever overturn it"
            fix = "write a small probability such as 0.01, or `prior_weight: .inf` if exactly that is meant"
            faults.add(entry.line, entry.shown, problem, fix=fix)
        elif p is not None:
            shares.append(p)
    shown = " + ".join(f"{p:g}" for p in shares)
    if len(shares) < len(first) or not sums_to_one(shares, node.line, shown, "scenarios, prior", faults):
        return None
    return elicitation.plain(shares, weight, floor=False, learn=defaults.learn)


_LASTS = fields.Range(0, low_open=True, infinite=True)


def read_dynamics(
    node: Node | None, faults: Faults, scenarios: Sequence[str], defaults: Defaults
) -> Moves | Transition | None:
    """Return how the truth moves; None if the question is static or the block at fault."""
    if node is None:
        return None
    example = "{moves: {...}}"
    keys = ("moves", "transition", "weight", "learn")
    block = fields.Block(node, "dynamics", faults, keys=keys, example=example)
    inside = defaults.within(block)
    moves, transition = block.get("moves"), block.get("transition")
    if block.ok and (moves is None) == (transition is None):
        which = "has both moves and transition" if moves else "has neither moves nor transition"
        fix = "keep one of them" if moves else "write one of them; a static question has no `dynamics`"
        faults.add(block.line, None, f"dynamics {which}", allowed="exactly one of the two", fix=fix)
        return None
    if moves is not None:
        return _read_moves(moves, faults, scenarios, inside)
    return None if transition is None else _read_transition(transition, faults, scenarios, inside)


def _rows(node: Node, where: str, faults: Faults, scenarios: Sequence[str]) -> dict[str, Node]:
    """Return the row of each scenario, noting those that are missing."""
    block = fields.Block(node, where, faults, keys=scenarios, example=f"{{{scenarios[0]}: ..., ...}}")
    missing = [id for id in scenarios if id not in block]
    if block.ok and missing:
        problem = f"{where} has no row for {listed(missing)}"
        faults.add(node.line, None, problem, fix="write a row for every scenario")
    return {id: row for id in scenarios if (row := block.get(id)) is not None}


def _read_moves(node: Node, faults: Faults, scenarios: Sequence[str], defaults: Defaults) -> Moves | None:
    leave: list[Positive] = []
    then: list[Proportions | None] = []
    for id, row in _rows(node, "dynamics.moves", faults, scenarios).items():
        where = f"dynamics.moves.{id}"
        block = fields.Block(row, where, faults, keys=("lasts", "then", "weight", "learn"))
        inside = defaults.within(block)
        lasts = block.need("lasts", fix="write the mean stay in periods; .inf if it is never left")
        rate = None if lasts is None else _read_lasts(lasts, f"{where}.lasts", faults, inside)
        if rate is None:
            continue
        where_to = _read_then(block, id, scenarios, inside, needed=rate.mean > 0)
        if rate.mean == 0 or where_to is not None:
            leave.append(rate)
            then.append(where_to if rate.mean > 0 else None)
    return Moves(tuple(leave), tuple(then)) if len(leave) == len(scenarios) else None


def _read_lasts(node: Node, where: str, faults: Faults, defaults: Defaults) -> Positive | None:
    """Return the leaving rate: from a mean stay, or a 90 % interval for the mean stay."""
    if not isinstance(node.value, dict):
        lasts = fields.number(node, where, faults, _LASTS)
        return None if lasts is None else elicitation.stay(lasts, defaults.weight, learn=defaults.learn)
    block = fields.Block(node, where, faults, keys=("low", "high", "learn"))
    ends = read_interval(block, fields.POSITIVE, elicitation.stay_interval)
    learn = block.flag("learn", defaults.learn)
    return None if ends is None else elicitation.stay_interval(*ends, learn=learn)


def _read_then(
    block: fields.Block, own: str, scenarios: Sequence[str], defaults: Defaults, *, needed: bool
) -> Proportions | None:
    """Return where a scenario moves to; with two scenarios there is no choice, and it may be left out."""
    node, others = block.get("then"), [id for id in scenarios if id != own]
    if node is None:
        if needed and len(others) == 1:
            return Proportions(tuple(float(id != own) for id in scenarios), defaults.weight, defaults.learn)
        if needed:
            block.need("then", fix=f"write where it moves to, e.g. {{{others[0]}: 1}}")
        return None
    where, faults = block.name("then"), block.faults
    inner = fields.Block(node, where, faults, keys=others, example=f"{{{others[0]}: 1}}")
    if not inner.ok:
        return None
    if not set(inner.entries) <= set(others):
        return None
    read = [inner.optional_number(id, fields.PROBABILITY) if id in inner else 0.0 for id in scenarios]
    known = [p for p in read if p is not None]
    if len(known) < len(read) or not sums_to_one(known, node.line, node.shown, where, faults):
        return None
    return elicitation.plain(known, defaults.weight, floor=False, learn=defaults.learn)


def _read_transition(
    node: Node, faults: Faults, scenarios: Sequence[str], defaults: Defaults
) -> Transition | None:
    """Return the rows of the per-period matrix, each a list in the order of the scenarios."""
    found = []
    for id, row in _rows(node, "dynamics.transition", faults, scenarios).items():
        where, inside, entries = f"dynamics.transition.{id}", defaults, row
        if isinstance(row.value, dict):
            block = fields.Block(row, where, faults, keys=("p", "weight", "learn"), example="{p: [...]}")
            inside = defaults.within(block)
            listed_row = block.need("p", fix="write the row as a list of probabilities")
            if listed_row is None:
                continue
            entries = listed_row
        shares = read_shares(entries, where, faults, scenarios, of="scenario")
        if shares is not None:
            found.append(elicitation.plain(shares, inside.weight, floor=False, learn=inside.learn))
    return Transition(tuple(found)) if len(found) == len(scenarios) else None


@dataclass(frozen=True, slots=True)
class Outline:
    """The names and dates of a question that evidence refers to; None where they could not be read.

    ``indicators`` has for each id its kind and values, or None where that indicator is at fault, so that
    its reports cannot be judged.
    """

    opened: date | None = None
    period_days: int | None = None
    indicators: Mapping[str, tuple[Kind, tuple[str, ...]] | None] | None = None
    sources: frozenset[str] | None = None
    units: tuple[str, ...] | None = None

    @classmethod
    def of(cls, question: Question) -> Outline:
        """Return the outline of a question that has been read."""
        return cls(
            opened=question.opened,
            period_days=question.period_days,
            indicators={i.id: (i.kind, i.values) for i in question.indicators},
            sources=frozenset(source.id for source in question.sources),
            units=question.units,
        )

    def period(self, day: date) -> int:
        """Return the number of the period that holds a day; 0 where the question does not tell."""
        if self.opened is None or self.period_days is None:
            return 0
        return (day - self.opened).days // self.period_days
