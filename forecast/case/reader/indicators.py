"""The block `indicators`: what is observed, and how probable it is under each scenario.

The block `groups`: indicators that tend to move together, which must not count as if they did not.

The blocks `grades` and `sources`: what the Admiralty codes mean, and how reliable each source is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType

from forecast.case import elicitation
from forecast.case.errors import Faults, listed, meant
from forecast.case.judgement import Judgement, Proportions
from forecast.case.question import CREDIBILITY, Group, Indicator, Kind, Monitored, Scenario, Source
from forecast.case.reader import fields
from forecast.case.reader.judgements import (
    Asked,
    Defaults,
    read_count_mean,
    read_measure_mean,
    read_probability,
)
from forecast.case.reader.yaml_source import Node

KINDS: tuple[Kind, ...] = ("category", "count", "measure", "ratio")
YES_NO = ("no", "yes")
_KEYS = (
    "title", "kind", "values", "likelihood", "persistence", "monitored", "given", "dispersion", "learn",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting:
    """What an indicator needs to know of its question."""

    scenarios: tuple[Scenario, ...]
    opened: date | None
    horizon: date | None
    defaults: Defaults


def read_indicators(
    node: Node | None, faults: Faults, setting: Setting
) -> tuple[dict[str, tuple[Kind, tuple[str, ...]] | None], tuple[Indicator, ...]]:
    """Return what evidence may state of each indicator (None: unknown), and the indicators without fault."""
    if node is None:
        return {}, ()
    example = "{meeting: {title: Leaders meet, likelihood: {...}}}"
    entries = fields.mapping(node, "indicators", faults, example=example)
    if entries is not None and not entries:
        faults.add(node.line, None, "there are no indicators", fix=f"write, e.g., {example}")
    stated: dict[str, tuple[Kind, tuple[str, ...]] | None] = {}
    found = []
    for id, entry in (entries or {}).items():
        fields.check_id(id, node.key_lines.get(id, node.line), "indicator", faults)
        stated[id], indicator = _read_indicator(id, entry, faults, setting)
        if indicator is not None:
            found.append(indicator)
    _check_given(node, found, set(stated), faults)
    _check_names(node, list(stated), setting, faults)
    return stated, tuple(found)


def _check_names(node: Node, ids: list[str], setting: Setting, faults: Faults) -> None:
    """Refuse ids from which the results would make one name twice (``x`` and ``x_period``, say)."""
    taken: dict[str, str] = {}
    for id in ids:
        line = node.key_lines.get(id, node.line)
        if id in fields.RESERVED_INDICATORS:
            faults.add(line, id, "this id is a name of the results", fix="choose another id")
        made = [id, *(f"{id}_{end}" for end in ("cell", "period", "unit", "value"))]
        made += [f"likelihood_{id}", *(f"likelihood_{id}_{scenario.id}" for scenario in setting.scenarios)]
        clash = next((taken[name] for name in made if name in taken), None)
        if clash is not None:
            problem = f"with the indicator {clash} it would make one name of the results twice"
            faults.add(line, id, problem, fix="choose an id that does not go on from the other's")
        taken |= dict.fromkeys(made, id)


def _read_indicator(
    id: str, node: Node, faults: Faults, setting: Setting
) -> tuple[tuple[Kind, tuple[str, ...]] | None, Indicator | None]:
    where = f"indicators.{id}"
    block = fields.Block(node, where, faults, keys=_KEYS, example="{title: ..., likelihood: {...}}")
    if not block.ok:
        return None, None
    kind = _read_kind(block)
    values = _read_values(block, kind)
    likelihood_node = block.need("likelihood", fix="write one judgement for each scenario")
    persistence, dispersion = _read_extras(block, kind)
    monitored = _read_monitored(block, kind, setting)
    given = block.text("given", "") or None
    if kind is None or values is None:
        return None, None
    defaults = replace(setting.defaults, learn=block.flag("learn", setting.defaults.learn))
    likelihood = None
    if likelihood_node is not None:
        likelihood = _read_likelihood(likelihood_node, where, kind, values, faults, setting, defaults)
    if likelihood is None:
        return (kind, values), None
    title = block.text("title", id)
    indicator = Indicator(id, title, kind, values, likelihood, persistence, monitored, given, dispersion)
    return (kind, values), indicator


def _read_kind(block: fields.Block) -> Kind | None:
    node = block.get("kind")
    if node is None:
        return "category"
    found = fields.choice(node, block.name("kind"), block.faults, KINDS)
    return next((kind for kind in KINDS if kind == found), None)


def _read_values(block: fields.Block, kind: Kind | None) -> tuple[str, ...] | None:
    """Return the names of the values, none for a number, or None where they are at fault."""
    node = block.get("values")
    if node is None or kind is None:
        return () if kind in ("count", "measure") else YES_NO
    if kind != "category":
        problem = f"{block.name('values')}: only a category has values to name"
        block.faults.add(node.line, node.shown, problem, fix=f"remove it, or remove `kind: {kind}`")
        return None
    found = fields.names(node, block.name("values"), block.faults)
    if found is not None and len(found) < 2:
        problem = f"{block.name('values')} must name at least two values"
        block.faults.add(node.line, node.shown, problem, fix="put the quiet value first, e.g. [no, yes]")
        return None
    return found


def _read_extras(block: fields.Block, kind: Kind | None) -> tuple[float | None, float | None]:
    """Return persistence and dispersion, each only where the kind has one."""
    found: list[float | None] = []
    for key, owner, allowed in (
        ("persistence", "category", fields.Range(0, 1, high_open=True)),
        ("dispersion", "count", fields.Range(0, low_open=True, infinite=True)),
    ):
        node = block.get(key)
        if node is not None and kind is not None and kind != owner:
            problem = f"{block.name(key)}: only a {owner} has it, and this is a {kind}"
            block.faults.add(node.line, node.shown, problem, fix="remove it")
            node = None
        found.append(None if node is None else fields.number(node, block.name(key), block.faults, allowed))
    persistence, dispersion = found
    return persistence, None if dispersion is None or math.isinf(dispersion) else dispersion


def _read_monitored(block: fields.Block, kind: Kind | None, setting: Setting) -> Monitored | None:
    node = block.get("monitored")
    if node is None:
        return None
    where, faults = block.name("monitored"), block.faults
    if kind not in (None, "category"):
        problem = f"{where}: silence says nothing about a {kind}"
        faults.add(node.line, node.shown, problem, allowed="categories", fix="remove it")
        return None
    keys = ("since", "until", "detection", "lag", "false_alarm")
    inner = fields.Block(node, where, faults, keys=keys, example="{detection: 0.6, lag: 7}")
    since = inner.day("since", setting.opened)
    until = inner.day("until", setting.horizon)
    fix = "write the chance that an event would be reported"
    if inner.need("detection", fix=fix) is None or since is None or until is None:
        return None
    detection = inner.number("detection", 1.0, fields.Range(0, 1, low_open=True))
    false_alarm = inner.number("false_alarm", 0.05, fields.Range(0, 1, high_open=True))
    lag = int(inner.number("lag", 0, fields.DAYS))
    if since > until:
        problem = f"{where}: since is after until"
        faults.add(inner.line, f"{since} to {until}", problem, fix="correct one of the two dates")
    if detection <= false_alarm:
        problem = f"{where}: detection ({detection:g}) is not above false_alarm ({false_alarm:g})"
        fix = "correct one of them: else silence would be a sign of the event"
        faults.add(inner.line, node.shown, problem, fix=fix)
    return Monitored(since, until, detection, lag, false_alarm)


def _read_likelihood(
    node: Node,
    where: str,
    kind: Kind,
    values: tuple[str, ...],
    faults: Faults,
    setting: Setting,
    defaults: Defaults,
) -> tuple[Judgement, ...] | None:
    """Return one judgement per scenario, the residual one's made up from the others where it is left out."""
    where, ids = f"{where}.likelihood", [scenario.id for scenario in setting.scenarios]
    example = f"{{{ids[0] if ids else 'scenario'}: 0.05, ...}}"
    block = fields.Block(node, where, faults, keys=ids or tuple(_keys_of(node)), example=example)
    if not block.ok or not ids:
        return None
    needed = [scenario.id for scenario in setting.scenarios if not scenario.residual or scenario.id in block]
    missing = [id for id in needed if id not in block]
    if missing:
        problem = f"{where} has no judgement for {listed(missing)}"
        fix = "write one for every scenario; only a residual one may be left out"
        faults.add(node.line, None, problem, fix=fix)
    if kind == "ratio":
        judged = _read_ratios(block, needed, faults, defaults)
    else:
        judged = {}
        for id in needed:
            entry = block.get(id)
            read = None if entry is None else _read_one(entry, block.name(id), kind, values, faults, defaults)
            if read is not None:
                judged[id] = read
    if len(judged) < len(needed):
        return None
    others = [judged[s.id] for s in setting.scenarios if not s.residual]
    made_up = _made_up(kind, others, defaults)
    return tuple(judged.get(id, made_up) for id in ids)


def _read_one(
    node: Node, where: str, kind: Kind, values: tuple[str, ...], faults: Faults, defaults: Defaults
) -> Judgement | None:
    if kind == "count":
        return read_count_mean(node, where, faults, defaults)
    if kind == "measure":
        return read_measure_mean(node, where, faults, defaults)
    return read_probability(node, Asked(where, faults, defaults, values))


def _read_ratios(
    block: fields.Block, ids: Sequence[str], faults: Faults, defaults: Defaults
) -> dict[str, Judgement]:
    """Return P(yes) = ratio / largest ratio for each scenario, known exactly."""
    zero = math.isinf(defaults.weight)
    allowed = fields.Range(0, low_open=not zero)
    ratios = {id: block.optional_number(id, allowed) for id in ids}
    known = {id: ratio for id, ratio in ratios.items() if ratio is not None}
    largest = max(known.values(), default=0.0)
    if known and largest == 0:
        problem = f"{block.where}: every ratio is 0"
        faults.add(block.line, block.node.shown, problem, fix="at least one must be above 0")
        return {}
    return {
        id: Proportions(elicitation.yes(ratio / largest), math.inf, defaults.learn)
        for id, ratio in known.items()
    }


def _made_up(kind: Kind, others: Sequence[Judgement], defaults: Defaults) -> Judgement:
    """Return what a residual scenario is taken to say: a ratio's is as exact as the others."""
    judged = elicitation.residual(others, learn=defaults.learn)
    if kind == "ratio" and isinstance(judged, Proportions):
        return replace(judged, weight=math.inf)
    return judged


def _keys_of(node: Node) -> Sequence[str]:
    return tuple(node.value) if isinstance(node.value, Mapping) else ("scenario",)


def _line(node: Node, id: str, key: str) -> int:
    """Return the line of a key within an entry of a block."""
    entry = node.value[id] if isinstance(node.value, Mapping) else node
    return entry.key_lines.get(key, entry.line)


def _check_given(node: Node, found: Sequence[Indicator], ids: set[str], faults: Faults) -> None:
    """Note what is wrong with `given`: it names a category that itself depends on nothing."""
    by_id = {indicator.id: indicator for indicator in found}
    for child in found:
        if child.given is None:
            continue
        where, line = f"indicators.{child.id}.given", _line(node, child.id, "given")
        parent = by_id.get(child.given)
        if child.kind != "category":
            problem = f"{where}: only a category can depend on another indicator, and this is a {child.kind}"
            faults.add(line, child.given, problem, fix="remove it")
        elif child.given not in ids or child.given == child.id:
            hint = meant(child.given, ids - {child.id})
            problem = f"{where} must name another indicator"
            faults.add(line, child.given, problem, allowed=listed(sorted(ids - {child.id})), fix=hint)
        elif parent is not None and parent.kind not in ("category", "ratio"):
            problem = f"{where}: a {parent.kind} is no event on which another could depend"
            faults.add(line, child.given, problem, allowed="an indicator with values")
        elif parent is not None and parent.given is not None:
            problem = f"{where}: {parent.id} itself depends on {parent.given}"
            faults.add(line, child.given, problem, fix=f"name {parent.given}, or remove one of the two")


def read_groups(
    node: Node | None, faults: Faults, stated: Mapping[str, object], indicators: Sequence[Indicator]
) -> tuple[Group, ...]:
    """Return the groups; an indicator belongs to one at most, and never one that depends on another."""
    if node is None:
        return ()
    example = "{battlefield: {indicators: [clashes, joint_attack], correlation: 0.4}}"
    entries = fields.mapping(node, "groups", faults, example=example) or {}
    children = {indicator.id: indicator.given for indicator in indicators if indicator.given is not None}
    taken: dict[str, str] = {}
    found = []
    for id, entry in entries.items():
        where = f"groups.{id}"
        block = fields.Block(entry, where, faults, keys=("indicators", "correlation"))
        members_node = block.need("indicators", fix="list the indicators that move together")
        if members_node is None or block.need("correlation", fix="write a number from 0 to 1") is None:
            continue
        members = fields.names(members_node, block.name("indicators"), faults)
        for member in members or ():
            _check_member(member, id, members_node, block.name("indicators"), faults, stated, children, taken)
        if members is not None and len(members) < 2:
            problem = f"{block.name('indicators')}: a group has at least two indicators"
            faults.add(members_node.line, members_node.shown, problem, fix="add one, or remove the group")
        found.append(Group(id, members or (), block.number("correlation", 0.0, fields.PROBABILITY)))
    return tuple(found)


def _check_member(
    member: str,
    group: str,
    node: Node,
    where: str,
    faults: Faults,
    stated: Mapping[str, object],
    children: Mapping[str, str],
    taken: dict[str, str],
) -> None:
    if member not in stated:
        hint = meant(member, stated)
        faults.add(node.line, member, f"{where}: no such indicator", allowed=listed(stated), fix=hint)
    elif member in children:
        problem = f"{where}: {member} depends on {children[member]} and counts with it"
        faults.add(node.line, member, problem, fix=f"put {children[member]} into the group instead")
    elif member in taken:
        problem = f"{where}: {member} is already in the group {taken[member]}"
        faults.add(node.line, member, problem, fix="keep it in one group")
    taken.setdefault(member, group)


#: Reliability by Admiralty letter: the mean and the weight. Conventions, not measurements. F is "cannot be
#: judged": no basis rather than a bad record, hence the small weight.
RELIABILITY: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"A": (0.95, 10), "B": (0.85, 10), "C": (0.65, 10), "D": (0.40, 10), "E": (0.15, 10), "F": (0.20, 2)}
)
#: How credibilities are written; a report without one is "ungraded".
_CODES: Mapping[str, str] = MappingProxyType({code or "ungraded": code for code in CREDIBILITY})


def read_grades(
    node: Node | None, faults: Faults, defaults: Defaults
) -> tuple[Mapping[str, Proportions], Mapping[str, float]]:
    """Return the reliability of each letter and the factor of each credibility, with what `grades` changes.

    A letter takes a judgement of the chance that such a source tells what happened (a plain number has
    the letter's usual weight); 1 to 6 and ``ungraded`` take a factor from 0 to 1.
    """
    letters = {
        letter: elicitation.plain(elicitation.yes(mean), weight, floor=False, learn=defaults.learn)
        for letter, (mean, weight) in RELIABILITY.items()
    }
    factors = dict(CREDIBILITY)
    if node is None:
        return letters, CREDIBILITY
    block = fields.Block(node, "grades", faults, keys=(*letters, *_CODES), example="{A: 0.97, 3: 0.6}")
    for key, entry in block.entries.items():
        where = block.name(key)
        if key in _CODES:
            factor = fields.number(entry, where, faults, fields.PROBABILITY)
            if factor is not None:
                factors[_CODES[key]] = factor
        elif key in RELIABILITY:
            usual = Defaults(RELIABILITY[key][1], defaults.words, defaults.learn)
            judged = _read_letter(entry, where, faults, usual)
            if judged is not None:
                letters[key] = judged
    return letters, MappingProxyType(factors)


def _read_letter(node: Node, where: str, faults: Faults, usual: Defaults) -> Proportions | None:
    """Read a letter's judgement; its plain number keeps the usual weight, as the built-in ones do."""
    if isinstance(node.value, float | int) and not isinstance(node.value, bool) and 0 < node.value < 1:
        return read_probability(node, Asked(where, faults, usual, floor=False))
    return read_probability(node, Asked(where, faults, usual))


def read_sources(
    node: Node | None, faults: Faults, defaults: Defaults, letters: Mapping[str, Proportions]
) -> tuple[Source, ...]:
    """Return the sources, in the order of the file."""
    if node is None:
        return ()
    entries = fields.mapping(node, "sources", faults, example="{agency: {title: ..., reliability: B}}") or {}
    found = []
    for id, entry in entries.items():
        fields.check_id(id, node.key_lines.get(id, node.line), "source", faults)
        source = _read_source(id, entry, faults, defaults, letters)
        if source is not None:
            found.append(source)
    return tuple(found)


def _read_source(
    id: str, node: Node, faults: Faults, defaults: Defaults, letters: Mapping[str, Proportions]
) -> Source | None:
    where, example = f"sources.{id}", "{title: ..., reliability: B}"
    block = fields.Block(node, where, faults, keys=("title", "reliability", "learn"), example=example)
    title, learn = block.text("title", id), block.flag("learn", defaults.learn)
    judged = block.need("reliability", fix="write a grade from A to F, or a judgement of a probability")
    if judged is None:
        return None
    inside = Defaults(defaults.weight, defaults.words, learn)
    if isinstance(judged.value, str) and judged.value.upper() in letters and judged.value not in letters:
        problem = f"{where}.reliability: grades are capitals"
        hint = meant(judged.value, letters)
        faults.add(judged.line, judged.shown, problem, allowed=listed(letters), fix=hint)
        return None
    reliability = read_probability(judged, Asked(f"{where}.reliability", faults, inside, grades=letters))
    return None if reliability is None else Source(id, title, reliability)
