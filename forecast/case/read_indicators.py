"""The block `indicators`: what is observed, and how probable it is under each scenario."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from forecast.case import elicit, fields
from forecast.case.faults import Faults, listed, meant
from forecast.case.judgement import Judgement, Proportions
from forecast.case.question import Indicator, Kind, Monitored, Scenario
from forecast.case.read_judgement import Asked, Defaults, read_count_mean, read_measure_mean, read_probability
from forecast.case.read_yaml import Node

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
        id: Proportions(elicit.yes(ratio / largest), math.inf, defaults.learn) for id, ratio in known.items()
    }


def _made_up(kind: Kind, others: Sequence[Judgement], defaults: Defaults) -> Judgement:
    """Return what a residual scenario is taken to say: a ratio's is as exact as the others."""
    judged = elicit.residual(others, learn=defaults.learn)
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
