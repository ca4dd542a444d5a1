"""Modified copies of a case in memory: other estimates, judgements or evidence; no file is written.

Nothing is written to a file. :func:`altered` changes a whole case, each change in the words of the files and
checked by their reader. :func:`with_estimate` and :func:`without_reports` change one thing of what was read,
at once and without a reader: for sliders, and for analyses that make thousands of changes.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import count
from typing import Any

from forecast.case import elicitation
from forecast.case.errors import Fault, Faults, InputError, listed, meant
from forecast.case.evidence import Evidence, Report
from forecast.case.folder import QUESTION, Case
from forecast.case.judgement import JudgementId, MeasureMean, Positive, Proportions
from forecast.case.question import Event, Indicator, Moves, Question, Transition
from forecast.case.reader.evidence import COLUMNS, Row, evidence_of
from forecast.case.reader.question import Outline, question_of
from forecast.case.reader.yaml_source import Node, load_yaml

Imagined = Report | Mapping[str, Any]

WHAT_IF = "what if"


def altered(
    case: Case,
    *,
    add: Iterable[Imagined] = (),
    drop: Iterable[str] = (),
    drop_sources: Iterable[str] = (),
    set: Mapping[str, Any] | None = None,
) -> Case:
    """Return a case with other evidence or judgements, as if its files said so; its digest is empty.

    Raises InputError if nothing is changed, a change names nothing that there is, or it would be refused
    in a file.
    """
    add, drop, drop_sources, judged = list(add), list(drop), list(drop_sources), dict(set or {})
    if not (add or drop or drop_sources or judged):
        fix = "add or drop a report, drop a source, or set a judgement"
        raise InputError([Fault(WHAT_IF, 0, None, "nothing is changed", fix=fix)])
    graded = [name for name in judged if name.split()[:1] == ["credibility"] and len(name.split()) == 2]
    grades = {name.split()[1]: str(judged.pop(name) or "") for name in graded}
    question = altered_question(_written_question(case), case.question, judged) if judged else case.question
    evidence = altered_evidence(
        question, case.evidence, add=add, drop=drop, drop_sources=drop_sources, credibility=grades
    )
    return replace(case, question=question, evidence=evidence, digest="")


def _written_question(case: Case) -> bytes:
    """Return what the question's file of a case holds."""
    path = case.path / QUESTION
    try:
        return path.read_bytes()
    except OSError as error:
        fix = "judgements are changed as they are written there: load the case from its folder"
        raise InputError([Fault(str(path), 0, None, "the file cannot be read", fix=fix)]) from error


# --- estimates ---------------------------------------------------------------------------------------------


def adjustable(question: Question) -> dict[str, float]:
    """Return every estimate that is one number, by name, in the order of the question.

    The names are those of a what-if: "prior SCENARIO", "likelihood INDICATOR SCENARIO" (of an indicator that
    is seen or is not), "reliability SOURCE", "lasts SCENARIO" (mean stay in periods; of an event how long
    it is prepared) and "ends_in_event SCENARIO", both without the scenario where all share one judgement.
    """
    ids = question.scenario_ids
    values = {JudgementId("prior", scenario=id): p for id, p in zip(ids, question.prior.mean, strict=True)}
    for indicator in question.indicators:
        if indicator.kind == "category" and len(indicator.values) == 2:
            for id, judged in zip(ids, indicator.likelihood, strict=True):
                assert isinstance(judged, Proportions)
                values[JudgementId("likelihood", indicator.id, id)] = judged.mean[1]
    for source in question.sources:
        values[JudgementId("reliability", source=source.id)] = source.reliability.mean[1]
    if isinstance(question.dynamics, Moves):
        rates = zip(ids, question.dynamics.leave, strict=True)
        values |= {JudgementId("lasts", scenario=id): 1.0 / rate.mean for id, rate in rates if rate.mean > 0}
    if question.event is not None:
        stays = zip(prepared(question, question.event.leave), question.event.leave, strict=True)
        values |= {JudgementId("lasts", scenario=id): 1.0 / rate.mean for id, rate in stays}
        shares = question.event.ends_in_event
        ends = zip(prepared(question, shares), shares, strict=True)
        values |= {JudgementId("ends_in_event", scenario=id): one.median for id, one in ends}
    return {str(id): value for id, value in values.items()}


def prepared(question: Question, judged: Sequence[object]) -> tuple[str, ...]:
    """Return the scenario that each judgement of an event is about; ("",) where one is about all of them."""
    quo = question.event.status_quo if question.event is not None else -1
    return tuple(id for k, id in enumerate(question.scenario_ids) if k != quo) if len(judged) > 1 else ("",)


def adjusted(question: Question, values: Mapping[str, float]) -> Question:
    """Return the question with some of these estimates moved; each judgement keeps its weight.

    A prior that is moved takes from those that are not, or gives to them, in proportion. What the residual
    rule made of the judgements under other scenarios, it makes anew.

    Raises ValueError if a name is none of :func:`adjustable`, a number is no probability (or no length of
    stay), or moved priors leave no room for the others.
    """
    known, priors = adjustable(question), dict[str, float]()
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"nothing is called {name!r} that one number could move")
        id = JudgementId.parse(name)
        long = id.kind == "lasts"
        if not (0 < value < (math.inf if long else 1)):
            raise ValueError(f"{name}: {value} is not {'a length above 0' if long else 'between 0 and 1'}")
        if id.kind == "prior":
            priors[id.scenario] = value
        else:
            question = with_estimate(question, id, value)
    return replace(question, prior=_prior(question, priors)) if priors else question


def _prior(question: Question, values: Mapping[str, float]) -> Proportions:
    """Return the prior with some of its estimates moved, the others in proportion."""
    mean = dict(zip(question.scenario_ids, question.prior.mean, strict=True))
    rest, left = sum(p for id, p in mean.items() if id not in values), 1.0 - sum(values.values())
    others = len(mean) - len(values)
    if left < 0 or (left > 1e-9) != bool(others):
        raise ValueError(f"the priors sum to {sum(values.values()):g} and leave {left:g} for {others} others")
    share = {id: p / rest if rest > 0 else 1.0 / max(others, 1) for id, p in mean.items()}
    return replace(question.prior, mean=tuple(values.get(id, left * share[id]) for id in mean))


def with_estimate(question: Question, id: JudgementId, value: float) -> Question:
    """Return the question with one number of a judgement moved; its weight stays as it is.

    A prior, a row of moves and a residual's judgement stay worth at least 1/p of their rarest entry. Of
    several shares one is moved and the others keep their proportions, as they do on average under a
    Dirichlet. What the residual rule made of the judgements under the other scenarios, it makes anew.
    """
    ids, dynamics = question.scenario_ids, question.dynamics
    k = ids.index(id.scenario) if id.scenario else 0
    if id.kind == "prior":
        return replace(question, prior=_with_share(question.prior, k, value, floor=True))
    if id.kind == "reliability":
        n = next(n for n, source in enumerate(question.sources) if source.id == id.source)
        reliability = _with_share(question.sources[n].reliability, 1, value)
        source = replace(question.sources[n], reliability=reliability)
        return replace(question, sources=_with_item(question.sources, n, source))
    if id.kind == "likelihood":
        return _with_likelihood(question, id, k, value)
    if isinstance(dynamics, Event):
        return replace(question, dynamics=_with_event(question, dynamics, id, value))
    if isinstance(dynamics, Transition):
        row = _with_share(dynamics.rows[k], ids.index(id.value), value, floor=True)
        return replace(question, dynamics=Transition(_with_item(dynamics.rows, k, row)))
    assert isinstance(dynamics, Moves)
    if id.kind == "lasts":
        leave = _with_item(dynamics.leave, k, replace(dynamics.leave[k], mean=1.0 / value))
        return replace(question, dynamics=replace(dynamics, leave=leave))
    then = dynamics.then[k]
    assert then is not None
    row = _with_share(then, ids.index(id.value), value, floor=True)
    return replace(question, dynamics=replace(dynamics, then=_with_item(dynamics.then, k, row)))


def _with_event(question: Question, event: Event, id: JudgementId, value: float) -> Event:
    """Return an event with another length of preparing, or another share that ends in it."""
    if id.kind == "lasts":
        n = prepared(question, event.leave).index(id.scenario)
        return replace(event, leave=_with_item(event.leave, n, replace(event.leave[n], mean=1.0 / value)))
    n = prepared(question, event.ends_in_event).index(id.scenario)
    share = replace(event.ends_in_event[n], median=value)
    return replace(event, ends_in_event=_with_item(event.ends_in_event, n, share))


def _with_likelihood(question: Question, id: JudgementId, k: int, value: float) -> Question:
    """Return the question with another estimate under scenario k; a count keeps its weight."""
    i = next(i for i, indicator in enumerate(question.indicators) if indicator.id == id.indicator)
    indicator = question.indicators[i]
    by_rule, judged = residual_by_rule(question, indicator), list(indicator.likelihood)
    old = judged[k]
    if isinstance(old, Proportions):
        entry = indicator.values.index(id.value) if id.value else 1
        judged[k] = _with_share(old, entry, value, floor=question.scenarios[k].residual)
    elif isinstance(old, Positive):
        judged[k] = replace(old, mean=value, shape=old.shape * value / old.mean)
    else:
        assert isinstance(old, MeasureMean)
        judged[k] = replace(old, mean=value)
    if by_rule is not None and by_rule != k:
        others = [j for other, j in enumerate(judged) if other != by_rule]
        judged[by_rule] = elicitation.residual(others, learn=judged[by_rule].learn)
    indicator = replace(indicator, likelihood=tuple(judged))
    return replace(question, indicators=_with_item(question.indicators, i, indicator))


def residual_by_rule(question: Question, indicator: Indicator) -> int | None:
    """Return the scenario whose judgement of an indicator is what the residual rule makes of the others."""
    for k, scenario in enumerate(question.scenarios):
        if scenario.residual and not indicator.likelihood[k].exact:
            others = [j for other, j in enumerate(indicator.likelihood) if other != k]
            learn = indicator.likelihood[k].learn
            return k if indicator.likelihood[k] == elicitation.residual(others, learn=learn) else None
    return None


def _with_share(judged: Proportions, entry: int, value: float, *, floor: bool = False) -> Proportions:
    """Return proportions with another share, the others in proportion."""
    rest = 1.0 - judged.mean[entry]
    others = [p / rest if rest > 0 else 1.0 / (len(judged.mean) - 1) for p in judged.mean]
    mean = tuple(value if e == entry else (1.0 - value) * p for e, p in enumerate(others))
    if len(mean) == 2:
        mean = (1.0 - value, value) if entry else (value, 1.0 - value)
    least = 1.0 / min(p for p in mean if p > 0) if floor else 0.0
    return replace(judged, mean=mean, weight=max(judged.weight, least))


def _with_item[T](items: tuple[T, ...], n: int, new: T) -> tuple[T, ...]:
    return *items[:n], new, *items[n + 1 :]


# --- judgements as they are written ------------------------------------------------------------------------

#: A word, and where in question.yaml a change of that name goes; in braces what is named after the word.
PLACES: Mapping[str, str] = {
    "prior": "scenarios {scenario} prior",
    "likelihood": "indicators {indicator} likelihood {scenario}",
    "persistence": "indicators {indicator} persistence",
    "detection": "indicators {indicator} monitored detection",
    "false_alarm": "indicators {indicator} monitored false_alarm",
    "reliability": "sources {source} reliability",
    "lasts": "dynamics moves {scenario} lasts",
    "then": "dynamics moves {scenario} then",
    "transition": "dynamics transition {scenario}",
    "ends_in_event": "event preparing {scenario} ends_in_event",
    "correlation": "groups {group} correlation",
    "grade": "grades {grade}",
    "reporting": "indicators {indicator} reporting",
    "dispersion": "indicators {indicator} dispersion",
    "error": "indicators {indicator} error",
}
#: Words that stand alone.
WHOLE = ("prior_weight", "weight", "cap", "learn", "learning", "dynamics", "event", "groups", "reporting")

_BRACES = re.compile(r"{(\w+)}")
_PLAIN = re.compile(r"[\w.+-][\w.+ -]*\Z", re.ASCII)


def altered_question(data: bytes, question: Question, changes: Mapping[str, Any]) -> Question:
    """Return a question as its file, which holds `data`, would have it with other entries, by their names."""
    faults = Faults(WHAT_IF)
    tree = load_yaml(data, faults)
    for key, value in changes.items():
        new = _node(key, value, faults)
        for path, node in _places(key, new, question, faults):
            tree = tree and _put(tree, path, node)
    _raise(faults)
    assert tree is not None
    changed, _ = question_of(tree, faults)
    _raise(faults)
    assert changed is not None
    return changed


def _raise(faults: Faults) -> None:
    """Raise the faults there are; their lines are those of no file."""
    if faults.noted:
        raise InputError(replace(fault, line=0) for fault in faults.noted)


def _node(key: str, value: Any, faults: Faults) -> Node | None:
    """Return a value as the reader has it, None for one that is to go."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    written = value if isinstance(value, str) else _written(value)
    own = Faults(WHAT_IF)
    top = load_yaml(f"value: {written}".encode(), own)
    if top is None or own.noted or not isinstance(top.value, Mapping) or set(top.value) != {"value"}:
        fix = "write it as in question.yaml, e.g. 0.2, {low: 0.1, high: 0.3}, likely or B"
        faults.add(0, str(written), f"{key}: the value cannot be read", fix=fix)
        return None
    return top.value["value"]


def _written(value: Any) -> str:
    """Return a number, list or mapping as YAML has it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(str(k))}: {_written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return ".inf" if math.isinf(value) and value > 0 else repr(float(value))
    return str(value) if _PLAIN.match(str(value)) else json.dumps(str(value))


def _places(
    key: str, node: Node | None, question: Question, faults: Faults
) -> list[tuple[tuple[str, ...], Node | None]]:
    """Return where in the tree a change goes, with what goes there; none where it names nothing."""
    word, *names = key.split() or [""]
    if word in WHOLE and not names:
        return [((word,), node)]
    if word == "prior" and not names:
        return _whole_prior(node, question, faults)
    place = _place(word, question)
    kinds = _BRACES.findall(place)
    if not place or len(names) != len(kinds):
        allowed = [" ".join([w, *map(str.upper, _BRACES.findall(path))]) for w, path in PLACES.items()]
        allowed += ["credibility REPORT", "prior", *WHOLE]
        fix = "name what the word needs, in this order" if kinds else meant(word, [*PLACES, *WHOLE])
        faults.add(0, key, "nothing that can be changed has this name", allowed="; ".join(allowed), fix=fix)
        return []
    for kind, name in zip(kinds, names, strict=True):
        known = _known(word, kind, question)
        if name not in known:
            fix = meant(name, known) or "name one of these"
            faults.add(0, name, f"{key}: no such {kind} that has it", allowed=listed(known), fix=fix)
            return []
    named = dict(zip(kinds, names, strict=True))
    return [(tuple(step.format(**named) for step in place.split()), node)]


def _place(word: str, question: Question) -> str:
    """Return where a change of a word goes; of an event the scenario is named where each has its own."""
    if question.event is None or word not in ("lasts", "ends_in_event"):
        return PLACES.get(word, "")
    return f"event preparing {'{scenario} ' if len(question.event.leave) > 1 else ''}{word}"


def _whole_prior(
    node: Node | None, question: Question, faults: Faults
) -> list[tuple[tuple[str, ...], Node | None]]:
    """Return the places of a prior given at once: "even", or a probability for each scenario."""
    ids = question.versions[0].scenario_ids
    if node is not None and node.text == "even":
        return [(("prior",), node), *((("scenarios", id, "prior"), None) for id in ids)]
    if node is None or not isinstance(node.value, Mapping) or set(node.value) != set(ids):
        allowed = "even, or {" + ", ".join(f"{id}: P" for id in ids) + "}, summing to 1"
        faults.add(0, None if node is None else node.shown, "prior: not a prior", allowed=allowed)
        return []
    return [(("prior",), None), *((("scenarios", id, "prior"), node.value[id]) for id in ids)]


def _known(word: str, kind: str, question: Question) -> list[str]:
    """Return what a change of this word may name."""
    if word in ("detection", "false_alarm"):
        return [i.id for i in question.indicators if i.monitored]
    if question.event is not None and word in ("lasts", "ends_in_event"):
        return list(prepared(question, question.event.leave))
    needed = {"lasts": Moves, "then": Moves, "transition": Transition, "ends_in_event": Event}.get(word)
    if needed is not None and not isinstance(question.dynamics, needed):
        return []
    if kind == "grade":
        return [*"ABCDEF", *(code for code in question.credibility if code), "ungraded"]
    by_kind: Mapping[str, Sequence[Any]] = {
        "scenario": question.versions[0].scenarios if word == "prior" else question.all_scenarios,
        "indicator": question.indicators,
        "source": question.sources,
        "group": question.groups,
    }
    return [one.id for one in by_kind[kind]]


def _put(tree: Node, path: tuple[str, ...], new: Node | None) -> Node:
    """Return a tree with another entry at a path, which is made where it is not there; None removes it."""
    entries = dict(tree.value) if isinstance(tree.value, Mapping) else {}
    first, *rest = path
    if rest:
        if new is not None or first in entries:
            entries[first] = _put(entries.get(first, Node({}, 0)), tuple(rest), new)
    elif new is None:
        entries.pop(first, None)
    else:
        entries[first] = new
    return replace(tree, value=entries, key_lines=dict.fromkeys(entries, 0))


# --- evidence ----------------------------------------------------------------------------------------------


def without_reports(question: Question, evidence: Evidence, dropped: Collection[str]) -> Evidence:
    """Return a log in which some rows were never written, and what other rows said about them either.

    A repeat of a report that is left out stands on its own, and so does a correction of it; a withdrawal
    goes with what it withdraws. What a correction that is left out had replaced stands again.
    """
    gone, by_id = set(dropped), {r.id: r for r in evidence.reports}

    def replaced(report: Report) -> str:
        name = report.replaces
        while name in gone and name in by_id:
            name = by_id[name].replaces
        return name

    left = [r for r in evidence.reports if r.id not in gone]
    while empty := {r.id for r in left if r.replaces and r.value is None and not replaced(r)}:
        gone |= empty
        left = [r for r in left if r.id not in empty]
    repeats = [tuple(name for name in r.repeats if name not in gone) for r in left]
    kept = [replace(r, repeats=old, replaces=replaced(r)) for r, old in zip(left, repeats, strict=True)]
    return Evidence(tuple(_alone(question, r, kept) for r in kept))


def _alone(question: Question, report: Report, reports: Sequence[Report]) -> Report:
    """Return a report without its independence where there is nothing left that it could depend on."""

    def cell(r: Report) -> tuple[str, str, str, int]:
        return r.source, r.indicator, r.unit, question.period(r.date)

    if report.independence is None or report.repeats:
        return report
    own = cell(report), (report.reported, reports.index(report))
    earlier = any(cell(r) == own[0] and (r.reported, n) < own[1] for n, r in enumerate(reports))
    return report if earlier else replace(report, independence=None)


def altered_evidence(
    question: Question,
    evidence: Evidence,
    *,
    add: Iterable[Imagined] = (),
    drop: Iterable[str] = (),
    drop_sources: Iterable[str] = (),
    credibility: Mapping[str, str] | None = None,
) -> Evidence:
    """Return a log with imagined reports added, and reports or whole sources left out or graded otherwise."""
    faults, drop, drop_sources = Faults(WHAT_IF), list(drop), list(drop_sources)
    ids, sources = [r.id for r in evidence.reports], [s.id for s in question.sources]
    grades = dict(credibility or {})
    for kind, named, known in (("report", [*drop, *grades], ids), ("source", drop_sources, sources)):
        for name in named:
            if name not in known:
                faults.add(0, name, f"no such {kind}", allowed=listed(known), fix=meant(name, known))
    gone = {*drop, *(r.id for r in evidence.reports if r.source in drop_sources)}
    for name in grades:
        if name in gone:
            faults.add(0, name, "this report is left out, and graded too", fix="choose one of the two")
    rows = [Row(_row(r)) for r in without_reports(question, evidence, gone).reports]
    for row in rows:
        row["credibility"] = str(grades.get(row["id"], row["credibility"]))
    rows += _imagined(add, {row["id"] for row in rows}, faults)
    _raise(faults)
    for row, line in zip(rows, count(2), strict=False):  # as in a file, below its header
        row.line = line
    log, _ = evidence_of(rows, Outline.of(question), faults)
    _raise(faults)
    lines = {r.id: r.line for r in evidence.reports}
    return Evidence(tuple(replace(r, line=lines.get(r.id, 0)) for r in log.reports))


def _imagined(add: Iterable[Imagined], ids: set[str], faults: Faults) -> list[Row]:
    """Return imagined reports as rows of the log, with ids of their own."""
    rows, number = list[Row](), 1
    for one in add:
        row = Row(_row(one) if isinstance(one, Report) else {str(k): _cell(v) for k, v in one.items()})
        for column in row:
            if column not in COLUMNS:
                fix = meant(column, COLUMNS)
                faults.add(0, column, "an imagined report: unknown column", allowed=listed(COLUMNS), fix=fix)
        if not row.get("id"):
            while f"imagined-{number}" in ids:
                number += 1
            row["id"] = f"imagined-{number}"
            ids.add(row["id"])
        rows.append(row)
    return rows


def _row(report: Report) -> dict[str, str]:
    return {column: _cell(getattr(report, column)) for column in COLUMNS}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return ";".join(map(str, value))
    return repr(float(value)) if isinstance(value, float) else str(value).strip()
