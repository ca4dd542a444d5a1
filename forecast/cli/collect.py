"""``forecast collect``: what to look for next, the most telling first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from forecast.case.errors import Fault, InputError
from forecast.cli import errors
from forecast.cli.progress import progress_bar

if TYPE_CHECKING:
    import pandas as pd

    from forecast.case.folder import Case

NOBODY = "(the watch)"


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    period: Literal["present", "next"] = "next"
    indicators: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    costs: tuple[str, ...] = ()
    top: int = 15
    as_of: date | None = None
    draws: int = 1000
    chains: int = 4
    seed: int = 0
    as_json: bool = False


def run(cases: Sequence[Path], options: Options, *, debug: bool = False) -> int:
    """Rank what could be looked for in each case and print it; return the exit code."""
    return errors.each(cases, lambda path: _collect(path, options), debug=debug)


def _collect(path: Path, options: Options) -> None:
    from forecast.analysis.collect import collect
    from forecast.case.folder import load_case
    from forecast.case.in_force import checked_as_of

    case, costs = load_case(path), dict(_cost(text) for text in options.costs)
    day = checked_as_of(case.question, options.as_of)
    with progress_bar(path.name) as progress:
        table = collect(
            case,
            as_of=day,
            period=options.period,
            indicators=options.indicators or None,
            sources=options.sources or None,
            costs=costs or None,
            draws=options.draws,
            chains=options.chains,
            seed=options.seed,
            progress=progress,
        )
    if options.as_json:
        print(json.dumps(document(case, day, table)))
    else:
        print("\n".join(lines(case, day, table, options.top, every=bool(options.indicators))))


def _cost(text: str) -> tuple[str, float]:
    """Return name and cost of "NAME=COST"."""
    name, _, number = text.partition("=")
    try:
        return name.strip(), float(number)
    except ValueError:
        fix = 'write, e.g., --cost "sohr=2" or --cost "fighting sohr=5"'
        allowed = "NAME=NUMBER, the name that of a source, of an indicator, or both"
        raise InputError([Fault("--cost", 0, text, "not a cost", allowed=allowed, fix=fix)]) from None


def document(case: Case, day: date, table: pd.DataFrame) -> dict[str, Any]:
    """Return the whole table as one JSON document."""
    rows = table.to_dict(orient="records")
    return {
        "case": case.name,
        "as_of": day.isoformat(),
        "horizon": case.question.horizon.isoformat(),
        "digest": case.digest,
        **{name: table.attrs[name] for name in ("period_end", "entropy", "left_out")},
        "collect": [{str(k): None if v != v else v for k, v in row.items()} for row in rows],
    }


def lines(case: Case, day: date, table: pd.DataFrame, top: int, *, every: bool = False) -> list[str]:
    """Return the best of the table as lines of text, in thousandths of a bit.

    Of each indicator the best source only, unless `every` source is wanted.
    """
    found = [
        f"{case.name}, as of {day}: what a report on the period to {table.attrs['period_end']} is expected to"
        " tell of the scenario,",
        f"in thousandths of a bit, now and on {case.question.horizon} (twice the standard error after ±)",
    ]
    for unit in table["unit"].unique().tolist() if "unit" in table else [None]:
        part = table if unit is None else table[table["unit"] == unit]
        bits = table.attrs["entropy"]
        now, ahead = (bits[name] if unit is None else bits[name][unit] for name in ("now", "horizon"))
        found += [
            "",
            f"{'' if unit is None else f'{unit}. '}Uncertainty: {now:.3f} bits now, {ahead:.3f} ahead",
        ]
        shown = part if every else part.drop_duplicates("indicator")
        found += _rows(shown.head(top))
        if len(shown) > top:
            found.append(f"... and {len(shown) - top} more, each worth less")
        if len(shown) < len(part):
            found.append("The best source of each indicator; name an indicator to see all of its sources.")
    if table.attrs["left_out"]:
        left_out = ", ".join(dict.fromkeys(table.attrs["left_out"]))
        found += ["", f"Left out, as nobody can say what to expect or nothing can be added: {left_out}"]
    return found


def _rows(part: pd.DataFrame) -> list[str]:
    """Return a heading and a line for each row."""
    costs = "per_cost" in part
    heading = f"{'indicator':24}{'source':16}{'r':>5}  {'most likely':24}{'now':>14}{'ahead':>14}"
    rows = [heading + (f"{'per cost':>12}" if costs else "")]
    for row in part.to_dict(orient="records"):
        reliability = "" if row["reliability"] != row["reliability"] else f"{row['reliability']:.2f}"
        likely = f"{row['expected']} ({row['chance']:.0%})" if row["expected"] else ""
        source = row["source"] or NOBODY
        line = f"{row['indicator']:24}{source:16}{reliability:>5}  {likely:24}"
        line += f"{_bits(row, 'now'):>14}{_bits(row, 'horizon'):>14}"
        if costs:
            line += f"{1000 * row['per_cost']:12.2f}" if row["per_cost"] == row["per_cost"] else f"{'-':>12}"
        rows.append(line + ("  repeats itself" if row["repeats"] else ""))
    return rows


def _bits(row: dict[Any, Any], name: str) -> str:
    return f"{1000 * row[name]:.1f} ± {2000 * row[f'{name}_error']:.1f}"
