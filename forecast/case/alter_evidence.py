"""A log of reports with some imagined and some left out, checked as a file is. No file is touched."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from forecast.case.alter_question import WHAT_IF
from forecast.case.evidence import Evidence, Report
from forecast.case.faults import Faults, InputError, listed, meant
from forecast.case.outline import Outline
from forecast.case.question import Question
from forecast.case.read_evidence import COLUMNS, parse_evidence

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
