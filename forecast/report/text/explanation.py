"""Text of ``forecast explain``: weights of evidence, and attribution of change since the last issue."""

from __future__ import annotations

import json
from textwrap import shorten, wrap

import numpy as np
import xarray as xr

from forecast.inference.diagnostics import RULED_OUT
from forecast.inference.result import by_unit
from forecast.report.number_format import counted, signed
from forecast.report.sentences import CHANGE_PARTS
from forecast.report.text.tables import table_lines

_NOTHING_BEFORE = (
    "There is no forecast to compare with: none was issued for an earlier day, or only one over other "
    "scenarios or units."
)

_NOTE = 240  #: Longest note of a report that is printed whole

_DISCOUNTS = {
    "reliability": "doubt of sources and grades",
    "repeats": "repeats",
    "groups": "groups",
    "cap": "the cap",
}


def explain_lines(data: xr.Dataset, *, top: int = 8, width: int = 100) -> list[str]:
    """Return an explanation as lines: the sum, what was taken away, what does not help, the main reports.

    Parameters
    ----------
    data : Dataset
        What :func:`forecast.analysis.weight_of_evidence.explain` returned.
    top : int
        How many cells, and how many reports, are named; the other cells are one line of the sum.
    width : int
        Longest line of running text. Tables are as wide as they need.

    Examples
    --------
    >>> print(*explain_lines(explain(case)), sep=chr(10))  # doctest: +SKIP
    """
    lines = []
    for unit, part in by_unit(data):
        cells = np.flatnonzero(part["cell_unit"].values == unit)
        reports = np.flatnonzero(part["report_unit"].values == unit)
        lines += _unit_lines(part.isel(cell=cells, report=reports), unit, top, width)
    return lines[1:]


def _unit_lines(data: xr.Dataset, unit: str, top: int, width: int) -> list[str]:
    scenarios = data["scenario"].values.tolist()
    lead = int(data["engine"].values.argmax())
    static = data.attrs["method"] != "leave one out"
    chance = 1 / (1 + 10 ** (-float(data["engine"].values[lead]) / 10))
    title = f"Why {scenarios[lead]} leads{f' in {unit}' if unit else ''}: {100 * chance:.0f}% now"
    how = "Weight of evidence in decibans, each scenario against the rest; 10 are odds of ten to one. " + (
        "Cells count in the order of time, each given those before it, so the lines add up."
        if static
        else "The truth may move, so each cell is weighed by leaving it out; what that does not share out "
        "is a line of its own."
    )
    lines = ["", f"{title}, as of {data.attrs['as_of']}", *wrap(how, width), ""]
    lines += [*_sum_lines(data, top, static, width), "", *_discount_lines(data, width), ""]
    return lines + _diagnosticity_lines(data, width) + _report_lines(data, top, lead, width)


def _table(scenarios: list[str], rows: list[tuple[str, np.ndarray, str]], width: int) -> list[str]:
    """Return a table of scenario weights with remarks."""
    remarks = any(remark for _, _, remark in rows)
    headings = ["", *scenarios, *([""] if remarks else [])]
    cells = [[name, *map(_number, row), *([remark] if remarks else [])] for name, row, remark in rows]
    return table_lines(headings, cells, width=width, left=(0, len(scenarios) + 1))


def _number(value: float) -> str:
    if abs(value) >= RULED_OUT:
        return "+inf" if value > 0 else "-inf"
    return signed(value)


def _sum_lines(data: xr.Dataset, top: int, static: bool, width: int) -> list[str]:
    weight = data["weight"].values
    order = np.argsort(-np.abs(weight).max(axis=1, initial=0.0), kind="stable")
    named, others = order[:top], order[top:]
    if static:
        named = np.sort(named)
    rows = [("before any evidence", data["before"].values, "")]
    kind, names = data["diagnosticity"].values, data["cell"].values
    remark = {"not at all": "not diagnostic", "both ways": "mixed"}
    rows += [(f"  {names[c]}", weight[c], remark.get(str(kind[c]), "")) for c in named]
    if len(others):
        rows.append((f"  {counted(len(others), 'other cell')}", weight[others].sum(axis=0), ""))
    if not static:
        rows.append(("  not shared out", data["interaction"].values, ""))
    rows.append(("judgements at their means", data["at_means"].values, ""))
    rows.append(("  what learning adds", data["learning"].values, ""))
    rows.append(("the forecast", data["engine"].values, ""))
    return _table(data["scenario"].values.tolist(), rows, width)


def _discount_lines(data: xr.Dataset, width: int) -> list[str]:
    """Return what the cells would weigh if nothing were taken away, and what was, in its order."""
    discount = data["discount"].sum("cell")
    parts = data["part"].values.tolist()
    rows = [("all cells, were every report true", data["undiscounted_weight"].sum("cell").values, "")]
    rows += [(f"  {_DISCOUNTS[name]}", -discount.sel(part=name).values, "") for name in parts]
    rows.append(("all cells as they count", data["weight"].sum("cell").values, ""))
    return [
        "What was taken away, in this order, one cell at a time beside the others as they count",
        *_table(data["scenario"].values.tolist(), rows, width),
    ]


def _diagnosticity_lines(data: xr.Dataset, width: int) -> list[str]:
    kinds, names = data["indicator_diagnosticity"].values, data["indicator"].values
    meanings = {
        "not at all": "Not diagnostic even if certain (less than 1 deciban between any two scenarios)",
        "too little left": "Diagnostic if certain, but too little is left (less than 1 deciban)",
        "both ways": "Mixed (for a scenario in one period, against it in another)",
    }
    listed = {meaning: names[kinds == kind] for kind, meaning in meanings.items()}
    mixed = data["cell"].values[data["diagnosticity"].values == "both ways"]
    listed["Speaks for one rival of the leading scenario and against another"] = mixed
    lines = []
    for meaning, those in listed.items():
        if len(those):
            lines += [*wrap(f"{meaning}: {', '.join(map(str, those))}.", width), ""]
    return lines


def _report_lines(data: xr.Dataset, top: int, lead: int, width: int) -> list[str]:
    weight = data["report_weight"].values
    order = np.argsort(-np.abs(weight).max(axis=1, initial=0.0), kind="stable")[:top]
    if not len(order):
        return ["No report has weight."]
    leader = str(data["scenario"].values[lead])
    lines = [f"The weightiest reports: what each gives {leader}, beside all others (and whom it moves most)"]
    for n in order:
        row = data.isel(report=int(n))
        most = int(np.abs(weight[n]).argmax())
        also = f" ({data['scenario'].values[most]} {_number(weight[n, most])})" if most != lead else ""
        names = ("", "_indicator", "_value", "_source", "_line", "_citation", "_note")
        id, indicator, value, source, line, citation, note = (row[f"report{name}"].item() for name in names)
        lines.append(f"{_number(weight[n, lead]):>6}{also}  {id}: {indicator} = {value}, {source}")
        origin = "; ".join(text for text in (citation, f"line {line}" if line else "") if text)
        for text in (_discounts_of(row, most), origin, shorten(note, _NOTE, placeholder=" ...")):
            lines += wrap(text, width, initial_indent=" " * 8, subsequent_indent=" " * 8)
    return lines


def _discounts_of(row: xr.Dataset, most: int) -> str:
    """Say what was taken from a report, for the scenario that it moves most; "" if nothing was."""
    discount = row["report_discount"].isel(scenario=most)
    parts = [(_DISCOUNTS[name], float(discount.sel(part=name))) for name in discount["part"].values.tolist()]
    named = [f"{what} {_number(-amount)}" for what, amount in parts if abs(amount) >= 0.05]
    undiscounted = float(row["report_weight"].isel(scenario=most) + discount.sum())
    name = row["scenario"].values[most]
    weight = f"For {name} {_number(undiscounted)} if all reports of its cell were certainly true"
    return f"{weight}: {', '.join(named)}." if named else ""


def changed_lines(data: xr.Dataset | None, *, width: int = 100) -> list[str]:
    """Return the attribution of change as text: a table in points, and reports of each part.

    Parameters
    ----------
    data : Dataset or None
        What :func:`forecast.changed_since_issue` returned.
    width : int
        Longest line.

    Examples
    --------
    >>> print(*changed_lines(data), sep=chr(10))  # doctest: +SKIP
    """
    if data is None:
        return [_NOTHING_BEFORE]
    whens = ("now", "horizon") if data.attrs["regime"] else ("now",)
    lines = [f"What moved the forecast from {data.attrs['since']} to {data.attrs['as_of']}"]
    lines += wrap("Percentage points; each change let in after those above it, so the lines add up.", width)
    for unit, part in by_unit(data):
        for when in whens:
            lines += ["", f"{f'{unit}, ' if unit else ''}{when}", *_move_table(part, when, width)]
    for step in data["step"].values.tolist():
        names = data["report"].values[data["report_step"].values == step].tolist()
        if names:
            text = f"{CHANGE_PARTS[step]}: {', '.join(names)}."
            lines += ["", *wrap(text, width, subsequent_indent="  ", break_on_hyphens=False)]
    for note in json.loads(data.attrs["note"]):
        lines += ["", *wrap(f"Note: {note}.", width, subsequent_indent="  ")]
    return lines


def _move_table(data: xr.Dataset, when: str, width: int) -> list[str]:
    before, after = data[f"{when}_issued"].values, data[f"{when}_after"].isel(step=-1).values
    rows = [["issued", *(f"{100 * p:.1f}%" for p in before)]]
    rows += [
        [f"  {CHANGE_PARTS[step]}", *map(signed, 100 * data[when].sel(step=step).values)]
        for step in data["step"].values.tolist()
    ]
    rows.append(["this forecast", *(f"{100 * p:.1f}%" for p in after)])
    return table_lines(["", *data["scenario"].values.tolist()], rows, width=width)
