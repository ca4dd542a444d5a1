"""``forecast explain``: why a forecast is what it is, and what moved it since the last one issued."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.cli import errors

if TYPE_CHECKING:
    import xarray as xr


_NOTHING_BEFORE = (
    "There is no forecast to compare with: none was issued for an earlier day, or only one over other "
    "scenarios or units."
)


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    changed: bool = False
    question_was: Path | None = None
    as_of: date | None = None
    top: int = 8
    as_json: bool = False


def run(cases: Sequence[Path], options: Options, *, debug: bool = False) -> int:
    """Explain each case's forecast; return the exit code."""
    return errors.each(cases, lambda path: _explain(path, options), debug=debug)


def _explain(path: Path, options: Options) -> None:
    from forecast.analysis.weight_of_evidence import explain
    from forecast.inference.engine import update
    from forecast.record.ledger import check
    from forecast.report.changes import changed_lines, changed_since_issue
    from forecast.report.explanation import explain_lines

    case = check(path)
    tree = update(case, as_of=options.as_of)
    why, moved = explain(case, tree=tree), None
    if options.changed:
        moved = changed_since_issue(case, tree, question_was=options.question_was)
    if options.as_json:
        document = {"case": case.name, "explain": dictionary(why)}
        change = {"changed": dictionary(moved) if moved is not None else None} if options.changed else {}
        print(json.dumps(document | change, allow_nan=False))
        return
    print("\n".join(explain_lines(why, top=options.top)))
    if options.changed:
        said = [_NOTHING_BEFORE] if moved is None else changed_lines(moved)
        print("\n" + "\n".join(said))


def dictionary(data: xr.Dataset) -> dict[str, Any]:
    """Return a Dataset as xarray's own dictionary, days as text and numbers that are not finite as null."""

    def cleaned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: cleaned(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [cleaned(one) for one in value]
        if isinstance(value, float) and not math.isfinite(value):
            return None
        return value.date().isoformat() if isinstance(value, datetime) else value

    found: dict[str, Any] = cleaned(data.to_dict())
    return found
