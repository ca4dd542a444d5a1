"""``forecast check``: everything that is wrong with what an analyst wrote."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence, Sized
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.case.errors import InputError
from forecast.cli import errors
from forecast.cli.progress import progress_bar

if TYPE_CHECKING:
    import xarray as xr

    from forecast.analysis.review import Check
    from forecast.case.folder import Case


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    review: bool = False
    referee: bool = False
    learning: bool = False
    as_of: date | None = None
    as_json: bool = False


def run(cases: Sequence[Path], options: Options, *, debug: bool = False) -> int:
    """Check each case and print what was found; return the exit code."""
    return errors.worst([_check(path, options, debug=debug) for path in cases])


def _check(path: Path, options: Options, *, debug: bool) -> int:
    from forecast.record.ledger import check

    try:
        case = check(path)
        reviewed, compared = _reviewed(case, options), _compared(case, options)
    except Exception as error:
        if options.as_json and isinstance(error, InputError):
            faults = [asdict(fault) for fault in error.faults]
            print(json.dumps({"case": path.resolve().name, "sound": False, "faults": faults, "warnings": []}))
        return errors.report(error, debug=debug)
    if options.as_json:
        more = {"review": [asdict(one) for one in reviewed]} if options.review else {}
        tables = {name: _table(data) for name, data in compared.items()}
        print(json.dumps(_document(case) | more | tables))
    else:
        question, reports = case.question, case.evidence.reports
        found = {"scenario": question.scenarios, "indicator": question.indicators, "source": question.sources}
        counts = ", ".join(_count(things, name) for name, things in found.items())
        print(f"{path}: sound. {counts}, {_count(reports, 'row')} of evidence.")
        for warning in case.warnings:
            print(f"  · {warning}")
        if reviewed:
            from forecast.analysis.review import review_lines

            print("\n" + "\n".join(review_lines(reviewed)))
        for name, data in compared.items():
            _print(name, data)
    referee = compared.get("referee")
    return errors.DONE if referee is None or referee["agrees"].all() else errors.TOOLKIT_FAILED


def _reviewed(case: Case, options: Options) -> list[Check]:
    if not options.review:
        return []
    from forecast.analysis.review import review
    from forecast.inference.engine import update

    return review(update(case, as_of=options.as_of))


def _compared(case: Case, options: Options) -> dict[str, xr.Dataset]:
    """Return what was asked for beyond the check, by name."""
    found = {}
    if options.learning:
        from forecast.analysis.cross_checks import learning

        found["learning"] = learning(case, as_of=options.as_of)
    if options.referee:
        from forecast.analysis.cross_checks import referee

        print("nuts: compiling the model first; this takes a minute or more.", file=sys.stderr)
        with progress_bar(case.name) as progress:
            found["referee"] = referee(case, as_of=options.as_of, progress=progress)
    return found


def _print(name: str, data: xr.Dataset) -> None:
    """Print the probabilities of each way, in percent, with two standard errors."""
    way = str(data["now"].dims[0])
    for unit in data["unit"].values.tolist() if "unit" in data.dims else [""]:
        part = data.sel(unit=unit) if unit else data
        for when in ("now", "horizon"):
            print(f"\n{name}{f' {unit}' if unit else ''}: {when}, per cent, with two standard errors")
            width = max(len(s) for s in part["scenario"].values.tolist()) + 2
            columns = max(width, 15)
            print(" " * 20 + "".join(f"{s:>{columns}}" for s in part["scenario"].values.tolist()))
            for one in part[way].values.tolist():
                row = part.sel({way: one})
                cells = zip(row[when].values, row[f"{when}_mcse"].values, strict=True)
                print(f"{one:20}" + "".join(f"{_percent(p, e):>{columns}}" for p, e in cells))
    for one, note in zip(data[way].values, data["note"].values, strict=True) if "note" in data else ():
        if note:
            print(f"  · {one}: {note}")
    if "agrees" in data:
        agree = bool(data["agrees"].all())
        print("All that apply agree within four standard errors." if agree else "THEY DISAGREE.")


def _percent(p: float, error: float) -> str:
    return "-" if math.isnan(p) else f"{100 * p:.2f} ± {200 * error:.2f}"


def _table(data: xr.Dataset) -> list[dict[str, Any]]:
    """Return one object per way (and unit and scenario)."""
    rows = data.to_dataframe().reset_index().to_dict(orient="records")
    return [{str(k): None if v != v else v for k, v in row.items()} for row in rows]


def _count(things: Sized, name: str) -> str:
    return f"{len(things)} {name}" if len(things) == 1 else f"{len(things)} {name}s"


def _document(case: Case) -> dict[str, Any]:
    return {
        "case": case.name,
        "sound": True,
        "digest": case.digest,
        "faults": [],
        "warnings": [str(warning) for warning in case.warnings],
    }
