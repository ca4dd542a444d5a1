"""``question.yaml``: from the file to a :class:`~forecast.case.question.Question`, or to all its faults."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from forecast.case import fields
from forecast.case.faults import Faults, listed
from forecast.case.mass import mass_map, push
from forecast.case.outline import Outline
from forecast.case.question import Era, History, Question, Resolved
from forecast.case.read_dynamics import read_dynamics
from forecast.case.read_groups import read_groups
from forecast.case.read_indicators import Setting, read_indicators
from forecast.case.read_judgement import Defaults
from forecast.case.read_lives import Life, turns
from forecast.case.read_scenarios import Scenarios, read_scenarios
from forecast.case.read_sources import read_grades, read_sources
from forecast.case.read_yaml import Node, load_yaml
from forecast.case.tree_of_era import InEra, tree_of_era
from forecast.case.words import SCALES

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
