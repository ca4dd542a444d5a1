"""``question.yaml``: from the file to a :class:`~forecast.case.question.Question`, or to all its faults."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from forecast.case import elicit, fields
from forecast.case.faults import Faults, listed
from forecast.case.judgement import Proportions
from forecast.case.outline import Outline
from forecast.case.question import Question, Resolved, Scenario
from forecast.case.read_dynamics import read_dynamics
from forecast.case.read_groups import read_groups
from forecast.case.read_indicators import Setting, read_indicators
from forecast.case.read_judgement import Defaults
from forecast.case.read_shares import sums_to_one
from forecast.case.read_sources import read_grades, read_sources
from forecast.case.read_yaml import Node, load_yaml
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
_SCENARIO_EXAMPLE = "{conflict: {title: Continued conflict, prior: 0.6}, ...}"


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
    block = fields.Block(node, "", faults, keys=_KEYS)
    defaults = Defaults(
        weight=block.number("weight", 20.0, fields.WEIGHT),
        words=block.choice("words", "icd203", SCALES),
        learn=block.flag("learn", True),
    )
    period_days = _read_period(block)
    opened, horizon = _read_dates(block, period_days)
    scenarios, prior = _read_scenarios(block, defaults)
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
    resolved = _read_resolved(block, ids, opened, horizon)
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
        return None, outline
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
    return question, outline


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


def _read_scenarios(
    block: fields.Block, defaults: Defaults
) -> tuple[tuple[Scenario, ...], Proportions | None]:
    """Return the scenarios and the prior over them."""
    faults = block.faults
    node = block.need("scenarios", fix=f"write, e.g., {_SCENARIO_EXAMPLE}")
    if node is None:
        return (), None
    entries = fields.mapping(node, "scenarios", faults, example=_SCENARIO_EXAMPLE)
    if entries is None:
        return (), None
    scenarios, written = [], {}
    for id, entry in entries.items():
        line = node.key_lines.get(id, node.line)
        fields.check_id(id, line, "scenario", faults)
        if id in fields.RESERVED:
            faults.add(line, id, "this id is a column of the results", fix="choose another id")
        inner = fields.Block(entry, f"scenarios.{id}", faults, keys=("title", "prior", "residual"))
        scenarios.append(Scenario(id, inner.text("title", id), inner.flag("residual", "residual" in inner)))
        if "prior" in inner:
            written[id] = inner.entries["prior"]
    if len(scenarios) < 2:
        problem, fix = "a question has at least two scenarios", "add one; `residual: true` marks the rest"
        faults.add(node.line, listed(entries), problem, fix=fix)
        return tuple(scenarios), None
    if sum(scenario.residual for scenario in scenarios) > 1:
        problem = "only one scenario can be residual: it stands for all that the others leave out"
        several = listed(s.id for s in scenarios if s.residual)
        faults.add(node.line, several, problem, fix="keep `residual` on one")
    return tuple(scenarios), _read_prior(block, node, scenarios, written, defaults)


def _read_prior(
    block: fields.Block,
    node: Node,
    scenarios: list[Scenario],
    written: Mapping[str, Node],
    defaults: Defaults,
) -> Proportions | None:
    """Return the prior: even, or one number per scenario."""
    faults = block.faults
    weight = block.number("prior_weight", defaults.weight, fields.WEIGHT)
    if "prior" in block:
        block.choice("prior", "even", ["even"])
        if written:
            problem = "`prior` is given at the top and again under the scenarios"
            faults.add(block.entries["prior"].line, "prior", problem, fix="keep one of the two")
        return elicit.plain([1.0] * len(scenarios), weight, floor=False, learn=defaults.learn)
    missing = [scenario.id for scenario in scenarios if scenario.id not in written]
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
    if len(shares) < len(scenarios) or not sums_to_one(shares, node.line, shown, "scenarios, prior", faults):
        return None
    return elicit.plain(shares, weight, floor=False, learn=defaults.learn)


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
    block: fields.Block, ids: list[str], opened: date | None, horizon: date | None
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
    return Resolved(name, on)
