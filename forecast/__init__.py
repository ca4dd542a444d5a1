"""Bayesian scenario forecasting: how probable is each scenario now, how sure is that, and what moved it.

A case folder holds a question, its scenarios and indicators, and the log of dated reports. From it

>>> import forecast
>>> case = forecast.load_case("scenarios/isis-jn-2014")  # doctest: +SKIP
>>> tree = forecast.update(case, as_of=date(2014, 11, 23))  # doctest: +SKIP
>>> tree["trend"]["probability"]  # doctest: +SKIP

Importing this package is cheap: every name below is fetched from its module when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forecast.analysis.collect import collect
    from forecast.analysis.compare import compare_questions
    from forecast.analysis.confidence import confidence
    from forecast.analysis.criticism import conflict
    from forecast.analysis.explain import explain
    from forecast.analysis.future import future_score, lfo_wrapper
    from forecast.analysis.learning import learning
    from forecast.analysis.quick import quick
    from forecast.analysis.referee import referee
    from forecast.analysis.review import review, review_lines
    from forecast.analysis.sensitivity import sensitivity
    from forecast.analysis.verdict import Check
    from forecast.analysis.whatif import whatif
    from forecast.case.evidence import Evidence, Report
    from forecast.case.faults import Fault, InputError
    from forecast.case.folder import Case, load_case, new_case
    from forecast.case.judgement import MeasureMean, Positive, Proportions
    from forecast.case.question import Question
    from forecast.inference.engine import update
    from forecast.inference.nuts.model import pymc_data, to_pymc
    from forecast.record.check import check
    from forecast.record.issue import issue
    from forecast.record.ledger import read_ledger
    from forecast.report.brief import brief
    from forecast.report.brief_html import brief_html
    from forecast.report.changes import changed_lines, changed_since_issue
    from forecast.report.explanation import explain_lines
    from forecast.report.findings import gather
    from forecast.report.panel import whatif_panel
    from forecast.report.plots.area import plot_area
    from forecast.report.plots.calibration import plot_calibration
    from forecast.report.plots.changed import plot_changed
    from forecast.report.plots.collect import plot_collect
    from forecast.report.plots.evidence import plot_evidence
    from forecast.report.plots.evidence_map import plot_evidence_map
    from forecast.report.plots.hindsight import plot_hindsight
    from forecast.report.plots.judgements import plot_judgements
    from forecast.report.plots.outlook import plot_outlook
    from forecast.report.plots.trend import plot_trend
    from forecast.report.sensitivities import sensitivity_lines
    from forecast.report.summary import summarise

__version__ = "0.1.0"

# One list, grouped by purpose: a name and the module it lives in.
_HOME = {
    # what an analyst writes
    "load_case": "forecast.case.folder",
    "new_case": "forecast.case.folder",
    "check": "forecast.record.check",
    "Case": "forecast.case.folder",
    "Question": "forecast.case.question",
    "Evidence": "forecast.case.evidence",
    "Report": "forecast.case.evidence",
    "Proportions": "forecast.case.judgement",
    "Positive": "forecast.case.judgement",
    "MeasureMean": "forecast.case.judgement",
    # what is wrong with it
    "InputError": "forecast.case.faults",
    "Fault": "forecast.case.faults",
    # the forecast
    "update": "forecast.inference.engine",
    # the same model for PyMC
    "to_pymc": "forecast.inference.nuts.model",
    "pymc_data": "forecast.inference.nuts.model",
    # how far to trust it
    "review": "forecast.analysis.review",
    "review_lines": "forecast.analysis.review",
    "Check": "forecast.analysis.verdict",
    "conflict": "forecast.analysis.criticism",
    "confidence": "forecast.analysis.confidence",
    "referee": "forecast.analysis.referee",
    "learning": "forecast.analysis.learning",
    "compare_questions": "forecast.analysis.compare",
    "future_score": "forecast.analysis.future",
    "lfo_wrapper": "forecast.analysis.future",
    # why it is so, what changed, what would change it
    "explain": "forecast.analysis.explain",
    "explain_lines": "forecast.report.explanation",
    "changed_since_issue": "forecast.report.changes",
    "changed_lines": "forecast.report.changes",
    "whatif": "forecast.analysis.whatif",
    "collect": "forecast.analysis.collect",
    "sensitivity": "forecast.analysis.sensitivity",
    "sensitivity_lines": "forecast.report.sensitivities",
    "quick": "forecast.analysis.quick",
    "whatif_panel": "forecast.report.panel",
    # the record
    "issue": "forecast.record.issue",
    "read_ledger": "forecast.record.ledger",
    # what the reader sees
    "summarise": "forecast.report.summary",
    "gather": "forecast.report.findings",
    "brief": "forecast.report.brief",
    "brief_html": "forecast.report.brief_html",
    "plot_trend": "forecast.report.plots.trend",
    "plot_area": "forecast.report.plots.area",
    "plot_hindsight": "forecast.report.plots.hindsight",
    "plot_outlook": "forecast.report.plots.outlook",
    "plot_evidence": "forecast.report.plots.evidence",
    "plot_evidence_map": "forecast.report.plots.evidence_map",
    "plot_changed": "forecast.report.plots.changed",
    "plot_collect": "forecast.report.plots.collect",
    "plot_judgements": "forecast.report.plots.judgements",
    "plot_calibration": "forecast.report.plots.calibration",
}

__all__ = [  # noqa: RUF022 - by purpose, as above
    "load_case",
    "new_case",
    "check",
    "Case",
    "Question",
    "Evidence",
    "Report",
    "Proportions",
    "Positive",
    "MeasureMean",
    "InputError",
    "Fault",
    "update",
    "to_pymc",
    "pymc_data",
    "review",
    "review_lines",
    "Check",
    "conflict",
    "confidence",
    "referee",
    "learning",
    "compare_questions",
    "future_score",
    "lfo_wrapper",
    "explain",
    "explain_lines",
    "changed_since_issue",
    "changed_lines",
    "whatif",
    "collect",
    "sensitivity",
    "sensitivity_lines",
    "quick",
    "whatif_panel",
    "issue",
    "read_ledger",
    "summarise",
    "gather",
    "brief",
    "brief_html",
    "plot_trend",
    "plot_area",
    "plot_hindsight",
    "plot_outlook",
    "plot_evidence",
    "plot_evidence_map",
    "plot_changed",
    "plot_collect",
    "plot_judgements",
    "plot_calibration",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'forecast' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
