"""Influence of single reports and sources: change of probability with a new report, or without a source.

Differences of probability at the judgements' means: what the evidence teaches about judgements is left aside,
which takes milliseconds where :func:`forecast.whatif` takes two runs of the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from forecast.analysis.collect import without_silence
from forecast.analysis.plug_in import PlugInModel
from forecast.case.evidence import Evidence, Report
from forecast.case.judgement import MeasureMean, Positive
from forecast.model.evidence_index import EvidenceIndex
from forecast.model.parameters import build_layout

if TYPE_CHECKING:
    from forecast.case.folder import Case
    from forecast.case.question import Indicator, Question


@dataclass(frozen=True, slots=True)
class ReportEffect:
    """A possible report, and what it would change in one unit: p(s | with it) - p(s | without it)."""

    indicator: str
    value: str
    source: str
    unit: str
    horizon: tuple[float, ...]  # of each scenario, in the question's order


@dataclass(frozen=True, slots=True)
class SourceEffect:
    """What would change in one unit if a source had never reported: p(s | without it) - p(s | with it)."""

    source: str
    unit: str
    reports: int
    now: tuple[float, ...]  # of each scenario, in the question's order
    horizon: tuple[float, ...]

    @property
    def size(self) -> float:
        """The largest difference, now or at the horizon."""
        return max(map(abs, (*self.now, *self.horizon)))


def report_effects(case: Case, model: PlugInModel) -> tuple[ReportEffect, ...]:
    """Return the change of probability by each possible report of the next period, from the best source.

    The report is of the period after the model's day, and known on its last day. Of a number the least and
    the greatest mean that a scenario expects are imagined. None if the question ends in the present period,
    and none of a ratio, of which only yes can be reported. Reports that no scenario allows are left out.
    """
    question, as_of, taught = case.question, model.as_of, model.reporting
    period = question.period(as_of) + 1
    if period > question.period(question.horizon) or not question.sources:
        return ()
    day = min(question.last_day(period), question.horizon)
    asked, known = without_silence(question), case.evidence.until(as_of)
    values = [(i, value) for i in question.indicators for value in _values(i)]
    imagined = [_imagined(question, known, i, value, day) for i, value in values]
    rows = tuple(row for each in imagined for row in each)
    parameters, ids = build_layout(asked, known), frozenset(row.id for row in rows)
    index = EvidenceIndex.known_on(parameters, Evidence((*known.reports, *rows)), day, left_out=ids)
    before = PlugInModel(parameters, index, day, taught).chances.horizon
    effects = []
    for each in imagined:
        others = ids - {row.id for row in each}
        with_it = index.updated([index.log.key(row) for row in each], day, others)
        change = PlugInModel(parameters, with_it, day, taught).chances.horizon - before
        for row, horizon in zip(each, change, strict=True):
            value = f"{row.value:g}" if isinstance(row.value, float) else str(row.value)
            if np.isfinite(horizon).all():
                effect = ReportEffect(row.indicator, value, row.source, row.unit, tuple(horizon.tolist()))
                effects.append(effect)
    return tuple(effects)


def _imagined(
    question: Question, known: Evidence, indicator: Indicator, value: str | float | int, day: date
) -> list[Report]:
    """Return a report of each unit, by the most reliable source that has reported the indicator, or of all.

    At the judgements' means units do not teach one another.
    """
    names = {report.id for report in known.reports}
    experienced = {report.source for report in known.reports if report.indicator == indicator.id}
    able = [source for source in question.sources if source.id in experienced] or question.sources
    source = max(able, key=lambda source: source.reliability.mean[1]).id
    rows: list[Report] = []
    for unit in question.unit_names:
        name = f"imagined {indicator.id} {value} {unit}"
        while name in names:
            name += "'"
        rows.append(Report(name, day, day, indicator.id, value, source, unit=unit))
    return rows


def _values(indicator: Indicator) -> list[str] | list[int] | list[float]:
    if indicator.kind == "ratio":
        return []
    if indicator.values:
        return list(indicator.values)
    means = [one.mean for one in indicator.likelihood if isinstance(one, Positive | MeasureMean)]
    ends = sorted({min(means), max(means)})
    return sorted({round(mean) for mean in ends}) if indicator.kind == "count" else ends


def source_effects(case: Case, model: PlugInModel) -> tuple[SourceEffect, ...]:
    """Return the effect of leaving out each source, p(s | reports of others) - p(s | all reports).

    One for each unit and each source with a report of it that counts, those that matter most first. What no
    scenario would allow without a source is left out.
    """
    question, live, effects = case.question, case.evidence.known(model.as_of), []
    for source in question.sources:
        units = [report.unit for report in live if report.source == source.id]
        if not units:
            continue
        rows = [report.id for report in case.evidence.reports if report.source == source.id]
        without = model.without(rows).chances
        change = np.stack([without.now - model.chances.now, without.horizon - model.chances.horizon])
        for u, unit in enumerate(question.unit_names):
            if unit in units and np.isfinite(change[:, u]).all():
                now, horizon = (tuple(part.tolist()) for part in change[:, u])
                effects.append(SourceEffect(source.id, unit, units.count(unit), now, horizon))
    return tuple(sorted(effects, key=lambda effect: -effect.size))
