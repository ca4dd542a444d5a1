"""``forecast check``: everything that is wrong with what an analyst wrote."""

from __future__ import annotations

import json
from collections.abc import Sequence, Sized
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.case.faults import InputError
from forecast.cli import failures

if TYPE_CHECKING:
    from forecast.case.folder import Case


def run(cases: Sequence[Path], *, as_json: bool = False, debug: bool = False) -> int:
    """Check each case and print what was found; return the exit code."""
    return failures.worst([_check(path, as_json=as_json, debug=debug) for path in cases])


def _check(path: Path, *, as_json: bool, debug: bool) -> int:
    from forecast.record.check import check

    try:
        case = check(path)
    except Exception as error:
        if as_json and isinstance(error, InputError):
            faults = [asdict(fault) for fault in error.faults]
            print(json.dumps({"case": path.resolve().name, "sound": False, "faults": faults, "warnings": []}))
        return failures.report(error, debug=debug)
    if as_json:
        print(json.dumps(_document(case)))
    else:
        question, reports = case.question, case.evidence.reports
        found = {"scenario": question.scenarios, "indicator": question.indicators, "source": question.sources}
        counts = ", ".join(_count(things, name) for name, things in found.items())
        print(f"{path}: sound. {counts}, {_count(reports, 'row')} of evidence.")
        for warning in case.warnings:
            print(f"  · {warning}")
    return failures.DONE


def _count(things: Sized, name: str) -> str:
    return f"{len(things)} {name}" if len(things) == 1 else f"{len(things)} {name}s"


def _document(case: Case) -> dict[str, Any]:
    return {
        "case": case.name,
        "sound": True,
        "digest": case.digest,
        "faults": [],
        "warnings": list(case.warnings),
    }
