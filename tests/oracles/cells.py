"""What each cell says of each scenario: the model clause by clause, in dictionaries and loops."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import numpy as np

from forecast.case.evidence import Evidence, Report
from forecast.case.judgement import MeasureMean
from forecast.case.question import Indicator, Question
from tests.oracles.dynamics import entry_chances
from tests.oracles.filing import (
    at_the_exponents,
    average_reliability,
    complete,
    counts_from,
    filed,
    last_stated,
    noise_of_value,
    quiet_value,
)
from tests.oracles.number_cells import (
    Reading,
    count_cell,
    count_chance,
    count_noise,
    measure_cell,
    measure_noise,
    normal,
)
from tests.oracles.theta import Theta, has_own_filing, mean_of, mean_theta

Key = tuple[str, int, str]  # unit, period, indicator
#: What one cell says, per scenario: a number, or {entered: number} by the period of entry.
Said = list[Any]


class Cells:
    """All cells of a question as they stood on a day, for one (vector of) theta."""

    def __init__(self, question: Question, evidence: Evidence, as_of: date, theta: Theta) -> None:
        self.question, self.evidence, self.as_of, self.theta = question, evidence, as_of, theta
        self.means = at_the_exponents(mean_theta(question, evidence))
        self.indicators = {i.id: i for i in question.indicators}
        self.children: dict[str, list[str]] = {i.id: [] for i in question.indicators}
        for i in question.indicators:
            if i.given is not None:
                if i.persistence is not None:
                    raise ValueError("an indicator that is given another has no persistence")
                self.children[i.given].append(i.id)
        self.periods = question.period(as_of) + 1
        self.average = average_reliability(question)
        self.live = evidence.known(as_of)
        self._filing: dict[Key, bool] = {}
        self._heads: list[Key] | None = None
        self.reports: dict[Key, list[Report]] = {}
        for report in self.live:
            if not self.waits(self.indicators[report.indicator], question.period(report.date)):
                self.reports.setdefault(self.key(report), []).append(report)
        self.rows = {r.id: r for r in evidence.reports if r.reported <= as_of}
        self.successor = {r.replaces: r for r in self.rows.values() if r.replaces}

    def key(self, report: Report) -> Key:
        return report.unit, self.question.period(report.date), report.indicator

    def waits(self, indicator: Indicator, period: int) -> bool:
        """A count or a measure of an unfinished period waits; the horizon finishes the last one."""
        end = min(self.question.last_day(period), self.question.horizon)
        return indicator.kind in ("count", "measure") and end > self.as_of

    def about(self, key: Key) -> list[Report]:
        """The reports of a cell and of those given it, the earliest first."""
        unit, period, name = key
        names = {name, *self.children[name]}
        found = [r for r in self.live if r.indicator in names]
        return sorted((r for r in found if self.key(r)[:2] == (unit, period)), key=lambda r: r.reported)

    # --- f(x | s) and the noise u(y) -------------------------------------------------------------------

    def density(self, indicator: Indicator, x: Any, s: int, theta: Theta) -> Any:
        """f_i(x | s): a fresh draw, without persistence."""
        judged = theta["likelihood"][indicator.id][s]
        if indicator.values:
            return judged[indicator.values.index(x)]
        if indicator.kind == "count":
            return count_chance(x, judged, indicator.dispersion)
        judgement = indicator.likelihood[s]
        assert isinstance(judgement, MeasureMean)
        return normal(x, judged, judgement.sd**2)

    def noise(self, indicator: Indicator, y: Any, theta: Theta) -> Any:
        """u(y): what noise says."""
        if indicator.values:
            return noise_of_value(self.question, indicator, y, theta)
        means = [mean_of(j) for j in indicator.likelihood]
        if indicator.kind == "count":
            return count_noise(y, means)
        return measure_noise(y, means, [j.sd for j in indicator.likelihood if isinstance(j, MeasureMean)])

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

    def parts(self, report: Report, theta: Theta) -> tuple[Any, Any]:
        """A and B of P(y | x) = A + B 1[y = x], or B times the chance that y is read of x."""
        u, r = self.noise(self.indicators[report.indicator], report.value, theta), self.told(report, theta)
        share, fate = self.passed_on(report)
        passed = {"same": 1.0, "gone": u, "other": 0.0, "": 0.0}[fate]
        return share * passed + (1.0 - share) * (1.0 - r) * u, (1.0 - share) * r

    def factor(self, report: Report, x: Any, theta: Theta) -> Any:
        """P(y | x) of a category; x None: there was nothing to tell."""
        base, chance = self.parts(report, theta)
        return base + chance if x is not None and x == report.value else base

    def readings(self, key: Key, theta: Theta) -> list[Reading]:
        """The reports of a cell of numbers."""
        found, error = [], {s.id: s.error for s in self.question.sources}
        for report in self.reports.get(key, []):
            base, chance = self.parts(report, theta)
            own = error[report.source]
            off = self.indicators[report.indicator].error if own is None else own
            assert isinstance(report.value, (int, float))
            found.append(Reading(report.value, chance, base, off))
        return found

    # --- silence and what is filed ---------------------------------------------------------------------

    def is_quiet(self, indicator: Indicator, x: Any) -> bool:
        return x is None or x == quiet_value(self.question, indicator)

    def loud(self, key: Key) -> list[Report]:
        """The reports of a watched cell that say anything but quiet, the earliest first."""
        name = key[2]
        quiet = quiet_value(self.question, self.indicators[name])
        return [r for r in self.about(key) if r.indicator != name or r.value != quiet]

    def watched(self, key: Key) -> bool:
        """Whether a cell lies in the window in which its indicator is monitored."""
        watch = self.indicators[key[2]].monitored
        return watch is not None and watch.since <= self.question.last_day(key[1]) <= watch.until

    def silent(self, key: Key) -> bool:
        """Whether a monitored cell is complete, and nobody said anything but quiet."""
        watch = self.indicators[key[2]].monitored
        if watch is None or not self.watched(key):
            return False
        end = self.question.last_day(key[1]) + timedelta(days=watch.lag)
        return end <= self.as_of and not self.loud(key)

    def filing(self, key: Key) -> bool:
        """Whether it matters that something, or nothing, was filed about a cell."""
        if key not in self._filing:
            unit, period, name = key
            indicator, found = self.indicators[name], False
            mine = has_own_filing(indicator) and not self.watched(key)
            if mine and complete(self.question, indicator, period, self.as_of):
                first = counts_from(self.question, self.live, indicator, self.series(unit, name))
                found = first is not None and period >= first
            self._filing[key] = found
        return self._filing[key]

    def series(self, unit: str, name: str, *, children: bool = True) -> list[Report]:
        """The live reports of an indicator of a unit, and of those given it."""
        names = {name, *(self.children[name] if children else ())}
        return [r for r in self.live if r.indicator in names and r.unit == unit]

    def chance_filed(self, key: Key, y: Any, theta: Theta) -> Any:
        """d_y of a claim in a cell."""
        unit, period, name = key
        stated = last_stated(self.question, self.series(unit, name, children=False), period)
        return filed(self.question, self.indicators[name], y, stated, theta)

    def claim(self, indicator: Indicator, y: Any, x: Any, theta: Theta) -> Any:
        """P(y | x) of a claim by nobody in particular: of the average reliability."""
        chance = self.average if x is not None and x == y else 0.0
        return chance + (1.0 - self.average) * self.noise(indicator, y, theta)

    def unfiled(self, key: Key, x: Any, theta: Theta) -> Any:
        """Chance that no claim of a cell is filed: 1 - sum over y of P(y | x) d_y."""
        indicator = self.indicators[key[2]]
        total: Any = 1.0
        for y in indicator.values:
            total = total - self.claim(indicator, y, x, theta) * self.chance_filed(key, y, theta)
        return total

    def filed_factor(self, key: Key, theta: Theta) -> Any:
        """d_y of the earliest report of a cell: a report of a child says that it was not quiet."""
        first = self.about(key)[0]
        if first.indicator != key[2]:
            return theta["filed"][key[2]]["event"]
        return self.chance_filed(key, first.value, theta)

    def detected(self, key: Key, x: Any, theta: Theta) -> Any:
        """What a watched cell's being told or not says, beside the product of P(y | x)."""
        indicator = self.indicators[key[2]]
        watch, quiet = indicator.monitored, self.is_quiet(indicator, x)
        assert watch is not None
        chance = watch.false_alarm if quiet else watch.detection
        if self.silent(key):
            return 1.0 - chance
        loud = self.loud(key)
        if not loud:
            return 1.0
        if loud[0].indicator != indicator.id:  # a report of a child
            return chance
        name = quiet_value(self.question, indicator)
        return chance / sum(self.claim(indicator, y, x, theta) for y in indicator.values if y != name)

    def heard(self, key: Key, x: Any, theta: Theta) -> Any:
        """Everything heard and not heard of a cell of a category, if x happened."""
        product: Any = 1.0
        for report in self.reports.get(key, []):
            product = product * self.factor(report, x, theta)
        if self.watched(key):
            product = product * self.detected(key, x, theta)
        elif self.filing(key):
            told = bool(self.about(key))
            product = product * (self.filed_factor(key, theta) if told else self.unfiled(key, x, theta))
        return product

    def speaks(self, key: Key) -> bool:
        return bool(self.reports.get(key)) or self.silent(key) or self.filing(key)

    # --- one cell --------------------------------------------------------------------------------------

    def single(self, key: Key, s: int, theta: Theta) -> Any:
        """m(s) of a cell on its own, its value being a fresh draw."""
        indicator = self.indicators[key[2]]
        if indicator.kind == "measure":
            judgement = indicator.likelihood[s]
            assert isinstance(judgement, MeasureMean)
            judged = theta["likelihood"][indicator.id][s]
            return measure_cell(judged, judgement.sd, self.readings(key, theta))
        if indicator.kind == "count":
            judged = theta["likelihood"][indicator.id][s]
            return count_cell(judged, indicator.dispersion, self.readings(key, theta))
        total: Any = 0.0
        for x in indicator.values:
            total = total + self.density(indicator, x, s, theta) * self.heard(key, x, theta)
        return total

    def without_value(self, key: Key, theta: Theta) -> Any:
        """What was heard of a child without its parent."""
        if self.indicators[key[2]].values:
            return self.heard(key, None, theta)
        product: Any = 1.0
        for reading in self.readings(key, theta):
            product = product * reading.base
        return product

    def given_value(self, key: Key, x: Any, s: int, theta: Theta) -> Any:
        """Everything heard of a cell and of those given it, if x happened."""
        unit, period, name = key
        product = self.heard(key, x, theta)
        for child in self.children[name]:
            other = (unit, period, child)
            if self.speaks(other):
                nothing = self.is_quiet(self.indicators[name], x)
                part = self.without_value(other, theta) if nothing else self.single(other, s, theta)
                product = product * part
        return product

    def compound(self, key: Key, s: int, theta: Theta) -> Any:
        """m(s) of a cell together with those that have a value only if this one is not quiet."""
        indicator = self.indicators[key[2]]
        if not indicator.values:
            return self.single(key, s, theta)
        total: Any = 0.0
        for x in indicator.values:
            total = total + self.density(indicator, x, s, theta) * self.given_value(key, x, s, theta)
        return total

    # --- states that go on -----------------------------------------------------------------------------

    def persistent(self, unit: str, name: str, theta: Theta) -> dict[int, list[dict[int, Any]]]:
        """What each cell of a state that goes on says, given its earlier ones: {period: [s] of {entered: m}}.

        Entered in period e the hidden value is a fresh draw of it; from period to period it stays with
        probability q, else it is a fresh draw.
        """
        indicator, size = self.indicators[name], len(self.question.scenarios)
        q, values = indicator.persistence, indicator.values
        assert q is not None
        table: dict[int, list[dict[int, Any]]] = {t: [{} for _ in range(size)] for t in range(self.periods)}
        emission = [
            [[self.given_value((unit, t, name), x, s, theta) for x in values] for s in range(size)]
            for t in range(self.periods)
        ]
        for s in range(size):
            fresh = [self.density(indicator, x, s, theta) for x in values]
            for entered in range(self.periods if self.moves else 1):
                belief = fresh
                for t in range(entered, self.periods):
                    if t > entered:
                        belief = [q * b + (1.0 - q) * f for b, f in zip(belief, fresh, strict=True)]
                    joint = [b * e for b, e in zip(belief, emission[t][s], strict=True)]
                    m: Any = sum(joint)
                    table[t][s][entered] = m
                    belief = [share(j, m) for j in joint]
        return table

    @property
    def moves(self) -> bool:
        return self.question.dynamics is not None

    def said(self, theta: Theta) -> dict[Key, Said]:
        """What every cell that says something says of each scenario, without exponents."""
        size, found = len(self.question.scenarios), {}
        tables: dict[tuple[str, str], dict[int, list[dict[int, Any]]]] = {}
        for key in self.heads():
            unit, period, name = key
            if self.indicators[name].persistence is None:
                found[key] = [self.compound(key, s, theta) for s in range(size)]
                continue
            if (unit, name) not in tables:
                tables[unit, name] = self.persistent(unit, name, theta)
            rows = tables[unit, name][period]
            found[key] = list(rows) if self.moves else [row[0] for row in rows]
        return found

    def heads(self) -> list[Key]:
        """The cells that say something; a pair joined by `given` goes under the parent's name."""
        if self._heads is not None:
            return self._heads
        found = self._heads = []
        for unit in self.question.units or ("",):
            for period in range(self.periods):
                for i in self.question.indicators:
                    both = [i.id, *self.children[i.id]]
                    if i.given is None and any(self.speaks((unit, period, n)) for n in both):
                        found.append((unit, period, i.id))
        return found

    # --- groups and cap --------------------------------------------------------------------------------

    def widths(self) -> dict[Key, float]:
        """The range over scenarios of log m at the judgements' means, averaged over when s was entered."""
        found, entered = {}, entry_chances(self.question, self.means, self.periods)
        for key, said in self.said(self.means).items():
            m = [
                sum(p * float(v[e]) for e, p in entered[key[1]][s].items())
                if isinstance(v, dict)
                else float(v)
                for s, v in enumerate(said)
            ]
            if min(m) <= 0:
                raise ValueError(f"{key}: a scenario excluded at the means has no finite weight")
            found[key] = math.log(max(m)) - math.log(min(m))
        return found

    def exponents(self) -> dict[Key, float]:
        """The power of each cell, from its m at the judgements' means."""
        exponent = dict.fromkeys(self.heads(), 1.0)
        if not self.question.groups and self.question.cap is None:
            return exponent
        width = self.widths()
        for group in self.question.groups:
            for unit, period in {(k[0], k[1]) for k in self.heads()}:
                mine = [k for k in self.heads() if k[:2] == (unit, period) and k[2] in group.indicators]
                squares = sum(width[k] ** 2 for k in mine)
                if squares > 0:
                    effective = sum(width[k] for k in mine) ** 2 / squares
                    for k in mine:
                        exponent[k] = 1.0 / (1.0 + group.correlation * (effective - 1.0))
        if self.question.cap is not None:
            most = math.log(self.question.cap)
            for key in self.heads():
                if width[key] * exponent[key] > most:
                    exponent[key] = most / width[key]
        return exponent


def weighted_cells(question: Question, evidence: Evidence, as_of: date, theta: Theta) -> dict[Key, Said]:
    """Return m(s) to its exponent, for every cell that says something: {(unit, period, indicator): [K]}.

    Of a state that goes on, in a question whose scenario may move, each of the K is {entered: m}: one number
    for every period in which the scenario may have been entered, given the indicator's earlier reports.
    """
    cells = Cells(question, evidence, as_of, theta)
    said, result = cells.said(theta), {}
    for key, power in cells.exponents().items():
        result[key] = [each(lambda v, power=power: v if power == 1.0 else v**power, m) for m in said[key]]
    return result


def cell_likelihood(
    question: Question, evidence: Evidence, as_of: date, theta: Theta
) -> dict[tuple[str, int], Said]:
    """Return the product of a period's cells, for every unit and period up to the as-of date's.

    Parameters
    ----------
    theta : dict
        Judgements as numbers, or arrays with one entry per draw.

    Returns
    -------
    dict
        {(unit, period): [K numbers or arrays]}; 1 where nothing was heard. Where a state goes on in a
        question whose scenario may move, each of the K is {entered: number or array}.
    """
    size = len(question.scenarios)
    units = question.units or ("",)
    result: dict[tuple[str, int], Said] = {
        (unit, period): [1.0] * size for unit in units for period in range(question.period(as_of) + 1)
    }
    for (unit, period, _), m in weighted_cells(question, evidence, as_of, theta).items():
        result[unit, period] = [times(a, b) for a, b in zip(result[unit, period], m, strict=True)]
    return result


def each(function: Any, m: Any) -> Any:
    """Apply a function to a number, or to each of those by period of entry."""
    return {e: function(v) for e, v in m.items()} if isinstance(m, dict) else function(m)


def times(a: Any, b: Any) -> Any:
    """Multiply two numbers, either or both of which may be one for each period of entry."""
    if isinstance(a, dict) and isinstance(b, dict):
        return {e: v * b[e] for e, v in a.items()}
    if isinstance(a, dict):
        return {e: v * b for e, v in a.items()}
    return {e: a * v for e, v in b.items()} if isinstance(b, dict) else a * b


def at_entry(m: Any, entered: int) -> Any:
    """Return what is said of a scenario that was entered in a period."""
    return m[entered] if isinstance(m, dict) else m


def share(part: Any, whole: Any) -> Any:
    """Part of a whole; nothing where the whole is nothing."""
    nothing = np.equal(whole, 0.0)
    return np.where(nothing, 0.0, np.divide(part, np.where(nothing, 1.0, whole)))
