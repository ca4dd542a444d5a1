"""Plain-text tables of ``forecast check``, ``whatif`` and ``collect``."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from math import isnan
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from forecast.case.reporting import log_sentences
from forecast.case.traps import trap_warnings
from forecast.case.warnings import from_json
from forecast.inference.result import by_unit
from forecast.report.number_format import counted, with_error

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from forecast.analysis.review import Check
    from forecast.case.folder import Case

UNASKED = "(monitoring)"  #: Stands for the source where an indicator is monitored and nobody reports


def table_lines(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    width: int = 100,
    left: Collection[int] = (0,),
    keep_first: bool = False,
) -> list[str]:
    """Return a table as lines: text columns wrapped, number columns right-aligned.

    With `keep_first` the first column is not wrapped, so that the names in it can be searched for.

    >>> rows = [("War", "62%", "55%"), ("Peace", "38%", "45%")]
    >>> print(*table_lines(["", "now", "later"], rows), sep=chr(10))
           now  later
    War    62%    55%
    Peace  38%    45%
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [list(row) for row in rows]
    table = Table(box=None, pad_edge=False, header_style="")
    for place, heading in enumerate(headings):
        longest = max(Text(row[place]).cell_len for row in [headings, *cells])
        whole: dict[str, Any] = {"no_wrap": True, "min_width": longest}
        text = whole if keep_first and not place else {}
        table.add_column(Text(heading), **(text if place in left else whole | {"justify": "right"}))
    for row in cells:
        table.add_row(*map(Text, row))
    console = Console(
        file=io.StringIO(), color_system=None, width=width, legacy_windows=False, force_jupyter=False
    )
    needed = console.measure(table, options=console.options.update(max_width=10_000)).minimum
    console.width = max(width, needed)
    with console.capture() as drawn:
        console.print(table)
    return [line.rstrip() for line in drawn.get().splitlines()]


def check_lines(
    path: Path,
    case: Case,
    checks: Sequence[Check] = (),
    compared: Mapping[str, xr.Dataset] | None = None,
    *,
    width: int = 100,
) -> list[str]:
    """Return what a sound case holds and what is worth a second look, then its review and cross-checks."""
    question = case.question
    things = {"scenario": question.scenarios, "indicator": question.indicators, "source": question.sources}
    counts = ", ".join(counted(len(those), name) for name, those in things.items())
    lines = [f"{path}: sound. {counts}, {counted(len(case.evidence.reports), 'row')} of evidence."]
    warnings = [*case.warnings, *trap_warnings(question, case.evidence)]
    lines += [f"  · {warning}" for warning in warnings]
    lines += ["  How the log is understood:"] if (log := log_sentences(question, case.evidence)) else []
    lines += [f"  · {sentence}" for sentence in log]
    lines += ["", *review_lines(checks)] if checks else []
    for name, data in (compared or {}).items():
        lines += comparison_lines(name, data, width=width)
    return lines


def review_lines(checks: Iterable[Check], *, width: int = 100) -> list[str]:
    """Return a review as lines of text: a summary, then what FAILs, what is to REVIEW, and what PASSes.

    Examples
    --------
    >>> from forecast.analysis.review import Check
    >>> review_lines([Check("Gaps in the trend", "PASS", "All 3 dates of the trend have an answer.")])
    ['1 PASS', '', 'PASS    Gaps in the trend', '        All 3 dates of the trend have an answer.']
    """
    from forecast.analysis.review import VERDICTS

    every = list(checks)
    counts = Counter(check.verdict for check in every)
    lines = [", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])]
    indent = " " * 8
    for check in sorted(every, key=lambda check: VERDICTS.index(check.verdict)):
        lines += ["", f"{check.verdict:<8}{check.name}"]
        for text in (check.reason, check.action and f"-> {check.action}"):
            lines += wrap(text, width, initial_indent=indent, subsequent_indent=indent)
    return lines


def comparison_lines(name: str, data: xr.Dataset, *, width: int = 100) -> list[str]:
    """Return the probabilities of each way to compute a forecast, in per cent, with two standard errors."""
    way = str(data["now"].dims[0])
    lines = []
    for unit, part in by_unit(data):
        for when in ("now", "horizon"):
            title = f"{name}{f' {unit}' if unit else ''}: {when}, per cent, with two standard errors"
            chances = zip(part[when].values, part[f"{when}_mcse"].values, strict=True)
            rows = [
                [one, *(with_error(100 * p, 100 * error, 2) for p, error in zip(*row, strict=True))]
                for one, row in zip(part[way].values.tolist(), chances, strict=True)
            ]
            lines += ["", title, *table_lines(["", *part["scenario"].values.tolist()], rows, width=width)]
    notes = zip(data[way].values, data["note"].values, strict=True) if "note" in data else ()
    lines += [f"  · {one}: {note}" for one, note in notes if note]
    if "agrees" in data:
        agree = bool(data["agrees"].all())
        lines.append("All that apply agree within four standard errors." if agree else "THEY DISAGREE.")
    return lines


def whatif_lines(data: xr.Dataset, *, width: int = 100) -> list[str]:
    """Return :func:`forecast.whatif` as lines: what was changed, and the probabilities in per cent."""
    lines = [f"{data.attrs['case']}, as of {data.attrs['as_of']}. What if:"]
    lines += [f"  · {change}" for change in json.loads(data.attrs["changes"])]
    titles = {"now": "Now", "horizon": f"On {data.attrs['horizon']}", "ever": "Ever until then"}
    for unit, part in by_unit(data):
        for when, title in titles.items():
            lines += ["", f"{f'{unit}. ' if unit else ''}{title}, per cent (90 % band in brackets)"]
            rows = [
                [scenario, _band(part, when, 0, n), _band(part, when, 1, n), _difference(part, when, n)]
                for n, scenario in enumerate(part["scenario"].values.tolist())
            ]
            lines += table_lines(["", "as it is", "what if", "difference"], rows, width=width)
    warnings = [f"  · {warning}" for warning in from_json(data.attrs["warnings"])]
    return lines + (["", "What if warns besides:", *warnings] if warnings else [])


def _band(data: xr.Dataset, when: str, variant: int, scenario: int) -> str:
    one = data.isel(variant=variant, scenario=scenario)
    p = f"{100 * float(one[when]):.1f}"
    if f"{when}_low" not in one:
        return p
    return f"{p} ({100 * float(one[f'{when}_low']):.0f}-{100 * float(one[f'{when}_high']):.0f})"


def _difference(data: xr.Dataset, when: str, scenario: int) -> str:
    one, error = data.isel(scenario=scenario), f"{when}_difference_mcse"
    points = 100 * float(one[f"{when}_difference"])
    return with_error(points, 100 * float(one[error]), sign="+") if error in one else f"{points:+.1f}"


def collect_lines(
    case: Case, day: date, table: pd.DataFrame, *, top: int = 15, every: bool = False, width: int = 100
) -> list[str]:
    """Return the top rows of :func:`forecast.collect` as lines, in thousandths of a bit.

    `every`: every source of each indicator, in place of its best one.
    """
    lines = [
        f"{case.name}, as of {day}: what a report on the period to {table.attrs['period_end']} is expected to"
        " tell of the scenario,",
        f"in thousandths of a bit, now and on {case.question.horizon} (twice the standard error after ±)",
    ]
    for unit in table["unit"].unique().tolist() if "unit" in table else [""]:
        part = table[table["unit"] == unit] if unit else table
        bits = table.attrs["entropy"]
        now, horizon = (bits[name][unit] if unit else bits[name] for name in ("now", "horizon"))
        of = f"{unit}. " if unit else ""
        lines += ["", f"{of}Uncertainty: {now:.3f} bits now, {horizon:.3f} at the horizon"]
        shown = part if every else part.drop_duplicates("indicator")
        lines += _collection(shown.head(top), width)
        if len(shown) > top:
            lines.append(f"... and {len(shown) - top} more, each worth less")
        if len(shown) < len(part):
            lines.append("The best source of each indicator; name an indicator to see all of its sources.")
    if table.attrs["left_out"]:
        left_out = ", ".join(dict.fromkeys(table.attrs["left_out"]))
        lines += ["", f"Left out, as nobody can say what to expect or nothing can be added: {left_out}"]
    return lines


def _collection(part: pd.DataFrame, width: int) -> list[str]:
    """Return a table of what could be collected, with costs where some are known."""
    costs = "per_cost" in part
    headings = ["indicator", "source", "r", "most likely", "now", "horizon"]
    headings += ["per cost", ""] if costs else [""]
    rows = []
    for row in part.to_dict(orient="records"):
        reliability = "" if isnan(row["reliability"]) else f"{row['reliability']:.2f}"
        cells = [row["indicator"], row["source"] or UNASKED, reliability]
        cells.append(f"{row['expected']} ({row['chance']:.0%})" if row["expected"] else "")
        cells += [with_error(1000 * row[n], 1000 * row[f"{n}_error"]) for n in ("now", "horizon")]
        cells += ["-" if isnan(row["per_cost"]) else f"{1000 * row['per_cost']:.2f}"] if costs else []
        rows.append([*cells, "repeats itself" if row["repeats"] else ""])
    return table_lines(headings, rows, width=width, left=(0, 1, 3, len(headings) - 1))
