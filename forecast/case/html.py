"""How a case, a question and its evidence show themselves in a notebook: titles, and tables that unfold.

Everything an analyst wrote is escaped, so that no note is ever run.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from forecast.case.judgement import MeasureMean, Positive

if TYPE_CHECKING:
    from forecast.case.evidence import Evidence, Report
    from forecast.case.folder import Case
    from forecast.case.judgement import Judgement
    from forecast.case.question import Indicator, Question

#: So many of the latest reports are shown.
_LATEST = 100

_STYLE = """<style>
.forecast-display{font-family:system-ui,sans-serif;font-size:13px;line-height:1.45;max-width:100%}
.forecast-display summary{cursor:pointer;padding:2px 0}
.forecast-display .head{font-weight:600;padding-bottom:4px}
.forecast-display .dim{opacity:.7}
.forecast-display table{border-collapse:collapse;margin:2px 0 8px 14px}
.forecast-display th,.forecast-display td{text-align:left;vertical-align:top;padding:1px 10px 1px 0;
 background:none;border:0}
.forecast-display td.n{text-align:right;font-variant-numeric:tabular-nums}
</style>"""


def case_html(case: Case) -> str:
    """Return a case as HTML: the question, the evidence, and what is worth a second look."""
    remarks = (
        [_fold(f"Worth a second look ({len(case.warnings)})", _list(case.warnings))] if case.warnings else []
    )
    head = _head("forecast.Case", case.name, f"inputs {case.digest[:12]}")
    return _page([head, *_question(case.question), _evidence(case.evidence), *remarks])


def question_html(question: Question) -> str:
    """Return a question as HTML: scenarios, indicators with their likelihoods, sources."""
    return _page([_head("forecast.Question", "", ""), *_question(question)])


def evidence_html(evidence: Evidence) -> str:
    """Return a log of evidence as HTML: its latest reports."""
    return _page([_head("forecast.Evidence", "", ""), _evidence(evidence, opened=True)])


def said(judgement: Judgement) -> str:
    """Say a judgement in short: best estimate, and in brackets its weight.

    Examples
    --------
    >>> from forecast.case.judgement import Proportions
    >>> said(Proportions((0.9, 0.1), 20.0)), said(Positive(6.0, 120.0)), said(MeasureMean(1.2, 0.4, math.inf))
    ('0.1 (20)', '6 (20)', '1.2 ± 0.4 (exact)')
    """
    if isinstance(judgement, Positive):
        weight = judgement.shape / judgement.mean if judgement.mean else math.inf
        return f"{judgement.mean:.3g} ({_weight(weight)})"
    if isinstance(judgement, MeasureMean):
        return f"{judgement.mean:.3g} ± {judgement.sd:.3g} ({_weight(judgement.weight)})"
    shown = judgement.mean[1:] if len(judgement.mean) == 2 else judgement.mean
    return f"{', '.join(f'{p:.2g}' for p in shown)} ({_weight(judgement.weight)})"


def _weight(weight: float) -> str:
    return "exact" if math.isinf(weight) else f"{weight:.3g}"


def _question(question: Question) -> list[str]:
    form = "the truth may move" if question.dynamics is not None else "one scenario is true throughout"
    period = "week" if question.period_days == 7 else "day" if question.period_days == 1 else "period"
    asked = f"{question.opened} to {question.horizon}, by {period}; {form}"
    units = f"; units: {', '.join(question.units)}" if question.units else ""
    titles = [f"<div>{escape(question.title)}</div><div class='dim'>{escape(asked + units)}</div>"]
    ids = [scenario.id for scenario in question.scenarios]
    scenarios = [
        (scenario.id, scenario.title, f"{p:.3g}")
        for scenario, p in zip(question.scenarios, question.prior.mean, strict=True)
    ]
    sources = [(source.id, source.title, said(source.reliability)) for source in question.sources]
    indicators = [(i.id, i.title, _kind(i), *map(said, i.likelihood)) for i in question.indicators]
    return [
        *titles,
        _fold(f"Scenarios ({len(ids)})", _table(("id", "title", "prior"), scenarios, 1), opened=True),
        _fold(
            f"Indicators ({len(indicators)})",
            "<div class='dim'>likelihood under each scenario, in brackets its weight</div>"
            + _table(("id", "title", "values", *ids), indicators, len(ids)),
        ),
        _fold(f"Sources ({len(sources)})", _table(("id", "title", "reliability"), sources, 1)),
    ]


def _kind(indicator: Indicator) -> str:
    return ", ".join(indicator.values) if indicator.kind == "category" else indicator.kind


def _evidence(evidence: Evidence, *, opened: bool = False) -> str:
    reports = evidence.reports
    weighty = sum(bool(report.indicator) and report.value is not None for report in reports)
    title = f"Evidence ({weighty} reports, {len(reports) - weighty} rows of context and withdrawals)"
    latest = sorted(reports, key=lambda report: report.reported, reverse=True)[:_LATEST]
    cut = f"<div class='dim'>the {_LATEST} latest</div>" if len(reports) > _LATEST else ""
    names = ("reported", "id", "date", "indicator", "value", "source", "grade", "note")
    return _fold(title, cut + _table(names, map(_row, latest), 0), opened=opened)


def _row(report: Report) -> tuple[str, ...]:
    value = "" if report.value is None else str(report.value)
    short = report.note if len(report.note) <= 90 else report.note[:89].rstrip() + "…"
    name = f"{report.unit} {report.indicator}".strip()
    when = report.reported.isoformat(), report.id, report.date.isoformat()
    return (*when, name, value, report.source, report.credibility, short)


def _head(kind: str, name: str, more: str) -> str:
    return (
        f"<div class='head'><span class='dim'>{kind}</span> {escape(name)} "
        f"<span class='dim'>{escape(more)}</span></div>"
    )


def _fold(title: str, content: str, *, opened: bool = False) -> str:
    return f"<details{' open' if opened else ''}><summary>{escape(title)}</summary>{content}</details>"


def _list(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], numbers: int) -> str:
    """Return a table whose last columns, `numbers` of them, are set to the right."""
    words = len(header) - numbers
    top = "".join(f"<th scope='col'>{escape(name)}</th>" for name in header)
    body = "".join(
        "<tr>"
        + "".join(f"<td{' class=n' if n >= words else ''}>{escape(cell)}</td>" for n, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _page(parts: Iterable[str]) -> str:
    return f"{_STYLE}<div class='forecast-display'>{''.join(parts)}</div>"
