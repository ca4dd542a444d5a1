"""What moved a forecast since the last one that was issued, as data and as lines of text."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from forecast.analysis.attribution import Issued, changed
from forecast.case.in_force import form_of, forms, ids, in_force
from forecast.record.issue import inputs, last_issue
from forecast.record.ledger import LEDGER, read_ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

    from forecast.case.folder import Case
    from forecast.case.question import Question

#: What each part of a move is, for a reader.
MEANING = {
    "remainder": "remainder: Monte Carlo, version",
    "judgements": "changed judgements and grades",
    "scenarios": "changed scenarios",
    "time": "time passing, silence",
    "new": "new reports",
    "late": "late reports on earlier days",
    "corrections": "corrections and withdrawals",
}


def changed_since_issue(
    case: Case,
    tree: xr.DataTree,
    *,
    question_was: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> xr.Dataset | None:
    """Split the move since the last issued forecast, None if none was issued before.

    Parameters
    ----------
    case : Case
        Its folder holds the ledger.
    tree : DataTree
        What :func:`forecast.update` returned for it.
    question_was : Path, optional
        The question's file as it was then, where it has been edited since.
    progress : function, optional
        Is given the share that is done: the engine is run a few times.

    Returns
    -------
    Dataset or None
        See :func:`forecast.analysis.attribution.changed`.

    Raises
    ------
    InputError
        If the ledger, or the older question, cannot be understood.

    Examples
    --------
    >>> changed_since_issue(case, forecast.update(case))  # doctest: +SKIP
    """
    rows = last_issue(read_ledger(case.path / LEDGER), inputs(tree))
    units = case.question.units or ("",)
    by_name = {(row.unit, row.scenario): row for row in rows}
    scenarios = _scenarios(case.question, tree, {row.scenario for row in rows})
    if any((unit, id) not in by_name for unit in units for id in scenarios) or not scenarios:
        return None
    now = np.array([[by_name[unit, id].probability for id in scenarios] for unit in units])
    horizon = np.array([[by_name[unit, id].horizon_probability for id in scenarios] for unit in units])
    issued = Issued(rows[0].as_of, rows[0].digest, now, horizon, scenarios)
    return changed(case, tree, issued, question_was=question_was, progress=progress)


def _scenarios(question: Question, tree: xr.DataTree, issued: set[str]) -> tuple[str, ...]:
    """Return the scenarios in which an issued forecast is given: those of an era, or today's; or none."""
    present = ids(in_force(question, date.fromisoformat(str(tree.attrs["as_of"]))))
    form = form_of(question, issued, by=form_of(question, present))
    if form is not None:
        return ids(forms(question)[form])
    return present if issued >= set(present) else ()


def changed_lines(data: xr.Dataset, *, width: int = 100) -> list[str]:
    """Return a split move as lines: a table in percentage points, and the reports behind each part.

    Examples
    --------
    >>> print(*changed_lines(data), sep=chr(10))  # doctest: +SKIP
    """
    units = [str(unit) for unit in data["unit"].values] if "unit" in data.dims else [""]
    whens = ("now", "horizon") if data.attrs["regime"] else ("now",)
    lines = [f"What moved the forecast from {data.attrs['since']} to {data.attrs['as_of']}"]
    lines += wrap("Percentage points; each change let in after those above it, so the lines add up.", width)
    for unit in units:
        part = data.sel(unit=unit) if unit else data
        for when in whens:
            lines += ["", f"{f'{unit}, ' if unit else ''}{when}", *_table(part, when)]
    for step in data["step"].values.tolist():
        names = data["report"].values[data["report_step"].values == step].tolist()
        if names:
            text = f"{MEANING[step]}: {', '.join(names)}."
            lines += ["", *wrap(text, width, subsequent_indent="  ", break_on_hyphens=False)]
    for note in json.loads(data.attrs["note"]):
        lines += ["", *wrap(f"Note: {note}.", width, subsequent_indent="  ")]
    return lines


def _table(data: xr.Dataset, when: str) -> list[str]:
    scenarios = data["scenario"].values.tolist()
    first = max(map(len, MEANING.values())) + 2
    widths = [max(len(name), 6) + 2 for name in scenarios]
    before, after = data[f"{when}_issued"].values, data[f"{when}_after"].isel(step=-1).values

    def line(name: str, texts: list[str]) -> str:
        return f"{name:<{first}}" + "".join(f"{t:>{w}}" for t, w in zip(texts, widths, strict=True))

    lines = [line("", scenarios), line("issued", [f"{100 * p:.1f}%" for p in before])]
    for step in data["step"].values.tolist():
        moved = data[when].sel(step=step).values
        lines.append(line(f"  {MEANING[step]}", [_points(p) for p in moved]))
    return [*lines, line("this forecast", [f"{100 * p:.1f}%" for p in after])]


def _points(move: float) -> str:
    return f"{100 * move:+.1f}" if abs(move) >= 0.0005 else "0.0"
