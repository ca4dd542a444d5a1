"""What each cell says of each scenario: the model clause by clause, in dictionaries and loops."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import numpy as np
from scipy.special import gammaln

from forecast.case.evidence import Evidence, Report
from forecast.case.judgement import MeasureMean
from forecast.case.question import Indicator, Question
from tests.oracles.theta import Theta, mean_theta

Key = tuple[str, int, str]  # unit, period, indicator
ANOTHER = "another count than those reported"


class Cells:
    """All cells of a question as they stood on a day, for one (vector of) theta."""

    def __init__(self, question: Question, evidence: Evidence, as_of: date, theta: Theta) -> None:
        self.question, self.evidence, self.as_of, self.theta = question, evidence, as_of, theta
        self.means = mean_theta(question, evidence)
        self.indicators = {i.id: i for i in question.indicators}
        self.reports: dict[Key, list[Report]] = {}
        for report in evidence.known(as_of):
            if not self.waits(self.indicators[report.indicator], question.period(report.date)):
                self.reports.setdefault(self.key(report), []).append(report)
        self.rows = {r.id: r for r in evidence.reports if r.reported <= as_of}
        self.successor = {r.replaces: r for r in self.rows.values() if r.replaces}

    def key(self, report: Report) -> Key:
        return report.unit, self.question.period(report.date), report.indicator

    def waits(self, indicator: Indicator, period: int) -> bool:
        """A count or a measure of an unfinished period waits."""
        return indicator.kind in ("count", "measure") and self.question.last_day(period) > self.as_of

    # --- f(x | s) and the noise u(y) -------------------------------------------------------------------

    def density(self, indicator: Indicator, x: Any, s: int, theta: Theta) -> Any:
        """f_i(x | s): a fresh draw, without persistence."""
        judged = theta["likelihood"][indicator.id][s]
        if indicator.values:
            return judged[indicator.values.index(x)]
        if indicator.kind == "count":
            if indicator.dispersion is None:
                return np.exp(x * np.log(judged) - judged - gammaln(x + 1))
            d = indicator.dispersion
            p = d / (d + judged)
            return np.exp(gammaln(x + d) - gammaln(d) - gammaln(x + 1) + d * np.log(p) + x * np.log1p(-p))
        judgement = indicator.likelihood[s]
        assert isinstance(judgement, MeasureMean)
        z = (x - judged) / judgement.sd
        return np.exp(-0.5 * z * z) / (judgement.sd * math.sqrt(2 * math.pi))

    def noise(self, indicator: Indicator, y: Any) -> float:
        """u(y): uniform over categories; else the mixture of f over scenarios at the judgements' means."""
        if indicator.values:
            return 1.0 / len(indicator.values)
        size = len(self.question.scenarios)
        return sum(float(self.density(indicator, y, s, self.means)) for s in range(size)) / size

    # --- P(y | x) of one report ------------------------------------------------------------------------

    def told(self, report: Report, theta: Theta) -> Any:
        """r: the chance that the report tells what happened."""
        alone = not report.testimony
        r = theta["reliability"][report.source] if alone else theta["testimony"][report.testimony]
        return r * self.question.credibility[report.credibility]

    def passed_on(self, report: Report) -> tuple[float, str]:
        """Return the share of a report that is passed on, and what has become of the original.

        "same": live in this cell with this value; "gone": withdrawn, or corrected to something else;
        "other": live with another value. (0, "") where the report stands alone.
        """
        names = [name for name in report.repeats if name in self.rows]
        if not names:  # none given, or none known yet: later reports of one source repeat its first
            own = [r for r in self.reports[self.key(report)] if r.source == report.source]
            own.sort(key=lambda r: r.reported)  # stable: then by place in the log
            names = [] if own[0] is report else [own[0].id]
        if not names:
            return 0.0, ""
        fates = [self.fate(name, report) for name in names]
        share = 1.0 - (report.independence or 0.0)
        for fate in ("same", "gone"):
            if fate in fates:
                return share, fate
        return share, "other"

    def fate(self, name: str, report: Report) -> str:
        row, replaced = self.rows[name], False
        while row.id in self.successor:
            row, replaced = self.successor[row.id], True
        if row.indicator and row.value == report.value and self.key(row) == self.key(report):
            return "same"
        return "gone" if replaced else "other"

    def factor(self, report: Report, x: Any, theta: Theta) -> Any:
        """P(y | x) = A + B [r 1[y = x] + (1 - r) u(y)]; x None: there was nothing to tell."""
        indicator = self.indicators[report.indicator]
        u, r = self.noise(indicator, report.value), self.told(report, theta)
        own = (1.0 - r) * u
        if x is not None and x == report.value:
            own = own + r
        share, fate = self.passed_on(report)
        return share * {"same": 1.0, "gone": u, "other": 0.0, "": 0.0}[fate] + (1.0 - share) * own

    # --- silence and persistence -----------------------------------------------------------------------

    def silent(self, key: Key) -> bool:
        """Whether nobody reporting anything but the quiet value says something here."""
        _, period, name = key
        indicator = self.indicators[name]
        watch = indicator.monitored
        if watch is None:
            return False
        end = self.question.last_day(period)
        if not watch.since <= end <= watch.until or end + timedelta(days=watch.lag) > self.as_of:
            return False
        return all(r.value == indicator.values[0] for r in self.reports.get(key, []))

    def heard(self, key: Key, x: Any, theta: Theta) -> Any:
        """Product over the cell's reports of P(y | x), and the factor of silence."""
        indicator = self.indicators[key[2]]
        product: Any = 1.0
        for report in self.reports.get(key, []):
            product = product * self.factor(report, x, theta)
        if self.silent(key):
            assert indicator.monitored is not None
            quiet = x is None or x == indicator.values[0]
            watch = indicator.monitored
            product = product * (1.0 - (watch.false_alarm if quiet else watch.detection))
        return product

    def speaks(self, key: Key) -> bool:
        return bool(self.reports.get(key)) or self.silent(key)

    def last_value(self, key: Key) -> tuple[Any, int]:
        """Return what the latest earlier cell makes most likely, and how many periods ago it was."""
        unit, period, name = key
        for earlier in range(period - 1, -1, -1):
            before = (unit, earlier, name)
            if self.speaks(before):
                values = self.indicators[name].values
                likely = [float(self.heard(before, x, self.means)) for x in values]
                best = max(likely)
                first = next(k for k, p in enumerate(likely) if p >= best * (1 - 1e-12))
                return values[first], period - earlier
        return None, 0

    def chance(self, key: Key, x: Any, s: int, theta: Theta) -> Any:
        """f(x | s), with persistence where the indicator has it."""
        indicator = self.indicators[key[2]]
        fresh = self.density(indicator, x, s, theta)
        if indicator.persistence is None:
            return fresh
        value, gap = self.last_value(key)
        if value is None:
            return fresh
        stay = indicator.persistence**gap
        return stay * (1.0 if x == value else 0.0) + (1.0 - stay) * fresh

    # --- one cell --------------------------------------------------------------------------------------

    def single(self, key: Key, s: int, theta: Theta) -> Any:
        """m(s) of a cell on its own: sum over x of f(x | s) times what was heard if x happened."""
        indicator = self.indicators[key[2]]
        if indicator.kind == "measure":
            return self._measure(key, s, theta)
        if indicator.kind == "count":
            values = sorted({r.value for r in self.reports[key]})  # type: ignore[type-var]
            chances = [self.density(indicator, x, s, theta) for x in values]
            total = (1.0 - sum(chances)) * self.heard(key, ANOTHER, theta)
            for x, f in zip(values, chances, strict=True):
                total = total + f * self.heard(key, x, theta)
            return total
        total = 0.0
        for x in indicator.values:
            total = total + self.chance(key, x, s, theta) * self.heard(key, x, theta)
        return total

    def _measure(self, key: Key, s: int, theta: Theta) -> Any:
        (report,) = self.reports[key]
        indicator = self.indicators[key[2]]
        u, r = self.noise(indicator, report.value), self.told(report, theta)
        share, fate = self.passed_on(report)
        own = r * self.density(indicator, report.value, s, theta) + (1.0 - r) * u
        return share * (u if fate == "gone" else 0.0) + (1.0 - share) * own

    def compound(self, key: Key, s: int, theta: Theta) -> Any:
        """m(s) of a cell together with those that have a value only if this one is not quiet."""
        unit, period, name = key
        children = [(unit, period, i.id) for i in self.question.indicators if i.given == name]
        children = [child for child in children if self.speaks(child)]
        if not children:
            return self.single(key, s, theta)
        total: Any = 0.0
        values = self.indicators[name].values
        for x in values:
            term = self.chance(key, x, s, theta) * self.heard(key, x, theta)
            for child in children:
                nothing = x == values[0]
                term = term * (self.heard(child, None, theta) if nothing else self.single(child, s, theta))
            total = total + term
        return total

    def heads(self) -> list[Key]:
        """The cells that say something; a pair joined by `given` goes under the parent's name."""
        found = []
        parents = {i.id: [i.id] for i in self.question.indicators if i.given is None}
        for i in self.question.indicators:
            if i.given is not None:
                parents[i.given].append(i.id)
        for unit in self.question.units or ("",):
            for period in range(self.question.period(self.as_of) + 1):
                for name, both in parents.items():
                    if any(self.speaks((unit, period, n)) for n in both):
                        found.append((unit, period, name))
        return found

    # --- groups and cap --------------------------------------------------------------------------------

    def exponents(self) -> dict[Key, float]:
        """The power of each cell, from its m at the judgements' means."""
        heads = self.heads()
        exponent = dict.fromkeys(heads, 1.0)
        if not self.question.groups and self.question.cap is None:
            return exponent
        width = {}
        for key in heads:
            m = [float(self.compound(key, s, self.means)) for s in range(len(self.question.scenarios))]
            if min(m) <= 0:
                raise ValueError(f"{key}: a scenario excluded at the means has no finite weight")
            width[key] = math.log(max(m)) - math.log(min(m))
        for group in self.question.groups:
            for unit, period in {(k[0], k[1]) for k in heads}:
                mine = [k for k in heads if k[:2] == (unit, period) and k[2] in group.indicators]
                squares = sum(width[k] ** 2 for k in mine)
                if squares > 0:
                    effective = sum(width[k] for k in mine) ** 2 / squares
                    for k in mine:
                        exponent[k] = 1.0 / (1.0 + group.correlation * (effective - 1.0))
        if self.question.cap is not None:
            most = math.log(self.question.cap)
            for key in heads:
                if width[key] * exponent[key] > most:
                    exponent[key] = most / width[key]
        return exponent


def weighted_cells(question: Question, evidence: Evidence, as_of: date, theta: Theta) -> dict[Key, list[Any]]:
    """Return m(s) to its exponent, for every cell that says something: {(unit, period, indicator): [K]}."""
    cells = Cells(question, evidence, as_of, theta)
    size = len(question.scenarios)
    result = {}
    for key, power in cells.exponents().items():
        m = [cells.compound(key, s, theta) for s in range(size)]
        result[key] = m if power == 1.0 else [v**power for v in m]
    return result


def cell_likelihood(
    question: Question, evidence: Evidence, as_of: date, theta: Theta
) -> dict[tuple[str, int], list[Any]]:
    """Return the product of a period's cells, for every unit and period up to the as-of date's.

    Parameters
    ----------
    theta : dict
        Judgements as numbers, or arrays with one entry per draw.

    Returns
    -------
    dict
        {(unit, period): [K numbers or arrays]}; 1 where nothing was heard.
    """
    size = len(question.scenarios)
    units = question.units or ("",)
    result: dict[tuple[str, int], list[Any]] = {
        (unit, period): [1.0] * size for unit in units for period in range(question.period(as_of) + 1)
    }
    for (unit, period, _), m in weighted_cells(question, evidence, as_of, theta).items():
        result[unit, period] = [a * b for a, b in zip(result[unit, period], m, strict=True)]
    return result
