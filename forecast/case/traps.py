"""Traps: what a case says that its author may not have meant, found without computing the forecast.

Everything here is reckoned at the judgements' best estimates, cell by cell, in natural logarithms: enough to
warn by, no forecast.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from forecast.case.event_limits import share_cut_off
from forecast.case.evidence import Evidence, Report
from forecast.case.judgement import Judgement, MeasureMean, Proportions
from forecast.case.question import Event, Indicator, Question
from forecast.case.reporting import live_reports, silence_counts
from forecast.case.warnings import WarningMessage

#: Repeats of a state are worth a warning from these odds on.
MOST_BY_REPEATS = 8.0
#: More of the prior of an event's judgements than this should not contradict itself.
MOST_CUT_OFF = 0.1
#: A log is compiled late where more than half of its reports became known in the last part of its span.
LAST_PART, FEWEST = 0.2, 6

Cell = tuple[str, str, int]  # unit, indicator, period


def trap_warnings(question: Question, evidence: Evidence) -> tuple[WarningMessage, ...]:
    """Return the warnings about what a question and its log say together, each a sentence or two."""
    live = [r for r in live_reports(evidence) if question.opened <= r.date <= question.horizon]
    cells = _cells(question, live)
    weights = {cell: _cell_weight(question, cell[1], reports) for cell, reports in cells.items()}
    warnings = [_fixed(question), _one_decides(question, weights), *_repeats(question, cells, weights)]
    return tuple(w for w in [*warnings, _late_log(question, live), _cut_off(question)] if w)


def _fixed(question: Question) -> WarningMessage | None:
    if question.dynamics is not None or question.static:
        return None
    text = (
        "The truth is taken to be fixed already: every report, whenever it came, speaks of one and the same "
        "answer. If it is fixed, say so: `dynamics: static`. Will something happen by a day: `event:`. A "
        "state that may move: `dynamics:` with `moves`."
    )
    return WarningMessage("fixed truth", text)


def _one_decides(question: Question, weights: dict[Cell, list[float]]) -> WarningMessage | None:
    """Warn where, of a static question, another scenario were the most probable without one indicator."""
    if question.dynamics is not None or len({indicator for _, indicator, _ in weights}) < 2:
        return None
    for unit in question.unit_names:
        of_unit = {cell: weight for cell, weight in weights.items() if cell[0] == unit}
        top = _most_probable(question, of_unit)
        for indicator in dict.fromkeys(indicator for _, indicator, _ in of_unit):
            rest = {cell: weight for cell, weight in of_unit.items() if cell[1] != indicator}
            other = _most_probable(question, rest)
            if other != top:
                names = question.scenario_ids
                where = f" in {unit}" if unit else ""
                text = (
                    f"One indicator decides{where}: without {indicator}, {names[other]} and not {names[top]} "
                    "would be the most probable. Is it as telling as its likelihood says, and are its "
                    "reports independent?"
                )
                return WarningMessage("one decides", text, (indicator,))
    return None


def _most_probable(question: Question, weights: dict[Cell, list[float]]) -> int:
    """Return the most probable scenario, at the best estimates, of a static question."""
    total = [math.log(p) if p > 0 else -math.inf for p in question.prior.mean]
    for weight in weights.values():
        total = [a + b for a, b in zip(total, weight, strict=True)]
    return total.index(max(total))


def _repeats(
    question: Question, cells: dict[Cell, list[Report]], weights: dict[Cell, list[float]]
) -> list[WarningMessage]:
    """Warn of a state that is reported again and again and counts anew each time."""
    warnings = list[WarningMessage]()
    for indicator in question.indicators:
        if indicator.kind != "category" or indicator.persistence is not None or indicator.given is not None:
            continue
        for unit in question.unit_names:
            own = sorted(cell for cell in cells if cell[:2] == (unit, indicator.id))
            last: str | float | int | None = None
            again: dict[str | float | int | None, list[Cell]] = defaultdict(list)
            for cell in own:
                value = cells[cell][-1].value
                if value == last and value != indicator.quiet:
                    again[value].append(cell)
                last = value
            for value, repeats in again.items():
                total = [math.fsum(column) for column in zip(*(weights[c] for c in repeats), strict=True)]
                warnings += _repeat_warning(question, indicator, unit, str(value), len(repeats), total)
    return warnings


def _repeat_warning(
    question: Question, indicator: Indicator, unit: str, value: str, times: int, total: Sequence[float]
) -> list[WarningMessage]:
    odds = max(total) - min(total)
    if odds <= math.log(MOST_BY_REPEATS):
        return []
    ids, where = question.scenario_ids, f" in {unit}" if unit else ""
    most, least = ids[total.index(max(total))], ids[total.index(min(total))]
    periods = "1 period" if times == 1 else f"{times} periods"
    text = (
        f"{indicator.id}{where}: {value} was reported again in {periods} and counts anew each time, "
        f"{math.exp(min(odds, 20)):,.0f}:1 for {most} against {least}. If it is a "
        "state that goes on, give it `persistence` (the chance that it simply goes on, such as 0.9)."
    )
    return [WarningMessage("repeats", text, (indicator.id,))]


def _late_log(question: Question, live: Sequence[Report]) -> WarningMessage | None:
    """Warn of a log that was compiled at the end: nobody may have looked from the beginning."""
    watched = [i for i in question.indicators if silence_counts(i)]
    if len(live) < FEWEST or all(i.reporting is not None and i.reporting.since for i in watched):
        return None
    first, last = min(r.date for r in live), max(r.reported for r in live)
    since = last - (last - first) * LAST_PART
    late = [r for r in live if r.reported >= since and r.date < since]
    if len(late) <= len(live) / 2:
        return None
    text = (
        f"{len(late)} of {len(live)} reports became known at the end of the log, from {since} to {last}, "
        f"though they speak of earlier days, from {first} on: since when was it kept? `reporting: {{since: "
        f"{first}}}` says that whoever compiled it looked for everything from that day on, so that silence "
        "counts; `reporting: ignored` that it says nothing."
    )
    return WarningMessage("late log", text)


def _cut_off(question: Question) -> WarningMessage | None:
    """Warn where the judgements of an event leave much room for numbers that contradict each other."""
    if not isinstance(question.dynamics, Event):
        return None
    share = share_cut_off(question.dynamics, question.prior, question.period(question.horizon))
    if share <= MOST_CUT_OFF:
        return None
    text = (
        f"In {share:.0%} of the prior of this event's judgements the numbers contradict each other (it would "
        "have to be in preparation all the time), and are cut off: narrow `lasts`, raise `ends_in_event`, or "
        "give them more weight."
    )
    return WarningMessage("cut off", text)


# --- the weight of a cell at the best estimates -------------------------------------------------------------


def _cells(question: Question, live: Sequence[Report]) -> dict[Cell, list[Report]]:
    """Return what sources say of their own in each cell, each source once."""
    cells: dict[Cell, list[Report]] = defaultdict(list)
    for report in sorted(live, key=lambda report: report.reported):
        cell = report.unit, report.indicator, question.period(report.date)
        if not report.repeats and report.source not in {other.source for other in cells[cell]}:
            cells[cell].append(report)
    return {cell: reports for cell, reports in cells.items() if reports}


def _cell_weight(question: Question, id: str, reports: Sequence[Report]) -> list[float]:
    """Return the log-likelihood of a cell's reports under each scenario, lowered to the cap."""
    indicator = question.indicator(id)
    source = {one.id: one.reliability.mean[1] for one in question.sources}
    reported = [(r, min(source[r.source] * question.credibility[r.credibility], 0.999)) for r in reports]
    weights = [_log_likelihood(indicator, one, reported) for one in indicator.likelihood]
    spread = max(weights) - min(weights)
    if question.cap is not None and spread > math.log(question.cap):
        return [w * math.log(question.cap) / spread for w in weights]
    return weights


def _log_likelihood(
    indicator: Indicator, judged: Judgement, reported: Sequence[tuple[Report, float]]
) -> float:
    """Return the log of the chance of a cell's reports, each with its reliability, under one scenario."""
    if isinstance(judged, Proportions):
        noise, total = 1.0 / len(indicator.values), 0.0
        for value, p in zip(indicator.values, judged.mean, strict=True):
            total += p * math.prod((r if y.value == value else 0.0) + (1 - r) * noise for y, r in reported)
        return math.log(max(total, 1e-300))
    return math.fsum(
        math.log(max(r * _density(indicator, judged, float(y.value or 0)), 1e-300) + (1 - r) * noise)
        for y, r in reported
        for noise in [_noise(indicator, float(y.value or 0))]
    )


def _density(indicator: Indicator, judged: Judgement, y: float) -> float:
    """Return the density of a measure, or the probability of a count (negative binomial, or Poisson)."""
    m = judged.mean
    assert isinstance(m, float)
    if isinstance(judged, MeasureMean):
        return math.exp(-0.5 * ((y - m) / judged.sd) ** 2) / (judged.sd * math.sqrt(2 * math.pi))
    if m == 0.0:
        return float(y == 0.0)
    k = indicator.dispersion
    if k is None:
        return math.exp(y * math.log(m) - m - math.lgamma(y + 1))
    chance = math.lgamma(y + k) - math.lgamma(k) - math.lgamma(y + 1)
    return math.exp(chance - k * math.log1p(m / k) + y * (math.log(m) - math.log(m + k)))


def _noise(indicator: Indicator, y: float) -> float:
    """Return the density of a number that tells nothing of what happened: far wider than any scenario's."""
    means = [float(one.mean) for one in indicator.likelihood if not isinstance(one, Proportions)]
    middle = math.fsum(means) / len(means)
    if indicator.kind == "measure":
        sds = [one.sd for one in indicator.likelihood if isinstance(one, MeasureMean)]
        variance = math.fsum(sd**2 for sd in sds) + math.fsum((m - middle) ** 2 for m in means)
        scale = 3.0 * math.sqrt(variance / len(means))
        return 2.0 / (math.pi * math.sqrt(3.0) * scale * (1.0 + ((y - middle) / scale) ** 2 / 3.0) ** 2)
    most = math.ceil(100.0 * max(means)) + 1.0
    return min(1.0, most / (y + 1.0)) / (y + 1.0) / (math.log(most + 0.5) + 1.58)
