"""A question with single best estimates moved, their weights kept: for sliders. No file is read again.

A question with other judgements: what was written is changed and read again, by the same reader.

A change is named in the analyst's own words (``reliability sohr``, ``likelihood meeting tactical``) and its
value is written as in ``question.yaml``. No file is touched.

A log of reports with some imagined and some left out, checked as a file is. No file is touched.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from forecast.case import elicitation
from forecast.case.errors import Faults, InputError, listed, meant
from forecast.case.evidence import Evidence, Report
from forecast.case.judgement import Judgement, Proportions
from forecast.case.question import Indicator, Moves, Question, Transition
from forecast.case.reader.evidence import COLUMNS, parse_evidence
from forecast.case.reader.question import Outline, parse_question
from forecast.case.reader.yaml_source import Node, load_yaml


def adjustable(question: Question) -> dict[str, float]:
    """Return every estimate that is one number, by name, in the order of the question.

    The names are those of a what-if: "prior SCENARIO", "likelihood INDICATOR SCENARIO" (of an indicator that
    is seen or is not), "reliability SOURCE", "lasts SCENARIO" (mean stay in periods).

    Examples
    --------
    >>> case = forecast.load_case("scenarios/isis-jn-2014")  # doctest: +SKIP
    >>> adjustable(case.question)["reliability sohr"]  # doctest: +SKIP
    0.85
    """
    ids = list(question.scenario_ids)
    found = {f"prior {id}": p for id, p in zip(ids, question.prior.mean, strict=True)}
    for indicator in question.indicators:
        if indicator.kind == "category" and len(indicator.values) == 2:
            for id, judged in zip(ids, indicator.likelihood, strict=True):
                found[f"likelihood {indicator.id} {id}"] = _second(judged)
    found |= {f"reliability {source.id}": source.reliability.mean[1] for source in question.sources}
    if isinstance(question.dynamics, Moves):
        rates = zip(ids, question.dynamics.leave, strict=True)
        found |= {f"lasts {id}": 1.0 / rate.mean for id, rate in rates if rate.mean > 0}
    return found


def adjusted(question: Question, values: Mapping[str, float]) -> Question:
    """Return the question with some of these estimates moved; each judgement keeps its weight.

    A prior that is moved takes from those that are not, or gives to them, in proportion. What the residual
    rule made of the judgements under other scenarios, it makes anew.

    Raises
    ------
    ValueError
        If a name is none of :func:`adjustable`, a number is no probability (or no length of stay), or moved
        priors leave no room for the others.
    """
    known = adjustable(question)
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"nothing is called {name!r} that one number could move")
        long = name.startswith("lasts ")
        if not (0 < value < (float("inf") if long else 1)):
            raise ValueError(f"{name}: {value} is not {'a length above 0' if long else 'between 0 and 1'}")
    priors = {name.split()[1]: value for name, value in values.items() if name.startswith("prior ")}
    if priors:
        question = replace(question, prior=_prior(question, priors))
    for name, value in values.items():
        question = _moved(question, name.split(), value)
    return question


def _prior(question: Question, values: Mapping[str, float]) -> Proportions:
    """Return the prior with some of its estimates moved, the others in proportion."""
    mean = {s.id: p for s, p in zip(question.scenarios, question.prior.mean, strict=True)}
    rest, left = sum(p for id, p in mean.items() if id not in values), 1.0 - sum(values.values())
    others = len(mean) - len(values)
    if left < 0 or (left > 1e-9) != bool(others):
        raise ValueError(f"the priors sum to {sum(values.values()):g} and leave {left:g} for {others} others")
    share = {id: p / rest if rest > 0 else 1.0 / max(others, 1) for id, p in mean.items()}
    return replace(question.prior, mean=tuple(values.get(id, left * share[id]) for id in mean))


def _moved(question: Question, name: list[str], value: float) -> Question:
    places = {scenario.id: n for n, scenario in enumerate(question.scenarios)}
    if name[0] == "prior":
        return question
    if name[0] == "reliability":
        sources = tuple(
            replace(one, reliability=_pair(one.reliability, value)) if one.id == name[1] else one
            for one in question.sources
        )
        return replace(question, sources=sources)
    if name[0] == "lasts":
        assert isinstance(question.dynamics, Moves)
        place = places[name[1]]
        rates = tuple(
            replace(rate, mean=1.0 / value) if n == place else rate
            for n, rate in enumerate(question.dynamics.leave)
        )
        return replace(question, dynamics=replace(question.dynamics, leave=rates))
    i = next(n for n, one in enumerate(question.indicators) if one.id == name[1])
    judged = question.indicators[i].likelihood[places[name[2]]]
    assert isinstance(judged, Proportions)
    return with_likelihood(question, i, places[name[2]], _pair(judged, value))


def with_likelihood(question: Question, i: int, k: int, new: Judgement) -> Question:
    """Return the question with another judgement of indicator i under scenario k.

    What the residual rule made of the judgements under the other scenarios, it makes anew.
    """
    indicator = question.indicators[i]
    by_rule, judged = made_up(question, indicator), list(indicator.likelihood)
    judged[k] = new
    if by_rule is not None and by_rule != k:
        others = [j for other, j in enumerate(judged) if other != by_rule]
        judged[by_rule] = elicitation.residual(others, learn=judged[by_rule].learn)
    indicators = list(question.indicators)
    indicators[i] = replace(indicator, likelihood=tuple(judged))
    return replace(question, indicators=tuple(indicators))


def made_up(question: Question, indicator: Indicator) -> int | None:
    """Return the scenario whose judgement of an indicator is what the residual rule makes of the others."""
    for k, scenario in enumerate(question.scenarios):
        if scenario.residual and not indicator.likelihood[k].exact:
            others = [j for other, j in enumerate(indicator.likelihood) if other != k]
            learn = indicator.likelihood[k].learn
            return k if indicator.likelihood[k] == elicitation.residual(others, learn=learn) else None
    return None


def _second(judged: Judgement) -> float:
    assert isinstance(judged, Proportions)
    return judged.mean[1]


def _pair(judged: Proportions, value: float) -> Proportions:
    return replace(judged, mean=(1.0 - value, value))


#: How a change is named: the word, what else is named, and where that stands in question.yaml.
FORMS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "prior": (("scenario",), ("scenarios", "{0}", "prior")),
    "likelihood": (("indicator", "scenario"), ("indicators", "{0}", "likelihood", "{1}")),
    "persistence": (("indicator",), ("indicators", "{0}", "persistence")),
    "detection": (("indicator",), ("indicators", "{0}", "monitored", "detection")),
    "false_alarm": (("indicator",), ("indicators", "{0}", "monitored", "false_alarm")),
    "reliability": (("source",), ("sources", "{0}", "reliability")),
    "lasts": (("scenario",), ("dynamics", "moves", "{0}", "lasts")),
    "then": (("scenario",), ("dynamics", "moves", "{0}", "then")),
    "transition": (("scenario",), ("dynamics", "transition", "{0}")),
    "correlation": (("group",), ("groups", "{0}", "correlation")),
    "grade": (("grade",), ("grades", "{0}")),
}
#: Words that stand alone.
WHOLE = ("prior_weight", "weight", "cap", "learn", "dynamics", "groups")

WHAT_IF = "what if"
_PLAIN = re.compile(r"[\w.+-][\w.+ -]*\Z", re.ASCII)


def altered_question(data: bytes, question: Question, changes: Mapping[str, Any]) -> Question:
    """Return a question with some of its judgements changed.

    Parameters
    ----------
    data : bytes
        What ``question.yaml`` holds.
    question : Question
        What was read from it.
    changes : mapping
        From the name of a judgement ("reliability sohr", "likelihood meeting tactical", "prior", "lasts
        tactical", "cap", ...) to its new value as it stands in ``question.yaml`` ("A", "0.2", "{low: 0.1,
        high: 0.3}", or numbers, lists and mappings); None or "" removes the entry.

    Raises
    ------
    InputError
        Where a change names nothing that there is, or the question could not be read with it.

    Examples
    --------
    >>> altered_question(data, question, {"reliability sohr": "A"}).sources  # doctest: +SKIP
    """
    faults = Faults(WHAT_IF)
    tree = load_yaml(data, faults)
    for key, value in changes.items():
        new = _node(key, value, faults)
        for path, node in _places(key, new, question, faults):
            tree = tree and _put(tree, path, node)
    _raise(faults)
    assert tree is not None
    altered, _ = parse_question(_text(tree).encode(), faults)
    _raise(faults)
    assert altered is not None
    return altered


def _raise(faults: Faults) -> None:
    """Raise what was found; lines are those of no file."""
    if faults.found:
        raise InputError(replace(fault, line=0) for fault in faults.found)


def _node(key: str, value: Any, faults: Faults) -> Node | None:
    """Return a value as the reader has it, None for one that is to go."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    written = value if isinstance(value, str) else _written(value)
    found = Faults(WHAT_IF)
    top = load_yaml(f"value: {written}".encode(), found)
    if top is None or found.found or not isinstance(top.value, Mapping) or set(top.value) != {"value"}:
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
    if word not in FORMS or len(names) != len(FORMS[word][0]):
        allowed = [*(" ".join([w, *map(str.upper, n)]) for w, (n, _) in FORMS.items()), "credibility REPORT"]
        allowed += ["prior", *WHOLE]
        fix = (
            meant(word, [*FORMS, *WHOLE]) if word not in FORMS else "name what the word needs, in this order"
        )
        faults.add(0, key, "nothing that can be changed has this name", allowed="; ".join(allowed), fix=fix)
        return []
    kinds, path = FORMS[word]
    for kind, name in zip(kinds, names, strict=True):
        known = _known(word, kind, question)
        if name not in known:
            fix = meant(name, known) or "name one of these"
            faults.add(0, name, f"{key}: no such {kind} that has it", allowed=listed(known), fix=fix)
            return []
    return [(tuple(step.format(*names) for step in path), node)]


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
    if word in ("lasts", "then") and not isinstance(question.dynamics, Moves):
        return []
    if word == "transition" and not isinstance(question.dynamics, Transition):
        return []
    if kind == "grade":
        return [*"ABCDEF", *(code for code in question.credibility if code), "ungraded"]
    found: Mapping[str, Sequence[Any]] = {
        "scenario": question.versions[0].scenarios if word == "prior" else question.all_scenarios,
        "indicator": question.indicators,
        "source": question.sources,
        "group": question.groups,
    }
    return [one.id for one in found[kind]]


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


def _text(node: Node) -> str:
    """Return a tree as YAML on one line."""
    if isinstance(node.value, Mapping):
        return "{" + ", ".join(f"{json.dumps(k)}: {_text(v)}" for k, v in node.value.items()) + "}"
    if isinstance(node.value, Sequence) and not isinstance(node.value, str):
        return "[" + ", ".join(map(_text, node.value)) + "]"
    if node.quoted or (isinstance(node.value, str) and not _PLAIN.match(node.text)):
        return json.dumps(node.text, ensure_ascii=False)
    return node.text


Imagined = Report | Mapping[str, Any]


def without_reports(question: Question, evidence: Evidence, dropped: Collection[str]) -> Evidence:
    """Return a log in which some rows were never written, and what other rows said about them either.

    A repeat of a report that is left out stands on its own, and so does a correction of it; a withdrawal
    goes with what it withdraws. What a correction that is left out had replaced stands again.

    Examples
    --------
    >>> first = Report("r1", date(2024, 1, 1), date(2024, 1, 1), "fuel", "yes", "press")
    >>> second = replace(first, id="r2", source="radio", repeats=("r1",))
    >>> without_reports(question, Evidence((first, second)), ["r1"]).reports[0].repeats  # doctest: +SKIP
    ()
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
    kept: list[Report] = []
    for report in left:
        repeats = tuple(name for name in report.repeats if name not in gone)
        kept.append(replace(report, repeats=repeats, replaces=replaced(report)))
    return Evidence(tuple(_alone(question, r, kept) for r in kept))


def _alone(question: Question, report: Report, reports: Sequence[Report]) -> Report:
    """Return a report without its independence where there is nothing left that it could depend on."""

    def cell(r: Report) -> tuple[str, str, str, int]:
        return r.source, r.indicator, r.unit, question.period(r.date)

    if report.independence is None or report.repeats:
        return report
    place = reports.index(report)
    if any(
        cell(r) == cell(report) and (r.reported, n) < (report.reported, place) for n, r in enumerate(reports)
    ):
        return report
    return replace(report, independence=None)


def altered_evidence(
    question: Question,
    evidence: Evidence,
    *,
    add: Iterable[Imagined] = (),
    drop: Iterable[str] = (),
    drop_sources: Iterable[str] = (),
    credibility: Mapping[str, str] | None = None,
) -> Evidence:
    """Return a log with imagined reports added, reports or whole sources left out, or graded otherwise.

    Parameters
    ----------
    question : Question
    evidence : Evidence
    add : iterable of Report or mapping
        Imagined reports, a mapping in the words of ``evidence.csv``; `id` may be left out.
    drop, drop_sources : iterable of str
        Ids of reports and of sources to leave out.
    credibility : mapping, optional
        From the id of a report to another Admiralty credibility ("1" to "6", "" for none).

    Raises
    ------
    InputError
        With everything that would be refused in a file too.
    """
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
            problem, fix = "this report is left out, and graded too", "choose one of the two"
            faults.add(0, name, problem, fix=fix)
    rows = [_row(r) for r in without_reports(question, evidence, gone).reports]
    for row in rows:
        row["credibility"] = str(grades.get(row["id"], row["credibility"]))
    rows += _imagined(add, {row["id"] for row in rows}, faults)
    if not faults.found:
        found, _ = parse_evidence(_csv(rows), Outline.of(question), faults)
    if faults.found:
        raise InputError(replace(fault, line=0) for fault in faults.found)
    lines = {r.id: r.line for r in evidence.reports}
    return Evidence(tuple(replace(r, line=lines.get(r.id, 0)) for r in found.reports))


def _imagined(add: Iterable[Imagined], taken: set[str], faults: Faults) -> list[dict[str, str]]:
    """Return imagined reports as rows of the log, with ids of their own."""
    rows, number = [], 1
    for one in add:
        row = _row(one) if isinstance(one, Report) else {str(k): _cell(v) for k, v in one.items()}
        for column in row:
            if column not in COLUMNS:
                fix = meant(column, COLUMNS)
                faults.add(0, column, "an imagined report: unknown column", allowed=listed(COLUMNS), fix=fix)
        if not row.get("id"):
            while f"imagined-{number}" in taken:
                number += 1
            row["id"] = f"imagined-{number}"
            taken.add(row["id"])
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
    return repr(float(value)) if isinstance(value, float) else str(value)


def _csv(rows: Sequence[Mapping[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()
